//! The gRPC server around a service: who calls (token → actor), which trace a call belongs to, limits, health,
//! reflection, and an orderly end.
//!
//! Every request that reaches a service carries an [`office::Actor`] in its extensions; [`actor`] takes it from there. A
//! call without a token is the public's; one with a token that is not in order never arrives.
//!
//! The trap: tonic limits the size of messages in each generated server, not here. [`LARGEST_MESSAGE`] must be given to
//! every one of them (`.max_decoding_message_size(server::LARGEST_MESSAGE)`).

mod admission;
mod health;

use std::collections::BTreeSet;
use std::time::Duration;

use office::{Actor, ActorId, Role, UnitCode};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

pub use self::admission::{Admission, Admitted, TRACE_ID};
pub use self::health::Health;
use crate::refusal::INTERNAL;

/// The largest message that is taken, in bytes.
pub const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;
/// How long a call may take.
const LONGEST_CALL: Duration = Duration::from_secs(30);
/// Calls at once on one connection; more wait at the caller.
const CALLS_PER_CONNECTION: u32 = 1024;
/// How long running calls have to end once the service stops; a stream that nobody closes is cut off then.
const DRAIN: Duration = Duration::from_secs(10);
/// The id of whoever calls without a token.
const PUBLIC: &str = "public";

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address cannot be listened on, or the connection failed.
    #[error("the gRPC server stopped: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The descriptor set is broken.
    #[error("reflection cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until `stop`, then drains: health says so first, then no new calls, then the running ones end.
///
/// # Errors
/// When serving fails; not when a call does.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    admission: Admission,
    health: Health,
    stop: CancellationToken,
) -> Result<(), ServerFault> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = routes
        .add_service(health.service())
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);

    let closing = CancellationToken::new();
    let server = Server::builder()
        .timeout(LONGEST_CALL)
        .max_concurrent_streams(CALLS_PER_CONNECTION)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .http2_max_header_list_size(16 * 1024)
        .layer(admission)
        .add_routes(routes)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener)
                .with_nodelay(Some(true))
                .with_keepalive(Some(Duration::from_secs(60))),
            closing.clone().cancelled_owned(),
        );
    let mut server = std::pin::pin!(server);
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = stop.cancelled() => {}
    }
    health.drain().await;
    health.dismiss_watchers().await;
    closing.cancel();
    match tokio::time::timeout(DRAIN, server).await {
        Ok(ended) => Ok(ended?),
        Err(_) => {
            tracing::warn!("calls were cut off that did not end in time");
            Ok(())
        }
    }
}

/// Whoever calls without a token: may submit a report and use a receipt code, nothing else.
pub fn public_actor() -> Actor {
    Actor {
        id: ActorId::new(PUBLIC).expect("a plain word is a valid actor id"),
        unit: UnitCode::none(),
        department: None,
        roles: BTreeSet::from([Role::Public]),
        on_behalf_of: None,
    }
}

/// Who makes this request.
///
/// # Errors
/// Only where the request did not come through [`Admission`]: a fault of wiring.
pub fn actor<T>(request: &Request<T>) -> Result<Actor, Status> {
    let actor = request.extensions().get::<Actor>();
    actor.cloned().ok_or_else(|| {
        INTERNAL
            .with_note("a request without an actor: the admission layer is missing")
            .status()
    })
}

/// Ends when the process is asked to: SIGTERM or SIGINT.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn shutdown_signal() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Calls to other services, where an answer is needed now (`facts.rs`, the follower's repair); never within a
//! transaction.
//!
//! Each call carries a fresh token of this service on behalf of the actor of the cause, the trace, and a deadline. What
//! does not answer is asked again a few times, with jitter, then refused as unavailable; a peer that failed several
//! times in a row is left alone for a while ([`Breaker`]), so that no command waits for what is known to be down.
//!
//! ```ignore
//! let case = asking.peers.call("verification", Some(&actor), async |call: Call| {
//!     VerificationServiceClient::new(call.channel()).get_case(call.request(GetCaseRequest { … })).await
//! });
//! ```

mod breaker;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use jiff::Timestamp;
use office::Actor;
use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use self::breaker::Breaker;
use crate::refusal::{INTERNAL, Refusal, RefusalKind, UNAVAILABLE};
use crate::telemetry;
use crate::token::{Audience, SERVICE_LIFETIME, Signer};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long a call may take with all its attempts.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a call is repeated that found nobody.
const REPEATS: usize = 3;

/// The other services, by name.
#[derive(Clone, Debug)]
pub struct Peers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    service: String,
    signer: Signer,
    now: fn() -> Timestamp,
    lines: BTreeMap<String, Line>,
}

/// The connection to one service.
#[derive(Debug)]
struct Line {
    channel: Channel,
    breaker: Breaker,
}

/// One attempt of a call: where to send it, and what goes with it.
#[derive(Clone, Debug)]
pub struct Call {
    channel: Channel,
    authorization: AsciiMetadataValue,
}

impl Call {
    /// The channel, for a generated client.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The message as a request with token, trace and deadline.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(ATTEMPT);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        if let Some(traceparent) =
            telemetry::current_traceparent().and_then(|text| text.parse().ok())
        {
            metadata.insert(telemetry::TRACEPARENT, traceparent);
        }
        request
    }
}

impl Peers {
    /// Peers at these addresses. Connects at the first call and again whenever needed; within the runtime.
    ///
    /// `now` is real time, for the tokens.
    pub fn new(
        service: &str,
        signer: Signer,
        addresses: &BTreeMap<String, Uri>,
        now: fn() -> Timestamp,
    ) -> Self {
        let lines = addresses
            .iter()
            .map(|(name, address)| (name.clone(), Line::to(address.clone())));
        let lines = lines.collect();
        Self {
            inner: Arc::new(Inner {
                service: service.to_owned(),
                signer,
                now,
                lines,
            }),
        }
    }

    /// The names of the services that are known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.lines.keys().map(String::as_str)
    }

    /// Asks another service; `ask` is called once for every attempt. `cause` is the actor whose doing led to this.
    ///
    /// # Errors
    /// The peer's own refusal, or [`UNAVAILABLE`] when it does not answer in time or did not for a while. A peer that
    /// does not accept our token is a fault of ours, not of whoever called us.
    pub async fn call<T, F, Asked>(
        &self,
        peer: &str,
        cause: Option<&Actor>,
        mut ask: F,
    ) -> Result<T, Refusal>
    where
        F: FnMut(Call) -> Asked,
        Asked: Future<Output = Result<Response<T>, Status>>,
    {
        let line = self.inner.lines.get(peer).ok_or_else(|| {
            INTERNAL.with_note(format_args!(
                "no address of the service {peer}: set {}",
                crate::config::peer_variable(peer)
            ))
        })?;
        let call = Call {
            channel: line.channel.clone(),
            authorization: self.authorization(cause)?,
        };
        if !line.breaker.admits(Instant::now()) {
            count(peer, "open");
            return Err(UNAVAILABLE.with_note(format_args!(
                "{peer} failed several times and is left alone for a while"
            )));
        }

        let attempt = || {
            let asked = ask(call.clone());
            async {
                let late = |_| Err(Status::deadline_exceeded("no answer in time"));
                tokio::time::timeout(ATTEMPT, asked)
                    .await
                    .unwrap_or_else(late)
            }
        };
        let patience = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(50))
            .with_max_delay(Duration::from_millis(800))
            .with_max_times(REPEATS)
            .with_jitter();
        let answered = attempt
            .retry(patience)
            .when(|status: &Status| status.code() == Code::Unavailable || is_broken(status));
        let answer = tokio::time::timeout(DEADLINE, answered)
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")));

        match answer {
            Ok(response) => {
                line.breaker.succeeded();
                count(peer, "answered");
                Ok(response.into_inner())
            }
            Err(status) => {
                let refusal = refusal_of(peer, &status);
                if refusal.kind == RefusalKind::Unavailable {
                    line.breaker.failed(Instant::now());
                    count(peer, "failed");
                } else {
                    line.breaker.succeeded();
                    count(peer, "refused");
                }
                Err(refusal)
            }
        }
    }

    fn authorization(&self, cause: Option<&Actor>) -> Result<AsciiMetadataValue, Refusal> {
        let Inner {
            service,
            signer,
            now,
            ..
        } = &*self.inner;
        let actor = Actor::service(
            service,
            cause.map(|actor| actor.on_behalf_of.as_ref().unwrap_or(&actor.id).clone()),
        );
        let token = signer.mint(&actor, Audience::Call, now(), SERVICE_LIFETIME)?;
        format!("Bearer {token}")
            .parse()
            .map_err(|fault| INTERNAL.with_note(fault))
    }
}

impl Line {
    fn to(address: Uri) -> Self {
        let endpoint = Endpoint::from(address)
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(Duration::from_secs(60)))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(5));
        Self {
            channel: endpoint.connect_lazy(),
            breaker: Breaker::default(),
        }
    }
}

/// Whether this is no answer of the peer but of its connection, as when it is killed while it is asked: whatever our
/// services say has details.
pub fn is_broken(status: &Status) -> bool {
    let by_connection = matches!(
        status.code(),
        Code::Unknown | Code::Internal | Code::Cancelled
    );
    by_connection && status.get_error_details().error_info().is_none()
}

fn refusal_of(peer: &str, status: &Status) -> Refusal {
    if is_broken(status) {
        let (code, message) = (status.code(), status.message());
        return UNAVAILABLE.with_note(format_args!("{peer}: {code:?}: {message}"));
    }
    let refusal = Refusal::from_status(status);
    match refusal.kind {
        // Our token, not the caller's.
        RefusalKind::Unauthenticated => INTERNAL.with_note(format_args!(
            "{peer} does not accept our token; is our key in its JWKS? ({})",
            refusal.code
        )),
        RefusalKind::Unavailable => {
            let note = format!("{peer}: {}", refusal.note.reveal());
            refusal.with_note(note)
        }
        _ => refusal,
    }
}

fn count(peer: &str, outcome: &'static str) {
    metrics::counter!("zhengming_peer_calls_total", "peer" => peer.to_owned(), "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests;

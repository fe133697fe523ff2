//! The layer that every call goes through: token → actor, `traceparent` → span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use jiff::Timestamp;
use office::Actor;
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::public_actor;
use crate::keyring::Keyring;
use crate::refusal::{Refusal, TOKEN_INVALID};
use crate::telemetry;
use crate::token::Audience;

/// The answer's metadata that names the trace, so that a caller can say where to look in the log.
pub const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");

/// Lets a call in, as whom its token says.
#[derive(Clone, Debug)]
pub struct Admission {
    keys: Keyring,
    now: fn() -> Timestamp,
}

impl Admission {
    /// Checks tokens against these keys; `now` is real time.
    pub fn new(keys: Keyring, now: fn() -> Timestamp) -> Self {
        Self { keys, now }
    }

    async fn admit(&self, headers: &HeaderMap) -> Result<Actor, Refusal> {
        let mut headers = headers.get_all(AUTHORIZATION).iter();
        let Some(header) = headers.next() else {
            return Ok(public_actor());
        };
        if headers.next().is_some() {
            return Err(TOKEN_INVALID.with_note("more than one authorization"));
        }
        let token = header.to_str().ok().and_then(bearer);
        let token = token.ok_or_else(|| {
            TOKEN_INVALID.with_note("the authorization is not of the form `Bearer <token>`")
        })?;
        self.keys.verify(token, Audience::Call, (self.now)()).await
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S> Layer<S> for Admission {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Admitted {
            admission: self.clone(),
            inner,
        }
    }
}

/// A service behind [`Admission`].
#[derive(Clone, Debug)]
pub struct Admitted<S> {
    admission: Admission,
    inner: S,
}

type Answering<R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send>>;

impl<S, B, R> Service<Request<B>> for Admitted<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: Default + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Answering<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let traceparent = request
            .headers()
            .get(telemetry::TRACEPARENT)
            .and_then(|header| header.to_str().ok());
        let span = telemetry::continue_from(request.uri().path(), traceparent);
        let trace_id = telemetry::trace_id(&span).and_then(|id| HeaderValue::from_str(&id).ok());
        let admission = self.admission.clone();
        // The one that said that it is ready goes with the call.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let answering = async move {
            let mut response = match admission.admit(request.headers()).await {
                Ok(actor) => {
                    request.extensions_mut().insert(actor);
                    inner.call(request).await?
                }
                Err(refusal) => refusal.status().into_http(),
            };
            if let Some(id) = trace_id {
                response.headers_mut().insert(TRACE_ID, id);
            }
            Ok(response)
        };
        Box::pin(answering.instrument(span))
    }
}

#[cfg(test)]
mod tests;

//! A message in the queue of commands: what its properties and headers say, and how one that says nothing readable is
//! kept.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use lapin::types::{AMQPValue, ShortString};
use serde_json::{Map, Value};
use sqlx::PgPool;

use crate::broker::Incoming;
use crate::refusal::{Refusal, Violation};
use crate::telemetry;

/// The header with the sender's token. It is never stored.
const AUTHORIZATION: &str = "authorization";
/// Where `held` says that messages of this queue come from.
pub(super) const SOURCE: &str = "commands";

/// What a message says beside its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The method, from the property `type`.
    pub(super) method: Option<String>,
    /// The sender's token.
    pub(super) token: Option<String>,
    pub(super) traceparent: Option<String>,
    /// Where the answer goes.
    pub(super) reply_to: Option<String>,
    /// What the sender knows the answer by.
    pub(super) correlation_id: Option<ShortString>,
}

/// Why a message is kept for an operator instead of being carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the message names no method; set its property `type`")]
    NoMethod,
    #[error("this service has no method of the name that the message's property `type` gives")]
    UnknownMethod,
    #[error("the body is no JSON")]
    NoJson,
    #[error("the request breaks a rule, and the message says nowhere to answer that to")]
    Request,
    #[error(
        "a fault of ours met the command, and the message says nowhere to answer that to; it is in the log"
    )]
    Fault,
}

impl Unreadable {
    /// The refusal that says so.
    pub(super) fn refusal(self) -> Refusal {
        let field = match self {
            Self::NoMethod | Self::UnknownMethod => "type",
            Self::NoJson | Self::Request | Self::Fault => "",
        };
        Refusal::invalid(vec![Violation {
            field: field.to_owned(),
            description: self.to_string(),
        }])
    }
}

impl Told {
    pub(super) fn of(incoming: &Incoming) -> Self {
        let properties = &incoming.properties;
        let header = |name: &str| incoming.headers.inner().get(name).and_then(text);
        let property = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
        Self {
            method: property(properties.kind()),
            token: header(AUTHORIZATION)
                .as_deref()
                .and_then(bearer)
                .map(str::to_owned),
            traceparent: header(telemetry::TRACEPARENT),
            reply_to: property(properties.reply_to()).filter(|reply_to| !reply_to.is_empty()),
            correlation_id: properties.correlation_id().clone(),
        }
    }

    /// The method, if it is one of these: what may stand in a span or a metric.
    pub(super) fn known_method<T>(
        &self,
        methods: &BTreeMap<&'static str, T>,
    ) -> Option<&'static str> {
        let (name, _) = methods.get_key_value(self.method.as_deref()?)?;
        Some(name)
    }

    /// What is stored of the properties: everything but the token.
    fn stored(&self, incoming: &Incoming) -> Value {
        let mut stored = Map::new();
        let message_id = incoming.properties.message_id().as_ref();
        for (name, value) in [
            ("message_id", message_id.map(ToString::to_string)),
            ("reply_to", self.reply_to.clone()),
            (
                "correlation_id",
                self.correlation_id.as_ref().map(ToString::to_string),
            ),
            (telemetry::TRACEPARENT, self.traceparent.clone()),
        ] {
            if let Some(value) = value {
                stored.insert(name.to_owned(), Value::String(value));
            }
        }
        Value::Object(stored)
    }
}

/// The last second in which a token was valid, as it says itself. Means nothing before the token was verified.
pub(super) fn last_moment(token: &str) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Expiry {
        exp: i64,
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let Expiry { exp } = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(exp.checked_sub(1)?).ok()
}

/// Keeps a message with its bytes for an operator; once, however often it is delivered.
pub(super) async fn keep(
    pool: &PgPool,
    fault: &Unreadable,
    told: &Told,
    incoming: &Incoming,
) -> sqlx::Result<()> {
    // PostgreSQL takes no zero byte in a text; such a name of a method is one of nobody's anyway.
    let method = told.method.as_ref().map(|method| method.replace('\0', ""));
    sqlx::query!(
        "insert into held (source, type, headers, body, status, reason)
         select $1, $2, $3, $4, 'unreadable', $5
          where not exists (
                select from held
                 where source = $1 and status = 'unreadable' and type is not distinct from $2
                   and headers = $3 and body = $4)",
        SOURCE,
        method,
        told.stored(incoming),
        &incoming.body[..],
        fault.to_string()
    )
    .execute(pool)
    .await?;
    Ok(())
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_moment_of_a_token_is_the_second_before_it_expires() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"a","exp":1000}"#);
        let token = format!("e30.{claims}.c2ln");
        assert_eq!(
            last_moment(&token),
            Some(Timestamp::from_second(999).expect("a timestamp"))
        );
        for broken in ["", "e30", "e30.!.", "e30.e30.", "a.b.c"] {
            assert_eq!(last_moment(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_authorization_of_another_scheme_is_no_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }

    #[test]
    fn what_is_unreadable_is_answered_as_invalid() {
        let refusal = Unreadable::UnknownMethod.refusal();
        assert_eq!(refusal.kind, crate::refusal::RefusalKind::InvalidArgument);
        assert_eq!(refusal.violations[0].field, "type");
    }
}

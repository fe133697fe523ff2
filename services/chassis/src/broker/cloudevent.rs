//! An event on the wire: CloudEvents 1.0, AMQP binding, binary mode. The body is the event's JSON, everything else
//! stands in the headers.
//!
//! To add an attribute: a field of [`EventMessage`], a line in `headers`, a line in `decode`. Unknown headers are
//! skipped, so a new attribute breaks no older reader; it must be optional for a newer one to read older events.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use proto::topology::{EVENTS, event_key};
use uuid::Uuid;

use super::{Incoming, Outgoing};

/// The version of CloudEvents.
const VERSION: &str = "1.0";

/// The prefix of attributes among the headers. The binding knows `cloudEvents:` too, and asks receivers to take both.
const PREFIX: &str = "cloudEvents_";
const OTHER_PREFIX: &str = "cloudEvents:";

/// What every body of ours is.
const JSON: &str = "application/json";

/// A public event, as it leaves one service and reaches another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// The event's id in its service's journal.
    pub id: Uuid,
    /// The service that says so.
    pub source: String,
    /// The event's type.
    pub type_: String,
    /// The aggregate that it is about.
    pub stream: Uuid,
    /// Its place among the public events of the stream, counted from 1.
    pub sequence: i64,
    /// Which history of the source's database it belongs to.
    pub epoch: String,
    /// The matter that it belongs to.
    pub matter: Option<Uuid>,
    /// The event or request that caused it.
    pub cause: Option<Uuid>,
    /// On whose behalf: the actor, as the chassis writes one.
    pub actor: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// Its JSON.
    pub body: Vec<u8>,
}

/// Why a message is not an event that we can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event attribute {attribute}: {reason}")]
pub struct EventFault {
    /// The CloudEvents attribute at fault.
    pub attribute: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl EventMessage {
    /// The message to publish. `mandatory` unless nobody follows the source.
    pub fn into_outgoing(self, mandatory: bool) -> Outgoing {
        let properties = self.properties();
        let routing_key = event_key(&self.source, &self.type_);
        Outgoing {
            id: self.id,
            exchange: EVENTS,
            routing_key,
            mandatory,
            properties,
            body: self.body,
        }
    }

    /// Headers and content type.
    pub fn properties(&self) -> BasicProperties {
        BasicProperties::default()
            .with_content_type(JSON.into())
            .with_headers(self.headers())
    }

    fn headers(&self) -> FieldTable {
        let mut headers = FieldTable::default();
        let mut say = |name: &str, value: String| {
            headers.insert(
                ShortString::from(format!("{PREFIX}{name}")),
                AMQPValue::LongString(value.into()),
            );
        };
        say("specversion", VERSION.to_owned());
        say("id", self.id.to_string());
        say("source", self.source.clone());
        say("type", self.type_.clone());
        say("time", self.at.to_string());
        say("stream", self.stream.to_string());
        // A string: CloudEvents' integers have 32 bits.
        say("sequence", self.sequence.to_string());
        say("epoch", self.epoch.clone());
        let optional = [
            ("matter", self.matter.map(|id| id.to_string())),
            ("cause", self.cause.map(|id| id.to_string())),
            ("onbehalfof", self.actor.clone()),
            ("traceparent", self.traceparent.clone()),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                say(name, value);
            }
        }
        headers
    }

    /// Reads an event from a message that was taken.
    pub fn from_incoming(incoming: &Incoming) -> Result<Self, EventFault> {
        Self::decode(&incoming.properties, incoming.body.clone())
    }

    /// Reads an event from a message's properties and body.
    pub fn decode(properties: &BasicProperties, body: Vec<u8>) -> Result<Self, EventFault> {
        let attributes = Attributes(properties.headers().as_ref());
        let version: String = attributes.required("specversion")?;
        if version != VERSION {
            return Err(EventFault {
                attribute: "specversion",
                reason: format!("{version} is not {VERSION}"),
            });
        }
        match properties.content_type().as_ref().map(ShortString::as_str) {
            None | Some(JSON) => {}
            Some(other) => {
                return Err(EventFault {
                    attribute: "datacontenttype",
                    reason: format!("{other} is not {JSON}"),
                });
            }
        }
        let sequence = attributes.required("sequence")?;
        if sequence < 1 {
            return Err(EventFault {
                attribute: "sequence",
                reason: format!("{sequence} is below 1"),
            });
        }
        Ok(Self {
            id: attributes.required("id")?,
            source: attributes.required("source")?,
            type_: attributes.required("type")?,
            stream: attributes.required("stream")?,
            sequence,
            epoch: attributes.required("epoch")?,
            matter: attributes.optional("matter")?,
            cause: attributes.optional("cause")?,
            actor: attributes.optional("onbehalfof")?,
            traceparent: attributes.optional("traceparent")?,
            at: attributes.required("time")?,
            body,
        })
    }
}

struct Attributes<'a>(Option<&'a FieldTable>);

impl Attributes<'_> {
    fn required<T: FromStr<Err: Display>>(&self, attribute: &'static str) -> Result<T, EventFault> {
        self.optional(attribute)?.ok_or_else(|| EventFault {
            attribute,
            reason: "missing".to_owned(),
        })
    }

    fn optional<T: FromStr<Err: Display>>(
        &self,
        attribute: &'static str,
    ) -> Result<Option<T>, EventFault> {
        let Some(value) = self.value(attribute) else {
            return Ok(None);
        };
        let fault = |reason: String| EventFault { attribute, reason };
        let text = match value {
            AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes())
                .map_err(|error| fault(error.to_string()))?
                .to_owned(),
            AMQPValue::LongLongInt(number) => number.to_string(),
            AMQPValue::LongInt(number) => number.to_string(),
            other => {
                return Err(fault(format!(
                    "a {} is not understood here",
                    other.get_type()
                )));
            }
        };
        text.parse()
            .map(Some)
            .map_err(|error: T::Err| fault(error.to_string()))
    }

    fn value(&self, attribute: &str) -> Option<&AMQPValue> {
        let table = self.0?.inner();
        [PREFIX, OTHER_PREFIX]
            .iter()
            .find_map(|prefix| table.get(format!("{prefix}{attribute}").as_str()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn uuids() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    prop_compose! {
        fn events()(
            id in uuids(),
            source in "[a-z-]{1,20}",
            type_ in "[A-Za-z0-9.]{1,60}",
            stream in uuids(),
            sequence in 1..=i64::MAX,
            epoch in "[0-9a-f.]{1,80}",
            matter in option::of(uuids()),
            cause in option::of(uuids()),
            actor in option::of(any::<String>()),
            traceparent in option::of("[0-9a-f-]{55}"),
            micros in -60_000_000_000_000_000..=250_000_000_000_000_000_i64,
            body in any::<Vec<u8>>(),
        ) -> EventMessage {
            let at = Timestamp::from_microsecond(micros).expect("within range");
            EventMessage { id, source, type_, stream, sequence, epoch, matter, cause, actor, traceparent, at, body }
        }
    }

    proptest! {
        #[test]
        fn an_event_arrives_as_it_left(event in events()) {
            let decoded = EventMessage::decode(&event.properties(), event.body.clone());
            prop_assert_eq!(decoded, Ok(event));
        }

        #[test]
        fn the_other_prefix_and_unknown_headers_are_understood(event in events()) {
            let mut headers = FieldTable::default();
            for (name, value) in &event.headers() {
                headers.insert(name.as_str().replace(PREFIX, OTHER_PREFIX).into(), value.clone());
            }
            headers.insert("x-death".into(), AMQPValue::FieldTable(FieldTable::default()));
            let properties = BasicProperties::default().with_headers(headers);
            prop_assert_eq!(EventMessage::decode(&properties, event.body.clone()), Ok(event));
        }

        #[test]
        fn a_missing_or_spoilt_attribute_is_named(event in events(), spoil in any::<bool>()) {
            for attribute in ["specversion", "id", "source", "type", "time", "stream", "sequence", "epoch"] {
                let name = format!("{PREFIX}{attribute}");
                let mut headers = event.headers().inner().clone();
                if spoil {
                    headers.insert(name.as_str().into(), AMQPValue::Boolean(true));
                } else {
                    headers.remove(name.as_str());
                }
                let properties = BasicProperties::default().with_headers(headers.into());
                let fault = EventMessage::decode(&properties, Vec::new()).expect_err("a fault");
                prop_assert_eq!(fault.attribute, attribute);
            }
        }
    }

    #[test]
    fn a_sequence_counts_from_one() {
        let properties = |sequence: &str| {
            let mut headers = FieldTable::default();
            for (name, value) in [("specversion", VERSION), ("sequence", sequence)] {
                headers.insert(
                    format!("{PREFIX}{name}").into(),
                    AMQPValue::LongString(value.into()),
                );
            }
            BasicProperties::default().with_headers(headers)
        };
        for wrong in ["0", "-4", "one", "9223372036854775808"] {
            let fault = EventMessage::decode(&properties(wrong), Vec::new()).expect_err("a fault");
            assert_eq!(fault.attribute, "sequence", "{wrong}");
        }
    }

    #[test]
    fn an_event_goes_out_under_its_sources_name() {
        let event = EventMessage {
            id: Uuid::from_u128(1),
            source: "intake".into(),
            type_: "zhengming.intake.v1.ReportAccepted".into(),
            stream: Uuid::from_u128(2),
            sequence: 1,
            epoch: "7".into(),
            matter: None,
            cause: None,
            actor: None,
            traceparent: None,
            at: Timestamp::UNIX_EPOCH,
            body: b"{}".to_vec(),
        };
        let outgoing = event.into_outgoing(true);
        assert_eq!(outgoing.routing_key, "intake.ReportAccepted");
        assert!(outgoing.mandatory);
    }
}

//! From a request of the contract to a command, and from what was written back to the response.
//!
//! gRPC and queue use the same: a service implements [`Request`] for each message of its contract that changes
//! something. [`Reading`] collects every violation with its path, so that a caller learns all of them at once.

use std::sync::Arc;

use jiff::civil::Date;
use office::{Actor, ActorId, Profile, TextId, UnitCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::aggregate::{Aggregate, created_id, text_id};
use crate::refusal::Violation;
use crate::secrets::Secrets;
use crate::time;

/// A message that asks for a change. `S` is the service's marker type.
pub trait Request<S>: Clone + DeserializeOwned + Send + Sync + 'static {
    /// The method's name in the contract and in the policy's table.
    const METHOD: &'static str;
    /// What it changes.
    type Aggregate: Aggregate;
    /// The response.
    type Response: Serialize + Send + 'static;

    /// The request id as sent.
    fn request_id(&self) -> &str;

    /// Reads the request. First of all it says which aggregate it is about, with [`Reading::about`] or
    /// [`Reading::creates`]; a field that breaks a rule is noted in `reading` and replaced by any value.
    fn read(self, reading: &mut Reading<'_>) -> <Self::Aggregate as Aggregate>::Command;

    /// The response, from what the command wrote; must be the same whenever it is made again.
    fn answer(answered: &Answered<'_, Self::Aggregate>) -> Self::Response;

    /// What is still to be done before a repeat of a request that was carried out is answered; a request tells that it
    /// is one where what was written does not fit this call's draw. What follows is a command of its own, never a second
    /// effect of this one; its events come behind those of the request. Where only the record is looked up, because the
    /// sender's token has expired, nothing follows.
    fn on_repeat(
        _answered: &Answered<'_, Self::Aggregate>,
        _draw: &Draw,
    ) -> Option<FollowUp<Self::Aggregate>> {
        None
    }

    /// Adds to the response what nobody may read from the journal and is therefore not the same again: a secret that was
    /// made of this call's draw, where what was written says that it is the valid one.
    fn confide(
        _response: &mut Self::Response,
        _answered: &Answered<'_, Self::Aggregate>,
        _draw: &Draw,
    ) {
    }
}

/// A command of the service's own after a request, to the same aggregate.
pub struct FollowUp<A: Aggregate> {
    /// Its method, one of the blueprint's internal ones.
    pub method: &'static str,
    /// The command.
    pub command: A::Command,
}

/// Thirty-two random bytes, drawn anew for every call. What a secret is made of goes with the command, in a field that is
/// not serialised, so that neither journal nor request hash holds it. Its `Debug` tells nothing.
#[derive(Clone)]
pub struct Draw([u8; 32]);

impl Draw {
    /// A draw of these bytes, for tests.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Draw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draw(…)")
    }
}

/// What a command wrote, or the state on which it was found to be already so.
///
/// An answer rests on the events, for a repeat finds the same ones. Where there are none, the state tells what was so
/// already, and the command which part of it was meant.
pub struct Answered<'a, A: Aggregate> {
    /// The aggregate's id.
    pub id: Uuid,
    /// Its version after the command.
    pub version: i64,
    /// The command; a repeat of a request has the same one.
    pub command: Arc<A::Command>,
    /// The events of this command and of what followed on its repeat; none if it was already so.
    pub events: Vec<A::Event>,
    /// Where it was already so: the state of that version. A repeat that is decided anew finds a newer one.
    pub already_so: Option<A::State>,
    /// The command's request id.
    pub request_id: Uuid,
    /// The service's keys.
    pub secrets: &'a Secrets,
}

/// A text on its way in.
#[derive(Clone, Debug, PartialEq)]
pub struct NewText {
    /// Its id: follows from aggregate, method, request id and path.
    pub id: TextId,
    /// The text, UTF-8.
    pub bytes: Vec<u8>,
}

/// The reading of one request: checks fields, collects violations and texts.
pub struct Reading<'a> {
    actor: &'a Actor,
    profile: &'a Profile,
    method: &'static str,
    request_id: Uuid,
    target: Uuid,
    draw: Draw,
    texts: Vec<NewText>,
    violations: Vec<Violation>,
}

/// The longest text that a request may bring, in bytes.
pub const LONGEST_TEXT: usize = 1 << 20;

impl<'a> Reading<'a> {
    /// Begins to read a request of this method.
    pub fn new(
        actor: &'a Actor,
        profile: &'a Profile,
        method: &'static str,
        request_id: &str,
    ) -> Self {
        let mut reading = Self {
            actor,
            profile,
            method,
            request_id: Uuid::nil(),
            target: Uuid::nil(),
            draw: Draw(time::random_bytes()),
            texts: Vec::new(),
            violations: Vec::new(),
        };
        reading.request_id = reading.uuid("request_id", request_id);
        reading
    }

    /// Who asks.
    pub fn actor(&self) -> &Actor {
        self.actor
    }

    /// The policy in force.
    pub fn profile(&self) -> &Profile {
        self.profile
    }

    /// The request's id.
    pub fn request_id(&self) -> Uuid {
        self.request_id
    }

    /// What was drawn for this call; another one whenever the request is repeated.
    pub fn draw(&self) -> &Draw {
        &self.draw
    }

    /// The request is about this aggregate.
    pub fn about<I: From<Uuid>>(&mut self, field: &str, value: &str) -> I {
        self.target = self.uuid(field, value);
        self.target.into()
    }

    /// The request is about an aggregate whose id follows from something else.
    pub fn about_natural(&mut self, id: impl Into<Uuid>) {
        self.target = id.into();
    }

    /// The request creates an aggregate of this kind; its id follows from actor, method and request id.
    pub fn creates(&mut self, kind: &str) -> Uuid {
        self.target = created_id(kind, self.actor, self.method, self.request_id, 0);
        self.target
    }

    /// Notes a violation.
    pub fn violation(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.violations.push(Violation {
            field: field.into(),
            description: description.into(),
        });
    }

    /// A UUID.
    pub fn uuid(&mut self, field: &str, value: &str) -> Uuid {
        Uuid::parse_str(value).unwrap_or_else(|_| {
            self.violation(field, "must be a UUID");
            Uuid::nil()
        })
    }

    /// An id of its own type.
    pub fn id<I: From<Uuid>>(&mut self, field: &str, value: &str) -> I {
        self.uuid(field, value).into()
    }

    /// A code in lower snake case, 1 to 64 characters.
    pub fn code(&mut self, field: &str, value: &str) -> String {
        let fits = (1..=64).contains(&value.len())
            && value.starts_with(|first: char| first.is_ascii_lowercase())
            && value
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits {
            self.violation(
                field,
                "must be a code in lower snake case, 1 to 64 characters",
            );
        }
        value.to_owned()
    }

    /// A name from outside, such as a register's or a reference there; at most 128 visible ASCII characters, or empty.
    pub fn label(&mut self, field: &str, value: &str) -> String {
        if value.len() > 128 || !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            self.violation(field, "must be at most 128 visible ASCII characters");
        }
        value.to_owned()
    }

    /// An ISO date; `None` if empty.
    pub fn date(&mut self, field: &str, value: &str) -> Option<Date> {
        if value.is_empty() {
            return None;
        }
        value
            .parse()
            .map_err(|_| self.violation(field, "must be an ISO date such as 2026-03-09"))
            .ok()
    }

    /// The code of a unit of the profile's hierarchy.
    pub fn unit(&mut self, field: &str, value: &str) -> UnitCode {
        let code: Result<UnitCode, _> = value.parse();
        match code {
            Ok(code) if self.profile.units.get(&code).is_some() => code,
            _ => {
                self.violation(field, "must be the code of a unit of the hierarchy");
                UnitCode::none()
            }
        }
    }

    /// The code of a unit; `None` if empty.
    pub fn optional_unit(&mut self, field: &str, value: &str) -> Option<UnitCode> {
        (!value.is_empty()).then(|| self.unit(field, value))
    }

    /// An actor id; `None` if empty.
    pub fn optional_actor(&mut self, field: &str, value: &str) -> Option<ActorId> {
        if value.is_empty() {
            return None;
        }
        value
            .parse()
            .map_err(|_| self.violation(field, "must be an actor id"))
            .ok()
    }

    /// A text that must not be empty; it is kept apart, the command holds its id.
    pub fn text(&mut self, field: &str, value: &str) -> TextId {
        if value.trim().is_empty() {
            self.violation(field, "must not be empty");
        } else if value.len() > LONGEST_TEXT {
            self.violation(field, "must be at most 1 MiB");
        }
        let id = text_id(self.target, self.method, self.request_id, field);
        self.texts.push(NewText {
            id,
            bytes: value.as_bytes().to_vec(),
        });
        id
    }

    /// A text; `None` if empty.
    pub fn optional_text(&mut self, field: &str, value: &str) -> Option<TextId> {
        (!value.is_empty()).then(|| self.text(field, value))
    }

    /// A value of a protobuf enum that must be given: `known` maps it, `None` for unspecified or unknown ones.
    pub fn choice<T: Default>(&mut self, field: &str, known: Option<T>) -> T {
        known.unwrap_or_else(|| {
            self.violation(field, "must be one of the enum's values");
            T::default()
        })
    }

    /// What was read: the aggregate's id, the request id and the texts.
    ///
    /// # Errors
    /// All violations.
    pub fn finish(self) -> Result<(Uuid, Uuid, Vec<NewText>), Vec<Violation>> {
        if self.violations.is_empty() {
            Ok((self.target, self.request_id, self.texts))
        } else {
            Err(self.violations)
        }
    }
}

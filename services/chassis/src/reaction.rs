//! What a service does with other services' public events.
//!
//! A reaction is pure: from a foreign event to commands of one's own. It ends in commands (also none), or in
//! [`NotYet`]. Every event of a followed source is listed, with a reaction or with the reason why it is ignored;
//! the service does not start otherwise.

use std::any::Any;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::recusal::Recusal;

/// A public event of another service.
pub struct Foreign<'a> {
    /// The service it comes from.
    pub source: &'a str,
    /// Its message's name, such as `MatterOpened`.
    pub name: &'a str,
    /// Its id.
    pub event_id: Uuid,
    /// Its stream: the id of the aggregate it happened to.
    pub stream: Uuid,
    /// Its number in the stream, from 1.
    pub sequence: i64,
    /// Its message as JSON.
    pub body: &'a [u8],
}

impl Foreign<'_> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`NotYet`] where this binary does not know a value in it: a newer one will.
    pub fn read<M: DeserializeOwned>(&self) -> Result<M, NotYet> {
        serde_json::from_slice(self.body).map_err(|error| {
            NotYet(format!(
                "the message does not read here ({:?} at column {})",
                error.classify(),
                error.column()
            ))
        })
    }
}

/// What the event needs is not here yet; it is parked and tried again. Holds no content of the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet(pub String);

/// A field holds what this binary does not know: it is not guessed, the event waits for a newer one.
pub fn unknown(field: impl Display) -> NotYet {
    NotYet(format!("{field} does not read here"))
}

/// Reads a field: an id, a code, a date.
///
/// # Errors
/// [`unknown`] where it is none.
pub fn known<T: FromStr>(field: &str, value: &str) -> Result<T, NotYet> {
    value.parse().map_err(|_| unknown(field))
}

/// Reads a field that may be empty.
///
/// # Errors
/// [`unknown`] where it is neither empty nor right.
pub fn known_if_given<T: FromStr>(field: &str, value: &str) -> Result<Option<T>, NotYet> {
    if value.is_empty() {
        return Ok(None);
    }
    known(field, value).map(Some)
}

/// Reads a list.
///
/// # Errors
/// That of the first item which does not read.
pub fn all<M, T>(told: &[M], read: fn(&M) -> Result<T, NotYet>) -> Result<Vec<T>, NotYet> {
    told.iter().map(read).collect()
}

/// Reads who is recused: the ids of actors, and the marks of reporters.
///
/// # Errors
/// [`unknown`] where one does not read: it would recuse nobody.
pub fn known_recusal(actor_ids: &[String], reporter_marks: &[String]) -> Result<Recusal, NotYet> {
    let actors = actor_ids.iter().map(|id| known("actor_ids", id));
    let reporters = reporter_marks
        .iter()
        .map(|mark| known("reporter_marks", mark));
    Ok(Recusal {
        actors: actors.collect::<Result<_, _>>()?,
        reporters: reporters.collect::<Result<_, _>>()?,
    })
}

/// A command of one's own that follows from a foreign event.
#[derive(Clone)]
pub struct Directive {
    pub(crate) kind: &'static str,
    pub(crate) aggregate: Uuid,
    pub(crate) method: &'static str,
    pub(crate) command: Arc<dyn Any + Send + Sync>,
}

impl Directive {
    /// A command to an aggregate.
    pub fn to<A: Aggregate>(
        id: impl Into<Uuid>,
        method: &'static str,
        command: A::Command,
    ) -> Self {
        Self {
            kind: A::KIND,
            aggregate: id.into(),
            method,
            command: Arc::new(command),
        }
    }
}

/// The reaction to one event of a followed source.
pub type React = fn(&Foreign<'_>) -> Result<Vec<Directive>, NotYet>;

/// A line of the list of what a service follows.
#[derive(Clone, Copy)]
pub struct Follows {
    pub(crate) name: &'static str,
    pub(crate) react: Option<React>,
}

/// Reacts to an event.
pub const fn on(name: &'static str, react: React) -> Follows {
    Follows {
        name,
        react: Some(react),
    }
}

/// Leaves an event alone, for a reason that is written here.
pub const fn ignore(name: &'static str, _reason: &'static str) -> Follows {
    Follows { name, react: None }
}

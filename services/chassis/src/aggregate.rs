//! What a service writes for the engine: aggregates, their vocabulary, and what follows from an event.
//!
//! An [`Aggregate`] is pure. Time, randomness, policy and whatever must be asked before a decision reach `decide`
//! through its [`Context`]; `evolve` uses nothing but the event. To add one: write its state, commands and events,
//! declare the events with [`events!`](crate::events), implement [`Aggregate`], and list it in the service's blueprint.
//!
//! The trap: whatever `evolve` does is run again on every event that was ever stored. Raise
//! [`Aggregate::FORMAT`] with every change of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use office::{Actor, Profile, TextId, UnitCode, natural_id};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::{OUT_OF_SCOPE, Refusal};
use crate::secrets::Secrets;

/// A thing with a history of its own: the unit of decision, locking and order.
pub trait Aggregate: Send + Sync + 'static {
    /// Its kind as stored in the journal, such as `case`. Never changes.
    const KIND: &'static str;
    /// Raised with every change of [`evolve`](Self::evolve); a state of another number is folded again from the journal.
    const FORMAT: u32;
    /// What its events add up to.
    type State: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What can be asked of it.
    type Command: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What can happen to it.
    type Event: Vocabulary;
    /// What must be asked from outside before a decision; gathered by the service's `facts.rs`.
    type Facts: Clone + Default + Send + Sync + 'static;

    /// The texts that were made while the facts were gathered, such as a document that was set: the desk keeps them with
    /// those that came with the command, in its transaction, where it leads to events. Nothing of them enters the
    /// request's hash; a repeat finds what was kept first.
    fn made(_facts: &Self::Facts) -> Vec<Made> {
        Vec::new()
    }

    /// Decides a command on a state: events, none when it is already so, or a reason why not.
    ///
    /// # Errors
    /// A [`Rejection`]: a refusal for the caller, or the word that a fact is stale and must be gathered again.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        context: &Context<Self::Facts>,
    ) -> Decision<Self::Event>;

    /// Lets an event happen to a state. Never fails, never looks at a clock or a policy.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// Whether this actor may touch or see this state at all; asked before `decide` (see [`admit_to`](Self::admit_to))
    /// and before every Get.
    ///
    /// # Errors
    /// The refusal to give.
    fn admit(state: &Self::State, visitor: &Visitor<'_>) -> Result<(), Refusal>;

    /// Whether this actor may ask this of this state; asked in place of [`admit`](Self::admit) before `decide`. Another
    /// answer fits only a command that rests on something of its own, which its facts hold: whoever may not see what
    /// others did here may still add what is theirs. Its decision then looks at the actor itself.
    ///
    /// # Errors
    /// The refusal to give.
    fn admit_to(
        state: &Self::State,
        _command: &Self::Command,
        visitor: &Visitor<'_>,
    ) -> Result<(), Refusal> {
        Self::admit(state, visitor)
    }

    /// The matter that it belongs to, for correlation.
    fn matter(id: Uuid, state: &Self::State) -> Option<Uuid>;

    /// The public event that tells other services of this one, if any. One way, pure.
    fn announce(_id: Uuid, _event: &Self::Event) -> Option<Announcement> {
        None
    }

    /// What follows from an event inside this service: commands to other aggregates, clocks to set or stop.
    fn effects(_id: Uuid, _event: &Self::Event, _effects: &mut Effects) {}
}

/// The outcome of `decide`; an empty list means that it is already so.
pub type Decision<E> = Result<Vec<E>, Rejection>;

/// Why `decide` gave no events.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The caller gets this answer.
    Refused(Box<Refusal>),
    /// A fact is too old or about another state: gather facts again. Never an answer.
    Stale,
    /// What it needs comes from another stream that is not here yet; a follower parks the event and tries again.
    NotYet(&'static str),
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Who comes to the counter, and by which policy they are looked at.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    /// The actor.
    pub actor: &'a Actor,
    /// The policy profile in force.
    pub profile: &'a Profile,
    /// The service's keys, to compare a sealed mark with an actor.
    pub secrets: &'a Secrets,
}

impl Visitor<'_> {
    /// Admits actors of one of these units or of a unit above one.
    ///
    /// # Errors
    /// [`OUT_OF_SCOPE`] for everybody else.
    pub fn within<'u>(&self, units: impl IntoIterator<Item = &'u UnitCode>) -> Result<(), Refusal> {
        if self.actor.is_service()
            || units
                .into_iter()
                .any(|unit| self.profile.in_scope(self.actor, unit))
        {
            Ok(())
        } else {
            Err(OUT_OF_SCOPE)
        }
    }
}

/// What `decide` may know beside state and command.
#[derive(Clone)]
pub struct Context<F> {
    /// The aggregate's id.
    pub id: Uuid,
    /// Domain time, whole microseconds; never before the aggregate's last event.
    pub now: Timestamp,
    /// Who asks.
    pub actor: Actor,
    /// The policy profile in force at `now`.
    pub profile: Arc<Profile>,
    /// The command's method, such as `AcceptReport`.
    pub method: &'static str,
    /// The command's request id.
    pub request_id: Uuid,
    /// The texts that came with the command or were made for it, by id.
    pub texts: BTreeMap<TextId, TextRef>,
    /// The service's keys.
    pub secrets: Arc<Secrets>,
    /// What was gathered for this decision.
    pub facts: F,
}

impl<F> Context<F> {
    /// The reference of a text that came with this command.
    pub fn text(&self, id: TextId) -> TextRef {
        self.texts.get(&id).cloned().unwrap_or(TextRef {
            id,
            digest: Vec::new(),
        })
    }

    /// The reference of a text that was made while the facts were gathered, by its path.
    pub fn made(&self, path: &str) -> TextRef {
        self.text(text_id(self.id, self.method, self.request_id, path))
    }

    /// The id of the n-th thing of a kind that this command creates.
    pub fn created(&self, kind: &str, ordinal: u32) -> Uuid {
        created_id(kind, &self.actor, self.method, self.request_id, ordinal)
    }

    /// This context as a visitor.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor {
            actor: &self.actor,
            profile: &self.profile,
            secrets: &self.secrets,
        }
    }
}

/// UUIDv5(kind, actor id, method, request id, ordinal): what a command creates has the same id whenever it is repeated.
pub fn created_id(kind: &str, actor: &Actor, method: &str, request_id: Uuid, ordinal: u32) -> Uuid {
    natural_id(
        kind,
        &[
            actor.id.as_str().as_bytes(),
            method.as_bytes(),
            request_id.as_bytes(),
            &ordinal.to_be_bytes(),
        ],
    )
}

/// The id of a text that a command brings: it follows from aggregate, method, request id and the field's path.
pub fn text_id(aggregate: Uuid, method: &str, request_id: Uuid, path: &str) -> TextId {
    let of = [
        aggregate.as_bytes(),
        method.as_bytes(),
        request_id.as_bytes(),
        path.as_bytes(),
    ];
    natural_id("text", &of).into()
}

/// A text that was made while facts were gathered.
#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    /// By what it is known among those of its command, as a text of a request by its field.
    pub path: &'static str,
    /// The text; also a document's bytes.
    pub bytes: Arc<[u8]>,
}

/// A text by its id and salted digest; what journal, state, events and views hold in place of the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRef {
    /// The text's id.
    pub id: TextId,
    /// SHA-256 over salt and bytes.
    #[serde(with = "crate::hexadecimal")]
    pub digest: Vec<u8>,
}

/// The events of an aggregate as a stored contract; made by [`events!`](crate::events).
pub trait Vocabulary: Clone + PartialEq + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// Every type and version that this binary reads.
    const TYPES: &'static [(&'static str, u32)];

    /// The type and version under which this event is stored.
    fn name(&self) -> (&'static str, u32);

    /// The exact bytes to store.
    fn encode(&self) -> Vec<u8>;

    /// Reads what was stored; old versions are brought up to date here and nowhere else.
    ///
    /// # Errors
    /// [`UnknownEvent`] if this binary does not know the type or version, or the bytes do not fit.
    fn decode(name: &str, version: u32, data: &[u8]) -> Result<Self, UnknownEvent>;
}

/// An event that this binary does not know: a newer one wrote it. The aggregate is left alone until then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {name} version {version} is not known here: {reason}")]
pub struct UnknownEvent {
    /// Its stored type.
    pub name: String,
    /// Its stored version.
    pub version: u32,
    /// Why it could not be read, without its content.
    pub reason: String,
}

/// Declares an aggregate's events with the type and version under which each is stored.
///
/// ```ignore
/// chassis::events! {
///     /// What can happen to a case.
///     pub enum CaseEvent {
///         /// It was opened from a matter.
///         Opened(Opened) = "case_opened" 1,
///         /// Findings were approved.
///         Concluded(Concluded) = "case_concluded" 2 { 1 => upcast_concluded_1 },
///     }
/// }
/// ```
/// `1 => f` reads version 1 with `f: fn(&[u8]) -> Result<Concluded, String>`.
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$vmeta:meta])*
                $variant:ident($payload:ty) = $type:literal $version:literal
                    $({ $($old:literal => $upcast:path),+ $(,)? })?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis enum $name { $( $(#[$vmeta])* $variant($payload), )+ }

        impl $crate::aggregate::Vocabulary for $name {
            const TYPES: &'static [(&'static str, u32)] =
                &[$( ($type, $version), $($( ($type, $old), )+)? )+];

            fn name(&self) -> (&'static str, u32) {
                match self { $( Self::$variant(_) => ($type, $version), )+ }
            }

            fn encode(&self) -> Vec<u8> {
                match self { $( Self::$variant(payload) => $crate::aggregate::encode(payload), )+ }
            }

            fn decode(name: &str, version: u32, data: &[u8])
                -> Result<Self, $crate::aggregate::UnknownEvent>
            {
                let unreadable = |reason: String| $crate::aggregate::UnknownEvent {
                    name: name.to_owned(), version, reason,
                };
                match (name, version) {
                    $(
                        ($type, $version) => $crate::aggregate::decode(data)
                            .map(Self::$variant).map_err(unreadable),
                        $($( ($type, $old) => $upcast(data)
                            .map(Self::$variant).map_err(unreadable), )+)?
                    )+
                    _ => Err(unreadable("unknown type or version".to_owned())),
                }
            }
        }

        $( impl From<$payload> for $name {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        } )+
    };
}

/// The bytes of an event's payload, for [`events!`](crate::events).
pub fn encode(payload: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(payload)
        .expect("an event's payload has string keys and no failing serialiser")
}

/// Reads an event's payload, for [`events!`](crate::events).
///
/// # Errors
/// Where the bytes do not fit, without quoting them.
pub fn decode<T: DeserializeOwned>(data: &[u8]) -> Result<T, String> {
    serde_json::from_slice(data).map_err(|error| {
        format!(
            "{:?} at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        )
    })
}

/// A public event: its type and its protobuf message as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// The message's name, such as `MatterOpened`.
    pub name: &'static str,
    /// The message as JSON.
    pub body: Vec<u8>,
}

impl Announcement {
    /// Announces a message of the service's public contract.
    pub fn of(name: &'static str, message: &impl Serialize) -> Self {
        Self {
            name,
            body: serde_json::to_vec(message).expect("a protobuf message always has a JSON form"),
        }
    }
}

/// What follows from an event inside the same service.
#[derive(Default)]
pub struct Effects {
    pub(crate) consequences: Vec<Consequence>,
    pub(crate) clocks: Vec<ClockChange>,
    pub(crate) erased: Vec<TextId>,
}

pub(crate) struct Consequence {
    pub(crate) kind: &'static str,
    pub(crate) aggregate: Uuid,
    pub(crate) method: &'static str,
    pub(crate) command: Vec<u8>,
}

pub(crate) enum ClockChange {
    Set {
        clock: &'static str,
        round: u32,
        due: Timestamp,
        method: &'static str,
        command: Vec<u8>,
    },
    Stop {
        clock: &'static str,
    },
}

impl Effects {
    /// A command to another aggregate of this service, carried out right after the commit.
    pub fn then<A: Aggregate>(
        &mut self,
        id: impl Into<Uuid>,
        method: &'static str,
        command: &A::Command,
    ) {
        self.consequences.push(Consequence {
            kind: A::KIND,
            aggregate: id.into(),
            method,
            command: encode(command),
        });
    }

    /// A command to this aggregate at a time; it replaces an earlier one of the same clock.
    pub fn clock<A: Aggregate>(
        &mut self,
        clock: &'static str,
        due: Timestamp,
        method: &'static str,
        command: &A::Command,
    ) {
        self.clock_of_round::<A>(clock, 1, due, method, command);
    }

    /// The same of one of several rounds, each of which has a clock of its own beside the others.
    pub fn clock_of_round<A: Aggregate>(
        &mut self,
        clock: &'static str,
        round: u32,
        due: Timestamp,
        method: &'static str,
        command: &A::Command,
    ) {
        self.clocks.push(ClockChange::Set {
            clock,
            round,
            due,
            method,
            command: encode(command),
        });
    }

    /// Takes a clock down; of several rounds that of the first.
    pub fn stop_clock(&mut self, clock: &'static str) {
        self.clocks.push(ClockChange::Stop { clock });
    }

    /// A text of this aggregate loses its bytes and its salt in the same transaction. Its digest stays, which betrays
    /// nothing without the salt: the chain of hashes is whole, and the request that brought it is still known again.
    pub fn erase(&mut self, text: TextId) {
        self.erased.push(text);
    }
}

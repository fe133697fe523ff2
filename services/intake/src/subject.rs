//! The subject register: the persons and organisations that allegations can be about. Routing and recusal read it.
//!
//! A subject that comes from another register exists once: its id is made of that register's name and the reference
//! there. Its name lies in a text.
//! Source: `domain.md`, Intake, Subject register.

use std::collections::BTreeSet;

use chassis::aggregate::{Aggregate, Context, Decision, Effects, TextRef, Visitor};
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use office::{ActorId, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::erasure::{self, Erasure, TextErased};

/// Something else was registered under the same source and reference.
pub const ALREADY_REGISTERED: Refusal = Refusal::new(
    RefusalKind::AlreadyExists,
    "INTAKE_SUBJECT_ALREADY_REGISTERED",
    "Another subject is registered under this source and reference; check the reference.",
);

/// The subject register.
#[derive(Clone, Copy, Debug)]
pub struct Subject;

/// What a subject is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A human being.
    #[default]
    Person,
    /// A body.
    Organisation,
}

/// What a subject is before the law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Member of the party.
    PartyMember,
    /// Holds public office.
    PublicOfficial,
    /// Anybody else.
    #[default]
    Other,
}

/// What routing and recusal need to know of a subject; reports and matters keep it as it was when they needed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: SubjectId,
    /// Person or organisation.
    pub kind: Kind,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// The unit with authority over it.
    pub authority: UnitCode,
    /// The unit it heads, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<UnitCode>,
    /// What it is before the law.
    pub standing: Standing,
    /// Its actor id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<ActorId>,
}

/// What is known of a subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not registered.
    #[default]
    Unknown,
    /// On the register.
    Registered {
        /// As it was put there.
        registered: Box<Registered>,
        /// Its name, once that is gone.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        erased: BTreeSet<TextId>,
    },
}

impl State {
    /// The entry, once there is one.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Unknown => None,
            Self::Registered { registered, .. } => Some(&registered.entry),
        }
    }
}

/// It was put on the register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// What routing and recusal need.
    pub entry: Entry,
    /// Its name.
    pub name: TextRef,
    /// The register that it comes from, or empty.
    pub source: String,
    /// Its reference there, or empty.
    pub reference: String,
}

/// What can be asked of the register.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Put a subject on it.
    Register(Register),
    /// Erase its name.
    EraseText(Erasure),
}

/// A subject to be registered.
#[derive(Clone, Serialize, Deserialize)]
pub struct Register {
    /// Person or organisation.
    pub kind: Kind,
    /// Its name.
    pub name: TextId,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// The unit with authority over it; the superior of its own unit if not given.
    pub authority: Option<UnitCode>,
    /// The unit it heads, if any.
    pub heads: Option<UnitCode>,
    /// What it is before the law.
    pub standing: Standing,
    /// Its actor id, if it has one.
    pub actor_id: Option<ActorId>,
    /// The register that it comes from, or empty.
    pub source: String,
    /// Its reference there, or empty.
    pub reference: String,
}

chassis::events! {
    /// What can happen to a subject.
    pub enum Event {
        /// It was put on the register.
        Registered(Registered) = "subject_registered" 1,
        /// Its name is gone.
        TextErased(TextErased) = "subject_text_erased" 1,
    }
}

impl Aggregate for Subject {
    const KIND: &'static str = SubjectId::KIND;
    const FORMAT: u32 = 2;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, context: &Context<()>) -> Decision<Event> {
        match command {
            Command::Register(wanted) => register(state, wanted, context),
            Command::EraseText(wanted) => match state {
                State::Unknown => Err(NOT_FOUND.into()),
                State::Registered { registered, erased } => {
                    let erased = erasure::erase([&registered.name], erased, wanted)?;
                    Ok(erased.into_iter().map(Event::TextErased).collect())
                }
            },
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::Registered(registered) => {
                *state = State::Registered {
                    registered: Box::new(registered.clone()),
                    erased: BTreeSet::new(),
                };
            }
            Event::TextErased(gone) => {
                if let State::Registered { erased, .. } = state {
                    erased.insert(gone.text);
                }
            }
        }
    }

    /// Who is in the register may be somebody who was wrongly accused, so it is no open directory: it opens to the units
    /// above the subject, and to those below its authority, to which its matters may be handed down.
    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(entry) = state.entry() else {
            return Ok(());
        };
        let units = &visitor.profile.units;
        if units.is_at_or_above(&entry.authority, &visitor.actor.unit) {
            return Ok(());
        }
        visitor.within([&entry.unit, &entry.authority])
    }

    fn matter(_id: Uuid, _state: &State) -> Option<Uuid> {
        None
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        if let Event::TextErased(gone) = event {
            effects.erase(gone.text);
        }
    }
}

fn register(state: &State, wanted: &Register, context: &Context<()>) -> Decision<Event> {
    let authority = wanted.authority.clone().unwrap_or_else(|| {
        let superior = context.profile.units.parent_of(&wanted.unit);
        superior.map_or_else(|| wanted.unit.clone(), |unit| unit.code.clone())
    });
    let registered = Registered {
        entry: Entry {
            id: context.id.into(),
            kind: wanted.kind,
            unit: wanted.unit.clone(),
            authority,
            heads: wanted.heads.clone(),
            standing: wanted.standing,
            actor_id: wanted.actor_id.clone(),
        },
        name: context.text(wanted.name),
        source: wanted.source.clone(),
        reference: wanted.reference.clone(),
    };
    match state {
        State::Unknown => Ok(vec![registered.into()]),
        // Names are salted texts and cannot be compared; the name that came first stays.
        State::Registered {
            registered: known, ..
        } if (&known.entry, &known.source, &known.reference)
            == (&registered.entry, &registered.source, &registered.reference) =>
        {
            Ok(Vec::new())
        }
        State::Registered { .. } => Err(ALREADY_REGISTERED.into()),
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::given;

    use super::*;
    use crate::examples::{COUNTY, OTHER_TOWN, TOWN, officer, text, unit};

    fn somebody() -> Register {
        Register {
            kind: Kind::Person,
            name: text("name"),
            unit: unit(TOWN),
            authority: None,
            heads: None,
            standing: Standing::PublicOfficial,
            actor_id: None,
            source: "test".to_owned(),
            reference: "7".to_owned(),
        }
    }

    #[test]
    fn authority_is_with_the_superior_of_its_own_unit_unless_said_otherwise() {
        let (_, after) = given::<Subject>()
            .when(Command::Register(somebody()))
            .accepted();
        let entry = after.state().entry().expect("registered");
        assert_eq!(entry.authority, unit(COUNTY));

        let (_, after) = given::<Subject>()
            .when(Command::Register(Register {
                authority: Some(unit(TOWN)),
                ..somebody()
            }))
            .accepted();
        let entry = after.state().entry().expect("registered");
        assert_eq!(entry.authority, unit(TOWN));
    }

    #[test]
    fn a_subject_is_registered_once() {
        let (_, after) = given::<Subject>()
            .when(Command::Register(somebody()))
            .accepted();
        after
            .when(Command::Register(somebody()))
            .then_already()
            .when(Command::Register(Register {
                standing: Standing::Other,
                ..somebody()
            }))
            .then_refused(&ALREADY_REGISTERED);
    }

    #[test]
    fn a_name_can_be_erased_and_the_subject_stays() {
        let erase = |name: &str| {
            Command::EraseText(Erasure {
                text: text(name),
                reason: "court_order".to_owned(),
            })
        };
        let custodian = crate::examples::actor("custodian-1", COUNTY, office::Role::Custodian);
        let (_, after) = given::<Subject>()
            .text(text("name"))
            .when(Command::Register(somebody()))
            .accepted();
        let after = after.actor(custodian);
        after
            .clone()
            .when(erase("another"))
            .then_refused(&NOT_FOUND);
        let after = after
            .when(erase("name"))
            .then([TextErased {
                text: text("name"),
                reason: "court_order".to_owned(),
            }])
            .when(erase("name"))
            .then_already();
        assert!(after.state().entry().is_some());
    }

    #[test]
    fn the_register_is_no_open_directory() {
        let register = || Command::Register(somebody());
        let (_, after) = given::<Subject>().when(register()).accepted();
        after
            .clone()
            .actor(officer("above", COUNTY))
            .when(register())
            .then_already();
        after
            .clone()
            .actor(officer("below-the-authority", OTHER_TOWN))
            .when(register())
            .then_already();
        after
            .actor(officer("elsewhere", "P51-02"))
            .when(register())
            .then_refused(&OUT_OF_SCOPE);
    }
}

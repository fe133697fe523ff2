//! A meeting at which names are cleared (集中公開澄清), from its convening to what became of each clarification.
//!
//! A meeting is counted once and may clear several subjects, so it has an aggregate of its own; each name is cleared in
//! its clarification, by the very decision that clears a single one. So a meeting that was held asks each clarification
//! to be carried out at it, and each answers: it was, or why not. Whoever is halted, declined or recused meanwhile is an
//! expected answer and no fault. Here are its state, its commands, its refusals and what each event does to it; the
//! decisions stand in [`convening`] and [`holding`], its documents in [`rendering`], the other side in
//! [`crate::clarification::at_meeting`].
//!
//! Whoever is recused from one of its clarifications is recused from the whole meeting: it is announced, held and
//! recorded as one, and nobody can keep half of a record from somebody. The clarifications tell it of a recusal that
//! becomes known later.
//!
//! The trap: a meeting that is recorded after the fact has no aggregate. Such a meeting is only an id in the particulars
//! of [`crate::clarification::carrying_out`]; figures count both by that id. One that was convened is never entered
//! there: it is held.
//! Source: `domain.md`, Clarification, Forms.

pub mod convening;
#[cfg(test)]
pub(crate) mod fixture;
pub mod holding;
pub mod rendering;

use std::collections::BTreeMap;

use chassis::aggregate::{Aggregate, Decision, Effects, Made, TextRef, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use jiff::civil::{Date, Time};
use office::{ActorId, ClarificationId, MatterId, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::convening::{Facts, MeetingConvened, Stated};
use self::holding::{MeetingCancelled, MeetingHeld, Outcome, OutcomeNoted, Record};
use crate::matter::RECUSED;
use crate::printing::{Document, Rendering};

/// What a decision may know: how the clarifications stand, for the convening.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Meeting;

/// How far a meeting is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has convened it.
    #[default]
    Unconvened,
    /// Somebody has.
    Convened(Box<Agenda>),
}

/// What is known of a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agenda {
    /// The unit that holds it: the one that carries all its clarifications out.
    pub unit: UnitCode,
    /// Who convened it.
    pub by: ActorId,
    /// On which day it is.
    pub on: Date,
    /// At which local time, if that was said.
    pub time: Option<Time>,
    /// Where.
    pub place: TextRef,
    /// Whose names it clears, in the order in which they were named.
    pub items: Vec<Item>,
    /// What is stated of each; of none where it was convened before that was kept.
    pub stated: BTreeMap<ClarificationId, Stated>,
    /// Its announcement and its record, once they were made.
    pub documents: Vec<Document>,
    /// Who is recused from one of them.
    pub recusal: Recusal,
    /// How far it is.
    pub stage: Stage,
}

/// One clarification of a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The clarification.
    pub clarification: ClarificationId,
    /// Which time it is taken up, from 1. Taken up anew it rests on another conclusion, which this meeting is not about.
    pub round: u32,
    /// Its matter.
    pub matter: MatterId,
    /// Whose name.
    pub subject: SubjectId,
}

/// How far a meeting is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is still to be held.
    Awaited,
    /// It will not be.
    Cancelled {
        /// Who cancelled it.
        by: ActorId,
        /// Why.
        reason: TextRef,
    },
    /// It was held.
    Held {
        /// Who recorded it.
        by: ActorId,
        /// How it was.
        record: Record,
        /// What became of each clarification, once it is known.
        outcomes: BTreeMap<ClarificationId, Outcome>,
    },
}

/// What can be asked of a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Call the meeting.
    ConveneMeeting {
        /// Whose names it clears.
        clarifications: Vec<ClarificationId>,
        /// On which day.
        on: Date,
        /// At which local time.
        time: Option<Time>,
        /// Where.
        place: TextId,
    },
    /// Call it off.
    CancelMeeting {
        /// Why.
        reason: TextId,
    },
    /// Record that it was held.
    HoldMeeting {
        /// How many attended.
        attendance: u32,
        /// Who did.
        attended: TextId,
        /// Who handed the letters over.
        handed_over_by: ActorId,
    },
    /// Keep what became of a clarification; follows from its answer.
    NoteMeetingOutcome {
        /// Of which.
        clarification: ClarificationId,
        /// What.
        outcome: Outcome,
    },
    /// Keep the announcement or the record; follows from the convening and from the answers.
    RenderMeetingDocuments,
    /// Keep out who is recused from one of its clarifications; follows from what that one learned.
    RecuseFromMeeting {
        /// Who.
        recusal: Recusal,
    },
}

chassis::events! {
    /// What can happen to a meeting.
    pub enum Event {
        /// It was convened.
        Convened(MeetingConvened) = "meeting_convened" 2 { 1 => convening::without_statements },
        /// It became known who else is recused.
        ActorsRecused(MeetingActorsRecused) = "meeting_actors_recused" 1,
        /// It was cancelled.
        Cancelled(MeetingCancelled) = "meeting_cancelled" 1,
        /// It was held.
        Held(MeetingHeld) = "meeting_held" 1,
        /// A clarification was carried out at it, or was not.
        OutcomeNoted(OutcomeNoted) = "meeting_outcome_noted" 1,
        /// Its announcement was made, or its record.
        DocumentsRendered(rendering::MeetingDocumentsRendered) = "meeting_documents_rendered" 1,
    }
}

/// See [`Event::ActorsRecused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingActorsRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
}

/// It was called off.
pub const CANCELLED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "MEETING_CANCELLED",
    "This meeting was cancelled; another one must be convened.",
);
/// It was held, and a record of it exists.
pub const HELD: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "MEETING_HELD",
    "This meeting was held and recorded; its record does not change any more.",
);

impl State {
    /// What is known of it; `None` while it was not convened.
    pub fn agenda(&self) -> Option<&Agenda> {
        match self {
            Self::Unconvened => None,
            Self::Convened(agenda) => Some(agenda),
        }
    }
}

impl Agenda {
    /// What became of a clarification; `None` while that is not known.
    pub fn outcome(&self, of: ClarificationId) -> Option<&Outcome> {
        match &self.stage {
            Stage::Held { outcomes, .. } => outcomes.get(&of),
            Stage::Awaited | Stage::Cancelled { .. } => None,
        }
    }
}

impl Aggregate for Meeting {
    const KIND: &'static str = "meeting";
    const FORMAT: u32 = 3;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn made(facts: &Facts) -> Vec<Made> {
        let rendering = facts.rendering.as_ref();
        rendering.map(Rendering::made).unwrap_or_default()
    }

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::ConveneMeeting {
                clarifications,
                on,
                time,
                place,
            } => convening::convene(state, clarifications, (*on, *time), *place, context),
            Command::CancelMeeting { reason } => holding::cancel(state, *reason, context),
            Command::HoldMeeting {
                attendance,
                attended,
                handed_over_by,
            } => holding::hold(state, (*attendance, *attended), handed_over_by, context),
            Command::NoteMeetingOutcome {
                clarification,
                outcome,
            } => holding::note(state, *clarification, outcome),
            Command::RenderMeetingDocuments => rendering::keep(state, context),
            Command::RecuseFromMeeting { recusal } => recuse(state, recusal),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let agenda = match (state, event) {
            (state, Event::Convened(convened)) => {
                *state = State::Convened(Box::new(convening::convened(convened)));
                return;
            }
            (State::Convened(agenda), _) => agenda,
            // Every history begins with its convening.
            (State::Unconvened, _) => return,
        };
        match event {
            Event::Convened(_) => {}
            Event::ActorsRecused(recused) => agenda.recusal.extend(&recused.recusal),
            Event::Cancelled(cancelled) => holding::cancelled(agenda, cancelled),
            Event::Held(held) => holding::held(agenda, held),
            Event::OutcomeNoted(noted) => holding::noted(agenda, noted),
            Event::DocumentsRendered(rendered) => rendering::kept(agenda, rendered),
        }
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(agenda) = state.agenda() else {
            return Ok(());
        };
        visitor.within([&agenda.unit])?;
        agenda.recusal.check(visitor, RECUSED)
    }

    fn matter(_id: Uuid, _state: &State) -> Option<Uuid> {
        None
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        match event {
            Event::Convened(convened) => convening::call(id, convened, effects),
            Event::Held(held) => holding::clear(id, held, effects),
            _ => {}
        }
        rendering::follow(id, event, effects);
    }
}

/// Learns who else is recused.
fn recuse(state: &State, recusal: &Recusal) -> Decision<Event> {
    let agenda = state.agenda().ok_or(NOT_FOUND)?;
    let recusal = agenda.recusal.lacking(recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![MeetingActorsRecused { recusal }.into()])
}

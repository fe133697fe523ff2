//! A file: the follow-up record of one person (一人一檔), from the first sanction or clarification on, through as many
//! closings and openings as there are.
//!
//! Here are its state, its commands, its refusals; `decide` only dispatches. The decisions stand by the headings of
//! `domain.md`: [`opening`] (what comes from verification and clarification), [`planning`], [`visits`], [`assessment`],
//! [`periods`] (how impact periods and the file end), [`aftercare`]. [`officer`] says who takes a step at all, [`recusing`]
//! who stays out. What can happen is in [`events`].
//!
//! To add a command: a variant of [`Command`], a function in the room of its heading, its line in `decide`, and tests
//! there that bear the rule's name. To add an event: see [`events`].
//!
//! The trap: a file belongs to several units, matters and sources at once, those of its items. So a scope, a matter or a
//! source is always that of a sanction or a clarification, never the file's.

pub mod aftercare;
pub mod assessment;
pub mod events;
#[cfg(test)]
pub(crate) mod fixture;
pub mod officer;
pub mod opening;
pub mod periods;
pub mod planning;
#[cfg(test)]
mod properties;
pub mod recusing;
#[cfg(test)]
mod stored;
pub mod visits;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Announcement, Decision, Effects, Rejection, TextRef, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ActorId, ClarificationId, FileId, MatterId, SanctionId, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use aftercare::{Aftercare, Care, Effect};
pub use assessment::{Approach, Assessed, Assessment, Attitude, Grade};
pub use events::Event;
pub use officer::{Facts, Person};
pub use opening::{Carried, Cause, Sanction};
pub use periods::Period;
pub use planning::Planned;
pub use visits::{Partner, Report, Talk, TalkHeld, Visit};

/// What a decision may know.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct File;

/// How far a file is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The person was never followed up.
    #[default]
    Unopened,
    /// There is something to do, or an impact period runs.
    Open(Box<Record>),
    /// All periods ended and nothing is left to do.
    Closed {
        /// What is known.
        record: Box<Record>,
        /// Since when.
        on: Date,
    },
}

/// What is known of a person's follow-up in every state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The person.
    pub subject: SubjectId,
    /// Their actor id as intake's register last told it: they are recused from their own file.
    pub person: Option<ActorId>,
    /// Who is recused from any of its matters.
    pub recusal: Recusal,
    /// Where the first of its items was entered from: a register's name, or empty.
    pub source: String,
    /// The unit of the item that opened it last.
    pub unit: UnitCode,
    /// Why it was opened last.
    pub cause: Cause,
    /// The matter that was dealt with last.
    pub matter: MatterId,
    /// The impact periods, by their sanctions.
    pub periods: BTreeMap<SanctionId, Period>,
    /// The items of aftercare, in the order in which they came. A clarification that was superseded and is carried out
    /// again has a further one.
    pub aftercare: Vec<Aftercare>,
    /// The person's situation, as the latest plan rests on it.
    pub situation: Option<TextRef>,
    /// The visits that are planned and not done.
    pub planned: BTreeSet<Planned>,
    /// Those that were not done before the impact period ended.
    pub missed: BTreeSet<Planned>,
    /// The visits made, in the order in which they were recorded.
    pub visits: Vec<Visit>,
    /// What they showed; the latest last.
    pub assessments: Vec<Assessed>,
}

impl Record {
    /// The units that follow up: whoever decided a sanction or carried out a clarification.
    pub fn units(&self) -> BTreeSet<&UnitCode> {
        let sanctions = self.periods.values().map(|period| &period.sanction.unit);
        let cared = self.aftercare.iter().map(|item| &item.carried.unit);
        sanctions.chain(cared).collect()
    }

    /// Whether nothing is left to do: all periods ended, no visit is planned, all aftercare is settled.
    pub fn is_done(&self) -> bool {
        self.periods.values().all(|period| period.ended)
            && self.planned.is_empty()
            && !self.aftercare.iter().any(Aftercare::is_open)
    }

    /// The unit that planned a visit.
    pub(crate) fn planned_by(&self, planned: &Planned) -> Option<&UnitCode> {
        let period = self.periods.get(&planned.sanction)?;
        Some(&period.sanction.unit)
    }
}

impl State {
    /// What is known; `None` while there is no file.
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Unopened => None,
            Self::Open(record) | Self::Closed { record, .. } => Some(record),
        }
    }

    fn record_mut(&mut self) -> Option<&mut Record> {
        match self {
            Self::Unopened => None,
            Self::Open(record) | Self::Closed { record, .. } => Some(record),
        }
    }

    /// What is known, for a clock of a file that must be there.
    fn known(&self) -> Result<&Record, Rejection> {
        self.record().ok_or_else(|| NOT_FOUND.into())
    }
}

/// What can be asked of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Takes in a sanction; follows from verification's `SanctionRecorded`.
    FollowSanction {
        /// The person.
        subject: SubjectId,
        /// The sanction.
        sanction: Sanction,
    },
    /// Takes in a clarification; follows from clarification's `ClarificationCarriedOut`.
    AddAftercare {
        /// The person.
        subject: SubjectId,
        /// The clarification.
        carried: Carried,
    },
    /// Takes away what is no longer to be checked; follows from clarification's `ClarificationSuperseded`.
    TakeAftercareAway {
        /// The clarification.
        clarification: ClarificationId,
        /// The conclusion that no longer stands.
        conclusion: i32,
    },
    /// Learns from intake's register whether the person is an actor; follows from the file's own opening.
    LearnPerson,
    /// Keeps out who is recused; follows from what a matter learned.
    RecuseFromFile {
        /// Who.
        recusal: Recusal,
    },
    /// Plans visits.
    PlanVisits {
        /// When, in the order of the request.
        visits_on: Vec<Date>,
        /// The person's situation.
        situation: TextId,
    },
    /// Records a visit that was made.
    RecordVisit(Report),
    /// Records what a visit showed.
    RecordAssessment(Assessment),
    /// Records the effect of a clarification.
    CheckAftercare {
        /// The clarification.
        clarification: ClarificationId,
        /// Its effect.
        effect: Effect,
        /// What was found.
        notes: TextId,
    },
    /// The clock at the end of an impact period.
    EndImpactPeriod,
    /// The clock at the day from which aftercare is due.
    RemindAftercare,
}

/// The actor is the person whom the file is about, or recused from one of its matters.
pub const RECUSED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "FOLLOW_UP_RECUSED",
    "This file is not yours to see or to keep; somebody else must do it.",
);
/// A visitor is recused from the file, as the person who is visited is; the refusal does not say why.
pub const VISITOR_RECUSED: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_VISITOR_RECUSED",
    "This actor does not visit this person; name somebody else.",
);
/// Who decided follows up (誰查處、誰回訪).
pub const OTHER_UNIT: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "FOLLOW_UP_OTHER_UNIT",
    "Another unit decided this and follows it up; leave it to that unit or one above it.",
);
/// Visits fall inside the impact period.
pub const OUTSIDE_PERIOD: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_OUTSIDE_PERIOD",
    "A visit falls inside an impact period of the person; look at the file's periods.",
);
/// Nobody plans the past.
pub const PLANNED_EARLIER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_PLANNED_EARLIER",
    "A visit cannot be planned for a day that is over; choose today or later.",
);
/// A visit from the future.
pub const VISITED_LATER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_VISITED_LATER",
    "A visit is recorded once it was made, not before; correct the date.",
);
/// More visits than the policy allows one person.
pub const YEAR_FULL: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "FOLLOW_UP_YEAR_FULL",
    "The policy allows no more visits to this person in that year; those made and planned count.",
);
/// Fewer visitors than the policy demands.
pub const TOO_FEW_VISITORS: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_TOO_FEW_VISITORS",
    "The policy demands more visitors of a visit; name all who went.",
);
/// An assessment rests on a visit of the same file.
pub const VISIT_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_VISIT_UNKNOWN",
    "An assessment rests on a visit of this file; take its id from the file's visits.",
);
/// The clarification is none of this person's.
pub const AFTERCARE_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "FOLLOW_UP_AFTERCARE_UNKNOWN",
    "There is no aftercare of this clarification here; take its id from the file's aftercare.",
);
/// The effect is checked after some time only.
pub const AFTERCARE_NOT_DUE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "FOLLOW_UP_AFTERCARE_NOT_DUE",
    "The effect of a clarification shows only after some time; check it from its due date on.",
);
/// The clarification was superseded before its effect was checked.
pub const AFTERCARE_TAKEN_AWAY: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "FOLLOW_UP_AFTERCARE_TAKEN_AWAY",
    "The clarification was superseded, so there is no effect left to check.",
);
/// The effect is checked once.
pub const AFTERCARE_CHECKED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "FOLLOW_UP_AFTERCARE_CHECKED",
    "The effect of this clarification was checked already; look at the file.",
);

/// The id of a person's file: one person, one file.
pub fn file_of(subject: SubjectId) -> FileId {
    FileId::natural(&[subject.as_bytes()])
}

/// A refusal at every field that breaks the rule; no refusal where none does.
fn refuse_at(refusal: &Refusal, fields: impl Iterator<Item = String>) -> Result<(), Rejection> {
    let refused = fields.fold(None, |so_far: Option<Refusal>, field| {
        Some(so_far.unwrap_or_else(|| refusal.clone()).at(field))
    });
    refused.map_or(Ok(()), |refusal| Err(refusal.into()))
}

impl Aggregate for File {
    const KIND: &'static str = FileId::KIND;
    const FORMAT: u32 = 2;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::FollowSanction { subject, sanction } => {
                opening::follow(state, *subject, sanction, context)
            }
            Command::AddAftercare { subject, carried } => {
                opening::add_aftercare(state, *subject, carried, context)
            }
            Command::TakeAftercareAway {
                clarification,
                conclusion,
            } => aftercare::take_away(state, *clarification, *conclusion, context),
            Command::LearnPerson => officer::learn(state, context),
            Command::RecuseFromFile { recusal } => recusing::learn(state, recusal),
            Command::PlanVisits {
                visits_on,
                situation,
            } => planning::plan(state, visits_on, *situation, context),
            Command::RecordVisit(report) => visits::record(state, report, context),
            Command::RecordAssessment(assessment) => assessment::assess(state, assessment, context),
            Command::CheckAftercare {
                clarification,
                effect,
                notes,
            } => aftercare::check(state, *clarification, *effect, *notes, context),
            Command::EndImpactPeriod => periods::end(state, context),
            Command::RemindAftercare => aftercare::remind(state, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        events::evolve(state, event);
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(record) = state.record() else {
            return Ok(());
        };
        visitor.within(record.units())?;
        if record.person.as_ref() == Some(&visitor.actor.id) {
            return Err(RECUSED);
        }
        record.recusal.check(visitor, RECUSED)
    }

    fn matter(_id: Uuid, state: &State) -> Option<Uuid> {
        state.record().map(|record| record.matter.uuid())
    }

    fn announce(id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce(id.into(), event)
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        officer::consequence(id, event, effects);
        recusing::ask(id.into(), event, effects);
        periods::clock(event, effects);
        aftercare::clock(event, effects);
    }
}

/// When a clock is to go off next, if at all.
fn next(times: impl Iterator<Item = Timestamp>) -> Option<Timestamp> {
    times.min()
}

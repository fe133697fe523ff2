//! What can happen to a file, and what each event does to it.
//!
//! To add one: its payload here, its line in [`Event`], what it does in `evolve`, a sample in `tests/stored`; if others
//! must know, an arm in `announcements.rs`. The trap: payloads are stored for ever and hashed as they are. A changed one
//! is a new version with its upcast, never a renamed or reused field.

use std::collections::BTreeSet;

use chassis::aggregate::TextRef;
use chassis::recusal::Recusal;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ActorId, ClarificationId, MatterId, SanctionId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::aftercare::{Care, Effect};
use super::assessment::Assessed;
use super::opening::{Carried, Cause, Sanction};
use super::planning::Planned;
use super::recusing::{self, ActorsRecused};
use super::visits::Visit;
use super::{Aftercare, Period, Record, State};

chassis::events! {
    /// What can happen to a file.
    pub enum Event {
        /// It was opened, or opened again.
        Opened(Opened) = "file_opened" 1,
        /// A sanction is followed up.
        SanctionFollowed(SanctionFollowed) = "sanction_followed" 1,
        /// The effect of a clarification is to be checked.
        AftercareAdded(AftercareAdded) = "aftercare_added" 1,
        /// The clarification was superseded before its effect was checked.
        AftercareTakenAway(AftercareTakenAway) = "aftercare_taken_away" 1,
        /// Intake's register says which actor the person is.
        PersonLearned(PersonLearned) = "person_learned" 1,
        /// It became known who is recused.
        ActorsRecused(ActorsRecused) = "file_actors_recused" 1,
        /// Visits were planned in place of what a unit had planned before.
        VisitsPlanned(VisitsPlanned) = "visits_planned" 1,
        /// The person was visited.
        VisitRecorded(VisitRecorded) = "visit_recorded" 1,
        /// What a visit showed.
        AssessmentRecorded(AssessmentRecorded) = "assessment_recorded" 1,
        /// An impact period ended.
        ImpactPeriodEnded(ImpactPeriodEnded) = "impact_period_ended" 1,
        /// Aftercare is due from today on.
        AftercareFellDue(AftercareFellDue) = "aftercare_fell_due" 1,
        /// The effect of a clarification was checked.
        AftercareChecked(AftercareChecked) = "aftercare_checked" 1,
        /// Nothing is left to do.
        Closed(Closed) = "file_closed" 1,
    }
}

/// See [`Event::Opened`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The person.
    pub subject: SubjectId,
    /// The matter whose outcome opened it.
    pub matter: MatterId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The unit that follows up.
    pub unit: UnitCode,
    /// Why.
    pub cause: Cause,
    /// When.
    pub on: Date,
}

/// See [`Event::SanctionFollowed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SanctionFollowed {
    /// The sanction.
    pub sanction: Sanction,
    /// The end of the last day on which it counts.
    pub ends_at: Timestamp,
    /// When the next period ends.
    pub next_end: Option<Timestamp>,
}

/// See [`Event::AftercareAdded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AftercareAdded {
    /// The clarification.
    pub carried: Carried,
    /// The day from which its effect is to be checked.
    pub due_on: Date,
    /// When that day begins.
    pub due_at: Timestamp,
    /// After how many days, by the policy.
    pub after_days: u32,
    /// When the next item is due.
    pub next_due: Option<Timestamp>,
}

/// See [`Event::AftercareTakenAway`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AftercareTakenAway {
    /// The clarification.
    pub clarification: ClarificationId,
    /// The conclusion that the item rests on.
    pub conclusion: i32,
    /// The matter.
    pub matter: MatterId,
    /// When.
    pub on: Date,
    /// When the next item is due.
    pub next_due: Option<Timestamp>,
}

/// See [`Event::PersonLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonLearned {
    /// The person's actor id.
    pub actor: ActorId,
}

/// See [`Event::VisitsPlanned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitsPlanned {
    /// All that is planned from now on, with what other units had planned.
    pub planned: BTreeSet<Planned>,
    /// The person's situation.
    pub situation: TextRef,
    /// The matter of the first visit that was planned now.
    pub matter: MatterId,
    /// How many visits a year the policy allowed.
    pub per_year: u32,
}

/// See [`Event::VisitRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisitRecorded {
    /// The person.
    pub subject: SubjectId,
    /// The matter of the sanction.
    pub matter: MatterId,
    /// Where that was entered from.
    pub source: String,
    /// The visit.
    pub visit: Visit,
    /// The planned visit that is done by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfils: Option<Planned>,
    /// The planned visit for which the year has no room left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drops: Option<Planned>,
    /// How many visitors the policy demanded.
    pub at_least: u32,
    /// How many visits a year it allowed.
    pub per_year: u32,
}

/// See [`Event::AssessmentRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssessmentRecorded {
    /// The matter of the visit.
    pub matter: MatterId,
    /// What the visit showed.
    pub assessed: Assessed,
}

/// See [`Event::ImpactPeriodEnded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImpactPeriodEnded {
    /// The person.
    pub subject: SubjectId,
    /// The sanction.
    pub sanction: SanctionId,
    /// Its matter.
    pub matter: MatterId,
    /// Where that was entered from.
    pub source: String,
    /// The unit that decided it.
    pub unit: UnitCode,
    /// Its last day.
    pub on: Date,
    /// Visits that were planned in it and not done.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<Planned>,
    /// Sanctions that were decided while it ran: a new violation, each with a period of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<SanctionId>,
    /// When the next period ends.
    pub next_end: Option<Timestamp>,
}

/// See [`Event::AftercareFellDue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AftercareFellDue {
    /// The clarifications, each with the conclusion that it rests on.
    pub items: Vec<(ClarificationId, i32)>,
    /// When the next item is due.
    pub next_due: Option<Timestamp>,
}

/// See [`Event::AftercareChecked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AftercareChecked {
    /// The person.
    pub subject: SubjectId,
    /// The clarification.
    pub clarification: ClarificationId,
    /// The conclusion that the item rests on.
    pub conclusion: i32,
    /// The matter.
    pub matter: MatterId,
    /// Where that was entered from.
    pub source: String,
    /// The unit that carried it out.
    pub unit: UnitCode,
    /// Its effect.
    pub effect: Effect,
    /// What was found.
    pub notes: TextRef,
    /// When.
    pub on: Date,
    /// When the next item is due.
    pub next_due: Option<Timestamp>,
}

/// See [`Event::Closed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The person.
    pub subject: SubjectId,
    /// Where the file's first item was entered from.
    pub source: String,
    /// The unit of the item that opened it last.
    pub unit: UnitCode,
    /// When.
    pub on: Date,
}

/// Lets an event happen. An event that does not fit the state was never decided on it, and leaves it as it is.
pub(super) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::Opened(opened) => open(state, opened),
        Event::Closed(closed) => {
            *state = match std::mem::take(state) {
                State::Open(record) => State::Closed {
                    record,
                    on: closed.on,
                },
                other => other,
            };
        }
        _ => {
            if let Some(record) = state.record_mut() {
                happen(record, event);
            }
        }
    }
}

fn open(state: &mut State, opened: &Opened) {
    let mut record = match std::mem::take(state) {
        State::Open(record) | State::Closed { record, .. } => record,
        State::Unopened => Box::new(Record {
            subject: opened.subject,
            person: None,
            recusal: Recusal::default(),
            source: opened.source.clone(),
            unit: opened.unit.clone(),
            cause: opened.cause,
            matter: opened.matter,
            periods: [].into(),
            aftercare: Vec::new(),
            situation: None,
            planned: [].into(),
            missed: [].into(),
            visits: Vec::new(),
            assessments: Vec::new(),
        }),
    };
    record.unit = opened.unit.clone();
    record.cause = opened.cause;
    record.matter = opened.matter;
    *state = State::Open(record);
}

/// What happens to a file that is there, and neither opens nor closes it.
fn happen(record: &mut Record, event: &Event) {
    match event {
        Event::Opened(_) | Event::Closed(_) => {}
        Event::PersonLearned(learned) => record.person = Some(learned.actor.clone()),
        Event::ActorsRecused(recused) => recusing::recused(record, recused),
        Event::SanctionFollowed(followed) => {
            record.matter = followed.sanction.matter;
            record.periods.insert(
                followed.sanction.id,
                Period {
                    sanction: followed.sanction.clone(),
                    ends_at: followed.ends_at,
                    ended: false,
                },
            );
        }
        Event::ImpactPeriodEnded(ended) => {
            record.matter = ended.matter;
            if let Some(period) = record.periods.get_mut(&ended.sanction) {
                period.ended = true;
            }
            for missed in &ended.missed {
                record.planned.remove(missed);
                record.missed.insert(*missed);
            }
        }
        Event::VisitsPlanned(planned) => {
            record.matter = planned.matter;
            record.situation = Some(planned.situation.clone());
            record.planned.clone_from(&planned.planned);
        }
        Event::VisitRecorded(recorded) => {
            record.matter = recorded.matter;
            for planned in recorded.fulfils.iter().chain(&recorded.drops) {
                record.planned.remove(planned);
            }
            if let Some(done) = &recorded.fulfils {
                record.missed.remove(done);
            }
            record.visits.push(recorded.visit.clone());
        }
        Event::AssessmentRecorded(recorded) => {
            record.matter = recorded.matter;
            record.assessments.push(recorded.assessed.clone());
        }
        Event::AftercareAdded(added) => {
            record.matter = added.carried.matter;
            record.aftercare.push(Aftercare {
                carried: added.carried.clone(),
                due_on: added.due_on,
                due_at: added.due_at,
                care: Care::Waiting,
            });
        }
        Event::AftercareFellDue(due) => {
            for (clarification, conclusion) in &due.items {
                settle(record, *clarification, *conclusion, Care::Due);
            }
        }
        Event::AftercareTakenAway(taken) => {
            record.matter = taken.matter;
            let care = Care::TakenAway { on: taken.on };
            settle(record, taken.clarification, taken.conclusion, care);
        }
        Event::AftercareChecked(checked) => {
            record.matter = checked.matter;
            let care = Care::Checked {
                effect: checked.effect,
                notes: checked.notes.clone(),
                on: checked.on,
            };
            settle(record, checked.clarification, checked.conclusion, care);
        }
    }
}

fn settle(record: &mut Record, clarification: ClarificationId, conclusion: i32, care: Care) {
    let mut items = record.aftercare.iter_mut();
    let item = items.find(|item| item.is(clarification, conclusion));
    if let Some(item) = item {
        item.care = care;
    }
}

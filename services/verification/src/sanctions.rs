//! The sanctions of one person over all their cases (處分), each with its impact period (影響期), and what is assessed before
//! them (容錯): a disciplinary decision after a substantiated finding, decided here or told by an outside disciplinary
//! system over the queue. Source: `domain.md`, Verification, Tolerance and Sanction.
//!
//! An aggregate of its own, one a person, because periods of several cases count together ([`impact`]) and its version
//! guards their sum, and that nobody who is exempt is sanctioned. What a sanction rests on, the case, is a fact of its
//! decision; the case itself does not change, and a sanction stays on record if the case is opened again later.
//!
//! To add a command: a variant of [`Command`], its decision in the room of its heading ([`assessing`], [`recording`] with
//! what must precede it, [`preceding`]), its line in `decide`, tests there that bear the rule's name.
//!
//! The trap: what is recorded of a person is seen as a whole or not at all, but recorded from every unit that has a case on
//! the person. So [`Aggregate::admit_to`] lets everybody in, and the decision asks the case.

pub mod assessing;
#[cfg(test)]
pub(crate) mod fixture;
pub mod impact;
pub mod preceding;
#[cfg(test)]
mod properties;
pub mod recording;
pub mod tolerance;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Announcement, Decision, Rejection, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind};
use office::{AllegationId, CaseId, MatterId, SubjectId, TextId, UnitCode, natural_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::recording::{Recorded, Sanction};
pub use self::tolerance::{
    Assessment, Breach, Experiment, Judged, Liability, Motive, Progress, Tolerance,
    ToleranceApproved, ToleranceProposed, ToleranceReturned,
};
use crate::case::{self, Outcome, RECUSED, SubjectKind};

/// What a decision may know.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Sanctions;

/// What is recorded of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// All sanctions, in the order in which they were recorded; none is ever taken off.
    pub recorded: Vec<Recorded>,
    /// How what is substantiated in each case was assessed, or is being.
    pub tolerance: BTreeMap<CaseId, Tolerance>,
    /// The matter of what happened last; `None` while nothing has.
    pub latest: Option<MatterId>,
}

impl State {
    /// The units that recorded something, each with who stays out of its case.
    fn units(&self) -> impl Iterator<Item = (&UnitCode, &Recusal)> {
        let recorded = self.recorded.iter();
        let tolerance = self.tolerance.values().map(|known| &known.proposed);
        recorded
            .map(|one| (&one.unit, &one.recusal))
            .chain(tolerance.map(|one| (&one.unit, &one.recusal)))
    }

    /// The cases in which something was recorded, each once.
    pub fn cases(&self) -> BTreeSet<CaseId> {
        let recorded = self.recorded.iter().map(|one| one.sanction.case);
        recorded.chain(self.tolerance.keys().copied()).collect()
    }
}

/// What can be asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Proposes how everything that a conclusion substantiates about the person is assessed.
    ProposeTolerance {
        /// The case that was concluded.
        case: CaseId,
        /// The person.
        subject: SubjectId,
        /// One for each substantiated finding, in the order of the request.
        assessments: Vec<Assessment<TextId>>,
    },
    /// Returns what was proposed.
    ReturnTolerance {
        /// In which case.
        case: CaseId,
        /// Why.
        reason: TextId,
    },
    /// Approves what was proposed.
    ApproveTolerance {
        /// In which case.
        case: CaseId,
    },
    /// Records a sanction.
    RecordSanction(Sanction),
}

impl Command {
    /// The case that it rests on.
    pub(crate) fn case(&self) -> CaseId {
        match self {
            Self::ProposeTolerance { case, .. }
            | Self::ReturnTolerance { case, .. }
            | Self::ApproveTolerance { case } => *case,
            Self::RecordSanction(sanction) => sanction.case,
        }
    }
}

chassis::events! {
    /// What can happen to a person's sanctions.
    pub enum Event {
        /// An assessment was proposed of what a conclusion substantiates.
        ToleranceProposed(ToleranceProposed) = "tolerance_proposed" 1,
        /// It went back.
        ToleranceReturned(ToleranceReturned) = "tolerance_returned" 1,
        /// It was approved.
        ToleranceApproved(ToleranceApproved) = "tolerance_approved" 1,
        /// A sanction was recorded.
        Recorded(Recorded) = "sanction_recorded" 1,
    }
}

/// What is asked before a decision.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The case that it rests on.
    pub case: case::State,
}

/// The case has no conclusion that stands.
pub const NO_CONCLUSION: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_WITHOUT_CONCLUSION",
    "A sanction, and what is assessed before it, follows a conclusion, and this case has none that stands.",
);
/// Nothing that was found would be assessed or sanctioned.
pub const NOT_SUBSTANTIATED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_NOT_SUBSTANTIATED",
    "A sanction, and what is assessed before it, follows a substantiated finding, and the conclusion of this case has none on this person.",
);
/// The subject is an organisation.
pub const NOT_A_PERSON: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_NOT_A_PERSON",
    "Only a person who is identified is assessed and sanctioned; this subject is an organisation or nobody known.",
);

/// The id under which a person's sanctions stand: one for each person.
pub fn sanctions_of(person: SubjectId) -> Uuid {
    natural_id(Sanctions::KIND, &[person.as_bytes()])
}

/// What the conclusion of a case that stands substantiates about this person, at least one allegation.
fn substantiated(case: &case::State, person: SubjectId) -> Result<Vec<AllegationId>, Rejection> {
    let case::State::Concluded {
        dossier, findings, ..
    } = case
    else {
        return Err(NO_CONCLUSION.into());
    };
    let about = dossier.allegations.iter();
    let found: Vec<_> = about
        .filter(|one| one.subject == person)
        .filter(|allegation| {
            let found = findings.get(&allegation.id);
            found.is_some_and(|found| found.outcome == Outcome::Substantiated)
        })
        .collect();
    match found.first().map(|allegation| allegation.subject_kind) {
        Some(SubjectKind::Person) => Ok(found.iter().map(|allegation| allegation.id).collect()),
        Some(SubjectKind::Organisation | SubjectKind::NotIdentified) => Err(NOT_A_PERSON.into()),
        None => Err(NOT_SUBSTANTIATED.into()),
    }
}

impl Aggregate for Sanctions {
    const KIND: &'static str = "sanctions";
    const FORMAT: u32 = 2;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::ProposeTolerance {
                case,
                subject,
                assessments,
            } => assessing::propose(state, (*case, *subject), assessments, context),
            Command::ReturnTolerance { case, reason } => {
                assessing::give_back(state, *case, *reason, context)
            }
            Command::ApproveTolerance { case } => assessing::approve(state, *case, context),
            Command::RecordSanction(sanction) => recording::record(state, sanction, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let mut becomes = |case: &CaseId, progress| {
            if let Some(known) = state.tolerance.get_mut(case) {
                known.progress = progress;
            }
        };
        let matter = match event {
            Event::ToleranceProposed(proposed) => {
                let before = state.tolerance.remove(&proposed.case);
                let mut drafted_by = before.map(|before| before.drafted_by).unwrap_or_default();
                drafted_by.insert(proposed.by.clone());
                let tolerance = Tolerance {
                    proposed: proposed.clone(),
                    drafted_by,
                    progress: Progress::Proposed,
                };
                state.tolerance.insert(proposed.case, tolerance);
                proposed.matter
            }
            Event::ToleranceReturned(returned) => {
                let reason = returned.reason.clone();
                becomes(&returned.case, Progress::Returned { reason });
                returned.matter
            }
            Event::ToleranceApproved(approved) => {
                becomes(&approved.case, Progress::Approved { on: approved.on });
                approved.matter
            }
            Event::Recorded(recorded) => {
                state.recorded.push(recorded.clone());
                recorded.matter
            }
        };
        state.latest = Some(matter);
    }

    /// Whoever may see one thing that is recorded of a person sees all, as sanctions count together and what was
    /// tolerated before weighs in the next assessment; who is recused from one of the cases sees none. Who was recused
    /// afterwards is found by the question itself.
    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        if state.latest.is_none() {
            return Ok(());
        }
        visitor.within(state.units().map(|(unit, _)| unit))?;
        if visitor.actor.is_service() {
            return Ok(());
        }
        let mut units = state.units();
        units.try_for_each(|(_, recusal)| recusal.check(visitor, RECUSED))
    }

    /// Another unit than those that recorded something may have a case on this person, too.
    fn admit_to(_: &State, _: &Command, _: &Visitor<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    /// What is recorded belongs to a matter each; a row of the journal to that of its own event.
    fn matter(_id: Uuid, state: &State) -> Option<Uuid> {
        state.latest.map(|matter| matter.uuid())
    }

    fn announce(_id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce_sanction(event)
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use jiff::civil::date;

    use super::fixture::*;
    use super::*;
    use crate::case::fixture::{OFFICIAL, id, service, supervisor, unit};

    #[test]
    fn who_may_see_one_sees_all_and_who_is_recused_from_one_case_sees_none() {
        let setting = a_liable_official().events([recorded()]);
        let seen = |given: &chassis::testing::Given<Sanctions>, actor: office::Actor| {
            let context = given.context();
            let visitor = Visitor {
                actor: &actor,
                ..context.visitor()
            };
            Sanctions::admit(given.state(), &visitor)
        };
        let meng = || supervisor_at("meng", other_unit());
        assert_eq!(seen(&setting, supervisor("gao")), Ok(()));
        assert_eq!(seen(&setting, meng()), Err(OUT_OF_SCOPE));
        assert_eq!(seen(&setting, supervisor("accused")), Err(RECUSED));
        assert_eq!(seen(&setting, supervisor("reporter")), Err(RECUSED));
        assert_eq!(seen(&setting, service()), Ok(()));
        // The other unit assesses and records one of its own although it may not see the first, and sees both from then on.
        let (_, both) = elsewhere(setting)
            .when(Command::RecordSanction(sanction_elsewhere(
                date(2026, 3, 3),
                6,
            )))
            .accepted();
        assert_eq!(seen(&both, meng()), Ok(()));
        assert_eq!(seen(&both, supervisor("gao")), Ok(()));
        assert_eq!(
            seen(&both, supervisor_at("accused", other_unit())),
            Err(RECUSED)
        );
    }

    #[test]
    fn what_was_only_assessed_is_kept_from_who_is_recused_and_from_other_units() {
        for setting in [
            an_official().events([proposed(&[assessed(1, Liability::Exempt)])]),
            a_liable_official(),
        ] {
            for (actor, expected) in [
                (supervisor("gao"), Ok(())),
                (supervisor("accused"), Err(RECUSED)),
                (supervisor("reporter"), Err(RECUSED)),
                (supervisor_at("meng", other_unit()), Err(OUT_OF_SCOPE)),
            ] {
                let context = setting.context();
                let visitor = Visitor {
                    actor: &actor,
                    ..context.visitor()
                };
                let seen = Sanctions::admit(setting.state(), &visitor);
                assert_eq!(seen, expected, "{}", actor.id);
            }
        }
    }

    #[test]
    fn each_row_of_the_journal_belongs_to_the_matter_of_its_sanction() {
        let setting = a_liable_official().events([recorded()]);
        let of = |given: &chassis::testing::Given<Sanctions>| {
            Sanctions::matter(given.context().id, given.state())
        };
        assert_eq!(of(&setting), Some(id(0x10)));
        let (_, both) = elsewhere(setting)
            .when(Command::RecordSanction(sanction_elsewhere(
                date(2026, 3, 3),
                6,
            )))
            .accepted();
        assert_eq!(of(&both), Some(id(ELSEWHERE)));
        assert_eq!(sanctions_of(id(OFFICIAL)), both.context().id);
        assert_eq!(unit(), both.state().recorded[0].unit);
    }
}

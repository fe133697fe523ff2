//! A matter as clarification knows it: where the two streams join, what is alleged (from intake) and what was found
//! (from verification). It decides whom a conclusion clears, and tells each subject's clarification how they stand.
//!
//! Here are its state, its commands and what each event does to it. What comes from intake stands in [`learning`], what
//! comes from verification in [`ruling`] and, as far as it goes on record, in [`on_record`]; who applied in [`applicants`].
//!
//! What it tells is carried out later and in any order. So every [`Ruling`] has an ordinal that only grows, and all that
//! is needed to open the clarification; who is recused is only ever added.

pub mod applicants;
#[cfg(test)]
pub(crate) mod fixture;
pub mod learning;
pub mod on_record;
pub mod ruling;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Context, Decision, Effects, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind};
use office::{ActorId, AllegationId, ClarificationId, MatterId, ReportId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::conclusion::{Clearance, Holding, Subject};
use crate::integrity::{ExemptionRecord, SanctionRecord};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Matter;

/// What is known of a matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing; intake has not told of it yet.
    #[default]
    Unknown,
    /// This.
    Known(Box<Known>),
}

/// A matter that intake has told of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Where it was entered from: a register's name, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// The reports that raised or joined it.
    pub reports: BTreeSet<ReportId>,
    /// What is alleged.
    pub allegations: BTreeMap<AllegationId, learning::Allegation>,
    /// The identified subjects.
    pub subjects: BTreeMap<SubjectId, Subject>,
    /// Who those are that were identified since, by their placeholders.
    pub identified: BTreeMap<SubjectId, SubjectId>,
    /// Who is recused from it.
    pub recusal: Recusal,
    /// The number of the last conclusion; 0 if there was none.
    pub conclusion: i32,
    /// Whether that conclusion stands.
    pub holding: Holding,
    /// How often its standing or its unit changed: the ordinal of what was told last.
    pub changes: u32,
    /// For each subject that a conclusion ever cleared, the last one that did: these have a clarification.
    pub clearances: BTreeMap<SubjectId, Clearance>,
    /// The unit that the last conclusion is of; `None` if there was none, or it was stored before this was kept.
    pub concluded_by: Option<UnitCode>,
    /// What the last conclusion found on those whom it does not clear; `None` where it was stored before this was kept.
    pub verdicts: Option<BTreeMap<SubjectId, ruling::Verdict>>,
    /// The subjects who applied before any conclusion had cleared them: these have a clarification too.
    pub applicants: BTreeSet<SubjectId>,
    /// The sanctions that were passed on to integrity files.
    pub sanctions: BTreeSet<Uuid>,
    /// Who was sanctioned.
    pub sanctioned: BTreeSet<SubjectId>,
    /// The exemptions that were passed on to integrity files, one for each person and conclusion.
    pub exemptions: Vec<ExemptionRecord>,
}

impl State {
    /// The matter, once intake has told of it.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Unknown => None,
            Self::Known(known) => Some(known),
        }
    }
}

impl Known {
    /// The clarifications that it has.
    fn clarifications(&self, matter: MatterId) -> Vec<ClarificationId> {
        let waiting = self.applicants.iter();
        let waiting = waiting.filter(|applicant| !self.clearances.contains_key(applicant));
        let all = self.clearances.keys().chain(waiting);
        all.map(|subject| crate::conclusion::clarification_of(matter, *subject))
            .collect()
    }
}

/// What can be asked of a matter; all of it follows from events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Learn of it; follows from intake's `MatterOpened`.
    LearnMatter(learning::Raised),
    /// Learn of a report that joined it; follows from intake's `ReportJoined`.
    LearnReport(learning::Report),
    /// Learn who a subject is; follows from intake's `SubjectIdentified`.
    LearnIdentity {
        /// Under which id the subject was not yet identified.
        placeholder: SubjectId,
        /// Who it is.
        subject: Subject,
        /// Who is recused because of it.
        recusal: Recusal,
    },
    /// Learn which unit handles it now; follows from intake's `MatterMoved`.
    LearnMove {
        /// Which.
        unit: UnitCode,
    },
    /// Learn of a conclusion; follows from verification's `CaseConcluded`.
    LearnConclusion(ruling::Conclusion),
    /// Learn that a conclusion stands no longer; follows from verification's `CaseReopened`.
    LearnReopening {
        /// Which conclusion; 0 if the case had none.
        number: i32,
    },
    /// Pass a sanction on to the person's integrity file; follows from verification's `SanctionRecorded`.
    LearnSanction(SanctionRecord),
    /// Pass an exemption on to the person's integrity file; follows from verification's `ToleranceAssessed`.
    LearnExemption(ExemptionRecord),
    /// Learn who is recused; follows from verification's `ActorsRecused`.
    LearnRecusal {
        /// Who.
        recusal: Recusal,
    },
    /// Learn that a subject applied before any conclusion had cleared them; follows from their clarification's event.
    LearnApplicant {
        /// Who.
        subject: SubjectId,
        /// The ordinal of the newest ruling that was known then.
        ordinal: u32,
        /// Who was known to be recused.
        recusal: Recusal,
    },
    /// Recuse an actor who declared a conflict in one of its clarifications.
    RecuseFromMatter {
        /// Who.
        actor: ActorId,
        /// In which clarification; the others are told.
        told_by: ClarificationId,
    },
}

chassis::events! {
    /// What can happen to a matter.
    pub enum Event {
        /// Intake told of it.
        Raised(learning::Raised) = "matter_learned" 2 { 1 => learning::without_days },
        /// A report joined it.
        ReportLearned(learning::ReportLearned) = "report_learned" 2 { 1 => learning::without_days },
        /// A subject was identified.
        IdentityLearned(learning::IdentityLearned) = "identity_learned" 1,
        /// It was raised to another unit.
        MoveLearned(learning::MoveLearned) = "move_learned" 1,
        /// Somebody declared a conflict, here or in verification.
        ActorRecused(learning::ActorRecused) = "matter_actor_recused" 1,
        /// Its case was concluded.
        ConclusionLearned(ruling::ConclusionLearned) = "conclusion_learned" 2 { 1 => ruling::without_verdicts },
        /// Its case was opened again.
        ReopeningLearned(ruling::ReopeningLearned) = "reopening_learned" 2 { 1 => ruling::without_verdicts },
        /// A subject applied whom no conclusion had cleared.
        ApplicantLearned(applicants::ApplicantLearned) = "applicant_learned" 1,
        /// A sanction on a subject was recorded.
        SanctionLearned(on_record::SanctionLearned) = "sanction_learned" 1,
        /// What a conclusion substantiates about a person leads to no sanction.
        ExemptionLearned(on_record::ExemptionLearned) = "exemption_learned" 1,
        /// The conclusion that an exemption is of stands no longer.
        ExemptionLapsed(on_record::ExemptionLapsed) = "exemption_lapsed" 1,
        /// Integrity files were told who became recused.
        RecusalPassedOn(on_record::RecusalPassedOn) = "recusal_passed_on" 1,
    }
}

/// The actor is a subject or the reporter of the matter, or declared a conflict.
pub const RECUSED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "CLARIFICATION_RECUSED",
    "You are recused from this matter; somebody else must do it.",
);

impl Aggregate for Matter {
    const KIND: &'static str = MatterId::KIND;
    const FORMAT: u32 = 4;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, context: &Context<()>) -> Decision<Event> {
        let matter = MatterId::from(context.id);
        match command {
            Command::LearnMatter(raised) => Ok(learning::learn(state, raised)),
            Command::LearnReport(report) => learning::join(state, matter, report),
            Command::LearnIdentity {
                placeholder,
                subject,
                recusal,
            } => learning::identify(state, matter, *placeholder, subject, recusal),
            Command::LearnRecusal { recusal } => learning::recuse(state, matter, recusal, None),
            Command::LearnMove { unit } => learning::follow(state, matter, unit),
            Command::RecuseFromMatter { actor, told_by } => {
                let recusal = Recusal {
                    actors: [actor.clone()].into(),
                    ..Recusal::default()
                };
                learning::recuse(state, matter, &recusal, Some(*told_by))
            }
            Command::LearnConclusion(conclusion) => ruling::conclude(state, matter, conclusion),
            Command::LearnReopening { number } => ruling::reopen(state, matter, *number, context),
            Command::LearnApplicant {
                subject,
                ordinal,
                recusal,
            } => applicants::learn(state, *subject, *ordinal, recusal),
            Command::LearnSanction(sanction) => on_record::sanction(state, sanction),
            Command::LearnExemption(exemption) => on_record::exempt(state, exemption, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let known = match (state, event) {
            (state, Event::Raised(raised)) => {
                *state = State::Known(Box::new(learning::raised(raised)));
                return;
            }
            (State::Known(known), _) => known,
            // Every history begins with what intake tells.
            (State::Unknown, _) => return,
        };
        match event {
            Event::Raised(_) => {}
            Event::ReportLearned(learned) => learning::joined(known, learned),
            Event::IdentityLearned(learned) => learning::identified(known, learned),
            Event::MoveLearned(learned) => learning::moved(known, learned),
            Event::ActorRecused(recused) => known.recusal.extend(&recused.recusal),
            Event::ConclusionLearned(learned) => ruling::concluded(known, learned),
            Event::ReopeningLearned(learned) => ruling::reopened(known, learned),
            Event::ApplicantLearned(learned) => {
                known.applicants.insert(learned.subject);
            }
            Event::SanctionLearned(learned) => {
                known.sanctions.insert(learned.sanction.id);
                known.sanctioned.insert(learned.subject.id);
            }
            Event::ExemptionLearned(learned) => {
                known.exemptions.push(learned.exemption.clone());
            }
            // Whether its conclusion stands is known of the conclusion; who is recused, of what made them so.
            Event::ExemptionLapsed(_) | Event::RecusalPassedOn(_) => {}
        }
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(known) = state.known() else {
            return Ok(());
        };
        visitor.within([&known.unit])?;
        known.recusal.check(visitor, RECUSED)
    }

    fn matter(id: Uuid, _state: &State) -> Option<Uuid> {
        Some(id)
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        match event {
            Event::Raised(_) => {}
            Event::MoveLearned(learned) => {
                applicants::tell(learned.matter, &learned.not_cleared, effects);
            }
            Event::ReportLearned(learned) => {
                learning::tell(&learned.tell, &learned.recusal, effects);
            }
            Event::IdentityLearned(learned) => {
                learning::tell(&learned.tell, &learned.recusal, effects);
            }
            Event::ActorRecused(recused) => {
                learning::tell(&recused.tell, &recused.recusal, effects);
            }
            Event::ConclusionLearned(learned) => ruling::tell(&learned.rulings, effects),
            Event::ReopeningLearned(learned) => ruling::tell(&learned.rulings, effects),
            Event::ApplicantLearned(learned) => applicants::answer(id.into(), learned, effects),
            Event::SanctionLearned(learned) => on_record::pass_on(learned, effects),
            Event::ExemptionLearned(learned) => on_record::pass_on_exemption(learned, effects),
            Event::ExemptionLapsed(lapsed) => on_record::pass_on_lapse(lapsed, effects),
            Event::RecusalPassedOn(passed_on) => on_record::pass_on_recusal(passed_on, effects),
        }
    }
}

//! Tolerance (容錯): before a sanction, each substantiated finding on a person is assessed by the three distinctions
//! (三個區分開來). A slip in a reform for want of experience is no knowing breach; an experiment where nothing was forbidden
//! yet is none after an express ban; an unintended fault for the common good is none for private gain. The outcome, liable,
//! lighter or exempt, is proposed and approved by different people, with a reason for each judgement.
//! Source: `domain.md`, Verification, Tolerance.
//!
//! It stands with the person's sanctions and not with the case, so that one version guards both: whoever is exempt is not
//! sanctioned, whoever is sanctioned was assessed, also when the two are decided in the same moment. Who decides, and when,
//! stands in [`super::assessing`].

use std::collections::BTreeSet;

use chassis::aggregate::TextRef;
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{ActorId, AllegationId, CaseId, MatterId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::recording::StoredRecusal;

/// How one substantiated finding is assessed; `T` is where the reasons are: the id of a text in a command, its reference in
/// an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment<T> {
    /// On which allegation the finding is.
    pub allegation: AllegationId,
    /// The first distinction.
    pub breach: Judged<Breach, T>,
    /// The second.
    pub experiment: Judged<Experiment, T>,
    /// The third.
    pub motive: Judged<Motive, T>,
    /// What comes of it.
    pub liability: Judged<Liability, T>,
}

/// A judgement with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged<J, T> {
    /// The judgement.
    pub is: J,
    /// Why.
    pub reason: T,
}

/// Whether a rule was broken by a slip in a reform or knowingly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    /// For want of experience.
    WantOfExperience,
    /// Knowingly.
    Knowing,
    /// Neither can be said.
    #[default]
    Neither,
}

/// Whether it was an experiment, and of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Experiment {
    /// Where nothing was forbidden yet.
    NothingForbidden,
    /// After an express ban.
    ExpresslyBanned,
    /// It was none.
    #[default]
    Neither,
}

/// What the fault was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motive {
    /// Unintended, for the common good.
    CommonGood,
    /// For private gain.
    PrivateGain,
    /// Neither can be said.
    #[default]
    Neither,
}

/// What comes of a substantiated finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liability {
    /// A sanction as the rules have it.
    #[default]
    Liable,
    /// A lighter one.
    Lighter,
    /// None.
    Exempt,
}

impl Liability {
    /// Its key in the statistics.
    pub const fn figure(self) -> &'static str {
        match self {
            Self::Liable => "liability_liable",
            Self::Lighter => "liability_lighter",
            Self::Exempt => "liability_exempt",
        }
    }
}

impl<T> Assessment<T> {
    /// Never exempt where private gain or a knowing breach is recorded.
    pub fn bars_exemption(&self) -> bool {
        self.breach.is == Breach::Knowing || self.motive.is == Motive::PrivateGain
    }

    /// Whether one of the three distinctions speaks for the person.
    pub fn speaks_for_the_person(&self) -> bool {
        self.breach.is == Breach::WantOfExperience
            || self.experiment.is == Experiment::NothingForbidden
            || self.motive.is == Motive::CommonGood
    }

    /// The same with its reasons elsewhere.
    pub(super) fn with<U>(&self, reason: impl Fn(&T) -> U) -> Assessment<U> {
        Assessment {
            allegation: self.allegation,
            breach: self.breach.with(&reason),
            experiment: self.experiment.with(&reason),
            motive: self.motive.with(&reason),
            liability: self.liability.with(&reason),
        }
    }
}

impl<J: Copy, T> Judged<J, T> {
    fn with<U>(&self, reason: impl Fn(&T) -> U) -> Judged<J, U> {
        Judged {
            is: self.is,
            reason: reason(&self.reason),
        }
    }
}

/// How the assessment of one case stands; see [`State::tolerance`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// What was proposed last.
    pub proposed: ToleranceProposed,
    /// Whoever proposed in this case, ever. Four eyes look here.
    pub drafted_by: BTreeSet<ActorId>,
    /// What became of that.
    pub progress: Progress,
}

/// What became of a proposed assessment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It waits for approval.
    Proposed,
    /// It went back.
    Returned {
        /// Why.
        reason: TextRef,
    },
    /// It was approved.
    Approved {
        /// On which day.
        on: Date,
    },
}

/// See [`super::Event::ToleranceProposed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToleranceProposed {
    /// The case.
    pub case: CaseId,
    /// The person.
    pub subject: SubjectId,
    /// Who proposed.
    pub by: ActorId,
    /// One for each substantiated finding on the person.
    pub assessments: Vec<Assessment<TextRef>>,
    /// The matter of the case.
    pub matter: MatterId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The number of the conclusion that is assessed.
    pub conclusion: i32,
    /// The unit that handles the case.
    pub unit: UnitCode,
    /// Who stays out of the case.
    #[serde(flatten, with = "StoredRecusal")]
    pub recusal: Recusal,
}

/// See [`super::Event::ToleranceReturned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToleranceReturned {
    /// The case.
    pub case: CaseId,
    /// Its matter.
    pub matter: MatterId,
    /// Why.
    pub reason: TextRef,
}

/// See [`super::Event::ToleranceApproved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToleranceApproved {
    /// The case.
    pub case: CaseId,
    /// The person.
    pub subject: SubjectId,
    /// Its matter.
    pub matter: MatterId,
    /// Where that was entered from.
    pub source: String,
    /// The number of the conclusion that was assessed.
    pub conclusion: i32,
    /// The unit that assessed.
    pub unit: UnitCode,
    /// What was proposed, and counts from now on.
    pub assessments: Vec<Assessment<TextRef>>,
    /// On which day.
    pub on: Date,
}

//! What is known of a clarification: its state, from the application or the conclusion that opens it to the note of the
//! organisation department, and what is worked out of that.
//!
//! The trap: the state is stored beside the journal. With every change of its form, raise
//! [`FORMAT`](chassis::aggregate::Aggregate::FORMAT).

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Rejection, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::NOT_FOUND;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ActorId, MatterId, Notice, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::afterwards::Confirmation;
use super::applying::Applications;
use super::approval::Approval;
use super::carrying_out::Execution;
use super::drafting::Statement;
use super::forms::DecidedForm;
use super::screening::Screening;
use super::waiting::Applied;
use super::wish::Wish;
use super::{CARRIED_OUT, Context, HALTED, NOT_CLEARED, NOT_ELIGIBLE, SUPERSEDED};
use crate::conclusion::{Clearance, Reason, Subject};
use crate::ledger;
use crate::printing::Document;

/// How far a clarification is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No conclusion has cleared the subject, and nobody has applied for it.
    #[default]
    Unopened,
    /// The subject has applied, and no conclusion has cleared them.
    Applied(Box<Applied>),
    /// A conclusion has cleared the subject.
    Open(Box<Dossier>),
}

/// What is known of a clarification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// The matter.
    pub matter: MatterId,
    /// Where the matter was entered from: a register's name, or empty.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// The units whose personnel department keeps the subject's record.
    pub kept_by: Vec<UnitCode>,
    /// Who is recused from the matter.
    pub recusal: Recusal,
    /// The ordinal of the newest ruling that was heard.
    pub heard: u32,
    /// How often it was taken up; 1 at first.
    pub round: u32,
    /// The conclusion that it rests on.
    pub clearance: Clearance,
    /// Whoever had a part in preparing it, ever. Four eyes look here.
    pub took_part: BTreeSet<ActorId>,
    /// What the subject wished before it was last taken up. Nothing is done on it, but a refusal is not forgotten.
    pub earlier_wish: Option<Wish>,
    /// What the subject applied for in writing.
    pub applications: Applications,
    /// How far it is.
    pub stage: Stage,
    /// Its entries in ledgers, in their order.
    pub entries: Vec<ledger::Entered>,
    /// The meetings that it was ever carried out at.
    pub meetings: BTreeMap<Uuid, Held>,
    /// The meetings that were ever convened for it.
    pub called: BTreeSet<Uuid>,
    /// Those of them that it was to be carried out at and that know what became of it.
    pub answered: BTreeSet<Uuid>,
    /// When bulletins must be removed, of this round or an earlier one, while it was not asked for.
    pub removals: BTreeSet<Timestamp>,
    /// When those bulletins had to be removed whose removal was asked for.
    pub removal_asked: BTreeSet<Timestamp>,
    /// The documents that were handed over, by the round in which they were.
    pub handed_over: BTreeMap<u32, Vec<Document>>,
}

/// That a meeting was held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// By which unit.
    pub unit: UnitCode,
    /// On which day.
    pub on: Date,
}

/// How far a clarification is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The harm that was recorded rules it out.
    NotEligible {
        /// All conditions that are not met.
        reasons: Vec<Reason>,
    },
    /// It is being prepared.
    Preparing(Preparation),
    /// The name was cleared.
    CarriedOut {
        /// How it was prepared.
        preparation: Preparation,
        /// How it was carried out.
        execution: Box<Execution>,
        /// Whether the organisation department took note.
        confirmation: Confirmation,
    },
    /// The conclusion stood no longer before it was carried out.
    Halted,
    /// The conclusion stood no longer after it was carried out.
    Superseded,
}

/// A clarification on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// What the departments said.
    pub screening: Screening,
    /// What the subject wishes; `None` while it was not heard.
    pub wish: Option<Wish>,
    /// How far the work is.
    pub progress: Progress,
}

/// How far the work on a clarification is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Its form is not decided.
    Undecided,
    /// Its form is.
    FormDecided {
        /// The form.
        form: DecidedForm,
        /// Why the last draft came back, if one did.
        returned: Option<TextRef>,
    },
    /// Its statement waits for approval.
    Drafted {
        /// The form.
        form: DecidedForm,
        /// The statement.
        statement: Statement,
    },
    /// It is to be carried out.
    Approved {
        /// The form.
        form: DecidedForm,
        /// The statement.
        statement: Statement,
        /// By whom it was approved, and until when it must be carried out.
        approval: Approval,
        /// The documents of this approval; none while they are being made.
        documents: Vec<Document>,
    },
}

impl Progress {
    /// The form, once it is decided.
    pub fn form(&self) -> Option<&DecidedForm> {
        match self {
            Self::Undecided => None,
            Self::FormDecided { form, .. }
            | Self::Drafted { form, .. }
            | Self::Approved { form, .. } => Some(form),
        }
    }

    /// The statement, once it is drafted.
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Undecided | Self::FormDecided { .. } => None,
            Self::Drafted { statement, .. } | Self::Approved { statement, .. } => Some(statement),
        }
    }

    /// The approval, once it is approved.
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved { approval, .. } => Some(approval),
            _ => None,
        }
    }
}

/// What becomes of what was prepared when something is said that it cannot outlast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It stays.
    Stays,
    /// It is done again.
    Falls,
}

/// How far a clarification is, in one word: as it is listed, counted and filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The subject has applied, and no conclusion has cleared them.
    Applied,
    /// Opinions are missing.
    Screening,
    /// All departments agree.
    Eligible,
    /// The harm rules it out, or a department objects.
    NotEligible,
    /// The form is decided.
    FormDecided,
    /// The statement waits for approval.
    Drafted,
    /// It is to be carried out.
    Approved,
    /// The name was cleared.
    CarriedOut,
    /// The organisation department took note.
    Confirmed,
    /// The subject does not wish it.
    Declined,
    /// The conclusion stood no longer before it was carried out.
    Halted,
    /// The conclusion stood no longer after it was carried out.
    Superseded,
}

impl State {
    /// What is known of it; `None` while it was not opened.
    pub fn dossier(&self) -> Option<&Dossier> {
        match self {
            Self::Unopened | Self::Applied(_) => None,
            Self::Open(dossier) => Some(dossier),
        }
    }

    /// What is known of it.
    ///
    /// # Errors
    /// [`NOT_FOUND`] where there is nothing, [`NOT_CLEARED`] where there is an application only.
    pub(super) fn opened(&self) -> Result<&Dossier, Rejection> {
        match self {
            Self::Unopened => Err(NOT_FOUND.into()),
            Self::Applied(_) => Err(NOT_CLEARED.into()),
            Self::Open(dossier) => Ok(dossier),
        }
    }

    /// The matter; `None` while there is nothing.
    pub(super) fn matter(&self) -> Option<MatterId> {
        match self {
            Self::Unopened => None,
            Self::Applied(applied) => Some(applied.matter),
            Self::Open(dossier) => Some(dossier.matter),
        }
    }

    /// Who is recused; `None` while there is nothing.
    pub(super) fn recusal(&self) -> Option<&Recusal> {
        match self {
            Self::Unopened => None,
            Self::Applied(applied) => Some(&applied.recusal),
            Self::Open(dossier) => Some(&dossier.recusal),
        }
    }

    /// All conditions that are not met; nothing where it goes on, or there is nothing.
    pub fn reasons(&self) -> Vec<Reason> {
        match self {
            Self::Unopened => Vec::new(),
            Self::Applied(applied) => applied.reasons.clone(),
            Self::Open(dossier) => dossier.reasons(),
        }
    }

    /// How far it is, in one word; `None` while there is nothing.
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Self::Unopened => None,
            Self::Applied(_) => Some(Standing::Applied),
            Self::Open(dossier) => Some(dossier.standing()),
        }
    }

    /// A clarification that is being prepared, for an actor of the unit that carries it out or of one above. Who keeps
    /// the subject's record sees it and takes note of it, and does nothing else.
    pub(super) fn preparing(
        &self,
        context: &Context,
    ) -> Result<(&Dossier, &Preparation), Rejection> {
        let dossier = self.opened()?;
        context.visitor().within([&dossier.clearance.unit])?;
        match &dossier.stage {
            Stage::Preparing(preparation) => Ok((dossier, preparation)),
            Stage::NotEligible { .. } => Err(NOT_ELIGIBLE.into()),
            Stage::CarriedOut { .. } => Err(CARRIED_OUT.into()),
            Stage::Halted => Err(HALTED.into()),
            Stage::Superseded => Err(SUPERSEDED.into()),
        }
    }
}

impl Dossier {
    /// All conditions that are not met; nothing where it goes on.
    pub fn reasons(&self) -> Vec<Reason> {
        match &self.stage {
            Stage::NotEligible { reasons } => reasons.clone(),
            _ if self.standing() == Standing::NotEligible => vec![Reason::Objection],
            _ => Vec::new(),
        }
    }

    /// How far it is, in one word.
    pub fn standing(&self) -> Standing {
        let preparation = match &self.stage {
            Stage::NotEligible { .. } => return Standing::NotEligible,
            Stage::Halted => return Standing::Halted,
            Stage::Superseded => return Standing::Superseded,
            Stage::CarriedOut {
                confirmation: Confirmation::Confirmed { .. },
                ..
            } => return Standing::Confirmed,
            Stage::CarriedOut { .. } => return Standing::CarriedOut,
            Stage::Preparing(preparation) => preparation,
        };
        if preparation.wish.as_ref().is_some_and(Wish::declines) {
            return Standing::Declined;
        }
        if preparation.screening.objected() {
            return Standing::NotEligible;
        }
        match &preparation.progress {
            Progress::Undecided if preparation.screening.all_agree() => Standing::Eligible,
            Progress::Undecided => Standing::Screening,
            Progress::FormDecided { .. } => Standing::FormDecided,
            Progress::Drafted { .. } => Standing::Drafted,
            Progress::Approved { .. } => Standing::Approved,
        }
    }

    /// What was said of the deadline that runs: of carrying out, or of the organisation department's note.
    pub fn notice(&self) -> Notice {
        match &self.stage {
            Stage::Preparing(Preparation { progress, .. }) => progress
                .approval()
                .map_or(Notice::Silent, |approval| approval.notice),
            Stage::CarriedOut {
                confirmation: Confirmation::Reminded,
                ..
            } => Notice::Overdue,
            _ => Notice::Silent,
        }
    }

    /// Whether the subject cannot be heard, and the unit decides, or decided, in their place.
    pub fn unreachable(&self) -> bool {
        let wish = self.preparation().and_then(|said| said.wish.as_ref());
        matches!(wish, Some(Wish::Unreachable { .. }))
    }

    /// How far the work on it is, or was when it was carried out; `None` where there is no preparation.
    pub fn progress(&self) -> Option<&Progress> {
        self.preparation().map(|preparation| &preparation.progress)
    }

    /// How it was or is being prepared; `None` where the harm rules it out or the conclusion stands no longer.
    pub fn preparation(&self) -> Option<&Preparation> {
        match &self.stage {
            Stage::Preparing(preparation) | Stage::CarriedOut { preparation, .. } => {
                Some(preparation)
            }
            Stage::NotEligible { .. } | Stage::Halted | Stage::Superseded => None,
        }
    }
}

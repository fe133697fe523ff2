//! A report: one submission by one reporter through one channel, from its receipt to the decision of triage.
//!
//! received → accepted | joined to an existing matter | declined | transferred out | withdrawn. Its decisions stand in
//! the rooms of this folder: [`submission`], [`routing`], [`receipt`] for what a reporter does with the code,
//! [`triage`], and [`joining`] for what a report has to do with a matter that was there before.
//! Source: `domain.md`, Intake, Report.

pub mod joining;
pub mod receipt;
pub mod routing;
pub mod submission;
pub mod triage;

#[cfg(test)]
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Context, Decision, Effects, TextRef, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use office::{MatterId, ReportId, SubjectId, TextId, UnitCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::allegation::{Allegation, Whom};
use crate::erasure::{self, Erasure, TextErased};
use crate::matter::{self, Matter, NewFacts};
use crate::recusal::RECUSED;
use crate::report::receipt::{Receipt, ReceiptCode};
use crate::report::submission::{Submission, Submitted};
use crate::subject::Entry;

/// Triage has decided, and otherwise.
pub const ALREADY_DECIDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_REPORT_ALREADY_DECIDED",
    "This report was already decided on; look at its state.",
);
/// An allegation or an officer names somebody whom the register does not have.
pub const SUBJECT_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "INTAKE_SUBJECT_UNKNOWN",
    "There is no such subject in the register; register it first.",
);
/// The unit that would handle it is headed by a subject, or stands below such a unit.
pub const HEADED_BY_SUBJECT: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_UNIT_HEADED_BY_SUBJECT",
    "A subject heads this unit or one above it, so it may not handle this; choose a unit above.",
);

/// A report.
#[derive(Clone, Copy, Debug)]
pub struct Report;

/// What is known of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none.
    #[default]
    Unknown,
    /// It was submitted.
    Filed(Box<Filed>),
}

/// A report that was submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filed {
    /// What was submitted, and what followed from it then.
    pub submitted: Submitted,
    /// The subjects, those that were identified later among them.
    pub subjects: Vec<Entry>,
    /// Whom its placeholders turned out to be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identified: BTreeMap<SubjectId, SubjectId>,
    /// What is kept of the code that is valid now.
    pub receipt: Receipt,
    /// Whether that code was used.
    #[serde(default)]
    pub receipt_used: bool,
    /// Who stays out; once it belongs to a matter, those of the whole matter.
    pub recusal: Recusal,
    /// What was added later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub materials: Vec<TextRef>,
    /// Which of its texts are gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erased: BTreeSet<TextId>,
    /// Whether triage was late.
    #[serde(default)]
    pub overdue: bool,
    /// The unit that its matter was raised to since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_to: Option<UnitCode>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a report stands; each stage holds what exists only then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for triage.
    Received,
    /// Raised a matter.
    Accepted(triage::Accepted),
    /// Joined a matter that was there.
    Joined(joining::Joined),
    /// Was not taken up.
    Declined(triage::Declined),
    /// Went to another body.
    Transferred(triage::Transferred),
    /// The reporter took it back.
    Withdrawn,
}

impl State {
    /// The report, once there is one.
    pub fn filed(&self) -> Option<&Filed> {
        match self {
            Self::Unknown => None,
            Self::Filed(filed) => Some(filed),
        }
    }
}

impl Filed {
    /// The unit where it lies: that of the routing, then the one that handles its matter.
    pub fn unit(&self) -> &UnitCode {
        if let Some(unit) = &self.raised_to {
            return unit;
        }
        match &self.stage {
            Stage::Accepted(accepted) => &accepted.unit,
            Stage::Joined(joined) => &joined.unit,
            Stage::Received | Stage::Declined(_) | Stage::Transferred(_) | Stage::Withdrawn => {
                &self.submitted.routing.unit
            }
        }
    }

    /// The matter that it raised or joined.
    pub fn matter(&self) -> Option<MatterId> {
        match &self.stage {
            Stage::Accepted(accepted) => Some(accepted.matter),
            Stage::Joined(joined) => Some(joined.matter),
            Stage::Received | Stage::Declined(_) | Stage::Transferred(_) | Stage::Withdrawn => None,
        }
    }

    /// Its allegations as they are known now: whoever was identified since stands in the placeholder's place.
    pub fn current_allegations(&self) -> Vec<Allegation> {
        let mut allegations = self.submitted.allegations.clone();
        for allegation in &mut allegations {
            if let Some(subject) = self.identified.get(&allegation.whom.id()) {
                allegation.whom = Whom::Registered(*subject);
            }
        }
        allegations
    }

    /// Its allegations as they were submitted.
    pub fn allegations(&self) -> &[Allegation] {
        &self.submitted.allegations
    }

    /// Its own texts: what was submitted and what was added later.
    pub fn texts(&self) -> impl Iterator<Item = &TextRef> {
        let submitted = self.submitted.allegations.iter();
        submitted
            .flat_map(|allegation| [Some(&allegation.narrative), allegation.whom.description()])
            .flatten()
            .chain(&self.materials)
    }

    /// Whether a subject heads this unit or one above it: then the unit may not handle, nor see, this report.
    pub fn is_headed_by_subject(&self, unit: &UnitCode, units: &office::Units) -> bool {
        self.subjects
            .iter()
            .filter_map(|subject| subject.heads.as_ref())
            .any(|headed| *unit != units.root().code && units.is_at_or_above(headed, unit))
    }
}

/// The matter that a report raises when it is accepted; the report is found under it from its first day.
pub fn own_matter(report: ReportId) -> MatterId {
    MatterId::natural(&[report.as_bytes()])
}

/// What can be asked of a report.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Take it in.
    Submit(Submission),
    /// Add material to it.
    AddMaterial {
        /// What is added.
        material: TextId,
        /// The reporter's code; never serialised, because the journal keeps a hash of the command without a key.
        #[serde(skip)]
        receipt: Option<ReceiptCode>,
    },
    /// Note that the reporter takes it back.
    Withdraw {
        /// The reporter's code; never serialised, because the journal keeps a hash of the command without a key.
        #[serde(skip)]
        receipt: Option<ReceiptCode>,
    },
    /// Give it a fresh code, because the answer with the one before may be lost.
    ReplaceReceipt {
        /// The fresh code; never serialised.
        #[serde(skip)]
        receipt: Option<ReceiptCode>,
    },
    /// Note that its code was used.
    UseReceipt {
        /// The reporter's code; never serialised.
        #[serde(skip)]
        receipt: Option<ReceiptCode>,
    },
    /// Accept it to a handling unit.
    Accept {
        /// The handling unit; where it lies if not given.
        unit: Option<UnitCode>,
        /// The candidates of the repeat ledger that are other matters.
        rejected: Vec<triage::RejectedCandidate>,
    },
    /// Decline it.
    Decline {
        /// A code of the profile's list.
        reason: String,
    },
    /// Hand it to another body.
    Transfer {
        /// The body.
        body: String,
        /// Code of why.
        reason: String,
    },
    /// Note that triage is late.
    RecordTriageOverdue,
    /// Join it to the matter that it repeats.
    Join {
        /// The matter.
        matter: MatterId,
        /// Whether it brings something new.
        new_facts: NewFacts,
    },
    /// Follow what became known in its matter.
    FollowMatter(joining::News),
    /// Erase one of its texts.
    EraseText(Erasure),
}

chassis::events! {
    /// What can happen to a report.
    pub enum Event {
        /// It was taken in.
        Submitted(Submitted) = "report_submitted" 1,
        /// It has a fresh receipt code.
        ReceiptReplaced(receipt::ReceiptReplaced) = "receipt_replaced" 1,
        /// Its receipt code was used for the first time.
        ReceiptUsed(receipt::ReceiptUsed) = "receipt_used" 1,
        /// Something was added.
        MaterialAdded(receipt::MaterialAdded) = "report_material_added" 1,
        /// It was taken back.
        Withdrawn(receipt::Withdrawn) = "report_withdrawn" 1,
        /// It raised a matter.
        Accepted(triage::Accepted) = "report_accepted" 1,
        /// It was not taken up.
        Declined(triage::Declined) = "report_declined" 1,
        /// It went to another body.
        Transferred(triage::Transferred) = "report_transferred" 1,
        /// Triage is late.
        TriageOverdue(triage::TriageOverdue) = "report_triage_overdue" 1,
        /// It joined a matter that was there.
        Joined(joining::Joined) = "report_joined" 1,
        /// Something became known in its matter that it must know too.
        MatterFollowed(joining::News) = "report_matter_followed" 2 { 1 => before_levels },
        /// One of its texts is gone.
        TextErased(TextErased) = "report_text_erased" 1,
    }
}

/// Version 1 is of before a matter could be raised to another unit.
fn before_levels<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// What is asked before a decision on a report.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// For a submission: the register's entries of the subjects that it names.
    pub subjects: BTreeMap<SubjectId, Entry>,
    /// For an acceptance: the candidates that the repeat ledger shows now.
    pub candidates: Vec<MatterId>,
    /// For a joining: the matter.
    pub matter: matter::State,
}

impl Aggregate for Report {
    const KIND: &'static str = ReportId::KIND;
    const FORMAT: u32 = 4;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context<Facts>) -> Decision<Event> {
        let filed = match (state, command) {
            (State::Filed(filed), _) => filed,
            (State::Unknown, Command::Submit(submission)) => {
                return submission::submit(submission, context);
            }
            (State::Unknown, _) => return Err(NOT_FOUND.into()),
        };
        match command {
            // Its id follows from the request, so this is the same request again.
            Command::Submit(_) => Ok(Vec::new()),
            Command::AddMaterial { material, receipt } => {
                receipt::add_material(filed, *material, receipt.as_ref(), context)
            }
            Command::Withdraw { receipt } => receipt::withdraw(filed, receipt.as_ref(), context),
            Command::ReplaceReceipt { receipt } => {
                receipt::replace(filed, receipt.as_ref(), context)
            }
            Command::UseReceipt { receipt } => {
                receipt::use_receipt(filed, receipt.as_ref(), context)
            }
            Command::Accept { unit, rejected } => {
                triage::accept(filed, unit.as_ref(), rejected, context)
            }
            Command::Decline { reason } => triage::decline(filed, reason, context),
            Command::Transfer { body, reason } => triage::transfer(filed, body, reason),
            Command::RecordTriageOverdue => triage::record_overdue(filed, context),
            Command::Join { matter, new_facts } => {
                joining::join(filed, *matter, *new_facts, context)
            }
            Command::FollowMatter(news) => joining::follow_matter(filed, news, context),
            Command::EraseText(wanted) => {
                let erased = erasure::erase(filed.texts(), &filed.erased, wanted)?;
                Ok(erased.into_iter().map(Event::TextErased).collect())
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let filed = match (state, event) {
            (state, Event::Submitted(submitted)) => {
                *state = State::Filed(Box::new(submission::filed(submitted)));
                return;
            }
            (State::Filed(filed), _) => filed,
            // Every history begins with a submission.
            (State::Unknown, _) => return,
        };
        match event {
            Event::Submitted(_) => {}
            Event::ReceiptReplaced(replaced) => filed.receipt = replaced.receipt.clone(),
            Event::ReceiptUsed(_) => filed.receipt_used = true,
            Event::MaterialAdded(added) => filed.materials.push(added.material.clone()),
            Event::Withdrawn(_) => filed.stage = Stage::Withdrawn,
            Event::Accepted(accepted) => filed.stage = Stage::Accepted(accepted.clone()),
            Event::Declined(declined) => filed.stage = Stage::Declined(declined.clone()),
            Event::Transferred(transferred) => {
                filed.stage = Stage::Transferred(transferred.clone());
            }
            Event::TriageOverdue(_) => filed.overdue = true,
            Event::Joined(joined) => {
                filed.recusal.extend(&joined.recusal);
                filed.stage = Stage::Joined(joined.clone());
            }
            Event::MatterFollowed(news) => joining::followed(filed, news),
            Event::TextErased(erased) => {
                filed.erased.insert(erased.text);
            }
        }
    }

    /// Only the unit where it lies and those above see it, and nobody who is part of it. The public is let through here
    /// and held to the receipt code by what it may ask for.
    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(filed) = state.filed() else {
            return Ok(());
        };
        visitor.within([filed.unit()])?;
        filed.recusal.check(visitor, RECUSED)
    }

    fn matter(id: Uuid, state: &State) -> Option<Uuid> {
        let filed = state.filed()?;
        let matter = filed.matter().unwrap_or_else(|| own_matter(id.into()));
        Some(matter.into())
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        let report = ReportId::from(id);
        match event {
            Event::Submitted(submitted) => effects.clock::<Report>(
                triage::CLOCK,
                submitted.triage_due,
                "RecordTriageOverdue",
                &Command::RecordTriageOverdue,
            ),
            Event::Accepted(accepted) => {
                effects.stop_clock(triage::CLOCK);
                effects.then::<Matter>(
                    accepted.matter,
                    "OpenMatter",
                    &matter::Command::Open { report },
                );
            }
            Event::Joined(joined) => {
                effects.stop_clock(triage::CLOCK);
                effects.then::<Matter>(
                    joined.matter,
                    "RegisterJoinedReport",
                    &matter::Command::RegisterJoinedReport { report },
                );
            }
            Event::Declined(_) | Event::Transferred(_) | Event::Withdrawn(_) => {
                effects.stop_clock(triage::CLOCK);
            }
            Event::TextErased(erased) => effects.erase(erased.text),
            Event::ReceiptReplaced(_)
            | Event::ReceiptUsed(_)
            | Event::MaterialAdded(_)
            | Event::TriageOverdue(_)
            | Event::MatterFollowed(_) => {}
        }
    }
}

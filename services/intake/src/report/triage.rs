//! Triage: accept a report to a handling unit, decline it, hand it to another body; and its clock.
//! Source: `domain.md`, Intake, Triage and Repeat ledger.

use chassis::aggregate::{Context, Decision};
use chassis::refusal::{Refusal, RefusalKind};
use jiff::civil::Date;
use office::{MatterId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::report::{ALREADY_DECIDED, Event, Facts, Filed, HEADED_BY_SUBJECT, Stage, own_matter};

/// The clock of triage.
pub const CLOCK: &str = "triage_due";

/// The repeat ledger shows matters that nobody has decided on.
pub const CANDIDATES_UNDECIDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_CANDIDATES_UNDECIDED",
    "This report may repeat a matter; list its candidates, then reject each with a reason or join the report to one.",
);
/// Handed up or sideways.
pub const UNIT_NOT_BELOW: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_UNIT_NOT_BELOW",
    "A report is handled by the unit where it lies or by one below it; choose one of these.",
);
/// Not one of the profile's reasons.
pub const REASON_NOT_LISTED: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "INTAKE_REASON_NOT_LISTED",
    "The reason is none of the policy profile's list of reasons to decline.",
);

/// An officer's word that a candidate is another matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCandidate {
    /// The candidate.
    pub matter: MatterId,
    /// Code of why.
    pub reason: String,
}

/// It raised a matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The matter.
    pub matter: MatterId,
    /// The handling unit.
    pub unit: UnitCode,
    /// The candidates of the repeat ledger that were other matters.
    pub rejected: Vec<RejectedCandidate>,
}

/// It was not taken up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declined {
    /// A code of the profile's list.
    pub reason: String,
    /// The policy profile whose list it is.
    pub policy: String,
}

/// It went to another body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transferred {
    /// The body.
    pub body: String,
    /// Code of why.
    pub reason: String,
}

/// Triage is late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriageOverdue {
    /// When it was due.
    pub due_on: Date,
}

pub(super) fn accept(
    filed: &Filed,
    unit: Option<&UnitCode>,
    rejected: &[RejectedCandidate],
    context: &Context<Facts>,
) -> Decision<Event> {
    let lies = &filed.submitted.routing.unit;
    let unit = unit.unwrap_or(lies);
    match &filed.stage {
        Stage::Received => {}
        Stage::Accepted(accepted) if accepted.unit == *unit && accepted.rejected == rejected => {
            return Ok(Vec::new());
        }
        _ => return Err(ALREADY_DECIDED.into()),
    }
    let units = &context.profile.units;
    if !units.is_at_or_above(lies, unit) {
        return Err(UNIT_NOT_BELOW.at("unit").into());
    }
    if filed.is_headed_by_subject(unit, units) {
        return Err(HEADED_BY_SUBJECT.at("unit").into());
    }
    let decided = |candidate: &MatterId| {
        rejected
            .iter()
            .any(|rejection| rejection.matter == *candidate)
    };
    if !context.facts.candidates.iter().all(decided) {
        return Err(CANDIDATES_UNDECIDED.at("rejected_candidates").into());
    }
    Ok(vec![
        Accepted {
            matter: own_matter(context.id.into()),
            unit: unit.clone(),
            rejected: rejected.to_vec(),
        }
        .into(),
    ])
}

pub(super) fn decline(filed: &Filed, reason: &str, context: &Context<Facts>) -> Decision<Event> {
    match &filed.stage {
        Stage::Received => {}
        Stage::Declined(declined) if declined.reason == reason => return Ok(Vec::new()),
        _ => return Err(ALREADY_DECIDED.into()),
    }
    let reasons = &context.profile.intake.decline_reasons;
    if !reasons.iter().any(|known| known == reason) {
        return Err(REASON_NOT_LISTED.at("reason").into());
    }
    Ok(vec![
        Declined {
            reason: reason.to_owned(),
            policy: context.profile.version.clone(),
        }
        .into(),
    ])
}

pub(super) fn transfer(filed: &Filed, body: &str, reason: &str) -> Decision<Event> {
    let transferred = Transferred {
        body: body.to_owned(),
        reason: reason.to_owned(),
    };
    match &filed.stage {
        Stage::Received => Ok(vec![transferred.into()]),
        Stage::Transferred(already) if *already == transferred => Ok(Vec::new()),
        _ => Err(ALREADY_DECIDED.into()),
    }
}

/// A clock that no longer applies yields nothing.
pub(super) fn record_overdue(filed: &Filed, context: &Context<Facts>) -> Decision<Event> {
    let waits = filed.stage == Stage::Received && !filed.overdue;
    if !waits || context.now < filed.submitted.triage_due {
        return Ok(Vec::new());
    }
    Ok(vec![
        TriageOverdue {
            due_on: filed.submitted.triage_due_on,
        }
        .into(),
    ])
}

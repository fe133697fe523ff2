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

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::given;

    use super::*;
    use crate::examples::{
        CITY, COUNTY, OTHER_TOWN, TOWN, about, accept, acting_as, officer, received, subject,
        submission, submitted_as, unit,
    };
    use crate::recusal::RECUSED;
    use crate::report::{Command, Report};
    use crate::subject::Entry;

    fn accept_to(code: &str) -> Command {
        Command::Accept {
            unit: Some(unit(code)),
            rejected: Vec::new(),
        }
    }

    fn rejecting(matter: MatterId) -> Command {
        Command::Accept {
            unit: None,
            rejected: vec![RejectedCandidate {
                matter,
                reason: "other_incident".to_owned(),
            }],
        }
    }

    fn decline(reason: &str) -> Command {
        Command::Decline {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn an_accepted_report_raises_a_matter_of_its_own() {
        let report = received(&[subject("one")]);
        let matter = own_matter(report.context().id.into());
        report
            .when(accept())
            .then([Accepted {
                matter,
                unit: unit(COUNTY),
                rejected: Vec::new(),
            }])
            .when(accept_to(COUNTY))
            .then_already()
            .when(accept_to(TOWN))
            .then_refused(&ALREADY_DECIDED);
    }

    #[test]
    fn a_unit_hands_down_to_one_below_and_never_up_or_sideways() {
        let report = received(&[subject("one")]);
        report.clone().when(accept_to(OTHER_TOWN)).accepted();
        for elsewhere in [CITY, "P51-02"] {
            report
                .clone()
                .when(accept_to(elsewhere))
                .then_refused(&UNIT_NOT_BELOW);
        }
    }

    #[test]
    fn nothing_is_handed_down_to_a_unit_that_a_subject_heads() {
        let head = Entry {
            heads: Some(unit(COUNTY)),
            ..subject("head")
        };
        let report = received(&[head]).actor(officer("of-the-city", CITY));
        for headed in [COUNTY, TOWN] {
            report
                .clone()
                .when(accept_to(headed))
                .then_refused(&HEADED_BY_SUBJECT);
        }
        report.when(accept_to("P51-01-02")).accepted();
    }

    #[test]
    fn a_report_that_was_handed_down_stays_in_sight_of_the_units_above() {
        let (_, handed_down) = received(&[subject("one")])
            .when(accept_to(OTHER_TOWN))
            .accepted();
        let look = |id: &str, at: &str| handed_down.clone().actor(officer(id, at));
        look("above", CITY)
            .when(accept_to(OTHER_TOWN))
            .then_already();
        look("handler", OTHER_TOWN)
            .when(accept_to(OTHER_TOWN))
            .then_already();
        look("beside", TOWN)
            .when(accept_to(OTHER_TOWN))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn every_candidate_is_rejected_before_a_report_is_accepted() {
        let candidate = MatterId::natural(&[b"candidate"]);
        let report = received(&[subject("one")]).facts(Facts {
            candidates: vec![candidate],
            ..Facts::default()
        });
        report
            .clone()
            .when(accept())
            .then_refused(&CANDIDATES_UNDECIDED);
        report
            .clone()
            .when(rejecting(MatterId::natural(&[b"another"])))
            .then_refused(&CANDIDATES_UNDECIDED);
        let (events, _) = report.when(rejecting(candidate)).accepted();
        let [Event::Accepted(accepted)] = &events[..] else {
            panic!("accepted");
        };
        assert_eq!(accepted.rejected.len(), 1, "the officer's word is kept");
    }

    #[test]
    fn who_is_a_subject_is_recused() {
        received(&[acting_as("officer-1", subject("one"))])
            .when(accept())
            .then_refused(&RECUSED);
    }

    #[test]
    fn who_reported_does_not_decide_on_it() {
        let one = subject("one");
        let mut reported = submission([about(&one)]);
        reported.reporter = Some("officer-1".parse().expect("a valid id"));
        let (submitted, report) = submitted_as(reported, &[one], given::<Report>());
        let kept = serde_json::to_string(&submitted).expect("an event is JSON");
        assert!(!kept.contains("officer-1"), "only a keyed hash is kept");
        report
            .clone()
            .actor(officer("officer-1", COUNTY))
            .when(accept())
            .then_refused(&RECUSED);
        report
            .actor(officer("officer-2", COUNTY))
            .facts(Facts::default())
            .when(accept())
            .accepted();
    }

    #[test]
    fn a_report_is_declined_with_a_reason_from_the_profiles_list() {
        let report = received(&[subject("one")]);
        report
            .clone()
            .when(decline("boring"))
            .then_refused(&REASON_NOT_LISTED);
        let (_, declined) = report.when(decline("out_of_scope")).accepted();
        declined
            .clone()
            .when(decline("out_of_scope"))
            .then_already();
        declined.when(accept()).then_refused(&ALREADY_DECIDED);
    }

    #[test]
    fn a_report_is_handed_to_another_body_once() {
        let transfer = |body: &str| Command::Transfer {
            body: body.to_owned(),
            reason: "other_body_competent".to_owned(),
        };
        let (_, transferred) = received(&[subject("one")])
            .when(transfer("COURT"))
            .accepted();
        transferred
            .when(transfer("COURT"))
            .then_already()
            .when(transfer("POLICE"))
            .then_refused(&ALREADY_DECIDED);
    }

    #[test]
    fn late_triage_is_recorded_once_and_only_while_nobody_decided() {
        let report = received(&[subject("one")]);
        let late = "2026-03-30T16:00:00Z";
        let due_on = "2026-03-30".parse().expect("a date");
        report
            .clone()
            .when(Command::RecordTriageOverdue)
            .then_already();
        report
            .clone()
            .now(late)
            .when(Command::RecordTriageOverdue)
            .then([TriageOverdue { due_on }])
            .when(accept())
            .accepted();
        let (_, accepted) = report.when(accept()).accepted();
        accepted
            .now(late)
            .when(Command::RecordTriageOverdue)
            .then_already();
    }

    #[test]
    fn there_is_nothing_to_decide_on_before_a_report_is_submitted() {
        given::<Report>()
            .when(accept())
            .then_refused(&chassis::refusal::NOT_FOUND);
    }
}

//! What precedes a sanction: everything that its conclusion substantiates about the person was assessed
//! ([`super::assessing`]), something is left to be sanctioned, and what is decided here is decided afterwards.

use chassis::aggregate::Rejection;
use chassis::refusal::{Refusal, RefusalKind};
use office::{Actor, Role};

use super::assessing::exempts;
use super::tolerance::{Progress, Tolerance};
use super::{Context, Sanction, State};

/// A sanction that nothing preceded.
pub const NOT_ASSESSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_NOT_ASSESSED",
    "Before a sanction the substantiated findings on this person are assessed, and they were not.",
);
/// A sanction while it is being assessed.
pub const BEING_ASSESSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_BEING_ASSESSED",
    "The substantiated findings on this person are being assessed; a sanction waits for the outcome.",
);
/// A sanction that came before what precedes it.
pub const DECIDED_BEFORE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_DECIDED_BEFORE",
    "What is decided here is decided after the assessment, so not on an earlier day than its approval.",
);
/// A sanction of somebody who is exempt.
pub const EXEMPT: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_EXEMPT",
    "This person is exempt in this case, and exempt means no sanction.",
);

/// Whether a sanction may follow: everything was assessed and something is left to be sanctioned. A machine tells what was
/// decided outside, where it was assessed too; but it neither overtakes an assessment here nor sanctions whom one exempts.
pub(super) fn leaves_to_sanction(
    state: &State,
    sanction: &Sanction,
    conclusion: i32,
    context: &Context,
) -> Result<(), Rejection> {
    match state.assessment(sanction.case, conclusion)? {
        None if is_machine(&context.actor) => Ok(()),
        None => Err(NOT_ASSESSED.into()),
        Some(known) if !matches!(known.progress, Progress::Approved { .. }) => {
            Err(BEING_ASSESSED.into())
        }
        Some(known) if exempts(&known.proposed.assessments) => Err(EXEMPT.into()),
        Some(Tolerance {
            progress: Progress::Approved { on },
            ..
        }) if *on > sanction.decided_on && !is_machine(&context.actor) => {
            Err(DECIDED_BEFORE.at("decided_on").into())
        }
        Some(_) => Ok(()),
    }
}

/// Whether a machine tells: what was decided elsewhere, as no machine decides here.
fn is_machine(actor: &Actor) -> bool {
    actor.roles == [Role::Automation].into()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::Command;
    use super::super::fixture::*;
    use super::super::tolerance::Liability;
    use super::*;
    use crate::case::fixture::supervisor;

    #[test]
    fn no_sanction_before_it_was_assessed() {
        an_official().when(record_it()).then_refused(&NOT_ASSESSED);
        a_proposal(LIABLE)
            .when(record_it())
            .then_refused(&BEING_ASSESSED);
        a_proposal(LIABLE)
            .events([returned()])
            .when(record_it())
            .then_refused(&BEING_ASSESSED);
        an_assessed(LIABLE).when(record_it()).then([recorded()]);
        an_assessed(&[(1, Liability::Lighter)])
            .when(record_it())
            .then([recorded()]);
    }

    #[test]
    fn exempt_means_no_sanction_here_or_from_outside() {
        for actor in [supervisor("gao"), machine()] {
            an_assessed(EXEMPTED)
                .actor(actor)
                .when(record_it())
                .then_refused(&EXEMPT);
        }
    }

    #[test]
    fn where_one_finding_is_exempt_and_another_is_not_a_sanction_follows_the_other() {
        let mixed = [(1, Liability::Exempt), (3, Liability::Liable)];
        an_assessed(&mixed).when(record_it()).then([recorded()]);
    }

    #[test]
    fn what_a_machine_tells_was_assessed_where_it_was_decided() {
        an_official()
            .actor(machine())
            .when(record_it())
            .then([recorded()]);
        for under_way in [a_proposal(LIABLE), a_proposal(LIABLE).events([returned()])] {
            under_way
                .actor(machine())
                .when(record_it())
                .then_refused(&BEING_ASSESSED);
        }
        let mut officer_too = machine();
        officer_too.roles.insert(Role::Supervisor);
        an_official()
            .actor(officer_too)
            .when(record_it())
            .then_refused(&NOT_ASSESSED);
    }

    #[test]
    fn what_is_decided_here_is_decided_after_the_assessment() {
        let late = a_proposal(LIABLE).events([approved(&all(LIABLE))]);
        let refusal = late.clone().when(record_it()).then_refused(&DECIDED_BEFORE);
        assert_eq!(refusal.violations[0].field, "decided_on");
        let today = Command::RecordSanction(sanction(date(2026, 3, 9), 12));
        late.clone().when(today).accepted();
        // What was decided outside was so whenever it is told.
        late.actor(machine()).when(record_it()).accepted();
    }
}

//! How a case moves to another unit: its matter was raised (提級辦理), and the case goes with it.
//!
//! The new unit begins with investigators of its own. Nobody of the unit below goes on by default: they may not see the
//! case any more, and whatever was found once must not decide what is found now. So what was proposed is returned, and
//! whoever took part stays known, because four eyes look there whichever unit it was. The deadline runs on.
//!
//! A case that has ended when the news arrives (it was concluded while the matter was raised) stays with the unit that
//! ended it, which also clears the names; the unit above handles it once it is opened again.

use chassis::aggregate::{Decision, Rejection};
use office::UnitCode;

use super::State;
use super::events::{Event, Moved};
use super::findings::ReturnCause;
use super::opening::returned;

/// Moves the case to this unit, now or once it is opened again.
pub(super) fn move_to(state: &State, unit: &UnitCode) -> Decision<Event> {
    let Some(dossier) = state.dossier() else {
        return Err(Rejection::NotYet("the case that moves with its matter"));
    };
    let from = dossier.moves_to.as_ref().unwrap_or(&dossier.unit);
    if from == unit {
        return Ok(Vec::new());
    }
    let mut events: Vec<Event> = returned(state, ReturnCause::Moved).into_iter().collect();
    events.push(
        Moved {
            matter: dossier.matter,
            source: dossier.source.clone(),
            from: from.clone(),
            to: unit.clone(),
        }
        .into(),
    );
    Ok(events)
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, clocks, given};

    use super::super::events::{Discontinued, FindingsReturned, Suspended};
    use super::super::fixture::*;
    use super::super::{
        Case, Command, Deadline, FOUR_EYES, NOT_INVESTIGATOR, NewFacts, Progress, RECUSED, case_of,
    };
    use super::*;

    fn move_up() -> Command {
        Command::MoveCase { unit: above() }
    }

    /// The case after its matter was raised.
    fn moved_up(case: Given<Case>) -> (Vec<Event>, Given<Case>) {
        case.actor(service()).when(move_up()).accepted()
    }

    fn suspended() -> Event {
        Suspended {
            reason: "illness".to_owned(),
            days_left: 50,
        }
        .into()
    }

    fn discontinued() -> Event {
        Discontinued {
            matter: id(0x10),
            source: "register".to_owned(),
            reason: "died".to_owned(),
        }
        .into()
    }

    fn unit_of(case: &Given<Case>) -> &UnitCode {
        &case.state().dossier().expect("it is opened").unit
    }

    #[test]
    fn a_case_moves_from_any_state_before_concluded() {
        for case in [
            an_opened_case(),
            an_investigated_case(),
            an_investigated_case().events([suspended()]),
            a_concluded_case().events([reopened("appeal")]),
        ] {
            let (events, after) = moved_up(case);
            assert_eq!(events, [moved()]);
            assert_eq!(unit_of(&after), &above());
            assert_eq!(after.state().team(), None, "nobody goes on by default");
        }
    }

    #[test]
    fn findings_proposed_before_a_move_are_returned() {
        let cause = ReturnCause::Moved;
        for case in [a_proposed_case(), a_proposed_case().events([suspended()])] {
            let (events, after) = moved_up(case);
            assert_eq!(
                events,
                [
                    FindingsReturned {
                        cause: cause.clone()
                    }
                    .into(),
                    moved()
                ]
            );
            assert_eq!(after.state().findings(), None);
        }
    }

    #[test]
    fn the_unit_below_no_longer_sees_what_was_moved_and_the_unit_above_assigns_its_own() {
        let (_, after) = moved_up(an_investigated_case());
        let assign = || Command::AssignInvestigators {
            investigators: vec![actor_id("wu"), actor_id("zhou")],
        };
        after
            .clone()
            .actor(supervisor("gao"))
            .when(assign())
            .then_refused(&OUT_OF_SCOPE);
        let propose = || Command::ProposeFindings {
            findings: findings(),
            harms: harms(),
        };
        after
            .clone()
            .actor(investigator("chen"))
            .when(propose())
            .then_refused(&OUT_OF_SCOPE);
        after
            .clone()
            .actor(at(above(), investigator("chen")))
            .when(propose())
            .then_refused(&NOT_INVESTIGATOR);
        after
            .actor(at(above(), supervisor("gao")))
            .when(assign())
            .accepted();
    }

    #[test]
    fn whoever_took_part_before_a_move_does_not_approve_after_it() {
        let (_, after) = moved_up(a_proposed_case());
        let proposed_again = after.events([assigned(&["wu", "zhou"]), proposed()]);
        for name in ["chen", "lin"] {
            proposed_again
                .clone()
                .actor(at(above(), supervisor(name)))
                .when(Command::ApproveFindings)
                .then_refused(&FOUR_EYES);
        }
        let (events, _) = proposed_again
            .actor(at(above(), supervisor("gao")))
            .when(Command::ApproveFindings)
            .accepted();
        let [Event::Concluded(concluded)] = &events[..] else {
            panic!("it is concluded, not {events:?}");
        };
        assert_eq!(concluded.unit, above(), "the unit that concluded");
    }

    #[test]
    fn who_was_recused_before_a_move_stays_so() {
        let (_, after) = moved_up(an_investigated_case());
        after
            .actor(at(above(), supervisor("accused")))
            .when(Command::ResumeCase)
            .then_refused(&RECUSED);
    }

    #[test]
    fn the_deadline_of_a_moved_case_runs_on() {
        let (events, after) = moved_up(an_investigated_case());
        assert_eq!(clocks::<Case>(case_of(id(0x10)), &events[0]), []);
        let State::Open { deadline, .. } = after.state() else {
            panic!("it is open");
        };
        assert_eq!(*deadline, Deadline::fresh(due()));
        let (_, after) = moved_up(an_investigated_case().events([suspended()]));
        let State::Open { deadline, .. } = after.state() else {
            panic!("it is open");
        };
        assert!(matches!(deadline, Deadline::Stopped { days_left: 50, .. }));
    }

    #[test]
    fn a_case_that_had_ended_is_handled_by_the_unit_above_once_it_is_opened_again() {
        let (events, after) = moved_up(a_concluded_case());
        assert_eq!(events, [moved()]);
        assert_eq!(unit_of(&after), &unit(), "whoever concluded keeps it");
        assert!(after.state().findings().is_some(), "its conclusion stands");
        let (_, after) = after
            .actor(supervisor("gao"))
            .when(Command::ReopenCase {
                reason: "appeal".to_owned(),
            })
            .accepted();
        assert_eq!(unit_of(&after), &above());
        assert_eq!(after.state().team(), None);

        let (_, after) = moved_up(an_investigated_case().events([discontinued()]));
        assert_eq!(unit_of(&after), &unit());
        let report = second_report(NewFacts::Brought);
        let (_, after) = after.when(Command::AddAllegations(report)).accepted();
        assert_eq!(unit_of(&after), &above());
        let State::Open { progress, .. } = after.state() else {
            panic!("it is open");
        };
        assert_eq!(*progress, Progress::Unassigned);
    }

    #[test]
    fn a_case_moves_once_for_each_level() {
        let (_, after) = moved_up(an_opened_case());
        let top: UnitCode = "N".parse().expect("a unit code");
        let after = after
            .when(move_up())
            .then_already()
            .when(Command::MoveCase { unit: top.clone() })
            .accepted()
            .1;
        assert_eq!(unit_of(&after), &top);
        let (_, ended) = moved_up(a_concluded_case());
        ended.when(move_up()).then_already();
        given::<Case>()
            .actor(service())
            .when(move_up())
            .then_not_yet();
    }
}

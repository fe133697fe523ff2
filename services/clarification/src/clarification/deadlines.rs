//! The deadlines of a clarification: five working days from the approval to carrying it out, warned before and recorded
//! when they have passed; the organisation department's note; and a bulletin's removal. Which event sets a clock, and
//! which stops it, stands in one place, [`clocks`]; what the last two say stands in [`afterwards`](super::afterwards).
//!
//! The trap: a clock may ring late or twice, and for what is another by now, so whoever it asks looks again.

use chassis::aggregate::{Decision, Effects, Rejection};
use jiff::Timestamp;
use office::{Due, Notice};
use serde::{Deserialize, Serialize};

use super::{Clarification, Command, Context, Event, Left, Preparation, Progress, Stage, State};

/// The clock that warns before the last day of carrying out.
const EXECUTION_WARNING: &str = "clarification_execution_warning";
/// The clock of that day.
const EXECUTION_DUE: &str = "clarification_execution_due";
/// The clock of the organisation department's note.
const CONFIRMATION: &str = "clarification_confirmation";
/// The clock of a bulletin's removal.
const REMOVAL: &str = "clarification_removal";

/// See [`Event::ExecutionNear`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionNear {
    /// The end of the last day.
    pub due: Timestamp,
}

/// See [`Event::ExecutionOverdue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionOverdue {
    /// The end of the last day.
    pub due: Timestamp,
}

/// Says that the last day of carrying it out is near, once; nothing if it is another one by now.
pub(super) fn warn(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent)) if context.now >= due.warn_at => {
            vec![ExecutionNear { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// Records that the last day of carrying it out has passed, once; nothing if it is another one by now.
pub(super) fn record_overdue(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent | Notice::Near)) if context.now >= due.at => {
            vec![ExecutionOverdue { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// Until when it must be carried out, and what was said of it; `None` unless it is approved.
fn running(state: &State) -> Result<Option<(Due, Notice)>, Rejection> {
    let dossier = state.opened()?;
    Ok(match &dossier.stage {
        Stage::Preparing(Preparation {
            progress: Progress::Approved { approval, .. },
            ..
        }) => Some((approval.due, approval.notice)),
        _ => None,
    })
}

pub(super) fn noticed(preparation: &mut Preparation, said: Notice) {
    if let Progress::Approved { approval, .. } = &mut preparation.progress {
        approval.notice = said;
    }
}

/// Which clocks an event sets and stops.
pub(super) fn clocks(event: &Event, effects: &mut Effects) {
    match event {
        Event::Approved(approved) => {
            let due = approved.due;
            let command = Command::WarnExecutionDue;
            effects.clock::<Clarification>(
                EXECUTION_WARNING,
                due.warn_at,
                "WarnExecutionDue",
                &command,
            );
            let command = Command::RecordExecutionOverdue;
            effects.clock::<Clarification>(
                EXECUTION_DUE,
                due.at,
                "RecordExecutionOverdue",
                &command,
            );
        }
        Event::CarriedOut(carried_out) => {
            stop_execution(effects);
            let remind_at = carried_out.execution.remind_at;
            let command = Command::RemindPersonnel;
            effects.clock::<Clarification>(CONFIRMATION, remind_at, "RemindPersonnel", &command);
            if let Some(bulletin) = &carried_out.execution.bulletin {
                let command = Command::AskForRemoval;
                let remove_at = bulletin.remove_at;
                // A bulletin of an earlier round may hang still.
                let round = carried_out.round;
                let method = "AskForRemoval";
                effects
                    .clock_of_round::<Clarification>(REMOVAL, round, remove_at, method, &command);
            }
        }
        Event::Halted(_) => stop_execution(effects),
        Event::WishRecorded(recorded) if recorded.form == Left::Falls => stop_execution(effects),
        Event::FoundUnreachable(found) if found.form == Left::Falls => stop_execution(effects),
        Event::ApplicationRecorded(recorded) if recorded.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::ActorsRecused(recused) if recused.voided.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::ConflictDeclared(declared) if declared.voided.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::Confirmed(_) | Event::Superseded(_) => effects.stop_clock(CONFIRMATION),
        _ => {}
    }
}

fn stop_execution(effects: &mut Effects) {
    effects.stop_clock(EXECUTION_WARNING);
    effects.stop_clock(EXECUTION_DUE);
}

#[cfg(test)]
mod tests {
    use chassis::testing::clocks;

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::*;

    #[test]
    fn the_approval_sets_the_clock_of_the_fifth_working_day_and_the_one_that_warns_before() {
        let (events, _) = a_drafted_one(Form::Written)
            .facts(stands(1))
            .when(Command::ApproveClarification)
            .accepted();
        let [approved] = &events[..] else {
            panic!("it was approved, not {events:?}");
        };
        let at = |at: &str| at.parse().expect("a timestamp");
        let warned = at("2026-03-11T15:59:59.999999Z");
        let due = at("2026-03-16T15:59:59.999999Z");
        assert_eq!(
            clocks::<Clarification>(clarification(), approved),
            [
                (EXECUTION_WARNING, Some((warned, "WarnExecutionDue"))),
                (EXECUTION_DUE, Some((due, "RecordExecutionOverdue"))),
            ]
        );
    }

    #[test]
    fn five_working_days_after_the_approval_it_is_overdue_and_a_warning_comes_before() {
        // Approved on Monday 9 March: due on Monday 16 March, warned three working days before.
        let clock = |now: &str| an_approved_one(Form::Written).actor(service()).now(now);
        let due = "2026-03-16T15:59:59.999999Z".parse().expect("a timestamp");
        clock("2026-03-11T15:59:59.999998Z")
            .when(Command::WarnExecutionDue)
            .then_already();
        clock("2026-03-11T15:59:59.999999Z")
            .when(Command::WarnExecutionDue)
            .then([ExecutionNear { due }]);
        clock("2026-03-16T15:59:59.999998Z")
            .when(Command::RecordExecutionOverdue)
            .then_already();
        clock("2026-03-16T15:59:59.999999Z")
            .when(Command::RecordExecutionOverdue)
            .then([ExecutionOverdue { due }])
            .when(Command::WarnExecutionDue)
            .then_already();
    }

    #[test]
    fn a_clock_of_working_days_that_no_longer_applies_says_nothing() {
        for before in [
            a_drafted_one(Form::Written),
            a_carried_out_one(Form::Written),
        ] {
            before
                .actor(service())
                .now("2026-06-01T00:00:00Z")
                .when(Command::RecordExecutionOverdue)
                .then_already();
        }
    }
}

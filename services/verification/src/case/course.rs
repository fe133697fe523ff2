//! The course of a case beside the work on it: its deadline and clocks, suspension, discontinuing, reopening.

use chassis::aggregate::{Decision, Effects};
use chassis::refusal::NOT_FOUND;
use jiff::ToSpan;
use office::{Due, Notice};
use serde::{Deserialize, Serialize};

use super::events::{
    DeadlineNear, DeadlineOverdue, Discontinued, Event, Reopened, Resumed, Suspended,
};
use super::{Case, Command, Context, DISCONTINUED, Dossier, NOT_CONCLUDED, SUSPENDED, State};

/// The clock that warns before the deadline.
const WARNING: &str = "case_warning";
/// The clock of the deadline itself.
const DUE: &str = "case_due";

/// The deadline of a case that begins, or begins again, now.
pub(super) fn due_from_now(context: &Context) -> Due {
    let calendar = &context.profile.calendar;
    let at = calendar.plus_days(context.now, context.profile.verification.case_days);
    Due::on(calendar.date(at), &context.profile)
}

/// The deadline that is so many days from now; in the past if negative.
fn due_in_days(days: i32, context: &Context) -> Due {
    let today = context.profile.calendar.date(context.now);
    let on = today.checked_add(days.days()).unwrap_or(today);
    Due::on(on, &context.profile)
}

/// By when an open case must be concluded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// It runs.
    Running {
        /// Until when.
        due: Due,
        /// What has been said of it.
        notice: Notice,
    },
    /// The case is suspended.
    Stopped {
        /// Why; a code.
        reason: String,
        /// Days that were left; negative if it had passed.
        days_left: i32,
        /// What has been said of it.
        notice: Notice,
    },
}

impl Deadline {
    pub(super) fn fresh(due: Due) -> Self {
        Self::Running {
            due,
            notice: Notice::Silent,
        }
    }

    pub(super) fn stop(&mut self, suspended: &Suspended) {
        let (Self::Running { notice, .. } | Self::Stopped { notice, .. }) = *self;
        *self = Self::Stopped {
            reason: suspended.reason.clone(),
            days_left: suspended.days_left,
            notice,
        };
    }

    pub(super) fn going_on(resumed: &Resumed) -> Self {
        Self::Running {
            due: resumed.due,
            notice: resumed.notice,
        }
    }

    pub(super) fn notice(&mut self, said: Notice) {
        let (Self::Running { notice, .. } | Self::Stopped { notice, .. }) = self;
        *notice = said;
    }
}

/// Stops the deadline.
pub(super) fn suspend(state: &State, reason: &str, context: &Context) -> Decision<Event> {
    let open = state.open()?;
    let due = match open.deadline {
        Deadline::Stopped { reason: given, .. } if given == reason => return Ok(Vec::new()),
        Deadline::Stopped { .. } => return Err(SUSPENDED.into()),
        Deadline::Running { due, .. } => due,
    };
    let today = context.profile.calendar.date(context.now);
    // From a date to a date, the difference is in days alone, and far below what an i32 holds.
    let days_left = (due.on - today).get_days();
    Ok(vec![
        Suspended {
            reason: reason.to_owned(),
            days_left,
        }
        .into(),
    ])
}

/// Lets the deadline go on with the days that were left.
pub(super) fn resume(state: &State, context: &Context) -> Decision<Event> {
    let open = state.open()?;
    match open.deadline {
        Deadline::Running { .. } => Ok(Vec::new()),
        Deadline::Stopped {
            days_left, notice, ..
        } => Ok(vec![
            Resumed {
                due: due_in_days(*days_left, context),
                notice: *notice,
            }
            .into(),
        ]),
    }
}

/// Ends the case without a conclusion.
pub(super) fn discontinue(state: &State, reason: &str) -> Decision<Event> {
    if let State::Discontinued { reason: given, .. } = state
        && given == reason
    {
        return Ok(Vec::new());
    }
    let open = state.open()?;
    Ok(vec![
        Discontinued {
            matter: open.dossier.matter,
            source: open.dossier.source.clone(),
            reason: reason.to_owned(),
        }
        .into(),
    ])
}

/// Opens a concluded case again: its conclusion no longer stands, the evidence stays, the investigators go on.
pub(super) fn reopen(state: &State, reason: &str, context: &Context) -> Decision<Event> {
    match state {
        State::Unopened => Err(NOT_FOUND.into()),
        State::Open { dossier, .. } if dossier.reopened.as_deref() == Some(reason) => {
            Ok(Vec::new())
        }
        State::Open { .. } => Err(NOT_CONCLUDED.into()),
        State::Discontinued { .. } => Err(DISCONTINUED.into()),
        State::Concluded { dossier, .. } => Ok(vec![reopened(dossier, reason, context)]),
    }
}

/// The reopening of a case that has ended, with a deadline of its own.
pub(super) fn reopened(dossier: &Dossier, reason: &str, context: &Context) -> Event {
    Reopened {
        matter: dossier.matter,
        source: dossier.source.clone(),
        number: dossier.conclusions,
        reason: reason.to_owned(),
        due: due_from_now(context),
    }
    .into()
}

/// Says that the deadline is near, once; nothing if it moved since the clock was set.
pub(super) fn warn(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent)) if context.now >= due.warn_at => {
            vec![DeadlineNear { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// Records that the deadline has passed, once; nothing if it moved since the clock was set.
pub(super) fn record_overdue(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent | Notice::Near)) if context.now >= due.at => {
            vec![DeadlineOverdue { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// The deadline, if one runs.
fn running(state: &State) -> Result<Option<(Due, Notice)>, chassis::aggregate::Rejection> {
    match state {
        State::Unopened => Err(NOT_FOUND.into()),
        State::Open {
            deadline: Deadline::Running { due, notice },
            ..
        } => Ok(Some((*due, *notice))),
        _ => Ok(None),
    }
}

/// Which clocks an event sets and stops.
pub(super) fn clocks(event: &Event, effects: &mut Effects) {
    let (due, notice) = match event {
        Event::Opened(opened) => (opened.due, Notice::Silent),
        Event::Reopened(reopened) => (reopened.due, Notice::Silent),
        Event::Resumed(resumed) => (resumed.due, resumed.notice),
        Event::Suspended(_) | Event::Concluded(_) | Event::Discontinued(_) => {
            effects.stop_clock(WARNING);
            effects.stop_clock(DUE);
            return;
        }
        _ => return,
    };
    if notice < Notice::Near {
        let command = Command::WarnCaseDue;
        effects.clock::<Case>(WARNING, due.warn_at, "WarnCaseDue", &command);
    }
    if notice < Notice::Overdue {
        let command = Command::RecordCaseOverdue;
        effects.clock::<Case>(DUE, due.at, "RecordCaseOverdue", &command);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        a_concluded_case, a_proposed_case, an_investigated_case, an_opened_case, due, id,
        reopened as reopened_by, service,
    };
    use super::super::{CONCLUDED, FINDINGS_PROPOSED, NewFacts, fixture};
    use super::*;

    fn suspend_for(reason: &str) -> Command {
        Command::SuspendCase {
            reason: reason.to_owned(),
        }
    }

    fn suspended(days_left: i32) -> Event {
        Suspended {
            reason: "illness".to_owned(),
            days_left,
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

    fn discontinue_for(reason: &str) -> Command {
        Command::DiscontinueCase {
            reason: reason.to_owned(),
        }
    }

    fn reopen_for(reason: &str) -> Command {
        Command::ReopenCase {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn suspension_stops_the_deadline_and_resuming_goes_on_with_what_was_left() {
        // On 19 March, 50 of the 60 days are left; on 1 June they begin to run again.
        let (events, _) = an_investigated_case()
            .now("2026-03-19T01:00:00Z")
            .when(suspend_for("illness"))
            .then([suspended(50)])
            .now("2026-06-01T01:00:00Z")
            .when(Command::ResumeCase)
            .accepted();
        let [Event::Resumed(resumed)] = &events[..] else {
            panic!("it was resumed, not {events:?}");
        };
        assert_eq!(resumed.due.on, jiff::civil::date(2026, 7, 21));
        assert_eq!(resumed.notice, Notice::Silent);
    }

    #[test]
    fn a_suspended_case_is_suspended_already() {
        an_investigated_case()
            .events([suspended(50)])
            .when(suspend_for("illness"))
            .then_already()
            .when(suspend_for("another_reason"))
            .then_refused(&SUSPENDED);
        an_investigated_case()
            .when(Command::ResumeCase)
            .then_already();
    }

    #[test]
    fn nothing_is_approved_while_the_case_is_suspended() {
        a_proposed_case()
            .events([suspended(50)])
            .when(Command::ApproveFindings)
            .then_refused(&SUSPENDED);
    }

    #[test]
    fn the_deadline_warns_before_and_records_an_overdue_once() {
        let clock = |now: &str| an_investigated_case().actor(service()).now(now);
        clock("2026-04-30T15:59:59.999998Z")
            .when(Command::WarnCaseDue)
            .then_already();
        clock("2026-04-30T15:59:59.999999Z")
            .when(Command::WarnCaseDue)
            .then([DeadlineNear { due: due().at }]);
        clock("2026-05-08T15:59:59.999998Z")
            .when(Command::RecordCaseOverdue)
            .then_already();
        clock("2026-05-08T15:59:59.999999Z")
            .when(Command::RecordCaseOverdue)
            .then([DeadlineOverdue { due: due().at }])
            .when(Command::WarnCaseDue)
            .then_already();
    }

    #[test]
    fn a_clock_that_no_longer_applies_says_nothing() {
        for case in [
            a_concluded_case(),
            an_investigated_case().events([suspended(1)]),
            an_investigated_case().events([discontinued()]),
        ] {
            case.now("2027-01-01T00:00:00Z")
                .actor(service())
                .when(Command::RecordCaseOverdue)
                .then_already();
        }
    }

    #[test]
    fn an_overdue_case_that_was_suspended_stays_overdue() {
        let (_, after) = an_investigated_case()
            .events([DeadlineOverdue { due: due().at }])
            .now("2026-05-11T01:00:00Z")
            .when(suspend_for("illness"))
            .then([suspended(-3)])
            .when(Command::ResumeCase)
            .accepted();
        after
            .actor(service())
            .when(Command::RecordCaseOverdue)
            .then_already();
    }

    #[test]
    fn a_case_is_discontinued_with_a_reason() {
        an_investigated_case()
            .when(discontinue_for("died"))
            .then([discontinued()])
            .when(discontinue_for("another_reason"))
            .then_refused(&DISCONTINUED);
        a_concluded_case()
            .when(discontinue_for("died"))
            .then_refused(&CONCLUDED);
    }

    #[test]
    fn a_concluded_case_is_reopened_and_its_conclusion_stands_no_longer() {
        let after = a_concluded_case()
            .when(reopen_for("appeal"))
            .then([reopened_by("appeal")]);
        assert!(after.state().findings().is_none());
        let dossier = after.state().dossier().expect("it is open");
        assert_eq!((dossier.evidence.len(), dossier.conclusions), (1, 1));
        after
            .when(reopen_for("another_reason"))
            .then_refused(&NOT_CONCLUDED);
    }

    #[test]
    fn only_a_concluded_case_is_reopened_by_an_officer() {
        an_opened_case()
            .when(reopen_for("appeal"))
            .then_refused(&NOT_CONCLUDED);
        an_opened_case()
            .events([discontinued()])
            .when(reopen_for("appeal"))
            .then_refused(&DISCONTINUED);
    }

    #[test]
    fn new_facts_open_a_discontinued_case_again() {
        let report = fixture::second_report(NewFacts::Brought);
        let (events, after) = an_opened_case()
            .events([discontinued()])
            .actor(service())
            .when(Command::AddAllegations(report))
            .accepted();
        assert!(matches!(
            events[..],
            [Event::Reopened(_), Event::ReportJoined(_)]
        ));
        assert!(after.state().team().is_none());
    }

    #[test]
    fn findings_that_wait_keep_the_team_as_it_is_also_after_a_suspension() {
        a_proposed_case()
            .events([suspended(3)])
            .when(Command::ResumeCase)
            .accepted()
            .1
            .when(Command::AssignInvestigators {
                investigators: vec![fixture::actor_id("wu"), fixture::actor_id("zhou")],
            })
            .then_refused(&FINDINGS_PROPOSED);
    }
}

//! Aftercare: whether a name that was cleared is whole again, looked at once after some weeks. It is no visit and does
//! not count as one.

use chassis::aggregate::{Decision, Effects, TextRef};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ClarificationId, TextId};
use serde::{Deserialize, Serialize};

use super::events::{AftercareChecked, AftercareFellDue, AftercareTakenAway, Event};
use super::officer::Officer;
use super::opening::Carried;
use super::periods::closing;
use super::{
    AFTERCARE_CHECKED, AFTERCARE_NOT_DUE, AFTERCARE_TAKEN_AWAY, AFTERCARE_UNKNOWN, Command,
    Context, File, OTHER_UNIT, Record, State, next,
};

/// The clock of the aftercare that is due next.
const DUE: &str = "aftercare";

/// What a clarification has brought about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The name is whole again.
    Restored,
    /// In part.
    Partly,
    /// Not yet.
    #[default]
    NotYet,
}

impl Effect {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Partly => "partly",
            Self::NotYet => "not_yet",
        }
    }
}

/// A clarification whose effect is to be checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aftercare {
    /// The clarification.
    pub carried: Carried,
    /// The day from which its effect is to be checked.
    pub due_on: Date,
    /// When that day begins.
    pub due_at: Timestamp,
    /// How far it is.
    pub care: Care,
}

/// How far an item of aftercare is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Care {
    /// Its day has not come.
    Waiting,
    /// Its day has come; said once.
    Due,
    /// Its effect was checked.
    Checked {
        /// The effect.
        effect: Effect,
        /// What was found.
        notes: TextRef,
        /// When.
        on: Date,
    },
    /// The clarification was superseded before.
    TakenAway {
        /// When.
        on: Date,
    },
}

impl Aftercare {
    /// Whether this is the item of a clarification that rests on that conclusion.
    pub fn is(&self, clarification: ClarificationId, conclusion: i32) -> bool {
        self.carried.clarification == clarification && self.carried.conclusion == conclusion
    }

    /// Whether it is still to be checked.
    pub fn is_open(&self) -> bool {
        matches!(self.care, Care::Waiting | Care::Due)
    }
}

/// The items whose day has not come.
pub(super) fn waiting(record: &Record) -> impl Iterator<Item = &Aftercare> {
    let items = record.aftercare.iter();
    items.filter(|item| item.care == Care::Waiting)
}

/// Checks the effect of a clarification, from its day on. A clarification that was carried out again has an item of its
/// own; the latest counts.
pub(super) fn check(
    state: &State,
    clarification: ClarificationId,
    effect: Effect,
    notes: TextId,
    context: &Context,
) -> Decision<Event> {
    let officer = Officer::at(state, context)?;
    let record = officer.record;
    let mut items = record.aftercare.iter().rev();
    let item = items.find(|item| item.carried.clarification == clarification);
    let item = item.ok_or_else(|| AFTERCARE_UNKNOWN.at("clarification_id"))?;
    let carried = &item.carried;
    if !officer.covers(&carried.unit) {
        return Err(OTHER_UNIT.into());
    }
    match &item.care {
        Care::Checked { notes: given, .. } if given.id == notes => return Ok(Vec::new()),
        Care::Checked { .. } => return Err(AFTERCARE_CHECKED.into()),
        Care::TakenAway { .. } => return Err(AFTERCARE_TAKEN_AWAY.into()),
        Care::Waiting | Care::Due => {}
    }
    if officer.today() < item.due_on {
        return Err(AFTERCARE_NOT_DUE.into());
    }
    let left = waiting(record).filter(|other| *other != item);
    let checked = AftercareChecked {
        subject: record.subject,
        clarification,
        conclusion: carried.conclusion,
        matter: carried.matter,
        source: carried.source.clone(),
        unit: carried.unit.clone(),
        effect,
        notes: context.text(notes),
        on: officer.today(),
        next_due: next(left.map(|item| item.due_at)),
    };
    Ok(closing(state, officer.done([checked.into()]), context))
}

/// Takes away what a superseded clarification left to check. A file that was opened for nothing else closes.
pub(super) fn take_away(
    state: &State,
    clarification: ClarificationId,
    conclusion: i32,
    context: &Context,
) -> Decision<Event> {
    // An organisation has no file, and its clarifications are superseded too.
    let Some(record) = state.record() else {
        return Ok(Vec::new());
    };
    let rests_on_it = |item: &Aftercare| {
        item.carried.clarification == clarification && item.carried.conclusion <= conclusion
    };
    let items = record.aftercare.iter();
    let gone = items.filter(|item| item.is_open() && rests_on_it(item));
    let left = waiting(record).filter(|item| !rests_on_it(item));
    let next_due = next(left.map(|item| item.due_at));
    let taken = gone.map(|item| {
        AftercareTakenAway {
            clarification,
            conclusion: item.carried.conclusion,
            matter: item.carried.matter,
            on: context.profile.calendar.date(context.now),
            next_due,
        }
        .into()
    });
    Ok(closing(state, taken.collect(), context))
}

/// Says which aftercare is due from now on, each once; nothing if none is.
pub(super) fn remind(state: &State, context: &Context) -> Decision<Event> {
    let record = state.known()?;
    let (due, later): (Vec<&Aftercare>, Vec<&Aftercare>) =
        waiting(record).partition(|item| context.now >= item.due_at);
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let names = due.iter().map(|item| &item.carried);
    let fell_due = AftercareFellDue {
        items: names
            .map(|carried| (carried.clarification, carried.conclusion))
            .collect(),
        next_due: next(later.iter().map(|item| item.due_at)),
    };
    Ok(vec![fell_due.into()])
}

/// The clock is always set for the item that is due next.
pub(super) fn clock(event: &Event, effects: &mut Effects) {
    let next_due = match event {
        Event::AftercareAdded(added) => added.next_due,
        Event::AftercareTakenAway(taken) => taken.next_due,
        Event::AftercareFellDue(due) => due.next_due,
        Event::AftercareChecked(checked) => checked.next_due,
        _ => return,
    };
    match next_due {
        Some(due) => {
            effects.clock::<File>(DUE, due, "RemindAftercare", &Command::RemindAftercare);
        }
        None => effects.stop_clock(DUE),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Cause, Facts, OTHER_UNIT};
    use super::*;

    const DUE_DAY: &str = "2026-04-05T01:00:00Z";

    fn check(notes: u128) -> Command {
        Command::CheckAftercare {
            clarification: id(CLARIFICATION),
            effect: Effect::Restored,
            notes: id(notes),
        }
    }

    fn checked() -> Event {
        AftercareChecked {
            subject: id(SUBJECT),
            clarification: id(CLARIFICATION),
            conclusion: 1,
            matter: id(CLEARED_MATTER),
            source: "register".to_owned(),
            unit: code(COUNTY),
            effect: Effect::Restored,
            notes: text(TEXT),
            on: date(2026, 4, 5),
            next_due: None,
        }
        .into()
    }

    fn take_away(conclusion: i32) -> Command {
        Command::TakeAftercareAway {
            clarification: id(CLARIFICATION),
            conclusion,
        }
    }

    fn taken_away() -> Event {
        AftercareTakenAway {
            clarification: id(CLARIFICATION),
            conclusion: 1,
            matter: id(CLEARED_MATTER),
            on: date(2026, 3, 9),
            next_due: None,
        }
        .into()
    }

    fn carried_out_again() -> Command {
        Command::AddAftercare {
            subject: id(SUBJECT),
            carried: Carried {
                conclusion: 2,
                on: date(2026, 6, 1),
                ..carried()
            },
        }
    }

    #[test]
    fn the_effect_of_a_clarification_is_checked_after_30_days_and_not_before() {
        a_cared_file()
            .now("2026-04-04T15:59:59.999999Z")
            .when(check(TEXT))
            .then_refused(&AFTERCARE_NOT_DUE);
        a_cared_file()
            .now("2026-04-04T16:00:00Z")
            .when(check(TEXT))
            .then([checked(), closed(date(2026, 4, 5))])
            .when(check(TEXT + 5))
            .then_refused(&AFTERCARE_CHECKED);
    }

    #[test]
    fn aftercare_is_no_visit() {
        let after = a_file()
            .events([care_added(), visited(VISIT, date(2026, 3, 9))])
            .now(DUE_DAY)
            .when(check(TEXT))
            .then([checked()]);
        let record = after.state().record().expect("there is a file");
        assert_eq!(record.visits.len(), 1);
        // So the year has room for a second one.
        after.when(Command::RecordVisit(report())).accepted();
    }

    #[test]
    fn who_carried_it_out_checks_it() {
        a_cared_file()
            .events([second_followed()])
            .actor(officer("he", NEIGHBOUR))
            .now(DUE_DAY)
            .when(check(TEXT))
            .then_refused(&OTHER_UNIT);
        a_file()
            .now(DUE_DAY)
            .when(check(TEXT))
            .then_refused(&AFTERCARE_UNKNOWN);
    }

    #[test]
    fn a_reminder_comes_once_on_the_day_from_which_it_is_due() {
        let clock = |now: &str| {
            a_cared_file()
                .actor(service())
                .facts(Facts::default())
                .now(now)
        };
        clock("2026-04-04T15:59:59.999999Z")
            .when(Command::RemindAftercare)
            .then_already();
        clock("2026-04-04T16:00:00Z")
            .when(Command::RemindAftercare)
            .then([AftercareFellDue {
                items: vec![(id(CLARIFICATION), 1)],
                next_due: None,
            }])
            .when(Command::RemindAftercare)
            .then_already();
        clock(DUE_DAY)
            .events([checked()])
            .when(Command::RemindAftercare)
            .then_already();
    }

    #[test]
    fn a_superseded_clarification_leaves_nothing_to_check() {
        a_cared_file()
            .actor(service())
            .when(take_away(1))
            .then([taken_away(), closed(date(2026, 3, 9))])
            .actor(officer("he", COUNTY))
            .now(DUE_DAY)
            .when(check(TEXT))
            .then_refused(&AFTERCARE_TAKEN_AWAY);
        a_file()
            .events([care_added()])
            .actor(service())
            .when(take_away(1))
            .then([taken_away()]);
    }

    #[test]
    fn what_was_checked_stays_checked() {
        a_cared_file()
            .events([checked()])
            .actor(service())
            .when(take_away(1))
            .then_already();
    }

    #[test]
    fn an_organisation_has_no_file_and_its_superseded_clarification_changes_nothing() {
        no_file().actor(service()).when(take_away(1)).then_already();
    }

    #[test]
    fn a_clarification_that_is_carried_out_again_is_checked_again() {
        for before in [taken_away(), checked()] {
            let (events, after) = a_cared_file()
                .events([before, closed(date(2026, 4, 5))])
                .actor(service())
                .now("2026-06-01T01:00:00Z")
                .when(carried_out_again())
                .accepted();
            let [Event::Opened(opened), Event::AftercareAdded(added)] = &events[..] else {
                panic!("the file opens again for it, not {events:?}");
            };
            assert_eq!(opened.cause, Cause::Aftercare);
            assert_eq!(added.due_on, date(2026, 7, 1));
            let after = after
                .actor(officer("he", COUNTY))
                .now("2026-07-01T01:00:00Z")
                .when(check(TEXT + 5))
                .accepted()
                .1;
            let record = after.state().record().expect("there is a file");
            assert!(matches!(record.aftercare[1].care, Care::Checked { .. }));
        }
    }
}

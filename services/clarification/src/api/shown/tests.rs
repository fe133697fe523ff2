//! What a clarification shows of its deadlines.

use chassis::testing::Given;

use super::*;
use crate::clarification::afterwards::{PersonnelReminded, RemovalDue};
use crate::clarification::deadlines::{ExecutionNear, ExecutionOverdue};
use crate::clarification::fixture::*;
use crate::clarification::{Clarification, Event};

fn shown(given: &Given<Clarification>) -> v1::Clarification {
    let profile = &given.context().profile;
    super::clarification(id(0x40), 1, given.state(), profile).expect("it is there")
}

fn late(given: &Given<Clarification>) -> (v1::DeadlineNotice, String, String) {
    let shown = shown(given);
    (shown.notice(), shown.due_on, shown.confirmation_due_on)
}

#[test]
fn what_was_said_of_the_deadline_that_runs_is_shown_with_it() {
    let due = "2026-03-16T15:59:59.999999Z".parse().expect("a timestamp");
    let since = "2026-03-23T15:59:59.999999Z".parse().expect("a timestamp");
    let none = String::new;
    let approved = an_approved_one(Form::Written);
    for (said, notice) in [
        (None, v1::DeadlineNotice::Unspecified),
        (
            Some(Event::from(ExecutionNear { due })),
            v1::DeadlineNotice::Near,
        ),
        (
            Some(ExecutionOverdue { due }.into()),
            v1::DeadlineNotice::Overdue,
        ),
    ] {
        let of = approved.clone().events(said);
        assert_eq!(late(&of), (notice, "2026-03-16".to_owned(), none()));
        let carried_out = of.events([an_execution(Form::Written)]);
        let awaited = "2026-03-23".to_owned();
        let silent = v1::DeadlineNotice::Unspecified;
        assert_eq!(late(&carried_out), (silent, none(), awaited.clone()));
        let reminded = carried_out.events([PersonnelReminded { since }]);
        let overdue = v1::DeadlineNotice::Overdue;
        assert_eq!(late(&reminded), (overdue, none(), awaited));
        let confirmed = reminded.events([confirmed_by("petra")]);
        assert_eq!(late(&confirmed), (silent, none(), none()));
    }
}

#[test]
fn a_bulletin_is_shown_with_its_removal_also_once_it_is_superseded() {
    let since = "2026-04-08T15:59:59.999999Z".parse().expect("a timestamp");
    let removal = |asked| {
        [v1::BulletinRemoval {
            due_on: "2026-04-08".to_owned(),
            asked,
        }]
    };
    let published = a_carried_out_one(Form::Bulletin);
    let superseded = published.clone().events([a_superseding()]);
    for before in [published, superseded] {
        assert_eq!(shown(&before).removals, removal(false));
        let after = before.events([RemovalDue { since }]);
        assert_eq!(shown(&after).removals, removal(true));
    }
    let letter = a_carried_out_one(Form::Written);
    assert_eq!(shown(&letter).removals, []);
}

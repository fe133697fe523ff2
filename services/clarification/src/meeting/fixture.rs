//! The meeting that the tests of all rooms look at: Otto convenes it for Tuesday 10 March 2026, to clear two officials.

use chassis::testing::{Given, given};
use jiff::civil::{date, time};

use super::convening::{Known, Stated};
use super::*;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::{self, Clarification};
use crate::conclusion::clarification_of;

/// The meeting.
pub(crate) const MEETING: u128 = 0x90;

/// Its nth clarification, from 1; the first is the one of [`clarification::fixture`].
pub(crate) fn nth(number: u128) -> ClarificationId {
    clarification_of(id(0x0f + number), subject().id)
}

/// The convener's record, as it is entered.
pub(crate) fn a_record() -> Record {
    Record {
        attendance: 31,
        attended: text(TEXT + 1),
        handed_over_by: actor_id("otto"),
    }
}

/// How a clarification stands, as the facts tell it.
pub(crate) fn known(given: &Given<Clarification>) -> Known {
    Known {
        dossier: given.state().dossier().expect("it is open").clone(),
        awaited: None,
    }
}

pub(crate) fn facts(all: impl IntoIterator<Item = Known>) -> Facts {
    let all = all.into_iter().enumerate();
    Facts {
        clarifications: all
            .map(|(index, known)| (nth(1 + index as u128), known))
            .collect(),
        ..Facts::default()
    }
}

/// Two that can be cleared at a meeting.
pub(crate) fn two() -> [Known; 2] {
    let mut second = known(&an_approved_one(Form::Meeting));
    second.dossier.matter = id(0x11);
    [known(&an_approved_one(Form::Meeting)), second]
}

pub(crate) fn convene_it() -> Command {
    Command::ConveneMeeting {
        clarifications: vec![nth(1), nth(2)],
        on: date(2026, 3, 10),
        time: Some(time(14, 30, 0, 0)),
        place: id(TEXT),
    }
}

pub(crate) fn hold_it() -> Command {
    Command::HoldMeeting {
        attendance: 31,
        attended: id(TEXT + 1),
        handed_over_by: actor_id("otto"),
    }
}

fn items() -> Vec<Item> {
    let item = |number| Item {
        clarification: nth(number),
        round: 1,
        matter: id(0x0f + number),
        subject: subject().id,
    };
    vec![item(1), item(2)]
}

/// What is to be stated of each, as the clarification's fixture concludes it.
fn stated() -> BTreeMap<ClarificationId, Stated> {
    let stated = |number| {
        (
            nth(number),
            Stated::of(&known(&an_approved_one(Form::Meeting)).dossier),
        )
    };
    [stated(1), stated(2)].into()
}

/// A document of a meeting, as facts.
pub(crate) fn document_set(content: rendering::Content) -> Facts {
    Facts {
        rendering: Some(rendered(content)),
        ..Facts::default()
    }
}

pub(crate) fn a_convening() -> Event {
    MeetingConvened {
        unit: unit(),
        by: actor_id("otto"),
        on: date(2026, 3, 10),
        time: Some(time(14, 30, 0, 0)),
        place: text(TEXT),
        items: items(),
        stated: stated(),
        recusal: cleared(1).recusal,
    }
    .into()
}

pub(crate) fn a_holding() -> Event {
    MeetingHeld {
        unit: unit(),
        by: actor_id("otto"),
        on: date(2026, 3, 10),
        place: text(TEXT),
        items: items(),
        record: a_record(),
    }
    .into()
}

pub(crate) fn outcome_noted(number: u128, outcome: Outcome) -> Event {
    OutcomeNoted {
        clarification: nth(number),
        outcome,
    }
    .into()
}

pub(crate) fn halted() -> Outcome {
    Outcome::NotCarriedOut {
        code: clarification::HALTED.code.into_owned(),
    }
}

/// Nobody has convened it; Otto comes, on Monday.
pub(crate) fn no_meeting() -> Given<Meeting> {
    given::<Meeting>()
        .id(id::<Uuid>(MEETING))
        .text(id(TEXT))
        .text(id(TEXT + 1))
        .actor(officer("otto"))
}

/// It is to be held, and its day has come.
pub(crate) fn a_meeting() -> Given<Meeting> {
    no_meeting()
        .events([a_convening()])
        .now("2026-03-10T07:00:00Z")
}

pub(crate) fn a_held_one() -> Given<Meeting> {
    a_meeting().events([a_holding()])
}

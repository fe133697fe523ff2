//! The file that the tests of all rooms look at: a person who is the actor `person`, sanctioned for six months by a
//! county, whose neighbour county may decide a second sanction, and a clarification of another matter.

use chassis::aggregate::TextRef;
use chassis::testing::{Given, given};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use office::{Actor, Role};

use super::events::{
    AftercareAdded, AssessmentRecorded, Closed, ImpactPeriodEnded, Opened, SanctionFollowed,
    VisitRecorded, VisitsPlanned,
};
use super::*;

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(crate) fn actor_id(name: &str) -> ActorId {
    name.parse().expect("an actor id")
}

pub(crate) fn code(unit: &str) -> UnitCode {
    unit.parse().expect("a unit code")
}

/// Who decided the sanction and carried the clarification out.
pub(crate) const COUNTY: &str = "P51-01-01";
/// Who decided the second sanction.
pub(crate) const NEIGHBOUR: &str = "P51-01-02";
/// The unit above both.
pub(crate) const CITY: &str = "P51-01";

pub(crate) fn actor(name: &str, unit: &str, role: Role) -> Actor {
    Actor {
        id: actor_id(name),
        unit: code(unit),
        department: None,
        roles: [role].into(),
        on_behalf_of: None,
    }
}

pub(crate) fn officer(name: &str, unit: &str) -> Actor {
    actor(name, unit, Role::FollowUpOfficer)
}

/// Whoever follows from the events of others.
pub(crate) fn service() -> Actor {
    Actor::service("follow_up", None)
}

pub(crate) const SUBJECT: u128 = 0x30;
pub(crate) const SANCTION: u128 = 0x40;
pub(crate) const SECOND: u128 = 0x41;
pub(crate) const CLARIFICATION: u128 = 0x50;
pub(crate) const VISIT: u128 = 0x60;
pub(crate) const TEXT: u128 = 0x70;
pub(crate) const MATTER: u128 = 0x10;
pub(crate) const CLEARED_MATTER: u128 = 0x12;

/// What intake's register says: the person is the actor `person`.
pub(crate) fn asked() -> Facts {
    Facts {
        person: Some(Person {
            actor: Some(actor_id("person")),
        }),
    }
}

/// Intake's register knows no actor id of the person.
pub(crate) fn no_actor() -> Facts {
    Facts {
        person: Some(Person { actor: None }),
    }
}

/// Six months from 2 March 2026.
pub(crate) fn sanction() -> Sanction {
    Sanction {
        id: id(SANCTION),
        matter: id(MATTER),
        source: "register".to_owned(),
        kind: "warning".to_owned(),
        unit: code(COUNTY),
        decided_on: date(2026, 3, 2),
        ends_on: date(2026, 9, 1),
    }
}

/// Twelve months from 1 June 2026, by the neighbour, in the matter of another register.
pub(crate) fn second_sanction() -> Sanction {
    Sanction {
        id: id(SECOND),
        matter: id(0x11),
        source: "neighbour".to_owned(),
        kind: "demerit".to_owned(),
        unit: code(NEIGHBOUR),
        decided_on: date(2026, 6, 1),
        ends_on: date(2027, 5, 31),
    }
}

pub(crate) fn carried() -> Carried {
    Carried {
        clarification: id(CLARIFICATION),
        conclusion: 1,
        matter: id(CLEARED_MATTER),
        source: "register".to_owned(),
        unit: code(COUNTY),
        on: date(2026, 3, 6),
    }
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a timestamp")
}

/// The last microsecond of 1 September 2026 in Shanghai.
pub(crate) fn first_end() -> Timestamp {
    at("2026-09-01T15:59:59.999999Z")
}

/// The first microsecond of 5 April 2026 in Shanghai.
pub(crate) fn care_due() -> Timestamp {
    at("2026-04-04T16:00:00Z")
}

pub(crate) fn opened(cause: Cause) -> Event {
    let matter = match cause {
        Cause::Sanction => MATTER,
        Cause::Aftercare => CLEARED_MATTER,
    };
    Opened {
        subject: id(SUBJECT),
        matter: id(matter),
        source: "register".to_owned(),
        unit: code(COUNTY),
        cause,
        on: date(2026, 3, 9),
    }
    .into()
}

pub(crate) fn followed() -> Event {
    SanctionFollowed {
        sanction: sanction(),
        ends_at: first_end(),
        next_end: Some(first_end()),
    }
    .into()
}

pub(crate) fn second_followed() -> Event {
    SanctionFollowed {
        sanction: second_sanction(),
        ends_at: at("2027-05-31T15:59:59.999999Z"),
        next_end: Some(first_end()),
    }
    .into()
}

pub(crate) fn care_added() -> Event {
    AftercareAdded {
        carried: carried(),
        due_on: date(2026, 4, 5),
        due_at: care_due(),
        after_days: 30,
        next_due: Some(care_due()),
    }
    .into()
}

pub(crate) fn period_ended(missed: impl IntoIterator<Item = Planned>) -> Event {
    ImpactPeriodEnded {
        subject: id(SUBJECT),
        sanction: id(SANCTION),
        matter: id(MATTER),
        source: "register".to_owned(),
        unit: code(COUNTY),
        on: date(2026, 9, 1),
        missed: missed.into_iter().collect(),
        later: Vec::new(),
        next_end: None,
    }
    .into()
}

pub(crate) fn closed(on: Date) -> Event {
    Closed {
        subject: id(SUBJECT),
        source: "register".to_owned(),
        unit: code(COUNTY),
        on,
    }
    .into()
}

pub(crate) fn text(number: u128) -> TextRef {
    TextRef {
        id: id(number),
        digest: Uuid::from_u128(number).as_bytes().to_vec(),
    }
}

/// A visit that is planned in the period of the first sanction.
pub(crate) fn planned_on(month: i8, day: i8) -> Planned {
    Planned {
        on: date(2026, month, day),
        sanction: id(SANCTION),
    }
}

pub(crate) fn planned(visits: impl IntoIterator<Item = Planned>) -> Event {
    VisitsPlanned {
        planned: visits.into_iter().collect(),
        situation: text(TEXT),
        matter: id(MATTER),
        per_year: 2,
    }
    .into()
}

pub(crate) fn visit(number: u128, on: Date) -> Visit {
    Visit {
        id: id(number),
        on,
        sanction: id(SANCTION),
        unit: code(COUNTY),
        visitors: ["chen", "lin"].map(actor_id).into(),
        talks: vec![
            Talk {
                partner: Partner::Person,
                notes: text(TEXT + 1),
            },
            Talk {
                partner: Partner::Superior,
                notes: text(TEXT + 2),
            },
        ],
        observations: text(TEXT + 3),
    }
}

pub(crate) fn visited(number: u128, on: Date) -> Event {
    visited_as_planned(number, on, None)
}

pub(crate) fn visited_as_planned(number: u128, on: Date, fulfils: Option<Planned>) -> Event {
    VisitRecorded {
        subject: id(SUBJECT),
        matter: id(MATTER),
        source: "register".to_owned(),
        visit: visit(number, on),
        fulfils,
        drops: None,
        at_least: 2,
        per_year: 2,
    }
    .into()
}

pub(crate) fn assessed(attitude: Attitude) -> Event {
    AssessmentRecorded {
        matter: id(MATTER),
        assessed: Assessed {
            visit: id(VISIT),
            on: date(2026, 3, 9),
            attitude,
            approach: attitude.approach(),
            grade: Grade::Fair,
            profile: text(TEXT + 4),
        },
    }
    .into()
}

/// A visit of today by Chen and Lin, with one talk.
pub(crate) fn report() -> Report {
    Report {
        on: date(2026, 3, 9),
        visitors: ["chen", "lin"].map(actor_id).to_vec(),
        talks: vec![TalkHeld {
            partner: Partner::Person,
            notes: id(TEXT + 1),
        }],
        observations: id(TEXT + 3),
    }
}

/// Nobody's file yet, in front of an officer of the county.
pub(crate) fn no_file() -> Given<File> {
    (0..8).fold(
        given::<File>()
            .id(file_of(id(SUBJECT)))
            .actor(officer("he", COUNTY))
            .facts(no_actor()),
        |given, text| given.text(id(TEXT + text)),
    )
}

pub(crate) fn a_file() -> Given<File> {
    no_file().events([opened(Cause::Sanction), followed()])
}

pub(crate) fn a_visited_file() -> Given<File> {
    a_file().events([visited(VISIT, date(2026, 3, 9))])
}

pub(crate) fn a_cared_file() -> Given<File> {
    no_file().events([opened(Cause::Aftercare), care_added()])
}

pub(crate) fn a_closed_file() -> Given<File> {
    a_visited_file().events([period_ended([]), closed(date(2026, 9, 1))])
}

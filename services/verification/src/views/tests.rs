//! The queries against a real PostgreSQL, which `tests/run` provides: each test has the tables for itself, in its
//! connection's temporary schema.

use chassis::testing::{self, given, write};
use jiff::civil::date;

use super::*;
use crate::case::case_of;
use crate::case::events::ConflictDeclared;
use crate::case::fixture::{
    TEXT, a_concluded_case, actor_id, an_opened_case, concluded, id, reopened, text, unit,
};
use crate::sanctions::fixture::{
    OTHER_UNIT, a_liable_official, approved, assessed, elsewhere, proposed, recorded,
    sanction_elsewhere,
};
use crate::sanctions::{Command, Event};

async fn database() -> PgPool {
    testing::database(&[
        include_str!("../../migrations/0001_verification.sql"),
        include_str!("../../migrations/0002_sanctions.sql"),
        include_str!("../../migrations/0003_tolerance.sql"),
    ])
    .await
}

fn numbered<S>((number, state): (u128, S)) -> (Uuid, S) {
    (Uuid::from_u128(number), state)
}

fn of_units(units: Option<&[&str]>) -> Reach {
    Reach {
        units: units.map(|units| units.iter().map(|unit| (*unit).to_owned()).collect()),
        actor: "gao".to_owned(),
        mark: String::new(),
    }
}

async fn counted(pool: &PgPool, units: Option<&[&str]>, source: &str) -> BTreeMap<String, i64> {
    let figures = figures(pool, &of_units(units), source).await;
    figures.expect("the database answers").into_iter().collect()
}

#[tokio::test]
async fn sanctions_are_counted_by_source_and_unit_and_not_by_person() {
    let pool = database().await;
    let there = elsewhere(a_liable_official().events([recorded()]));
    let sanction = sanction_elsewhere(date(2026, 3, 3), 6);
    let (events, both) = there.when(Command::RecordSanction(sanction)).accepted();
    let Some(Event::Recorded(mut of_another_source)) = events.first().cloned() else {
        panic!("it is recorded, not {events:?}");
    };
    of_another_source.source = "town".to_owned();
    let another = given::<Sanctions>().events([of_another_source]);
    let states = [(1, both.state().clone()), (2, another.state().clone())].map(numbered);
    write::<SanctionedPersons>(&pool, states).await;

    let all = counted(&pool, None, "").await;
    assert_eq!(all["sanctions"], 3);
    assert_eq!(counted(&pool, None, "register").await["sanctions"], 2);
    assert_eq!(counted(&pool, None, "town").await["sanctions"], 1);
    assert_eq!(counted(&pool, None, "nowhere").await["sanctions"], 0);
    let own = unit().to_string();
    let own = [own.as_str()];
    assert_eq!(counted(&pool, Some(&own), "").await["sanctions"], 1);
    let other = [OTHER_UNIT];
    assert_eq!(counted(&pool, Some(&other), "").await["sanctions"], 2);
    let keys: Vec<_> = all.keys().map(String::as_str).collect();
    let mut expected = FIGURES.to_vec();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

/// The case of the fixture that stands on this conclusion, and what was assessed of its first.
async fn with_an_exempt_official(pool: &PgPool, case: crate::case::State) {
    let exempt = [
        assessed(1, Liability::Exempt),
        assessed(3, Liability::Lighter),
    ];
    let waiting = given::<Sanctions>().events([proposed(&exempt)]);
    let through = given::<Sanctions>().events([proposed(&exempt), approved(&exempt)]);
    let persons = [(1, waiting.state().clone()), (2, through.state().clone())].map(numbered);
    write::<SanctionedPersons>(pool, persons).await;
    write::<Cases>(pool, [(case_of(id(0x10)).uuid(), case)]).await;
}

#[tokio::test]
async fn what_was_assessed_is_counted_by_finding_once_it_is_approved() {
    let pool = database().await;
    with_an_exempt_official(&pool, a_concluded_case().state().clone()).await;
    let all = counted(&pool, None, "register").await;
    for (key, count) in [
        ("liability_exempt", 1),
        ("liability_lighter", 1),
        ("liability_liable", 0),
        ("sanctions", 0),
    ] {
        assert_eq!(all[key], count, "{key}");
    }
    assert_eq!(counted(&pool, None, "town").await["liability_exempt"], 0);
    let other = counted(&pool, Some(&[OTHER_UNIT]), "").await;
    assert_eq!(other["liability_exempt"], 0);
    let standing = standing(&pool, &[case_of(id(0x10)).uuid()]).await;
    let standing = standing.expect("the database answers");
    assert_eq!(standing.into_values().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn what_was_assessed_of_a_conclusion_that_stands_no_longer_is_not_counted() {
    let reopened_case = a_concluded_case().events([reopened("appeal")]);
    let concluded_again = reopened_case.clone().events([concluded(2)]);
    for case in [reopened_case, concluded_again] {
        let pool = database().await;
        with_an_exempt_official(&pool, case.state().clone()).await;
        assert_eq!(counted(&pool, None, "").await["liability_exempt"], 0);
    }
}

#[tokio::test]
async fn who_is_recused_from_a_case_later_is_so_from_what_was_recorded_of_its_persons() {
    let pool = database().await;
    let declared = ConflictDeclared {
        matter: Some(id(0x10)),
        actor: actor_id("gao"),
        reason: text(TEXT),
    };
    let case = a_concluded_case().events([declared]);
    with_an_exempt_official(&pool, case.state().clone()).await;
    let asked = async |name: &str, person: u128| {
        let reach = Reach {
            actor: name.to_owned(),
            ..of_units(None)
        };
        let recused = recused_from_record(&pool, &reach, Uuid::from_u128(person)).await;
        recused.expect("the database answers")
    };
    // Of one an assessment only waits, of the other it was approved.
    for person in [1, 2] {
        assert!(asked("gao", person).await);
        assert!(asked("accused", person).await);
        assert!(!asked("wu", person).await);
    }
    assert!(!asked("gao", 3).await, "nothing is recorded");
}

#[tokio::test]
async fn cases_and_their_findings_are_counted_beside_them() {
    let pool = database().await;
    let states = [
        (1, a_concluded_case().state().clone()),
        (2, an_opened_case().state().clone()),
    ]
    .map(numbered);
    write::<Cases>(&pool, states).await;
    write::<SanctionedPersons>(
        &pool,
        [(3, given::<Sanctions>().events([recorded()]).state().clone())].map(numbered),
    )
    .await;
    let figures = counted(&pool, None, "register").await;
    let expected = [
        ("cases", 2),
        ("cases_concluded", 1),
        ("cases_open", 1),
        ("allegations", 6),
        ("finding_unfounded", 1),
        ("finding_exonerated", 1),
        ("closed_duplicate", 1),
        ("allegations_open", 3),
        ("sanctions", 1),
    ];
    for (key, count) in &figures {
        let told = expected.iter().find(|(expected, _)| expected == key);
        assert_eq!(*count, told.map_or(0, |(_, count)| *count), "{key}");
    }
    let page = Page::asked(10, "", |_| None).expect("a page");
    let listed = list(&pool, &of_units(None), &Wanted::default(), &page)
        .await
        .expect("a page");
    let ids: Vec<Uuid> = listed.iter().map(|row| row.id).collect();
    assert_eq!(ids, [1, 2].map(Uuid::from_u128));
}

//! The queries against a real PostgreSQL, which `tests/run` provides: each test has the tables for itself, in its
//! connection's temporary schema.

use chassis::testing::{self, given, write};
use jiff::civil::date;

use super::*;
use crate::case::fixture::{a_concluded_case, an_opened_case, unit};
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

#[tokio::test]
async fn what_was_assessed_is_counted_by_finding_once_it_is_approved() {
    let pool = database().await;
    let exempt = || {
        [
            assessed(1, Liability::Exempt),
            assessed(3, Liability::Lighter),
        ]
    };
    let waiting = given::<Sanctions>().events([proposed(&exempt())]);
    let through = given::<Sanctions>().events([proposed(&exempt()), approved(&exempt())]);
    let states = [(1, waiting.state().clone()), (2, through.state().clone())].map(numbered);
    write::<SanctionedPersons>(&pool, states).await;
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

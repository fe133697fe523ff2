//! The queries against a real PostgreSQL, which `tests/run` provides: each test has the table for itself, in its
//! connection's temporary schema.

use chassis::recusal::{Mark, Recusal};
use chassis::testing::{self, Given};
use jiff::civil::date;

use super::*;
use crate::file::fixture::*;
use crate::file::recusing::ActorsRecused;
use crate::file::{Command, Effect, Event};

async fn database() -> PgPool {
    testing::database(&[
        include_str!("../../migrations/0001_follow_up.sql"),
        include_str!("../../migrations/0002_recusal.sql"),
    ])
    .await
}

/// Writes the files, numbered from 1.
async fn write(pool: &PgPool, files: &[Given<File>]) {
    let files = (1u128..).zip(files);
    let states = files.map(|(number, file)| (Uuid::from_u128(number), file.state().clone()));
    testing::write::<Files>(pool, states).await;
}

fn reach(units: Option<&[&str]>) -> Reach {
    Reach {
        units: units.map(|units| units.iter().map(|unit| (*unit).to_owned()).collect()),
        actor: "somebody".to_owned(),
        mark: String::new(),
    }
}

fn page(size: i32, token: &str) -> Page<Place> {
    Page::asked(size, token, Place::read).expect("a page")
}

fn any() -> Wanted {
    Wanted::default()
}

async fn found(pool: &PgPool, reach: &Reach, wanted: &Wanted) -> Vec<Listed> {
    let found = list(pool, reach, wanted, &page(10, "")).await;
    found.expect("a page")
}

fn numbers(found: &[Listed]) -> Vec<u128> {
    found.iter().map(|row| row.id.as_u128()).collect()
}

async fn listed(pool: &PgPool, reach: &Reach, wanted: &Wanted) -> Vec<u128> {
    numbers(&found(pool, reach, wanted).await)
}

/// The figures that are not nought.
async fn counted(
    pool: &PgPool,
    units: Option<&[&str]>,
    source: &str,
) -> BTreeMap<&'static str, i64> {
    let figures = figures(pool, &reach(units), source).await.expect("figures");
    assert!(figures.iter().map(|(key, _)| key.as_str()).eq(FIGURES));
    let told = FIGURES.into_iter().zip(figures);
    told.map(|(key, (_, count))| (key, count))
        .filter(|(_, count)| *count != 0)
        .collect()
}

fn mark() -> Mark {
    "98a78c6d7f878c38e8e0d3d899bee8766ff8fbf5af8310607919046c543d0b94"
        .parse()
        .expect("a mark")
}

/// Sanctioned by the county and by its neighbour in the matter of another register, visited by the county.
fn sanctioned_twice() -> Given<File> {
    a_visited_file().events([second_followed()])
}

#[tokio::test]
async fn a_file_counts_under_each_source_that_has_an_item_in_it_and_once_under_all() {
    let pool = database().await;
    let cleared = a_cared_file()
        .now("2026-04-05T01:00:00Z")
        .when(Command::CheckAftercare {
            clarification: id(CLARIFICATION),
            effect: Effect::Restored,
            notes: id(TEXT),
        })
        .accepted()
        .1;
    write(&pool, &[sanctioned_twice(), cleared, a_cared_file()]).await;

    let visited = [
        ("visits", 1),
        ("people_visited", 1),
        ("talks", 2),
        ("talks_person", 1),
        ("talks_superior", 1),
    ];
    let cared = [("aftercare", 2), ("aftercare_checked", 1)];
    let files = |all, open, sanctions| {
        [
            ("files", all),
            ("files_open", open),
            ("files_closed", 1),
            ("sanctions_followed", sanctions),
        ]
    };
    let everything = files(3, 2, 2).into_iter().chain(visited).chain(cared);
    assert_eq!(counted(&pool, None, "").await, everything.collect());
    let register = files(3, 2, 1).into_iter().chain(visited).chain(cared);
    assert_eq!(counted(&pool, None, "register").await, register.collect());
    assert_eq!(
        counted(&pool, None, "neighbour").await,
        [("files", 1), ("files_open", 1), ("sanctions_followed", 1)].into()
    );
    assert!(counted(&pool, None, "elsewhere").await.is_empty());
}

#[tokio::test]
async fn figures_are_counted_within_the_units_that_an_actor_sees() {
    let pool = database().await;
    write(&pool, &[sanctioned_twice(), a_cared_file()]).await;
    let neighbour = counted(&pool, Some(&[NEIGHBOUR]), "").await;
    assert_eq!(
        neighbour,
        [("files", 1), ("files_open", 1), ("sanctions_followed", 1)].into()
    );
    let county = counted(&pool, Some(&[COUNTY]), "").await;
    assert_eq!((county["files"], county["visits"]), (2, 1));
    let both = counted(&pool, Some(&[CITY, COUNTY, NEIGHBOUR]), "").await;
    assert_eq!((both["files"], both["sanctions_followed"]), (2, 2));
    // The neighbour decided nothing that came from this register.
    let nothing = counted(&pool, Some(&[NEIGHBOUR]), "register").await;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn the_burdened_and_the_resistant_come_first_then_who_is_next() {
    let pool = database().await;
    let next = |month| a_visited_file().events([planned([planned_on(month, 1)])]);
    let takes_it = |month, attitude| next(month).events([assessed(attitude)]);
    let files = [
        a_closed_file(),
        a_file(),
        next(8),
        next(5),
        takes_it(8, Attitude::Misunderstands),
        takes_it(8, Attitude::Burdened),
        takes_it(7, Attitude::Burdened),
        takes_it(4, Attitude::Corrected),
    ];
    write(&pool, &files).await;
    let all = reach(None);
    assert_eq!(listed(&pool, &all, &any()).await, [7, 6, 5, 8, 4, 3, 2, 1]);

    // A list goes on where the page ended, wherever that is.
    let mut next = String::new();
    let mut told = Vec::new();
    loop {
        let page = page(3, &next);
        let found = list(&pool, &all, &any(), &page).await.expect("a page");
        let (shown, token) = page.cut(found, |row| row.place().token());
        told.extend(numbers(&shown));
        if token.is_empty() {
            break;
        }
        next = token;
    }
    assert_eq!(told, [7, 6, 5, 8, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_list_holds_what_the_actor_may_see_and_asked_for() {
    let pool = database().await;
    let own = a_file()
        .actor(service())
        .facts(asked())
        .when(Command::LearnPerson)
        .accepted()
        .1;
    let recusal = Recusal {
        actors: [actor_id("chen")].into(),
        reporters: [mark()].into(),
    };
    let recused = ActorsRecused { recusal };
    let cared = a_cared_file().events([Event::from(recused)]);
    write(&pool, &[sanctioned_twice(), cared, a_closed_file(), own]).await;
    let all = reach(None);
    // The second has aftercare, which is the next thing to do.
    assert_eq!(listed(&pool, &all, &any()).await, [2, 1, 4, 3]);
    let neighbours = reach(Some(&[NEIGHBOUR]));
    assert_eq!(listed(&pool, &neighbours, &any()).await, [1]);
    let person = Reach {
        actor: "person".to_owned(),
        ..reach(None)
    };
    assert_eq!(listed(&pool, &person, &any()).await, [2, 1, 3]);
    // Who is recused from a matter of the second, by id and by mark.
    let recused = Reach {
        actor: "chen".to_owned(),
        ..reach(None)
    };
    assert_eq!(listed(&pool, &recused, &any()).await, [1, 4, 3]);
    let reporter = Reach {
        mark: mark().hexadecimal(),
        ..reach(None)
    };
    assert_eq!(listed(&pool, &reporter, &any()).await, [1, 4, 3]);
    let closed = Wanted {
        state: Some("closed"),
        ..any()
    };
    assert_eq!(listed(&pool, &all, &closed).await, [3]);
    let from = Wanted {
        source: "neighbour".to_owned(),
        ..any()
    };
    assert_eq!(listed(&pool, &all, &from).await, [1]);

    let found = found(&pool, &all, &any()).await;
    let next: Vec<&str> = found.iter().map(Listed::next_on).collect();
    assert_eq!(next, ["2026-04-05", "", "", ""]);
    assert_eq!(found[0].cause(), Some(Cause::Aftercare));
    assert_eq!(found[1].units, [COUNTY, NEIGHBOUR]);
    assert_eq!(
        (found[1].source.as_str(), found[1].approach()),
        ("register", None)
    );
}

#[test]
fn a_row_has_the_columns_of_its_table() {
    let state = sanctioned_twice().events([assessed(Attitude::Corrected)]);
    let row = Files::row(Uuid::nil(), 3, state.state()).expect("there is a file");
    let row = serde_json::to_value(row).expect("a row is JSON");
    let columns: BTreeSet<&str> = row
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(columns, Files::COLUMNS.iter().copied().collect());
    assert_eq!(row["approach"], "affirm");
    assert_eq!(Files::row(Uuid::nil(), 0, &State::Unopened), None);
}

#[test]
fn aftercare_that_was_taken_away_counts_as_nothing_and_keeps_its_file() {
    let state = a_cared_file()
        .actor(service())
        .when(Command::TakeAftercareAway {
            clarification: id(CLARIFICATION),
            conclusion: 1,
        })
        .accepted()
        .1;
    let row = Files::row(Uuid::nil(), 4, state.state()).expect("there is a file");
    assert_eq!(row.tallies.len(), 1);
    assert!(row.tallies[0].counts.is_empty());
    assert_eq!((row.state, row.next_on.as_str()), ("closed", NEVER));
}

#[test]
fn a_visit_counts_under_the_sanction_in_whose_period_it_fell() {
    let state = a_file()
        .events([second_followed()])
        .actor(officer("he", NEIGHBOUR))
        .now("2026-07-01T01:00:00Z")
        .when(Command::RecordVisit(crate::file::Report {
            on: date(2026, 7, 1),
            ..report()
        }))
        .accepted()
        .1;
    let row = Files::row(Uuid::nil(), 4, state.state()).expect("there is a file");
    let visits = row.tallies.iter().map(|tally| {
        let visits = tally.counts.get("visits").copied();
        (tally.source.as_str(), visits.unwrap_or_default())
    });
    assert!(visits.eq([("neighbour", 1), ("register", 0)]));
}

//! The queries against a real PostgreSQL, which `tests/run` provides: each test has the tables for itself, in its
//! connection's temporary schema.

use std::collections::BTreeMap;

use chassis::aggregate::Aggregate as _;
use chassis::testing::{self, Given, given};
use office::{Actor, Role};

use super::figures::{Counting, Figures, count};
use super::*;
use crate::clarification::afterwards::{LedgerNumbered, PersonnelReminded};
use crate::clarification::deadlines::{ExecutionNear, ExecutionOverdue};
use crate::clarification::fixture::*;
use crate::clarification::waiting::AppliedFor;
use crate::clarification::wish::Said;
use crate::clarification::{Command, Event};
use crate::conclusion::Subject;
use crate::ledger::What;
use crate::matter::fixture::{a_matter, organisation};

async fn database() -> PgPool {
    testing::database(&[
        include_str!("../../migrations/0001_clarification.sql"),
        include_str!("../../migrations/0002_figures.sql"),
        include_str!("../../migrations/0004_awaited.sql"),
    ])
    .await
}

/// One clarification, by the number of its subject.
struct One {
    subject: u128,
    kind: SubjectKind,
    source: &'static str,
    given: Given<Clarification>,
}

fn one(subject: u128, given: Given<Clarification>) -> One {
    One {
        subject,
        kind: SubjectKind::Person,
        source: "register",
        given,
    }
}

/// Writes them, each under the number of its subject.
async fn write(pool: &PgPool, clarifications: impl IntoIterator<Item = One>) {
    let states = clarifications.into_iter().map(|one| {
        let State::Open(mut dossier) = one.given.state().clone() else {
            panic!("it is open");
        };
        dossier.subject.id = id(one.subject);
        dossier.subject.kind = one.kind;
        dossier.source = one.source.to_owned();
        (Uuid::from_u128(one.subject), State::Open(dossier))
    });
    testing::write::<Clarifications>(pool, states).await;
}

/// Writes one whose subject has applied and is not cleared, under the number of its subject.
async fn write_applied(pool: &PgPool, subject: u128) {
    let matter = a_matter();
    let known = matter.state().known().expect("it is known");
    let applied = AppliedFor {
        matter: id(0x10),
        source: "register".to_owned(),
        subject: Subject {
            id: id(subject),
            ..organisation()
        },
        recusal: known.recusal.clone(),
        unit: known.unit.clone(),
        ordinal: 0,
    };
    let state = given::<Clarification>().events([applied]).state().clone();
    testing::write::<Clarifications>(pool, [(Uuid::from_u128(subject), state)]).await;
}

fn reach(actor: &Actor) -> Reach {
    let context = given::<Clarification>();
    let context = context.context();
    Reach::of(actor, &context.profile, &context.secrets)
}

fn at(unit: &str, name: &str, role: Role) -> Reach {
    reach(&Actor {
        unit: unit.parse().expect("a unit code"),
        ..actor(name, role)
    })
}

fn everywhere() -> Reach {
    at("N", "otto", Role::ClarificationOfficer)
}

/// Of every unit, at any time.
fn counting(source: &str) -> Counting<'_> {
    let setting = given::<Clarification>();
    let units = &setting.context().profile.units;
    let above = units.iter().flat_map(|unit| {
        let upper = units.upwards(&unit.code);
        upper.map(|upper| (unit.code.to_string(), upper.code.to_string()))
    });
    Counting {
        source,
        units: None,
        above: above.collect(),
        from: None,
        until: None,
    }
}

fn first<T>(size: i32) -> Page<T> {
    Page::asked(size, "", |_| None).expect("a page")
}

fn numbered(form: Form, number: i32) -> Given<Clarification> {
    a_carried_out_one(form).events([LedgerNumbered {
        entered: entered(number, What::CarriedOut, 1),
        superseding: None,
    }])
}

#[tokio::test]
async fn figures_are_counted_by_source_form_and_unit() {
    let pool = database().await;
    let superseded = numbered(Form::Meeting, 3)
        .events([a_superseding()])
        .events([LedgerNumbered {
            entered: superseding(4, 3),
            superseding: None,
        }]);
    let mut not_eligible = cleared(1);
    not_eligible.clearance.harm = None;
    let not_eligible = given::<Clarification>()
        .actor(service())
        .when(Command::FollowRuling(Box::new(not_eligible)))
        .accepted()
        .1;
    let halted = an_approved_one(Form::Written).events([a_halting()]);
    write(
        &pool,
        [
            one(1, numbered(Form::Meeting, 1)),
            One {
                kind: SubjectKind::Organisation,
                ..one(
                    2,
                    numbered(Form::Meeting, 2).events([confirmed_by("petra")]),
                )
            },
            one(3, superseded),
            one(4, not_eligible),
            one(5, halted),
            one(6, a_candidate().events([wish_of(Said::Declines)])),
            One {
                source: "elsewhere",
                ..one(7, a_candidate())
            },
        ],
    )
    .await;
    write_applied(&pool, 8).await;
    let (counted, by_unit) = count(&pool, &counting("register")).await.expect("figures");
    let counted: Vec<(&str, i64)> = counted.iter().map(|(key, n)| (key.as_str(), *n)).collect();
    assert_eq!(
        counted,
        [
            ("candidates", 6),
            ("cleared_by_conclusion", 4),
            ("carried_out", 2),
            ("persons_cleared", 1),
            ("organisations_cleared", 1),
            ("form_written", 0),
            ("form_in_person", 0),
            ("form_meeting", 2),
            ("form_bulletin", 0),
            // All three were cleared at the same one.
            ("meetings", 1),
            ("not_eligible", 1),
            ("declined", 1),
            ("halted", 1),
            ("superseded", 1),
            ("applied", 1),
            ("unreachable", 0),
            ("executions_overdue", 0),
            ("confirmations_overdue", 0),
            ("ledger_entries", 4),
            ("ledger_entries:P51-01", 4),
        ]
    );
    // All of it was concluded by the one unit, and counts in those above it as well.
    let units: Vec<&str> = by_unit.keys().map(String::as_str).collect();
    assert_eq!(units, ["N", "P51", "P51-01"]);
    let total: Vec<(&str, i64)> = by_unit["P51"]
        .iter()
        .map(|(key, n)| (key.as_str(), *n))
        .collect();
    assert_eq!(total, counted);

    let (all, _) = count(&pool, &counting("")).await.expect("figures");
    assert!(all.contains(&("candidates".to_owned(), 7)));
    let elsewhere = Counting {
        units: Some(vec!["P51-02".to_owned()]),
        ..counting("")
    };
    let (none, of_none) = count(&pool, &elsewhere).await.expect("figures");
    assert!(none.iter().all(|(_, count)| *count == 0));
    assert_eq!(of_none, BTreeMap::new());
}

#[tokio::test]
async fn figures_of_a_period_hold_what_was_done_in_its_days_and_nothing_without_a_day() {
    let pool = database().await;
    let superseded = numbered(Form::Meeting, 2).events([a_superseding()]);
    write(
        &pool,
        [
            one(1, numbered(Form::Meeting, 1)),
            one(2, superseded),
            one(3, a_candidate()),
        ],
    )
    .await;
    // Both were carried out on 9 March 2026.
    for (from, until, cleared, held) in [
        ("2026-03-09", "2026-03-09", 1, 1),
        ("2026-01-01", "2026-06-30", 1, 1),
        ("2026-03-10", "2026-12-31", 0, 0),
        ("2025-01-01", "2026-03-08", 0, 0),
    ] {
        let period = Counting {
            from: Some(from.parse().expect("a day")),
            until: Some(until.parse().expect("a day")),
            ..counting("")
        };
        let (counted, _) = count(&pool, &period).await.expect("figures");
        let counted: BTreeMap<&str, i64> =
            counted.iter().map(|(key, n)| (key.as_str(), *n)).collect();
        assert_eq!(counted["persons_cleared"], cleared, "{from} {until}");
        assert_eq!(counted["meetings"], held, "{from} {until}");
        assert!(!counted.contains_key("candidates"));
    }
}

#[tokio::test]
async fn who_is_cleared_in_two_units_is_one_person_in_each_and_one_above_both() {
    let pool = database().await;
    let in_unit = |matter: u128, code: &str| {
        let given = numbered(Form::Written, 1);
        let State::Open(mut dossier) = given.state().clone() else {
            panic!("it is open");
        };
        dossier.clearance.unit = code.parse().expect("a unit code");
        (Uuid::from_u128(matter), State::Open(dossier))
    };
    let both = [in_unit(1, "P51-01"), in_unit(2, "P51-02")];
    testing::write::<Clarifications>(&pool, both).await;
    let (total, by_unit) = count(&pool, &counting("")).await.expect("figures");
    let persons = |figures: &Figures| {
        let found = figures.iter().find(|(key, _)| key == "persons_cleared");
        found.expect("a figure").1
    };
    assert_eq!(persons(&total), 1);
    for (unit, expected) in [("P51", 1), ("P51-01", 1), ("P51-02", 1)] {
        assert_eq!(persons(&by_unit[unit]), expected, "{unit}");
    }
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_ended_and_holds_what_the_actor_may_see() {
    let pool = database().await;
    let all = (1..=5).map(|number| one(number, a_candidate()));
    write(&pool, all.chain([one(6, an_eligible_one())])).await;
    let numbers =
        |found: &[Listed]| -> Vec<u128> { found.iter().map(|row| row.id.as_u128()).collect() };
    let wanted = Wanted {
        state: Some(Standing::Screening),
        source: "register".to_owned(),
        ..Wanted::default()
    };
    let page = first(2);
    let found = list(&pool, &everywhere(), &wanted, &page)
        .await
        .expect("a page");
    let (shown, next) = page.cut(found, |row| row.id.to_string());
    assert_eq!(numbers(&shown), [1, 2]);
    assert_eq!(shown[0].standing(), Some(Standing::Screening));
    let page = Page::asked(10, &next, |token| token.parse().ok()).expect("the next page");
    let rest = list(&pool, &everywhere(), &wanted, &page)
        .await
        .expect("the rest");
    assert_eq!(numbers(&rest), [3, 4, 5]);

    let of = Wanted {
        subject: Some(Uuid::from_u128(6)),
        matter: Some(Uuid::from_u128(0x10)),
        ..Wanted::default()
    };
    for (who, sees) in [
        (everywhere(), 1),
        (at("P51-01", "otto", Role::ClarificationOfficer), 1),
        (at("P51-01-01", "otto", Role::ClarificationOfficer), 0),
        (at("P51-02", "auditor-1", Role::Auditor), 1),
        (at("N", "accused", Role::ClarificationOfficer), 0),
        (at("N", "reporter", Role::ClarificationOfficer), 0),
    ] {
        let found = list(&pool, &who, &of, &first(10)).await.expect("a page");
        assert_eq!(found.len(), sees, "{}", who.actor);
    }
}

/// All that an actor finds of what was written, by the numbers of the subjects.
async fn found(pool: &PgPool, reach: &Reach, wanted: Wanted) -> Vec<u128> {
    let found = list(pool, reach, &wanted, &first(10)).await;
    let found = found.expect("a page");
    found.iter().map(|row| row.id.as_u128()).collect()
}

#[tokio::test]
async fn a_list_holds_exactly_what_each_clarification_admits_the_actor_to() {
    let pool = database().await;
    // The subject belongs to P51-01-01, whose personnel department keeps their record; P51-01 concluded.
    let carried_out = a_carried_out_one(Form::Written);
    let state = carried_out.state().clone();
    testing::write::<Clarifications>(&pool, [(Uuid::from_u128(1), state.clone())]).await;
    for (unit, name, role, sees) in [
        ("P51-01-01", "petra", Role::PersonnelOfficer, true),
        ("P51-01", "petra", Role::PersonnelOfficer, true),
        ("N", "petra", Role::PersonnelOfficer, true),
        ("P51-02", "petra", Role::PersonnelOfficer, false),
        ("P51-01-01-01", "petra", Role::PersonnelOfficer, false),
        ("P51-01-01", "accused", Role::PersonnelOfficer, false),
        ("P51-01-01", "reporter", Role::PersonnelOfficer, false),
        ("P51-01-01", "otto", Role::ClarificationOfficer, false),
        ("P51-01-01", "anna", Role::Screener, false),
        ("P51-01", "anna", Role::Screener, true),
        ("P51", "anna", Role::Screener, true),
        ("P51-02", "auditor-1", Role::Auditor, true),
    ] {
        let who = Actor {
            unit: unit.parse().expect("a unit code"),
            ..actor(name, role)
        };
        let wanted = Wanted {
            keeps_records: who.has(Role::PersonnelOfficer),
            ..Wanted::default()
        };
        let listed = found(&pool, &reach(&who), wanted).await == [1];
        let mut setting = carried_out.context().clone();
        setting.actor = who;
        let admitted = Clarification::admit(&state, &setting.visitor()).is_ok();
        assert_eq!(
            (listed, admitted),
            (sees, sees),
            "{name} {role:?} of {unit}"
        );
    }
}

#[tokio::test]
async fn what_is_late_and_whose_subject_cannot_be_heard_is_found_and_counted() {
    let pool = database().await;
    let due = "2026-03-16T15:59:59.999999Z".parse().expect("a timestamp");
    let since = "2026-03-23T15:59:59.999999Z".parse().expect("a timestamp");
    let near: Event = ExecutionNear { due }.into();
    let overdue: Event = ExecutionOverdue { due }.into();
    let reminded: Event = PersonnelReminded { since }.into();
    let written = Form::Written;
    let unreachable = an_eligible_one()
        .actor(officer("otto"))
        .when(Command::RecordUnreachable { reason: id(TEXT) })
        .accepted()
        .1;
    write(
        &pool,
        [
            one(1, an_approved_one(written)),
            one(2, an_approved_one(written).events([near])),
            one(3, an_approved_one(written).events([overdue.clone()])),
            one(4, a_carried_out_one(written)),
            one(5, a_carried_out_one(written).events([reminded.clone()])),
            one(
                6,
                a_carried_out_one(written).events([reminded, confirmed_by("petra")]),
            ),
            one(
                7,
                an_approved_one(written).events([overdue, an_execution(written)]),
            ),
            one(8, unreachable),
        ],
    )
    .await;
    let said = |state, notice| Wanted {
        state,
        notice: Some(notice),
        ..Wanted::default()
    };
    let unreachable = Wanted {
        unreachable: true,
        ..Wanted::default()
    };
    for (wanted, numbers) in [
        (said(None, Notice::Near), &[2][..]),
        (said(None, Notice::Overdue), &[3, 5]),
        (said(Some(Standing::Approved), Notice::Overdue), &[3]),
        (said(Some(Standing::CarriedOut), Notice::Overdue), &[5]),
        (unreachable, &[8]),
    ] {
        assert_eq!(found(&pool, &everywhere(), wanted).await, numbers);
    }
    let awaiting = Wanted {
        state: Some(Standing::CarriedOut),
        ..Wanted::default()
    };
    let page = list(&pool, &everywhere(), &awaiting, &first(10)).await;
    let page = page.expect("a page");
    let told: Vec<_> = page
        .iter()
        .map(|row| (row.id.as_u128(), row.notice()))
        .collect();
    assert_eq!(
        told,
        [
            (4, Notice::Silent),
            (5, Notice::Overdue),
            (7, Notice::Silent)
        ]
    );
    let (total, by_unit) = count(&pool, &counting("")).await.expect("figures");
    for counted in [&total, &by_unit["P51"]] {
        for key in ["executions_overdue", "confirmations_overdue", "unreachable"] {
            assert!(counted.contains(&(key.to_owned(), 1)), "{key}: {counted:?}");
        }
    }
}

#[tokio::test]
async fn a_ledger_is_read_by_number_and_a_superseding_entry_names_the_first() {
    let pool = database().await;
    let superseded = numbered(Form::Written, 2)
        .events([a_superseding()])
        .events([LedgerNumbered {
            entered: superseding(3, 2),
            superseding: None,
        }]);
    write(
        &pool,
        [one(1, superseded), one(2, numbered(Form::Bulletin, 1))],
    )
    .await;
    let of = |year| OfLedger {
        unit: "P51-01",
        year,
        keeps_records: false,
    };
    let page = first(2);
    let found = ledger(&pool, &everywhere(), &of(2026), &page)
        .await
        .expect("a page");
    let (shown, next) = page.cut(found, |line| line.number.to_string());
    let told: Vec<_> = shown
        .iter()
        .map(|line| {
            (
                line.number,
                line.clarification.as_u128(),
                line.supersedes_number,
            )
        })
        .collect();
    assert_eq!(told, [(1, 2, None), (2, 1, None)]);
    assert_eq!(shown[0].entered_on, "2026-03-09");
    let page = Page::asked(2, &next, |token| token.parse().ok()).expect("the next page");
    let rest = ledger(&pool, &everywhere(), &of(2026), &page)
        .await
        .expect("the rest");
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].number, rest[0].supersedes_number), (3, Some(2)));
    assert_eq!(rest[0].supersedes_unit.as_deref(), Some("P51-01"));
    let last_year = ledger(&pool, &everywhere(), &of(2025), &first(10)).await;
    assert_eq!(last_year.expect("nothing").len(), 0);

    // The subject belongs to P51-01-01, whose personnel department keeps their record.
    for (who, keeps_records, sees) in [
        (at("P51-01-01", "petra", Role::PersonnelOfficer), true, 3),
        (
            at("P51-01-01", "petra", Role::ClarificationOfficer),
            false,
            0,
        ),
        (at("P51-02", "petra", Role::PersonnelOfficer), true, 0),
        (at("N", "reporter", Role::PersonnelOfficer), true, 0),
    ] {
        let of = OfLedger {
            keeps_records,
            ..of(2026)
        };
        let found = ledger(&pool, &who, &of, &first(10)).await.expect("a page");
        assert_eq!(found.len(), sees, "{} {keeps_records}", who.actor);
    }
}

#[test]
fn a_row_has_exactly_the_columns_of_its_table() {
    let row = Clarifications::row(Uuid::nil(), 1, an_approved_one(Form::Written).state());
    let row = serde_json::to_value(row.expect("a row")).expect("a row is JSON");
    let mut columns: Vec<_> = row.as_object().expect("an object").keys().collect();
    let mut declared = Clarifications::COLUMNS.to_vec();
    columns.sort();
    declared.sort_unstable();
    assert_eq!(columns, declared);
    assert_eq!(row["due_on"], "2026-03-16");
    for standing in Standing::ALL {
        assert_eq!(Standing::of_word(standing.word()), Some(standing));
        let json = serde_json::to_value(standing).expect("a word");
        assert_eq!(json, standing.word());
    }
}

#[tokio::test]
async fn one_that_was_only_applied_for_is_listed_by_its_state_and_hidden_from_the_recused() {
    let pool = database().await;
    write(&pool, [one(1, a_candidate())]).await;
    write_applied(&pool, 2).await;
    let wanted = Wanted {
        state: Some(Standing::Applied),
        ..Wanted::default()
    };
    let found = list(&pool, &everywhere(), &wanted, &first(10)).await;
    let found: Vec<_> = found.expect("a page").iter().map(|row| row.id).collect();
    assert_eq!(found, [Uuid::from_u128(2)]);
    for recused in ["accused", "reporter"] {
        let reach = at("N", recused, Role::ClarificationOfficer);
        let found = list(&pool, &reach, &wanted, &first(10)).await;
        assert!(found.expect("a page").is_empty(), "{recused}");
    }
}

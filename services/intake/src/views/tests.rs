//! The queries against a real PostgreSQL, which `tests/run` provides: each test has the tables for itself, in its
//! connection's temporary schema.

use chassis::testing::{self, given, write};
use office::{Actor, MatterId, ReportId, Role};

use super::*;
use crate::examples::{
    COUNTY, NATION, TOWN, about, about_somebody, accept, acting_as, actor, officer, subject,
    submission, submitted_as,
};
use crate::report::submission::{Alleged, Submission};
use crate::report::{Command, State};
use crate::subject::Entry;

async fn database() -> PgPool {
    testing::database(&[include_str!("../../migrations/0001_intake.sql")]).await
}

fn report(number: u128, submission: Submission, subjects: &[Entry]) -> (Uuid, State) {
    let id = Uuid::from_u128(number);
    let minute = number % 60;
    let fresh = given()
        .id(id)
        .request_id(number)
        .now(&format!("2026-03-09T01:{minute:02}:00Z"));
    let (_, after) = submitted_as(submission, subjects, fresh);
    (id, after.state().clone())
}

fn matter(number: u128, submission: Submission, subjects: &[Entry]) -> (Uuid, matter::State) {
    let (id, state) = report(number, submission, subjects);
    let report = ReportId::from(id);
    let minute = number % 60;
    let (_, accepted) = given::<Report>()
        .id(id)
        .events(journal(&state))
        .when(accept())
        .accepted();
    let (_, opened) = given::<Matter>()
        .id(own_matter(report))
        .now(&format!("2026-03-09T02:{minute:02}:00Z"))
        .facts(matter::Facts {
            report: accepted.state().clone(),
            subject: None,
        })
        .when(matter::Command::Open { report })
        .accepted();
    (own_matter(report).into(), opened.state().clone())
}

fn journal(state: &State) -> Vec<report::Event> {
    let filed = state.filed().expect("it was submitted");
    vec![report::Event::Submitted(filed.submitted.clone())]
}

fn of(category: &str, alleged: Alleged) -> Alleged {
    Alleged {
        category: category.to_owned(),
        ..alleged
    }
}

fn reach(actor: &Actor) -> Reach {
    let context = given::<Report>();
    let context = context.context();
    Reach::of(actor, &context.profile, &context.secrets)
}

fn everywhere() -> Reach {
    reach(&officer("officer-1", NATION))
}

#[tokio::test]
async fn figures_are_counted_by_source() {
    let pool = database().await;
    let (one, two) = (subject("one"), subject("two"));
    let both = [one.clone(), two.clone()];
    let first = report(
        1,
        submission([about(&one), about(&one), about_somebody()]),
        &both[..1],
    );
    let second = report(2, submission([about(&one), about(&two)]), &both);
    let mut elsewhere = submission([about(&two)]);
    elsewhere.source = "another register".to_owned();
    let third = report(3, elsewhere, &both[1..]);
    let (_, declined) = given::<Report>()
        .events(journal(&second.1))
        .when(Command::Decline {
            reason: "out_of_scope".to_owned(),
        })
        .accepted();
    write::<Reports>(&pool, [first, (second.0, declined.state().clone()), third]).await;
    write::<Matters>(&pool, [matter(1, submission([about(&one)]), &both[..1])]).await;

    let counted = figures(&pool, "test").await.expect("figures");
    let counted: Vec<(&str, i64)> = counted.iter().map(|(key, n)| (key.as_str(), *n)).collect();
    assert_eq!(
        counted,
        [
            ("reports", 2),
            ("reports_accepted", 0),
            ("reports_declined", 1),
            ("reports_joined", 0),
            ("reports_received", 1),
            ("reports_transferred", 0),
            ("reports_withdrawn", 0),
            ("matters", 1),
            ("subjects_identified", 2),
            ("subjects_not_identified", 1),
            ("allegations", 5),
        ]
    );
    let all = figures(&pool, "").await.expect("figures");
    assert!(all.contains(&("reports".to_owned(), 3)));
    assert!(all.contains(&("allegations".to_owned(), 6)));
}

#[tokio::test]
async fn a_list_goes_on_where_the_page_ended_and_holds_what_the_actor_may_see() {
    let pool = database().await;
    let one = acting_as("colleague", subject("one"));
    let reports = (1..=5).map(|number| {
        report(
            number,
            submission([about(&one)]),
            std::slice::from_ref(&one),
        )
    });
    write::<Reports>(&pool, reports).await;
    let numbers =
        |found: Vec<Listed>| -> Vec<u128> { found.iter().map(|row| row.id.as_u128()).collect() };
    let page = |size, token: &str| Page::asked(size, token, Place::read).expect("a page");
    let first = page(2, "");
    let found = list_reports(&pool, &everywhere(), &first, None, "")
        .await
        .expect("a page");
    let (shown, next) = first.cut(found, |row| row.place().token());
    assert_eq!(shown[1].entered_on, "2026-03-09");
    assert_eq!(Place::read(&next), Some(shown[1].place()));
    assert_eq!(numbers(shown), [5, 4]);
    let rest = page(10, &next);
    let rest = list_reports(&pool, &everywhere(), &rest, Some("received"), "test")
        .await
        .expect("the rest");
    assert_eq!(numbers(rest), [3, 2, 1]);

    let auditor = actor("auditor-1", TOWN, Role::Auditor);
    for (who, sees) in [
        (officer("of-the-county", COUNTY), 5),
        (officer("of-the-town", TOWN), 0),
        (auditor, 5),
        (officer("colleague", NATION), 0),
    ] {
        let found = list_reports(&pool, &reach(&who), &page(10, ""), None, "")
            .await
            .expect("a page");
        assert_eq!(found.len(), sees, "{}", who.id);
    }
}

#[tokio::test]
async fn candidates_come_best_first_and_newest_among_equals() {
    let pool = database().await;
    let (one, two) = (subject("one"), subject("two"));
    let both = [one.clone(), two.clone()];
    let bribery = || of("bribery", about(&one));
    let neglect = || of("neglect", about(&two));
    let matters = [
        matter(10, submission([bribery()]), &both[..1]),
        matter(11, submission([bribery(), neglect()]), &both),
        matter(12, submission([neglect()]), &both[1..]),
        matter(13, submission([of("neglect", about(&one))]), &both[..1]),
        matter(14, submission([about_somebody()]), &[]),
    ];
    let own: Vec<MatterId> = (0..60)
        .map(|number| own_matter(Uuid::from_u128(number).into()))
        .collect();
    write::<Matters>(&pool, matters).await;
    let context = given::<Report>();
    let profile = &context.context().profile;
    let found = async |number: u128, submission: Submission, who: &Reach| -> Vec<(MatterId, f64)> {
        let (_, state) = report(number, submission, &both);
        let filed = state.filed().expect("it was submitted");
        candidates(&pool, profile, who, filed)
            .await
            .expect("candidates")
            .into_iter()
            .map(|row| (row.id.into(), row.score))
            .collect()
    };

    let repeat = submission([bribery(), neglect(), bribery()]);
    assert_eq!(
        found(20, repeat, &everywhere()).await,
        [(own[11], 1.0), (own[12], 0.5), (own[10], 0.5)]
    );
    // One topic of three is below the default profile's least score.
    let other = of("theft", about(&one));
    let little = submission([bribery(), other.clone(), of("theft", about(&two))]);
    assert_eq!(found(21, little, &everywhere()).await, []);
    assert_eq!(
        found(22, submission([about_somebody()]), &everywhere()).await,
        [],
        "somebody who is not identified repeats nobody"
    );
    assert_eq!(
        found(10, submission([bribery()]), &everywhere()).await,
        [(own[11], 1.0)],
        "a report does not repeat the matter that it raised"
    );
    let below = reach(&officer("of-the-town", TOWN));
    assert_eq!(
        found(23, submission([bribery()]), &below).await,
        [],
        "nobody decides on what they may not see"
    );
}

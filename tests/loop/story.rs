//! The two stories are told to their ends, and what came of them can be looked at from everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use proto::topology::SERVICES;
use serde_json::Value;
use tests::Office;

use crate::faults::under_way;

/// How many rows each journal has.
async fn rows(office: &Office) -> BTreeMap<&'static str, i64> {
    let mut counted = BTreeMap::new();
    for service in SERVICES {
        let pool = office.superuser(service).await;
        let rows = sqlx::query_scalar("select count(*) from journal");
        counted.insert(*service, rows.fetch_one(&pool).await.expect("it answers"));
        pool.close().await;
    }
    counted
}

fn id<'a>(told: &'a Value, tale: &str, key: &str) -> &'a str {
    let found = told[tale][key].as_str();
    found.unwrap_or_else(|| panic!("no {key} of {tale} in {told:#}"))
}

fn kinds(file: &Value) -> BTreeSet<&str> {
    let entries = file["entries"].as_array().expect("a list");
    entries
        .iter()
        .map(|entry| entry["kind"].as_str().expect("a kind"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reports_are_led_to_their_ends_and_a_second_telling_adds_nothing() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    led_to_their_ends(&office).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reports_reach_their_ends_although_each_service_is_killed_on_the_way() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    for (service, event) in [
        ("intake", "report_submitted"),
        ("verification", "case_concluded"),
        ("clarification", "clarification_approved"),
        ("follow_up", "file_opened"),
    ] {
        // A telling that is cut short is told again, as whoever reads its message would.
        let mut telling = office.zm(&["story"]);
        telling.stdout(Stdio::null()).stderr(Stdio::null());
        let mut telling = telling.spawn().expect("zm is built");
        let pool = office.superuser(service).await;
        under_way(&pool, event, 1).await;
        services.remove(service).expect("it runs").kill();
        services.insert(service, office.start(service).await);
        let ended = tokio::task::spawn_blocking(move || telling.wait());
        ended.await.expect("the thread ends").expect("it ends");
        pool.close().await;
    }
    led_to_their_ends(&office).await;
}

/// Tells both stories to their ends, and sees what came of them: each thing once, also where it is told again.
async fn led_to_their_ends(office: &Office) {
    let told = office.zm_json(&["story"]);
    office.zm_json(&["quiet", "--wait", "60"]);
    let before = rows(office).await;
    assert!(before.values().all(|rows| *rows > 0), "{before:?}");
    assert_eq!(told, office.zm_json(&["story"]));
    office.zm_json(&["quiet", "--wait", "60"]);
    assert_eq!(before, rows(office).await);
    let figures = office.zm_json(&["stats", "--source", "story"]);
    for (service, figure, count) in [
        ("intake", "reports", 2),
        ("clarification", "carried_out", 1),
        ("clarification", "ledger_entries", 1),
    ] {
        assert_eq!(figures[service][figure], count, "{figure}: {figures:#}");
    }

    let cleared = office.zm_json(&[
        "clarification",
        "show",
        id(&told, "untrue", "clarification"),
    ]);
    assert_eq!(
        cleared["state"], "CLARIFICATION_STATE_CONFIRMED",
        "{cleared:#}"
    );
    assert_eq!(cleared["form"], cleared["recommendedForm"], "{cleared:#}");
    let screeners: BTreeSet<&str> = cleared["opinions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|opinion| opinion["by"].as_str().expect("an actor"))
        .collect();
    assert_eq!(screeners.len(), 5, "{cleared:#}");
    let on_record = office.zm_json(&["integrity", id(&told, "untrue", "subject")]);
    assert!(
        kinds(&on_record).contains("INTEGRITY_ENTRY_KIND_CLEARED"),
        "{on_record:#}"
    );

    let file = office.zm_json(&["file", id(&told, "true", "subject")]);
    let file = &file["file"];
    assert_eq!(file["fileId"], id(&told, "true", "file"));
    for (what, count) in [
        ("periods", 1),
        ("visits", 1),
        ("assessments", 1),
        ("planned", 1),
    ] {
        let found = file[what].as_array().map_or(0, Vec::len);
        assert_eq!(found, count, "{what} of {file:#}");
    }
    let on_record = office.zm_json(&["integrity", id(&told, "true", "subject")]);
    let kinds = kinds(&on_record);
    for kind in ["SANCTIONED", "FOLLOW_UP_OPENED", "VISITED"] {
        let kind = format!("INTEGRITY_ENTRY_KIND_{kind}");
        assert!(kinds.contains(kind.as_str()), "{kind} in {on_record:#}");
    }

    // The whole matter is one timeline over all four services, each row after its cause.
    for (tale, services) in [("untrue", 4), ("true", 4)] {
        let history = office.zm_json(&["show", id(&told, tale, "report")]);
        let rows = history.as_array().expect("a list");
        let of: BTreeSet<_> = rows.iter().map(|row| row["service"].as_str()).collect();
        assert_eq!(of.len(), services, "{tale}: {of:?}");
        for row in rows {
            if let Some(cause) = row["because_of"].as_u64() {
                assert!(cause < row["number"].as_u64().expect("a number"), "{row:#}");
            }
        }
    }
    office.zm_json(&["journal", "verify"]);
}

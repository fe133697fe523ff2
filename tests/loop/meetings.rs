//! Several names are cleared at one meeting: it counts once, each name has its clarification and its entry in the ledger,
//! and what cannot be cleared any more is told with the meeting.

use proto::office::{ClarificationForm, Finding, Harm, SubjectKind};
use serde_json::Value;
use servers::eventually;
use tests::Office;
use tests::docket::{Concluded, Docket, Report};

use crate::concluding::word;
use crate::documents::{lines, saved};

const UNIT: &str = "P51-01-01";
const SOURCE: &str = "meetings";

/// A report of this number whose subject is to be cleared at a meeting, and its clarification, approved.
async fn approved(docket: &Docket, number: usize) -> (Concluded, String) {
    let report = Report {
        name: format!("meeting-{number}"),
        source: SOURCE,
        kind: SubjectKind::Person,
        unit: UNIT.to_owned(),
        finding: Finding::Unfounded,
        harm: Some(Harm::SpreadInPublic),
    };
    let concluded = docket.conclude(&report).await;
    let id = docket.opened(&concluded).await;
    let form = ClarificationForm::Meeting;
    docket.prepare(&report.name, &id, form).await;
    (concluded, id)
}

/// How a meeting is shown.
fn shown(office: &Office, meeting: &str) -> Value {
    office.zm_json(&["clarification", "meeting", "show", meeting])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_counted_once_and_clears_each_name_whose_conclusion_still_stands() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let docket = Docket::new(&office, vec![office.client()]);
    let mut all = Vec::new();
    for number in 1..=3 {
        all.push(approved(&docket, number).await);
    }
    let mut convene = vec!["clarification", "meeting", "convene"];
    for (_, id) in &all {
        convene.extend(["--clarification", id]);
    }
    let rest = ["--on", docket.today(), "--place", "Town hall"];
    convene.extend(rest);
    let convened = office.zm_json(&convene);
    assert_eq!(convened["unit"], UNIT, "{convened:#}");
    let meeting = word(&convened["meetingId"]);
    office.zm_json(&["quiet", "--wait", "60"]);

    // Whoever is called to it is not called to another one, nor cleared beside it.
    let told = office.zm_refused(&convene);
    assert!(told.contains("clarification_ids[0]"), "{told}");
    assert!(told.contains(&meeting), "{told}");
    let by_hand = [
        "clarification",
        "carry-out",
        &all[0].1,
        "--place",
        "Town hall",
    ];
    let told = office.zm_refused(&by_hand);
    assert!(told.contains("convene one for it"), "{told}");

    // It is announced with everybody's name, and with nothing of what was alleged.
    let (announcement, _) = saved(&office, &meeting, "announcement");
    let announcement = lines(&announcement).concat();
    let all_names = ["meeting-1", "meeting-2", "meeting-3"];
    for name in all_names {
        assert!(announcement.contains(name), "{announcement}");
    }
    assert!(announcement.contains("Townhall"), "{announcement}");
    assert!(!announcement.contains("不属实"), "{announcement}");

    // One of the cases is opened again, and then verification says nothing any more: nobody is cleared without its word.
    docket.reopen(&all[2].0).await;
    eventually("the third is halted", async || {
        let third = docket.clarification(&all[2].0).await;
        third.is_some_and(|third| third.state() == proto::clarification::ClarificationState::Halted)
    })
    .await;
    services.remove("verification").expect("it runs").kill();
    let hold = [
        "clarification",
        "meeting",
        "hold",
        &meeting,
        "--attendance",
        "40",
        "--attended",
        "All of the office",
    ];
    office.zm_json(&hold);
    let held = shown(&office, &meeting);
    assert_eq!(held["state"], "MEETING_STATE_HELD", "{held:#}");
    assert!(office.zm_refused(&hold).contains("was held"));

    services.insert("verification", office.start("verification").await);
    let outcomes = || {
        let held = shown(&office, &meeting);
        let items = held["items"].as_array().expect("a list").iter();
        let outcomes = items.map(|item| (item["outcome"].clone(), item["code"].clone()));
        outcomes.collect::<Vec<(Value, Value)>>()
    };
    eventually("it is known what became of each", async || {
        outcomes().iter().all(|(outcome, _)| outcome.is_string())
    })
    .await;
    let carried_out = (Value::from("MEETING_OUTCOME_CARRIED_OUT"), Value::Null);
    let not_carried_out = (
        Value::from("MEETING_OUTCOME_NOT_CARRIED_OUT"),
        Value::from("CLARIFICATION_HALTED"),
    );
    assert_eq!(
        outcomes(),
        [carried_out.clone(), carried_out, not_carried_out]
    );

    office.zm_json(&["quiet", "--wait", "60"]);
    let figures = office.zm_json(&["stats", "--source", SOURCE])["clarification"].take();
    for (key, count) in [
        ("meetings", 1),
        ("form_meeting", 2),
        ("persons_cleared", 2),
        ("halted", 1),
        ("ledger_entries", 2),
    ] {
        assert_eq!(figures[key], count, "{key}: {figures:#}");
    }
    let ledger = office.zm_json(&["ledger", UNIT]);
    let entries = ledger["entries"].as_array().expect("a list").iter();
    let mut entered: Vec<String> = entries
        .map(|entry| word(&entry["clarificationId"]))
        .collect();
    entered.sort();
    let mut cleared = vec![all[0].1.clone(), all[1].1.clone()];
    cleared.sort();
    assert_eq!(entered, cleared, "{ledger:#}");
    let listed = office.zm_json(&["clarification", "meeting", "list", "--unit", UNIT]);
    let row = &listed["meetings"][0];
    assert_eq!(
        (&row["carriedOut"], &row["notCarriedOut"]),
        (&2.into(), &1.into())
    );
    let place = word(&shown(&office, &meeting)["place"]["textId"]);
    let place = office.zm_json(&["text", "clarification", &place]);
    assert_eq!(place["text"], "Town hall", "{place:#}");

    // The record states what was found of those who were cleared, and does not name who was not.
    let (record, sha256) = saved(&office, &meeting, "record");
    let record = lines(&record).concat();
    let named = all_names.map(|name| record.contains(name));
    assert_eq!(named, [true, true, false], "{record}");
    assert_eq!(record.matches("不属实：").count(), 2, "{record}");
    let attended = ["Townhall", "Alloftheoffice", "40人", "2件"];
    for told in attended {
        assert!(record.contains(told), "{told}: {record}");
    }
    let held = shown(&office, &meeting);
    let documents = held["documents"].as_array().expect("a list").iter();
    let documents: Vec<_> = documents
        .map(|one| (word(&one["kind"]), word(&one["sha256"])))
        .collect();
    assert_eq!(documents.len(), 2, "{held:#}");
    assert_eq!(documents[1], ("DOCUMENT_KIND_RECORD".to_owned(), sha256));

    // What was expected is no fault: nothing waits for an operator.
    let pool = office.superuser("clarification").await;
    let dead = sqlx::query_scalar("select count(*) from timers where dead is not null");
    let dead: i64 = dead.fetch_one(&pool).await.expect("the database answers");
    assert_eq!(dead, 0);
    pool.close().await;
    office.zm_json(&["journal", "verify"]);
}

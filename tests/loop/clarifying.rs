//! A name is cleared only on a conclusion that stands: without verification's word no step is taken, and what stands no
//! longer ends halted or superseded.

use serde_json::Value;
use servers::eventually;
use tests::Office;
use tests::docket::DEPARTMENTS;

use crate::concluding::{Concluded, concluded, registered, word};

const UNIT: &str = "P51-01-01";
pub(crate) const CLEARED: (&str, Option<&str>) =
    ("unfounded", Some("spread_in_public:serious:unit"));

/// How a clarification is shown.
pub(crate) fn shown(office: &Office, id: &str) -> Value {
    office.zm_json(&["clarification", "show", id])
}

/// The one clarification of a case that was concluded in its subject's favour, once it is there.
pub(crate) async fn opened(office: &Office, concluded: &Concluded) -> String {
    let mut id = String::new();
    eventually("a clarification opened", async || {
        let listed = office.zm_json(&["clarification", "list"]);
        let mut all = listed["clarifications"].as_array().into_iter().flatten();
        let found = all.find(|one| one["matterId"] == concluded.matter);
        id = found
            .map(|found| word(&found["clarificationId"]))
            .unwrap_or_default();
        !id.is_empty()
    })
    .await;
    id
}

/// Waits until a clarification is in this state.
pub(crate) async fn is(office: &Office, id: &str, state: &str) {
    let state = format!("CLARIFICATION_STATE_{state}");
    eventually(&state, async || shown(office, id)["state"] == state).await;
}

/// A figure of this key.
fn count<'a>(of: &'a Value, key: &str) -> &'a str {
    let mut figures = of["figures"].as_array().into_iter().flatten();
    let figure = figures.find(|figure| figure["key"] == key);
    let figure = figure.unwrap_or_else(|| panic!("no {key} in {of:#}"));
    figure["count"].as_str().unwrap_or("0")
}

/// Screens: all departments agree.
pub(crate) fn screen(office: &Office, id: &str) {
    let reason = "Nothing speaks against it";
    for department in DEPARTMENTS {
        office.zm_json(&[
            "clarification",
            "screen",
            id,
            "agrees",
            "--department",
            department,
            "--reason",
            reason,
        ]);
    }
}

/// Screens, hears the subject, decides the written form and drafts the statement.
pub(crate) fn draft(office: &Office, id: &str) {
    screen(office, id);
    office.zm_json(&["clarification", "wish", id, "wants"]);
    office.zm_json(&[
        "clarification",
        "form",
        id,
        "written",
        "--reason",
        "A letter will do",
    ]);
    office.zm_json(&["clarification", "draft", id]);
}

/// A clarification of a report on this person that was untrue, carried out.
pub(crate) async fn carried_out(office: &Office, person: &str, unit: &str) -> String {
    let case = concluded(office, (person, "bribery"), unit, CLEARED).await;
    let id = opened(office, &case).await;
    draft(office, &id);
    office.zm_json(&["clarification", "approve", &id]);
    office.zm_json(&["clarification", "carry-out", &id, "--place", "Her office"]);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn without_verifications_word_no_step_is_taken_and_with_it_the_same_request_goes_through() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    draft(&office, &id);

    let approve = ["clarification", "approve", &id, "--request-id"];
    let carry_out = [
        "clarification",
        "carry-out",
        &id,
        "--place",
        "His office",
        "--request-id",
    ];
    for (number, (step, before, after)) in [
        (&approve[..], "DRAFTED", "APPROVED"),
        (&carry_out[..], "APPROVED", "CARRIED_OUT"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = uuid::Uuid::from_u128(number as u128 + 1).to_string();
        let step = [step, &[request.as_str()]].concat();
        services.remove("verification").expect("it runs").kill();
        let was = shown(&office, &id);
        assert_eq!(was["state"], format!("CLARIFICATION_STATE_{before}"));
        let refused = office.zm(&step).output().expect("zm runs");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{told}");
        assert!(told.contains("Verification does not answer"), "{told}");
        assert_eq!(shown(&office, &id), was, "nothing was done");

        services.insert("verification", office.start("verification").await);
        eventually("the same request is carried out", async || {
            let again = office.zm(&step).output().expect("zm runs");
            again.status.success()
        })
        .await;
        assert_eq!(
            shown(&office, &id)["state"],
            format!("CLARIFICATION_STATE_{after}")
        );
        eventually("its letter is made", async || {
            shown(&office, &id)["documents"].is_array()
        })
        .await;
    }

    // It counts in its unit and in each above it, and in no other time than its own.
    let figures = office.zm_json(&["stats", "--by-unit", "--unit", "P51"]);
    let units = figures["units"].as_array().expect("a list");
    let codes: Vec<&Value> = units.iter().map(|of| &of["unit"]).collect();
    assert_eq!(codes, ["P51", "P51-01", UNIT], "{figures:#}");
    for figures in units.iter().chain([&figures]) {
        assert_eq!(count(figures, "persons_cleared"), "1", "{figures:#}");
        assert_eq!(count(figures, "form_written"), "1", "{figures:#}");
    }
    let earlier = office.zm_json(&["stats", "--by-unit", "--until", "2026-01-01"]);
    assert_eq!(count(&earlier, "persons_cleared"), "0", "{earlier:#}");

    // Reopened after it was carried out: it stands no longer, and the ledger says so in a further entry.
    office.zm_json(&["reopen", &case.case, "--reason", "new_facts"]);
    is(&office, &id, "SUPERSEDED").await;
    office.zm_json(&["quiet", "--wait", "60"]);
    let ledger = office.zm_json(&["ledger", UNIT]);
    let entries = ledger["entries"].as_array().expect("a list");
    let numbers: Vec<&Value> = entries
        .iter()
        .map(|entry| &entry["number"]["number"])
        .collect();
    assert_eq!(numbers, [1, 2], "{ledger:#}");
    assert_eq!(entries[1]["supersedes"], entries[0]["number"], "{ledger:#}");
    let file = office.zm_json(&["file", &person]);
    let file = &file["file"];
    assert!(file["aftercare"][0]["takenAwayOn"].is_string(), "{file:#}");
    assert_eq!(file["state"], "FILE_STATE_CLOSED", "{file:#}");
    office.zm_json(&["journal", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_over_is_found_also_once_the_name_was_cleared_anew() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    let clear = || {
        draft(&office, &id);
        office.zm_json(&["clarification", "approve", &id]);
        office.zm_json(&["clarification", "carry-out", &id, "--place", "Her office"]);
        shown(&office, &id)["documents"][0].clone()
    };
    let first = clear();
    office.zm_json(&["reopen", &case.case, "--reason", "new_facts"]);
    is(&office, &id, "SUPERSEDED").await;
    let earlier = shown(&office, &id)["earlierDocuments"].take();
    assert!(earlier.is_null(), "it is the newest still: {earlier:#}");
    case.conclude(&office, ("exonerated", CLEARED.1));
    is(&office, &id, "SCREENING").await;
    let second = clear();
    assert_ne!(first["sha256"], second["sha256"]);

    let earlier = shown(&office, &id)["earlierDocuments"].take();
    assert_eq!(earlier[0]["sha256"], first["sha256"], "{earlier:#}");
    assert_eq!(earlier[0]["round"], 1, "{earlier:#}");
    for (number, made) in [("1", &first), ("2", &second)] {
        let out = office.folder.path().join(format!("{number}.pdf"));
        let out = out.to_str().expect("a path");
        let save = ["clarification", "document", &id, "--round", number, "--out"];
        let saved = office.zm_json(&[&save[..], &[out]].concat());
        assert_eq!(saved["sha256"], made["sha256"], "{saved:#}");
    }
    let never = ["clarification", "document", &id, "--round", "3"];
    assert!(office.zm_refused(&never).contains("no such document"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_halted_when_its_case_reopens_and_taken_up_again_by_a_new_conclusion()
{
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    draft(&office, &id);
    office.zm_json(&["clarification", "approve", &id]);

    office.zm_json(&["reopen", &case.case, "--reason", "new_facts"]);
    is(&office, &id, "HALTED").await;
    let carry_out = ["clarification", "carry-out", &id, "--place", "His office"];
    let refused = office.zm(&carry_out).output().expect("zm runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("this clarification is halted"), "{told}");

    case.conclude(&office, CLEARED);
    is(&office, &id, "SCREENING").await;
    let again = shown(&office, &id);
    assert_eq!(again["conclusion"], 2, "{again:#}");
    office.zm_json(&["quiet", "--wait", "60"]);
    let ledger = office.zm_json(&["ledger", UNIT]);
    let entries = ledger["entries"].as_array();
    assert!(entries.is_none_or(Vec::is_empty), "{ledger:#}");
    let listed = office.zm_json(&["clarification", "list"]);
    let all = listed["clarifications"].as_array().expect("a list");
    assert_eq!(all.len(), 1, "one for a matter and subject: {listed:#}");
}

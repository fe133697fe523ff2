//! A written application is never lost: before the conclusion it waits, and goes on by itself once the name is cleared; and
//! an organisation speaks by its head.

use serde_json::Value;
use servers::eventually;
use tests::Office;

use crate::clarifying::{CLEARED, is, opened, screen, shown};
use crate::concluding::{concluded, investigated, registered, word};

const UNIT: &str = "P51-01-01";

/// Applies, as soon as the service has heard of the matter.
async fn applied(office: &Office, matter: &str, subject: &str) -> Value {
    let apply = [
        "clarification",
        "apply",
        "--matter",
        matter,
        "--subject",
        subject,
        "--text",
        "I ask that my office be told",
        "--wanted",
        "written",
        "--refused",
        "bulletin",
        "--request-id",
        "00000000-0000-4000-8000-0000000000aa",
        "--json",
    ];
    let mut answer = Value::Null;
    eventually("the matter is known", async || {
        let told = office.zm(&apply).output().expect("zm runs").stdout;
        answer = serde_json::from_slice(&told).unwrap_or_default();
        answer.is_object()
    })
    .await;
    answer
}

/// The conditions that are not met, each with the allegation that it is about.
fn unmet(of: &Value) -> Vec<(String, String)> {
    let unmet = of["unmet"].as_array().into_iter().flatten();
    let told = unmet.map(|one| {
        let about = one["allegationId"].as_str().unwrap_or_default();
        (word(&one["code"]), about.to_owned())
    });
    told.collect()
}

fn only(code: &str) -> [(String, String); 1] {
    [(code.to_owned(), String::new())]
}

/// The applied ones that are listed.
fn listed(office: &Office) -> usize {
    let listed = office.zm_json(&["clarification", "list", "--state", "applied"]);
    let all = listed["clarifications"].as_array();
    all.map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_applied_before_the_conclusion_is_told_why_and_then_cleared_as_they_wish() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = investigated(&office, (&person, "bribery"), UNIT).await;
    let answer = applied(&office, &case.matter, &person).await;
    assert_eq!(unmet(&answer), only("not_concluded"), "{answer:#}");
    let id = word(&answer["clarificationId"]);
    is(&office, &id, "APPLIED").await;
    eventually("it is listed", async || listed(&office) == 1).await;
    let again = applied(&office, &case.matter, &person).await;
    assert_eq!(again, answer, "the same request has the same answer");

    case.conclude(&office, CLEARED);
    is(&office, &id, "SCREENING").await;
    let now = shown(&office, &id);
    assert_eq!(now["wish"], "WISH_WANTS", "{now:#}");
    assert_eq!(now["refused"][0], "CLARIFICATION_FORM_BULLETIN", "{now:#}");
    let text = word(&now["applications"][0]["application"]["textId"]);
    let told = office.zm_json(&["text", "clarification", &text]);
    assert_eq!(told["text"], "I ask that my office be told", "{told:#}");
    screen(&office, &id);
    let form = [
        "clarification",
        "form",
        &id,
        "written",
        "--reason",
        "As they wish",
    ];
    office.zm_json(&form);
    office.zm_json(&["clarification", "draft", &id]);
    office.zm_json(&["clarification", "approve", &id]);
    office.zm_json(&["clarification", "carry-out", &id, "--place", "His office"]);
    is(&office, &id, "CARRIED_OUT").await;
    office.zm_json(&["quiet", "--wait", "60"]);
    let all = office.zm_json(&["clarification", "list"]);
    let all = all["clarifications"].as_array().expect("a list");
    assert_eq!((all.len(), listed(&office)), (1, 0), "never two");
    office.zm_json(&["journal", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_conclusion_clears_stays_applied_with_the_reasons_of_the_newest() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = investigated(&office, (&person, "bribery"), UNIT).await;
    let answer = applied(&office, &case.matter, &person).await;
    let id = word(&answer["clarificationId"]);
    case.conclude(&office, ("unsubstantiated", None));
    let reasons = ["unsubstantiated", "nothing_in_favour", "harm_not_recorded"];
    eventually("the reasons are the conclusion's", async || {
        let now = unmet(&shown(&office, &id));
        now.iter().map(|(code, _)| code.as_str()).eq(reasons)
    })
    .await;
    let now = shown(&office, &id);
    assert_eq!(unmet(&now)[0].1, case.allegation, "{now:#}");
    assert_eq!(now["state"], "CLARIFICATION_STATE_APPLIED", "{now:#}");
    let wish = ["clarification", "wish", &id, "wants"];
    let refused = office.zm(&wish).output().expect("zm runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("the application is kept"), "{told}");

    office.zm_json(&["reopen", &case.case, "--reason", "new_facts"]);
    eventually("the case is open again", async || {
        unmet(&shown(&office, &id)) == only("reopened")
    })
    .await;
    office.zm_json(&["quiet", "--wait", "60"]);
    let figures = office.zm_json(&["stats"]);
    assert_eq!(figures["clarification"]["applied"], 1, "{figures:#}");
    assert_eq!(figures["clarification"]["candidates"], 0, "{figures:#}");
    office.zm_json(&["journal", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_heard_by_its_head_and_without_intakes_word_by_nobody() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let register = [
        "subject",
        "register",
        "--kind",
        "organisation",
        "--name",
        "Roads",
        "--unit",
        UNIT,
    ];
    let roads = word(&office.zm_json(&register)["subjectId"]);
    let head = registered(&office, "Chen Yi", UNIT, &["--heads", UNIT]);
    let clerk = registered(&office, "Li Wei", UNIT, &[]);
    let case = concluded(&office, (&roads, "neglect"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    let wish = ["clarification", "wish", &id, "wants"];
    for by in [&["--by", &clerk][..], &[]] {
        let refused = office.zm(&[&wish[..], by].concat()).output();
        let refused = refused.expect("zm runs");
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(told.contains("speaks by its head"), "{told}");
    }
    services.remove("intake").expect("it runs").kill();
    let by_head = [&wish[..], &["--by", &head]].concat();
    let refused = office.zm(&by_head).output().expect("zm runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("Intake does not answer"), "{told}");
    assert!(
        shown(&office, &id)["wish"].is_null(),
        "nothing was recorded"
    );
    services.insert("intake", office.start("intake").await);
    eventually("the head is heard", async || {
        let heard = office.zm(&by_head).output().expect("zm runs");
        heard.status.success()
    })
    .await;
    assert_eq!(shown(&office, &id)["spokenBy"], head);
}

//! What stops on the way to a cleared name and how it goes on: a department that objects, a draft that comes back, a subject
//! who cannot be reached; and how those find it who must do the next step.

use tests::Office;
use tests::docket::DEPARTMENTS;

use crate::clarifying::{CLEARED, is, opened, screen, shown};
use crate::concluding::{concluded, registered, word};

const UNIT: &str = "P51-01-01";

/// How a clarification is shown to people, as this actor or whoever usually asks.
fn told(office: &Office, id: &str, more: &[&str]) -> String {
    let show = [&["clarification", "show", id], more].concat();
    let ran = office.zm(&show).output().expect("zm runs");
    assert!(ran.status.success(), "{show:?}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// The ids of what is listed to somebody.
fn listed(office: &Office, more: &[&str]) -> Vec<String> {
    let listed = office.zm_json(&[&["clarification", "list"], more].concat());
    let all = listed["clarifications"].as_array().into_iter().flatten();
    all.map(|one| word(&one["clarificationId"])).collect()
}

/// Does a step on a clarification.
fn step(office: &Office, name: &str, id: &str, more: &[&str]) {
    office.zm_json(&[&["clarification", name, id], more].concat());
}

fn holds_all(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objection_stops_it_until_it_is_withdrawn_and_a_draft_comes_back_before_it_is_approved()
{
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    let screener = ["--as", "screener@P51-01-01/petitions=sun"];
    let awaiting = [&["--state", "screening"], &screener[..]].concat();
    assert_eq!(listed(&office, &awaiting), std::slice::from_ref(&id));

    let (objecting, others) = DEPARTMENTS.split_last().expect("there are five");
    let spoken = |opinion: &'static str, department: &str, reason: &str| {
        let rest = [opinion, "--department", department, "--reason", reason];
        step(&office, "screen", &id, &rest);
    };
    spoken("objects", objecting, "A witness is missing");
    for department in others {
        spoken("agrees", department, "Nothing speaks against it");
    }
    is(&office, &id, "NOT_ELIGIBLE").await;
    step(&office, "wish", &id, &["wants"]);
    let form = ["written", "--reason", "A letter will do"];
    let decide = [&["clarification", "form", &id], &form[..]].concat();
    holds_all(&office.zm_refused(&decide), &["not eligible"]);

    let heard = ["--department", objecting, "--reason", "They were heard"];
    step(&office, "withdraw", &id, &heard);
    is(&office, &id, "SCREENING").await;
    spoken("agrees", objecting, "They were heard");
    is(&office, &id, "ELIGIBLE").await;
    step(&office, "form", &id, &form);
    step(&office, "draft", &id, &["--note", "Mind\nthe day"]);
    let read = told(&office, &id, &["--as", "supervisor@P51-01=wang"]);
    let statement = "unfounded\n\nThe officer's own remark, which is no part of the statement:";
    let remark = "  | Mind\n  | the day";
    holds_all(
        &read,
        &[
            statement,
            remark,
            "A letter will do",
            "wants (heard",
            "Nothing speaks against it",
        ],
    );

    let reason = ["--reason", "The remark says too much"];
    step(&office, "return", &id, &reason);
    is(&office, &id, "FORM_DECIDED").await;
    holds_all(&told(&office, &id, &[]), &["The remark says too much"]);
    step(&office, "draft", &id, &[]);
    holds_all(&told(&office, &id, &[]), &["There is no remark"]);
    step(&office, "approve", &id, &[]);
    is(&office, &id, "APPROVED").await;

    // It is late, and then the organisation department is.
    let overdue = ["--state", "approved", "--notice", "overdue"];
    assert_eq!(listed(&office, &overdue), [""; 0]);
    office.zm_json(&["clock", "--ahead", "20d"]);
    servers::eventually("it is overdue", async || {
        listed(&office, &overdue) == [id.clone()]
    })
    .await;
    holds_all(&told(&office, &id, &[]), &["(overdue)"]);
    // Each service learns by itself that the clock was moved; until both have, no answer is fresh.
    let carry_out = ["clarification", "carry-out", &id, "--place", "Her office"];
    servers::eventually("it is carried out", async || {
        let ran = office.zm(&carry_out).output();
        ran.expect("zm runs").status.success()
    })
    .await;
    let keeps = ["--as", "personnel_officer@P51-01-01=pei"];
    let elsewhere = ["--as", "personnel_officer@P51-02=pei"];
    let to_confirm = ["--state", "carried_out"];
    for (who, found) in [(keeps, vec![id.clone()]), (elsewhere, Vec::new())] {
        let of = [&to_confirm[..], &who].concat();
        assert_eq!(listed(&office, &of), found, "{who:?}");
    }
    office.zm_json(&["clock", "--ahead", "50d"]);
    let late = [&to_confirm[..], &["--notice", "overdue"], &keeps].concat();
    servers::eventually("personnel is reminded", async || {
        listed(&office, &late) == [id.clone()]
    })
    .await;
    let read = told(&office, &id, &keeps);
    holds_all(&read, &["(reminded)", "not yours to read"]);
    let figures = office.zm_json(&["stats"])["clarification"].take();
    assert_eq!(figures["confirmations_overdue"], 1, "{figures:#}");
    assert_eq!(figures["executions_overdue"], 0, "{figures:#}");
    step(&office, "confirm", &id, &keeps);
    is(&office, &id, "CONFIRMED").await;
    office.zm_json(&["journal", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_is_cleared_in_writing_and_never_in_person() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, CLEARED).await;
    let id = opened(&office, &case).await;
    screen(&office, &id);
    holds_all(&told(&office, &id, &[]), &["not heard yet"]);
    step(&office, "wish", &id, &["wants", "--refused", "bulletin"]);
    let in_person = ["in_person", "--reason", "It goes deep"];
    step(&office, "form", &id, &in_person);
    assert_eq!(listed(&office, &["--unreachable"]), [""; 0]);

    let reason = ["--reason", "Moved abroad; two letters came back"];
    step(&office, "unreachable", &id, &reason);
    is(&office, &id, "ELIGIBLE").await;
    assert_eq!(
        listed(&office, &["--unreachable"]),
        std::slice::from_ref(&id)
    );
    let why = "unreachable, so the unit decides: Moved abroad; two letters came back";
    holds_all(&told(&office, &id, &[]), &[why]);
    for (form, refusal) in [
        (&in_person[..], "cannot be reached"),
        (&["bulletin", "--reason", "All know"], "refused this form"),
    ] {
        let decide = [&["clarification", "form", &id], form].concat();
        holds_all(&office.zm_refused(&decide), &[refusal]);
    }
    let written = ["written", "--reason", "To the family"];
    step(&office, "form", &id, &written);
    step(&office, "draft", &id, &[]);
    step(&office, "approve", &id, &[]);
    let place = ["--place", "The family's house"];
    step(&office, "carry-out", &id, &place);
    let now = shown(&office, &id);
    assert_eq!(now["state"], "CLARIFICATION_STATE_CARRIED_OUT", "{now:#}");
    holds_all(&told(&office, &id, &[]), &[why, "The family's house"]);
    office.zm_json(&["quiet", "--wait", "60"]);
    let figures = office.zm_json(&["stats"])["clarification"].take();
    for key in ["unreachable", "form_written", "persons_cleared"] {
        assert_eq!(figures[key], 1, "{key}: {figures:#}");
    }
    office.zm_json(&["journal", "verify"]);
}

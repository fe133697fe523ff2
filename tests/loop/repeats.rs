//! What was done already, asked for again by somebody else: the answer is as full as the first.

use proto::intake::{AcceptReportRequest, JoinReportRequest, NewFacts};
use proto::verification::ApproveFindingsRequest;
use serde_json::Value;
use servers::eventually;
use tests::Office;
use uuid::Uuid;

fn submitted(office: &Office) -> String {
    let answer = office.zm_json(&[
        "submit",
        "--not-identified",
        "a foreman",
        "--category",
        "bribery",
        "--narrative",
        "took an envelope",
        "--place",
        "910101",
    ]);
    word(&answer["reportId"])
}

fn word(value: &Value) -> String {
    value.as_str().expect("a word").to_owned()
}

fn another_request() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_accepts_joins_or_approves_what_is_so_already_is_told_all_of_it() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let client = office.client();
    let report = submitted(&office);
    let officer = office.person("officer-1", office::Role::IntakeOfficer);
    let mut intake = officer.intake(&client);
    let mut accepted = Vec::new();
    for _ in 0..2 {
        let request = AcceptReportRequest {
            request_id: another_request(),
            report_id: report.clone(),
            ..Default::default()
        };
        let answer = intake.accept_report(request).await.expect("accepted");
        accepted.push(answer.into_inner());
    }
    assert!(!accepted[0].unit.is_empty(), "{accepted:?}");
    assert_eq!(accepted[1], accepted[0]);
    let matter = accepted[0].matter_id.clone();

    let repeat = submitted(&office);
    let mut joined = Vec::new();
    for _ in 0..2 {
        let request = JoinReportRequest {
            request_id: another_request(),
            report_id: repeat.clone(),
            matter_id: matter.clone(),
            new_facts: NewFacts::None.into(),
        };
        let answer = intake.join_report(request).await.expect("joined");
        joined.push(answer.into_inner());
    }
    assert_eq!(joined[0].matter_id, matter);
    assert_eq!(joined[1], joined[0]);

    let shown = async || office.zm(&["case", "show", &matter, "--json"]).output();
    let mut case = Value::Null;
    eventually("the case has the allegations of both reports", async || {
        let output = shown().await.expect("zm runs");
        case = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default()["case"].take();
        case["findings"]
            .as_array()
            .is_some_and(|all| all.len() == 2)
    })
    .await;
    let id = word(&case["caseId"]);
    office.zm_json(&["assign", &id, "investigator-1", "investigator-2"]);
    let mut propose = vec!["propose".to_owned(), id.clone()];
    for allegation in case["findings"].as_array().expect("a list") {
        propose.push("--finding".to_owned());
        propose.push(format!("{}=closed/void", word(&allegation["allegationId"])));
    }
    office.zm_json(&propose.iter().map(String::as_str).collect::<Vec<_>>());
    let supervisor = office.person("supervisor-1", office::Role::Supervisor);
    let mut verification = supervisor.verification(&client);
    let mut concluded = Vec::new();
    for _ in 0..2 {
        let request = ApproveFindingsRequest {
            request_id: another_request(),
            case_id: id.clone(),
        };
        let answer = verification.approve_findings(request).await;
        concluded.push(answer.expect("concluded").into_inner());
    }
    assert_eq!(concluded[0].number, 1);
    assert_eq!(concluded[1], concluded[0]);
}

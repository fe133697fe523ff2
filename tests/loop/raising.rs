//! A matter that is raised while its case is on its way: the case moves with it, the unit below sees it no longer, and
//! who concludes then clarifies.

use chassis::refusal::Refusal;
use office::Role;
use proto::clarification::GetClarificationRequest;
use proto::intake::{GetMatterRequest, GetReportRequest};
use proto::verification::{GetCaseRequest, GetStatisticsRequest, ListCasesRequest};
use serde_json::Value;
use servers::eventually;
use tests::Office;
use tonic::Status;
use zm::client::{Office as Client, Person};

use crate::clarifying::{draft, opened};
use crate::concluding::{investigated, registered, word};

const BELOW: &str = "P51-01-01";
const ABOVE: &str = "P51-01";
const CLEARED: (&str, Option<&str>) = ("unfounded", Some("spread_in_public:serious:unit"));

/// The code of a refusal, and that the caller is told it is not theirs to do.
fn denied<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    let status = answer.expect_err("it is refused");
    assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status}");
    Refusal::from_status(&status).code.into_owned()
}

/// A figure of verification, as an actor's unit counts it.
async fn counted(client: &Client, by: &Person, key: &str) -> i64 {
    let mut verification = by.verification(client);
    let figures = verification.get_statistics(GetStatisticsRequest::default());
    let figures = figures.await.expect("figures").into_inner().figures;
    let figure = figures.iter().find(|figure| figure.key == key);
    figure.expect("it is a figure").count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matter_raised_while_it_is_investigated_is_concluded_and_clarified_by_the_unit_above() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let client = office.client();
    let person = registered(&office, "Chen Yi", BELOW, &[]);
    let case = investigated(&office, (&person, "bribery"), BELOW).await;
    case.propose(&office, CLEARED);
    let below = office.person_at("gao", Role::Supervisor, BELOW);
    let above = office.person_at("wang", Role::Supervisor, ABOVE);
    assert_eq!(counted(&client, &below, "cases").await, 1);

    // Only the unit above takes it over, and then the case is that unit's, with nothing proposed.
    let raise = ["matter", "raise", &case.matter, "--reason", "They are kin"];
    let by = |who| [&raise[..], &["--as", who]].concat();
    let refused = office.zm(&by("supervisor@P51-01-01=gao")).output();
    let refused = refused.expect("zm runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("Only the unit above"), "{told}");
    let raised = office.zm_json(&by("supervisor@P51-01=wang"));
    assert_eq!(raised["unit"], ABOVE, "{raised:#}");
    let mut shown = Value::Null;
    eventually("the case moves", async || {
        shown = office.zm_json(&["case", "show", &case.matter])["case"].take();
        shown["unit"] == ABOVE
    })
    .await;
    assert_eq!(shown["state"], "CASE_STATE_OPENED", "{shown:#}");
    assert!(shown["investigators"].as_array().is_none_or(Vec::is_empty));
    assert!(shown["findings"][0]["finding"].is_null(), "{shown:#}");

    // The unit below is told no more of it, anywhere.
    let matter = office.zm_json(&["matter", "show", &case.matter]);
    let report = word(&matter["matter"]["reportIds"][0]);
    office.zm_json(&["quiet", "--wait", "60"]);
    let mut intake = below.intake(&client);
    let asked = GetMatterRequest {
        matter_id: case.matter.clone(),
    };
    assert_eq!(denied(intake.get_matter(asked).await), "OUT_OF_SCOPE");
    let asked = GetReportRequest { report_id: report };
    assert_eq!(denied(intake.get_report(asked).await), "OUT_OF_SCOPE");
    let mut verification = below.verification(&client);
    let asked = GetCaseRequest {
        case_id: case.case.clone(),
        ..GetCaseRequest::default()
    };
    assert_eq!(denied(verification.get_case(asked).await), "OUT_OF_SCOPE");
    let listed = verification.list_cases(ListCasesRequest::default()).await;
    assert_eq!(listed.expect("a list").into_inner().cases, []);
    assert_eq!(counted(&client, &below, "cases").await, 0);
    assert_eq!(counted(&client, &above, "cases").await, 1);

    // Whoever took part below does not decide above; others of the unit above do.
    office.zm_json(&["assign", &case.case, "investigator-1", "investigator-3"]);
    case.propose(&office, CLEARED);
    let approve = [
        "approve",
        &case.case,
        "--as",
        "supervisor@P51-01=investigator-2",
    ];
    let refused = office.zm(&approve).output().expect("zm runs");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("You investigated this case"), "{told}");
    office.zm_json(&["approve", &case.case, "--as", "supervisor@P51-01=wang"]);
    assert_eq!(counted(&client, &above, "cases_concluded").await, 1);
    eventually("intake hears that the case is concluded", async || {
        let matter = office.zm_json(&["matter", "show", &case.matter]);
        matter["matter"]["caseState"] == "CASE_STATE_CONCLUDED"
    })
    .await;

    let refused = office.zm(&by("supervisor@P51=lu")).output();
    let told = String::from_utf8_lossy(&refused.expect("zm runs").stderr).into_owned();
    assert!(told.contains("The case of this matter has ended"), "{told}");

    // Who verifies, clarifies: the unit that concluded.
    let id = opened(&office, &case).await;
    let clarification = office.zm_json(&["clarification", "show", &id]);
    assert_eq!(clarification["unit"], ABOVE, "{clarification:#}");
    let asked = GetClarificationRequest {
        clarification_id: id.clone(),
        ..GetClarificationRequest::default()
    };
    let mut clarifications = below.clarification(&client);
    let refused = clarifications.get_clarification(asked).await;
    assert_eq!(denied(refused), "OUT_OF_SCOPE");
    draft(&office, &id);
    office.zm_json(&["clarification", "approve", &id]);
    office.zm_json(&["clarification", "carry-out", &id, "--place", "His office"]);
    office.zm_json(&["quiet", "--wait", "60"]);
    let figures = office.zm_json(&["stats", "--by-unit", "--unit", "P51"]);
    let units = figures["units"].as_array().expect("a list");
    let codes: Vec<&Value> = units.iter().map(|of| &of["unit"]).collect();
    assert_eq!(codes, ["P51", ABOVE], "{figures:#}");
    let ledger = office.zm_json(&["ledger", ABOVE]);
    assert_eq!(ledger["entries"].as_array().map(Vec::len), Some(1));

    let history = office.zm_json(&["show", &case.matter]);
    let happened = |name: &str| {
        let mut all = history.as_array().into_iter().flatten();
        all.any(|entry| entry["type"] == name)
    };
    for name in ["matter_level_raised", "findings_returned", "case_moved"] {
        assert!(happened(name), "{name} is told: {history:#}");
    }
    office.zm_json(&["journal", "verify"]);
}

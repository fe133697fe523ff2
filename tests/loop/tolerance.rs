//! What is substantiated is assessed before a sanction (容錯): whoever is exempt is not sanctioned, has it on the integrity file
//! and no follow-up; also where assessment and sanction meet in the same moment.

use std::collections::BTreeSet;

use chassis::refusal::Refusal;
use office::Role;
use proto::verification::{
    AssessmentInput, Breach, Experiment, Liability, Motive, ProposeToleranceRequest,
    RecordSanctionRequest,
};
use serde_json::Value;
use servers::eventually;
use tests::Office;
use tonic::Status;
use uuid::Uuid;

use crate::concluding::{Concluded, concluded, registered};

const UNIT: &str = "P51-01-01";
const SUBSTANTIATED: (&str, Option<&str>) = ("substantiated", None);

/// An assessment for want of experience that comes to this.
fn propose<'a>(case: &'a Concluded, breach: &'a str, liability: &'a str) -> Vec<&'a str> {
    vec![
        "tolerance",
        "propose",
        &case.case,
        &case.person,
        "--breach",
        breach,
        "--experiment",
        "neither=The rules were in force",
        "--motive",
        "common_good=The bridge was needed before winter",
        "--liability",
        liability,
    ]
}

/// The kinds of entries on a person's integrity file.
fn on_record(office: &Office, person: &str) -> Vec<(String, String)> {
    let shown = office.zm(&["integrity", person, "--json"]).output();
    let shown = shown.expect("zm runs").stdout;
    let file: Value = serde_json::from_slice(&shown).unwrap_or_default();
    let entries = file["entries"].as_array().cloned().unwrap_or_default();
    let word = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| (word(entry, "kind"), word(entry, "detail")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_exempt_is_not_sanctioned_and_has_it_on_record_until_the_case_is_reopened() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Li Wei", UNIT, &[]);
    let case = concluded(&office, (&person, "misuse_of_funds"), UNIT, SUBSTANTIATED).await;
    let sanction = [
        "sanction",
        "record",
        &case.case,
        &person,
        "--kind",
        "warning",
        "--months",
        "6",
        "--decided-by",
        UNIT,
    ];
    let approve = ["tolerance", "approve", &case.case, &person];

    let told = office.zm_refused(&sanction);
    assert!(told.contains("are assessed, and they were not"), "{told}");
    let knowing = propose(&case, "knowing=He had signed it", "exempt=It did no harm");
    let told = office.zm_refused(&knowing);
    assert!(told.contains("nobody is exempt"), "{told}");
    let slip = "want_of_experience=The first tender under the new rules";
    office.zm_json(&propose(&case, slip, "exempt=He reported it himself"));
    let told = office.zm_refused(&sanction);
    assert!(told.contains("a sanction waits for the outcome"), "{told}");
    let themselves = "supervisor@P51-01-01=investigator-1";
    let told = office.zm_refused(&[&approve[..], &["--as", themselves]].concat());
    assert!(told.contains("somebody else decides"), "{told}");
    office.zm_json(&approve);
    for actor in ["supervisor", "automation"] {
        let told = office.zm_refused(&[&sanction[..], &["--as", actor]].concat());
        assert!(told.contains("exempt means no sanction"), "{actor}: {told}");
    }
    let shown = office.zm_json(&["tolerance", "show", &person]);
    assert_eq!(shown["tolerance"][0]["state"], "TOLERANCE_STATE_APPROVED");
    let reason = shown["tolerance"][0]["assessments"][0]["reasonId"]
        .as_str()
        .expect("a text");
    let read = office.zm_json(&["text", "verification", reason]);
    assert_eq!(read["text"], "He reported it himself");

    let grounds = "want_of_experience, common_good".to_owned();
    let exempted = ("INTEGRITY_ENTRY_KIND_EXEMPTED".to_owned(), grounds.clone());
    eventually("it is on the integrity file", async || {
        on_record(&office, &person) == [exempted.clone()]
    })
    .await;
    office.zm_json(&["quiet", "--wait", "60"]);
    let file = office.zm(&["file", &person, "--json"]).output();
    let file = file.expect("zm runs");
    assert!(
        !file.status.success(),
        "no file is opened for who is exempt"
    );
    let figures = office.zm_json(&["stats"]);
    let figure = |key: &str| figures["verification"][key].clone();
    assert_eq!(figure("liability_exempt"), 1, "{figures:#}");
    assert_eq!(figure("sanctions"), 0, "{figures:#}");

    office.zm_json(&["reopen", &case.case, "--reason", "new_facts"]);
    let lapsed = ("INTEGRITY_ENTRY_KIND_EXEMPTION_LAPSED".to_owned(), grounds);
    eventually("the exemption has lapsed", async || {
        let entries: BTreeSet<_> = on_record(&office, &person).into_iter().collect();
        entries == BTreeSet::from([exempted.clone(), lapsed.clone()])
    })
    .await;
    // What is substantiated then is assessed anew, and sanctioned by that.
    case.conclude(&office, SUBSTANTIATED);
    let told = office.zm_refused(&sanction);
    assert!(told.contains("are assessed, and they were not"), "{told}");
    case.find_liable(&office);
    office.zm_json(&sanction);
    office.zm_json(&["quiet", "--wait", "60"]);
    office.zm_json(&["journal", "verify"]);
}

fn code(status: &Status) -> String {
    Refusal::from_status(status).code.into_owned()
}

/// Two processes decide on one person at once: one is asked to assess, the other to record what was decided outside.
#[tokio::test(flavor = "multi_thread")]
async fn an_assessment_and_a_sanction_of_one_conclusion_never_both_begin_from_nothing() {
    const RACES: usize = 12;
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let _first = office.start("verification").await;
    let (_second, second_url) = office.start_another_at("verification").await;
    let (here, there) = (
        office.client(),
        office.client_at("verification", second_url),
    );
    let investigator = office.person_at("sun", Role::Investigator, UNIT);
    let machine = office.person_at("discipline-system", Role::Automation, UNIT);
    for race in 0..RACES {
        let person = registered(&office, &format!("Person {race}"), UNIT, &[]);
        let case = concluded(&office, (&person, "bribery"), UNIT, SUBSTANTIATED).await;
        let because = || "Because of it".to_owned();
        let assessment = ProposeToleranceRequest {
            request_id: Uuid::from_u128(1 + race as u128).to_string(),
            case_id: case.case.clone(),
            subject_id: person.clone(),
            assessments: vec![AssessmentInput {
                allegation_id: case.allegation.clone(),
                breach: Breach::WantOfExperience.into(),
                breach_reason: because(),
                experiment: Experiment::Neither.into(),
                experiment_reason: because(),
                motive: Motive::Neither.into(),
                motive_reason: because(),
                liability: Liability::Exempt.into(),
                reason: because(),
            }],
        };
        let sanction = RecordSanctionRequest {
            request_id: Uuid::from_u128(1 + race as u128).to_string(),
            case_id: case.case.clone(),
            subject_id: person.clone(),
            kind: "warning".to_owned(),
            decided_by: UNIT.to_owned(),
            decided_on: "2024-06-01".to_owned(),
            impact_months: 12,
        };
        let (mut assessing, mut recording) = (
            investigator.verification(&here),
            machine.verification(&there),
        );
        let (assessed, recorded) = tokio::join!(
            assessing.propose_tolerance(assessment),
            recording.record_sanction(sanction)
        );
        match (assessed, recorded) {
            (Ok(_), Err(refused)) => {
                assert_eq!(code(&refused), "VERIFICATION_SANCTION_BEING_ASSESSED");
            }
            (Err(refused), Ok(_)) => {
                assert_eq!(code(&refused), "VERIFICATION_TOLERANCE_AFTER_SANCTION");
            }
            both => panic!("one of them comes first: {both:?}"),
        }
    }
}

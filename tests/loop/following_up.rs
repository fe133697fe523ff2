//! Who was sanctioned is visited by whoever decided, never by themselves, until the impact period has ended; and how a
//! clarification worked is looked at once its day has come.

use serde_json::Value;
use servers::eventually;
use tests::Office;

use crate::clarifying::{carried_out, shown};
use crate::concluding::{Concluded, concluded, registered, word};

const UNIT: &str = "P51-01-01";
const SUBSTANTIATED: (&str, Option<&str>) = ("substantiated", None);

/// The file of a person, as an officer of its unit sees it; `None` while there is none.
fn file(office: &Office, person: &str) -> Option<Value> {
    let shown = office
        .zm(&["file", person, "--json"])
        .output()
        .expect("zm runs");
    let mut shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
    shown.get_mut("file").map(Value::take)
}

/// Records a warning that follows from a case, and counts for half a year; it was assessed before.
fn sanctioned(office: &Office, case: &Concluded, person: &str) -> Value {
    case.find_liable(office);
    office.zm_json(&[
        "sanction",
        "record",
        &case.case,
        person,
        "--kind",
        "warning",
        "--months",
        "6",
        "--decided-by",
        UNIT,
    ])
}

/// Waits for a person's file to be like this; the file.
async fn file_that(
    office: &Office,
    person: &str,
    what: &str,
    like: impl Fn(&Value) -> bool,
) -> Value {
    let mut found = Value::Null;
    eventually(what, async || {
        found = file(office, person).unwrap_or_default();
        found.is_object() && like(&found)
    })
    .await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_sanctioned_is_visited_by_others_and_the_file_closes_with_the_impact_period() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Li Wei", UNIT, &["--actor-id", "li.wei"]);
    let case = concluded(&office, (&person, "bribery"), UNIT, SUBSTANTIATED).await;
    let sanction = sanctioned(&office, &case, &person);
    let opened = file_that(&office, &person, "the file opens", |_| true).await;
    assert_eq!(opened["periods"][0]["sanctionId"], sanction["sanctionId"]);
    assert_eq!(opened["units"], serde_json::json!([UNIT]));

    // The person neither sees the file nor visits themselves.
    let themselves = format!("follow_up_officer@{UNIT}=li.wei");
    eventually("the file is kept from its person", async || {
        let shown = office.zm(&["file", &person, "--as", &themselves]).output();
        let told = shown.expect("zm runs").stderr;
        String::from_utf8_lossy(&told).contains("This file is not yours")
    })
    .await;
    let last_day = word(&opened["periods"][0]["until"]);
    let situation = "Worries about his children";
    office.zm_json(&[
        "file",
        "plan",
        &person,
        "--visit",
        &last_day,
        "--situation",
        situation,
    ]);
    let visit = |visitor| {
        [
            "file",
            "visit",
            person.as_str(),
            "--visitor",
            "chen",
            "--visitor",
            visitor,
            "--talk",
            "person=Sleeps badly",
            "--observations",
            "At his desk, pale",
        ]
    };
    let told = office.zm_refused(&visit("li.wei"));
    assert!(told.contains("does not visit this person"), "{told}");
    let visited = office.zm_json(&visit("lin"));
    let assessed = office.zm_json(&[
        "file",
        "assess",
        &person,
        "--visit",
        &word(&visited["visitId"]),
        "--attitude",
        "burdened",
        "--grade",
        "fair",
        "--profile",
        "Carries it too heavily",
    ]);
    assert_eq!(assessed["approach"], "APPROACH_SUPPORT");

    // The period ends by a clock, the file closes with it, and both are on record.
    office.zm_json(&["clock", "--ahead", "200d"]);
    let closed = file_that(&office, &person, "the file closes", |file| {
        file["state"] == "FILE_STATE_CLOSED"
    })
    .await;
    assert_eq!(closed["assessments"].as_array().map(Vec::len), Some(1));
    office.zm_json(&["quiet", "--wait", "60"]);
    let on_record = office.zm_json(&["integrity", &person]);
    let entries = on_record["entries"].as_array().expect("a list");
    for kind in [
        "SANCTIONED",
        "FOLLOW_UP_OPENED",
        "VISITED",
        "IMPACT_ENDED",
        "FOLLOW_UP_CLOSED",
    ] {
        let kind = format!("INTEGRITY_ENTRY_KIND_{kind}");
        let found = entries.iter().filter(|entry| entry["kind"] == kind).count();
        assert_eq!(found, 1, "{kind} in {on_record:#}");
    }
    office.zm_json(&["journal", "verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_recused_from_the_matter_sees_no_file_that_rests_on_it() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Li Wei", UNIT, &[]);
    let case = concluded(&office, (&person, "bribery"), UNIT, SUBSTANTIATED).await;
    sanctioned(&office, &case, &person);
    file_that(&office, &person, "the file opens", |_| true).await;
    let by = |name: &str| format!("supervisor@{UNIT}={name}");
    let shown = office.zm(&["file", &person, "--as", &by("bo")]).output();
    assert!(
        shown.expect("zm runs").status.success(),
        "nothing is against it yet"
    );

    // One declares a conflict in verification, the other is told by a report that joins late to have reported before.
    let conflict = ["conflict", &case.case, "--reason", "We are cousins"];
    office.zm_json(&[&conflict[..], &["--as", &by("bo")]].concat());
    let again = ["submit", "--subject", &person, "--category", "bribery"];
    let by_an_official = ["--narrative", "The same again", "--reporter-actor", "wang"];
    let submitted = office.zm_json(&[&again[..], &by_an_official].concat());
    office.zm_json(&[
        "join",
        &word(&submitted["reportId"]),
        &case.matter,
        "--new-facts",
        "none",
    ]);
    for name in ["bo", "wang"] {
        eventually("the file is kept from them", async || {
            let shown = office.zm(&["file", &person, "--as", &by(name)]).output();
            let told = shown.expect("zm runs").stderr;
            String::from_utf8_lossy(&told).contains("This file is not yours")
        })
        .await;
        let as_them = format!("personnel_officer@{UNIT}={name}");
        eventually("the integrity file is kept from them", async || {
            let shown = office
                .zm(&["integrity", &person, "--as", &as_them])
                .output();
            let told = shown.expect("zm runs").stderr;
            String::from_utf8_lossy(&told).contains("You are recused from this matter")
        })
        .await;
        let listed = office.zm_json(&["file", "list", "--as", &by(name)]);
        assert!(listed["files"].is_null(), "{name}: {listed:#}");
    }
    assert!(file(&office, &person).is_some(), "others go on");
    let on_record = office.zm_json(&["integrity", &person]);
    assert!(on_record["entries"].is_array(), "{on_record:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_register_a_file_opens_and_nobody_takes_a_step_in_it() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let person = registered(&office, "Li Wei", UNIT, &["--actor-id", "li.wei"]);
    let case = concluded(&office, (&person, "bribery"), UNIT, SUBSTANTIATED).await;
    services.remove("intake").expect("it runs").stop();
    sanctioned(&office, &case, &person);
    let opened = file_that(&office, &person, "the file opens", |_| true).await;
    let last_day = word(&opened["periods"][0]["until"]);
    let request = uuid::Uuid::from_u128(1).to_string();
    let plan = [
        "file",
        "plan",
        &person,
        "--visit",
        &last_day,
        "--situation",
        "Worries about his children",
        "--request-id",
        &request,
    ];
    let told = office.zm_refused(&plan);
    assert!(told.contains("does not answer"), "{told}");
    assert!(file(&office, &person).is_some_and(|file| file["planned"].is_null()));

    services.insert("intake", office.start("intake").await);
    eventually("the same request is carried out", async || {
        office.zm(&plan).output().expect("zm runs").status.success()
    })
    .await;
    file_that(&office, &person, "it is planned", |file| {
        file["planned"] == serde_json::json!([last_day])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_clarification_worked_is_checked_once_its_day_has_come() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let person = registered(&office, "Chen Yi", UNIT, &[]);
    let clarification = carried_out(&office, &person, UNIT).await;
    // Who has a conflict in clearing the name is kept from the case, too.
    let conflict = ["clarification", "conflict", &clarification, "--reason"];
    let bo = format!("clarification_officer@{UNIT}=bo");
    office.zm_json(&[&conflict[..], &["We are cousins", "--as", &bo]].concat());
    let matter = word(&shown(&office, &clarification)["matterId"]);
    eventually("the case is kept from them", async || {
        let shown = office.zm(&["case", "show", &matter, "--as", &bo]).output();
        let told = shown.expect("zm runs").stderr;
        String::from_utf8_lossy(&told).contains("You are recused from this case")
    })
    .await;
    file_that(&office, &person, "the file opens for aftercare", |_| true).await;
    let check = [
        "file",
        "aftercare",
        &person,
        "--clarification",
        &clarification,
        "--effect",
        "partly",
        "--notes",
        "Two neighbours still whisper",
    ];
    let told = office.zm_refused(&check);
    assert!(told.contains("only after some time"), "{told}");
    office.zm_json(&["clock", "--ahead", "31d"]);
    eventually("its day has come", async || {
        office
            .zm(&check)
            .output()
            .expect("zm runs")
            .status
            .success()
    })
    .await;
    let closed = file_that(&office, &person, "the file closes", |file| {
        file["state"] == "FILE_STATE_CLOSED"
    })
    .await;
    let effect = &closed["aftercare"][0]["effect"];
    assert_eq!(effect, "AFTERCARE_EFFECT_PARTLY", "{closed:#}");
}

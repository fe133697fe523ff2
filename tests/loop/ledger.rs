//! The ledger of a unit and year, while many names are cleared at once by two processes and one of them is killed.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use proto::office::{ClarificationForm, Finding, Harm, SubjectKind};
use tests::Office;
use tests::docket::{Docket, Report};
use tokio::sync::Notify;

/// How many names are cleared, all in one ledger.
const NAMES: usize = 64;
/// How many at once.
const AT_ONCE: usize = 32;
const UNIT: &str = "P51-01-01";
const FORM: ClarificationForm = ClarificationForm::Written;

/// Leads a report to an approved clarification; its name and the clarification's id.
async fn approved(docket: &Docket, number: usize) -> (String, String) {
    let report = Report {
        name: format!("ledger-{number:02}"),
        source: "ledger",
        kind: SubjectKind::Person,
        unit: UNIT.to_owned(),
        finding: Finding::Unfounded,
        harm: Some(Harm::SpreadInPublic),
    };
    let concluded = docket.conclude(&report).await;
    let id = docket.opened(&concluded).await;
    docket.prepare(&report.name, &id, FORM).await;
    (report.name, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_has_no_gaps_under_32_executions_by_two_processes_of_which_one_is_killed() {
    let office = Office::new().await;
    let mut first = office.start_all().await;
    let (_second, client) = office.start_all_again().await;
    let docket = Docket::new(&office, vec![office.client(), client]);
    let names: Vec<(String, String)> = futures::stream::iter(0..NAMES)
        .map(|number| approved(&docket, number))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let (cleared, in_the_middle) = (AtomicUsize::new(0), Notify::new());
    let clearing = futures::stream::iter(&names)
        .map(async |(name, id)| {
            let carried_out = docket.carry_out(name, id, FORM).await;
            carried_out.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            if cleared.fetch_add(1, Ordering::Relaxed) + 1 == NAMES / 4 {
                in_the_middle.notify_one();
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<()>();
    let killing = async {
        in_the_middle.notified().await;
        first.remove("clarification").expect("it runs").kill();
        office.start("clarification").await
    };
    let ((), _restarted) = tokio::join!(clearing, killing);
    office.zm_json(&["quiet", "--wait", "60"]);

    crate::faults::ledgers_have_no_gaps(&office).await;
    let listed = office.zm_json(&["ledger", UNIT, "--page-size", "200"]);
    let numbers = listed["entries"].as_array().expect("a list").iter();
    let numbers: Vec<_> = numbers
        .map(|entry| entry["number"]["number"].as_u64())
        .collect();
    let expected: Vec<_> = (1..=NAMES as u64).map(Some).collect();
    assert_eq!(numbers, expected);
    office.zm_json(&["journal", "verify"]);
}

//! A case is opened again in the very moment in which a name is cleared on its conclusion: whoever comes first, it ends
//! superseded or halted, and nothing is carried out after it was halted.

use std::collections::BTreeMap;

use chassis::refusal::Refusal;
use futures::StreamExt as _;
use proto::clarification::ClarificationState;
use proto::office::{ClarificationForm, Finding, Harm, SubjectKind};
use tests::Office;
use tests::docket::{Concluded, Docket, Report};

/// How many matters race, where `ZHENGMING_RACES` does not say it; `tests/reference` has a thousand.
const MATTERS: usize = 100;
/// How many are led at once.
const AT_ONCE: usize = 32;

/// How a race went.
struct Raced {
    concluded: Concluded,
    carried_out: Result<(), Refusal>,
}

/// Leads a report to an approved clarification, and then opens its case again while the name is being cleared: of eight,
/// in one the reopening is first, in one the clearing, and in six both are asked for at the same time.
async fn race(docket: &Docket, number: usize) -> Raced {
    let report = Report {
        name: format!("race-{number:04}"),
        source: "races",
        kind: SubjectKind::Person,
        unit: ["P51-01-01", "P51-01-02", "P51-02-01"][number % 3].to_owned(),
        finding: Finding::Unfounded,
        harm: Some(Harm::SpreadInPublic),
    };
    let form = ClarificationForm::Written;
    let concluded = docket.conclude(&report).await;
    let id = docket.opened(&concluded).await;
    docket.prepare(&report.name, &id, form).await;
    let clearing = docket.carry_out(&report.name, &id, form);
    let reopening = docket.reopen(&concluded);
    let carried_out = match number % 8 {
        0 => {
            reopening.await;
            clearing.await
        }
        1 => {
            let carried_out = clearing.await;
            reopening.await;
            carried_out
        }
        _ => tokio::join!(clearing, reopening).0,
    };
    Raced {
        concluded,
        carried_out,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_case_reopens_while_a_name_is_cleared_ends_superseded_or_halted() {
    let office = Office::new().await;
    let _first = office.start_all().await;
    let (_second, client) = office.start_all_again().await;
    let matters = std::env::var("ZHENGMING_RACES").ok();
    let matters = matters.map_or(MATTERS, |number| number.parse().expect("a number"));
    let docket = Docket::new(&office, vec![office.client(), client]);
    let raced: Vec<Raced> = futures::stream::iter(0..matters)
        .map(|number| race(&docket, number))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    office.zm_json(&["quiet", "--wait", "60"]);

    let mut ended: BTreeMap<&str, usize> = BTreeMap::new();
    for Raced {
        concluded,
        carried_out,
    } in &raced
    {
        let now = docket.clarification(concluded).await.expect("it is there");
        let name = &concluded.name;
        let expected = match carried_out {
            Ok(()) => ClarificationState::Superseded,
            Err(refusal) => {
                let code = &*refusal.code;
                let stopped = [
                    "CLARIFICATION_CONCLUSION_NOT_STANDING",
                    "CLARIFICATION_HALTED",
                ];
                assert!(stopped.contains(&code), "{name}: {code}");
                ClarificationState::Halted
            }
        };
        assert_eq!(now.state(), expected, "{name}");
        *ended.entry(expected.as_str_name()).or_default() += 1;
    }
    assert!(ended.len() == 2, "both ways came to pass: {ended:?}");

    // The journals say the same: nothing was carried out after it was halted, or on an answer that was too old.
    let pool = office.superuser("clarification").await;
    let count = async |sql: &'static str| -> i64 {
        let counted = sqlx::query_scalar(sql).fetch_one(&pool).await;
        counted.expect("the database answers")
    };
    let carried_out = "select count(*) from journal where type = 'clarification_carried_out'";
    let superseded = ended[ClarificationState::Superseded.as_str_name()];
    assert_eq!(count(carried_out).await, superseded as i64);
    let after_halting = "select count(*) from journal c join journal h using (aggregate)
        where c.type = 'clarification_carried_out' and h.type = 'clarification_halted'";
    assert_eq!(count(after_halting).await, 0);
    let on_an_old_answer = "select count(*) from journal
        where type = 'clarification_carried_out'
          and at - (convert_from(data, 'UTF8')::jsonb #>> '{execution,rests_on,asked_at}')::timestamptz
              not between interval '0' and interval '5 seconds'";
    assert_eq!(count(on_an_old_answer).await, 0);
    pool.close().await;
    crate::faults::ledgers_have_no_gaps(&office).await;
    office.zm_json(&["journal", "verify"]);
}

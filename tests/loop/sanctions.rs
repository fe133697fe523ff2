//! Sanctions from outside and from within: one decision is once, whichever way it comes, and the impact periods of one
//! person count together over the cases of several units.

use chassis::refusal::Refusal;
use office::Role;
use proto::topology::command_queue;
use proto::verification::{
    DeclareConflictRequest, GetSanctionsRequest, GetStatisticsRequest, GetTextRequest,
    RecordSanctionRequest, RecordSanctionResponse, Sanction,
};
use servers::eventually;
use tests::Office;
use tonic::Status;
use uuid::Uuid;
use zm::client::{Office as Client, Person};

use crate::concluding::{Concluded, concluded, registered, word};
use crate::sender::Sender;

const HERE: &str = "P51-01-01";
const THERE: &str = "P51-01-02";

/// A case of this unit whose conclusion substantiates something about the person.
async fn liable(office: &Office, person: &str, category: &str, unit: &str) -> Concluded {
    let substantiated = ("substantiated", None);
    concluded(office, (person, category), unit, substantiated).await
}

/// A decision, under the request id of this number.
fn sanction(
    request: u128,
    (case, person): (&str, &str),
    decided_on: &str,
    impact_months: i32,
) -> RecordSanctionRequest {
    RecordSanctionRequest {
        request_id: Uuid::from_u128(request).to_string(),
        case_id: case.to_owned(),
        subject_id: person.to_owned(),
        kind: "warning".to_owned(),
        decided_by: HERE.to_owned(),
        decided_on: decided_on.to_owned(),
        impact_months,
    }
}

async fn record(
    client: &Client,
    by: &Person,
    request: &RecordSanctionRequest,
) -> Result<RecordSanctionResponse, Status> {
    let mut verification = by.verification(client);
    let answer = verification.record_sanction(request.clone()).await;
    answer.map(tonic::Response::into_inner)
}

async fn sanctions(client: &Client, by: &Person, person: &str) -> Result<Vec<Sanction>, Status> {
    let request = GetSanctionsRequest {
        subject_id: person.to_owned(),
    };
    let answer = by.verification(client).get_sanctions(request).await?;
    Ok(answer.into_inner().sanctions)
}

fn code(status: &Status) -> String {
    Refusal::from_status(status).code.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_decision_is_once_whichever_way_it_comes_and_a_person_carries_at_most_48_months() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let _verification = office.start("verification").await;
    let client = office.client();
    let person = registered(&office, "Chen Yi", HERE, &["--authority", "P51-01"]);
    let supervisor = |unit| office.person_at("gao", Role::Supervisor, unit);
    assert_eq!(
        sanctions(&client, &supervisor(HERE), &person)
            .await
            .expect("none is an answer"),
        []
    );
    let here = liable(&office, &person, "bribery", HERE).await.case;
    let case_there = liable(&office, &person, "neglect", THERE).await;
    let there = case_there.case.clone();

    // The outside system tells it over both ways, and then once more under another request id.
    let system = office.person_at("discipline-system", Role::Automation, HERE);
    let two_years = sanction(1, (&here, &person), "2024-01-15", 24);
    let first = record(&client, &system, &two_years)
        .await
        .expect("recorded");
    assert_eq!(first.version, 1);
    eventually("the queue of commands is declared", async || {
        office.vhost.queue(&command_queue("verification")).is_some()
    })
    .await;
    let mut sender = Sender::connect(&office).await;
    let service = "verification";
    let again = sender
        .command(service, "RecordSanction", &system.actor, &two_years)
        .await;
    assert_eq!(word(&again["sanctionId"]), first.sanction_id);
    let same = sanction(2, (&here, &person), "2024-01-15", 24);
    let already = sender
        .command(service, "RecordSanction", &system.actor, &same)
        .await;
    assert_eq!(word(&already["sanctionId"]), first.sanction_id);
    assert_eq!(already["version"], "1", "{already}");
    let known = sanctions(&client, &supervisor(HERE), &person).await;
    let known = known.expect("it is shown");
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].sanction_id, first.sanction_id);
    assert_eq!(known[0].impact_ends_on, "2026-01-14");

    // Another unit sees none of it, and yet records its own, up to 48 months together.
    let refused = sanctions(&client, &supervisor(THERE), &person).await;
    assert_eq!(code(&refused.expect_err("not theirs")), "OUT_OF_SCOPE");
    let of_others = sanction(3, (&here, &person), "2024-06-01", 6);
    let refused = record(&client, &supervisor(THERE), &of_others).await;
    assert_eq!(code(&refused.expect_err("not theirs")), "OUT_OF_SCOPE");
    let second = sanction(4, (&there, &person), "2024-06-01", 24);
    let refused = record(&client, &supervisor(THERE), &second).await;
    assert_eq!(
        code(&refused.expect_err("nobody assessed it")),
        "VERIFICATION_SANCTION_NOT_ASSESSED"
    );
    case_there.find_liable(&office);
    let refused = record(&client, &supervisor(THERE), &second).await;
    assert_eq!(
        code(&refused.expect_err("it was assessed later than that")),
        "VERIFICATION_SANCTION_DECIDED_BEFORE"
    );
    let system_there = office.person_at("discipline-system", Role::Automation, THERE);
    let second = record(&client, &system_there, &second).await;
    assert_eq!(second.expect("48 together").version, 4);
    let beyond = sanction(5, (&there, &person), "2024-07-01", 6);
    let refused = record(&client, &system_there, &beyond).await;
    let too_long = "VERIFICATION_SANCTION_IMPACT_TOO_LONG";
    assert_eq!(code(&refused.expect_err("54 together")), too_long);
    let again = sanction(7, (&there, &person), "2024-07-01", 6);
    let answer = sender
        .ask(service, "RecordSanction", &system_there.actor, &again)
        .await;
    assert_eq!(answer["error"]["code"], too_long, "{answer}");
    sender.close().await;

    // Who has a conflict in one of the cases sees no sanction any more, also those that were recorded before; nor why
    // something was assessed so.
    let other = office.person_at("meng", Role::Supervisor, HERE);
    let seen = sanctions(&client, &other, &person).await;
    assert_eq!(seen.expect("both are shown").len(), 2);
    let assessed = office.zm_json(&["tolerance", "show", &person]);
    let reason = word(&assessed["tolerance"][0]["assessments"][0]["reasonId"]);
    let read = async || {
        let request = GetTextRequest {
            text_id: reason.clone(),
        };
        other.verification(&client).get_text(request).await
    };
    let why = read().await.expect("it is read").into_inner().text;
    assert_eq!(why, "They knew it and gained by it");
    let conflict = DeclareConflictRequest {
        request_id: Uuid::from_u128(6).to_string(),
        case_id: here.clone(),
        reason: "We share an office".to_owned(),
    };
    let declared = other.verification(&client).declare_conflict(conflict).await;
    declared.expect("a conflict may come to mind late");
    let refused = sanctions(&client, &other, &person).await;
    let recused = code(&refused.expect_err("recused from all of it"));
    assert_eq!(recused, "VERIFICATION_RECUSED");
    let recused = code(&read().await.expect_err("recused from all of it"));
    assert_eq!(recused, "VERIFICATION_RECUSED");

    let request = GetStatisticsRequest::default();
    let mut verification = supervisor("N").verification(&client);
    let figures = verification.get_statistics(request).await;
    let figures = figures.expect("figures").into_inner().figures;
    let counted = figures.iter().find(|figure| figure.key == "sanctions");
    assert_eq!(counted.expect("it is a figure").count, 2);
    let pool = office.superuser("verification").await;
    let rows: i64 = sqlx::query_scalar("select count(*) from journal where kind = 'sanctions'")
        .fetch_one(&pool)
        .await
        .expect("the journal answers");
    assert_eq!(rows, 4, "two sanctions, one of them assessed here before");
    pool.close().await;
}

//! The receipt code end to end: told once, replaced by a repeat, kept once it was used; and a text that is erased.

use futures::future::join_all;
use office::Role;
use proto::intake::{
    AllegationInput, GetReceiptRequest, GetReportRequest, GetTextRequest, ReporterKind,
    SubmitReportRequest, SubmitReportResponse, allegation_input,
};
use proto::office::Channel;
use servers::soon;
use tests::Office;
use tonic::Code;
use uuid::Uuid;
use zm::client::{Office as Client, Person};

fn submission(request: u128) -> SubmitReportRequest {
    SubmitReportRequest {
        request_id: Uuid::from_u128(request).to_string(),
        channel: Channel::Web.into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: vec![AllegationInput {
            subject: Some(allegation_input::Subject::NotIdentified(
                "a foreman".to_owned(),
            )),
            category: "bribery".to_owned(),
            narrative: "took an envelope".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

async fn submit(client: &Client, request: u128) -> SubmitReportResponse {
    let mut intake = Person::public().intake(client);
    let answer = intake.submit_report(submission(request)).await;
    answer.expect("it is taken in").into_inner()
}

/// Whether intake knows this code.
async fn opens(client: &Client, report: &SubmitReportResponse, code: &str) -> bool {
    let request = GetReceiptRequest {
        report_id: report.report_id.clone(),
        receipt_code: code.to_owned(),
    };
    match Person::public().intake(client).get_receipt(request).await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(status.code(), Code::PermissionDenied, "{status}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_locks_nobody_out_and_a_used_code_stays() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let client = office.client();
    let first = submit(&client, 1).await;
    let second = submit(&client, 1).await;
    assert_eq!(first.report_id, second.report_id);
    assert_eq!(first.allegation_ids, second.allegation_ids);
    assert_eq!((first.version, second.version), (1, 2));
    assert_eq!(second.receipt_code.len(), 16);
    assert_ne!(first.receipt_code, second.receipt_code);
    assert!(!opens(&client, &first, &first.receipt_code).await);
    assert!(opens(&client, &second, &second.receipt_code).await);
    let third = submit(&client, 1).await;
    assert_eq!(
        third.receipt_code, "",
        "a code that was used is not replaced"
    );
    assert!(opens(&client, &second, &second.receipt_code).await);

    let pool = office.superuser("intake").await;
    let told: Vec<String> = sqlx::query_scalar("select type from journal order by sequence")
        .fetch_all(&pool)
        .await
        .expect("the journal answers");
    assert_eq!(
        told,
        ["report_submitted", "receipt_replaced", "receipt_used"]
    );
    let clear: i64 = sqlx::query_scalar(
        "select count(*) from journal where position($1 in convert_from(data, 'UTF8')) > 0",
    )
    .bind(&second.receipt_code)
    .fetch_one(&pool)
    .await
    .expect("the journal answers");
    assert_eq!(clear, 0, "no code is in the journal");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_official_who_reports_is_recused_and_still_gets_a_fresh_code() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let client = office.client();
    let officer = office.person("officer-1", Role::IntakeOfficer);
    let mut intake = officer.intake(&client);
    let request = SubmitReportRequest {
        reporter_actor_id: "officer-1".to_owned(),
        ..submission(4)
    };
    let mut codes = Vec::new();
    for _ in 0..2 {
        let answer = intake.submit_report(request.clone()).await;
        codes.push(answer.expect("it is taken in").into_inner());
    }
    let request = GetReportRequest {
        report_id: codes[0].report_id.clone(),
    };
    let status = intake.get_report(request).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(opens(&client, &codes[1], &codes[1].receipt_code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_repeats_at_once_in_two_processes_the_code_of_the_highest_version_is_valid() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let (_second, second_url) = office.start_another_at("intake").await;
    let clients = [office.client(), office.client_at("intake", second_url)];
    let repeats = (0..12).map(|nth| submit(&clients[nth % 2], 2));
    let mut answers = soon("all are answered", join_all(repeats)).await;
    answers.sort_by_key(|answer| answer.version);
    let versions: Vec<i64> = answers.iter().map(|answer| answer.version).collect();
    assert_eq!(versions, (1..=12).collect::<Vec<i64>>());
    let last = answers.pop().expect("there are some");
    for replaced in &answers {
        assert!(!opens(&clients[0], replaced, &replaced.receipt_code).await);
    }
    assert!(opens(&clients[1], &last, &last.receipt_code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_narrative_is_gone_and_its_report_can_still_be_repeated() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let client = office.client();
    let report = submit(&client, 3).await;
    let officer = office.person("officer-1", Role::IntakeOfficer);
    let mut intake = officer.intake(&client);
    let request = GetReportRequest {
        report_id: report.report_id.clone(),
    };
    let shown = intake.get_report(request).await.expect("it is there");
    let shown = shown.into_inner().report.expect("it is there");
    let narrative = &shown.narratives[0];
    office.zm_json(&[
        "text",
        "erase",
        "intake",
        &narrative.text_id,
        "--report",
        &report.report_id,
        "--reason",
        "court_order",
    ]);
    let request = GetTextRequest {
        text_id: narrative.text_id.clone(),
    };
    let text = intake.get_text(request).await.expect("it may be asked for");
    let text = text.into_inner();
    assert_eq!((text.text.as_str(), &text.digest), ("", &narrative.digest));
    let again = submit(&client, 3).await;
    assert_eq!(again.report_id, report.report_id);
    let pool = office.superuser("intake").await;
    let left: i64 = sqlx::query_scalar("select count(*) from texts where bytes is not null")
        .fetch_one(&pool)
        .await
        .expect("the texts answer");
    assert_eq!(left, 1, "only the description of the foreman is left");
    pool.close().await;
    office.zm_json(&["journal", "verify"]);
}

//! Two processes of a service on the same aggregates: no deadlock, no lost update, chains whole.

use std::time::Duration;

use futures::future::join_all;
use office::Role;
use proto::intake::AddMaterialRequest;
use proto::intake::intake_service_client::IntakeServiceClient;
use servers::soon;
use tests::Office;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_the_same_reports_lose_no_update_and_know_no_deadlock() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let (_second, second_url) = office.start_another_at("intake").await;
    let first = office.client();
    let second = office.client_at("intake", second_url);
    let mut reports = Vec::new();
    for _ in 0..4 {
        let submitted = office.zm_json(&[
            "submit",
            "--not-identified",
            "a foreman",
            "--category",
            "bribery",
            "--narrative",
            "took an envelope",
        ]);
        reports.push(submitted["reportId"].as_str().expect("an id").to_owned());
    }
    let officer = office.person("officer-1", Role::IntakeOfficer);
    let additions = (0..200u128).map(|nth| {
        let request = AddMaterialRequest {
            // Each is sent to both processes: it must take effect once.
            request_id: Uuid::from_u128(nth / 2).to_string(),
            report_id: reports[(nth / 2) as usize % reports.len()].clone(),
            material: format!("page {}", nth / 2),
            ..Default::default()
        };
        let client = if nth % 2 == 0 { &first } else { &second };
        let mut intake: IntakeServiceClient<_> = officer.intake(client);
        async move {
            loop {
                match intake.add_material(request.clone()).await {
                    Ok(answer) => return answer.into_inner(),
                    Err(status) => {
                        let refusal = chassis::refusal::Refusal::from_status(&status);
                        assert!(refusal.kind.is_passing(), "{refusal}");
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    });
    let answers = soon("all are answered", join_all(additions)).await;
    for pair in answers.chunks(2) {
        assert_eq!(pair[0], pair[1], "one request has one answer");
    }
    let pool = office.superuser("intake").await;
    let rows: i64 =
        sqlx::query_scalar("select count(*) from journal where type = 'report_material_added'")
            .fetch_one(&pool)
            .await
            .expect("the database answers");
    assert_eq!(rows, 100);
    let texts: i64 = sqlx::query_scalar(
        "select count(*) from texts where convert_from(bytes, 'utf8') like 'page %'",
    )
    .fetch_one(&pool)
    .await
    .expect("the database answers");
    assert_eq!(texts, 100);
    office.zm_json(&["journal", "verify"]);
    let patience = tokio::time::timeout(Duration::from_secs(30), pool.close());
    patience.await.expect("the connections close");
}

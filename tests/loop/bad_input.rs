//! Bad input gets a clear error, and nothing is lost.

use std::time::Duration;

use chassis::refusal::Refusal;
use chassis::token::{ACTORS_KEY, Audience, Signer};
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Connection};
use office::Role;
use proto::intake::{AllegationInput, GetStatisticsRequest, SubmitReportRequest, allegation_input};
use proto::office::Channel;
use proto::topology::{SERVICES, TABLE};
use servers::eventually;
use tests::{Office, program, workspace};
use uuid::Uuid;
use zm::client::Person;

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_is_told_all_its_violations_at_once() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let client = office.client();
    let request = SubmitReportRequest {
        request_id: "not a uuid".to_owned(),
        allegations: vec![AllegationInput {
            category: "Not A Code".to_owned(),
            occurred_on: "yesterday".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let status = Person::public()
        .intake(&client)
        .submit_report(request)
        .await
        .expect_err("it is refused");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let refusal = Refusal::from_status(&status);
    let fields: Vec<&str> = refusal
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    for field in [
        "request_id",
        "allegations[0].category",
        "allegations[0].occurred_on",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_subject_is_refused_at_its_field() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let client = office.client();
    let request = SubmitReportRequest {
        request_id: Uuid::from_u128(1).to_string(),
        channel: Channel::Web.into(),
        reporter_kind: proto::intake::ReporterKind::Anonymous.into(),
        allegations: vec![AllegationInput {
            subject: Some(allegation_input::Subject::SubjectId(
                Uuid::from_u128(404).to_string(),
            )),
            category: "bribery".to_owned(),
            narrative: "took an envelope".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let status = Person::public()
        .intake(&client)
        .submit_report(request)
        .await
        .expect_err("it is refused");
    let refusal = Refusal::from_status(&status);
    assert_eq!(refusal.code, "INTAKE_SUBJECT_UNKNOWN");
    assert!(
        refusal.violations[0].field.starts_with("allegations[0]"),
        "{refusal:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_and_an_expired_token_are_told_apart() {
    let office = Office::new().await;
    let _intake = office.start("intake").await;
    let client = office.client();
    let code_of = async |token: &str| {
        let person = Person::of_token(token).expect("three parts");
        let status = person
            .intake(&client)
            .get_statistics(GetStatisticsRequest::default())
            .await
            .expect_err("it is refused");
        assert_eq!(status.code(), tonic::Code::Unauthenticated);
        Refusal::from_status(&status).code.into_owned()
    };
    let pem = std::fs::read_to_string(office.folder.path().join("keys/actors.pem"))
        .expect("the key was made");
    let signer = Signer::from_pem(ACTORS_KEY, &pem).expect("the key is one");
    let actor = office::Actor {
        id: "auditor-1".parse().expect("an id"),
        unit: "N".parse().expect("a unit"),
        department: None,
        roles: [Role::Auditor].into(),
        on_behalf_of: None,
    };
    let minute = Duration::from_secs(60);
    let long_ago = chassis::time::real_now() - Duration::from_secs(600);
    let expired = signer
        .mint(&actor, Audience::Call, long_ago, minute)
        .expect("a token");
    assert_eq!(code_of(&expired).await, "TOKEN_EXPIRED");
    let good = signer
        .mint(&actor, Audience::Call, chassis::time::real_now(), minute)
        .expect("a token");
    let mut forged = good;
    let last = if forged.ends_with('A') { "B" } else { "A" };
    forged.replace_range(forged.len() - 8..forged.len() - 7, last);
    assert_eq!(code_of(&forged).await, "TOKEN_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_on_each_queue_is_kept_and_everything_goes_on() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let connection = Connection::connect(&office.vhost.url(), Default::default())
        .await
        .expect("the broker answers");
    let channel = connection.create_channel().await.expect("a channel");
    for queue in TABLE.queues() {
        eventually("the queue is declared", async || {
            office.vhost.queue(&queue).is_some()
        })
        .await;
        channel
            .basic_publish(
                "".into(),
                queue.as_str().into(),
                BasicPublishOptions::default(),
                b"neither event nor command",
                BasicProperties::default(),
            )
            .await
            .expect("sent");
    }
    for service in SERVICES {
        let pool = office.superuser(service).await;
        let sent = TABLE.own_queues(service).len();
        eventually("each is kept", async || {
            let kept: i64 = sqlx::query_scalar(
                "select count(*) from held where status = 'unreadable' and body = $1",
            )
            .bind(b"neither event nor command".as_slice())
            .fetch_one(&pool)
            .await
            .expect("the database answers");
            usize::try_from(kept) == Ok(sent)
        })
        .await;
        pool.close().await;
    }
    let listed = office.zm_json(&["events", "list"]);
    assert!(listed.to_string().contains("unreadable"), "{listed}");
    let submitted = office.zm_json(&[
        "submit",
        "--not-identified",
        "a foreman",
        "--category",
        "bribery",
        "--narrative",
        "took an envelope",
    ]);
    assert!(submitted["receiptCode"].is_string());
    connection.close(200, "done".into()).await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_lacks_a_column_or_a_word_stops_the_replay_before_its_first_command() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let map = std::fs::read_to_string(workspace().join("tests/registers/town.toml"))
        .expect("the map is there");
    for (spoilt, told) in [
        (map.replace("\"result\"", "\"outcome\""), "outcome"),
        (map.replace("\"Unture\"", "\"Untru\""), "Unture"),
    ] {
        let path = office.folder.path().join("spoilt.toml");
        std::fs::write(&path, spoilt).expect("the folder is ours");
        let map = path.to_str().expect("a plain path");
        let output = office
            .zm(&["replay", "tests/registers/town.csv", "--map", map])
            .output()
            .expect("zm runs");
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(told), "{error}");
    }
    let pool = office.superuser("intake").await;
    let rows: i64 = sqlx::query_scalar("select count(*) from journal")
        .fetch_one(&pool)
        .await
        .expect("the database answers");
    assert_eq!(rows, 0, "no command was sent");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_edited_after_entry_stops_before_the_first_command() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    office.zm_json(&[
        "replay",
        "tests/registers/town.csv",
        "--map",
        "tests/registers/town.toml",
    ]);
    let map = std::fs::read_to_string(workspace().join("tests/registers/town.toml"))
        .expect("the map is there");
    let edited = map.replace("\"Letter\" = \"letter\"", "\"Letter\" = \"visit\"");
    assert_ne!(map, edited);
    let path = office.folder.path().join("edited.toml");
    std::fs::write(&path, edited).expect("the folder is ours");
    let pool = office.superuser("intake").await;
    let count = async || -> i64 {
        sqlx::query_scalar("select count(*) from journal")
            .fetch_one(&pool)
            .await
            .expect("the database answers")
    };
    let before = count().await;
    let output = office
        .zm(&["replay", "tests/registers/town.csv", "--map"])
        .arg(&path)
        .output()
        .expect("zm runs");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("T0001"), "it names a case: {error}");
    assert_eq!(count().await, before);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let office = Office::new().await;
    let output = office.zm(&["stats"]).output().expect("zm runs");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("does not answer") && error.contains("deploy/local/up"),
        "{error}"
    );

    let output = std::process::Command::new(program("intake"))
        .arg("serve")
        .env_clear()
        .output()
        .expect("intake runs");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    for variable in [
        "ZHENGMING_DATABASE_URL",
        "ZHENGMING_AMQP_URL",
        "ZHENGMING_JWKS",
        "ZHENGMING_POLICY",
    ] {
        assert!(error.contains(variable), "{variable} is missing: {error}");
    }
}

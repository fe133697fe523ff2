//! What operators do: held events, whether all is quiet, the clock; and what the queue of commands keeps for them.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection};
use office::Role;
use proto::chassis::operations_service_client::OperationsServiceClient;
use proto::chassis::{
    HeldEvent, ListHeldEventsRequest, ReadClockRequest, ReadQuietRequest, ReadQuietResponse,
    RetryHeldEventRequest, SetClockRequest, ShowHeldEventRequest, SkipHeldEventRequest,
};
use sqlx::{PgPool, Row};
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::common::eventually;
use crate::harness::Town;
use crate::toy::Add;

pub(crate) async fn channel(town: &Town, service: &'static str) -> Channel {
    Channel::from_shared(town.address(service))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// A request as somebody with this role.
pub(crate) fn by<T>(town: &Town, role: Role, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let token = format!("Bearer {}", town.token(role));
    request
        .metadata_mut()
        .insert("authorization", token.parse().unwrap());
    request
}

async fn quiet(town: &Town, service: &'static str) -> ReadQuietResponse {
    let mut operations = OperationsServiceClient::new(channel(town, service).await);
    let asked = by(town, Role::Operator, ReadQuietRequest {});
    operations.read_quiet(asked).await.unwrap().into_inner()
}

pub(crate) async fn followed(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(sequence), 0)::bigint from cursors")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_event_is_shown_retried_and_skipped_on_record_and_its_stream_goes_on() {
    let town = Town::new().await;
    let stream = Uuid::from_u128(90);
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    toy.add(stream, 1, Uuid::from_u128(1)).await.unwrap();
    let pool = town.pool("mirror").await;
    eventually("the first is taken", async || followed(&pool).await == 1).await;
    // The second is in the mirror's table as dead, and the third behind it.
    for (sequence, status) in [(2i64, "dead"), (3, "ahead")] {
        let id = Uuid::from_u128(1000 + u128::try_from(sequence).unwrap());
        sqlx::query(
            "insert into held (source, stream, sequence, event_id, type, epoch, headers, body, status, reason)
             values ('toy', $1, $2, $3, 'Added', '', '{}', '{\"amount\": 2000000}', $4, 'a test')",
        )
        .bind(stream)
        .bind(sequence)
        .bind(id)
        .bind(status)
        .execute(&pool)
        .await
        .unwrap();
    }
    let state = quiet(&town, "mirror").await;
    let toys = state.followers.iter().find(|f| f.source == "toy").unwrap();
    assert_eq!((toys.cursors, toys.parked, toys.dead), (1, 1, 1));

    let mut operations = OperationsServiceClient::new(channel(&town, "mirror").await);
    let mut listed: Vec<HeldEvent> = Vec::new();
    let mut page = ListHeldEventsRequest {
        page_size: 1,
        page_token: String::new(),
    };
    loop {
        let asked = by(&town, Role::Operator, page.clone());
        let answer = operations
            .list_held_events(asked)
            .await
            .unwrap()
            .into_inner();
        listed.extend(answer.events);
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
    }
    let states: Vec<&str> = listed.iter().map(|event| &*event.status).collect();
    assert_eq!(states, ["dead", "ahead"]);
    let show = ShowHeldEventRequest {
        id: listed[0].id.clone(),
    };
    let shown = operations
        .show_held_event(by(&town, Role::Auditor, show))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(shown.body, b"{\"amount\": 2000000}");

    let skip = |id: &str| SkipHeldEventRequest {
        id: id.to_owned(),
        reason: "TEST".to_owned(),
    };
    let early = operations
        .skip_held_event(by(&town, Role::Operator, skip(&listed[1].id)))
        .await
        .unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    operations
        .skip_held_event(by(&town, Role::Operator, skip(&listed[0].id)))
        .await
        .unwrap();
    let row = sqlx::query("select sequence, event_id, reason, actor, body from skipped")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(row.get::<i64, _>("sequence"), 2);
    assert_eq!(row.get::<String, _>("actor"), "operator-1");
    assert_eq!(row.get::<Vec<u8>, _>("body"), shown.body);
    // What was behind it has its turn.
    eventually("the third is taken", async || followed(&pool).await == 3).await;
    let gone = operations
        .skip_held_event(by(&town, Role::Operator, skip(&listed[0].id)))
        .await
        .unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let erased = sqlx::query("delete from skipped").execute(&pool).await;
    assert!(erased.is_err(), "what was skipped stays on record");

    // A dead one that is retried has its turn again.
    sqlx::query(
        "insert into held (source, stream, sequence, event_id, type, epoch, headers, body, status, reason)
         values ('toy', $1, 4, $1, 'Added', '', '{}', '{\"amount\": 7}', 'dead', 'a test')",
    )
    .bind(stream)
    .execute(&pool)
    .await
    .unwrap();
    let id: i64 = sqlx::query_scalar("select id from held")
        .fetch_one(&pool)
        .await
        .unwrap();
    let retry = RetryHeldEventRequest {
        id: format!("event:{id}"),
    };
    operations
        .retry_held_event(by(&town, Role::Operator, retry))
        .await
        .unwrap();
    eventually("the fourth is taken", async || followed(&pool).await == 4).await;
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_is_when_cursors_equal_heads_and_the_clock_is_set_for_all() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    for nth in 0..20u128 {
        let tally = Uuid::from_u128(nth % 5);
        toy.add(tally, 3, Uuid::from_u128(nth)).await.unwrap();
    }
    eventually("all is quiet", async || {
        let (toy, mirror) = (quiet(&town, "toy").await, quiet(&town, "mirror").await);
        let cursors = mirror.followers.iter().map(|f| f.cursors).sum::<i64>();
        toy.outbox == 0 && toy.public_heads == 20 && cursors == 20 && mirror.claims == 0
    })
    .await;
    let mut operations = OperationsServiceClient::new(channel(&town, "toy").await);
    let set = |ahead_seconds| by(&town, Role::Operator, SetClockRequest { ahead_seconds });
    operations.set_clock(set(86_400)).await.unwrap();
    toy.add(Uuid::from_u128(1), 3, Uuid::from_u128(50))
        .await
        .unwrap();
    let pool = town.pool("toy").await;
    let ahead: bool =
        sqlx::query_scalar("select max(at) > now() + interval '23 hours' from journal")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(ahead);
    eventually("it says what day it is for decisions", async || {
        let asked = operations.read_clock(by(&town, Role::Auditor, ReadClockRequest {}));
        let told = asked.await.unwrap().into_inner();
        let tomorrow = chassis::time::real_now() + SignedDuration::from_hours(24);
        let late = tomorrow.as_microsecond() - told.now_micros;
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let now = Timestamp::from_microsecond(told.now_micros).unwrap();
        assert_eq!(told.today, now.to_zoned_datetime(zone).date().to_string());
        late.abs() < 3_600_000_000
    })
    .await;
    let back = operations.set_clock(set(-1)).await.unwrap_err();
    assert_eq!(back.code(), Code::InvalidArgument);
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_command_is_kept_once_with_its_bytes_and_without_its_token() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let pool = town.pool("toy").await;
    let connection = Connection::connect(&town.vhost.url(), Default::default())
        .await
        .unwrap();
    let broker = connection.create_channel().await.unwrap();
    let queue = proto::topology::command_queue("toy");
    eventually("the queue is there", async || {
        town.vhost.takes_messages(&queue)
    })
    .await;
    let token = town.queue_token(Duration::from_secs(60), false);
    let good = serde_json::to_vec(&Add {
        request_id: Uuid::from_u128(1).to_string(),
        tally: Uuid::from_u128(7).to_string(),
        amount: 4,
        note: String::new(),
    })
    .unwrap();
    for (method, body) in [
        (None, good.clone()),
        (Some("Burn"), good.clone()),
        (Some("Add"), b"no json".to_vec()),
        (Some("Add"), b"no json".to_vec()),
        (Some("Add"), b"{\"amount\": \"many\"}".to_vec()),
        (Some("Add"), good),
    ] {
        let mut headers = FieldTable::default();
        let authorization = format!("Bearer {token}");
        headers.insert(
            "authorization".into(),
            AMQPValue::LongString(authorization.into()),
        );
        let mut properties = BasicProperties::default().with_headers(headers);
        if let Some(method) = method {
            properties = properties.with_type(method.into());
        }
        broker
            .basic_publish(
                proto::topology::COMMANDS.into(),
                "toy".into(),
                BasicPublishOptions::default(),
                &body,
                properties,
            )
            .await
            .unwrap()
            .await
            .unwrap();
    }
    eventually("the good one is carried out", async || {
        sqlx::query_scalar::<_, i64>("select count(*) from journal")
            .fetch_one(&pool)
            .await
            .unwrap()
            == 1
    })
    .await;
    let kept = async || {
        sqlx::query("select source, status, headers::text as headers, body from held order by id")
            .fetch_all(&pool)
            .await
            .unwrap()
    };
    eventually("the bad ones are kept", async || kept().await.len() >= 4).await;
    eventually("none waits in the queue", async || {
        town.vhost.depth(&queue).await == 0
    })
    .await;
    let rows = kept().await;
    assert!(rows.len() <= 5, "the same bytes twice may race, no more");
    for row in rows {
        assert_eq!(row.get::<String, _>("source"), "commands");
        assert_eq!(row.get::<String, _>("status"), "unreadable");
        assert!(!row.get::<String, _>("headers").contains(&token[..20]));
        assert!(!row.get::<Vec<u8>, _>("body").is_empty());
    }
    // A command belongs to no stream, so what is kept of it is not on its way.
    let followers = quiet(&town, "toy").await.followers;
    assert!(
        followers
            .iter()
            .all(|follower| follower.source != "commands")
    );
    connection.close(200, "done".into()).await.unwrap();
    pool.close().await;
    toy.stop().await;
}

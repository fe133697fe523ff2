//! The chassis's own methods: the feed, the journal's export, what operators do, views made again, and what the queue
//! of commands keeps.

use std::process::Command;
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection};
use office::Role;
use proto::chassis::feed_service_client::FeedServiceClient;
use proto::chassis::journal_service_client::JournalServiceClient;
use proto::chassis::operations_service_client::OperationsServiceClient;
use proto::chassis::{
    ExportRequest, HeldEvent, ListEntriesRequest, ListEventsRequest, ListHeadsRequest,
    ListHeldEventsRequest, ReadQuietRequest, ReadQuietResponse, RetryHeldEventRequest,
    SetClockRequest, ShowHeldEventRequest, SkipHeldEventRequest,
};
use sqlx::{PgPool, Row};
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::common::eventually;
use crate::harness::Town;
use crate::toy::{self, Add};

async fn channel(town: &Town, service: &'static str) -> Channel {
    Channel::from_shared(town.address(service))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// A request as somebody with this role.
fn by<T>(town: &Town, role: Role, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let token = format!("Bearer {}", town.token(role));
    request
        .metadata_mut()
        .insert("authorization", token.parse().unwrap());
    request
}

/// A request as the service that follows the toy.
fn by_mirror<T>(town: &Town, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let token = format!("Bearer {}", town.service_token("mirror"));
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

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_every_public_event_again_and_what_changed_since_a_token() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for nth in 0..3u128 {
        toy.add(one, 5, Uuid::from_u128(nth)).await.unwrap();
    }
    let mut feed = FeedServiceClient::new(channel(&town, "toy").await);
    let after = |after| ListEventsRequest {
        stream: one.to_string(),
        after,
    };
    let told = feed.list_events(by_mirror(&town, after(1))).await.unwrap();
    let events = told.into_inner().events;
    let pool = town.pool("toy").await;
    let rows = sqlx::query("select event_id, data from journal order by sequence")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(events.len(), 2);
    for (event, row) in events.iter().zip(&rows[1..]) {
        assert_eq!(event.event_id, row.get::<Uuid, _>("event_id").to_string());
        assert_eq!(event.r#type, "Added");
        assert_eq!(event.body, row.get::<Vec<u8>, _>("data"));
        assert_eq!(event.actor_id, "adder-1");
    }
    assert_eq!(events[1].sequence, 3);

    let since = |since: &str| ListHeadsRequest {
        since: since.to_owned(),
        page_token: String::new(),
    };
    let all = feed.list_heads(by_mirror(&town, since(""))).await.unwrap();
    let all = all.into_inner();
    assert_eq!(all.heads.len(), 1);
    toy.add(other, 5, Uuid::from_u128(9)).await.unwrap();
    let changed = feed
        .list_heads(by_mirror(&town, since(&all.token)))
        .await
        .unwrap();
    let streams: Vec<String> = changed
        .into_inner()
        .heads
        .into_iter()
        .map(|head| head.stream)
        .collect();
    assert_eq!(streams, [other.to_string()]);
    let foreign = all.token.replace(&all.epoch, "another.epoch");
    let again = feed
        .list_heads(by_mirror(&town, since(&foreign)))
        .await
        .unwrap();
    assert_eq!(again.into_inner().heads.len(), 2, "another epoch means all");

    let stranger = feed
        .list_heads(by(&town, Role::Auditor, since("")))
        .await
        .unwrap_err();
    assert_eq!(stranger.code(), Code::PermissionDenied);
    pool.close().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heads_of_many_streams_come_in_pages_that_miss_none() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let pool = town.pool("toy").await;
    sqlx::query(
        "insert into aggregates (id, kind, version, public_sequence, format, state, head, at)
         select gen_random_uuid(), 'tally', 1, 1, 0, '', '', now() from generate_series(1, 2500)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut feed = FeedServiceClient::new(channel(&town, "toy").await);
    let mut asked = ListHeadsRequest::default();
    let (mut streams, mut tokens, mut pages) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = feed
            .list_heads(by_mirror(&town, asked.clone()))
            .await
            .unwrap();
        let page = page.into_inner();
        streams.extend(page.heads.into_iter().map(|head| head.stream));
        tokens.push(page.token);
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        asked.page_token = page.next_page_token;
    }
    streams.sort();
    streams.dedup();
    assert_eq!((streams.len(), pages), (2500, 3));
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all pages carry the token of the first");
    pool.close().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_rows_heads_and_what_was_followed() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let tally = Uuid::from_u128(4);
    for nth in 0..700u128 {
        let stream = Uuid::from_u128(4 + nth % 7);
        toy.add(stream, 1, Uuid::from_u128(nth)).await.unwrap();
    }
    let pool = town.pool("mirror").await;
    eventually("the mirror has all", async || followed(&pool).await == 700).await;
    let folder = tempfile::tempdir().unwrap();
    let mut lines = 0;
    for service in ["toy", "mirror"] {
        let text = exported(&town, service).await;
        lines += text.lines().count();
        std::fs::write(folder.path().join(format!("{service}.jsonl")), text).unwrap();
    }
    assert_eq!(lines, 1400 + 14 + 7, "rows, heads, cursors");
    let verifier = || {
        Command::new("python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/journal_verifier.py"
            ))
            .args(["toy.jsonl", "mirror.jsonl"])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let run = verifier();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(told.lines().last(), Some("1400 rows, 0 faults"), "{told}");

    // The toy's tail is cut so well that its head is wound back too: only who followed has seen it.
    let superuser = town.superuser("toy").await;
    for cut in [
        "delete from journal j using aggregates a where j.aggregate = a.id and j.sequence = a.version",
        "update aggregates a set version = version - 1, public_sequence = public_sequence - 1,
                head = (select hash from journal j where j.aggregate = a.id order by sequence desc limit 1)",
    ] {
        sqlx::query(cut).execute(&superuser).await.unwrap();
    }
    std::fs::write(
        folder.path().join("toy.jsonl"),
        exported(&town, "toy").await,
    )
    .unwrap();
    let run = verifier();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(told.lines().last(), Some("1393 rows, 7 faults"), "{told}");
    assert!(!run.status.success());

    let mut journal = JournalServiceClient::new(channel(&town, "mirror").await);
    let of_matter = |matter: Uuid| ListEntriesRequest {
        matter_id: matter.to_string(),
        aggregate_id: String::new(),
    };
    let entries = journal
        .list_entries(by(&town, Role::Auditor, of_matter(tally)))
        .await
        .unwrap();
    assert_eq!(entries.into_inner().entries.len(), 100);
    let nothing = journal
        .list_entries(by(&town, Role::Auditor, of_matter(Uuid::from_u128(99))))
        .await
        .unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    superuser.close().await;
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

async fn followed(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(sequence), 0)::bigint from cursors")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The export as `zm journal export` writes it.
async fn exported(town: &Town, service: &'static str) -> String {
    let mut journal = JournalServiceClient::new(channel(town, service).await);
    let asked = by(town, Role::Operator, ExportRequest {});
    let mut items = journal.export(asked).await.unwrap().into_inner();
    let mut lines = String::new();
    while let Some(item) = items.message().await.unwrap() {
        lines.push_str(&serde_json::to_string(&item).unwrap());
        lines.push('\n');
    }
    lines
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
    let back = operations.set_clock(set(-1)).await.unwrap_err();
    assert_eq!(back.code(), Code::InvalidArgument);
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_made_again_from_the_journal_while_the_service_writes() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    for nth in 0..60u128 {
        let tally = Uuid::from_u128(nth % 20);
        toy.add(tally, 1, Uuid::from_u128(nth)).await.unwrap();
    }
    let owner = town.pool("toy_owner").await;
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 0);
    sqlx::query(
        "update tallies_v1 set total = total + 1 where id < '00000000-0000-0000-0000-000000000005'",
    )
    .execute(&owner)
    .await
    .unwrap();
    sqlx::query("delete from tallies_v1 where id = '00000000-0000-0000-0000-000000000006'")
        .execute(&owner)
        .await
        .unwrap();
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 6);

    let (blueprint, adding) = (toy::toy(), async {
        for nth in 100..200u128 {
            let tally = Uuid::from_u128(nth % 25);
            toy.add(tally, 1, Uuid::from_u128(nth)).await.unwrap();
        }
    });
    let (rebuilt, ()) = tokio::join!(chassis::rebuild_views(&blueprint, &owner), adding);
    let rebuilt = rebuilt.unwrap();
    assert!(rebuilt[0].rows >= 20, "{rebuilt:?}");
    // The role that runs goes on with the new table.
    toy.add(Uuid::from_u128(1), 1, Uuid::from_u128(500))
        .await
        .unwrap();
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 0);
    let pool = town.pool("toy").await;
    let total: i64 = sqlx::query_scalar("select sum(total)::bigint from tallies_v1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(total, 161);
    pool.close().await;
    owner.close().await;
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
        town.vhost.queue(&queue).is_some()
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
    let dead: i64 = quiet(&town, "toy")
        .await
        .followers
        .iter()
        .map(|f| f.dead)
        .sum();
    assert!(dead >= 4);
    connection.close(200, "done".into()).await.unwrap();
    pool.close().await;
    toy.stop().await;
}

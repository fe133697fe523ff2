//! What the relay promises, with the real outbox and the real broker.

use std::collections::HashMap;
use std::time::Duration;

use chassis::broker::{Broker, EventMessage};
use chassis::relay::{Relay, RelayHandle, epoch};
use proto::topology::{TABLE, Topology};
use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::common::{BOUND, Database, TABLES, Vhost, eventually, soon};
use crate::{QUEUE, connected, delete_queues};

/// A replica's relay at work.
struct Running {
    handle: RelayHandle,
    drain: CancellationToken,
    task: JoinHandle<()>,
    _broker: Broker,
}

impl Running {
    async fn start(database: &Database, vhost: &Vhost) -> Self {
        Self::with(database.pool().await, connected(vhost, "intake").await)
    }

    fn with(pool: PgPool, broker: Broker) -> Self {
        let relay = Relay::new("intake", pool, &broker);
        let (handle, drain) = (relay.handle(), CancellationToken::new());
        let task = tokio::spawn(relay.run(drain.clone()));
        Self {
            handle,
            drain,
            task,
            _broker: broker,
        }
    }

    fn works(&self) -> bool {
        *self.handle.holds().borrow()
    }

    async fn drained(self) {
        self.drain.cancel();
        soon("the relay drains", self.task).await.unwrap();
    }
}

/// Writes events of one stream, as a desk's transaction would.
async fn commit(
    pool: &PgPool,
    stream: Uuid,
    sequences: std::ops::RangeInclusive<i64>,
) -> Vec<Uuid> {
    let ids: Vec<Uuid> = sequences.clone().map(|_| Uuid::new_v4()).collect();
    let sequences: Vec<i64> = sequences.collect();
    sqlx::query(
        "insert into outbox (event_id, stream, sequence, type, body, headers, at)
         select id, $2, sequence, 'zhengming.intake.v1.Happened', '{}', $4, '2026-10-18 08:00:00.123456+00'
           from unnest ($1::uuid[], $3::bigint[]) as event (id, sequence)",
    )
    .bind(&ids)
    .bind(stream)
    .bind(&sequences)
    .bind(json!({"matter": stream, "actor": "person:1", "traceparent": "00-1-2-01"}))
    .execute(pool)
    .await
    .unwrap();
    ids
}

async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from outbox")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Takes messages until each of these was there; how often each was.
async fn arrived(broker: &Broker, ids: &[Uuid]) -> HashMap<Uuid, usize> {
    let mut counts = HashMap::new();
    let mut events = broker.consume(QUEUE, 200);
    while !ids.iter().all(|id| counts.contains_key(id)) {
        let incoming = soon("every event", events.next()).await.unwrap();
        *counts
            .entry(EventMessage::from_incoming(&incoming).unwrap().id)
            .or_insert(0) += 1;
        incoming.acker.ack().await;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_leaves_the_outbox_with_all_it_has_to_say() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let relay = Running::start(&database, &vhost).await;
    let stream = Uuid::new_v4();
    let ids = commit(&pool, stream, 1..=1).await;
    relay.handle.wake();
    let reader = connected(&vhost, "verification").await;
    let incoming = soon("the event", reader.consume(QUEUE, 1).next())
        .await
        .unwrap();
    let expected = EventMessage {
        id: ids[0],
        source: "intake".into(),
        type_: "zhengming.intake.v1.Happened".into(),
        stream,
        sequence: 1,
        epoch: epoch(&pool).await.unwrap(),
        matter: Some(stream),
        cause: None,
        actor: Some("person:1".into()),
        traceparent: Some("00-1-2-01".into()),
        at: "2026-10-18T08:00:00.123456Z".parse().unwrap(),
        body: b"{}".to_vec(),
    };
    assert_eq!(EventMessage::from_incoming(&incoming), Ok(expected));
    eventually("the row is gone", async || waiting(&pool).await == 0).await;
    relay.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_stays_until_the_broker_confirms_it() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let relay = Running::start(&database, &vhost).await;
    eventually("the relay works", async || relay.works()).await;
    vhost.policy("full", &format!("^{QUEUE}$"), json!({"max-length": 1}), 9);
    let mut ids = commit(&pool, Uuid::new_v4(), 1..=50).await;
    relay.handle.wake();
    eventually("refused rows stay, and count their attempts", async || {
        // The limit of a quorum queue is soft, so keep coming until it refuses.
        let tried: i64 = sqlx::query_scalar(
            "select count(*) from outbox where attempts > 1 and not_before is not null",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        if tried == 0 {
            ids.extend(commit(&pool, Uuid::new_v4(), 1..=10).await);
            relay.handle.wake();
        }
        tried > 0
    })
    .await;
    vhost.remove_policy("full");
    arrived(&connected(&vhost, "verification").await, &ids).await;
    eventually("all rows are gone", async || waiting(&pool).await == 0).await;
    relay.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_row_waits_and_leaves_when_its_queue_is_back() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let relay = Running::start(&database, &vhost).await;
    eventually("the relay works", async || relay.works()).await;
    delete_queues(&vhost);
    let ids = commit(&pool, Uuid::new_v4(), 1..=3).await;
    relay.handle.wake();
    eventually("returned rows wait", async || {
        let late = "select count(*) from outbox where attempts = 1 and not_before > now()";
        sqlx::query_scalar::<_, i64>(late)
            .fetch_one(&pool)
            .await
            .unwrap()
            == 3
    })
    .await;
    arrived(&connected(&vhost, "verification").await, &ids).await;
    eventually("all rows are gone", async || waiting(&pool).await == 0).await;
    relay.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_sent_stays_and_holds_up_no_other() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    commit(&pool, Uuid::new_v4(), 1..=1).await;
    sqlx::query(r#"update outbox set headers = '{"matter": 7}'"#)
        .execute(&pool)
        .await
        .unwrap();
    let ids = commit(&pool, Uuid::new_v4(), 1..=5).await;
    let relay = Running::start(&database, &vhost).await;
    arrived(&connected(&vhost, "verification").await, &ids).await;
    eventually("only the spoilt row is left", async || {
        waiting(&pool).await == 1
    })
    .await;
    relay.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_works_and_each_event_goes_out_once() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let replicas = [
        Running::start(&database, &vhost).await,
        Running::start(&database, &vhost).await,
    ];
    eventually("one works", async || replicas.iter().any(Running::works)).await;
    let mut ids = Vec::new();
    for round in 0..20 {
        ids.extend(commit(&pool, Uuid::new_v4(), 1..=50).await);
        replicas[round % 2].handle.wake();
        assert!(replicas.iter().filter(|replica| replica.works()).count() == 1);
    }
    eventually("all rows are gone", async || waiting(&pool).await == 0).await;
    let counts = arrived(&connected(&vhost, "verification").await, &ids).await;
    assert!(counts.values().all(|count| *count == 1), "each once");
    assert_eq!(counts.len(), ids.len());
    assert_eq!(vhost.depth(QUEUE).await, 0);
    for replica in replicas {
        replica.drained().await;
    }
}

/// Without the wake-up between replicas each event would wait for the poll, which is a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_without_the_seat_wakes_the_one_that_has_it() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let works = Running::start(&database, &vhost).await;
    eventually("the first works", async || works.works()).await;
    let waits = Running::start(&database, &vhost).await;
    let reader = connected(&vhost, "verification").await;
    let mut events = reader.consume(QUEUE, 10);
    let since = tokio::time::Instant::now();
    for sequence in 1..=20 {
        commit(&pool, Uuid::new_v4(), sequence..=sequence).await;
        waits.handle.wake();
        soon("the event", events.next())
            .await
            .unwrap()
            .acker
            .ack()
            .await;
        // By then the relay is idle, and only a wake-up or the poll makes it look.
        eventually("the row is gone", async || waiting(&pool).await == 0).await;
    }
    assert!(
        since.elapsed() < Duration::from_secs(10),
        "20 events took {:?}",
        since.elapsed()
    );
    assert!(works.works() && !waits.works());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_lock_connection_lets_the_other_replica_take_over() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let first = Running::start(&database, &vhost).await;
    eventually("the first works", async || first.works()).await;
    let second = Running::start(&database, &vhost).await;
    let mut ids = commit(&pool, Uuid::new_v4(), 1..=10).await;
    first.handle.wake();
    eventually("the rows are gone", async || waiting(&pool).await == 0).await;

    // Twice, so that whichever comes first, both have worked or come back.
    for round in 1..=2 {
        let killed: Vec<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid) from pg_locks
              where locktype = 'advisory' and granted
                and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        assert_eq!(killed, [true], "round {round}: one holds the seat");
        ids.extend(commit(&pool, Uuid::new_v4(), 1..=10).await);
        eventually("the rows are gone again", async || {
            waiting(&pool).await == 0
        })
        .await;
        eventually("exactly one works", async || {
            first.works() != second.works()
        })
        .await;
    }
    arrived(&connected(&vhost, "verification").await, &ids).await;
    first.drained().await;
    second.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_relay_hands_over_its_seat() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let pool = database.pool().await;
    let first = Running::start(&database, &vhost).await;
    eventually("the first works", async || first.works()).await;
    let second = Running::start(&database, &vhost).await;
    let ids = commit(&pool, Uuid::new_v4(), 1..=2_000).await;
    first.handle.wake();
    first.drained().await;
    eventually("the second works", async || second.works()).await;
    eventually("all rows are gone", async || waiting(&pool).await == 0).await;
    let counts = arrived(&connected(&vhost, "verification").await, &ids).await;
    assert!(
        counts.values().all(|count| *count == 1),
        "a drain sends nothing twice"
    );
    second.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_share_a_database_do_not_share_a_seat() {
    let (database, vhost) = (Database::new().await, Vhost::new(&TABLE));
    let mut admin = PgConnection::connect_with(&database.options())
        .await
        .unwrap();
    sqlx::raw_sql("create schema other; set search_path to other")
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::raw_sql(TABLES).execute(&mut admin).await.unwrap();
    let one = Running::start(&database, &vhost).await;
    let options = database.options().options([("search_path", "other")]);
    let other = Running::with(
        PgPool::connect_with(options).await.unwrap(),
        connected(&vhost, "intake").await,
    );
    eventually("both work", async || one.works() && other.works()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_follows_goes_to_nowhere_and_leaves() {
    const LONELY: Topology = Topology {
        services: &["intake"],
        follows: &[],
    };
    let (database, vhost) = (Database::new().await, Vhost::new(&LONELY));
    let pool = database.pool().await;
    let broker = Broker::connect(&vhost.url(), "intake", LONELY).unwrap();
    broker.ready(BOUND).await.unwrap();
    let relay = Running::with(database.pool().await, broker);
    commit(&pool, Uuid::new_v4(), 1..=10).await;
    eventually("the rows are gone", async || waiting(&pool).await == 0).await;
    relay.drained().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_role_learns_the_epoch_and_a_restore_changes_it() {
    let database = Database::new().await;
    let pool = database.pool().await;
    let role = format!("plain_{}", Uuid::new_v4().simple());
    let create =
        format!("create role {role} login password 'secret'; grant select on history to {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create))
        .execute(&pool)
        .await
        .unwrap();
    let plain = PgPool::connect_with(database.options().username(&role).password("secret"))
        .await
        .unwrap();
    let before = epoch(&plain).await.unwrap();
    assert_eq!(before, epoch(&pool).await.unwrap());
    plain.close().await;
    sqlx::query("update history set drawn = gen_random_uuid()")
        .execute(&pool)
        .await
        .unwrap();
    assert_ne!(before, epoch(&pool).await.unwrap());
    let remove = format!("drop owned by {role}; drop role {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(remove))
        .execute(&pool)
        .await
        .unwrap();
}

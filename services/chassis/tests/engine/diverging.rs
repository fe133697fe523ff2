//! Another history of the source: a failover goes on by itself, a restore to an earlier state holds what it contradicts
//! until an operator has decided.

use std::time::Duration;

use office::Role;
use proto::chassis::operations_service_client::OperationsServiceClient;
use proto::chassis::{ListHeldEventsRequest, RetryHeldEventRequest, SkipHeldEventRequest};
use sqlx::PgPool;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::common::eventually;
use crate::harness::{Replica, Town};
use crate::operating::{by, channel};

/// The stream that is restored to an earlier state, and one that is not.
const SICK: Uuid = Uuid::from_u128(200);
const WELL: Uuid = Uuid::from_u128(201);

async fn total(pool: &PgPool, tally: Uuid) -> i64 {
    sqlx::query_scalar("select total from tallies_v1 where id = $1")
        .bind(tally)
        .fetch_optional(pool)
        .await
        .unwrap()
        .unwrap_or_default()
}

/// What is held of a stream: status and sequence.
async fn held(pool: &PgPool, stream: Uuid) -> Vec<(String, i64)> {
    sqlx::query_as("select status, sequence from held where stream = $1 order by id")
        .bind(stream)
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn remembered(pool: &PgPool) -> Option<String> {
    sqlx::query_scalar("select epoch from sources where source = 'toy'")
        .fetch_optional(pool)
        .await
        .unwrap()
        .flatten()
}

/// The mirror has compared all heads, and remembers from where to go on.
async fn compared(pool: &PgPool) -> bool {
    sqlx::query_scalar("select exists (select from sources where token like epoch || ':%')")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn statements(pool: &PgPool, sql: &'static str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

async fn draw_history(superuser: &PgPool) {
    statements(superuser, "update history set drawn = gen_random_uuid()").await;
}

/// Keeps the toy's rows as they are now, to put them back later.
async fn save(superuser: &PgPool, name: &str) {
    for table in ["aggregates", "tallies_v1", "journal"] {
        let sql = format!("create table {name}_{table} as select * from {table} where true");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(superuser)
            .await
            .unwrap();
    }
    // Worked out by the table itself.
    let era = format!("alter table {name}_aggregates drop column era");
    sqlx::raw_sql(sqlx::AssertSqlSafe(era))
        .execute(superuser)
        .await
        .unwrap();
}

/// Puts the sick stream back as it was saved.
async fn restore(superuser: &PgPool, name: &str) {
    for (table, id) in [
        ("aggregates", "id"),
        ("tallies_v1", "id"),
        ("journal", "aggregate"),
    ] {
        let sql = format!(
            "delete from {table} where {id} = '{SICK}';
             insert into {table} select * from {name}_{table} where {id} = '{SICK}'"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(superuser)
            .await
            .unwrap();
    }
    // As any writer would, so that the feed lists it.
    statements(
        superuser,
        "update aggregates set changed = pg_current_xact_id()",
    )
    .await;
}

async fn add(toy: &Replica, tally: Uuid, amount: i64, request: u128) {
    toy.add(tally, amount, Uuid::from_u128(request))
        .await
        .unwrap();
}

/// The one diverged event that an operator sees.
async fn diverged(town: &Town) -> proto::chassis::HeldEvent {
    let mut operations = OperationsServiceClient::new(channel(town, "mirror").await);
    let asked = by(town, Role::Operator, ListHeldEventsRequest::default());
    let listed = operations.list_held_events(asked).await.unwrap();
    let mut events = listed.into_inner().events;
    events.retain(|event| event.status == "diverged");
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

async fn retry(town: &Town, id: &str) {
    let mut operations = OperationsServiceClient::new(channel(town, "mirror").await);
    let request = RetryHeldEventRequest { id: id.to_owned() };
    operations
        .retry_held_event(by(town, Role::Operator, request))
        .await
        .unwrap();
}

async fn skip(town: &Town, id: &str) {
    let mut operations = OperationsServiceClient::new(channel(town, "mirror").await);
    let request = SkipHeldEventRequest {
        id: id.to_owned(),
        reason: "RESTORED".to_owned(),
    };
    operations
        .skip_held_event(by(town, Role::Operator, request))
        .await
        .unwrap();
}

/// Whether an operator's wish for another comparison was met.
async fn met(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "select not exists (select from held where status = 'diverged' and not_before <= now())",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_with_the_same_history_goes_on_by_itself() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    for nth in 0..10 {
        add(&toy, Uuid::from_u128(300 + nth % 3), 1, nth).await;
    }
    eventually("all are followed", async || {
        crate::operating::followed(&pool).await == 10
    })
    .await;
    let before = remembered(&pool).await.unwrap();
    toy.stop().await;
    draw_history(&superuser).await;
    let toy = town.start("toy").await;
    for nth in 10..20 {
        add(&toy, Uuid::from_u128(300 + nth % 3), 1, nth).await;
    }
    eventually("the events of the new epoch are followed", async || {
        crate::operating::followed(&pool).await == 20
    })
    .await;
    assert_eq!(crate::desk::verified(&pool).await, 20, "each exactly once");
    let after = remembered(&pool).await;
    assert!(after.is_some_and(|after| after != before));
    eventually("nothing is held", async || {
        sqlx::query_scalar("select not exists (select from held)")
            .fetch_one(&pool)
            .await
            .unwrap()
    })
    .await;
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_to_an_earlier_state_holds_what_it_contradicts_and_nothing_else() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    for nth in 0..2 {
        add(&toy, SICK, 1, nth).await;
        add(&toy, WELL, 1, 10 + nth).await;
    }
    save(&superuser, "backup").await;
    add(&toy, SICK, 5, 2).await;
    eventually("all are followed", async || {
        total(&pool, SICK).await == 7 && total(&pool, WELL).await == 2
    })
    .await;
    toy.stop().await;
    restore(&superuser, "backup").await;
    draw_history(&superuser).await;
    let toy = town.start("toy").await;
    add(&toy, SICK, 50, 3).await;
    add(&toy, SICK, 500, 4).await;
    add(&toy, WELL, 100, 12).await;
    eventually("the other stream goes on", async || {
        total(&pool, WELL).await == 102
    })
    .await;
    let parked = |sequence: i64| ("not_yet".to_owned(), sequence);
    eventually("the contradiction is held, and what follows", async || {
        let held = held(&pool, SICK).await;
        held.contains(&("diverged".to_owned(), 3)) && held.contains(&parked(4))
    })
    .await;
    assert_eq!(total(&pool, SICK).await, 7, "nothing more took effect");
    let event = diverged(&town).await;
    assert!(event.reason.contains("another event"), "{}", event.reason);

    retry(&town, &event.id).await;
    eventually("they were compared again", async || met(&pool).await).await;
    assert_eq!(diverged(&town).await.id, event.id, "and do not agree");
    skip(&town, &event.id).await;
    eventually("its source is followed from there", async || {
        total(&pool, SICK).await == 507 && held(&pool, SICK).await.is_empty()
    })
    .await;
    let skipped: Uuid = sqlx::query_scalar("select event_id from skipped")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(skipped.to_string(), event.event_id);
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_below_the_cursor_is_found_without_any_new_event_and_let_go_once_it_is_whole() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    save(&superuser, "backup").await;
    for nth in 1..5 {
        add(&toy, SICK, 1, nth).await;
    }
    save(&superuser, "whole").await;
    eventually("all are followed", async || total(&pool, SICK).await == 5).await;
    mirror.stop().await;
    toy.stop().await;
    // The epoch stays: whoever restored it did not say so.
    restore(&superuser, "backup").await;
    let toy = town.start("toy").await;
    let mirror = town.start("mirror").await;
    eventually("it is held at the source's head", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 1)]
    })
    .await;
    let event = diverged(&town).await;
    assert!(
        event.reason.contains("below the cursor"),
        "{}",
        event.reason
    );

    toy.stop().await;
    restore(&superuser, "whole").await;
    let toy = town.start("toy").await;
    retry(&town, &event.id).await;
    eventually("the histories agree", async || {
        held(&pool, SICK).await.is_empty()
    })
    .await;
    add(&toy, SICK, 10, 5).await;
    eventually("it goes on", async || total(&pool, SICK).await == 15).await;
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_left_out_on_record_and_its_place_is_taken_by_what_came_instead() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    save(&superuser, "backup").await;
    for nth in 1..5 {
        add(&toy, SICK, 1, nth).await;
    }
    eventually("all are followed", async || total(&pool, SICK).await == 5).await;
    eventually("heads were compared", async || compared(&pool).await).await;
    toy.stop().await;
    mirror.stop().await;
    restore(&superuser, "backup").await;
    draw_history(&superuser).await;
    let toy = town.start("toy").await;
    let mirror = town.start("mirror").await;
    eventually("it is held", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 1)]
    })
    .await;
    // Both at places that the mirror has taken.
    add(&toy, SICK, 20, 10).await;
    add(&toy, SICK, 30, 11).await;
    eventually("the mirror's queue has brought them", async || {
        let sent: bool = sqlx::query_scalar("select not exists (select from outbox)")
            .fetch_one(&superuser)
            .await
            .unwrap();
        let queued = town
            .vhost
            .depth(&proto::topology::follower_queue("mirror", "toy"))
            .await;
        sent && queued == 0
    })
    .await;
    assert_eq!(total(&pool, SICK).await, 5, "not before somebody decides");
    skip(&town, &diverged(&town).await.id).await;
    eventually("what came instead took effect", async || {
        total(&pool, SICK).await == 55 && held(&pool, SICK).await.is_empty()
    })
    .await;
    assert_eq!(crate::desk::verified(&pool).await, 7, "each exactly once");
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_other_events_are_found_although_the_broker_lost_them() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    save(&superuser, "backup").await;
    add(&toy, SICK, 1, 1).await;
    add(&toy, SICK, 1, 2).await;
    eventually("all are followed", async || total(&pool, SICK).await == 3).await;
    toy.stop().await;
    mirror.stop().await;
    restore(&superuser, "backup").await;
    draw_history(&superuser).await;
    let toy = town.start("toy").await;
    add(&toy, SICK, 20, 10).await;
    add(&toy, SICK, 30, 11).await;
    eventually("they are sent", async || {
        sqlx::query_scalar("select not exists (select from outbox)")
            .fetch_one(&superuser)
            .await
            .unwrap()
    })
    .await;
    town.vhost
        .delete_queue(&proto::topology::follower_queue("mirror", "toy"));
    // Head and cursor are the same number; only the ids tell.
    let mirror = town.start("mirror").await;
    eventually("it is held", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 3)]
    })
    .await;
    assert_eq!(total(&pool, SICK).await, 3);
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_history_that_was_left_never_takes_effect() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    add(&toy, SICK, 1, 0).await;
    eventually("it is followed", async || total(&pool, SICK).await == 1).await;
    // It waited while its source was restored.
    sqlx::query(
        "insert into held (source, stream, sequence, event_id, type, epoch, headers, body, status, reason)
         values ('toy', $1, 2, $1, 'Added', '1.1.left', '{}', '{\"amount\": 7}', 'not_yet', 'a test')",
    )
    .bind(SICK)
    .execute(&pool)
    .await
    .unwrap();
    eventually("it is held", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 2)]
    })
    .await;
    add(&toy, SICK, 10, 1).await;
    eventually("what is at its place waits", async || {
        held(&pool, SICK).await.len() == 2
    })
    .await;
    assert_eq!(total(&pool, SICK).await, 1);
    skip(&town, &diverged(&town).await.id).await;
    eventually("it goes on", async || total(&pool, SICK).await == 11).await;
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

/// Everything that a service has to send is at the broker.
async fn sent(superuser: &PgPool) {
    eventually("all is sent", async || {
        sqlx::query_scalar("select not exists (select from outbox)")
            .fetch_one(superuser)
            .await
            .unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_event_of_a_source_takes_effect_only_once_the_source_was_asked() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    sent(&superuser).await;
    toy.stop().await;
    // Restored to a state before its first event, which the mirror's queue still holds.
    statements(
        &superuser,
        "delete from journal; delete from aggregates; delete from tallies_v1",
    )
    .await;
    draw_history(&superuser).await;
    let mirror = town.start("mirror").await;
    eventually("it waits", async || {
        held(&pool, SICK).await == [("not_yet".to_owned(), 1)]
    })
    .await;
    let toy = town.start("toy").await;
    eventually("it is of a history that was left", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 1)]
    })
    .await;
    add(&toy, WELL, 3, 1).await;
    eventually("the other stream is followed", async || {
        total(&pool, WELL).await == 3
    })
    .await;
    assert_eq!(total(&pool, SICK).await, 0, "it never took effect");
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_was_restored_is_heard_before_its_queue() {
    let mut town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    save(&superuser, "backup").await;
    eventually("it is followed", async || total(&pool, SICK).await == 1).await;
    mirror.stop().await;
    add(&toy, SICK, 5, 1).await;
    sent(&superuser).await;
    toy.stop().await;
    restore(&superuser, "backup").await;
    draw_history(&superuser).await;
    let behind = town.address("toy").replace("http://", "");
    let toy = town.start("toy").await;
    let door = town.front_door("toy").await;
    let mirror = town.start("mirror").await;
    // The source's answer is held back for as long as it takes whoever does not wait for it to take the event.
    let (mut asking, _) = door.accept().await.unwrap();
    let taken = eventually("it took effect", async || total(&pool, SICK).await != 1);
    let in_vain = tokio::time::timeout(Duration::from_millis(1200), taken).await;
    let mut answering = TcpStream::connect(&behind).await.unwrap();
    let passing = tokio::spawn(async move {
        // Either side may end it.
        let _ = tokio::io::copy_bidirectional(&mut asking, &mut answering).await;
    });
    eventually("what was lost is held", async || {
        held(&pool, SICK).await == [("diverged".to_owned(), 2)]
    })
    .await;
    assert!(in_vain.is_err(), "nothing is taken before");
    assert_eq!(total(&pool, SICK).await, 1, "it never took effect");
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
    toy.stop().await;
    passing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_answer_holds_up_nothing_that_it_sent() {
    let mut town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let pool = town.pool("mirror").await;
    let superuser = town.superuser("toy").await;
    add(&toy, SICK, 1, 0).await;
    eventually("it is followed", async || total(&pool, SICK).await == 1).await;
    mirror.stop().await;
    add(&toy, SICK, 5, 1).await;
    sent(&superuser).await;
    toy.stop().await;
    town.hide("toy");
    let mirror = town.start("mirror").await;
    eventually("what it sent is followed", async || {
        total(&pool, SICK).await == 6
    })
    .await;
    for pool in [pool, superuser] {
        pool.close().await;
    }
    mirror.stop().await;
}

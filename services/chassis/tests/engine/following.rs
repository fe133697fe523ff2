//! Events in: any order, doubled, one missing; commands by queue; consequences and clocks; unreadable messages.

use std::time::Duration;

use futures::StreamExt;
use lapin::options::{BasicPublishOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection};
use proto::topology::{command_queue, follower_queue};
use serde_json::json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::common::{eventually, soon};
use crate::harness::Town;
use crate::toy::{Add, neighbour};

async fn total(pool: &PgPool, tally: Uuid) -> i64 {
    sqlx::query_scalar("select total from tallies_v1 where id = $1")
        .bind(tally)
        .fetch_optional(pool)
        .await
        .unwrap()
        .unwrap_or_default()
}

async fn held(pool: &PgPool, status: &str) -> i64 {
    sqlx::query_scalar("select count(*) from held where status = $1")
        .bind(status)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The messages that wait for the mirror, taken away from its queue.
async fn stolen(town: &Town, expected: usize) -> Vec<lapin::message::Delivery> {
    eventually("the queue is declared", async || {
        town.vhost.queue(&follower_queue("mirror", "toy")).is_some()
    })
    .await;
    let connection = Connection::connect(&town.vhost.url(), Default::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    // A quorum queue with a single active consumer cannot be read by `get`.
    let options = lapin::options::BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let queue = follower_queue("mirror", "toy");
    let mut consumer = channel
        .basic_consume(queue.into(), "thief".into(), options, FieldTable::default())
        .await
        .unwrap();
    let mut messages = Vec::new();
    while messages.len() < expected {
        let message = soon("a message is there", consumer.next()).await;
        let message = message.unwrap().unwrap();
        // One whose confirmation came late is sent again, perhaps behind others. Each has an amount of its own.
        let twice = messages
            .iter()
            .any(|known: &lapin::message::Delivery| known.data == message.data);
        if !twice {
            messages.push(message);
        }
    }
    connection.close(200, "done".into()).await.unwrap();
    messages
}

/// Puts messages into the mirror's queue, by the exchange, as the toy would.
async fn deliver(town: &Town, messages: impl IntoIterator<Item = (BasicProperties, Vec<u8>)>) {
    let connection = Connection::connect(&town.vhost.url(), Default::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    for (properties, body) in messages {
        channel
            .basic_publish(
                proto::topology::EVENTS.into(),
                "toy.Added".into(),
                BasicPublishOptions::default(),
                &body,
                properties,
            )
            .await
            .unwrap()
            .await
            .unwrap();
    }
    connection.close(200, "done".into()).await.unwrap();
}

/// Lets the mirror hear once of the toy, which runs: what comes later from its queue alone is of a history that it knows.
async fn acquaint(town: &Town) {
    let mirror = town.start("mirror").await;
    let pool = town.pool("mirror").await;
    eventually("the mirror has heard of the toy", async || {
        sqlx::query_scalar("select exists (select from sources where epoch is not null)")
            .fetch_one(&pool)
            .await
            .unwrap()
    })
    .await;
    pool.close().await;
    mirror.stop().await;
}

async fn add_ten(town: &Town, tally: Uuid) -> crate::harness::Replica {
    let toy = town.start("toy").await;
    acquaint(town).await;
    for nth in 1..=10u128 {
        toy.add(tally, i64::try_from(nth).unwrap(), Uuid::from_u128(nth))
            .await
            .unwrap();
    }
    toy
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_doubled_and_in_any_order_are_parked_and_take_effect_once() {
    let town = Town::new().await;
    let tally = Uuid::from_u128(77);
    let toy = add_ten(&town, tally).await;
    let messages = stolen(&town, 10).await;
    toy.stop().await;
    // Backwards, each twice.
    let doubled = messages.iter().rev().flat_map(|message| {
        let one = (message.properties.clone(), message.data.clone());
        [one.clone(), one]
    });
    deliver(&town, doubled).await;

    let mirror = town.start("mirror").await;
    let pool = town.pool("mirror").await;
    eventually("all ten took effect", async || {
        total(&pool, tally).await == 55
    })
    .await;
    eventually("nothing is parked", async || {
        held(&pool, "ahead").await == 0
    })
    .await;
    let reactions: i64 = sqlx::query_scalar("select count(distinct cause) from journal")
        .fetch_one(&pool)
        .await
        .unwrap();
    let rows = crate::desk::verified(&pool).await;
    assert_eq!((reactions, rows), (10, 10), "each exactly once");
    pool.close().await;
    mirror.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_event_parks_what_follows_and_repair_fetches_it() {
    let town = Town::new().await;
    let tally = Uuid::from_u128(78);
    let toy = add_ten(&town, tally).await;
    let messages = stolen(&town, 10).await;
    let all_but_the_fourth = messages
        .iter()
        .enumerate()
        .filter(|(nth, _)| *nth != 3)
        .map(|(_, message)| (message.properties.clone(), message.data.clone()));
    deliver(&town, all_but_the_fourth).await;
    let mirror = town.start("mirror").await;
    let pool = town.pool("mirror").await;
    eventually("repair fetched the fourth", async || {
        total(&pool, tally).await == 55
    })
    .await;
    assert_eq!(crate::desk::verified(&pool).await, 10);
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repair_finds_events_although_the_queue_was_deleted_with_all_that_was_in_it() {
    let town = Town::new().await;
    let tally = Uuid::from_u128(79);
    let toy = add_ten(&town, tally).await;
    assert_eq!(stolen(&town, 10).await.len(), 10);
    town.vhost.delete_queue(&follower_queue("mirror", "toy"));
    let mirror = town.start("mirror").await;
    let pool = town.pool("mirror").await;
    eventually("the feed gave all ten", async || {
        total(&pool, tally).await == 55
    })
    .await;
    toy.add(tally, 45, Uuid::from_u128(500)).await.unwrap();
    eventually("the queue is there again", async || {
        total(&pool, tally).await == 100
    })
    .await;
    assert_eq!(crate::desk::verified(&pool).await, 11);
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_of_both_services_carry_each_event_once() {
    let town = Town::new().await;
    let (toy, toy_two) = (town.start("toy").await, town.start_another("toy").await);
    let (mirror, mirror_two) = (
        town.start("mirror").await,
        town.start_another("mirror").await,
    );
    for nth in 0..200u128 {
        let replica = if nth % 2 == 0 { &toy } else { &toy_two };
        replica
            .add(Uuid::from_u128(nth % 7), 1, Uuid::from_u128(nth))
            .await
            .unwrap();
    }
    let pool = town.pool("mirror").await;
    eventually("all are mirrored", async || {
        let sum: Option<i64> = sqlx::query_scalar("select sum(total)::bigint from tallies_v1")
            .fetch_one(&pool)
            .await
            .unwrap();
        sum == Some(200)
    })
    .await;
    assert_eq!(crate::desk::verified(&pool).await, 200);
    pool.close().await;
    for replica in [mirror, mirror_two, toy, toy_two] {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_is_kept_with_its_bytes_and_holds_up_nothing() {
    let town = Town::new().await;
    let tally = Uuid::from_u128(80);
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    deliver(
        &town,
        [(BasicProperties::default(), b"no event at all".to_vec())],
    )
    .await;
    toy.add(tally, 3, Uuid::from_u128(1)).await.unwrap();
    let pool = town.pool("mirror").await;
    eventually("the good one took effect", async || {
        total(&pool, tally).await == 3
    })
    .await;
    eventually("the bad one is kept", async || {
        held(&pool, "unreadable").await == 1
    })
    .await;
    let body: Vec<u8> = sqlx::query_scalar("select body from held")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(body, b"no event at all");
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_event_holds_back_its_own_stream_only() {
    let town = Town::new().await;
    let (sick, well) = (Uuid::from_u128(81), Uuid::from_u128(82));
    let toy = town.start("toy").await;
    acquaint(&town).await;
    toy.add(sick, 2, Uuid::from_u128(1)).await.unwrap();
    toy.add(well, 4, Uuid::from_u128(2)).await.unwrap();
    let messages = stolen(&town, 2).await;
    // Without its feed nothing but the queue speaks.
    toy.stop().await;
    // The mirror cannot hold this amount in its view.
    let poison = json!({ "amount": crate::toy::POISON }).to_string();
    let of = |amount: i64| {
        let body = json!({ "amount": amount }).to_string().into_bytes();
        let found = messages.iter().find(|message| message.data == body);
        found.unwrap()
    };
    let poisoned = (of(2).properties.clone(), poison.into_bytes());
    let good = (of(4).properties.clone(), of(4).data.clone());
    deliver(&town, [poisoned, good]).await;
    let mirror = town.start("mirror").await;
    let pool = town.pool("mirror").await;
    eventually("the other stream goes on", async || {
        total(&pool, well).await == 4
    })
    .await;
    eventually("the event is dead", async || held(&pool, "dead").await == 1).await;
    assert_eq!(total(&pool, sick).await, 0);
    assert_eq!(crate::desk::verified(&pool).await, 1);
    pool.close().await;
    mirror.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consequence_for_another_aggregate_is_carried_out_once() {
    let town = Town::new().await;
    let (toy, two) = (town.start("toy").await, town.start_another("toy").await);
    for nth in 0..40u128 {
        let tally = Uuid::from_u128(1000 + nth * 2);
        toy.add(tally, 13, Uuid::from_u128(nth)).await.unwrap();
    }
    let pool = town.pool("toy").await;
    eventually("all neighbours have one", async || {
        let rows = sqlx::query("select total from tallies_v1 where total = 1")
            .fetch_all(&pool)
            .await
            .unwrap();
        rows.len() == 40
    })
    .await;
    assert_eq!(total(&pool, neighbour(Uuid::from_u128(1000))).await, 1);
    assert_eq!(crate::desk::verified(&pool).await, 80);
    pool.close().await;
    two.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_rings_once_when_it_is_due() {
    let town = Town::new().await;
    let (toy, two) = (town.start("toy").await, town.start_another("toy").await);
    let tally = Uuid::from_u128(83);
    toy.add(tally, 60, Uuid::from_u128(1)).await.unwrap();
    let pool = town.pool("toy").await;
    eventually("it rang", async || {
        let rows = sqlx::query("select type from journal where aggregate = $1 order by sequence")
            .bind(tally)
            .fetch_all(&pool)
            .await
            .unwrap();
        let types: Vec<String> = rows.iter().map(|row| row.get("type")).collect();
        types == ["added", "rang"]
    })
    .await;
    let timers: i64 = sqlx::query_scalar("select count(*) from timers")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(timers, 0);
    pool.close().await;
    two.stop().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_by_queue_with_an_expired_token_is_answered_so() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    eventually("the toy has declared its queue", async || {
        town.vhost.takes_messages(&command_queue("toy"))
    })
    .await;
    let connection = Connection::connect(&town.vhost.url(), Default::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let replies = "reply.test";
    channel
        .queue_declare(replies.into(), Default::default(), FieldTable::default())
        .await
        .unwrap();
    channel
        .queue_bind(
            replies.into(),
            proto::topology::REPLIES.into(),
            replies.into(),
            Default::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    let ask = async |token: String, request: &Add, correlation: &str| {
        let mut headers = FieldTable::default();
        headers.insert(
            "authorization".into(),
            lapin::types::AMQPValue::LongString(format!("Bearer {token}").into()),
        );
        channel
            .basic_publish(
                proto::topology::COMMANDS.into(),
                "toy".into(),
                BasicPublishOptions::default(),
                &serde_json::to_vec(request).unwrap(),
                BasicProperties::default()
                    .with_type("Add".into())
                    .with_reply_to(replies.into())
                    .with_correlation_id(correlation.into())
                    .with_headers(headers),
            )
            .await
            .unwrap()
            .await
            .unwrap();
        let mut answer = None;
        eventually("an answer comes", async || {
            if let Some(message) = channel
                .basic_get(
                    replies.into(),
                    lapin::options::BasicGetOptions { no_ack: true },
                )
                .await
                .unwrap()
            {
                let text = String::from_utf8(message.data.clone()).unwrap();
                answer = Some(serde_json::from_str::<serde_json::Value>(&text).unwrap());
            }
            answer.is_some()
        })
        .await;
        answer.unwrap()
    };
    let tally = Uuid::from_u128(84);
    let request = Add {
        request_id: Uuid::from_u128(1).to_string(),
        tally: tally.to_string(),
        amount: 6,
        note: String::new(),
    };
    let hour = Duration::from_secs(3600);
    let good = town.queue_token(hour, false);
    let first = ask(good, &request, "1").await;
    assert_eq!(first["ok"]["added"], 6, "{first}");

    // A redelivery after the token has expired gets the earlier answer; a new request does not.
    let expired = town.queue_token(hour, true);
    assert_eq!(ask(expired.clone(), &request, "2").await, first);
    let new = Add {
        request_id: Uuid::from_u128(2).to_string(),
        ..request.clone()
    };
    let answer = ask(expired, &new, "3").await;
    assert!(answer.to_string().contains("TOKEN_EXPIRED"), "{answer}");
    let nothing = Add {
        request_id: Uuid::from_u128(4).to_string(),
        amount: 0,
        ..request.clone()
    };
    let answer = ask(town.queue_token(hour, false), &nothing, "6").await;
    assert_eq!(answer["ok"]["already"], 6, "{answer}");
    toy.add(tally, 1, Uuid::from_u128(5)).await.unwrap();
    let expired = town.queue_token(hour, true);
    assert_eq!(ask(expired, &nothing, "7").await, answer);
    let refused = Add {
        request_id: Uuid::from_u128(3).to_string(),
        amount: 1001,
        note: "a text that is not kept".to_owned(),
        ..request
    };
    let answer = ask(town.queue_token(hour, false), &refused, "4").await;
    assert!(answer.to_string().contains("TOY_TOO_MUCH"), "{answer}");
    let again = ask(town.queue_token(hour, false), &refused, "5").await;
    assert_eq!(again, answer, "a redelivery cannot say something else");

    let pool = town.pool("toy").await;
    assert_eq!(total(&pool, tally).await, 7);
    channel
        .queue_purge(replies.into(), QueuePurgeOptions::default())
        .await
        .unwrap();
    connection.close(200, "done".into()).await.unwrap();
    pool.close().await;
    toy.stop().await;
}

//! What consuming promises.

use std::collections::HashSet;

use chassis::broker::{Acker, Broker, EventMessage, Outgoing, Published};
use lapin::BasicProperties;
use proto::topology::{REPLIES, TABLE, reply_queue};
use uuid::Uuid;

use crate::common::{BOUND, Vhost, eventually, soon};
use crate::{QUEUE, connected, event};

async fn published(broker: &Broker, numbers: std::ops::RangeInclusive<i64>) {
    let batch: Vec<_> = numbers
        .map(|number| event("intake", number).into_outgoing(true))
        .collect();
    for outcome in broker.publisher().publish_all(&batch).await {
        assert_eq!(outcome, Published::Confirmed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_goes_on_after_a_broken_connection() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "verification").await;
    published(&broker, 1..=20).await;
    let mut events = broker.consume(QUEUE, 50);
    let mut taken = Vec::new();
    for _ in 0..20 {
        taken.push(soon("an event", events.next()).await.unwrap());
    }
    for incoming in &taken[..5] {
        assert!(incoming.acker.ack().await);
    }
    eventually("five are settled", async || {
        vhost.break_connections("verification consume") > 0
    })
    .await;

    let mut again = HashSet::new();
    while again.len() < 15 {
        let incoming = soon("an event again", events.next()).await.unwrap();
        assert!(incoming.redelivered);
        again.insert(EventMessage::from_incoming(&incoming).unwrap().sequence);
        assert!(incoming.acker.ack().await);
    }
    assert!(
        again.iter().all(|number| *number > 5),
        "acknowledged ones stay away: {again:?}"
    );
    assert!(
        !taken[10].acker.ack().await,
        "the old channel's messages cannot be acknowledged any more"
    );
    eventually("all are settled", async || vhost.depth(QUEUE).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_lost_channel_are_not_handed_out() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "verification").await;
    published(&broker, 1..=20).await;
    let mut events = broker.consume(QUEUE, 50);
    let first = soon("an event", events.next()).await.unwrap();
    eventually("the connection breaks", async || {
        vhost.break_connections("verification consume") > 0
    })
    .await;
    eventually("the loss is noticed", async || !first.acker.usable()).await;
    for _ in 0..20 {
        let incoming = soon("an event again", events.next()).await.unwrap();
        assert!(incoming.acker.ack().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_consumption_lets_finish_what_it_handed_out() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "verification").await;
    published(&broker, 1..=10).await;
    let mut events = broker.consume(QUEUE, 4);
    let mut ackers = Vec::new();
    for _ in 0..2 {
        ackers.push(soon("an event", events.next()).await.unwrap().acker);
    }
    let stop = events.stop_handle();
    stop.stop();
    assert!(soon("the end", events.next()).await.is_none());
    assert!(ackers.iter().all(Acker::usable));
    Acker::ack_all(&ackers).await;
    drop((ackers, events));
    eventually("the others are back in the queue", async || {
        vhost.depth(QUEUE).await == 8
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_again_by_who_consumes() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "verification").await;
    published(&broker, 1..=1).await;
    let mut events = broker.consume(QUEUE, 4);
    assert!(
        soon("the first", events.next())
            .await
            .unwrap()
            .acker
            .ack()
            .await
    );
    vhost.delete_queue(QUEUE);
    let bindings = format!("queues/{}/{QUEUE}/bindings", vhost.name);
    eventually("the queue is bound again", async || {
        let bindings = vhost.server.ask("GET", &bindings, None);
        bindings.is_some_and(|list| list.as_array().is_some_and(|list| list.len() == 2))
    })
    .await;
    published(&broker, 2..=2).await;
    let incoming = soon("the second", events.next()).await.unwrap();
    assert_eq!(EventMessage::from_incoming(&incoming).unwrap().sequence, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reader_at_a_time_takes_a_pairs_events() {
    let vhost = Vhost::new(&TABLE);
    let (first, second) = (
        connected(&vhost, "verification").await,
        connected(&vhost, "verification").await,
    );
    let mut active = first.consume(QUEUE, 4);
    published(&first, 1..=1).await;
    assert!(
        soon("the first", active.next())
            .await
            .unwrap()
            .acker
            .ack()
            .await
    );
    let mut waiting = second.consume(QUEUE, 4);
    published(&first, 2..=3).await;
    for sequence in 2..=3 {
        let incoming = soon("the next", active.next()).await.unwrap();
        assert_eq!(
            EventMessage::from_incoming(&incoming).unwrap().sequence,
            sequence
        );
        assert!(incoming.acker.ack().await);
    }
    first.close().await;
    published(&second, 4..=4).await;
    let incoming = soon("the other takes over", waiting.next()).await.unwrap();
    assert_eq!(EventMessage::from_incoming(&incoming).unwrap().sequence, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_reach_a_queue_of_ones_own_also_after_a_broken_connection() {
    let vhost = Vhost::new(&TABLE);
    let service = connected(&vhost, "intake").await;
    let client = Broker::connect_client(&vhost.url(), "importer").unwrap();
    client.ready(BOUND).await.unwrap();
    let queue = reply_queue("importer", "1");
    let mut answers = client.consume_replies(&queue, 4);
    for round in 0..2 {
        eventually("an answer reaches the queue", async || {
            let answer = Outgoing {
                id: Uuid::new_v4(),
                exchange: REPLIES,
                routing_key: queue.clone(),
                mandatory: true,
                properties: BasicProperties::default().with_correlation_id("1".into()),
                body: b"{}".to_vec(),
            };
            service.publisher().publish(answer).await == Published::Confirmed
        })
        .await;
        let answer = soon("the answer", answers.next()).await.unwrap();
        assert_eq!(
            answer
                .properties
                .correlation_id()
                .as_ref()
                .map(|id| id.as_str()),
            Some("1")
        );
        assert!(answer.acker.ack().await);
        if round == 0 {
            eventually("the connection breaks", async || {
                vhost.break_connections("importer consume") > 0
            })
            .await;
        }
    }
}

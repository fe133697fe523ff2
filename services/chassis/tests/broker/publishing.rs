//! What publishing promises.

use chassis::broker::{EventMessage, Outgoing, Published};
use proto::topology::TABLE;
use serde_json::json;

use crate::common::{Vhost, eventually, only, soon};
use crate::{QUEUE, connected, delete_queues, event};

fn nowhere(number: i64) -> Outgoing {
    let mut message = event("intake", number).into_outgoing(true);
    message.routing_key = "nobody.listens".to_owned();
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_confirmed_and_arrives_as_it_left() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    let event = event("intake", 1);
    let outcome = broker
        .publisher()
        .publish(event.clone().into_outgoing(true))
        .await;
    assert_eq!(outcome, Published::Confirmed);

    let mut events = broker.consume(QUEUE, 10);
    let incoming = soon("the event", events.next()).await.unwrap();
    assert_eq!(incoming.routing_key, "intake.Happened");
    assert!(!incoming.redelivered);
    assert_eq!(EventMessage::from_incoming(&incoming), Ok(event));
    assert!(incoming.acker.ack().await);
    broker.close().await;
    assert!(events.next().await.is_none());
    eventually("the queue is empty", async || vhost.depth(QUEUE).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandatory_message_to_nowhere_is_returned() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    let publisher = broker.publisher();
    let outcome = only(publisher.publish_all(&[nowhere(1)]).await);
    assert!(matches!(outcome, Published::Returned(_)), "{outcome:?}");
    assert_eq!(
        publisher.channels_opened(),
        1,
        "a return does not spoil the channel"
    );

    let mut unasked = nowhere(2);
    unasked.mandatory = false;
    assert_eq!(publisher.publish(unasked).await, Published::Confirmed);
}

/// RabbitMQ 3.10 confirms each returned message at once, so here the library's order agrees with the ids; the case
/// where it does not is a test beside `judge`.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_batch_exactly_what_went_to_nowhere_is_returned() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    let publisher = broker.publisher();
    for round in 0..20 {
        let batch: Vec<_> = (1..=200)
            .map(|number| {
                let mut message = event("intake", number).into_outgoing(true);
                if number % 7 == 0 {
                    message = nowhere(number);
                } else if round % 2 == 0 {
                    message = nowhere(number);
                    message.mandatory = false;
                }
                message
            })
            .collect();
        let outcomes = publisher.publish_all(&batch).await;
        for (message, outcome) in batch.iter().zip(outcomes) {
            if message.mandatory && message.routing_key == "nobody.listens" {
                assert!(matches!(outcome, Published::Returned(_)), "{outcome:?}");
            } else {
                assert_eq!(outcome, Published::Confirmed);
            }
        }
    }
    assert_eq!(publisher.channels_opened(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_channel_error_there_is_a_new_channel() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    let publisher = broker.publisher();
    let mut lost = event("intake", 1).into_outgoing(true);
    lost.exchange = "no.such.exchange";
    let outcomes = publisher
        .publish_all(&[event("intake", 1).into_outgoing(true), lost])
        .await;
    assert!(matches!(outcomes[1], Published::Failed(_)), "{outcomes:?}");
    assert_eq!(
        publisher
            .publish(event("intake", 2).into_outgoing(true))
            .await,
        Published::Confirmed
    );
    assert_eq!(publisher.channels_opened(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_nack_there_is_a_new_channel() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    vhost.policy("full", &format!("^{QUEUE}$"), json!({"max-length": 1}), 9);
    let publisher = broker.publisher();
    // A quorum queue counts late: the limit is soft, the refusal is not.
    eventually("the full queue refuses", async || {
        let batch: Vec<_> = (1..=10)
            .map(|number| event("intake", number).into_outgoing(true))
            .collect();
        publisher
            .publish_all(&batch)
            .await
            .iter()
            .any(|outcome| matches!(outcome, Published::Failed(_)))
    })
    .await;
    let opened = publisher.channels_opened();
    vhost.remove_policy("full");
    eventually("the queue takes messages again", async || {
        publisher
            .publish(event("intake", 11).into_outgoing(true))
            .await
            == Published::Confirmed
    })
    .await;
    assert!(publisher.channels_opened() > opened);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_again_by_who_publishes() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    let publisher = broker.publisher();
    delete_queues(&vhost);
    let outcome = publisher
        .publish(event("intake", 1).into_outgoing(true))
        .await;
    assert!(matches!(outcome, Published::Returned(_)), "{outcome:?}");
    let outcome = publisher
        .publish(event("intake", 1).into_outgoing(true))
        .await;
    assert_eq!(outcome, Published::Confirmed);
}

//! What a service's broker user may do, and what the table's queues are.

use chassis::broker::{Broker, Outgoing, Published};
use futures::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use proto::topology::{COMMANDS, REPLIES, TABLE, client_permissions, reply_queue};
use serde_json::json;
use uuid::Uuid;

use crate::common::{BOUND, Vhost, eventually, soon};
use crate::{QUEUE, connected, event};

fn message(exchange: &'static str, routing_key: &str) -> Outgoing {
    Outgoing {
        id: Uuid::new_v4(),
        exchange,
        routing_key: routing_key.to_owned(),
        mandatory: true,
        properties: BasicProperties::default(),
        body: b"{}".to_vec(),
    }
}

fn refused(outcome: &Published) -> bool {
    matches!(outcome, Published::Failed(reason) if reason.contains("ACCESS-REFUSED"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_declares_everything_and_publishes_under_its_own_name_only() {
    let mut vhost = Vhost::new(&TABLE);
    let url = vhost.user(&TABLE.service_permissions("intake"));
    let broker = Broker::connect(&url, "intake", TABLE).unwrap();
    broker.ready(BOUND).await.unwrap();
    for queue in TABLE.queues() {
        assert!(vhost.queue(&queue).is_some(), "{queue}");
    }
    let publisher = broker.publisher();
    assert_eq!(
        publisher
            .publish(event("intake", 1).into_outgoing(true))
            .await,
        Published::Confirmed
    );
    assert_eq!(
        publisher.publish(message(COMMANDS, "verification")).await,
        Published::Confirmed
    );

    let foreign = publisher
        .publish(event("verification", 1).into_outgoing(true))
        .await;
    assert!(refused(&foreign), "{foreign:?}");
    let past_all_bindings = publisher
        .publish(message("", "verification.commands"))
        .await;
    assert!(refused(&past_all_bindings), "{past_all_bindings:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_reads_only_its_own_queues() {
    let mut vhost = Vhost::new(&TABLE);
    let url = vhost.user(&TABLE.service_permissions("intake"));
    let broker = Broker::connect(&url, "intake", TABLE).unwrap();
    broker.ready(BOUND).await.unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default())
        .await
        .unwrap();
    for (queue, own) in [
        ("intake.commands", true),
        ("intake.from.verification", true),
        ("intake.commands.dead", true),
    ]
    .into_iter()
    .chain([
        ("verification.commands", false),
        (QUEUE, false),
        ("verification.commands.dead", false),
    ]) {
        let channel = connection.create_channel().await.unwrap();
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumed = channel
            .basic_consume(queue.into(), "".into(), options, arguments)
            .await;
        assert_eq!(consumed.is_ok(), own, "{queue}: {consumed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sends_commands_and_takes_its_answers_and_no_more() {
    let mut vhost = Vhost::new(&TABLE);
    let service = connected(&vhost, "intake").await;
    let url = vhost.user(&client_permissions("importer"));
    let client = Broker::connect_client(&url, "importer").unwrap();
    client.ready(BOUND).await.unwrap();
    let queue = reply_queue("importer", "1");
    let mut answers = client.consume_replies(&queue, 4);
    assert_eq!(
        client
            .publisher()
            .publish(message(COMMANDS, "intake"))
            .await,
        Published::Confirmed
    );
    eventually("the answer is taken", async || {
        service.publisher().publish(message(REPLIES, &queue)).await == Published::Confirmed
    })
    .await;
    assert!(soon("the answer", answers.next()).await.is_some());

    for forbidden in [
        event("intake", 1).into_outgoing(true),
        message("", "intake.commands"),
        message(REPLIES, "x"),
    ] {
        let outcome = client.publisher().publish(forbidden).await;
        assert!(refused(&outcome), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_carry_every_argument_that_correctness_rests_on() {
    let vhost = Vhost::new(&TABLE);
    let _broker = connected(&vhost, "intake").await;
    for (queue, single) in [(QUEUE, json!(true)), ("intake.commands", json!(null))] {
        let arguments = &vhost.queue(queue).unwrap()["arguments"];
        assert_eq!(arguments["x-queue-type"], "quorum");
        assert_eq!(arguments["x-delivery-limit"], json!(2_147_483_647));
        assert_eq!(arguments["x-overflow"], "reject-publish");
        assert_eq!(arguments["x-dead-letter-strategy"], "at-least-once");
        assert_eq!(arguments["x-single-active-consumer"], single);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_someone_rejects_lands_in_the_dead_letters() {
    let vhost = Vhost::new(&TABLE);
    let broker = connected(&vhost, "intake").await;
    assert_eq!(
        broker
            .publisher()
            .publish(event("intake", 1).into_outgoing(true))
            .await,
        Published::Confirmed
    );
    // Not by our own consumers, which never reject.
    let connection = Connection::connect(&vhost.url(), ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = channel
        .basic_consume(QUEUE.into(), "".into(), options, arguments)
        .await
        .unwrap();
    let message = soon("the event", consumer.next()).await.unwrap().unwrap();
    message
        .acker
        .reject(BasicRejectOptions { requeue: false })
        .await
        .unwrap();
    eventually("the dead letter", async || {
        vhost.depth("verification.from.intake.dead").await == 1
    })
    .await;
}

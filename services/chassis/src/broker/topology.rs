//! Declares the table of `proto::topology` at the broker, with every argument said that correctness rests on.
//!
//! Defaults differ between RabbitMQ 3.10 and 4.x; an argument that is said is the same on both. The trap: arguments
//! cannot be changed on a queue that exists, and a queue that exists with others makes every service refuse to go on.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};
use proto::topology::{
    COMMANDS, DEAD, EVENTS, REPLIES, Topology, command_queue, dead_letter_queue, event_binding,
    follower_queue,
};

/// As good as none. The default of 4.x (20) would throw away the whole prefetch window of a consumer that crashes on
/// one message, and "none" (-1) drops everything on 3.10.
const DELIVERY_LIMIT: i32 = i32::MAX;

/// Exchanges, queues and bindings of the whole table. Repeating it changes nothing.
pub(super) async fn declare_all(channel: &Channel, topology: &Topology) -> lapin::Result<()> {
    for (exchange, kind) in [
        (EVENTS, ExchangeKind::Topic),
        (COMMANDS, ExchangeKind::Direct),
        (REPLIES, ExchangeKind::Direct),
        (DEAD, ExchangeKind::Direct),
    ] {
        let options = ExchangeDeclareOptions {
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        channel
            .exchange_declare(exchange.into(), kind, options, FieldTable::default())
            .await?;
    }
    for follow in topology.follows {
        let queue = follower_queue(follow.consumer, follow.source);
        declare_queue(channel, &queue, Readers::One).await?;
        bind(channel, &queue, EVENTS, &event_binding(follow.source)).await?;
    }
    for service in topology.services {
        let queue = command_queue(service);
        declare_queue(channel, &queue, Readers::Many).await?;
        bind(channel, &queue, COMMANDS, service).await?;
    }
    Ok(())
}

/// A queue for answers that lives as long as its reader's connection.
pub(super) async fn declare_replies(channel: &Channel, queue: &str) -> lapin::Result<()> {
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let mut arguments = FieldTable::default();
    argument(&mut arguments, "x-queue-type", text("classic"));
    channel
        .queue_declare(queue.into(), options, arguments)
        .await?;
    bind(channel, queue, REPLIES, queue).await
}

/// How many messages lie in the dead-letter queues that `service` answers for.
pub(super) async fn dead_letters(
    channel: &Channel,
    topology: &Topology,
    service: &str,
) -> lapin::Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for queue in topology.own_queues(service) {
        let dead = dead_letter_queue(&queue);
        let options = QueueDeclareOptions {
            passive: true,
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let state = channel
            .queue_declare(dead.as_str().into(), options, FieldTable::default())
            .await?;
        found.push((dead, state.message_count()));
    }
    Ok(found)
}

/// Whether the order of a queue matters to its readers.
#[derive(PartialEq)]
enum Readers {
    /// One at a time, so that a stream's events are taken in order as long as nothing breaks.
    One,
    /// Competing.
    Many,
}

async fn declare_queue(channel: &Channel, queue: &str, readers: Readers) -> lapin::Result<()> {
    let dead = dead_letter_queue(queue);
    channel
        .queue_declare(dead.as_str().into(), durable(), quorum())
        .await?;
    bind(channel, &dead, DEAD, queue).await?;
    let mut arguments = quorum();
    if readers == Readers::One {
        argument(
            &mut arguments,
            "x-single-active-consumer",
            AMQPValue::Boolean(true),
        );
    }
    // Where dead letters go is a policy (proto::topology says why); that none is lost on the way is said here.
    argument(
        &mut arguments,
        "x-dead-letter-strategy",
        text("at-least-once"),
    );
    channel
        .queue_declare(queue.into(), durable(), arguments)
        .await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            key.into(),
            options,
            arguments,
        )
        .await
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    }
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    argument(&mut arguments, "x-queue-type", text("quorum"));
    argument(
        &mut arguments,
        "x-delivery-limit",
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    // Whoever limits a queue's length by a policy makes publishers wait; the default would drop the oldest.
    argument(&mut arguments, "x-overflow", text("reject-publish"));
    arguments
}

fn argument(table: &mut FieldTable, name: &str, value: AMQPValue) {
    table.insert(ShortString::from(name), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

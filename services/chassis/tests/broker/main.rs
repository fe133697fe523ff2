//! The broker and the relay against the real servers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use servers as common;

mod consuming;
mod permissions;
mod publishing;
mod relaying;
mod restart;

use chassis::broker::{Broker, EventMessage};
use jiff::Timestamp;
use proto::topology::{TABLE, follower_queue};
use uuid::Uuid;

use crate::common::{BOUND, Vhost};

/// The queue that takes what intake tells.
const QUEUE: &str = "verification.from.intake";

/// A broker on a virtual host of its own, as the service `name` sees it. What it logs is shown when a test fails.
async fn connected(vhost: &Vhost, name: &str) -> Broker {
    // Only the first of the tests of this process sets it up.
    tracing_subscriber::fmt()
        .with_test_writer()
        .with_env_filter("info,chassis=debug,lapin=debug")
        .try_init()
        .ok();
    let broker = Broker::connect(&vhost.url(), name, TABLE).unwrap();
    broker.ready(BOUND).await.unwrap();
    broker
}

/// Deletes every queue that takes what intake tells: as long as one is left, nothing comes back.
fn delete_queues(vhost: &Vhost) {
    for follow in TABLE
        .follows
        .iter()
        .filter(|follow| follow.source == "intake")
    {
        vhost.delete_queue(&follower_queue(follow.consumer, follow.source));
    }
}

/// A made-up event.
fn event(source: &str, number: i64) -> EventMessage {
    EventMessage {
        id: Uuid::new_v4(),
        source: source.to_owned(),
        type_: format!("zhengming.{source}.v1.Happened"),
        stream: Uuid::from_u128(7),
        sequence: number,
        epoch: "1.1.1".to_owned(),
        matter: Some(Uuid::from_u128(8)),
        cause: None,
        actor: Some("person:张三".to_owned()),
        traceparent: None,
        at: Timestamp::from_microsecond(1_750_000_000_123_456).unwrap(),
        body: br#"{"number":"1"}"#.to_vec(),
    }
}

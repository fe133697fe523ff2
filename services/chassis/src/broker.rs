//! The broker: two supervised connections, publishing with confirms, consuming, and how an event looks on the wire.
//!
//! Here because RabbitMQ loses and doubles messages to whoever trusts a default. What this module holds to:
//! publishing and consuming never share a connection (a publisher that is throttled would stop the acks); whatever
//! breaks is built anew from nothing, connection, channels and topology; a message counts as sent when the broker
//! has confirmed it and not returned it; a message is acknowledged only by whoever committed its effect.
//!
//! Traps: a channel that saw a nack or an error is never used again (after a quorum leader's death it may be nacked
//! for ever); nothing is requeued on purpose (every return counts against the queue's delivery limit); a library's
//! own recovery would replay the past state of a channel beside ours, so it stays off.

mod cloudevent;
mod consumer;
mod link;
mod publisher;
mod topology;

use std::sync::Arc;
use std::time::Duration;

pub use cloudevent::{EventFault, EventMessage};
pub use consumer::{Acker, Consumption, Incoming, StopHandle};
use lapin::uri::AMQPUri;
use link::{Link, Purpose};
use proto::topology::Topology;
pub use publisher::{Outgoing, Published, Publisher};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Seconds between heartbeats: a silent peer is noticed after two of them.
const HEARTBEAT: u16 = 10;

/// How long closing may take at a drain.
const CLOSE: Duration = Duration::from_secs(5);

/// What can go wrong between us and the broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address does not parse. Its text may hold a password and is not repeated.
    #[error(
        "the broker's address is not an AMQP address (amqp://user:password@host:port/vhost): {0}"
    )]
    Address(String),
    /// Not connected in time.
    #[error("no connection to the broker within {waited:?}: {reason}")]
    Unreachable {
        /// How long was waited.
        waited: Duration,
        /// The last fault that the supervisor met.
        reason: String,
    },
    /// The broker was closed on our side, because the service drains.
    #[error("the connection to the broker was closed")]
    Closed,
    /// The broker or the way to it failed.
    #[error("broker: {0}")]
    Broker(#[from] lapin::Error),
}

/// How the two connections are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The connection that publishes.
    pub publishing: LinkHealth,
    /// The connection that consumes.
    pub consuming: LinkHealth,
}

impl Health {
    /// Whether both connections are up.
    pub fn is_up(&self) -> bool {
        self.publishing == LinkHealth::Up && self.consuming == LinkHealth::Up
    }
}

/// How one connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkHealth {
    /// Connected, and the table is declared.
    Up,
    /// Connected, but the broker takes no messages for now (its memory or disk alarm).
    Blocked(String),
    /// Not connected; why not, as far as is known.
    Down(String),
    /// Closed by us.
    Closed,
}

/// The broker as a service sees it. Cheap to clone; all clones share the two connections.
#[derive(Clone, Debug)]
pub struct Broker {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    publishing: Link,
    consuming: Link,
    health: watch::Receiver<Health>,
    topology: Option<Topology>,
    stop: CancellationToken,
}

impl Broker {
    /// Starts to connect the service called `name`, and keeps both connections up from then on. `topology` is
    /// declared on each before anything else happens on it.
    ///
    /// Returns at once: a service starts without its broker. [`Broker::ready`] waits.
    pub fn connect(url: &str, name: &str, topology: Topology) -> Result<Self, BrokerError> {
        Self::start(url, name, Some(topology))
    }

    /// As [`Broker::connect`] for a sender of commands that is no service: declares nothing.
    pub fn connect_client(url: &str, name: &str) -> Result<Self, BrokerError> {
        Self::start(url, name, None)
    }

    fn start(url: &str, name: &str, topology: Option<Topology>) -> Result<Self, BrokerError> {
        let mut address: AMQPUri = url.parse().map_err(BrokerError::Address)?;
        address.query.heartbeat = Some(HEARTBEAT);
        let stop = CancellationToken::new();
        let starting = LinkHealth::Down("not connected yet".to_owned());
        let (tell, health) = watch::channel(Health {
            publishing: starting.clone(),
            consuming: starting,
        });
        let link = |purpose, tell| {
            Link::start(
                address.clone(),
                name,
                purpose,
                topology,
                tell,
                stop.child_token(),
            )
        };
        let publishing = link(Purpose::Publish, tell.clone());
        let consuming = link(Purpose::Consume, tell);
        Ok(Self {
            inner: Arc::new(Inner {
                publishing,
                consuming,
                health,
                topology,
                stop,
            }),
        })
    }

    /// Waits until both connections are up and the table is declared.
    pub async fn ready(&self, within: Duration) -> Result<(), BrokerError> {
        self.inner.publishing.up(within).await?;
        self.inner.consuming.up(within).await?;
        Ok(())
    }

    /// How the connections are, now and whenever it changes.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.inner.health.clone()
    }

    /// The table that is declared; a client has none.
    pub fn topology(&self) -> Option<&Topology> {
        self.inner.topology.as_ref()
    }

    /// A publisher with channels of its own on the publishing connection.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.clone())
    }

    /// Takes messages from `queue`, at most `prefetch` of them unacknowledged, until it is stopped.
    pub fn consume(&self, queue: &str, prefetch: u16) -> Consumption {
        consumer::start(
            self.clone(),
            consumer::Source::Queue(queue.to_owned()),
            prefetch,
        )
    }

    /// Takes answers on a queue of one's own ([`proto::topology::reply_queue`]), which goes with the connection and
    /// comes back with it. The queue's name is also the routing key to give as `reply_to`.
    pub fn consume_replies(&self, queue: &str, prefetch: u16) -> Consumption {
        consumer::start(
            self.clone(),
            consumer::Source::Replies(queue.to_owned()),
            prefetch,
        )
    }

    /// Ends consuming, then closes both connections in good order, within a bound. Unacknowledged messages go back to
    /// their queues.
    pub async fn close(&self) {
        self.inner.stop.cancel();
        let both = async {
            self.inner.consuming.closed().await;
            self.inner.publishing.closed().await;
        };
        if tokio::time::timeout(CLOSE, both).await.is_err() {
            tracing::warn!("the broker did not close in time");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

//! Consuming: a stream of messages that goes on over lost connections, until it is stopped.
//!
//! A message is acknowledged by whoever has committed its effect, and by nobody else. Whatever is not acknowledged
//! comes again, on this replica or another; so a message of a channel that is gone is dropped here unseen.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::topology::declare_replies;
use super::{Broker, BrokerError};
use crate::backoff::Retry;

/// How long subscribing may take before it is tried again.
const SUBSCRIBING: Duration = Duration::from_secs(15);

/// A subscription that held at least this long was a good one.
const GOOD: Duration = Duration::from_secs(5);

/// A message that was taken and not acknowledged yet.
#[derive(Debug)]
pub struct Incoming {
    /// The exchange that it was published to.
    pub exchange: String,
    /// The routing key that it was published with.
    pub routing_key: String,
    /// Its application headers; empty if it has none.
    pub headers: FieldTable,
    /// All its properties, the headers among them.
    pub properties: BasicProperties,
    /// The bytes.
    pub body: Vec<u8>,
    /// Whether it was taken before, by anyone.
    pub redelivered: bool,
    /// Acknowledges it.
    pub acker: Acker,
}

/// Acknowledges one message. Can be kept apart from the message until its effect is committed.
#[derive(Clone, Debug)]
pub struct Acker {
    acker: lapin::Acker,
    // The channel must live until the last of its messages is acknowledged.
    _channel: Arc<Channel>,
}

impl Acker {
    /// Tells the broker that the message's effect is committed. `false` if its channel is gone: the message comes
    /// again, and the cursor or request id that was committed with it makes that harmless.
    pub async fn ack(&self) -> bool {
        match self.acker.ack(BasicAckOptions::default()).await {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(%error, "an acknowledgement did not go out");
                false
            }
        }
    }

    /// Acknowledges many at once.
    pub async fn ack_all(ackers: &[Acker]) {
        futures::future::join_all(ackers.iter().map(Acker::ack)).await;
    }

    /// Whether the channel of this message still lives.
    pub fn usable(&self) -> bool {
        self.acker.usable()
    }
}

/// Ends a consumption from elsewhere.
#[derive(Clone, Debug)]
pub struct StopHandle {
    stop: CancellationToken,
}

impl StopHandle {
    /// No message is handed out from now on; what was handed out can still be acknowledged.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

/// The messages of a queue. A stream that ends only when it is stopped, or the broker is closed on our side.
#[derive(Debug)]
pub struct Consumption {
    deliveries: mpsc::Receiver<Incoming>,
    stop: CancellationToken,
}

impl Consumption {
    /// The next message, or `None` once this is stopped. Loses nothing when it is dropped unfinished.
    pub async fn next(&mut self) -> Option<Incoming> {
        StreamExt::next(self).await
    }

    /// A handle that stops this from elsewhere.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            stop: self.stop.clone(),
        }
    }
}

impl Stream for Consumption {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        loop {
            if self.stop.is_cancelled() {
                self.deliveries.close();
                return Poll::Ready(None);
            }
            match self.deliveries.poll_recv(context) {
                Poll::Ready(Some(incoming)) if !incoming.acker.usable() => {}
                ready => return ready,
            }
        }
    }
}

impl Drop for Consumption {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What to consume.
pub(super) enum Source {
    /// A queue of the table.
    Queue(String),
    /// A queue of answers that is declared with each connection.
    Replies(String),
}

pub(super) fn start(broker: Broker, source: Source, prefetch: u16) -> Consumption {
    let (sender, deliveries) = mpsc::channel(usize::from(prefetch.max(1)));
    let stop = broker.inner.stop.child_token();
    let subscriber = Subscriber {
        broker,
        source,
        prefetch: prefetch.max(1),
        sender,
        stop: stop.clone(),
    };
    tokio::spawn(subscriber.run());
    Consumption { deliveries, stop }
}

struct Subscriber {
    broker: Broker,
    source: Source,
    prefetch: u16,
    sender: mpsc::Sender<Incoming>,
    stop: CancellationToken,
}

impl Subscriber {
    async fn run(self) {
        let mut retry = Retry::default();
        let link = &self.broker.inner.consuming;
        loop {
            let connection = tokio::select! {
                () = self.stop.cancelled() => return,
                connection = link.connection() => connection,
            };
            let Ok(connection) = connection else { return };
            let subscribed = tokio::select! {
                () = self.stop.cancelled() => return,
                subscribed = timeout(SUBSCRIBING, self.subscribe(&connection)) => subscribed,
            };
            let reason = match subscribed {
                Ok(Ok((channel, consumer))) => {
                    tracing::debug!(queue = self.queue(), "consuming");
                    let since = Instant::now();
                    let Some(reason) = self.forward(channel, consumer).await else {
                        return;
                    };
                    if since.elapsed() >= GOOD {
                        retry.reset();
                    }
                    reason
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {SUBSCRIBING:?}"),
            };
            tracing::warn!(queue = self.queue(), reason, "not consuming");
            link.suspect();
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(retry.delay()) => {}
            }
        }
    }

    async fn subscribe(
        &self,
        connection: &Connection,
    ) -> Result<(Arc<Channel>, lapin::Consumer), BrokerError> {
        // A queue that was deleted under us ends the consumer and not the connection; so it is declared here again.
        self.broker.inner.consuming.declare(connection).await?;
        let channel = connection.create_channel().await?;
        channel
            .basic_qos(self.prefetch, BasicQosOptions { global: false })
            .await?;
        if let Source::Replies(queue) = &self.source {
            declare_replies(&channel, queue).await?;
        }
        let options = BasicConsumeOptions::default();
        let consumer = channel
            .basic_consume(
                self.queue().into(),
                "".into(),
                options,
                FieldTable::default(),
            )
            .await?;
        Ok((Arc::new(channel), consumer))
    }

    /// Hands messages on until the channel is lost (with the reason), or nobody wants more (`None`).
    async fn forward(
        &self,
        channel: Arc<Channel>,
        mut consumer: lapin::Consumer,
    ) -> Option<String> {
        loop {
            let delivery = tokio::select! {
                () = self.stop.cancelled() => break,
                delivery = consumer.next() => delivery,
            };
            match delivery {
                Some(Ok(delivery)) => {
                    let incoming = incoming(delivery, channel.clone());
                    tokio::select! {
                        () = self.stop.cancelled() => break,
                        sent = self.sender.send(incoming) => if sent.is_err() { break },
                    }
                }
                Some(Err(error)) => return Some(error.to_string()),
                None => return Some("the broker ended the subscription".to_owned()),
            }
        }
        // What was handed out can still be acknowledged: its ackers keep the channel open.
        if let Err(error) = channel
            .basic_cancel(consumer.tag(), BasicCancelOptions::default())
            .await
        {
            tracing::debug!(%error, "the subscription ended before us");
        }
        None
    }

    fn queue(&self) -> &str {
        match &self.source {
            Source::Queue(queue) | Source::Replies(queue) => queue,
        }
    }
}

fn incoming(delivery: Delivery, channel: Arc<Channel>) -> Incoming {
    Incoming {
        exchange: delivery.exchange.to_string(),
        routing_key: delivery.routing_key.to_string(),
        headers: delivery.properties.headers().clone().unwrap_or_default(),
        properties: delivery.properties,
        body: delivery.data,
        redelivered: delivery.redelivered,
        acker: Acker {
            acker: delivery.acker,
            _channel: channel,
        },
    }
}

//! One supervised connection: built anew, with its topology, after whatever ended it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use proto::topology::Topology;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::topology::{dead_letters, declare_all};
use super::{BrokerError, Health, LinkHealth};
use crate::backoff::Retry;

/// How long connecting and declaring may take before it is tried again.
const OPENING: Duration = Duration::from_secs(15);

/// How often a connection is looked at that reported nothing.
const LOOK: Duration = Duration::from_millis(500);

/// How often the dead-letter queues are counted.
const COUNT: Duration = Duration::from_secs(30);

/// Not more often than this is the topology declared again because of returned messages.
const REDECLARE: Duration = Duration::from_secs(1);

#[derive(Clone)]
enum State {
    Down(String),
    Up(Arc<Connection>),
    Closed,
}

/// A handle on one supervised connection.
#[derive(Clone)]
pub(super) struct Link {
    state: watch::Receiver<State>,
    suspect: Arc<Notify>,
    topology: Option<Topology>,
    redeclared: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Publish,
    Consume,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Publish => "publish",
            Purpose::Consume => "consume",
        }
    }
}

impl Link {
    pub(super) fn start(
        address: AMQPUri,
        service: &str,
        purpose: Purpose,
        topology: Option<Topology>,
        health: watch::Sender<Health>,
        stop: CancellationToken,
    ) -> Self {
        let (sender, state) = watch::channel(State::Down("not connected yet".to_owned()));
        let suspect = Arc::new(Notify::new());
        let supervisor = Supervisor {
            address,
            service: service.to_owned(),
            purpose,
            topology,
            state: sender,
            health,
            suspect: suspect.clone(),
            stop,
        };
        tokio::spawn(supervisor.run());
        Self {
            state,
            suspect,
            topology,
            redeclared: Arc::default(),
        }
    }

    /// The connection, as soon as there is one.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, BrokerError> {
        let mut state = self.state.clone();
        let state = state
            .wait_for(|state| !matches!(state, State::Down(_)))
            .await;
        match state.as_deref() {
            Ok(State::Up(connection)) => Ok(connection.clone()),
            _ => Err(BrokerError::Closed),
        }
    }

    /// The connection, or why there was none within the time.
    pub(super) async fn up(&self, within: Duration) -> Result<Arc<Connection>, BrokerError> {
        match timeout(within, self.connection()).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let reason = match &*self.state.borrow() {
                    State::Down(reason) => reason.clone(),
                    State::Up(_) | State::Closed => "it came up just now".to_owned(),
                };
                Err(BrokerError::Unreachable {
                    waited: within,
                    reason,
                })
            }
        }
    }

    /// Resolves when the supervisor has closed the connection for good.
    pub(super) async fn closed(&self) {
        let mut state = self.state.clone();
        // The only error is a supervisor that is gone, which is closed as well.
        drop(state.wait_for(|state| matches!(state, State::Closed)).await);
    }

    /// Something failed on this connection: look at it now rather than at the next tick.
    pub(super) fn suspect(&self) {
        self.suspect.notify_one();
    }

    /// Declares the table on a channel of its own; nothing for a client.
    pub(super) async fn declare(&self, connection: &Connection) -> lapin::Result<()> {
        if let Some(topology) = &self.topology {
            let channel = connection.create_channel().await?;
            declare_all(&channel, topology).await?;
            close_channel(&channel).await;
        }
        Ok(())
    }

    /// Declares the table again, because what stood in it seems to be gone. At most once a second for all publishers.
    pub(super) async fn redeclare(&self) -> Result<(), BrokerError> {
        let mut last = self.redeclared.lock().await;
        if last.is_none_or(|at| at.elapsed() >= REDECLARE) {
            *last = Some(Instant::now());
            let connection = self.up(REDECLARE).await?;
            self.declare(&connection).await?;
        }
        Ok(())
    }
}

/// Closes a channel that is done with; a failure means that it is closed already.
pub(super) async fn close_channel(channel: &Channel) {
    if let Err(error) = channel.close(200, "done".into()).await {
        tracing::debug!(%error, "a channel was closed before us");
    }
}

struct Supervisor {
    address: AMQPUri,
    service: String,
    purpose: Purpose,
    topology: Option<Topology>,
    state: watch::Sender<State>,
    health: watch::Sender<Health>,
    suspect: Arc<Notify>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(self) {
        let mut retry = Retry::default();
        let purpose = self.purpose.name();
        loop {
            let opened = tokio::select! {
                () = self.stop.cancelled() => break,
                opened = timeout(OPENING, self.open()) => opened,
            };
            let reason = match opened {
                Ok(Ok(connection)) => {
                    tracing::info!(purpose, "connected to the broker");
                    let connection = Arc::new(connection);
                    self.state.send_replace(State::Up(connection.clone()));
                    let since = Instant::now();
                    let Some(reason) = self.attend(&connection).await else {
                        self.close(&connection).await;
                        break;
                    };
                    if since.elapsed() > LOOK {
                        retry.reset();
                    }
                    reason
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {OPENING:?}"),
            };
            tracing::warn!(purpose, reason, "not connected to the broker");
            self.tell(LinkHealth::Down(reason.clone()));
            self.state.send_replace(State::Down(reason));
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep(retry.delay()) => {}
            }
        }
        self.tell(LinkHealth::Closed);
        self.state.send_replace(State::Closed);
    }

    async fn open(&self) -> lapin::Result<Connection> {
        // A library that recovers by itself would bring back channels whose state we have given up.
        let properties = ConnectionProperties::default()
            .with_connection_name(format!("{} {}", self.service, self.purpose.name()).into());
        let connection = Connection::connect_uri(self.address.clone(), properties).await?;
        if let Some(topology) = &self.topology {
            let channel = connection.create_channel().await?;
            declare_all(&channel, topology).await?;
            close_channel(&channel).await;
        }
        Ok(connection)
    }

    /// Watches a connection until it is lost (with the reason) or the service drains (`None`).
    async fn attend(&self, connection: &Connection) -> Option<String> {
        let mut events = std::pin::pin!(connection.events_listener());
        let mut look = ticks(LOOK);
        let mut count = ticks(COUNT);
        let mut reason = "the connection was lost".to_owned();
        self.tell(LinkHealth::Up);
        loop {
            if !connection.status().connected() {
                return Some(reason);
            }
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = self.suspect.notified() => {}
                _ = look.tick() => {}
                _ = count.tick() => self.count_dead_letters(connection).await,
                event = events.next() => match event {
                    Some(Event::Error(error)) => reason = error.to_string(),
                    Some(Event::ConnectionBlocked(why)) => {
                        tracing::warn!(purpose = self.purpose.name(), why, "the broker takes no messages");
                        self.tell(LinkHealth::Blocked(why));
                    }
                    Some(Event::ConnectionUnblocked) => self.tell(LinkHealth::Up),
                    Some(_) => {}
                    None => return Some(reason),
                },
            }
        }
    }

    /// The alarm for dead letters: what the broker gave up delivering to this service.
    async fn count_dead_letters(&self, connection: &Connection) {
        let (Purpose::Consume, Some(topology)) = (self.purpose, &self.topology) else {
            return;
        };
        let counted = async {
            let channel = connection.create_channel().await?;
            let counted = dead_letters(&channel, topology, &self.service).await?;
            close_channel(&channel).await;
            Ok::<_, lapin::Error>(counted)
        };
        match timeout(OPENING, counted).await {
            Ok(Ok(queues)) => {
                for (queue, count) in queues {
                    metrics::gauge!("zhengming_broker_dead_letters", "queue" => queue.clone())
                        .set(f64::from(count));
                    if count > 0 {
                        tracing::error!(queue, count, "the broker gave up delivering messages");
                    }
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "dead letters could not be counted"),
            Err(_) => tracing::warn!("dead letters could not be counted in time"),
        }
    }

    fn tell(&self, health: LinkHealth) {
        let up = if health == LinkHealth::Up { 1.0 } else { 0.0 };
        metrics::gauge!("zhengming_broker_up", "connection" => self.purpose.name()).set(up);
        self.health.send_modify(|both| match self.purpose {
            Purpose::Publish => both.publishing = health,
            Purpose::Consume => both.consuming = health,
        });
    }

    async fn close(&self, connection: &Connection) {
        if let Ok(Err(error)) = timeout(super::CLOSE, connection.close(200, "drained".into())).await
        {
            tracing::debug!(%error, "the connection was closed before us");
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

//! The relay: carries events from the outbox to the broker, and forgets them only when the broker has them.
//!
//! One relay a service works at a time, whoever holds the [`seat`]; the others wait for it and pass on their wake-ups.
//! Rows leave in the order of their ids, in batches; while one batch is confirmed the next is read. A row that is
//! refused or returned waits, and later rows of its stream overtake it: who receives them parks what comes too early.
//!
//! Traps: "everything above the last id" would skip rows, because ids are drawn before their transactions commit;
//! the commit of an event must not notify by itself (a NOTIFY inside each transaction takes one lock for the whole
//! database); a relay that lost its seat must not finish its batch first, as another has begun.

mod outbox;
mod seat;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use outbox::Headers;
pub use outbox::epoch;
use outbox::{Outbox, Row};
use seat::{Given, Seat};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::backoff::Retry;
use crate::broker::{Broker, Published, Publisher};
use crate::connecting::beside_the_workers;

/// The net under all wake-ups: the outbox is looked at this often.
const POLL: Duration = Duration::from_secs(1);

/// A turn at the seat that lasted at least this long was a good one.
const GOOD: Duration = Duration::from_secs(5);

/// Carries one service's events to the broker.
#[derive(Debug)]
pub struct Relay {
    service: String,
    mandatory: bool,
    pool: PgPool,
    publisher: Publisher,
    wake: Arc<Notify>,
    holds: watch::Sender<bool>,
}

/// Tells the relay that there is something in the outbox. To be called after each commit that wrote to it; costs
/// next to nothing and never waits. On a replica that does not hold the seat it reaches the one that does.
#[derive(Clone, Debug)]
pub struct RelayHandle {
    wake: Arc<Notify>,
    holds: watch::Receiver<bool>,
}

impl RelayHandle {
    /// There is something in the outbox.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether this replica's relay is the one that works, now and whenever it changes.
    pub fn holds(&self) -> watch::Receiver<bool> {
        self.holds.clone()
    }
}

/// Why a turn at the seat ended.
enum Turn {
    /// The service drains; the seat was handed over.
    Drained,
    /// The connection that holds the seat is gone.
    Lost,
}

impl Relay {
    /// For the service of this name, whose outbox `pool` reaches by its search path.
    pub fn new(service: &str, pool: PgPool, broker: &Broker) -> Self {
        Self {
            service: service.to_owned(),
            // What nobody follows may go to nowhere.
            mandatory: broker
                .topology()
                .is_some_and(|topology| topology.followed(service)),
            pool,
            publisher: broker.publisher(),
            wake: Arc::default(),
            holds: watch::Sender::new(false),
        }
    }

    /// For whoever commits.
    pub fn handle(&self) -> RelayHandle {
        RelayHandle {
            wake: self.wake.clone(),
            holds: self.holds.subscribe(),
        }
    }

    /// Works until `drain` is cancelled: then it finishes its batch, hands over the seat and returns.
    pub async fn run(self, drain: CancellationToken) {
        let mut retry = Retry::default();
        loop {
            let since = Instant::now();
            let turn = self.turn(&drain).await;
            self.holds.send_replace(false);
            outbox::forget_gauges(&self.service);
            if since.elapsed() >= GOOD {
                retry.reset();
            }
            match turn {
                Ok(Turn::Drained) => return,
                Ok(Turn::Lost) => tracing::warn!(service = self.service, "the relay lost its seat"),
                Err(error) => {
                    tracing::warn!(service = self.service, %error, "the relay cannot work")
                }
            }
            // The same wait after every ending, so that an end at once is no loop without a pause.
            if timeout(retry.delay(), drain.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    /// Waits for the seat and works as long as it holds.
    async fn turn(&self, drain: &CancellationToken) -> sqlx::Result<Turn> {
        let connecting = Seat::connect(&self.pool);
        let mut seat = tokio::select! {
            () = drain.cancelled() => return Ok(Turn::Drained),
            seat = connecting => seat?,
        };
        match seat.wait(&self.wake, drain).await? {
            Given::Taken => {}
            Given::Drained => return Ok(Turn::Drained),
            Given::Lost => return Ok(Turn::Lost),
        }
        let mut connection = self.connect().await?;
        let outbox = Outbox::open(&self.service, &mut connection).await?;
        tracing::info!(
            service = self.service,
            epoch = outbox.epoch(),
            "the relay works"
        );
        self.holds.send_replace(true);
        let worked = tokio::select! {
            // Checked first: without the seat nothing more may go out.
            biased;
            lost = seat.attend(&outbox, &self.wake) => { lost?; return Ok(Turn::Lost) }
            worked = self.work(&outbox, &mut connection, drain) => worked,
        };
        seat.leave().await;
        worked.map(|()| Turn::Drained)
    }

    /// A connection for the outbox alone, for as long as the seat holds: a pool would ask it before every batch whether
    /// it lives.
    ///
    /// Its commits need not wait for the disk. All that they say is that the broker has an event; if a crash of the
    /// database forgets it, the event is published again with the same id, and whoever has it knows that.
    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let options = self.pool.connect_options().as_ref().clone();
        let options = options.options([("synchronous_commit", "off")]);
        beside_the_workers(async move { PgConnection::connect_with(&options).await }).await
    }

    /// Publishes whatever is there and waits for more, until the service drains.
    async fn work(
        &self,
        outbox: &Outbox,
        connection: &mut PgConnection,
        drain: &CancellationToken,
    ) -> sqlx::Result<()> {
        let mut batch: Vec<Row> = Vec::new();
        let mut done = Vec::new();
        loop {
            tokio::select! {
                () = drain.cancelled() => break,
                ready = self.publisher.ready() => if ready.is_err() { break },
            }
            // While this batch is on its way, the one before it is settled and the next one is read.
            let under_way = batch.iter().map(Row::id).collect();
            let (outcomes, next) = tokio::join!(
                self.publish(outbox, &batch),
                outbox.exchange(connection, &done, under_way)
            );
            let next = next?;
            done = batch.iter().map(Row::ticket).zip(outcomes).collect();
            batch = next;
            if batch.is_empty() && done.is_empty() {
                tokio::select! {
                    () = drain.cancelled() => break,
                    _ = timeout(POLL, self.wake.notified()) => {}
                }
            }
            if drain.is_cancelled() {
                break;
            }
        }
        outbox.settle(connection, &done).await
    }

    async fn publish(&self, outbox: &Outbox, batch: &[Row]) -> Vec<Published> {
        let mut outcomes = vec![Published::Failed("not published".into()); batch.len()];
        let mut places = Vec::with_capacity(batch.len());
        let mut messages = Vec::with_capacity(batch.len());
        for (place, row) in batch.iter().enumerate() {
            match outbox.message(row, self.mandatory) {
                Ok(message) => {
                    places.push(place);
                    messages.push(message);
                }
                Err(reason) => outcomes[place] = Published::Failed(reason),
            }
        }
        for (place, outcome) in places
            .into_iter()
            .zip(self.publisher.publish_all(&messages).await)
        {
            outcomes[place] = outcome;
        }
        outcomes
    }
}

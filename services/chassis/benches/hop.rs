//! One hop: an event in, the reaction committed with journal, chain, outbox and view, the event that follows confirmed by
//! the broker. Beside it the same hop bare: batches of one statement, no engine. `tests/bench` runs both.

#![expect(clippy::unwrap_used, reason = "the harness of the tests")]

#[path = "../tests/engine/harness.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod harness;
#[path = "../tests/engine/toy.rs"]
mod toy;

use std::time::{Duration, Instant};

use chassis::broker::{Broker, EventMessage, Incoming, Outgoing, Published};
use chassis::time::{new_id, real_now};
use futures::StreamExt;
use harness::Town;
use proto::topology::{follower_queue, reply_queue};
use servers as common;
use sqlx::PgPool;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Events of the throughput runs, and the streams that they belong to.
const EVENTS: usize = 40_000;
const STREAMS: usize = 2_000;
/// Events of the latency run, one after the other.
const SINGLE: usize = 200;
/// How often both are measured, in turn: a round takes seconds, and one alone says little.
const ROUNDS: usize = 7;

fn main() {
    // Of no use to a benchmark that measures its own way.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(run());
}

async fn run() {
    let (mut rates, mut ratios) = ([Vec::new(), Vec::new()], Vec::new());
    let mut latencies = Vec::new();
    for round in 1..=ROUNDS {
        let bare = bare().await;
        let (engine, singles) = engine().await;
        println!(
            "round {round}: bare {bare:.0}, engine {engine:.0} events/s, ratio {:.2}",
            engine / bare
        );
        rates[0].push(bare);
        rates[1].push(engine);
        ratios.push(engine / bare);
        latencies.extend(singles.iter().map(|single| single.as_secs_f64() * 1e3));
    }
    let [bare, engine] = rates.map(|of| share(of, 0.5));
    println!("medians of {ROUNDS} rounds:");
    println!("bare hop    {bare:>8.0} events/s   (batches of 64, one statement each, confirmed)");
    println!("engine hop  {engine:>8.0} events/s   (journal, chain, outbox, view, confirmed)");
    println!("ratio       {:>8.2}", share(ratios, 0.5));
    println!(
        "latency of one hop, one event at a time: p50 {:.1} ms, p99 {:.1} ms",
        share(latencies.clone(), 0.5),
        share(latencies, 0.99)
    );
}

/// The value that this share of them does not exceed.
fn share(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

fn event(nth: usize, streams: usize) -> EventMessage {
    EventMessage {
        id: new_id(),
        source: "toy".to_owned(),
        type_: "Added".to_owned(),
        stream: Uuid::from_u128((nth % streams) as u128 + 1),
        sequence: i64::try_from(nth / streams + 1).expect("few events"),
        epoch: "bench".to_owned(),
        matter: None,
        cause: None,
        actor: None,
        traceparent: None,
        at: real_now(),
        body: br#"{"amount":1}"#.to_vec(),
    }
}

/// Fills the mirror's queue with events.
async fn fill(broker: &Broker) {
    let publisher = broker.publisher();
    let messages: Vec<Outgoing> = (0..EVENTS)
        .map(|nth| event(nth, STREAMS).into_outgoing(true))
        .collect();
    for batch in messages.chunks(500) {
        let outcomes = publisher.publish_all(batch).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| *outcome == Published::Confirmed)
        );
    }
}

async fn connected(town: &Town) -> Broker {
    let broker = Broker::connect(&town.vhost.url(), "bench", toy::TOPOLOGY).expect("an address");
    broker
        .ready(Duration::from_secs(30))
        .await
        .expect("the broker answers");
    broker
}

async fn engine() -> (f64, Vec<Duration>) {
    let mut town = Town::new().await;
    let broker = connected(&town).await;
    fill(&broker).await;
    let superuser = town.superuser("mirror").await;
    // There is no source that could be asked for its history.
    sqlx::query("insert into sources (source, epoch) values ('toy', 'bench')")
        .execute(&superuser)
        .await
        .expect("the database answers");
    town.hide("toy");
    let mirror = town.start("mirror").await;
    let started = Instant::now();
    wait_for_all(&superuser).await;
    let rate = EVENTS as f64 / started.elapsed().as_secs_f64();

    // One at a time: from the publish of an event to the arrival of the one that follows.
    let connection = lapin::Connection::connect(&town.vhost.url(), Default::default())
        .await
        .expect("the broker answers");
    let channel = connection.create_channel().await.expect("a channel");
    let queue = reply_queue("bench", "latency");
    channel
        .queue_declare(
            queue.as_str().into(),
            Default::default(),
            Default::default(),
        )
        .await
        .expect("a queue");
    channel
        .queue_bind(
            queue.as_str().into(),
            proto::topology::EVENTS.into(),
            "mirror.#".into(),
            Default::default(),
            Default::default(),
        )
        .await
        .expect("a binding");
    let options = lapin::options::BasicConsumeOptions {
        no_ack: true,
        ..Default::default()
    };
    let mut arrivals = channel
        .basic_consume(
            queue.as_str().into(),
            "bench".into(),
            options,
            Default::default(),
        )
        .await
        .expect("a consumer");
    let publisher = broker.publisher();
    let mut latencies = Vec::with_capacity(SINGLE);
    for nth in 0..SINGLE {
        let message = event(EVENTS + nth, STREAMS).into_outgoing(true);
        let sent = Instant::now();
        publisher.publish(message).await;
        arrivals.next().await.expect("it arrives").expect("intact");
        latencies.push(sent.elapsed());
    }
    connection.close(200, "done".into()).await.expect("closed");
    broker.close().await;
    superuser.close().await;
    mirror.stop().await;
    (rate, latencies)
}

/// Waits until every event is in the journal and the broker has every event that followed.
///
/// Counting forty thousand rows fifty times a second would cost the database more than a tenth of what it does for the
/// engine: so they are counted only once the last one is there, which is a look into an index.
async fn wait_for_all(pool: &PgPool) {
    let end = Instant::now() + Duration::from_secs(300);
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let holds: bool = sqlx::query_scalar(
            "select case when exists (select from journal where aggregate = $1 and sequence = $2)
                         then (select count(*) from journal) = $3 and not exists (select from outbox)
                         else false end",
        )
        .bind(Uuid::from_u128(STREAMS as u128))
        .bind((EVENTS / STREAMS) as i64)
        .bind(EVENTS as i64)
        .fetch_one(pool)
        .await
        .expect("the database answers");
        if holds {
            return;
        }
        assert!(Instant::now() < end, "not within five minutes");
    }
}

/// Consume, one statement for up to 64, publish with confirms, acknowledge: four at a time, as the desk works.
///
/// It is safe against a crash without an outbox, because a message is acknowledged only after what follows from it was
/// confirmed: the source's queue is the net, the key finds the repeat. For that the row must keep the new event's id;
/// drawn again, it would be another event under the same number. An outbox is what a decision needs that no message
/// causes; the engine has one for all, and it counts against the engine here.
async fn bare() -> f64 {
    let town = Town::new().await;
    let broker = connected(&town).await;
    fill(&broker).await;
    let pool = town.superuser("mirror").await;
    sqlx::raw_sql("create table bare (stream uuid, sequence bigint, event_id uuid not null, body bytea not null, primary key (stream, sequence))")
        .execute(&pool)
        .await
        .expect("a table");
    let mut consumption = broker.consume(&follower_queue("mirror", "toy"), 512);
    let (hand_over, mut batches) = mpsc::channel::<Vec<Incoming>>(1);
    let stop = consumption.stop_handle();
    let started = Instant::now();
    let gathering = tokio::spawn(async move {
        let mut taken = 0;
        while taken < EVENTS {
            let mut batch = Vec::with_capacity(64);
            while batch.len() < 64 && taken + batch.len() < EVENTS {
                match consumption.next().await {
                    Some(incoming) => batch.push(incoming),
                    None => return,
                }
            }
            taken += batch.len();
            if hand_over.send(batch).await.is_err() {
                return;
            }
        }
    });
    let mut working = tokio::task::JoinSet::new();
    while let Some(batch) = batches.recv().await {
        if working.len() >= 4 {
            working.join_next().await;
        }
        let (pool, publisher) = (pool.clone(), broker.publisher());
        working.spawn(async move {
            let events: Vec<EventMessage> = batch
                .iter()
                .map(|incoming| EventMessage::from_incoming(incoming).expect("an event"))
                .collect();
            let follows: Vec<EventMessage> = events
                .into_iter()
                .map(|event| EventMessage { id: new_id(), source: "mirror".to_owned(), ..event })
                .collect();
            let written = sqlx::query("insert into bare select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[]) on conflict do nothing")
                .bind(follows.iter().map(|event| event.stream).collect::<Vec<_>>())
                .bind(follows.iter().map(|event| event.sequence).collect::<Vec<_>>())
                .bind(follows.iter().map(|event| event.id).collect::<Vec<_>>())
                .bind(follows.iter().map(|event| event.body.clone()).collect::<Vec<_>>())
                .execute(&pool)
                .await
                .expect("written");
            assert_eq!(written.rows_affected(), follows.len() as u64);
            let outgoing: Vec<Outgoing> = follows
                .into_iter()
                .map(|event| event.into_outgoing(false))
                .collect();
            let outcomes = publisher.publish_all(&outgoing).await;
            assert!(outcomes.iter().all(|outcome| *outcome == Published::Confirmed));
            for incoming in batch {
                incoming.acker.ack().await;
            }
        });
    }
    while working.join_next().await.is_some() {}
    let rate = EVENTS as f64 / started.elapsed().as_secs_f64();
    gathering.await.expect("gathered");
    stop.stop();
    broker.close().await;
    pool.close().await;
    rate
}

//! A process of a service: its commands, its start, its end.
//!
//! `serve` starts everything that the blueprint lists and drains on SIGTERM: stop taking, finish the batch, hand over
//! the relay's seat, close. `migrate` and `rebuild-views` run as the schema's owner. A service that is wired to
//! nothing, or whose configuration is wrong, says everything that is wrong at once and does not start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use office::Policies;
use proto::chassis::feed_service_server::FeedServiceServer;
use proto::chassis::journal_service_server::JournalServiceServer;
use proto::chassis::operations_service_server::OperationsServiceServer;
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::blueprint::Blueprint;
use crate::broker::Broker;
use crate::config::{Config, OwnerConfig, peer_variable};
use crate::connecting::beside_the_workers;
use crate::desk::{Connections, Desk, Premises};
use crate::follower::Follower;
use crate::front::{Front, Inner};
use crate::keyring::Keyring;
use crate::peers::Peers;
use crate::relay::Relay;
use crate::server::{self, Admission, Health};
use crate::timers::{self, Due};
use crate::{audit, feed, operations, queue, rebuild, repair, telemetry, time, upkeep};

/// The chassis's own tables.
static CHASSIS: Migrator = sqlx::migrate!("./migrations");
/// How long a start waits for the database.
const DATABASE: Duration = Duration::from_secs(30);
/// How often a process looks at the shift of domain time.
const SHIFT: Duration = Duration::from_millis(500);
/// How long a drain may take.
const DRAIN: Duration = Duration::from_secs(20);

const HELP: &str = "\
commands:
  serve          run the service (also without a command)
  migrate        bring the schema up to date, as its owner (ZHENGMING_OWNER_DATABASE_URL)
  rebuild-views  make every view again from the journal, as the schema's owner;
                 with --check: compare and change nothing, and fail where a view differs
  check          read configuration, policy and wiring, say what is wrong, start nothing
  help           this text

Configuration comes from environment variables ZHENGMING_… and an optional TOML file (ZHENGMING_CONFIG).";

/// Runs a service's process: the whole of its `main`.
pub fn run(blueprint: Blueprint) -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_else(|| "serve".into());
    // The only other provider would come with a second crypto library.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime does not start: {error}")),
    };
    let name = blueprint.name;
    let compare = std::env::args()
        .nth(2)
        .is_some_and(|word| word == "--check");
    let ended = runtime.block_on(async {
        match command.as_str() {
            "serve" => serve_configured(blueprint).await,
            "migrate" => as_owner(blueprint, Work::Migrate).await,
            "rebuild-views" if compare => as_owner(blueprint, Work::Compare).await,
            "rebuild-views" => as_owner(blueprint, Work::Rebuild).await,
            "check" => check(&blueprint).map(|_| println!("{name}: everything is in order")),
            "help" | "--help" | "-h" => {
                println!("usage: {name} [COMMAND]\n\n{HELP}");
                Ok(())
            }
            other => Err(format!("{name} has no command {other}\n\n{HELP}")),
        }
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(&format!("{name}: {message}")),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}

/// Reads and checks everything that a start needs.
fn check(blueprint: &Blueprint) -> Result<(Config, Policies), String> {
    let config =
        Config::load(blueprint.name, &blueprint.equipment).map_err(|faults| faults.to_string())?;
    let policies = Policies::load(&config.policy).map_err(|faults| faults.to_string())?;
    let mut faults = blueprint.faults(&policies);
    for source in blueprint.follows.keys() {
        if !config.peers.contains_key(*source) {
            faults.push(format!(
                "{} follows {source} and must be able to ask it; set {}",
                blueprint.name,
                peer_variable(source)
            ));
        }
    }
    if faults.is_empty() {
        Ok((config, policies))
    } else {
        Err(format!("wired to nothing:\n  {}", faults.join("\n  ")))
    }
}

async fn serve_configured(blueprint: Blueprint) -> Result<(), String> {
    let (config, policies) = check(&blueprint)?;
    let logs = telemetry::start(blueprint.name, &config.logging).map_err(|e| e.to_string())?;
    if let Some(address) = config.metrics_listen {
        telemetry::metric::serve(blueprint.name, env!("CARGO_PKG_VERSION"), address)
            .map_err(|error| error.to_string())?;
    }
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        match server::shutdown_signal().await {
            Ok(()) => tracing::info!("asked to stop: draining"),
            Err(error) => tracing::error!(%error, "signals cannot be listened for"),
        }
        signalled.cancel();
    });
    let ended = serve(blueprint, config, policies, stop, |_, _| ()).await;
    logs.stop();
    ended
}

/// Serves until `stop`, then drains; `ready` is told the address, and given the front, once calls are taken.
///
/// # Errors
/// A sentence for the operator, when the service cannot start or its server fails.
pub async fn serve(
    blueprint: Blueprint,
    config: Config,
    policies: Policies,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr, &Front),
) -> Result<(), String> {
    let name = blueprint.name;
    let keys = Keyring::open(config.jwks.clone())
        .await
        .map_err(|fault| fault.to_string())?;
    let pool = database(&config).await?;
    let listener = TcpListener::bind(config.grpc_listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.grpc_listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let broker = Broker::connect(config.amqp_url.reveal(), name, blueprint.topology)
        .map_err(|error| error.to_string())?;

    let tasks = TaskTracker::new();
    let taking = stop.clone();
    // The desk outlives whoever hands something in.
    let closing = CancellationToken::new();
    let handing_over = CancellationToken::new();

    let relay = Relay::new(name, pool.clone(), &broker);
    let wake_relay = relay.handle();
    let relaying = tokio::spawn(relay.run(handing_over.clone()));
    let wake_timers = Arc::new(Notify::new());
    let wake = Arc::clone(&wake_timers);
    let policies = Arc::new(policies);
    let secrets = Arc::new(config.secrets.clone());
    let desk_tasks = TaskTracker::new();
    let desk = Desk::open(
        Arc::new(Premises {
            connections: Connections::new((*pool.connect_options()).clone()),
            kinds: blueprint.kinds.clone(),
            views: blueprint.views.clone(),
            policies: Arc::clone(&policies),
            secrets: Arc::clone(&secrets),
            service: name,
            outbox_filled: Box::new(move || wake_relay.wake()),
            timers_filled: Box::new(move || wake.notify_one()),
        }),
        &desk_tasks,
        closing.clone(),
    );
    let (shift, shifted) = watch::channel(SignedDuration::ZERO);
    tasks.spawn(keys.clone().watch(taking.clone()));
    tasks.spawn(watch_shift(pool.clone(), shift, taking.clone()));
    tasks.spawn(upkeep::work(
        pool.clone(),
        config.answers_kept,
        taking.clone(),
    ));
    let front = Front {
        inner: Arc::new(Inner {
            pool: pool.clone(),
            kinds: blueprint.kinds.clone(),
            policies,
            secrets,
            peers: Peers::new(name, config.signer.clone(), &config.peers, time::real_now),
            desk,
            service: name,
            equipment: config.equipment.clone(),
            shift: shifted,
        }),
    };

    let methods: Arc<BTreeSet<&'static str>> = Arc::new(
        blueprint
            .internal
            .iter()
            .chain(blueprint.methods.keys())
            .copied()
            .collect(),
    );
    for (which, wake) in [
        (Due::Consequences, wake_timers),
        (Due::Clocks, Arc::new(Notify::new())),
    ] {
        tasks.spawn(timers::work(
            front.clone(),
            Arc::clone(&methods),
            which,
            wake,
            taking.clone(),
        ));
    }
    for (source, lines) in &blueprint.follows {
        let follower = Follower::new(name, source, lines, front.clone());
        tasks.spawn(
            follower
                .clone()
                .consume(broker.clone(), tasks.clone(), taking.clone()),
        );
        tasks.spawn(follower.clone().watch_parked(taking.clone()));
        tasks.spawn(repair::work(follower, repair::COMPARE, taking.clone()));
    }
    let by_queue = {
        let (front, methods) = (front.clone(), Arc::new(blueprint.methods.clone()));
        let (keys, broker, taking) = (keys.clone(), broker.clone(), taking.clone());
        async move { queue::serve_commands(front, methods, keys, &broker, name, taking).await }
    };
    tasks.spawn(by_queue);

    let mut routes = tonic::service::Routes::builder();
    routes
        .add_service(FeedServiceServer::new(feed::Feed::new(front.clone())))
        .add_service(JournalServiceServer::new(audit::Audit::new(front.clone())))
        .add_service(OperationsServiceServer::new(operations::Operations::new(
            front.clone(),
            name,
        )));
    if let Some(add) = blueprint.routes {
        routes = add(front.clone(), routes);
    }
    let health = Health::new().await;
    tasks.spawn(health.clone().watch_database(pool.clone(), taking.clone()));
    tracing::info!(service = name, %address, "serving");
    ready(address, &front);
    let served = server::serve(
        listener,
        routes.routes(),
        Admission::new(keys, time::real_now),
        health,
        stop.clone(),
    )
    .await;
    // Also where the server failed by itself.
    stop.cancel();
    tasks.close();
    let drained = tokio::time::timeout(DRAIN, async {
        tasks.wait().await;
        drop(front);
        closing.cancel();
        desk_tasks.close();
        desk_tasks.wait().await;
        handing_over.cancel();
        // The relay does not panic; if it did, the outbox keeps everything for the next one.
        let _ = relaying.await;
        broker.close().await;
        pool.close().await;
    });
    if drained.await.is_err() {
        tracing::warn!("the drain took too long; what is left comes again");
    }
    tracing::info!(service = name, "stopped");
    served.map_err(|fault| fault.to_string())
}

/// A pool whose connections are all made now and kept: later they would be made by the workers, see [`connecting`].
///
/// [`connecting`]: crate::connecting
async fn all_of_them(connections: u32, options: PgConnectOptions) -> sqlx::Result<PgPool> {
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    let all = (0..connections).map(|_| pool.acquire());
    drop(futures::future::try_join_all(all).await?);
    Ok(pool)
}

/// Connects as the role that runs, and sees that the schema is there.
async fn database(config: &Config) -> Result<PgPool, String> {
    // The statements are few and their plans do not depend on their values; planning them anew costs more than it gives.
    let options: PgConnectOptions =
        config.database_url.reveal().parse().map_err(|error| {
            format!("ZHENGMING_DATABASE_URL is no address of a database: {error}")
        })?;
    let options = options.options([("plan_cache_mode", "force_generic_plan")]);
    let started = tokio::time::Instant::now();
    let pool = loop {
        let connected =
            beside_the_workers(all_of_them(config.database_connections, options.clone()));
        let connected = connected.await;
        match connected {
            Ok(pool) => break pool,
            Err(error) if started.elapsed() < DATABASE && is_away(&error) => {
                tracing::warn!(%error, "the database does not answer yet");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => {
                return Err(format!(
                    "no connection to the database ({error}); is it running, and is ZHENGMING_DATABASE_URL right?"
                ));
            }
        }
    };
    let ready = sqlx::query!("select from clock").execute(&pool).await;
    match ready {
        Ok(_) => Ok(pool),
        Err(error) => Err(format!(
            "the schema is not ready ({error}); run `{} migrate` first",
            config.service
        )),
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
        || error
            .as_database_error()
            .and_then(|database| database.code())
            .is_some_and(|code| code.starts_with("57P"))
}

async fn watch_shift(pool: PgPool, shift: watch::Sender<SignedDuration>, drain: CancellationToken) {
    loop {
        let asked = sqlx::query_scalar!(
            r#"select (extract(epoch from shift) * 1000000)::bigint as "micros!" from clock"#
        )
        .fetch_one(&pool)
        .await;
        if let Ok(micros) = asked {
            shift.send_replace(SignedDuration::from_micros(micros));
        }
        if drain
            .run_until_cancelled(tokio::time::sleep(SHIFT))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// What an owner does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Migrate,
    Rebuild,
    Compare,
}

async fn as_owner(blueprint: Blueprint, work: Work) -> Result<(), String> {
    let config = OwnerConfig::load(blueprint.name).map_err(|faults| faults.to_string())?;
    let logs = telemetry::start(blueprint.name, &config.logging).map_err(|e| e.to_string())?;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(10))
        .connect(config.database_url.reveal())
        .await
        .map_err(|error| {
            format!("no connection to the database as its owner ({error}); is it running, and is ZHENGMING_OWNER_DATABASE_URL right?")
        })?;
    match work {
        Work::Migrate => {
            migrate(&blueprint, &pool).await?;
            println!("{}: the schema is up to date", blueprint.name);
        }
        Work::Rebuild => {
            let rebuilt = rebuild::rebuild_views(&blueprint, &pool).await;
            for view in rebuilt.map_err(|error| error.to_string())? {
                println!("{}: {} rows", view.table, view.rows);
            }
        }
        Work::Compare => {
            let compared = rebuild::compare_views(&blueprint, &pool).await;
            let mut differing = Vec::new();
            for view in compared.map_err(|error| error.to_string())? {
                println!("{}: {} rows differ", view.table, view.different);
                if view.different > 0 {
                    differing.push(view.table);
                }
            }
            if !differing.is_empty() {
                return Err(format!(
                    "views differ from the journal: {}; run `{} rebuild-views`",
                    differing.join(", "),
                    blueprint.name
                ));
            }
        }
    }
    pool.close().await;
    logs.stop();
    Ok(())
}

/// Brings a schema up to date: the chassis's tables, then the service's.
///
/// # Errors
/// A sentence for the operator.
pub async fn migrate(blueprint: &Blueprint, owner: &PgPool) -> Result<(), String> {
    for migrations in [&CHASSIS, &blueprint.migrator] {
        migrations
            .run(owner)
            .await
            .map_err(|error| {
                let hint = match error {
                    MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_) => {
                        "; the data was made by a build with other migrations: go back to that build, or begin with a new database"
                    }
                    _ => "",
                };
                format!("the schema cannot be brought up to date: {error}{hint}")
            })?;
    }
    Ok(())
}

//! A service, its broker or its queues go away in running traffic, and come back: everything has arrived exactly once.

use std::fmt::Write as _;
use std::process::{Child, Command, Output, Stdio};

use proto::topology::follower_queue;
use servers::{Server, eventually};
use sqlx::PgPool;
use tests::Office;

/// Cases of the register that makes the traffic.
const CASES: usize = 150;

/// A register of many small cases in the town's words.
fn traffic(office: &Office) -> String {
    let mut text = String::from(
        "case_no,received,came_by,official,post,problem,closed_because,result,discipline\n",
    );
    for case in 0..CASES {
        let results = ["Untrue", "True", "Not provable", "True but proper"];
        for row in 0..=(case % 3) {
            writeln!(
                text,
                "F{case:04},2023-02-06,Letter,S{:04},clerk,Bribery,,{},",
                case % 40,
                results[(case + row) % results.len()]
            )
            .expect("a string takes everything");
        }
    }
    let path = office.folder.path().join("traffic.csv");
    std::fs::write(&path, text).expect("the folder is ours");
    path.to_str().expect("a plain path").to_owned()
}

fn replay(office: &Office) -> Command {
    let register = traffic(office);
    let mut command = office.zm(&["replay", &register, "--map", "tests/registers/town.toml"]);
    command
        .args(["--concurrency", "8", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The journal holds at least this many rows of a type: the traffic is well under way.
async fn under_way(pool: &PgPool, event: &str, count: i64) {
    eventually("the traffic is under way", async || {
        let rows: i64 = sqlx::query_scalar("select count(*) from journal where type = $1")
            .bind(event)
            .fetch_one(pool)
            .await
            .expect("the database answers");
        rows >= count
    })
    .await;
}

async fn ended(replay: Child) -> Output {
    tokio::task::spawn_blocking(move || replay.wait_with_output())
        .await
        .expect("the thread ends")
        .expect("the replay ends")
}

/// Every figure is equal, and every public event of intake took effect in verification once and the other way round.
async fn arrived_exactly_once(office: &Office, replay: Output) {
    assert!(
        replay.status.success(),
        "{}{}",
        String::from_utf8_lossy(&replay.stdout),
        String::from_utf8_lossy(&replay.stderr)
    );
    let (intake, verification) = (
        office.superuser("intake").await,
        office.superuser("verification").await,
    );
    for (source, follower, told, effect) in [
        (&intake, &verification, "matter_opened", "case_opened"),
        (
            &verification,
            &intake,
            "case_concluded",
            "matter_case_state_recorded",
        ),
    ] {
        let mut told: Vec<uuid::Uuid> =
            sqlx::query_scalar("select event_id from journal where type = $1 order by event_id")
                .bind(told)
                .fetch_all(source)
                .await
                .expect("the database answers");
        let causes: Vec<uuid::Uuid> =
            sqlx::query_scalar("select cause from journal where type = $1 order by cause")
                .bind(effect)
                .fetch_all(follower)
                .await
                .expect("the database answers");
        assert!(told.len() >= CASES);
        told.sort();
        for event in &told {
            let effects = causes.iter().filter(|cause| *cause == event).count();
            assert_eq!(effects, 1, "{effect} of {event}");
        }
    }
    office.zm_json(&["journal", "verify"]);
    intake.close().await;
    verification.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_killed_in_running_traffic_comes_back_and_everything_arrives_exactly_once() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    let victim = services.remove("verification").expect("it runs");
    victim.kill();
    // Intake goes on meanwhile, also with what verification must hear of.
    let submitted = office.zm_json(&[
        "submit",
        "--not-identified",
        "a foreman",
        "--category",
        "bribery",
        "--narrative",
        "took an envelope",
    ]);
    let report = submitted["reportId"].as_str().expect("it was submitted");
    let accepted = office.zm_json(&["accept", report]);
    assert!(accepted["matterId"].is_string(), "{accepted}");
    services.insert("verification", office.start("verification").await);
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_stopped_in_running_traffic_drains_and_comes_back() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_concluded", 5).await;
    services.remove("verification").expect("it runs").stop();
    services.insert("verification", office.start("verification").await);
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn intake_killed_in_running_traffic_loses_nothing() {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    services.remove("intake").expect("it runs").kill();
    services.insert("intake", office.start("intake").await);
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_of_each_service_of_which_one_is_killed_carry_everything_once() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let _intake_two = office.start_another("intake").await;
    let verification_two = office.start_another("verification").await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    verification_two.kill();
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repair_brings_what_was_in_queues_that_were_deleted_half_way() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    office
        .vhost
        .delete_queue(&follower_queue("verification", "intake"));
    office
        .vhost
        .delete_queue(&follower_queue("intake", "verification"));
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_in_running_traffic_comes_back_and_nothing_is_lost() {
    let broker = OwnBroker::start();
    let office = Office::on(broker.server()).await;
    let _services = office.start_all().await;
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    broker.run(&["kill-broker"]);
    broker.run(&["start", "broker"]);
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
    drop(office);
}

/// A broker that this test may kill.
struct OwnBroker {
    folder: tempfile::TempDir,
}

impl OwnBroker {
    fn start() -> Self {
        let broker = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        broker.run(&["start", "broker"]);
        broker
    }

    /// `deploy/local/servers COMMAND FOLDER …`; what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(servers::variable("ZHENGMING_SERVERS"))
            .arg(arguments[0])
            .arg(self.folder.path())
            .args(&arguments[1..])
            .stdin(Stdio::null())
            .output()
            .expect("the script runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        told
    }

    fn server(&self) -> Server {
        let told = self.run(&["env"]);
        let value = |name: &str| {
            let prefix = format!("export {name}='");
            told.lines()
                .find_map(|line| line.strip_prefix(&prefix))
                .and_then(|rest| rest.strip_suffix('\''))
                .unwrap_or_else(|| panic!("no {name} in {told}"))
                .to_owned()
        };
        Server::at(
            &value("ZHENGMING_ADMIN_AMQP_URL"),
            &value("ZHENGMING_MANAGEMENT_URL"),
        )
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}

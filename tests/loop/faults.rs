//! A service, its broker or its queues go away in running traffic, and come back: everything has arrived exactly once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::{Child, Command, Output, Stdio};

use proto::topology::{FOLLOWS, SERVICES, follower_queue};
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
            let result = results[(case + row) % results.len()];
            let discipline = if result == "True" { "Warning" } else { "" };
            let person = case % 40;
            writeln!(
                text,
                "F{case:04},2023-02-06,Letter,S{person:04},clerk,Bribery,,{result},{discipline}"
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
pub(crate) async fn under_way(pool: &PgPool, event: &str, count: i64) {
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

/// What is told, and what must come of it where it is heard: source, event, follower, effect, and how many there are at least.
const HEARD: [(&str, &str, &str, &str, usize); 8] = [
    (
        "intake",
        "matter_opened",
        "verification",
        "case_opened",
        CASES,
    ),
    (
        "intake",
        "matter_opened",
        "clarification",
        "matter_learned",
        CASES,
    ),
    (
        "verification",
        "case_concluded",
        "intake",
        "matter_case_state_recorded",
        CASES,
    ),
    (
        "verification",
        "case_concluded",
        "clarification",
        "conclusion_learned",
        CASES,
    ),
    (
        "verification",
        "sanction_recorded",
        "follow_up",
        "sanction_followed",
        50,
    ),
    (
        "clarification",
        "clarification_carried_out",
        "follow_up",
        "aftercare_added",
        30,
    ),
    (
        "clarification",
        "clarification_carried_out",
        "intake",
        "matter_clarification_recorded",
        30,
    ),
    (
        "follow_up",
        "visit_recorded",
        "clarification",
        "integrity_entered",
        30,
    ),
];

/// Every figure is equal, and every public event took effect once with each of those who follow it.
async fn arrived_exactly_once(office: &Office, replay: Output) {
    assert!(
        replay.status.success(),
        "{}{}",
        String::from_utf8_lossy(&replay.stdout),
        String::from_utf8_lossy(&replay.stderr)
    );
    for (source, told, follower, effect, least) in HEARD {
        let of_source = office.superuser(source).await;
        let events: Vec<uuid::Uuid> =
            sqlx::query_scalar("select event_id from journal where type = $1")
                .bind(told)
                .fetch_all(&of_source)
                .await
                .expect("the database answers");
        of_source.close().await;
        let of_follower = office.superuser(follower).await;
        let causes: Vec<uuid::Uuid> =
            sqlx::query_scalar("select cause from journal where type = $1 and cause is not null")
                .bind(effect)
                .fetch_all(&of_follower)
                .await
                .expect("the database answers");
        of_follower.close().await;
        assert!(events.len() >= least, "{} {told}", events.len());
        for event in &events {
            let effects = causes.iter().filter(|cause| *cause == event).count();
            assert_eq!(effects, 1, "{effect} of {told} {event}");
        }
    }
    ledgers_have_no_gaps(office).await;
    office.zm_json(&["journal", "verify"]);
}

/// The numbers of every unit's ledger of a year run from 1 without gaps, and every name that was cleared has one.
pub(crate) async fn ledgers_have_no_gaps(office: &Office) {
    let pool = office.superuser("clarification").await;
    let entered: Vec<serde_json::Value> = sqlx::query_scalar(
        "select convert_from(data, 'UTF8')::jsonb from journal where type = 'ledger_entered' order by aggregate, sequence",
    )
    .fetch_all(&pool)
    .await
    .expect("the database answers");
    let carried_out: i64 =
        sqlx::query_scalar("select count(*) from journal where type = 'clarification_carried_out'")
            .fetch_one(&pool)
            .await
            .expect("the database answers");
    pool.close().await;
    let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let (mut occasions, mut cleared) = (BTreeSet::new(), 0);
    for entry in &entered {
        let number = &entry["number"];
        let ledger = format!("{} {}", number["unit"], number["year"]);
        let number = number["number"].as_i64().expect("a number");
        numbers.entry(ledger).or_default().push(number);
        let occasion = &entry["wanted"]["occasion"];
        cleared += i64::from(occasion["what"] == "carried_out");
        occasions.insert(occasion.to_string());
    }
    for (ledger, numbers) in &numbers {
        assert!(
            numbers.iter().copied().eq(1..=numbers.len() as i64),
            "{ledger}: {numbers:?}"
        );
    }
    assert_eq!(cleared, carried_out, "each name that was cleared");
    assert_eq!(occasions.len(), entered.len(), "nothing twice");
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

/// A service is killed when the traffic has come to an event of its own, and comes back.
async fn killed_at(service: &'static str, event: &str) {
    let office = Office::new().await;
    let mut services = office.start_all().await;
    let pool = office.superuser(service).await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, event, 3).await;
    services.remove(service).expect("it runs").kill();
    services.insert(service, office.start(service).await);
    let told = ended(running).await;
    arrived_exactly_once(&office, told).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clarification_killed_while_names_are_cleared_loses_nothing() {
    killed_at("clarification", "clarification_carried_out").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_up_killed_while_files_open_loses_nothing() {
    killed_at("follow_up", "file_opened").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_killed_while_names_are_cleared_goes_on_where_it_was() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let pool = office.superuser("clarification").await;
    for event in [
        "opinion_recorded",
        "statement_drafted",
        "clarification_carried_out",
    ] {
        let mut running = replay(&office).spawn().expect("zm is built");
        under_way(&pool, event, 7).await;
        running.kill().expect("it is ours");
        running.wait().expect("it is ours");
    }
    let told = replay(&office).output().expect("zm is built");
    arrived_exactly_once(&office, told).await;
    let again = replay(&office).output().expect("zm is built");
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(again["commands"], 0, "{again:#}");
    assert_eq!(again["equal"], true, "{again:#}");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_of_each_service_of_which_one_is_killed_carry_everything_once() {
    let office = Office::new().await;
    let _services = office.start_all().await;
    let mut seconds = BTreeMap::new();
    for service in SERVICES {
        seconds.insert(*service, office.start_another(service).await);
    }
    let pool = office.superuser("verification").await;
    let running = replay(&office).spawn().expect("zm is built");
    under_way(&pool, "case_opened", 20).await;
    for service in ["verification", "clarification"] {
        seconds.remove(service).expect("it runs").kill();
    }
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
    for follow in FOLLOWS {
        let queue = follower_queue(follow.consumer, follow.source);
        office.vhost.delete_queue(&queue);
    }
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

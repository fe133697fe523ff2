//! A whole office for a test or a benchmark: the real binaries as processes, with a database, a virtual host and keys of
//! their own, on the servers that `tests/run` started.

pub mod docket;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use proto::topology::{SERVICES, TABLE};
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;
use zm::client::{Office as Client, Person};

use servers::{Server, Vhost, eventually, variable};

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// A program of this workspace, as `tests/run` built it.
pub fn program(name: &str) -> PathBuf {
    PathBuf::from(variable("ZHENGMING_BIN_DIR")).join(name)
}

/// An office with all services; none of them runs yet.
pub struct Office {
    database: String,
    /// Its virtual host at the broker.
    pub vhost: Vhost,
    /// Its folder: keys, logs, `zm.toml`.
    pub folder: TempDir,
    amqp: BTreeMap<&'static str, String>,
    ports: BTreeMap<&'static str, u16>,
    settings: BTreeMap<String, String>,
}

/// A running process of a service.
pub struct Process {
    child: Child,
    log: PathBuf,
    name: &'static str,
}

impl Process {
    /// Ends it at once, as a crash would: SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("the process was ours");
    }

    /// Asks it to drain, and waits for that: SIGTERM.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(asked.is_ok_and(|status| status.success()));
        let status = self.child.wait().expect("the process was ours");
        assert!(
            status.success(),
            "{} ended with {status}: {}",
            self.name,
            self.told()
        );
    }

    /// The end of its log.
    pub fn told(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Its resident memory in KiB, from `/proc`.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|kib| kib.parse().ok())
            .unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Where a test failed, or did not care.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.name, self.told());
        }
    }
}

impl Office {
    /// On the servers of the environment.
    pub async fn new() -> Self {
        Self::on(Server::of_the_environment()).await
    }

    /// On a broker of its own.
    pub async fn on(broker: Server) -> Self {
        let database = format!("office_{}", Uuid::new_v4().simple());
        let admin = PgPool::connect(&variable("ZHENGMING_ADMIN_DATABASE_URL"))
            .await
            .expect("the test database server answers");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {database}")))
            .execute(&admin)
            .await
            .expect("a database can be made");
        admin.close().await;

        let folder = tempfile::tempdir().expect("a temporary folder");
        zm::keys::make(&folder.path().join("keys"), SERVICES).expect("keys can be made");
        let mut vhost = Vhost::on(broker, &TABLE);
        let amqp = SERVICES
            .iter()
            .map(|name| (*name, vhost.user(&TABLE.service_permissions(name))))
            .collect();
        let ports = SERVICES
            .iter()
            .map(|name| {
                let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
                (*name, free.local_addr().expect("it is bound").port())
            })
            .collect();
        let office = Self {
            database,
            vhost,
            folder,
            amqp,
            ports,
            settings: BTreeMap::new(),
        };
        for service in SERVICES {
            office.provision(service);
        }
        office.write_config();
        office
    }

    fn provision(&self, service: &'static str) {
        let psql = std::env::var("ZHENGMING_PSQL").unwrap_or_else(|_| "psql".to_owned());
        let made = Command::new(psql)
            .args(["-q", "-v"])
            .arg(format!("service={service}"))
            .args(["-v", "owner_password=secret", "-v", "password=secret", "-f"])
            .arg(workspace().join("deploy/postgres/service.sql"))
            .arg(self.admin_url())
            .output();
        succeeded("psql", made);
        let migrated = Command::new(program(service))
            .arg("migrate")
            .env(
                "ZHENGMING_OWNER_DATABASE_URL",
                self.database_url(&format!("{service}_owner")),
            )
            .env("ZHENGMING_LOG", "warn")
            .output();
        succeeded(service, migrated);
    }

    fn write_config(&self) {
        let services: String = self
            .ports
            .iter()
            .map(|(name, port)| format!("{name} = \"http://127.0.0.1:{port}\"\n"))
            .collect();
        let text = format!("key = \"keys/actors.pem\"\n[services]\n{services}");
        std::fs::write(self.config(), text).expect("the folder is ours");
    }

    /// Sets a variable for every service that is started from now on.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.settings.insert(variable.to_owned(), value.to_owned());
    }

    /// Its `zm.toml`.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("zm.toml")
    }

    fn admin_url(&self) -> String {
        let admin = variable("ZHENGMING_ADMIN_DATABASE_URL");
        let (server, _) = admin.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{}", self.database)
    }

    fn database_url(&self, role: &str) -> String {
        let admin = self.admin_url();
        let (_, server) = admin.split_once('@').expect("a URL with a user");
        format!("postgres://{role}:secret@{server}")
    }

    /// A superuser's connections, whose search path is a service's schema.
    pub async fn superuser(&self, service: &str) -> PgPool {
        let url = format!("{}?options[search_path]={service}", self.admin_url());
        PgPool::connect(&url).await.expect("the database is there")
    }

    /// Starts the replica of a service that others reach, and waits until it is healthy.
    pub async fn start(&self, service: &'static str) -> Process {
        let port = self.ports[service];
        self.start_at(service, port).await
    }

    /// Starts one more replica, which nobody calls.
    pub async fn start_another(&self, service: &'static str) -> Process {
        self.start_another_at(service).await.0
    }

    /// Starts one more replica; also where it listens.
    pub async fn start_another_at(&self, service: &'static str) -> (Process, String) {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let process = self.start_at(service, port).await;
        (process, format!("http://127.0.0.1:{port}"))
    }

    async fn start_at(&self, service: &'static str, port: u16) -> Process {
        let keys = self.folder.path().join("keys");
        let log = self
            .folder
            .path()
            .join(format!("{service}-{}.log", Uuid::new_v4().simple()));
        let out = File::create(&log).expect("the folder is ours");
        let mut command = Command::new(program(service));
        command
            .arg("serve")
            .env("ZHENGMING_DATABASE_URL", self.database_url(service))
            .env("ZHENGMING_AMQP_URL", &self.amqp[service])
            .env("ZHENGMING_GRPC_LISTEN", format!("127.0.0.1:{port}"))
            .env("ZHENGMING_JWKS", keys.join("jwks.json"))
            .env("ZHENGMING_SIGNING_KEY", keys.join(format!("{service}.pem")))
            .env("ZHENGMING_SECRETS_KEY", keys.join("secrets.key"))
            .env("ZHENGMING_POLICY", workspace().join("deploy/policy"))
            .env("ZHENGMING_FONTS", variable("ZHENGMING_FONTS"))
            .env("ZHENGMING_LOG", "info")
            .env("ZHENGMING_LOG_FORMAT", "pretty")
            .envs(&self.settings)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out);
        for (name, port) in &self.ports {
            let variable = format!("ZHENGMING_PEER_{}", name.to_uppercase().replace('-', "_"));
            command.env(variable, format!("http://127.0.0.1:{port}"));
        }
        let child = command.spawn().expect("the program is built");
        let mut process = Process {
            child,
            log,
            name: service,
        };
        let url = format!("http://127.0.0.1:{port}");
        eventually("the service is healthy", async || {
            if let Ok(Some(status)) = process.child.try_wait() {
                panic!("{service} ended with {status}: {}", process.told());
            }
            healthy(&url).await
        })
        .await;
        process
    }

    /// Starts every service.
    pub async fn start_all(&self) -> BTreeMap<&'static str, Process> {
        let mut processes = BTreeMap::new();
        for service in SERVICES {
            processes.insert(*service, self.start(service).await);
        }
        processes
    }

    /// Starts one more replica of every service; also the office as a client sees it who reaches these.
    pub async fn start_all_again(&self) -> (Vec<Process>, Client) {
        let (mut processes, mut addresses) = (Vec::new(), BTreeMap::new());
        for service in SERVICES {
            let (process, url) = self.start_another_at(service).await;
            processes.push(process);
            addresses.insert((*service).to_owned(), url);
        }
        let client = Client::at(&addresses).expect("addresses of the loopback");
        (processes, client)
    }

    /// Where a service that others reach listens.
    pub fn url(&self, service: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[service])
    }

    /// The office as a client sees it.
    pub fn client(&self) -> Client {
        Client::at(&self.addresses()).expect("addresses of the loopback")
    }

    /// The office as a client sees it who reaches a service elsewhere.
    pub fn client_at(&self, service: &str, url: String) -> Client {
        let mut addresses = self.addresses();
        addresses.insert(service.to_owned(), url);
        Client::at(&addresses).expect("addresses of the loopback")
    }

    fn addresses(&self) -> BTreeMap<String, String> {
        let names = self.ports.keys();
        names
            .map(|name| ((*name).to_owned(), self.url(name)))
            .collect()
    }

    /// Somebody with a role, at the root unit.
    pub fn person(&self, id: &str, role: office::Role) -> Person {
        self.person_at(id, role, "N")
    }

    /// Somebody with a role, at a unit.
    pub fn person_at(&self, id: &str, role: office::Role, unit: &str) -> Person {
        let pem = std::fs::read_to_string(self.folder.path().join("keys/actors.pem"))
            .expect("the key was made");
        let signer = chassis::token::Signer::from_pem(chassis::token::ACTORS_KEY, &pem)
            .expect("the key is one");
        let actor = office::Actor {
            id: id.parse().expect("an actor id"),
            unit: unit.parse().expect("a unit code"),
            department: None,
            roles: [role].into(),
            on_behalf_of: None,
        };
        zm::client::minted(&signer, actor).expect("a token can be minted")
    }

    /// A `zm` command for this office.
    pub fn zm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("zm"));
        command
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .current_dir(workspace())
            .stdin(Stdio::null());
        command
    }

    /// Runs a `zm` command that must succeed; what it printed as JSON.
    pub fn zm_json(&self, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let output = succeeded("zm", self.zm(&arguments).output());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
    }

    /// Runs a `zm` command to which the answer must be no; what it said.
    pub fn zm_refused(&self, arguments: &[&str]) -> String {
        let ran = self.zm(arguments).output();
        let ran = ran.unwrap_or_else(|error| panic!("zm does not run: {error}"));
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {told}");
        told
    }
}

fn succeeded(what: &str, ran: std::io::Result<Output>) -> Output {
    let output = ran.unwrap_or_else(|error| panic!("{what} does not run: {error}"));
    assert!(
        output.status.success(),
        "{what}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

async fn healthy(url: &str) -> bool {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    let Ok(endpoint) = tonic::transport::Endpoint::new(url.to_owned()) else {
        return false;
    };
    let Ok(channel) = endpoint.connect().await else {
        return false;
    };
    HealthClient::new(channel)
        .check(tonic_health::pb::HealthCheckRequest::default())
        .await
        .is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}

impl Drop for Office {
    fn drop(&mut self) {
        let psql = std::env::var("ZHENGMING_PSQL").unwrap_or_else(|_| "psql".to_owned());
        let sql = format!("drop database if exists {} with (force)", self.database);
        let dropped = Command::new(psql)
            .args(["-q", "-c", &sql, &variable("ZHENGMING_ADMIN_DATABASE_URL")])
            .output();
        assert!(
            std::thread::panicking() || dropped.is_ok_and(|output| output.status.success()),
            "the database stays"
        );
    }
}

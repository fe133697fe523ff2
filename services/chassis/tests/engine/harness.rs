//! Replicas of the toy office in this process, each with connections of its own, on real servers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use chassis::Front;
use chassis::config::{Config, Equipped, JwksSource, SecretUrl};
use chassis::secrets::Secrets;
use chassis::telemetry::{LogFormat, Logging};
use chassis::token::{Audience, Jwks, Signer, jwk};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use office::{Actor, Role};
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::common::{Vhost, variable};
use crate::toy::{self, Add, Answer, TOPOLOGY, Toy};

/// A database with the schemas of both services, a virtual host, and keys.
pub(crate) struct Town {
    database: String,
    pub(crate) vhost: Vhost,
    folder: TempDir,
    ports: BTreeMap<&'static str, u16>,
}

/// One process's worth of a service.
pub(crate) struct Replica {
    pub(crate) front: Front,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), String>>,
}

impl Replica {
    /// Drains it.
    pub(crate) async fn stop(self) {
        let Self { front, stop, ended } = self;
        drop(front);
        stop.cancel();
        ended.await.unwrap().unwrap();
    }

    pub(crate) async fn add(
        &self,
        tally: Uuid,
        amount: i64,
        request_id: Uuid,
    ) -> Result<Answer, chassis::refusal::Refusal> {
        let request = Add {
            request_id: request_id.to_string(),
            tally: tally.to_string(),
            amount,
            note: String::new(),
        };
        self.ask(request).await
    }

    /// Adds as from the queue of commands: a refusal or "already so" is kept for redeliveries.
    pub(crate) async fn add_by_queue(
        &self,
        tally: Uuid,
        amount: i64,
        request_id: Uuid,
    ) -> Result<Answer, chassis::refusal::Refusal> {
        let request = Add {
            request_id: request_id.to_string(),
            tally: tally.to_string(),
            amount,
            note: String::new(),
        };
        self.front.handle::<Toy, Add>(request, adder(), true).await
    }

    pub(crate) async fn ask(&self, request: Add) -> Result<Answer, chassis::refusal::Refusal> {
        self.front.handle::<Toy, Add>(request, adder(), false).await
    }
}

/// Somebody who may add.
pub(crate) fn adder() -> Actor {
    Actor {
        id: "adder-1".parse().unwrap(),
        unit: office::Policies::shipped()
            .unwrap()
            .units()
            .root()
            .code
            .clone(),
        department: None,
        roles: [Role::Automation].into(),
        on_behalf_of: None,
    }
}

/// The key that signs actors' tokens.
const ACTORS: &str = "actors";
const SERVICES: [&str; 2] = ["toy", "mirror"];

impl Town {
    pub(crate) async fn new() -> Self {
        let database = format!("town_{}", Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&variable("ZHENGMING_ADMIN_DATABASE_URL"))
            .await
            .unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {database}")))
            .execute(&mut admin)
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut keys = Vec::new();
        for (name, kid) in [
            ("toy", "service:toy"),
            ("mirror", "service:mirror"),
            (ACTORS, ACTORS),
        ] {
            let key = SigningKey::from_bytes(&chassis::time::random_bytes());
            let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
            std::fs::write(folder.path().join(name), pem.as_bytes()).unwrap();
            keys.push(jwk(kid, &pem).unwrap());
        }
        let jwks = serde_json::to_string(&Jwks { keys }).unwrap();
        std::fs::write(folder.path().join("jwks.json"), jwks).unwrap();
        let mut ports = BTreeMap::new();
        for name in SERVICES {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            ports.insert(name, listener.local_addr().unwrap().port());
        }
        let town = Self {
            database,
            vhost: Vhost::new(&TOPOLOGY),
            folder,
            ports,
        };
        for name in SERVICES {
            town.provision(name);
            let owner = PgPool::connect(&town.database_url(&format!("{name}_owner")))
                .await
                .unwrap();
            let blueprint = if name == "toy" {
                toy::toy()
            } else {
                toy::mirror()
            };
            chassis::migrate(&blueprint, &owner).await.unwrap();
            owner.close().await;
        }
        town
    }

    fn provision(&self, service: &str) {
        let script =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/postgres/service.sql");
        let run = Command::new(std::env::var("ZHENGMING_PSQL").unwrap_or_else(|_| "psql".into()))
            .args(["-q", "-v"])
            .arg(format!("service={service}"))
            .args(["-v", "owner_password=secret", "-v", "password=secret", "-f"])
            .arg(script)
            .arg(self.admin_url())
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }

    /// The superuser in this town's database.
    pub(crate) fn admin_url(&self) -> String {
        let admin = variable("ZHENGMING_ADMIN_DATABASE_URL");
        let (server, _) = admin.rsplit_once('/').unwrap();
        format!("{server}/{}", self.database)
    }

    pub(crate) fn database_url(&self, role: &str) -> String {
        let admin = self.admin_url();
        let (_, server) = admin.split_once('@').unwrap();
        format!("postgres://{role}:secret@{server}")
    }

    /// A pool of the superuser, whose search path is a service's schema.
    pub(crate) async fn superuser(&self, service: &str) -> PgPool {
        let url = format!("{}?options[search_path]={service}", self.admin_url());
        PgPool::connect(&url).await.unwrap()
    }

    /// A pool as the role that runs.
    pub(crate) async fn pool(&self, role: &str) -> PgPool {
        PgPool::connect(&self.database_url(role)).await.unwrap()
    }

    fn config(&self, service: &'static str, port: u16) -> Config {
        let pem = std::fs::read_to_string(self.folder.path().join(service)).unwrap();
        Config {
            service: service.to_owned(),
            database_url: SecretUrl::new(self.database_url(service)),
            owner_database_url: None,
            database_connections: 8,
            answers_kept: Duration::from_secs(14 * 24 * 60 * 60),
            amqp_url: SecretUrl::new(self.vhost.url()),
            grpc_listen: ([127, 0, 0, 1], port).into(),
            metrics_listen: None,
            jwks: JwksSource::File(self.folder.path().join("jwks.json")),
            signer: Signer::of_service(service, &pem).unwrap(),
            secrets: Secrets::new([7; 32]),
            policy: PathBuf::new(),
            peers: self
                .ports
                .iter()
                .map(|(name, port)| {
                    let address = format!("http://127.0.0.1:{port}").parse().unwrap();
                    ((*name).to_owned(), address)
                })
                .collect(),
            equipment: Equipped::default(),
            logging: Logging {
                filter: "info".to_owned(),
                format: LogFormat::Pretty,
                otlp_endpoint: None,
            },
        }
    }

    /// The adder's token for a queue; one that is past its time if `expired`.
    pub(crate) fn queue_token(&self, lifetime: Duration, expired: bool) -> String {
        let pem = std::fs::read_to_string(self.folder.path().join(ACTORS)).unwrap();
        let signer = Signer::from_pem(ACTORS, &pem).unwrap();
        let mut now = chassis::time::real_now();
        if expired {
            now = now - lifetime - Duration::from_secs(60);
        }
        signer
            .mint(&adder(), Audience::Queue, now, lifetime)
            .unwrap()
    }

    /// A token for a call by somebody with this role alone.
    pub(crate) fn token(&self, role: Role) -> String {
        let pem = std::fs::read_to_string(self.folder.path().join(ACTORS)).unwrap();
        let actor = Actor {
            id: format!("{role}-1").parse().unwrap(),
            roles: [role].into(),
            ..adder()
        };
        let signer = Signer::from_pem(ACTORS, &pem).unwrap();
        let (now, minute) = (chassis::time::real_now(), Duration::from_secs(60));
        signer.mint(&actor, Audience::Call, now, minute).unwrap()
    }

    /// A token for a call by a service.
    pub(crate) fn service_token(&self, service: &str) -> String {
        let pem = std::fs::read_to_string(self.folder.path().join(service)).unwrap();
        let signer = Signer::of_service(service, &pem).unwrap();
        let (now, minute) = (chassis::time::real_now(), Duration::from_secs(60));
        let actor = Actor::service(service, None);
        signer.mint(&actor, Audience::Call, now, minute).unwrap()
    }

    /// From now on nobody can ask this service.
    pub(crate) fn hide(&mut self, service: &str) {
        self.ports.remove(service);
    }

    /// From now on others ask this service here, and not where it listens.
    pub(crate) async fn front_door(&mut self, service: &'static str) -> TcpListener {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.ports
            .insert(service, door.local_addr().unwrap().port());
        door
    }

    /// Where the replica that other services reach listens.
    pub(crate) fn address(&self, service: &'static str) -> String {
        format!("http://127.0.0.1:{}", self.ports[service])
    }

    /// The replica that other services reach.
    pub(crate) async fn start(&self, service: &'static str) -> Replica {
        self.start_at(service, self.ports[service]).await
    }

    /// One more replica.
    pub(crate) async fn start_another(&self, service: &'static str) -> Replica {
        self.start_at(service, 0).await
    }

    async fn start_at(&self, service: &'static str, port: u16) -> Replica {
        let config = self.config(service, port);
        let blueprint = if service == "toy" {
            toy::toy()
        } else {
            toy::mirror()
        };
        let stop = CancellationToken::new();
        let (told, front) = oneshot::channel();
        let ended = tokio::spawn(chassis::serve(
            blueprint,
            config,
            toy::policies(),
            stop.clone(),
            |_, front| {
                let _ = told.send(front.clone());
            },
        ));
        let Ok(front) = front.await else {
            panic!("{service} does not start: {:?}", ended.await);
        };
        Replica { front, stop, ended }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        let url = variable("ZHENGMING_ADMIN_DATABASE_URL");
        let sql = format!("drop database if exists {} with (force)", self.database);
        let run = Command::new(std::env::var("ZHENGMING_PSQL").unwrap_or_else(|_| "psql".into()))
            .args(["-q", "-c", &sql, &url])
            .output();
        assert!(std::thread::panicking() || run.is_ok_and(|run| run.status.success()));
    }
}

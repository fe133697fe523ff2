//! The real servers for tests: each test gets a database and a virtual host of its own, and both go with it.
//!
//! `tests/run` says in the environment where the servers are; by hand: `deploy/local/servers start DIR --fast`, then
//! `eval "$(deploy/local/servers env DIR)"`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::env;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proto::topology::{Permissions, Topology};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{Instant, interval};
use uuid::Uuid;

/// As long as anything here may take on a slow and busy machine: a broker that comes back may let two attempts to connect
/// run into their limits of 15 s each before it answers.
pub const BOUND: Duration = Duration::from_secs(120);

/// Waits until `condition` holds. Fails with `what` when that takes too long.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + BOUND;
    let mut look = interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        if condition().await {
            return;
        }
        assert!(Instant::now() < end, "not within {BOUND:?}: {what}");
    }
}

/// Awaits what must come within the bound.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, future).await {
        Ok(value) => value,
        Err(_) => panic!("not within {BOUND:?}: {what}"),
    }
}

/// A variable that `tests/run` sets.
pub fn variable(name: &str) -> String {
    env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set; `tests/run` starts the servers and sets it"))
}

/// The chassis's tables.
pub const TABLES: &str = include_str!("../../../services/chassis/migrations/0001_chassis.sql");

/// A database of its own with the chassis's tables.
pub struct Database {
    name: String,
}

impl Database {
    /// Makes one.
    pub async fn new() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&variable("ZHENGMING_ADMIN_DATABASE_URL"))
            .await
            .unwrap();
        let create = format!("create database {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&mut admin)
            .await
            .unwrap();
        let database = Self { name };
        let mut owner = PgConnection::connect_with(&database.options())
            .await
            .unwrap();
        sqlx::raw_sql(TABLES).execute(&mut owner).await.unwrap();
        database
    }

    /// How to connect to it, as the administrator.
    pub fn options(&self) -> PgConnectOptions {
        let admin: PgConnectOptions = variable("ZHENGMING_ADMIN_DATABASE_URL").parse().unwrap();
        admin.database(&self.name)
    }

    /// A pool of its own, as another process would have.
    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(4)
            .connect_with(self.options())
            .await
            .unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("drop database if exists {} with (force)", self.name);
        let url = variable("ZHENGMING_ADMIN_DATABASE_URL");
        // A thread of its own, because a runtime cannot be entered from within another.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async {
                    let mut admin = PgConnection::connect(&url).await?;
                    sqlx::raw_sql(sqlx::AssertSqlSafe(drop))
                        .execute(&mut admin)
                        .await
                })
        });
        let dropped = dropped.join();
        assert!(
            std::thread::panicking() || matches!(dropped, Ok(Ok(_))),
            "the database stays: {dropped:?}"
        );
    }
}

/// Where a broker is, and how to administer it.
#[derive(Clone)]
pub struct Server {
    amqp: String,
    management: String,
}

impl Server {
    /// The one that `tests/run` started.
    pub fn of_the_environment() -> Self {
        Self::at(
            &variable("ZHENGMING_ADMIN_AMQP_URL"),
            &variable("ZHENGMING_MANAGEMENT_URL"),
        )
    }

    /// One at these addresses, each with an administrator in it.
    pub fn at(amqp: &str, management: &str) -> Self {
        Self {
            amqp: amqp.to_owned(),
            management: management.to_owned(),
        }
    }

    /// The address of the broker for a user and virtual host.
    fn address(&self, user: Option<&str>, vhost: &str) -> String {
        let (credentials, host) = self
            .amqp
            .trim_start_matches("amqp://")
            .split_once('@')
            .unwrap();
        let host = host.split('/').next().unwrap();
        format!("amqp://{}@{host}/{vhost}", user.unwrap_or(credentials))
    }

    /// Asks the management interface. `None` if there is no such thing.
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Option<Value> {
        let (credentials, host) = self
            .management
            .trim_start_matches("http://")
            .split_once('@')
            .unwrap();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}/api/{path}", host.trim_end_matches('/')))
            .header(
                "authorization",
                format!("Basic {}", STANDARD.encode(credentials)),
            )
            .header("content-type", "application/json")
            .body(body.map(|body| body.to_string()).unwrap_or_default())
            .unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut response = agent.run(request).unwrap();
        let status = response.status();
        let text = response.body_mut().read_to_string().unwrap();
        if status.as_u16() == 404 {
            return None;
        }
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        Some(if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        })
    }
}

/// A virtual host of its own, with the policies of a table.
pub struct Vhost {
    /// The broker it lies on.
    pub server: Server,
    /// Its name.
    pub name: String,
    users: Vec<String>,
}

impl Vhost {
    /// On the broker of the environment.
    pub fn new(topology: &Topology) -> Self {
        Self::on(Server::of_the_environment(), topology)
    }

    /// On this broker.
    pub fn on(server: Server, topology: &Topology) -> Self {
        let name = format!("test-{}", Uuid::new_v4().simple());
        server.ask("PUT", &format!("vhosts/{name}"), Some(json!({})));
        let admin = server
            .amqp
            .trim_start_matches("amqp://")
            .split(':')
            .next()
            .unwrap()
            .to_owned();
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        server.ask("PUT", &format!("permissions/{name}/{admin}"), Some(all));
        let vhost = Self {
            server,
            name,
            users: Vec::new(),
        };
        for policy in topology.policies() {
            let definition = json!({
                "dead-letter-exchange": policy.dead_letter_exchange,
                "dead-letter-routing-key": policy.dead_letter_routing_key,
            });
            vhost.policy(&policy.name, &policy.pattern, definition, 0);
        }
        vhost
    }

    /// The address for the administrator.
    pub fn url(&self) -> String {
        self.server.address(None, &self.name)
    }

    /// Sets a policy on queues.
    pub fn policy(&self, name: &str, pattern: &str, definition: Value, priority: u8) {
        let body = json!({"pattern": pattern, "apply-to": "queues", "definition": definition, "priority": priority});
        self.server
            .ask("PUT", &format!("policies/{}/{name}", self.name), Some(body));
    }

    /// Takes a policy away.
    pub fn remove_policy(&self, name: &str) {
        self.server
            .ask("DELETE", &format!("policies/{}/{name}", self.name), None);
    }

    /// A user with these permissions; its address.
    pub fn user(&mut self, permissions: &Permissions) -> String {
        let name = format!("user-{}", Uuid::new_v4().simple());
        let (server, vhost) = (&self.server, &self.name);
        server.ask(
            "PUT",
            &format!("users/{name}"),
            Some(json!({"password": "secret", "tags": ""})),
        );
        let Permissions {
            configure,
            write,
            read,
            topics,
        } = permissions;
        let rights = json!({"configure": configure, "write": write, "read": read});
        server.ask("PUT", &format!("permissions/{vhost}/{name}"), Some(rights));
        for topic in topics {
            let rights =
                json!({"exchange": topic.exchange, "write": topic.write, "read": topic.read});
            server.ask(
                "PUT",
                &format!("topic-permissions/{vhost}/{name}"),
                Some(rights),
            );
        }
        self.users.push(name.clone());
        self.server
            .address(Some(&format!("{name}:secret")), &self.name)
    }

    /// A queue as the management interface sees it; `None` if there is none.
    pub fn queue(&self, name: &str) -> Option<Value> {
        self.server
            .ask("GET", &format!("queues/{}/{name}", self.name), None)
    }

    /// Whether a queue is there and an exchange leads to it. A queue alone takes nothing: it is declared before it is
    /// bound, and what is published in between is dropped.
    pub fn takes_messages(&self, queue: &str) -> bool {
        let path = format!("queues/{}/{queue}/bindings", self.name);
        let bindings = self.server.ask("GET", &path, None);
        let from_an_exchange = |binding: &Value| {
            binding["source"]
                .as_str()
                .is_some_and(|source| !source.is_empty())
        };
        bindings
            .iter()
            .filter_map(Value::as_array)
            .flatten()
            .any(from_an_exchange)
    }

    /// Deletes a queue with all that is in it.
    pub fn delete_queue(&self, name: &str) {
        self.server
            .ask("DELETE", &format!("queues/{}/{name}", self.name), None);
    }

    /// How many messages of a queue nobody has taken. Asked of the queue itself: statistics lag by seconds.
    pub async fn depth(&self, queue: &str) -> u32 {
        let connection = lapin::Connection::connect(&self.url(), Default::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = lapin::options::QueueDeclareOptions {
            passive: true,
            durable: true,
            ..Default::default()
        };
        let depth = match channel
            .queue_declare(queue.into(), options, Default::default())
            .await
        {
            Ok(queue) => queue.message_count(),
            Err(_) => 0,
        };
        connection.close(200, "done".into()).await.unwrap();
        depth
    }

    /// Breaks every connection whose name ends so, as an operator would.
    pub fn break_connections(&self, ending: &str) -> usize {
        let connections =
            self.server
                .ask("GET", &format!("vhosts/{}/connections", self.name), None);
        let named = |connection: &Value| {
            let told = connection["client_properties"]["connection_name"]
                .as_str()
                .unwrap_or_default();
            told.ends_with(ending)
                .then(|| connection["name"].as_str().unwrap().to_owned())
        };
        let names: Vec<_> = connections
            .iter()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(named)
            .collect();
        for name in &names {
            let path = format!(
                "connections/{}",
                name.replace(' ', "%20").replace('>', "%3E")
            );
            self.server.ask("DELETE", &path, None);
        }
        names.len()
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        let removed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.server
                .ask("DELETE", &format!("vhosts/{}", self.name), None);
            for user in &self.users {
                self.server.ask("DELETE", &format!("users/{user}"), None);
            }
        }));
        assert!(
            std::thread::panicking() || removed.is_ok(),
            "the virtual host stays"
        );
    }
}

/// Takes the value, or fails with what else was there.
pub fn only<T: Debug>(mut values: Vec<T>) -> T {
    assert_eq!(values.len(), 1, "{values:?}");
    values.remove(0)
}

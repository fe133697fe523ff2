//! The configuration of a service: environment variables `ZHENGMING_…`, and an optional TOML file named by
//! `ZHENGMING_CONFIG` with the same names in lower case and without the prefix (`grpc_listen = "0.0.0.0:50051"`). A
//! variable wins over the file.
//!
//! Everything is checked at start and all faults are told at once, each with what to do, so that nobody mends one only
//! to meet the next. Keys are read here too, for the same reason. To add a setting: its field, its line in
//! [`Config::read`], its name in [`NAMES`], and its line in the README; of one service alone, an [`Equipment`].
//!
//! The trap: a fault never repeats a value, since an address may hold a password.

mod address;
mod equipment;
mod fault;
mod jwks;
mod reading;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use tonic::transport::Uri;

pub use self::address::SecretUrl;
pub(crate) use self::equipment::WantedEquipment;
pub use self::equipment::{Equipment, Equipped};
pub use self::fault::{Fault, Faults};
pub use self::jwks::JwksSource;
use self::reading::Reading;
use crate::secrets::Secrets;
use crate::telemetry::{LogFormat, Logging};
use crate::token::Signer;

/// What every variable begins with.
pub const PREFIX: &str = "ZHENGMING_";
/// What the name of a peer's address begins with.
const PEER: &str = "peer_";
/// The names that a file may hold, beside the peers'.
const NAMES: [&str; 14] = [
    "database_url",
    "owner_database_url",
    "database_connections",
    "answers_kept_days",
    "amqp_url",
    "grpc_listen",
    "metrics_listen",
    "jwks",
    "signing_key",
    "secrets_key",
    "policy",
    "log",
    "log_format",
    "otlp_endpoint",
];

/// How a service runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// The service's name, such as `intake`.
    pub service: String,
    /// The database, as the role that runs.
    pub database_url: SecretUrl,
    /// The database, as the role that owns the schema; only some commands need it ([`OwnerConfig`]).
    pub owner_database_url: Option<SecretUrl>,
    /// The most connections to the database at once.
    pub database_connections: u32,
    /// How long answers of commands by queue are kept that left no row in the journal.
    pub answers_kept: Duration,
    /// The broker.
    pub amqp_url: SecretUrl,
    /// Where gRPC is served.
    pub grpc_listen: SocketAddr,
    /// Where Prometheus finds the metrics, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where the public keys are that tokens are checked against.
    pub jwks: JwksSource,
    /// The service's own key, for its own tokens.
    pub signer: Signer,
    /// The office's secret key, for keyed hashes.
    pub secrets: Secrets,
    /// The folder with the policy profiles and the units.
    pub policy: PathBuf,
    /// The other services' addresses, by name.
    pub peers: BTreeMap<String, Uri>,
    /// What the service has beside what all have.
    pub equipment: Equipped,
    /// Logs and traces.
    pub logging: Logging,
}

/// What `migrate` and `rebuild-views` need, and no more: a job that migrates has no keys and no broker.
#[derive(Clone, Debug)]
pub struct OwnerConfig {
    /// The service's name.
    pub service: String,
    /// The database, as the role that owns the schema.
    pub database_url: SecretUrl,
    /// Logs and traces.
    pub logging: Logging,
}

/// The variable that holds a setting.
pub fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.to_uppercase())
}

/// The variable that holds the address of a service.
pub fn peer_variable(service: &str) -> String {
    variable(&format!("{PEER}{service}"))
}

impl Config {
    /// Reads the configuration of a service from the environment and the file that it names.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub(crate) fn load(service: &str, wanted: &[WantedEquipment]) -> Result<Self, Faults> {
        let (figment, faults) = sources(wanted);
        Self::read(service, wanted, &figment, faults)
    }

    fn read(
        service: &str,
        wanted: &[WantedEquipment],
        figment: &Figment,
        known: Vec<Fault>,
    ) -> Result<Self, Faults> {
        let mut reading = Reading::new(figment, known);
        let database_url = reading
            .required("database_url", DATABASE)
            .and_then(|url| reading.postgres("database_url", url));
        let owner_database_url = reading.text("owner_database_url");
        let owner_database_url =
            owner_database_url.and_then(|url| reading.postgres("owner_database_url", url));
        let database_connections = reading.connections();
        let answers_kept = reading.answers_kept();
        let amqp_url = reading.amqp();
        let grpc_listen = reading.required("grpc_listen", LISTEN);
        let grpc_listen = grpc_listen.and_then(|text| reading.socket("grpc_listen", &text));
        let metrics_listen = reading.text("metrics_listen");
        let metrics_listen =
            metrics_listen.and_then(|text| reading.socket("metrics_listen", &text));
        let signer = reading.signer(service);
        let jwks = reading.jwks(service, signer.as_ref());
        let secrets = reading.secrets();
        let policy = reading.policy();
        let peers = reading.peers();
        let equipment = reading.equipment(wanted);
        let logging = reading.logging();

        match (
            database_url,
            amqp_url,
            grpc_listen,
            jwks,
            signer,
            secrets,
            policy,
            reading.done(),
        ) {
            (
                Some(database_url),
                Some(amqp_url),
                Some(grpc_listen),
                Some(jwks),
                Some(signer),
                Some(secrets),
                Some(policy),
                Ok(()),
            ) => Ok(Self {
                service: service.to_owned(),
                database_url,
                owner_database_url,
                database_connections,
                answers_kept,
                amqp_url,
                grpc_listen,
                metrics_listen,
                jwks,
                signer,
                secrets,
                policy,
                peers,
                equipment,
                logging,
            }),
            // Whatever is missing has left its fault.
            (.., told) => Err(told.err().unwrap_or_default()),
        }
    }
}

impl OwnerConfig {
    /// Reads what the owner's commands need.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(service: &str) -> Result<Self, Faults> {
        let (figment, faults) = sources(&[]);
        Self::read(service, &figment, faults)
    }

    fn read(service: &str, figment: &Figment, known: Vec<Fault>) -> Result<Self, Faults> {
        let mut reading = Reading::new(figment, known);
        let url = reading.required("owner_database_url", DATABASE);
        let url = url.and_then(|url| reading.postgres("owner_database_url", url));
        let logging = reading.logging();
        match (url, reading.done()) {
            (Some(database_url), Ok(())) => Ok(Self {
                service: service.to_owned(),
                database_url,
                logging,
            }),
            (_, told) => Err(told.err().unwrap_or_default()),
        }
    }
}

const DATABASE: &str =
    "give the PostgreSQL address, such as postgres://user:password@host:5432/database";
const LISTEN: &str = "give an address and a port, such as 0.0.0.0:50051";

/// The environment and the file, with what is wrong with the file.
fn sources(wanted: &[WantedEquipment]) -> (Figment, Vec<Fault>) {
    let variables = Env::prefixed(PREFIX);
    let (figment, faults) = match std::env::var(variable("config"))
        .ok()
        .filter(|path| !path.is_empty())
    {
        None => (Figment::new(), Vec::new()),
        Some(path) => file(&path, wanted),
    };
    (figment.merge(variables), faults)
}

fn file(path: &str, wanted: &[WantedEquipment]) -> (Figment, Vec<Fault>) {
    let told = |problem: String, remedy: &str| Fault::new(variable("config"), problem, remedy);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(fault) => {
            let fault = told(
                format!("names a file that cannot be read ({})", fault.kind()),
                "correct the path, or unset it",
            );
            return (Figment::new(), vec![fault]);
        }
    };
    from_toml(&text, wanted)
}

fn from_toml(text: &str, wanted: &[WantedEquipment]) -> (Figment, Vec<Fault>) {
    let told = |problem: String, remedy: &str| Fault::new(variable("config"), problem, remedy);
    let figment = Figment::from(Toml::string(text));
    let names = match figment.extract::<BTreeMap<String, figment::value::Value>>() {
        Ok(table) => table.into_keys(),
        // The message of a TOML fault quotes the line, which may hold a password.
        Err(_) => {
            let fault = told(
                "names a file that is no TOML".to_owned(),
                "write lines such as grpc_listen = \"0.0.0.0:50051\"",
            );
            return (Figment::new(), vec![fault]);
        }
    };
    let known =
        |name: &str| NAMES.contains(&name) || wanted.iter().any(|wanted| wanted.setting == name);
    let unknown = names.filter(|name| !known(name) && !name.starts_with(PEER));
    let faults = unknown.map(|name| {
        told(
            format!("names a file with the unknown setting `{name}`"),
            "correct or remove it",
        )
    });
    let faults = faults.collect();
    (figment, faults)
}

#[cfg(test)]
mod tests;

//! Reads setting by setting and notes what is wrong instead of stopping at it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use figment::Figment;
use figment::value::Value;
use tonic::transport::Uri;

use super::{
    DATABASE, Equipped, Fault, Faults, JwksSource, LISTEN, LogFormat, Logging, PEER, SecretUrl,
    WantedEquipment, peer_variable, variable,
};
use crate::hexadecimal;
use crate::secrets::Secrets;
use crate::token::{Keys, LONGEST_LIFETIME, Signer};

/// The most connections to the database that one process may ask for.
const MOST_CONNECTIONS: u32 = 500;
/// How many it has when nothing is said.
const CONNECTIONS: u32 = 8;
/// How many days answers by queue are kept when nothing is said: twice as long as a token for the queue lives, as a
/// command may also come again after its token has expired.
const ANSWERS_KEPT: u64 = 14;
/// The most days that they may be kept.
const MOST_DAYS: u64 = 3650;

/// A configuration while it is being read.
pub(super) struct Reading<'a> {
    figment: &'a Figment,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(figment: &'a Figment, faults: Vec<Fault>) -> Self {
        Self { figment, faults }
    }

    /// All faults, if there are any.
    pub(super) fn done(self) -> Result<(), Faults> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Faults(self.faults))
        }
    }

    fn fault(&mut self, name: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.faults
            .push(Fault::new(variable(name), problem, remedy));
    }

    /// A setting as text. An empty variable counts as none.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.figment.find_value(name).ok()?;
        match plain(&value) {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => {
                self.fault(name, "is a list or a table", "give one text");
                None
            }
        }
    }

    pub(super) fn required(&mut self, name: &str, remedy: &str) -> Option<String> {
        let before = self.faults.len();
        let text = self.text(name);
        if text.is_none() && self.faults.len() == before {
            self.fault(name, "is missing", remedy);
        }
        text
    }

    pub(super) fn postgres(&mut self, name: &str, url: String) -> Option<SecretUrl> {
        let schemes = ["postgres://", "postgresql://"];
        let sound = schemes.iter().any(|scheme| url.starts_with(scheme))
            && sqlx::postgres::PgConnectOptions::from_str(&url).is_ok();
        if !sound {
            self.fault(
                name,
                "is not the address of a PostgreSQL database",
                DATABASE,
            );
        }
        sound.then(|| SecretUrl::new(url))
    }

    pub(super) fn amqp(&mut self) -> Option<SecretUrl> {
        const REMEDY: &str =
            "give the broker's address, such as amqp://user:password@host:5672/%2f";
        let url = self.required("amqp_url", REMEDY)?;
        let sound = lapin::uri::AMQPUri::from_str(&url).is_ok();
        if !sound {
            self.fault("amqp_url", "is not the address of an AMQP broker", REMEDY);
        }
        sound.then(|| SecretUrl::new(url))
    }

    pub(super) fn socket(&mut self, name: &str, text: &str) -> Option<SocketAddr> {
        let address = text.parse().ok();
        if address.is_none() {
            self.fault(name, "is not an address to listen on", LISTEN);
        }
        address
    }

    pub(super) fn connections(&mut self) -> u32 {
        let Some(text) = self.text("database_connections") else {
            return CONNECTIONS;
        };
        // One for the desk and one for everything that reads.
        match text.parse() {
            Ok(count) if (2..=MOST_CONNECTIONS).contains(&count) => count,
            _ => {
                let remedy = format!(
                    "give a number from 2 to {MOST_CONNECTIONS}, or leave it out for {CONNECTIONS}"
                );
                self.fault(
                    "database_connections",
                    "is not a number of connections",
                    remedy,
                );
                CONNECTIONS
            }
        }
    }

    /// Longer than a token for the queue may live: until then a redelivery must find its earlier answer.
    pub(super) fn answers_kept(&mut self) -> Duration {
        const DAY: u64 = 24 * 60 * 60;
        let least = LONGEST_LIFETIME.as_secs() / DAY + 1;
        let days = match self.text("answers_kept_days").map(|text| text.parse()) {
            None => ANSWERS_KEPT,
            Some(Ok(days)) if (least..=MOST_DAYS).contains(&days) => days,
            Some(_) => {
                let remedy = format!(
                    "give a number from {least}, as a token for the queue lives {} days, to {MOST_DAYS}, or leave it out for {ANSWERS_KEPT}",
                    least - 1
                );
                self.fault("answers_kept_days", "is not a number of days", remedy);
                ANSWERS_KEPT
            }
        };
        Duration::from_secs(days * DAY)
    }

    pub(super) fn signer(&mut self, service: &str) -> Option<Signer> {
        const REMEDY: &str = "give the path of the service's private key (Ed25519, PKCS#8 PEM); `zm dev keys` makes one";
        let pem = self.file("signing_key", REMEDY)?;
        let signer = Signer::of_service(service, &pem);
        if let Err(fault) = &signer {
            self.fault(
                "signing_key",
                format!("names a file that is of no use: {fault}"),
                REMEDY,
            );
        }
        signer.ok()
    }

    /// A file is read here, so that a wrong one is told with the other faults; a server is asked later.
    pub(super) fn jwks(&mut self, service: &str, signer: Option<&Signer>) -> Option<JwksSource> {
        const REMEDY: &str =
            "give the path or the http(s) address of a JWKS; `zm dev keys` makes one";
        let place = self.required("jwks", REMEDY)?;
        if place.contains("://") {
            let url = place
                .parse::<Uri>()
                .ok()
                .filter(|url| matches!(url.scheme_str(), Some("http" | "https")));
            if url.is_none() {
                self.fault("jwks", "is neither a path nor an http(s) address", REMEDY);
            }
            return url.map(JwksSource::Url);
        }
        let text = self.file("jwks", REMEDY)?;
        match Keys::load(&text) {
            Ok(keys) => {
                if signer.is_some_and(|signer| !keys.know(signer)) {
                    let problem = format!(
                        "does not hold the public half of our own key as `service:{service}`"
                    );
                    self.fault(
                        "jwks",
                        problem,
                        "add it, or no other service will believe us; `zm dev keys` does",
                    );
                }
                Some(JwksSource::File(PathBuf::from(place)))
            }
            Err(fault) => {
                self.fault(
                    "jwks",
                    format!("names a file that is of no use: {fault}"),
                    REMEDY,
                );
                None
            }
        }
    }

    pub(super) fn secrets(&mut self) -> Option<Secrets> {
        const REMEDY: &str = "give the path of a file with 32 random bytes as 64 hexadecimal digits; `zm dev keys` makes one";
        let text = self.file("secrets_key", REMEDY)?;
        let key = hexadecimal::decode(text.trim()).and_then(|key| <[u8; 32]>::try_from(key).ok());
        if key.is_none() {
            self.fault(
                "secrets_key",
                "names a file that does not hold 64 hexadecimal digits",
                REMEDY,
            );
        }
        key.map(Secrets::new)
    }

    pub(super) fn policy(&mut self) -> Option<PathBuf> {
        const REMEDY: &str =
            "give the folder with the policy profiles and units, such as deploy/policy";
        let folder = PathBuf::from(self.required("policy", REMEDY)?);
        if !folder.is_dir() {
            self.fault("policy", "names no folder", REMEDY);
            return None;
        }
        Some(folder)
    }

    pub(super) fn peers(&mut self) -> BTreeMap<String, Uri> {
        let settings = self
            .figment
            .extract::<BTreeMap<String, Value>>()
            .unwrap_or_default();
        let mut peers = BTreeMap::new();
        for name in settings.keys().filter_map(|key| key.strip_prefix(PEER)) {
            let Some(text) = self.text(&format!("{PEER}{name}")) else {
                continue;
            };
            match text.parse::<Uri>() {
                Ok(uri) if uri.scheme_str() == Some("http") && uri.host().is_some() => {
                    peers.insert(name.to_owned(), uri);
                }
                _ => self.faults.push(Fault::new(
                    peer_variable(name),
                    "is not the address of a service",
                    "give one such as http://intake:50051; encryption between services is the network's (a mesh or a private one)",
                )),
            }
        }
        peers
    }

    /// What one service alone needs; all that is missing or of no use is told.
    pub(super) fn equipment(&mut self, wanted: &[WantedEquipment]) -> Equipped {
        let mut equipped = Equipped::default();
        for wanted in wanted {
            let Some(text) = self.required(wanted.setting, wanted.remedy) else {
                continue;
            };
            if let Err(problem) = equipped.take(wanted, &text) {
                self.fault(
                    wanted.setting,
                    format!("is of no use: {problem}"),
                    wanted.remedy,
                );
            }
        }
        equipped
    }

    pub(super) fn logging(&mut self) -> Logging {
        let filter = self.text("log").unwrap_or_else(|| "info".to_owned());
        if !crate::telemetry::is_filter(&filter) {
            self.fault(
                "log",
                "is not a log filter",
                "give one such as `info` or `info,chassis=debug`",
            );
        }
        let format = match self.text("log_format").as_deref() {
            None | Some("json") => LogFormat::Json,
            Some("pretty") => LogFormat::Pretty,
            Some(_) => {
                self.fault("log_format", "is not a format", "give `json` or `pretty`");
                LogFormat::Json
            }
        };
        let otlp_endpoint = self.text("otlp_endpoint");
        let sound = otlp_endpoint.as_deref().is_none_or(|endpoint| {
            let uri = endpoint.parse::<Uri>().ok();
            uri.is_some_and(|uri| {
                matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
            })
        });
        if !sound {
            self.fault(
                "otlp_endpoint",
                "is not an address",
                "give one such as http://collector:4317, or leave it out",
            );
        }
        Logging {
            filter,
            format,
            otlp_endpoint,
        }
    }

    fn file(&mut self, name: &str, remedy: &str) -> Option<String> {
        let path = self.required(name, remedy)?;
        let text = std::fs::read_to_string(Path::new(&path));
        if let Err(fault) = &text {
            self.fault(
                name,
                format!("names a file that cannot be read ({})", fault.kind()),
                remedy,
            );
        }
        text.ok()
    }
}

/// A value as text. A variable that looks like a number or a truth value has been taken for one.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, letter) => Some(letter.to_string()),
        Value::Bool(_, truth) => Some(truth.to_string()),
        Value::Num(_, number) => {
            let whole = number.to_u128().map(|number| number.to_string());
            let whole = whole.or_else(|| number.to_i128().map(|number| number.to_string()));
            whole.or_else(|| number.to_f64().map(|number| number.to_string()))
        }
        Value::Empty(..) => Some(String::new()),
        Value::Dict(..) | Value::Array(..) => None,
    }
}

//! `zm dev broker`: the virtual host, users, permissions and policies of the services, over RabbitMQ's management API.
//!
//! What is allowed to whom is derived in [`proto::topology`]; here it is only carried to the broker. Doing it again
//! changes nothing, except that passwords become those of the files.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use proto::topology::{Permissions, Policy, SERVICES, TABLE};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Uri;

use crate::{No, Usage, output};

/// How long one request may take.
const ANSWER: Duration = Duration::from_secs(20);

/// Where the broker is, and the services' passwords.
#[derive(Debug, Args)]
pub struct Broker {
    /// The folder with a <service>.amqp for each service: its password
    #[arg(long, value_name = "DIR")]
    secrets: PathBuf,
    /// The management API, with the user and password of an administrator in it
    #[arg(
        long,
        value_name = "URL",
        env = "ZHENGMING_MANAGEMENT_URL",
        hide_env_values = true
    )]
    management: String,
    /// The virtual host
    #[arg(long, env = "ZHENGMING_VHOST", default_value = "zhengming")]
    vhost: String,
}

impl Broker {
    pub(crate) fn run(&self) -> Result<()> {
        let management = Management::at(&self.management)?;
        let vhost = encoded(&self.vhost);
        management.put(&format!("vhosts/{vhost}"), &json!({}))?;
        for service in SERVICES {
            let path = self.secrets.join(format!("{service}.amqp"));
            let password = fs::read_to_string(&path).map_err(|fault| {
                Usage(format!(
                    "cannot read the password of {service} in {}: {fault}",
                    path.display()
                ))
            })?;
            let user = json!({ "password": password.trim(), "tags": "" });
            management.put(&format!("users/{}", encoded(service)), &user)?;
            management.allow(&vhost, service, &TABLE.service_permissions(service))?;
        }
        for policy in TABLE.policies() {
            let path = format!("policies/{vhost}/{}", encoded(&policy.name));
            management.put(&path, &definition(&policy))?;
        }
        output::line(format!(
            "The broker knows {} in the virtual host {}.",
            SERVICES.join(", "),
            self.vhost
        ))
    }
}

fn definition(policy: &Policy) -> Value {
    json!({
        "pattern": policy.pattern,
        "apply-to": "queues",
        "priority": 0,
        "definition": {
            "dead-letter-exchange": policy.dead_letter_exchange,
            "dead-letter-routing-key": policy.dead_letter_routing_key,
        },
    })
}

/// The management API of a broker, as its administrator.
struct Management {
    agent: Agent,
    base: String,
    authorization: String,
}

impl Management {
    fn at(url: &str) -> Result<Self> {
        let wrong = || {
            Usage(
                "ZHENGMING_MANAGEMENT_URL is not of the form http://USER:PASSWORD@HOST:15672"
                    .to_owned(),
            )
        };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?.as_str();
        let (user, place) = authority.rsplit_once('@').ok_or_else(wrong)?;
        let (name, password) = user.split_once(':').ok_or_else(wrong)?;
        if uri.scheme_str() != Some("http") {
            return Err(Usage(
                "zm speaks to the management API by http only; use a tunnel to a broker elsewhere"
                    .to_owned(),
            )
            .into());
        }
        let user = [decoded(name)?, b":".to_vec(), decoded(password)?].concat();
        Ok(Self {
            agent: Agent::config_builder()
                .timeout_global(Some(ANSWER))
                .http_status_as_error(false)
                .build()
                .into(),
            base: format!("http://{place}{}", uri.path().trim_end_matches('/')),
            authorization: format!("Basic {}", STANDARD.encode(user)),
        })
    }

    fn allow(&self, vhost: &str, user: &str, permissions: &Permissions) -> Result<()> {
        let user = encoded(user);
        let plain = json!({
            "configure": permissions.configure,
            "write": permissions.write,
            "read": permissions.read,
        });
        self.put(&format!("permissions/{vhost}/{user}"), &plain)?;
        for topic in &permissions.topics {
            let topic = json!({
                "exchange": topic.exchange,
                "write": topic.write,
                "read": topic.read,
            });
            self.put(&format!("topic-permissions/{vhost}/{user}"), &topic)?;
        }
        Ok(())
    }

    fn put(&self, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}/api/{path}", self.base);
        let answer = self
            .agent
            .put(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .send(body.to_string());
        let mut answer = answer.map_err(|fault| {
            No(format!(
                "the broker's management API does not answer at {}: {fault}",
                self.base
            ))
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let told = answer
            .body_mut()
            .read_to_string()
            .context("the broker's answer cannot be read")?;
        let advice = match status.as_u16() {
            401 => {
                "\n  The user in ZHENGMING_MANAGEMENT_URL must be an administrator who may use the virtual host."
            }
            _ => "",
        };
        Err(No(format!(
            "the broker refused {path} with {status}: {}{advice}",
            told.trim()
        ))
        .into())
    }
}

/// Percent-encoded for a part of a path.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The bytes of a percent-encoded part of a URL.
fn decoded(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()];
        let value = match digits {
            [Some(high), Some(low)] => char::from(high)
                .to_digit(16)
                .zip(char::from(low).to_digit(16))
                .map(|(high, low)| high * 16 + low),
            _ => None,
        };
        let value = value.and_then(|value| u8::try_from(value).ok());
        bytes.push(value.ok_or_else(|| {
            Usage(
                "the user or password in ZHENGMING_MANAGEMENT_URL has a `%` that is no code"
                    .to_owned(),
            )
        })?);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_as_it_was() {
        for text in ["/", "zhengming", "a b/c%d", "正名"] {
            assert_eq!(decoded(&encoded(text)).expect("bytes"), text.as_bytes());
        }
        assert_eq!(encoded("/"), "%2F");
        assert!(decoded("50%").is_err());
        assert!(decoded("%zz").is_err());
    }

    #[test]
    fn the_administrator_is_taken_out_of_the_address() {
        let management =
            Management::at("http://admin:p%40ss@127.0.0.1:15672/").expect("an address");
        assert_eq!(management.base, "http://127.0.0.1:15672");
        assert_eq!(
            management.authorization,
            format!("Basic {}", STANDARD.encode("admin:p@ss"))
        );
        for wrong in [
            "",
            "127.0.0.1:15672",
            "http://127.0.0.1:15672",
            "https://a:b@c",
        ] {
            assert!(Management::at(wrong).is_err(), "{wrong:?}");
        }
    }
}

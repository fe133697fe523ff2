//! `zm dev`: what an installation for development or tests needs. `deploy/local/up` and the tests call these.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use proto::topology::SERVICES;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::Office;
use crate::{Context, No, broker, keys, output};

/// How often a service that is not ready is asked again.
const PULSE: Duration = Duration::from_millis(100);

/// For development and tests.
#[derive(Debug, Subcommand)]
pub enum Dev {
    /// Make the keys that sign tokens and mark secrets; those that are there stay
    #[command(after_help = "Example:\n  zm dev keys target/local/keys")]
    Keys(Keys),
    /// Make the services' virtual host, users and permissions at a RabbitMQ
    #[command(after_help = "\
Example:
  ZHENGMING_MANAGEMENT_URL=http://guest:guest@127.0.0.1:15672 ZHENGMING_VHOST=zhengming \\
    zm dev broker --secrets target/local/secrets

Each service's password is read from SECRETS/<service>.amqp.")]
    Broker(broker::Broker),
    /// Wait until every service is ready
    #[command(after_help = "Example:\n  zm dev wait --timeout 60")]
    Wait(Wait),
}

/// Where to.
#[derive(Debug, Args)]
pub struct Keys {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// How long.
#[derive(Debug, Args)]
pub struct Wait {
    /// At most this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Dev {
    /// Whether it asks the services, so that it must know where they are.
    pub(crate) fn asks_services(&self) -> bool {
        matches!(self, Self::Wait(_))
    }

    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Keys(keys) => keys.run(context),
            Self::Broker(broker) => tokio::task::spawn_blocking(move || broker.run())
                .await
                .context("the work on the broker was cut off")?,
            Self::Wait(wait) => wait.run(context).await,
        }
    }
}

impl Keys {
    fn run(self, context: &Context) -> Result<()> {
        let made = keys::make(&self.folder, SERVICES)?;
        if context.json {
            return output::json(&serde_json::json!({
                "actors": made.actors, "jwks": made.jwks, "secrets": made.secrets, "new": made.new,
            }));
        }
        output::line(match made.new {
            true => format!("Made keys in {}.", self.folder.display()),
            false => format!("The keys in {} are all there.", self.folder.display()),
        })
    }
}

impl Wait {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let end = Instant::now() + Duration::from_secs(self.timeout);
        let spinner = output::spinner("Waiting for the services");
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.tick().await;
            let mut missing = Vec::new();
            for service in office.services() {
                if let Err(why) = ready(&office, service).await {
                    missing.push(format!("{service} at {} {why}", office.url(service)));
                }
            }
            if missing.is_empty() {
                spinner.finish_and_clear();
                return output::line("Every service is ready.");
            }
            if Instant::now() >= end {
                spinner.finish_and_clear();
                return Err(No(format!(
                    "after {} s not every service is ready:\n  {}",
                    self.timeout,
                    missing.join("\n  ")
                ))
                .into());
            }
            spinner.set_message(format!("Waiting: {}", missing.join("; ")));
        }
    }
}

/// Whether a service takes calls, by its health.
async fn ready(office: &Office, service: &str) -> Result<(), &'static str> {
    let mut health = HealthClient::new(office.channel(service));
    match health.check(HealthCheckRequest::default()).await {
        Ok(answer) if answer.get_ref().status() == ServingStatus::Serving => Ok(()),
        Ok(_) => Err("is up but not ready (its database may not answer)"),
        Err(_) => Err("does not answer"),
    }
}

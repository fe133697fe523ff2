//! `zm quiet`: whether anything is still on its way.
//!
//! Quiet is: every outbox is empty, each follower's cursors sum to its source's public heads, no consequence is due and no
//! claim runs, read twice with the same totals, since something may move from a place not yet read to one already read.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::chassis::{ReadQuietRequest, ReadQuietResponse};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::client::{Office, Person, Unanswered};
use crate::{Context, No, output};

/// How often it is looked again while waiting.
const PULSE: Duration = Duration::from_millis(200);

/// Whether all is quiet.
#[derive(Debug, Args)]
pub struct ReadQuiet {
    /// Wait until it is, at most this many seconds
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

/// What all services said of what is on its way, at about the same time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quiet {
    /// Each service's answer.
    pub services: Vec<ReadQuietResponse>,
    /// Whether this is what was read right before, too.
    pub settled: bool,
}

impl Quiet {
    /// What is still on its way, in words; nothing when all is quiet.
    pub fn reasons(&self) -> Vec<String> {
        let heads: BTreeMap<&str, i64> = self
            .services
            .iter()
            .map(|quiet| (quiet.service.as_str(), quiet.public_heads))
            .collect();
        let mut reasons = Vec::new();
        for quiet in &self.services {
            let service = &quiet.service;
            let counts = [
                (quiet.outbox, "events in its outbox"),
                (quiet.consequences, "consequences not yet carried out"),
                (quiet.claims, "claims under way"),
            ];
            let waiting = counts.iter().filter(|(count, _)| *count != 0);
            reasons.extend(waiting.map(|(count, what)| format!("{service} has {count} {what}")));
            for follower in &quiet.followers {
                let Some(heads) = heads.get(follower.source.as_str()) else {
                    reasons.push(format!(
                        "{service} follows {}, which was not asked",
                        follower.source
                    ));
                    continue;
                };
                if follower.cursors != *heads {
                    reasons.push(format!(
                        "{service} has seen {} of {heads} events of {}",
                        follower.cursors, follower.source
                    ));
                }
            }
        }
        if reasons.is_empty() && !self.settled {
            reasons.push("the figures still change".to_owned());
        }
        reasons
    }

    /// Events and timers that wait for an operator or for something that is missing; each in words.
    pub fn held(&self) -> Vec<String> {
        let mut held = Vec::new();
        for quiet in &self.services {
            let service = &quiet.service;
            for follower in &quiet.followers {
                let source = &follower.source;
                if follower.parked != 0 {
                    let parked = follower.parked;
                    held.push(format!("{service} has parked {parked} events of {source}"));
                }
                if follower.dead != 0 {
                    let dead = follower.dead;
                    held.push(format!("{service} has {dead} dead events of {source}"));
                }
            }
            if quiet.dead_timers != 0 {
                let dead = quiet.dead_timers;
                held.push(format!("{service} has {dead} dead consequences or clocks"));
            }
        }
        held
    }

    /// Whether nothing is on its way.
    pub fn is_quiet(&self) -> bool {
        self.reasons().is_empty()
    }
}

/// Reads all services, twice.
///
/// # Errors
/// The refusal of the first service that does not answer.
pub async fn quiet(office: &Office, operator: &Person) -> Result<Quiet, Unanswered> {
    let before = read(office, operator).await?;
    let services = read(office, operator).await?;
    Ok(Quiet {
        settled: before == services,
        services,
    })
}

async fn read(office: &Office, operator: &Person) -> Result<Vec<ReadQuietResponse>, Unanswered> {
    let mut answers = Vec::new();
    for service in office.services() {
        let mut operations = operator.operations(office, service);
        let question = operations.read_quiet(ReadQuietRequest {});
        answers.push(office.ask(service, question).await?);
    }
    Ok(answers)
}

/// Reads until all is quiet or the time is over; the last reading.
///
/// # Errors
/// The refusal of the first service that does not answer.
pub async fn until_quiet(
    office: &Office,
    operator: &Person,
    at_most: Duration,
) -> Result<Quiet, Unanswered> {
    let end = Instant::now() + at_most;
    let spinner = output::spinner("Waiting until all is quiet");
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let quiet = quiet(office, operator).await?;
        let reasons = quiet.reasons();
        if reasons.is_empty() || Instant::now() >= end {
            spinner.finish_and_clear();
            return Ok(quiet);
        }
        spinner.set_message(reasons.join("; "));
    }
}

impl ReadQuiet {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let operator = context.person(Role::Operator)?;
        let read = match self.wait {
            Some(seconds) => until_quiet(&office, &operator, Duration::from_secs(seconds)).await?,
            None => quiet(&office, &operator).await?,
        };
        let (reasons, held) = (read.reasons(), read.held());
        if context.json {
            output::json(&serde_json::json!({
                "quiet": reasons.is_empty(), "reasons": reasons, "held": held, "services": read.services,
            }))?;
        }
        if !reasons.is_empty() {
            let held = held.into_iter();
            let held: Vec<_> = held
                .map(|held| format!("{held} (zm events list)"))
                .collect();
            return Err(No(format!(
                "not all is quiet:\n  {}",
                [reasons, held].concat().join("\n  ")
            ))
            .into());
        }
        if !context.json {
            output::line("All is quiet: nothing is on its way.")?;
            for held in held {
                output::line(format!("But {held}: zm events list"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proto::chassis::FollowerState;

    use super::*;

    fn service(name: &str, public_heads: i64, source: &str, cursors: i64) -> ReadQuietResponse {
        ReadQuietResponse {
            service: name.to_owned(),
            public_heads,
            followers: vec![FollowerState {
                source: source.to_owned(),
                cursors,
                ..FollowerState::default()
            }],
            ..ReadQuietResponse::default()
        }
    }

    fn all() -> Quiet {
        Quiet {
            services: vec![
                service("intake", 10, "verification", 4),
                service("verification", 4, "intake", 10),
            ],
            settled: true,
        }
    }

    #[test]
    fn all_is_quiet_when_every_follower_has_seen_everything() {
        assert!(all().is_quiet());
        assert_eq!(all().held(), Vec::<String>::new());
    }

    #[test]
    fn whatever_is_on_its_way_is_named() {
        let mut quiet = all();
        quiet.services[0].outbox = 2;
        quiet.services[0].claims = 1;
        quiet.services[1].consequences = 3;
        quiet.services[1].followers[0].cursors = 9;
        let reasons = quiet.reasons().join("\n");
        for told in [
            "intake has 2 events in its outbox",
            "intake has 1 claims",
            "verification has 3 consequences",
            "verification has seen 9 of 10 events of intake",
        ] {
            assert!(reasons.contains(told), "{told} in {reasons}");
        }
    }

    #[test]
    fn figures_that_still_change_are_not_quiet() {
        let quiet = Quiet {
            settled: false,
            ..all()
        };
        assert_eq!(quiet.reasons(), ["the figures still change"]);
    }

    #[test]
    fn what_is_held_is_told_apart_from_what_moves() {
        let mut quiet = all();
        quiet.services[1].dead_timers = 1;
        quiet.services[1].followers[0].parked = 2;
        assert!(quiet.is_quiet());
        assert_eq!(quiet.held().len(), 2);
    }
}

//! Waiting until nothing is on its way any more: only then do figures of two services speak of the same.
//!
//! What quiet is, [`commands::quiet`](crate::commands::quiet) says. What is dead will not move by itself, so it ends the waiting at
//! once; what is parked may, and fails the replay only when the patience is at its end.

use std::fmt;
use std::time::Duration;

use super::desks::Desks;
use super::patience::{Patience, Unsettled};
use crate::commands::events::{Held, table};
use crate::commands::quiet::Quiet;

/// Why it does not become quiet.
#[derive(Debug)]
pub enum Unquiet {
    /// A service does not say how it is.
    Unsettled(Unsettled),
    /// Events or consequences are dead, or parked to the end.
    Held(Vec<Held>),
    /// Something moves still.
    Moving {
        /// What.
        what: Vec<String>,
        /// After how long.
        after: Duration,
    },
}

impl From<Unsettled> for Unquiet {
    fn from(unsettled: Unsettled) -> Self {
        Self::Unsettled(unsettled)
    }
}

impl fmt::Display for Unquiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all is entered, but ")?;
        match self {
            Self::Unsettled(unsettled) => {
                write!(f, "whether all has arrived cannot be asked:\n  {unsettled}")?;
            }
            Self::Held(held) => write!(
                f,
                "{} events or consequences are held back, so the services' figures are not whole:\n{}\nLook at one with `zm events show ID`, try it again with `zm events retry ID`.",
                held.len(),
                table(held)
            )?,
            Self::Moving { what, after } => write!(
                f,
                "it did not become quiet within {} s:\n  {}\nAre all services and the broker running?",
                after.as_secs(),
                what.join("\n  ")
            )?,
        }
        f.write_str("\nThen run the same replay again: it adds nothing, and prints the table.")
    }
}

impl std::error::Error for Unquiet {}

/// Waits until all is quiet and nothing is held back.
///
/// # Errors
/// See [`Unquiet`].
pub async fn quiet(desks: &Desks<'_>, limit: Duration) -> Result<(), Unquiet> {
    let mut patience = Patience::new(limit, Duration::from_millis(50), Duration::from_millis(500));
    loop {
        let now = desks.quiet().await?;
        if now.is_quiet() && now.held().is_empty() {
            return Ok(());
        }
        if dead(&now) == 0 && patience.pause().await {
            continue;
        }
        let held = desks.held().await?;
        return Err(if held.is_empty() {
            Unquiet::Moving {
                what: now.reasons(),
                after: limit,
            }
        } else {
            Unquiet::Held(held)
        });
    }
}

/// How much will not move by itself.
fn dead(quiet: &Quiet) -> i64 {
    let followers = quiet.services.iter().flat_map(|service| &service.followers);
    let timers = quiet.services.iter().map(|service| service.dead_timers);
    followers.map(|follower| follower.dead).sum::<i64>() + timers.sum::<i64>()
}

#[cfg(test)]
mod tests {
    use proto::chassis::{FollowerState, HeldEvent, ReadQuietResponse};

    use super::*;

    #[test]
    fn what_is_parked_may_move_and_what_is_dead_does_not() {
        let mut service = ReadQuietResponse {
            followers: vec![FollowerState {
                parked: 2,
                ..Default::default()
            }],
            ..Default::default()
        };
        let quiet = |service: &ReadQuietResponse| Quiet {
            services: vec![service.clone()],
            settled: true,
        };
        assert_eq!(dead(&quiet(&service)), 0);
        service.followers[0].dead = 1;
        service.dead_timers = 3;
        assert_eq!(dead(&quiet(&service)), 4);
    }

    #[test]
    fn what_is_held_back_is_shown_with_what_to_do() {
        let held = Unquiet::Held(vec![Held {
            service: "verification",
            event: HeldEvent {
                id: "event:12".to_owned(),
                reason: "VERIFICATION_UNKNOWN".to_owned(),
                ..Default::default()
            },
        }]);
        let told = held.to_string();
        for part in [
            "verification/event:12",
            "VERIFICATION_UNKNOWN",
            "zm events show",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}

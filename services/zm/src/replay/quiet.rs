//! Waiting until nothing is on its way any more: only then do figures of two services speak of the same.
//!
//! Quiet is: every outbox empty, for each follower the sum of its cursors equal to the sum of its source's public heads, no
//! consequence due, no claim running; read twice with the same totals, as the services are not asked in the same instant. What is dead
//! will not move by itself, so it ends the waiting at once. What is parked may, and ends it when the patience does.

use std::fmt;
use std::time::Duration;

use proto::chassis::{HeldEvent, ReadQuietResponse};
use proto::topology::FOLLOWS;

use super::desks::Desks;
use super::patience::{Patience, Unsettled};

/// How many held events are told one by one.
const TOLD: usize = 10;

/// Why it does not become quiet.
#[derive(Debug)]
pub enum Unquiet {
    /// A service does not say how it is.
    Unsettled(Unsettled),
    /// Events or consequences are dead, or parked to the end.
    Held(Vec<(String, HeldEvent)>),
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
        match self {
            Self::Unsettled(unsettled) => write!(
                f,
                "all is entered, but whether all has arrived cannot be asked:\n  {unsettled}"
            ),
            Self::Held(held) => {
                writeln!(
                    f,
                    "all is entered, but {} events or consequences are held back, so the services' figures are not whole:",
                    held.len()
                )?;
                for (service, event) in held.iter().take(TOLD) {
                    writeln!(
                        f,
                        "  {service} {}: {} ({}), {} of stream {}",
                        event.id, event.status, event.reason, event.r#type, event.stream
                    )?;
                }
                write!(
                    f,
                    "`zm events list` shows them all, `zm events show SERVICE ID` one of them, `zm events retry` tries it again. Then run the same replay again: it adds nothing and prints the table."
                )
            }
            Self::Moving { what, after } => write!(
                f,
                "all is entered, but it did not become quiet within {} s: {}. Are all services and the broker running? Run the same replay again when they are: it adds nothing and prints the table.",
                after.as_secs(),
                what.join("; ")
            ),
        }
    }
}

impl std::error::Error for Unquiet {}

/// What still moves; nothing if all is quiet.
#[must_use]
pub fn moving(services: &[ReadQuietResponse]) -> Vec<String> {
    let mut what = Vec::new();
    for service in services {
        let name = &service.service;
        for (count, noun) in [
            (service.outbox, "events in the outbox"),
            (service.consequences, "consequences due"),
            (service.claims, "claims running"),
        ] {
            if count != 0 {
                what.push(format!("{name} has {count} {noun}"));
            }
        }
    }
    for follow in FOLLOWS {
        let of = |name: &str| services.iter().find(|service| service.service == name);
        let heads = of(follow.source).map(|source| source.public_heads);
        let follower = of(follow.consumer).and_then(|consumer| {
            let mut followers = consumer.followers.iter();
            followers.find(|follower| follower.source == follow.source)
        });
        let cursors = follower.map_or(0, |follower| follower.cursors);
        if heads != Some(cursors) {
            what.push(format!(
                "{} has seen {cursors} of {} events of {}",
                follow.consumer,
                heads.unwrap_or_default(),
                follow.source
            ));
        }
    }
    what
}

/// How many are held: parked, and those that will not move by themselves.
fn held(services: &[ReadQuietResponse]) -> (i64, i64) {
    let followers = services.iter().flat_map(|service| &service.followers);
    let (parked, dead) = followers.fold((0, 0), |(parked, dead), follower| {
        (parked + follower.parked, dead + follower.dead)
    });
    let timers: i64 = services.iter().map(|service| service.dead_timers).sum();
    (parked, dead + timers)
}

/// Waits until all is quiet.
///
/// # Errors
/// See [`Unquiet`].
pub async fn quiet(desks: &Desks<'_>, limit: Duration) -> Result<(), Unquiet> {
    let mut patience = Patience::new(limit, Duration::from_millis(50), Duration::from_millis(500));
    let mut before: Option<Vec<ReadQuietResponse>> = None;
    loop {
        let now = desks.read_quiet().await?;
        let (parked, dead) = held(&now);
        if dead > 0 {
            return Err(Unquiet::Held(desks.held().await?));
        }
        let what = moving(&now);
        if what.is_empty() && parked == 0 && before.as_ref() == Some(&now) {
            return Ok(());
        }
        before = Some(now);
        if !patience.pause().await {
            let held = desks.held().await?;
            return Err(if held.is_empty() {
                Unquiet::Moving { what, after: limit }
            } else {
                Unquiet::Held(held)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::chassis::FollowerState;

    use super::*;

    fn service(name: &str, source: &str, heads: i64, cursors: i64) -> ReadQuietResponse {
        ReadQuietResponse {
            service: name.to_owned(),
            public_heads: heads,
            followers: vec![FollowerState {
                source: source.to_owned(),
                cursors,
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn both() -> [ReadQuietResponse; 2] {
        [
            service("intake", "verification", 7, 9),
            service("verification", "intake", 9, 7),
        ]
    }

    #[test]
    fn all_seen_and_nothing_due_is_quiet() {
        assert_eq!(moving(&both()), Vec::<String>::new());
    }

    #[test]
    fn an_event_that_a_follower_has_not_seen_is_on_its_way() {
        let mut services = both();
        services[1].followers[0].cursors = 6;
        assert_eq!(
            moving(&services),
            ["verification has seen 6 of 7 events of intake"]
        );
    }

    #[test]
    fn outbox_consequences_and_claims_each_keep_it_from_quiet() {
        let touch: [fn(&mut ReadQuietResponse); 3] = [
            |service| service.outbox = 1,
            |service| service.consequences = 1,
            |service| service.claims = 1,
        ];
        for touch in touch {
            let mut services = both();
            touch(&mut services[0]);
            assert_eq!(moving(&services).len(), 1);
        }
    }

    #[test]
    fn a_service_that_says_nothing_is_not_quiet() {
        assert_eq!(moving(&both()[..1]).len(), 2);
    }

    #[test]
    fn what_is_parked_and_what_is_dead_are_told_apart() {
        let mut services = both();
        services[0].followers[0].parked = 2;
        services[1].followers[0].dead = 1;
        services[1].dead_timers = 3;
        assert_eq!(held(&services), (2, 4));
    }
}

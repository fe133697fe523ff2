//! How long to wait before the next attempt: longer each time, up to a bound.
//!
//! Each delay is drawn from the upper half of its span, so that many who failed at the same moment do not come back at
//! the same moment. The number of failed attempts decides alone, and may lie in a row of the database.

use std::time::Duration;

use rand::RngExt;

/// For what waits in a table: an event, a due command.
pub(crate) const PARKED: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(60),
};
/// For connections and what goes over them.
const BROKER: Backoff = Backoff {
    first: Duration::from_millis(100),
    most: Duration::from_secs(5),
};

/// Spans that double.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// The span before the second attempt.
    pub(crate) first: Duration,
    /// The longest span.
    pub(crate) most: Duration,
}

impl Backoff {
    /// The delay after `failed` attempts beside the first one.
    pub(crate) fn delay(self, failed: u32) -> Duration {
        let span = self.first.saturating_mul(2u32.saturating_pow(failed));
        span.min(self.most)
            .mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// Counts attempts that failed one after the other.
#[derive(Debug)]
pub(crate) struct Retry {
    backoff: Backoff,
    failed: u32,
}

impl Retry {
    /// Begins to count.
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self { backoff, failed: 0 }
    }

    /// The delay before the next attempt.
    pub(crate) fn delay(&mut self) -> Duration {
        let delay = self.backoff.delay(self.failed);
        self.failed = self.failed.saturating_add(1);
        delay
    }

    /// It worked; the next failure starts small again.
    pub(crate) fn reset(&mut self) {
        self.failed = 0;
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new(BROKER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Backoff = Backoff {
        first: Duration::from_millis(100),
        most: Duration::from_millis(300),
    };

    fn fits(delay: Duration, span: u64) {
        let (least, most) = (span / 2, span);
        assert!(
            delay >= Duration::from_millis(least) && delay <= Duration::from_millis(most),
            "{delay:?}"
        );
    }

    #[test]
    fn delays_double_up_to_their_bound_and_start_small_again() {
        let mut retry = Retry::new(SHORT);
        for span in [100, 200, 300, 300] {
            fits(retry.delay(), span);
        }
        retry.reset();
        fits(retry.delay(), 100);
    }

    #[test]
    fn however_many_attempts_a_row_counts_its_delay_keeps_to_the_bound() {
        for (failed, span) in [(0, 100), (1, 200), (2, 300), (40, 300), (u32::MAX, 300)] {
            fits(SHORT.delay(failed), span);
        }
    }
}

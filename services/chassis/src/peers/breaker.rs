//! A circuit breaker: whoever failed several times in a row is left alone for a while, then asked once, by one caller.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// After how many failures in a row the way is closed.
const FAILURES: u32 = 5;
/// How long it stays closed.
const PAUSE: Duration = Duration::from_secs(5);

/// The breaker of one peer.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// All may pass; so many failed in a row.
    Passing(u32),
    /// Nobody may pass until then; the first after that is a probe.
    Waiting(Instant),
}

impl Default for State {
    fn default() -> Self {
        Self::Passing(0)
    }
}

impl Breaker {
    /// Whether a caller may try now. After the pause exactly one may; the others wait for how it fares, but no longer
    /// than another pause, since a caller may go away without a word.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.state();
        match *state {
            State::Passing(_) => true,
            State::Waiting(until) if now < until => false,
            State::Waiting(_) => {
                *state = State::Waiting(now + PAUSE);
                true
            }
        }
    }

    /// The peer answered.
    pub(super) fn succeeded(&self) {
        *self.state() = State::Passing(0);
    }

    /// The peer did not answer.
    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.state();
        *state = match *state {
            State::Passing(failures) if failures + 1 < FAILURES => State::Passing(failures + 1),
            _ => State::Waiting(now + PAUSE),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and any state is a valid one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(times: u32, now: Instant) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..times {
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn a_few_failures_do_not_close_the_way() {
        let now = Instant::now();
        assert!(failing(FAILURES - 1, now).admits(now));
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let now = Instant::now();
        let breaker = failing(FAILURES - 1, now);
        breaker.succeeded();
        breaker.failed(now);
        assert!(breaker.admits(now));
    }

    #[test]
    fn who_failed_several_times_in_a_row_is_left_alone_for_a_while() {
        let now = Instant::now();
        let breaker = failing(FAILURES, now);
        assert!(!breaker.admits(now));
        assert!(!breaker.admits(now + PAUSE - Duration::from_millis(1)));
    }

    #[test]
    fn after_the_pause_one_caller_tries_and_the_others_wait() {
        let now = Instant::now();
        let breaker = failing(FAILURES, now);
        let then = now + PAUSE;
        assert!(breaker.admits(then));
        assert!(!breaker.admits(then));

        breaker.succeeded();
        assert!(breaker.admits(then) && breaker.admits(then));
    }

    #[test]
    fn a_probe_that_fails_closes_the_way_again() {
        let now = Instant::now();
        let breaker = failing(FAILURES, now);
        let then = now + PAUSE;
        assert!(breaker.admits(then));
        breaker.failed(then);
        assert!(!breaker.admits(then + PAUSE - Duration::from_millis(1)));
        assert!(breaker.admits(then + PAUSE));
    }

    #[test]
    fn a_probe_that_never_returns_does_not_close_the_way_for_ever() {
        let now = Instant::now();
        let breaker = failing(FAILURES, now);
        assert!(breaker.admits(now + PAUSE));
        assert!(breaker.admits(now + PAUSE + PAUSE));
    }
}

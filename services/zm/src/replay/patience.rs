//! How long a replay waits for what passes: a service that restarts, a desk that is full, a case that is still on its way.

use std::fmt;
use std::time::{Duration, Instant};

use chassis::time::random_bytes;

use crate::client::Unanswered;

/// A pause that doubles up to a bound, each time with jitter, until the patience is at its end.
#[derive(Debug, Clone)]
pub struct Patience {
    began: Instant,
    limit: Duration,
    pause: Duration,
    longest: Duration,
}

impl Patience {
    /// Waits at first `pause`, at last `longest`, in all `limit`.
    #[must_use]
    pub fn new(limit: Duration, pause: Duration, longest: Duration) -> Self {
        Self {
            began: Instant::now(),
            limit,
            pause,
            longest,
        }
    }

    /// For what a service refuses in passing.
    #[must_use]
    pub fn with_a_service(limit: Duration) -> Self {
        Self::new(limit, Duration::from_millis(50), Duration::from_secs(2))
    }

    /// Pauses; `false` if the patience is at its end.
    pub async fn pause(&mut self) -> bool {
        let waited = self.began.elapsed();
        if waited >= self.limit {
            return false;
        }
        let pause = jittered(self.pause, random_bytes()[0]).min(self.limit - waited);
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(self.longest);
        true
    }
}

/// Between a half and the whole of it, so that those who were refused together do not come back together.
fn jittered(pause: Duration, drawn: u8) -> Duration {
    pause / 2 + pause * u32::from(drawn) / (2 * u32::from(u8::MAX))
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum Unsettled {
    /// The service refused.
    Refused(Unanswered),
    /// There is no good token to ask with.
    Tokenless(anyhow::Error),
}

impl Unsettled {
    /// Whether it is the refusal of this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refused) if refused.refusal.code == code)
    }

    /// Whether it is worth to ask the same again. A fault of the service's own is not: it is found sooner if it is told.
    #[must_use]
    pub fn passes(&self) -> bool {
        let Self::Refused(refused) = self else {
            return false;
        };
        refused.is_passing()
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Tokenless(fault) => write!(f, "{fault:#}"),
        }
    }
}

impl std::error::Error for Unsettled {}

/// Asks until the answer is none that passes.
///
/// # Errors
/// A refusal that stays, or one that still passes when the patience is at its end.
pub async fn patiently<T>(
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, Unsettled>,
) -> Result<T, Unsettled> {
    let mut patience = Patience::with_a_service(limit);
    loop {
        match ask().await {
            Err(unsettled) if unsettled.passes() && patience.pause().await => {}
            settled => return settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::{DESK_FULL, INTERNAL, NOT_FOUND, UNAVAILABLE};
    use tonic::Status;

    use super::*;
    use crate::client::refusal;

    fn soon() -> Duration {
        Duration::from_millis(200)
    }

    async fn asked_until(answers: Vec<Result<u32, Status>>) -> (Result<u32, Unsettled>, usize) {
        let mut asked = 0;
        let answer = patiently(soon(), async || {
            let answer = answers[asked.min(answers.len() - 1)].clone();
            asked += 1;
            answer.map_err(|status| Unsettled::Refused(refusal(&status)))
        });
        (answer.await, asked)
    }

    #[tokio::test]
    async fn what_passes_is_asked_again() {
        let answers = vec![
            Err(UNAVAILABLE.status()),
            Err(DESK_FULL.status()),
            Err(Status::unknown("transport error")),
            Ok(7),
        ];
        let (answer, asked) = asked_until(answers).await;
        assert_eq!((answer.expect("an answer"), asked), (7, 4));
    }

    #[tokio::test]
    async fn what_stays_is_told_at_once() {
        for refusal in [NOT_FOUND, INTERNAL] {
            let (answer, asked) = asked_until(vec![Err(refusal.status())]).await;
            assert!(answer.expect_err("refused").is(&refusal.code));
            assert_eq!(asked, 1);
        }
        let (_, asked) = asked_until(vec![Err(Status::unimplemented("?"))]).await;
        assert_eq!(asked, 1);
    }

    #[tokio::test]
    async fn patience_ends() {
        let (answer, asked) = asked_until(vec![Err(UNAVAILABLE.status())]).await;
        assert!(answer.expect_err("refused").passes());
        assert!(asked > 1);
    }

    #[test]
    fn a_pause_is_between_a_half_and_the_whole() {
        let pause = Duration::from_millis(100);
        assert_eq!(jittered(pause, 0), Duration::from_millis(50));
        assert_eq!(jittered(pause, u8::MAX), pause);
    }
}

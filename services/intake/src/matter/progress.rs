//! How far a matter's case is, as verification tells: for the reporter's side and for the repeat ledger.
//! Source: `domain.md`, The whole loop.

use chassis::aggregate::{Decision, Rejection};
use serde::{Deserialize, Serialize};

use crate::matter::{Event, State};

/// How far a matter's case is, as verification told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseProgress {
    /// The stage.
    pub stage: CaseStage,
    /// The number of the last conclusion, 0 if there is none.
    pub conclusion: u32,
    /// The number of the last news in the case's stream; what is not above it is old.
    pub sequence: i64,
}

/// The stages of a case that intake knows of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStage {
    /// Verification has not told of one yet.
    #[default]
    Unheard,
    /// It is being verified.
    Opened,
    /// All findings were approved.
    Concluded,
    /// It is being verified again.
    Reopened,
    /// It ended without a conclusion.
    Discontinued,
}

impl CaseStage {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unheard => "unheard",
            Self::Opened => "opened",
            Self::Concluded => "concluded",
            Self::Reopened => "reopened",
            Self::Discontinued => "discontinued",
        }
    }
}

/// Verification told how far the case is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseStateRecorded {
    /// How far.
    pub case: CaseProgress,
}

/// One case a matter, one stream a case: its news carry a number, and what is not above the last one is old.
pub(super) fn record(
    state: &State,
    stage: CaseStage,
    conclusion: Option<u32>,
    sequence: i64,
) -> Decision<Event> {
    let Some(open) = state.open() else {
        return Err(Rejection::NotYet("the matter of this case is not here"));
    };
    if sequence <= open.case.sequence {
        return Ok(Vec::new());
    }
    Ok(vec![
        CaseStateRecorded {
            case: CaseProgress {
                stage,
                conclusion: conclusion.unwrap_or(open.case.conclusion),
                sequence,
            },
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, given};

    use super::*;
    use crate::examples::{TOWN, about, officer, raised, subject, submission};
    use crate::matter::{Command, Matter};

    fn matter() -> Given<Matter> {
        let one = subject("one");
        raised(submission([about(&one)]), &[one])
    }

    fn news(stage: CaseStage, conclusion: Option<u32>, sequence: i64) -> Command {
        Command::RecordCaseState {
            stage,
            conclusion,
            sequence,
        }
    }

    #[test]
    fn a_matter_is_seen_by_its_unit_and_those_above() {
        matter()
            .actor(officer("below", TOWN))
            .when(news(CaseStage::Opened, None, 1))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn older_news_of_a_case_never_overwrite_newer() {
        let concluded = matter()
            .when(news(CaseStage::Opened, None, 1))
            .accepted()
            .1
            .when(news(CaseStage::Concluded, Some(1), 2))
            .accepted()
            .1
            .when(news(CaseStage::Opened, None, 1))
            .then_already();
        let reopened = concluded
            .when(news(CaseStage::Reopened, Some(1), 3))
            .accepted()
            .1;
        let discontinued = reopened
            .when(news(CaseStage::Discontinued, None, 4))
            .accepted()
            .1;
        let case = &discontinued.state().open().expect("raised").case;
        assert_eq!((case.stage, case.conclusion), (CaseStage::Discontinued, 1));
    }

    #[test]
    fn news_of_a_matter_that_is_not_here_yet_wait() {
        given::<Matter>()
            .when(news(CaseStage::Opened, None, 1))
            .then_not_yet();
    }
}

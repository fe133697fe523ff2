//! What became of the clarifications of a matter's subjects, as clarification tells: for the officers, and for the
//! reporter's side, who is told of how many names and no more.
//! Source: `domain.md`, The whole loop.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Rejection};
use office::{ClarificationId, SubjectId};
use serde::{Deserialize, Serialize};

use crate::matter::{Event, Open, State};
use crate::report::Filed;

/// What became of one clarification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clarification {
    /// Whose name it is about.
    pub subject: SubjectId,
    /// How far it is.
    pub stage: ClarificationStage,
    /// The number of the last news in its stream; what is not above it is old.
    pub sequence: i64,
}

/// The stages of a clarification that intake hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClarificationStage {
    /// The name was cleared.
    CarriedOut,
    /// The case was reopened before that.
    Halted,
    /// The case was reopened after it, so that it stands no longer.
    Superseded,
}

/// Clarification told what became of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClarificationRecorded {
    /// The clarification.
    pub id: ClarificationId,
    /// What became of it.
    pub clarification: Clarification,
}

/// One stream a clarification: its news carry a number, and what is not above the last one is old.
pub(super) fn record(
    state: &State,
    id: ClarificationId,
    clarification: &Clarification,
) -> Decision<Event> {
    let Some(open) = state.open() else {
        return Err(Rejection::NotYet(
            "the matter of this clarification is not here",
        ));
    };
    let known = open.clarifications.get(&id);
    if known.is_some_and(|known| clarification.sequence <= known.sequence) {
        return Ok(Vec::new());
    }
    let clarification = clarification.clone();
    Ok(vec![ClarificationRecorded { id, clarification }.into()])
}

impl Open {
    /// Of how many subjects of one of its reports the name is cleared now. Other reports' subjects are not its reporter's
    /// to know of.
    pub fn names_cleared(&self, report: &Filed) -> usize {
        let allegations = report.current_allegations();
        let subjects: BTreeSet<SubjectId> = allegations.iter().map(|one| one.whom.id()).collect();
        let all = self.clarifications.values();
        all.filter(|one| one.stage == ClarificationStage::CarriedOut)
            .filter(|one| subjects.contains(&one.subject))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, given};
    use office::natural_id;

    use super::*;
    use crate::examples::{about, about_somebody, raised, received, subject, submission};
    use crate::matter::{Command, Matter};
    use crate::report::joining::{Identity, News};
    use crate::report::{self, Report};
    use crate::subject::Entry;

    fn matter() -> Given<Matter> {
        let (one, two) = (subject("one"), subject("two"));
        raised(submission([about(&one), about(&two)]), &[one, two])
    }

    fn news(of: &Entry, stage: ClarificationStage, sequence: i64) -> Command {
        Command::RecordClarification {
            id: natural_id("clarification", &[of.id.as_bytes()]).into(),
            clarification: Clarification {
                subject: of.id,
                stage,
                sequence,
            },
        }
    }

    fn told(matter: Given<Matter>, of: &Entry, stage: ClarificationStage) -> Given<Matter> {
        let sequence = matter.state().open().map_or(1, |open| {
            let known = open.clarifications.values().map(|one| one.sequence);
            known.max().unwrap_or_default() + 1
        });
        matter.when(news(of, stage, sequence)).accepted().1
    }

    fn cleared(matter: &Given<Matter>, report: &Given<Report>) -> usize {
        let open = matter.state().open().expect("raised");
        open.names_cleared(report.state().filed().expect("submitted"))
    }

    #[test]
    fn older_news_of_a_clarification_never_overwrite_newer() {
        let (one, two) = (subject("one"), subject("two"));
        let carried_out = matter()
            .when(news(&one, ClarificationStage::CarriedOut, 2))
            .accepted()
            .1;
        let superseded = carried_out
            .when(news(&one, ClarificationStage::CarriedOut, 2))
            .then_already()
            .when(news(&one, ClarificationStage::Superseded, 4))
            .accepted()
            .1
            .when(news(&one, ClarificationStage::CarriedOut, 3))
            .then_already();
        // Each has a stream of its own.
        let both = superseded
            .when(news(&two, ClarificationStage::Halted, 1))
            .accepted()
            .1;
        let open = both.state().open().expect("raised");
        let stages: BTreeSet<i64> = open
            .clarifications
            .values()
            .map(|one| one.sequence)
            .collect();
        assert_eq!(stages, [1, 4].into());
    }

    #[test]
    fn news_of_a_clarification_whose_matter_is_not_here_yet_wait() {
        given::<Matter>()
            .when(news(&subject("one"), ClarificationStage::Halted, 1))
            .then_not_yet();
    }

    #[test]
    fn a_reporter_is_told_how_many_names_are_cleared_while_that_stands() {
        let (one, two) = (subject("one"), subject("two"));
        let report = received(&[one.clone(), two.clone()]);
        let matter = matter();
        assert_eq!(cleared(&matter, &report), 0);
        let matter = told(matter, &one, ClarificationStage::Halted);
        assert_eq!(cleared(&matter, &report), 0);
        let matter = told(matter, &one, ClarificationStage::CarriedOut);
        assert_eq!(cleared(&matter, &report), 1);
        let matter = told(matter, &two, ClarificationStage::CarriedOut);
        assert_eq!(cleared(&matter, &report), 2);
        let matter = told(matter, &one, ClarificationStage::Superseded);
        assert_eq!(cleared(&matter, &report), 1);
    }

    #[test]
    fn a_reporter_is_not_told_of_subjects_whom_only_others_reported() {
        let (one, two) = (subject("one"), subject("two"));
        let matter = told(matter(), &two, ClarificationStage::CarriedOut);
        assert_eq!(cleared(&matter, &received(std::slice::from_ref(&one))), 0);
        assert_eq!(cleared(&matter, &received(std::slice::from_ref(&two))), 1);
    }

    #[test]
    fn somebody_who_was_identified_since_counts_for_whoever_reported_them() {
        let two = subject("two");
        let matter = told(matter(), &two, ClarificationStage::CarriedOut);
        let (_, report) =
            crate::examples::submitted_as(submission([about_somebody()]), &[], given());
        let placeholder = report.state().filed().expect("submitted").allegations()[0]
            .whom
            .id();
        assert_eq!(cleared(&matter, &report), 0);
        let identified = report.events([report::Event::MatterFollowed(News {
            identified: Some(Identity {
                placeholder,
                subject: two,
            }),
            ..News::default()
        })]);
        assert_eq!(cleared(&matter, &identified), 1);
    }
}

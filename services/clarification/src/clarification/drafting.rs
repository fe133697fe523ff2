//! The statement that clears a name: each allegation of this matter on this subject with its finding, and no other (一事一澄
//! 清). It is made of the conclusion and holds no appraisal of the person; a short note may stand beside it, which the
//! approver sees marked as what it is.

use chassis::aggregate::{Decision, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use office::{ActorId, TextId};
use serde::{Deserialize, Serialize};

use super::{APPROVED, Context, Event, Preparation, Progress, State, wish};
use crate::conclusion::Line;

/// No form is decided.
pub const FORM_NOT_DECIDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_FORM_NOT_DECIDED",
    "The form must be decided before a statement is drafted.",
);
/// A statement waits for approval.
pub const DRAFTED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_DRAFTED",
    "A statement is drafted and waits for approval; it must be returned first.",
);
/// There is no statement to decide on.
pub const NOTHING_DRAFTED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOTHING_DRAFTED",
    "No statement is drafted that could be approved or returned.",
);

/// The statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Who drafted it.
    pub by: ActorId,
    /// A line for each allegation of the matter on the subject.
    pub lines: Vec<Line>,
    /// A remark beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<TextRef>,
}

/// See [`Event::StatementDrafted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatementDrafted {
    /// The statement.
    pub statement: Statement,
}

/// See [`Event::DraftReturned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftReturned {
    /// By whom.
    pub by: ActorId,
    /// Why.
    pub reason: TextRef,
}

/// Drafts the statement.
pub(super) fn draft(state: &State, note: Option<TextId>, context: &Context) -> Decision<Event> {
    let (dossier, preparation) = state.preparing(context)?;
    wish::wanted(preparation)?;
    match &preparation.progress {
        Progress::Undecided => return Err(FORM_NOT_DECIDED.into()),
        Progress::FormDecided { .. } => {}
        Progress::Drafted { statement, .. }
            if statement.note.as_ref().map(|given| given.id) == note =>
        {
            return Ok(Vec::new());
        }
        Progress::Drafted { .. } => return Err(DRAFTED.into()),
        Progress::Approved { .. } => return Err(APPROVED.into()),
    }
    Ok(vec![
        StatementDrafted {
            statement: Statement {
                by: context.actor.id.clone(),
                lines: dossier.clearance.findings.clone(),
                note: note.map(|note| context.text(note)),
            },
        }
        .into(),
    ])
}

pub(super) fn drafted(preparation: &mut Preparation, drafted: &StatementDrafted) {
    if let Some(form) = preparation.progress.form().cloned() {
        preparation.progress = Progress::Drafted {
            form,
            statement: drafted.statement.clone(),
        };
    }
}

/// Gives the draft back to the officers.
pub(super) fn give_back(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
    let (_, preparation) = state.preparing(context)?;
    match &preparation.progress {
        Progress::Drafted { .. } => {}
        Progress::FormDecided {
            returned: Some(given),
            ..
        } if given.id == reason => return Ok(Vec::new()),
        Progress::Undecided | Progress::FormDecided { .. } => return Err(NOTHING_DRAFTED.into()),
        Progress::Approved { .. } => return Err(APPROVED.into()),
    }
    Ok(vec![
        DraftReturned {
            by: context.actor.id.clone(),
            reason: context.text(reason),
        }
        .into(),
    ])
}

pub(super) fn returned(preparation: &mut Preparation, returned: &DraftReturned) {
    if let Some(form) = preparation.progress.form().cloned() {
        preparation.progress = Progress::FormDecided {
            form,
            returned: Some(returned.reason.clone()),
        };
    }
}

#[cfg(test)]
mod tests {
    use office::{Finding, TextId};

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::super::{Command, Standing};
    use super::*;

    fn draft(note: Option<TextId>) -> Command {
        Command::DraftStatement { note }
    }

    fn give_back() -> Command {
        Command::ReturnDraft { reason: id(TEXT) }
    }

    #[test]
    fn one_matter_one_statement_with_each_of_its_allegations_on_the_subject_and_no_other() {
        let (events, _) = a_decided_one(Form::Written)
            .actor(officer("otto"))
            .when(draft(Some(id(TEXT))))
            .accepted();
        let [Event::StatementDrafted(drafted)] = &events[..] else {
            panic!("a statement was drafted, not {events:?}");
        };
        let lines: Vec<_> = drafted
            .statement
            .lines
            .iter()
            .map(|line| {
                (
                    line.allegation,
                    line.category.as_str(),
                    line.occurred_on,
                    line.finding.clone(),
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                (id(1), "bribery", occurred_on(1), Finding::Unfounded),
                (id(3), "neglect", None, Finding::Exonerated),
            ]
        );
        assert_eq!(drafted.statement.note, Some(text(TEXT)));
    }

    #[test]
    fn nothing_is_drafted_before_a_form_is_decided() {
        a_heard_one()
            .actor(officer("otto"))
            .when(draft(None))
            .then_refused(&FORM_NOT_DECIDED);
    }

    #[test]
    fn a_draft_changes_only_by_returning_it() {
        let returned = a_drafted_one(Form::Written)
            .text(id(TEXT + 1))
            .actor(officer("otto"))
            .when(draft(None))
            .then_already();
        returned
            .clone()
            .when(draft(Some(id(TEXT + 1))))
            .then_refused(&DRAFTED);
        let returned = returned
            .actor(supervisor("gao"))
            .when(give_back())
            .then([DraftReturned {
                by: actor_id("gao"),
                reason: text(TEXT),
            }]);
        assert_eq!(returned.state().standing(), Some(Standing::FormDecided));
        returned
            .actor(officer("otto"))
            .when(draft(Some(id(TEXT + 1))))
            .accepted();
    }

    #[test]
    fn only_a_draft_is_returned() {
        for nothing in [a_heard_one(), a_decided_one(Form::Written)] {
            nothing.when(give_back()).then_refused(&NOTHING_DRAFTED);
        }
        an_approved_one(Form::Written)
            .when(give_back())
            .then_refused(&APPROVED);
    }
}

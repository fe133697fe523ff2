//! That the subject cannot be heard: they died, or cannot be found. The unit decides in their place, with a reason, never
//! in a form that they had refused, and never in person, as nobody is there to be met.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, TextRef};
use office::{ActorId, TextId};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::wish::{DECLINED, Wish};
use super::{Context, Event, Left, Preparation, Progress, State};

/// See [`Event::FoundUnreachable`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundUnreachable {
    /// Who established it.
    pub by: ActorId,
    /// Why, and what was tried.
    pub reason: TextRef,
    /// Forms that the subject had refused while they could be heard.
    pub refused: BTreeSet<Form>,
    /// What becomes of a form that was decided, and of what was done for it.
    pub form: Left,
}

/// The first version left every form as it was, also one that needs the subject.
pub(super) fn leaving_the_form(data: &[u8]) -> Result<FoundUnreachable, String> {
    #[derive(Deserialize)]
    struct First {
        by: ActorId,
        reason: TextRef,
        refused: BTreeSet<Form>,
    }
    let first: First = chassis::aggregate::decode(data)?;
    Ok(FoundUnreachable {
        by: first.by,
        reason: first.reason,
        refused: first.refused,
        form: Left::Stays,
    })
}

/// Records that the subject can be heard no more. What they refused while they could still holds; whoever had declined
/// stays as they are. A form that was decided for somebody who can be met falls.
pub(super) fn record(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
    let (dossier, preparation) = state.preparing(context)?;
    if let Some(Wish::Unreachable { reason: given, .. }) = &preparation.wish
        && given.id == reason
    {
        return Ok(Vec::new());
    }
    let last = preparation.wish.as_ref().or(dossier.earlier_wish.as_ref());
    if last.is_some_and(Wish::declines) {
        return Err(DECLINED.into());
    }
    let wish = Wish::Unreachable {
        by: context.actor.id.clone(),
        reason: context.text(reason),
        refused: last.map(Wish::refused).unwrap_or_default(),
    };
    let form = match preparation.progress.form() {
        Some(decided) if wish.rules_out(decided.form) => Left::Falls,
        Some(_) | None => Left::Stays,
    };
    Ok(vec![
        FoundUnreachable {
            by: context.actor.id.clone(),
            reason: context.text(reason),
            refused: wish.refused(),
            form,
        }
        .into(),
    ])
}

pub(super) fn recorded(preparation: &mut Preparation, found: &FoundUnreachable) {
    preparation.wish = Some(Wish::Unreachable {
        by: found.by.clone(),
        reason: found.reason.clone(),
        refused: found.refused.clone(),
    });
    if found.form == Left::Falls {
        preparation.progress = Progress::Undecided;
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::clocks;

    use super::super::fixture::*;
    use super::super::forms::{FORM_REFUSED, NOBODY_TO_MEET};
    use super::super::wish::Said;
    use super::super::{Clarification, Command, Standing};
    use super::*;

    fn unreachable() -> Command {
        Command::RecordUnreachable { reason: id(TEXT) }
    }

    #[test]
    fn of_the_unreachable_no_consent_is_needed() {
        let after = an_eligible_one()
            .actor(officer("otto"))
            .when(unreachable())
            .accepted()
            .1;
        after.when(choose(Form::Bulletin)).accepted();
    }

    #[test]
    fn a_form_in_person_falls_when_the_subject_cannot_be_reached() {
        let found = |form| -> Event {
            FoundUnreachable {
                by: actor_id("otto"),
                reason: text(TEXT),
                refused: [].into(),
                form,
            }
            .into()
        };
        for before in [a_decided_one, a_drafted_one, an_approved_one] {
            let after = before(Form::InPerson)
                .actor(officer("otto"))
                .when(unreachable())
                .then([found(Left::Falls)]);
            assert_eq!(after.state().standing(), Some(Standing::Eligible));
            after
                .clone()
                .when(choose(Form::InPerson))
                .then_refused(&NOBODY_TO_MEET);
            after.when(choose(Form::Written)).accepted();
            for form in [Form::Written, Form::Meeting, Form::Bulletin] {
                before(form)
                    .actor(officer("otto"))
                    .when(unreachable())
                    .then([found(Left::Stays)]);
            }
        }
        let stopped = clocks::<Clarification>(clarification(), &found(Left::Falls));
        assert!(stopped.iter().all(|(_, due)| due.is_none()) && stopped.len() == 2);
    }

    #[test]
    fn what_was_refused_holds_when_consent_can_be_asked_no_more() {
        an_eligible_one()
            .events([wish_of(Said::Wants {
                wanted: [].into(),
                refused: [Form::Bulletin].into(),
            })])
            .actor(officer("otto"))
            .when(unreachable())
            .accepted()
            .1
            .when(choose(Form::Bulletin))
            .then_refused(&FORM_REFUSED);
    }
}

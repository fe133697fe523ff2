//! The subject's wish, as it was heard: of a person themselves, of an organisation its head. Nothing is done against it,
//! and never in a form that they refused.
//!
//! How it is read, so that it protects the subject: written goes with every other form, so whoever refuses written
//! refuses all. A wish may change until the name is cleared, also after the approval; a form that is refused then falls,
//! and what was drafted and approved for it with it. When a clarification is taken up again, the subject is heard again,
//! because whoever agreed to tell one set of findings did not agree to tell another; what was refused before still holds
//! if they can be heard no more.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Rejection, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use jiff::civil::Date;
use office::{ActorId, TextId};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::{Context, Event, Left, Preparation, Progress, State};

/// The subject does not wish it.
pub const DECLINED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_DECLINED",
    "The subject does not wish this clarification; only their own word changes that.",
);
/// A wish from the future.
pub const HEARD_LATER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_HEARD_LATER",
    "The subject cannot have been heard later than today.",
);
/// Nobody has asked the subject.
pub const WISH_NOT_HEARD: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_WISH_NOT_HEARD",
    "The subject's wish must be heard first, or that they cannot be reached.",
);

/// What a subject says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// They want their name cleared.
    Wants {
        /// Forms that they would like.
        wanted: BTreeSet<Form>,
        /// Forms that must not be chosen.
        refused: BTreeSet<Form>,
    },
    /// They do not.
    Declines,
}

/// A wish that is on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The subject was heard.
    Heard {
        /// By whom.
        by: ActorId,
        /// When.
        on: Date,
        /// What they said.
        said: Said,
    },
    /// The subject died or cannot be found; the unit decides in their place.
    Unreachable {
        /// Who established it.
        by: ActorId,
        /// Why, and what was tried.
        reason: TextRef,
        /// Forms that they had refused while they could be heard.
        refused: BTreeSet<Form>,
    },
}

impl Wish {
    /// Whether the subject does not wish to be cleared in public.
    pub fn declines(&self) -> bool {
        matches!(
            self,
            Self::Heard {
                said: Said::Declines,
                ..
            }
        )
    }

    /// Who put it on record.
    pub fn by(&self) -> &ActorId {
        match self {
            Self::Heard { by, .. } | Self::Unreachable { by, .. } => by,
        }
    }

    /// The forms that the subject would like.
    pub fn wanted(&self) -> BTreeSet<Form> {
        match self {
            Self::Heard {
                said: Said::Wants { wanted, .. },
                ..
            } => wanted.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// The forms that the subject said no to.
    pub fn refused(&self) -> BTreeSet<Form> {
        match self {
            Self::Heard {
                said: Said::Wants { refused, .. },
                ..
            }
            | Self::Unreachable { refused, .. } => refused.clone(),
            Self::Heard {
                said: Said::Declines,
                ..
            } => Form::ALL.into(),
        }
    }

    /// Whether a form must not be chosen. Written goes with each of the others, so whoever refuses it refuses all.
    pub fn refuses(&self, form: Form) -> bool {
        let refused = self.refused();
        refused.contains(&form) || refused.contains(&Form::Written)
    }
}

/// See [`Event::WishRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishRecorded {
    /// By whom the subject was heard.
    pub by: ActorId,
    /// When.
    pub heard_on: Date,
    /// What they said.
    pub said: Said,
    /// What becomes of a form that was decided, and of what was done for it.
    pub form: Left,
}

/// See [`Event::FoundUnreachable`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundUnreachable {
    /// Who established it.
    pub by: ActorId,
    /// Why, and what was tried.
    pub reason: TextRef,
    /// Forms that the subject had refused while they could be heard.
    pub refused: BTreeSet<Form>,
}

/// Records what the subject wishes.
pub(super) fn record(
    state: &State,
    said: &Said,
    heard_on: Date,
    context: &Context,
) -> Decision<Event> {
    let (_, preparation) = state.preparing(context)?;
    if let Some(Wish::Heard {
        on, said: before, ..
    }) = &preparation.wish
        && *on == heard_on
        && before == said
    {
        return Ok(Vec::new());
    }
    if heard_on > context.profile.calendar.date(context.now) {
        return Err(HEARD_LATER.at("heard_on").into());
    }
    let wish = Wish::Heard {
        by: context.actor.id.clone(),
        on: heard_on,
        said: said.clone(),
    };
    let decided = preparation.progress.form();
    let form = match decided {
        Some(decided) if wish.refuses(decided.form) => Left::Falls,
        Some(_) | None => Left::Stays,
    };
    Ok(vec![
        WishRecorded {
            by: context.actor.id.clone(),
            heard_on,
            said: said.clone(),
            form,
        }
        .into(),
    ])
}

pub(super) fn recorded(preparation: &mut Preparation, recorded: &WishRecorded) {
    preparation.wish = Some(Wish::Heard {
        by: recorded.by.clone(),
        on: recorded.heard_on,
        said: recorded.said.clone(),
    });
    if recorded.form == Left::Falls {
        preparation.progress = Progress::Undecided;
    }
}

/// Records that the subject can be heard no more. What they refused while they could still holds; whoever had declined
/// stays as they are.
pub(super) fn unreachable(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
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
    Ok(vec![
        FoundUnreachable {
            by: context.actor.id.clone(),
            reason: context.text(reason),
            refused: last.map(Wish::refused).unwrap_or_default(),
        }
        .into(),
    ])
}

pub(super) fn found_unreachable(preparation: &mut Preparation, found: &FoundUnreachable) {
    preparation.wish = Some(Wish::Unreachable {
        by: found.by.clone(),
        reason: found.reason.clone(),
        refused: found.refused.clone(),
    });
}

/// Refuses where the subject has declined.
pub(super) fn wanted(preparation: &Preparation) -> Result<(), Rejection> {
    match &preparation.wish {
        Some(wish) if wish.declines() => Err(DECLINED.into()),
        Some(_) | None => Ok(()),
    }
}

/// The wish that something may rest on: heard in this round and not against it.
pub(super) fn heard(preparation: &Preparation) -> Result<&Wish, Rejection> {
    wanted(preparation)?;
    preparation
        .wish
        .as_ref()
        .ok_or_else(|| WISH_NOT_HEARD.into())
}

#[cfg(test)]
mod tests {
    use chassis::testing::clocks;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::forms::FORM_REFUSED;
    use super::super::{CARRIED_OUT, Clarification, Command, Standing};
    use super::*;

    fn said(refused: &[Form], form: Left) -> Event {
        WishRecorded {
            by: actor_id("otto"),
            heard_on: date(2026, 3, 9),
            said: Said::Wants {
                wanted: [].into(),
                refused: refused.iter().copied().collect(),
            },
            form,
        }
        .into()
    }

    fn declined(form: Left) -> Event {
        WishRecorded {
            by: actor_id("otto"),
            heard_on: date(2026, 3, 9),
            said: Said::Declines,
            form,
        }
        .into()
    }

    fn unreachable() -> Command {
        Command::RecordUnreachable { reason: id(TEXT) }
    }

    #[test]
    fn consent_is_not_heard_in_the_future() {
        let refusal = a_candidate()
            .actor(officer("otto"))
            .when(Command::RecordWish {
                said: Said::Declines,
                heard_on: date(2026, 3, 10),
            })
            .then_refused(&HEARD_LATER);
        assert_eq!(refusal.violations[0].field, "heard_on");
    }

    #[test]
    fn without_consent_no_form_is_decided() {
        an_eligible_one()
            .actor(officer("otto"))
            .when(choose(Form::Written))
            .then_refused(&WISH_NOT_HEARD);
    }

    #[test]
    fn no_clarification_against_the_subjects_consent() {
        let steps = [
            an_eligible_one(),
            a_decided_one(Form::Written),
            a_drafted_one(Form::Written),
            an_approved_one(Form::Written),
        ];
        for before in steps {
            let fell = match before.state().standing() {
                Some(Standing::Eligible) => Left::Stays,
                _ => Left::Falls,
            };
            let after = before
                .actor(officer("otto"))
                .when(declines())
                .then([declined(fell)]);
            assert_eq!(after.state().standing(), Some(Standing::Declined));
            for command in [
                choose(Form::Written),
                Command::DraftStatement { note: None },
                Command::ApproveClarification,
                carry_it_out(Form::Written),
                unreachable(),
            ] {
                after
                    .clone()
                    .actor(supervisor("gao"))
                    .when(command)
                    .then_refused(&DECLINED);
            }
        }
    }

    #[test]
    fn whoever_declined_may_give_consent_later() {
        let after = an_eligible_one()
            .events([declined(Left::Stays)])
            .actor(officer("otto"))
            .when(wants(&[]))
            .then([said(&[], Left::Stays)]);
        assert_eq!(after.state().standing(), Some(Standing::Eligible));
    }

    #[test]
    fn consent_to_a_form_can_be_taken_back_also_after_the_approval() {
        let form = Form::Meeting;
        for before in [
            a_decided_one(form),
            a_drafted_one(form),
            an_approved_one(form),
        ] {
            let after = before
                .actor(officer("otto"))
                .when(wants(&[form]))
                .then([said(&[form], Left::Falls)]);
            assert_eq!(after.state().standing(), Some(Standing::Eligible));
            after.when(choose(form)).then_refused(&FORM_REFUSED);
        }
        let stopped = clocks::<Clarification>(clarification(), &said(&[form], Left::Falls));
        assert!(stopped.iter().all(|(_, due)| due.is_none()) && stopped.len() == 2);
    }

    #[test]
    fn consent_that_does_not_touch_the_form_leaves_it_as_it_is() {
        let after = an_approved_one(Form::Written)
            .actor(officer("otto"))
            .when(wants(&[Form::Meeting]))
            .then([said(&[Form::Meeting], Left::Stays)]);
        assert_eq!(after.state().standing(), Some(Standing::Approved));
    }

    #[test]
    fn whoever_refuses_written_refuses_all() {
        let after = an_approved_one(Form::Bulletin)
            .actor(officer("otto"))
            .when(wants(&[Form::Written]))
            .then([said(&[Form::Written], Left::Falls)]);
        for form in Form::ALL {
            after.clone().when(choose(form)).then_refused(&FORM_REFUSED);
        }
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
    fn what_was_refused_holds_when_consent_can_be_asked_no_more() {
        an_eligible_one()
            .events([said(&[Form::Bulletin], Left::Stays)])
            .actor(officer("otto"))
            .when(unreachable())
            .accepted()
            .1
            .when(choose(Form::Bulletin))
            .then_refused(&FORM_REFUSED);
    }

    #[test]
    fn consent_changes_no_more_once_the_name_was_cleared() {
        a_carried_out_one(Form::Written)
            .actor(officer("otto"))
            .when(declines())
            .then_refused(&CARRIED_OUT);
    }
}

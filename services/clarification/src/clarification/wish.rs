//! The subject's wish, as it was heard: of a person themselves, of an organisation its head. Nothing is done against it,
//! and never in a form that they refused.
//!
//! Who heads an organisation's unit intake's register says; it is asked before the decision (`facts.rs`), and the event
//! keeps who spoke and which unit they headed then.
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
use office::{ActorId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::{Context, Dossier, Event, Left, Preparation, Progress, State};
use crate::conclusion::{Subject, SubjectKind};

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
/// The wish is older than what is known of it.
pub const WISH_OVERTAKEN: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_WISH_OVERTAKEN",
    "The subject was heard at a later date, or a later conclusion asks for it anew; what is older does not count.",
);
/// Somebody else spoke for an organisation than who heads its unit.
pub const NOT_BY_ITS_HEAD: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_NOT_BY_ITS_HEAD",
    "An organisation speaks by its head: say which person of the subject register spoke who heads its unit.",
);
/// Somebody else spoke for a person.
pub const NOT_BY_THEMSELVES: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_NOT_BY_THEMSELVES",
    "A person speaks for themselves; nobody else says what they wish.",
);
/// Intake does not say whom a person heads.
pub const HEAD_UNANSWERED: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_HEAD_UNANSWERED",
    "Intake does not answer whether this person heads the organisation's unit, so nothing was recorded.",
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

/// Who spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// Which person of intake's register: the subject, or who heads the organisation.
    pub person: SubjectId,
    /// The unit that they headed then; of an organisation's head only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<UnitCode>,
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
        /// Who spoke; `None` where it was heard before that was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        spoken_by: Option<Speaker>,
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

    /// Who spoke, where somebody did and it was kept.
    pub fn spoken_by(&self) -> Option<&Speaker> {
        match self {
            Self::Heard { spoken_by, .. } => spoken_by.as_ref(),
            Self::Unreachable { .. } => None,
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

    /// Whether a form cannot be, whoever chooses it: the subject refuses it, or nobody is there to be met in person.
    pub fn rules_out(&self, form: Form) -> bool {
        let nobody = matches!(self, Self::Unreachable { .. });
        self.refuses(form) || (nobody && form == Form::InPerson)
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
    /// Who spoke; `None` where it was heard before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoken_by: Option<Speaker>,
    /// What becomes of a form that was decided, and of what was done for it.
    pub form: Left,
}

/// The first version kept nobody who spoke.
pub(super) fn without_speaker(data: &[u8]) -> Result<WishRecorded, String> {
    chassis::aggregate::decode(data)
}

/// Records what the subject wishes.
pub(super) fn record(
    state: &State,
    said: &Said,
    heard_on: Date,
    spoken_by: Option<SubjectId>,
    context: &Context,
) -> Decision<Event> {
    let (dossier, preparation) = state.preparing(context)?;
    let spoken_by = speaker(&dossier.subject, spoken_by, context)?;
    if let Some(Wish::Heard {
        on,
        said: before,
        spoken_by: who,
        ..
    }) = &preparation.wish
        && *on == heard_on
        && before == said
        && who.as_ref() == Some(&spoken_by)
    {
        return Ok(Vec::new());
    }
    if heard_on > context.profile.calendar.date(context.now) {
        return Err(HEARD_LATER.at("heard_on").into());
    }
    if heard_on < not_before(dossier, preparation) {
        return Err(WISH_OVERTAKEN.at("heard_on").into());
    }
    let wish = Wish::Heard {
        by: context.actor.id.clone(),
        on: heard_on,
        said: said.clone(),
        spoken_by: Some(spoken_by.clone()),
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
            spoken_by: Some(spoken_by),
            form,
        }
        .into(),
    ])
}

/// The first day on which a wish counts: that of the one before, and where it was taken up that of the new conclusion.
fn not_before(dossier: &Dossier, preparation: &Preparation) -> Date {
    let heard = match &preparation.wish {
        Some(Wish::Heard { on, .. }) => Some(*on),
        Some(Wish::Unreachable { .. }) | None => None,
    };
    let concluded = dossier.clearance.concluded_on.filter(|_| dossier.round > 1);
    heard.max(concluded).unwrap_or(Date::MIN)
}

/// Who speaks for the subject: a person themselves, for an organisation who heads its unit by intake's register.
pub(super) fn speaker(
    subject: &Subject,
    named: Option<SubjectId>,
    context: &Context,
) -> Result<Speaker, Rejection> {
    match subject.kind {
        SubjectKind::Person if named.is_none_or(|named| named == subject.id) => Ok(Speaker {
            person: subject.id,
            heads: None,
        }),
        SubjectKind::Person => Err(NOT_BY_THEMSELVES.at("spoken_by").into()),
        SubjectKind::Organisation => {
            let named = named.ok_or_else(|| NOT_BY_ITS_HEAD.at("spoken_by"))?;
            // The clarification came to this point after the facts were gathered.
            let asked = context.facts.speaker.as_ref();
            let asked = asked.filter(|asked| asked.person == named);
            let speaker = asked.ok_or(Rejection::Stale)?;
            if speaker.heads.as_ref() != Some(&subject.unit) {
                return Err(NOT_BY_ITS_HEAD.at("spoken_by").into());
            }
            Ok(speaker.clone())
        }
    }
}

pub(super) fn recorded(preparation: &mut Preparation, recorded: &WishRecorded) {
    preparation.wish = Some(Wish::Heard {
        by: recorded.by.clone(),
        on: recorded.heard_on,
        said: recorded.said.clone(),
        spoken_by: recorded.spoken_by.clone(),
    });
    if recorded.form == Left::Falls {
        preparation.progress = Progress::Undecided;
    }
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

    use super::super::approval::Facts;
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
            spoken_by: Some(themselves()),
            form,
        }
        .into()
    }

    fn declined(form: Left) -> Event {
        WishRecorded {
            by: actor_id("otto"),
            heard_on: date(2026, 3, 9),
            said: Said::Declines,
            spoken_by: Some(themselves()),
            form,
        }
        .into()
    }

    const HEAD: u128 = 0x35;

    /// The head of the organisation says that it wants its name cleared.
    fn by(person: Option<u128>) -> Command {
        Command::RecordWish {
            said: Said::Declines,
            heard_on: date(2026, 3, 9),
            spoken_by: person.map(id),
        }
    }

    /// What intake says of the person who spoke.
    fn heading(person: u128, unit: Option<&str>) -> Facts {
        Facts {
            speaker: Some(Speaker {
                person: id(person),
                heads: unit.map(|code| code.parse().expect("a unit code")),
            }),
            ..Facts::default()
        }
    }

    #[test]
    fn the_wish_of_an_organisation_is_heard_by_its_head() {
        let of = || an_organisations_one().actor(officer("otto"));
        let head = heading(HEAD, Some("P51-01-01"));
        let (events, after) = of().facts(head.clone()).when(by(Some(HEAD))).accepted();
        let [Event::WishRecorded(recorded)] = &events[..] else {
            panic!("a wish was recorded, not {events:?}");
        };
        assert_eq!(
            recorded.spoken_by, head.speaker,
            "the event keeps who spoke"
        );
        assert_eq!(after.state().standing(), Some(Standing::Declined));
        let none = heading(HEAD, None);
        let another = heading(HEAD, Some("P51-01"));
        for facts in [none, another] {
            let refused = of().facts(facts).when(by(Some(HEAD)));
            let refusal = refused.then_refused(&NOT_BY_ITS_HEAD);
            assert_eq!(refusal.violations[0].field, "spoken_by");
        }
        of().facts(head)
            .when(by(None))
            .then_refused(&NOT_BY_ITS_HEAD);
    }

    #[test]
    fn who_heads_the_organisation_is_asked_anew_where_somebody_else_was_asked_about() {
        let of = || an_organisations_one().actor(officer("otto"));
        of().when(by(Some(HEAD))).then_stale();
        of().facts(heading(0x36, Some("P51-01-01")))
            .when(by(Some(HEAD)))
            .then_stale();
    }

    #[test]
    fn a_person_speaks_for_themselves() {
        let of = || a_candidate().actor(officer("otto"));
        for themselves in [None, Some(0x30)] {
            of().when(by(themselves)).then([declined(Left::Stays)]);
        }
        let head = heading(HEAD, Some("P51-01-01"));
        let refused = of().facts(head).when(by(Some(HEAD)));
        refused.then_refused(&NOT_BY_THEMSELVES);
    }

    #[test]
    fn consent_is_not_heard_in_the_future() {
        let refusal = a_candidate()
            .actor(officer("otto"))
            .when(Command::RecordWish {
                said: Said::Declines,
                heard_on: date(2026, 3, 10),
                spoken_by: None,
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
                Command::RecordUnreachable { reason: id(TEXT) },
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

    fn heard_on(day: i8, said: Said) -> Command {
        Command::RecordWish {
            said,
            heard_on: date(2026, 3, day),
            spoken_by: None,
        }
    }

    #[test]
    fn consent_of_an_earlier_day_does_not_override_what_was_said_later() {
        let wants = Said::Wants {
            wanted: [].into(),
            refused: [].into(),
        };
        let declined = an_eligible_one()
            .events([declined(Left::Stays)])
            .actor(officer("otto"));
        let refusal = declined
            .clone()
            .when(heard_on(8, wants.clone()))
            .then_refused(&WISH_OVERTAKEN);
        assert_eq!(refusal.violations[0].field, "heard_on");
        declined.when(heard_on(9, wants)).accepted();
    }

    #[test]
    fn consent_is_heard_again_after_the_conclusion_that_takes_it_up() {
        let mut again = cleared(2);
        again.ordinal = 3;
        again.clearance.concluded_on = Some(date(2026, 3, 9));
        let taken_up = a_heard_one()
            .actor(service())
            .when(Command::FollowRuling(Box::new(reopened(2))))
            .accepted()
            .1
            .when(Command::FollowRuling(Box::new(again)))
            .accepted()
            .1
            .actor(officer("otto"));
        let declines = |day| heard_on(day, Said::Declines);
        taken_up
            .clone()
            .when(declines(8))
            .then_refused(&WISH_OVERTAKEN);
        taken_up.when(declines(9)).accepted();
        a_candidate()
            .actor(officer("otto"))
            .when(declines(1))
            .accepted();
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
    fn consent_changes_no_more_once_the_name_was_cleared() {
        a_carried_out_one(Form::Written)
            .actor(officer("otto"))
            .when(declines())
            .then_refused(&CARRIED_OUT);
    }
}

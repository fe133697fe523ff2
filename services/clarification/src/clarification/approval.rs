//! The approval, by four eyes and on a conclusion that still stands.
//!
//! Whoever had a part in preparing it does not approve it: who decided the form, drafted, gave a department's opinion,
//! or put the subject's wish on record, ever. The approver is of the unit that carries it out, or of one above.
//!
//! Whether the conclusion stands is asked of verification before the decision ([`Facts`], gathered in `facts.rs`), for the
//! approval and again for carrying out. No answer stops the step with a refusal that may pass; an answer that it does not
//! stand, or another number, stops it for good; an answer that is too old is asked for again.

use chassis::aggregate::{Decision, Rejection};
use chassis::refusal::{Refusal, RefusalKind};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use office::{ActorId, Due, Notice};
use serde::{Deserialize, Serialize};

use super::drafting::NOTHING_DRAFTED;
use super::rendering::Content;
use super::wish::Speaker;
use super::{Context, Dossier, Event, Preparation, Progress, State, wish};
use crate::matter::applicants::Position;
use crate::printing::Rendering;

/// Whoever had a part in it does not approve it.
pub const FOUR_EYES: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "CLARIFICATION_FOUR_EYES",
    "You had a part in preparing this clarification; somebody else approves it.",
);
/// Verification says that the conclusion does not stand.
pub const CONCLUSION_NOT_STANDING: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_CONCLUSION_NOT_STANDING",
    "The conclusion that this clarification rests on does not stand; nothing can be told on it.",
);
/// Verification does not say whether it stands.
pub const CONCLUSION_UNANSWERED: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_CONCLUSION_UNANSWERED",
    "Verification does not answer whether the conclusion still stands, so this step was not taken.",
);

/// What is asked before a decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Verification's answer; `None` for the steps that rest on none.
    pub answer: Option<Answer>,
    /// Who speaks for an organisation, with the unit that they head by intake's register; `None` where nobody was asked
    /// about.
    pub speaker: Option<Speaker>,
    /// How the subject of an application stands in the matter; `None` where the matter is not known, or there is none.
    pub position: Option<Position>,
    /// The documents as they were set; `None` where none were wanted.
    pub rendering: Option<Rendering<Content>>,
}

/// What verification says of the matter's last conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its number; 0 if there is none.
    pub conclusion: i32,
    /// Whether it stands.
    pub standing: Word,
    /// Domain time before the question was sent.
    pub asked_at: Timestamp,
}

/// Whether a conclusion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It does.
    Stands,
    /// It does not, or there is none.
    StandsNot,
}

/// The answer that a step rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestsOn {
    /// The conclusion's number.
    pub conclusion: i32,
    /// Domain time before the question was sent.
    pub asked_at: Timestamp,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// By whom.
    pub by: ActorId,
    /// On which day.
    pub on: Date,
    /// By when it must be carried out.
    pub due: Due,
    /// What has been said of that.
    pub notice: Notice,
}

/// See [`Event::Approved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approved {
    /// By whom.
    pub by: ActorId,
    /// On which day.
    pub on: Date,
    /// By when it must be carried out.
    pub due: Due,
    /// Verification's answer.
    pub rests_on: RestsOn,
}

/// Approves what was drafted.
pub(super) fn approve(state: &State, context: &Context) -> Decision<Event> {
    let (dossier, preparation) = state.preparing(context)?;
    wish::wanted(preparation)?;
    match &preparation.progress {
        Progress::Undecided | Progress::FormDecided { .. } => return Err(NOTHING_DRAFTED.into()),
        Progress::Drafted { .. } => {}
        Progress::Approved { .. } => return Ok(Vec::new()),
    }
    if dossier.took_part.contains(&context.actor.id) {
        return Err(FOUR_EYES.into());
    }
    let rests_on = standing(dossier, context)?;
    let profile = &context.profile;
    let days = profile.clarification.execution_working_days;
    Ok(vec![
        Approved {
            by: context.actor.id.clone(),
            on: profile.calendar.date(context.now),
            due: Due::in_working_days(context.now, days, profile),
            rests_on,
        }
        .into(),
    ])
}

pub(super) fn approved(preparation: &mut Preparation, approved: &Approved) {
    if let Progress::Drafted { form, statement } = &preparation.progress {
        preparation.progress = Progress::Approved {
            form: form.clone(),
            statement: statement.clone(),
            approval: Approval {
                by: approved.by.clone(),
                on: approved.on,
                due: approved.due,
                notice: Notice::Silent,
            },
            documents: Vec::new(),
        };
    }
}

/// The answer that the conclusion stands on which this clarification rests, if it is fresh.
pub(super) fn standing(dossier: &Dossier, context: &Context) -> Result<RestsOn, Rejection> {
    let Some(answer) = context.facts.answer else {
        // The clarification came to this point after the facts were gathered.
        return Err(Rejection::Stale);
    };
    // Both times are domain time: real time and a shift, which may have changed between them. Then the age is far off,
    // or negative, and the answer counts as stale: it is asked for again, under the new shift.
    let age = context.now.duration_since(answer.asked_at);
    let fresh = context.profile.clarification.confirmation_fresh_seconds;
    if age.is_negative() || age > SignedDuration::from_secs(fresh.into()) {
        return Err(Rejection::Stale);
    }
    if answer.standing != Word::Stands || answer.conclusion != dossier.clearance.conclusion {
        return Err(CONCLUSION_NOT_STANDING.into());
    }
    Ok(RestsOn {
        conclusion: answer.conclusion,
        asked_at: answer.asked_at,
    })
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::super::screening::ObjectionWithdrawn;
    use super::super::{Command, Standing};
    use super::*;

    fn approve() -> Command {
        Command::ApproveClarification
    }

    #[test]
    fn an_approval_rests_on_verifications_answer_and_gives_five_working_days() {
        let (events, after) = a_drafted_one(Form::Written)
            .facts(stands(1))
            .when(approve())
            .accepted();
        let [Event::Approved(approved)] = &events[..] else {
            panic!("it was approved, not {events:?}");
        };
        assert_eq!(approved.due.on, date(2026, 3, 16));
        assert_eq!(approved.rests_on.conclusion, 1);
        assert_eq!(after.state().standing(), Some(Standing::Approved));
    }

    #[test]
    fn four_eyes_see_every_clarification() {
        let everyone = ["otto", "petra"]
            .into_iter()
            .chain(SCREENERS.map(|(person, _)| person));
        for name in everyone {
            a_drafted_one(Form::Written)
                .facts(stands(1))
                .actor(supervisor(name))
                .when(approve())
                .then_refused(&FOUR_EYES);
        }
    }

    #[test]
    fn four_eyes_see_who_withdrew_an_objection() {
        let withdrawn = ObjectionWithdrawn {
            department: department("petitions"),
            by: actor_id("wanda"),
            reason: text(TEXT),
        };
        a_drafted_one(Form::Written)
            .events([withdrawn])
            .facts(stands(1))
            .actor(supervisor("wanda"))
            .when(approve())
            .then_refused(&FOUR_EYES);
    }

    #[test]
    fn the_unit_that_concluded_approves_or_one_above() {
        let of = |unit: &str| office::Actor {
            unit: unit.parse().expect("a unit code"),
            ..supervisor("gao")
        };
        for unit in ["P51-01-01", "P51-02"] {
            a_drafted_one(Form::Written)
                .facts(stands(1))
                .actor(of(unit))
                .when(approve())
                .then_refused(&OUT_OF_SCOPE);
        }
        for unit in ["P51-01", "P51", "N"] {
            a_drafted_one(Form::Written)
                .facts(stands(1))
                .actor(of(unit))
                .when(approve())
                .accepted();
        }
    }

    #[test]
    fn nothing_is_approved_on_a_conclusion_that_does_not_stand() {
        let reopened = Answer {
            standing: Word::StandsNot,
            ..stands(1).answer.expect("an answer")
        };
        for facts in [
            Facts {
                answer: Some(reopened),
                ..Facts::default()
            },
            stands(2),
            stands(0),
        ] {
            a_drafted_one(Form::Written)
                .facts(facts)
                .when(approve())
                .then_refused(&CONCLUSION_NOT_STANDING);
        }
    }

    #[test]
    fn an_answer_that_is_older_than_five_seconds_is_asked_for_again() {
        let at = |now: &str| {
            a_drafted_one(Form::Written)
                .facts(stands(1))
                .now(now)
                .when(approve())
        };
        at("2026-03-09T01:00:05Z").accepted();
        at("2026-03-09T01:00:05.000001Z").then_stale();
        // The shift of domain time was set back in between.
        at("2026-03-09T00:59:59.999999Z").then_stale();
        a_drafted_one(Form::Written).when(approve()).then_stale();
    }

    #[test]
    fn only_a_draft_is_approved() {
        for nothing in [a_heard_one(), a_decided_one(Form::Written)] {
            nothing
                .facts(stands(1))
                .when(approve())
                .then_refused(&NOTHING_DRAFTED);
        }
        an_approved_one(Form::Written)
            .facts(stands(1))
            .when(approve())
            .then_already();
    }
}

//! Cleared together with others: a clarification is called to a meeting, and is carried out when that is held, by the
//! very decision that carries out a single one.
//!
//! Whatever stands against it then (the case was reopened, the subject changed their mind, somebody turned out to be
//! recused) is answered to the meeting with its code. It is no fault: nobody could know it when the meeting was
//! convened, and the other names are cleared all the same. Only verification's silence is no answer; the step is then
//! tried again.

use chassis::aggregate::{Decision, Effects, Rejection, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use jiff::civil::Date;
use office::{ActorId, ClarificationId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::carrying_out::{self, CarriedOut, Particulars};
use super::{Context, Dossier, Event, State};
use crate::matter::RECUSED;
use crate::meeting::holding::{Outcome, Record};
use crate::meeting::{self, Meeting};

/// It rests on another conclusion than the meeting was convened for.
pub const TAKEN_UP_ANEW: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_TAKEN_UP_ANEW",
    "This clarification was taken up anew after the meeting was convened; it needs another meeting.",
);

/// A meeting that was held, as each of its clarifications is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtMeeting {
    /// Which.
    pub meeting: Uuid,
    /// Which time the clarification was taken up when the meeting was convened.
    pub round: u32,
    /// Who recorded it.
    pub by: ActorId,
    /// On which day it was.
    pub on: Date,
    /// Where.
    pub place: TextRef,
    /// How it was.
    pub record: Record,
}

/// See [`Event::CalledToMeeting`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalledToMeeting {
    /// Which.
    pub meeting: Uuid,
    /// Who is recused by now. The meeting was convened on what was known shortly before.
    pub recusal: Recusal,
}

/// See [`Event::MeetingAnswered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingAnswered {
    /// Which meeting.
    pub meeting: Uuid,
    /// Whether the name was cleared at it, and why not.
    pub outcome: Outcome,
}

/// Learns of a meeting that was convened for it.
pub(super) fn call(state: &State, meeting: Uuid) -> Decision<Event> {
    let dossier = state.dossier().ok_or(NOT_FOUND)?;
    if dossier.called.contains(&meeting) {
        return Ok(Vec::new());
    }
    let recusal = dossier.recusal.clone();
    Ok(vec![CalledToMeeting { meeting, recusal }.into()])
}

/// Carries it out at a meeting that was held, and tells the meeting what became of it.
pub(super) fn clear(state: &State, at: &AtMeeting, context: &Context) -> Decision<Event> {
    let dossier = state.dossier().ok_or(NOT_FOUND)?;
    let meeting = at.meeting;
    if dossier.answered.contains(&meeting) {
        return Ok(Vec::new());
    }
    let (carried_out, outcome) = match carried_out(state, dossier, at, context) {
        Ok(carried_out) => (Some(carried_out.into()), Outcome::CarriedOut),
        Err(Rejection::Refused(refusal)) if !refusal.kind.is_passing() => {
            let code = refusal.code.into_owned();
            (None, Outcome::NotCarriedOut { code })
        }
        Err(rejection) => return Err(rejection),
    };
    let answered = MeetingAnswered { meeting, outcome };
    Ok(carried_out.into_iter().chain([answered.into()]).collect())
}

fn carried_out(
    state: &State,
    dossier: &Dossier,
    at: &AtMeeting,
    context: &Context,
) -> Result<CarriedOut, Rejection> {
    // The desk admits the service that asks this; whoever recorded the meeting is looked at here.
    if dossier.recusal.names(&at.by, &context.secrets) {
        return Err(RECUSED.into());
    }
    if dossier.round != at.round {
        return Err(TAKEN_UP_ANEW.into());
    }
    let record = &at.record;
    let particulars = Particulars {
        carried_out_on: at.on,
        place: at.place.id,
        handed_over_by: Some(record.handed_over_by.clone()),
        published_in: None,
        published_until: None,
    };
    let meeting = carrying_out::Meeting {
        id: at.meeting,
        attendance: record.attendance,
        attended: record.attended.clone(),
    };
    // The place is the meeting's and came with its command.
    let text = |_| at.place.clone();
    carrying_out::clear(state, &particulars, Some(meeting), &at.by, text, context)
}

/// The meeting learns who is recused from its clarifications, and what became of each.
pub(super) fn tell(id: ClarificationId, event: &Event, effects: &mut Effects) {
    match event {
        Event::CalledToMeeting(called) => recuse(called.meeting, &called.recusal, effects),
        Event::MeetingAnswered(answered) => effects.then::<Meeting>(
            answered.meeting,
            "NoteMeetingOutcome",
            &meeting::Command::NoteMeetingOutcome {
                clarification: id,
                outcome: answered.outcome.clone(),
            },
        ),
        Event::ActorsRecused(recused) => {
            for meeting in &recused.meetings {
                recuse(*meeting, &recused.recusal, effects);
            }
        }
        Event::ConflictDeclared(declared) => {
            let recusal = Recusal {
                actors: [declared.actor.clone()].into(),
                ..Recusal::default()
            };
            for meeting in &declared.meetings {
                recuse(*meeting, &recusal, effects);
            }
        }
        _ => {}
    }
}

fn recuse(meeting: Uuid, recusal: &Recusal, effects: &mut Effects) {
    effects.then::<Meeting>(
        meeting,
        "RecuseFromMeeting",
        &meeting::Command::RecuseFromMeeting {
            recusal: recusal.clone(),
        },
    );
}

#[cfg(test)]
mod tests {
    use chassis::recusal::Recusal;
    use chassis::testing::{Given, followed};
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::super::wish::{DECLINED, Said};
    use super::super::{
        CARRIED_OUT, Clarification, Command, HALTED, SUPERSEDED, Standing, approval, carrying_out,
    };
    use super::*;
    use crate::meeting::fixture::a_record;

    fn meeting() -> Uuid {
        id(0x70)
    }

    fn at() -> AtMeeting {
        AtMeeting {
            meeting: meeting(),
            round: 1,
            by: actor_id("otto"),
            on: date(2026, 3, 9),
            place: text(TEXT),
            record: a_record(),
        }
    }

    fn clear() -> Command {
        Command::ClearAtMeeting(Box::new(at()))
    }

    fn answered(outcome: Outcome) -> Event {
        MeetingAnswered {
            meeting: meeting(),
            outcome,
        }
        .into()
    }

    /// Asked by the service, whose facts say that the conclusion stands; the texts are the meeting's.
    fn asked(of: Given<Clarification>) -> Given<Clarification> {
        of.facts(stands(1)).actor(service())
    }

    #[track_caller]
    fn is_not_carried_out(before: Given<Clarification>, refusal: &Refusal) {
        let standing = before.state().standing();
        let code = refusal.code.clone().into_owned();
        let after = before
            .when(clear())
            .then([answered(Outcome::NotCarriedOut { code })])
            .when(clear())
            .then_already();
        assert_eq!(after.state().standing(), standing, "nothing else changed");
    }

    #[test]
    fn a_name_is_cleared_at_a_meeting_as_alone_by_whoever_recorded_the_meeting() {
        let after = asked(an_approved_one(Form::Meeting))
            .when(clear())
            .then([an_execution(Form::Meeting), answered(Outcome::CarriedOut)]);
        assert_eq!(after.state().standing(), Some(Standing::CarriedOut));
        after.when(clear()).then_already();
    }

    #[test]
    fn what_was_halted_declined_superseded_or_carried_out_is_not_and_the_meeting_learns_it() {
        let halted = an_approved_one(Form::Meeting).events([a_halting()]);
        is_not_carried_out(asked(halted), &HALTED);
        let declined = an_approved_one(Form::Meeting).events([wish_of(Said::Declines)]);
        is_not_carried_out(asked(declined), &DECLINED);
        let alone = a_carried_out_one(Form::Written);
        is_not_carried_out(asked(alone.clone()), &CARRIED_OUT);
        let superseded = alone.events([a_superseding()]);
        is_not_carried_out(asked(superseded), &SUPERSEDED);
    }

    #[test]
    fn a_form_that_was_refused_meanwhile_is_not_told_at_a_meeting() {
        let again = a_heard_one();
        is_not_carried_out(asked(again), &carrying_out::NOT_APPROVED);
        let written = an_approved_one(Form::Written);
        is_not_carried_out(asked(written), &carrying_out::IN_ANOTHER_FORM);
    }

    #[test]
    fn nothing_is_told_at_a_meeting_on_a_conclusion_that_does_not_stand() {
        let reopened = an_approved_one(Form::Meeting)
            .facts(stands(2))
            .actor(service());
        is_not_carried_out(reopened, &approval::CONCLUSION_NOT_STANDING);
        an_approved_one(Form::Meeting)
            .actor(service())
            .when(clear())
            .then_stale();
    }

    #[test]
    fn what_was_taken_up_anew_waits_for_a_meeting_of_its_own() {
        let before = Command::ClearAtMeeting(Box::new(AtMeeting { round: 0, ..at() }));
        let code = TAKEN_UP_ANEW.code.into_owned();
        asked(an_approved_one(Form::Meeting))
            .when(before)
            .then([answered(Outcome::NotCarriedOut { code })]);
    }

    #[test]
    fn nobody_who_is_recused_by_then_clears_a_name_at_a_meeting() {
        let recused = |name: &str| {
            let recusal = Recusal {
                reporters: [mark_of(name)].into(),
                ..Recusal::default()
            };
            let learned = Command::RecuseFromClarification { recusal };
            let before = an_approved_one(Form::Meeting).actor(service());
            asked(before.when(learned).accepted().1)
        };
        // Otto decided its form, so that this falls too; Olga only recorded the meeting.
        is_not_carried_out(recused("otto"), &RECUSED);
        let by_olga = AtMeeting {
            by: actor_id("olga"),
            ..at()
        };
        let code = RECUSED.code.into_owned();
        recused("olga")
            .when(Command::ClearAtMeeting(Box::new(by_olga)))
            .then([answered(Outcome::NotCarriedOut { code })]);
    }

    #[test]
    fn the_meeting_learns_what_became_of_it() {
        let told = followed::<Clarification>(clarification(), &answered(Outcome::CarriedOut));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].aggregate, meeting());
        let command = told[0].command::<Meeting>().expect("a meeting");
        let noted = meeting::Command::NoteMeetingOutcome {
            clarification: clarification(),
            outcome: Outcome::CarriedOut,
        };
        assert_eq!(command, noted);
    }

    #[test]
    fn whoever_is_recused_from_a_clarification_is_recused_from_its_meeting_whenever_it_is_known() {
        let recusal = |name: &str| Recusal {
            reporters: [mark_of(name)].into(),
            ..Recusal::default()
        };
        let call = Command::CallToMeeting { meeting: meeting() };
        let before = an_approved_one(Form::Meeting).actor(service());
        let (called, after) = before.when(call.clone()).accepted();
        let after = after.when(call).then_already();
        let (learned, after) = after
            .when(Command::RecuseFromClarification {
                recusal: recusal("olga"),
            })
            .accepted();
        let (declared, _) = after
            .actor(officer("lena"))
            .when(Command::DeclareClarificationConflict { reason: id(TEXT) })
            .accepted();
        let by_name = Recusal {
            actors: [actor_id("lena")].into(),
            ..Recusal::default()
        };
        let expected = [cleared(1).recusal, recusal("olga"), by_name];
        for (event, recusal) in [called, learned, declared].iter().flatten().zip(expected) {
            let told = followed::<Clarification>(clarification(), event);
            let to_meeting: Vec<_> = told
                .iter()
                .filter_map(chassis::testing::Followed::command::<Meeting>)
                .collect();
            let expected = meeting::Command::RecuseFromMeeting { recusal };
            assert_eq!(to_meeting, [expected], "{event:?}");
        }
    }
}

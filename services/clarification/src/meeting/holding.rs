//! Holding a meeting, or cancelling it, and what became of each clarification.
//!
//! That it was held is one decision, and each name is cleared by a decision of its own that follows from it: on
//! verification's word, with the wish, the form and the recusals of that moment. So what is held may clear some of the
//! names and not others; the meeting learns of each.

use chassis::aggregate::{Decision, Effects, TextRef};
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind, Violation};
use jiff::civil::Date;
use office::{ActorId, ClarificationId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Agenda, CANCELLED, Context, Event, HELD, Item, Stage, State};
use crate::clarification::at_meeting::AtMeeting;
use crate::clarification::carrying_out::PARTICULARS_INCOMPLETE;
use crate::clarification::{self, Clarification};

/// Its day has not come.
pub const NOT_YET: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "MEETING_NOT_YET",
    "This meeting is on a later day; it is recorded on that day or afterwards.",
);

/// How a meeting was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How many attended.
    pub attendance: u32,
    /// Who did.
    pub attended: TextRef,
    /// Who handed the letters over.
    pub handed_over_by: ActorId,
}

/// What became of a clarification at a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The name was cleared.
    CarriedOut,
    /// It was not.
    NotCarriedOut {
        /// The code of the refusal that a request to carry it out alone would have had.
        code: String,
    },
}

/// See [`Event::Cancelled`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingCancelled {
    /// By whom.
    pub by: ActorId,
    /// Why.
    pub reason: TextRef,
}

/// See [`Event::Held`]. What follows from it elsewhere is made of it alone, so it names everything again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingHeld {
    /// The unit that held it.
    pub unit: UnitCode,
    /// Who recorded it.
    pub by: ActorId,
    /// On which day it was.
    pub on: Date,
    /// Where.
    pub place: TextRef,
    /// Whose names it was to clear.
    pub items: Vec<Item>,
    /// How it was.
    pub record: Record,
}

/// See [`Event::OutcomeNoted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeNoted {
    /// Of which clarification.
    pub clarification: ClarificationId,
    /// What became of it.
    pub outcome: Outcome,
}

/// Calls a meeting off that is still to be held.
pub(super) fn cancel(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
    let agenda = state.agenda().ok_or(NOT_FOUND)?;
    match &agenda.stage {
        Stage::Awaited => Ok(vec![
            MeetingCancelled {
                by: context.actor.id.clone(),
                reason: context.text(reason),
            }
            .into(),
        ]),
        Stage::Cancelled { .. } => Ok(Vec::new()),
        Stage::Held { .. } => Err(HELD.into()),
    }
}

pub(super) fn cancelled(agenda: &mut Agenda, cancelled: &MeetingCancelled) {
    agenda.stage = Stage::Cancelled {
        by: cancelled.by.clone(),
        reason: cancelled.reason.clone(),
    };
}

/// Records that a meeting was held, on its day or afterwards.
pub(super) fn hold(
    state: &State,
    (attendance, attended): (u32, TextId),
    handed_over_by: &ActorId,
    context: &Context,
) -> Decision<Event> {
    let agenda = state.agenda().ok_or(NOT_FOUND)?;
    match &agenda.stage {
        Stage::Awaited => {}
        Stage::Cancelled { .. } => return Err(CANCELLED.into()),
        Stage::Held { record, .. } => {
            let same = record.attendance == attendance
                && record.attended.id == attended
                && record.handed_over_by == *handed_over_by;
            return if same {
                Ok(Vec::new())
            } else {
                Err(HELD.into())
            };
        }
    }
    if context.profile.calendar.date(context.now) < agenda.on {
        return Err(NOT_YET.into());
    }
    if agenda.recusal.names(handed_over_by, &context.secrets) {
        return Err(Refusal {
            violations: vec![Violation {
                field: "handed_over_by".to_owned(),
                description:
                    "is recused from one of these matters; somebody else hands the letters over"
                        .to_owned(),
            }],
            ..PARTICULARS_INCOMPLETE
        }
        .into());
    }
    Ok(vec![
        MeetingHeld {
            unit: agenda.unit.clone(),
            by: context.actor.id.clone(),
            on: agenda.on,
            place: agenda.place.clone(),
            items: agenda.items.clone(),
            record: Record {
                attendance,
                attended: context.text(attended),
                handed_over_by: handed_over_by.clone(),
            },
        }
        .into(),
    ])
}

pub(super) fn held(agenda: &mut Agenda, held: &MeetingHeld) {
    agenda.stage = Stage::Held {
        by: held.by.clone(),
        record: held.record.clone(),
        outcomes: [].into(),
    };
}

/// Each clarification is carried out at a meeting that was held, after the commit.
pub(super) fn clear(meeting: Uuid, held: &MeetingHeld, effects: &mut Effects) {
    for item in &held.items {
        let at = AtMeeting {
            meeting,
            round: item.round,
            by: held.by.clone(),
            on: held.on,
            place: held.place.clone(),
            record: held.record.clone(),
        };
        effects.then::<Clarification>(
            item.clarification,
            "ClearAtMeeting",
            &clarification::Command::ClearAtMeeting(Box::new(at)),
        );
    }
}

/// Keeps what became of a clarification, once.
pub(super) fn note(
    state: &State,
    clarification: ClarificationId,
    outcome: &Outcome,
) -> Decision<Event> {
    let agenda = state.agenda().ok_or(NOT_FOUND)?;
    if agenda.outcome(clarification).is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![
        OutcomeNoted {
            clarification,
            outcome: outcome.clone(),
        }
        .into(),
    ])
}

pub(super) fn noted(agenda: &mut Agenda, noted: &OutcomeNoted) {
    if let Stage::Held { outcomes, .. } = &mut agenda.stage {
        outcomes.insert(noted.clarification, noted.outcome.clone());
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::followed;
    use office::Actor;

    use super::super::fixture::*;
    use super::super::{Command, Meeting};
    use super::*;
    use crate::clarification::fixture::*;
    use crate::matter::RECUSED;

    fn cancel() -> Command {
        Command::CancelMeeting { reason: id(TEXT) }
    }

    #[test]
    fn a_meeting_is_held_on_its_day_or_afterwards() {
        a_meeting()
            .now("2026-03-09T15:59:59Z")
            .when(hold_it())
            .then_refused(&NOT_YET);
        // In the office's time zone the day begins at 16:00 UTC.
        for now in ["2026-03-09T16:00:00Z", "2026-03-12T01:00:00Z"] {
            a_meeting().now(now).when(hold_it()).then([a_holding()]);
        }
    }

    #[test]
    fn a_meeting_is_held_once_and_its_record_stays() {
        let other = Command::HoldMeeting {
            attendance: 32,
            attended: id(TEXT + 1),
            handed_over_by: actor_id("otto"),
        };
        a_held_one()
            .when(hold_it())
            .then_already()
            .when(other)
            .then_refused(&HELD);
        a_held_one().when(cancel()).then_refused(&HELD);
    }

    #[test]
    fn a_cancelled_meeting_is_not_held() {
        let (_, after) = a_meeting().when(cancel()).accepted();
        let after = after.when(cancel()).then_already();
        after.when(hold_it()).then_refused(&CANCELLED);
    }

    #[test]
    fn nobody_who_is_recused_from_one_of_its_clarifications_sees_or_holds_a_meeting() {
        for name in ["accused", "reporter"] {
            a_meeting()
                .actor(officer(name))
                .when(hold_it())
                .then_refused(&RECUSED);
            let handed_over_by = actor_id(name);
            let refusal = a_meeting()
                .when(Command::HoldMeeting {
                    attendance: 31,
                    attended: id(TEXT + 1),
                    handed_over_by,
                })
                .then_refused(&PARTICULARS_INCOMPLETE);
            assert_eq!(refusal.violations[0].field, "handed_over_by");
        }
        let recusal = chassis::recusal::Recusal {
            actors: [actor_id("otto")].into(),
            ..chassis::recusal::Recusal::default()
        };
        let (_, after) = a_meeting()
            .actor(service())
            .when(Command::RecuseFromMeeting { recusal })
            .accepted();
        after
            .actor(officer("otto"))
            .when(hold_it())
            .then_refused(&RECUSED);
    }

    #[test]
    fn the_unit_that_carries_out_holds_it_or_one_above() {
        let of = |unit: &str| Actor {
            unit: unit.parse().expect("a unit code"),
            ..officer("olga")
        };
        for unit in ["P51-01-01", "P51-02"] {
            a_meeting()
                .actor(of(unit))
                .when(hold_it())
                .then_refused(&OUT_OF_SCOPE);
        }
        a_meeting().actor(of("P51")).when(hold_it()).accepted();
    }

    #[test]
    fn each_clarification_is_carried_out_with_the_meetings_particulars() {
        let told = followed::<Meeting>(id::<Uuid>(MEETING), &a_holding());
        let asked: Vec<_> = told
            .iter()
            .map(|told| {
                let command = told.command::<Clarification>().expect("a clarification");
                let clarification::Command::ClearAtMeeting(at) = command else {
                    panic!("it is cleared, not {command:?}");
                };
                assert_eq!((at.meeting, &at.record), (id(MEETING), &a_record()));
                told.aggregate
            })
            .collect();
        assert_eq!(asked, [nth(1).uuid(), nth(2).uuid()]);
    }

    #[test]
    fn what_became_of_each_clarification_is_kept_once() {
        let note = |number, outcome| Command::NoteMeetingOutcome {
            clarification: nth(number),
            outcome,
        };
        let after = a_held_one()
            .actor(service())
            .when(note(1, Outcome::CarriedOut))
            .then([outcome_noted(1, Outcome::CarriedOut)])
            .when(note(2, halted()))
            .then([outcome_noted(2, halted())])
            .when(note(1, halted()))
            .then_already();
        let agenda = after.state().agenda().expect("it was held");
        assert_eq!(agenda.outcome(nth(1)), Some(&Outcome::CarriedOut));
        assert_eq!(agenda.outcome(nth(2)), Some(&halted()));
    }
}

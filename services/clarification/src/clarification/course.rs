//! The course beside the preparation: halted and superseded when the conclusion stands no longer, taken up again when a
//! later one clears the subject, and the clocks.
//!
//! Rulings of the matter come in any order and late, so each has an ordinal, and what is older than what was heard is
//! passed over. A newer one may find the clarification on an earlier conclusion: then that one has ended too, and the
//! journal says so before it goes on.
//!
//! Taken up again, it begins with a fresh screening and without a wish: the subject is heard again ([`super::wish`]),
//! unless they applied for it in writing meanwhile ([`super::applying`]).

use chassis::aggregate::{Decision, Effects};
use chassis::recusal::Recusal;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{Due, MatterId, Notice, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::candidacy::{Candidacy, Opened};
use super::forms::Form;
use super::{
    Clarification, Command, Context, Dossier, Event, Left, Preparation, Progress, Stage, State,
    afterwards, applying, recusing,
};
use crate::conclusion::{Holding, Ruling, Subject};
use crate::ledger::Wanted;

/// The clock that warns before the last day of carrying out.
const EXECUTION_WARNING: &str = "clarification_execution_warning";
/// The clock of that day.
const EXECUTION_DUE: &str = "clarification_execution_due";
/// The clock of the organisation department's note.
const CONFIRMATION: &str = "clarification_confirmation";
/// The clock of a bulletin's removal.
const REMOVAL: &str = "clarification_removal";

/// See [`Event::TakenUp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TakenUp(pub Candidacy);

/// See [`Event::Halted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Halted {
    /// The ruling's ordinal.
    pub ordinal: u32,
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// The subject.
    pub subject: SubjectId,
    /// The conclusion that stands no longer.
    pub conclusion: i32,
}

/// See [`Event::Superseded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Superseded {
    /// The ruling's ordinal.
    pub ordinal: u32,
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// Who is recused from the matter.
    pub recusal: Recusal,
    /// The conclusion that stands no longer.
    pub conclusion: i32,
    /// The unit that carried it out.
    pub unit: UnitCode,
    /// Which time it had been carried out.
    pub round: u32,
    /// In which form.
    pub form: Form,
    /// On which day it ended.
    pub on: Date,
    /// The superseding entry of the ledger; `None` where the first one's number is not back yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseding: Option<Wanted>,
}

/// See [`Event::RulingHeard`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RulingHeard {
    /// The ruling's ordinal.
    pub ordinal: u32,
}

/// See [`Event::ExecutionNear`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionNear {
    /// The end of the last day.
    pub due: Timestamp,
}

/// See [`Event::ExecutionOverdue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionOverdue {
    /// The end of the last day.
    pub due: Timestamp,
}

/// Takes in how the subject stands in the matter.
pub(super) fn follow(state: &State, ruling: &Ruling, context: &Context) -> Decision<Event> {
    let voided = recusing::known_by_now(state, &ruling.recusal, context);
    let Some(dossier) = state.dossier() else {
        let mut events: Vec<Event> = voided.into_iter().collect();
        events.push(Opened(Candidacy::of(ruling, context)).into());
        if ruling.holding == Holding::HoldsNoMore {
            let conclusion = ruling.clearance.conclusion;
            events.push(halt(ruling, conclusion));
        }
        return Ok(events);
    };
    if ruling.ordinal <= dossier.heard {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    match dossier.stage {
        Stage::NotEligible { .. } | Stage::Preparing(_) => {
            events.push(halt(ruling, dossier.clearance.conclusion));
        }
        Stage::CarriedOut { .. } => events.extend(supersede(dossier, ruling, context)),
        Stage::Halted | Stage::Superseded => {}
    }
    if ruling.holding == Holding::Holds {
        events.push(TakenUp(Candidacy::of(ruling, context)).into());
    }
    if events.is_empty() {
        let ordinal = ruling.ordinal;
        events.push(RulingHeard { ordinal }.into());
    }
    let voided = voided.into_iter();
    Ok(voided.chain(events).collect())
}

fn halt(ruling: &Ruling, conclusion: i32) -> Event {
    Halted {
        ordinal: ruling.ordinal,
        matter: ruling.matter,
        source: ruling.source.clone(),
        subject: ruling.subject.id,
        conclusion,
    }
    .into()
}

fn supersede(dossier: &Dossier, ruling: &Ruling, context: &Context) -> Option<Event> {
    let on = context.profile.calendar.date(context.now);
    let form = dossier.preparation()?.progress.form()?.form;
    let superseding = afterwards::entry_to_supersede(dossier);
    let superseded = Superseded {
        ordinal: ruling.ordinal,
        matter: dossier.matter,
        source: dossier.source.clone(),
        subject: dossier.subject.clone(),
        recusal: dossier.recusal.clone(),
        conclusion: dossier.clearance.conclusion,
        unit: dossier.clearance.unit.clone(),
        round: dossier.round,
        form,
        on,
        superseding: superseding.map(|wanted| Wanted { on, ..wanted }),
    };
    Some(superseded.into())
}

pub(super) fn halted(dossier: &mut Dossier, halted: &Halted) {
    end(dossier, halted.ordinal, Stage::Halted);
}

pub(super) fn superseded(dossier: &mut Dossier, superseded: &Superseded) {
    end(dossier, superseded.ordinal, Stage::Superseded);
}

/// The wish is kept apart: it allows nothing any more, but what it refused is not forgotten.
fn end(dossier: &mut Dossier, ordinal: u32, stage: Stage) {
    dossier.heard = ordinal;
    let wish = dossier.preparation().and_then(|said| said.wish.clone());
    if wish.is_some() {
        dossier.earlier_wish = wish;
    }
    dossier.stage = stage;
}

pub(super) fn taken_up(dossier: &mut Dossier, taken_up: &TakenUp) {
    let TakenUp(candidacy) = taken_up;
    dossier.heard = candidacy.ordinal;
    dossier.round += 1;
    dossier.subject = candidacy.subject.clone();
    dossier.kept_by.clone_from(&candidacy.kept_by);
    dossier.recusal.extend(&candidacy.recusal);
    dossier.clearance = candidacy.clearance.clone();
    dossier.stage = candidacy.stage();
    applying::count(dossier);
}

/// Says that the last day of carrying it out is near, once; nothing if it is another one by now.
pub(super) fn warn(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent)) if context.now >= due.warn_at => {
            vec![ExecutionNear { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// Records that the last day of carrying it out has passed, once; nothing if it is another one by now.
pub(super) fn record_overdue(state: &State, context: &Context) -> Decision<Event> {
    Ok(match running(state)? {
        Some((due, Notice::Silent | Notice::Near)) if context.now >= due.at => {
            vec![ExecutionOverdue { due: due.at }.into()]
        }
        _ => Vec::new(),
    })
}

/// Until when it must be carried out, and what was said of it; `None` unless it is approved.
fn running(state: &State) -> Result<Option<(Due, Notice)>, chassis::aggregate::Rejection> {
    let dossier = state.opened()?;
    Ok(match &dossier.stage {
        Stage::Preparing(Preparation {
            progress: Progress::Approved { approval, .. },
            ..
        }) => Some((approval.due, approval.notice)),
        _ => None,
    })
}

pub(super) fn noticed(preparation: &mut Preparation, said: Notice) {
    if let Progress::Approved { approval, .. } = &mut preparation.progress {
        approval.notice = said;
    }
}

/// Which clocks an event sets and stops.
pub(super) fn clocks(event: &Event, effects: &mut Effects) {
    match event {
        Event::Approved(approved) => {
            let due = approved.due;
            let command = Command::WarnExecutionDue;
            effects.clock::<Clarification>(
                EXECUTION_WARNING,
                due.warn_at,
                "WarnExecutionDue",
                &command,
            );
            let command = Command::RecordExecutionOverdue;
            effects.clock::<Clarification>(
                EXECUTION_DUE,
                due.at,
                "RecordExecutionOverdue",
                &command,
            );
        }
        Event::CarriedOut(carried_out) => {
            stop_execution(effects);
            let remind_at = carried_out.execution.remind_at;
            let command = Command::RemindPersonnel;
            effects.clock::<Clarification>(CONFIRMATION, remind_at, "RemindPersonnel", &command);
            if let Some(bulletin) = &carried_out.execution.bulletin {
                let command = Command::AskForRemoval;
                let remove_at = bulletin.remove_at;
                // A bulletin of an earlier round may hang still.
                let round = carried_out.round;
                let method = "AskForRemoval";
                effects
                    .clock_of_round::<Clarification>(REMOVAL, round, remove_at, method, &command);
            }
        }
        Event::Halted(_) => stop_execution(effects),
        Event::WishRecorded(recorded) if recorded.form == Left::Falls => stop_execution(effects),
        Event::FoundUnreachable(found) if found.form == Left::Falls => stop_execution(effects),
        Event::ApplicationRecorded(recorded) if recorded.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::ActorsRecused(recused) if recused.voided.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::ConflictDeclared(declared) if declared.voided.form == Left::Falls => {
            stop_execution(effects);
        }
        Event::Confirmed(_) | Event::Superseded(_) => effects.stop_clock(CONFIRMATION),
        _ => {}
    }
}

fn stop_execution(effects: &mut Effects) {
    effects.stop_clock(EXECUTION_WARNING);
    effects.stop_clock(EXECUTION_DUE);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::wish::{DECLINED, WISH_NOT_HEARD};
    use super::super::{HALTED, SUPERSEDED, Standing};
    use super::*;
    use crate::ledger::What;
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{clocks, given};
    use office::Actor;

    fn follow(ruling: Ruling) -> Command {
        Command::FollowRuling(Box::new(ruling))
    }

    fn halted_at(ordinal: u32) -> Event {
        Halted {
            ordinal,
            ..a_halting()
        }
        .into()
    }

    fn superseded_at(ordinal: u32, form: Form) -> Event {
        Superseded {
            ordinal,
            form,
            ..a_superseding()
        }
        .into()
    }

    fn taken_up(conclusion: i32, ordinal: u32) -> Event {
        let Event::Opened(Opened(candidacy)) = an_opening() else {
            unreachable!("it is what the fixture opens with");
        };
        TakenUp(Candidacy {
            ordinal,
            clearance: cleared(conclusion).clearance,
            ..candidacy
        })
        .into()
    }

    fn again(conclusion: i32, ordinal: u32) -> Ruling {
        Ruling {
            ordinal,
            ..cleared(conclusion)
        }
    }

    #[test]
    fn a_reopening_halts_whatever_was_not_carried_out() {
        let declined = a_candidate().events([wish_of(super::super::wish::Said::Declines)]);
        for before in [
            a_candidate(),
            an_eligible_one(),
            declined,
            a_decided_one(Form::Written),
            a_drafted_one(Form::Written),
            an_approved_one(Form::Written),
        ] {
            let after = before
                .actor(service())
                .when(follow(reopened(2)))
                .then([halted_at(2)]);
            assert_eq!(after.state().standing(), Some(Standing::Halted));
            after
                .actor(screener("anna", "petitions"))
                .when(agrees())
                .then_refused(&HALTED);
        }
        let mut not_eligible = cleared(1);
        not_eligible.clearance.harm = None;
        given::<Clarification>()
            .actor(service())
            .when(follow(not_eligible))
            .accepted()
            .1
            .when(follow(reopened(2)))
            .then([halted_at(2)]);
    }

    #[test]
    fn a_reopening_supersedes_what_was_carried_out() {
        let confirmed = a_carried_out_one(Form::Meeting).events([confirmed_by("petra")]);
        for before in [a_carried_out_one(Form::Meeting), confirmed] {
            let after = before
                .actor(service())
                .when(follow(reopened(2)))
                .then([superseded_at(2, Form::Meeting)]);
            assert_eq!(after.state().standing(), Some(Standing::Superseded));
            after
                .actor(officer("otto"))
                .when(wants(&[]))
                .then_refused(&SUPERSEDED);
        }
    }

    #[test]
    fn a_new_conclusion_takes_a_halted_or_superseded_one_back_to_a_fresh_screening() {
        for before in [
            an_approved_one(Form::Written),
            a_carried_out_one(Form::Written),
        ] {
            let after = before
                .actor(service())
                .when(follow(reopened(2)))
                .accepted()
                .1
                .when(follow(again(2, 3)))
                .then([taken_up(2, 3)]);
            assert_eq!(after.state().standing(), Some(Standing::Screening));
            let dossier = after.state().dossier().expect("it is open");
            assert_eq!((dossier.round, dossier.clearance.conclusion), (2, 2));
            let preparation = dossier.preparation().expect("it is prepared again");
            assert_eq!(preparation.screening.missing().count(), 5);
            after
                .events(all_agree())
                .actor(officer("otto"))
                .when(choose(Form::Meeting))
                .then_refused(&WISH_NOT_HEARD);
        }
    }

    /// A later conclusion, of the unit that the case moved to meanwhile.
    fn again_above(conclusion: i32, ordinal: u32) -> Ruling {
        let mut ruling = again(conclusion, ordinal);
        ruling.clearance.unit = above();
        ruling
    }

    #[test]
    fn whoever_concludes_after_a_move_clarifies_and_the_unit_before_does_no_more() {
        for before in [
            an_approved_one(Form::Written),
            a_carried_out_one(Form::Written),
        ] {
            let after = before
                .actor(service())
                .when(follow(reopened(2)))
                .accepted()
                .1
                .when(follow(again_above(2, 3)))
                .accepted()
                .1;
            let dossier = after.state().dossier().expect("it is open");
            assert_eq!(dossier.clearance.unit, above());
            after
                .clone()
                .actor(screener("anna", "petitions"))
                .when(agrees())
                .then_refused(&OUT_OF_SCOPE);
            let of_above = Actor {
                unit: above(),
                ..screener("anna", "petitions")
            };
            after.actor(of_above).when(agrees()).accepted();
        }
    }

    #[test]
    fn what_one_unit_carried_out_is_superseded_in_its_own_ledger_whoever_concludes_then() {
        let first = a_carried_out_one(Form::Written)
            .actor(service())
            .when(Command::NoteLedgerNumber(Box::new(entered(
                7,
                What::CarriedOut,
                1,
            ))))
            .accepted()
            .1;
        let (events, _) = first.when(follow(again_above(2, 3))).accepted();
        let Event::Superseded(superseded) = &events[0] else {
            panic!("superseded first, not {events:?}");
        };
        let entry = superseded.superseding.as_ref().expect("an entry follows");
        assert_eq!((&superseded.unit, &entry.unit), (&unit(), &unit()));

        // The same where the first number comes back only after the other unit took it up.
        let taken_up = a_carried_out_one(Form::Written)
            .actor(service())
            .when(follow(again_above(2, 3)))
            .accepted()
            .1;
        let number = entered(7, What::CarriedOut, 1);
        let (events, _) = taken_up
            .when(Command::NoteLedgerNumber(Box::new(number)))
            .accepted();
        let Event::LedgerNumbered(numbered) = &events[0] else {
            panic!("its number is kept, not {events:?}");
        };
        let entry = numbered.superseding.as_ref().expect("an entry follows");
        assert_eq!(entry.unit, unit());
    }

    #[test]
    fn whoever_declined_before_it_was_halted_is_not_overruled_as_unreachable() {
        a_candidate()
            .events([wish_of(super::super::wish::Said::Declines)])
            .actor(service())
            .when(follow(reopened(2)))
            .accepted()
            .1
            .when(follow(again(2, 3)))
            .accepted()
            .1
            .actor(officer("otto"))
            .when(Command::RecordUnreachable { reason: id(TEXT) })
            .then_refused(&DECLINED);
    }

    #[test]
    fn one_that_first_hears_of_a_reopening_opens_halted() {
        given::<Clarification>()
            .actor(service())
            .when(follow(reopened(2)))
            .then([
                {
                    let Event::Opened(Opened(candidacy)) = an_opening() else {
                        unreachable!("it is what the fixture opens with");
                    };
                    Opened(Candidacy {
                        ordinal: 2,
                        ..candidacy
                    })
                    .into()
                },
                halted_at(2),
            ])
            .when(follow(cleared(1)))
            .then_already();
    }

    #[test]
    fn a_newer_conclusion_ends_the_earlier_one_although_its_halting_comes_later() {
        an_approved_one(Form::Written)
            .actor(service())
            .when(follow(again(2, 3)))
            .then([halted_at(3), taken_up(2, 3)])
            .when(follow(reopened(2)))
            .then_already();
        a_carried_out_one(Form::Written)
            .actor(service())
            .when(follow(again(2, 3)))
            .then([superseded_at(3, Form::Written), taken_up(2, 3)]);
    }

    #[test]
    fn a_halted_one_is_not_taken_up_by_what_is_older_than_it_has_heard() {
        let after = a_candidate()
            .actor(service())
            .when(follow(reopened(2)))
            .accepted()
            .1
            .when(follow(reopened(4)))
            .then([RulingHeard { ordinal: 4 }])
            .when(follow(again(2, 3)))
            .then_already();
        assert_eq!(after.state().standing(), Some(Standing::Halted));
    }

    #[test]
    fn the_approval_sets_the_clock_of_the_fifth_working_day_and_the_one_that_warns_before() {
        let (events, _) = a_drafted_one(Form::Written)
            .facts(stands(1))
            .when(Command::ApproveClarification)
            .accepted();
        let [approved] = &events[..] else {
            panic!("it was approved, not {events:?}");
        };
        let at = |at: &str| at.parse().expect("a timestamp");
        let warned = at("2026-03-11T15:59:59.999999Z");
        let due = at("2026-03-16T15:59:59.999999Z");
        assert_eq!(
            clocks::<Clarification>(clarification(), approved),
            [
                (EXECUTION_WARNING, Some((warned, "WarnExecutionDue"))),
                (EXECUTION_DUE, Some((due, "RecordExecutionOverdue"))),
            ]
        );
    }

    #[test]
    fn five_working_days_after_the_approval_it_is_overdue_and_a_warning_comes_before() {
        // Approved on Monday 9 March: due on Monday 16 March, warned three working days before.
        let clock = |now: &str| an_approved_one(Form::Written).actor(service()).now(now);
        let due = "2026-03-16T15:59:59.999999Z".parse().expect("a timestamp");
        clock("2026-03-11T15:59:59.999998Z")
            .when(Command::WarnExecutionDue)
            .then_already();
        clock("2026-03-11T15:59:59.999999Z")
            .when(Command::WarnExecutionDue)
            .then([ExecutionNear { due }]);
        clock("2026-03-16T15:59:59.999998Z")
            .when(Command::RecordExecutionOverdue)
            .then_already();
        clock("2026-03-16T15:59:59.999999Z")
            .when(Command::RecordExecutionOverdue)
            .then([ExecutionOverdue { due }])
            .when(Command::WarnExecutionDue)
            .then_already();
    }

    #[test]
    fn a_clock_of_working_days_that_no_longer_applies_says_nothing() {
        for before in [
            a_drafted_one(Form::Written),
            a_carried_out_one(Form::Written),
        ] {
            before
                .actor(service())
                .now("2026-06-01T00:00:00Z")
                .when(Command::RecordExecutionOverdue)
                .then_already();
        }
    }
}

//! The course beside the preparation: halted and superseded when the conclusion stands no longer, and taken up again when
//! a later one clears the subject.
//!
//! Rulings of the matter come in any order and late, so each has an ordinal, and what is older than what was heard is
//! passed over. A newer one may find the clarification on an earlier conclusion: then that one has ended too, and the
//! journal says so before it goes on.
//!
//! Taken up again, it begins with a fresh screening and without a wish: the subject is heard again ([`super::wish`]),
//! unless they applied for it in writing meanwhile ([`super::applying`]).

use chassis::aggregate::Decision;
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{MatterId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::candidacy::{Candidacy, Opened};
use super::forms::Form;
use super::{Context, Dossier, Event, Stage, State, afterwards, applying, recusing};
use crate::conclusion::{Holding, Ruling, Subject};
use crate::ledger::Wanted;

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
    let form = dossier.progress()?.form()?.form;
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

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::wish::{DECLINED, WISH_NOT_HEARD};
    use super::super::{Clarification, Command, HALTED, SUPERSEDED, Standing};
    use super::*;
    use crate::ledger::What;
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::given;
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
                .then([a_taking_up(2, 3)]);
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
            .then([halted_at(3), a_taking_up(2, 3)])
            .when(follow(reopened(2)))
            .then_already();
        a_carried_out_one(Form::Written)
            .actor(service())
            .when(follow(again(2, 3)))
            .then([superseded_at(3, Form::Written), a_taking_up(2, 3)]);
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
}

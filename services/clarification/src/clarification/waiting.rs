//! A subject who applied and whom no conclusion has cleared: what they handed in is kept with all reasons why nothing is
//! cleared, and counts once a conclusion clears them.
//!
//! The matter says the reasons, and is told of the applicant, so that it tells whatever changes from then on. A ruling that
//! came between is told again, so none is lost, whichever of the two is first.

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use office::{MatterId, UnitCode};
use serde::{Deserialize, Serialize};

use super::applying::{self, Applications};
use super::candidacy::{self, Opened};
use super::{Dossier, Event, State, recusing};
use crate::conclusion::{NotCleared, Reason, Subject};
use crate::matter::{self, Matter};

/// What is known while the subject has applied and no conclusion has cleared them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The matter.
    pub matter: MatterId,
    /// Where the matter was entered from: a register's name, or empty.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// Who is recused from the matter.
    pub recusal: Recusal,
    /// The unit that handles the matter, or concluded it.
    pub unit: UnitCode,
    /// The ordinal of the ruling that the reasons are of.
    pub heard: u32,
    /// All that keeps the subject from being a candidate; nothing only while the ruling that clears them is on its way.
    pub reasons: Vec<Reason>,
    /// What was handed in.
    pub applications: Applications,
}

/// See [`Event::AppliedFor`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppliedFor {
    /// The matter.
    pub matter: MatterId,
    /// Where the matter was entered from.
    pub source: String,
    /// The subject, as intake knows it.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The unit that handles the matter, or concluded it.
    pub unit: UnitCode,
    /// The ordinal of the newest ruling that the matter knew.
    pub ordinal: u32,
}

/// See [`Event::ReasonsLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonsLearned(pub NotCleared);

/// What is known from the first application on.
pub(super) fn applied_for(applied: &AppliedFor) -> Applied {
    Applied {
        matter: applied.matter,
        source: applied.source.clone(),
        subject: applied.subject.clone(),
        recusal: applied.recusal.clone(),
        unit: applied.unit.clone(),
        heard: applied.ordinal,
        reasons: Vec::new(),
        applications: Applications::default(),
    }
}

/// What happens while no conclusion has cleared the subject.
pub(super) fn waits(applied: &mut Applied, event: &Event) {
    match event {
        Event::ApplicationRecorded(recorded) => {
            applied.applications.take(recorded);
            applied.reasons.clone_from(&recorded.reasons);
            applied.heard = recorded.ordinal.unwrap_or(applied.heard);
            if let Some(unit) = &recorded.unit {
                applied.unit = unit.clone();
            }
        }
        Event::ReasonsLearned(ReasonsLearned(told)) => {
            applied.heard = told.ordinal;
            applied.unit = told.unit.clone();
            applied.reasons.clone_from(&told.reasons);
        }
        Event::ActorsRecused(recused) => {
            applied.recusal.extend(&recused.recusal);
            recusing::void_awaiting(&mut applied.applications, &recused.voided);
        }
        Event::ConflictDeclared(declared) => {
            applied.recusal.actors.insert(declared.actor.clone());
            recusing::void_awaiting(&mut applied.applications, &declared.voided);
        }
        _ => {}
    }
}

/// The clarification as it opens, with what was applied for before.
pub(super) fn opened(before: State, opened: &Opened) -> Dossier {
    let mut dossier = candidacy::opened(opened);
    if let State::Applied(applied) = before {
        let received = applied.applications.received.iter();
        let took_in = received.map(|application| application.by.clone());
        dossier.took_part.extend(took_in);
        dossier.recusal.extend(&applied.recusal);
        dossier.applications = applied.applications;
        applying::count(&mut dossier);
    }
    dossier
}

/// Learns why the newest ruling does not clear the subject. Whom one ever cleared is told by rulings of their own.
pub(super) fn learn(state: &State, told: &NotCleared) -> Decision<Event> {
    match state {
        State::Unopened => Err(Rejection::NotYet("the application")),
        State::Applied(applied) if told.ordinal > applied.heard => {
            Ok(vec![ReasonsLearned(told.clone()).into()])
        }
        State::Applied(_) | State::Open(_) => Ok(Vec::new()),
    }
}

/// Tells the matter who applied and what was known then.
pub(super) fn tell(event: &Event, effects: &mut Effects) {
    if let Event::AppliedFor(applied) = event {
        effects.then::<Matter>(
            applied.matter,
            "LearnApplicant",
            &matter::Command::LearnApplicant {
                subject: applied.subject.id,
                ordinal: applied.ordinal,
                recusal: applied.recusal.clone(),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::applying::Applying;
    use super::super::fixture::*;
    use super::*;
    use crate::matter::RECUSED;
    use crate::matter::applicants::Position;

    #[test]
    fn the_reasons_are_those_of_the_newest_ruling() {
        let reopened = [Reason::Reopened];
        let after = an_applied_one()
            .actor(service())
            .when(not_cleared(2, &reopened))
            .accepted()
            .1
            .when(not_cleared(1, &[Reason::NothingInFavour]))
            .then_already();
        assert_eq!(after.state().reasons(), reopened);
        let second = Command::ApplyForClarification(Box::new(Applying {
            text: id(TEXT + 1),
            ..an_application()
        }));
        let after = after.actor(officer("otto"));
        after.clone().when(second.clone()).then_stale();
        let newer = Position {
            ordinal: 2,
            reasons: reopened.to_vec(),
            ..position()
        };
        let (events, _) = after.facts(knowing(newer)).when(second).accepted();
        assert_eq!(events.len(), 1, "there is one already");
    }

    #[test]
    fn whoever_declares_a_conflict_in_an_applied_one_is_recused() {
        let declare = Command::DeclareClarificationConflict { reason: id(TEXT) };
        let after = an_applied_one().when(declare).accepted().1;
        after.when(hand_in()).then_refused(&RECUSED);
    }
}

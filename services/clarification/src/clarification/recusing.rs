//! Who stays out: the subjects and the reporters of the matter, and whoever declares a conflict. It may become known
//! late. What somebody did in the preparation who must not have had a part in it is then done again: an opinion is
//! missing, the wish is heard anew, a form falls with what was drafted and approved for it. What was carried out stays.

use std::collections::BTreeSet;

use chassis::aggregate::{Decision, Effects, Rejection, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::NOT_FOUND;
use office::{ActorId, ClarificationId, Department, MatterId, TextId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::applying::Applications;
use super::wish::Wish;
use super::{Context, Dossier, Event, Left, Progress, Stage, State};
use crate::matter::{self, Matter};

/// What is done again because of a recusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Voided {
    /// The departments that speak again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<Department>,
    /// Whether the subject is heard again.
    pub wish: Left,
    /// Whether the form is decided again.
    pub form: Left,
}

/// See [`Event::ActorsRecused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorsRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
    /// What is done again.
    pub voided: Voided,
    /// The meetings that were convened for it: they recuse too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub meetings: BTreeSet<Uuid>,
}

/// See [`Event::ConflictDeclared`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictDeclared {
    /// The matter, from all of which they are recused.
    pub matter: MatterId,
    /// Who declared it.
    pub actor: ActorId,
    /// Why.
    pub reason: TextRef,
    /// What is done again.
    pub voided: Voided,
    /// The meetings that were convened for it: they recuse too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub meetings: BTreeSet<Uuid>,
}

/// Learns who is recused.
pub(super) fn learn(state: &State, recusal: &Recusal, context: &Context) -> Decision<Event> {
    let Some(known) = state.recusal() else {
        return Err(Rejection::NotYet(
            "the clarification that opens with its ruling",
        ));
    };
    let recusal = known.lacking(recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    let recused = ActorsRecused {
        voided: voided(state, &recusal, context),
        meetings: called(state),
        recusal,
    };
    Ok(vec![recused.into()])
}

/// Learns with a ruling who is recused, where somebody is by now who took in what would be the wish: it must fall before
/// it counts.
pub(super) fn known_by_now(state: &State, recusal: &Recusal, context: &Context) -> Option<Event> {
    awaiting(state)?;
    let recusal = state.recusal()?.lacking(recusal);
    let voided = voided(state, &recusal, context);
    let falls = voided.wish == Left::Falls;
    falls.then(|| {
        let meetings = called(state);
        ActorsRecused {
            recusal,
            voided,
            meetings,
        }
        .into()
    })
}

/// The meetings that were convened for it.
fn called(state: &State) -> BTreeSet<Uuid> {
    let dossier = state.dossier();
    dossier
        .map(|dossier| dossier.called.clone())
        .unwrap_or_default()
}

/// The wish that counts when a conclusion clears the subject, if they applied for it.
fn awaiting(state: &State) -> Option<&Wish> {
    let applications = match state {
        State::Unopened => return None,
        State::Applied(applied) => &applied.applications,
        State::Open(dossier) => &dossier.applications,
    };
    applications.awaiting.as_ref()
}

/// Recuses the actor by their own word, whatever the state: a conflict may come to mind late.
pub(super) fn declare_conflict(
    state: &State,
    reason: TextId,
    context: &Context,
) -> Decision<Event> {
    let (matter, recusal) = state.matter().zip(state.recusal()).ok_or(NOT_FOUND)?;
    let actor = context.actor.id.clone();
    if recusal.actors.contains(&actor) {
        return Ok(Vec::new());
    }
    let conflicted = Recusal {
        actors: [actor.clone()].into(),
        ..Recusal::default()
    };
    Ok(vec![
        ConflictDeclared {
            matter,
            actor,
            reason: context.text(reason),
            voided: voided(state, &conflicted, context),
            meetings: called(state),
        }
        .into(),
    ])
}

/// What they had a part in. It is worked out here and kept in the event: marks are compared with the office's key, which
/// `evolve` does not have.
fn voided(state: &State, recusal: &Recusal, context: &Context) -> Voided {
    let out = |actor: &ActorId| recusal.names(actor, &context.secrets);
    let falls = |falls: bool| if falls { Left::Falls } else { Left::Stays };
    let stage = state.dossier().map(|dossier| &dossier.stage);
    let Some(Stage::Preparing(preparation)) = stage else {
        return Voided {
            opinions: Vec::new(),
            wish: falls(awaiting(state).is_some_and(|wish| out(wish.by()))),
            form: Left::Stays,
        };
    };
    let opinions: Vec<Department> = preparation
        .screening
        .opinions
        .iter()
        .filter(|(_, given)| out(&given.by))
        .map(|(department, _)| department.clone())
        .collect();
    let wish = falls(preparation.wish.as_ref().is_some_and(|wish| out(wish.by())));
    let progress = &preparation.progress;
    let makers = [
        progress.form().map(|form| &form.by),
        progress.statement().map(|statement| &statement.by),
        progress.approval().map(|approval| &approval.by),
    ];
    let rests = progress.form().is_some() && (!opinions.is_empty() || wish == Left::Falls);
    let form = falls(rests || makers.into_iter().flatten().any(out));
    Voided {
        opinions,
        wish,
        form,
    }
}

pub(super) fn recused(dossier: &mut Dossier, recused: &ActorsRecused) {
    dossier.recusal.extend(&recused.recusal);
    void(dossier, &recused.voided);
}

pub(super) fn conflict_declared(dossier: &mut Dossier, declared: &ConflictDeclared) {
    dossier.recusal.actors.insert(declared.actor.clone());
    void(dossier, &declared.voided);
}

/// Nobody's wish, where whoever took it in is recused; the application itself stays.
pub(super) fn void_awaiting(applications: &mut Applications, voided: &Voided) {
    if voided.wish == Left::Falls {
        applications.awaiting = None;
    }
}

fn void(dossier: &mut Dossier, voided: &Voided) {
    void_awaiting(&mut dossier.applications, voided);
    let Stage::Preparing(preparation) = &mut dossier.stage else {
        return;
    };
    for department in &voided.opinions {
        preparation.screening.opinions.remove(department);
    }
    if voided.wish == Left::Falls {
        preparation.wish = None;
    }
    if voided.form == Left::Falls {
        preparation.progress = Progress::Undecided;
    }
}

/// Whoever declares a conflict in one clarification is recused from all of the matter.
pub(super) fn tell(id: ClarificationId, event: &Event, effects: &mut Effects) {
    if let Event::ConflictDeclared(declared) = event {
        effects.then::<Matter>(
            declared.matter,
            "RecuseFromMatter",
            &matter::Command::RecuseFromMatter {
                actor: declared.actor.clone(),
                told_by: id,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::testing::{clocks, followed};

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::super::{Clarification, Command, Standing};
    use super::*;
    use crate::matter::RECUSED;

    fn recuse(names: &[&str], marked: &[&str]) -> Command {
        Command::RecuseFromClarification {
            recusal: Recusal {
                actors: names.iter().map(|name| actor_id(name)).collect(),
                reporters: marked.iter().map(|name| mark_of(name)).collect(),
            },
        }
    }

    fn declare() -> Command {
        Command::DeclareClarificationConflict { reason: id(TEXT) }
    }

    fn fell(events: &[Event]) -> &Voided {
        match events {
            [Event::ActorsRecused(ActorsRecused { voided, .. })]
            | [Event::ConflictDeclared(ConflictDeclared { voided, .. })] => voided,
            other => panic!("somebody was recused, not {other:?}"),
        }
    }

    #[test]
    fn the_recused_are_refused_everything_also_reads() {
        for name in ["accused", "reporter"] {
            let of = a_drafted_one(Form::Written)
                .facts(stands(1))
                .actor(supervisor(name));
            let reads = Clarification::admit(of.state(), &of.context().visitor());
            assert_eq!(reads, Err(RECUSED), "{name}");
            for command in [Command::ApproveClarification, wants(&[]), agrees()] {
                of.clone().when(command).then_refused(&RECUSED);
            }
        }
    }

    #[test]
    fn whoever_declares_a_conflict_is_recused_from_all_of_the_matter() {
        let (events, after) = a_candidate()
            .actor(officer("otto"))
            .when(declare())
            .accepted();
        after.when(wants(&[])).then_refused(&RECUSED);
        let told = followed::<Clarification>(clarification(), &events[0]);
        assert_eq!(told[0].method, "RecuseFromMatter");
        assert_eq!(told[0].aggregate, id::<MatterId>(0x10).uuid());
    }

    #[test]
    fn the_opinion_of_one_who_is_recused_later_leaves_the_screening_incomplete() {
        for command in [recuse(&["anna"], &[]), recuse(&[], &["anna"])] {
            let (events, after) = an_approved_one(Form::Written)
                .actor(service())
                .when(command)
                .accepted();
            let voided = fell(&events);
            assert_eq!(voided.opinions, [department("petitions")]);
            assert_eq!((voided.wish, voided.form), (Left::Stays, Left::Falls));
            assert_eq!(after.state().standing(), Some(Standing::Screening));
            let stopped = clocks::<Clarification>(clarification(), &events[0]);
            assert_eq!(stopped.len(), 2, "nothing is to be carried out any more");
        }
    }

    #[test]
    fn what_one_prepared_who_is_recused_later_is_done_again() {
        let approved = || an_approved_one(Form::Written).actor(service());
        let (events, after) = approved().when(recuse(&["gao"], &[])).accepted();
        assert_eq!(fell(&events).form, Left::Falls, "who approved");
        assert_eq!(after.state().standing(), Some(Standing::Eligible));
        let (events, after) = approved().when(recuse(&["petra"], &[])).accepted();
        assert_eq!(fell(&events).wish, Left::Falls, "who heard the subject");
        assert_eq!(after.state().standing(), Some(Standing::Eligible));
        let (events, after) = approved().when(recuse(&["nobody"], &[])).accepted();
        assert_eq!(fell(&events).form, Left::Stays);
        assert_eq!(after.state().standing(), Some(Standing::Approved));
    }

    #[test]
    fn what_was_carried_out_stays_whoever_is_recused_later() {
        let (_, after) = a_carried_out_one(Form::Written)
            .actor(service())
            .when(recuse(&["gao", "otto"], &[]))
            .accepted();
        assert_eq!(after.state().standing(), Some(Standing::CarriedOut));
    }

    #[test]
    fn a_recusal_that_comes_before_the_ruling_waits() {
        chassis::testing::given::<Clarification>()
            .actor(service())
            .when(recuse(&["anna"], &[]))
            .then_not_yet();
    }
}

//! The joint screening: the departments that the policy names, each with one opinion and a reason, by five different
//! people. All must agree; a single objection makes the clarification not eligible until it is withdrawn.
//!
//! A department's opinion is its own: any of its actors may take its objection back, nobody else. The five may give
//! theirs while one of them objects.

use std::collections::BTreeMap;

use chassis::aggregate::{Decision, Rejection, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use office::{ActorId, Department, TextId};
use serde::{Deserialize, Serialize};

use super::{Context, Event, Preparation, State, wish};

/// The actor is of no department that screens.
pub const NOT_A_SCREENER: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "CLARIFICATION_NOT_A_SCREENER",
    "Only an actor of one of the departments that screen may do this.",
);
/// The department has said what it thinks.
pub const OPINION_GIVEN: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_OPINION_GIVEN",
    "Your department has given its opinion; an objection must be withdrawn first.",
);
/// The actor has spoken for another department.
pub const SCREENED_ALREADY: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "CLARIFICATION_SCREENED_ALREADY",
    "You gave another department's opinion; a different person speaks for each.",
);
/// The department does not object.
pub const NOTHING_OBJECTED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOTHING_OBJECTED",
    "Your department does not object; there is nothing to withdraw.",
);
/// Opinions are missing.
pub const SCREENING_INCOMPLETE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_SCREENING_INCOMPLETE",
    "The joint screening is not complete; every department must agree first.",
);

/// What a department thinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// The name may be cleared.
    #[default]
    Agrees,
    /// It may not.
    Objects,
}

/// An opinion that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Given {
    /// What it says.
    pub opinion: Opinion,
    /// By whom.
    pub by: ActorId,
    /// Why.
    pub reason: TextRef,
}

/// What the departments said in this round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Screening {
    /// The departments that must speak.
    pub departments: Vec<Department>,
    /// What they said.
    pub opinions: BTreeMap<Department, Given>,
    /// Why a department took its last objection back.
    pub withdrawn: BTreeMap<Department, TextRef>,
}

impl Screening {
    /// One in which nobody has spoken.
    pub(super) fn of(departments: &[Department]) -> Self {
        Self {
            departments: departments.to_vec(),
            opinions: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
        }
    }

    /// The departments whose opinion is missing.
    pub fn missing(&self) -> impl Iterator<Item = &Department> {
        let spoken = |department: &&Department| !self.opinions.contains_key(*department);
        self.departments.iter().filter(spoken)
    }

    /// Whether any department objects.
    pub fn objected(&self) -> bool {
        let mut given = self.opinions.values();
        given.any(|given| given.opinion == Opinion::Objects)
    }

    /// Whether every department agrees.
    pub fn all_agree(&self) -> bool {
        self.missing().next().is_none() && !self.objected()
    }

    /// Refuses unless every department agrees.
    pub(super) fn complete(&self) -> Result<(), Rejection> {
        if self.objected() {
            return Err(super::NOT_ELIGIBLE.into());
        }
        if self.missing().next().is_some() {
            return Err(SCREENING_INCOMPLETE.into());
        }
        Ok(())
    }

    /// The department that the actor may speak for.
    fn department<'s>(&'s self, context: &Context) -> Result<&'s Department, Rejection> {
        let own = context.actor.department.as_ref();
        let listed = self.departments.iter().find(|listed| Some(*listed) == own);
        listed.ok_or_else(|| NOT_A_SCREENER.into())
    }
}

/// See [`Event::OpinionRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpinionRecorded {
    /// Of which department.
    pub department: Department,
    /// By whom.
    pub by: ActorId,
    /// What it says.
    pub opinion: Opinion,
    /// Why.
    pub reason: TextRef,
}

/// See [`Event::ObjectionWithdrawn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectionWithdrawn {
    /// Of which department.
    pub department: Department,
    /// By whom.
    pub by: ActorId,
    /// Why.
    pub reason: TextRef,
}

/// Records the opinion of the actor's department.
pub(super) fn record(
    state: &State,
    opinion: Opinion,
    reason: TextId,
    context: &Context,
) -> Decision<Event> {
    let (_, preparation) = state.preparing(context)?;
    let screening = &preparation.screening;
    let department = screening.department(context)?;
    match screening.opinions.get(department) {
        Some(given) if given.opinion == opinion && given.reason.id == reason => {
            return Ok(Vec::new());
        }
        Some(_) => return Err(OPINION_GIVEN.into()),
        None => {}
    }
    wish::wanted(preparation)?;
    let by = &context.actor.id;
    if screening.opinions.values().any(|given| given.by == *by) {
        return Err(SCREENED_ALREADY.into());
    }
    Ok(vec![
        OpinionRecorded {
            department: department.clone(),
            by: by.clone(),
            opinion,
            reason: context.text(reason),
        }
        .into(),
    ])
}

pub(super) fn recorded(preparation: &mut Preparation, recorded: &OpinionRecorded) {
    let given = Given {
        opinion: recorded.opinion,
        by: recorded.by.clone(),
        reason: recorded.reason.clone(),
    };
    let screening = &mut preparation.screening;
    screening
        .opinions
        .insert(recorded.department.clone(), given);
}

/// Takes the objection of the actor's department back.
pub(super) fn withdraw(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
    let (_, preparation) = state.preparing(context)?;
    let screening = &preparation.screening;
    let department = screening.department(context)?;
    match screening
        .opinions
        .get(department)
        .map(|given| given.opinion)
    {
        Some(Opinion::Objects) => Ok(vec![
            ObjectionWithdrawn {
                department: department.clone(),
                by: context.actor.id.clone(),
                reason: context.text(reason),
            }
            .into(),
        ]),
        None if screening
            .withdrawn
            .get(department)
            .is_some_and(|given| given.id == reason) =>
        {
            Ok(Vec::new())
        }
        Some(Opinion::Agrees) | None => Err(NOTHING_OBJECTED.into()),
    }
}

pub(super) fn withdrawn(preparation: &mut Preparation, withdrawn: &ObjectionWithdrawn) {
    let screening = &mut preparation.screening;
    screening.opinions.remove(&withdrawn.department);
    let reason = withdrawn.reason.clone();
    screening
        .withdrawn
        .insert(withdrawn.department.clone(), reason);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Command, NOT_ELIGIBLE, Standing, forms::Form};
    use super::*;
    use crate::matter::RECUSED;

    fn withdraw() -> Command {
        Command::WithdrawObjection {
            reason: id(TEXT + 1),
        }
    }

    #[test]
    fn screening_takes_an_opinion_of_each_of_the_five_departments() {
        let mut candidate = a_candidate();
        for (person, department) in SCREENERS {
            assert_eq!(candidate.state().standing(), Some(Standing::Screening));
            candidate = candidate
                .actor(screener(person, department))
                .when(agrees())
                .then([opinion(person, department, Opinion::Agrees)]);
        }
        assert_eq!(candidate.state().standing(), Some(Standing::Eligible));
    }

    #[test]
    fn only_the_departments_of_the_policy_take_part_in_the_screening() {
        for actor in [
            screener("anna", "canteen"),
            office::Actor {
                department: None,
                ..screener("anna", "petitions")
            },
        ] {
            a_candidate()
                .actor(actor)
                .when(agrees())
                .then_refused(&NOT_A_SCREENER);
        }
    }

    #[test]
    fn a_different_person_speaks_for_each_department_of_the_screening() {
        a_candidate()
            .events([opinion("anna", "petitions", Opinion::Agrees)])
            .actor(screener("anna", "handling"))
            .when(agrees())
            .then_refused(&SCREENED_ALREADY);
    }

    #[test]
    fn a_department_has_one_opinion_in_the_screening() {
        let given = a_candidate().events([opinion("anna", "petitions", Opinion::Agrees)]);
        for command in [agrees(), objects()] {
            given
                .clone()
                .text(id(TEXT + 1))
                .actor(screener("boris", "petitions"))
                .when(match command {
                    Command::RecordOpinion { opinion, .. } => Command::RecordOpinion {
                        opinion,
                        reason: id(TEXT + 1),
                    },
                    other => other,
                })
                .then_refused(&OPINION_GIVEN);
        }
    }

    #[test]
    fn a_single_objection_in_the_screening_makes_it_not_eligible_until_it_is_withdrawn() {
        let mut four = all_agree();
        four.pop();
        let objected = a_candidate()
            .events(four)
            .actor(screener("emil", "case_adjudication"))
            .when(objects())
            .then([opinion("emil", "case_adjudication", Opinion::Objects)]);
        assert_eq!(objected.state().standing(), Some(Standing::NotEligible));
        objected
            .clone()
            .events([wish_heard(&[])])
            .actor(officer("otto"))
            .when(choose(Form::Written))
            .then_refused(&NOT_ELIGIBLE);

        let withdrawn = objected
            .text(id(TEXT + 1))
            .actor(screener("fritz", "case_adjudication"))
            .when(withdraw())
            .then([ObjectionWithdrawn {
                department: department("case_adjudication"),
                by: actor_id("fritz"),
                reason: text(TEXT + 1),
            }]);
        assert_eq!(withdrawn.state().standing(), Some(Standing::Screening));
        let agreed = withdrawn.when(agrees()).accepted().1;
        assert_eq!(agreed.state().standing(), Some(Standing::Eligible));
    }

    #[test]
    fn only_the_department_that_objects_withdraws_its_screening_objection() {
        let objected = a_candidate().events([opinion("anna", "petitions", Opinion::Objects)]);
        objected
            .clone()
            .actor(screener("boris", "handling"))
            .when(withdraw())
            .then_refused(&NOTHING_OBJECTED);
        objected
            .events([opinion("boris", "handling", Opinion::Agrees)])
            .actor(screener("boris", "handling"))
            .when(withdraw())
            .then_refused(&NOTHING_OBJECTED);
    }

    #[test]
    fn the_screening_goes_on_while_a_department_objects() {
        a_candidate()
            .events([opinion("anna", "petitions", Opinion::Objects)])
            .actor(screener("boris", "handling"))
            .when(agrees())
            .then([opinion("boris", "handling", Opinion::Agrees)]);
    }

    #[test]
    fn nobody_who_is_recused_takes_part_in_the_screening() {
        for name in ["accused", "reporter"] {
            a_candidate()
                .actor(screener(name, "petitions"))
                .when(agrees())
                .then_refused(&RECUSED);
        }
    }
}

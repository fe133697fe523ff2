//! What a matter learns from verification, and how each of its subjects stands because of it.
//!
//! A conclusion is taken only when everything it speaks of is known here: intake's stream may be behind. Verification
//! knows of a matter only what intake told, so what is missing is on its way.
//!
//! Whom a conclusion does not clear is told nothing, unless they applied ([`applicants`]).

use std::collections::BTreeMap;

use chassis::aggregate::{Context, Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{AllegationId, Finding, MatterId, SubjectId, UnitCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Event, Known, State, applicants, on_record};
use crate::clarification::{self, Clarification};
use crate::conclusion::{
    Clearance, Holding, Line, NotCleared, Ruling, Subject, SubjectHarm, clarification_of, clearing,
};

/// A conclusion as verification tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conclusion {
    /// 1 for the first, 2 for the one after a reopening, and so on.
    pub number: i32,
    /// The unit that concluded.
    pub unit: UnitCode,
    /// What it says about each subject.
    pub subjects: Vec<Concluded>,
    /// On which day; `None` where verification did not say it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
}

/// What a conclusion says about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concluded {
    /// The subject.
    pub subject: SubjectId,
    /// Whether it is known who that is.
    pub identity: Identity,
    /// What was found on each allegation.
    pub findings: Vec<Found>,
    /// The harm, if any was recorded.
    pub harm: Option<SubjectHarm>,
}

/// Whether it is known who a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// It is.
    Identified,
    /// It is not; nobody's name can be cleared.
    NotIdentified,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// On which allegation.
    pub allegation: AllegationId,
    /// What was found.
    pub finding: Finding,
}

/// What a conclusion found on a subject whom it does not clear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The subject.
    pub subject: SubjectId,
    /// Whether it is known who that is.
    pub identity: Identity,
    /// What was found on each allegation.
    pub findings: Vec<Line>,
    /// The harm, if any was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<SubjectHarm>,
}

/// The first version kept nothing of those whom a conclusion did not clear.
pub(super) fn without_verdicts<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// See [`Event::ConclusionLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConclusionLearned {
    /// Its number.
    pub number: i32,
    /// The unit that concluded; `None` where it was stored before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// What it found on those whom it does not clear; `None` where it was stored before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Vec<Verdict>>,
    /// How each subject stands that it, or one before it, cleared.
    pub rulings: Rulings,
}

/// See [`Event::ReopeningLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReopeningLearned {
    /// The conclusion that stands no longer.
    pub number: i32,
    /// How each subject stands that a conclusion cleared.
    pub rulings: Rulings,
}

/// How the subjects of a matter stand after one change of its standing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rulings {
    /// Which change it is, from 1.
    pub ordinal: u32,
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// Who is recused from it, as far as it is known.
    pub recusal: Recusal,
    /// Each subject that a conclusion ever cleared.
    pub subjects: Vec<Standing>,
    /// Each that applied and that none ever did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_cleared: Vec<NotCleared>,
}

/// How one subject stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The subject.
    pub subject: Subject,
    /// The last conclusion that cleared it.
    pub clearance: Clearance,
    /// Whether it still does.
    pub holding: Holding,
}

/// Decides whom a conclusion clears.
pub(super) fn conclude(
    state: &State,
    matter: MatterId,
    conclusion: &Conclusion,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter that was concluded"));
    };
    if conclusion.number <= known.conclusion {
        return Ok(Vec::new());
    }
    let mut clearances = BTreeMap::new();
    let mut verdicts = Vec::new();
    for said in &conclusion.subjects {
        let findings = lines(known, &said.findings)?;
        let is_identified = said.identity == Identity::Identified;
        if is_identified && !known.subjects.contains_key(&said.subject) {
            return Err(Rejection::NotYet("who a subject of the conclusion is"));
        }
        if is_identified && clearing(&findings).is_empty() {
            let clearance = Clearance {
                conclusion: conclusion.number,
                unit: conclusion.unit.clone(),
                findings,
                harm: said.harm.clone(),
                concluded_on: conclusion.on,
            };
            clearances.insert(said.subject, clearance);
        } else {
            verdicts.push(Verdict {
                subject: said.subject,
                identity: said.identity,
                findings,
                harm: said.harm.clone(),
            });
        }
    }
    let mut learned = ConclusionLearned {
        number: conclusion.number,
        unit: Some(conclusion.unit.clone()),
        verdicts: Some(verdicts),
        rulings: rulings(known, matter, clearances),
    };
    learned.rulings.not_cleared = applicants::told_after(known, |next| concluded(next, &learned));
    Ok(vec![learned.into()])
}

/// The findings with what was alleged, and when.
fn lines(known: &Known, findings: &[Found]) -> Result<Vec<Line>, Rejection> {
    findings
        .iter()
        .map(|found| {
            let alleged = known.allegations.get(&found.allegation);
            let alleged = alleged.ok_or(Rejection::NotYet("an allegation of the conclusion"))?;
            Ok(Line {
                allegation: found.allegation,
                category: alleged.category.clone(),
                occurred_on: alleged.occurred_on,
                finding: found.finding.clone(),
            })
        })
        .collect()
}

/// Takes a conclusion back. Whom it cleared is told, and also whom an earlier one did: it holds no more either. Whoever was
/// exempt by it is so no longer.
pub(super) fn reopen(
    state: &State,
    matter: MatterId,
    number: i32,
    context: &Context<()>,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter whose case was reopened"));
    };
    if number > known.conclusion {
        return Err(Rejection::NotYet("the conclusion that stands no longer"));
    }
    if number < known.conclusion || known.holding == Holding::HoldsNoMore {
        return Ok(Vec::new());
    }
    let mut learned = ReopeningLearned {
        number,
        rulings: rulings(known, matter, BTreeMap::new()),
    };
    learned.rulings.not_cleared = applicants::told_after(known, |next| reopened(next, &learned));
    let mut events = vec![learned.into()];
    events.extend(on_record::lapse(known, number, context));
    Ok(events)
}

/// How every subject stands that these clearances, or earlier ones, are about. Only a new clearance holds.
fn rulings(known: &Known, matter: MatterId, cleared: BTreeMap<SubjectId, Clearance>) -> Rulings {
    let earlier = known
        .clearances
        .iter()
        .filter(|(subject, _)| !cleared.contains_key(subject))
        .map(|(subject, clearance)| (*subject, clearance.clone(), Holding::HoldsNoMore));
    let now = cleared
        .iter()
        .map(|(subject, clearance)| (*subject, clearance.clone(), Holding::Holds));
    let subjects = earlier.chain(now).filter_map(|(id, clearance, holding)| {
        let subject = known.subjects.get(&id)?.clone();
        Some(Standing {
            subject,
            clearance,
            holding,
        })
    });
    Rulings {
        ordinal: known.changes + 1,
        matter,
        source: known.source.clone(),
        recusal: known.recusal.clone(),
        subjects: subjects.collect(),
        not_cleared: Vec::new(),
    }
}

pub(super) fn concluded(known: &mut Known, learned: &ConclusionLearned) {
    known.conclusion = learned.number;
    known.holding = Holding::Holds;
    known.concluded_by.clone_from(&learned.unit);
    let verdicts = learned.verdicts.as_ref();
    known.verdicts = verdicts.map(|verdicts| {
        let verdicts = verdicts.iter();
        let by_subject = verdicts.map(|verdict| (verdict.subject, verdict.clone()));
        by_subject.collect()
    });
    stand(known, &learned.rulings);
}

pub(super) fn reopened(known: &mut Known, learned: &ReopeningLearned) {
    known.holding = Holding::HoldsNoMore;
    stand(known, &learned.rulings);
}

fn stand(known: &mut Known, rulings: &Rulings) {
    known.changes = rulings.ordinal;
    for standing in &rulings.subjects {
        let clearance = standing.clearance.clone();
        known.clearances.insert(standing.subject.id, clearance);
    }
}

/// Tells each subject's clarification.
pub(super) fn tell(rulings: &Rulings, effects: &mut Effects) {
    for standing in &rulings.subjects {
        let ruling = Ruling {
            ordinal: rulings.ordinal,
            matter: rulings.matter,
            source: rulings.source.clone(),
            subject: standing.subject.clone(),
            recusal: rulings.recusal.clone(),
            clearance: standing.clearance.clone(),
            holding: standing.holding,
        };
        effects.then::<Clarification>(
            clarification_of(rulings.matter, standing.subject.id),
            "FollowRuling",
            &clarification::Command::FollowRuling(Box::new(ruling)),
        );
    }
    applicants::tell(rulings.matter, &rulings.not_cleared, effects);
}

#[cfg(test)]
mod tests {
    use chassis::testing::{followed, given};

    use super::super::fixture::*;
    use super::super::{Command, Matter};
    use super::*;
    use crate::clarification::fixture::{clarification, cleared, id, service, subject};

    /// The rulings that an event tells, in their order.
    fn told(event: &Event) -> Vec<(uuid::Uuid, Ruling)> {
        let told = followed::<Matter>(id::<MatterId>(0x10), event).into_iter();
        let ruling = told.map(|follows| match follows.command::<Clarification>() {
            Some(clarification::Command::FollowRuling(ruling)) => (follows.aggregate, *ruling),
            other => panic!("a ruling is told, not {other:?}"),
        });
        ruling.collect()
    }

    #[test]
    fn a_conclusion_tells_each_cleared_subject_all_that_its_clarification_needs() {
        let (event, _) = learned(a_matter(), concluding(1, Finding::Unfounded));
        let told = told(&event);
        assert_eq!(told.len(), 2, "who is not identified is never cleared");
        assert_eq!(told[0], (clarification().uuid(), cleared(1)));
        assert_eq!(told[1].1.subject, organisation());
        assert_eq!(
            told[1].1.clearance.findings.len(),
            1,
            "and no other finding"
        );
    }

    #[test]
    fn whom_a_conclusion_does_not_clear_has_no_clarification() {
        for finding in [
            Finding::Substantiated,
            Finding::Unsubstantiated,
            Finding::Closed("withdrawn".to_owned()),
        ] {
            let (event, _) = learned(a_matter(), concluding(1, finding));
            let subjects: Vec<_> = told(&event)
                .into_iter()
                .map(|(_, ruling)| ruling.subject)
                .collect();
            assert_eq!(subjects, [organisation()]);
        }
    }

    #[test]
    fn a_conclusion_of_a_matter_that_is_not_known_here_yet_waits() {
        let nothing = || given::<Matter>().actor(service());
        nothing()
            .when(concluding(1, Finding::Unfounded))
            .then_not_yet();
        nothing().when(reopening(1)).then_not_yet();
        a_matter().when(reopening(1)).then_not_yet();
    }

    #[test]
    fn a_conclusion_waits_for_what_intake_has_yet_to_tell() {
        let mut more = conclusion(1, Finding::Unfounded);
        more.subjects
            .push(found(id(0x33), &[(1, Finding::Unfounded)]));
        a_matter()
            .when(Command::LearnConclusion(more))
            .then_not_yet();
        let mut more = conclusion(1, Finding::Unfounded);
        more.subjects
            .push(found(subject().id, &[(5, Finding::Unfounded)]));
        a_matter()
            .when(Command::LearnConclusion(more.clone()))
            .then_not_yet();
        a_matter()
            .when(Command::LearnReport(second_report()))
            .accepted()
            .1
            .when(Command::LearnConclusion(more))
            .accepted();
    }

    #[test]
    fn a_reopening_tells_every_clarification_and_later_rulings_have_higher_ordinals() {
        let (_, matter) = learned(a_matter(), concluding(1, Finding::Unfounded));
        let (event, matter) = learned(matter, reopening(1));
        let rulings: Vec<_> = told(&event)
            .into_iter()
            .map(|(_, ruling)| (ruling.ordinal, ruling.clearance.conclusion, ruling.holding))
            .collect();
        assert_eq!(rulings, [(2, 1, Holding::HoldsNoMore); 2]);

        let (event, matter) = learned(matter, concluding(2, Finding::Substantiated));
        let rulings: Vec<_> = told(&event)
            .into_iter()
            .map(|(_, ruling)| (ruling.ordinal, ruling.clearance.conclusion, ruling.holding))
            .collect();
        assert_eq!(
            rulings,
            [(3, 1, Holding::HoldsNoMore), (3, 2, Holding::Holds)],
            "the official is not cleared this time, the organisation is again"
        );
        matter
            .when(reopening(1))
            .then_already()
            .when(concluding(2, Finding::Substantiated))
            .then_already();
    }

    #[test]
    fn a_reopening_is_learned_once() {
        let (_, matter) = learned(a_matter(), concluding(1, Finding::Unfounded));
        let (_, matter) = learned(matter, reopening(1));
        matter.when(reopening(1)).then_already();
        a_matter().when(reopening(0)).then_already();
    }
}

//! What a matter learns from verification, and how each of its subjects stands because of it.
//!
//! A conclusion is taken only when everything it speaks of is known here: intake's stream may be behind. Verification
//! knows of a matter only what intake told, so what is missing is on its way.
//!
//! Whom a conclusion does not clear is told nothing, unless they applied: then they are told all reasons, with every
//! ruling ([`Known::position`] says them before).

use std::collections::BTreeMap;

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{AllegationId, Finding, MatterId, SubjectId, UnitCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Event, Known, State};
use crate::clarification::candidacy::eligibility;
use crate::clarification::{self, Clarification};
use crate::conclusion::{
    Clearance, Holding, Line, NotCleared, Reason, Ruling, Subject, SubjectHarm, clarification_of,
    clearing,
};
use crate::integrity::{self, IntegrityFile, SanctionRecord, file_of};

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

/// How a subject stands in its matter, for whoever applies in their name.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The ordinal of the matter's newest ruling; 0 if there was none.
    pub ordinal: u32,
    /// Where the matter was entered from.
    pub source: String,
    /// The unit that handles the matter, or concluded it.
    pub unit: UnitCode,
    /// Who is recused from it.
    pub recusal: Recusal,
    /// The subject; `None` where the matter does not know them.
    pub subject: Option<Subject>,
    /// All that keeps them from being a candidate; nothing where a conclusion clears them.
    pub reasons: Vec<Reason>,
}

impl Known {
    /// How this subject stands.
    pub fn position(&self, subject: SubjectId) -> Position {
        Position {
            ordinal: self.changes,
            source: self.source.clone(),
            unit: self.unit_concerned().clone(),
            recusal: self.recusal.clone(),
            subject: self.subjects.get(&subject).cloned(),
            reasons: self.reasons(subject),
        }
    }

    /// The unit whose conclusion stands, else the one that handles the matter.
    fn unit_concerned(&self) -> &UnitCode {
        match (self.holding, &self.concluded_by) {
            (Holding::Holds, Some(concluded_by)) => concluded_by,
            _ => &self.unit,
        }
    }

    /// All that keeps a subject from being a candidate, told at once: that no conclusion stands, or what keeps its
    /// findings from clearing them ([`clearing`]) and its harm from making a clarification of it ([`eligibility`]).
    fn reasons(&self, subject: SubjectId) -> Vec<Reason> {
        if self.conclusion == 0 {
            return vec![Reason::NotConcluded];
        }
        if self.holding == Holding::HoldsNoMore {
            return vec![Reason::Reopened];
        }
        let clearance = self.clearances.get(&subject);
        if clearance.is_some_and(|clearance| clearance.conclusion == self.conclusion) {
            return Vec::new();
        }
        let Some(verdicts) = &self.verdicts else {
            return vec![Reason::NotCleared];
        };
        if let Some(verdict) = verdicts.get(&subject) {
            let mut reasons = clearing(&verdict.findings);
            reasons.extend(eligibility(verdict.harm.as_ref()));
            return reasons;
        }
        let mut placeholders = self.identified.iter().filter(|(_, who)| **who == subject);
        if placeholders.any(|(placeholder, _)| verdicts.contains_key(placeholder)) {
            return vec![Reason::NotIdentified];
        }
        vec![Reason::NotInConclusion]
    }

    /// What is told to an applicant whom no conclusion ever cleared; whom one did is told by rulings of their own.
    fn not_cleared(&self, subject: SubjectId) -> Option<NotCleared> {
        let never = !self.clearances.contains_key(&subject);
        never.then(|| NotCleared {
            ordinal: self.changes,
            subject,
            unit: self.unit_concerned().clone(),
            reasons: self.reasons(subject),
        })
    }
}

/// The first version kept nothing of those whom a conclusion did not clear.
pub(super) fn without_verdicts<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// See [`Event::ApplicantLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicantLearned {
    /// Who applied.
    pub subject: SubjectId,
    /// Who is recused and was not known to be when they applied.
    pub recusal: Recusal,
    /// Why the newest ruling does not clear them, where it is newer than what was known when they applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_cleared: Option<NotCleared>,
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

/// See [`Event::SanctionLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SanctionLearned {
    /// The person.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The sanction.
    pub sanction: SanctionRecord,
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
    learned.rulings.not_cleared = to_applicants(known, |next| concluded(next, &learned));
    Ok(vec![learned.into()])
}

/// What is told to those who applied and whom no conclusion ever cleared, after this.
pub(super) fn to_applicants(known: &Known, happens: impl FnOnce(&mut Known)) -> Vec<NotCleared> {
    if known.applicants.is_empty() {
        return Vec::new();
    }
    let mut next = known.clone();
    happens(&mut next);
    let applicants = next.applicants.iter();
    applicants
        .filter_map(|applicant| next.not_cleared(*applicant))
        .collect()
}

/// The findings with the categories of their allegations.
fn lines(known: &Known, findings: &[Found]) -> Result<Vec<Line>, Rejection> {
    findings
        .iter()
        .map(|found| {
            let category = known.allegations.get(&found.allegation);
            let category = category.ok_or(Rejection::NotYet("an allegation of the conclusion"))?;
            Ok(Line {
                allegation: found.allegation,
                category: category.clone(),
                finding: found.finding.clone(),
            })
        })
        .collect()
}

/// Takes a conclusion back. Whom it cleared is told, and also whom an earlier one did: it holds no more either.
pub(super) fn reopen(state: &State, matter: MatterId, number: i32) -> Decision<Event> {
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
    learned.rulings.not_cleared = to_applicants(known, |next| reopened(next, &learned));
    Ok(vec![learned.into()])
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
    tell_applicants(rulings.matter, &rulings.not_cleared, effects);
}

/// Tells those who applied and whom no conclusion ever cleared.
pub(super) fn tell_applicants(matter: MatterId, told: &[NotCleared], effects: &mut Effects) {
    for told in told {
        tell_applicant(matter, told, effects);
    }
}

fn tell_applicant(matter: MatterId, told: &NotCleared, effects: &mut Effects) {
    effects.then::<Clarification>(
        clarification_of(matter, told.subject),
        "LearnNotCleared",
        &clarification::Command::LearnNotCleared(Box::new(told.clone())),
    );
}

/// Learns who applied, once; from then on they are told of every ruling. What came between is told now.
pub(super) fn applicant(
    state: &State,
    subject: SubjectId,
    ordinal: u32,
    recusal: &Recusal,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter of the application"));
    };
    if known.applicants.contains(&subject) {
        return Ok(Vec::new());
    }
    let newer = known.not_cleared(subject);
    Ok(vec![
        ApplicantLearned {
            subject,
            recusal: recusal.lacking(&known.recusal),
            not_cleared: newer.filter(|told| told.ordinal > ordinal),
        }
        .into(),
    ])
}

/// Tells whoever applied what has changed since.
pub(super) fn answer(matter: MatterId, learned: &ApplicantLearned, effects: &mut Effects) {
    if !learned.recusal.is_empty() {
        let clarification = clarification_of(matter, learned.subject);
        super::learning::tell(&[clarification], &learned.recusal, effects);
    }
    if let Some(told) = &learned.not_cleared {
        tell_applicant(matter, told, effects);
    }
}

/// Passes a sanction on to the person's integrity file, with what decides who may read that: a sanction's own event
/// does not say to whom the person belongs.
pub(super) fn sanction(state: &State, sanction: &SanctionRecord) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter of the sanction"));
    };
    if known.sanctions.contains(&sanction.id) {
        return Ok(Vec::new());
    }
    let Some(subject) = known.subjects.get(&sanction.subject) else {
        return Err(Rejection::NotYet("who was sanctioned"));
    };
    Ok(vec![
        SanctionLearned {
            subject: subject.clone(),
            recusal: known.recusal.clone(),
            sanction: sanction.clone(),
        }
        .into(),
    ])
}

pub(super) fn pass_on(learned: &SanctionLearned, effects: &mut Effects) {
    effects.then::<IntegrityFile>(
        file_of(learned.subject.id),
        "EnterInIntegrityFile",
        &integrity::Command::Enter {
            of: learned.subject.id,
            entry: learned.sanction.entry(),
            whose: Some(integrity::Whose {
                subject: learned.subject.clone(),
                recusal: learned.recusal.clone(),
            }),
        },
    );
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed, given};
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::{Command, Matter};
    use super::*;
    use crate::clarification::fixture::{
        actor_id, clarification, cleared, id, service, subject, unit,
    };

    fn conclude(number: i32, on_the_official: Finding) -> Command {
        Command::LearnConclusion(conclusion(number, on_the_official))
    }

    fn reopen(number: i32) -> Command {
        Command::LearnReopening { number }
    }

    /// The rulings that an event tells, in their order.
    fn told(event: &Event) -> Vec<(uuid::Uuid, Ruling)> {
        let told = followed::<Matter>(id::<MatterId>(0x10), event).into_iter();
        let ruling = told.map(|follows| match follows.command::<Clarification>() {
            Some(clarification::Command::FollowRuling(ruling)) => (follows.aggregate, *ruling),
            other => panic!("a ruling is told, not {other:?}"),
        });
        ruling.collect()
    }

    fn learned(given: Given<Matter>, command: Command) -> (Event, Given<Matter>) {
        let (mut events, after) = given.when(command).accepted();
        assert_eq!(events.len(), 1);
        (events.remove(0), after)
    }

    #[test]
    fn a_conclusion_tells_each_cleared_subject_all_that_its_clarification_needs() {
        let (event, _) = learned(a_matter(), conclude(1, Finding::Unfounded));
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
            let (event, _) = learned(a_matter(), conclude(1, finding));
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
            .when(conclude(1, Finding::Unfounded))
            .then_not_yet();
        nothing().when(reopen(1)).then_not_yet();
        a_matter().when(reopen(1)).then_not_yet();
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
        let (_, matter) = learned(a_matter(), conclude(1, Finding::Unfounded));
        let (event, matter) = learned(matter, reopen(1));
        let rulings: Vec<_> = told(&event)
            .into_iter()
            .map(|(_, ruling)| (ruling.ordinal, ruling.clearance.conclusion, ruling.holding))
            .collect();
        assert_eq!(rulings, [(2, 1, Holding::HoldsNoMore); 2]);

        let (event, matter) = learned(matter, conclude(2, Finding::Substantiated));
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
            .when(reopen(1))
            .then_already()
            .when(conclude(2, Finding::Substantiated))
            .then_already();
    }

    #[test]
    fn a_reopening_is_learned_once() {
        let (_, matter) = learned(a_matter(), conclude(1, Finding::Unfounded));
        let (_, matter) = learned(matter, reopen(1));
        matter.when(reopen(1)).then_already();
        a_matter().when(reopen(0)).then_already();
    }

    fn applied(ordinal: u32) -> Command {
        Command::LearnApplicant {
            subject: subject().id,
            ordinal,
            recusal: a_raising().report.recusal,
        }
    }

    /// What an event tells whoever applied.
    fn told_to_applicants(event: &Event) -> Vec<NotCleared> {
        let told = followed::<Matter>(id::<MatterId>(0x10), event).into_iter();
        let told = told.filter_map(|follows| match follows.command::<Clarification>() {
            Some(clarification::Command::LearnNotCleared(told)) => Some(*told),
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn whoever_applied_is_told_with_every_ruling_why_it_does_not_clear_them() {
        let (event, matter) = learned(a_matter(), applied(0));
        assert_eq!(followed::<Matter>(id::<MatterId>(0x10), &event), []);
        let (event, matter) = learned(matter, conclude(1, Finding::Unsubstantiated));
        let news = told_to_applicants(&event);
        let unsubstantiated = Reason::Unsubstantiated { allegation: id(1) };
        assert_eq!(news.len(), 1);
        assert_eq!(
            (news[0].ordinal, &news[0].reasons[..]),
            (1, &[unsubstantiated][..])
        );
        let (event, matter) = learned(matter, reopen(1));
        assert_eq!(told_to_applicants(&event)[0].reasons, [Reason::Reopened]);
        let (event, _) = learned(matter, conclude(2, Finding::Unfounded));
        assert_eq!(told_to_applicants(&event), [], "it clears them");
        assert!(
            told(&event)
                .iter()
                .any(|(to, _)| *to == clarification().uuid())
        );
    }

    #[test]
    fn a_ruling_that_came_between_is_told_to_whoever_applied() {
        let (_, matter) = learned(a_matter(), conclude(1, Finding::Substantiated));
        let (event, matter) = learned(matter, applied(0));
        let told = told_to_applicants(&event);
        assert_eq!(told[0].ordinal, 1);
        assert_eq!(
            told[0].reasons,
            [Reason::Substantiated { allegation: id(1) }]
        );
        matter.when(applied(0)).then_already();
        let (_, matter) = learned(a_matter(), conclude(1, Finding::Unfounded));
        let (event, _) = learned(matter, applied(0));
        assert_eq!(
            told_to_applicants(&event),
            [],
            "the ruling itself is on its way"
        );
    }

    #[test]
    fn whoever_is_recused_while_somebody_applied_is_kept_out_of_it_too() {
        let (_, matter) = learned(a_matter(), Command::LearnReport(second_report()));
        let (event, matter) = learned(matter, applied(0));
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].method, "RecuseFromClarification");
        assert_eq!(told[0].aggregate, clarification().uuid());
        let recuse = Command::RecuseFromMatter {
            actor: actor_id("otto"),
            told_by: id(0x99),
        };
        let (event, _) = learned(matter, recuse);
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].aggregate, clarification().uuid());
    }

    #[test]
    fn all_that_keeps_a_subject_from_being_a_candidate_is_told_at_once() {
        let reasons = |matter: &Given<Matter>, of: SubjectId| {
            let known = matter.state().known().expect("it is known");
            known.position(of).reasons
        };
        let official = subject().id;
        assert_eq!(reasons(&a_matter(), official), [Reason::NotConcluded]);
        let mut findings = conclusion(1, Finding::Unsubstantiated);
        findings.subjects[0].harm = None;
        let (_, matter) = learned(a_matter(), Command::LearnConclusion(findings));
        assert_eq!(
            reasons(&matter, official),
            [
                Reason::Unsubstantiated { allegation: id(1) },
                Reason::HarmNotRecorded
            ]
        );
        assert_eq!(reasons(&matter, id(ORGANISATION)), [], "it is cleared");
        let identified = Command::LearnIdentity {
            placeholder: id(PLACEHOLDER),
            subject: Subject {
                id: id(0x33),
                ..subject()
            },
            recusal: Recusal::default(),
        };
        let (_, matter) = learned(matter, identified);
        assert_eq!(reasons(&matter, id(0x33)), [Reason::NotIdentified]);
        assert_eq!(reasons(&matter, id(0x34)), [Reason::NotInConclusion]);
        let (_, matter) = learned(matter, reopen(1));
        assert_eq!(reasons(&matter, official), [Reason::Reopened]);
    }

    fn warning(subject: SubjectId) -> SanctionRecord {
        SanctionRecord {
            id: id(0x80),
            subject,
            matter: id(0x10),
            kind: "warning".to_owned(),
            decided_by: unit(),
            decided_on: date(2026, 3, 2),
        }
    }

    #[test]
    fn a_sanction_goes_to_the_integrity_file_with_what_decides_who_reads_it() {
        let sanction = |of| Command::LearnSanction(warning(of));
        let (event, matter) = learned(a_matter(), sanction(subject().id));
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].aggregate, file_of(subject().id));
        let integrity::Command::Enter { entry, whose, .. } =
            told[0].command::<IntegrityFile>().expect("the file");
        assert_eq!(entry.detail, "warning");
        assert_eq!(whose.expect("it is known").subject, subject());
        matter.when(sanction(subject().id)).then_already();
        a_matter().when(sanction(id(0x99))).then_not_yet();
    }
}

//! Those who applied before any conclusion had cleared them: how they stand, told with all reasons at once, and again with
//! every ruling as long as none clears them.

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use office::{MatterId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::{Event, Known, State};
use crate::clarification::candidacy::eligibility;
use crate::clarification::{self, Clarification};
use crate::conclusion::{Holding, NotCleared, Reason, Subject, clarification_of, clearing};

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

/// What is told to those who applied and whom no conclusion ever cleared, after this.
pub(super) fn told_after(known: &Known, happens: impl FnOnce(&mut Known)) -> Vec<NotCleared> {
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

/// Tells those who applied and whom no conclusion ever cleared.
pub(super) fn tell(matter: MatterId, told: &[NotCleared], effects: &mut Effects) {
    for told in told {
        tell_one(matter, told, effects);
    }
}

fn tell_one(matter: MatterId, told: &NotCleared, effects: &mut Effects) {
    effects.then::<Clarification>(
        clarification_of(matter, told.subject),
        "LearnNotCleared",
        &clarification::Command::LearnNotCleared(Box::new(told.clone())),
    );
}

/// Learns who applied, once; from then on they are told of every ruling. What came between is told now.
pub(super) fn learn(
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
        tell_one(matter, told, effects);
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed};
    use office::Finding;

    use super::super::fixture::*;
    use super::super::{Command, Matter};
    use super::*;
    use crate::clarification::fixture::{actor_id, clarification, id, subject};

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
        let (event, matter) = learned(matter, concluding(1, Finding::Unsubstantiated));
        let news = told_to_applicants(&event);
        let unsubstantiated = Reason::Unsubstantiated { allegation: id(1) };
        assert_eq!(news.len(), 1);
        assert_eq!(
            (news[0].ordinal, &news[0].reasons[..]),
            (1, &[unsubstantiated][..])
        );
        let (event, matter) = learned(matter, reopening(1));
        assert_eq!(told_to_applicants(&event)[0].reasons, [Reason::Reopened]);
        let (event, _) = learned(matter, concluding(2, Finding::Unfounded));
        assert_eq!(told_to_applicants(&event), [], "it clears them");
        let mut told = followed::<Matter>(id::<MatterId>(0x10), &event).into_iter();
        let ruling = told.find(|follows| follows.aggregate == clarification().uuid());
        assert_eq!(ruling.expect("it is told").method, "FollowRuling");
    }

    #[test]
    fn a_ruling_that_came_between_is_told_to_whoever_applied() {
        let (_, matter) = learned(a_matter(), concluding(1, Finding::Substantiated));
        let (event, matter) = learned(matter, applied(0));
        let told = told_to_applicants(&event);
        assert_eq!(told[0].ordinal, 1);
        assert_eq!(
            told[0].reasons,
            [Reason::Substantiated { allegation: id(1) }]
        );
        matter.when(applied(0)).then_already();
        let (_, matter) = learned(a_matter(), concluding(1, Finding::Unfounded));
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
        let (_, matter) = learned(matter, reopening(1));
        assert_eq!(reasons(&matter, official), [Reason::Reopened]);
    }
}

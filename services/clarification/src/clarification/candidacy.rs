//! Who is a candidate, and whether the harm that was recorded makes a clarification of it (`domain.md`, Clarification,
//! Candidate and Eligible).
//!
//! A candidate is opened by itself by the first ruling that arrives about a subject whom a conclusion cleared, whether
//! they applied for it before ([`super::applying`]) or not.

use chassis::recusal::Recusal;
use office::{Department, MatterId, UnitCode};
use serde::{Deserialize, Serialize};

use super::applying::Applications;
use super::screening::Screening;
use super::{Context, Dossier, Preparation, Progress, Stage};
use crate::conclusion::{Clearance, Exclusion, Harm, Reason, Ruling, Subject, SubjectHarm};

/// All that keeps the recorded harm from making a clarification, told at once; nothing where it does.
pub fn eligibility(harm: Option<&SubjectHarm>) -> Vec<Reason> {
    let Some(harm) = harm else {
        return vec![Reason::HarmNotRecorded];
    };
    let harmed = harm.harms.iter().any(|harm| *harm != Harm::None);
    let mut reasons = Vec::new();
    if !harmed {
        reasons.push(Reason::NothingHarmed);
    }
    if harm.exclusions.contains(&Exclusion::WrittenExplanation) {
        reasons.push(Reason::WrittenExplanation);
    }
    if harm.exclusions.contains(&Exclusion::MerelyTalkedTo) {
        reasons.push(Reason::MerelyTalkedTo);
    }
    reasons
}

/// What a clarification begins with, and begins again with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidacy {
    /// The ruling's ordinal.
    pub ordinal: u32,
    /// The matter.
    pub matter: MatterId,
    /// Where the matter was entered from.
    pub source: String,
    /// The subject, as intake knows it.
    pub subject: Subject,
    /// The units whose personnel department keeps the subject's record.
    pub kept_by: Vec<UnitCode>,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The conclusion that cleared the subject.
    pub clearance: Clearance,
    /// The conditions that are not met; none where it goes on to screening.
    pub reasons: Vec<Reason>,
    /// The departments whose opinions the policy asks for.
    pub departments: Vec<Department>,
}

/// See [`Event::Opened`](super::Event::Opened).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Opened(pub Candidacy);

impl Candidacy {
    /// What follows from a ruling.
    pub(super) fn of(ruling: &Ruling, context: &Context) -> Self {
        Self {
            ordinal: ruling.ordinal,
            matter: ruling.matter,
            source: ruling.source.clone(),
            subject: ruling.subject.clone(),
            kept_by: ruling.subject.kept_by(&context.profile.units),
            recusal: ruling.recusal.clone(),
            clearance: ruling.clearance.clone(),
            reasons: eligibility(ruling.clearance.harm.as_ref()),
            departments: context.profile.clarification.screening_departments.clone(),
        }
    }

    /// Where it begins: not eligible from the start, or with an empty screening.
    pub(super) fn stage(&self) -> Stage {
        if !self.reasons.is_empty() {
            return Stage::NotEligible {
                reasons: self.reasons.clone(),
            };
        }
        Stage::Preparing(Preparation {
            screening: Screening::of(&self.departments),
            wish: None,
            progress: Progress::Undecided,
        })
    }
}

/// The clarification as it begins.
pub(super) fn opened(opened: &Opened) -> Dossier {
    let Opened(candidacy) = opened;
    Dossier {
        matter: candidacy.matter,
        source: candidacy.source.clone(),
        subject: candidacy.subject.clone(),
        kept_by: candidacy.kept_by.clone(),
        recusal: candidacy.recusal.clone(),
        heard: candidacy.ordinal,
        round: 1,
        clearance: candidacy.clearance.clone(),
        took_part: [].into(),
        earlier_wish: None,
        applications: Applications::default(),
        stage: candidacy.stage(),
        entries: Vec::new(),
        meetings: [].into(),
        called: [].into(),
        answered: [].into(),
        removals: [].into(),
        removal_asked: [].into(),
        handed_over: [].into(),
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::given;
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::super::fixture::*;
    use super::super::{Clarification, Command, NOT_ELIGIBLE, Standing};
    use super::*;
    use crate::conclusion::{Degree, Reach};

    fn harmed(harms: &[Harm], exclusions: &[Exclusion]) -> SubjectHarm {
        SubjectHarm {
            harms: harms.iter().copied().collect(),
            degree: Some(Degree::Slight),
            reach: Some(Reach::Few),
            exclusions: exclusions.iter().copied().collect(),
        }
    }

    #[test]
    fn a_clarification_needs_a_recorded_harm() {
        assert_eq!(eligibility(None), [Reason::HarmNotRecorded]);
        for nothing in [harmed(&[], &[]), harmed(&[Harm::None], &[])] {
            assert_eq!(eligibility(Some(&nothing)), [Reason::NothingHarmed]);
        }
        for harm in [
            Harm::AdvancementAffected,
            Harm::RightsHarmed,
            Harm::ReportedAgain,
            Harm::SpreadInPublic,
        ] {
            assert!(eligibility(Some(&harmed(&[harm], &[]))).is_empty());
        }
    }

    #[test]
    fn everything_that_rules_the_harm_out_is_told_at_once() {
        let all = harmed(
            &[Harm::None],
            &[Exclusion::MerelyTalkedTo, Exclusion::WrittenExplanation],
        );
        assert_eq!(
            eligibility(Some(&all)),
            [
                Reason::NothingHarmed,
                Reason::WrittenExplanation,
                Reason::MerelyTalkedTo
            ]
        );
    }

    proptest! {
        #[test]
        fn a_harm_is_eligible_only_where_something_is_harmed_and_nothing_excludes_it(
            harms in subsequence(vec![Harm::None, Harm::RightsHarmed, Harm::SpreadInPublic], 0..=3),
            exclusions in subsequence(vec![Exclusion::WrittenExplanation, Exclusion::MerelyTalkedTo], 0..=2),
        ) {
            let eligible = harms.iter().any(|harm| *harm != Harm::None) && exclusions.is_empty();
            prop_assert_eq!(eligibility(Some(&harmed(&harms, &exclusions))).is_empty(), eligible);
        }
    }

    #[test]
    fn a_cleared_subject_is_a_candidate_by_itself() {
        let after = given::<Clarification>()
            .actor(service())
            .when(Command::FollowRuling(Box::new(cleared(1))))
            .then([an_opening()]);
        assert_eq!(after.state().standing(), Some(Standing::Screening));
    }

    #[test]
    fn without_harm_a_candidate_is_not_eligible_from_the_start() {
        let mut ruling = cleared(1);
        ruling.clearance.harm = None;
        let after = given::<Clarification>()
            .actor(service())
            .when(Command::FollowRuling(Box::new(ruling)))
            .accepted()
            .1;
        assert_eq!(after.state().standing(), Some(Standing::NotEligible));
        for command in [agrees(), wants(&[]), Command::ApproveClarification] {
            after
                .clone()
                .actor(screener("anna", "petitions"))
                .when(command)
                .then_refused(&NOT_ELIGIBLE);
        }
    }

    #[test]
    fn one_matter_and_subject_have_one_clarification() {
        a_candidate()
            .actor(service())
            .when(Command::FollowRuling(Box::new(cleared(1))))
            .then_already();
    }
}

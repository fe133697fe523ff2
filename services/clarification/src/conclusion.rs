//! What a conclusion says about one subject, and whether it clears them: the words that matters, clarifications and
//! integrity files share.
//!
//! Source: `domain.md`, Clarification, Candidate; Verification, Findings and Harm.

use std::collections::BTreeSet;

use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{AllegationId, ClarificationId, Finding, MatterId, SubjectId, UnitCode, Units};
use serde::{Deserialize, Serialize};

/// The code of closing an allegation because it is another one once more.
pub const DUPLICATE: &str = "duplicate";
/// The code of closing an allegation because it was entered in error.
pub const VOID: &str = "void";

/// What an identified subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person.
    Person,
    /// An organisation.
    Organisation,
}

/// What is known of an identified subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its id.
    pub id: SubjectId,
    /// What it is.
    pub kind: SubjectKind,
    /// The unit that it belongs to.
    pub unit: UnitCode,
    /// The unit with authority over it.
    pub authority: UnitCode,
    /// The unit that it heads, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<UnitCode>,
}

impl Subject {
    /// The units whose personnel department keeps this subject's record: its own and the one with authority over it,
    /// but for those that it heads or that stand below those.
    pub fn kept_by(&self, units: &Units) -> Vec<UnitCode> {
        let headed = |unit: &UnitCode| {
            let heads = self.heads.as_ref();
            heads.is_some_and(|heads| units.is_at_or_above(heads, unit))
        };
        let mut keepers = vec![self.authority.clone(), self.unit.clone()];
        keepers.dedup();
        keepers.retain(|unit| !headed(unit));
        keepers
    }
}

/// One finding of a conclusion on a subject: a line of the statement that clears them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// On which allegation.
    pub allegation: AllegationId,
    /// The allegation's category; a code.
    pub category: String,
    /// On which day it is said to have been, which tells apart what is alleged twice; `None` where that is not known, or
    /// was stored before it was kept. An event that holds lines has no new version for it: a line without a day is
    /// written as it always was, and the day comes from events that do ([`crate::matter::learning::Allegation`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_on: Option<Date>,
    /// What was found.
    pub finding: Finding,
}

/// How an untrue allegation harmed its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It was looked into, and there is none.
    None,
    /// A selection, election, transfer or award was affected.
    AdvancementAffected,
    /// Rights, work or life were harmed.
    RightsHarmed,
    /// It was reported again after a clear conclusion.
    ReportedAgain,
    /// It was spread in public.
    SpreadInPublic,
}

/// How deep the harm goes (影響程度).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degree {
    /// Slight.
    Slight,
    /// Serious.
    Serious,
    /// Grave.
    Grave,
}

/// How far the harm reaches (影響範圍).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// A few who know of it.
    Few,
    /// The subject's own unit.
    Unit,
    /// Beyond it, the public.
    Public,
}

/// What rules a clarification out although something was harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The matter was closed only by an accepted written explanation.
    WrittenExplanation,
    /// The harm comes merely from having been talked to.
    MerelyTalkedTo,
}

/// The harm to one subject, as the conclusion records it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectHarm {
    /// What was harmed.
    pub harms: BTreeSet<Harm>,
    /// How deep it goes; not given where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degree: Option<Degree>,
    /// How far it reaches; not given where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// What rules a clarification out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exclusions: BTreeSet<Exclusion>,
}

/// Of a conclusion that clears a subject, all that a clarification rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clearance {
    /// The conclusion's number.
    pub conclusion: i32,
    /// The unit that concluded: who verifies, clarifies (誰核實、誰澄清).
    pub unit: UnitCode,
    /// Every finding on this subject in this matter, and no other (一事一澄清).
    pub findings: Vec<Line>,
    /// How the untrue allegations harmed the subject; `None` where nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<SubjectHarm>,
    /// The day of the conclusion; `None` where verification did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_on: Option<Date>,
}

/// Whether the last conclusion that cleared a subject still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// It does.
    Holds,
    /// The case was reopened since, or concluded otherwise.
    HoldsNoMore,
}

/// How one subject stands in its matter now, as the matter tells the subject's clarification.
///
/// It holds all that is needed to open the clarification, because what the matter told before may come later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// Which change of the matter's standing this is, from 1. Rulings are carried out in any order; a clarification
    /// passes over what is older than what it has heard.
    pub ordinal: u32,
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from: a register's name, or empty.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The last conclusion that cleared the subject.
    pub clearance: Clearance,
    /// Whether it still does.
    pub holding: Holding,
}

/// What a matter tells whoever applied and whom no conclusion ever cleared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotCleared {
    /// The ordinal of the matter's newest ruling.
    pub ordinal: u32,
    /// The subject.
    pub subject: SubjectId,
    /// The unit that handles the matter, or concluded it.
    pub unit: UnitCode,
    /// All that keeps the subject from being a candidate.
    pub reasons: Vec<Reason>,
}

/// A condition that is not met: what keeps a subject from being a candidate, or a candidate from being eligible.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The case is not concluded.
    NotConcluded,
    /// It was concluded and reopened since.
    Reopened,
    /// The conclusion says nothing about the subject.
    NotInConclusion,
    /// The conclusion did not know who the subject is.
    NotIdentified,
    /// The conclusion does not clear the subject; it was stored before what it found was kept.
    NotCleared,
    /// Something is true.
    Substantiated {
        /// Which allegation.
        allegation: AllegationId,
    },
    /// Something can be neither proven nor excluded.
    Unsubstantiated {
        /// Which allegation.
        allegation: AllegationId,
    },
    /// Something was closed without a finding, which leaves the question open.
    Closed {
        /// Which allegation.
        allegation: AllegationId,
        /// Why it was closed; a code.
        reason: String,
    },
    /// Nothing was found in the subject's favour.
    NothingInFavour,
    /// The conclusion records no harm.
    HarmNotRecorded,
    /// It was looked into, and nothing is harmed yet.
    NothingHarmed,
    /// The matter was closed only by an accepted written explanation.
    WrittenExplanation,
    /// The harm comes merely from having been talked to.
    MerelyTalkedTo,
    /// A department objects.
    Objection,
}

impl Reason {
    /// Its code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConcluded => "not_concluded",
            Self::Reopened => "reopened",
            Self::NotInConclusion => "not_in_conclusion",
            Self::NotIdentified => "not_identified",
            Self::NotCleared => "not_cleared",
            Self::Substantiated { .. } => "substantiated",
            Self::Unsubstantiated { .. } => "unsubstantiated",
            Self::Closed { .. } => "closed",
            Self::NothingInFavour => "nothing_in_favour",
            Self::HarmNotRecorded => "harm_not_recorded",
            Self::NothingHarmed => "nothing_harmed",
            Self::WrittenExplanation => "written_explanation",
            Self::MerelyTalkedTo => "merely_talked_to",
            Self::Objection => "objection",
        }
    }

    /// The allegation that it is about, if it is about one.
    pub const fn allegation(&self) -> Option<AllegationId> {
        match self {
            Self::Substantiated { allegation }
            | Self::Unsubstantiated { allegation }
            | Self::Closed { allegation, .. } => Some(*allegation),
            _ => None,
        }
    }
}

/// The id of a subject's clarification in a matter: never two.
pub fn clarification_of(matter: MatterId, subject: SubjectId) -> ClarificationId {
    ClarificationId::natural(&[matter.as_bytes(), subject.as_bytes()])
}

/// All that keeps findings on a subject from clearing them, told at once; nothing where they do: at least one is
/// unfounded or exonerated, and every other one of these two or closed as duplicate or void. Unsubstantiated never does;
/// any other closing leaves the question open.
pub fn clearing(findings: &[Line]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut in_favour = false;
    for line in findings {
        let allegation = line.allegation;
        match &line.finding {
            Finding::Unfounded | Finding::Exonerated => in_favour = true,
            Finding::Closed(reason) if reason == DUPLICATE || reason == VOID => {}
            Finding::Substantiated => reasons.push(Reason::Substantiated { allegation }),
            Finding::Unsubstantiated => reasons.push(Reason::Unsubstantiated { allegation }),
            Finding::Closed(reason) => reasons.push(Reason::Closed {
                allegation,
                reason: reason.clone(),
            }),
        }
    }
    if !in_favour {
        reasons.push(Reason::NothingInFavour);
    }
    reasons
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::clarification::fixture::id;

    fn closed(reason: &str) -> Finding {
        Finding::Closed(reason.to_owned())
    }

    fn lines(findings: &[Finding]) -> Vec<Line> {
        let lines = (1..).zip(findings).map(|(number, finding)| Line {
            allegation: id(number),
            category: "bribery".to_owned(),
            occurred_on: None,
            finding: finding.clone(),
        });
        lines.collect()
    }

    fn clears(findings: &[Finding]) -> bool {
        clearing(&lines(findings)).is_empty()
    }

    #[test]
    fn all_that_keeps_a_conclusion_from_clearing_is_told_at_once() {
        let findings = [
            Finding::Substantiated,
            closed(DUPLICATE),
            Finding::Unsubstantiated,
            closed("withdrawn"),
        ];
        assert_eq!(
            clearing(&lines(&findings)),
            [
                Reason::Substantiated { allegation: id(1) },
                Reason::Unsubstantiated { allegation: id(3) },
                Reason::Closed {
                    allegation: id(4),
                    reason: "withdrawn".to_owned()
                },
                Reason::NothingInFavour,
            ]
        );
    }

    #[test]
    fn a_conclusion_clears_by_unfounded_or_exonerated() {
        assert!(clears(&[Finding::Unfounded]));
        assert!(clears(&[Finding::Exonerated, Finding::Unfounded]));
        assert!(clears(&[
            Finding::Unfounded,
            closed(DUPLICATE),
            closed(VOID)
        ]));
    }

    #[test]
    fn a_duplicate_or_void_alone_clears_nobody() {
        assert!(!clears(&[]));
        assert!(!clears(&[closed(DUPLICATE), closed(VOID)]));
    }

    #[test]
    fn unsubstantiated_never_clears() {
        assert!(!clears(&[Finding::Unsubstantiated]));
        assert!(!clears(&[Finding::Unfounded, Finding::Unsubstantiated]));
    }

    #[test]
    fn any_other_closing_leaves_the_question_open() {
        for reason in [
            "withdrawn",
            "no_cooperation",
            "limitation_expired",
            "transferred",
            "other",
            "a_reason_of_tomorrow",
        ] {
            assert!(!clears(&[Finding::Unfounded, closed(reason)]), "{reason}");
        }
    }

    fn any_finding() -> impl Strategy<Value = Finding> {
        select(vec![
            Finding::Substantiated,
            Finding::Unsubstantiated,
            Finding::Unfounded,
            Finding::Exonerated,
            closed(DUPLICATE),
            closed(VOID),
            closed("withdrawn"),
            closed("other"),
        ])
    }

    proptest! {
        /// The rule, told a second way.
        #[test]
        fn the_rule_of_clearing_holds_whatever_was_found(
            findings in prop::collection::vec(any_finding(), 0..6)
        ) {
            let in_favour = |finding: &Finding| {
                matches!(finding, Finding::Unfounded | Finding::Exonerated)
            };
            let harmless = |finding: &Finding| {
                in_favour(finding) || *finding == closed(DUPLICATE) || *finding == closed(VOID)
            };
            let expected = findings.iter().any(in_favour) && findings.iter().all(harmless);
            prop_assert_eq!(clears(&findings), expected);
        }
    }

    #[test]
    fn no_unit_that_the_subject_heads_keeps_their_record() {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        let unit = |code: &str| -> UnitCode { code.parse().expect("a unit code") };
        let subject = |own: &str, heads: Option<&str>| Subject {
            id: SubjectId::natural(&[b"subject"]),
            kind: SubjectKind::Person,
            unit: unit(own),
            authority: unit("P51"),
            heads: heads.map(unit),
        };
        let keepers = |subject: Subject| subject.kept_by(policies.units());
        assert_eq!(
            keepers(subject("P51-01", None)),
            [unit("P51"), unit("P51-01")]
        );
        assert_eq!(keepers(subject("P51-01", Some("P51-01"))), [unit("P51")]);
        assert_eq!(keepers(subject("P51-01-01", Some("P51-01"))), [unit("P51")]);
        assert_eq!(keepers(subject("P51", None)), [unit("P51")]);
    }
}

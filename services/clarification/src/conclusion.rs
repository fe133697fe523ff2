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

/// The id of a subject's clarification in a matter: never two.
pub fn clarification_of(matter: MatterId, subject: SubjectId) -> ClarificationId {
    ClarificationId::natural(&[matter.as_bytes(), subject.as_bytes()])
}

/// Whether findings on a subject clear them: at least one of unfounded or exonerated, and every other one of these two
/// or closed as duplicate or void. Unsubstantiated never does; any other closing leaves the question open.
pub fn clears<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> bool {
    let mut cleared = false;
    for finding in findings {
        match finding {
            Finding::Unfounded | Finding::Exonerated => cleared = true,
            Finding::Closed(reason) if reason == DUPLICATE || reason == VOID => {}
            Finding::Substantiated | Finding::Unsubstantiated | Finding::Closed(_) => return false,
        }
    }
    cleared
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn closed(reason: &str) -> Finding {
        Finding::Closed(reason.to_owned())
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

//! How the untrue allegations of a matter harmed its subjects (影響程度和範圍): proposed, returned and approved with the
//! findings, and told with the conclusion, as a name can only be cleared where something was harmed.
//! Source: `domain.md`, Verification, Harm.
//!
//! Nothing recorded on a subject is another thing than [`Harm::None`]: there nobody looked.

use std::collections::{BTreeMap, BTreeSet};

use chassis::refusal::Violation;
use office::SubjectId;
use serde::{Deserialize, Serialize};

use super::Dossier;

/// What is recorded on one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It was looked into, and there is none.
    None,
    /// There is some.
    Done {
        /// What it did, at least one.
        effects: BTreeSet<HarmEffect>,
        /// How deep it goes.
        degree: HarmDegree,
        /// How far it reaches.
        reach: HarmReach,
        /// What rules a clarification out all the same.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        exclusions: BTreeSet<HarmExclusion>,
    },
}

/// What an untrue allegation did to its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarmEffect {
    /// A selection, election, transfer or award was affected.
    AdvancementAffected,
    /// Rights, work or life were harmed.
    RightsHarmed,
    /// It was reported again after a clear conclusion.
    ReportedAgain,
    /// It was spread in public.
    SpreadInPublic,
}

/// How deep a harm goes (影響程度).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarmDegree {
    /// Slight.
    #[default]
    Slight,
    /// Serious.
    Serious,
    /// Grave.
    Grave,
}

/// How far a harm reaches (影響範圍).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarmReach {
    /// A few who know of it.
    #[default]
    Few,
    /// The subject's own unit.
    Unit,
    /// Beyond it, the public.
    Public,
}

/// What rules a clarification out although something was harmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarmExclusion {
    /// The matter was closed only by an accepted written explanation.
    WrittenExplanation,
    /// The harm comes merely from having been talked to.
    MerelyTalkedTo,
}

/// The harm of one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectHarm {
    /// The subject.
    pub subject: SubjectId,
    /// What is recorded on it.
    pub harm: Harm,
}

/// Harms by subject.
pub type Harms = BTreeMap<SubjectId, Harm>;

/// Harms by subject; of two on one subject, which are refused, the last.
pub(super) fn by_subject(harms: &[SubjectHarm]) -> Harms {
    harms
        .iter()
        .map(|told| (told.subject, told.harm.clone()))
        .collect()
}

/// Every harm that is not of a subject of the case, or not its only one.
pub(super) fn astray<'a>(
    dossier: &'a Dossier,
    harms: &'a [SubjectHarm],
) -> impl Iterator<Item = Violation> + 'a {
    let subjects = dossier.allegations.iter().map(|one| one.subject);
    let subjects: BTreeSet<SubjectId> = subjects.collect();
    let mut seen = BTreeSet::new();
    let places = harms.iter().enumerate();
    places.filter_map(move |(index, told)| {
        let description = if !subjects.contains(&told.subject) {
            "is no subject of this case"
        } else if !seen.insert(told.subject) {
            "has its harm already; tell it of each subject once"
        } else {
            return None;
        };
        Some(Violation {
            field: format!("harms[{index}].subject_id"),
            description: description.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Command, Event, FINDINGS_INCOMPLETE, NewFacts};
    use super::*;

    fn propose(harms: Vec<SubjectHarm>) -> Command {
        Command::ProposeFindings {
            findings: findings(),
            harms,
        }
    }

    fn none_on(subject: u128) -> SubjectHarm {
        SubjectHarm {
            subject: id(subject),
            harm: Harm::None,
        }
    }

    #[test]
    fn harm_is_told_of_subjects_of_the_case_and_of_each_once() {
        let refusal = an_investigated_case()
            .actor(investigator("chen"))
            .when(propose(vec![
                none_on(OFFICIAL),
                none_on(0x99),
                harm_on(OFFICIAL),
                none_on(PLACEHOLDER),
            ]))
            .then_refused(&FINDINGS_INCOMPLETE);
        let fields: Vec<_> = refusal.violations.iter().map(|one| &*one.field).collect();
        assert_eq!(fields, ["harms[1].subject_id", "harms[2].subject_id"]);
    }

    #[test]
    fn harm_differs_from_the_proposal_only_by_returning_it() {
        let proposed = a_proposed_case().actor(investigator("chen"));
        proposed.clone().when(propose(harms())).then_already();
        for other in [Vec::new(), vec![none_on(OFFICIAL)]] {
            proposed
                .clone()
                .when(propose(other))
                .then_refused(&super::super::FINDINGS_PROPOSED);
        }
    }

    #[test]
    fn harm_is_approved_with_the_findings() {
        let after = a_proposed_case()
            .when(Command::ApproveFindings)
            .then([concluded(1)]);
        assert_eq!(after.state().harms(), Some(&by_subject(&harms())));
    }

    #[test]
    fn harm_goes_back_with_the_findings_and_falls_with_the_conclusion() {
        let returned = a_proposed_case()
            .when(Command::ReturnFindings { reason: id(TEXT) })
            .accepted()
            .1;
        assert_eq!(returned.state().harms(), None);
        let reopened = a_concluded_case().events([reopened("appeal")]);
        assert_eq!(reopened.state().harms(), None);
        let joined = a_concluded_case()
            .actor(service())
            .when(Command::AddAllegations(second_report(NewFacts::None)))
            .accepted()
            .1;
        assert_eq!(joined.state().harms(), Some(&by_subject(&harms())));
    }

    #[test]
    fn the_harm_of_somebody_identified_later_follows_only_by_a_new_proposal() {
        let mut told = harms();
        told.push(harm_on(PLACEHOLDER));
        let proposed = an_investigated_case()
            .actor(investigator("chen"))
            .when(propose(told.clone()))
            .accepted()
            .1;
        let identified = proposed
            .actor(service())
            .when(Command::IdentifyInCase {
                placeholder: id(PLACEHOLDER),
                subject: official(0x32, "found"),
            })
            .accepted()
            .1
            .actor(investigator("chen"));
        assert_eq!(identified.state().harms(), None);
        identified
            .clone()
            .when(propose(told.clone()))
            .then_refused(&FINDINGS_INCOMPLETE);
        told[1].subject = id(0x32);
        let (events, _) = identified.when(propose(told.clone())).accepted();
        let [Event::FindingsProposed(proposed)] = &events[..] else {
            panic!("findings are proposed, not {events:?}");
        };
        assert_eq!(proposed.harms, told);
    }
}

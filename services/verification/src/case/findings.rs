//! The findings of a case, one per allegation × subject: proposed by an investigator, returned or approved by a
//! supervisor who took no part. An allegation is about one subject, so one finding per allegation is exactly that. What
//! harm was done to the subjects goes with them ([`harm`]).

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Decision, Rejection, TextRef};
use chassis::refusal::Violation;
use office::{AllegationId, EvidenceId, TextId};
use serde::{Deserialize, Serialize};

use super::events::{
    Concluded, ConcludedFinding, ConcludedSubject, Event, FindingsProposed, FindingsReturned,
};
use super::harm::{self, Harms, SubjectHarm};
use super::{
    Context, Dossier, FINDINGS_INCOMPLETE, FINDINGS_PROPOSED, FOUR_EYES, NOT_INVESTIGATOR,
    NOTHING_PROPOSED, Open, PROPOSER_RECUSED, Progress, State, TEAM_TOO_SMALL, Team,
};

/// The outcome of one allegation on one subject (核查結論).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened and was wrong.
    Substantiated,
    /// It can be neither proven nor excluded.
    #[default]
    Unsubstantiated,
    /// It did not happen.
    Unfounded,
    /// It happened and was proper.
    Exonerated,
    /// The question stays open, for a reason.
    Closed(ClosingReason),
}

/// Why an allegation is closed without a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingReason {
    /// The reporter withdrew it.
    Withdrawn,
    /// The reporter does not cooperate.
    NoCooperation,
    /// It is too long ago.
    LimitationExpired,
    /// It is another allegation once more.
    Duplicate,
    /// Another body has it.
    Transferred,
    /// It was entered in error.
    Void,
    /// Anything else.
    #[default]
    Other,
}

impl ClosingReason {
    /// The reason's code, as the policy profile lists it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::NoCooperation => "no_cooperation",
            Self::LimitationExpired => "limitation_expired",
            Self::Duplicate => "duplicate",
            Self::Transferred => "transferred",
            Self::Void => "void",
            Self::Other => "other",
        }
    }
}

impl Outcome {
    /// The key under which statistics count it.
    pub const fn figure(self) -> &'static str {
        match self {
            Self::Substantiated => "finding_substantiated",
            Self::Unsubstantiated => "finding_unsubstantiated",
            Self::Unfounded => "finding_unfounded",
            Self::Exonerated => "finding_exonerated",
            Self::Closed(ClosingReason::Withdrawn) => "closed_withdrawn",
            Self::Closed(ClosingReason::NoCooperation) => "closed_no_cooperation",
            Self::Closed(ClosingReason::LimitationExpired) => "closed_limitation_expired",
            Self::Closed(ClosingReason::Duplicate) => "closed_duplicate",
            Self::Closed(ClosingReason::Transferred) => "closed_transferred",
            Self::Closed(ClosingReason::Void) => "closed_void",
            Self::Closed(ClosingReason::Other) => "closed_other",
        }
    }
}

/// What was found, and on what it rests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The outcome.
    pub outcome: Outcome,
    /// The agency's own word for it, or empty.
    pub local_word: String,
    /// The evidence that it rests on.
    pub evidence: Vec<EvidenceId>,
}

/// A finding on one allegation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProposedFinding {
    /// On which allegation.
    pub allegation: AllegationId,
    /// What was found.
    pub found: Found,
}

/// Why findings went back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnCause {
    /// A supervisor returned them.
    Supervisor {
        /// Why.
        reason: TextRef,
    },
    /// A report joined.
    ReportJoined,
    /// A subject was identified.
    SubjectIdentified,
    /// The case moved to another unit.
    Moved,
}

/// Proposes a finding for each allegation, with the harm of the subjects: by an assigned investigator of a team that is
/// still large enough.
pub(super) fn propose(
    state: &State,
    findings: &[ProposedFinding],
    harms: &[SubjectHarm],
    context: &Context,
) -> Decision<Event> {
    let open = state.open()?;
    let team = match open.progress {
        Progress::Unassigned => return Err(NOT_INVESTIGATOR.into()),
        Progress::Proposed {
            findings: proposed,
            harms: told,
            ..
        } if *proposed == by_allegation(findings)
            && proposed.len() == findings.len()
            && *told == harm::by_subject(harms)
            && told.len() == harms.len() =>
        {
            return Ok(Vec::new());
        }
        Progress::Proposed { .. } => return Err(FINDINGS_PROPOSED.into()),
        Progress::Investigating { team, .. } => team,
    };
    open.running()?;
    if !team.contains(&context.actor.id) {
        return Err(NOT_INVESTIGATOR.into());
    }
    large_enough(team, &open, context)?;
    let mut violations = incomplete(open.dossier, findings, context);
    violations.extend(harm::astray(open.dossier, harms));
    if !violations.is_empty() {
        return Err(chassis::refusal::Refusal {
            violations,
            ..FINDINGS_INCOMPLETE
        }
        .into());
    }
    Ok(vec![
        FindingsProposed {
            by: context.actor.id.clone(),
            findings: findings.to_vec(),
            harms: harms.to_vec(),
        }
        .into(),
    ])
}

/// Somebody may have been recused after the assignment: by a conflict, by an identified subject, by a joined report.
fn large_enough(team: &Team, open: &Open<'_>, context: &Context) -> Result<(), Rejection> {
    let free = team
        .iter()
        .filter(|actor| !open.dossier.recusal.names(actor, &context.secrets))
        .count();
    if free < context.profile.verification.investigators_min as usize {
        return Err(TEAM_TOO_SMALL.into());
    }
    Ok(())
}

fn by_allegation(findings: &[ProposedFinding]) -> BTreeMap<AllegationId, Found> {
    findings
        .iter()
        .map(|finding| (finding.allegation, finding.found.clone()))
        .collect()
}

/// Everything that keeps findings from being exactly one per allegation, each on evidence, told at once.
fn incomplete(
    dossier: &Dossier,
    findings: &[ProposedFinding],
    context: &Context,
) -> Vec<Violation> {
    let evidence: BTreeSet<EvidenceId> = dossier.evidence.iter().copied().collect();
    let mut missing: BTreeSet<AllegationId> = dossier
        .allegations
        .iter()
        .map(|allegation| allegation.id)
        .collect();
    let known = missing.clone();
    let mut violations = Vec::new();
    let mut note = |field: String, description: String| {
        violations.push(Violation { field, description });
    };
    for (index, finding) in findings.iter().enumerate() {
        if !known.contains(&finding.allegation) {
            note(
                format!("findings[{index}].allegation_id"),
                "is no allegation of this case".to_owned(),
            );
        } else if !missing.remove(&finding.allegation) {
            note(
                format!("findings[{index}].allegation_id"),
                "has a finding already; give each allegation one".to_owned(),
            );
        }
        for (at, id) in finding.found.evidence.iter().enumerate() {
            if !evidence.contains(id) {
                note(
                    format!("findings[{index}].evidence_ids[{at}]"),
                    "is no evidence of this case".to_owned(),
                );
            }
        }
        match finding.found.outcome {
            Outcome::Closed(reason) => {
                let listed = &context.profile.verification.closing_reasons;
                if !listed.iter().any(|code| code == reason.code()) {
                    note(
                        format!("findings[{index}].closing_reason"),
                        "is none of the policy's reasons".to_owned(),
                    );
                }
            }
            _ if finding.found.evidence.is_empty() => note(
                format!("findings[{index}].evidence_ids"),
                "needs at least one item of evidence".to_owned(),
            ),
            _ => {}
        }
    }
    for allegation in missing {
        note(
            "findings".to_owned(),
            format!("has no finding on allegation {allegation}"),
        );
    }
    violations
}

/// Returns what was proposed: the only way in which a finding changes.
pub(super) fn give_back(state: &State, reason: TextId, context: &Context) -> Decision<Event> {
    let open = state.open()?;
    match open.progress {
        Progress::Investigating {
            returned: Some(ReturnCause::Supervisor { reason: given }),
            ..
        } if given.id == reason => return Ok(Vec::new()),
        Progress::Unassigned | Progress::Investigating { .. } => {
            return Err(NOTHING_PROPOSED.into());
        }
        Progress::Proposed { .. } => {}
    }
    open.running()?;
    apart(open.dossier, context)?;
    Ok(vec![
        FindingsReturned {
            cause: ReturnCause::Supervisor {
                reason: context.text(reason),
            },
        }
        .into(),
    ])
}

/// Approves what was proposed: the conclusion. Approving what is concluded already changes nothing.
pub(super) fn approve(state: &State, context: &Context) -> Decision<Event> {
    if let State::Concluded { .. } = state {
        return Ok(Vec::new());
    }
    let open = state.open()?;
    let Progress::Proposed {
        by,
        findings,
        harms,
        ..
    } = open.progress
    else {
        return Err(NOTHING_PROPOSED.into());
    };
    open.running()?;
    apart(open.dossier, context)?;
    if open.dossier.recusal.names(by, &context.secrets) {
        return Err(PROPOSER_RECUSED.into());
    }
    Ok(vec![
        Concluded {
            matter: open.dossier.matter,
            source: open.dossier.source.clone(),
            number: open.dossier.conclusions + 1,
            unit: open.dossier.unit.clone(),
            subjects: by_subject(open.dossier, findings, harms),
            on: Some(context.profile.calendar.date(context.now)),
        }
        .into(),
    ])
}

/// Four eyes: whoever ever took part in the case, also one who was replaced, does not decide on its findings.
fn apart(dossier: &Dossier, context: &Context) -> Result<(), Rejection> {
    if dossier.took_part.contains(&context.actor.id) {
        return Err(FOUR_EYES.into());
    }
    Ok(())
}

/// The findings and the harm by subject, subjects and allegations in the order in which they came.
fn by_subject(
    dossier: &Dossier,
    findings: &BTreeMap<AllegationId, Found>,
    harms: &Harms,
) -> Vec<ConcludedSubject> {
    let mut subjects: Vec<ConcludedSubject> = Vec::new();
    let mut places = BTreeMap::new();
    for allegation in &dossier.allegations {
        let Some(found) = findings.get(&allegation.id) else {
            continue;
        };
        let place = *places.entry(allegation.subject).or_insert_with(|| {
            subjects.push(ConcludedSubject {
                subject: allegation.subject,
                kind: allegation.subject_kind,
                findings: Vec::new(),
                harm: harms.get(&allegation.subject).cloned(),
            });
            subjects.len() - 1
        });
        subjects[place].findings.push(ConcludedFinding {
            allegation: allegation.id,
            found: found.clone(),
        });
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Command, NewFacts, Subject, SubjectKind};
    use super::*;
    use crate::case::events::SubjectIdentified;

    fn propose(findings: Vec<ProposedFinding>) -> Command {
        Command::ProposeFindings {
            findings,
            harms: harms(),
        }
    }

    fn returned() -> Event {
        let cause = ReturnCause::Supervisor { reason: text(TEXT) };
        FindingsReturned { cause }.into()
    }

    fn give_back() -> Command {
        Command::ReturnFindings { reason: id(TEXT) }
    }

    /// It turns out that the unknown subject is this actor.
    fn identified_as(actor: &str) -> Event {
        SubjectIdentified {
            matter: Some(id(0x10)),
            placeholder: id(PLACEHOLDER),
            subject: Subject {
                id: id(0x32),
                kind: SubjectKind::Person,
                actor: Some(actor_id(actor)),
            },
        }
        .into()
    }

    #[test]
    fn an_assigned_investigator_proposes_a_finding_for_each_allegation() {
        an_investigated_case()
            .actor(investigator("chen"))
            .when(propose(findings()))
            .then([proposed()]);
        an_investigated_case()
            .actor(investigator("wu"))
            .when(propose(findings()))
            .then_refused(&NOT_INVESTIGATOR);
        an_opened_case()
            .actor(investigator("chen"))
            .when(propose(findings()))
            .then_refused(&NOT_INVESTIGATOR);
    }

    #[test]
    fn everything_that_is_wrong_with_findings_is_told_at_once() {
        let mut bare = finding(1, Outcome::Substantiated);
        bare.found.evidence.clear();
        let mut astray = finding(1, Outcome::Unfounded);
        astray.found.evidence.push(id(0x99));
        let refusal = an_investigated_case()
            .actor(investigator("chen"))
            .when(propose(vec![bare, astray, finding(9, Outcome::Unfounded)]))
            .then_refused(&FINDINGS_INCOMPLETE);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(
            fields,
            [
                "findings[0].evidence_ids",
                "findings[1].allegation_id",
                "findings[1].evidence_ids[1]",
                "findings[2].allegation_id",
                "findings",
                "findings",
            ]
        );
    }

    #[test]
    fn a_finding_differs_from_the_proposal_only_by_returning_it() {
        let other = vec![
            finding(1, Outcome::Substantiated),
            finding(2, Outcome::Unfounded),
            finding(3, Outcome::Unfounded),
        ];
        a_proposed_case()
            .actor(investigator("chen"))
            .when(propose(findings()))
            .then_already()
            .when(propose(other.clone()))
            .then_refused(&FINDINGS_PROPOSED);
        let returned = a_proposed_case().when(give_back()).then([returned()]);
        let (events, _) = returned
            .actor(investigator("lin"))
            .when(propose(other))
            .accepted();
        assert!(matches!(events[..], [Event::FindingsProposed(_)]));
    }

    #[test]
    fn approved_findings_are_the_conclusion_by_subject() {
        a_proposed_case()
            .when(Command::ApproveFindings)
            .then([concluded(1)]);
    }

    #[test]
    fn a_reopened_case_is_concluded_again_under_the_next_number() {
        a_concluded_case()
            .events([reopened("appeal"), proposed()])
            .when(Command::ApproveFindings)
            .then([concluded(2)]);
    }

    #[test]
    fn nobody_who_ever_investigated_approves_or_returns() {
        for name in ["chen", "lin"] {
            for command in [Command::ApproveFindings, give_back()] {
                a_proposed_case()
                    .actor(supervisor(name))
                    .when(command)
                    .then_refused(&FOUR_EYES);
            }
        }
        // Lin was replaced, and the case even concluded and reopened since.
        a_concluded_case()
            .events([reopened("appeal"), assigned(&["wu", "zhou"]), proposed()])
            .actor(supervisor("lin"))
            .when(Command::ApproveFindings)
            .then_refused(&FOUR_EYES);
    }

    #[test]
    fn nothing_is_approved_or_returned_before_it_is_proposed() {
        for command in [Command::ApproveFindings, give_back()] {
            an_investigated_case()
                .when(command)
                .then_refused(&NOTHING_PROPOSED);
        }
    }

    #[test]
    fn findings_of_a_proposer_who_was_recused_since_are_not_approved() {
        a_proposed_case()
            .events([identified_as("chen")])
            .when(Command::ApproveFindings)
            .then_refused(&PROPOSER_RECUSED);
    }

    #[test]
    fn a_team_that_recusal_made_too_small_proposes_nothing() {
        an_investigated_case()
            .events([identified_as("lin")])
            .actor(investigator("chen"))
            .when(propose(findings()))
            .then_refused(&TEAM_TOO_SMALL);
    }

    #[test]
    fn an_allegation_that_joined_needs_its_finding_too() {
        let joined = an_investigated_case()
            .actor(service())
            .when(Command::AddAllegations(second_report(NewFacts::None)))
            .accepted()
            .1;
        let refusal = joined
            .actor(investigator("chen"))
            .when(propose(findings()))
            .then_refused(&FINDINGS_INCOMPLETE);
        assert_eq!(refusal.violations.len(), 1);
    }
}

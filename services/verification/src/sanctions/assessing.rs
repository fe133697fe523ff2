//! Before a sanction what a conclusion substantiates is assessed ([`super::tolerance`]): proposed, returned, approved by
//! different people. That a sanction waits for it stands in [`super::preceding`].
//!
//! An assessment is of one conclusion; where the case is concluded again, what is substantiated then is assessed anew.

use std::cmp::Ordering;

use chassis::aggregate::{Aggregate, Decision, Rejection};
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind, Violation};
use office::{AllegationId, CaseId, SubjectId, TextId};

use super::tolerance::{
    Assessment, Liability, Progress, Tolerance, ToleranceApproved, ToleranceProposed,
    ToleranceReturned,
};
use super::{Context, Event, State, substantiated};
use crate::case::{self, Case, Dossier, PROPOSER_RECUSED};

/// There is not one assessment for each substantiated finding.
pub const INCOMPLETE: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_TOLERANCE_INCOMPLETE",
    "Every substantiated finding on this person needs exactly one assessment; see the fields.",
);
/// Somebody would be exempt who never is.
pub const NEVER_EXEMPT: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_TOLERANCE_NEVER_EXEMPT",
    "Where private gain or a knowing breach is recorded nobody is exempt.",
);
/// None of the three distinctions speaks for the person.
pub const WITHOUT_GROUND: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_TOLERANCE_WITHOUT_GROUND",
    "Lighter or exempt rests on one of the three distinctions that speaks for the person; here none does.",
);
/// Another assessment waits for approval.
pub const PROPOSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TOLERANCE_PROPOSED",
    "An assessment is proposed and waits for approval; it must be returned first.",
);
/// There is nothing to approve or return.
pub const NOTHING_PROPOSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TOLERANCE_NOTHING_PROPOSED",
    "No assessment of this person is proposed in this case.",
);
/// The conclusion was assessed.
pub const APPROVED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TOLERANCE_APPROVED",
    "The assessment of this conclusion was approved; only another conclusion is assessed anew.",
);
/// What was assessed stands no longer.
pub const OUTDATED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TOLERANCE_OUTDATED",
    "The conclusion that was assessed stands no longer; what the next one substantiates is assessed anew.",
);
/// The sanction came first.
pub const SANCTIONED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TOLERANCE_AFTER_SANCTION",
    "A sanction is recorded for this conclusion, so not everything that it substantiates is exempt.",
);
/// The approver investigated or proposed.
pub const FOUR_EYES: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "VERIFICATION_TOLERANCE_FOUR_EYES",
    "You investigated this case or proposed this assessment; somebody else decides on it.",
);
/// Proposes an assessment of everything that the conclusion substantiates about a person.
pub(super) fn propose(
    state: &State,
    (case_id, person): (CaseId, SubjectId),
    assessments: &[Assessment<TextId>],
    context: &Context,
) -> Decision<Event> {
    let dossier = touched(context)?;
    let found = substantiated(&context.facts.case, person)?;
    if let Some(known) = state.assessment(case_id, dossier.conclusions)? {
        let again = known.proposed.says(assessments);
        match known.progress {
            Progress::Returned { .. } => {}
            _ if again => return Ok(Vec::new()),
            Progress::Proposed => return Err(PROPOSED.into()),
            Progress::Approved { .. } => return Err(APPROVED.into()),
        }
    }
    complete(&found, assessments)?;
    tolerable(assessments)?;
    if exempts(assessments) && state.is_sanctioned(case_id, dossier.conclusions) {
        return Err(SANCTIONED.into());
    }
    let assessments = assessments.iter();
    Ok(vec![
        ToleranceProposed {
            case: case_id,
            subject: person,
            by: context.actor.id.clone(),
            assessments: assessments
                .map(|one| one.with(|reason| context.text(*reason)))
                .collect(),
            matter: dossier.matter,
            source: dossier.source.clone(),
            conclusion: dossier.conclusions,
            unit: dossier.unit.clone(),
            recusal: dossier.recusal.clone(),
        }
        .into(),
    ])
}

/// Returns what was proposed: the only way in which it changes.
pub(super) fn give_back(
    state: &State,
    case: CaseId,
    reason: TextId,
    context: &Context,
) -> Decision<Event> {
    let dossier = touched(context)?;
    let known = state.tolerance.get(&case).ok_or(NOTHING_PROPOSED)?;
    match &known.progress {
        Progress::Returned { reason: given } if given.id == reason => return Ok(Vec::new()),
        Progress::Returned { .. } | Progress::Approved { .. } => {
            return Err(NOTHING_PROPOSED.into());
        }
        Progress::Proposed => {}
    }
    apart(known, dossier, context)?;
    Ok(vec![
        ToleranceReturned {
            case,
            matter: known.proposed.matter,
            reason: context.text(reason),
        }
        .into(),
    ])
}

/// Approves what was proposed, while the conclusion stands. Approving what is approved already changes nothing.
pub(super) fn approve(state: &State, case: CaseId, context: &Context) -> Decision<Event> {
    let dossier = touched(context)?;
    let known = state.tolerance.get(&case).ok_or(NOTHING_PROPOSED)?;
    let proposed = &known.proposed;
    let stands = matches!(context.facts.case, case::State::Concluded { .. });
    match dossier.conclusions.cmp(&proposed.conclusion) {
        Ordering::Less => return Err(Rejection::Stale),
        Ordering::Equal if stands => {}
        Ordering::Equal | Ordering::Greater => return Err(OUTDATED.into()),
    }
    match known.progress {
        Progress::Approved { .. } => return Ok(Vec::new()),
        Progress::Returned { .. } => return Err(NOTHING_PROPOSED.into()),
        Progress::Proposed => {}
    }
    apart(known, dossier, context)?;
    if dossier.recusal.names(&proposed.by, &context.secrets) {
        return Err(PROPOSER_RECUSED.into());
    }
    Ok(vec![
        ToleranceApproved {
            case,
            subject: proposed.subject,
            matter: proposed.matter,
            source: proposed.source.clone(),
            conclusion: proposed.conclusion,
            unit: proposed.unit.clone(),
            assessments: proposed.assessments.clone(),
            on: context.profile.calendar.date(context.now),
        }
        .into(),
    ])
}

/// Whether nothing is left to be sanctioned.
pub(super) fn exempts<T>(assessments: &[Assessment<T>]) -> bool {
    let mut assessments = assessments.iter();
    assessments.all(|one| one.liability.is == Liability::Exempt)
}

impl State {
    /// How this conclusion of a case was assessed, or is being. Where a later one was by now, the case was asked too early.
    pub(super) fn assessment(
        &self,
        case: CaseId,
        conclusion: i32,
    ) -> Result<Option<&Tolerance>, Rejection> {
        let known = self.tolerance.get(&case);
        if known.is_some_and(|known| known.proposed.conclusion > conclusion) {
            return Err(Rejection::Stale);
        }
        Ok(known.filter(|known| known.proposed.conclusion == conclusion))
    }

    fn is_sanctioned(&self, case: CaseId, conclusion: i32) -> bool {
        let mut recorded = self.recorded.iter();
        recorded.any(|one| one.sanction.case == case && one.conclusion == conclusion)
    }
}

impl ToleranceProposed {
    /// Whether this was proposed, with the same reasons.
    fn says(&self, assessments: &[Assessment<TextId>]) -> bool {
        let said = self.assessments.iter();
        let said = said.map(|one| one.with(|reason| reason.id));
        said.eq(assessments.iter().cloned())
    }
}

/// The case, for whoever may touch it; nobody else does what follows from it.
fn touched(context: &Context) -> Result<&Dossier, Rejection> {
    let case = &context.facts.case;
    let dossier = case.dossier().ok_or(NOT_FOUND)?;
    Case::admit(case, &context.visitor())?;
    Ok(dossier)
}

/// Four eyes: neither who ever proposed here nor who ever took part in the case.
fn apart(known: &Tolerance, dossier: &Dossier, context: &Context) -> Result<(), Rejection> {
    let actor = &context.actor.id;
    if known.drafted_by.contains(actor) || dossier.took_part.contains(actor) {
        return Err(FOUR_EYES.into());
    }
    Ok(())
}

/// Exactly one assessment for each substantiated finding.
fn complete(
    substantiated: &[AllegationId],
    assessments: &[Assessment<TextId>],
) -> Result<(), Rejection> {
    let mut missing = substantiated.to_vec();
    let mut violations = Vec::new();
    for (index, one) in assessments.iter().enumerate() {
        let description = match missing.iter().position(|id| *id == one.allegation) {
            Some(place) => {
                missing.swap_remove(place);
                continue;
            }
            None if substantiated.contains(&one.allegation) => {
                "is assessed already; assess each finding once"
            }
            None => "is no substantiated finding on this person in this case",
        };
        violations.push(Violation {
            field: format!("assessments[{index}].allegation_id"),
            description: description.to_owned(),
        });
    }
    violations.extend(missing.iter().map(|allegation| Violation {
        field: "assessments".to_owned(),
        description: format!("has none of the finding on allegation {allegation}"),
    }));
    refuse(INCOMPLETE, violations)
}

/// Nobody is exempt against a bar, nor lighter or exempt without a ground.
fn tolerable(assessments: &[Assessment<TextId>]) -> Result<(), Rejection> {
    let those = |wrong: fn(&Assessment<TextId>) -> bool, description: &str| {
        let places = assessments.iter().enumerate();
        let wrong = places.filter(|(_, one)| wrong(one));
        let violation = |(index, _): (usize, _)| Violation {
            field: format!("assessments[{index}].liability"),
            description: description.to_owned(),
        };
        wrong.map(violation).collect::<Vec<_>>()
    };
    let barred = those(
        |one| one.liability.is == Liability::Exempt && one.bars_exemption(),
        "must not be exempt: private gain or a knowing breach is recorded",
    );
    refuse(NEVER_EXEMPT, barred)?;
    let groundless = those(
        |one| one.liability.is != Liability::Liable && !one.speaks_for_the_person(),
        "must be liable: none of the three distinctions speaks for the person",
    );
    refuse(WITHOUT_GROUND, groundless)
}

fn refuse(refusal: Refusal, violations: Vec<Violation>) -> Result<(), Rejection> {
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        violations,
        ..refusal
    }
    .into())
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::Given;
    use jiff::civil::date;

    use super::super::fixture::*;
    use super::super::preceding::NOT_ASSESSED;
    use super::super::tolerance::{Breach, Experiment, Motive};
    use super::super::{
        Command, Facts, NO_CONCLUSION, NOT_A_PERSON, NOT_SUBSTANTIATED, Recorded, Sanction,
        Sanctions,
    };
    use super::*;
    use crate::case::events::{Concluded, ConflictDeclared};
    use crate::case::fixture::{
        OFFICIAL, PLACEHOLDER, TEXT, actor_id, concluded_with, finding, findings, id, investigator,
        matter, opened, reopened, supervisor, text,
    };
    use crate::case::{Outcome, RECUSED, case_of};

    fn propose_all(assessments: Vec<Assessment<TextId>>) -> Command {
        Command::ProposeTolerance {
            case: case_of(matter().id),
            subject: id(OFFICIAL),
            assessments,
        }
    }

    fn propose(assessments: &[(u128, Liability)]) -> Command {
        propose_all(all(assessments))
    }

    fn give_back() -> Command {
        Command::ReturnTolerance {
            case: case_of(matter().id),
            reason: id(TEXT),
        }
    }

    fn approve() -> Command {
        Command::ApproveTolerance {
            case: case_of(matter().id),
        }
    }

    fn sun() -> office::Actor {
        investigator("sun")
    }

    fn on(given: Given<Sanctions>, case: case::State) -> Given<Sanctions> {
        given.facts(Facts { case })
    }

    /// The case of the fixture after another event.
    fn case_then(event: &case::Event) -> case::State {
        let mut case = concluded_case(Outcome::Substantiated);
        Case::evolve(&mut case, event);
        case
    }

    #[test]
    fn what_is_substantiated_is_assessed_and_the_assessment_approved_by_another() {
        an_official()
            .actor(sun())
            .when(propose(EXEMPTED))
            .then([proposed(&all(EXEMPTED))])
            .actor(supervisor("gao"))
            .when(approve())
            .then([approved(&all(EXEMPTED))])
            .when(approve())
            .then_already();
    }

    #[test]
    fn four_eyes_decide_on_tolerance() {
        // Sun proposed; Chen proposed the findings of the case.
        let case = chassis::testing::given::<Case>()
            .events([
                opened(),
                crate::case::fixture::proposed(),
                concluded_with(1, &substantiated_first()),
            ])
            .state()
            .clone();
        for name in ["sun", "chen"] {
            for command in [approve(), give_back()] {
                on(a_proposal(EXEMPTED), case.clone())
                    .actor(supervisor(name))
                    .when(command)
                    .then_refused(&FOUR_EYES);
            }
        }
    }

    #[test]
    fn four_eyes_see_who_ever_proposed_here() {
        // Sun proposed first; after it was returned, Qian proposed the same.
        let Event::ToleranceProposed(mut qians) = proposed(&all(EXEMPTED)) else {
            panic!("so it is made");
        };
        qians.by = actor_id("qian");
        for name in ["sun", "qian"] {
            a_proposal(EXEMPTED)
                .events([returned(), qians.clone().into()])
                .actor(supervisor(name))
                .when(approve())
                .then_refused(&FOUR_EYES);
        }
    }

    fn substantiated_first() -> Vec<crate::case::ProposedFinding> {
        let mut found = findings();
        found[0] = finding(1, Outcome::Substantiated);
        found
    }

    #[test]
    fn never_exempt_where_private_gain_or_a_knowing_breach_is_recorded() {
        let with = |change: fn(&mut Assessment<TextId>)| {
            let mut assessment = assessed(1, Liability::Exempt);
            assessment.experiment.is = Experiment::NothingForbidden;
            change(&mut assessment);
            assessment
        };
        let gained = with(|one| one.motive.is = Motive::PrivateGain);
        let knew = with(|one| one.breach.is = Breach::Knowing);
        for barred in [gained, knew] {
            let investigator = an_official().actor(sun());
            let refusal = investigator
                .clone()
                .when(propose_all(vec![barred.clone()]))
                .then_refused(&NEVER_EXEMPT);
            assert_eq!(refusal.violations[0].field, "assessments[0].liability");
            // What else speaks for the person may make it lighter all the same.
            let mut lighter = barred;
            lighter.liability.is = Liability::Lighter;
            investigator.when(propose_all(vec![lighter])).accepted();
        }
    }

    #[test]
    fn lighter_or_exempt_rests_on_a_distinction_that_speaks_for_the_person() {
        let bare = |liability| {
            let mut assessment = assessed(1, Liability::Liable);
            assessment.liability.is = liability;
            assessment
        };
        let grounds: [fn(&mut Assessment<TextId>); 3] = [
            |one| one.breach.is = Breach::WantOfExperience,
            |one| one.experiment.is = Experiment::NothingForbidden,
            |one| one.motive.is = Motive::CommonGood,
        ];
        let investigator = an_official().actor(sun());
        for liability in [Liability::Lighter, Liability::Exempt] {
            let refusal = investigator
                .clone()
                .when(propose_all(vec![bare(liability)]))
                .then_refused(&WITHOUT_GROUND);
            assert_eq!(refusal.violations[0].field, "assessments[0].liability");
            for ground in grounds {
                let mut grounded = bare(liability);
                ground(&mut grounded);
                let command = propose_all(vec![grounded]);
                investigator.clone().when(command).accepted();
            }
        }
        investigator
            .when(propose_all(vec![bare(Liability::Liable)]))
            .accepted();
    }

    #[test]
    fn each_substantiated_finding_is_assessed_once_and_nothing_else() {
        let mut found = findings();
        found[0] = finding(1, Outcome::Substantiated);
        found[2] = finding(3, Outcome::Substantiated);
        let case = chassis::testing::given::<Case>()
            .events([opened(), concluded_with(1, &found)])
            .state()
            .clone();
        let investigator = on(an_official(), case).actor(sun());
        let told = |assessments: &[(u128, Liability)]| -> Vec<String> {
            let refusal = investigator
                .clone()
                .when(propose(assessments))
                .then_refused(&INCOMPLETE);
            let violations = refusal.violations.into_iter();
            violations.map(|violation| violation.field).collect()
        };
        assert_eq!(told(&[]), ["assessments", "assessments"]);
        let astray = [
            (1, Liability::Liable),
            (1, Liability::Exempt),
            (2, Liability::Liable),
        ];
        let expected = [
            "assessments[1].allegation_id",
            "assessments[2].allegation_id",
            "assessments",
        ];
        assert_eq!(told(&astray), expected);
        investigator
            .when(propose(&[(3, Liability::Exempt), (1, Liability::Liable)]))
            .accepted();
    }

    #[test]
    fn an_assessment_changes_only_by_returning_it() {
        let waiting = a_proposal(EXEMPTED).actor(sun());
        waiting.clone().when(propose(EXEMPTED)).then_already();
        waiting.when(propose(LIABLE)).then_refused(&PROPOSED);
        a_proposal(EXEMPTED)
            .when(give_back())
            .then([returned()])
            .when(approve())
            .then_refused(&NOTHING_PROPOSED);
        let (events, _) = a_proposal(EXEMPTED)
            .events([returned()])
            .actor(sun())
            .when(propose(EXEMPTED))
            .accepted();
        assert_eq!(events, [proposed(&all(EXEMPTED))]);
        let through = an_assessed(EXEMPTED);
        through
            .clone()
            .when(give_back())
            .then_refused(&NOTHING_PROPOSED);
        through.clone().when(propose(EXEMPTED)).then_already();
        through.when(propose(LIABLE)).then_refused(&APPROVED);
        for command in [approve(), give_back()] {
            an_official().when(command).then_refused(&NOTHING_PROPOSED);
        }
    }

    #[test]
    fn what_stands_on_no_conclusion_or_person_is_not_assessed() {
        let investigator = || an_official().actor(sun());
        let open = case_then(&reopened("appeal"));
        on(investigator(), open)
            .when(propose(LIABLE))
            .then_refused(&NO_CONCLUSION);
        on(investigator(), concluded_case(Outcome::Unsubstantiated))
            .when(propose(LIABLE))
            .then_refused(&NOT_SUBSTANTIATED);
        on(investigator(), case::State::Unopened)
            .when(propose(LIABLE))
            .then_refused(&NOT_FOUND);
        let mut found = findings();
        found[1] = finding(2, Outcome::Substantiated);
        let nobody_known = chassis::testing::given::<Case>()
            .events([opened(), concluded_with(1, &found)])
            .state()
            .clone();
        on(investigator(), nobody_known)
            .when(Command::ProposeTolerance {
                case: case_of(matter().id),
                subject: id(PLACEHOLDER),
                assessments: all(&[(2, Liability::Liable)]),
            })
            .then_refused(&NOT_A_PERSON);
    }

    #[test]
    fn only_the_unit_of_the_case_assesses_and_nobody_recused_from_it() {
        for command in [propose(LIABLE), approve(), give_back()] {
            a_proposal(EXEMPTED)
                .actor(supervisor_at("meng", other_unit()))
                .when(command.clone())
                .then_refused(&OUT_OF_SCOPE);
            a_proposal(EXEMPTED)
                .actor(supervisor("accused"))
                .when(command)
                .then_refused(&RECUSED);
        }
    }

    #[test]
    fn an_assessment_whose_proposer_was_recused_since_is_not_approved() {
        let declared = ConflictDeclared {
            matter: Some(id(0x10)),
            actor: actor_id("sun"),
            reason: text(TEXT),
        };
        on(a_proposal(EXEMPTED), case_then(&declared.into()))
            .when(approve())
            .then_refused(&PROPOSER_RECUSED);
    }

    #[test]
    fn a_conclusion_that_follows_is_assessed_anew() {
        let open = case_then(&reopened("appeal"));
        on(a_proposal(EXEMPTED), open.clone())
            .when(approve())
            .then_refused(&OUTDATED);
        let case::Event::Concluded(first) = concluded_with(1, &substantiated_first()) else {
            panic!("so it is made");
        };
        let second = Concluded { number: 2, ..first };
        let mut again = open;
        Case::evolve(&mut again, &second.into());
        for before in [a_proposal(EXEMPTED), an_assessed(EXEMPTED)] {
            let anew = on(before.clone(), again.clone())
                .actor(sun())
                .when(propose(EXEMPTED))
                .accepted();
            let [Event::ToleranceProposed(proposed)] = &anew.0[..] else {
                panic!("it is proposed anew, not {:?}", anew.0);
            };
            assert_eq!(proposed.conclusion, 2);
            // What was assessed before says nothing of what is substantiated now.
            on(before, again.clone())
                .when(record_it())
                .then_refused(&NOT_ASSESSED);
        }
        on(a_proposal(EXEMPTED), again.clone())
            .when(approve())
            .then_refused(&OUTDATED);
        for case in [case_then(&reopened("appeal")), again.clone()] {
            on(an_assessed(EXEMPTED), case)
                .when(approve())
                .then_refused(&OUTDATED);
        }
        // Whoever asked the case before it was reopened asks it again.
        let anew = on(a_proposal(EXEMPTED), again).actor(sun());
        let after = anew.when(propose(EXEMPTED)).accepted().1;
        let early = on(after, concluded_case(Outcome::Substantiated));
        early.clone().when(propose(LIABLE)).then_stale();
        early
            .clone()
            .actor(supervisor("gao"))
            .when(approve())
            .then_stale();
        early.actor(machine()).when(record_it()).then_stale();
    }

    #[test]
    fn whoever_is_sanctioned_by_a_conclusion_is_not_wholly_exempt_by_it() {
        let sanctioned = an_official().events([recorded()]).actor(sun());
        sanctioned
            .clone()
            .when(propose(EXEMPTED))
            .then_refused(&SANCTIONED);
        // A further decision, here, is assessed as any other.
        sanctioned
            .clone()
            .actor(supervisor("gao"))
            .when(another())
            .then_refused(&NOT_ASSESSED);
        sanctioned
            .when(propose(LIABLE))
            .accepted()
            .1
            .actor(supervisor("gao"))
            .when(approve())
            .accepted()
            .1
            .when(another())
            .accepted();
        // A sanction in another case, or after an earlier conclusion, came before something else.
        let Event::Recorded(here) = recorded() else {
            panic!("so it is made");
        };
        let earlier = Recorded {
            conclusion: 0,
            ..here.clone()
        };
        let mut elsewhere = here;
        elsewhere.sanction = sanction_elsewhere(date(2026, 3, 2), 12);
        for other in [earlier, elsewhere] {
            an_official()
                .events([other])
                .actor(sun())
                .when(propose(EXEMPTED))
                .accepted();
        }
    }

    /// A second decision on the same findings, of today.
    fn another() -> Command {
        Command::RecordSanction(Sanction {
            kind: "demotion".to_owned(),
            ..sanction(date(2026, 3, 9), 6)
        })
    }
}

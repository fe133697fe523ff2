//! What other services are told: private event → at most one public event of the contract. One way, pure.
//!
//! Not told: who investigates, what the evidence is, what is only proposed. A public event needs nothing that its
//! private one does not hold, because it is made again from the journal whenever a follower asks for it.

use chassis::aggregate::Announcement;
use chassis::recusal::Mark;
use office::{CaseId, MatterId, SubjectId};
use proto::office as o;
use proto::verification as v1;

use crate::case::events::{ConcludedFinding, ConcludedSubject};
use crate::case::{
    ClosingReason, Event, Harm, HarmDegree, HarmEffect, HarmExclusion, HarmReach, Outcome, Subject,
    SubjectKind,
};
use crate::sanctions::{self, Assessment, Breach, Experiment, Liability, Motive};

/// The public event of a private one.
pub(crate) fn announce(case: CaseId, event: &Event) -> Option<Announcement> {
    let case_id = case.to_string();
    match event {
        Event::Opened(opened) => Some(Announcement::of(
            "CaseOpened",
            &v1::CaseOpened {
                case_id,
                matter_id: opened.matter.to_string(),
                source: opened.source.clone(),
                unit: opened.unit.to_string(),
                recused_actor_ids: actor_ids(&opened.subjects),
                reporter_marks: marks(opened.reporter_mark.as_ref()),
            },
        )),
        Event::ReportJoined(joined) => recused(
            case_id,
            joined.matter,
            actor_ids(&joined.subjects),
            marks(joined.reporter_mark.as_ref()),
        ),
        Event::ReportRegistered(registered) => recused(
            case_id,
            registered.matter,
            actor_ids(&registered.subjects),
            marks(registered.reporter_mark.as_ref()),
        ),
        Event::SubjectIdentified(identified) => recused(
            case_id,
            identified.matter,
            actor_ids(std::slice::from_ref(&identified.subject)),
            Vec::new(),
        ),
        Event::ConflictDeclared(declared) => recused(
            case_id,
            declared.matter,
            vec![declared.actor.to_string()],
            Vec::new(),
        ),
        Event::Concluded(concluded) => Some(Announcement::of(
            "CaseConcluded",
            &v1::CaseConcluded {
                case_id,
                matter_id: concluded.matter.to_string(),
                source: concluded.source.clone(),
                number: concluded.number,
                unit: concluded.unit.to_string(),
                subjects: concluded.subjects.iter().map(concluded_subject).collect(),
                concluded_on: concluded.on.map(|day| day.to_string()).unwrap_or_default(),
            },
        )),
        Event::Reopened(reopened) => Some(Announcement::of(
            "CaseReopened",
            &v1::CaseReopened {
                case_id,
                matter_id: reopened.matter.to_string(),
                source: reopened.source.clone(),
                number: reopened.number,
                reason: reopened.reason.clone(),
            },
        )),
        Event::Discontinued(discontinued) => Some(Announcement::of(
            "CaseDiscontinued",
            &v1::CaseDiscontinued {
                case_id,
                matter_id: discontinued.matter.to_string(),
                source: discontinued.source.clone(),
                reason: discontinued.reason.clone(),
            },
        )),
        // Intake moved the matter or told who is recused, and has told everybody.
        Event::Moved(_)
        | Event::ActorsRecused(_)
        | Event::InvestigatorsAssigned(_)
        | Event::EvidenceRecorded(_)
        | Event::FindingsProposed(_)
        | Event::FindingsReturned(_)
        | Event::Suspended(_)
        | Event::Resumed(_)
        | Event::DeadlineNear(_)
        | Event::DeadlineOverdue(_) => None,
    }
}

/// The public event of what happened to a person's sanctions.
pub(crate) fn announce_sanction(event: &sanctions::Event) -> Option<Announcement> {
    match event {
        sanctions::Event::ToleranceApproved(approved) => Some(Announcement::of(
            "ToleranceAssessed",
            &v1::ToleranceAssessed {
                subject_id: approved.subject.to_string(),
                case_id: approved.case.to_string(),
                matter_id: approved.matter.to_string(),
                source: approved.source.clone(),
                number: approved.conclusion,
                unit: approved.unit.to_string(),
                findings: approved.assessments.iter().map(assessed_finding).collect(),
                assessed_on: approved.on.to_string(),
            },
        )),
        sanctions::Event::Recorded(recorded) => {
            let sanction = &recorded.sanction;
            Some(Announcement::of(
                "SanctionRecorded",
                &v1::SanctionRecorded {
                    sanction_id: recorded.id.to_string(),
                    subject_id: sanction.subject.to_string(),
                    case_id: sanction.case.to_string(),
                    matter_id: recorded.matter.to_string(),
                    source: recorded.source.clone(),
                    kind: sanction.kind.clone(),
                    decided_by: sanction.decided_by.to_string(),
                    decided_on: sanction.decided_on.to_string(),
                    impact_months: sanction.impact_months.try_into().unwrap_or(i32::MAX),
                    impact_ends_on: recorded.impact_ends_on.to_string(),
                },
            ))
        }
        sanctions::Event::ToleranceProposed(_) | sanctions::Event::ToleranceReturned(_) => None,
    }
}

/// That others are recused; nothing where nobody is, nor where the event was stored before others were told of it.
fn recused(
    case_id: String,
    matter: Option<MatterId>,
    actor_ids: Vec<String>,
    reporter_marks: Vec<String>,
) -> Option<Announcement> {
    let told = v1::ActorsRecused {
        case_id,
        matter_id: matter?.to_string(),
        actor_ids,
        reporter_marks,
    };
    let names_anybody = !(told.actor_ids.is_empty() && told.reporter_marks.is_empty());
    names_anybody.then(|| Announcement::of("ActorsRecused", &told))
}

fn actor_ids(subjects: &[Subject]) -> Vec<String> {
    let actors = subjects.iter().filter_map(|subject| subject.actor.as_ref());
    actors.map(ToString::to_string).collect()
}

fn marks(reporter: Option<&Mark>) -> Vec<String> {
    reporter.iter().map(|mark| mark.hexadecimal()).collect()
}

fn concluded_subject(said: &ConcludedSubject) -> v1::ConcludedSubject {
    v1::ConcludedSubject {
        subject_id: said.subject.to_string(),
        kind: subject_kind(said.kind).into(),
        findings: said.findings.iter().map(concluded_finding).collect(),
        harm: said
            .harm
            .as_ref()
            .map(|harm| subject_harm(said.subject, harm)),
    }
}

fn concluded_finding(said: &ConcludedFinding) -> v1::ConcludedFinding {
    let (finding, closing_reason) = outcome(said.found.outcome);
    v1::ConcludedFinding {
        allegation_id: said.allegation.to_string(),
        finding: finding.into(),
        closing_reason: closing_reason.into(),
    }
}

fn assessed_finding<T>(assessment: &Assessment<T>) -> v1::AssessedFinding {
    v1::AssessedFinding {
        allegation_id: assessment.allegation.to_string(),
        breach: breach(assessment.breach.is).into(),
        experiment: experiment(assessment.experiment.is).into(),
        motive: motive(assessment.motive.is).into(),
        liability: liability(assessment.liability.is).into(),
    }
}

/// The first distinction in the words of the contract.
pub(crate) fn breach(is: Breach) -> v1::Breach {
    match is {
        Breach::WantOfExperience => v1::Breach::WantOfExperience,
        Breach::Knowing => v1::Breach::Knowing,
        Breach::Neither => v1::Breach::Neither,
    }
}

/// The second distinction in the words of the contract.
pub(crate) fn experiment(is: Experiment) -> v1::Experiment {
    match is {
        Experiment::NothingForbidden => v1::Experiment::NothingForbidden,
        Experiment::ExpresslyBanned => v1::Experiment::ExpresslyBanned,
        Experiment::Neither => v1::Experiment::Neither,
    }
}

/// The third distinction in the words of the contract.
pub(crate) fn motive(is: Motive) -> v1::Motive {
    match is {
        Motive::CommonGood => v1::Motive::CommonGood,
        Motive::PrivateGain => v1::Motive::PrivateGain,
        Motive::Neither => v1::Motive::Neither,
    }
}

/// What comes of a substantiated finding, in the words of the contract.
pub(crate) fn liability(is: Liability) -> v1::Liability {
    match is {
        Liability::Liable => v1::Liability::Liable,
        Liability::Lighter => v1::Liability::Lighter,
        Liability::Exempt => v1::Liability::Exempt,
    }
}

/// A subject's kind in the words of the contract.
pub(crate) fn subject_kind(kind: SubjectKind) -> o::SubjectKind {
    match kind {
        SubjectKind::Person => o::SubjectKind::Person,
        SubjectKind::Organisation => o::SubjectKind::Organisation,
        SubjectKind::NotIdentified => o::SubjectKind::NotIdentified,
    }
}

/// An outcome in the words of the contract.
pub(crate) fn outcome(outcome: Outcome) -> (o::Finding, o::ClosingReason) {
    let finding = match outcome {
        Outcome::Substantiated => o::Finding::Substantiated,
        Outcome::Unsubstantiated => o::Finding::Unsubstantiated,
        Outcome::Unfounded => o::Finding::Unfounded,
        Outcome::Exonerated => o::Finding::Exonerated,
        Outcome::Closed(_) => o::Finding::Closed,
    };
    let reason = match outcome {
        Outcome::Closed(ClosingReason::Withdrawn) => o::ClosingReason::Withdrawn,
        Outcome::Closed(ClosingReason::NoCooperation) => o::ClosingReason::NoCooperation,
        Outcome::Closed(ClosingReason::LimitationExpired) => o::ClosingReason::LimitationExpired,
        Outcome::Closed(ClosingReason::Duplicate) => o::ClosingReason::Duplicate,
        Outcome::Closed(ClosingReason::Transferred) => o::ClosingReason::Transferred,
        Outcome::Closed(ClosingReason::Void) => o::ClosingReason::Void,
        Outcome::Closed(ClosingReason::Other) => o::ClosingReason::Other,
        _ => o::ClosingReason::Unspecified,
    };
    (finding, reason)
}

/// The harm of a subject in the words of the contract.
pub(crate) fn subject_harm(subject: SubjectId, harm: &Harm) -> o::SubjectHarm {
    let mut told = o::SubjectHarm {
        subject_id: subject.to_string(),
        ..o::SubjectHarm::default()
    };
    match harm {
        Harm::None => told.harms.push(o::Harm::None.into()),
        Harm::Done {
            effects,
            degree,
            reach,
            exclusions,
        } => {
            told.harms = effects.iter().map(|one| effect(*one).into()).collect();
            told.degree = match degree {
                HarmDegree::Slight => o::HarmDegree::Slight,
                HarmDegree::Serious => o::HarmDegree::Serious,
                HarmDegree::Grave => o::HarmDegree::Grave,
            }
            .into();
            told.reach = match reach {
                HarmReach::Few => o::HarmReach::Few,
                HarmReach::Unit => o::HarmReach::Unit,
                HarmReach::Public => o::HarmReach::Public,
            }
            .into();
            told.exclusions = exclusions
                .iter()
                .map(|one| exclusion(*one).into())
                .collect();
        }
    }
    told
}

fn effect(effect: HarmEffect) -> o::Harm {
    match effect {
        HarmEffect::AdvancementAffected => o::Harm::AdvancementAffected,
        HarmEffect::RightsHarmed => o::Harm::RightsHarmed,
        HarmEffect::ReportedAgain => o::Harm::ReportedAgain,
        HarmEffect::SpreadInPublic => o::Harm::SpreadInPublic,
    }
}

fn exclusion(exclusion: HarmExclusion) -> o::HarmExclusion {
    match exclusion {
        HarmExclusion::WrittenExplanation => o::HarmExclusion::WrittenExplanation,
        HarmExclusion::MerelyTalkedTo => o::HarmExclusion::MerelyTalkedTo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::case_of;
    use crate::case::events::{
        ConflictDeclared, ReportJoined, ReportRegistered, SubjectIdentified,
    };
    use crate::case::fixture::{
        OFFICIAL, PLACEHOLDER, TEXT, actor_id, concluded, id, mark_of, moved, official, opened,
        proposed, recorded, reopened, text,
    };
    use crate::sanctions::fixture::{
        approved, assessed, proposed as assessment_proposed, recorded as recorded_sanction,
        returned as assessment_returned,
    };

    fn told(event: &Event) -> Option<(&'static str, serde_json::Value)> {
        let announcement = announce(case_of(id(0x10)), event)?;
        let body = serde_json::from_slice(&announcement.body).expect("a message is JSON");
        Some((announcement.name, body))
    }

    #[test]
    fn who_is_recused_is_told_by_id_and_mark_whenever_it_becomes_known() {
        let matter = Some(id::<MatterId>(0x10));
        let accused = official(OFFICIAL, "accused");
        let mark = mark_of("reporter");
        let (name, body) = told(&opened()).expect("it is public");
        assert_eq!(name, "CaseOpened");
        assert_eq!(body["recusedActorIds"], serde_json::json!(["accused"]));
        assert_eq!(
            body["reporterMarks"],
            serde_json::json!([mark.hexadecimal()])
        );
        let joined = ReportJoined {
            matter,
            report: id(0x21),
            allegations: Vec::new(),
            subjects: vec![accused.clone()],
            reporter_mark: Some(mark.clone()),
        };
        let (name, body) = told(&joined.clone().into()).expect("it is public");
        assert_eq!(name, "ActorsRecused");
        assert_eq!(
            body,
            serde_json::json!({
                "caseId": case_of(id(0x10)).to_string(),
                "matterId": id::<MatterId>(0x10).to_string(),
                "actorIds": ["accused"],
                "reporterMarks": [mark.hexadecimal()],
            })
        );
        let registered = ReportRegistered {
            matter,
            report: id(0x21),
            allegations: Vec::new(),
            subjects: vec![accused.clone()],
            reporter_mark: None,
        };
        let identified = SubjectIdentified {
            matter,
            placeholder: id(PLACEHOLDER),
            subject: accused,
        };
        let declared = ConflictDeclared {
            matter,
            actor: actor_id("chen"),
            reason: text(TEXT),
        };
        for (event, actor) in [
            (registered.into(), "accused"),
            (identified.into(), "accused"),
            (declared.into(), "chen"),
        ] {
            let (name, body) = told(&event).expect("it is public");
            assert_eq!(
                (name, &body["actorIds"][0]),
                ("ActorsRecused", &actor.into())
            );
        }
        let of_nobody = ReportJoined {
            subjects: Vec::new(),
            reporter_mark: None,
            ..joined.clone()
        };
        let before_it_was_told = ReportJoined {
            matter: None,
            ..joined
        };
        assert_eq!(told(&of_nobody.into()), None);
        assert_eq!(told(&before_it_was_told.into()), None);
    }

    #[test]
    fn a_conclusion_tells_its_number_unit_and_each_finding_by_subject() {
        let (name, body) = told(&concluded(1)).expect("it is public");
        assert_eq!(name, "CaseConcluded");
        assert_eq!(body["number"], 1);
        assert_eq!(body["unit"], "P51-01");
        let subjects = body["subjects"].as_array().expect("a list");
        assert_eq!(subjects.len(), 2);
        assert_eq!(subjects[0]["kind"], "SUBJECT_KIND_PERSON");
        assert_eq!(subjects[0]["findings"][0]["finding"], "FINDING_UNFOUNDED");
        let closed = &subjects[1]["findings"][0];
        assert_eq!(closed["finding"], "FINDING_CLOSED");
        assert_eq!(closed["closingReason"], "CLOSING_REASON_DUPLICATE");
    }

    #[test]
    fn a_conclusion_tells_the_harm_of_each_subject_on_whom_some_was_recorded() {
        let (_, body) = told(&concluded(1)).expect("it is public");
        assert_eq!(
            body["subjects"][0]["harm"],
            serde_json::json!({
                "subjectId": id::<SubjectId>(OFFICIAL).to_string(),
                "harms": ["HARM_RIGHTS_HARMED", "HARM_SPREAD_IN_PUBLIC"],
                "degree": "HARM_DEGREE_SERIOUS",
                "reach": "HARM_REACH_PUBLIC",
                "exclusions": ["HARM_EXCLUSION_MERELY_TALKED_TO"],
            })
        );
        assert!(body["subjects"][1].get("harm").is_none());
        let none = subject_harm(id(OFFICIAL), &Harm::None);
        let none = serde_json::to_value(none).expect("a message is JSON");
        assert_eq!(none["harms"], serde_json::json!(["HARM_NONE"]));
        assert!(none.get("degree").is_none() && none.get("reach").is_none());
    }

    #[test]
    fn every_announcement_names_case_matter_and_source() {
        for event in [opened(), concluded(1), reopened("appeal")] {
            let (name, body) = told(&event).expect("it is public");
            assert_eq!(body["caseId"], case_of(id(0x10)).to_string(), "{name}");
            assert_eq!(body["matterId"], id::<uuid::Uuid>(0x10).to_string());
            assert_eq!(body["source"], "register");
            assert!(proto::events_of("verification").contains(&name));
        }
    }

    #[test]
    fn a_sanction_tells_its_impact_period_and_the_matter_that_it_came_from() {
        let told = announce_sanction(&recorded_sanction()).expect("it is public");
        assert_eq!(told.name, "SanctionRecorded");
        let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
        assert_eq!(body["subjectId"], id::<SubjectId>(OFFICIAL).to_string());
        assert_eq!(body["matterId"], id::<uuid::Uuid>(0x10).to_string());
        assert_eq!(body["source"], "register");
        assert_eq!(body["decidedOn"], "2026-03-02");
        assert_eq!(body["impactMonths"], 12);
        assert_eq!(body["impactEndsOn"], "2027-03-01");
        assert!(proto::events_of("verification").contains(&told.name));
    }

    #[test]
    fn an_approved_assessment_tells_each_judgement_and_no_reason() {
        let exempt = [assessed(1, Liability::Exempt)];
        let told = announce_sanction(&approved(&exempt)).expect("it is public");
        assert_eq!(told.name, "ToleranceAssessed");
        let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "subjectId": id::<SubjectId>(OFFICIAL).to_string(),
                "caseId": case_of(id(0x10)).to_string(),
                "matterId": id::<uuid::Uuid>(0x10).to_string(),
                "source": "register",
                "number": 1,
                "unit": "P51-01",
                "findings": [{
                    "allegationId": id::<uuid::Uuid>(1).to_string(),
                    "breach": "BREACH_WANT_OF_EXPERIENCE",
                    "experiment": "EXPERIMENT_NEITHER",
                    "motive": "MOTIVE_NEITHER",
                    "liability": "LIABILITY_EXEMPT",
                }],
                "assessedOn": "2026-03-09",
            })
        );
        assert!(proto::events_of("verification").contains(&told.name));
        for in_the_house in [assessment_proposed(&exempt), assessment_returned()] {
            assert_eq!(announce_sanction(&in_the_house), None);
        }
    }

    #[test]
    fn what_is_only_proposed_stays_in_the_house() {
        assert_eq!(told(&proposed()), None);
        assert_eq!(told(&recorded()), None);
        assert_eq!(told(&moved()), None, "intake tells it");
    }
}

//! What follows here from other services' events: the matter learns what intake and verification tell, and whatever
//! follow-up did goes on the person's record. Pure.
//!
//! To add one: a function here and its line in the lists below. What this binary cannot read (an id that is none, a value
//! of an enum that it does not know) is not guessed: the event waits for a newer one.

use chassis::reaction::{
    Directive, Follows, Foreign, NotYet, all, ignore, known, known_if_given, known_recusal, on,
    unknown,
};
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{Finding, MatterId, SubjectId, UnitCode};
use proto::{follow_up, intake, office as o, verification};
use uuid::Uuid;

use crate::conclusion::{
    DUPLICATE, Degree, Exclusion, Harm, Reach, Subject, SubjectHarm, SubjectKind, VOID,
};
use crate::integrity::{
    self, Entry, Exempted, ExemptionRecord, IntegrityFile, Kind, SanctionRecord, file_of,
};
use crate::matter::learning::{Allegation, Raised, Report};
use crate::matter::ruling::{Concluded, Conclusion, Found, Identity};
use crate::matter::{Command, Matter};

/// Intake's events.
pub(crate) const INTAKE: &[Follows] = &[
    on("MatterOpened", learn_matter),
    on("ReportJoined", learn_report),
    on("SubjectIdentified", learn_identity),
    on("MatterMoved", learn_move),
    ignore(
        "ActorsRecused",
        "verification tells its conflicts here itself, and ours intake learned from us",
    ),
];

/// Verification's events.
pub(crate) const VERIFICATION: &[Follows] = &[
    ignore(
        "CaseOpened",
        "only a conclusion clears anybody, and intake tells who is recused from the beginning",
    ),
    on("ActorsRecused", learn_recusal),
    on("CaseConcluded", learn_conclusion),
    on("CaseReopened", learn_reopening),
    ignore(
        "CaseDiscontinued",
        "only an open case is discontinued, and no conclusion of an open case stands",
    ),
    on("ToleranceAssessed", learn_exemption),
    on("SanctionRecorded", learn_sanction),
];

/// Follow-up's events.
pub(crate) const FOLLOW_UP: &[Follows] = &[
    on("FileOpened", file_opened),
    on("VisitRecorded", visit_recorded),
    on("ImpactPeriodEnded", impact_period_ended),
    on("AftercareChecked", aftercare_checked),
    on("FileClosed", file_closed),
];

/// What a reaction ends in.
type Reaction = Result<Vec<Directive>, NotYet>;

fn learn_matter(event: &Foreign<'_>) -> Reaction {
    let opened: intake::MatterOpened = event.read()?;
    let raised = Raised {
        source: opened.source.clone(),
        unit: known("unit", &opened.unit)?,
        report: Report {
            id: known("report_id", &opened.report_id)?,
            allegations: all(&opened.allegations, allegation)?,
            subjects: all(&opened.subjects, subject)?,
            recusal: recusal(&opened.subjects, &opened.reporter_mark)?,
        },
    };
    to_matter(
        &opened.matter_id,
        "LearnMatter",
        Command::LearnMatter(raised),
    )
}

fn learn_report(event: &Foreign<'_>) -> Reaction {
    let joined: intake::ReportJoined = event.read()?;
    let report = Report {
        id: known("report_id", &joined.report_id)?,
        allegations: all(&joined.allegations, allegation)?,
        subjects: all(&joined.subjects, subject)?,
        recusal: recusal(&joined.subjects, &joined.reporter_mark)?,
    };
    to_matter(
        &joined.matter_id,
        "LearnReport",
        Command::LearnReport(report),
    )
}

fn learn_identity(event: &Foreign<'_>) -> Reaction {
    let identified: intake::SubjectIdentified = event.read()?;
    let who = identified.subject.ok_or_else(|| unknown("subject"))?;
    let command = Command::LearnIdentity {
        placeholder: known("placeholder_id", &identified.placeholder_id)?,
        subject: subject(&who)?,
        recusal: recusal(std::slice::from_ref(&who), "")?,
    };
    to_matter(&identified.matter_id, "LearnIdentity", command)
}

fn learn_move(event: &Foreign<'_>) -> Reaction {
    let moved: intake::MatterMoved = event.read()?;
    let command = Command::LearnMove {
        unit: known("to_unit", &moved.to_unit)?,
    };
    to_matter(&moved.matter_id, "LearnMove", command)
}

fn learn_conclusion(event: &Foreign<'_>) -> Reaction {
    let concluded: verification::CaseConcluded = event.read()?;
    let conclusion = Conclusion {
        number: concluded.number,
        unit: known("unit", &concluded.unit)?,
        subjects: all(&concluded.subjects, concluded_subject)?,
        on: match concluded.concluded_on.as_str() {
            "" => None,
            day => Some(known("concluded_on", day)?),
        },
    };
    to_matter(
        &concluded.matter_id,
        "LearnConclusion",
        Command::LearnConclusion(conclusion),
    )
}

fn learn_reopening(event: &Foreign<'_>) -> Reaction {
    let reopened: verification::CaseReopened = event.read()?;
    let number = reopened.number;
    to_matter(
        &reopened.matter_id,
        "LearnReopening",
        Command::LearnReopening { number },
    )
}

fn learn_recusal(event: &Foreign<'_>) -> Reaction {
    let recused: verification::ActorsRecused = event.read()?;
    let recusal = known_recusal(&recused.actor_ids, &recused.reporter_marks)?;
    to_matter(
        &recused.matter_id,
        "LearnRecusal",
        Command::LearnRecusal { recusal },
    )
}

fn learn_sanction(event: &Foreign<'_>) -> Reaction {
    let recorded: verification::SanctionRecorded = event.read()?;
    let sanction = SanctionRecord {
        id: known("sanction_id", &recorded.sanction_id)?,
        subject: known("subject_id", &recorded.subject_id)?,
        matter: known("matter_id", &recorded.matter_id)?,
        kind: recorded.kind.clone(),
        decided_by: known("decided_by", &recorded.decided_by)?,
        decided_on: known("decided_on", &recorded.decided_on)?,
    };
    to_matter(
        &recorded.matter_id,
        "LearnSanction",
        Command::LearnSanction(sanction),
    )
}

fn learn_exemption(event: &Foreign<'_>) -> Reaction {
    let assessed: verification::ToleranceAssessed = event.read()?;
    match exemption(&assessed)? {
        Some(exemption) => to_matter(
            &assessed.matter_id,
            "LearnExemption",
            Command::LearnExemption(exemption),
        ),
        None => Ok(Vec::new()),
    }
}

/// What leads to no sanction; `None` where nothing does: whoever is liable, also if lighter, is on record by the sanction.
fn exemption(
    assessed: &verification::ToleranceAssessed,
) -> Result<Option<ExemptionRecord>, NotYet> {
    let findings = all(&assessed.findings, exempted)?;
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    if findings.is_empty() {
        return Ok(None);
    }
    Ok(Some(ExemptionRecord {
        subject: known("subject_id", &assessed.subject_id)?,
        matter: known("matter_id", &assessed.matter_id)?,
        conclusion: assessed.number,
        unit: known("unit", &assessed.unit)?,
        assessed_on: known("assessed_on", &assessed.assessed_on)?,
        findings,
    }))
}

fn file_opened(event: &Foreign<'_>) -> Reaction {
    let opened: follow_up::FileOpened = event.read()?;
    let cause = match opened.cause() {
        follow_up::FileCause::Sanction => "sanction",
        follow_up::FileCause::Aftercare => "aftercare",
        follow_up::FileCause::Unspecified => return Err(unknown("cause")),
    };
    to_file(
        event,
        &opened.subject_id,
        Told {
            kind: Kind::FollowUpOpened,
            on: &opened.opened_on,
            unit: &opened.unit,
            matter: &opened.matter_id,
            reference: &opened.file_id,
            detail: cause,
        },
    )
}

fn visit_recorded(event: &Foreign<'_>) -> Reaction {
    let recorded: follow_up::VisitRecorded = event.read()?;
    to_file(
        event,
        &recorded.subject_id,
        Told {
            kind: Kind::Visited,
            on: &recorded.visited_on,
            unit: &recorded.unit,
            matter: "",
            reference: &recorded.visit_id,
            detail: "",
        },
    )
}

fn impact_period_ended(event: &Foreign<'_>) -> Reaction {
    let ended: follow_up::ImpactPeriodEnded = event.read()?;
    to_file(
        event,
        &ended.subject_id,
        Told {
            kind: Kind::ImpactEnded,
            on: &ended.ended_on,
            unit: &ended.unit,
            matter: &ended.matter_id,
            reference: &ended.sanction_id,
            detail: "",
        },
    )
}

fn aftercare_checked(event: &Foreign<'_>) -> Reaction {
    let checked: follow_up::AftercareChecked = event.read()?;
    to_file(
        event,
        &checked.subject_id,
        Told {
            kind: Kind::AftercareChecked,
            on: &checked.checked_on,
            unit: &checked.unit,
            matter: &checked.matter_id,
            reference: &checked.clarification_id,
            detail: &checked.effect,
        },
    )
}

fn file_closed(event: &Foreign<'_>) -> Reaction {
    let closed: follow_up::FileClosed = event.read()?;
    to_file(
        event,
        &closed.subject_id,
        Told {
            kind: Kind::FollowUpClosed,
            on: &closed.closed_on,
            unit: &closed.unit,
            matter: "",
            reference: &closed.file_id,
            detail: "",
        },
    )
}

fn to_matter(matter: &str, method: &'static str, command: Command) -> Reaction {
    let matter: MatterId = known("matter_id", matter)?;
    Ok(vec![Directive::to::<Matter>(matter, method, command)])
}

/// An entry as follow-up tells it.
struct Told<'a> {
    kind: Kind,
    on: &'a str,
    unit: &'a str,
    matter: &'a str,
    reference: &'a str,
    detail: &'a str,
}

/// To whom the file belongs is not told here; the sanction or clarification that led to the follow-up told it.
fn to_file(event: &Foreign<'_>, of: &str, told: Told<'_>) -> Reaction {
    let of: SubjectId = known("subject_id", of)?;
    let reference: Uuid = known("reference", told.reference)?;
    let unit: UnitCode = known("unit", told.unit)?;
    let on: Date = known("on", told.on)?;
    let entry = Entry {
        // A file can be opened and closed several times: each of follow-up's events is one entry.
        key: Entry::key(told.kind, reference, &[event.event_id.as_bytes()]),
        kind: told.kind,
        on,
        unit,
        matter: known_if_given("matter_id", told.matter)?,
        reference,
        detail: told.detail.to_owned(),
    };
    let command = integrity::Command::Enter {
        of,
        entry,
        whose: None,
    };
    Ok(vec![Directive::to::<IntegrityFile>(
        file_of(of),
        "EnterInIntegrityFile",
        command,
    )])
}

fn allegation(told: &o::Allegation) -> Result<Allegation, NotYet> {
    Ok(Allegation {
        id: known("allegations.allegation_id", &told.allegation_id)?,
        category: told.category.clone(),
        occurred_on: known_if_given("allegations.occurred_on", &told.occurred_on)?,
    })
}

fn subject(told: &o::Subject) -> Result<Subject, NotYet> {
    Ok(Subject {
        id: known("subjects.subject_id", &told.subject_id)?,
        kind: match told.kind() {
            o::SubjectKind::Person => SubjectKind::Person,
            o::SubjectKind::Organisation => SubjectKind::Organisation,
            o::SubjectKind::NotIdentified | o::SubjectKind::Unspecified => {
                return Err(unknown("subjects.kind"));
            }
        },
        unit: known("subjects.unit", &told.unit)?,
        authority: known("subjects.authority", &told.authority)?,
        heads: known_if_given("subjects.heads", &told.heads)?,
    })
}

/// Who stays out: subjects that are actors themselves, and the reporter.
fn recusal(subjects: &[o::Subject], reporter_mark: &str) -> Result<Recusal, NotYet> {
    let actor = |subject: &o::Subject| known_if_given("subjects.actor_id", &subject.actor_id);
    let actors = all(subjects, actor)?;
    let reporter = known_if_given("reporter_mark", reporter_mark)?;
    Ok(Recusal {
        actors: actors.into_iter().flatten().collect(),
        reporters: reporter.into_iter().collect(),
    })
}

fn concluded_subject(told: &verification::ConcludedSubject) -> Result<Concluded, NotYet> {
    Ok(Concluded {
        subject: known("subjects.subject_id", &told.subject_id)?,
        identity: match told.kind() {
            o::SubjectKind::Person | o::SubjectKind::Organisation => Identity::Identified,
            o::SubjectKind::NotIdentified => Identity::NotIdentified,
            o::SubjectKind::Unspecified => return Err(unknown("subjects.kind")),
        },
        findings: all(&told.findings, found)?,
        harm: told.harm.as_ref().map(harm).transpose()?,
    })
}

fn found(told: &verification::ConcludedFinding) -> Result<Found, NotYet> {
    Ok(Found {
        allegation: known("findings.allegation_id", &told.allegation_id)?,
        finding: finding(told.finding(), told.closing_reason())?,
    })
}

fn finding(told: o::Finding, reason: o::ClosingReason) -> Result<Finding, NotYet> {
    let code = match reason {
        o::ClosingReason::Withdrawn => "withdrawn",
        o::ClosingReason::NoCooperation => "no_cooperation",
        o::ClosingReason::LimitationExpired => "limitation_expired",
        o::ClosingReason::Duplicate => DUPLICATE,
        o::ClosingReason::Transferred => "transferred",
        o::ClosingReason::Void => VOID,
        o::ClosingReason::Other => "other",
        o::ClosingReason::Unspecified if told == o::Finding::Closed => {
            return Err(unknown("findings.closing_reason"));
        }
        o::ClosingReason::Unspecified => "",
    };
    match told {
        o::Finding::Substantiated => Ok(Finding::Substantiated),
        o::Finding::Unsubstantiated => Ok(Finding::Unsubstantiated),
        o::Finding::Unfounded => Ok(Finding::Unfounded),
        o::Finding::Exonerated => Ok(Finding::Exonerated),
        o::Finding::Closed => Ok(Finding::Closed(code.to_owned())),
        o::Finding::Unspecified => Err(unknown("findings.finding")),
    }
}

/// A finding that leads to no sanction, with what speaks for the person; `None` of any other.
fn exempted(told: &verification::AssessedFinding) -> Result<Option<Exempted>, NotYet> {
    let breach = match told.breach() {
        verification::Breach::WantOfExperience => Some("want_of_experience"),
        verification::Breach::Knowing | verification::Breach::Neither => None,
        verification::Breach::Unspecified => return Err(unknown("findings.breach")),
    };
    let experiment = match told.experiment() {
        verification::Experiment::NothingForbidden => Some("nothing_forbidden"),
        verification::Experiment::ExpresslyBanned | verification::Experiment::Neither => None,
        verification::Experiment::Unspecified => return Err(unknown("findings.experiment")),
    };
    let motive = match told.motive() {
        verification::Motive::CommonGood => Some("common_good"),
        verification::Motive::PrivateGain | verification::Motive::Neither => None,
        verification::Motive::Unspecified => return Err(unknown("findings.motive")),
    };
    match told.liability() {
        verification::Liability::Exempt => {}
        verification::Liability::Liable | verification::Liability::Lighter => return Ok(None),
        verification::Liability::Unspecified => return Err(unknown("findings.liability")),
    }
    let grounds = [breach, experiment, motive].into_iter().flatten();
    Ok(Some(Exempted {
        allegation: known("findings.allegation_id", &told.allegation_id)?,
        grounds: grounds.map(str::to_owned).collect(),
    }))
}

fn harm(told: &o::SubjectHarm) -> Result<SubjectHarm, NotYet> {
    // Not `harms()` and the like: those leave out what they do not know.
    let one = |number: &i32| match o::Harm::try_from(*number) {
        Ok(o::Harm::None) => Ok(Harm::None),
        Ok(o::Harm::AdvancementAffected) => Ok(Harm::AdvancementAffected),
        Ok(o::Harm::RightsHarmed) => Ok(Harm::RightsHarmed),
        Ok(o::Harm::ReportedAgain) => Ok(Harm::ReportedAgain),
        Ok(o::Harm::SpreadInPublic) => Ok(Harm::SpreadInPublic),
        Ok(o::Harm::Unspecified) | Err(_) => Err(unknown("harm.harms")),
    };
    let exclusion = |number: &i32| match o::HarmExclusion::try_from(*number) {
        Ok(o::HarmExclusion::WrittenExplanation) => Ok(Exclusion::WrittenExplanation),
        Ok(o::HarmExclusion::MerelyTalkedTo) => Ok(Exclusion::MerelyTalkedTo),
        Ok(o::HarmExclusion::Unspecified) | Err(_) => Err(unknown("harm.exclusions")),
    };
    Ok(SubjectHarm {
        harms: told.harms.iter().map(one).collect::<Result<_, _>>()?,
        degree: match o::HarmDegree::try_from(told.degree) {
            Ok(o::HarmDegree::Unspecified) => None,
            Ok(o::HarmDegree::Slight) => Some(Degree::Slight),
            Ok(o::HarmDegree::Serious) => Some(Degree::Serious),
            Ok(o::HarmDegree::Grave) => Some(Degree::Grave),
            Err(_) => return Err(unknown("harm.degree")),
        },
        reach: match o::HarmReach::try_from(told.reach) {
            Ok(o::HarmReach::Unspecified) => None,
            Ok(o::HarmReach::Few) => Some(Reach::Few),
            Ok(o::HarmReach::Unit) => Some(Reach::Unit),
            Ok(o::HarmReach::Public) => Some(Reach::Public),
            Err(_) => return Err(unknown("harm.reach")),
        },
        exclusions: told
            .exclusions
            .iter()
            .map(exclusion)
            .collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use proto::verification::{
        AssessedFinding, Breach, Experiment, Liability, Motive, ToleranceAssessed,
    };

    use super::*;

    fn id(number: u128) -> String {
        Uuid::from_u128(number).to_string()
    }

    fn found(number: u128, liability: Liability) -> AssessedFinding {
        AssessedFinding {
            allegation_id: id(number),
            breach: Breach::WantOfExperience.into(),
            experiment: Experiment::NothingForbidden.into(),
            motive: Motive::Neither.into(),
            liability: liability.into(),
        }
    }

    fn assessed(findings: Vec<AssessedFinding>) -> ToleranceAssessed {
        ToleranceAssessed {
            subject_id: id(0x30),
            case_id: id(0x11),
            matter_id: id(0x10),
            source: "register".to_owned(),
            number: 2,
            unit: "P51-01".to_owned(),
            findings,
            assessed_on: "2026-03-04".to_owned(),
        }
    }

    #[test]
    fn only_what_is_exempt_goes_on_record_with_what_speaks_for_the_person() {
        let mixed = assessed(vec![
            found(1, Liability::Liable),
            found(2, Liability::Exempt),
            found(3, Liability::Lighter),
        ]);
        let exemption = exemption(&mixed).expect("it reads").expect("one is exempt");
        assert_eq!(exemption.conclusion, 2);
        let [exempted] = &exemption.findings[..] else {
            panic!("one is exempt, not {:?}", exemption.findings);
        };
        assert_eq!(exempted.allegation.to_string(), id(2));
        assert_eq!(
            exempted.grounds,
            ["want_of_experience", "nothing_forbidden"]
        );
    }

    #[test]
    fn whoever_is_liable_is_on_record_by_the_sanction_alone() {
        for liability in [Liability::Liable, Liability::Lighter] {
            let told = exemption(&assessed(vec![found(1, liability)]));
            assert_eq!(told.expect("it reads"), None);
        }
    }

    #[test]
    fn a_judgement_that_is_not_known_waits_for_a_newer_binary() {
        for change in [
            |one: &mut AssessedFinding| one.breach = 0,
            |one: &mut AssessedFinding| one.experiment = 99,
            |one: &mut AssessedFinding| one.motive = 0,
            |one: &mut AssessedFinding| one.liability = 99,
        ] {
            let mut unknown = found(1, Liability::Exempt);
            change(&mut unknown);
            assert!(exemption(&assessed(vec![unknown])).is_err());
        }
    }
}

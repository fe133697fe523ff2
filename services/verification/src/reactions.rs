//! What follows here from intake's events: a matter opens its case, and whatever happens to the matter reaches it. Pure.
//!
//! To add one: a function here and its line in `lib.rs`. What this binary cannot read (an id that is none, a value of
//! an enum that it does not know) is not guessed: the event waits for a newer one.

use chassis::reaction::{
    Directive, Foreign, NotYet, all, known, known_if_given, known_recusal, unknown,
};
use office::MatterId;
use proto::{intake, office as o};

use crate::case::opening::JoinedReport;
use crate::case::{Allegation, Case, Command, Matter, NewFacts, Subject, SubjectKind, case_of};

/// `MatterOpened` → `OpenCase`.
pub(crate) fn open_case(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let opened: intake::MatterOpened = event.read()?;
    let matter = Matter {
        id: known("matter_id", &opened.matter_id)?,
        report: known("report_id", &opened.report_id)?,
        source: opened.source.clone(),
        unit: known("unit", &opened.unit)?,
        allegations: all(&opened.allegations, allegation)?,
        subjects: all(&opened.subjects, subject)?,
        reporter_mark: known_if_given("reporter_mark", &opened.reporter_mark)?,
    };
    Ok(to_case(matter.id, "OpenCase", Command::OpenCase(matter)))
}

/// `ReportJoined` → `AddAllegations`.
pub(crate) fn add_allegations(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let joined: intake::ReportJoined = event.read()?;
    let new_facts = match joined.new_facts() {
        intake::NewFacts::None => NewFacts::None,
        intake::NewFacts::Brought => NewFacts::Brought,
        intake::NewFacts::Unspecified => return Err(unknown("new_facts")),
    };
    let report = JoinedReport {
        id: known("report_id", &joined.report_id)?,
        new_facts,
        allegations: all(&joined.allegations, allegation)?,
        subjects: all(&joined.subjects, subject)?,
        reporter_mark: known_if_given("reporter_mark", &joined.reporter_mark)?,
    };
    let matter = known("matter_id", &joined.matter_id)?;
    Ok(to_case(
        matter,
        "AddAllegations",
        Command::AddAllegations(report),
    ))
}

/// `SubjectIdentified` → `IdentifyInCase`.
pub(crate) fn identify_in_case(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let identified: intake::SubjectIdentified = event.read()?;
    let who = identified.subject.as_ref();
    let command = Command::IdentifyInCase {
        placeholder: known("placeholder_id", &identified.placeholder_id)?,
        subject: subject(who.ok_or_else(|| unknown("subject"))?)?,
    };
    let matter = known("matter_id", &identified.matter_id)?;
    Ok(to_case(matter, "IdentifyInCase", command))
}

/// `MatterMoved` → `MoveCase`.
pub(crate) fn move_case(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let moved: intake::MatterMoved = event.read()?;
    let command = Command::MoveCase {
        unit: known("to_unit", &moved.to_unit)?,
    };
    let matter = known("matter_id", &moved.matter_id)?;
    Ok(to_case(matter, "MoveCase", command))
}

/// `ActorsRecused` → `RecuseFromCase`.
pub(crate) fn recuse_from_case(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let recused: intake::ActorsRecused = event.read()?;
    let command = Command::RecuseFromCase {
        recusal: known_recusal(&recused.actor_ids, &recused.reporter_marks)?,
    };
    let matter = known("matter_id", &recused.matter_id)?;
    Ok(to_case(matter, "RecuseFromCase", command))
}

fn to_case(matter: MatterId, method: &'static str, command: Command) -> Vec<Directive> {
    vec![Directive::to::<Case>(case_of(matter), method, command)]
}

fn allegation(told: &o::Allegation) -> Result<Allegation, NotYet> {
    Ok(Allegation {
        id: known("allegations.allegation_id", &told.allegation_id)?,
        subject: known("allegations.subject_id", &told.subject_id)?,
        subject_kind: kind(told.subject_kind())?,
        category: told.category.clone(),
        report: known("allegations.report_id", &told.report_id)?,
    })
}

fn subject(told: &o::Subject) -> Result<Subject, NotYet> {
    Ok(Subject {
        id: known("subjects.subject_id", &told.subject_id)?,
        kind: kind(told.kind())?,
        actor: known_if_given("subjects.actor_id", &told.actor_id)?,
    })
}

fn kind(told: o::SubjectKind) -> Result<SubjectKind, NotYet> {
    match told {
        o::SubjectKind::Person => Ok(SubjectKind::Person),
        o::SubjectKind::Organisation => Ok(SubjectKind::Organisation),
        o::SubjectKind::NotIdentified => Ok(SubjectKind::NotIdentified),
        o::SubjectKind::Unspecified => Err(unknown("subject_kind")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const MATTER: &str = "00000000-0000-0000-0000-000000000001";
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";

    fn foreign<'a>(name: &'a str, body: &'a [u8]) -> Foreign<'a> {
        Foreign {
            source: "intake",
            name,
            event_id: Uuid::nil(),
            stream: MATTER.parse().expect("a UUID"),
            sequence: 1,
            body,
        }
    }

    fn matter_opened(subject_kind: &str) -> Vec<u8> {
        json!({
            "matterId": MATTER, "reportId": OTHER, "source": "register", "unit": "P51-01",
            "allegations": [{
                "allegationId": OTHER, "subjectId": OTHER, "subjectKind": subject_kind,
                "category": "bribery", "reportId": OTHER,
            }],
            "subjects": [{"subjectId": OTHER, "kind": "SUBJECT_KIND_PERSON", "actorId": "li.wei"}],
            "enteredOn": "2026-03-09", "somethingNew": 1,
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn a_matter_opens_its_case() {
        let body = matter_opened("SUBJECT_KIND_PERSON");
        let directives = open_case(&foreign("MatterOpened", &body)).expect("it reads");
        assert_eq!(directives.len(), 1);
    }

    #[test]
    fn a_value_that_is_not_known_waits_for_a_newer_binary() {
        for kind in ["SUBJECT_KIND_UNSPECIFIED", "SUBJECT_KIND_FROM_TOMORROW"] {
            let body = matter_opened(kind);
            assert!(
                open_case(&foreign("MatterOpened", &body)).is_err(),
                "{kind}"
            );
        }
        let body = json!({"matterId": MATTER, "reportId": OTHER}).to_string();
        assert!(add_allegations(&foreign("ReportJoined", body.as_bytes())).is_err());
        let body = json!({
            "matterId": MATTER, "reportId": OTHER, "newFacts": "NEW_FACTS_NONE",
            "reporterMark": "somebody",
        });
        let joined = add_allegations(&foreign("ReportJoined", body.to_string().as_bytes()));
        assert!(
            joined.is_err(),
            "a mark that does not read would recuse nobody"
        );
        let body = json!({"matterId": MATTER, "placeholderId": OTHER}).to_string();
        assert!(identify_in_case(&foreign("SubjectIdentified", body.as_bytes())).is_err());
        let body = json!({"matterId": MATTER}).to_string();
        assert!(move_case(&foreign("MatterMoved", body.as_bytes())).is_err());
    }

    #[test]
    fn what_happens_to_the_matter_reaches_the_case() {
        let body = json!({
            "matterId": MATTER, "reportId": OTHER, "newFacts": "NEW_FACTS_NONE",
        })
        .to_string();
        let joined = add_allegations(&foreign("ReportJoined", body.as_bytes()));
        assert_eq!(joined.expect("it reads").len(), 1);

        let body = json!({
            "matterId": MATTER, "placeholderId": OTHER,
            "subject": {"subjectId": MATTER, "kind": "SUBJECT_KIND_ORGANISATION"},
        })
        .to_string();
        let identified = identify_in_case(&foreign("SubjectIdentified", body.as_bytes()));
        assert_eq!(identified.expect("it reads").len(), 1);

        let body = json!({
            "matterId": MATTER, "source": "register", "fromUnit": "P51-01", "toUnit": "P51",
        });
        let moved = move_case(&foreign("MatterMoved", body.to_string().as_bytes()));
        assert_eq!(moved.expect("it reads").len(), 1);
    }
}

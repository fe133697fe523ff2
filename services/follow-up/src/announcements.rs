//! What other services are told: private event → at most one public event of the contract. One way, pure.
//!
//! Not told: what is planned, what was said and seen, how the person takes it; and whatever another service told us.

use chassis::aggregate::Announcement;
use office::FileId;
use proto::follow_up as v1;

use crate::file::{Cause, Event};

/// The public event of a private one.
pub(crate) fn announce(file: FileId, event: &Event) -> Option<Announcement> {
    let file_id = file.to_string();
    match event {
        Event::Opened(opened) => Some(Announcement::of(
            "FileOpened",
            &v1::FileOpened {
                file_id,
                subject_id: opened.subject.to_string(),
                matter_id: opened.matter.to_string(),
                source: opened.source.clone(),
                unit: opened.unit.to_string(),
                cause: cause(opened.cause).into(),
                opened_on: opened.on.to_string(),
            },
        )),
        Event::VisitRecorded(recorded) => Some(Announcement::of(
            "VisitRecorded",
            &v1::VisitRecorded {
                file_id,
                subject_id: recorded.subject.to_string(),
                source: recorded.source.clone(),
                unit: recorded.visit.unit.to_string(),
                visit_id: recorded.visit.id.to_string(),
                visited_on: recorded.visit.on.to_string(),
                // A request holds far fewer.
                talks: i32::try_from(recorded.visit.talks.len()).unwrap_or(i32::MAX),
            },
        )),
        Event::ImpactPeriodEnded(ended) => Some(Announcement::of(
            "ImpactPeriodEnded",
            &v1::ImpactPeriodEnded {
                file_id,
                subject_id: ended.subject.to_string(),
                source: ended.source.clone(),
                unit: ended.unit.to_string(),
                sanction_id: ended.sanction.to_string(),
                matter_id: ended.matter.to_string(),
                ended_on: ended.on.to_string(),
                later_sanction_ids: ended.later.iter().map(ToString::to_string).collect(),
            },
        )),
        Event::AftercareChecked(checked) => Some(Announcement::of(
            "AftercareChecked",
            &v1::AftercareChecked {
                file_id,
                subject_id: checked.subject.to_string(),
                source: checked.source.clone(),
                unit: checked.unit.to_string(),
                clarification_id: checked.clarification.to_string(),
                matter_id: checked.matter.to_string(),
                effect: checked.effect.code().to_owned(),
                checked_on: checked.on.to_string(),
            },
        )),
        Event::Closed(closed) => Some(Announcement::of(
            "FileClosed",
            &v1::FileClosed {
                file_id,
                subject_id: closed.subject.to_string(),
                source: closed.source.clone(),
                unit: closed.unit.to_string(),
                closed_on: closed.on.to_string(),
            },
        )),
        Event::SanctionFollowed(_)
        | Event::AftercareAdded(_)
        | Event::AftercareTakenAway(_)
        | Event::PersonLearned(_)
        | Event::ActorsRecused(_)
        | Event::VisitsPlanned(_)
        | Event::AssessmentRecorded(_)
        | Event::AftercareFellDue(_) => None,
    }
}

/// Why a file is open, in the words of the contract.
pub(crate) fn cause(cause: Cause) -> v1::FileCause {
    match cause {
        Cause::Sanction => v1::FileCause::Sanction,
        Cause::Aftercare => v1::FileCause::Aftercare,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::Value;

    use super::*;
    use crate::file::fixture::*;
    use crate::file::{Attitude, Command, Effect, file_of};

    fn told(event: &Event) -> Option<(&'static str, Value)> {
        let announcement = announce(file_of(id(SUBJECT)), event)?;
        let body = serde_json::from_slice(&announcement.body).expect("a message is JSON");
        Some((announcement.name, body))
    }

    fn checked() -> Event {
        let (events, _) = a_cared_file()
            .now("2026-04-05T01:00:00Z")
            .when(Command::CheckAftercare {
                clarification: id(CLARIFICATION),
                effect: Effect::NotYet,
                notes: id(TEXT),
            })
            .accepted();
        events[0].clone()
    }

    #[test]
    fn every_announcement_names_file_person_source_and_unit() {
        let public = [
            opened(Cause::Sanction),
            visited(VISIT, date(2026, 3, 9)),
            period_ended([]),
            checked(),
            closed(date(2026, 9, 1)),
        ];
        let names = public.map(|event| {
            let (name, body) = told(&event).expect("it is public");
            assert_eq!(body["fileId"], file_of(id(SUBJECT)).to_string(), "{name}");
            assert_eq!(body["subjectId"], id::<uuid::Uuid>(SUBJECT).to_string());
            assert_eq!(
                (&body["source"], &body["unit"]),
                (&"register".into(), &COUNTY.into())
            );
            name
        });
        assert_eq!(names, proto::events_of("follow_up"));
    }

    #[test]
    fn a_visit_tells_how_many_talks_were_held_and_not_with_whom_or_by_whom() {
        let (_, body) = told(&visited(VISIT, date(2026, 3, 9))).expect("it is public");
        assert_eq!(
            (&body["talks"], &body["visitedOn"]),
            (&2.into(), &"2026-03-09".into())
        );
        let body = body.to_string();
        assert!(
            !body.contains("chen") && !body.contains("superior"),
            "{body}"
        );
    }

    #[test]
    fn the_end_of_a_period_names_the_sanctions_that_were_decided_while_it_ran() {
        let (events, _) = a_file()
            .events([second_followed()])
            .actor(service())
            .now("2026-09-02T01:00:00Z")
            .when(Command::EndImpactPeriod)
            .accepted();
        let (_, body) = told(&events[0]).expect("it is public");
        assert_eq!(body["sanctionId"], id::<uuid::Uuid>(SANCTION).to_string());
        assert_eq!(body["endedOn"], "2026-09-01");
        let later = [id::<uuid::Uuid>(SECOND).to_string()];
        assert_eq!(body["laterSanctionIds"], serde_json::json!(later));
        let (_, body) = told(&period_ended([])).expect("it is public");
        assert_eq!(body.get("laterSanctionIds"), None);
    }

    #[test]
    fn the_effect_of_a_clarification_is_told_by_its_code() {
        let (_, body) = told(&checked()).expect("it is public");
        assert_eq!(body["effect"], "not_yet");
        assert_eq!(
            body["clarificationId"],
            id::<uuid::Uuid>(CLARIFICATION).to_string()
        );
    }

    #[test]
    fn plans_and_profiles_stay_in_the_house() {
        for event in [
            followed(),
            care_added(),
            planned([planned_on(5, 20)]),
            assessed(Attitude::Burdened),
        ] {
            assert_eq!(told(&event), None);
        }
    }
}

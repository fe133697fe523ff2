//! From a request of the contract to a command on a file, and from what was written back to the response; the same for
//! gRPC and queue. A field that breaks a rule is noted with its path, so that a caller learns of all at once.

use std::collections::BTreeSet;

use chassis::request::{Answered, Reading, Request};
use jiff::civil::Date;
use office::{ActorId, FileId};
use proto::follow_up as v1;

use super::shown::approach;
use crate::FollowUp;
use crate::file::{
    Assessment, Attitude, Command, Effect, Event, File, Grade, Partner, Report, TalkHeld,
};

impl Request<FollowUp> for v1::PlanVisitsRequest {
    const METHOD: &'static str = "PlanVisits";
    type Aggregate = File;
    type Response = v1::PlanVisitsResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: FileId = reading.about("file_id", &self.file_id);
        if self.visits_on.is_empty() {
            reading.violation("visits_on", "must hold at least one date");
        }
        let mut planned = BTreeSet::new();
        let mut visits_on = Vec::with_capacity(self.visits_on.len());
        for (index, given) in self.visits_on.iter().enumerate() {
            let field = format!("visits_on[{index}]");
            let day = given_date(&field, given, reading);
            if !planned.insert(given) {
                reading.violation(field, "is given already; give each date once");
            }
            visits_on.push(day);
        }
        Command::PlanVisits {
            visits_on,
            situation: reading.text("situation", &self.situation),
        }
    }

    fn answer(answered: &Answered<'_, File>) -> v1::PlanVisitsResponse {
        v1::PlanVisitsResponse {
            file_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<FollowUp> for v1::RecordVisitRequest {
    const METHOD: &'static str = "RecordVisit";
    type Aggregate = File;
    type Response = v1::RecordVisitResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: FileId = reading.about("file_id", &self.file_id);
        if self.talks.is_empty() {
            reading.violation("talks", "must hold at least one talk");
        }
        Command::RecordVisit(Report {
            on: given_date("visited_on", &self.visited_on, reading),
            visitors: visitors(&self.visitors, reading),
            talks: (0..)
                .zip(&self.talks)
                .map(|(index, talk)| talk_held(index, talk, reading))
                .collect(),
            observations: reading.text("observations", &self.observations),
        })
    }

    fn answer(answered: &Answered<'_, File>) -> v1::RecordVisitResponse {
        let recorded = answered.events.iter().find_map(|event| match event {
            Event::VisitRecorded(recorded) => Some(recorded.visit.id.to_string()),
            _ => None,
        });
        v1::RecordVisitResponse {
            file_id: answered.id.to_string(),
            version: answered.version,
            visit_id: recorded.unwrap_or_default(),
        }
    }
}

impl Request<FollowUp> for v1::RecordAssessmentRequest {
    const METHOD: &'static str = "RecordAssessment";
    type Aggregate = File;
    type Response = v1::RecordAssessmentResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: FileId = reading.about("file_id", &self.file_id);
        let attitude = match self.attitude() {
            v1::Attitude::Unspecified => None,
            v1::Attitude::Corrected => Some(Attitude::Corrected),
            v1::Attitude::Misunderstands => Some(Attitude::Misunderstands),
            v1::Attitude::Burdened => Some(Attitude::Burdened),
        };
        let grade = match self.grade() {
            v1::Grade::Unspecified => None,
            v1::Grade::Good => Some(Grade::Good),
            v1::Grade::Fair => Some(Grade::Fair),
            v1::Grade::Poor => Some(Grade::Poor),
        };
        Command::RecordAssessment(Assessment {
            visit: reading.id("visit_id", &self.visit_id),
            attitude: reading.choice("attitude", attitude),
            grade: reading.choice("grade", grade),
            profile: reading.text("profile", &self.profile),
        })
    }

    fn answer(answered: &Answered<'_, File>) -> v1::RecordAssessmentResponse {
        let followed = answered.events.iter().find_map(|event| match event {
            Event::AssessmentRecorded(recorded) => Some(recorded.assessed.approach),
            _ => None,
        });
        v1::RecordAssessmentResponse {
            file_id: answered.id.to_string(),
            version: answered.version,
            approach: followed.map(approach).unwrap_or_default().into(),
        }
    }
}

impl Request<FollowUp> for v1::CheckAftercareRequest {
    const METHOD: &'static str = "CheckAftercare";
    type Aggregate = File;
    type Response = v1::CheckAftercareResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: FileId = reading.about("file_id", &self.file_id);
        let effect = match self.effect() {
            v1::AftercareEffect::Unspecified => None,
            v1::AftercareEffect::Restored => Some(Effect::Restored),
            v1::AftercareEffect::Partly => Some(Effect::Partly),
            v1::AftercareEffect::NotYet => Some(Effect::NotYet),
        };
        Command::CheckAftercare {
            clarification: reading.id("clarification_id", &self.clarification_id),
            effect: reading.choice("effect", effect),
            notes: reading.text("notes", &self.notes),
        }
    }

    fn answer(answered: &Answered<'_, File>) -> v1::CheckAftercareResponse {
        v1::CheckAftercareResponse {
            file_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

/// A date that must be given.
fn given_date(field: &str, given: &str, reading: &mut Reading<'_>) -> Date {
    if given.is_empty() {
        reading.violation(field, "must be given");
    }
    reading.date(field, given).unwrap_or_default()
}

/// The visitors, each once. Services visit nobody.
fn visitors(given: &[String], reading: &mut Reading<'_>) -> Vec<ActorId> {
    let mut visitors: Vec<ActorId> = Vec::with_capacity(given.len());
    for (index, id) in given.iter().enumerate() {
        let field = format!("visitors[{index}]");
        let parsed = id.parse::<ActorId>().ok();
        let fault = match &parsed {
            None => Some("must be an actor id"),
            Some(actor) if actor.is_service() => Some("must be a person's actor id"),
            Some(actor) if visitors.contains(actor) => {
                Some("is named already; name each visitor once")
            }
            Some(_) => None,
        };
        if let Some(fault) = fault {
            reading.violation(field, fault);
        }
        visitors.extend(parsed);
    }
    visitors
}

fn talk_held(index: usize, talk: &v1::Talk, reading: &mut Reading<'_>) -> TalkHeld {
    let partner = match talk.partner() {
        v1::TalkPartner::Unspecified => None,
        v1::TalkPartner::Person => Some(Partner::Person),
        v1::TalkPartner::Educator => Some(Partner::Educator),
        v1::TalkPartner::Superior => Some(Partner::Superior),
        v1::TalkPartner::Colleague => Some(Partner::Colleague),
        v1::TalkPartner::Family => Some(Partner::Family),
    };
    TalkHeld {
        partner: reading.choice(&format!("talks[{index}].partner"), partner),
        notes: reading.text(&format!("talks[{index}].notes"), &talk.notes),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chassis::testing::given;
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::file::file_of;
    use crate::file::fixture::{COUNTY, SUBJECT, VISIT, assessed, id, officer, visited};

    const REQUEST: &str = "00000000-0000-0000-0000-0000000000aa";

    /// What a request reads as, with the number of its texts, or the fields that break a rule.
    fn read<R: Request<FollowUp, Aggregate = File>>(
        request: R,
    ) -> Result<(Uuid, usize, Command), Vec<String>> {
        let setting = given::<File>();
        let actor = officer("he", COUNTY);
        let request_id = request.request_id().to_owned();
        let profile = &setting.context().profile;
        let mut reading = Reading::new(&actor, profile, R::METHOD, &request_id);
        let command = request.read(&mut reading);
        match reading.finish() {
            Ok((file, _, texts)) => Ok((file, texts.len(), command)),
            Err(violations) => Err(violations.into_iter().map(|fault| fault.field).collect()),
        }
    }

    fn file() -> String {
        file_of(id(SUBJECT)).to_string()
    }

    fn visit() -> v1::RecordVisitRequest {
        v1::RecordVisitRequest {
            request_id: REQUEST.to_owned(),
            file_id: file(),
            visited_on: "2026-03-09".to_owned(),
            visitors: ["chen", "lin"].map(str::to_owned).to_vec(),
            talks: vec![v1::Talk {
                partner: v1::TalkPartner::Superior.into(),
                notes: "He works well again".to_owned(),
            }],
            observations: "A tidy desk".to_owned(),
        }
    }

    #[test]
    fn what_was_said_and_seen_stays_beside_the_command() {
        let (about, texts, command) = read(visit()).expect("it is right");
        assert_eq!((about, texts), (file_of(id(SUBJECT)).uuid(), 2));
        let stored = serde_json::to_string(&command).expect("a command is JSON");
        assert!(!stored.contains("works well") && !stored.contains("tidy"));
        assert!(stored.contains("superior") && stored.contains("2026-03-09"));
    }

    #[test]
    fn all_violations_of_a_visit_are_told_with_their_paths() {
        let talk = v1::Talk {
            partner: 99,
            notes: " ".to_owned(),
        };
        let names = ["chen", "chen", "", "li wei", "service:intake"];
        let fields = read(v1::RecordVisitRequest {
            file_id: "1".to_owned(),
            visited_on: String::new(),
            visitors: names.map(str::to_owned).to_vec(),
            talks: vec![talk],
            observations: String::new(),
            ..visit()
        });
        let expected = [
            "file_id",
            "visited_on",
            "visitors[1]",
            "visitors[2]",
            "visitors[3]",
            "visitors[4]",
            "talks[0].partner",
            "talks[0].notes",
            "observations",
        ];
        assert_eq!(fields.expect_err("much is wrong"), expected);
        let fields = read(v1::RecordVisitRequest {
            talks: Vec::new(),
            ..visit()
        });
        assert_eq!(fields, Err(vec!["talks".to_owned()]));
    }

    #[test]
    fn a_plan_names_each_day_once() {
        let plan = |days: &[&str]| v1::PlanVisitsRequest {
            request_id: REQUEST.to_owned(),
            file_id: file(),
            visits_on: days.iter().map(|day| (*day).to_owned()).collect(),
            situation: "Worries about his children".to_owned(),
        };
        let (_, texts, command) = read(plan(&["2026-05-20", "2026-08-20"])).expect("it is right");
        assert_eq!(texts, 1);
        let Command::PlanVisits { visits_on, .. } = command else {
            panic!("visits are planned, not {command:?}");
        };
        assert_eq!(visits_on, [date(2026, 5, 20), date(2026, 8, 20)]);
        let fields = read(plan(&["2026-05-20", "2026-05-20", "", "May"]));
        let expected = ["visits_on[1]", "visits_on[2]", "visits_on[3]"];
        assert_eq!(fields.expect_err("three are wrong"), expected);
        assert_eq!(read(plan(&[])), Err(vec!["visits_on".to_owned()]));
    }

    #[test]
    fn an_assessment_and_aftercare_are_read_with_all_their_violations() {
        let fields = read(v1::RecordAssessmentRequest {
            request_id: REQUEST.to_owned(),
            file_id: file(),
            ..v1::RecordAssessmentRequest::default()
        });
        let expected = ["visit_id", "attitude", "grade", "profile"];
        assert_eq!(fields.expect_err("nothing is given"), expected);
        let fields = read(v1::CheckAftercareRequest {
            request_id: REQUEST.to_owned(),
            file_id: file(),
            ..v1::CheckAftercareRequest::default()
        });
        let expected = ["clarification_id", "effect", "notes"];
        assert_eq!(fields.expect_err("nothing is given"), expected);
    }

    #[test]
    fn an_answer_tells_what_the_command_wrote() {
        let setting = given::<File>();
        let answered = |event| Answered {
            id: file_of(id(SUBJECT)).uuid(),
            version: 5,
            command: Arc::new(Command::LearnPerson),
            events: vec![event],
            already_so: None,
            request_id: id(0xaa),
            secrets: &setting.context().secrets,
        };
        let written = v1::RecordVisitRequest::answer(&answered(visited(VISIT, date(2026, 3, 9))));
        assert_eq!(written.visit_id, Uuid::from_u128(VISIT).to_string());
        let written = v1::RecordAssessmentRequest::answer(&answered(assessed(Attitude::Burdened)));
        assert_eq!(written.approach(), v1::Approach::Support);
        assert_eq!((written.file_id, written.version), (file(), 5));
    }
}

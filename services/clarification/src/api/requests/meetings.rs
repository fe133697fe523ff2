//! Requests about a meeting at which several names are cleared.

use chassis::aggregate::Aggregate;
use chassis::request::{Answered, Reading, Request};
use jiff::civil::Time;
use office::ClarificationId;
use proto::clarification as v1;
use uuid::Uuid;

use super::{handed_over_by, required_date};
use crate::ClarificationOffice;
use crate::meeting::{Command, Meeting};

/// How many names a meeting clears at most.
const MOST_CLARIFICATIONS: usize = 100;

impl Request<ClarificationOffice> for v1::ConveneMeetingRequest {
    const METHOD: &'static str = "ConveneMeeting";
    type Aggregate = Meeting;
    type Response = v1::ConveneMeetingResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        reading.creates(Meeting::KIND);
        let many = self.clarification_ids.len();
        if !(1..=MOST_CLARIFICATIONS).contains(&many) {
            let description = format!("must be 1 to {MOST_CLARIFICATIONS}");
            reading.violation("clarification_ids", description);
        }
        let ids = self.clarification_ids.iter().take(MOST_CLARIFICATIONS);
        let clarifications = ids.enumerate().map(|(index, id)| -> ClarificationId {
            reading.id(&format!("clarification_ids[{index}]"), id)
        });
        Command::ConveneMeeting {
            clarifications: clarifications.collect(),
            on: required_date("held_on", &self.held_on, reading),
            time: time("held_at", &self.held_at, reading),
            place: reading.text("place", &self.place),
        }
    }

    fn answer(answered: &Answered<'_, Meeting>) -> v1::ConveneMeetingResponse {
        let written = answered.events.iter().find_map(|event| match event {
            crate::meeting::Event::Convened(convened) => Some(&convened.unit),
            _ => None,
        });
        let known = || Some(&answered.already_so.as_ref()?.agenda()?.unit);
        v1::ConveneMeetingResponse {
            meeting_id: answered.id.to_string(),
            version: answered.version,
            unit: written
                .or_else(known)
                .map(ToString::to_string)
                .unwrap_or_default(),
        }
    }
}

impl Request<ClarificationOffice> for v1::CancelMeetingRequest {
    const METHOD: &'static str = "CancelMeeting";
    type Aggregate = Meeting;
    type Response = v1::CancelMeetingResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: Uuid = reading.about("meeting_id", &self.meeting_id);
        Command::CancelMeeting {
            reason: reading.text("reason", &self.reason),
        }
    }

    fn answer(answered: &Answered<'_, Meeting>) -> v1::CancelMeetingResponse {
        v1::CancelMeetingResponse {
            meeting_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<ClarificationOffice> for v1::HoldMeetingRequest {
    const METHOD: &'static str = "HoldMeeting";
    type Aggregate = Meeting;
    type Response = v1::HoldMeetingResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: Uuid = reading.about("meeting_id", &self.meeting_id);
        let attendance = u32::try_from(self.attendance).unwrap_or_default();
        if attendance == 0 {
            reading.violation("attendance", "must be at least 1");
        }
        if self.handed_over_by.is_empty() {
            reading.violation("handed_over_by", "must be given");
        }
        let handed_over_by = handed_over_by(&self.handed_over_by, reading);
        Command::HoldMeeting {
            attendance,
            attended: reading.text("attended", &self.attended),
            handed_over_by: handed_over_by.unwrap_or_else(|| reading.actor().id.clone()),
        }
    }

    fn answer(answered: &Answered<'_, Meeting>) -> v1::HoldMeetingResponse {
        v1::HoldMeetingResponse {
            meeting_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

/// A local time, to the minute; `None` if empty.
fn time(field: &str, value: &str, reading: &mut Reading<'_>) -> Option<Time> {
    if value.is_empty() {
        return None;
    }
    Time::strptime("%H:%M", value)
        .map_err(|_| reading.violation(field, "must be a local time such as 14:30"))
        .ok()
}

#[cfg(test)]
mod tests {
    use chassis::testing::given;

    use super::*;
    use crate::clarification::fixture::officer;

    fn fields<R: Request<ClarificationOffice, Aggregate = Meeting>>(request: R) -> Vec<String> {
        let setting = given::<Meeting>();
        let actor = officer("otto");
        let request_id = request.request_id().to_owned();
        let profile = &setting.context().profile;
        let mut reading = Reading::new(&actor, profile, R::METHOD, &request_id);
        request.read(&mut reading);
        let violations = reading.finish().err().unwrap_or_default();
        violations.into_iter().map(|one| one.field).collect()
    }

    fn convening(clarifications: usize) -> v1::ConveneMeetingRequest {
        v1::ConveneMeetingRequest {
            request_id: Uuid::nil().to_string(),
            clarification_ids: vec![Uuid::nil().to_string(); clarifications],
            held_on: "2026-03-09".to_owned(),
            held_at: "14:30".to_owned(),
            place: "Town hall".to_owned(),
        }
    }

    #[test]
    fn a_meeting_clears_one_to_a_hundred_names() {
        for (many, wrong) in [(0, true), (1, false), (100, false), (101, true)] {
            let expected: &[&str] = if wrong { &["clarification_ids"] } else { &[] };
            assert_eq!(fields(convening(many)), expected, "{many}");
        }
    }

    #[test]
    fn all_fields_that_break_a_rule_are_told_at_once() {
        let request = v1::ConveneMeetingRequest {
            clarification_ids: vec![Uuid::nil().to_string(), "the second".to_owned()],
            held_on: "tomorrow".to_owned(),
            held_at: "half past two".to_owned(),
            place: String::new(),
            ..convening(0)
        };
        assert_eq!(
            fields(request),
            ["clarification_ids[1]", "held_on", "held_at", "place"]
        );
        let request = v1::HoldMeetingRequest {
            request_id: Uuid::nil().to_string(),
            meeting_id: "the big one".to_owned(),
            handed_over_by: "service:intake".to_owned(),
            ..v1::HoldMeetingRequest::default()
        };
        assert_eq!(
            fields(request),
            ["meeting_id", "attendance", "handed_over_by", "attended"]
        );
    }
}

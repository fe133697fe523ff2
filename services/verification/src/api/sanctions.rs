//! The sanctions' side of the contract.

use chassis::request::{Answered, Reading, Request};
use office::{CaseId, SubjectId};
use proto::verification as v1;

use super::tolerance::{self, Reader};
use crate::Verification;
use crate::sanctions::{Command, Recorded, Sanction, Sanctions, State, sanctions_of};

impl Request<Verification> for v1::RecordSanctionRequest {
    const METHOD: &'static str = "RecordSanction";
    type Aggregate = Sanctions;
    type Response = v1::RecordSanctionResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let subject: SubjectId = reading.id("subject_id", &self.subject_id);
        reading.about_natural(sanctions_of(subject));
        if self.decided_on.is_empty() {
            reading.violation("decided_on", "must be given");
        }
        Command::RecordSanction(Sanction {
            case: reading.id("case_id", &self.case_id),
            subject,
            kind: reading.code("kind", &self.kind),
            decided_by: reading.unit("decided_by", &self.decided_by),
            decided_on: reading
                .date("decided_on", &self.decided_on)
                .unwrap_or_default(),
            // What is below zero is none of the policy's lengths either.
            impact_months: self.impact_months.try_into().unwrap_or_default(),
        })
    }

    fn answer(answered: &Answered<'_, Sanctions>) -> v1::RecordSanctionResponse {
        let id = match &*answered.command {
            Command::RecordSanction(sanction) => sanction.id().to_string(),
            _ => String::new(),
        };
        v1::RecordSanctionResponse {
            sanction_id: id,
            version: answered.version,
        }
    }
}

/// A person's sanctions as the contract shows them, with what was assessed before; `standing` is the conclusion of a case
/// that stands.
pub(super) fn shown(
    person: SubjectId,
    version: i64,
    state: &State,
    reader: Reader,
    standing: impl Fn(CaseId) -> Option<i32>,
) -> v1::GetSanctionsResponse {
    let assessed = state.tolerance.values();
    v1::GetSanctionsResponse {
        subject_id: person.to_string(),
        version,
        sanctions: state.recorded.iter().map(sanction).collect(),
        tolerance: assessed
            .filter_map(|known| tolerance::shown(known, standing(known.proposed.case), reader))
            .collect(),
    }
}

fn sanction(recorded: &Recorded) -> v1::Sanction {
    let sanction = &recorded.sanction;
    v1::Sanction {
        sanction_id: recorded.id.to_string(),
        case_id: sanction.case.to_string(),
        matter_id: recorded.matter.to_string(),
        kind: sanction.kind.clone(),
        decided_by: sanction.decided_by.to_string(),
        decided_on: sanction.decided_on.to_string(),
        impact_months: sanction.impact_months.try_into().unwrap_or(i32::MAX),
        impact_ends_on: recorded.impact_ends_on.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chassis::testing::given;
    use uuid::Uuid;

    use super::*;
    use crate::case::fixture::{OFFICIAL, id, supervisor, unit};
    use crate::sanctions::fixture::{recorded, warning};

    fn request() -> v1::RecordSanctionRequest {
        let warning = warning();
        v1::RecordSanctionRequest {
            request_id: Uuid::from_u128(0xaa).to_string(),
            case_id: warning.case.to_string(),
            subject_id: warning.subject.to_string(),
            kind: warning.kind,
            decided_by: unit().to_string(),
            decided_on: "2026-03-02".to_owned(),
            impact_months: 12,
        }
    }

    fn read(request: v1::RecordSanctionRequest) -> Result<(Uuid, Command), Vec<String>> {
        let setting = given::<Sanctions>();
        let actor = supervisor("gao");
        let profile = &setting.context().profile;
        let request_id = request.request_id.clone();
        let mut reading = Reading::new(&actor, profile, "RecordSanction", &request_id);
        let command = request.read(&mut reading);
        reading
            .finish()
            .map(|(about, _, _)| (about, command))
            .map_err(|violations| violations.into_iter().map(|one| one.field).collect())
    }

    #[test]
    fn a_sanction_is_about_all_sanctions_of_the_person() {
        let expected = (
            sanctions_of(id(OFFICIAL)),
            Command::RecordSanction(warning()),
        );
        assert_eq!(read(request()), Ok(expected));
    }

    #[test]
    fn all_violations_of_a_sanction_are_told_at_once() {
        let bare = v1::RecordSanctionRequest {
            kind: "Stern warning".to_owned(),
            decided_by: "P99".to_owned(),
            ..v1::RecordSanctionRequest::default()
        };
        let expected = [
            "request_id",
            "subject_id",
            "decided_on",
            "case_id",
            "kind",
            "decided_by",
        ];
        assert_eq!(read(bare), Err(expected.map(str::to_owned).to_vec()));
        let negative = v1::RecordSanctionRequest {
            impact_months: -12,
            ..request()
        };
        let (_, command) = read(negative).expect("the rule refuses it, not the reading");
        let Command::RecordSanction(sanction) = command else {
            panic!("a sanction is recorded, not {command:?}");
        };
        assert_eq!(sanction.impact_months, 0);
    }

    #[test]
    fn what_was_recorded_is_answered_and_shown() {
        let setting = given::<Sanctions>().events([recorded()]);
        let answered = |events| Answered {
            id: sanctions_of(id(OFFICIAL)),
            version: 1,
            command: Arc::new(Command::RecordSanction(warning())),
            events,
            already_so: None,
            request_id: id(0xaa),
            secrets: &setting.context().secrets,
        };
        let written = v1::RecordSanctionRequest::answer(&answered(vec![recorded()]));
        let already = v1::RecordSanctionRequest::answer(&answered(Vec::new()));
        let shown = shown(id(OFFICIAL), 1, setting.state(), Reader::Other, |_| None);
        assert_eq!(shown.sanctions[0].sanction_id, written.sanction_id);
        assert_eq!(shown.sanctions[0].impact_ends_on, "2027-03-01");
        assert_eq!(already, written);
    }
}

//! The subject register's side of the contract.

use chassis::request::{Answered, Reading, Request};
use office::SubjectId;
use proto::intake::{GetSubjectResponse, RegisterSubjectRequest, RegisterSubjectResponse};
use proto::office as words;
use tonic::Status;

use crate::subject::{Command, Kind, Register, Standing, State, Subject};
use crate::{Intake, announcements};

impl Request<Intake> for RegisterSubjectRequest {
    const METHOD: &'static str = "RegisterSubject";
    type Aggregate = Subject;
    type Response = RegisterSubjectResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        if self.reference.is_empty() {
            reading.creates(SubjectId::KIND);
        } else {
            reading.about_natural(SubjectId::natural(&[
                self.source.as_bytes(),
                self.reference.as_bytes(),
            ]));
        }
        Command::Register(Register {
            kind: reading.choice(
                "kind",
                match self.kind() {
                    words::SubjectKind::Person => Some(Kind::Person),
                    words::SubjectKind::Organisation => Some(Kind::Organisation),
                    words::SubjectKind::NotIdentified | words::SubjectKind::Unspecified => None,
                },
            ),
            name: reading.text("name", &self.name),
            unit: reading.unit("unit", &self.unit),
            authority: reading.optional_unit("authority", &self.authority),
            heads: reading.optional_unit("heads", &self.heads),
            standing: reading.choice(
                "standing",
                match self.standing() {
                    words::Standing::PartyMember => Some(Standing::PartyMember),
                    words::Standing::PublicOfficial => Some(Standing::PublicOfficial),
                    words::Standing::Other => Some(Standing::Other),
                    words::Standing::Unspecified => None,
                },
            ),
            actor_id: reading.optional_actor("actor_id", &self.actor_id),
            source: reading.label("source", &self.source),
            reference: reading.label("reference", &self.reference),
        })
    }

    fn answer(answered: &Answered<'_, Subject>) -> RegisterSubjectResponse {
        RegisterSubjectResponse {
            subject_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

/// A subject as the contract shows it.
pub(super) fn shown(version: i64, state: &State) -> Result<GetSubjectResponse, Status> {
    let State::Registered { registered, .. } = state else {
        return Err(chassis::refusal::NOT_FOUND.status());
    };
    Ok(GetSubjectResponse {
        subject: Some(announcements::subject(&registered.entry)),
        name: Some(super::text_ref(&registered.name)),
        version,
    })
}

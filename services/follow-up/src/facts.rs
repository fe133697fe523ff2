//! What must be asked before a step on a file: whether the person is an actor, from intake's register.
//!
//! Follow-up does not follow intake, and who is recused must be known now: so the register is asked over gRPC, before
//! every step of an officer, and no answer stops the step.

use async_trait::async_trait;
use chassis::facts::{Asking, Informed};
use chassis::peers::Call;
use chassis::refusal::{INTERNAL, Refusal, RefusalKind};
use office::{Actor, SubjectId};
use proto::intake::intake_service_client::IntakeServiceClient;
use proto::intake::{GetSubjectRequest, GetSubjectResponse};
use uuid::Uuid;

use crate::file::{Command, Facts, File, Person};
use crate::matter::Matter;

impl Informed for Matter {}

#[async_trait]
impl Informed for File {
    async fn gather(
        asking: &Asking,
        id: Uuid,
        command: &Command,
        actor: &Actor,
    ) -> Result<Facts, Refusal> {
        match command {
            Command::LearnPerson
            | Command::PlanVisits { .. }
            | Command::RecordVisit(_)
            | Command::RecordAssessment(_)
            | Command::CheckAftercare { .. } => {}
            Command::FollowSanction { .. }
            | Command::RecuseFromFile { .. }
            | Command::AddAftercare { .. }
            | Command::TakeAftercareAway { .. }
            | Command::EndImpactPeriod
            | Command::RemindAftercare => return Ok(Facts::default()),
        }
        let state = asking.state::<File>(id).await?;
        let Some(record) = state.as_ref().and_then(|(_, state)| state.record()) else {
            // The decision says that there is no file.
            return Ok(Facts::default());
        };
        let person = person(ask(asking, record.subject, actor).await)?;
        Ok(Facts {
            person: Some(person),
        })
    }
}

async fn ask(
    asking: &Asking,
    subject: SubjectId,
    actor: &Actor,
) -> Result<GetSubjectResponse, Refusal> {
    let question = GetSubjectRequest {
        subject_id: subject.to_string(),
    };
    let ask = async |call: Call| {
        IntakeServiceClient::new(call.channel())
            .get_subject(call.request(question.clone()))
            .await
    };
    asking.peers.call("intake", Some(actor), ask).await
}

/// The person by intake's answer. Who is not on the register is no actor that anybody could know of.
fn person(answer: Result<GetSubjectResponse, Refusal>) -> Result<Person, Refusal> {
    let told = match answer {
        Ok(told) => told.subject.unwrap_or_default(),
        Err(refusal) => {
            return match refusal.kind {
                RefusalKind::NotFound => Ok(Person { actor: None }),
                kind if kind.is_passing() => Err(refusal),
                // Not what the caller did is wrong, but that we may not ask.
                _ => Err(INTERNAL.with_note(format_args!("intake: {refusal}"))),
            };
        }
    };
    let actor = Some(told.actor_id).filter(|actor| !actor.is_empty());
    let actor = actor.map(|actor| actor.parse()).transpose();
    actor
        .map(|actor| Person { actor })
        .map_err(|_| INTERNAL.with_note("intake told an actor id that is none"))
}

#[cfg(test)]
mod tests {
    use chassis::refusal::{NOT_FOUND, NOT_PERMITTED, UNAVAILABLE};
    use proto::office::Subject;

    use super::*;

    fn told(actor_id: &str) -> Result<GetSubjectResponse, Refusal> {
        Ok(GetSubjectResponse {
            subject: Some(Subject {
                actor_id: actor_id.to_owned(),
                ..Subject::default()
            }),
            ..GetSubjectResponse::default()
        })
    }

    #[test]
    fn the_register_says_which_actor_a_person_is() {
        let actor = "li.wei".parse().expect("an actor id");
        assert_eq!(person(told("li.wei")), Ok(Person { actor: Some(actor) }));
        assert_eq!(person(told("")), Ok(Person { actor: None }));
        assert_eq!(person(Err(NOT_FOUND)), Ok(Person { actor: None }));
    }

    #[test]
    fn no_answer_stops_the_step() {
        assert_eq!(person(Err(UNAVAILABLE)), Err(UNAVAILABLE));
        for refused in [person(Err(NOT_PERMITTED)), person(told("li wei"))] {
            let refusal = refused.expect_err("it is our fault");
            assert_eq!(refusal.code, INTERNAL.code);
        }
    }
}

//! What must be asked before a decision: for the approval of a clarification and for carrying it out, whether the
//! conclusion that it rests on still stands, which verification knows; for its documents, whose name they clear, which
//! intake knows. There they are set, too, as that takes longer than a decision may.
//!
//! To ask more: a field in the aggregate's `Facts`, and a question here. The trap: an answer is as old as its question,
//! so its time is taken before that is sent.

use async_trait::async_trait;
use chassis::facts::{Asking, Informed};
use chassis::peers::Call;
use chassis::refusal::{Refusal, RefusalKind};
use office::{Actor, MatterId, SubjectId};
use proto::intake;
use proto::intake::intake_service_client::IntakeServiceClient;
use proto::verification as v1;
use proto::verification::verification_service_client::VerificationServiceClient;
use uuid::Uuid;

use crate::clarification::approval::{Answer, CONCLUSION_UNANSWERED, Facts, Word};
use crate::clarification::rendering::{Content, NAME_ERASED, NAME_UNANSWERED, Rendering};
use crate::clarification::{Clarification, Command};
use crate::integrity::IntegrityFile;
use crate::ledger::Ledger;
use crate::matter::Matter;
use crate::press::Press;

impl Informed for Matter {}

impl Informed for Ledger {}

impl Informed for IntegrityFile {}

#[async_trait]
impl Informed for Clarification {
    async fn gather(
        asking: &Asking,
        id: Uuid,
        command: &Command,
        actor: &Actor,
    ) -> Result<Facts, Refusal> {
        let asks = matches!(
            command,
            Command::ApproveClarification
                | Command::CarryOutClarification(_)
                | Command::RenderDocuments
        );
        if !asks {
            return Ok(Facts::default());
        }
        let state = asking.state::<Clarification>(id).await?;
        let dossier = state.as_ref().and_then(|(_, state)| state.dossier());
        let Some(dossier) = dossier else {
            return Ok(Facts::default());
        };
        if matches!(command, Command::RenderDocuments) {
            let rendering = match Content::wanted(dossier, &asking.profile) {
                Some(content) => Some(render(asking, content, actor).await?),
                None => None,
            };
            return Ok(Facts {
                rendering,
                ..Facts::default()
            });
        }
        let answer = ask(asking, dossier.matter, actor).await?;
        Ok(Facts {
            answer: Some(answer),
            ..Facts::default()
        })
    }
}

/// Sets the documents with the name that intake knows.
async fn render(asking: &Asking, content: Content, actor: &Actor) -> Result<Rendering, Refusal> {
    let press = asking.equipment::<Press>()?;
    let name = name_of(asking, content.subject, actor).await?;
    press.print(content, name).await
}

/// Asks intake for a subject's name.
async fn name_of(asking: &Asking, subject: SubjectId, actor: &Actor) -> Result<String, Refusal> {
    let registered = asking
        .peers
        .call("intake", Some(actor), async |call: Call| {
            IntakeServiceClient::new(call.channel())
                .get_subject(call.request(intake::GetSubjectRequest {
                    subject_id: subject.to_string(),
                }))
                .await
        })
        .await
        .map_err(unanswered)?;
    let text_id = registered.name.map(|name| name.text_id).unwrap_or_default();
    let named = asking
        .peers
        .call("intake", Some(actor), async |call: Call| {
            IntakeServiceClient::new(call.channel())
                .get_text(call.request(intake::GetTextRequest {
                    text_id: text_id.clone(),
                }))
                .await
        })
        .await
        .map_err(unanswered)?;
    if named.text.is_empty() {
        return Err(NAME_ERASED);
    }
    Ok(named.text)
}

fn unanswered(refusal: Refusal) -> Refusal {
    match refusal.kind {
        RefusalKind::Unavailable => NAME_UNANSWERED.with_note(refusal.note.reveal()),
        _ => refusal,
    }
}

/// Asks verification whether the matter's conclusion stands.
async fn ask(asking: &Asking, matter: MatterId, actor: &Actor) -> Result<Answer, Refusal> {
    let asked_at = asking.now;
    let answered = asking
        .peers
        .call("verification", Some(actor), async |call: Call| {
            VerificationServiceClient::new(call.channel())
                .get_case(call.request(v1::GetCaseRequest {
                    matter_id: matter.to_string(),
                    ..v1::GetCaseRequest::default()
                }))
                .await
        })
        .await;
    let case = match answered {
        Ok(response) => response.case,
        // A case that verification does not have, as after a restore, has no conclusion that stands.
        Err(refusal) if refusal.kind == RefusalKind::NotFound => None,
        Err(refusal) if refusal.kind == RefusalKind::Unavailable => {
            return Err(CONCLUSION_UNANSWERED.with_note(refusal.note.reveal()));
        }
        Err(refusal) => return Err(refusal),
    };
    let stands = case.as_ref().map(v1::Case::conclusion_standing);
    Ok(Answer {
        conclusion: case.map(|case| case.conclusion).unwrap_or_default(),
        standing: match stands {
            Some(v1::ConclusionStanding::Stands) => Word::Stands,
            _ => Word::StandsNot,
        },
        asked_at,
    })
}

//! What must be asked before a decision: for the approval of a clarification and for carrying it out, whether the
//! conclusion that it rests on still stands, which verification knows; who speaks for an organisation, and whose name
//! its documents clear, which intake knows; for an application how its subject stands, which the matter's own state
//! says; and for a meeting how its clarifications stand. Documents are set here, too, as that takes longer than a
//! decision may.
//!
//! To ask more: a field in the aggregate's `Facts`, and a question here. The trap: an answer is as old as its question,
//! so its time is taken before that is sent.

use async_trait::async_trait;
use chassis::facts::{Asking, Informed};
use chassis::peers::Call;
use chassis::refusal::{INTERNAL, Refusal, RefusalKind};
use office::{Actor, ClarificationId, MatterId, SubjectId};
use proto::intake::intake_service_client::IntakeServiceClient;
use proto::intake::{GetSubjectRequest, GetSubjectResponse, GetTextRequest};
use proto::office::SubjectKind;
use proto::verification as v1;
use proto::verification::verification_service_client::VerificationServiceClient;
use uuid::Uuid;

use crate::clarification::approval::{Answer, CONCLUSION_UNANSWERED, Facts, Word};
use crate::clarification::rendering;
use crate::clarification::wish::{HEAD_UNANSWERED, Speaker};
use crate::clarification::{Clarification, Command, State};
use crate::conclusion;
use crate::integrity::IntegrityFile;
use crate::ledger::Ledger;
use crate::matter::Matter;
use crate::meeting::convening::{self, Known};
use crate::meeting::rendering::TEXT_ERASED;
use crate::meeting::{self, Meeting, Stage};
use crate::press::Press;
use crate::printing::{Content, NAME_ERASED, NAME_UNANSWERED, Rendering, Words};

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
        let mut facts = Facts::default();
        match command {
            Command::ApproveClarification
            | Command::CarryOutClarification(_)
            | Command::ClearAtMeeting(_) => {
                let state = asking.state::<Clarification>(id).await?;
                if let Some(dossier) = state.as_ref().and_then(|(_, state)| state.dossier()) {
                    facts.answer = Some(ask(asking, dossier.matter, actor).await?);
                }
            }
            Command::RecordWish {
                spoken_by: Some(person),
                ..
            } => {
                let state = asking.state::<Clarification>(id).await?;
                let dossier = state.as_ref().and_then(|(_, state)| state.dossier());
                let subject = dossier.map(|dossier| &dossier.subject);
                facts.speaker = speaker(asking, subject, *person, actor).await?;
            }
            Command::ApplyForClarification(applying) => {
                let state = asking.state::<Matter>(applying.matter.uuid()).await?;
                let known = state.as_ref().and_then(|(_, state)| state.known());
                facts.position = known.map(|known| known.position(applying.subject));
                if let (Some(position), Some(person)) = (&facts.position, applying.spoken_by) {
                    let subject = position.subject.as_ref();
                    facts.speaker = speaker(asking, subject, person, actor).await?;
                }
            }
            Command::RenderDocuments => {
                let state = asking.state::<Clarification>(id).await?;
                let dossier = state.as_ref().and_then(|(_, state)| state.dossier());
                let wanted = dossier
                    .and_then(|dossier| rendering::Content::wanted(dossier, &asking.profile));
                if let Some(content) = wanted {
                    facts.rendering = Some(render(asking, content, actor).await?);
                }
            }
            _ => {}
        }
        Ok(facts)
    }
}

/// Whom they head who speak for an organisation. A person speaks for themselves; of them nobody is asked.
async fn speaker(
    asking: &Asking,
    subject: Option<&conclusion::Subject>,
    person: SubjectId,
    actor: &Actor,
) -> Result<Option<Speaker>, Refusal> {
    match subject {
        Some(subject) if subject.kind == conclusion::SubjectKind::Organisation => {
            let question = GetSubjectRequest {
                subject_id: person.to_string(),
            };
            let ask = async |call: Call| {
                IntakeServiceClient::new(call.channel())
                    .get_subject(call.request(question.clone()))
                    .await
            };
            let answer = asking.peers.call("intake", Some(actor), ask).await;
            speaking(person, answer).map(Some)
        }
        Some(_) | None => Ok(None),
    }
}

/// Who speaks, by intake's answer. Who is not on the register, or is no person, heads nothing.
fn speaking(
    person: SubjectId,
    answer: Result<GetSubjectResponse, Refusal>,
) -> Result<Speaker, Refusal> {
    let told = match answer {
        Ok(told) => told.subject.unwrap_or_default(),
        Err(refusal) if refusal.kind == RefusalKind::NotFound => Default::default(),
        Err(refusal) if refusal.kind == RefusalKind::Unavailable => {
            return Err(HEAD_UNANSWERED.with_note(refusal.note.reveal()));
        }
        Err(refusal) if refusal.kind.is_passing() => return Err(refusal),
        // Not what the caller did is wrong, but that we may not ask.
        Err(refusal) => return Err(INTERNAL.with_note(format_args!("intake: {refusal}"))),
    };
    let heads = match told.kind() {
        SubjectKind::Person => Some(told.heads).filter(|unit| !unit.is_empty()),
        _ => None,
    };
    let heads = heads.map(|unit| unit.parse()).transpose();
    heads
        .map(|heads| Speaker { person, heads })
        .map_err(|_| INTERNAL.with_note("intake told a unit that is none"))
}

#[async_trait]
impl Informed for Meeting {
    async fn gather(
        asking: &Asking,
        id: Uuid,
        command: &meeting::Command,
        actor: &Actor,
    ) -> Result<convening::Facts, Refusal> {
        let mut facts = convening::Facts::default();
        match command {
            meeting::Command::ConveneMeeting { clarifications, .. } => {
                for id in clarifications {
                    if let Some(known) = known(asking, *id).await? {
                        facts.clarifications.insert(*id, known);
                    }
                }
            }
            meeting::Command::RenderMeetingDocuments => {
                let state = asking.state::<Meeting>(id).await?;
                let agenda = state.as_ref().and_then(|(_, state)| state.agenda());
                let profile = &asking.profile;
                let today = profile.calendar.date(asking.now);
                let wanted = agenda
                    .and_then(|agenda| meeting::rendering::Content::wanted(agenda, profile, today));
                if let Some(content) = wanted {
                    facts.rendering = Some(render(asking, content, actor).await?);
                }
            }
            _ => {}
        }
        Ok(facts)
    }
}

/// How a clarification stands; `None` if there is none.
async fn known(asking: &Asking, id: ClarificationId) -> Result<Option<Known>, Refusal> {
    let Some((_, State::Open(dossier))) = asking.state::<Clarification>(id.uuid()).await? else {
        return Ok(None);
    };
    let mut awaited = None;
    for meeting in &dossier.called {
        let state = asking.state::<Meeting>(*meeting).await?;
        let agenda = state.as_ref().and_then(|(_, state)| state.agenda());
        if agenda.is_some_and(|agenda| agenda.stage == Stage::Awaited) {
            awaited = Some(*meeting);
        }
    }
    let dossier = *dossier;
    Ok(Some(Known { dossier, awaited }))
}

/// Sets documents with the names that intake knows, and texts of our own.
async fn render<C: Content>(
    asking: &Asking,
    content: C,
    actor: &Actor,
) -> Result<Rendering<C>, Refusal> {
    let press = asking.equipment::<Press>()?;
    let mut words = Words::default();
    for subject in content.names() {
        let name = name_of(asking, subject, actor).await?;
        words.names.insert(subject, name);
    }
    for id in content.texts() {
        let text = asking.text(id).await?.ok_or(TEXT_ERASED)?;
        words.texts.insert(id, text);
    }
    press.print(content, words).await
}

/// Asks intake for a subject's name.
async fn name_of(asking: &Asking, subject: SubjectId, actor: &Actor) -> Result<String, Refusal> {
    let registered = asking
        .peers
        .call("intake", Some(actor), async |call: Call| {
            IntakeServiceClient::new(call.channel())
                .get_subject(call.request(GetSubjectRequest {
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
                .get_text(call.request(GetTextRequest {
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

#[cfg(test)]
mod tests {
    use chassis::refusal::{NOT_FOUND, NOT_PERMITTED, UNAVAILABLE};
    use proto::office::Subject;

    use super::*;
    use crate::clarification::fixture::id;

    fn told(kind: SubjectKind, heads: &str) -> Result<GetSubjectResponse, Refusal> {
        Ok(GetSubjectResponse {
            subject: Some(Subject {
                kind: kind.into(),
                heads: heads.to_owned(),
                ..Subject::default()
            }),
            ..GetSubjectResponse::default()
        })
    }

    #[test]
    fn the_register_says_which_unit_a_person_heads() {
        let head = told(SubjectKind::Person, "P51-01");
        let unit = speaking(id(1), head).expect("it is told").heads;
        assert_eq!(unit, Some("P51-01".parse().expect("a unit code")));
        let nobodies = [
            told(SubjectKind::Person, ""),
            told(SubjectKind::Organisation, "P51-01"),
            Err(NOT_FOUND),
        ];
        for answer in nobodies {
            assert_eq!(speaking(id(1), answer).expect("it is told").heads, None);
        }
    }

    #[test]
    fn without_intakes_word_nothing_is_recorded() {
        let refusal = speaking(id(1), Err(UNAVAILABLE)).expect_err("nobody answers");
        assert_eq!(refusal.code, HEAD_UNANSWERED.code);
        for refused in [Err(NOT_PERMITTED), told(SubjectKind::Person, "no unit")] {
            let refusal = speaking(id(1), refused).expect_err("it is our fault");
            assert_eq!(refusal.code, INTERNAL.code);
        }
    }
}

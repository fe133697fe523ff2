//! How a name is cleared: screened by five departments, in the form that its bearer wishes, on a conclusion that stands; and what is on
//! record afterwards.

use anyhow::Result;
use proto::clarification::{
    ApproveClarificationRequest, CarryOutClarificationRequest, Clarification, ClarificationState,
    ConfirmClarificationRequest, ConveneMeetingRequest, DecideFormRequest, DraftStatementRequest,
    GetClarificationRequest, GetMeetingRequest, HoldMeetingRequest, MeetingState, Opinion,
    RecordOpinionRequest, RecordWishRequest, Wish,
};
use proto::follow_up::GetFileRequest;
use proto::office::{ClarificationForm, Finding};

use super::sample::{request_id, step_id};
use super::{Ids, Telling, ended};
use crate::words;

const SERVICE: &str = "clarification";
const HALL: &str = "The hall of the land office";

impl Telling<'_> {
    /// Does what the clarification's state asks for, until it is confirmed; its id.
    pub(super) async fn clear(&mut self, ids: &Ids) -> Result<String> {
        let mut now = self.hear_of_clearance(ids).await?;
        let id = now.clarification_id.clone();
        if now.state() == ClarificationState::Confirmed {
            self.tell(SERVICE, "The office", "has cleared her name already")?;
        }
        loop {
            match now.state() {
                ClarificationState::Screening => self.screen(&now).await?,
                ClarificationState::Eligible if now.wish() != Wish::Wants => {
                    self.hear(&now).await?
                }
                ClarificationState::Eligible => self.decide_form(&now).await?,
                ClarificationState::FormDecided => self.draft(&now).await?,
                ClarificationState::Drafted => self.approve_clearing(&now).await?,
                ClarificationState::Approved => {
                    self.await_documents(ids, &now).await?;
                    match now.form() {
                        ClarificationForm::Meeting => self.meet(ids, &now).await?,
                        _ => self.carry_out(&now).await?,
                    }
                }
                ClarificationState::CarriedOut => self.confirm(ids, &now).await?,
                ClarificationState::Confirmed => return Ok(id),
                ClarificationState::Applied
                | ClarificationState::NotEligible
                | ClarificationState::Declined
                | ClarificationState::Halted
                | ClarificationState::Superseded
                | ClarificationState::Unspecified => {
                    let state = words::word::<ClarificationState>(now.state);
                    return Err(ended("the clarification", &state.replace('_', " "), &id));
                }
            }
            now = self.clarification(ids).await?.unwrap_or_default();
        }
    }

    async fn clarification(&self, ids: &Ids) -> Result<Option<Clarification>> {
        let mut desk = self.clarifier.clarification(&self.office);
        let question = desk.get_clarification(GetClarificationRequest {
            clarification_id: String::new(),
            matter_id: ids.matter.clone(),
            subject_id: ids.subject.clone(),
        });
        match self.office.ask(SERVICE, question).await {
            Ok(answer) => Ok(answer.clarification),
            Err(refused) if refused.refusal.code == "NOT_FOUND" => Ok(None),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Waits until clarification has heard of the conclusion, and opened or taken up what it clears.
    async fn hear_of_clearance(&mut self, ids: &Ids) -> Result<Clarification> {
        let of = format!("the conclusion on the matter {}", ids.matter);
        let heard = self.news(SERVICE, &of, async || {
            let found = self.clarification(ids).await?;
            Ok(found.filter(|found| found.conclusion >= ids.conclusion))
        });
        let found = heard.await?;
        let text = format!(
            "heard of the conclusion by an event; it clears her, so a clarification opened by itself: {}",
            found.clarification_id
        );
        self.tell(SERVICE, "The service", &text)?;
        Ok(found)
    }

    async fn screen(&mut self, now: &Clarification) -> Result<()> {
        for department in &now.opinions_missing {
            let screener = self.screener(department)?;
            let from = format!("{}:{department}", now.clarification_id);
            let request = RecordOpinionRequest {
                request_id: step_id("screen", &from, now.version),
                clarification_id: now.clarification_id.clone(),
                opinion: Opinion::Agrees.into(),
                reason: "Nothing speaks against it; everybody in the office talks of it".to_owned(),
            };
            let mut desk = screener.clarification(&self.office);
            self.office
                .ask(SERVICE, desk.record_opinion(request))
                .await?;
        }
        let departments = now.opinions_missing.join(", ");
        let text = format!("of {departments} each give their department's opinion: all agree");
        self.tell(SERVICE, "Screeners", &text)
    }

    async fn hear(&mut self, now: &Clarification) -> Result<()> {
        let request = RecordWishRequest {
            request_id: step_id("wish", &now.clarification_id, now.version),
            clarification_id: now.clarification_id.clone(),
            wish: Wish::Wants.into(),
            wanted: vec![ClarificationForm::Meeting.into()],
            refused: vec![ClarificationForm::Bulletin.into()],
            heard_on: self.today(SERVICE).await?,
            spoken_by: String::new(),
        };
        let mut desk = self.clarifier.clarification(&self.office);
        self.office.ask(SERVICE, desk.record_wish(request)).await?;
        let officer = self.clarifier.actor.id.to_string();
        self.tell(
            SERVICE,
            &officer,
            "hears her: she wishes it, at a meeting of her office, and refuses a bulletin",
        )
    }

    async fn decide_form(&mut self, now: &Clarification) -> Result<()> {
        let request = DecideFormRequest {
            request_id: step_id("form", &now.clarification_id, now.version),
            clarification_id: now.clarification_id.clone(),
            form: now.recommended_form,
            reason: String::new(),
        };
        let mut desk = self.clarifier.clarification(&self.office);
        self.office.ask(SERVICE, desk.decide_form(request)).await?;
        let text = format!(
            "decides the form that is recommended: {} ({})",
            words::word::<ClarificationForm>(now.recommended_form),
            now.recommended_because.replace('_', " ")
        );
        let officer = self.clarifier.actor.id.to_string();
        self.tell(SERVICE, &officer, &text)
    }

    async fn draft(&mut self, now: &Clarification) -> Result<()> {
        let request = DraftStatementRequest {
            request_id: step_id("draft", &now.clarification_id, now.version),
            clarification_id: now.clarification_id.clone(),
            note: String::new(),
        };
        let mut desk = self.clarifier.clarification(&self.office);
        self.office
            .ask(SERVICE, desk.draft_statement(request))
            .await?;
        let officer = self.clarifier.actor.id.to_string();
        self.tell(
            SERVICE,
            &officer,
            "drafts the statement: each allegation of this matter on her with its finding, and nothing else",
        )
    }

    async fn approve_clearing(&mut self, now: &Clarification) -> Result<()> {
        let lines = now.statement.iter().map(|line| {
            let finding = words::word::<Finding>(line.finding);
            format!("{} {finding}", line.category)
        });
        let lines = lines.collect::<Vec<_>>().join(", ");
        let request = ApproveClarificationRequest {
            request_id: step_id("approve_clearing", &now.clarification_id, now.version),
            clarification_id: now.clarification_id.clone(),
        };
        let mut desk = self.supervisor.clarification(&self.office);
        let answer = desk.approve_clarification(request);
        let answer = self.office.ask(SERVICE, answer).await?;
        let text = format!(
            "reads it ({lines}), had no part in it, and approves; the service asked verification, and the conclusion stands. To be carried out by {}",
            answer.due_on
        );
        let supervisor = self.supervisor.actor.id.to_string();
        self.tell(SERVICE, &supervisor, &text)
    }

    async fn await_documents(&mut self, ids: &Ids, now: &Clarification) -> Result<()> {
        let of = format!("the letter of {}", now.clarification_id);
        let made = self.news(SERVICE, &of, async || {
            let now = self.clarification(ids).await?;
            Ok(now.filter(|now| !now.documents.is_empty()))
        });
        made.await?;
        self.tell(
            SERVICE,
            "The service",
            "made the letter by itself, and keeps it with its hash",
        )
    }

    async fn carry_out(&mut self, now: &Clarification) -> Result<()> {
        let request = CarryOutClarificationRequest {
            request_id: step_id("carry_out", &now.clarification_id, now.version),
            clarification_id: now.clarification_id.clone(),
            carried_out_on: self.today(SERVICE).await?,
            place: HALL.to_owned(),
            handed_over_by: self.clarifier.actor.id.to_string(),
            ..CarryOutClarificationRequest::default()
        };
        let mut desk = self.clarifier.clarification(&self.office);
        let answer = desk.carry_out_clarification(request);
        self.office.ask(SERVICE, answer).await?;
        let officer = self.clarifier.actor.id.to_string();
        self.tell(SERVICE, &officer, "carries it out: she gets the letter")
    }

    /// Convenes a meeting for her and holds it; that her name is cleared at it follows by itself.
    async fn meet(&mut self, ids: &Ids, now: &Clarification) -> Result<()> {
        // Not of the version: the clarification changes when it is called to the meeting, and the meeting is the same.
        let of = format!("{}:{}", now.clarification_id, now.conclusion);
        let convene = ConveneMeetingRequest {
            request_id: request_id("convene", &of),
            clarification_ids: vec![now.clarification_id.clone()],
            held_on: self.today(SERVICE).await?,
            held_at: String::new(),
            place: HALL.to_owned(),
        };
        let mut desk = self.clarifier.clarification(&self.office);
        let answer = desk.convene_meeting(convene);
        let meeting_id = self.office.ask(SERVICE, answer).await?.meeting_id;
        self.await_announcement(&meeting_id).await?;
        let officer = self.clarifier.actor.id.to_string();
        self.tell(
            SERVICE,
            &officer,
            "convenes a meeting in the hall of the land office; its announcement was made by itself",
        )?;
        let hold = HoldMeetingRequest {
            request_id: request_id("hold", &meeting_id),
            meeting_id,
            attendance: 41,
            attended: "The land office and the village heads".to_owned(),
            handed_over_by: officer.clone(),
        };
        let mut desk = self.clarifier.clarification(&self.office);
        self.office.ask(SERVICE, desk.hold_meeting(hold)).await?;
        let of = format!("the meeting for {}", now.clarification_id);
        let cleared = self.news(SERVICE, &of, async || {
            let now = self.clarification(ids).await?;
            Ok(now.filter(|now| now.state() != ClarificationState::Approved))
        });
        cleared.await?;
        self.tell(
            SERVICE,
            &officer,
            "records that it was held: 41 people heard it, her name is cleared, and she got the letter",
        )
    }

    /// Nobody comes to what was not announced; one that was held already is not announced any more.
    async fn await_announcement(&self, meeting_id: &str) -> Result<()> {
        let of = format!("the announcement of the meeting {meeting_id}");
        let announced = self.news(SERVICE, &of, async || {
            let mut desk = self.clarifier.clarification(&self.office);
            let question = desk.get_meeting(GetMeetingRequest {
                meeting_id: meeting_id.to_owned(),
            });
            let found = self.office.ask(SERVICE, question).await?.meeting;
            let found = found.unwrap_or_default();
            let done = !found.documents.is_empty() || found.state() != MeetingState::Convened;
            Ok(done.then_some(()))
        });
        announced.await
    }

    async fn confirm(&mut self, ids: &Ids, now: &Clarification) -> Result<()> {
        let of = format!("its number for {}", now.clarification_id);
        let numbered = self.news("the ledger", &of, async || {
            let now = self.clarification(ids).await?;
            Ok(now.and_then(|now| now.ledger))
        });
        let entry = numbered.await?;
        let text = format!(
            "entered it by itself in the ledger of {} for {}: number {}",
            entry.unit, entry.year, entry.number
        );
        self.tell(SERVICE, "The service", &text)?;
        let request = ConfirmClarificationRequest {
            request_id: request_id(
                "confirm",
                &format!("{}:{}", now.clarification_id, entry.number),
            ),
            clarification_id: now.clarification_id.clone(),
        };
        let mut desk = self.personnel.clarification(&self.office);
        let answer = desk.confirm_clarification(request);
        self.office.ask(SERVICE, answer).await?;
        let personnel = self.personnel.actor.id.to_string();
        self.tell(
            SERVICE,
            &personnel,
            "takes note for the organisation department: confirmed",
        )
    }

    /// Waits until follow-up has heard that the name is cleared; the file's id.
    pub(super) async fn hear_of_aftercare(
        &mut self,
        ids: &Ids,
        clarification: &str,
    ) -> Result<String> {
        let [visitor, _] = self.visitors.clone();
        let of = format!("the clarification {clarification}");
        let heard = self.news("follow_up", &of, async || {
            let mut follow_up = visitor.follow_up(&self.office);
            let question = follow_up.get_file(GetFileRequest {
                file_id: String::new(),
                subject_id: ids.subject.clone(),
            });
            match self.office.ask("follow_up", question).await {
                Ok(answer) => Ok(answer.file.and_then(|file| {
                    let mut items = file.aftercare.iter();
                    let item = items.find(|item| item.clarification_id == clarification)?;
                    Some((file.file_id.clone(), item.due_on.clone()))
                })),
                Err(refused) if refused.refusal.code == "NOT_FOUND" => Ok(None),
                Err(refused) => Err(refused.into()),
            }
        });
        let (file, due_on) = heard.await?;
        let text = format!(
            "heard of it by an event and opened her file for aftercare; how it worked is looked at on {due_on}: file {file}"
        );
        self.tell("follow_up", "The service", &text)?;
        Ok(file)
    }
}

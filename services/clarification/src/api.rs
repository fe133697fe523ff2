//! The gRPC service: a line for each method. What a request means stands in [`requests`], for gRPC and queue alike; how a
//! clarification is shown in [`shown`].
//!
//! To add a command: its `Request` there, its line here and in `lib.rs`, its name in the policy's table of permissions.
//! A question is permitted by its name first; then a single aggregate admits its visitor, and a list or a count is
//! limited to what the actor may see.

mod requests;
mod shown;

use chassis::Front;
use chassis::question::{self, Page, Reach, invalid, unavailable};
use chassis::server::LARGEST_MESSAGE;
use office::{Actor, ClarificationId, Role, SubjectId, TextId, Unit, UnitCode, Units};
use proto::clarification as v1;
use proto::clarification::clarification_service_server::{
    ClarificationService, ClarificationServiceServer,
};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::ClarificationOffice;
use crate::clarification::Clarification;
use crate::conclusion::clarification_of;
use crate::integrity::{IntegrityFile, file_of};
use crate::meeting::Meeting;
use crate::printing::{DOCUMENT_ERASED, Document, NO_DOCUMENT};
use crate::views::figures::{Counting, Figures};
use crate::views::{self, OfLedger};

/// The gRPC service over the front of the house.
pub(crate) struct Api {
    front: Front,
}

/// The routes that the process serves.
pub(crate) fn routes(front: Front, mut routes: RoutesBuilder) -> RoutesBuilder {
    routes.add_service(
        ClarificationServiceServer::new(Api { front }).max_decoding_message_size(LARGEST_MESSAGE),
    );
    routes
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait::async_trait]
impl ClarificationService for Api {
    async fn apply_for_clarification(
        &self,
        request: Request<v1::ApplyForClarificationRequest>,
    ) -> Answer<v1::ApplyForClarificationResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn record_opinion(
        &self,
        request: Request<v1::RecordOpinionRequest>,
    ) -> Answer<v1::RecordOpinionResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn withdraw_objection(
        &self,
        request: Request<v1::WithdrawObjectionRequest>,
    ) -> Answer<v1::WithdrawObjectionResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn record_wish(
        &self,
        request: Request<v1::RecordWishRequest>,
    ) -> Answer<v1::RecordWishResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn record_unreachable(
        &self,
        request: Request<v1::RecordUnreachableRequest>,
    ) -> Answer<v1::RecordUnreachableResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn decide_form(
        &self,
        request: Request<v1::DecideFormRequest>,
    ) -> Answer<v1::DecideFormResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn draft_statement(
        &self,
        request: Request<v1::DraftStatementRequest>,
    ) -> Answer<v1::DraftStatementResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn return_draft(
        &self,
        request: Request<v1::ReturnDraftRequest>,
    ) -> Answer<v1::ReturnDraftResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn approve_clarification(
        &self,
        request: Request<v1::ApproveClarificationRequest>,
    ) -> Answer<v1::ApproveClarificationResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn carry_out_clarification(
        &self,
        request: Request<v1::CarryOutClarificationRequest>,
    ) -> Answer<v1::CarryOutClarificationResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn convene_meeting(
        &self,
        request: Request<v1::ConveneMeetingRequest>,
    ) -> Answer<v1::ConveneMeetingResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn cancel_meeting(
        &self,
        request: Request<v1::CancelMeetingRequest>,
    ) -> Answer<v1::CancelMeetingResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn hold_meeting(
        &self,
        request: Request<v1::HoldMeetingRequest>,
    ) -> Answer<v1::HoldMeetingResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn confirm_clarification(
        &self,
        request: Request<v1::ConfirmClarificationRequest>,
    ) -> Answer<v1::ConfirmClarificationResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn declare_clarification_conflict(
        &self,
        request: Request<v1::DeclareClarificationConflictRequest>,
    ) -> Answer<v1::DeclareClarificationConflictResponse> {
        self.front.call::<ClarificationOffice, _>(request).await
    }

    async fn get_clarification(
        &self,
        request: Request<v1::GetClarificationRequest>,
    ) -> Answer<v1::GetClarificationResponse> {
        let actor = self.front.permit(&request, "GetClarification")?;
        let id = named(request.get_ref())?;
        let (version, state) = self.front.state::<Clarification>(&actor, id.uuid()).await?;
        let profile = self.front.profile();
        let clarification = shown::clarification(id, version, &state, &profile);
        Ok(Response::new(v1::GetClarificationResponse {
            clarification,
        }))
    }

    async fn list_clarifications(
        &self,
        request: Request<v1::ListClarificationsRequest>,
    ) -> Answer<v1::ListClarificationsResponse> {
        let actor = self.front.permit(&request, "ListClarifications")?;
        let request = request.get_ref();
        let wanted = wanted(request, &actor)?;
        let page = Page::asked(request.page_size, &request.page_token, |token| {
            Uuid::parse_str(token).ok()
        })?;
        let listed = views::list(self.front.pool(), &self.reach(&actor), &wanted, &page)
            .await
            .map_err(unavailable)?;
        let (listed, next_page_token) = page.cut(listed, |row| row.id.to_string());
        Ok(Response::new(v1::ListClarificationsResponse {
            clarifications: listed.into_iter().map(shown::line).collect(),
            next_page_token,
        }))
    }

    async fn get_meeting(
        &self,
        request: Request<v1::GetMeetingRequest>,
    ) -> Answer<v1::GetMeetingResponse> {
        let actor = self.front.permit(&request, "GetMeeting")?;
        let id: Uuid = question::id("meeting_id", &request.get_ref().meeting_id)?;
        let (version, state) = self.front.state::<Meeting>(&actor, id).await?;
        let agenda = state.agenda();
        let meeting = agenda.map(|agenda| shown::meetings::meeting(id, version, agenda));
        Ok(Response::new(v1::GetMeetingResponse { meeting }))
    }

    async fn list_meetings(
        &self,
        request: Request<v1::ListMeetingsRequest>,
    ) -> Answer<v1::ListMeetingsResponse> {
        let actor = self.front.permit(&request, "ListMeetings")?;
        let request = request.get_ref();
        let state = v1::MeetingState::try_from(request.state)
            .map_err(|_| invalid("state", "must be one of the enum's values"))?;
        let wanted = views::meetings::Wanted {
            unit: request.unit.clone(),
            state: shown::meetings::standing_of(state),
        };
        let page = Page::asked(request.page_size, &request.page_token, |token| {
            Uuid::parse_str(token).ok()
        })?;
        let listed = views::meetings::list(self.front.pool(), &self.reach(&actor), &wanted, &page)
            .await
            .map_err(unavailable)?;
        let (listed, next_page_token) = page.cut(listed, |row| row.id.to_string());
        Ok(Response::new(v1::ListMeetingsResponse {
            meetings: listed.into_iter().map(shown::meetings::line).collect(),
            next_page_token,
        }))
    }

    async fn list_ledger(
        &self,
        request: Request<v1::ListLedgerRequest>,
    ) -> Answer<v1::ListLedgerResponse> {
        let actor = self.front.permit(&request, "ListLedger")?;
        let request = request.get_ref();
        if request.unit.is_empty() {
            return Err(invalid("unit", "must be the code of a unit"));
        }
        if request.year < 1 {
            return Err(invalid("year", "must be a calendar year"));
        }
        let page = Page::asked(request.page_size, &request.page_token, |token| {
            token.parse().ok()
        })?;
        let of = OfLedger {
            unit: &request.unit,
            year: request.year,
            keeps_records: actor.has(Role::PersonnelOfficer),
        };
        let lines = views::ledger(self.front.pool(), &self.reach(&actor), &of, &page)
            .await
            .map_err(unavailable)?;
        let (lines, next_page_token) = page.cut(lines, |line| line.number.to_string());
        let entry = |line| shown::ledger_entry(&request.unit, request.year, line);
        Ok(Response::new(v1::ListLedgerResponse {
            entries: lines.into_iter().map(entry).collect(),
            next_page_token,
        }))
    }

    async fn get_integrity_file(
        &self,
        request: Request<v1::GetIntegrityFileRequest>,
    ) -> Answer<v1::GetIntegrityFileResponse> {
        let actor = self.front.permit(&request, "GetIntegrityFile")?;
        let subject: SubjectId = question::id("subject_id", &request.get_ref().subject_id)?;
        let (version, state) = self
            .front
            .state::<IntegrityFile>(&actor, file_of(subject))
            .await?;
        Ok(Response::new(shown::integrity_file(
            subject, version, &state,
        )))
    }

    async fn get_text(&self, request: Request<v1::GetTextRequest>) -> Answer<v1::GetTextResponse> {
        let actor = self.front.permit(&request, "GetText")?;
        let id: TextId = question::id("text_id", &request.get_ref().text_id)?;
        let shown = self.front.text(&actor, id).await?;
        Ok(Response::new(v1::GetTextResponse {
            text_id: id.to_string(),
            text: shown.text,
            digest: shown.digest,
        }))
    }

    async fn get_document(
        &self,
        request: Request<v1::GetDocumentRequest>,
    ) -> Answer<v1::GetDocumentResponse> {
        let actor = self.front.permit(&request, "GetDocument")?;
        let request = request.get_ref();
        let kind = shown::document_kind_of(request.kind())
            .ok_or_else(|| invalid("kind", "must be one of the enum's values"))?;
        let documents = self.documents(&actor, request).await?;
        let document = documents.iter().find(|document| document.kind == kind);
        let document = document.ok_or_else(|| NO_DOCUMENT.status())?;
        let content = self.front.bytes(&actor, document.bytes.id).await?;
        Ok(Response::new(v1::GetDocumentResponse {
            document: Some(shown::document(document)),
            content: content.ok_or_else(|| DOCUMENT_ERASED.status())?,
        }))
    }

    async fn get_statistics(
        &self,
        request: Request<v1::GetStatisticsRequest>,
    ) -> Answer<v1::GetStatisticsResponse> {
        let actor = self.front.permit(&request, "GetStatistics")?;
        let profile = self.front.profile();
        let counting = counting(request.get_ref(), self.reach(&actor), &profile.units)?;
        let (total, by_unit) = views::figures::count(self.front.pool(), &counting)
            .await
            .map_err(unavailable)?;
        let by_unit = by_unit.into_iter();
        let by_unit = by_unit.map(|(unit, counted)| v1::UnitFigures {
            unit,
            figures: figures(counted),
        });
        Ok(Response::new(v1::GetStatisticsResponse {
            figures: figures(total),
            units: by_unit.collect(),
        }))
    }
}

impl Api {
    /// The documents of the clarification or the meeting that a question names.
    async fn documents(
        &self,
        actor: &Actor,
        request: &v1::GetDocumentRequest,
    ) -> Result<Vec<Document>, Status> {
        let round = u32::try_from(request.round);
        let round = round.map_err(|_| invalid("round", "must not be negative"))?;
        match (&*request.clarification_id, &*request.meeting_id) {
            (id, "") => {
                let id: ClarificationId = question::id("clarification_id", id)?;
                let (_, state) = self.front.state::<Clarification>(actor, id.uuid()).await?;
                let dossier = state.dossier();
                Ok(dossier.map_or_else(Vec::new, |dossier| dossier.documents_of(round).to_vec()))
            }
            ("", _) if round > 0 => Err(invalid("round", "must be 0 where meeting_id is given")),
            ("", id) => {
                let id: Uuid = question::id("meeting_id", id)?;
                let (_, state) = self.front.state::<Meeting>(actor, id).await?;
                let agenda = state.agenda();
                Ok(agenda.map_or_else(Vec::new, |agenda| agenda.documents.clone()))
            }
            _ => Err(invalid(
                "meeting_id",
                "must be empty where clarification_id is given",
            )),
        }
    }

    fn reach(&self, actor: &Actor) -> Reach {
        Reach::of(actor, &self.front.profile(), &self.front.secrets())
    }
}

fn figures(counted: Figures) -> Vec<v1::Figure> {
    let figure = |(key, count)| v1::Figure { key, count };
    counted.into_iter().map(figure).collect()
}

/// What a question asks to count, as far as the actor sees it.
fn counting<'a>(
    request: &'a v1::GetStatisticsRequest,
    reach: Reach,
    units: &Units,
) -> Result<Counting<'a>, Status> {
    let asked = match request.unit.as_str() {
        "" => reach.units,
        code => {
            let code: Option<UnitCode> = code.parse().ok();
            let unit = code.filter(|code| units.get(code).is_some());
            let unit =
                unit.ok_or_else(|| invalid("unit", "must be the code of a unit of the hierarchy"))?;
            let below = units.below(&unit).into_iter();
            let below = below.map(|unit| unit.code.to_string());
            let seen = |code: &String| reach.units.as_ref().is_none_or(|seen| seen.contains(code));
            Some(below.filter(seen).collect())
        }
    };
    let is_asked = |unit: &Unit| {
        asked
            .as_ref()
            .is_none_or(|asked| asked.iter().any(|code| unit.code.as_str() == code))
    };
    let chosen = units.iter().filter(|unit| is_asked(unit));
    let above = chosen.flat_map(|unit| {
        let upper = units.upwards(&unit.code).filter(|upper| is_asked(upper));
        upper.map(|upper| (unit.code.to_string(), upper.code.to_string()))
    });
    Ok(Counting {
        source: &request.source,
        above: above.collect(),
        from: question::optional_date("from", &request.from)?,
        until: question::optional_date("until", &request.until)?,
        units: asked,
    })
}

/// The clarification that a question names, by its own id or by matter and subject.
fn named(request: &v1::GetClarificationRequest) -> Result<ClarificationId, Status> {
    let by_matter = (request.matter_id.as_str(), request.subject_id.as_str());
    match (request.clarification_id.as_str(), by_matter) {
        ("", (matter, subject)) => Ok(clarification_of(
            question::id("matter_id", matter)?,
            question::id("subject_id", subject)?,
        )),
        (id, ("", "")) => question::id("clarification_id", id),
        _ => Err(invalid(
            "clarification_id",
            "must be empty where matter_id and subject_id are given",
        )),
    }
}

fn wanted(request: &v1::ListClarificationsRequest, actor: &Actor) -> Result<views::Wanted, Status> {
    let state = v1::ClarificationState::try_from(request.state)
        .map_err(|_| invalid("state", "must be one of the enum's values"))?;
    let notice = v1::DeadlineNotice::try_from(request.notice)
        .map_err(|_| invalid("notice", "must be one of the enum's values"))?;
    Ok(views::Wanted {
        state: shown::standing_of(state),
        source: request.source.clone(),
        matter: question::optional_id("matter_id", &request.matter_id)?,
        subject: question::optional_id("subject_id", &request.subject_id)?,
        notice: shown::notice_of(notice),
        unreachable: request.unreachable,
        keeps_records: actor.has(Role::PersonnelOfficer),
    })
}

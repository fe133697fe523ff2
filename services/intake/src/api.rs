//! Intake's contract: a line a command, a few a question. From a request to a command and back stands beside it, in
//! [`report`], [`matter`], [`subject`] and [`erasure`].

pub mod erasure;
pub mod matter;
pub mod report;
pub mod subject;

use chassis::Front;
use chassis::question::{self, Reach, unavailable};
use chassis::request::FollowUp;
use chassis::server::LARGEST_MESSAGE;
use office::{Actor, TextId};
use proto::intake::intake_service_server::{IntakeService, IntakeServiceServer};
use proto::intake::*;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::Intake;
use crate::report::Command;
use crate::report::receipt::ReceiptCode;
use crate::views;

/// Intake's counter.
pub struct Api {
    front: Front,
}

/// Intake's routes.
pub fn routes(front: Front, mut routes: RoutesBuilder) -> RoutesBuilder {
    routes.add_service(
        IntakeServiceServer::new(Api { front }).max_decoding_message_size(LARGEST_MESSAGE),
    );
    routes
}

/// What a method answers.
type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IntakeService for Api {
    async fn register_subject(
        &self,
        request: Request<RegisterSubjectRequest>,
    ) -> Answer<RegisterSubjectResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn submit_report(
        &self,
        request: Request<SubmitReportRequest>,
    ) -> Answer<SubmitReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn add_material(
        &self,
        request: Request<AddMaterialRequest>,
    ) -> Answer<AddMaterialResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn accept_report(
        &self,
        request: Request<AcceptReportRequest>,
    ) -> Answer<AcceptReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn join_report(&self, request: Request<JoinReportRequest>) -> Answer<JoinReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn decline_report(
        &self,
        request: Request<DeclineReportRequest>,
    ) -> Answer<DeclineReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn transfer_report(
        &self,
        request: Request<TransferReportRequest>,
    ) -> Answer<TransferReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn withdraw_report(
        &self,
        request: Request<WithdrawReportRequest>,
    ) -> Answer<WithdrawReportResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn identify_subject(
        &self,
        request: Request<IdentifySubjectRequest>,
    ) -> Answer<IdentifySubjectResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn raise_level(&self, request: Request<RaiseLevelRequest>) -> Answer<RaiseLevelResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn erase_report_text(
        &self,
        request: Request<EraseReportTextRequest>,
    ) -> Answer<EraseReportTextResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn erase_subject_text(
        &self,
        request: Request<EraseSubjectTextRequest>,
    ) -> Answer<EraseSubjectTextResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn erase_matter_text(
        &self,
        request: Request<EraseMatterTextRequest>,
    ) -> Answer<EraseMatterTextResponse> {
        self.front.call::<Intake, _>(request).await
    }

    async fn get_subject(&self, request: Request<GetSubjectRequest>) -> Answer<GetSubjectResponse> {
        let actor = self.front.permit(&request, "GetSubject")?;
        let id: Uuid = question::id("subject_id", &request.get_ref().subject_id)?;
        let (version, state) = self
            .front
            .state::<crate::subject::Subject>(&actor, id)
            .await?;
        subject::shown(version, &state).map(Response::new)
    }

    async fn get_receipt(&self, request: Request<GetReceiptRequest>) -> Answer<GetReceiptResponse> {
        let actor = self.front.permit(&request, "GetReceipt")?;
        let receipt = request.into_inner();
        let id: Uuid = question::id("report_id", &receipt.report_id)?;
        // Without the code there is nothing here, whether or not there is such a report.
        let nothing = || crate::report::receipt::RECEIPT_CODE_WRONG.status();
        let report = self.front.state::<crate::report::Report>(&actor, id).await;
        let (mut version, state) = match report {
            Ok(found) => found,
            Err(status) if status.code() == tonic::Code::NotFound => return Err(nothing()),
            Err(status) => return Err(status),
        };
        let code = ReceiptCode::typed(&receipt.receipt_code);
        let filed =
            report::with_code(&state, code.as_ref(), &self.front.secrets()).ok_or_else(nothing)?;
        if !filed.receipt_used {
            // From here on a repeated submit replaces it no more; where one was faster, the code is wrong by now.
            let looks = FollowUp {
                method: "UseReceipt",
                command: Command::UseReceipt { receipt: code },
            };
            let used = self
                .front
                .follow_up::<crate::report::Report>(&actor, id, looks)
                .await;
            version = used.map_err(|refusal| refusal.status())?.0;
        }
        let (case_state, names_cleared) = match filed.matter() {
            None => (CaseState::Unspecified, 0),
            Some(id) => match self
                .front
                .state::<crate::matter::Matter>(&actor, id.into())
                .await
            {
                Ok((_, state)) => matter::seen_by_reporter(&state, filed),
                // It follows the report's acceptance in a moment.
                Err(status) if status.code() == tonic::Code::NotFound => {
                    (CaseState::Unspecified, 0)
                }
                Err(status) => return Err(status),
            },
        };
        Ok(Response::new(GetReceiptResponse {
            report_id: id.to_string(),
            state: report::stage(&filed.stage).into(),
            case_state: case_state.into(),
            version,
            names_cleared,
        }))
    }

    async fn get_report(&self, request: Request<GetReportRequest>) -> Answer<GetReportResponse> {
        let actor = self.front.permit(&request, "GetReport")?;
        let id: Uuid = question::id("report_id", &request.get_ref().report_id)?;
        let (version, state) = self
            .front
            .state::<crate::report::Report>(&actor, id)
            .await?;
        let report = state.filed().map(|filed| report::shown(id, version, filed));
        Ok(Response::new(GetReportResponse { report }))
    }

    async fn list_reports(
        &self,
        request: Request<ListReportsRequest>,
    ) -> Answer<ListReportsResponse> {
        let actor = self.front.permit(&request, "ListReports")?;
        report::list(self.front.pool(), &self.reach(&actor), request.get_ref()).await
    }

    async fn list_candidates(
        &self,
        request: Request<ListCandidatesRequest>,
    ) -> Answer<ListCandidatesResponse> {
        let actor = self.front.permit(&request, "ListCandidates")?;
        let id: Uuid = question::id("report_id", &request.get_ref().report_id)?;
        let (_, state) = self
            .front
            .state::<crate::report::Report>(&actor, id)
            .await?;
        let Some(filed) = state.filed() else {
            return Ok(Response::new(ListCandidatesResponse::default()));
        };
        let (profile, reach) = (self.front.profile(), self.reach(&actor));
        let found = views::candidates(self.front.pool(), &profile, &reach, filed)
            .await
            .map_err(unavailable)?;
        let candidates = found.into_iter().map(matter::candidate).collect();
        Ok(Response::new(ListCandidatesResponse { candidates }))
    }

    async fn get_matter(&self, request: Request<GetMatterRequest>) -> Answer<GetMatterResponse> {
        let actor = self.front.permit(&request, "GetMatter")?;
        let id: Uuid = question::id("matter_id", &request.get_ref().matter_id)?;
        let (version, state) = self
            .front
            .state::<crate::matter::Matter>(&actor, id)
            .await?;
        let matter = state.open().map(|open| matter::shown(id, version, open));
        Ok(Response::new(GetMatterResponse { matter }))
    }

    async fn get_text(&self, request: Request<GetTextRequest>) -> Answer<GetTextResponse> {
        let actor = self.front.permit(&request, "GetText")?;
        let id: TextId = question::id("text_id", &request.get_ref().text_id)?;
        let shown = self.front.text(&actor, id).await?;
        Ok(Response::new(GetTextResponse {
            text_id: id.to_string(),
            text: shown.text,
            digest: shown.digest,
        }))
    }

    /// Figures name nobody, so they are not restricted to the actor's unit: a register's figures are the same for all.
    async fn get_statistics(
        &self,
        request: Request<GetStatisticsRequest>,
    ) -> Answer<GetStatisticsResponse> {
        self.front.permit(&request, "GetStatistics")?;
        let counted = views::figures(self.front.pool(), &request.get_ref().source)
            .await
            .map_err(unavailable)?;
        let figures = counted
            .into_iter()
            .map(|(key, count)| Figure { key, count })
            .collect();
        Ok(Response::new(GetStatisticsResponse { figures }))
    }
}

impl Api {
    fn reach(&self, actor: &Actor) -> Reach {
        Reach::of(actor, &self.front.profile(), &self.front.secrets())
    }
}

fn text_ref(text: &chassis::aggregate::TextRef) -> proto::office::TextRef {
    proto::office::TextRef {
        text_id: text.id.to_string(),
        digest: chassis::hexadecimal::encode(&text.digest),
    }
}

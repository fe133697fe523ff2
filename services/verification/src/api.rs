//! The gRPC service: a line for each method. What a request means stands in [`requests`], for gRPC and queue alike.
//!
//! To add a command: its `Request` there, its line here and in `lib.rs`, its name in the policy's table of permissions.
//! A question is permitted by its name first; then a single case admits its visitor, and a list or a count is limited
//! to the units that the actor may see.

mod harm;
mod requests;
mod sanctions;
mod tolerance;

use chassis::Front;
use chassis::question::{self, Page, Reach, invalid, unavailable};
use chassis::server::LARGEST_MESSAGE;
use office::{Actor, CaseId, Role, SubjectId, TextId};
use proto::verification as v1;
use proto::verification::verification_service_server::{
    VerificationService, VerificationServiceServer,
};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::tolerance::Reader;
use crate::Verification;
use crate::announcements::{outcome, subject_harm, subject_kind};
use crate::case::{Case, RECUSED, State, case_of};
use crate::sanctions::{self as persons, Sanctions, sanctions_of};
use crate::views::{self, Listed, Standing, Wanted};

/// The gRPC service over the front of the house.
pub(crate) struct Api {
    front: Front,
}

/// The routes that the process serves.
pub(crate) fn routes(front: Front, mut routes: RoutesBuilder) -> RoutesBuilder {
    routes.add_service(
        VerificationServiceServer::new(Api { front }).max_decoding_message_size(LARGEST_MESSAGE),
    );
    routes
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait::async_trait]
impl VerificationService for Api {
    async fn assign_investigators(
        &self,
        request: Request<v1::AssignInvestigatorsRequest>,
    ) -> Answer<v1::AssignInvestigatorsResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn declare_conflict(
        &self,
        request: Request<v1::DeclareConflictRequest>,
    ) -> Answer<v1::DeclareConflictResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn record_evidence(
        &self,
        request: Request<v1::RecordEvidenceRequest>,
    ) -> Answer<v1::RecordEvidenceResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn propose_findings(
        &self,
        request: Request<v1::ProposeFindingsRequest>,
    ) -> Answer<v1::ProposeFindingsResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn return_findings(
        &self,
        request: Request<v1::ReturnFindingsRequest>,
    ) -> Answer<v1::ReturnFindingsResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn approve_findings(
        &self,
        request: Request<v1::ApproveFindingsRequest>,
    ) -> Answer<v1::ApproveFindingsResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn suspend_case(
        &self,
        request: Request<v1::SuspendCaseRequest>,
    ) -> Answer<v1::SuspendCaseResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn resume_case(
        &self,
        request: Request<v1::ResumeCaseRequest>,
    ) -> Answer<v1::ResumeCaseResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn discontinue_case(
        &self,
        request: Request<v1::DiscontinueCaseRequest>,
    ) -> Answer<v1::DiscontinueCaseResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn reopen_case(
        &self,
        request: Request<v1::ReopenCaseRequest>,
    ) -> Answer<v1::ReopenCaseResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn propose_tolerance(
        &self,
        request: Request<v1::ProposeToleranceRequest>,
    ) -> Answer<v1::ProposeToleranceResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn return_tolerance(
        &self,
        request: Request<v1::ReturnToleranceRequest>,
    ) -> Answer<v1::ReturnToleranceResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn approve_tolerance(
        &self,
        request: Request<v1::ApproveToleranceRequest>,
    ) -> Answer<v1::ApproveToleranceResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn record_sanction(
        &self,
        request: Request<v1::RecordSanctionRequest>,
    ) -> Answer<v1::RecordSanctionResponse> {
        self.front.call::<Verification, _>(request).await
    }

    async fn get_sanctions(
        &self,
        request: Request<v1::GetSanctionsRequest>,
    ) -> Answer<v1::GetSanctionsResponse> {
        let actor = self.front.permit(&request, "GetSanctions")?;
        let person: SubjectId = question::id("subject_id", &request.get_ref().subject_id)?;
        let found = self.front.state::<Sanctions>(&actor, sanctions_of(person));
        let (version, state) = match found.await {
            // Of most people there are none; that is an answer, too.
            Err(status) if status.code() == tonic::Code::NotFound => (0, persons::State::default()),
            found => found?,
        };
        self.not_recused(&actor, sanctions_of(person)).await?;
        let cases: Vec<Uuid> = state.tolerance.keys().map(|case| case.uuid()).collect();
        let standing = views::standing(self.front.pool(), &cases).await;
        let standing = standing.map_err(unavailable)?;
        let reader = self.reader(&actor);
        let shown = sanctions::shown(person, version, &state, reader, |case| {
            standing.get(&case.uuid()).copied()
        });
        Ok(Response::new(shown))
    }

    async fn get_case(&self, request: Request<v1::GetCaseRequest>) -> Answer<v1::GetCaseResponse> {
        let actor = self.front.permit(&request, "GetCase")?;
        let id = named_case(request.get_ref())?;
        let (version, state) = self.front.state::<Case>(&actor, id.uuid()).await?;
        Ok(Response::new(v1::GetCaseResponse {
            case: shown(id, version, &state),
        }))
    }

    async fn list_cases(
        &self,
        request: Request<v1::ListCasesRequest>,
    ) -> Answer<v1::ListCasesResponse> {
        let actor = self.front.permit(&request, "ListCases")?;
        let request = request.get_ref();
        let page = Page::asked(request.page_size, &request.page_token, |token| {
            Uuid::parse_str(token).ok()
        })?;
        let wanted = wanted(request)?;
        let listed = views::list(self.front.pool(), &self.reach(&actor), &wanted, &page)
            .await
            .map_err(unavailable)?;
        let (listed, next_page_token) = page.cut(listed, |row| row.id.to_string());
        Ok(Response::new(v1::ListCasesResponse {
            cases: listed.into_iter().map(line).collect(),
            next_page_token,
        }))
    }

    async fn get_text(&self, request: Request<v1::GetTextRequest>) -> Answer<v1::GetTextResponse> {
        let actor = self.front.permit(&request, "GetText")?;
        let id: TextId = question::id("text_id", &request.get_ref().text_id)?;
        let shown = self.front.text(&actor, id).await?;
        self.not_recused(&actor, shown.owner).await?;
        Ok(Response::new(v1::GetTextResponse {
            text_id: id.to_string(),
            text: shown.text,
            digest: shown.digest,
        }))
    }

    async fn get_statistics(
        &self,
        request: Request<v1::GetStatisticsRequest>,
    ) -> Answer<v1::GetStatisticsResponse> {
        let actor = self.front.permit(&request, "GetStatistics")?;
        let source = &request.get_ref().source;
        let figures = views::figures(self.front.pool(), &self.reach(&actor), source)
            .await
            .map_err(unavailable)?;
        let figure = |(key, count)| v1::Figure { key, count };
        Ok(Response::new(v1::GetStatisticsResponse {
            figures: figures.into_iter().map(figure).collect(),
        }))
    }
}

impl Api {
    fn reach(&self, actor: &Actor) -> Reach {
        Reach::of(actor, &self.front.profile(), &self.front.secrets())
    }

    /// Refuses what is recorded of a person to who is recused from one of its cases by now: a conflict may be declared, a
    /// reporter may join after something was recorded.
    async fn not_recused(&self, actor: &Actor, person: Uuid) -> Result<(), Status> {
        let reach = self.reach(actor);
        let recused = views::recused_from_record(self.front.pool(), &reach, person).await;
        match recused.map_err(unavailable)? {
            true => Err(RECUSED.status()),
            false => Ok(()),
        }
    }

    /// As what this actor reads what is assessed.
    fn reader(&self, actor: &Actor) -> Reader {
        let profile = self.front.profile();
        let works_on_it = |method| profile.permits(actor, method);
        match works_on_it("ProposeTolerance")
            || works_on_it("ApproveTolerance")
            || actor.has(Role::Auditor)
        {
            true => Reader::WorksOnIt,
            false => Reader::Other,
        }
    }
}

/// The case that a question names, by its own id or by its matter's.
fn named_case(request: &v1::GetCaseRequest) -> Result<CaseId, Status> {
    match (request.case_id.as_str(), request.matter_id.as_str()) {
        (case, "") => question::id("case_id", case),
        ("", matter) => Ok(case_of(question::id("matter_id", matter)?)),
        _ => Err(invalid("matter_id", "must be empty where case_id is given")),
    }
}

fn wanted(request: &v1::ListCasesRequest) -> Result<Wanted, Status> {
    let state = v1::CaseState::try_from(request.state)
        .map_err(|_| invalid("state", "must be one of the enum's values"))?;
    Ok(Wanted {
        state: standing(state),
        source: request.source.clone(),
    })
}

fn standing(state: v1::CaseState) -> Option<Standing> {
    Some(match state {
        v1::CaseState::Unspecified => return None,
        v1::CaseState::Opened => Standing::Opened,
        v1::CaseState::Investigating => Standing::Investigating,
        v1::CaseState::Proposed => Standing::Proposed,
        v1::CaseState::Suspended => Standing::Suspended,
        v1::CaseState::Concluded => Standing::Concluded,
        v1::CaseState::Discontinued => Standing::Discontinued,
    })
}

fn case_state(standing: Option<Standing>) -> v1::CaseState {
    match standing {
        None => v1::CaseState::Unspecified,
        Some(Standing::Opened) => v1::CaseState::Opened,
        Some(Standing::Investigating) => v1::CaseState::Investigating,
        Some(Standing::Proposed) => v1::CaseState::Proposed,
        Some(Standing::Suspended) => v1::CaseState::Suspended,
        Some(Standing::Concluded) => v1::CaseState::Concluded,
        Some(Standing::Discontinued) => v1::CaseState::Discontinued,
    }
}

fn line(row: Listed) -> v1::CaseRow {
    v1::CaseRow {
        state: case_state(row.standing()).into(),
        case_id: row.id.to_string(),
        matter_id: row.matter.to_string(),
        unit: row.unit,
        source: row.source,
        due_on: row.due_on,
        allegations: row.allegations,
    }
}

/// A case as its visitors see it.
fn shown(id: CaseId, version: i64, state: &State) -> Option<v1::Case> {
    let dossier = state.dossier()?;
    let texts = |ids: &[office::EvidenceId]| ids.iter().map(ToString::to_string).collect();
    let finding = |allegation: &crate::case::Allegation| {
        let found = state
            .findings()
            .and_then(|findings| findings.get(&allegation.id));
        let (finding, closing_reason) = found.map(|found| outcome(found.outcome)).unzip();
        v1::CaseFinding {
            allegation_id: allegation.id.to_string(),
            subject_id: allegation.subject.to_string(),
            subject_kind: subject_kind(allegation.subject_kind).into(),
            category: allegation.category.clone(),
            finding: finding.unwrap_or_default().into(),
            closing_reason: closing_reason.unwrap_or_default().into(),
            local_word: found
                .map(|found| found.local_word.clone())
                .unwrap_or_default(),
            evidence_ids: found
                .map(|found| texts(&found.evidence))
                .unwrap_or_default(),
        }
    };
    let standing = match state {
        State::Concluded { .. } => v1::ConclusionStanding::Stands,
        _ if dossier.conclusions > 0 => v1::ConclusionStanding::Reopened,
        _ => v1::ConclusionStanding::None,
    };
    Some(v1::Case {
        case_id: id.to_string(),
        version,
        matter_id: dossier.matter.to_string(),
        source: dossier.source.clone(),
        unit: dossier.unit.to_string(),
        state: case_state(Standing::of(state)).into(),
        investigators: state
            .team()
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect(),
        findings: dossier.allegations.iter().map(finding).collect(),
        conclusion: dossier.conclusions,
        conclusion_standing: standing.into(),
        due_on: views::due_on(state)
            .map(|day| day.to_string())
            .unwrap_or_default(),
        evidence_ids: texts(&dossier.evidence),
        harms: state
            .harms()
            .into_iter()
            .flatten()
            .map(|(subject, harm)| subject_harm(*subject, harm))
            .collect(),
    })
}

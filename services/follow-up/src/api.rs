//! The gRPC service: a line for each method. What a request means stands in [`requests`], for gRPC and queue alike.
//!
//! To add a command: its `Request` there, its line here and in `lib.rs`, its name in the policy's table of permissions.
//! A question is permitted by its name first; then a single file admits its visitor, and a list or a count is limited
//! to the units that the actor may see.

mod requests;
mod shown;

use chassis::Front;
use chassis::question::{self, Page, Reach, invalid, unavailable};
use chassis::server::LARGEST_MESSAGE;
use office::{Actor, FileId, TextId};
use proto::follow_up as v1;
use proto::follow_up::follow_up_service_server::{FollowUpService, FollowUpServiceServer};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use crate::FollowUp;
use crate::file::{File, file_of};
use crate::views::{self, Place, Wanted};

/// The gRPC service over the front of the house.
pub(crate) struct Api {
    front: Front,
}

/// The routes that the process serves.
pub(crate) fn routes(front: Front, mut routes: RoutesBuilder) -> RoutesBuilder {
    let service = FollowUpServiceServer::new(Api { front });
    routes.add_service(service.max_decoding_message_size(LARGEST_MESSAGE));
    routes
}

type Answer<T> = Result<Response<T>, Status>;

#[async_trait::async_trait]
impl FollowUpService for Api {
    async fn plan_visits(
        &self,
        request: Request<v1::PlanVisitsRequest>,
    ) -> Answer<v1::PlanVisitsResponse> {
        self.front.call::<FollowUp, _>(request).await
    }

    async fn record_visit(
        &self,
        request: Request<v1::RecordVisitRequest>,
    ) -> Answer<v1::RecordVisitResponse> {
        self.front.call::<FollowUp, _>(request).await
    }

    async fn record_assessment(
        &self,
        request: Request<v1::RecordAssessmentRequest>,
    ) -> Answer<v1::RecordAssessmentResponse> {
        self.front.call::<FollowUp, _>(request).await
    }

    async fn check_aftercare(
        &self,
        request: Request<v1::CheckAftercareRequest>,
    ) -> Answer<v1::CheckAftercareResponse> {
        self.front.call::<FollowUp, _>(request).await
    }

    async fn get_file(&self, request: Request<v1::GetFileRequest>) -> Answer<v1::GetFileResponse> {
        let actor = self.front.permit(&request, "GetFile")?;
        let id = named_file(request.get_ref())?;
        let (version, state) = self.front.state::<File>(&actor, id.uuid()).await?;
        Ok(Response::new(v1::GetFileResponse {
            file: shown::file(id, version, &state),
        }))
    }

    async fn list_files(
        &self,
        request: Request<v1::ListFilesRequest>,
    ) -> Answer<v1::ListFilesResponse> {
        let actor = self.front.permit(&request, "ListFiles")?;
        let request = request.get_ref();
        let page = Page::asked(request.page_size, &request.page_token, Place::read)?;
        let wanted = wanted(request)?;
        let listed = views::list(self.front.pool(), &self.reach(&actor), &wanted, &page)
            .await
            .map_err(unavailable)?;
        let (listed, next_page_token) = page.cut(listed, |row| row.place().token());
        Ok(Response::new(v1::ListFilesResponse {
            files: listed.into_iter().map(shown::line).collect(),
            next_page_token,
        }))
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
}

/// The file that a question names, by its own id or by the person's.
fn named_file(request: &v1::GetFileRequest) -> Result<FileId, Status> {
    match (request.file_id.as_str(), request.subject_id.as_str()) {
        (file, "") => question::id("file_id", file),
        ("", subject) => Ok(file_of(question::id("subject_id", subject)?)),
        _ => Err(invalid(
            "subject_id",
            "must be empty where file_id is given",
        )),
    }
}

fn wanted(request: &v1::ListFilesRequest) -> Result<Wanted, Status> {
    let state = v1::FileState::try_from(request.state)
        .map_err(|_| invalid("state", "must be one of the enum's values"))?;
    Ok(Wanted {
        state: match state {
            v1::FileState::Unspecified => None,
            v1::FileState::Open => Some("open"),
            v1::FileState::Closed => Some("closed"),
        },
        source: request.source.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_id_or_the_persons() {
        let person = "00000000-0000-0000-0000-000000000030";
        let named = |file_id: &str, subject_id: &str| {
            named_file(&v1::GetFileRequest {
                file_id: file_id.to_owned(),
                subject_id: subject_id.to_owned(),
            })
        };
        let file = named("", person).expect("by the person");
        let same = named(&file.to_string(), "").expect("by the file");
        assert_eq!(file, same);
        for (file, subject) in [("", ""), (person, person), ("1", ""), ("", "1")] {
            let status = named(file, subject).expect_err("it names no file");
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
        }
    }

    #[test]
    fn files_are_wanted_in_a_state_that_there_is() {
        let request = |state| v1::ListFilesRequest {
            state,
            source: "register".to_owned(),
            ..v1::ListFilesRequest::default()
        };
        for (state, word) in [
            (v1::FileState::Unspecified, None),
            (v1::FileState::Open, Some("open")),
            (v1::FileState::Closed, Some("closed")),
        ] {
            let wanted = wanted(&request(state.into())).expect("there is this state");
            assert_eq!((wanted.state, wanted.source.as_str()), (word, "register"));
        }
        assert!(wanted(&request(99)).is_err());
    }

    #[test]
    fn a_page_begins_where_the_last_ended() {
        let asked = |token: &str| Page::asked(0, token, Place::read);
        for day in ["2026-04-05", "infinity"] {
            let token = format!("2.{day}.00000000-0000-0000-0000-000000000030");
            let page = asked(&token).expect("a page");
            assert_eq!(page.after.map(|place| place.token()), Some(token));
        }
        for token in [
            "1",
            "2.yesterday.00000000-0000-0000-0000-000000000030",
            "2.infinity.x",
        ] {
            assert!(asked(token).is_err(), "{token}");
        }
    }
}

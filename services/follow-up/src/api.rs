//! The gRPC service: a line for each method. What a request means stands in [`requests`], for gRPC and queue alike.
//!
//! To add a command: its `Request` there, its line here and in `lib.rs`, its name in the policy's table of permissions.
//! A question is permitted by its name first; then a single file admits its visitor, and a list or a count is limited
//! to the units that the actor may see.

mod requests;
mod shown;

use chassis::refusal::{INVALID_REQUEST, Refusal, UNAVAILABLE, Violation};
use chassis::server::LARGEST_MESSAGE;
use chassis::{Front, hexadecimal};
use office::{Actor, FileId, SubjectId, TextId, UnitCode};
use proto::follow_up as v1;
use proto::follow_up::follow_up_service_server::{FollowUpService, FollowUpServiceServer};
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::FollowUp;
use crate::file::{File, file_of};
use crate::views::{self, Page, Place, Scope};

/// How many lines a page has if the caller does not say.
const PAGE: i32 = 50;
/// How many lines a page has at most.
const LONGEST_PAGE: i32 = 200;

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
        let page = page(request.get_ref())?;
        let mut listed = views::list(self.front.pool(), &self.scope(&actor), &page)
            .await
            .map_err(unavailable)?;
        // One more was asked for than the page holds: whether it came says whether there is a next page.
        let full = i64::try_from(listed.len()).is_ok_and(|count| count == page.size);
        if full {
            listed.pop();
        }
        let last = listed.last().filter(|_| full);
        Ok(Response::new(v1::ListFilesResponse {
            next_page_token: last.map(|row| row.place().token()).unwrap_or_default(),
            files: listed.into_iter().map(shown::line).collect(),
        }))
    }

    async fn get_text(&self, request: Request<v1::GetTextRequest>) -> Answer<v1::GetTextResponse> {
        let actor = self.front.permit(&request, "GetText")?;
        let id: TextId = read_id("text_id", &request.get_ref().text_id)?.into();
        let (bytes, digest) = self.front.text(&actor, id).await?;
        Ok(Response::new(v1::GetTextResponse {
            text_id: id.to_string(),
            text: String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned(),
            digest: hexadecimal::encode(&digest),
        }))
    }

    async fn get_statistics(
        &self,
        request: Request<v1::GetStatisticsRequest>,
    ) -> Answer<v1::GetStatisticsResponse> {
        let actor = self.front.permit(&request, "GetStatistics")?;
        let source = &request.get_ref().source;
        let figures = views::figures(self.front.pool(), &self.scope(&actor), source)
            .await
            .map_err(unavailable)?;
        let figure = |(key, count): (&str, i64)| v1::Figure {
            key: key.to_owned(),
            count,
        };
        Ok(Response::new(v1::GetStatisticsResponse {
            figures: figures.into_iter().map(figure).collect(),
        }))
    }
}

impl Api {
    /// The units whose files an actor sees.
    fn scope(&self, actor: &Actor) -> Scope {
        let profile = self.front.profile();
        // Only who is bound by no unit is in scope where there is no unit.
        let everywhere = profile.in_scope(actor, &UnitCode::none());
        let units = (!everywhere).then(|| {
            let below = profile.units.below(&actor.unit);
            below.iter().map(|unit| unit.code.to_string()).collect()
        });
        Scope {
            units,
            actor: actor.id.to_string(),
        }
    }
}

fn unavailable(error: sqlx::Error) -> Status {
    UNAVAILABLE.with_note(error).status()
}

fn violation(field: &'static str, description: &'static str) -> Status {
    let violation = Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    };
    Refusal {
        violations: vec![violation],
        ..INVALID_REQUEST
    }
    .status()
}

fn read_id(field: &'static str, value: &str) -> Result<Uuid, Status> {
    Uuid::parse_str(value).map_err(|_| violation(field, "must be a UUID"))
}

/// The file that a question names, by its own id or by the person's.
fn named_file(request: &v1::GetFileRequest) -> Result<FileId, Status> {
    match (request.file_id.as_str(), request.subject_id.as_str()) {
        (file, "") => Ok(read_id("file_id", file)?.into()),
        ("", subject) => Ok(file_of(SubjectId::from(read_id("subject_id", subject)?))),
        _ => Err(violation(
            "subject_id",
            "must be empty where file_id is given",
        )),
    }
}

fn page(request: &v1::ListFilesRequest) -> Result<Page, Status> {
    let size = match request.page_size {
        ..0 => return Err(violation("page_size", "must not be negative")),
        0 => PAGE,
        given => given.min(LONGEST_PAGE),
    };
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(
            Place::read(token)
                .ok_or_else(|| violation("page_token", "must be one that an earlier page gave"))?,
        ),
    };
    let state = v1::FileState::try_from(request.state)
        .map_err(|_| violation("state", "must be one of the enum's values"))?;
    Ok(Page {
        state: match state {
            v1::FileState::Unspecified => None,
            v1::FileState::Open => Some("open"),
            v1::FileState::Closed => Some("closed"),
        },
        source: request.source.clone(),
        after,
        size: i64::from(size) + 1,
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
    fn a_page_is_as_long_as_it_may_be_and_begins_where_the_last_ended() {
        let request = |page_size, page_token: &str| v1::ListFilesRequest {
            page_size,
            page_token: page_token.to_owned(),
            state: v1::FileState::Open.into(),
            source: String::new(),
        };
        for (asked, given) in [(0, 51), (1, 2), (200, 201), (5000, 201)] {
            let page = page(&request(asked, "")).expect("a page");
            assert_eq!((page.size, page.state), (given, Some("open")));
        }
        for day in ["2026-04-05", "infinity"] {
            let token = format!("2.{day}.00000000-0000-0000-0000-000000000030");
            let page = page(&request(0, &token)).expect("a page");
            assert_eq!(page.after.map(|place| place.token()), Some(token));
        }
        for token in [
            "1",
            "2.yesterday.00000000-0000-0000-0000-000000000030",
            "2.infinity.x",
        ] {
            assert!(page(&request(0, token)).is_err(), "{token}");
        }
        assert!(page(&request(-1, "")).is_err());
    }
}

//! The feed.

use proto::chassis::feed_service_server::FeedService;
use proto::chassis::{ListEventsRequest, ListEventsResponse, ListHeadsRequest, ListHeadsResponse};
use tonic::{Request, Response, Status};

use crate::front::Front;

/// Answers from a service's journal what its public events were.
pub(crate) struct Feed {
    _front: Front,
}

impl Feed {
    /// Of the service with this front.
    pub(crate) fn new(front: Front) -> Self {
        Self { _front: front }
    }
}

#[tonic::async_trait]
impl FeedService for Feed {
    async fn list_events(
        &self,
        _request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_heads(
        &self,
        _request: Request<ListHeadsRequest>,
    ) -> Result<Response<ListHeadsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

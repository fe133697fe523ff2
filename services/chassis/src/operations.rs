//! Operations.

use proto::chassis::operations_service_server::OperationsService;
use proto::chassis::{
    ListHeldEventsRequest, ListHeldEventsResponse, ReadQuietRequest, ReadQuietResponse,
    RetryHeldEventRequest, RetryHeldEventResponse, SetClockRequest, SetClockResponse,
    ShowHeldEventRequest, ShowHeldEventResponse, SkipHeldEventRequest, SkipHeldEventResponse,
};
use tonic::{Request, Response, Status};

use crate::front::Front;

/// What an operator does.
pub(crate) struct Operations {
    _front: Front,
    _service: &'static str,
}

impl Operations {
    /// Of this service.
    pub(crate) fn new(front: Front, service: &'static str) -> Self {
        Self {
            _front: front,
            _service: service,
        }
    }
}

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn list_held_events(
        &self,
        _request: Request<ListHeldEventsRequest>,
    ) -> Result<Response<ListHeldEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn show_held_event(
        &self,
        _request: Request<ShowHeldEventRequest>,
    ) -> Result<Response<ShowHeldEventResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn retry_held_event(
        &self,
        _request: Request<RetryHeldEventRequest>,
    ) -> Result<Response<RetryHeldEventResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn skip_held_event(
        &self,
        _request: Request<SkipHeldEventRequest>,
    ) -> Result<Response<SkipHeldEventResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn read_quiet(
        &self,
        _request: Request<ReadQuietRequest>,
    ) -> Result<Response<ReadQuietResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn set_clock(
        &self,
        _request: Request<SetClockRequest>,
    ) -> Result<Response<SetClockResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

//! The journal for auditors.

use std::pin::Pin;

use proto::chassis::journal_service_server::JournalService;
use proto::chassis::{ExportRequest, ExportResponse, ListEntriesRequest, ListEntriesResponse};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use crate::front::Front;

/// Shows a service's journal.
pub(crate) struct Audit {
    _front: Front,
}

impl Audit {
    /// Of the service with this front.
    pub(crate) fn new(front: Front) -> Self {
        Self { _front: front }
    }
}

#[tonic::async_trait]
impl JournalService for Audit {
    type ExportStream = Pin<Box<dyn Stream<Item = Result<ExportResponse, Status>> + Send>>;

    async fn list_entries(
        &self,
        _request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn export(
        &self,
        _request: Request<ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

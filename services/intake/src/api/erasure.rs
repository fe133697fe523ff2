//! Erasing texts: the contract's side, for each kind of aggregate that texts come with.

use chassis::request::{Answered, Reading, Request};
use proto::intake::{
    EraseMatterTextRequest, EraseMatterTextResponse, EraseReportTextRequest,
    EraseReportTextResponse, EraseSubjectTextRequest, EraseSubjectTextResponse,
};
use uuid::Uuid;

use crate::Intake;
use crate::erasure::Erasure;
use crate::matter::{self, Matter};
use crate::report::{self, Report};
use crate::subject::{self, Subject};

impl Request<Intake> for EraseReportTextRequest {
    const METHOD: &'static str = "EraseReportText";
    type Aggregate = Report;
    type Response = EraseReportTextResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> report::Command {
        reading.about::<Uuid>("report_id", &self.report_id);
        report::Command::EraseText(Erasure {
            text: reading.id("text_id", &self.text_id),
            reason: reading.code("reason", &self.reason),
        })
    }

    fn answer(answered: &Answered<'_, Report>) -> EraseReportTextResponse {
        EraseReportTextResponse {
            report_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for EraseMatterTextRequest {
    const METHOD: &'static str = "EraseMatterText";
    type Aggregate = Matter;
    type Response = EraseMatterTextResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> matter::Command {
        reading.about::<Uuid>("matter_id", &self.matter_id);
        matter::Command::EraseText(Erasure {
            text: reading.id("text_id", &self.text_id),
            reason: reading.code("reason", &self.reason),
        })
    }

    fn answer(answered: &Answered<'_, Matter>) -> EraseMatterTextResponse {
        EraseMatterTextResponse {
            matter_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

impl Request<Intake> for EraseSubjectTextRequest {
    const METHOD: &'static str = "EraseSubjectText";
    type Aggregate = Subject;
    type Response = EraseSubjectTextResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> subject::Command {
        reading.about::<Uuid>("subject_id", &self.subject_id);
        subject::Command::EraseText(Erasure {
            text: reading.id("text_id", &self.text_id),
            reason: reading.code("reason", &self.reason),
        })
    }

    fn answer(answered: &Answered<'_, Subject>) -> EraseSubjectTextResponse {
        EraseSubjectTextResponse {
            subject_id: answered.id.to_string(),
            version: answered.version,
        }
    }
}

//! One trace over both services: what began with a caller's call is seen in verification, at a collector of our own.

use std::sync::{Arc, Mutex};

use office::Role;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use proto::intake::{
    AcceptReportRequest, AllegationInput, ReporterKind, SubmitReportRequest, allegation_input,
};
use proto::office::Channel;
use servers::eventually;
use tests::Office;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use zm::client::Person;

/// A span that arrived.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    service: String,
    name: String,
    trace: String,
}

/// A collector of spans (OTLP by gRPC), as an operator would run one.
#[derive(Clone, Default)]
struct Collector {
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Collector {
    /// Serves on a port of its own; where.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let service = TraceServiceServer::new(self.clone());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        format!("http://{address}")
    }

    /// The spans of a trace.
    fn of(&self, trace: &str) -> Vec<Seen> {
        let seen = self.seen.lock().expect("nobody panicked with it");
        let of_trace = seen.iter().filter(|span| span.trace == trace);
        of_trace.cloned().collect()
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut seen = self.seen.lock().expect("nobody panicked with it");
        for resource_spans in request.into_inner().resource_spans {
            let service = service(resource_spans.resource.as_ref());
            let spans = resource_spans.scope_spans.into_iter();
            seen.extend(spans.flat_map(|scope| scope.spans).map(|span| Seen {
                service: service.clone(),
                name: span.name,
                trace: chassis::hexadecimal::encode(&span.trace_id),
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The service that a resource names.
fn service(resource: Option<&Resource>) -> String {
    let attributes = resource
        .into_iter()
        .flat_map(|resource| &resource.attributes);
    let named = attributes
        .filter(|attribute| attribute.key == "service.name")
        .find_map(|attribute| attribute.value.as_ref()?.value.as_ref());
    match named {
        Some(Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}

/// The request as part of a trace that its caller began.
fn traced<T>(trace: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().expect("it is ASCII"));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_follows_a_report_through_both_services() {
    let collector = Collector::default();
    let mut office = Office::new().await;
    office.set("ZHENGMING_OTLP_ENDPOINT", &collector.serve().await);
    let _services = office.start_all().await;
    let client = office.client();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let submission = SubmitReportRequest {
        request_id: Uuid::new_v4().to_string(),
        channel: Channel::Web.into(),
        reporter_kind: ReporterKind::Anonymous.into(),
        allegations: vec![AllegationInput {
            subject: Some(allegation_input::Subject::NotIdentified(
                "a foreman".to_owned(),
            )),
            category: "bribery".to_owned(),
            narrative: "took an envelope".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let submitted = Person::public()
        .intake(&client)
        .submit_report(traced(trace, submission))
        .await
        .expect("it is taken in")
        .into_inner();
    let accept = AcceptReportRequest {
        request_id: Uuid::new_v4().to_string(),
        report_id: submitted.report_id,
        ..Default::default()
    };
    office
        .person("officer-1", Role::IntakeOfficer)
        .intake(&client)
        .accept_report(traced(trace, accept))
        .await
        .expect("it is accepted");

    for (service, name) in [
        ("intake", "/zhengming.intake.v1.IntakeService/SubmitReport"),
        ("intake", "/zhengming.intake.v1.IntakeService/AcceptReport"),
        ("intake", "OpenMatter"),
        ("verification", "MatterOpened"),
        ("verification", "OpenCase"),
    ] {
        let expected = Seen {
            service: service.to_owned(),
            name: name.to_owned(),
            trace: trace.to_owned(),
        };
        eventually(
            &format!("the span {name} of {service} arrives"),
            async || collector.of(trace).contains(&expected),
        )
        .await;
    }
}

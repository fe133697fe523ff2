//! The server as a caller sees it: health, reflection, refusals, and its end.

use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use super::*;
use crate::keyring;
use crate::refusal::Refusal;

/// The public key of RFC 8032's first test; nobody here has its private half.
const JWKS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"actors","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

struct Running {
    channel: Channel,
    health: Health,
    stop: CancellationToken,
    server: JoinHandle<Result<(), ServerFault>>,
}

async fn running() -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let admission = Admission::new(keyring::tests::of(JWKS).await, jiff::Timestamp::default);
    let health = Health::new().await;
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve(
        listener,
        Routes::default(),
        admission,
        health.clone(),
        stop.clone(),
    ));
    let channel = Endpoint::from_shared(format!("http://{address}"))
        .expect("an address")
        .connect_lazy();
    Running {
        channel,
        health,
        stop,
        server,
    }
}

impl Running {
    async fn status(&self) -> i32 {
        let mut client = HealthClient::new(self.channel.clone());
        client
            .check(HealthCheckRequest::default())
            .await
            .expect("an answer")
            .into_inner()
            .status
    }

    async fn ends(self) {
        drop(self.channel);
        self.stop.cancel();
        self.server
            .await
            .expect("no panic")
            .expect("an orderly end");
    }
}

#[tokio::test]
async fn a_service_is_healthy_only_while_its_database_answers() {
    let running = running().await;
    assert_eq!(running.status().await, ServingStatus::NotServing as i32);
    running.health.database(true).await;
    assert_eq!(running.status().await, ServingStatus::Serving as i32);
    running.health.database(false).await;
    assert_eq!(running.status().await, ServingStatus::NotServing as i32);
    running.ends().await;
}

#[tokio::test]
async fn a_service_that_drains_says_so_and_ends_also_while_it_is_watched() {
    let running = running().await;
    running.health.database(true).await;
    let mut client = HealthClient::new(running.channel.clone());
    let mut seen = client
        .watch(HealthCheckRequest::default())
        .await
        .expect("a stream")
        .into_inner();
    let first = seen.next().await.expect("a status").expect("no fault");
    assert_eq!(first.status, ServingStatus::Serving as i32);

    running.stop.cancel();
    let last = seen.next().await.expect("a status").expect("no fault");
    assert_eq!(last.status, ServingStatus::NotServing as i32);
    assert!(
        seen.next().await.is_none(),
        "the watch ends, so that the server can"
    );

    running.health.database(true).await;
    running
        .server
        .await
        .expect("no panic")
        .expect("an orderly end");
}

#[tokio::test]
async fn a_wrong_token_gets_our_refusal_before_any_service_is_reached() {
    let running = running().await;
    let mut request = Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert(
        "authorization",
        "Bearer no.such.token".parse().expect("plain text"),
    );
    let status = HealthClient::new(running.channel.clone())
        .check(request)
        .await
        .expect_err("refused");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(Refusal::from_status(&status).code, "TOKEN_INVALID");
    running.ends().await;
}

#[tokio::test]
async fn a_method_that_nobody_serves_is_unimplemented() {
    let running = running().await;
    let mut client =
        proto::chassis::feed_service_client::FeedServiceClient::new(running.channel.clone());
    let status = client
        .list_heads(proto::chassis::ListHeadsRequest::default())
        .await
        .expect_err("not served");
    assert_eq!(status.code(), Code::Unimplemented);
    running.ends().await;
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let running = running().await;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(running.channel.clone());
    let answer = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .expect("a stream");
    let answer = answer
        .into_inner()
        .next()
        .await
        .expect("an answer")
        .expect("no fault");
    let ServerReflectionResponse {
        message_response: Some(MessageResponse::ListServicesResponse(list)),
        ..
    } = answer
    else {
        panic!("not a list: {answer:?}");
    };
    let names: Vec<_> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(
        names.contains(&"zhengming.intake.v1.IntakeService"),
        "{names:?}"
    );
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    running.ends().await;
}

#[test]
fn a_request_that_did_not_come_through_the_door_has_no_actor() {
    let mut request = Request::new(());
    assert_eq!(
        actor(&request).expect_err("no actor").code(),
        Code::Internal
    );
    request.extensions_mut().insert(public_actor());
    assert_eq!(actor(&request).expect("an actor"), public_actor());
}

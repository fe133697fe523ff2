//! How often a peer is asked, for how long, as whom, and when not at all. Time is the test's own: nobody waits.

use std::cell::Cell;
use std::future::pending;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use office::{ActorId, Role};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::refusal::{NOT_FOUND, TOKEN_INVALID};
use crate::token::{Jwks, Keys, jwk};

fn pem() -> String {
    let key = SigningKey::from_bytes(&[7; 32]);
    key.to_pkcs8_pem(Default::default())
        .expect("a key has a PEM")
        .to_string()
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a valid time")
}

fn jwks() -> String {
    let jwks = Jwks {
        keys: vec![jwk("service:intake", &pem()).expect("a key")],
    };
    serde_json::to_string(&jwks).expect("a JWKS is JSON")
}

fn peers_at(address: &str) -> Peers {
    let signer = Signer::of_service("intake", &pem()).expect("a key");
    let addresses = BTreeMap::from([(
        "verification".to_owned(),
        address.parse().expect("an address"),
    )]);
    Peers::new("intake", signer, &addresses, noon)
}

/// Peers whose address is never used, because the test answers in their place.
fn peers() -> Peers {
    peers_at("http://verification.invalid:1")
}

/// Asks a peer that always gives this answer; how it ended, and how often it was asked.
async fn asked(peers: &Peers, answer: &Status) -> (Refusal, u32) {
    let times = Cell::new(0);
    let ended = peers
        .call("verification", None, async |_call| {
            times.set(times.get() + 1);
            Err::<Response<()>, _>(answer.clone())
        })
        .await;
    (ended.expect_err("refused"), times.get())
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_no_answer_and_what_the_peer_says_of_itself_is() {
    for broken in [
        Status::unknown("transport error"),
        Status::internal("h2 protocol error"),
        Status::cancelled("operation was canceled"),
    ] {
        let (refusal, times) = asked(&peers(), &broken).await;
        assert_eq!(refusal.code, UNAVAILABLE.code, "{broken:?}");
        assert!(times > 1, "it is asked again");
    }
    let (refusal, times) = asked(&peers(), &INTERNAL.status()).await;
    assert_eq!((refusal.code, times), (INTERNAL.code, 1));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_asked_again_a_few_times() {
    let (refusal, times) = asked(&peers(), &Status::unavailable("down")).await;
    assert_eq!(refusal.code, "UNAVAILABLE");
    assert_eq!(times, 4);
    assert!(
        refusal.note.reveal().starts_with("verification: "),
        "{}",
        refusal.note.reveal()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_a_failure_is_an_answer() {
    let times = Cell::new(0);
    let peers = peers();
    let answer = peers.call("verification", None, async |_call| {
        times.set(times.get() + 1);
        if times.get() < 3 {
            Err(Status::unavailable("down"))
        } else {
            Ok(Response::new(times.get()))
        }
    });
    assert_eq!(answer.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_answer_and_comes_through_as_it_is() {
    let peers = peers();
    for _ in 0..20 {
        assert_eq!(asked(&peers, &NOT_FOUND.status()).await, (NOT_FOUND, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_hangs_is_not_waited_for() {
    let started = Instant::now();
    let peers = peers();
    let hangs = peers.call("verification", None, async |_call| {
        pending::<Result<Response<()>, _>>().await
    });
    assert_eq!(hangs.await.expect_err("late").code, "UNAVAILABLE");
    assert!(started.elapsed() <= DEADLINE, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_failed_several_times_is_not_even_asked_until_a_while_has_passed() {
    let peers = peers();
    for _ in 0..5 {
        assert_eq!(asked(&peers, &Status::unavailable("down")).await.1, 4);
    }
    let (refusal, times) = asked(&peers, &Status::unavailable("down")).await;
    assert_eq!((refusal.code.as_ref(), times), ("UNAVAILABLE", 0));

    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(asked(&peers, &NOT_FOUND.status()).await, (NOT_FOUND, 1));
    assert_eq!(asked(&peers, &NOT_FOUND.status()).await.1, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_peer_does_not_accept_is_our_fault() {
    let (refusal, times) = asked(&peers(), &TOKEN_INVALID.status()).await;
    assert_eq!((refusal.code.as_ref(), times), ("INTERNAL", 1));
    assert!(
        refusal
            .note
            .reveal()
            .contains("verification does not accept our token")
    );
}

#[tokio::test]
async fn a_peer_without_an_address_is_our_fault_and_says_what_to_set() {
    let peers = peers();
    let asked = peers.call("follow_up", None, async |_call| Ok(Response::new(())));
    let refusal = asked.await.expect_err("unknown");
    assert_eq!(refusal.code, "INTERNAL");
    assert!(refusal.note.reveal().contains("ZHENGMING_PEER_FOLLOW_UP"));
}

#[tokio::test]
async fn a_call_carries_our_own_token_on_behalf_of_the_causes_actor() {
    let officer = Actor {
        id: ActorId::new("li.wei").expect("a valid id"),
        roles: [Role::IntakeOfficer].into(),
        ..crate::server::public_actor()
    };
    let passed_on = Actor::service("clarification", Some(officer.id.clone()));
    for (cause, on_behalf_of) in [
        (None, None),
        (Some(&officer), Some(&officer.id)),
        // The one who began it, not the service in between.
        (Some(&passed_on), Some(&officer.id)),
    ] {
        let peers = peers();
        let asked = peers.call("verification", cause, async |call| {
            let request = call.request(());
            let token = request
                .metadata()
                .get("authorization")
                .expect("a token")
                .to_str()
                .expect("plain text")
                .to_owned();
            assert!(request.metadata().contains_key("grpc-timeout"));
            Ok(Response::new(token))
        });
        let token = asked.await.expect("answered");
        let token = token.strip_prefix("Bearer ").expect("a bearer token");
        let actor = Keys::load(&jwks())
            .expect("a JWKS")
            .verify(token, Audience::Call, noon())
            .expect("in order");
        assert_eq!(actor, Actor::service("intake", on_behalf_of.cloned()));
    }
}

#[tokio::test]
async fn a_peer_where_nobody_listens_is_unavailable_and_is_found_once_it_does() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let peers = peers_at(&format!("http://{address}"));
    let healthy = async || {
        peers
            .call("verification", None, async |call| {
                HealthClient::new(call.channel())
                    .check(call.request(HealthCheckRequest::default()))
                    .await
            })
            .await
    };
    assert_eq!(
        healthy().await.expect_err("nobody there").code,
        "UNAVAILABLE"
    );

    let listener = TcpListener::bind(address).await.expect("the same port");
    let keyring = crate::keyring::tests::of(&jwks()).await;
    let admission = crate::server::Admission::new(keyring, noon);
    let stop = CancellationToken::new();
    let health = crate::server::Health::new().await;
    let server = crate::server::serve(
        listener,
        Default::default(),
        admission,
        health,
        stop.clone(),
    );
    let server = tokio::spawn(server);
    assert!(healthy().await.is_ok());
    stop.cancel();
    server.await.expect("no panic").expect("an orderly end");
}

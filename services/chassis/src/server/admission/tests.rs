//! Who a call is from, by what it carries.

use std::convert::Infallible;
use std::future::{Ready, ready};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use office::Role;
use tonic::Status;

use super::*;
use crate::keyring;
use crate::token::{ACTORS_KEY, Jwks, LONGEST_LIFETIME, Signer, jwk};

fn pem() -> String {
    let key = SigningKey::from_bytes(&[7; 32]);
    key.to_pkcs8_pem(Default::default())
        .expect("a key has a PEM")
        .to_string()
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a valid time")
}

fn years_later() -> Timestamp {
    "2028-03-02T12:00:00Z".parse().expect("a valid time")
}

fn officer() -> Actor {
    Actor {
        roles: [Role::IntakeOfficer].into(),
        ..public_actor()
    }
}

fn token(audience: Audience) -> String {
    let signer = Signer::from_pem(ACTORS_KEY, &pem()).expect("a key");
    signer
        .mint(&officer(), audience, noon(), LONGEST_LIFETIME)
        .expect("a token")
}

/// A service that answers with the actor that reached it.
#[derive(Clone)]
struct WhoAmI;

impl Service<Request<()>> for WhoAmI {
    type Response = Response<Option<Actor>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(Response::new(
            request.extensions().get::<Actor>().cloned(),
        )))
    }
}

/// The actor that arrives with these authorizations at this time, or the code of the refusal.
async fn arrives(authorizations: &[&str], now: fn() -> Timestamp) -> Result<Option<Actor>, String> {
    let jwks = Jwks {
        keys: vec![jwk(ACTORS_KEY, &pem()).expect("a key")],
    };
    let keys = keyring::tests::of(&serde_json::to_string(&jwks).expect("a JWKS is JSON")).await;
    let mut request = Request::builder().uri("/zhengming.intake.v1.IntakeService/SubmitReport");
    for authorization in authorizations {
        request = request.header(AUTHORIZATION, *authorization);
    }
    let mut service = Admission::new(keys, now).layer(WhoAmI);
    let response = service
        .call(request.body(()).expect("a request"))
        .await
        .expect("infallible");
    match Status::from_header_map(response.headers()) {
        Some(status) => Err(Refusal::from_status(&status).code.into_owned()),
        None => Ok(response.into_body()),
    }
}

#[tokio::test]
async fn a_token_says_who_calls() {
    let token = token(Audience::Call);
    for scheme in ["Bearer", "bearer"] {
        assert_eq!(
            arrives(&[&format!("{scheme} {token}")], noon).await,
            Ok(Some(officer()))
        );
    }
}

#[tokio::test]
async fn whoever_has_no_token_is_the_public() {
    let actor = arrives(&[], noon).await.expect("let in").expect("an actor");
    assert_eq!(actor.roles, [Role::Public].into());
    assert!(actor.unit.is_none());
}

#[tokio::test]
async fn a_token_that_is_not_in_order_never_becomes_the_public() {
    let call = format!("Bearer {}", token(Audience::Call));
    let queue = format!("Bearer {}", token(Audience::Queue));
    let invalid = Err("TOKEN_INVALID".to_owned());
    for wrong in [
        &["" as &str][..],
        &["Bearer"],
        &["Bearer "],
        &["Basic dTpw"],
        &["Bearer x.y.z"],
        &[&queue],
        &[&call, &call],
    ] {
        assert_eq!(arrives(wrong, noon).await, invalid, "{wrong:?}");
    }
}

#[tokio::test]
async fn expired_tokens_never_arrive() {
    let call = format!("Bearer {}", token(Audience::Call));
    assert_eq!(
        arrives(&[&call], years_later).await,
        Err("TOKEN_EXPIRED".to_owned())
    );
}

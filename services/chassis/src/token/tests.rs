//! Who may sign what, and what a token that is not in order gets.

use super::*;
use crate::refusal::TOKEN_EXPIRED;

const HOUR: Duration = Duration::from_secs(3600);

fn pem(seed: u8) -> String {
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    let key = SigningKey::from_bytes(&[seed; 32]);
    key.to_pkcs8_pem(Default::default())
        .expect("a key has a PEM")
        .to_string()
}

fn actors() -> Signer {
    Signer::from_pem(ACTORS_KEY, &pem(1)).expect("a valid key")
}

fn intake() -> Signer {
    Signer::of_service("intake", &pem(2)).expect("a valid key")
}

fn jwks() -> Jwks {
    let keys = [jwk(ACTORS_KEY, &pem(1)), jwk("service:intake", &pem(2))];
    Jwks {
        keys: keys
            .into_iter()
            .map(|key| key.expect("a valid key"))
            .collect(),
    }
}

fn json(jwks: &Jwks) -> String {
    serde_json::to_string(jwks).expect("a JWKS is JSON")
}

fn keys() -> Keys {
    Keys::load(&json(&jwks())).expect("a valid JWKS")
}

fn officer() -> Actor {
    Actor {
        id: ActorId::new("li.wei@example.org").expect("a valid id"),
        unit: UnitCode::new("P51-01").expect("a valid code"),
        department: Some(Department::new("petitions").expect("a valid code")),
        roles: BTreeSet::from([Role::IntakeOfficer, Role::Supervisor]),
        on_behalf_of: None,
    }
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().expect("a valid time")
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() + seconds).expect("a valid time")
}

fn minted(signer: &Signer, actor: &Actor) -> String {
    signer
        .mint(actor, Audience::Call, noon(), HOUR)
        .expect("a key signs")
}

/// Claims that are in order, to be spoiled by a test.
fn claims() -> Claims {
    Claims {
        iss: "id.example.org".into(),
        sub: "li.wei@example.org".into(),
        unit: "P51-01".into(),
        department: None,
        roles: BTreeSet::from(["supervisor".into()]),
        aud: Audience::Call.as_str(),
        exp: noon().as_second() + 60,
        iat: noon().as_second(),
        act: None,
    }
}

fn refused(token: &str) -> Refusal {
    keys()
        .verify(token, Audience::Call, noon())
        .expect_err("the token is not in order")
}

#[test]
fn a_token_says_who_acts() {
    let token = minted(&actors(), &officer());
    assert_eq!(
        keys().verify(&token, Audience::Call, later(3599)),
        Ok(officer())
    );

    let service = Actor::service("intake", Some(officer().id));
    let token = minted(&intake(), &service);
    assert_eq!(keys().verify(&token, Audience::Call, noon()), Ok(service));
}

#[test]
fn expired_tokens_are_refused_with_a_code_of_their_own() {
    let token = minted(&actors(), &officer());
    assert!(
        keys().verify(&token, Audience::Call, later(3604)).is_ok(),
        "clocks may differ a little"
    );
    for seconds in [3605, 3606, 1_000_000] {
        let refusal = keys().verify(&token, Audience::Call, later(seconds));
        assert_eq!(refusal.expect_err("expired"), TOKEN_EXPIRED);
    }
}

#[test]
fn a_calls_token_is_refused_on_the_queue_and_the_other_way_round() {
    let call = minted(&actors(), &officer());
    assert_eq!(
        keys()
            .verify(&call, Audience::Queue, noon())
            .expect_err("not for the queue")
            .code,
        TOKEN_INVALID.code
    );
    let queue = actors()
        .mint(&officer(), Audience::Queue, noon(), HOUR)
        .expect("a key signs");
    assert_eq!(refused(&queue).code, TOKEN_INVALID.code);
    assert_eq!(
        keys().verify(&queue, Audience::Queue, noon()),
        Ok(officer())
    );
}

#[test]
fn a_services_key_does_not_sign_for_a_person() {
    assert_eq!(
        refused(&minted(&intake(), &officer())).code,
        TOKEN_INVALID.code
    );
}

#[test]
fn a_services_key_does_not_sign_for_another_service() {
    assert_eq!(
        refused(&minted(&intake(), &Actor::service("verification", None))).code,
        TOKEN_INVALID.code
    );
}

#[test]
fn a_services_key_gives_that_service_no_other_role() {
    let mut ambitious = Actor::service("intake", None);
    ambitious.roles.insert(Role::Custodian);
    assert_eq!(
        refused(&minted(&intake(), &ambitious)).code,
        TOKEN_INVALID.code
    );
}

#[test]
fn an_actors_key_does_not_sign_for_a_service() {
    assert_eq!(
        refused(&minted(&actors(), &Actor::service("intake", None))).code,
        TOKEN_INVALID.code
    );

    let promoted = Claims {
        roles: BTreeSet::from(["service".into()]),
        ..claims()
    };
    assert_eq!(
        refused(&actors().sign(&promoted).expect("a key signs")).code,
        TOKEN_INVALID.code
    );
    let posing = Claims {
        sub: "service:intake".into(),
        ..claims()
    };
    assert_eq!(
        refused(&actors().sign(&posing).expect("a key signs")).code,
        TOKEN_INVALID.code
    );
}

#[test]
fn only_a_service_acts_on_behalf_of_another() {
    let token = actors()
        .sign(&Claims {
            act: Some("zhang.min".into()),
            ..claims()
        })
        .expect("a key signs");
    assert_eq!(refused(&token).code, TOKEN_INVALID.code);
}

#[test]
fn tampered_tokens_are_refused() {
    let token = minted(&actors(), &officer());
    let parts: Vec<&str> = token.split('.').collect();
    let other = minted(
        &actors(),
        &Actor {
            roles: BTreeSet::from([Role::Custodian]),
            ..officer()
        },
    );
    let other: Vec<&str> = other.split('.').collect();
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"actors"}"#);
    let weaker = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"actors"}"#);
    for forged in [
        format!("{}.{}.{}", parts[0], other[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], other[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{unsigned}.{}.", parts[1]),
        format!("{unsigned}.{}.{}", parts[1], parts[2]),
        format!("{weaker}.{}.{}", parts[1], parts[2]),
        parts[..2].join("."),
        "Bearer".into(),
        String::new(),
    ] {
        assert_eq!(refused(&forged).code, TOKEN_INVALID.code, "{forged}");
    }
}

#[test]
fn a_key_that_is_not_in_the_set_signs_for_nobody() {
    let stranger = Signer::from_pem("stranger", &pem(3)).expect("a valid key");
    assert_eq!(
        refused(&minted(&stranger, &officer())).code,
        TOKEN_INVALID.code
    );
    let posing = Signer::from_pem(ACTORS_KEY, &pem(3)).expect("a valid key");
    assert_eq!(
        refused(&minted(&posing, &officer())).code,
        TOKEN_INVALID.code
    );

    assert!(keys().know(&actors()) && keys().know(&intake()));
    assert!(!keys().know(&stranger) && !keys().know(&posing));
}

#[test]
fn no_token_lives_longer_than_a_week_or_comes_from_the_future() {
    let week = LONGEST_LIFETIME.as_secs() as i64;
    let endless = Claims {
        exp: noon().as_second() + week + 1,
        ..claims()
    };
    let early = Claims {
        iat: noon().as_second() + 6,
        ..claims()
    };
    let huge = Claims {
        exp: i64::MAX,
        iat: i64::MIN,
        ..claims()
    };
    for spoiled in [endless, early, huge] {
        assert_eq!(
            refused(&actors().sign(&spoiled).expect("a key signs")).code,
            TOKEN_INVALID.code
        );
    }
    let token = actors()
        .mint(&officer(), Audience::Call, noon(), 10 * LONGEST_LIFETIME)
        .expect("a key signs");
    assert!(
        keys()
            .verify(&token, Audience::Call, later(week - 1))
            .is_ok()
    );
    assert!(
        keys()
            .verify(&token, Audience::Call, later(week + 60))
            .is_err()
    );
}

#[test]
fn claims_that_name_nobody_in_particular_are_refused() {
    for spoiled in [
        Claims {
            sub: String::new(),
            ..claims()
        },
        Claims {
            sub: "li wei".into(),
            ..claims()
        },
        Claims {
            unit: "P51/01".into(),
            ..claims()
        },
        Claims {
            roles: BTreeSet::new(),
            ..claims()
        },
        Claims {
            roles: BTreeSet::from(["chief".into()]),
            ..claims()
        },
    ] {
        assert_eq!(
            refused(&actors().sign(&spoiled).expect("a key signs")).code,
            TOKEN_INVALID.code
        );
    }
}

#[test]
fn another_systems_roles_and_a_list_of_audiences_are_no_obstacle() {
    let claims = serde_json::json!({
        "sub": "li.wei@example.org", "unit": "P51-01", "roles": ["supervisor", "canteen"],
        "aud": ["payroll", "zhengming"], "exp": noon().as_second() + 60, "iat": noon().as_second(), "nonce": 7,
    });
    let header = Header {
        kid: Some(ACTORS_KEY.into()),
        ..Header::new(Algorithm::EdDSA)
    };
    let token = jsonwebtoken::encode(&header, &claims, &actors().key).expect("a key signs");
    let actor = keys()
        .verify(&token, Audience::Call, noon())
        .expect("in order");
    assert_eq!(actor.roles, BTreeSet::from([Role::Supervisor]));
}

#[test]
fn what_is_wrong_with_a_jwks_is_told() {
    assert!(matches!(Keys::load("{"), Err(KeyFault::NotJwks(_))));
    assert_eq!(Keys::load(r#"{"keys":[]}"#).err(), Some(KeyFault::NoKeys));
    let rsa = r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#;
    assert_eq!(Keys::load(rsa).err(), Some(KeyFault::NoKeys));

    let mut twice = jwks();
    twice.keys[1].kid = ACTORS_KEY.into();
    assert_eq!(
        Keys::load(&json(&twice)).err(),
        Some(KeyFault::Twice(ACTORS_KEY.into()))
    );
    let mut nameless = jwks();
    nameless.keys[0].kid.clear();
    assert_eq!(Keys::load(&json(&nameless)).err(), Some(KeyFault::NoId));
    // The point of order one: a signature under it says nothing.
    for broken in [
        "",
        "AAAA",
        "not base64!",
        &URL_SAFE_NO_PAD.encode([&[1u8][..], &[0; 31]].concat()),
    ] {
        let mut jwks = jwks();
        jwks.keys[0].x = broken.into();
        assert_eq!(
            Keys::load(&json(&jwks)).err(),
            Some(KeyFault::BadKey(ACTORS_KEY.into())),
            "{broken}"
        );
    }
    assert_eq!(
        Signer::from_pem("a", "-----BEGIN").err(),
        Some(KeyFault::BadPem)
    );
}

#[test]
fn a_private_key_is_not_printed() {
    let printed = format!("{:?} {:?}", intake(), keys());
    assert!(
        printed.contains("service:intake") && !printed.contains("key: "),
        "{printed}"
    );
}

//! Actor tokens: who may say who acts. Ed25519 JWTs, checked against the public keys of a JWKS.
//!
//! A key's id decides what it may sign, so that no claim has to be trusted beyond its signature: the key
//! `service:<name>` signs for that service and nobody else, every other key signs for people and machines, never for a
//! service. Time is a parameter everywhere; there is no clock in here.
//!
//! The trap: a token for the queue lives for days and rests in a broker. It has an audience of its own, so that whoever
//! reads a queue cannot call with it, and a call's token cannot be stored and sent later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{SigningKey, VerifyingKey};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use office::{Actor, ActorId, Department, Role, UnitCode};
use serde::{Deserialize, Serialize};

use crate::refusal::{Refusal, TOKEN_EXPIRED, TOKEN_INVALID};

/// How far two machines' clocks may differ, in seconds.
const LEEWAY: i64 = 5;
/// How long a service's own token for one call lives.
pub const SERVICE_LIFETIME: Duration = Duration::from_secs(60);
/// The longest that any token may live: the longest outage that a queue is meant to survive.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The key id under which `zm dev keys` keeps the key that signs for people.
pub const ACTORS_KEY: &str = "actors";
/// What the id of a service's key starts with, as does the id of its actor.
const SERVICE: &str = "service:";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A call by gRPC, now.
    Call,
    /// A command in a queue, perhaps days later.
    Queue,
}

impl Audience {
    /// The claim `aud`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "zhengming",
            Self::Queue => "zhengming.queue",
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it. Told to people, never trusted: the key decides.
    #[serde(default)]
    pub iss: String,
    /// The actor's id.
    pub sub: String,
    /// The actor's unit; `-` for services and the public.
    pub unit: String,
    /// The actor's department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The actor's roles. Words that are no role of ours belong to other systems and count for nothing.
    pub roles: BTreeSet<String>,
    /// What the token is for. Read apart from the other claims, since it may also be a list.
    #[serde(skip_deserializing)]
    pub aud: &'static str,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// In a service's token: the actor whose doing led to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
}

/// What is wrong with keys; a person at the start of a service reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The text is no JWKS.
    #[error("this is no JWKS (a JSON object with a list `keys`): {0}")]
    NotJwks(String),
    /// Not one key that we can use.
    #[error("the JWKS holds no Ed25519 key (kty OKP, crv Ed25519); add one")]
    NoKeys,
    /// A key without a usable id.
    #[error("a key of the JWKS has no `kid`; give it one, `service:<name>` for a service's own")]
    NoId,
    /// Two keys with one id.
    #[error("the JWKS holds the key {0:?} twice; ids must differ")]
    Twice(String),
    /// A key that is none.
    #[error("the key {0:?} of the JWKS is not an Ed25519 public key (32 bytes, base64url, in `x`)")]
    BadKey(String),
    /// A PEM that is none.
    #[error(
        "this is no Ed25519 private key in PKCS#8 PEM form; make one with `zm dev keys` or openssl"
    )]
    BadPem,
}

/// One entry of a JWKS: a public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The kind of key: `OKP` for ours.
    pub kty: String,
    /// The curve: `Ed25519` for ours.
    #[serde(default)]
    pub crv: String,
    /// The key's id.
    #[serde(default)]
    pub kid: String,
    /// The public key, base64url.
    #[serde(default)]
    pub x: String,
    /// What the key is used for: `sig` for ours.
    #[serde(default, rename = "use")]
    pub usage: String,
    /// The algorithm: `EdDSA` for ours.
    #[serde(default)]
    pub alg: String,
}

/// A set of public keys, as a file or a server gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// The entry of a JWKS that belongs to a private key.
///
/// # Errors
/// When the PEM is not an Ed25519 key in PKCS#8 form.
pub fn jwk(kid: &str, pem: &str) -> Result<Jwk, KeyFault> {
    let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyFault::BadPem)?;
    Ok(Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        kid: kid.to_owned(),
        x: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
        usage: "sig".to_owned(),
        alg: "EdDSA".to_owned(),
    })
}

/// The public keys that tokens are checked against.
#[derive(Clone)]
pub struct Keys {
    keys: BTreeMap<String, DecodingKey>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl Keys {
    /// Reads a JWKS. Keys of other kinds are left aside: an identity provider's set often holds some.
    ///
    /// # Errors
    /// When it is no JWKS, holds no key that we can use, or one that is broken.
    pub fn load(jwks: &str) -> Result<Self, KeyFault> {
        let jwks: Jwks =
            serde_json::from_str(jwks).map_err(|fault| KeyFault::NotJwks(fault.to_string()))?;
        let mut keys = BTreeMap::new();
        for jwk in jwks.keys {
            if jwk.kty != "OKP" || jwk.crv != "Ed25519" || jwk.usage == "enc" {
                continue;
            }
            if jwk.kid.is_empty() {
                return Err(KeyFault::NoId);
            }
            let bytes = URL_SAFE_NO_PAD
                .decode(&jwk.x)
                .ok()
                .and_then(|x| <[u8; 32]>::try_from(x).ok());
            let sound = bytes
                .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
                .is_some_and(|key| !key.is_weak());
            let (true, Ok(key)) = (sound, DecodingKey::from_ed_components(&jwk.x)) else {
                return Err(KeyFault::BadKey(jwk.kid));
            };
            if keys.insert(jwk.kid.clone(), key).is_some() {
                return Err(KeyFault::Twice(jwk.kid));
            }
        }
        if keys.is_empty() {
            Err(KeyFault::NoKeys)
        } else {
            Ok(Self { keys })
        }
    }

    /// Whether the token names a key, and these do not have it.
    pub(crate) fn lack_key_of(&self, token: &str) -> bool {
        let header = jsonwebtoken::decode_header(token).ok();
        let kid = header.and_then(|header| header.kid);
        kid.is_some_and(|kid| !self.keys.contains_key(&kid))
    }

    /// Checks a token and says who acts.
    ///
    /// # Errors
    /// [`TOKEN_EXPIRED`] for one that was valid once, [`TOKEN_INVALID`] for anything else; the note says what exactly.
    pub fn verify(
        &self,
        token: &str,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Actor, Refusal> {
        let kid = jsonwebtoken::decode_header(token)
            .map_err(|fault| TOKEN_INVALID.with_note(fault))?
            .kid
            .ok_or_else(|| TOKEN_INVALID.with_note("the token names no key (kid)"))?;
        let key = self
            .keys
            .get(&kid)
            .ok_or_else(|| TOKEN_INVALID.with_note("the token's key is not in the JWKS"))?;

        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[audience.as_str()]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        // Against the given time instead, below.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)
            .map_err(|fault| TOKEN_INVALID.with_note(fault))?
            .claims;

        check_times(&claims, now)?;
        actor_of(&kid, &claims).map_err(|fault| TOKEN_INVALID.with_note(fault))
    }

    /// Whether these keys would accept what the signer signs: its public half is here, under its id.
    pub fn know(&self, signer: &Signer) -> bool {
        self.keys.get(&signer.kid).is_some_and(|known| {
            known
                .try_get_as_bytes()
                .is_ok_and(|bytes| bytes == signer.public.as_bytes().as_slice())
        })
    }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
    let now = now.as_second();
    let longest = LONGEST_LIFETIME.as_secs() as i64;
    if claims.iat > now.saturating_add(LEEWAY) {
        return Err(
            TOKEN_INVALID.with_note("the token was issued in the future; compare the clocks")
        );
    }
    if claims.exp.saturating_sub(claims.iat) > longest {
        return Err(TOKEN_INVALID.with_note("the token lives longer than seven days"));
    }
    if claims.exp.saturating_add(LEEWAY) <= now {
        return Err(TOKEN_EXPIRED);
    }
    Ok(())
}

/// Who the claims speak of, if the key of this id may say so.
fn actor_of(kid: &str, claims: &Claims) -> Result<Actor, String> {
    let id = ActorId::new(claims.sub.as_str()).map_err(|fault| fault.to_string())?;
    let act = claims
        .act
        .as_deref()
        .map(ActorId::new)
        .transpose()
        .map_err(|fault| fault.to_string())?;
    let roles: BTreeSet<Role> = claims
        .roles
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect();

    let actor = match kid.strip_prefix(SERVICE) {
        Some(name) => {
            let service = Actor::service(name, act);
            if service.id != id || service.roles != roles {
                return Err(
                    "a service's key signs for that service alone, with the role service"
                        .to_owned(),
                );
            }
            service
        }
        None if act.is_some() => return Err("only a service acts on behalf of another".to_owned()),
        None if id.is_service() || roles.contains(&Role::Service) => {
            return Err("this key does not sign for services".to_owned());
        }
        None => Actor {
            id,
            unit: UnitCode::new(claims.unit.as_str()).map_err(|fault| fault.to_string())?,
            department: claims
                .department
                .as_deref()
                .map(Department::new)
                .transpose()
                .map_err(|fault| fault.to_string())?,
            roles,
            on_behalf_of: None,
        },
    };
    actor.check().map_err(|fault| fault.to_string())?;
    Ok(actor)
}

/// Signs tokens with one private key.
#[derive(Clone)]
pub struct Signer {
    kid: String,
    key: EncodingKey,
    public: VerifyingKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads a private key (Ed25519, PKCS#8 PEM) and signs as the key of this id.
    ///
    /// # Errors
    /// When the PEM is no such key.
    pub fn from_pem(kid: impl Into<String>, pem: &str) -> Result<Self, KeyFault> {
        let public = SigningKey::from_pkcs8_pem(pem)
            .map_err(|_| KeyFault::BadPem)?
            .verifying_key();
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyFault::BadPem)?;
        Ok(Self {
            kid: kid.into(),
            key,
            public,
        })
    }

    /// A service's own signer, under the key id `service:<name>`.
    ///
    /// # Errors
    /// As [`Signer::from_pem`].
    pub fn of_service(name: &str, pem: &str) -> Result<Self, KeyFault> {
        Self::from_pem(format!("{SERVICE}{name}"), pem)
    }

    /// A token that says that this actor acts. It is for the checking side to say whether this key may say so.
    ///
    /// # Errors
    /// [`crate::refusal::INTERNAL`] if signing fails, which a key that was read does not do.
    pub fn mint(
        &self,
        actor: &Actor,
        audience: Audience,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String, Refusal> {
        let lifetime = lifetime.min(LONGEST_LIFETIME).as_secs() as i64;
        let claims = Claims {
            iss: self.kid.clone(),
            sub: actor.id.to_string(),
            unit: actor.unit.to_string(),
            department: actor.department.as_ref().map(ToString::to_string),
            roles: actor.roles.iter().map(ToString::to_string).collect(),
            aud: audience.as_str(),
            exp: now.as_second().saturating_add(lifetime),
            iat: now.as_second(),
            act: actor.on_behalf_of.as_ref().map(ToString::to_string),
        };
        self.sign(&claims)
    }

    fn sign(&self, claims: &Claims) -> Result<String, Refusal> {
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &self.key)
            .map_err(|fault| crate::refusal::INTERNAL.with_note(fault))
    }
}

#[cfg(test)]
mod tests;

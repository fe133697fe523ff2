//! The office as a client sees it: the services' addresses, the people who ask, and what an answer that is a refusal says
//! to a person.
//!
//! ```ignore
//! let office = context.office()?;
//! let officer = minted(&context.signer()?, actor)?;
//! let answer = office.ask("intake", officer.intake(&office).accept_report(message)).await?;
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::peers::is_broken;
use chassis::refusal::{Refusal, RefusalKind, UNAVAILABLE};
use chassis::server::{LARGEST_MESSAGE, TRACE_ID, public_actor};
use chassis::status::DOMAIN;
use chassis::time::{random_bytes, real_now};
use chassis::token::{Audience, Claims, Signer};
use office::{Actor, ActorId, Role, UnitCode};
use proto::chassis::journal_service_client::JournalServiceClient;
use proto::chassis::operations_service_client::OperationsServiceClient;
use proto::clarification::clarification_service_client::ClarificationServiceClient;
use proto::follow_up::follow_up_service_client::FollowUpServiceClient;
use proto::intake::intake_service_client::IntakeServiceClient;
use proto::topology::SERVICES;
use proto::verification::verification_service_client::VerificationServiceClient;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::Usage;

/// How long a service has to take a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a service has to begin its answer.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a token lives that is minted for a command: a long replay must not outlive it.
const TOKEN_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The connection of one person to one service.
pub type Line = InterceptedService<Channel, Credentials>;

/// Intake's methods, asked by one person.
pub type Intake = IntakeServiceClient<Line>;
/// Verification's methods, asked by one person.
pub type Verification = VerificationServiceClient<Line>;
/// Clarification's methods, asked by one person.
pub type Clarification = ClarificationServiceClient<Line>;
/// Follow-up's methods, asked by one person.
pub type FollowUp = FollowUpServiceClient<Line>;
/// A journal's methods, asked by one person.
pub type Journal = JournalServiceClient<Line>;
/// An operator's methods, asked by one person.
pub type Operations = OperationsServiceClient<Line>;

/// The services, connected to when first asked.
#[derive(Clone, Debug)]
pub struct Office {
    lines: BTreeMap<&'static str, (String, Channel)>,
}

impl Office {
    /// The services at these addresses. Within the runtime; nothing is connected yet.
    ///
    /// # Errors
    /// When a service's address is missing or is none.
    pub fn at(addresses: &BTreeMap<String, String>) -> Result<Self> {
        let mut lines = BTreeMap::new();
        for service in SERVICES {
            let url = addresses.get(*service).ok_or_else(|| {
                Usage(format!(
                    "where is {service}? Start everything with deploy/local/up, or give --{}-url URL",
                    service.replace('_', "-")
                ))
            })?;
            let wrong = || {
                Usage(format!(
                    "the address of {service} is none: {url}. It is like http://127.0.0.1:50051"
                ))
            };
            let mut endpoint = Endpoint::from_shared(url.clone()).map_err(|_| wrong())?;
            if endpoint.uri().scheme_str() == Some("https") {
                endpoint = endpoint
                    .tls_config(ClientTlsConfig::new().with_enabled_roots())
                    .map_err(|_| wrong())?;
            }
            let endpoint = endpoint.connect_timeout(CONNECT).timeout(ANSWER);
            lines.insert(*service, (url.clone(), endpoint.connect_lazy()));
        }
        Ok(Self { lines })
    }

    /// The services' names, in their order.
    pub fn services(&self) -> impl Iterator<Item = &'static str> + use<> {
        SERVICES.iter().copied()
    }

    /// Where a service is.
    pub fn url(&self, service: &str) -> &str {
        self.lines.get(service).map_or("", |(url, _)| url)
    }

    /// The channel to a service.
    ///
    /// # Panics
    /// When there is no such service: names come from [`SERVICES`].
    pub fn channel(&self, service: &str) -> Channel {
        let line = self.lines.get(service);
        line.expect("every service of the table has a line")
            .1
            .clone()
    }

    /// Awaits an answer of a service.
    ///
    /// # Errors
    /// The service's refusal, or that it does not answer.
    pub async fn ask<T>(
        &self,
        service: &str,
        answer: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Unanswered> {
        match answer.await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(self.refused(service, &status)),
        }
    }

    /// What a service's status says to a person.
    pub fn refused(&self, service: &str, status: &Status) -> Unanswered {
        Unanswered {
            service: service.to_owned(),
            url: self.url(service).to_owned(),
            ..refusal(status)
        }
    }
}

/// Why there is no answer of the kind that was asked for; displays as what is wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Which service was asked.
    pub service: String,
    /// Where it is.
    pub url: String,
    /// What it said.
    pub refusal: Refusal,
    /// Whether it was the service that said it; otherwise the way there.
    pub by_service: bool,
    /// Under which trace it stands in the service's log.
    pub trace: Option<String>,
}

/// What a status says to a person, of a service that is not named.
pub fn refusal(status: &Status) -> Unanswered {
    use tonic_types::StatusExt as _;
    let by_service = status
        .get_details_error_info()
        .is_some_and(|info| info.domain == DOMAIN);
    let trace = status.metadata().get(TRACE_ID.as_str());
    Unanswered {
        service: "the service".to_owned(),
        url: String::new(),
        refusal: match status.code() {
            Code::Unimplemented if !by_service => Refusal::new(
                RefusalKind::Internal,
                "UNIMPLEMENTED",
                "The service does not know this method; is it of another version than zm?",
            ),
            _ if is_broken(status) => UNAVAILABLE.with_note(status.message()),
            _ => Refusal::from_status(status),
        },
        by_service,
        trace: trace.and_then(|id| id.to_str().ok()).map(str::to_owned),
    }
}

impl Unanswered {
    /// Whether the same may well succeed later without anybody changing anything.
    pub fn is_passing(&self) -> bool {
        self.refusal.kind.is_passing()
    }

    /// What a person can do about it, where the message alone does not say so.
    fn advice(&self) -> Option<&'static str> {
        Some(match &*self.refusal.code {
            "TOKEN_INVALID" | "TOKEN_EXPIRED" => {
                "Make a token with `zm token`, or let zm sign one: --key FILE --as ROLE@UNIT."
            }
            "NOT_PERMITTED" => {
                "Act in a role that may: --as ROLE; the table is in deploy/policy/default.toml, [permissions]."
            }
            "OUT_OF_SCOPE" => "Act for the unit that handles it, or one above: --as ROLE@UNIT.",
            "NOT_FOUND" => {
                "`zm report list`, `zm case list`, `zm clarification list`, `zm file list` and `zm events list` show what is there."
            }
            "INTAKE_CANDIDATES_UNDECIDED" => {
                "`zm candidates REPORT`, then `zm accept REPORT --reject MATTER=REASON` or `zm join REPORT MATTER`."
            }
            "INTAKE_SUBJECT_UNKNOWN" => "`zm subject register` puts one into the register.",
            "VERIFICATION_FOUR_EYES" | "CLARIFICATION_FOUR_EYES" => {
                "Let another act: --as supervisor=ANOTHER-ID."
            }
            "CLARIFICATION_NOT_A_SCREENER" => {
                "Act for a department: --department CODE, or --as screener/DEPARTMENT."
            }
            "CLARIFICATION_SCREENING_INCOMPLETE" => {
                "`zm clarification show CLARIFICATION` names the departments whose opinion is missing."
            }
            "CLARIFICATION_FORM_NEEDS_REASON" => {
                "`zm clarification form CLARIFICATION` shows the recommended one; give --reason for another."
            }
            "REQUEST_ID_REUSED" => "Leave --request-id out, and zm draws one.",
            _ if self.is_passing() => {
                "Repeating the same with the same --request-id does no harm, whether or not it was done."
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, refusal) = (&self.service, &self.refusal);
        if !self.by_service && refusal.kind == RefusalKind::Unavailable {
            return write!(
                f,
                "{service} does not answer at {}; is it running? Start with deploy/local/up",
                self.url
            );
        }
        write!(f, "{service}: {refusal}")?;
        for violation in &refusal.violations {
            if violation.description != refusal.message {
                write!(f, "\n  {}: {}", violation.field, violation.description)?;
            } else {
                write!(f, "\n  {}", violation.field)?;
            }
        }
        if !self.by_service && !refusal.note.reveal().is_empty() {
            write!(f, "\n  ({})", refusal.note.reveal())?;
        }
        if let Some(advice) = self.advice() {
            write!(f, "\n  {advice}")?;
        }
        match &self.trace {
            Some(trace) if refusal.kind == RefusalKind::Internal => {
                write!(f, "\n  In the log of {service}: trace {trace}")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Unanswered {}

/// Whoever asks: an actor, with a token that says so.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who it is, as the token says.
    pub actor: Actor,
    credentials: Credentials,
}

/// A person with a token that is signed now, good for half a day.
///
/// # Errors
/// When signing fails.
pub fn minted(key: &Signer, actor: Actor) -> Result<Person> {
    let token = key
        .mint(&actor, Audience::Call, real_now(), TOKEN_LIFETIME)
        .context("the token cannot be signed")?;
    Person::new(actor, &token)
}

impl Person {
    fn new(actor: Actor, token: &str) -> Result<Self> {
        let mut header: AsciiMetadataValue = format!("Bearer {token}")
            .parse()
            .map_err(|_| Usage("the token holds characters that a token cannot have".to_owned()))?;
        header.set_sensitive(true);
        Ok(Self {
            actor,
            credentials: Credentials(Some(header)),
        })
    }

    /// The person whom a token names. Whether it is valid is for the services to say.
    ///
    /// # Errors
    /// When it is no token at all.
    pub fn of_token(token: &str) -> Result<Self> {
        let token = token.trim();
        let claims = claims_of(token).ok_or_else(|| {
            Usage("this is no actor token (a JWT of three parts); `zm token` makes one".to_owned())
        })?;
        Self::new(actor_of(&claims)?, token)
    }

    /// Anybody, without a token: submits a report, uses a receipt code.
    pub fn public() -> Self {
        Self {
            actor: public_actor(),
            credentials: Credentials(None),
        }
    }

    fn line(&self, office: &Office, service: &str) -> Line {
        InterceptedService::new(office.channel(service), self.credentials.clone())
    }

    /// Asks intake.
    pub fn intake(&self, office: &Office) -> Intake {
        IntakeServiceClient::new(self.line(office, "intake"))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Asks verification.
    pub fn verification(&self, office: &Office) -> Verification {
        VerificationServiceClient::new(self.line(office, "verification"))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Asks clarification.
    pub fn clarification(&self, office: &Office) -> Clarification {
        ClarificationServiceClient::new(self.line(office, "clarification"))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Asks follow-up.
    pub fn follow_up(&self, office: &Office) -> FollowUp {
        FollowUpServiceClient::new(self.line(office, "follow_up"))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Asks for a service's journal.
    pub fn journal(&self, office: &Office, service: &str) -> Journal {
        JournalServiceClient::new(self.line(office, service))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Operates a service.
    pub fn operations(&self, office: &Office, service: &str) -> Operations {
        OperationsServiceClient::new(self.line(office, service))
            .max_decoding_message_size(LARGEST_MESSAGE)
    }
}

fn claims_of(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn actor_of(claims: &Claims) -> Result<Actor> {
    Ok(Actor {
        id: ActorId::new(claims.sub.as_str())?,
        unit: UnitCode::new(claims.unit.as_str())?,
        department: claims.department.as_deref().map(str::parse).transpose()?,
        roles: claims
            .roles
            .iter()
            .filter_map(|word| word.parse::<Role>().ok())
            .collect(),
        on_behalf_of: None,
    })
}

/// What goes with every call of a person: the token.
#[derive(Clone, Debug)]
pub struct Credentials(Option<AsciiMetadataValue>);

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            let metadata = request.metadata_mut();
            metadata.insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// A fresh request id, drawn at random, as a person's client does.
pub fn fresh_request_id() -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&random_bytes()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use chassis::refusal::{NOT_PERMITTED, Violation};

    use super::*;
    use crate::who::Who;

    fn office() -> Office {
        let addresses = SERVICES
            .iter()
            .map(|service| ((*service).to_owned(), "http://127.0.0.1:9".to_owned()));
        Office::at(&addresses.collect()).expect("an office")
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_told_with_what_to_do() {
        let told = office()
            .refused("intake", &Status::unavailable("tcp connect error"))
            .to_string();
        assert_eq!(
            told,
            "intake does not answer at http://127.0.0.1:9; is it running? Start with deploy/local/up"
        );
    }

    #[tokio::test]
    async fn a_service_that_is_killed_while_it_is_asked_does_not_answer() {
        let refused = office().refused("intake", &Status::unknown("transport error"));
        assert!(refused.is_passing());
        let told = refused.to_string();
        assert!(told.contains("intake does not answer"), "{told}");
    }

    #[tokio::test]
    async fn a_refusal_shows_code_fields_and_what_to_do() {
        let refusal = Refusal::invalid(vec![Violation {
            field: "allegations[0].category".into(),
            description: "is missing".into(),
        }]);
        let told = office().refused("intake", &refusal.status()).to_string();
        assert!(told.contains("[INVALID_REQUEST]"), "{told}");
        assert!(
            told.contains("allegations[0].category: is missing"),
            "{told}"
        );
        let told = office()
            .refused("verification", &NOT_PERMITTED.status())
            .to_string();
        assert!(told.contains("--as ROLE"), "{told}");
    }

    #[tokio::test]
    async fn a_missing_address_is_a_fault_of_usage() {
        let fault = Office::at(&BTreeMap::new()).expect_err("no address");
        assert!(fault.is::<Usage>());
        assert!(fault.to_string().contains("--intake-url URL"), "{fault}");
    }

    #[test]
    fn a_token_says_who_acts() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = crate::keys::make(folder.path(), &[]).expect("keys");
        let pem = std::fs::read_to_string(made.actors).expect("a key");
        let signer = Signer::from_pem("actors", &pem).expect("a key");
        let actor = Who::of(Role::Supervisor).actor(&UnitCode::new("P51").expect("a code"));
        let token = signer
            .mint(&actor, Audience::Call, real_now(), TOKEN_LIFETIME)
            .expect("a token");
        assert_eq!(Person::of_token(&token).expect("a person").actor, actor);
        assert!(Person::of_token("not.a.token").is_err());
    }

    #[test]
    fn request_ids_are_drawn_at_random() {
        let (one, other) = (fresh_request_id(), fresh_request_id());
        assert_eq!(one.get_version_num(), 4);
        assert_ne!(one, other);
    }
}

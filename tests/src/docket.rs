//! Many reports led through all services at once, by clients of the contracts, in whatever number a test asks for.
//!
//! Every request id follows from the report's name and the step, so that a call whose answer is lost is repeated and
//! carried out once. All act at the root unit, each part by somebody else, so that four eyes are real.

use std::collections::BTreeMap;

use chassis::refusal::Refusal;
use chassis::token::{ACTORS_KEY, Signer};
use office::{Actor, Department, Role};
use proto::clarification as cleared;
use proto::intake;
use proto::office::{
    Channel, ClarificationForm, Finding, Harm, HarmDegree, HarmReach, Standing, SubjectHarm,
    SubjectKind,
};
use proto::verification as verified;
use servers::eventually;
use tonic::{Response, Status};
use uuid::Uuid;
use zm::client::{Office as Client, Person, Unanswered};
use zm::replay::patience::{Unsettled, patiently};

use crate::Office;

/// How long a service may be away in the middle.
const AWAY: std::time::Duration = std::time::Duration::from_secs(60);
/// The departments whose opinions the default policy asks for.
pub const DEPARTMENTS: [&str; 5] = [
    "handling",
    "petitions",
    "conduct_supervision",
    "case_supervision",
    "case_adjudication",
];

/// A report about one subject, and what its case finds.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name, and its subject's: the same report is entered once.
    pub name: String,
    /// Where it is entered from.
    pub source: &'static str,
    /// What its subject is.
    pub kind: SubjectKind,
    /// The code of the unit that the subject belongs to, which has authority over it and handles the matter.
    pub unit: String,
    /// What its case finds.
    pub finding: Finding,
    /// How its subject was harmed, if that is recorded.
    pub harm: Option<Harm>,
}

/// A report whose case was concluded.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// The report's name.
    pub name: String,
    /// The matter's id.
    pub matter: String,
    /// The case's id.
    pub case: String,
    /// The subject's id.
    pub subject: String,
}

/// The offices, as those see them who lead the reports.
pub struct Docket {
    clients: Vec<Client>,
    people: BTreeMap<&'static str, Person>,
    today: String,
}

impl Docket {
    /// By these clients in turn, one for each replica of the services.
    pub fn new(office: &Office, clients: Vec<Client>) -> Self {
        let pem = std::fs::read_to_string(office.folder.path().join("keys/actors.pem"))
            .expect("the key was made");
        let signer = Signer::from_pem(ACTORS_KEY, &pem).expect("the key is one");
        let person = |role: Role, name: &str, department: Option<&str>| {
            let actor = Actor {
                id: name.parse().expect("an actor id"),
                unit: "N".parse().expect("a unit code"),
                department: department.map(|code| Department::new(code).expect("a code")),
                roles: [role].into(),
                on_behalf_of: None,
            };
            zm::client::minted(&signer, actor).expect("a token can be minted")
        };
        let parts = [
            (Role::IntakeOfficer, "intake"),
            (Role::Supervisor, "assigner"),
            (Role::Investigator, "investigator-1"),
            (Role::Investigator, "investigator-2"),
            (Role::Supervisor, "approver"),
            (Role::ClarificationOfficer, "clarifier"),
        ];
        let screeners = DEPARTMENTS.map(|code| (code, person(Role::Screener, code, Some(code))));
        let people = parts.map(|(role, name)| (name, person(role, name, None)));
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        let now = chassis::time::real_now();
        Self {
            clients,
            people: people.into_iter().chain(screeners).collect(),
            today: policies.in_force(now).calendar.date(now).to_string(),
        }
    }

    /// The replica that a report's steps go to.
    fn client(&self, name: &str, step: &str) -> &Client {
        let drawn = request_id(name, step).as_u128();
        &self.clients[(drawn % self.clients.len() as u128) as usize]
    }

    /// Takes a step of a report; the answer or the refusal, of those that do not pass.
    async fn take<T>(
        &self,
        name: &str,
        step: &str,
        ask: impl AsyncFn(&Client, String) -> Result<Response<T>, Status>,
    ) -> Result<T, Box<Unanswered>> {
        let (client, id) = (self.client(name, step), request_id(name, step));
        let answer = patiently(AWAY, async || {
            let answer = ask(client, id.to_string()).await;
            answer
                .map(Response::into_inner)
                .map_err(|status| Unsettled::Refused(client.refused(step, &status)))
        });
        answer.await.map_err(|unsettled| match unsettled {
            Unsettled::Refused(refused) => Box::new(refused),
            Unsettled::Tokenless(fault) => panic!("{name}, {step}: {fault}"),
        })
    }

    /// Takes a step that nothing speaks against.
    async fn must<T>(
        &self,
        name: &str,
        step: &str,
        ask: impl AsyncFn(&Client, String) -> Result<Response<T>, Status>,
    ) -> T {
        let answer = self.take(name, step, ask).await;
        answer.unwrap_or_else(|refused| panic!("{name}, {step}: {refused}"))
    }

    /// What day it is for the services; an ISO date.
    pub fn today(&self) -> &str {
        &self.today
    }

    /// Leads a report to the conclusion of its case.
    pub async fn conclude(&self, report: &Report) -> Concluded {
        let name = report.name.as_str();
        let officer = &self.people["intake"];
        let subject = self.must(name, "register", async |client, request_id| {
            let request = intake::RegisterSubjectRequest {
                request_id,
                kind: report.kind.into(),
                name: name.to_owned(),
                unit: report.unit.clone(),
                authority: report.unit.clone(),
                standing: Standing::PublicOfficial.into(),
                source: report.source.to_owned(),
                reference: name.to_owned(),
                ..Default::default()
            };
            officer.intake(client).register_subject(request).await
        });
        let subject = subject.await.subject_id;
        if report.kind == SubjectKind::Organisation {
            self.head_of(&report.unit).await;
        }
        let submitted = self.must(name, "submit", async |client, request_id| {
            let request = intake::SubmitReportRequest {
                request_id,
                channel: Channel::Letter.into(),
                reporter_kind: intake::ReporterKind::Anonymous.into(),
                allegations: vec![intake::AllegationInput {
                    subject: Some(intake::allegation_input::Subject::SubjectId(
                        subject.clone(),
                    )),
                    category: "bribery".to_owned(),
                    narrative: "Took an envelope".to_owned(),
                    ..Default::default()
                }],
                source: report.source.to_owned(),
                reference: name.to_owned(),
                ..Default::default()
            };
            officer.intake(client).submit_report(request).await
        });
        let submitted = submitted.await;
        let accepted = self.must(name, "accept", async |client, request_id| {
            let request = intake::AcceptReportRequest {
                request_id,
                report_id: submitted.report_id.clone(),
                ..Default::default()
            };
            officer.intake(client).accept_report(request).await
        });
        let matter = accepted.await.matter_id;
        let case = self.case_of(name, &matter).await;
        let case = self.find(report, &subject, &case, &submitted.allegation_ids[0]);
        Concluded {
            name: name.to_owned(),
            matter,
            case: case.await,
            subject,
        }
    }

    /// The person who heads a unit and speaks for its organisations; registered when first asked for.
    async fn head_of(&self, unit: &str) -> String {
        let name = format!("head of {unit}");
        let officer = &self.people["intake"];
        let registered = self.must(&name, "register", async |client, request_id| {
            let request = intake::RegisterSubjectRequest {
                request_id,
                kind: SubjectKind::Person.into(),
                name: name.clone(),
                unit: unit.to_owned(),
                heads: unit.to_owned(),
                standing: Standing::PublicOfficial.into(),
                source: "heads".to_owned(),
                reference: name.clone(),
                ..Default::default()
            };
            officer.intake(client).register_subject(request).await
        });
        registered.await.subject_id
    }

    /// The case of a matter, once verification has heard of it.
    async fn case_of(&self, name: &str, matter: &str) -> String {
        let mut case = String::new();
        eventually("the case is open", async || {
            let reader = &self.people["assigner"];
            let request = verified::GetCaseRequest {
                matter_id: matter.to_owned(),
                ..Default::default()
            };
            let client = self.client(name, "case");
            let answer = reader.verification(client).get_case(request).await;
            let found = answer.ok().and_then(|answer| answer.into_inner().case);
            case = found.map(|found| found.case_id).unwrap_or_default();
            !case.is_empty()
        })
        .await;
        case
    }

    /// Investigates a case and concludes it with the report's finding; the case's id.
    async fn find(&self, report: &Report, subject: &str, case: &str, allegation: &str) -> String {
        let name = report.name.as_str();
        let investigator = &self.people["investigator-1"];
        self.must(name, "assign", async |client, request_id| {
            let request = verified::AssignInvestigatorsRequest {
                request_id,
                case_id: case.to_owned(),
                investigators: vec!["investigator-1".to_owned(), "investigator-2".to_owned()],
            };
            let mut desk = self.people["assigner"].verification(client);
            desk.assign_investigators(request).await
        })
        .await;
        let evidence = self.must(name, "evidence", async |client, request_id| {
            let request = verified::RecordEvidenceRequest {
                request_id,
                case_id: case.to_owned(),
                evidence: vec![verified::EvidenceInput {
                    kind: verified::EvidenceKind::Document.into(),
                    description: "A ledger".to_owned(),
                    obtained_on: self.today.clone(),
                    ..Default::default()
                }],
            };
            investigator
                .verification(client)
                .record_evidence(request)
                .await
        });
        let evidence = evidence.await.evidence_ids;
        self.must(name, "propose", async |client, request_id| {
            let request = verified::ProposeFindingsRequest {
                request_id,
                case_id: case.to_owned(),
                findings: vec![verified::FindingInput {
                    allegation_id: allegation.to_owned(),
                    finding: report.finding.into(),
                    evidence_ids: evidence.clone(),
                    ..Default::default()
                }],
                harms: report
                    .harm
                    .map(|what| harmed(subject, what))
                    .into_iter()
                    .collect(),
            };
            let mut desk = investigator.verification(client);
            desk.propose_findings(request).await
        })
        .await;
        self.must(name, "approve", async |client, request_id| {
            let request = verified::ApproveFindingsRequest {
                request_id,
                case_id: case.to_owned(),
            };
            let mut desk = self.people["approver"].verification(client);
            desk.approve_findings(request).await
        })
        .await;
        case.to_owned()
    }

    /// The clarification of a conclusion that clears its subject, once it has opened by itself.
    pub async fn opened(&self, concluded: &Concluded) -> String {
        let mut id = String::new();
        eventually("the clarification is open", async || {
            let found = self.clarification(concluded).await;
            id = found
                .map(|found| found.clarification_id)
                .unwrap_or_default();
            !id.is_empty()
        })
        .await;
        id
    }

    /// The clarification of a report's subject, as it is now; `None` if there is none.
    pub async fn clarification(&self, concluded: &Concluded) -> Option<cleared::Clarification> {
        let reader = &self.people["clarifier"];
        let request = cleared::GetClarificationRequest {
            matter_id: concluded.matter.clone(),
            subject_id: concluded.subject.clone(),
            ..Default::default()
        };
        let client = self.client(&concluded.name, "clarification");
        let mut desk = reader.clarification(client);
        let answer = desk.get_clarification(request).await.ok()?;
        answer.into_inner().clarification
    }

    /// Who speaks for a clarification's subject: of an organisation its head, whose units are the same here; of a person
    /// nobody else.
    async fn speaker(&self, name: &str, id: &str) -> String {
        let found = self.must(name, "subject", async |client, _| {
            let request = cleared::GetClarificationRequest {
                clarification_id: id.to_owned(),
                ..Default::default()
            };
            let mut desk = self.people["clarifier"].clarification(client);
            desk.get_clarification(request).await
        });
        let found = found.await.clarification.unwrap_or_default();
        match found.subject_kind() {
            SubjectKind::Organisation => self.head_of(&found.unit).await,
            _ => String::new(),
        }
    }

    /// Prepares a clarification up to its approval, in this form, and waits for its documents.
    pub async fn prepare(&self, name: &str, id: &str, form: ClarificationForm) {
        for department in DEPARTMENTS {
            self.must(name, department, async |client, request_id| {
                let request = cleared::RecordOpinionRequest {
                    request_id,
                    clarification_id: id.to_owned(),
                    opinion: cleared::Opinion::Agrees.into(),
                    reason: "Nothing speaks against it".to_owned(),
                };
                let mut desk = self.people[department].clarification(client);
                desk.record_opinion(request).await
            })
            .await;
        }
        let officer = &self.people["clarifier"];
        let spoken_by = self.speaker(name, id).await;
        self.must(name, "wish", async |client, request_id| {
            let request = cleared::RecordWishRequest {
                request_id,
                clarification_id: id.to_owned(),
                wish: cleared::Wish::Wants.into(),
                wanted: vec![form.into()],
                heard_on: self.today.clone(),
                spoken_by: spoken_by.clone(),
                ..Default::default()
            };
            officer.clarification(client).record_wish(request).await
        })
        .await;
        self.must(name, "form", async |client, request_id| {
            let request = cleared::DecideFormRequest {
                request_id,
                clarification_id: id.to_owned(),
                form: form.into(),
                reason: String::new(),
            };
            officer.clarification(client).decide_form(request).await
        })
        .await;
        self.must(name, "draft", async |client, request_id| {
            let request = cleared::DraftStatementRequest {
                request_id,
                clarification_id: id.to_owned(),
                note: String::new(),
            };
            officer.clarification(client).draft_statement(request).await
        })
        .await;
        self.must(name, "approve clearing", async |client, request_id| {
            let request = cleared::ApproveClarificationRequest {
                request_id,
                clarification_id: id.to_owned(),
            };
            let mut desk = self.people["approver"].clarification(client);
            desk.approve_clarification(request).await
        })
        .await;
        eventually("the documents are made", async || {
            let request = cleared::GetClarificationRequest {
                clarification_id: id.to_owned(),
                ..Default::default()
            };
            let client = self.client(name, "documents");
            let mut desk = officer.clarification(client);
            let answer = desk.get_clarification(request);
            let found = answer
                .await
                .ok()
                .and_then(|answer| answer.into_inner().clarification);
            found.is_some_and(|found| !found.documents.is_empty())
        })
        .await;
    }

    /// Carries an approved clarification out in its form, which is not a meeting.
    ///
    /// # Errors
    /// The service's refusal.
    pub async fn carry_out(
        &self,
        name: &str,
        id: &str,
        form: ClarificationForm,
    ) -> Result<(), Refusal> {
        let officer = &self.people["clarifier"];
        let (published_in, published_until) = match form {
            ClarificationForm::Bulletin => ("The notice board".to_owned(), self.today.clone()),
            _ => Default::default(),
        };
        let carried_out = self.take(name, "carry out", async |client, request_id| {
            let request = cleared::CarryOutClarificationRequest {
                request_id,
                clarification_id: id.to_owned(),
                carried_out_on: self.today.clone(),
                place: "The town hall".to_owned(),
                handed_over_by: "clarifier".to_owned(),
                published_in: published_in.clone(),
                published_until: published_until.clone(),
                ..Default::default()
            };
            let mut desk = officer.clarification(client);
            desk.carry_out_clarification(request).await
        });
        carried_out
            .await
            .map(drop)
            .map_err(|refused| refused.refusal)
    }

    /// Convenes a meeting for approved clarifications of one unit and holds it. That each is cleared by it follows.
    pub async fn meet(&self, name: &str, ids: &[String]) {
        let officer = &self.people["clarifier"];
        let convened = self
            .must(name, "convene", async |client, request_id| {
                let request = cleared::ConveneMeetingRequest {
                    request_id,
                    clarification_ids: ids.to_vec(),
                    held_on: self.today.clone(),
                    held_at: String::new(),
                    place: "The town hall".to_owned(),
                };
                officer.clarification(client).convene_meeting(request).await
            })
            .await;
        self.must(name, "hold", async |client, request_id| {
            let request = cleared::HoldMeetingRequest {
                request_id,
                meeting_id: convened.meeting_id.clone(),
                attendance: 40,
                attended: "All of the office".to_owned(),
                handed_over_by: "clarifier".to_owned(),
            };
            officer.clarification(client).hold_meeting(request).await
        })
        .await;
    }

    /// Opens a concluded case again.
    pub async fn reopen(&self, concluded: &Concluded) {
        self.must(&concluded.name, "reopen", async |client, request_id| {
            let request = verified::ReopenCaseRequest {
                request_id,
                case_id: concluded.case.clone(),
                reason: "new_facts".to_owned(),
            };
            let mut desk = self.people["approver"].verification(client);
            desk.reopen_case(request).await
        })
        .await;
    }
}

fn request_id(name: &str, step: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{name}/{step}").as_bytes())
}

fn harmed(subject: &str, what: Harm) -> SubjectHarm {
    SubjectHarm {
        subject_id: subject.to_owned(),
        harms: vec![what.into()],
        degree: HarmDegree::Serious.into(),
        reach: HarmReach::Unit.into(),
        exclusions: Vec::new(),
    }
}

//! Asking the services as the cast: every call of a replay goes through here, with a token that is good, patience for what
//! passes, and a count of the commands.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use office::Actor;
use proto::clarification::ListClarificationsRequest;
use proto::intake::{
    AcceptReportRequest, AcceptReportResponse, Candidate, GetReportRequest, ListCandidatesRequest,
    ListReportsRequest, RegisterSubjectRequest, Report, SubmitReportRequest, SubmitReportResponse,
};
use proto::verification::{
    ApproveFindingsRequest, AssignInvestigatorsRequest, Case as Verified, GetCaseRequest,
    ListCasesRequest, ProposeFindingsRequest, RecordEvidenceRequest,
};
use tonic::{Response, Status};

use super::entered::Listed;
use super::patience::{Unsettled, patiently};
use super::people::People;
use super::table::Counted;
use crate::client::{Office, Person};
use crate::commands::events::{self, Held};
use crate::commands::quiet::{self, Quiet};
use crate::commands::stats;

mod consequences;

/// The most that a page of a listing holds.
const PAGE: i32 = 200;

/// The services, as the cast asks them.
#[derive(Debug)]
pub struct Desks<'a> {
    office: &'a Office,
    people: &'a People,
    auditor: &'a Actor,
    patience: Duration,
    commands: AtomicU64,
}

impl<'a> Desks<'a> {
    /// The services; the auditor is who reads, and a service may be away for as long as the patience is.
    #[must_use]
    pub fn new(
        office: &'a Office,
        people: &'a People,
        auditor: &'a Actor,
        patience: Duration,
    ) -> Self {
        Self {
            office,
            people,
            auditor,
            patience,
            commands: AtomicU64::new(0),
        }
    }

    /// How many commands were carried out.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// How long a service may be away.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Asks a service once.
    async fn once<T>(
        &self,
        service: &str,
        actor: &Actor,
        ask: impl AsyncFnOnce(Person) -> Result<Response<T>, Status>,
    ) -> Result<T, Unsettled> {
        let person = self.people.person(actor).map_err(Unsettled::Tokenless)?;
        let answer = ask(person).await;
        answer
            .map(Response::into_inner)
            .map_err(|status| Unsettled::Refused(self.office.refused(service, &status)))
    }

    /// Sends a command until its answer is none that passes. Its request id makes the repeat harmless.
    async fn command<T>(
        &self,
        service: &str,
        actor: &Actor,
        ask: impl AsyncFn(Person) -> Result<Response<T>, Status>,
    ) -> Result<T, Unsettled> {
        let answer = patiently(self.patience, async || {
            self.once(service, actor, &ask).await
        });
        let answer = answer.await?;
        self.commands.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }

    /// Reads as the auditor.
    async fn read<T>(
        &self,
        service: &str,
        ask: impl AsyncFn(Person) -> Result<Response<T>, Status>,
    ) -> Result<T, Unsettled> {
        patiently(self.patience, async || {
            self.once(service, self.auditor, &ask).await
        })
        .await
    }

    /// Puts a subject into the subject register; its id.
    ///
    /// # Errors
    /// See [`Unsettled`]; so for all that follow.
    pub async fn register_subject(
        &self,
        actor: &Actor,
        request: &RegisterSubjectRequest,
    ) -> Result<String, Unsettled> {
        let answer = self.command("intake", actor, async |person| {
            let request = request.clone();
            person.intake(self.office).register_subject(request).await
        });
        Ok(answer.await?.subject_id)
    }

    /// Submits a report, once: what to do if the answer is lost is for the caller to say.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn submit_report_once(
        &self,
        actor: &Actor,
        request: SubmitReportRequest,
    ) -> Result<SubmitReportResponse, Unsettled> {
        let answer = self.once("intake", actor, async |person| {
            person.intake(self.office).submit_report(request).await
        });
        let answer = answer.await?;
        self.commands.fetch_add(1, Ordering::Relaxed);
        Ok(answer)
    }

    /// The matters that a report may repeat.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn list_candidates(
        &self,
        officer: &Actor,
        report_id: &str,
    ) -> Result<Vec<Candidate>, Unsettled> {
        let answer = patiently(self.patience, async || {
            self.once("intake", officer, async |person| {
                let report_id = report_id.to_owned();
                let request = ListCandidatesRequest { report_id };
                person.intake(self.office).list_candidates(request).await
            })
            .await
        });
        Ok(answer.await?.candidates)
    }

    /// Accepts a report.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn accept_report(
        &self,
        officer: &Actor,
        request: &AcceptReportRequest,
    ) -> Result<AcceptReportResponse, Unsettled> {
        self.command("intake", officer, async |person| {
            let request = request.clone();
            person.intake(self.office).accept_report(request).await
        })
        .await
    }

    /// A report, if there is one of this id.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn report(&self, report_id: &str) -> Result<Option<Report>, Unsettled> {
        let answer = self.read("intake", async |person| {
            let report_id = report_id.to_owned();
            let request = GetReportRequest { report_id };
            person.intake(self.office).get_report(request).await
        });
        match answer.await {
            Ok(answer) => Ok(answer.report),
            Err(unsettled) if unsettled.is("NOT_FOUND") => Ok(None),
            Err(unsettled) => Err(unsettled),
        }
    }

    /// The case of a matter, if verification has it.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn case_of(&self, matter_id: &str) -> Result<Option<Verified>, Unsettled> {
        let answer = self.read("verification", async |person| {
            let request = GetCaseRequest {
                matter_id: matter_id.to_owned(),
                ..Default::default()
            };
            person.verification(self.office).get_case(request).await
        });
        match answer.await {
            Ok(answer) => Ok(answer.case),
            Err(unsettled) if unsettled.is("NOT_FOUND") => Ok(None),
            Err(unsettled) => Err(unsettled),
        }
    }

    /// Assigns investigators.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn assign_investigators(
        &self,
        supervisor: &Actor,
        request: &AssignInvestigatorsRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("verification", supervisor, async |person| {
            let request = request.clone();
            let mut desk = person.verification(self.office);
            desk.assign_investigators(request).await
        });
        answer.await.map(drop)
    }

    /// Records evidence; the items' ids.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn record_evidence(
        &self,
        investigator: &Actor,
        request: &RecordEvidenceRequest,
    ) -> Result<Vec<String>, Unsettled> {
        let answer = self.command("verification", investigator, async |person| {
            let request = request.clone();
            let mut desk = person.verification(self.office);
            desk.record_evidence(request).await
        });
        Ok(answer.await?.evidence_ids)
    }

    /// Proposes findings.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn propose_findings(
        &self,
        investigator: &Actor,
        request: &ProposeFindingsRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("verification", investigator, async |person| {
            let request = request.clone();
            let mut desk = person.verification(self.office);
            desk.propose_findings(request).await
        });
        answer.await.map(drop)
    }

    /// Approves findings.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn approve_findings(
        &self,
        supervisor: &Actor,
        request: &ApproveFindingsRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("verification", supervisor, async |person| {
            let request = request.clone();
            let mut desk = person.verification(self.office);
            desk.approve_findings(request).await
        });
        answer.await.map(drop)
    }

    /// All reports, cases and clarifications of a source.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn list(&self, source: &str) -> Result<Listed, Unsettled> {
        let mut listed = Listed::default();
        let mut request = ListReportsRequest {
            page_size: PAGE,
            source: source.to_owned(),
            ..Default::default()
        };
        loop {
            let answer = self.read("intake", async |person| {
                let request = request.clone();
                person.intake(self.office).list_reports(request).await
            });
            let page = answer.await?;
            listed.reports.extend(page.reports);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let mut request = ListCasesRequest {
            page_size: PAGE,
            source: source.to_owned(),
            ..Default::default()
        };
        loop {
            let answer = self.read("verification", async |person| {
                let request = request.clone();
                person.verification(self.office).list_cases(request).await
            });
            let page = answer.await?;
            listed.cases.extend(page.cases);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let mut request = ListClarificationsRequest {
            page_size: PAGE,
            source: source.to_owned(),
            ..Default::default()
        };
        loop {
            let answer = self.read("clarification", async |person| {
                let request = request.clone();
                let mut desk = person.clarification(self.office);
                desk.list_clarifications(request).await
            });
            let page = answer.await?;
            listed.clarifications.extend(page.clarifications);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        Ok(listed)
    }

    /// What all services count for a source.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn statistics(&self, source: &str) -> Result<Counted, Unsettled> {
        let mut counted = Counted::default();
        for service in self.office.services() {
            let answer = patiently(self.patience, async || {
                let auditor = self.people.person(self.auditor);
                let auditor = auditor.map_err(Unsettled::Tokenless)?;
                let figures = stats::figures(self.office, &auditor, service, source).await;
                figures.map_err(Unsettled::Refused)
            });
            counted.take(service, answer.await?);
        }
        Ok(counted)
    }

    /// Whether anything is still on its way.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn quiet(&self) -> Result<Quiet, Unsettled> {
        patiently(self.patience, async || {
            let auditor = self.people.person(self.auditor);
            let auditor = auditor.map_err(Unsettled::Tokenless)?;
            let quiet = quiet::quiet(self.office, &auditor).await;
            quiet.map_err(Unsettled::Refused)
        })
        .await
    }

    /// What is held back in all services.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn held(&self) -> Result<Vec<Held>, Unsettled> {
        patiently(self.patience, async || {
            let auditor = self.people.person(self.auditor);
            let auditor = auditor.map_err(Unsettled::Tokenless)?;
            let held = events::held(self.office, &auditor).await;
            held.map_err(Unsettled::Refused)
        })
        .await
    }
}

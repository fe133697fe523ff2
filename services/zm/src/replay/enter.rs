//! One case on its way: its subjects, its report, its matter, its verification up to the conclusion, and what follows that.
//!
//! What a service has already is not sent again: a case goes on from where the services say it is, also one that another replay was
//! killed with. Where two replays of the same register run at once the request ids make each step happen once.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use office::{Actor, UnitCode};
use proto::intake::{RegisterSubjectRequest, Report};
use proto::verification::{ApproveFindingsRequest, Case as Verified, CaseState};
use tokio::sync::OnceCell;

use super::actors::{Cast, ids};
use super::desks::Desks;
use super::entered::Entered;
use super::identity::{Step, report_id, request_id};
use super::patience::{Patience, Unsettled};
use super::requests::{self, Reached, Source, steps_left};
use crate::register::{Case, Subject};

mod consequences;

/// How long a case may take from intake to verification.
const ARRIVAL: Duration = Duration::from_secs(60);
/// The refusal of a report whose repeat ledger shows matters that nobody has decided on.
const UNDECIDED: &str = "INTAKE_CANDIDATES_UNDECIDED";
/// The refusals of a report that was accepted a moment ago by ourselves, with the answer lost on the way.
const PERHAPS_ACCEPTED: [&str; 2] = ["INTAKE_REPORT_ALREADY_DECIDED", "REQUEST_ID_REUSED"];

/// The register on its way into the services.
#[derive(Debug)]
pub struct Entering<'a> {
    /// The services.
    pub desks: &'a Desks<'a>,
    /// Who acts.
    pub cast: &'a Cast,
    /// What is entered.
    pub source: Source<'a>,
    /// What was entered before.
    pub entered: &'a Entered,
    /// The subjects' ids, each asked for once.
    pub subjects: Subjects,
}

/// The ids of subjects by the request that registers them.
#[derive(Debug, Default)]
pub struct Subjects(Mutex<HashMap<String, Arc<OnceCell<String>>>>);

/// Where a replay stopped, and why.
#[derive(Debug)]
pub struct Stopped {
    /// The case's reference.
    pub case: String,
    /// The lines of its rows.
    pub lines: Vec<u64>,
    /// What was being done.
    pub doing: String,
    /// Why that did not succeed.
    pub why: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.lines.iter().map(u64::to_string).collect();
        let noun = if lines.len() == 1 { "line" } else { "lines" };
        write!(
            f,
            "the replay stopped at case {} ({noun} {}), {}:\n  {}\nOnce that is settled run the same again: it goes on where it stopped, and enters nothing twice.",
            self.case,
            lines.join(", "),
            self.doing,
            self.why
        )
    }
}

impl std::error::Error for Stopped {}

/// A report that intake has.
struct Filed {
    report_id: String,
    /// Where it lies for triage.
    unit: UnitCode,
    /// The matter that it raised, once it was accepted.
    matter_id: Option<String>,
    /// Its allegations in the order of the rows; nothing if they have not been asked for.
    allegation_ids: Option<Vec<String>>,
}

impl Filed {
    fn of(report: Report) -> Result<Self, String> {
        Ok(Self {
            unit: unit(&report.unit)?,
            matter_id: Some(report.matter_id).filter(|id| !id.is_empty()),
            allegation_ids: Some(
                report
                    .allegations
                    .into_iter()
                    .map(|allegation| allegation.allegation_id)
                    .collect(),
            ),
            report_id: report.report_id,
        })
    }
}

fn unit(code: &str) -> Result<UnitCode, String> {
    UnitCode::new(code).map_err(|fault| fault.to_string())
}

impl Entering<'_> {
    /// Leads a case from wherever it is to where the register has it.
    ///
    /// # Errors
    /// The step at which it stopped, and why.
    pub async fn enter(&self, case: &Case) -> Result<(), Stopped> {
        if let Some((matter_id, case_id)) = self.entered.concluded(&case.reference) {
            return self.follow(case, matter_id, case_id).await;
        }
        let filed = match self.entered.report(&case.reference) {
            Some(row) => Filed {
                report_id: row.report_id.clone(),
                unit: unit(&row.unit).map_err(|why| stopped(case, "reading its unit", why))?,
                matter_id: Some(row.matter_id.clone()).filter(|id| !id.is_empty()),
                allegation_ids: None,
            },
            None => self.submit(case).await?,
        };
        let matter_id = match &filed.matter_id {
            Some(matter_id) => matter_id.clone(),
            None => self.accept(case, &filed).await?,
        };
        let verified = self.arrived(case, &matter_id).await?;
        let case_id = verified.case_id.clone();
        self.verify(case, &filed, verified).await?;
        if case.is_open() {
            return Ok(());
        }
        self.follow(case, &matter_id, &case_id).await
    }

    /// Takes the report in, its subjects first.
    async fn submit(&self, case: &Case) -> Result<Filed, Stopped> {
        let registrar = self.cast.registrar();
        let references: BTreeSet<&str> = case
            .rows
            .iter()
            .filter_map(|row| match &row.subject {
                Subject::Identified { reference } => Some(reference.as_str()),
                Subject::Unidentified => None,
            })
            .collect();
        let registered = references.iter().map(|reference| self.subject(reference));
        let registered = try_join_all(registered)
            .await
            .map_err(|why| at(case, Step::RegisterSubject, registrar, why))?;
        let subject_ids: HashMap<&str, String> =
            references.iter().copied().zip(registered).collect();

        let request = requests::submit_report(self.source, case, |reference| {
            subject_ids.get(reference).cloned().unwrap_or_default()
        });
        let sealed = report_id(self.source.digest, case, registrar).to_string();
        let mut patience = Patience::with_a_service(self.desks.patience());
        let answer = loop {
            match self
                .desks
                .submit_report_once(registrar, request.clone())
                .await
            {
                Ok(answer) => break answer,
                Err(unsettled) if unsettled.passes() && patience.pause().await => {
                    // The answer may be lost and not the report; submitting again would draw another receipt code.
                    if let Some(filed) = self.look_up(case, &sealed).await? {
                        return Ok(filed);
                    }
                }
                Err(unsettled) => return Err(at(case, Step::SubmitReport, registrar, unsettled)),
            }
        };
        if references.is_empty() {
            // Nobody's authority says where it lies, so ask.
            let filed = self.look_up(case, &answer.report_id).await?;
            return filed.ok_or_else(|| {
                stopped(
                    case,
                    "looking for its report",
                    "intake took it in and does not have it",
                )
            });
        }
        Ok(Filed {
            report_id: answer.report_id,
            unit: self.source.unit.clone(),
            matter_id: None,
            allegation_ids: Some(answer.allegation_ids),
        })
    }

    /// A subject's id; registered when first asked for.
    async fn subject(&self, reference: &str) -> Result<String, Unsettled> {
        let request = requests::register_subject(self.source, reference);
        self.registered(request).await
    }

    /// The id of the person who heads the register's unit; registered when first asked for.
    async fn head(&self, head: &str) -> Result<String, Unsettled> {
        let request = requests::register_head(self.source, head);
        self.registered(request).await
    }

    async fn registered(&self, request: RegisterSubjectRequest) -> Result<String, Unsettled> {
        let cell = {
            let mut cells = self
                .subjects
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(request.request_id.clone()).or_default())
        };
        let id = cell.get_or_try_init(async || {
            let registrar = self.cast.registrar();
            self.desks.register_subject(registrar, &request).await
        });
        id.await.cloned()
    }

    async fn look_up(&self, case: &Case, report_id: &str) -> Result<Option<Filed>, Stopped> {
        let report = self.desks.report(report_id).await;
        let report = report.map_err(|why| stopped(case, "reading its report", why))?;
        let filed = report.map(Filed::of).transpose();
        filed.map_err(|why| stopped(case, "reading its report", why))
    }

    /// Accepts the report; the matter's id.
    ///
    /// The repeat ledger is asked first only where it can show anything: who is not identified repeats nobody. What else
    /// is entered meanwhile may show up between the question and the acceptance; then the ledger is asked once more.
    async fn accept(&self, case: &Case, filed: &Filed) -> Result<String, Stopped> {
        let officer = self.cast.intake_officer(&case.reference, &filed.unit);
        let officer = officer.ok_or_else(|| {
            let lacks = format!(
                "it lies at unit {}, and no intake officer of that unit has a token; add one to the folder",
                filed.unit
            );
            stopped(case, "accepting its report", lacks)
        })?;
        let mut patience = Patience::new(
            self.desks.patience(),
            Duration::from_millis(5),
            Duration::from_millis(250),
        );
        let identified = |row: &crate::register::Row| row.subject != Subject::Unidentified;
        let mut ask = case.rows.iter().any(identified);
        let mut candidates = Vec::new();
        loop {
            if ask {
                let listed = self.desks.list_candidates(&officer, &filed.report_id).await;
                let listed = listed.map_err(|why| stopped(case, "listing its candidates", why))?;
                for candidate in listed {
                    let is_same =
                        |known: &proto::intake::Candidate| known.matter_id == candidate.matter_id;
                    if !candidates.iter().any(is_same) {
                        candidates.push(candidate);
                    }
                }
            }
            let request = requests::accept_report(self.source, case, &filed.report_id, &candidates);
            match self.desks.accept_report(&officer, &request).await {
                Ok(answer) => return Ok(answer.matter_id),
                Err(unsettled) if unsettled.is(UNDECIDED) && patience.pause().await => ask = true,
                Err(unsettled) => {
                    if PERHAPS_ACCEPTED.iter().any(|code| unsettled.is(code))
                        && let Some(now) = self.look_up(case, &filed.report_id).await?
                        && let Some(matter_id) = now.matter_id
                    {
                        return Ok(matter_id);
                    }
                    return Err(at(case, Step::AcceptReport, &officer, unsettled));
                }
            }
        }
    }

    /// Waits until verification has the case of the matter.
    async fn arrived(&self, case: &Case, matter_id: &str) -> Result<Verified, Stopped> {
        let doing = "waiting for its case in verification";
        let mut patience = Patience::new(
            ARRIVAL,
            Duration::from_millis(20),
            Duration::from_millis(500),
        );
        loop {
            let found = self.desks.case_of(matter_id).await;
            if let Some(verified) = found.map_err(|why| stopped(case, doing, why))? {
                return Ok(verified);
            }
            if !patience.pause().await {
                let why = format!(
                    "verification has no case of matter {matter_id} after {} s; `zm events list` shows what is held, and is the broker running?",
                    ARRIVAL.as_secs()
                );
                return Err(stopped(case, doing, why));
            }
        }
    }

    /// Takes the steps that are left in verification.
    async fn verify(&self, case: &Case, filed: &Filed, verified: Verified) -> Result<(), Stopped> {
        let reached = reached(&verified).map_err(|why| stopped(case, "reading its case", why))?;
        let steps = steps_left(case.is_open(), reached);
        if steps.is_empty() {
            return Ok(());
        }
        let case_id = verified.case_id.as_str();
        let team = self.team(case, &verified)?;
        let (Some(recorder), Some(proposer)) = (team.first(), team.last()) else {
            return Err(stopped(
                case,
                "choosing its investigators",
                "there are none",
            ));
        };
        let mut evidence_ids = verified.evidence_ids.clone();
        for step in steps {
            match step {
                Step::AssignInvestigators => {
                    let supervisor = self.cast.assigner(&case.reference);
                    let supervisor = supervisor.ok_or_else(|| no_supervisor(case))?;
                    let assigned = ids(&team).into_iter().collect();
                    let request =
                        requests::assign_investigators(self.source, case, case_id, assigned);
                    let done = self.desks.assign_investigators(&supervisor, &request).await;
                    done.map_err(|why| at(case, step, &supervisor, why))?;
                }
                Step::RecordEvidence => {
                    let request = requests::record_evidence(self.source, case, case_id);
                    let done = self.desks.record_evidence(recorder, &request).await;
                    evidence_ids = done.map_err(|why| at(case, step, recorder, why))?;
                }
                Step::ProposeFindings => {
                    let allegation_ids = self.allegation_ids(case, filed).await?;
                    let request = requests::propose_findings(
                        self.source,
                        case,
                        case_id,
                        &allegation_ids,
                        &evidence_ids,
                    );
                    let Some(request) = request else { continue };
                    let done = self.desks.propose_findings(proposer, &request).await;
                    done.map_err(|why| at(case, step, proposer, why))?;
                }
                Step::ApproveFindings => {
                    let supervisor = self.cast.approver(&case.reference, &ids(&team));
                    let supervisor = supervisor.ok_or_else(|| no_supervisor(case))?;
                    let request = ApproveFindingsRequest {
                        request_id: request_id(self.source.digest, case, step).to_string(),
                        case_id: case_id.to_owned(),
                    };
                    let done = self.desks.approve_findings(&supervisor, &request).await;
                    done.map_err(|why| at(case, step, &supervisor, why))?;
                }
                // Taken before the case is there, or after it is concluded.
                _ => {}
            }
        }
        Ok(())
    }

    /// Those who investigate the case: whoever is assigned, else those whose turn it is.
    fn team(&self, case: &Case, verified: &Verified) -> Result<Vec<Actor>, Stopped> {
        if verified.investigators.is_empty() {
            return Ok(self.cast.team(&case.reference));
        }
        let assigned: BTreeSet<&str> = verified.investigators.iter().map(String::as_str).collect();
        let known = assigned.iter().map(|id| {
            self.cast.investigator(id).cloned().ok_or_else(|| {
                let why = format!(
                    "{id} investigates it, and is none of this replay's actors; replay with the tokens that it began with"
                );
                stopped(case, "looking for its investigators", why)
            })
        });
        known.collect()
    }

    async fn allegation_ids(&self, case: &Case, filed: &Filed) -> Result<Vec<String>, Stopped> {
        let ids = match &filed.allegation_ids {
            Some(ids) => Some(ids.clone()),
            None => {
                let now = self.look_up(case, &filed.report_id).await?;
                now.and_then(|now| now.allegation_ids)
            }
        };
        let ids = ids.unwrap_or_default();
        if ids.len() == case.rows.len() {
            Ok(ids)
        } else {
            let why = format!(
                "intake has {} allegations of its report, the register {} rows",
                ids.len(),
                case.rows.len()
            );
            Err(stopped(case, "reading its allegations", why))
        }
    }
}

/// How far a case is.
fn reached(verified: &Verified) -> Result<Reached, String> {
    match verified.state() {
        CaseState::Concluded => Ok(Reached::Concluded),
        CaseState::Proposed => Ok(Reached::Proposed),
        CaseState::Opened | CaseState::Investigating => Ok(
            match (&verified.investigators[..], &verified.evidence_ids[..]) {
                ([], _) => Reached::Opened,
                (_, []) => Reached::Assigned,
                _ => Reached::Evidenced,
            },
        ),
        state @ (CaseState::Suspended | CaseState::Discontinued | CaseState::Unspecified) => {
            Err(format!(
                "its state is {}; what was decided by hand is not replayed over",
                state.as_str_name()
            ))
        }
    }
}

fn no_supervisor(case: &Case) -> Stopped {
    stopped(
        case,
        "choosing a supervisor",
        "every supervisor with a token investigated it; add the token of another",
    )
}

fn stopped(
    case: &Case,
    doing: &str,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Stopped {
    Stopped {
        case: case.reference.clone(),
        lines: case.rows.iter().map(|row| row.line).collect(),
        doing: doing.to_owned(),
        why: why.into(),
    }
}

fn at(case: &Case, step: Step, actor: &Actor, why: Unsettled) -> Stopped {
    let doing = format!("step {} by {}", step.method(), actor.id);
    stopped(case, &doing, why)
}

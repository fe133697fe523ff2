//! The work on a case: assign, evidence, findings, approval, and its course.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use chassis::hexadecimal;
use clap::Args;
use office::Role;
use proto::verification::{
    ApproveFindingsRequest, AssignInvestigatorsRequest, DeclareConflictRequest,
    DiscontinueCaseRequest, EvidenceInput, EvidenceKind, ProposeFindingsRequest,
    RecordEvidenceRequest, ReopenCaseRequest, ResumeCaseRequest, ReturnFindingsRequest,
    SuspendCaseRequest,
};
use sha2::{Digest as _, Sha256};

use crate::client::Verification;
use crate::finding::Finding;
use crate::harm::Harm;
use crate::{Context, Usage, ids, input, words};

/// Which case.
#[derive(Debug, Args)]
pub struct Case {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
}

/// Which case, and why.
#[derive(Debug, Args)]
pub struct CaseForReason {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Assign investigators.
#[derive(Debug, Args)]
pub struct Assign {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// Their actor ids: at least two, in place of any before
    #[arg(value_name = "ACTORID", required = true)]
    investigators: Vec<String>,
}

impl Assign {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = AssignInvestigatorsRequest {
            request_id: context.request_id(),
            case_id: self.case,
            investigators: self.investigators,
        };
        let names = request.investigators.join(" and ");
        let ask = async |mut cases: Verification| cases.assign_investigators(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| format!("Assigned: {names}."))
    }
}

/// Record evidence.
#[derive(Debug, Args)]
pub struct Evidence {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// Several items as JSON (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kind", "description", "obtained_on", "attachment"])]
    file: Option<PathBuf>,
    /// What it is
    #[arg(long, required_unless_present = "file", value_parser = words::parser::<EvidenceKind>())]
    kind: Option<EvidenceKind>,
    /// What it is and where it comes from; kept as a text
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    description: Option<String>,
    /// When it was obtained
    #[arg(long, value_name = "DATE", required_unless_present = "file")]
    obtained_on: Option<String>,
    /// A file whose hash is recorded with it; the file itself stays where it is
    #[arg(long, value_name = "FILE")]
    attachment: Option<PathBuf>,
}

/// The examples of the help text.
pub(crate) const EVIDENCE_EXAMPLES: &str = "\
Examples:
  zm evidence CASE --kind document --description 'Ledger of the roads office' --obtained-on 2026-03-02
  zm evidence CASE --kind recording --description 'Camera 4' --obtained-on 2026-03-02 \\
    --attachment camera4.mp4
  zm evidence CASE --file evidence.json

evidence.json, the message RecordEvidenceRequest (the case is taken from the command):
  {\"evidence\": [
    {\"kind\": \"EVIDENCE_KIND_TESTIMONY\", \"description\": \"…\", \"obtainedOn\": \"2026-03-02\"}]}";

impl Evidence {
    fn request(self) -> Result<RecordEvidenceRequest> {
        let mut request = match &self.file {
            Some(path) => input::message::<RecordEvidenceRequest>(path)?,
            None => RecordEvidenceRequest {
                evidence: vec![EvidenceInput {
                    kind: self.kind.unwrap_or_default().into(),
                    description: self.description.unwrap_or_default(),
                    obtained_on: self.obtained_on.unwrap_or_default(),
                    attachment_digest: match &self.attachment {
                        Some(path) => digest(path)?,
                        None => String::new(),
                    },
                }],
                ..RecordEvidenceRequest::default()
            },
        };
        request.case_id = self.case;
        Ok(request)
    }

    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let mut request = self.request()?;
        request.request_id = context.request_id_or(&request.request_id);
        let ask = async |mut cases: Verification| cases.record_evidence(request).await;
        let answer = context.verification(Role::Investigator, ask).await?;
        context.answer(&answer, |answer| {
            format!("Recorded: evidence {}", answer.evidence_ids.join(" "))
        })
    }
}

/// SHA-256 of a file, hexadecimal.
fn digest(path: &Path) -> Result<String> {
    let fault = |fault| Usage(format!("cannot read {}: {fault}", path.display()));
    let mut file = fs::File::open(path).map_err(fault)?;
    let mut hash = Hash(Sha256::new());
    std::io::copy(&mut file, &mut hash).map_err(fault)?;
    Ok(hexadecimal::encode(&hash.0.finalize()))
}

struct Hash(Sha256);

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Propose a finding for every allegation.
#[derive(Debug, Args)]
pub struct Propose {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// A finding on an allegation; may be given several times
    #[arg(
        long,
        value_name = "ALLEGATION=FINDING[/REASON][:EVIDENCE…]",
        required_unless_present = "file"
    )]
    finding: Vec<Finding>,
    /// How the untrue allegations harmed a subject, or `none`; may be given several times
    #[arg(long, value_name = "SUBJECT=HARM[,HARM…][:DEGREE:REACH][/EXCLUSION…]")]
    harm: Vec<Harm>,
    /// The findings and harms as JSON (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["finding", "harm"])]
    file: Option<PathBuf>,
}

/// The examples of the help text.
pub(crate) const PROPOSE_EXAMPLES: &str = "\
Findings: substantiated, unsubstantiated, unfounded, exonerated (each on at least one item of evidence), and \
closed for a reason: withdrawn, no_cooperation, limitation_expired, duplicate, transferred, void, other.

Harms: advancement_affected, rights_harmed, reported_again, spread_in_public, with their degree (slight, serious, grave) and \
reach (few, unit, public); or none. What rules a clarification out: written_explanation, merely_talked_to.

Examples:
  zm propose CASE --finding 0192…=unfounded:0193… --finding 0194…=closed/duplicate
  zm propose CASE --finding 0192…=unfounded:0193… --harm 0195…=spread_in_public:serious:unit
  zm propose CASE --file findings.json

findings.json, the message ProposeFindingsRequest (the case is taken from the command):
  {\"findings\": [
    {\"allegationId\": \"0192…\", \"finding\": \"FINDING_UNFOUNDED\", \"evidenceIds\": [\"0193…\"]},
    {\"allegationId\": \"0194…\", \"finding\": \"FINDING_CLOSED\",
     \"closingReason\": \"CLOSING_REASON_DUPLICATE\", \"localWord\": \"duplication\"}],
   \"harms\": [
    {\"subjectId\": \"0195…\", \"harms\": [\"HARM_SPREAD_IN_PUBLIC\"], \"degree\": \"HARM_DEGREE_SERIOUS\",
     \"reach\": \"HARM_REACH_UNIT\"}]}";

impl Propose {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let mut request = match &self.file {
            Some(path) => input::message::<ProposeFindingsRequest>(path)?,
            None => ProposeFindingsRequest {
                findings: self.finding.into_iter().map(|finding| finding.0).collect(),
                harms: self.harm.into_iter().map(|harm| harm.0).collect(),
                ..ProposeFindingsRequest::default()
            },
        };
        request.case_id = self.case;
        request.request_id = context.request_id_or(&request.request_id);
        let ask = async |mut cases: Verification| cases.propose_findings(request).await;
        let answer = context.verification(Role::Investigator, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Proposed. Somebody who did not investigate approves:\n  zm approve {}",
                answer.case_id
            )
        })
    }
}

impl Case {
    pub(crate) async fn approve(self, context: &Context) -> Result<()> {
        let request = ApproveFindingsRequest {
            request_id: context.request_id(),
            case_id: self.case,
        };
        let ask = async |mut cases: Verification| cases.approve_findings(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |answer| {
            format!("Concluded: conclusion number {}.", answer.number)
        })
    }

    pub(crate) async fn resume(self, context: &Context) -> Result<()> {
        let request = ResumeCaseRequest {
            request_id: context.request_id(),
            case_id: self.case,
        };
        let ask = async |mut cases: Verification| cases.resume_case(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| "Resumed; its deadline runs again.".to_owned())
    }
}

impl CaseForReason {
    pub(crate) async fn declare_conflict(self, context: &Context) -> Result<()> {
        let request = DeclareConflictRequest {
            request_id: context.request_id(),
            case_id: self.case,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.declare_conflict(request).await;
        let answer = context.verification(Role::Investigator, ask).await?;
        context.answer(&answer, |_| "Declared: recused from this case.".to_owned())
    }

    pub(crate) async fn return_findings(self, context: &Context) -> Result<()> {
        let request = ReturnFindingsRequest {
            request_id: context.request_id(),
            case_id: self.case,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.return_findings(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| "Returned to the investigators.".to_owned())
    }

    pub(crate) async fn suspend(self, context: &Context) -> Result<()> {
        let request = SuspendCaseRequest {
            request_id: context.request_id(),
            case_id: self.case,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.suspend_case(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| {
            "Suspended; its deadline stands still.".to_owned()
        })
    }

    pub(crate) async fn discontinue(self, context: &Context) -> Result<()> {
        let request = DiscontinueCaseRequest {
            request_id: context.request_id(),
            case_id: self.case,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.discontinue_case(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| {
            "Discontinued: it ended without a conclusion.".to_owned()
        })
    }

    pub(crate) async fn reopen(self, context: &Context) -> Result<()> {
        let request = ReopenCaseRequest {
            request_id: context.request_id(),
            case_id: self.case,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.reopen_case(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| {
            "Reopened: its conclusion stands no longer.".to_owned()
        })
    }
}

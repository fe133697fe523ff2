//! `zm tolerance`: what is assessed before a sanction (容錯).

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::office::Finding;
use proto::verification::{
    ApproveToleranceRequest, AssessmentInput, Breach, Case, Experiment, GetSanctionsRequest,
    Liability, Motive, ProposeToleranceRequest, ReturnToleranceRequest, Tolerance, ToleranceState,
};

use super::case;
use crate::client::Verification;
use crate::{Context, No, ids, input, output, words};

/// What is assessed before a sanction.
#[derive(Debug, Subcommand)]
pub enum Tolerances {
    /// Propose how each substantiated finding on a person is assessed
    #[command(after_help = PROPOSE_EXAMPLES)]
    Propose(Box<Propose>),
    /// Return a proposed assessment
    #[command(
        after_help = "Example:\n  zm tolerance return CASE PERSON --reason 'The ban of May was not looked at'"
    )]
    Return(Return),
    /// Approve a proposed assessment; by somebody who neither investigated nor proposed it
    #[command(after_help = "Example:\n  zm tolerance approve CASE PERSON")]
    Approve(Which),
    /// Show how a person was assessed, over all cases
    #[command(after_help = "Example:\n  zm tolerance show PERSON")]
    Show(Show),
}

/// The examples of the help text.
const PROPOSE_EXAMPLES: &str = "\
Each judgement is WORD=REASON; the reasons are kept as texts.

  --breach      want_of_experience (a slip in a reform), knowing, neither
  --experiment  nothing_forbidden (nothing was forbidden yet), expressly_banned, neither
  --motive      common_good (an unintended fault for it), private_gain, neither
  --liability   liable, lighter, exempt

Lighter and exempt need one that speaks for the person; nobody is exempt where a knowing breach or private gain is recorded.

Examples:
  zm tolerance propose CASE PERSON \\
    --breach want_of_experience='The first tender under the new rules' \\
    --experiment neither='The rules were in force' --motive common_good='The bridge was needed before winter' \\
    --liability exempt='He reported it himself and put it right'
  zm tolerance propose CASE PERSON --file assessments.json

assessments.json, the message ProposeToleranceRequest (case and person are taken from the command), for several findings:
  {\"assessments\": [
    {\"allegationId\": \"0192…\", \"breach\": \"BREACH_KNOWING\", \"breachReason\": \"…\",
     \"experiment\": \"EXPERIMENT_NEITHER\", \"experimentReason\": \"…\",
     \"motive\": \"MOTIVE_PRIVATE_GAIN\", \"motiveReason\": \"…\",
     \"liability\": \"LIABILITY_LIABLE\", \"reason\": \"…\"}]}";

/// Which case, and of whom.
#[derive(Debug, Args)]
pub struct Which {
    /// The case's id
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// The person's id
    #[arg(value_name = "PERSON", value_parser = ids::subject)]
    person: String,
}

/// An assessment.
#[derive(Debug, Args)]
pub struct Propose {
    #[command(flatten)]
    which: Which,
    /// On which allegation [default: the person's only substantiated one in this case]
    #[arg(long, value_name = "ALLEGATION", value_parser = ids::allegation)]
    allegation: Option<String>,
    /// Whether a rule was broken for want of experience or knowingly, and why
    #[arg(long, value_name = "WORD=REASON", required_unless_present = "file")]
    breach: Option<Judged<Breach>>,
    /// Whether it was an experiment, before a ban or after, and why
    #[arg(long, value_name = "WORD=REASON", required_unless_present = "file")]
    experiment: Option<Judged<Experiment>>,
    /// What it was for, and why
    #[arg(long, value_name = "WORD=REASON", required_unless_present = "file")]
    motive: Option<Judged<Motive>>,
    /// What comes of it, and why
    #[arg(long, value_name = "WORD=REASON", required_unless_present = "file")]
    liability: Option<Judged<Liability>>,
    /// Several assessments as JSON (`-`: standard input)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["allegation", "breach", "experiment", "motive", "liability"]
    )]
    file: Option<PathBuf>,
}

/// Which assessment goes back, and why.
#[derive(Debug, Args)]
pub struct Return {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Whose assessments.
#[derive(Debug, Args)]
pub struct Show {
    /// The person's id
    #[arg(value_name = "PERSON", value_parser = ids::subject)]
    person: String,
}

/// A judgement with its reason.
#[derive(Clone, Debug, PartialEq)]
struct Judged<W> {
    is: W,
    reason: String,
}

impl<W: words::Word> FromStr for Judged<W> {
    type Err = String;

    /// Whether the reason says anything is for the service to say.
    fn from_str(text: &str) -> Result<Self, String> {
        let (word, reason) = text.split_once('=').ok_or_else(|| {
            let words = words::all::<W>().join(", ");
            format!("a judgement is WORD=REASON, the word one of {words}")
        })?;
        Ok(Self {
            is: words::parse(word)?,
            reason: reason.to_owned(),
        })
    }
}

/// The number of the word, and the reason; nothing where nothing was judged, which the command line does not let through.
fn said<W: words::Word>(judged: Option<Judged<W>>) -> (i32, String) {
    judged
        .map(|judged| (judged.is.into(), judged.reason))
        .unwrap_or_default()
}

impl Tolerances {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Propose(propose) => propose.run(context).await,
            Self::Return(given_back) => given_back.run(context).await,
            Self::Approve(which) => which.approve(context).await,
            Self::Show(show) => show.run(context).await,
        }
    }
}

impl Propose {
    async fn run(self, context: &Context) -> Result<()> {
        let mut request = match &self.file {
            Some(path) => input::message::<ProposeToleranceRequest>(path)?,
            None => {
                let allegation_id = match self.allegation {
                    Some(allegation) => allegation,
                    None => only_substantiated(context, &self.which).await?,
                };
                let (breach, breach_reason) = said(self.breach);
                let (experiment, experiment_reason) = said(self.experiment);
                let (motive, motive_reason) = said(self.motive);
                let (liability, reason) = said(self.liability);
                ProposeToleranceRequest {
                    assessments: vec![AssessmentInput {
                        allegation_id,
                        breach,
                        breach_reason,
                        experiment,
                        experiment_reason,
                        motive,
                        motive_reason,
                        liability,
                        reason,
                    }],
                    ..ProposeToleranceRequest::default()
                }
            }
        };
        let Which { case, person } = self.which;
        request.request_id = context.request_id_or(&request.request_id);
        request.case_id = case.clone();
        request.subject_id = person.clone();
        let ask = async |mut cases: Verification| cases.propose_tolerance(request).await;
        let answer = context.verification(Role::Investigator, ask).await?;
        context.answer(&answer, |_| {
            format!(
                "Proposed. Somebody who neither investigated nor proposed approves:\n  zm tolerance approve {case} {person}"
            )
        })
    }
}

/// The only substantiated finding on the person in the case.
async fn only_substantiated(context: &Context, which: &Which) -> Result<String> {
    let office = context.office()?;
    let mut verification = context.person(Role::Investigator)?.verification(&office);
    let found = case::find(&office, &mut verification, &which.case).await?;
    only_one(&found.case.unwrap_or_default(), &which.person).map_err(|fault| No(fault).into())
}

fn only_one(case: &Case, person: &str) -> Result<String, String> {
    let mut substantiated = case
        .findings
        .iter()
        .filter(|one| one.subject_id == person && one.finding() == Finding::Substantiated)
        .map(|one| one.allegation_id.clone());
    match (substantiated.next(), substantiated.next()) {
        (Some(allegation), None) => Ok(allegation),
        (None, _) => Err(format!(
            "nothing is substantiated on this person in this case: zm case show {}",
            case.case_id
        )),
        (Some(_), Some(_)) => Err(
            "several findings on this person are substantiated; assess them together with --file \
             (zm help tolerance propose)"
                .to_owned(),
        ),
    }
}

impl Return {
    async fn run(self, context: &Context) -> Result<()> {
        let request = ReturnToleranceRequest {
            request_id: context.request_id(),
            case_id: self.which.case,
            subject_id: self.which.person,
            reason: self.reason,
        };
        let ask = async |mut cases: Verification| cases.return_tolerance(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| "Returned; it is proposed anew.".to_owned())
    }
}

impl Which {
    async fn approve(self, context: &Context) -> Result<()> {
        let request = ApproveToleranceRequest {
            request_id: context.request_id(),
            case_id: self.case,
            subject_id: self.person,
        };
        let person = request.subject_id.clone();
        let ask = async |mut cases: Verification| cases.approve_tolerance(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| {
            format!("Approved. What comes of it:\n  zm tolerance show {person}")
        })
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetSanctionsRequest {
            subject_id: self.person,
        };
        let ask = async |mut cases: Verification| cases.get_sanctions(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |answer| {
            if answer.tolerance.is_empty() {
                return "Nothing was assessed.".to_owned();
            }
            let told: Vec<String> = answer.tolerance.iter().map(told).collect();
            told.join("\n\n")
        })
    }
}

fn told(tolerance: &Tolerance) -> String {
    let fields = output::fields(&[
        ("case", tolerance.case_id.clone()),
        ("conclusion", tolerance.number.to_string()),
        ("state", words::word::<ToleranceState>(tolerance.state)),
        ("proposed by", tolerance.proposed_by.clone()),
        ("returned because", tolerance.return_reason_id.clone()),
        ("assessed on", tolerance.assessed_on.clone()),
    ]);
    let rows = tolerance.assessments.iter().flat_map(|one| {
        [
            (
                &*one.allegation_id,
                "breach",
                words::word::<Breach>(one.breach),
                &one.breach_reason_id,
            ),
            (
                "",
                "experiment",
                words::word::<Experiment>(one.experiment),
                &one.experiment_reason_id,
            ),
            (
                "",
                "motive",
                words::word::<Motive>(one.motive),
                &one.motive_reason_id,
            ),
            (
                "",
                "liability",
                words::word::<Liability>(one.liability),
                &one.reason_id,
            ),
        ]
        .map(|(allegation, what, is, reason)| {
            vec![
                allegation.to_owned(),
                what.to_owned(),
                is,
                reason.to_owned(),
            ]
        })
    });
    let heading = ["allegation", "what", "judged", "reason (text)"];
    format!(
        "{fields}\n\n{}",
        output::table(&heading, rows.collect(), "")
    )
}

#[cfg(test)]
mod tests {
    use proto::verification::CaseFinding;

    use super::*;

    fn found(allegation: &str, subject: &str, finding: Finding) -> CaseFinding {
        CaseFinding {
            allegation_id: allegation.to_owned(),
            subject_id: subject.to_owned(),
            finding: finding.into(),
            ..CaseFinding::default()
        }
    }

    #[test]
    fn a_judgement_is_a_word_with_its_reason() {
        let said: Judged<Breach> = "want-of-experience=The first year = no routine"
            .parse()
            .expect("it is one");
        assert_eq!(said.is, Breach::WantOfExperience);
        assert_eq!(said.reason, "The first year = no routine");
        for (text, told) in [("knowing", "WORD=REASON"), ("careless=x", "neither")] {
            let fault = text.parse::<Judged<Breach>>().expect_err(text);
            assert!(fault.contains(told), "{text}: {fault}");
        }
    }

    #[test]
    fn the_only_substantiated_finding_needs_no_name() {
        let mut case = Case {
            findings: vec![
                found("a", "she", Finding::Unfounded),
                found("b", "she", Finding::Substantiated),
                found("c", "he", Finding::Substantiated),
            ],
            ..Case::default()
        };
        assert_eq!(only_one(&case, "she"), Ok("b".to_owned()));
        let nobody = only_one(&case, "they").expect_err("nothing is substantiated");
        assert!(nobody.contains("zm case show"), "{nobody}");
        case.findings
            .push(found("d", "she", Finding::Substantiated));
        let several = only_one(&case, "she").expect_err("there are two");
        assert!(several.contains("--file"), "{several}");
    }
}

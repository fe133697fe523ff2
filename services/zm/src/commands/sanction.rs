//! `zm sanction`: disciplinary decisions on a person.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::verification::{GetSanctionsRequest, RecordSanctionRequest};

use crate::client::Verification;
use crate::{Context, ids, output};

/// Sanctions.
#[derive(Debug, Subcommand)]
pub enum Sanctions {
    /// Record a decision after a substantiated finding that was assessed
    #[command(after_help = "\
What is decided here is assessed first: zm help tolerance. What an outside system decided, that system tells by itself.

Examples:
  zm sanction record CASE PERSON --kind warning --months 6
  zm sanction record CASE PERSON --kind demerit --months 12 --decided-by P51-01 --decided-on 2026-03-02

The person's file in follow-up opens by itself: zm file PERSON")]
    Record(Record),
    /// List the sanctions of a person, over all cases
    #[command(after_help = "Example:\n  zm sanction list PERSON")]
    List(List),
}

/// A decision.
#[derive(Debug, Args)]
pub struct Record {
    /// The case whose conclusion it rests on
    #[arg(value_name = "CASE", value_parser = ids::case)]
    case: String,
    /// The person's id
    #[arg(value_name = "PERSON", value_parser = ids::subject)]
    person: String,
    /// Its kind, as a code
    #[arg(long, value_name = "CODE")]
    kind: String,
    /// How long it counts: one of the policy's lengths (6, 12, 18 or 24 months)
    #[arg(long, value_name = "MONTHS")]
    months: i32,
    /// The unit that decided it [default: the actor's]
    #[arg(long, value_name = "UNIT")]
    decided_by: Option<String>,
    /// When it was decided [default: today]
    #[arg(long, value_name = "DATE")]
    decided_on: Option<String>,
}

/// Whose sanctions.
#[derive(Debug, Args)]
pub struct List {
    /// The person's id
    #[arg(value_name = "PERSON", value_parser = ids::subject)]
    person: String,
}

impl Sanctions {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Record(record) => record.run(context).await,
            Self::List(list) => list.run(context).await,
        }
    }
}

impl Record {
    async fn run(self, context: &Context) -> Result<()> {
        let role = Role::Supervisor;
        let request = RecordSanctionRequest {
            request_id: context.request_id(),
            case_id: self.case,
            subject_id: self.person,
            kind: self.kind,
            decided_by: match self.decided_by {
                Some(unit) => unit,
                None => context.person(role)?.actor.unit.to_string(),
            },
            decided_on: context
                .date_or_today(self.decided_on, "verification", role)
                .await?,
            impact_months: self.months,
        };
        let person = request.subject_id.clone();
        let ask = async |mut cases: Verification| cases.record_sanction(request).await;
        let answer = context.verification(role, ask).await?;
        context.answer(&answer, |answer| {
            let sanction = &answer.sanction_id;
            format!(
                "Recorded: sanction {sanction}.\nThe person's file opens by itself:\n  zm file {person}"
            )
        })
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetSanctionsRequest {
            subject_id: self.person,
        };
        let ask = async |mut cases: Verification| cases.get_sanctions(request).await;
        let answer = context.verification(Role::Supervisor, ask).await?;
        context.answer(&answer, |answer| {
            let rows = answer.sanctions.iter().map(|sanction| {
                vec![
                    sanction.sanction_id.clone(),
                    sanction.kind.clone(),
                    sanction.decided_by.clone(),
                    sanction.decided_on.clone(),
                    sanction.impact_months.to_string(),
                    sanction.impact_ends_on.clone(),
                    sanction.case_id.clone(),
                ]
            });
            let heading = [
                "sanction",
                "kind",
                "decided by",
                "decided on",
                "months",
                "counts until",
                "case",
            ];
            output::table(&heading, rows.collect(), "There is none.")
        })
    }
}

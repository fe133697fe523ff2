//! `zm matter`: the issue that an accepted report raises.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::intake::{CaseState, GetMatterRequest, RaiseLevelRequest};

use crate::client::Intake;
use crate::{Context, ids, output, words};

/// Matters.
#[derive(Debug, Subcommand)]
pub enum Matters {
    /// Show a matter: who handles it, its reports, how far its case is
    #[command(after_help = "Example:\n  zm matter show MATTER")]
    Show(Show),
    /// Raise a matter to the unit above, which takes it over; its case moves with it
    #[command(after_help = "\
Examples:
  zm matter raise MATTER --reason 'The fifth report; the county knows everybody in it'
  zm matter raise MATTER --reason 'Reported again' --as supervisor@P51-01=wang

Only the unit above, or one above that, takes a matter over. It assigns investigators of its own: zm assign CASE …")]
    Raise(Raise),
}

/// Show a matter.
#[derive(Debug, Args)]
pub struct Show {
    /// The matter's id
    #[arg(value_name = "MATTER", value_parser = ids::matter)]
    matter: String,
}

/// Raise a matter to the unit above.
#[derive(Debug, Args)]
pub struct Raise {
    /// The matter's id
    #[arg(value_name = "MATTER", value_parser = ids::matter)]
    matter: String,
    /// Why; kept as a text
    #[arg(long)]
    reason: String,
}

impl Matters {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Show(show) => show.run(context).await,
            Self::Raise(raise) => raise.run(context).await,
        }
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetMatterRequest {
            matter_id: self.matter,
        };
        let ask = async |mut intake: Intake| intake.get_matter(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            let matter = answer.matter.clone().unwrap_or_default();
            output::fields(&[
                ("matter", matter.matter_id),
                ("unit", matter.unit),
                ("case", words::word::<CaseState>(matter.case_state)),
                ("reports", matter.report_ids.join("\n")),
                ("allegations", matter.allegations.len().to_string()),
                ("levels raised", matter.raised.len().to_string()),
            ])
        })
    }
}

impl Raise {
    async fn run(self, context: &Context) -> Result<()> {
        let request = RaiseLevelRequest {
            request_id: context.request_id(),
            matter_id: self.matter,
            reason: self.reason,
        };
        let ask = async |mut intake: Intake| intake.raise_level(request).await;
        let answer = context.intake(Role::Supervisor, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Raised: {} handles it from now on, and its case moves with it.\n\
                 That unit assigns investigators of its own; this shows the case, with its id:\n  zm case show {}",
                answer.unit, answer.matter_id
            )
        })
    }
}

//! `zm text`: the only place where names and narratives are shown.

use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use office::Role;
use proto::topology::SERVICES;

use crate::client::{Intake, Verification};
use crate::{Context, Usage};

/// A name, narrative, reason or description.
#[derive(Debug, Args)]
pub struct Text {
    /// The service that took it in
    #[arg(value_name = "SERVICE", value_parser = PossibleValuesParser::new(SERVICES))]
    service: String,
    /// The text's id
    #[arg(value_name = "TEXT")]
    text: String,
}

impl Text {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let text_id = self.text;
        let erased = || "It was erased.".to_owned();
        match self.service.as_str() {
            "intake" => {
                let request = proto::intake::GetTextRequest { text_id };
                let ask = async |mut intake: Intake| intake.get_text(request).await;
                let answer = context.intake(Role::IntakeOfficer, ask).await?;
                context.answer(&answer, |answer| {
                    Some(answer.text.clone())
                        .filter(|text| !text.is_empty())
                        .unwrap_or_else(erased)
                })
            }
            "verification" => {
                let request = proto::verification::GetTextRequest { text_id };
                let ask = async |mut cases: Verification| cases.get_text(request).await;
                let answer = context.verification(Role::Supervisor, ask).await?;
                context.answer(&answer, |answer| {
                    Some(answer.text.clone())
                        .filter(|text| !text.is_empty())
                        .unwrap_or_else(erased)
                })
            }
            other => Err(Usage(format!("{other} keeps no texts")).into()),
        }
    }
}

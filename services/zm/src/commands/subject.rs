//! `zm subject`: the register of persons and organisations.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::intake::{GetSubjectRequest, RegisterSubjectRequest};
use proto::office::{Standing, SubjectKind};

use crate::client::Intake;
use crate::{Context, ids, output, words};

/// The register of subjects.
#[derive(Debug, Subcommand)]
pub enum Subject {
    /// Put a person or an organisation into the register
    #[command(after_help = "\
Examples:
  zm subject register --kind person --name 'Chen Yi' --unit P51-01-01 --standing public-official
  zm subject register --kind organisation --name 'Roads Office' --unit P51-01 --source roads --reference 17

The same --source and --reference always mean the same subject: registering it again gives its id.")]
    Register(Register),
    /// Show what the register says of a subject (its name is a text: `zm text intake ID`)
    #[command(after_help = "Example:\n  zm subject show 0192f0c4-…")]
    Show(Show),
}

/// What is known of the subject.
#[derive(Debug, Args)]
pub struct Register {
    /// What it is
    #[arg(long, value_parser = words::parser::<SubjectKind>())]
    kind: SubjectKind,
    /// Its name; kept as a text, shown nowhere else
    #[arg(long)]
    name: String,
    /// The unit that it belongs to
    #[arg(long)]
    unit: String,
    /// The unit with authority over it [default: the one above its own]
    #[arg(long, default_value = "", hide_default_value = true)]
    authority: String,
    /// The unit that it heads
    #[arg(long, default_value = "", hide_default_value = true)]
    heads: String,
    /// What it is before the law
    #[arg(long, default_value = "other", value_parser = words::parser::<Standing>())]
    standing: Standing,
    /// Its actor id, if it has one: that actor is recused wherever it is a subject
    #[arg(long, default_value = "", hide_default_value = true)]
    actor_id: String,
    /// The register that it comes from
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "reference"
    )]
    source: String,
    /// Its reference in that register
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "source"
    )]
    reference: String,
}

/// Which subject.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id
    #[arg(value_name = "SUBJECT", value_parser = ids::subject)]
    subject: String,
}

impl Subject {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Register(register) => register.run(context).await,
            Self::Show(show) => show.run(context).await,
        }
    }
}

impl Register {
    async fn run(self, context: &Context) -> Result<()> {
        let request = RegisterSubjectRequest {
            request_id: context.request_id(),
            kind: self.kind.into(),
            name: self.name,
            unit: self.unit,
            authority: self.authority,
            heads: self.heads,
            standing: self.standing.into(),
            actor_id: self.actor_id,
            source: self.source,
            reference: self.reference,
        };
        let ask = async |mut intake: Intake| intake.register_subject(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            format!("Registered: subject {}", answer.subject_id)
        })
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetSubjectRequest {
            subject_id: self.subject,
        };
        let ask = async |mut intake: Intake| intake.get_subject(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            let subject = answer.subject.clone().unwrap_or_default();
            let name = answer.name.as_ref().map(|name| name.text_id.clone());
            output::fields(&[
                ("subject", subject.subject_id),
                ("kind", words::word::<SubjectKind>(subject.kind)),
                (
                    "name",
                    name.map_or_else(String::new, |id| format!("text {id}")),
                ),
                ("unit", subject.unit),
                ("authority", subject.authority),
                ("heads", subject.heads),
                ("standing", words::word::<Standing>(subject.standing)),
                ("actor", subject.actor_id),
                ("version", answer.version.to_string()),
            ])
        })
    }
}

//! `zm submit`: a report comes in.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::intake::allegation_input::Subject;
use proto::intake::{AllegationInput, ReporterKind, SubmitReportRequest, SubmitReportResponse};
use proto::office::Channel;

use crate::{Context, ids, input, output, words};

/// A report with one allegation by options, or any report from a file.
#[derive(Debug, Args)]
pub struct Submit {
    /// The report as JSON (`-`: standard input); the only way to give several allegations
    #[arg(long, value_name = "FILE", conflicts_with_all = ["channel", "reporter", "subject", "not_identified", "category", "narrative", "on", "place"])]
    file: Option<PathBuf>,
    /// How it came in
    #[arg(long, default_value = "web", value_parser = words::parser::<Channel>())]
    channel: Channel,
    /// How much of the reporter may be known
    #[arg(long, default_value = "anonymous", value_parser = words::parser::<ReporterKind>())]
    reporter: ReporterKind,
    /// Whom it is about: a subject of the register
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject, conflicts_with = "not_identified")]
    subject: Option<String>,
    /// Whom it is about, in the reporter's words, if nobody of the register
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["file", "subject"])]
    not_identified: Option<String>,
    /// What is alleged: a code such as bribery
    #[arg(long, value_name = "CODE", required_unless_present = "file")]
    category: Option<String>,
    /// What is alleged, in the reporter's words
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    narrative: Option<String>,
    /// When it happened
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// Where it happened: the code of a place
    #[arg(long, value_name = "CODE")]
    place: Option<String>,
    /// Where the report is entered from: a register's name
    #[arg(long)]
    source: Option<String>,
    /// Its case reference in that register
    #[arg(long)]
    reference: Option<String>,
    /// The reporter's actor id, where the reporter is an official: they are recused
    #[arg(long, value_name = "ACTORID")]
    reporter_actor: Option<String>,
}

/// The examples of the help text.
pub(crate) const EXAMPLES: &str = "\
Examples:
  zm submit --channel phone --subject 0192f0c4-… --category bribery \\
    --narrative 'Took an envelope on the building site' --on 2026-02-11
  zm submit --not-identified 'A foreman in a grey coat' --category misuse_of_funds \\
    --narrative 'Sold the village its own gravel' --place 910101
  zm submit --file report.json

report.json, the message SubmitReportRequest:
  {\"channel\": \"CHANNEL_LETTER\", \"reporterKind\": \"REPORTER_KIND_ANONYMOUS\", \"allegations\": [
    {\"subjectId\": \"0192f0c4-…\", \"category\": \"bribery\", \"narrative\": \"…\"},
    {\"notIdentified\": \"a foreman\", \"category\": \"fraud\", \"narrative\": \"…\", \"place\": \"910101\"}]}";

impl Submit {
    fn request(self) -> Result<SubmitReportRequest> {
        let mut request = match &self.file {
            Some(path) => input::message(path)?,
            None => SubmitReportRequest {
                channel: self.channel.into(),
                reporter_kind: self.reporter.into(),
                allegations: vec![AllegationInput {
                    subject: self
                        .subject
                        .map(Subject::SubjectId)
                        .or(self.not_identified.map(Subject::NotIdentified)),
                    category: self.category.unwrap_or_default(),
                    narrative: self.narrative.unwrap_or_default(),
                    occurred_on: self.on.unwrap_or_default(),
                    place: self.place.unwrap_or_default(),
                }],
                ..SubmitReportRequest::default()
            },
        };
        let overrides = [
            (self.source, &mut request.source),
            (self.reference, &mut request.reference),
            (self.reporter_actor, &mut request.reporter_actor_id),
        ];
        for (given, field) in overrides {
            if let Some(given) = given {
                *field = given;
            }
        }
        Ok(request)
    }

    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let mut request = self.request()?;
        request.request_id = context.request_id_or(&request.request_id);
        let office = context.office()?;
        let submitter = context.person_or_public(Role::IntakeOfficer)?;
        let mut intake = submitter.intake(&office);
        let answer = office.ask("intake", intake.submit_report(request)).await?;
        context.answer(&answer, told)
    }
}

fn told(answer: &SubmitReportResponse) -> String {
    let fields = output::fields(&[
        ("report", answer.report_id.clone()),
        ("receipt code", answer.receipt_code.clone()),
        ("allegations", answer.allegation_ids.join(" ")),
    ]);
    let report = &answer.report_id;
    let receipt = match answer.receipt_code.as_str() {
        "" => "There is no receipt code to show: this request came before, and the code that was told then has been used \
             since. Keep that one; it stays valid."
            .to_owned(),
        code => format!(
            "The receipt code is shown only now; it is all that a reporter needs:\n  zm receipt {report} {code}"
        ),
    };
    format!("{fields}\n\n{receipt}\nAn officer decides on it:\n  zm accept {report}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: &str) -> SubmitReportResponse {
        SubmitReportResponse {
            report_id: "0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07".to_owned(),
            receipt_code: code.to_owned(),
            ..SubmitReportResponse::default()
        }
    }

    #[test]
    fn a_code_is_shown_with_what_it_is_for() {
        let told = told(&answer("7033860682603603"));
        assert!(told.contains("zm receipt 0192f0c4-7b1e-7c3a-9d52-6f2b8a4e1c07 7033860682603603"));
        assert!(!told.contains("Keep that one"), "{told}");
    }

    #[test]
    fn no_code_means_that_the_earlier_one_was_used_and_stays() {
        let told = told(&answer(""));
        assert!(
            told.contains("has been used since. Keep that one"),
            "{told}"
        );
        assert!(!told.contains("zm receipt"), "{told}");
        assert!(told.contains("zm accept"), "{told}");
    }
}

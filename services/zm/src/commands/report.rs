//! `zm report`: what intake has, and what its officers see of it.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::intake::{
    GetReportRequest, ListCandidatesRequest, ListReportsRequest, ListReportsResponse, Report,
    ReportState, ReporterKind,
};
use proto::office::{Allegation, Channel, SubjectKind};

use crate::client::Intake;
use crate::commands::Paging;
use crate::{Context, ids, output, words};

/// Reports.
#[derive(Debug, Subcommand)]
pub enum Reports {
    /// Show a report (narratives are texts: `zm text intake ID`)
    #[command(after_help = "Example:\n  zm report show 0192f0c4-…")]
    Show(Show),
    /// List reports
    #[command(after_help = "\
Examples:
  zm report list --state received
  zm report list --source detroit --all --json")]
    List(List),
}

/// Which report.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
}

/// Which reports.
#[derive(Debug, Args)]
pub struct List {
    /// Only those in this state
    #[arg(long, value_parser = words::parser::<ReportState>())]
    state: Option<ReportState>,
    /// Only those that were entered from this register
    #[arg(long)]
    source: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// The matters that a report may repeat.
#[derive(Debug, Args)]
pub struct Candidates {
    /// The report's id
    #[arg(value_name = "REPORT", value_parser = ids::report)]
    report: String,
}

impl Reports {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Show(show) => show.run(context).await,
            Self::List(list) => list.run(context).await,
        }
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetReportRequest {
            report_id: self.report,
        };
        let ask = async |mut intake: Intake| intake.get_report(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            told(&answer.report.clone().unwrap_or_default())
        })
    }
}

fn told(report: &Report) -> String {
    let fields = output::fields(&[
        ("report", report.report_id.clone()),
        ("state", words::word::<ReportState>(report.state)),
        ("reason", report.reason.clone()),
        ("matter", report.matter_id.clone()),
        ("unit", report.unit.clone()),
        ("routed by", report.routed_by.clone()),
        ("channel", words::word::<Channel>(report.channel)),
        (
            "reporter",
            words::word::<ReporterKind>(report.reporter_kind),
        ),
        ("source", report.source.clone()),
        ("reference", report.reference.clone()),
        ("entered on", report.entered_on.clone()),
        ("triage due on", report.triage_due_on.clone()),
        ("version", report.version.to_string()),
    ]);
    let narratives = report.narratives.iter().map(|text| text.text_id.clone());
    let narratives = narratives.chain(std::iter::repeat(String::new()));
    let rows = report.allegations.iter().zip(narratives);
    let rows = rows.map(|(allegation, narrative)| {
        let mut row = allegation_row(allegation);
        row.push(narrative);
        row
    });
    let heading = [
        "allegation",
        "subject",
        "kind",
        "category",
        "on",
        "place",
        "narrative",
    ];
    let table = output::table(&heading, rows.collect(), "It has no allegation.");
    format!("{fields}\n\n{table}")
}

fn allegation_row(allegation: &Allegation) -> Vec<String> {
    vec![
        allegation.allegation_id.clone(),
        allegation.subject_id.clone(),
        words::word::<SubjectKind>(allegation.subject_kind),
        allegation.category.clone(),
        allegation.occurred_on.clone(),
        allegation.place.clone(),
    ]
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let officer = context.person(Role::IntakeOfficer)?;
        let mut intake = officer.intake(&office);
        let mut listed = ListReportsResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListReportsRequest {
                page_size: self.paging.page_size(),
                page_token,
                state: self.state.unwrap_or_default().into(),
                source: self.source.clone().unwrap_or_default(),
            };
            let page = office.ask("intake", intake.list_reports(request)).await?;
            listed.reports.extend(page.reports);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let rows = listed.reports.iter().map(|row| {
                vec![
                    row.report_id.clone(),
                    words::word::<ReportState>(row.state),
                    row.unit.clone(),
                    row.entered_on.clone(),
                    row.allegations.to_string(),
                    row.source.clone(),
                    row.reference.clone(),
                    row.matter_id.clone(),
                ]
            });
            let heading = [
                "report",
                "state",
                "unit",
                "entered on",
                "allegations",
                "source",
                "reference",
                "matter",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such report.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}

impl Candidates {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = ListCandidatesRequest {
            report_id: self.report.clone(),
        };
        let ask = async |mut intake: Intake| intake.list_candidates(request).await;
        let answer = context.intake(Role::IntakeOfficer, ask).await?;
        context.answer(&answer, |answer| {
            let rows = answer.candidates.iter().map(|candidate| {
                vec![
                    candidate.matter_id.clone(),
                    format!("{:.2}", candidate.score),
                    candidate.unit.clone(),
                    words::word::<proto::intake::CaseState>(candidate.case_state),
                    candidate.reports.to_string(),
                ]
            });
            let heading = ["matter", "score", "unit", "case", "reports"];
            let nothing = format!(
                "It repeats no known matter. Accept it:\n  zm accept {}",
                self.report
            );
            let table = output::table(&heading, rows.collect(), &nothing);
            if answer.candidates.is_empty() {
                return table;
            }
            format!(
                "{table}\n\nThe same issue: zm join {report} MATTER --new-facts none\n\
                 Another one:    zm accept {report} --reject MATTER=other_incident",
                report = self.report
            )
        })
    }
}

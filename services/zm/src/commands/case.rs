//! `zm case`: what verification has.

use anyhow::Result;
use chassis::refusal::RefusalKind;
use clap::{Args, Subcommand};
use office::Role;
use proto::office::{
    ClosingReason, Finding, Harm, HarmDegree, HarmExclusion, HarmReach, SubjectKind,
};
use proto::verification::{
    Case, CaseState, ConclusionStanding, GetCaseRequest, GetCaseResponse, ListCasesRequest,
    ListCasesResponse,
};

use crate::client::{Office, Unanswered, Verification};
use crate::commands::Paging;
use crate::{Context, ids, output, words};

/// Cases.
#[derive(Debug, Subcommand)]
pub enum Cases {
    /// Show a case, by its own id or its matter's
    #[command(after_help = "Example:\n  zm case show 0192f0c4-…")]
    Show(Show),
    /// List cases
    #[command(after_help = "\
Examples:
  zm case list --state investigating
  zm case list --source detroit --all --json")]
    List(List),
}

/// Which case.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id, or that of its matter
    #[arg(value_name = "CASE|MATTER", value_parser = ids::case)]
    id: String,
}

/// Which cases.
#[derive(Debug, Args)]
pub struct List {
    /// Only those in this state
    #[arg(long, value_parser = words::parser::<CaseState>())]
    state: Option<CaseState>,
    /// Only those whose matter was entered from this register
    #[arg(long)]
    source: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl Cases {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Show(show) => show.run(context).await,
            Self::List(list) => list.run(context).await,
        }
    }
}

/// A case by its own id or its matter's.
pub(crate) async fn find(
    office: &Office,
    verification: &mut Verification,
    id: &str,
) -> Result<GetCaseResponse, Unanswered> {
    let by_case = GetCaseRequest {
        case_id: id.to_owned(),
        matter_id: String::new(),
    };
    let by_matter = GetCaseRequest {
        case_id: String::new(),
        matter_id: id.to_owned(),
    };
    match office
        .ask("verification", verification.get_case(by_case))
        .await
    {
        Err(refused) if refused.refusal.kind == RefusalKind::NotFound => {
            office
                .ask("verification", verification.get_case(by_matter))
                .await
        }
        answer => answer,
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut verification = context.person(Role::Supervisor)?.verification(&office);
        let answer = find(&office, &mut verification, &self.id).await?;
        context.answer(&answer, |answer| {
            told(&answer.case.clone().unwrap_or_default())
        })
    }
}

fn told(case: &Case) -> String {
    let conclusion = match case.conclusion {
        0 => String::new(),
        number => format!(
            "number {number}, {}",
            words::word::<ConclusionStanding>(case.conclusion_standing)
        ),
    };
    let fields = output::fields(&[
        ("case", case.case_id.clone()),
        ("matter", case.matter_id.clone()),
        ("state", words::word::<CaseState>(case.state)),
        ("unit", case.unit.clone()),
        ("due on", case.due_on.clone()),
        ("investigators", case.investigators.join(" ")),
        ("evidence", case.evidence_ids.join(" ")),
        ("conclusion", conclusion),
        ("source", case.source.clone()),
        ("version", case.version.to_string()),
    ]);
    let rows = case.findings.iter().map(|finding| {
        let outcome = words::word::<Finding>(finding.finding);
        let reason = words::word::<ClosingReason>(finding.closing_reason);
        vec![
            finding.allegation_id.clone(),
            finding.subject_id.clone(),
            words::word::<SubjectKind>(finding.subject_kind),
            finding.category.clone(),
            if reason.is_empty() {
                outcome
            } else {
                format!("{outcome}/{reason}")
            },
            finding.local_word.clone(),
            finding.evidence_ids.len().to_string(),
        ]
    });
    let heading = [
        "allegation",
        "subject",
        "kind",
        "category",
        "finding",
        "local word",
        "evidence",
    ];
    let table = output::table(&heading, rows.collect(), "It has no allegation.");
    if case.harms.is_empty() {
        return format!("{fields}\n\n{table}");
    }
    let harms = case.harms.iter().map(|harm| {
        vec![
            harm.subject_id.clone(),
            words::several::<Harm>(&harm.harms),
            words::word::<HarmDegree>(harm.degree),
            words::word::<HarmReach>(harm.reach),
            words::several::<HarmExclusion>(&harm.exclusions),
        ]
    });
    let heading = ["harmed", "how", "degree", "reach", "excluded by"];
    let harms = output::table(&heading, harms.collect(), "");
    format!("{fields}\n\n{table}\n\n{harms}")
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut verification = context.person(Role::Supervisor)?.verification(&office);
        let mut listed = ListCasesResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListCasesRequest {
                page_size: self.paging.page_size(),
                page_token,
                state: self.state.unwrap_or_default().into(),
                source: self.source.clone().unwrap_or_default(),
            };
            let page = office
                .ask("verification", verification.list_cases(request))
                .await?;
            listed.cases.extend(page.cases);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let rows = listed.cases.iter().map(|row| {
                vec![
                    row.case_id.clone(),
                    words::word::<CaseState>(row.state),
                    row.unit.clone(),
                    row.due_on.clone(),
                    row.allegations.to_string(),
                    row.source.clone(),
                    row.matter_id.clone(),
                ]
            });
            let heading = [
                "case",
                "state",
                "unit",
                "due on",
                "allegations",
                "source",
                "matter",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such case.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}

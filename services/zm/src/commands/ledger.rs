//! `zm ledger` and `zm integrity`: what is on record of names that were cleared.

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::clarification::{
    GetIntegrityFileRequest, IntegrityEntryKind, LedgerNumber, ListLedgerRequest,
    ListLedgerResponse,
};
use proto::office::ClarificationForm;

use crate::client::Clarification as Desk;
use crate::commands::Paging;
use crate::{Context, Usage, ids, output, words};

/// The ledger of a unit and year.
#[derive(Debug, Args)]
pub struct Ledger {
    /// The unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// The year [default: this one]
    #[arg(long, value_name = "YEAR")]
    year: Option<i32>,
    #[command(flatten)]
    paging: Paging,
}

impl Ledger {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let office = context.office()?;
        let mut desk = context.person(role)?.clarification(&office);
        let year = match self.year {
            Some(year) => year,
            None => {
                let today = context.date_or_today(None, "clarification", role).await?;
                let year = today.split('-').next().and_then(|year| year.parse().ok());
                year.ok_or_else(|| Usage("of which year? Give --year".to_owned()))?
            }
        };
        let mut listed = ListLedgerResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListLedgerRequest {
                unit: self.unit.clone(),
                year,
                page_size: self.paging.page_size(),
                page_token,
            };
            let page = office
                .ask("clarification", desk.list_ledger(request))
                .await?;
            listed.entries.extend(page.entries);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let number = |of: &Option<LedgerNumber>| of.as_ref().map(|of| of.number.to_string());
            let rows = listed.entries.iter().map(|entry| {
                let supersedes = number(&entry.supersedes);
                vec![
                    number(&entry.number).unwrap_or_default(),
                    entry.entered_on.clone(),
                    match supersedes {
                        Some(first) => format!("supersedes {first}"),
                        None => words::word::<ClarificationForm>(entry.form),
                    },
                    entry.subject_id.clone(),
                    entry.clarification_id.clone(),
                    entry.source.clone(),
                ]
            });
            let heading = [
                "number",
                "entered on",
                "form",
                "subject",
                "clarification",
                "source",
            ];
            let nothing = format!("The ledger of {} for {year} has no entry.", self.unit);
            let table = output::table(&heading, rows.collect(), &nothing);
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}

/// What is on record about one subject.
#[derive(Debug, Args)]
pub struct Integrity {
    /// The subject's id
    #[arg(value_name = "SUBJECT", value_parser = ids::subject)]
    subject: String,
}

impl Integrity {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = GetIntegrityFileRequest {
            subject_id: self.subject,
        };
        let ask = async |mut desk: Desk| desk.get_integrity_file(request).await;
        let answer = context.clarification(Role::PersonnelOfficer, ask).await?;
        context.answer(&answer, |answer| {
            let rows = answer.entries.iter().map(|entry| {
                vec![
                    entry.on.clone(),
                    words::word::<IntegrityEntryKind>(entry.kind).replace('_', " "),
                    entry.detail.replace('_', " "),
                    entry.unit.clone(),
                    entry.reference.clone(),
                    entry.matter_id.clone(),
                ]
            });
            let heading = ["on", "what", "detail", "unit", "reference", "matter"];
            output::table(&heading, rows.collect(), "Nothing is on record.")
        })
    }
}

//! `zm journal`: check every chain of every journal, or write a journal out for somebody else to check.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chassis::refusal::RefusalKind;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use office::Role;
use proto::chassis::export_response::Item;
use proto::chassis::{ExportRequest, ListEntriesRequest};
use proto::topology::SERVICES;
use serde::Serialize;

use crate::client::{Office, Person};
use crate::verify::{Audit, Found};
use crate::{Context, No, output};

/// Journals.
#[derive(Debug, Subcommand)]
pub enum Journals {
    /// Recompute every chain of all services: hashes, links, numbering, heads, and what followers saw
    #[command(after_help = "\
Example:
  zm journal verify

Exits with 1 if anything is wrong, and names each fault.")]
    Verify,
    /// Write a service's journal as lines of JSON: `entry`, `head` or `followed` each
    #[command(after_help = "\
Examples:
  zm journal export intake --out intake.jsonl
  zm journal export verification | python3 tests/journal_verifier.py")]
    Export(Export),
}

/// Whose journal, and where to.
#[derive(Debug, Args)]
pub struct Export {
    /// The service
    #[arg(value_name = "SERVICE", value_parser = PossibleValuesParser::new(SERVICES))]
    service: String,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Journals {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Verify => verify(context).await,
            Self::Export(export) => export.run(context).await,
        }
    }
}

/// What verifying found, for scripts.
#[derive(Serialize)]
struct Verified {
    rows: u64,
    aggregates: u64,
    cursors: u64,
    faults: Vec<Found>,
}

async fn verify(context: &Context) -> Result<()> {
    let office = context.office()?;
    let auditor = context.person(Role::Auditor)?;
    let mut audit = Audit::default();
    for service in office.services() {
        let spinner = output::counter(&format!("Checking the journal of {service}: rows"));
        each_item(&office, &auditor, service, |item| {
            spinner.inc(1);
            audit.take(service, item);
            Ok(())
        })
        .await?;
        spinner.finish_and_clear();
    }
    recheck(&office, &auditor, &mut audit).await?;
    let outcome = audit.finish();
    let verified = Verified {
        rows: outcome.rows,
        aggregates: outcome.aggregates,
        cursors: outcome.cursors,
        faults: outcome.faults,
    };
    if context.json {
        output::json(&verified)?;
    }
    let checked = format!(
        "{} rows of {} chains, and {} followed streams",
        verified.rows, verified.aggregates, verified.cursors
    );
    if verified.faults.is_empty() {
        if !context.json {
            output::line(format!("All is whole: {checked}."))?;
        }
        return Ok(());
    }
    let faults: Vec<_> = verified.faults.iter().map(ToString::to_string).collect();
    Err(No(format!(
        "faults found ({}), in {checked}:\n  {}",
        faults.len(),
        faults.join("\n  ")
    ))
    .into())
}

/// A follower may have seen what its source's journal got after we had read it; so ask again before calling it a fault.
async fn recheck(office: &Office, auditor: &Person, audit: &mut Audit) -> Result<()> {
    for (source, stream) in audit.unseen() {
        let Some(source) = office.services().find(|service| *service == source) else {
            continue;
        };
        let request = ListEntriesRequest {
            matter_id: String::new(),
            aggregate_id: stream.to_string(),
        };
        let mut journal = auditor.journal(office, source);
        match office.ask(source, journal.list_entries(request)).await {
            Ok(answer) => audit.add_later(source, stream, &answer.entries),
            // Then it is gone, which the audit will say.
            Err(refused) if refused.refusal.kind == RefusalKind::NotFound => {}
            Err(refused) => return Err(refused.into()),
        }
    }
    Ok(())
}

async fn each_item(
    office: &Office,
    auditor: &Person,
    service: &str,
    mut take: impl FnMut(Item) -> Result<()>,
) -> Result<()> {
    let mut journal = auditor.journal(office, service);
    let mut items = office
        .ask(service, journal.export(ExportRequest {}))
        .await?;
    loop {
        match items.message().await {
            Ok(Some(message)) => message.item.map_or(Ok(()), &mut take)?,
            Ok(None) => return Ok(()),
            Err(status) => return Err(office.refused(service, &status).into()),
        }
    }
}

impl Export {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let auditor = context.person(Role::Auditor)?;
        let out: Box<dyn Write> = match &self.out {
            Some(path) => Box::new(
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?,
            ),
            None => Box::new(std::io::stdout()),
        };
        let mut out = BufWriter::new(out);
        // Where the rows go to the terminal, they are the progress.
        let spinner = (self.out.is_some() || !std::io::stdout().is_terminal())
            .then(|| output::counter(&format!("Exporting the journal of {}: rows", self.service)));
        each_item(&office, &auditor, &self.service, |item| {
            if let Some(spinner) = &spinner {
                spinner.inc(1);
            }
            serde_json::to_writer(
                &mut out,
                &proto::chassis::ExportResponse { item: Some(item) },
            )
            .map_err(std::io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        })
        .await?;
        out.flush()?;
        if let Some(spinner) = spinner {
            spinner.finish_and_clear();
        }
        Ok(())
    }
}

//! `zm stats`: the services' own figures.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::clarification::{Figure, GetStatisticsRequest};

use crate::client::{Office, Person, Unanswered};
use crate::{Context, output};

/// The figures of all services.
#[derive(Debug, Args)]
pub struct Stats {
    /// Only what was entered from this register
    #[arg(long)]
    source: Option<String>,
    /// Names that were cleared, by unit: each with the units below it
    #[arg(long)]
    by_unit: bool,
    /// Only names that this unit and those below it cleared
    #[arg(long, value_name = "CODE", requires = "by_unit")]
    unit: Option<String>,
    /// Only what was done on this day or later
    #[arg(long, value_name = "DATE", requires = "by_unit")]
    from: Option<String>,
    /// Only what was done on this day or earlier
    #[arg(long, value_name = "DATE", requires = "by_unit")]
    until: Option<String>,
}

/// The examples of the help text.
pub(crate) const EXAMPLES: &str = "\
Examples:
  zm stats
  zm stats --source detroit --json
  zm stats --by-unit --from 2026-01-01 --until 2026-06-30
  zm stats --by-unit --unit P51-01";

/// The figures of each service under their stable keys, in the services' order.
pub type Statistics = Vec<(&'static str, Vec<(String, i64)>)>;

/// The figures of one service under their stable keys, in its order.
///
/// # Errors
/// The service's refusal, or that it does not answer.
pub async fn figures(
    office: &Office,
    reader: &Person,
    service: &str,
    source: &str,
) -> Result<Vec<(String, i64)>, Unanswered> {
    let source = source.to_owned();
    // Each package has messages of its own for the same question.
    macro_rules! asked {
        ($package:ident $(, $rest:expr)?) => {{
            let request = proto::$package::GetStatisticsRequest { source $(, ..$rest)? };
            let answer = reader.$package(office).get_statistics(request).await;
            let figures = office.ask(service, async { answer }).await?.figures;
            let figures = figures.into_iter();
            figures.map(|figure| (figure.key, figure.count)).collect()
        }};
    }
    Ok(match service {
        "intake" => asked!(intake),
        "verification" => asked!(verification),
        "clarification" => asked!(clarification, Default::default()),
        "follow_up" => asked!(follow_up),
        _ => Vec::new(),
    })
}

/// Asks every service that counts something.
///
/// # Errors
/// The refusal of the first that does not answer.
pub async fn statistics(
    office: &Office,
    reader: &Person,
    source: &str,
) -> Result<Statistics, Unanswered> {
    let mut statistics = Statistics::new();
    for service in office.services() {
        statistics.push((service, figures(office, reader, service, source).await?));
    }
    Ok(statistics)
}

impl Stats {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let reader = context.person(Role::Auditor)?;
        if self.by_unit {
            return self.units(context, &office, &reader).await;
        }
        let source = self.source.unwrap_or_default();
        let statistics = statistics(&office, &reader, &source).await?;
        if context.json {
            let by_key: BTreeMap<_, BTreeMap<_, _>> = statistics
                .into_iter()
                .map(|(service, figures)| (service, figures.into_iter().collect()))
                .collect();
            return output::json(&by_key);
        }
        let rows = statistics.iter().flat_map(|(service, figures)| {
            figures.iter().map(|(key, count)| {
                vec![
                    (*service).to_owned(),
                    key.replace('_', " "),
                    count.to_string(),
                ]
            })
        });
        let heading = ["service", "figure", "count"];
        output::line(output::table(
            &heading,
            rows.collect(),
            "There is no figure.",
        ))
    }

    /// The names that were cleared, a line for each unit and one for all.
    async fn units(self, context: &Context, office: &Office, reader: &Person) -> Result<()> {
        const HEADING: [&str; 9] = [
            "unit",
            "persons cleared",
            "organisations cleared",
            "form written",
            "form in person",
            "form meeting",
            "form bulletin",
            "meetings",
            "ledger entries",
        ];
        let request = GetStatisticsRequest {
            source: self.source.unwrap_or_default(),
            unit: self.unit.unwrap_or_default(),
            from: self.from.unwrap_or_default(),
            until: self.until.unwrap_or_default(),
        };
        let mut desk = reader.clarification(office);
        let answer = office.ask("clarification", desk.get_statistics(request));
        let answer = answer.await?;
        context.answer(&answer, |answer| {
            let line = |name: &str, figures: &[Figure]| {
                let count = |heading: &&str| {
                    let key = heading.replace(' ', "_");
                    let figure = figures.iter().find(|figure| figure.key == key);
                    figure.map_or(0, |figure| figure.count).to_string()
                };
                let counts = HEADING[1..].iter().map(count);
                std::iter::once(name.to_owned()).chain(counts).collect()
            };
            let units = answer.units.iter();
            let mut rows: Vec<Vec<String>> = units.map(|of| line(&of.unit, &of.figures)).collect();
            rows.push(line("in total", &answer.figures));
            output::table(&HEADING, rows, "There is no figure.")
        })
    }
}

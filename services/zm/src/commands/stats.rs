//! `zm stats`: the services' own figures.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use office::Role;

use crate::client::{Office, Person, Unanswered};
use crate::{Context, output};

/// The figures of all services.
#[derive(Debug, Args)]
pub struct Stats {
    /// Only what was entered from this register
    #[arg(long)]
    source: Option<String>,
}

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
        ($package:ident) => {{
            let request = proto::$package::GetStatisticsRequest { source };
            let answer = reader.$package(office).get_statistics(request).await;
            let figures = office.ask(service, async { answer }).await?.figures;
            let figures = figures.into_iter();
            figures.map(|figure| (figure.key, figure.count)).collect()
        }};
    }
    Ok(match service {
        "intake" => asked!(intake),
        "verification" => asked!(verification),
        "clarification" => asked!(clarification),
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
}

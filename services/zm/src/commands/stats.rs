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
pub type Statistics = BTreeMap<&'static str, Vec<(String, i64)>>;

/// Asks every service that counts something.
///
/// # Errors
/// The refusal of the first that does not answer.
pub async fn statistics(
    office: &Office,
    reader: &Person,
    source: &str,
) -> Result<Statistics, Unanswered> {
    let mut intake = reader.intake(office);
    let request = proto::intake::GetStatisticsRequest {
        source: source.to_owned(),
    };
    let of_intake = office.ask("intake", intake.get_statistics(request)).await?;
    let mut verification = reader.verification(office);
    let request = proto::verification::GetStatisticsRequest {
        source: source.to_owned(),
    };
    let of_verification = office
        .ask("verification", verification.get_statistics(request))
        .await?;
    let of_intake = of_intake.figures.into_iter();
    let of_verification = of_verification.figures.into_iter();
    Ok(BTreeMap::from([
        (
            "intake",
            of_intake.map(|figure| (figure.key, figure.count)).collect(),
        ),
        (
            "verification",
            of_verification
                .map(|figure| (figure.key, figure.count))
                .collect(),
        ),
    ]))
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

//! `zm clock`: domain time, and moving it ahead to see deadlines pass.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::chassis::{ReadClockRequest, SetClockRequest};

use crate::client::{Office, Person};
use crate::{Context, output};

/// Domain time of all services.
#[derive(Debug, Args)]
pub struct Clock {
    /// How far to set it ahead of real time: a number with s, m, h or d, such as 40d; 0s sets it back
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    ahead: Option<i64>,
}

/// Seconds of a duration such as `40d`.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "it is a number with s, m, h or d, such as 40d or 12h".to_owned();
    let at = text.char_indices().last().map_or(0, |(at, _)| at);
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(i64::from(number) * unit)
}

impl Clock {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let operator = context.person(Role::Operator)?;
        let Some(ahead) = self.ahead else {
            return show(context, &office, &operator).await;
        };
        for service in office.services() {
            let request = SetClockRequest {
                ahead_seconds: ahead,
            };
            let mut operations = operator.operations(&office, service);
            office.ask(service, operations.set_clock(request)).await?;
        }
        if context.json {
            return output::json(&serde_json::json!({ "aheadSeconds": ahead }));
        }
        output::line(match ahead {
            0 => "Domain time is real time in all services.".to_owned(),
            ahead => format!(
                "Domain time is {ahead} s ahead in all services; `zm clock --ahead 0s` sets it back."
            ),
        })
    }
}

/// What time it is to each service.
async fn show(context: &Context, office: &Office, operator: &Person) -> Result<()> {
    let mut clocks = BTreeMap::new();
    for service in office.services() {
        let mut operations = operator.operations(office, service);
        let clock = office.ask(service, operations.read_clock(ReadClockRequest {}));
        clocks.insert(service, clock.await?);
    }
    context.answer(&clocks, |clocks| {
        let rows = office.services().filter_map(|service| {
            let clock = clocks.get(service)?;
            let now = output::instant(clock.now_micros);
            Some(vec![service.to_owned(), now, clock.today.clone()])
        });
        let heading = ["service", "domain time", "day of the policy"];
        output::table(&heading, rows.collect(), "")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_a_unit() {
        assert_eq!(seconds("40d"), Ok(40 * 86_400));
        assert_eq!(seconds("0s"), Ok(0));
        assert_eq!(seconds("12h"), Ok(43_200));
        for wrong in ["", "d", "40", "-1d", "4 d", "1w", "日"] {
            assert!(seconds(wrong).is_err(), "{wrong:?}");
        }
    }
}

//! `zm clock`: move domain time ahead, to see deadlines pass.

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::chassis::SetClockRequest;

use crate::{Context, output};

/// Domain time of all services.
#[derive(Debug, Args)]
pub struct Clock {
    /// How far ahead of real time: a number with s, m, h or d, such as 40d; 0s sets it back
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    ahead: i64,
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
        for service in office.services() {
            let request = SetClockRequest {
                ahead_seconds: self.ahead,
            };
            let mut operations = operator.operations(&office, service);
            office.ask(service, operations.set_clock(request)).await?;
        }
        if context.json {
            return output::json(&serde_json::json!({ "aheadSeconds": self.ahead }));
        }
        output::line(match self.ahead {
            0 => "Domain time is real time in all services.".to_owned(),
            ahead => format!(
                "Domain time is {ahead} s ahead in all services; `zm clock --ahead 0s` sets it back."
            ),
        })
    }
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

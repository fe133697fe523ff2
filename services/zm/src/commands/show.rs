//! `zm show`: the whole history of a matter over all services.

use std::collections::BTreeSet;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::chassis::{Entry, ListEntriesRequest};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::client::{Office, Person, Unanswered};
use crate::timeline::{self, Happened, Timeline};
use crate::{Context, No, output};

/// The whole history of a matter, report or case.
#[derive(Debug, Args)]
pub struct Show {
    /// The id of a matter, a report, a case or a subject
    #[arg(value_name = "ID")]
    id: Uuid,
}

/// One line of the answer in JSON.
#[derive(Serialize)]
struct Shown<'a> {
    number: usize,
    service: &'a str,
    #[serde(flatten)]
    entry: &'a Entry,
    /// What happened, and who did it, readable.
    event: Value,
    who: Value,
    /// The number of its cause in this timeline.
    because_of: Option<usize>,
}

impl Show {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let reader = context.person(Role::Auditor)?;
        let timeline = history(&office, &reader, self.id).await?;
        if timeline.is_empty() {
            return Err(No(format!(
                "no service has anything under {}. `zm report list` and `zm case list` show what is there",
                self.id
            ))
            .into());
        }
        if context.json {
            let shown = timeline.iter().enumerate();
            let shown = shown.map(|(place, (row, cause))| Shown {
                number: place + 1,
                service: row.service,
                entry: &row.entry,
                event: parsed(&row.entry.data),
                who: parsed(&row.entry.actor),
                because_of: cause.map(|cause| cause + 1),
            });
            return output::json(&shown.collect::<Vec<_>>());
        }
        output::line(told(&timeline))
    }
}

/// Everything that the services' journals have of the matter to which an id belongs, in order.
///
/// # Errors
/// The refusal of the first service that does not show its journal.
pub async fn history(office: &Office, reader: &Person, id: Uuid) -> Result<Timeline, Unanswered> {
    let mut rows = Vec::new();
    // An id may be a matter's or an aggregate's; an aggregate's rows say to which matter they belong.
    let mut matters = BTreeSet::from([id.to_string()]);
    for entry in ask(office, reader, Question::Aggregate(id)).await? {
        matters.extend(Some(entry.entry.matter.clone()).filter(|matter| !matter.is_empty()));
        rows.push(entry);
    }
    for matter in matters {
        rows.extend(ask(office, reader, Question::Matter(matter)).await?);
    }
    Ok(timeline::ordered(rows))
}

#[derive(Clone)]
enum Question {
    Aggregate(Uuid),
    Matter(String),
}

async fn ask(
    office: &Office,
    reader: &Person,
    question: Question,
) -> Result<Vec<Happened>, Unanswered> {
    let mut rows = Vec::new();
    for service in office.services() {
        let request = match question.clone() {
            Question::Aggregate(id) => ListEntriesRequest {
                matter_id: String::new(),
                aggregate_id: id.to_string(),
            },
            Question::Matter(matter_id) => ListEntriesRequest {
                matter_id,
                aggregate_id: String::new(),
            },
        };
        let mut journal = reader.journal(office, service);
        let answer = office.ask(service, journal.list_entries(request)).await?;
        let entries = answer.entries.into_iter();
        rows.extend(entries.map(|entry| Happened { service, entry }));
    }
    Ok(rows)
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// The timeline as a table: when, where, what, who, why.
pub(crate) fn told(timeline: &Timeline) -> String {
    let rows = timeline.iter().enumerate().map(|(place, (row, cause))| {
        let entry = &row.entry;
        let why = match cause {
            Some(cause) => format!("{} after {}", entry.method, cause + 1),
            None => entry.method.clone(),
        };
        let details = details(&parsed(&entry.data));
        vec![
            (place + 1).to_string(),
            output::instant(entry.at_micros),
            row.service.to_owned(),
            if details.is_empty() {
                plain(&entry.r#type)
            } else {
                format!("{}\n{details}", plain(&entry.r#type))
            },
            who(&parsed(&entry.actor)),
            why,
        ]
    });
    let heading = ["", "when", "service", "what", "who", "why"];
    output::table(&heading, rows.collect(), "There is nothing.")
}

fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// The actor's id, with that of whoever a service acts for.
fn who(actor: &Value) -> String {
    let id = actor["id"].as_str().unwrap_or("?");
    match actor["on_behalf_of"].as_str() {
        Some(other) => format!("{id}\nfor {other}"),
        None => id.to_owned(),
    }
}

/// What an event says in a line or two: its plain fields, and how many there are of the others.
fn details(event: &Value) -> String {
    let Some(fields) = event.as_object() else {
        return String::new();
    };
    let told = fields.iter().filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(items) if !items.is_empty() => {
                match items.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
                    Some(texts) if texts.len() <= 3 => texts.join(" "),
                    _ => items.len().to_string(),
                }
            }
            _ => return None,
        };
        Some(format!("{}: {value}", plain(name)))
    });
    told.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_told_by_its_plain_fields() {
        let event = json!({
            "unit": "P51", "source": "", "number": 2, "due": {"on": "2026-03-02"},
            "allegations": [{"id": "a"}, {"id": "b"}], "investigators": ["li", "wang"],
        });
        assert_eq!(
            details(&event),
            "allegations: 2\ninvestigators: li wang\nnumber: 2\nunit: P51"
        );
    }

    #[test]
    fn a_service_is_shown_with_whom_it_acts_for() {
        let actor = json!({"id": "service:verification", "on_behalf_of": "wang"});
        assert_eq!(who(&actor), "service:verification\nfor wang");
        assert_eq!(who(&json!({"id": "wang"})), "wang");
    }
}

//! `zm show`: the whole history of a matter over all services.

use std::collections::BTreeSet;

use anyhow::Result;
use chassis::refusal::RefusalKind;
use clap::Args;
use jiff::Timestamp;
use office::Role;
use proto::chassis::{Entry, ListEntriesRequest};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::client::{Office, Person, Unanswered};
use crate::timeline::{self, Happened, Timeline};
use crate::{Context, No, ids, output};

/// The whole history of a matter, report or case.
#[derive(Debug, Args)]
pub struct Show {
    /// The id of a matter, a report, a case or a subject
    #[arg(value_name = "ID", value_parser = ids::any)]
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
        match office.ask(service, journal.list_entries(request)).await {
            Ok(answer) => {
                let entries = answer.entries.into_iter();
                rows.extend(entries.map(|entry| Happened { service, entry }));
            }
            // Not every service knows of every matter.
            Err(refused) if refused.refusal.kind == RefusalKind::NotFound => {}
            Err(refused) => return Err(refused),
        }
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
            Some(cause) => format!("{}\nbecause of {}", entry.method, cause + 1),
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

/// Fields of an item in a list that say what it is about.
const TELLING: [&str; 4] = ["outcome", "category", "kind", "stage"];
/// How wide the details of an event may be.
const WIDTH: usize = 64;

/// What an event says in short: its plain fields, and of its lists how many there are of what.
fn details(event: &Value) -> String {
    let mut found = Vec::new();
    collect("", event, &mut found);
    let mut lines: Vec<String> = Vec::new();
    for detail in found {
        match lines.last_mut() {
            Some(line) if line.len() + detail.len() + 2 <= WIDTH => {
                line.push_str("; ");
                line.push_str(&detail);
            }
            _ => lines.push(detail),
        }
    }
    lines.join("\n")
}

fn collect(name: &str, value: &Value, found: &mut Vec<String>) {
    let plain_name = plain(name);
    match value {
        // An instant stands beside its date, a digest (64 digits) beside its id, both for machines.
        Value::String(text) if text.is_empty() || text.len() == 64 => {}
        Value::String(text) if text.len() > 10 && text.parse::<Timestamp>().is_ok() => {}
        Value::String(text) => found.push(format!("{plain_name} {text}")),
        Value::Number(number) => found.push(format!("{plain_name} {number}")),
        Value::Object(fields) => {
            for (inner, value) in fields {
                // `due: {on: …}` says something only together.
                match inner.as_str() {
                    "id" => collect(name, value, found),
                    // Who did it stands in its own column.
                    "by" if name.is_empty() => {}
                    "on" | "by" => collect(&format!("{name} {inner}"), value, found),
                    _ => collect(inner, value, found),
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            let mut kinds: Vec<String> = Vec::new();
            for item in items {
                told_kinds(item, &mut kinds);
            }
            found.push(match texts {
                Some(texts) if texts.len() <= 4 => format!("{plain_name} {}", texts.join(" and ")),
                _ if kinds.is_empty() => counted(items.len(), &plain_name),
                _ => format!(
                    "{}: {}",
                    counted(items.len(), &plain_name),
                    kinds.join(", ")
                ),
            });
        }
        Value::Array(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn counted(count: usize, things: &str) -> String {
    match things.strip_suffix('s') {
        Some(thing) if count == 1 => format!("1 {thing}"),
        _ => format!("{count} {things}"),
    }
}

/// Of what kind an item is, each kind once.
fn told_kinds(item: &Value, kinds: &mut Vec<String>) {
    let Some(fields) = item.as_object() else {
        return;
    };
    for (name, value) in fields {
        let kind = match value {
            Value::String(word) if TELLING.contains(&name.as_str()) => plain(word),
            Value::Object(inner) if TELLING.contains(&name.as_str()) => {
                let inner = inner.iter();
                let mut inner =
                    inner.filter_map(|(key, word)| Some(format!("{key} {}", word.as_str()?)));
                inner.next().map_or_else(String::new, |word| plain(&word))
            }
            _ => {
                told_kinds(value, kinds);
                continue;
            }
        };
        if !kind.is_empty() && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_told_by_its_plain_fields() {
        let event = json!({
            "unit": "P51", "source": "", "number": 2, "due": {"on": "2026-03-02"},
            "opened_at": "2026-03-02T12:00:00.000001Z", "investigators": ["li", "wang"],
            "reason": {"id": "t-1", "digest": "ab".repeat(32)},
        });
        assert_eq!(
            details(&event),
            "due on 2026-03-02; investigators li and wang; number 2\nreason t-1; unit P51"
        );
    }

    #[test]
    fn lists_are_told_by_how_many_of_what() {
        let event = json!({"findings": [
            {"allegation": "a", "found": {"outcome": "unfounded", "evidence": ["e"]}},
            {"allegation": "b", "found": {"outcome": {"closed": "no_cooperation"}}},
            {"allegation": "c", "found": {"outcome": "unfounded"}},
        ]});
        assert_eq!(
            details(&event),
            "3 findings: unfounded, closed no cooperation"
        );
    }

    #[test]
    fn a_service_is_shown_with_whom_it_acts_for() {
        let actor = json!({"id": "service:verification", "on_behalf_of": "wang"});
        assert_eq!(who(&actor), "service:verification\nfor wang");
        assert_eq!(who(&json!({"id": "wang"})), "wang");
    }
}

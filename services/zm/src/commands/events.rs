//! `zm events`: what waits or is dead, for whoever is on duty.

use std::str::FromStr;

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::chassis::{
    HeldEvent, ListHeldEventsRequest, RetryHeldEventRequest, ShowHeldEventRequest,
    SkipHeldEventRequest,
};
use proto::topology::SERVICES;
use serde::Serialize;

use crate::client::{Office, Person, Unanswered};
use crate::{Context, output};

/// The most that a service lists on a page.
const PAGE: i32 = 200;

/// Held events.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List what waits or is dead in all services
    #[command(after_help = "Example:\n  zm events list")]
    List,
    /// Show one with its headers and body
    #[command(after_help = "Example:\n  zm events show verification/event:12")]
    Show(One),
    /// Try one again now
    #[command(after_help = "Example:\n  zm events retry verification/event:12")]
    Retry(One),
    /// Leave one out, for ever and on record; its stream goes on
    #[command(
        after_help = "Example:\n  zm events skip verification/event:12 --reason entered_by_mistake"
    )]
    Skip(Skip),
}

/// Which event.
#[derive(Debug, Args)]
pub struct One {
    /// Its id as the list shows it, such as verification/event:12
    #[arg(value_name = "SERVICE/ID")]
    id: HeldId,
}

/// Which event, and why it is left out.
#[derive(Debug, Args)]
pub struct Skip {
    /// Its id as the list shows it, such as verification/event:12
    #[arg(value_name = "SERVICE/ID")]
    id: HeldId,
    /// Why; a code or a short sentence without any name
    #[arg(long)]
    reason: String,
}

/// The id of a held event or timer over all services: `verification/event:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldId {
    service: &'static str,
    id: String,
}

impl FromStr for HeldId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, id) = text.split_once('/').ok_or(
            "it is SERVICE/ID as `zm events list` shows it, such as verification/event:12",
        )?;
        let service = SERVICES
            .iter()
            .find(|known| **known == service)
            .ok_or_else(|| format!("{service:?} is none of {}", SERVICES.join(", ")))?;
        Ok(Self {
            service,
            id: id.to_owned(),
        })
    }
}

/// An event that is held, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The service that holds it.
    pub service: &'static str,
    /// What it is.
    #[serde(flatten)]
    pub event: HeldEvent,
}

/// Everything that waits or is dead in all services.
///
/// # Errors
/// The refusal of the first service that does not answer.
pub async fn held(office: &Office, operator: &Person) -> Result<Vec<Held>, Unanswered> {
    let mut held = Vec::new();
    for service in office.services() {
        let mut operations = operator.operations(office, service);
        let mut page_token = String::new();
        loop {
            let request = ListHeldEventsRequest {
                page_size: PAGE,
                page_token,
            };
            let page = office
                .ask(service, operations.list_held_events(request))
                .await?;
            held.extend(page.events.into_iter().map(|event| Held { service, event }));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
    }
    Ok(held)
}

/// Held events as a table.
pub fn table(held: &[Held]) -> String {
    let rows = held.iter().map(|held| {
        let event = &held.event;
        vec![
            format!("{}/{}", held.service, event.id),
            event.status.clone(),
            event.r#type.clone(),
            event.source.clone(),
            event.stream.clone(),
            event.sequence.to_string(),
            event.attempts.to_string(),
            output::instant(event.at_micros),
            event.reason.clone(),
        ]
    });
    let heading = [
        "id", "status", "type", "source", "stream", "number", "attempts", "since", "reason",
    ];
    output::table(
        &heading,
        rows.collect(),
        "Nothing waits and nothing is dead.",
    )
}

impl Events {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let operator = context.person(Role::Operator)?;
        match self {
            Self::List => {
                let held = held(&office, &operator).await?;
                context.answer(&held, |held| table(held))
            }
            Self::Show(One { id }) => show(context, &office, &operator, id).await,
            Self::Retry(One { id }) => {
                let mut operations = operator.operations(&office, id.service);
                let request = RetryHeldEventRequest { id: id.id };
                let answer = operations.retry_held_event(request);
                let answer = office.ask(id.service, answer).await?;
                context.answer(&answer, |_| "Tried again; see `zm events list`.".to_owned())
            }
            Self::Skip(Skip { id, reason }) => {
                let mut operations = operator.operations(&office, id.service);
                let request = SkipHeldEventRequest { id: id.id, reason };
                let answer = operations.skip_held_event(request);
                let answer = office.ask(id.service, answer).await?;
                context.answer(&answer, |_| {
                    "Left out, on record. What waited for it goes on.".to_owned()
                })
            }
        }
    }
}

async fn show(context: &Context, office: &Office, operator: &Person, id: HeldId) -> Result<()> {
    let mut operations = operator.operations(office, id.service);
    let request = ShowHeldEventRequest { id: id.id };
    let answer = operations.show_held_event(request);
    let answer = office.ask(id.service, answer).await?;
    context.answer(&answer, |answer| {
        let event = answer.event.clone().unwrap_or_default();
        let fields = output::fields(&[
            ("id", format!("{}/{}", id.service, event.id)),
            ("status", event.status),
            ("reason", event.reason),
            ("type", event.r#type),
            ("event", event.event_id),
            ("source", event.source),
            ("stream", event.stream),
            ("number", event.sequence.to_string()),
            ("attempts", event.attempts.to_string()),
            ("since", output::instant(event.at_micros)),
            ("headers", answer.headers.clone()),
        ]);
        format!("{fields}\n\n{}", readable(&answer.body))
    })
}

/// A body as JSON if it is some, else as text where it is that.
fn readable(body: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(body)
        .and_then(|json| serde_json::to_string_pretty(&json))
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_service() {
        let id: HeldId = "verification/event:12".parse().expect("an id");
        assert_eq!((id.service, id.id.as_str()), ("verification", "event:12"));
        assert!("event:12".parse::<HeldId>().is_err());
        let fault = "archive/event:12"
            .parse::<HeldId>()
            .expect_err("no service");
        assert!(fault.contains("intake"), "{fault}");
    }
}

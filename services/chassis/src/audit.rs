//! The journal for auditors and for whoever checks its chains.
//!
//! An export is one moment of the database: rows, heads and what was followed are read in one transaction that sees
//! nothing newer, because a chain is checked against its head. It is read page by page along the primary keys, so that
//! a reader who is slow or goes away costs no more than a page.

use std::pin::Pin;

use office::Actor;
use proto::chassis::export_response::Item;
use proto::chassis::journal_service_server::JournalService;
use proto::chassis::{
    AggregateHead, Entry as SentEntry, ExportRequest, ExportResponse, FollowedHead,
    ListEntriesRequest, ListEntriesResponse,
};
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::front::Front;
use crate::journal::{self, Entry};
use crate::refusal::{NOT_FOUND, Refusal, RefusalKind, UNAVAILABLE, Violation};

/// Rows that are read at once.
const PAGE: i64 = 500;

/// Shows a service's journal.
pub(crate) struct Audit {
    front: Front,
}

impl Audit {
    /// Of the service with this front.
    pub(crate) fn new(front: Front) -> Self {
        Self { front }
    }

    /// The rows of a matter or an aggregate, as far as the actor may see what they happened to.
    async fn entries(
        &self,
        actor: &Actor,
        request: &ListEntriesRequest,
    ) -> Result<Vec<Entry>, Refusal> {
        let pool = self.front.pool();
        let entries = match (&*request.matter_id, &*request.aggregate_id) {
            (matter, "") => journal::of_matter(pool, id("matter_id", matter)?).await,
            ("", aggregate) => journal::of_aggregate(pool, id("aggregate_id", aggregate)?).await,
            _ => return Err(invalid("aggregate_id", "goes with no matter_id")),
        };
        let mut entries = entries.map_err(unavailable)?;
        let mut aggregates: Vec<Uuid> = entries.iter().map(|entry| entry.aggregate).collect();
        aggregates.sort_unstable();
        aggregates.dedup();
        let mut withheld = None;
        for aggregate in aggregates {
            match self.front.admits(actor, aggregate).await {
                Ok(()) => {}
                Err(refusal) if refusal.kind == RefusalKind::PermissionDenied => {
                    entries.retain(|entry| entry.aggregate != aggregate);
                    withheld = Some(refusal);
                }
                Err(refusal) => return Err(refusal),
            }
        }
        if entries.is_empty() {
            return Err(withheld.unwrap_or(NOT_FOUND));
        }
        Ok(entries)
    }
}

#[tonic::async_trait]
impl JournalService for Audit {
    type ExportStream = Pin<Box<dyn Stream<Item = Result<ExportResponse, Status>> + Send>>;

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        let actor = self.front.permit(&request, "ReadJournal")?;
        let entries = self.entries(&actor, request.get_ref()).await?;
        Ok(Response::new(ListEntriesResponse {
            entries: entries.into_iter().map(SentEntry::from).collect(),
        }))
    }

    async fn export(
        &self,
        request: Request<ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        self.front.permit(&request, "ExportJournal")?;
        let (sender, receiver) = mpsc::channel(PAGE as usize);
        let pool = self.front.pool().clone();
        tokio::spawn(async move {
            if let Err(Cut::Database(error)) = export(&pool, &sender).await {
                // Whoever reads may have gone away as well.
                let _ = sender.send(Err(unavailable(error).status())).await;
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Why an export ended early.
enum Cut {
    /// Nobody reads any more.
    Unread,
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Cut {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

type Sender = mpsc::Sender<Result<ExportResponse, Status>>;

async fn export(pool: &PgPool, sender: &Sender) -> Result<(), Cut> {
    let mut moment = pool
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    entries(&mut moment, sender).await?;
    heads(&mut moment, sender).await?;
    followed(&mut moment, sender).await?;
    moment.commit().await?;
    Ok(())
}

async fn send(sender: &Sender, item: Item) -> Result<(), Cut> {
    let response = ExportResponse { item: Some(item) };
    sender.send(Ok(response)).await.map_err(|_| Cut::Unread)
}

async fn entries(moment: &mut PgConnection, sender: &Sender) -> Result<(), Cut> {
    let mut last = (Uuid::nil(), 0);
    loop {
        let page = journal::entries!(
            "where (aggregate, sequence) > ($1, $2) order by aggregate, sequence limit $3",
            last.0,
            last.1,
            PAGE
        )
        .fetch_all(&mut *moment)
        .await?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = (end.aggregate, end.sequence);
        for entry in page {
            send(sender, Item::Entry(entry.into())).await?;
        }
    }
}

async fn heads(moment: &mut PgConnection, sender: &Sender) -> Result<(), Cut> {
    let mut from = Uuid::nil();
    loop {
        let page = sqlx::query!(
            "select id, version, public_sequence, head
               from aggregates
              where id >= $1
              order by id
              limit $2",
            from,
            PAGE
        )
        .fetch_all(&mut *moment)
        .await?;
        let full = page.len() == PAGE as usize;
        for row in page {
            from = journal::after(row.id);
            let head = AggregateHead {
                aggregate: row.id.to_string(),
                version: row.version,
                public_sequence: row.public_sequence,
                head: row.head,
            };
            send(sender, Item::Head(head)).await?;
        }
        if !full {
            return Ok(());
        }
    }
}

async fn followed(moment: &mut PgConnection, sender: &Sender) -> Result<(), Cut> {
    let mut last = (String::new(), Uuid::nil());
    loop {
        let page = sqlx::query!(
            "select source, stream, sequence, event_id
               from cursors
              where (source, stream) > ($1, $2)
              order by source, stream
              limit $3",
            last.0,
            last.1,
            PAGE
        )
        .fetch_all(&mut *moment)
        .await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page {
            last = (row.source, row.stream);
            let followed = FollowedHead {
                source: last.0.clone(),
                stream: last.1.to_string(),
                sequence: row.sequence,
                event_id: optional(row.event_id),
            };
            send(sender, Item::Followed(followed)).await?;
        }
    }
}

impl From<Entry> for SentEntry {
    fn from(entry: Entry) -> Self {
        Self {
            aggregate: entry.aggregate.to_string(),
            sequence: entry.sequence,
            event_id: entry.event_id.to_string(),
            kind: entry.kind,
            matter: optional(entry.matter),
            r#type: entry.name,
            version: entry.version,
            data: entry.data,
            actor: entry.actor,
            at_micros: entry.at.as_microsecond(),
            cause: optional(entry.cause),
            method: entry.method,
            request_id: entry.request_id.to_string(),
            request_hash: entry.request_hash,
            public_sequence: entry.public_sequence.unwrap_or_default(),
            previous: entry.previous,
            hash: entry.hash,
        }
    }
}

fn id(field: &str, value: &str) -> Result<Uuid, Refusal> {
    value.parse().map_err(|_| {
        invalid(
            field,
            "must be a UUID; give either matter_id or aggregate_id",
        )
    })
}

fn optional(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn invalid(field: &str, description: &str) -> Refusal {
    Refusal::invalid(vec![Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    }])
}

fn unavailable(error: sqlx::Error) -> Refusal {
    UNAVAILABLE.with_note(error)
}

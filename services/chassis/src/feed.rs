//! The feed: a service's public events straight from its journal, for followers that lost some at the broker or start
//! late.
//!
//! Nothing is kept for it. An announcement is a pure function of its stored event, so it is made again whenever
//! somebody asks. What changed since a token is found by the transaction ids of `aggregates`: every transaction that
//! was still under way when the token was drawn has an id at or above the token's, so nothing falls between two
//! listings, and what was there already may be told twice.
//!
//! The trap: the token is drawn before the first page is read and carried through all pages. One that is drawn later
//! would skip what changed on a page that was read before.

use office::Actor;
use proto::chassis::feed_service_server::FeedService;
use proto::chassis::{
    Head, ListEventsRequest, ListEventsResponse, ListHeadsRequest, ListHeadsResponse, PublicEvent,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::front::Front;
use crate::journal::{self, Entry};
use crate::refusal::{INTERNAL, Refusal, UNAVAILABLE, Violation, WRITTEN_BY_NEWER};
use crate::relay;

/// Most events in an answer.
const EVENTS: i64 = 500;
/// An answer ends with the event that brings its bodies to this size, in bytes, so that it fits a message.
const FULL: usize = 2 << 20;
/// Most heads in an answer.
const HEADS: usize = 1000;
/// The permission to read it.
const READ_FEED: &str = "ReadFeed";

/// Answers from a service's journal what its public events were.
pub(crate) struct Feed {
    front: Front,
}

impl Feed {
    /// Of the service with this front.
    pub(crate) fn new(front: Front) -> Self {
        Self { front }
    }

    async fn epoch(&self) -> Result<String, Refusal> {
        relay::epoch(self.front.pool()).await.map_err(unavailable)
    }

    async fn events(&self, request: &ListEventsRequest) -> Result<ListEventsResponse, Refusal> {
        let stream: Uuid = request
            .stream
            .parse()
            .map_err(|_| invalid("stream", "must be a UUID"))?;
        if request.after < 0 {
            return Err(invalid("after", "must not be negative"));
        }
        // A public number is never above the row's own, so the primary key leads to it.
        let entries = journal::entries!(
            "where aggregate = $1 and sequence > $2 and public_sequence > $2
              order by sequence
              limit $3",
            stream,
            request.after,
            EVENTS
        )
        .fetch_all(self.front.pool())
        .await
        .map_err(unavailable)?;
        let mut events = Vec::with_capacity(entries.len());
        let mut size = 0;
        for entry in entries {
            let event = self.announced(entry)?;
            size += event.body.len();
            events.push(event);
            if size >= FULL {
                break;
            }
        }
        Ok(ListEventsResponse {
            epoch: self.epoch().await?,
            events,
        })
    }

    /// The event as the relay published it.
    fn announced(&self, entry: Entry) -> Result<PublicEvent, Refusal> {
        let kind = self
            .front
            .inner
            .kinds
            .get(&entry.kind)
            .ok_or(WRITTEN_BY_NEWER)?;
        let announcement = kind
            .announce(
                entry.aggregate,
                &entry.name,
                entry.version.unsigned_abs(),
                &entry.data,
            )
            .map_err(|error| WRITTEN_BY_NEWER.with_note(error))?
            .ok_or_else(|| {
                INTERNAL.with_note(format_args!(
                    "event {} was public and no longer is",
                    entry.event_id
                ))
            })?;
        let actor: Actor = serde_json::from_slice(&entry.actor)
            .map_err(|error| WRITTEN_BY_NEWER.with_note(error))?;
        Ok(PublicEvent {
            event_id: entry.event_id.to_string(),
            r#type: announcement.name.to_owned(),
            stream: entry.aggregate.to_string(),
            sequence: entry.public_sequence.unwrap_or_default(),
            matter_id: optional(entry.matter),
            cause: optional(entry.cause),
            actor_id: actor.behind().unwrap_or(&actor.id).to_string(),
            at_micros: entry.at.as_microsecond(),
            body: announcement.body,
        })
    }

    async fn heads(&self, request: &ListHeadsRequest) -> Result<ListHeadsResponse, Refusal> {
        let epoch = self.epoch().await?;
        let (token, from) = if request.page_token.is_empty() {
            (self.draw(&epoch).await?, Uuid::nil())
        } else {
            let (token, from) = read_page(&request.page_token)
                .ok_or_else(|| invalid("page_token", "must come from an earlier answer"))?;
            if since(token, &epoch).is_none() {
                return Err(invalid(
                    "page_token",
                    "belongs to another history of the database; list from the start",
                ));
            }
            (token.to_owned(), from)
        };
        // Planned for its token: a plan for any token would read the whole table for a recent one.
        let mut planned = self.front.pool().begin().await.map_err(unavailable)?;
        sqlx::query!("set local plan_cache_mode to force_custom_plan")
            .execute(&mut *planned)
            .await
            .map_err(unavailable)?;
        let heads = sqlx::query!(
            "select id, public_sequence from aggregates
              where era >= $1::text::bigint >> 16 and changed >= $1::text::xid8 and public_sequence > 0 and id >= $2
              order by id
              limit $3",
            since(&request.since, &epoch).unwrap_or("0"),
            from,
            HEADS as i64
        )
        .fetch_all(&mut *planned)
        .await
        .map_err(unavailable)?;
        planned.commit().await.map_err(unavailable)?;
        let next_page_token = match heads.last() {
            Some(last) if heads.len() == HEADS => write_page(&token, journal::after(last.id)),
            _ => String::new(),
        };
        let heads = heads.into_iter().map(|head| Head {
            stream: head.id.to_string(),
            sequence: head.public_sequence,
        });
        Ok(ListHeadsResponse {
            epoch,
            heads: heads.collect(),
            next_page_token,
            token,
        })
    }

    /// A token for whatever changes from now on.
    async fn draw(&self, epoch: &str) -> Result<String, Refusal> {
        let oldest = sqlx::query_scalar!(
            r#"select pg_snapshot_xmin(pg_current_snapshot())::text as "xmin!""#
        )
        .fetch_one(self.front.pool())
        .await
        .map_err(unavailable)?;
        Ok(format!("{epoch}:{oldest}"))
    }
}

/// The transaction id of a token, if it belongs to this epoch.
fn since<'a>(token: &'a str, epoch: &str) -> Option<&'a str> {
    let transaction = token.strip_prefix(epoch)?.strip_prefix(':')?;
    // Half of what PostgreSQL could count to, which nobody reaches: `era` is worked out with signed numbers.
    i64::try_from(transaction.parse::<u64>().ok()?).ok()?;
    Some(transaction)
}

/// A page begins with this stream.
fn write_page(token: &str, from: Uuid) -> String {
    format!("{token}/{from}")
}

fn read_page(page: &str) -> Option<(&str, Uuid)> {
    let (token, from) = page.rsplit_once('/')?;
    Some((token, from.parse().ok()?))
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

#[tonic::async_trait]
impl FeedService for Feed {
    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        self.front.permit(&request, READ_FEED)?;
        Ok(Response::new(self.events(request.get_ref()).await?))
    }

    async fn list_heads(
        &self,
        request: Request<ListHeadsRequest>,
    ) -> Result<Response<ListHeadsResponse>, Status> {
        self.front.permit(&request, READ_FEED)?;
        Ok(Response::new(self.heads(request.get_ref()).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: &str = "7301.00000001.0a2b";

    #[test]
    fn a_token_of_another_epoch_means_all() {
        assert_eq!(since("7301.00000001.0a2b:815", EPOCH), Some("815"));
        for foreign in [
            "",
            "7301.00000002.0a2b:815",
            "7301.00000001.0a2b",
            "7301.00000001.0a2b:",
            "7301.00000001.0a2b:x",
        ] {
            assert_eq!(since(foreign, EPOCH), None, "{foreign}");
        }
    }

    #[test]
    fn a_page_carries_the_token_of_the_first_one() {
        let from = Uuid::from_u128(9);
        let page = write_page("7301.00000001.0a2b:815", from);
        assert_eq!(read_page(&page), Some(("7301.00000001.0a2b:815", from)));
        assert_eq!(read_page("nothing"), None);
    }
}

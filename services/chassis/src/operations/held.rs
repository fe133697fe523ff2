//! What is held back, listed in the order in which it came: events and messages first, then due commands that were
//! refused.

use std::fmt;

use jiff::Timestamp;
use office::Actor;
use proto::chassis::{
    HeldEvent, ListHeldEventsRequest, ListHeldEventsResponse, ShowHeldEventResponse,
    SkipHeldEventRequest,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Operations, invalid, micros, unavailable};
use crate::refusal::{NOT_FOUND, Refusal, RefusalKind};
use crate::repair::ANEW;

/// Entries on a page: as a rule, and at most.
const PAGE: (i32, i32) = (50, 200);
/// The longest reason, in bytes.
const LONGEST_REASON: usize = 200;
/// Where `held` says that messages in the queue of commands come from; their bodies may hold texts.
const COMMANDS: &str = "commands";

/// Trying it again cannot help: it could not even be read.
pub(super) const HELD_UNREADABLE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "HELD_UNREADABLE",
    "This could not even be read, so trying again cannot help; look at it, have it sent anew, then skip it.",
);
/// Two histories claim the same place.
pub(super) const HELD_TWICE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "HELD_TWICE",
    "Another event of the same place in its stream is held as well; compare the two and skip one.",
);
/// The events before it were not taken yet.
pub(super) const HELD_NOT_NEXT: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "HELD_NOT_NEXT",
    "Earlier events of its stream were not taken yet; this one may not be left out before its turn comes.",
);
/// Its stream moved while it was looked at.
const HELD_MOVED: Refusal = Refusal::new(
    RefusalKind::Aborted,
    "HELD_MOVED",
    "It moved at the same moment; look again.",
);

/// Which entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Id {
    Event(i64),
    Timer(Uuid),
}

impl Id {
    fn read(id: &str) -> Option<Self> {
        match id.split_once(':')? {
            ("event", number) => number.parse().ok().map(Self::Event),
            ("timer", key) => key.parse().ok().map(Self::Timer),
            _ => None,
        }
    }

    fn of(field: &str, id: &str) -> Result<Self, Refusal> {
        Self::read(id)
            .ok_or_else(|| invalid(field, "must be of the form event:<number> or timer:<uuid>"))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(number) => write!(f, "event:{number}"),
            Self::Timer(key) => write!(f, "timer:{key}"),
        }
    }
}

impl Operations {
    pub(super) async fn list(
        &self,
        request: &ListHeldEventsRequest,
    ) -> Result<ListHeldEventsResponse, Refusal> {
        let size = match request.page_size {
            0 => PAGE.0,
            size @ 1.. => size.min(PAGE.1),
            _ => return Err(invalid("page_size", "must not be negative")),
        };
        let (event, timer) = match &*request.page_token {
            "" => (0, None),
            token => match Id::of("page_token", token)? {
                Id::Event(last) => (last, None),
                Id::Timer(last) => (i64::MAX, Some(last)),
            },
        };
        // One more than asked for says whether there is another page.
        let mut events = self
            .page_of_events(event, size + 1)
            .await
            .map_err(unavailable)?;
        let left = size + 1 - i32::try_from(events.len()).unwrap_or(i32::MAX);
        if left > 0 {
            let timers = self.page_of_timers(timer, left).await;
            events.extend(timers.map_err(unavailable)?);
        }
        let size = usize::try_from(size).unwrap_or_default();
        let next_page_token = if events.len() > size {
            events.truncate(size);
            events.last().map(|last| last.id.clone())
        } else {
            None
        };
        Ok(ListHeldEventsResponse {
            events,
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }

    async fn page_of_events(&self, after: i64, size: i32) -> sqlx::Result<Vec<HeldEvent>> {
        let held = sqlx::query_as!(
            Event,
            "select id, source, stream, sequence, event_id, type, status, reason, attempts, at
               from held
              where id > $1
              order by id
              limit $2",
            after,
            i64::from(size)
        )
        .fetch_all(self.front.pool())
        .await?;
        Ok(held.into_iter().map(HeldEvent::from).collect())
    }

    async fn page_of_timers(&self, after: Option<Uuid>, size: i32) -> sqlx::Result<Vec<HeldEvent>> {
        let dead = sqlx::query_as!(
            Timer,
            r#"select key, aggregate, cause, method, dead as "dead!", attempts, due
                 from timers
                where dead is not null and ($1::uuid is null or key > $1)
                order by key
                limit $2"#,
            after,
            i64::from(size)
        )
        .fetch_all(self.front.pool())
        .await?;
        Ok(dead
            .into_iter()
            .map(|timer| timer.of(self.service))
            .collect())
    }

    pub(super) async fn show(&self, id: &str) -> Result<ShowHeldEventResponse, Refusal> {
        let shown = match Id::of("id", id)? {
            Id::Event(number) => self.show_event(number).await,
            Id::Timer(key) => self.show_timer(key).await,
        };
        shown.map_err(unavailable)?.ok_or(NOT_FOUND)
    }

    async fn show_event(&self, number: i64) -> sqlx::Result<Option<ShowHeldEventResponse>> {
        let held = sqlx::query!(
            r#"select id, source, stream, sequence, event_id, type, status, reason, attempts, at,
                      headers::text as "headers!", body
                 from held
                where id = $1"#,
            number
        )
        .fetch_optional(self.front.pool())
        .await?;
        Ok(held.map(|held| {
            let event = Event {
                id: held.id,
                source: held.source,
                stream: held.stream,
                sequence: held.sequence,
                event_id: held.event_id,
                r#type: held.r#type,
                status: held.status,
                reason: held.reason,
                attempts: held.attempts,
                at: held.at.into(),
            };
            ShowHeldEventResponse {
                event: Some(event.into()),
                headers: held.headers,
                body: held.body,
            }
        }))
    }

    async fn show_timer(&self, key: Uuid) -> sqlx::Result<Option<ShowHeldEventResponse>> {
        let dead = sqlx::query!(
            r#"select key, aggregate, cause, method, dead as "dead!", attempts, due, command,
                      jsonb_build_object('kind', target_kind, 'consequence', consequence, 'traceparent', trace)::text
                          as "headers!"
                 from timers
                where key = $1 and dead is not null"#,
            key
        )
        .fetch_optional(self.front.pool())
        .await?;
        Ok(dead.map(|dead| {
            let timer = Timer {
                key: dead.key,
                aggregate: dead.aggregate,
                cause: dead.cause,
                method: dead.method,
                dead: dead.dead,
                attempts: dead.attempts,
                due: dead.due.into(),
            };
            ShowHeldEventResponse {
                event: Some(timer.of(self.service)),
                headers: dead.headers,
                body: dead.command,
            }
        }))
    }

    /// Its turn comes within a second, at whichever replica looks first.
    pub(super) async fn retry(&self, id: &str, actor: &Actor) -> Result<(), Refusal> {
        let pool = self.front.pool();
        match Id::of("id", id)? {
            Id::Event(number) => {
                let status = sqlx::query_scalar!("select status from held where id = $1", number)
                    .fetch_optional(pool)
                    .await
                    .map_err(unavailable)?
                    .ok_or(NOT_FOUND)?;
                if status == "unreadable" {
                    return Err(HELD_UNREADABLE);
                }
                // A diverged one keeps its stream held until the follower has compared again.
                sqlx::query!(
                    "update held
                        set status = case when status = 'dead' then 'not_yet' else status end,
                            not_before = now()
                      where id = $1 and status <> 'unreadable'",
                    number
                )
                .execute(pool)
                .await
                .map_err(|error| match error.as_database_error() {
                    Some(fault) if fault.is_unique_violation() => HELD_TWICE,
                    _ => unavailable(error),
                })?;
            }
            Id::Timer(key) => {
                let again = sqlx::query!(
                    "update timers set dead = null, attempts = 0, claimed_until = null, not_before = null
                      where key = $1 and dead is not null",
                    key
                )
                .execute(pool)
                .await
                .map_err(unavailable)?;
                if again.rows_affected() == 0 {
                    return Err(NOT_FOUND);
                }
            }
        }
        tracing::info!(id, actor = %actor.id, "a held event is tried again");
        Ok(())
    }

    /// Leaves it out for ever, on record.
    pub(super) async fn skip(
        &self,
        request: &SkipHeldEventRequest,
        actor: &Actor,
    ) -> Result<(), Refusal> {
        let id = Id::of("id", &request.id)?;
        let reason = request.reason.trim();
        if reason.is_empty() || reason.len() > LONGEST_REASON {
            return Err(invalid(
                "reason",
                "must be a code or a sentence of at most 200 bytes, without any name",
            ));
        }
        let mut transaction = self.front.pool().begin().await.map_err(unavailable)?;
        match id {
            Id::Event(number) => skip_event(&mut transaction, number, reason, actor).await?,
            Id::Timer(key) => {
                let skipped = sqlx::query!(
                    "with gone as (delete from timers where key = $1 and dead is not null returning *)
                     insert into skipped (source, stream, event_id, type, headers, body, reason, actor)
                     select $2, aggregate, cause, method,
                            jsonb_build_object('kind', target_kind, 'consequence', consequence, 'dead', dead),
                            command, $3, $4
                       from gone",
                    key,
                    self.service,
                    reason,
                    actor.id.as_str()
                )
                .execute(&mut *transaction)
                .await
                .map_err(unavailable)?;
                if skipped.rows_affected() == 0 {
                    return Err(NOT_FOUND);
                }
            }
        }
        transaction.commit().await.map_err(unavailable)?;
        tracing::warn!(%id, actor = %actor.id, "a held event is left out");
        Ok(())
    }
}

async fn skip_event(
    transaction: &mut PgConnection,
    number: i64,
    reason: &str,
    actor: &Actor,
) -> Result<(), Refusal> {
    let held = sqlx::query!(
        "select source, stream, sequence, event_id, epoch, status from held where id = $1",
        number
    )
    .fetch_optional(&mut *transaction)
    .await
    .map_err(unavailable)?
    .ok_or(NOT_FOUND)?;
    // What could not be read has no place.
    if let (Some(stream), Some(sequence)) = (held.stream, held.sequence) {
        let place = Place {
            source: held.source,
            stream,
            sequence,
            event_id: held.event_id,
        };
        if held.status == "diverged" {
            place
                .follow_from(transaction, held.epoch.as_deref())
                .await?;
        } else {
            place.step_over(transaction).await?;
        }
    }
    let skipped = sqlx::query!(
        "with gone as (delete from held where id = $1 returning *)
         insert into skipped (source, stream, sequence, event_id, type, headers, body, reason, actor)
         select source, stream, sequence, event_id, type,
                headers || jsonb_build_object('status', status, 'reason', reason),
                -- A command may hold texts, which may not outlive their erasure anywhere.
                case when source = $4 then ''::bytea else body end,
                $2, $3
           from gone",
        number,
        reason,
        actor.id.as_str(),
        COMMANDS
    )
    .execute(transaction)
    .await
    .map_err(unavailable)?;
    // It was taken after all while we waited for the cursor; what was done here rolls back.
    if skipped.rows_affected() == 0 {
        return Err(HELD_MOVED);
    }
    Ok(())
}

/// A place in a followed stream.
struct Place {
    source: String,
    stream: Uuid,
    sequence: i64,
    event_id: Option<Uuid>,
}

impl Place {
    /// Follows the source from this place on, as its history is now: what was taken beyond it stays and is no longer
    /// compared. The event of a history that the source left, or that was not reached, moves nothing.
    async fn follow_from(
        &self,
        transaction: &mut PgConnection,
        epoch: Option<&str>,
    ) -> Result<(), Refusal> {
        sqlx::query!(
            "update cursors set previous = sequence, sequence = $3, event_id = $4
              where source = $1 and stream = $2 and sequence >= $3
                and exists (select from sources s where s.source = $1 and s.epoch = $5)",
            self.source,
            self.stream,
            self.sequence,
            self.event_id,
            epoch
        )
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?;
        // The source's events after this place are fetched, however long ago they happened.
        sqlx::query!(
            "update sources set token = $2 || gen_random_uuid()::text where source = $1",
            self.source,
            ANEW
        )
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?;
        sqlx::query!(
            "update held set not_before = now() where source = $1 and stream = $2 and status = 'not_yet'",
            self.source,
            self.stream
        )
        .execute(transaction)
        .await
        .map_err(unavailable)?;
        Ok(())
    }

    /// Moves the cursor over this place, if it is the next. A cursor that is beyond it stays.
    async fn step_over(&self, transaction: &mut PgConnection) -> Result<(), Refusal> {
        sqlx::query!(
            "insert into cursors (source, stream, sequence) values ($1, $2, 0) on conflict do nothing",
            self.source,
            self.stream
        )
        .execute(&mut *transaction)
        .await
        .map_err(unavailable)?;
        let at = sqlx::query_scalar!(
            "select sequence from cursors where source = $1 and stream = $2 for update",
            self.source,
            self.stream
        )
        .fetch_one(&mut *transaction)
        .await
        .map_err(unavailable)?;
        if self.sequence > at + 1 {
            return Err(HELD_NOT_NEXT);
        }
        if self.sequence <= at {
            return Ok(());
        }
        sqlx::query!(
            "update cursors set previous = sequence, sequence = $3, event_id = $4 where source = $1 and stream = $2",
            self.source,
            self.stream,
            self.sequence,
            self.event_id
        )
        .execute(transaction)
        .await
        .map_err(unavailable)?;
        Ok(())
    }
}

/// A row of `held`.
struct Event {
    id: i64,
    source: String,
    stream: Option<Uuid>,
    sequence: Option<i64>,
    event_id: Option<Uuid>,
    r#type: Option<String>,
    status: String,
    reason: String,
    attempts: i32,
    at: Timestamp,
}

impl From<Event> for HeldEvent {
    fn from(event: Event) -> Self {
        Self {
            id: Id::Event(event.id).to_string(),
            source: event.source,
            stream: optional(event.stream),
            sequence: event.sequence.unwrap_or_default(),
            event_id: optional(event.event_id),
            r#type: event.r#type.unwrap_or_default(),
            status: event.status,
            reason: event.reason,
            attempts: event.attempts,
            at_micros: micros(event.at),
        }
    }
}

/// A row of `timers` that is dead.
struct Timer {
    key: Uuid,
    aggregate: Uuid,
    cause: Option<Uuid>,
    method: String,
    dead: String,
    attempts: i32,
    due: Timestamp,
}

impl Timer {
    fn of(self, service: &str) -> HeldEvent {
        HeldEvent {
            id: Id::Timer(self.key).to_string(),
            source: service.to_owned(),
            stream: self.aggregate.to_string(),
            sequence: 0,
            event_id: optional(self.cause),
            r#type: self.method,
            status: "dead".to_owned(),
            reason: self.dead,
            attempts: self.attempts,
            at_micros: micros(self.due),
        }
    }
}

fn optional(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn an_id_reads_as_it_is_written() {
        for id in [Id::Event(17), Id::Timer(uuid::Uuid::from_u128(3))] {
            assert_eq!(Id::read(&id.to_string()), Some(id));
        }
        for other in ["", "17", "event:", "event:x", "timer:17", "text:17"] {
            assert_eq!(Id::read(other), None, "{other}");
        }
    }
}

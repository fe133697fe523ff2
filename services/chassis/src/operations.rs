//! What an operator does at three at night: see what is held back and why, try it again, leave it out on record, and
//! see whether anything is still on its way.
//!
//! Held are events of other services (`event:<number>`, rows of `held`) and due commands of our own that were refused
//! (`timer:<uuid>`, rows of `timers`). [`held`] lists and moves them, this file reads the rest.
//!
//! The trap: leaving an event out moves its stream's cursor, so it takes the same locks in the same order as the desk
//! (cursor first), and only ever steps to the next event.

mod held;

use jiff::Timestamp;
use proto::chassis::operations_service_server::OperationsService;
use proto::chassis::{
    FollowerState, ListHeldEventsRequest, ListHeldEventsResponse, ReadClockRequest,
    ReadClockResponse, ReadQuietRequest, ReadQuietResponse, RetryHeldEventRequest,
    RetryHeldEventResponse, SetClockRequest, SetClockResponse, ShowHeldEventRequest,
    ShowHeldEventResponse, SkipHeldEventRequest, SkipHeldEventResponse,
};
use tonic::{Request, Response, Status};

use crate::front::Front;
use crate::refusal::{Refusal, UNAVAILABLE, Violation};

/// The furthest that domain time may run ahead, in seconds: a hundred years.
const FURTHEST: i64 = 100 * 366 * 24 * 60 * 60;

/// What an operator asks of a service.
pub(crate) struct Operations {
    front: Front,
    service: &'static str,
}

impl Operations {
    /// Of this service.
    pub(crate) fn new(front: Front, service: &'static str) -> Self {
        Self { front, service }
    }

    /// One statement, so that all its figures are of one moment.
    async fn quiet(&self) -> sqlx::Result<ReadQuietResponse> {
        let rows = sqlx::query!(
            r#"with sources_followed as (
                   select source from sources
                   union
                   select source from cursors
                   union
                   select source from held where stream is not null
                   union
                   select unnest($1::text[])
               )
               select (select count(*) from outbox) as "outbox!",
                      (select coalesce(sum(public_sequence), 0)::bigint from aggregates) as "public_heads!",
                      (select count(*) from timers where consequence and dead is null) as "consequences!",
                      (select count(*) from timers where claimed_until > now() and dead is null) as "claims!",
                      (select count(*) from timers where dead is not null) as "dead_timers!",
                      f.source as "source?",
                      (select coalesce(sum(c.sequence), 0)::bigint from cursors c where c.source = f.source) as "cursors!",
                      coalesce(h.parked, 0) as "parked!",
                      coalesce(h.dead, 0) as "dead!"
                 from (select) as always
                 left join sources_followed f on true
                 left join (
                      select source,
                             count(*) filter (where status in ('ahead', 'not_yet')) as parked,
                             count(*) filter (where status in ('dead', 'diverged', 'unreadable')) as dead
                        from held
                       group by source
                 ) h on h.source = f.source
                order by f.source"#,
            &self.followed() as &[&str]
        )
        .fetch_all(self.front.pool())
        .await?;
        let mut quiet = ReadQuietResponse {
            service: self.service.to_owned(),
            ..ReadQuietResponse::default()
        };
        for row in rows {
            quiet.outbox = row.outbox;
            quiet.public_heads = row.public_heads;
            quiet.consequences = row.consequences;
            quiet.claims = row.claims;
            quiet.dead_timers = row.dead_timers;
            if let Some(source) = row.source {
                quiet.followers.push(FollowerState {
                    source,
                    cursors: row.cursors,
                    parked: row.parked,
                    dead: row.dead,
                });
            }
        }
        Ok(quiet)
    }

    /// Whom this service follows, also where nothing has come yet.
    fn followed(&self) -> Vec<&'static str> {
        let follows = proto::topology::FOLLOWS.iter();
        follows
            .filter(|follow| follow.consumer == self.service)
            .map(|follow| follow.source)
            .collect()
    }

    async fn set_shift(&self, seconds: i64) -> Result<(), Refusal> {
        if !(0..=FURTHEST).contains(&seconds) {
            return Err(invalid(
                "ahead_seconds",
                "must be between 0 and a hundred years",
            ));
        }
        sqlx::query!(
            "update clock set shift = $1::bigint * interval '1 second'",
            seconds
        )
        .execute(self.front.pool())
        .await
        .map_err(unavailable)?;
        tracing::warn!(seconds, "domain time was set ahead");
        Ok(())
    }
}

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn list_held_events(
        &self,
        request: Request<ListHeldEventsRequest>,
    ) -> Result<Response<ListHeldEventsResponse>, Status> {
        self.front.permit(&request, "ListHeldEvents")?;
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn show_held_event(
        &self,
        request: Request<ShowHeldEventRequest>,
    ) -> Result<Response<ShowHeldEventResponse>, Status> {
        self.front.permit(&request, "ShowHeldEvent")?;
        Ok(Response::new(self.show(&request.get_ref().id).await?))
    }

    async fn retry_held_event(
        &self,
        request: Request<RetryHeldEventRequest>,
    ) -> Result<Response<RetryHeldEventResponse>, Status> {
        let actor = self.front.permit(&request, "RetryHeldEvent")?;
        self.retry(&request.get_ref().id, &actor).await?;
        Ok(Response::new(RetryHeldEventResponse {}))
    }

    async fn skip_held_event(
        &self,
        request: Request<SkipHeldEventRequest>,
    ) -> Result<Response<SkipHeldEventResponse>, Status> {
        let actor = self.front.permit(&request, "SkipHeldEvent")?;
        self.skip(request.get_ref(), &actor).await?;
        Ok(Response::new(SkipHeldEventResponse {}))
    }

    async fn read_quiet(
        &self,
        request: Request<ReadQuietRequest>,
    ) -> Result<Response<ReadQuietResponse>, Status> {
        self.front.permit(&request, "ReadQuiet")?;
        Ok(Response::new(self.quiet().await.map_err(unavailable)?))
    }

    async fn set_clock(
        &self,
        request: Request<SetClockRequest>,
    ) -> Result<Response<SetClockResponse>, Status> {
        self.front.permit(&request, "SetClock")?;
        self.set_shift(request.get_ref().ahead_seconds).await?;
        Ok(Response::new(SetClockResponse {}))
    }

    async fn read_clock(
        &self,
        request: Request<ReadClockRequest>,
    ) -> Result<Response<ReadClockResponse>, Status> {
        self.front.permit(&request, "ReadClock")?;
        let now = self.front.now();
        Ok(Response::new(ReadClockResponse {
            now_micros: micros(now),
            today: self.front.profile().calendar.date(now).to_string(),
        }))
    }
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

/// The time of a row in the unit of the contract.
fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

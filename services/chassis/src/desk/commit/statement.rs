//! The one statement for the engine's tables: what it says, and its values column by column.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use office::TextId;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{AnswerChange, AnswerKey, Outgoing, SaltedText, Step, Timer, TimerChange};
use crate::journal::Entry;
use crate::kind::Kind;
use crate::load::Live;
use crate::time::At;

/// What was written: columns of rows, none if there are no rows.
pub(super) struct RowsWritten {
    pub(super) journal_aggregates: Option<Vec<Uuid>>,
    pub(super) journal_sequences: Option<Vec<i64>>,
    pub(super) cursor_sources: Option<Vec<String>>,
    pub(super) cursor_streams: Option<Vec<Uuid>>,
}

/// Writes a batch into the engine's tables.
#[expect(
    clippy::too_many_arguments,
    reason = "one for each table that the statement writes"
)]
pub(super) async fn write(
    connection: &mut PgConnection,
    entries: &[Entry],
    touched: &BTreeMap<Uuid, Arc<dyn Kind>>,
    outbox: &[Outgoing],
    timers: &BTreeMap<Uuid, TimerChange>,
    texts: &[(SaltedText, Uuid)],
    erased: &BTreeSet<(TextId, Uuid)>,
    answers: &BTreeMap<AnswerKey, AnswerChange>,
    steps: &BTreeMap<(String, Uuid), Step>,
    held: &[i64],
    live: &HashMap<Uuid, Live>,
) -> sqlx::Result<RowsWritten> {
    /// One column of rows.
    macro_rules! column {
        ($rows:expr, $row:ident => $value:expr) => {
            $rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let aggregates: Vec<(Uuid, &Arc<dyn Kind>, &Live)> = touched
        .iter()
        .map(|(id, kind)| (*id, kind, &live[id]))
        .collect();
    let stopped: Vec<(Uuid, Option<At>)> = timers
        .iter()
        .filter_map(|(key, change)| match change {
            TimerChange::Stop => Some((*key, None)),
            TimerChange::CarriedOut(due) => Some((*key, Some(At(*due)))),
            TimerChange::Set(_) => None,
        })
        .collect();
    let set: Vec<(Uuid, &Timer)> = timers
        .iter()
        .filter_map(|(key, change)| match change {
            TimerChange::Set(timer) => Some((*key, timer)),
            _ => None,
        })
        .collect();
    let kept: Vec<_> = answers
        .iter()
        .filter_map(|(key, answer)| answer.as_ref().map(|answer| (key, answer)))
        .collect();
    let taken_back: Vec<_> = answers
        .iter()
        .filter(|(_, answer)| answer.is_none())
        .map(|(key, _)| key)
        .collect();
    let steps: Vec<_> = steps.iter().collect();

    let lean = timers.is_empty()
        && texts.is_empty()
        && erased.is_empty()
        && answers.is_empty()
        && held.is_empty();
    /// What nearly every batch writes, and between the halves what few batches write beside it.
    macro_rules! written {
        ($($beside:literal, $($value:expr),+)?) => {
            sqlx::query_as!(
                RowsWritten,
                "with moved as (
    insert into cursors (source, stream, sequence, previous, event_id)
    select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[])
        as s(source, stream, sequence, previous, event_id)
    order by source, stream
    on conflict (source, stream) do update
        set sequence = excluded.sequence, previous = excluded.previous, event_id = excluded.event_id
        where cursors.sequence = excluded.previous
    returning source, stream
), newest as (
    insert into aggregates (id, kind, version, public_sequence, format, state, head, matter, at)
    select * from unnest($6::uuid[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[],
                         $12::bytea[], $13::uuid[], $14::timestamptz[])
        as a(id, kind, version, public_sequence, format, state, head, matter, at)
    where (select count(*) from moved) >= 0
    order by id
    on conflict (id) do update
        set version = excluded.version, public_sequence = excluded.public_sequence, format = excluded.format,
            state = excluded.state, head = excluded.head, matter = excluded.matter, at = excluded.at,
            changed = pg_current_xact_id()
    returning id
), facts as (
    insert into journal (aggregate, sequence, event_id, kind, matter, type, version, data, actor, at, cause, method,
                         request_id, request_hash, public_sequence, previous, hash)
    select * from unnest($15::uuid[], $16::bigint[], $17::uuid[], $18::text[], $19::uuid[], $20::text[], $21::int[],
                         $22::bytea[], $23::bytea[], $24::timestamptz[], $25::uuid[], $26::text[], $27::uuid[],
                         $28::bytea[], $29::bigint[], $30::bytea[], $31::bytea[])
        as j(aggregate, sequence, event_id, kind, matter, type, version, data, actor, at, cause, method, request_id,
             request_hash, public_sequence, previous, hash)
    where (select count(*) from newest) >= 0
    order by aggregate, sequence
    on conflict do nothing
    returning aggregate, sequence
), told as (
    insert into outbox (event_id, stream, sequence, type, body, headers, at)
    select * from unnest($32::uuid[], $33::uuid[], $34::bigint[], $35::text[], $36::bytea[], $37::jsonb[],
                         $38::timestamptz[])"
                    $(+ $beside)?
                    + "
)
select (select array_agg(aggregate) from facts) as journal_aggregates,
       (select array_agg(sequence) from facts) as journal_sequences,
       (select array_agg(source) from moved) as cursor_sources,
       (select array_agg(stream) from moved) as cursor_streams",
                column!(steps, s => s.0.0.as_str()) as _,
                &column!(steps, s => s.0.1),
                &column!(steps, s => s.1.to),
                &column!(steps, s => s.1.from),
                column!(steps, s => s.1.event_id) as _,
                &column!(aggregates, a => a.0),
                column!(aggregates, a => a.1.name()) as _,
                &column!(aggregates, a => a.2.version),
                &column!(aggregates, a => a.2.public_sequence),
                &column!(aggregates, a => a.1.format()),
                &column!(aggregates, a => a.2.folded.store()),
                column!(aggregates, a => a.2.head.as_slice()) as _,
                column!(aggregates, a => a.2.matter) as _,
                column!(aggregates, a => At(a.2.at)) as _,
                &column!(entries, e => e.aggregate),
                &column!(entries, e => e.sequence),
                &column!(entries, e => e.event_id),
                column!(entries, e => e.kind.as_str()) as _,
                column!(entries, e => e.matter) as _,
                column!(entries, e => e.name.as_str()) as _,
                &column!(entries, e => e.version),
                column!(entries, e => e.data.as_slice()) as _,
                column!(entries, e => e.actor.as_slice()) as _,
                column!(entries, e => At(e.at)) as _,
                column!(entries, e => e.cause) as _,
                column!(entries, e => e.method.as_str()) as _,
                &column!(entries, e => e.request_id),
                column!(entries, e => e.request_hash.as_slice()) as _,
                column!(entries, e => e.public_sequence) as _,
                column!(entries, e => e.previous.as_slice()) as _,
                column!(entries, e => e.hash.as_slice()) as _,
                &column!(outbox, o => o.event_id),
                &column!(outbox, o => o.stream),
                &column!(outbox, o => o.sequence),
                column!(outbox, o => o.name) as _,
                column!(outbox, o => o.body.as_slice()) as _,
                column!(outbox, o => Json(&o.headers)) as _,
                column!(outbox, o => At(o.at)) as _
                $($(, $value)+)?
            )
            .fetch_one(connection)
            .await
        };
    }
    // Each table that a statement names is locked and prepared for by every execution, rows or no rows.
    if lean {
        return written!();
    }
    written!(
        "), stopped as (
    delete from timers using unnest($39::uuid[], $40::timestamptz[]) as t(key, due)
    where timers.key = t.key and (t.due is null or timers.due = t.due)
), due as (
    insert into timers (key, consequence, due, target_kind, aggregate, method, command, actor, cause, trace)
    select * from unnest($41::uuid[], $42::bool[], $43::timestamptz[], $44::text[], $45::uuid[], $46::text[],
                         $47::bytea[], $48::bytea[], $49::uuid[], $50::text[])
    on conflict (key) do update
        set due = excluded.due, method = excluded.method, command = excluded.command, actor = excluded.actor,
            cause = excluded.cause, trace = excluded.trace, claimed_until = null, attempts = 0, not_before = null,
            dead = null
        where not timers.consequence
), kept as (
    insert into texts (id, salt, bytes, digest, owner)
    select * from unnest($51::uuid[], $52::bytea[], $53::bytea[], $54::bytea[], $55::uuid[])
    on conflict (id) do nothing
), erased as (
    update texts set bytes = null, salt = null from unnest($66::uuid[], $67::uuid[]) as e(id, owner)
    where texts.id = e.id and texts.owner = e.owner
), answered as (
    insert into answers (aggregate, method, request_id, request_hash, answer, salts)
    select * from unnest($56::uuid[], $57::text[], $58::uuid[], $59::bytea[], $60::jsonb[], $61::jsonb[])
    on conflict (aggregate, method, request_id) do update
        set request_hash = excluded.request_hash, answer = excluded.answer, salts = excluded.salts
), taken_back as (
    delete from answers using unnest($62::uuid[], $63::text[], $64::uuid[]) as t(aggregate, method, request_id)
    where answers.aggregate = t.aggregate and answers.method = t.method and answers.request_id = t.request_id
), released as (
    delete from held where id = any($65::bigint[])",
        &column!(stopped, t => t.0),
        column!(stopped, t => t.1) as _,
        &column!(set, t => t.0),
        &column!(set, t => t.1.consequence),
        column!(set, t => At(t.1.due)) as _,
        column!(set, t => t.1.kind) as _,
        &column!(set, t => t.1.aggregate),
        column!(set, t => t.1.method) as _,
        column!(set, t => t.1.command.as_slice()) as _,
        column!(set, t => t.1.actor.as_slice()) as _,
        column!(set, t => t.1.cause) as _,
        column!(set, t => t.1.trace.as_deref()) as _,
        &column!(texts, t => Uuid::from(t.0.reference.id)),
        column!(texts, t => stays(t, erased).then_some(t.0.salt.as_slice())) as _,
        column!(texts, t => stays(t, erased).then_some(t.0.bytes.as_slice())) as _,
        column!(texts, t => t.0.reference.digest.as_slice()) as _,
        column!(texts, t => t.1) as _,
        &column!(kept, a => a.0.0),
        column!(kept, a => a.0.1) as _,
        &column!(kept, a => a.0.2),
        column!(kept, a => a.1.request_hash.as_slice()) as _,
        column!(kept, a => Json(&a.1.answer)) as _,
        column!(kept, a => Json(&a.1.salts)) as _,
        &column!(taken_back, a => a.0),
        column!(taken_back, a => a.1) as _,
        &column!(taken_back, a => a.2),
        held,
        &column!(erased, e => Uuid::from(e.0)),
        &column!(erased, e => e.1)
    )
}

/// Whether a text outlives its batch: the statement's update does not see the row that its insert makes.
fn stays((text, owner): &(SaltedText, Uuid), erased: &BTreeSet<(TextId, Uuid)>) -> bool {
    !erased.contains(&(text.reference.id, *owner))
}

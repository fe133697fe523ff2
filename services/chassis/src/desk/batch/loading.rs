//! What a batch must know before it decides.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::SignedDuration;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Earlier, Entrant, Failure, Kept, Recorded, Table};
use crate::desk::commit::Commit;
use crate::desk::{Item, Premises, Written};
use crate::load::{LoadError, Stored};
use crate::time::At;

/// Loads every aggregate of a batch and the cursors of its streams in one query, then what is on record about its requests.
pub(super) async fn load<'a>(
    premises: &'a Premises,
    connection: &mut PgConnection,
    batch: &[Entrant],
) -> Result<Table<'a>, Failure> {
    let items = || batch.iter().flat_map(|entrant| &entrant.group.items);
    let ids: Vec<Uuid> = items()
        .map(|item| item.aggregate)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let steps: BTreeSet<(&str, Uuid)> = batch
        .iter()
        .filter_map(|entrant| entrant.group.cursor.as_ref())
        .map(|step| (step.source.as_str(), step.stream))
        .collect();
    let (sources, streams): (Vec<&str>, Vec<Uuid>) = steps.into_iter().unzip();
    // The clock, with the aggregates that there are; then the cursors that there are. Each is looked up by its key for
    // itself. A join would be planned once, for tables of any size, while they are still small: it would read all of
    // `cursors` for every batch for as long as the connection lives.
    let rows = sqlx::query!(
        r#"select (extract(epoch from clock.shift) * 1000000)::bigint as shift,
                  a.id as "id?", a.kind as "kind?", a.version as "version?", a.public_sequence as "public_sequence?",
                  a.format as "format?", a.state as "state?", a.head as "head?", a.at as "at?", a.matter as "matter?",
                  null::text as source, null::uuid as stream, null::bigint as sequence, null::uuid as event_id,
                  false as "doubtful!"
             from clock
             left join (unnest($1::uuid[]) as wanted(id)
                        cross join lateral (select * from aggregates where aggregates.id = wanted.id limit 1) as a)
                    on true
           union all
           select null, null, null, null, null, null, null, null, null, null,
                  c.source, c.stream, c.sequence, c.event_id,
                  exists (select from held h
                           where h.source = c.source and h.stream = c.stream and h.status = 'diverged')
             from unnest($2::text[], $3::uuid[]) as s(source, stream)
            cross join lateral (select * from cursors
                                 where cursors.source = s.source and cursors.stream = s.stream limit 1) as c"#,
        &ids,
        &sources as _,
        &streams
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut table = Table {
        premises,
        shift: SignedDuration::ZERO,
        live: HashMap::with_capacity(ids.len()),
        newer: HashSet::new(),
        kinds: HashMap::new(),
        cursors: HashMap::new(),
        doubtful: HashSet::new(),
        earlier: HashMap::new(),
        commit: Commit::default(),
    };
    for row in rows {
        if let (Some(source), Some(stream), Some(sequence)) = (row.source, row.stream, row.sequence)
        {
            let key = (source, stream);
            if row.doubtful {
                table.doubtful.insert(key.clone());
            }
            table.cursors.insert(key, (sequence, row.event_id));
            continue;
        }
        table.shift = SignedDuration::from_micros(row.shift.unwrap_or_default());
        let (
            Some(id),
            Some(kind),
            Some(version),
            Some(public_sequence),
            Some(format),
            Some(state),
            Some(head),
            Some(At(at)),
        ) = (
            row.id,
            row.kind,
            row.version,
            row.public_sequence,
            row.format,
            row.state,
            row.head,
            row.at,
        )
        else {
            continue;
        };
        let name = kind.clone();
        let stored = Stored {
            id,
            kind,
            version,
            public_sequence,
            format,
            state,
            head,
            at,
            matter: row.matter,
        };
        let restored = match premises.kinds.get(&name) {
            Some(kind) => stored.restore(&**kind, connection).await,
            None => Err(LoadError::Newer(id)),
        };
        table.kinds.insert(id, name);
        match restored {
            Ok(live) => {
                table.live.insert(id, live);
            }
            Err(LoadError::Newer(_)) => {
                table.newer.insert(id);
            }
            Err(LoadError::Database(error)) => return Err(error.into()),
        }
    }
    // A reaction needs no look-up: the cursor that moves with it says whether it was carried out.
    let known: Vec<&Item> = batch
        .iter()
        .filter(|entrant| entrant.group.cursor.is_none())
        .flat_map(|entrant| &entrant.group.items)
        .filter(|item| table.live.contains_key(&item.aggregate) || item.keep_answer)
        .collect();
    if !known.is_empty() {
        look_up_requests(&mut table, connection, &known).await?;
    }
    Ok(table)
}

/// What the journal, then the kept answers, hold about these requests.
async fn look_up_requests(
    table: &mut Table<'_>,
    connection: &mut PgConnection,
    items: &[&Item],
) -> Result<(), Failure> {
    let aggregates: Vec<Uuid> = items.iter().map(|item| item.aggregate).collect();
    let methods: Vec<&str> = items.iter().map(|item| item.method).collect();
    let requests: Vec<Uuid> = items.iter().map(|item| item.request_id).collect();
    let rows = sqlx::query!(
        r#"select r.nth as "nth!", j.sequence as "sequence!", j.type as "name!", j.version as "version!",
                  j.data as "data!", j.request_hash as "hash!", null::jsonb as "answer: Json<Kept>"
             from unnest($1::uuid[], $2::text[], $3::uuid[]) with ordinality as r(aggregate, method, request_id, nth)
             join journal j using (aggregate, method, request_id)
           union all
           select r.nth, 0, '', 0, ''::bytea, a.request_hash, a.answer
             from unnest($1::uuid[], $2::text[], $3::uuid[]) with ordinality as r(aggregate, method, request_id, nth)
             join answers a using (aggregate, method, request_id)
            order by 1, 2"#,
        &aggregates,
        &methods as _,
        &requests
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        let (hash, sequence) = (row.hash, row.sequence);
        let item = items[usize::try_from(row.nth - 1).unwrap_or_default()];
        let key = (item.aggregate, item.method, item.request_id);
        if let Some(Json(kept)) = row.answer {
            // Sorted first; a journal row of the same request replaces it.
            table.earlier.insert(
                key,
                Earlier {
                    hash,
                    what: Recorded::Answered(kept),
                },
            );
            continue;
        }
        let event = Written {
            name: row.name,
            version: row.version.unsigned_abs(),
            data: row.data,
        };
        match table.earlier.get_mut(&key).map(|earlier| &mut earlier.what) {
            // The same request twice in this list finds its rows twice.
            Some(Recorded::Written { version, .. }) if *version >= sequence => {}
            Some(Recorded::Written { version, events }) => {
                *version = sequence;
                events.push(event);
            }
            _ => {
                table.earlier.insert(
                    key,
                    Earlier {
                        hash,
                        what: Recorded::Written {
                            version: sequence,
                            events: vec![event],
                        },
                    },
                );
            }
        }
    }
    Ok(())
}

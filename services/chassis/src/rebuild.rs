//! Views, made again from the journal: `<service> rebuild-views`, run by the schema's owner while the service runs.
//!
//! A view is folded into a shadow table beside it; then, with all writers held off for a moment, what moved meanwhile
//! is folded again and the tables are swapped. Readers and writers find the new table by its name.
//!
//! What names a view's table or columns is put together when it runs, since the blueprint alone knows them; the rest is
//! checked.
//!
//! The trap: the versions of `aggregates` say what moved, so the last look must come after the lock on it, and the
//! swap must be in the same transaction.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{Connection, PgConnection, PgPool, Row};
use uuid::Uuid;

use crate::Blueprint;
use crate::journal;
use crate::kind::Kind;
use crate::load::{self, LoadError};
use crate::view::AnyView;

/// Aggregates that are folded at once.
const BATCH: i64 = 500;
/// So often is what moved folded again before the writers are held off, so that little is left for then.
const CATCH_UPS: u32 = 5;

/// Why views could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RebuildFault {
    /// The database.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// An event is not known here.
    #[error("{0}; rebuild with the newest version of this service, views stay as they were")]
    Newer(String),
    /// A view of a kind that the blueprint does not have.
    #[error("view {0} shows aggregates of a kind that this service does not have")]
    NoKind(&'static str),
    /// Somebody else is at it.
    #[error("another rebuild of these views is running; wait for it")]
    Busy,
}

impl From<LoadError> for RebuildFault {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Database(error) => Self::Database(error),
            LoadError::Newer(_) => Self::Newer(error.to_string()),
        }
    }
}

/// What became of one view.
#[derive(Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The view's table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

/// Folds every view anew from the journal and swaps it in. `owner` connects as the schema's owner.
///
/// # Errors
/// Nothing is changed then.
pub async fn rebuild_views(
    blueprint: &Blueprint,
    owner: &PgPool,
) -> Result<Vec<Rebuilt>, RebuildFault> {
    // A connection of its own, closed at the end: the lock on rebuilding goes with it.
    let mut connection = owner.acquire().await?.detach();
    let alone = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('zhengming rebuild ' || current_schema(), 0)) as "alone!""#
    )
    .fetch_one(&mut connection)
    .await?;
    if !alone {
        return Err(RebuildFault::Busy);
    }
    let mut shadows = Vec::with_capacity(blueprint.views.len());
    for view in &blueprint.views {
        let kind = blueprint
            .kinds
            .get(view.kind())
            .ok_or_else(|| RebuildFault::NoKind(view.table()))?;
        let shadow = Shadow::new(Arc::clone(view), Arc::clone(kind));
        shadows.push(shadow.filled(&mut connection).await?);
    }
    let mut swap = connection.begin().await?;
    sqlx::query!("lock table aggregates in share row exclusive mode")
        .execute(&mut *swap)
        .await?;
    let mut rebuilt = Vec::with_capacity(shadows.len());
    for mut shadow in shadows {
        shadow.catch_up(&mut swap).await?;
        rebuilt.push(shadow.take_place(&mut swap).await?);
    }
    swap.commit().await?;
    connection.close().await?;
    for view in &rebuilt {
        tracing::info!(view = view.table, rows = view.rows, "a view was rebuilt");
    }
    Ok(rebuilt)
}

/// A view's new table while it is filled.
struct Shadow {
    view: Arc<dyn AnyView>,
    kind: Arc<dyn Kind>,
    name: String,
    /// Aggregates that show nothing, at which version.
    hidden: HashMap<Uuid, i64>,
}

impl Shadow {
    fn new(view: Arc<dyn AnyView>, kind: Arc<dyn Kind>) -> Self {
        Self {
            name: format!("{}_rebuild", view.table()),
            view,
            kind,
            hidden: HashMap::new(),
        }
    }

    /// The shadow with everything that there was when it was looked at.
    async fn filled(mut self, connection: &mut PgConnection) -> Result<Self, RebuildFault> {
        let (name, table) = (&self.name, self.view.table());
        let create = format!(
            "drop table if exists {name}; create table {name} (like {table} including all)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&mut *connection)
            .await?;
        let mut from = Uuid::nil();
        let mut folded = 0;
        loop {
            let ids = page(connection, self.view.kind(), from).await?;
            let Some(end) = ids.last() else { break };
            from = journal::after(*end);
            self.fold(connection, &ids).await?;
            folded += ids.len();
            tracing::info!(view = table, folded, "rebuilding");
        }
        for _ in 0..CATCH_UPS {
            if self.catch_up(connection).await? <= BATCH as usize {
                break;
            }
        }
        Ok(self)
    }

    /// Folds again what moved since it was folded; how much that was.
    async fn catch_up(&mut self, connection: &mut PgConnection) -> Result<usize, RebuildFault> {
        let sql = format!(
            "select a.id, a.version from aggregates a left join {} s on s.id = a.id
              where a.kind = $1 and s.version is distinct from a.version",
            self.name
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(self.view.kind())
            .fetch_all(&mut *connection)
            .await?;
        let mut moved = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, version): (Uuid, i64) = (row.try_get("id")?, row.try_get("version")?);
            if self.hidden.get(&id) != Some(&version) {
                moved.push(id);
            }
        }
        for ids in moved.chunks(BATCH as usize) {
            self.fold(connection, ids).await?;
        }
        Ok(moved.len())
    }

    /// Folds these aggregates and writes their rows.
    async fn fold(
        &mut self,
        connection: &mut PgConnection,
        ids: &[Uuid],
    ) -> Result<(), RebuildFault> {
        let mut rows = Vec::with_capacity(ids.len());
        for (id, version, row) in fold(connection, &*self.view, &*self.kind, ids).await? {
            match row {
                Some(row) => {
                    self.hidden.remove(&id);
                    rows.push(row);
                }
                None => {
                    self.hidden.insert(id, version);
                }
            }
        }
        let (name, columns) = (&self.name, self.view.columns().join(", "));
        let delete = format!("delete from {name} where id = any($1)");
        let insert = format!(
            "insert into {name} ({columns}) select {columns} from jsonb_populate_recordset(null::{name}, $1)"
        );
        let mut transaction = connection.begin().await?;
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .bind(ids)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(sqlx::AssertSqlSafe(insert))
            .bind(sqlx::types::Json(rows))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Becomes the view's table, with the privileges that the old one gave.
    async fn take_place(self, swap: &mut PgConnection) -> Result<Rebuilt, RebuildFault> {
        let (name, table) = (&self.name, self.view.table());
        let grants = sqlx::query_scalar!(
            r#"select format(
                          'grant %s on %s to %s', a.privilege_type, $2::text,
                          case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
                      ) as "grant!"
                 from pg_class c, aclexplode(c.relacl) a
                where c.oid = $1::text::regclass and a.grantee <> c.relowner"#,
            table,
            name
        )
        .fetch_all(&mut *swap)
        .await?;
        for grant in grants {
            sqlx::query(sqlx::AssertSqlSafe(grant))
                .execute(&mut *swap)
                .await?;
        }
        let count = format!("select count(*) from {name}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut *swap)
            .await?;
        let exchange = format!("drop table {table}; alter table {name} rename to {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(exchange))
            .execute(&mut *swap)
            .await?;
        Ok(Rebuilt {
            table,
            rows: rows.unsigned_abs(),
        })
    }
}

/// What is different between one stored view and the journal.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// The view's table.
    pub table: &'static str,
    /// Rows that the journal would make otherwise, or not at all.
    pub different: u64,
}

/// Folds every view from the journal and compares it with what is stored, at one moment; changes nothing.
///
/// # Errors
/// As [`rebuild_views`].
pub async fn compare_views(
    blueprint: &Blueprint,
    pool: &PgPool,
) -> Result<Vec<Compared>, RebuildFault> {
    let mut moment = pool
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    let mut compared = Vec::with_capacity(blueprint.views.len());
    for view in &blueprint.views {
        let kind = blueprint
            .kinds
            .get(view.kind())
            .ok_or_else(|| RebuildFault::NoKind(view.table()))?;
        compared.push(compare(&mut moment, &**view, &**kind).await?);
    }
    moment.rollback().await?;
    Ok(compared)
}

async fn compare(
    moment: &mut PgConnection,
    view: &dyn AnyView,
    kind: &dyn Kind,
) -> Result<Compared, RebuildFault> {
    let (table, columns) = (view.table(), view.columns().join(", "));
    let differing = format!(
        "select count(*)
           from (select {columns} from jsonb_populate_recordset(null::{table}, $1)) folded
           full join (select {columns} from {table} where id = any($2)) stored on stored.id = folded.id
          where to_jsonb(stored) is distinct from to_jsonb(folded)"
    );
    let orphans = format!(
        "select count(*) from {table} t
          where not exists (select from aggregates a where a.id = t.id and a.kind = $1)"
    );
    let mut different: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(orphans))
        .bind(view.kind())
        .fetch_one(&mut *moment)
        .await?;
    let mut from = Uuid::nil();
    loop {
        let ids = page(moment, view.kind(), from).await?;
        let Some(end) = ids.last() else { break };
        from = journal::after(*end);
        let folded = fold(moment, view, kind, &ids).await?;
        let rows: Vec<_> = folded.into_iter().filter_map(|(_, _, row)| row).collect();
        different += sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(differing.as_str()))
            .bind(sqlx::types::Json(rows))
            .bind(&ids)
            .fetch_one(&mut *moment)
            .await?;
    }
    Ok(Compared {
        table,
        different: different.unsigned_abs(),
    })
}

/// The next aggregates of a kind, from this id on.
async fn page(connection: &mut PgConnection, kind: &str, from: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from aggregates where kind = $1 and id >= $2 order by id limit $3",
        kind,
        from,
        BATCH
    )
    .fetch_all(connection)
    .await
}

type Folded = (Uuid, i64, Option<serde_json::Value>);

/// The version and row of each of these aggregates, from the journal alone.
async fn fold(
    connection: &mut PgConnection,
    view: &dyn AnyView,
    kind: &dyn Kind,
    ids: &[Uuid],
) -> Result<Vec<Folded>, RebuildFault> {
    let entries = journal::entries!(
        "where aggregate = any($1) order by aggregate, sequence",
        ids
    )
    .fetch_all(connection)
    .await?;
    entries
        .chunk_by(|one, next| one.aggregate == next.aggregate)
        .map(|chain| {
            let state = load::fold(kind, chain)?;
            let (id, version) = chain
                .last()
                .map(|last| (last.aggregate, last.sequence))
                .unwrap_or_default();
            Ok((id, version, view.row(id, version, state.state())))
        })
        .collect()
}

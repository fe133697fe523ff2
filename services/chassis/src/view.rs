//! Read models: a table a view, a row an aggregate, each a pure function of the aggregate's state.
//!
//! A row is written in the transaction of the events that changed it, one statement for all rows of a batch, and keeps
//! the version it has seen. `rebuild-views` makes all of them again from the journal. A changed view is a new table.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::aggregate::Aggregate;

/// A read model over the aggregates of one kind.
pub trait View: Send + Sync + 'static {
    /// Whose states it shows.
    type Aggregate: Aggregate;
    /// A row; its fields are the table's columns by name.
    type Row: Serialize;
    /// Its table, which has `id uuid primary key` and `version bigint not null` among its columns.
    const TABLE: &'static str;
    /// The table's columns.
    const COLUMNS: &'static [&'static str];

    /// The row of a state; `None` while there is nothing to show.
    fn row(
        id: Uuid,
        version: i64,
        state: &<Self::Aggregate as Aggregate>::State,
    ) -> Option<Self::Row>;
}

/// A view without its types, as the desk writes it.
pub(crate) trait AnyView: Send + Sync {
    fn kind(&self) -> &'static str;
    fn table(&self) -> &'static str;
    fn columns(&self) -> &'static [&'static str];
    fn statement(&self) -> Arc<str>;
    fn row(&self, id: Uuid, version: i64, state: &dyn std::any::Any) -> Option<serde_json::Value>;
}

pub(crate) struct Typed<V> {
    statement: Arc<str>,
    _view: PhantomData<fn() -> V>,
}

impl<V: View> Typed<V> {
    /// The statement is put together from the columns, so it cannot be checked while compiling; once, as every batch
    /// that touches the view runs it.
    pub(crate) fn new() -> Self {
        let columns = V::COLUMNS.join(", ");
        let changes: Vec<String> = V::COLUMNS
            .iter()
            .filter(|column| **column != "id")
            .map(|column| format!("{column} = excluded.{column}"))
            .collect();
        let table = V::TABLE;
        let statement = format!(
            "insert into {table} ({columns}) select {columns} \
             from jsonb_populate_recordset(null::{table}, $1) order by id \
             on conflict (id) do update set {changes} where {table}.version < excluded.version",
            changes = changes.join(", "),
        );
        Self {
            statement: statement.into(),
            _view: PhantomData,
        }
    }
}

impl<V: View> AnyView for Typed<V> {
    fn kind(&self) -> &'static str {
        V::Aggregate::KIND
    }

    fn table(&self) -> &'static str {
        V::TABLE
    }

    fn columns(&self) -> &'static [&'static str] {
        V::COLUMNS
    }

    fn statement(&self) -> Arc<str> {
        Arc::clone(&self.statement)
    }

    fn row(&self, id: Uuid, version: i64, state: &dyn std::any::Any) -> Option<serde_json::Value> {
        let state = state
            .downcast_ref()
            .expect("a view is given states of its own kind only");
        V::row(id, version, state)
            .map(|row| serde_json::to_value(row).expect("a row is a struct with plain fields"))
    }
}

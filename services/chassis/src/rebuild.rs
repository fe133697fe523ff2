//! Rebuilding views from the journal.

use sqlx::PgPool;

use crate::Blueprint;

/// Why views could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildFault {
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What became of one view.
#[derive(Debug)]
pub(crate) struct Rebuilt {
    /// The view's table.
    pub(crate) table: &'static str,
    /// How many rows it has.
    pub(crate) rows: u64,
}

/// Folds every view anew from the journal and swaps it in. `owner` connects as the schema's owner.
pub(crate) async fn rebuild_views(
    _blueprint: &Blueprint,
    _owner: &PgPool,
) -> Result<Vec<Rebuilt>, RebuildFault> {
    Ok(Vec::new())
}

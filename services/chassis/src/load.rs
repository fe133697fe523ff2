//! From rows to states: the newest state of an aggregate, folded again from the journal where its format is another one.

use jiff::Timestamp;
use office::TextId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::journal::{self, GENESIS};
use crate::kind::{Folded, Kind, Kinds};

/// Why a state could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("aggregate {0} was written by a newer binary")]
    Newer(Uuid),
}

/// An aggregate as the desk works on it.
pub(crate) struct Live {
    pub(crate) folded: Box<dyn Folded>,
    pub(crate) version: i64,
    pub(crate) public_sequence: i64,
    pub(crate) head: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) matter: Option<Uuid>,
}

impl Live {
    pub(crate) fn fresh(kind: &dyn Kind) -> Self {
        Self {
            folded: kind.fresh(),
            version: 0,
            public_sequence: 0,
            head: GENESIS.to_vec(),
            at: Timestamp::UNIX_EPOCH,
            matter: None,
        }
    }

    pub(crate) fn twin(&self) -> Self {
        Self {
            folded: self.folded.twin(),
            version: self.version,
            public_sequence: self.public_sequence,
            head: self.head.clone(),
            at: self.at,
            matter: self.matter,
        }
    }
}

/// A row of `aggregates`.
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) version: i64,
    pub(crate) public_sequence: i64,
    pub(crate) format: i64,
    pub(crate) state: Vec<u8>,
    pub(crate) head: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) matter: Option<Uuid>,
}

impl Stored {
    /// The state, folded again if it was stored in another format.
    pub(crate) async fn restore(
        self,
        kind: &dyn Kind,
        connection: &mut PgConnection,
    ) -> Result<Live, LoadError> {
        let same = (self.format == kind.format())
            .then(|| kind.restore(&self.state))
            .flatten();
        let folded = match same {
            Some(folded) => folded,
            None => {
                let entries = journal::of_aggregate(connection, self.id).await?;
                fold(kind, &entries)?
            }
        };
        Ok(Live {
            folded,
            version: self.version,
            public_sequence: self.public_sequence,
            head: self.head,
            at: self.at,
            matter: self.matter,
        })
    }
}

/// Folds an aggregate's rows.
pub(crate) fn fold(
    kind: &dyn Kind,
    entries: &[journal::Entry],
) -> Result<Box<dyn Folded>, LoadError> {
    let mut folded = kind.fresh();
    for entry in entries {
        folded
            .apply(&entry.name, entry.version.unsigned_abs(), &entry.data)
            .map_err(|error| {
                tracing::warn!(aggregate = %entry.aggregate, %error, "an event is not known here");
                LoadError::Newer(entry.aggregate)
            })?;
    }
    Ok(folded)
}

/// One aggregate's newest state with its kind; `None` if there is none.
pub(crate) async fn live(
    pool: &PgPool,
    kinds: &Kinds,
    id: Uuid,
) -> Result<Option<(String, Live)>, LoadError> {
    let mut connection = pool.acquire().await?;
    let stored = sqlx::query_as!(
        Stored,
        "select id, kind, version, public_sequence, format, state, head, at, matter
           from aggregates
          where id = $1",
        id
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let name = stored.kind.clone();
    let Some(kind) = kinds.get(&name).cloned() else {
        return Err(LoadError::Newer(id));
    };
    let live = stored.restore(&*kind, &mut connection).await?;
    Ok(Some((name, live)))
}

/// One aggregate's newest version and typed state; `None` if there is none of this kind.
pub(crate) async fn state<A: Aggregate>(
    pool: &PgPool,
    kinds: &Kinds,
    id: Uuid,
) -> Result<Option<(i64, A::State)>, LoadError> {
    let found = live(pool, kinds, id).await?;
    Ok(found.and_then(|(_, live)| {
        live.folded
            .state()
            .downcast_ref::<A::State>()
            .map(|state| (live.version, state.clone()))
    }))
}

/// A text as it is kept.
pub(crate) struct Kept {
    /// The aggregate that it belongs to.
    pub(crate) owner: Uuid,
    /// `None` once it was erased.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) digest: Vec<u8>,
}

/// A text; `None` if there is none under this id.
pub(crate) async fn text(pool: &PgPool, id: TextId) -> Result<Option<Kept>, sqlx::Error> {
    sqlx::query_as!(
        Kept,
        "select owner, bytes, digest from texts where id = $1",
        Uuid::from(id)
    )
    .fetch_optional(pool)
    .await
}

/// An aggregate's typed state as it was at a version that was seen before; the fresh one at version 0.
pub(crate) async fn state_at<A: Aggregate>(
    pool: &PgPool,
    kinds: &Kinds,
    id: Uuid,
    version: i64,
) -> Result<A::State, LoadError> {
    if version == 0 {
        return Ok(A::State::default());
    }
    if let Some((newest, state)) = state::<A>(pool, kinds, id).await?
        && newest == version
    {
        return Ok(state);
    }
    let mut entries = journal::of_aggregate(pool, id).await?;
    entries.retain(|entry| entry.sequence <= version);
    let kind = kinds.get(A::KIND).ok_or(LoadError::Newer(id))?;
    let folded = fold(&**kind, &entries)?;
    let state = folded.state().downcast_ref::<A::State>();
    Ok(state.cloned().unwrap_or_default())
}

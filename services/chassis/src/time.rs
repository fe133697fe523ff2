//! Real time and domain time. The only place that looks at the machine's clock.
//!
//! Domain time is real time plus a shift, which is one row of the database, so that tests and replays can set it for
//! all replicas. Leases, backoffs, tokens and ages of facts use real time.

use jiff::{SignedDuration, Timestamp};

/// Real time, whole microseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that looks at the clock"
)]
pub fn real_now() -> Timestamp {
    whole_micros(Timestamp::now())
}

/// The same instant without what is finer than a microsecond, as the database stores it.
pub fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Domain time for a shift.
pub fn domain_now(shift: SignedDuration) -> Timestamp {
    let now = real_now();
    now.checked_add(shift).unwrap_or(now)
}

/// A new id that sorts by time.
#[expect(clippy::disallowed_methods, reason = "the one place that draws ids")]
pub fn new_id() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}

/// Thirty-two random bytes.
pub fn random_bytes() -> [u8; 32] {
    rand::random()
}

/// A timestamp on its way to or from PostgreSQL's `timestamptz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(pub Timestamp);

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// So that a row's struct may hold the timestamp itself.
impl From<At> for Timestamp {
    fn from(at: At) -> Self {
        at.0
    }
}

impl sqlx::Type<sqlx::Postgres> for At {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::with_name("timestamptz")
    }
}

impl sqlx::postgres::PgHasArrayType for At {
    fn array_type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::array_of("timestamptz")
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for At {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        let micros = self.0.as_microsecond() - POSTGRES_EPOCH;
        sqlx::Encode::<sqlx::Postgres>::encode(micros, buffer)
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for At {
    fn decode(value: sqlx::postgres::PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        let micros: i64 = sqlx::Decode::<sqlx::Postgres>::decode(value)?;
        let since_1970 = micros
            .checked_add(POSTGRES_EPOCH)
            .ok_or("the timestamp is infinite")?;
        Ok(Self(Timestamp::from_microsecond(since_1970)?))
    }
}

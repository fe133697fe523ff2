//! The journal as evidence: who may not touch it, and what shows that somebody did.

use std::process::Command;

use chassis::journal;
use serde_json::json;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::desk::verify;
use crate::harness::Town;

async fn town_with_history() -> (Town, PgPool) {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    for nth in 0..6u128 {
        toy.add(Uuid::from_u128(nth % 2), 1, Uuid::from_u128(nth))
            .await
            .unwrap();
    }
    toy.stop().await;
    let superuser = town.superuser("toy").await;
    assert_eq!(verify(&superuser).await.1, []);
    assert_eq!(independently(&superuser).await, 0);
    (town, superuser)
}

/// The number of faults that the independent verifier finds.
async fn independently(pool: &PgPool) -> usize {
    let mut lines = String::new();
    let aggregates: Vec<Uuid> =
        sqlx::query_scalar("select distinct aggregate from journal order by aggregate")
            .fetch_all(pool)
            .await
            .unwrap();
    for aggregate in aggregates {
        for entry in journal::of_aggregate(pool, aggregate).await.unwrap() {
            let entry = proto::chassis::Entry::from(entry);
            lines.push_str(&json!({ "entry": entry }).to_string());
            lines.push('\n');
        }
    }
    let heads = sqlx::query("select id, version, public_sequence, head from aggregates")
        .fetch_all(pool)
        .await
        .unwrap();
    for row in heads {
        let head = proto::chassis::AggregateHead {
            aggregate: row.get::<Uuid, _>("id").to_string(),
            version: row.get("version"),
            public_sequence: row.get("public_sequence"),
            head: row.get("head"),
        };
        lines.push_str(&json!({ "head": head }).to_string());
        lines.push('\n');
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines).unwrap();
    let run = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/journal_verifier.py"
        ))
        .arg(file.path())
        .output()
        .expect("python3 runs");
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    let last = told.lines().last().unwrap_or_default();
    let faults: usize = last
        .split([',', ' '])
        .filter_map(|word| word.parse().ok())
        .nth(1)
        .unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(run.status.success(), faults == 0, "{told}");
    faults
}

async fn by_superuser(pool: &PgPool, sql: &'static str) {
    let changed = sqlx::query(sql).execute(pool).await.unwrap();
    assert!(changed.rows_affected() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_append_only_for_the_role_that_runs() {
    let (town, superuser) = town_with_history().await;
    let pool = town.pool("toy").await;
    for sql in [
        "update journal set data = 'x'",
        "delete from journal",
        "truncate journal",
        "drop table journal",
        "alter table journal disable trigger all",
        "grant update on journal to toy",
    ] {
        let refused = sqlx::query(sql).execute(&pool).await;
        // PostgreSQL only warns where a grant gave nothing.
        let refused = refused.is_err() || sql.starts_with("grant");
        assert!(refused, "{sql}");
    }
    assert!(
        sqlx::query("update journal set data = 'x'")
            .execute(&pool)
            .await
            .is_err()
    );
    pool.close().await;
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_cannot_read_an_other_schema() {
    let (town, superuser) = town_with_history().await;
    for role in ["mirror", "mirror_owner"] {
        let pool = town.pool(role).await;
        for table in ["journal", "texts", "aggregates", "tallies_v1"] {
            let sql = format!("select count(*) from toy.{table}");
            let read = sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await;
            assert!(read.is_err(), "{role} reads toy.{table}");
        }
        pool.close().await;
    }
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_one_byte_is_found() {
    let (_town, superuser) = town_with_history().await;
    by_superuser(
        &superuser,
        "update journal set data = set_byte(data, 2, get_byte(data, 2) # 1) where sequence = 2 and aggregate = '00000000-0000-0000-0000-000000000001'",
    )
    .await;
    let (_, faults) = verify(&superuser).await;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].sequence, 2);
    assert_eq!(independently(&superuser).await, 1);
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_by_swapping_two_rows_is_found() {
    let (_town, superuser) = town_with_history().await;
    sqlx::raw_sql(
        "update journal set sequence = 99 where sequence = 2 and aggregate = '00000000-0000-0000-0000-000000000001';
         update journal set sequence = 2 where sequence = 3 and aggregate = '00000000-0000-0000-0000-000000000001';
         update journal set sequence = 3 where sequence = 99",
    )
    .execute(&superuser)
    .await
    .unwrap();
    assert!(!verify(&superuser).await.1.is_empty());
    assert!(independently(&superuser).await > 0);
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_the_actor_is_found() {
    let (_town, superuser) = town_with_history().await;
    by_superuser(
        &superuser,
        "update journal set actor = convert_to(replace(convert_from(actor, 'utf8'), 'adder-1', 'adder-2'), 'utf8') where sequence = 1",
    )
    .await;
    assert!(!verify(&superuser).await.1.is_empty());
    assert!(independently(&superuser).await > 0);
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_tail_is_found_by_the_heads() {
    let (_town, superuser) = town_with_history().await;
    by_superuser(&superuser, "delete from journal where sequence = 3").await;
    let (_, faults) = verify(&superuser).await;
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_eq!(independently(&superuser).await, 2);
    superuser.close().await;
}

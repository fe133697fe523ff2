//! Texts that are made while facts are gathered: kept in the command's transaction, by digest alone in the journal; and
//! a command whose facts take long holds up no other.

use chassis::journal;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::common::eventually;
use crate::desk::verified;
use crate::harness::Town;
use crate::toy::{CERTIFICATE, CERTIFYING, Certified, neighbour};

const TALLY: Uuid = Uuid::from_u128(88);

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_facts_made_is_kept_with_its_command_and_once() {
    let town = Town::new().await;
    let pool = town.pool("toy").await;
    let toy = town.start("toy").await;
    // Each is followed by a command that would make one; the second finds it made.
    for request in [1u128, 2] {
        toy.add(TALLY, 88, Uuid::from_u128(request)).await.unwrap();
    }
    eventually("both were carried out", async || {
        let left: i64 = sqlx::query_scalar("select count(*) from timers")
            .fetch_one(&pool)
            .await
            .unwrap();
        left == 0
    })
    .await;
    let texts = sqlx::query("select id, owner, bytes, salt, digest from texts")
        .fetch_all(&pool)
        .await
        .unwrap();
    let [text] = &texts[..] else {
        panic!("one text was kept, not {}", texts.len());
    };
    let (salt, digest): (Vec<u8>, Vec<u8>) = (text.get("salt"), text.get("digest"));
    assert_eq!(text.get::<Uuid, _>("owner"), TALLY);
    assert_eq!(text.get::<Vec<u8>, _>("bytes"), CERTIFICATE);
    let salted = Sha256::new().chain_update(salt).chain_update(CERTIFICATE);
    assert_eq!(digest, salted.finalize().to_vec());
    let entries = journal::of_aggregate(&pool, TALLY).await.unwrap();
    let mut certified = entries.iter().filter(|entry| entry.name == "certified");
    let entry = certified.next().expect("the certificate is journalled");
    assert!(certified.next().is_none(), "and once");
    let event: Certified = serde_json::from_slice(&entry.data).unwrap();
    assert_eq!(Uuid::from(event.certificate.id), text.get::<Uuid, _>("id"));
    assert_eq!(event.certificate.digest, digest);
    assert_eq!(verified(&pool).await, 3);
    toy.stop().await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consequence_whose_facts_take_long_holds_up_no_other() {
    let town = Town::new().await;
    let pool = town.pool("toy").await;
    let toy = town.start("toy").await;
    let mut other = PgConnection::connect(&town.database_url("toy"))
        .await
        .unwrap();
    sqlx::query("select pg_advisory_lock($1)")
        .bind(CERTIFYING)
        .execute(&mut other)
        .await
        .unwrap();
    toy.add(TALLY, 88, Uuid::from_u128(1)).await.unwrap();
    eventually("the certificate is being made", async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted
                and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        waiting == 1
    })
    .await;
    toy.add(TALLY, 13, Uuid::from_u128(2)).await.unwrap();
    let entries = async |id: Uuid| journal::of_aggregate(&pool, id).await.unwrap().len();
    eventually("the consequence behind it is carried out", async || {
        entries(neighbour(TALLY)).await == 1
    })
    .await;
    assert_eq!(entries(TALLY).await, 2, "nothing is certified yet");
    other.close().await.unwrap();
    eventually("the certificate is made", async || {
        entries(TALLY).await == 3
    })
    .await;
    toy.stop().await;
    pool.close().await;
}

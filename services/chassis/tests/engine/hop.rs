//! One event end to end: command, journal, outbox, broker, reaction, journal.

use crate::common::eventually;
use crate::harness::Town;
use sqlx::Row;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_takes_effect_in_the_other_service() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let mirror = town.start("mirror").await;
    let tally = Uuid::from_u128(7);

    let answer = toy.add(tally, 5, Uuid::from_u128(1)).await.unwrap();
    assert_eq!((answer.version, answer.added), (1, 5));
    toy.add(tally, 13, Uuid::from_u128(2)).await.unwrap();

    let mirrored = town.pool("mirror").await;
    eventually("both tallies are mirrored", async || {
        let rows = sqlx::query("select id, total from tallies_v1 order by id")
            .fetch_all(&mirrored)
            .await
            .unwrap();
        let totals: Vec<i64> = rows.iter().map(|row| row.get("total")).collect();
        totals == [1, 18]
    })
    .await;
    let actors: Vec<String> = sqlx::query_scalar(
        "select convert_from(actor, 'utf8')::jsonb ->> 'on_behalf_of' from journal",
    )
    .fetch_all(&mirrored)
    .await
    .unwrap();
    assert_eq!(actors, ["adder-1"; 3], "also of what followed by itself");
    mirrored.close().await;
    mirror.stop().await;
    toy.stop().await;
}

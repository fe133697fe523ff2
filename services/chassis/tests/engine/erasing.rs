//! Erasing a text: it is gone, its digest and the chain stay, and the request that brought it is known again.

use office::TextId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::desk::verified;
use crate::harness::{Replica, Town, adder};
use crate::toy::{Add, Answer, Erase, Toy};

const TALLY: Uuid = Uuid::from_u128(20);

fn add(note: &str) -> Add {
    Add {
        request_id: Uuid::from_u128(21).to_string(),
        tally: TALLY.to_string(),
        amount: 2,
        note: note.to_owned(),
    }
}

/// A tally with a note that was erased, how it was answered for, and the note.
async fn erased(town: &Town, pool: &PgPool) -> (Replica, Answer, TextId) {
    let toy = town.start("toy").await;
    let answer = toy.ask(add("what was seen")).await.unwrap();
    let note: Uuid = sqlx::query_scalar("select id from texts")
        .fetch_one(pool)
        .await
        .unwrap();
    let erase = Erase {
        request_id: Uuid::from_u128(22).to_string(),
        tally: TALLY.to_string(),
        note: note.to_string(),
    };
    for _ in 0..2 {
        let erased = toy
            .front
            .handle::<Toy, Erase>(erase.clone(), adder(), false);
        assert_eq!(erased.await.unwrap(), 2);
    }
    (toy, answer, note.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_text_is_gone_and_its_digest_stays_in_a_whole_chain() {
    let town = Town::new().await;
    let pool = town.pool("toy").await;
    let (toy, ..) = erased(&town, &pool).await;
    let (bytes, salt, digest): (Option<Vec<u8>>, Option<Vec<u8>>, Vec<u8>) =
        sqlx::query_as("select bytes, salt, digest from texts")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!((bytes, salt), (None, None));
    assert_eq!(digest.len(), 32);
    assert_eq!(verified(&pool).await, 2);
    toy.stop().await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_after_its_text_was_erased_gets_the_earlier_answer_and_brings_nothing_back()
 {
    let town = Town::new().await;
    let pool = town.pool("toy").await;
    let (toy, first, note) = erased(&town, &pool).await;
    assert_eq!(toy.ask(add("what was seen")).await.unwrap(), first);
    let other = Add {
        amount: 3,
        ..add("what was seen")
    };
    let other = toy.ask(other).await.unwrap_err();
    assert_eq!(other.code, "REQUEST_ID_REUSED");
    assert_eq!(verified(&pool).await, 2);
    let shown = toy.front.text(&adder(), note).await.unwrap();
    assert_eq!(shown.text, "");
    toy.stop().await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_erases_the_text_of_another_aggregate() {
    let town = Town::new().await;
    let pool = town.pool("toy").await;
    let toy = town.start("toy").await;
    toy.ask(add("what was seen")).await.unwrap();
    let note: Uuid = sqlx::query_scalar("select id from texts")
        .fetch_one(&pool)
        .await
        .unwrap();
    let erase = Erase {
        request_id: Uuid::from_u128(23).to_string(),
        tally: Uuid::from_u128(99).to_string(),
        note: note.to_string(),
    };
    toy.front
        .handle::<Toy, Erase>(erase, adder(), false)
        .await
        .unwrap();
    let shown = toy.front.text(&adder(), note.into()).await.unwrap();
    assert_eq!(shown.text, "what was seen");
    toy.stop().await;
    pool.close().await;
}

//! The desk: two replicas on the same aggregates, poison in a batch, request ids, a lost connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::journal::{self, Verifier};
use futures::future::join_all;
use sqlx::{PgPool, Row};
use uuid::Uuid;

use crate::common::eventually;
use crate::harness::{Replica, Town, adder};
use crate::toy::{Add, POISON, Toy};

/// Every row of the journal and every head of a service; nothing may be wrong with them.
pub(crate) async fn verified(pool: &PgPool) -> u64 {
    let (rows, faults) = verify(pool).await;
    assert_eq!(faults, []);
    rows
}

pub(crate) async fn verify(pool: &PgPool) -> (u64, Vec<journal::Fault>) {
    let heads =
        sqlx::query("select id, version, public_sequence, head from aggregates order by id")
            .fetch_all(pool)
            .await
            .unwrap();
    let aggregates: BTreeSet<Uuid> = sqlx::query_scalar("select distinct aggregate from journal")
        .fetch_all(pool)
        .await
        .unwrap()
        .into_iter()
        .collect();
    let mut verifier = Verifier::default();
    for aggregate in aggregates {
        for entry in journal::of_aggregate(pool, aggregate).await.unwrap() {
            verifier.entry(&entry);
        }
    }
    for row in heads {
        verifier.head(&journal::Head {
            aggregate: row.get("id"),
            version: row.get("version"),
            public_sequence: row.get("public_sequence"),
            hash: row.get("head"),
        });
    }
    verifier.finish()
}

async fn total(pool: &PgPool, tally: Uuid) -> i64 {
    sqlx::query_scalar("select total from tallies_v1 where id = $1")
        .bind(tally)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_deadlock_and_no_lost_update_between_replicas_on_hot_aggregates() {
    let town = Town::new().await;
    let replicas = Arc::new([town.start("toy").await, town.start_another("toy").await]);
    let (tallies, rounds) = (40u128, 25u128);
    let turns = (0..rounds).flat_map(|round| (0..tallies).map(move |tally| (round, tally)));
    let work = turns.flat_map(|(round, tally)| {
        let replicas = Arc::clone(&replicas);
        (0..2usize).map(move |which| {
            let replicas = Arc::clone(&replicas);
            async move {
                let request = which as u128 * 1_000_000 + tally * 1_000 + round;
                replicas[which]
                    .add(Uuid::from_u128(tally), 1, Uuid::from_u128(request))
                    .await
            }
        })
    });
    // Some are told that the bench is full or others were faster; nothing else may happen to them.
    let answers = join_all(work).await;
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(refusal.kind.is_passing(), "{refusal}");
    }
    let pool = town.pool("toy").await;
    let (sum, additions): (i64, i64) =
        sqlx::query_as("select sum(total)::bigint, (select count(*) from journal) from tallies_v1")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(sum, additions, "an update was lost");
    assert_eq!(additions, i64::try_from(accepted).unwrap());
    assert!(accepted > 1000, "only {accepted} were accepted");
    verified(&pool).await;
    // What a connection counted is told at the latest when it ends.
    let Some(replicas) = Arc::into_inner(replicas) else {
        panic!("all work has ended")
    };
    for replica in replicas {
        replica.stop().await;
    }
    let deadlocks: i64 = sqlx::query_scalar(
        "select deadlocks from pg_stat_database where datname = current_database()",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(deadlocks, 0);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_deadlock_as_locks_are_taken_in_the_order_of_ids() {
    let town = Town::new().await;
    let toy = Arc::new(town.start("toy").await);
    let add_to_all = |round: u128| {
        let toy = Arc::clone(&toy);
        async move {
            let adds = (1..=20u128).map(|tally| {
                let request = Uuid::from_u128(round * 1_000 + tally);
                toy.add(Uuid::from_u128(tally), 1, request)
            });
            join_all(adds).await
        }
    };
    add_to_all(0).await;
    let superuser = town.superuser("toy").await;
    // Every batch reads the clock first: while it is locked, all commands gather. Somebody else holds the second row.
    let mut clock = superuser.begin().await.unwrap();
    sqlx::raw_sql("lock table clock in access exclusive mode")
        .execute(&mut *clock)
        .await
        .unwrap();
    let mut row = superuser.begin().await.unwrap();
    sqlx::query("select from aggregates where id = $1 for update")
        .bind(Uuid::from_u128(2))
        .execute(&mut *row)
        .await
        .unwrap();
    let adding = tokio::spawn(add_to_all(1));
    let waiting = async |what: &'static str| -> bool {
        let count: i64 =
            sqlx::query_scalar("select count(*) from pg_locks where not granted and locktype = $1")
                .bind(what)
                .fetch_one(&superuser)
                .await
                .unwrap();
        count > 0
    };
    eventually("the batches wait for the clock", async || {
        waiting("relation").await
    })
    .await;
    clock.rollback().await.unwrap();
    eventually("a batch waits for the second row", async || {
        waiting("transactionid").await
    })
    .await;
    let free: Vec<Uuid> =
        sqlx::query_scalar("select id from aggregates where id > $1 for update skip locked")
            .bind(Uuid::from_u128(2))
            .fetch_all(&superuser)
            .await
            .unwrap();
    assert_eq!(
        free.len(),
        18,
        "a later row was locked before an earlier one"
    );
    row.rollback().await.unwrap();
    assert!(adding.await.unwrap().iter().all(Result::is_ok));
    verified(&superuser).await;
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortfall_is_decided_again_on_the_state_that_the_other_replica_left() {
    let town = Town::new().await;
    let (one, two) = (town.start("toy").await, town.start_another("toy").await);
    let tally = Uuid::from_u128(3);
    let adds = (0..60u128).map(|nth| {
        let replica: &Replica = if nth % 2 == 0 { &one } else { &two };
        replica.add(tally, 1, Uuid::from_u128(nth))
    });
    let answers = join_all(adds).await;
    let versions: BTreeSet<i64> = answers
        .into_iter()
        .map(|answer| answer.unwrap().version)
        .collect();
    assert_eq!(
        versions,
        (1..=60).collect(),
        "each had a version of its own"
    );
    let pool = town.pool("toy").await;
    assert_eq!(total(&pool, tally).await, 60);
    verified(&pool).await;
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_command_does_not_fail_its_neighbours_in_the_batch() {
    let town = Town::new().await;
    let toy = Arc::new(town.start("toy").await);
    // While the table is locked the first batches wait, and all others gather behind them into one.
    let superuser = town.superuser("toy").await;
    let mut lock = superuser.begin().await.unwrap();
    sqlx::raw_sql("lock table aggregates in access exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let adding = {
        let toy = Arc::clone(&toy);
        tokio::spawn(async move {
            join_all((0..64u128).map(|nth| {
                let amount = if nth == 63 { POISON } else { 1 };
                toy.add(Uuid::from_u128(nth), amount, Uuid::from_u128(nth))
            }))
            .await
        })
    };
    eventually("the first batch waits", async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks where not granted and database = \
             (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&superuser)
        .await
        .unwrap();
        waiting >= 1
    })
    .await;
    lock.rollback().await.unwrap();
    for (nth, answer) in adding.await.unwrap().into_iter().enumerate() {
        match answer {
            Ok(_) => assert_ne!(nth, 63),
            Err(refusal) => {
                assert_eq!(nth, 63, "{refusal}");
                assert_eq!(refusal.code, "INTERNAL");
            }
        }
    }
    superuser.close().await;
    let pool = town.pool("toy").await;
    assert_eq!(verified(&pool).await, 63);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_id_gives_the_earlier_answer() {
    let town = Town::new().await;
    let (one, two) = (town.start("toy").await, town.start_another("toy").await);
    let (tally, request) = (Uuid::from_u128(5), Uuid::from_u128(50));
    // In one batch, across replicas, and again afterwards.
    let answers = join_all((0..20).map(|nth| {
        let replica: &Replica = if nth % 2 == 0 { &one } else { &two };
        replica.add(tally, 4, request)
    }))
    .await;
    let first = answers[0].clone().unwrap();
    assert_eq!((first.version, first.added), (1, 4));
    for answer in answers {
        assert_eq!(answer.unwrap(), first);
    }
    assert_eq!(two.add(tally, 4, request).await.unwrap(), first);

    let other = two.add(tally, 5, request).await.unwrap_err();
    assert_eq!(other.code, "REQUEST_ID_REUSED");
    let pool = town.pool("toy").await;
    assert_eq!(verified(&pool).await, 1);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_id_with_a_text_is_recognised_by_its_digest() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let add = |note: &str| Add {
        request_id: Uuid::from_u128(9).to_string(),
        tally: Uuid::from_u128(9).to_string(),
        amount: 2,
        note: note.to_owned(),
    };
    let first = toy.ask(add("what was seen")).await.unwrap();
    assert_eq!(toy.ask(add("what was seen")).await.unwrap(), first);
    let together = join_all((0..8).map(|_| toy.ask(add("what was seen")))).await;
    assert!(
        together
            .into_iter()
            .all(|answer| answer == Ok(first.clone()))
    );
    let other = toy.ask(add("something else")).await.unwrap_err();
    assert_eq!(other.code, "REQUEST_ID_REUSED");
    let pool = town.pool("toy").await;
    let texts: i64 = sqlx::query_scalar("select count(*) from texts")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(texts, 1);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_connections_are_cut_is_repeated_and_takes_effect_once() {
    let town = Town::new().await;
    let toy = Arc::new(town.start("toy").await);
    let superuser = town.superuser("toy").await;
    let cutting = {
        let superuser = superuser.clone();
        tokio::spawn(async move {
            let mut cut = 0i64;
            while cut < 12 {
                cut += sqlx::query_scalar::<_, i64>(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                     where datname = current_database() and usename = 'toy' and state = 'active' \
                       and query not like '%pg_advisory%'",
                )
                .fetch_one(&superuser)
                .await
                .unwrap();
                tokio::task::yield_now().await;
            }
            cut
        })
    };
    let mut nth = 0u128;
    while !cutting.is_finished() {
        let adds = (0..64u128).map(|tally| {
            let request = Uuid::from_u128(nth * 1_000 + tally);
            let toy = Arc::clone(&toy);
            async move {
                // As a client would: the same request again while the answer is a passing one.
                loop {
                    match toy.add(Uuid::from_u128(tally), 1, request).await {
                        Ok(answer) => return answer,
                        Err(refusal) if refusal.kind.is_passing() => tokio::task::yield_now().await,
                        Err(refusal) => panic!("{refusal}"),
                    }
                }
            }
        });
        join_all(adds).await;
        nth += 1;
        assert!(nth < 2_000, "the connections were never in use");
    }
    assert!(cutting.await.unwrap() >= 12);
    let rows: i64 = sqlx::query_scalar("select count(*) from journal")
        .fetch_one(&superuser)
        .await
        .unwrap();
    assert_eq!(
        rows,
        i64::try_from(nth * 64).unwrap(),
        "each took effect once"
    );
    verified(&superuser).await;
    superuser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_takes_back_the_answer_that_was_kept_for_a_refusal() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let pool = town.pool("toy").await;
    let kept = async || -> i64 {
        sqlx::query_scalar("select count(*) from answers")
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    let (tally, request_id) = (Uuid::from_u128(2), Uuid::from_u128(1));
    let by_queue = Add {
        request_id: request_id.to_string(),
        tally: tally.to_string(),
        amount: 1001,
        note: String::new(),
    };
    let refused = toy.front.handle::<Toy, Add>(by_queue, adder(), true).await;
    assert_eq!(refused.unwrap_err().code, "TOY_TOO_MUCH");
    assert_eq!(kept().await, 1);
    toy.add(tally, 5, request_id).await.unwrap();
    assert_eq!(kept().await, 0);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_leaves_nothing_and_one_that_is_already_so_neither() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let tally = Uuid::from_u128(2);
    let refusal = toy.add(tally, 1001, Uuid::from_u128(1)).await.unwrap_err();
    assert_eq!(refusal.code, "TOY_TOO_MUCH");
    let answer = toy.add(tally, 0, Uuid::from_u128(2)).await.unwrap();
    assert_eq!((answer.version, answer.added), (0, 0));
    let pool = town.pool("toy").await;
    assert_eq!(verified(&pool).await, 0);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_already_so_is_answered_from_the_state_on_which_it_was_found() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let (tally, by_call, by_queue) = (Uuid::from_u128(2), Uuid::from_u128(10), Uuid::from_u128(11));
    let added = toy.add(tally, 5, Uuid::from_u128(1)).await.unwrap();
    assert_eq!((added.version, added.already), (1, None));
    let called = toy.add(tally, 0, by_call).await.unwrap();
    assert_eq!((called.version, called.already), (1, Some(5)));
    let kept = toy.add_by_queue(tally, 0, by_queue).await.unwrap();
    assert_eq!((kept.version, kept.already), (1, Some(5)));

    toy.add(tally, 7, Uuid::from_u128(3)).await.unwrap();
    let again = toy.add_by_queue(tally, 0, by_queue).await.unwrap();
    assert_eq!(again, kept, "a redelivery cannot say something else");
    let again = toy.add(tally, 0, by_call).await.unwrap();
    assert_eq!(
        (again.version, again.already),
        (2, Some(12)),
        "by gRPC it is decided anew"
    );
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_by_queue_is_forgotten_when_no_redelivery_can_ask_for_it() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let tally = Uuid::from_u128(3);
    for request in 0..2 {
        let request = Uuid::from_u128(request);
        let refusal = toy.add_by_queue(tally, 1001, request).await.unwrap_err();
        assert_eq!(refusal.code, "TOY_TOO_MUCH");
    }
    toy.stop().await;
    // Domain time is far ahead; only real time counts.
    let superuser = town.superuser("toy").await;
    for sql in [
        "update clock set shift = interval '100 days'",
        "update answers set at = now() - interval '13 days'
          where request_id = '00000000-0000-0000-0000-000000000000'",
        "update answers set at = now() - interval '15 days'
          where request_id = '00000000-0000-0000-0000-000000000001'",
        "insert into answers
         select gen_random_uuid(), method, request_id, request_hash, answer, salts, at
           from answers, generate_series(1, 2500)
          where request_id = '00000000-0000-0000-0000-000000000001'",
    ] {
        sqlx::query(sql).execute(&superuser).await.unwrap();
    }
    let toy = town.start("toy").await;
    let mut left: Vec<Uuid> = Vec::new();
    eventually("the old ones are forgotten", async || {
        left = sqlx::query_scalar("select request_id from answers limit 3")
            .fetch_all(&superuser)
            .await
            .unwrap();
        left.len() < 2
    })
    .await;
    assert_eq!(
        left,
        [Uuid::from_u128(0)],
        "the younger one is still asked for"
    );
    superuser.close().await;
    toy.stop().await;
}

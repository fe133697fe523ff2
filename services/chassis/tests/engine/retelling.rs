//! What is told again from the journal: the feed, the export, and views.

use std::process::Command;

use office::Role;
use proto::chassis::feed_service_client::FeedServiceClient;
use proto::chassis::journal_service_client::JournalServiceClient;
use proto::chassis::{ExportRequest, ListEntriesRequest, ListEventsRequest, ListHeadsRequest};
use sqlx::Row;
use tonic::Code;
use uuid::Uuid;

use crate::common::eventually;
use crate::harness::Town;
use crate::operating::{by, channel, followed};
use crate::toy;

/// A request as the service that follows the toy.
fn by_mirror<T>(town: &Town, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let token = format!("Bearer {}", town.service_token("mirror"));
    request
        .metadata_mut()
        .insert("authorization", token.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_every_public_event_again_and_what_changed_since_a_token() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for nth in 0..3u128 {
        toy.add(one, 5, Uuid::from_u128(nth)).await.unwrap();
    }
    let mut feed = FeedServiceClient::new(channel(&town, "toy").await);
    let after = |after| ListEventsRequest {
        stream: one.to_string(),
        after,
    };
    let told = feed.list_events(by_mirror(&town, after(1))).await.unwrap();
    let events = told.into_inner().events;
    let pool = town.pool("toy").await;
    let rows = sqlx::query("select event_id, data from journal order by sequence")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(events.len(), 2);
    for (event, row) in events.iter().zip(&rows[1..]) {
        assert_eq!(event.event_id, row.get::<Uuid, _>("event_id").to_string());
        assert_eq!(event.r#type, "Added");
        assert_eq!(event.body, row.get::<Vec<u8>, _>("data"));
        assert_eq!(event.actor_id, "adder-1");
    }
    assert_eq!(events[1].sequence, 3);

    let since = |since: &str| ListHeadsRequest {
        since: since.to_owned(),
        page_token: String::new(),
    };
    let all = feed.list_heads(by_mirror(&town, since(""))).await.unwrap();
    let mut all = all.into_inner();
    assert_eq!(all.heads.len(), 1);
    // A transaction of any database of the server holds tokens back as long as it runs.
    eventually("a token is past what came before it", async || {
        let later = feed.list_heads(by_mirror(&town, since(&all.token))).await;
        let later = later.unwrap().into_inner();
        all.token = later.token;
        later.heads.is_empty()
    })
    .await;
    toy.add(other, 5, Uuid::from_u128(9)).await.unwrap();
    let changed = feed
        .list_heads(by_mirror(&town, since(&all.token)))
        .await
        .unwrap();
    let streams: Vec<String> = changed
        .into_inner()
        .heads
        .into_iter()
        .map(|head| head.stream)
        .collect();
    assert_eq!(streams, [other.to_string()]);
    let foreign = all.token.replace(&all.epoch, "another.epoch");
    let again = feed
        .list_heads(by_mirror(&town, since(&foreign)))
        .await
        .unwrap();
    assert_eq!(again.into_inner().heads.len(), 2, "another epoch means all");

    let stranger = feed
        .list_heads(by(&town, Role::Auditor, since("")))
        .await
        .unwrap_err();
    assert_eq!(stranger.code(), Code::PermissionDenied);
    pool.close().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heads_of_many_streams_come_in_pages_that_miss_none() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    let pool = town.pool("toy").await;
    sqlx::query(
        "insert into aggregates (id, kind, version, public_sequence, format, state, head, at)
         select gen_random_uuid(), 'tally', 1, 1, 0, '', '', now() from generate_series(1, 2500)",
    )
    .execute(&pool)
    .await
    .unwrap();
    let mut feed = FeedServiceClient::new(channel(&town, "toy").await);
    let mut asked = ListHeadsRequest::default();
    let (mut streams, mut tokens, mut pages) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = feed
            .list_heads(by_mirror(&town, asked.clone()))
            .await
            .unwrap();
        let page = page.into_inner();
        streams.extend(page.heads.into_iter().map(|head| head.stream));
        tokens.push(page.token);
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        asked.page_token = page.next_page_token;
    }
    streams.sort();
    streams.dedup();
    assert_eq!((streams.len(), pages), (2500, 3));
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all pages carry the token of the first");
    pool.close().await;
    toy.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_rows_heads_and_what_was_followed() {
    let town = Town::new().await;
    let (toy, mirror) = (town.start("toy").await, town.start("mirror").await);
    let tally = Uuid::from_u128(4);
    for nth in 0..700u128 {
        let stream = Uuid::from_u128(4 + nth % 7);
        toy.add(stream, 1, Uuid::from_u128(nth)).await.unwrap();
    }
    let pool = town.pool("mirror").await;
    eventually("the mirror has all", async || followed(&pool).await == 700).await;
    let folder = tempfile::tempdir().unwrap();
    let mut lines = 0;
    for service in ["toy", "mirror"] {
        let text = exported(&town, service).await;
        lines += text.lines().count();
        std::fs::write(folder.path().join(format!("{service}.jsonl")), text).unwrap();
    }
    assert_eq!(lines, 1400 + 14 + 7, "rows, heads, cursors");
    let verifier = || {
        Command::new("python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/journal_verifier.py"
            ))
            .args(["toy.jsonl", "mirror.jsonl"])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let run = verifier();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(told.lines().last(), Some("1400 rows, 0 faults"), "{told}");

    // The toy's tail is cut so well that its head is wound back too: only who followed has seen it.
    let superuser = town.superuser("toy").await;
    for cut in [
        "delete from journal j using aggregates a where j.aggregate = a.id and j.sequence = a.version",
        "update aggregates a set version = version - 1, public_sequence = public_sequence - 1,
                head = (select hash from journal j where j.aggregate = a.id order by sequence desc limit 1)",
    ] {
        sqlx::query(cut).execute(&superuser).await.unwrap();
    }
    std::fs::write(
        folder.path().join("toy.jsonl"),
        exported(&town, "toy").await,
    )
    .unwrap();
    let run = verifier();
    let told = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(told.lines().last(), Some("1393 rows, 7 faults"), "{told}");
    assert!(!run.status.success());

    let mut journal = JournalServiceClient::new(channel(&town, "mirror").await);
    let of_matter = |matter: Uuid| ListEntriesRequest {
        matter_id: matter.to_string(),
        aggregate_id: String::new(),
    };
    let entries = journal
        .list_entries(by(&town, Role::Auditor, of_matter(tally)))
        .await
        .unwrap();
    assert_eq!(entries.into_inner().entries.len(), 100);
    let nothing = journal
        .list_entries(by(&town, Role::Auditor, of_matter(Uuid::from_u128(99))))
        .await
        .unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    superuser.close().await;
    pool.close().await;
    mirror.stop().await;
    toy.stop().await;
}

/// The export as `zm journal export` writes it.
async fn exported(town: &Town, service: &'static str) -> String {
    let mut journal = JournalServiceClient::new(channel(town, service).await);
    let asked = by(town, Role::Operator, ExportRequest {});
    let mut items = journal.export(asked).await.unwrap().into_inner();
    let mut lines = String::new();
    while let Some(item) = items.message().await.unwrap() {
        lines.push_str(&serde_json::to_string(&item).unwrap());
        lines.push('\n');
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_made_again_from_the_journal_while_the_service_writes() {
    let town = Town::new().await;
    let toy = town.start("toy").await;
    for nth in 0..60u128 {
        let tally = Uuid::from_u128(nth % 20);
        toy.add(tally, 1, Uuid::from_u128(nth)).await.unwrap();
    }
    let owner = town.pool("toy_owner").await;
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 0);
    sqlx::query(
        "update tallies_v1 set total = total + 1 where id < '00000000-0000-0000-0000-000000000005'",
    )
    .execute(&owner)
    .await
    .unwrap();
    sqlx::query("delete from tallies_v1 where id = '00000000-0000-0000-0000-000000000006'")
        .execute(&owner)
        .await
        .unwrap();
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 6);

    let (blueprint, adding) = (toy::toy(), async {
        for nth in 100..200u128 {
            let tally = Uuid::from_u128(nth % 25);
            toy.add(tally, 1, Uuid::from_u128(nth)).await.unwrap();
        }
    });
    let (rebuilt, ()) = tokio::join!(chassis::rebuild_views(&blueprint, &owner), adding);
    let rebuilt = rebuilt.unwrap();
    assert!(rebuilt[0].rows >= 20, "{rebuilt:?}");
    // The role that runs goes on with the new table.
    toy.add(Uuid::from_u128(1), 1, Uuid::from_u128(500))
        .await
        .unwrap();
    let compared = chassis::compare_views(&toy::toy(), &owner).await.unwrap();
    assert_eq!(compared[0].different, 0);
    let pool = town.pool("toy").await;
    let total: i64 = sqlx::query_scalar("select sum(total)::bigint from tallies_v1")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(total, 161);
    pool.close().await;
    owner.close().await;
    toy.stop().await;
}

//! What an operator watches and no single event tells: what is held, what is due, how far a follower lags.

use sqlx::PgPool;

/// Reads and sets them; every replica reads the same.
pub(crate) async fn read(pool: &PgPool) -> sqlx::Result<()> {
    let held = sqlx::query!(
        r#"select s.status as "status!", count(h.id) as "held!"
             from unnest(array['ahead', 'not_yet', 'dead', 'unreadable', 'diverged']) as s(status)
             left join held h using (status)
            group by s.status"#
    )
    .fetch_all(pool)
    .await?;
    for row in held {
        metrics::gauge!("zhengming_held_events", "status" => row.status).set(row.held as f64);
    }
    let lag = sqlx::query!(
        r#"select source as "source!", coalesce(max(extract(epoch from now() - at)), 0)::float8 as "lag!"
             from held
            where status in ('ahead', 'not_yet', 'dead')
            group by source
           union all
           select s.source, 0
             from sources s
            where not exists (
                  select from held h where h.source = s.source and h.status in ('ahead', 'not_yet', 'dead'))"#
    )
    .fetch_all(pool)
    .await?;
    for row in lag {
        metrics::gauge!("zhengming_follower_lag_seconds", "source" => row.source).set(row.lag);
    }
    let timers = sqlx::query!(
        r#"select count(*) filter (
                      where dead is null and (consequence or due <= now() + (select shift from clock))
                  ) as "due!",
                  count(*) filter (where dead is not null) as "dead!"
             from timers"#
    )
    .fetch_one(pool)
    .await?;
    metrics::gauge!("zhengming_timers_due").set(timers.due as f64);
    metrics::gauge!("zhengming_timers_dead").set(timers.dead as f64);
    Ok(())
}

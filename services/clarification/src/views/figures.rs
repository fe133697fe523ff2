//! The figures, counted over the rows of clarifications: how things stand, and what was done in a period, in total and for
//! each unit with those below it.

use std::collections::BTreeMap;

use chassis::question;
use jiff::civil::Date;
use sqlx::PgPool;

/// The keys of the statistics, in their order; behind them come the ledger entries of each unit, [`ENTRIES_OF`] and the
/// unit's code. What was superseded is not carried out any more, but a meeting that was held was held. A meeting counts
/// once and by the names that were cleared at it, whether it was convened or, as once could be, entered with a name; one
/// that cleared none is no meeting of clarification. Unreachable is beside the state: whoever was cleared without being
/// heard is counted as that, too.
pub(crate) const FIGURES: [&str; 19] = [
    "candidates",
    "cleared_by_conclusion",
    "carried_out",
    "persons_cleared",
    "organisations_cleared",
    "form_written",
    "form_in_person",
    "form_meeting",
    "form_bulletin",
    "meetings",
    "not_eligible",
    "declined",
    "halted",
    "superseded",
    "applied",
    "unreachable",
    "executions_overdue",
    "confirmations_overdue",
    "ledger_entries",
];

/// Those that say how things stand; they belong to no day, and so to no period.
const STANDING: [&str; 10] = [
    "candidates",
    "cleared_by_conclusion",
    "not_eligible",
    "declined",
    "halted",
    "superseded",
    "applied",
    "unreachable",
    "executions_overdue",
    "confirmations_overdue",
];

/// How the key of one unit's ledger entries begins.
const ENTRIES_OF: &str = "ledger_entries:";

/// What to count.
pub(crate) struct Counting<'a> {
    /// Only what was entered from this register; empty: everything.
    pub(crate) source: &'a str,
    /// The codes of the units to count; `None` for all.
    pub(crate) units: Option<Vec<String>>,
    /// The units that have a figure of their own: each with its code and with that of every one above it.
    pub(crate) above: Vec<(String, String)>,
    /// The first day.
    pub(crate) from: Option<Date>,
    /// The last day.
    pub(crate) until: Option<Date>,
}

/// What was counted, under stable keys.
pub(crate) type Figures = Vec<(String, i64)>;

/// The figures in total, and those of each unit with the units below it: one statement, so that they fit together.
///
/// A count names nobody, so recusal does not narrow it; the unit does.
pub(crate) async fn count(
    pool: &PgPool,
    counting: &Counting<'_>,
) -> Result<(Figures, BTreeMap<String, Figures>), sqlx::Error> {
    let (units, above): (Vec<_>, Vec<_>) = counting.above.iter().cloned().unzip();
    let counted = sqlx::query!(
        r#"with above (unit, upper) as (
             select * from unnest($3::text[], $4::text[])
         ), chosen as (
             select subject, subject_kind, state, unreachable, form, notice, cleared_on, unit
               from clarifications_v3
              where ($1 = '' or source = $1)
                and ($2::text[] is null or unit = any($2))
         ), met as (
             select m.id, m.unit
               from clarifications_v3 c
              cross join lateral jsonb_to_recordset(c.meetings) as m (id uuid, unit text, held_on date)
              where ($1 = '' or c.source = $1)
                and ($2::text[] is null or m.unit = any($2))
                and m.held_on between coalesce($5::text::date, '-infinity') and coalesce($6::text::date, 'infinity')
         ), entered as (
             select e.unit
               from clarifications_v3 c
              cross join lateral jsonb_to_recordset(c.entries) as e (unit text, entered_on date)
              where ($1 = '' or c.source = $1)
                and ($2::text[] is null or e.unit = any($2))
                and e.entered_on between coalesce($5::text::date, '-infinity') and coalesce($6::text::date, 'infinity')
         ), standing as (
             select *, '' as upper from chosen
             union all
             select chosen.*, upper from chosen join above using (unit)
         ), cleared as (
             select * from standing
              where state in ('carried_out', 'confirmed')
                and cleared_on between coalesce($5::text::date, '-infinity') and coalesce($6::text::date, 'infinity')
         ), meetings as (
             select id, '' as upper from met
             union all
             select id, upper from met join above using (unit)
         ), entries as (
             select unit, '' as upper from entered
             union all
             select unit, upper from entered join above using (unit)
         )
         select upper as "upper!", 'candidates' as "key!", count(*) as "count!" from standing
          where state <> 'applied' group by upper
         union all
         select upper, 'cleared_by_conclusion', count(*) from standing
          where state not in ('applied', 'halted', 'superseded') group by upper
         union all
         select upper, state, count(*) from standing
          where state in ('applied', 'not_eligible', 'declined', 'halted', 'superseded') group by upper, state
         union all
         select upper, 'unreachable', count(*) from standing where unreachable group by upper
         union all
         select upper, case state when 'carried_out' then 'confirmations_overdue' else 'executions_overdue' end, count(*)
           from standing where notice = 'overdue' group by 1, 2
         union all
         select upper, 'carried_out', count(*) from cleared group by upper
         union all
         select upper, subject_kind || 's_cleared', count(distinct subject) from cleared group by upper, subject_kind
         union all
         select upper, 'form_' || form, count(*) from cleared group by upper, form
         union all
         select upper, 'meetings', count(distinct id) from meetings group by upper
         union all
         select upper, 'ledger_entries', count(*) from entries group by upper
         union all
         select upper, $7 || unit, count(*) from entries group by upper, unit"#,
        counting.source,
        counting.units.as_deref(),
        &units,
        &above,
        counting.from.map(|day| day.to_string()),
        counting.until.map(|day| day.to_string()),
        ENTRIES_OF
    )
    .fetch_all(pool)
    .await?;
    let dated = counting.from.or(counting.until).is_some();
    let kept = |key: &str| !dated || !STANDING.contains(&key);
    let keys: Vec<&str> = FIGURES.into_iter().filter(|key| kept(key)).collect();
    let mut by_unit: BTreeMap<String, Figures> = BTreeMap::new();
    for figure in counted.into_iter().filter(|figure| kept(&figure.key)) {
        let of = by_unit.entry(figure.upper).or_default();
        of.push((figure.key, figure.count));
    }
    let total = by_unit.remove("").unwrap_or_default();
    let by_unit = by_unit.into_iter();
    let by_unit = by_unit.map(|(unit, counted)| (unit, question::figures(&keys, counted)));
    Ok((question::figures(&keys, total), by_unit.collect()))
}

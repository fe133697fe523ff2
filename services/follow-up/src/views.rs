//! Read models of files: a row a file, the list for people, and the figures counted over the rows.
//!
//! To add a view: a new table in `migrations`, its row and [`View`] here, its line in `lib.rs`. The trap: a file belongs
//! to several units and sources at once, so figures are kept for each pair of them that has an item in the file. A file
//! counts under each of its sources, and once where all are asked for; a visit counts under the source of the sanction
//! in whose impact period it fell.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chassis::question::{self, Page, Reach};
use chassis::view::View;
use jiff::civil::Date;
use office::{ActorId, SubjectId, UnitCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;

use crate::file::{Approach, Attitude, Care, Cause, File, Partner, Record, State};

/// The files, a row each.
pub(crate) struct Files;

/// A row of `files_v2`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FileRow {
    id: Uuid,
    version: i64,
    subject: SubjectId,
    state: &'static str,
    source: String,
    opened_for: Cause,
    units: BTreeSet<UnitCode>,
    sources: BTreeSet<String>,
    urgency: u8,
    next_on: String,
    approach: Option<Approach>,
    person: Option<ActorId>,
    recused: Vec<String>,
    reporter_marks: Vec<String>,
    tallies: Vec<Tally>,
}

/// The figures of a file under one source and unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Tally {
    source: String,
    unit: UnitCode,
    counts: Counts,
}

type Counts = BTreeMap<&'static str, u32>;

/// The day that comes after all others, as PostgreSQL writes it.
const NEVER: &str = "infinity";

impl View for Files {
    type Aggregate = File;
    type Row = FileRow;
    const TABLE: &'static str = "files_v2";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "subject",
        "state",
        "source",
        "opened_for",
        "units",
        "sources",
        "urgency",
        "next_on",
        "approach",
        "person",
        "recused",
        "reporter_marks",
        "tallies",
    ];

    fn row(id: Uuid, version: i64, state: &State) -> Option<FileRow> {
        let record = state.record()?;
        let tallies = tallies(record);
        let latest = record.assessments.last();
        Some(FileRow {
            id,
            version,
            subject: record.subject,
            state: state_word(state),
            source: record.source.clone(),
            opened_for: record.cause,
            units: record.units().into_iter().cloned().collect(),
            sources: tallies.iter().map(|tally| tally.source.clone()).collect(),
            urgency: urgency(state, latest.map(|assessed| assessed.attitude)),
            next_on: next_on(record).map_or_else(|| NEVER.to_owned(), |day| day.to_string()),
            approach: latest.map(|assessed| assessed.approach),
            person: record.person.clone(),
            recused: record.recusal.actor_ids(),
            reporter_marks: record.recusal.marks(),
            tallies,
        })
    }
}

/// A file's state in one word: as it is stored, listed and filtered by, and in the keys of the statistics.
pub(crate) fn state_word(state: &State) -> &'static str {
    match state {
        State::Unopened => "",
        State::Open(_) => "open",
        State::Closed { .. } => "closed",
    }
}

/// The burdened and the resistant come first (`domain.md`, Follow-up, Plan).
fn urgency(state: &State, latest: Option<Attitude>) -> u8 {
    match (state, latest) {
        (State::Unopened | State::Closed { .. }, _) => 3,
        (State::Open(_), Some(Attitude::Burdened)) => 0,
        (State::Open(_), Some(Attitude::Misunderstands)) => 1,
        (State::Open(_), Some(Attitude::Corrected) | None) => 2,
    }
}

/// The day of the next thing to do: a planned visit, or aftercare.
fn next_on(record: &Record) -> Option<Date> {
    let visits = record.planned.iter().map(|planned| planned.on);
    let aftercare = record.aftercare.iter().filter(|item| item.is_open());
    visits.chain(aftercare.map(|item| item.due_on)).min()
}

/// What is counted, under the source and the unit of the item that it belongs to.
fn tallies(record: &Record) -> Vec<Tally> {
    let mut tallies: BTreeMap<(&str, &UnitCode), Counts> = BTreeMap::new();
    for period in record.periods.values() {
        let sanction = &period.sanction;
        let counts = tallies
            .entry((&sanction.source, &sanction.unit))
            .or_default();
        *counts.entry("sanctions_followed").or_default() += 1;
    }
    for item in &record.aftercare {
        let carried = &item.carried;
        // What was taken away counts as nothing, but opened the file nevertheless.
        let counts = tallies.entry((&carried.source, &carried.unit)).or_default();
        match item.care {
            Care::TakenAway { .. } => {}
            Care::Waiting | Care::Due => *counts.entry("aftercare").or_default() += 1,
            Care::Checked { .. } => {
                *counts.entry("aftercare").or_default() += 1;
                *counts.entry("aftercare_checked").or_default() += 1;
            }
        }
    }
    for visit in &record.visits {
        let Some(period) = record.periods.get(&visit.sanction) else {
            continue;
        };
        let source = &period.sanction.source;
        let counts = tallies.entry((source, &visit.unit)).or_default();
        *counts.entry("visits").or_default() += 1;
        for talk in &visit.talks {
            *counts.entry("talks").or_default() += 1;
            *counts.entry(talk.partner.figure()).or_default() += 1;
        }
    }
    let tallies = tallies.into_iter();
    tallies
        .map(|((source, unit), counts)| Tally {
            source: source.to_owned(),
            unit: unit.clone(),
            counts,
        })
        .collect()
}

/// Which files to list.
#[derive(Default)]
pub(crate) struct Wanted {
    /// In this state only.
    pub(crate) state: Option<&'static str>,
    /// With an item from this source only; all if empty.
    pub(crate) source: String,
}

/// A file's place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    urgency: i16,
    next_on: String,
    id: Uuid,
}

impl Place {
    /// The place as a page token.
    pub(crate) fn token(&self) -> String {
        format!("{}.{}.{}", self.urgency, self.next_on, self.id)
    }

    /// Reads a page token; `None` if it is none.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut parts = token.splitn(3, '.');
        let urgency = parts.next()?.parse().ok()?;
        let next_on = parts.next()?;
        let id = parts.next()?.parse().ok()?;
        let is_day = next_on == NEVER || next_on.parse::<Date>().is_ok();
        is_day.then(|| Self {
            urgency,
            next_on: next_on.to_owned(),
            id,
        })
    }
}

/// A line of the list of files.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) state: String,
    pub(crate) units: Vec<String>,
    pub(crate) source: String,
    opened_for: String,
    urgency: i16,
    next_on: String,
    approach: Option<String>,
}

impl Listed {
    /// Why it was opened last.
    pub(crate) fn cause(&self) -> Option<Cause> {
        of_word(&self.opened_for)
    }

    /// How to meet the person, by the latest assessment.
    pub(crate) fn approach(&self) -> Option<Approach> {
        of_word(self.approach.as_deref()?)
    }

    /// ISO date, or empty.
    pub(crate) fn next_on(&self) -> &str {
        Some(self.next_on.as_str())
            .filter(|day| *day != NEVER)
            .unwrap_or_default()
    }

    /// Its place in the list.
    pub(crate) fn place(&self) -> Place {
        Place {
            urgency: self.urgency,
            next_on: self.next_on.clone(),
            id: self.id,
        }
    }
}

/// A word of the table as the row wrote it.
fn of_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

/// A page of files: the burdened first, then those who misunderstand, then by the next date. A person does not see their
/// own file here either, nor whoever is recused from one of its matters.
pub(crate) async fn list(
    pool: &PgPool,
    reach: &Reach,
    wanted: &Wanted,
    page: &Page<Place>,
) -> Result<Vec<Listed>, sqlx::Error> {
    let after = page.after.as_ref();
    sqlx::query_as!(
        Listed,
        r#"select id, subject, state, units, source, opened_for, urgency, next_on::text as "next_on!", approach
           from files_v2
          where ($1::smallint is null or (urgency, next_on, id) > ($1, $2::text::date, $3::uuid))
            and ($4::text is null or state = $4)
            and ($5 = '' or sources @> array[$5])
            and ($6::text[] is null or units && $6)
            and person is distinct from $7
            and not recused @> array[$7::text]
            and not reporter_marks @> array[$8::text]
          order by urgency, next_on, id
          limit $9"#,
        after.map(|place| place.urgency),
        after.map(|place| place.next_on.as_str()),
        after.map(|place| place.id),
        wanted.state,
        wanted.source,
        reach.units.as_deref(),
        reach.actor,
        reach.mark,
        page.most()
    )
    .fetch_all(pool)
    .await
}

/// The keys of the statistics, in their order. `files` is open + closed, `talks` is the sum of the talks by partner;
/// `aftercare` counts what is or was to be checked, without what was taken away before.
pub(crate) const FIGURES: [&str; 14] = [
    "files",
    "files_open",
    "files_closed",
    "sanctions_followed",
    "aftercare",
    "aftercare_checked",
    "visits",
    "people_visited",
    "talks",
    Partner::Person.figure(),
    Partner::Educator.figure(),
    Partner::Superior.figure(),
    Partner::Colleague.figure(),
    Partner::Family.figure(),
];

/// The figures of a source, or of everything if it is empty: one statement, so that they fit together.
///
/// A count names nobody, so recusal does not narrow it; the unit does, item by item.
pub(crate) async fn figures(
    pool: &PgPool,
    reach: &Reach,
    source: &str,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let counted = sqlx::query!(
        r#"with chosen as (
             select f.id, f.state, t.counts
               from files_v2 f,
                    jsonb_to_recordset(f.tallies) as t(source text, unit text, counts jsonb)
              where ($1 = '' or t.source = $1)
                and ($2::text[] is null or t.unit = any($2))
         ), files as (
             select distinct id, state from chosen
         )
         select 'files' as "key!", count(*) as "count!" from files
         union all
         select 'files_' || state, count(*) from files group by state
         union all
         select 'people_visited', count(distinct id) from chosen where counts ? 'visits'
         union all
         select key, sum(value::bigint)::bigint from chosen, jsonb_each_text(counts) group by key"#,
        source,
        reach.units.as_deref()
    )
    .fetch_all(pool)
    .await?;
    let counted = counted.into_iter().map(|figure| (figure.key, figure.count));
    Ok(question::figures(&FIGURES, counted))
}

//! Read models of cases and of sanctions: a row a case and a row a sanctioned person, the list for people, and the
//! figures counted over the rows.
//!
//! To add a view: a new table in `migrations`, its row and [`View`] here, its line in `lib.rs`. The trap: a row is a
//! function of the state alone, so whatever it shows must be in the state; and a changed view is a new table.

use std::collections::BTreeMap;

use chassis::question::{self, Page, Reach};
use chassis::view::View;
use jiff::civil::Date;
use office::{CaseId, MatterId, UnitCode};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::case::{Case, ClosingReason, Deadline, Outcome, Progress, State};
use crate::sanctions::{self, Liability, Progress as Assessed, Sanctions, ToleranceProposed};

/// The cases, a row each.
pub(crate) struct Cases;

/// How far a case is, in one word: as it is stored, listed and filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Opened,
    Investigating,
    Proposed,
    Suspended,
    Concluded,
    Discontinued,
}

impl Standing {
    const ALL: [Self; 6] = [
        Self::Opened,
        Self::Investigating,
        Self::Proposed,
        Self::Suspended,
        Self::Concluded,
        Self::Discontinued,
    ];

    /// How far a case is; `None` while it was not opened.
    pub(crate) fn of(state: &State) -> Option<Self> {
        match state {
            State::Unopened => None,
            State::Open {
                deadline: Deadline::Stopped { .. },
                ..
            } => Some(Self::Suspended),
            State::Open { progress, .. } => Some(match progress {
                Progress::Unassigned => Self::Opened,
                Progress::Investigating { .. } => Self::Investigating,
                Progress::Proposed { .. } => Self::Proposed,
            }),
            State::Concluded { .. } => Some(Self::Concluded),
            State::Discontinued { .. } => Some(Self::Discontinued),
        }
    }

    /// Its word in the table.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Investigating => "investigating",
            Self::Proposed => "proposed",
            Self::Suspended => "suspended",
            Self::Concluded => "concluded",
            Self::Discontinued => "discontinued",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.word() == word)
    }
}

/// A row of `cases_v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CaseRow {
    id: Uuid,
    version: i64,
    matter: MatterId,
    source: String,
    state: Standing,
    unit: UnitCode,
    due_on: Option<Date>,
    allegations: usize,
    counts: BTreeMap<&'static str, u32>,
    conclusion: i32,
    recused: Vec<String>,
    reporter_marks: Vec<String>,
}

impl View for Cases {
    type Aggregate = Case;
    type Row = CaseRow;
    const TABLE: &'static str = "cases_v1";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "matter",
        "source",
        "state",
        "unit",
        "due_on",
        "allegations",
        "counts",
        "conclusion",
        "recused",
        "reporter_marks",
    ];

    fn row(id: Uuid, version: i64, state: &State) -> Option<CaseRow> {
        let dossier = state.dossier()?;
        let mut counts = BTreeMap::new();
        if let State::Concluded { findings, .. } = state {
            for found in findings.values() {
                *counts.entry(found.outcome.figure()).or_default() += 1;
            }
        }
        let recusal = &dossier.recusal;
        Some(CaseRow {
            id,
            version,
            matter: dossier.matter,
            source: dossier.source.clone(),
            state: Standing::of(state)?,
            unit: dossier.unit.clone(),
            due_on: due_on(state),
            allegations: dossier.allegations.len(),
            counts,
            conclusion: dossier.conclusions,
            recused: recusal.actor_ids(),
            reporter_marks: recusal.marks(),
        })
    }
}

/// The day of the deadline, while one runs.
pub(crate) fn due_on(state: &State) -> Option<Date> {
    match state {
        State::Open {
            deadline: Deadline::Running { due, .. },
            ..
        } => Some(due.on),
        _ => None,
    }
}

/// Those who were assessed or sanctioned, a row each.
pub(crate) struct SanctionedPersons;

/// A row of `sanctions_v2`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SanctionsRow {
    id: Uuid,
    version: i64,
    sources: Vec<String>,
    units: Vec<UnitCode>,
    cases: Vec<CaseId>,
    assessed_cases: Vec<CaseId>,
    assessed_conclusions: Vec<i32>,
    liabilities: Vec<&'static str>,
}

impl View for SanctionedPersons {
    type Aggregate = Sanctions;
    type Row = SanctionsRow;
    const TABLE: &'static str = "sanctions_v2";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "sources",
        "units",
        "cases",
        "assessed_cases",
        "assessed_conclusions",
        "liabilities",
    ];

    fn row(id: Uuid, version: i64, state: &sanctions::State) -> Option<SanctionsRow> {
        state.latest?;
        let recorded = &state.recorded;
        let mut row = SanctionsRow {
            id,
            version,
            sources: recorded.iter().map(|one| one.source.clone()).collect(),
            units: recorded.iter().map(|one| one.unit.clone()).collect(),
            cases: state.cases().into_iter().collect(),
            assessed_cases: Vec::new(),
            assessed_conclusions: Vec::new(),
            liabilities: Vec::new(),
        };
        for (proposed, assessment) in approved(state) {
            row.assessed_cases.push(proposed.case);
            row.assessed_conclusions.push(proposed.conclusion);
            row.liabilities.push(assessment.figure());
        }
        Some(row)
    }
}

/// Each approved assessment of a finding, with what it was proposed in.
fn approved(state: &sanctions::State) -> impl Iterator<Item = (&ToleranceProposed, Liability)> {
    let known = state.tolerance.values();
    let approved = known.filter(|known| matches!(known.progress, Assessed::Approved { .. }));
    approved.flat_map(|known| {
        let assessments = known.proposed.assessments.iter();
        assessments.map(|one| (&known.proposed, one.liability.is))
    })
}

/// Which cases to list.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) state: Option<Standing>,
    pub(crate) source: String,
}

/// A line of the list of cases.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) matter: Uuid,
    state: String,
    pub(crate) unit: String,
    pub(crate) source: String,
    /// ISO date, or empty.
    pub(crate) due_on: String,
    pub(crate) allegations: i32,
}

impl Listed {
    pub(crate) fn standing(&self) -> Option<Standing> {
        Standing::of_word(&self.state)
    }
}

/// A page of cases by id. Whoever is recused from a case does not see it here either.
pub(crate) async fn list(
    pool: &PgPool,
    reach: &Reach,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        r#"select id, matter, state, unit, source,
                  coalesce(to_char(due_on, 'YYYY-MM-DD'), '') as "due_on!", allegations
             from cases_v1
            where ($1::uuid is null or id > $1)
              and ($2::text is null or state = $2)
              and ($3 = '' or source = $3)
              and ($4::text[] is null or unit = any($4))
              and not recused @> array[$5::text]
              and not reporter_marks @> array[$6::text]
            order by id
            limit $7"#,
        page.after,
        wanted.state.map(Standing::word),
        wanted.source,
        reach.units.as_deref(),
        reach.actor,
        reach.mark,
        page.most()
    )
    .fetch_all(pool)
    .await
}

/// Whether whoever asks is recused by now from one of the cases in which something of a person was recorded; not so where
/// the id is of something else. Not whether they see them: the units do not narrow it.
pub(crate) async fn recused_from_record(
    pool: &PgPool,
    reach: &Reach,
    person: Uuid,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists(
             select from sanctions_v2
               join cases_v1 on cases_v1.id = any(sanctions_v2.cases)
              where sanctions_v2.id = $1
                and (recused @> array[$2::text] or reporter_marks @> array[$3::text])
           ) as "recused!""#,
        person,
        reach.actor,
        reach.mark
    )
    .fetch_one(pool)
    .await
}

/// The conclusions of these cases that stand.
pub(crate) async fn standing(
    pool: &PgPool,
    cases: &[Uuid],
) -> Result<BTreeMap<Uuid, i32>, sqlx::Error> {
    let standing = sqlx::query!(
        "select id, conclusion from cases_v1 where id = any($1) and state = 'concluded'",
        cases
    )
    .fetch_all(pool)
    .await?;
    let standing = standing.into_iter().map(|row| (row.id, row.conclusion));
    Ok(standing.collect())
}

/// The keys of the statistics, in their order. `cases` is open + concluded + discontinued; `allegations` is all
/// findings + all closings + those of open and of discontinued cases; `sanctions` counts each, not who has them, and the
/// liabilities count the findings of conclusions that stand by their approved assessment.
pub(crate) const FIGURES: [&str; 22] = [
    "cases",
    "cases_concluded",
    "cases_open",
    "cases_discontinued",
    "allegations",
    Outcome::Substantiated.figure(),
    Outcome::Unsubstantiated.figure(),
    Outcome::Unfounded.figure(),
    Outcome::Exonerated.figure(),
    Outcome::Closed(ClosingReason::Withdrawn).figure(),
    Outcome::Closed(ClosingReason::NoCooperation).figure(),
    Outcome::Closed(ClosingReason::LimitationExpired).figure(),
    Outcome::Closed(ClosingReason::Duplicate).figure(),
    Outcome::Closed(ClosingReason::Transferred).figure(),
    Outcome::Closed(ClosingReason::Void).figure(),
    Outcome::Closed(ClosingReason::Other).figure(),
    "allegations_open",
    "allegations_discontinued",
    Liability::Liable.figure(),
    Liability::Lighter.figure(),
    Liability::Exempt.figure(),
    "sanctions",
];

/// The figures of a source, or of everything if it is empty: one statement, so that they fit together.
///
/// A count names nobody, so recusal does not narrow it; the unit does.
pub(crate) async fn figures(
    pool: &PgPool,
    reach: &Reach,
    source: &str,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let counted = sqlx::query!(
        r#"with chosen as (
               select state, allegations, counts
                 from cases_v1
                where ($1 = '' or source = $1)
                  and ($2::text[] is null or unit = any($2))
           ), per_state as (
               select case when state in ('concluded', 'discontinued') then state else 'open' end as state,
                      count(*) as cases, sum(allegations)::bigint as allegations
                 from chosen
                group by 1
           )
           select 'cases' as "key!", count(*) as "count!" from chosen
           union all
           select 'cases_' || state, cases from per_state
           union all
           select 'allegations', coalesce(sum(allegations), 0)::bigint from chosen
           union all
           select 'allegations_' || state, allegations from per_state where state <> 'concluded'
           union all
           select key, sum(value::bigint)::bigint from chosen, jsonb_each_text(counts) group by key
           union all
           select 'sanctions', count(*)
             from sanctions_v2, unnest(sources, units) as sanction (source, unit)
            where ($1 = '' or sanction.source = $1)
              and ($2::text[] is null or sanction.unit = any($2))
           union all
           select assessed.liability, count(*)
             from sanctions_v2,
                  unnest(assessed_cases, assessed_conclusions, liabilities) as assessed (case_id, conclusion, liability)
             join cases_v1 on cases_v1.id = assessed.case_id
            where cases_v1.conclusion = assessed.conclusion and cases_v1.state = 'concluded'
              and ($1 = '' or cases_v1.source = $1)
              and ($2::text[] is null or cases_v1.unit = any($2))
            group by 1"#,
        source,
        reach.units.as_deref()
    )
    .fetch_all(pool)
    .await?;
    let counted = counted.into_iter().map(|figure| (figure.key, figure.count));
    Ok(question::figures(&FIGURES, counted))
}

#[cfg(test)]
mod tests;

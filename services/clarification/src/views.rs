//! Read models of clarifications: a row each, the list for people, the ledger over the entries that each one keeps, and
//! the figures counted over the rows; and of [`meetings`].
//!
//! To add a view: a new table in `migrations`, its row and [`View`] here, its line in `lib.rs`. The trap: a row is a
//! function of the state alone, so whatever it shows must be in the state; and a changed view is a new table.

pub(crate) mod meetings;

use std::collections::BTreeMap;

use chassis::question::{self, Page, Reach};
use chassis::view::View;
use jiff::civil::Date;
use office::{MatterId, SubjectId, UnitCode};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::clarification::forms::Form;
use crate::clarification::waiting::Applied;
use crate::clarification::{Clarification, Held, Progress, Stage, Standing, State};
use crate::conclusion::SubjectKind;
use crate::ledger::{Entered, Number};

/// The clarifications, a row each.
pub(crate) struct Clarifications;

impl Standing {
    const ALL: [Self; 12] = [
        Self::Applied,
        Self::Screening,
        Self::Eligible,
        Self::NotEligible,
        Self::FormDecided,
        Self::Drafted,
        Self::Approved,
        Self::CarriedOut,
        Self::Confirmed,
        Self::Declined,
        Self::Halted,
        Self::Superseded,
    ];

    /// Its word in the table.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Screening => "screening",
            Self::Eligible => "eligible",
            Self::NotEligible => "not_eligible",
            Self::FormDecided => "form_decided",
            Self::Drafted => "drafted",
            Self::Approved => "approved",
            Self::CarriedOut => "carried_out",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Halted => "halted",
            Self::Superseded => "superseded",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|standing| standing.word() == word)
    }
}

/// A row of `clarifications_v2`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClarificationRow {
    id: Uuid,
    version: i64,
    matter: MatterId,
    subject: SubjectId,
    subject_kind: SubjectKind,
    source: String,
    state: Standing,
    unit: UnitCode,
    kept_by: Vec<UnitCode>,
    form: Option<Form>,
    due_on: Option<Date>,
    cleared_on: Option<Date>,
    meetings: Vec<MeetingRow>,
    entries: Vec<EntryRow>,
    recused: Vec<String>,
    reporter_marks: Vec<String>,
}

/// One entry of a ledger, in its clarification's row.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct EntryRow {
    unit: UnitCode,
    year: i16,
    number: i32,
    form: Form,
    entered_on: Date,
    supersedes: Option<Number>,
}

impl EntryRow {
    fn of(entered: &Entered) -> Self {
        Self {
            unit: entered.number.unit.clone(),
            year: entered.number.year,
            number: entered.number.number,
            form: entered.wanted.form,
            entered_on: entered.wanted.on,
            supersedes: entered.wanted.supersedes.clone(),
        }
    }
}

/// One meeting, in the row of a clarification that was carried out at it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct MeetingRow {
    id: Uuid,
    unit: UnitCode,
    held_on: Date,
}

impl MeetingRow {
    fn of((id, held): (&Uuid, &Held)) -> Self {
        Self {
            id: *id,
            unit: held.unit.clone(),
            held_on: held.on,
        }
    }
}

impl View for Clarifications {
    type Aggregate = Clarification;
    type Row = ClarificationRow;
    const TABLE: &'static str = "clarifications_v2";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "matter",
        "subject",
        "subject_kind",
        "source",
        "state",
        "unit",
        "kept_by",
        "form",
        "due_on",
        "cleared_on",
        "meetings",
        "entries",
        "recused",
        "reporter_marks",
    ];

    fn row(id: Uuid, version: i64, state: &State) -> Option<ClarificationRow> {
        let dossier = match state {
            State::Unopened => return None,
            State::Applied(applied) => return Some(waiting(id, version, applied)),
            State::Open(dossier) => dossier,
        };
        let progress = dossier
            .preparation()
            .map(|preparation| &preparation.progress);
        let recusal = &dossier.recusal;
        Some(ClarificationRow {
            id,
            version,
            matter: dossier.matter,
            subject: dossier.subject.id,
            subject_kind: dossier.subject.kind,
            source: dossier.source.clone(),
            state: dossier.standing(),
            unit: dossier.clearance.unit.clone(),
            kept_by: dossier.kept_by.clone(),
            form: progress.and_then(Progress::form).map(|form| form.form),
            due_on: due_on(&dossier.stage),
            cleared_on: cleared_on(&dossier.stage),
            meetings: dossier.meetings.iter().map(MeetingRow::of).collect(),
            entries: dossier.entries.iter().map(EntryRow::of).collect(),
            recused: recusal.actor_ids(),
            reporter_marks: recusal.marks(),
        })
    }
}

/// The row of one whose subject has applied, and that no conclusion has opened.
fn waiting(id: Uuid, version: i64, applied: &Applied) -> ClarificationRow {
    let recusal = &applied.recusal;
    ClarificationRow {
        id,
        version,
        matter: applied.matter,
        subject: applied.subject.id,
        subject_kind: applied.subject.kind,
        source: applied.source.clone(),
        state: Standing::Applied,
        unit: applied.unit.clone(),
        kept_by: Vec::new(),
        form: None,
        due_on: None,
        cleared_on: None,
        meetings: Vec::new(),
        entries: Vec::new(),
        recused: recusal.actor_ids(),
        reporter_marks: recusal.marks(),
    }
}

/// The day by which it must be carried out, while it must.
pub(crate) fn due_on(stage: &Stage) -> Option<Date> {
    match stage {
        Stage::Preparing(preparation) => {
            let approval = preparation.progress.approval()?;
            Some(approval.due.on)
        }
        _ => None,
    }
}

/// The day on which the name was cleared, if it is.
fn cleared_on(stage: &Stage) -> Option<Date> {
    match stage {
        Stage::CarriedOut { execution, .. } => Some(execution.on),
        _ => None,
    }
}

/// Which clarifications to list.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) state: Option<Standing>,
    pub(crate) source: String,
    pub(crate) matter: Option<Uuid>,
    pub(crate) subject: Option<Uuid>,
}

/// A line of the list of clarifications.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) matter: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) subject_kind: String,
    state: String,
    pub(crate) unit: String,
    pub(crate) source: String,
    /// A form's code, or empty.
    form: String,
    /// ISO date, or empty.
    pub(crate) due_on: String,
}

impl Listed {
    pub(crate) fn standing(&self) -> Option<Standing> {
        Standing::of_word(&self.state)
    }

    pub(crate) fn form(&self) -> Option<Form> {
        form_of(&self.form)
    }
}

fn form_of(code: &str) -> Option<Form> {
    Form::ALL.into_iter().find(|form| form.code() == code)
}

/// A page of clarifications by id. Whoever is recused from one does not see it here either.
pub(crate) async fn list(
    pool: &PgPool,
    reach: &Reach,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        r#"select id, matter, subject, subject_kind, state, unit, source, coalesce(form, '') as "form!",
                coalesce(to_char(due_on, 'YYYY-MM-DD'), '') as "due_on!"
           from clarifications_v2
          where ($1::uuid is null or id > $1)
            and ($2::text is null or state = $2)
            and ($3 = '' or source = $3)
            and ($4::uuid is null or matter = $4)
            and ($5::uuid is null or subject = $5)
            and ($6::text[] is null or unit = any($6))
            and not recused @> array[$7::text]
            and not reporter_marks @> array[$8::text]
          order by id
          limit $9"#,
        page.after,
        wanted.state.map(Standing::word),
        wanted.source,
        wanted.matter,
        wanted.subject,
        reach.units.as_deref(),
        reach.actor,
        reach.mark,
        page.most()
    )
    .fetch_all(pool)
    .await
}

/// A line of a ledger.
pub(crate) struct Line {
    pub(crate) clarification: Uuid,
    pub(crate) matter: Uuid,
    pub(crate) subject: Uuid,
    pub(crate) source: String,
    pub(crate) number: i32,
    form: String,
    /// ISO date.
    pub(crate) entered_on: String,
    pub(crate) supersedes_unit: Option<String>,
    pub(crate) supersedes_year: Option<i32>,
    pub(crate) supersedes_number: Option<i32>,
}

impl Line {
    pub(crate) fn form(&self) -> Option<Form> {
        form_of(&self.form)
    }
}

/// Whose ledger, and who asks.
pub(crate) struct OfLedger<'a> {
    pub(crate) unit: &'a str,
    pub(crate) year: i32,
    /// Whether the actor also sees entries about subjects whose record they keep.
    pub(crate) keeps_records: bool,
}

/// A page of the ledger of a unit and year, by number.
pub(crate) async fn ledger(
    pool: &PgPool,
    reach: &Reach,
    of: &OfLedger<'_>,
    page: &Page<i32>,
) -> Result<Vec<Line>, sqlx::Error> {
    sqlx::query_as!(
        Line,
        r#"select c.id as clarification, c.matter, c.subject, c.source, e.number as "number!", e.form as "form!",
                e.entered_on as "entered_on!",
                e.supersedes ->> 'unit' as supersedes_unit,
                (e.supersedes ->> 'year')::int as supersedes_year,
                (e.supersedes ->> 'number')::int as supersedes_number
           from clarifications_v2 c
          cross join lateral jsonb_to_recordset(c.entries)
                as e (unit text, year int, number int, form text, entered_on text, supersedes jsonb)
          where c.entries @> jsonb_build_array(jsonb_build_object('unit', $1::text, 'year', $2::int))
            and e.unit = $1
            and e.year = $2
            and ($3::int is null or e.number > $3)
            and ($4::text[] is null or e.unit = any($4) or ($5 and c.kept_by && $4))
            and not c.recused @> array[$6::text]
            and not c.reporter_marks @> array[$7::text]
          order by e.number
          limit $8"#,
        of.unit,
        of.year,
        page.after,
        reach.units.as_deref(),
        of.keeps_records,
        reach.actor,
        reach.mark,
        page.most()
    )
    .fetch_all(pool)
    .await
}

/// The keys of the statistics, in their order; behind them come the ledger entries of each unit, [`ENTRIES_OF`] and the
/// unit's code. What was superseded is not carried out any more, but a meeting that was held was held. A meeting counts
/// once and by the names that were cleared at it, whether it was convened or entered afterwards; one that cleared none
/// is no meeting of clarification.
pub(crate) const FIGURES: [&str; 16] = [
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
    "ledger_entries",
];

/// Those that say how things stand; they belong to no day, and so to no period.
const STANDING: [&str; 7] = [
    "candidates",
    "cleared_by_conclusion",
    "not_eligible",
    "declined",
    "halted",
    "superseded",
    "applied",
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
pub(crate) async fn figures(
    pool: &PgPool,
    counting: &Counting<'_>,
) -> Result<(Figures, BTreeMap<String, Figures>), sqlx::Error> {
    let (units, above): (Vec<_>, Vec<_>) = counting.above.iter().cloned().unzip();
    let counted = sqlx::query!(
        r#"with above (unit, upper) as (
             select * from unnest($3::text[], $4::text[])
         ), chosen as (
             select subject, subject_kind, state, form, cleared_on, unit
               from clarifications_v2
              where ($1 = '' or source = $1)
                and ($2::text[] is null or unit = any($2))
         ), met as (
             select m.id, m.unit
               from clarifications_v2 c
              cross join lateral jsonb_to_recordset(c.meetings) as m (id uuid, unit text, held_on date)
              where ($1 = '' or c.source = $1)
                and ($2::text[] is null or m.unit = any($2))
                and m.held_on between coalesce($5::text::date, '-infinity') and coalesce($6::text::date, 'infinity')
         ), entered as (
             select e.unit
               from clarifications_v2 c
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

#[cfg(test)]
mod tests;

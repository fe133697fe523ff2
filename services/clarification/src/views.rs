//! Read models of clarifications: a row each, the list for people, the ledger over the entries that each one keeps, and
//! the [`figures`] counted over the rows; and of [`meetings`].
//!
//! To add a view: a new table in `migrations`, its row and [`View`] here, its line in `lib.rs`. The trap: a row is a
//! function of the state alone, so whatever it shows must be in the state; and a changed view is a new table.

pub(crate) mod figures;
pub(crate) mod meetings;

use chassis::question::{Page, Reach};
use chassis::view::View;
use jiff::civil::Date;
use office::{MatterId, Notice, SubjectId, UnitCode};
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

/// A row of `clarifications_v3`.
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
    unreachable: bool,
    form: Option<Form>,
    due_on: Option<Date>,
    notice: Option<Notice>,
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
    const TABLE: &'static str = "clarifications_v3";
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
        "unreachable",
        "form",
        "due_on",
        "notice",
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
            unreachable: dossier.unreachable(),
            form: dossier
                .progress()
                .and_then(Progress::form)
                .map(|form| form.form),
            due_on: due_on(&dossier.stage),
            notice: Some(dossier.notice()).filter(|said| *said != Notice::Silent),
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
        unreachable: false,
        form: None,
        due_on: None,
        notice: None,
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
    /// What was said of the deadline that runs; `None` for all.
    pub(crate) notice: Option<Notice>,
    /// Only those whose subject cannot be heard.
    pub(crate) unreachable: bool,
    /// Whether the actor also sees those about subjects whose record they keep.
    pub(crate) keeps_records: bool,
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
    /// Its word, or empty.
    notice: String,
    pub(crate) unreachable: bool,
}

/// The word of what was said of a deadline.
fn notice_word(notice: Notice) -> &'static str {
    match notice {
        Notice::Silent => "",
        Notice::Near => "near",
        Notice::Overdue => "overdue",
    }
}

impl Listed {
    pub(crate) fn notice(&self) -> Notice {
        let said = [Notice::Near, Notice::Overdue].into_iter();
        let mut said = said.filter(|said| notice_word(*said) == self.notice);
        said.next().unwrap_or(Notice::Silent)
    }

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

/// A page of clarifications by id, as far as each one admits the actor: by its unit, a personnel officer also by who keeps
/// the subject's record, and nobody who is recused.
pub(crate) async fn list(
    pool: &PgPool,
    reach: &Reach,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        r#"select id, matter, subject, subject_kind, state, unit, source, coalesce(form, '') as "form!",
                coalesce(to_char(due_on, 'YYYY-MM-DD'), '') as "due_on!", coalesce(notice, '') as "notice!", unreachable
           from clarifications_v3
          where ($1::uuid is null or id > $1)
            and ($2::text is null or state = $2)
            and ($3 = '' or source = $3)
            and ($4::uuid is null or matter = $4)
            and ($5::uuid is null or subject = $5)
            and ($6::text is null or notice = $6)
            and (unreachable or not $7)
            and ($8::text[] is null or unit = any($8) or ($9 and kept_by && $8))
            and not recused @> array[$10::text]
            and not reporter_marks @> array[$11::text]
          order by id
          limit $12"#,
        page.after,
        wanted.state.map(Standing::word),
        wanted.source,
        wanted.matter,
        wanted.subject,
        wanted.notice.map(notice_word),
        wanted.unreachable,
        reach.units.as_deref(),
        wanted.keeps_records,
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
           from clarifications_v3 c
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

#[cfg(test)]
mod tests;

//! Read model of meetings that were convened: a row each, and the list for people.

use chassis::question::{Page, Reach};
use chassis::recusal::Mark;
use chassis::view::View;
use jiff::civil::Date;
use office::UnitCode;
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::meeting::holding::Outcome;
use crate::meeting::{Meeting, Stage, State};

/// The meetings, a row each.
pub(crate) struct Meetings;

/// How far a meeting is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It is still to be held.
    Convened,
    /// It will not be.
    Cancelled,
    /// It was.
    Held,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Convened, Self::Cancelled, Self::Held];

    /// That of a stage.
    pub(crate) fn of(stage: &Stage) -> Self {
        match stage {
            Stage::Awaited => Self::Convened,
            Stage::Cancelled { .. } => Self::Cancelled,
            Stage::Held { .. } => Self::Held,
        }
    }

    /// Its word in the table.
    const fn word(self) -> &'static str {
        match self {
            Self::Convened => "convened",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
        }
    }
}

/// A row of `meetings_v1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MeetingRow {
    id: Uuid,
    version: i64,
    unit: UnitCode,
    state: Standing,
    held_on: Date,
    clarifications: usize,
    carried_out: usize,
    not_carried_out: usize,
    recused: Vec<String>,
    reporter_marks: Vec<String>,
}

impl View for Meetings {
    type Aggregate = Meeting;
    type Row = MeetingRow;
    const TABLE: &'static str = "meetings_v1";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "unit",
        "state",
        "held_on",
        "clarifications",
        "carried_out",
        "not_carried_out",
        "recused",
        "reporter_marks",
    ];

    fn row(id: Uuid, version: i64, state: &State) -> Option<MeetingRow> {
        let agenda = state.agenda()?;
        let recusal = &agenda.recusal;
        let outcomes = || {
            let items = agenda.items.iter();
            items.filter_map(|item| agenda.outcome(item.clarification))
        };
        let carried_out = outcomes().filter(|outcome| **outcome == Outcome::CarriedOut);
        let carried_out = carried_out.count();
        Some(MeetingRow {
            id,
            version,
            unit: agenda.unit.clone(),
            state: Standing::of(&agenda.stage),
            held_on: agenda.on,
            clarifications: agenda.items.len(),
            carried_out,
            not_carried_out: outcomes().count() - carried_out,
            recused: recusal.actors.iter().map(ToString::to_string).collect(),
            reporter_marks: recusal.reporters.iter().map(Mark::hexadecimal).collect(),
        })
    }
}

/// Which meetings to list.
#[derive(Default)]
pub(crate) struct Wanted {
    /// A unit's code, or empty.
    pub(crate) unit: String,
    pub(crate) state: Option<Standing>,
}

/// A line of the list of meetings.
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) unit: String,
    state: String,
    /// ISO date.
    pub(crate) held_on: String,
    pub(crate) clarifications: i32,
    pub(crate) carried_out: i32,
    pub(crate) not_carried_out: i32,
}

impl Listed {
    pub(crate) fn standing(&self) -> Option<Standing> {
        let mut all = Standing::ALL.into_iter();
        all.find(|standing| standing.word() == self.state)
    }
}

/// A page of meetings by id. Whoever is recused from one does not see it here either.
pub(crate) async fn list(
    pool: &PgPool,
    reach: &Reach,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query_as!(
        Listed,
        r#"select id, unit, state, to_char(held_on, 'YYYY-MM-DD') as "held_on!", clarifications, carried_out,
                not_carried_out
           from meetings_v1
          where ($1::uuid is null or id > $1)
            and ($2 = '' or unit = $2)
            and ($3::text is null or state = $3)
            and ($4::text[] is null or unit = any($4))
            and not recused @> array[$5::text]
            and not reporter_marks @> array[$6::text]
          order by id
          limit $7"#,
        page.after,
        wanted.unit,
        wanted.state.map(Standing::word),
        reach.units.as_deref(),
        reach.actor,
        reach.mark,
        page.most()
    )
    .fetch_all(pool)
    .await
}

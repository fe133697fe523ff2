//! Read model of meetings that were convened: a row each, and the list for people.

use chassis::question::{Page, Reach};
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
            recused: recusal.actor_ids(),
            reporter_marks: recusal.marks(),
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

#[cfg(test)]
mod tests {
    use chassis::question::Page;
    use chassis::testing::{self, given};
    use office::{Actor, Role};

    use super::*;
    use crate::clarification::fixture::*;
    use crate::meeting::fixture::*;

    fn at(unit: &str, name: &str, role: Role) -> Reach {
        let setting = given::<Meeting>();
        let context = setting.context();
        let actor = Actor {
            unit: unit.parse().expect("a unit code"),
            ..actor(name, role)
        };
        Reach::of(&actor, &context.profile, &context.secrets)
    }

    fn all() -> Vec<(Uuid, State)> {
        let held = a_held_one().events([
            outcome_noted(1, Outcome::CarriedOut),
            outcome_noted(2, halted()),
        ]);
        [a_meeting(), a_held_one(), held]
            .iter()
            .zip(1..)
            .map(|(given, number)| (Uuid::from_u128(number), given.state().clone()))
            .collect()
    }

    #[tokio::test]
    async fn a_list_of_meetings_holds_what_the_actor_may_see_and_how_many_names_were_cleared() {
        let pool = testing::database(&[include_str!("../../migrations/0003_meetings.sql")]).await;
        testing::write::<Meetings>(&pool, all()).await;
        let first = |size| Page::asked(size, "", |_| None).expect("a page");
        let otto = at("P51-01", "otto", Role::ClarificationOfficer);
        let held = Wanted {
            unit: "P51-01".to_owned(),
            state: Some(Standing::Held),
        };
        let page = first(1);
        let found = list(&pool, &otto, &held, &page).await.expect("a page");
        let (shown, next) = page.cut(found, |row| row.id.to_string());
        let counts = |row: &Listed| (row.clarifications, row.carried_out, row.not_carried_out);
        assert_eq!(counts(&shown[0]), (2, 0, 0));
        assert_eq!(shown[0].standing(), Some(Standing::Held));
        let page = Page::asked(9, &next, |token| token.parse().ok()).expect("the next page");
        let rest = list(&pool, &otto, &held, &page).await.expect("the rest");
        assert_eq!(rest.len(), 1);
        assert_eq!(
            (counts(&rest[0]), &*rest[0].held_on),
            ((2, 1, 1), "2026-03-10")
        );

        for (who, sees) in [
            (at("P51", "olga", Role::ClarificationOfficer), 3),
            (at("P51-01-01", "olga", Role::ClarificationOfficer), 0),
            (at("P51-02", "auditor-1", Role::Auditor), 3),
            (at("N", "accused", Role::ClarificationOfficer), 0),
            (at("N", "reporter", Role::ClarificationOfficer), 0),
        ] {
            let found = list(&pool, &who, &Wanted::default(), &first(9)).await;
            assert_eq!(found.expect("a page").len(), sees, "{}", who.actor);
        }
        let elsewhere = Wanted {
            unit: "P51-02".to_owned(),
            ..Wanted::default()
        };
        let found = list(&pool, &otto, &elsewhere, &first(9)).await;
        assert_eq!(found.expect("a page").len(), 0);
    }

    #[test]
    fn a_row_has_exactly_the_columns_of_its_table() {
        let row = Meetings::row(Uuid::nil(), 1, a_meeting().state());
        let row = serde_json::to_value(row.expect("a row")).expect("a row is JSON");
        let mut columns: Vec<_> = row.as_object().expect("an object").keys().collect();
        let mut declared = Meetings::COLUMNS.to_vec();
        columns.sort();
        declared.sort_unstable();
        assert_eq!(columns, declared);
        for standing in Standing::ALL {
            let json = serde_json::to_value(standing).expect("a word");
            assert_eq!(json, standing.word());
        }
    }
}

//! Intake's read models: a row an aggregate, a pure function of its state, and the queries on them. The only SQL here.
//!
//! To add one: a table in a new migration, a row type whose fields are its columns, a [`View`], a line in `lib.rs`. A
//! changed view is a new table. The trap: rows are written with every event of a batch, so an indexed column that
//! changes often makes every event dearer.

use chassis::question::{Page, Reach};
use chassis::view::View;
use jiff::civil::Date;
use office::Profile;
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use crate::allegation::{Whom, topics};
use crate::matter::{self, Matter};
use crate::report::{self, Filed, Report, Stage, own_matter};
use crate::subject::{self, Kind, Standing, Subject};

/// How many of the newest matters of one topic are compared with a report. A subject's hundredth matter of one category
/// tells an officer nothing that the newest do not, and it keeps a look-up from growing with the register.
const NEWEST_OF_A_TOPIC: i64 = 1000;

/// The subject register as a table.
pub struct Subjects;

/// A subject.
#[derive(Serialize)]
pub struct SubjectRow {
    id: Uuid,
    version: i64,
    kind: &'static str,
    unit: String,
    authority: String,
    heads: Option<String>,
    standing: &'static str,
    source: String,
    reference: String,
}

impl View for Subjects {
    type Aggregate = Subject;
    type Row = SubjectRow;
    const TABLE: &'static str = "subjects_v1";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "kind",
        "unit",
        "authority",
        "heads",
        "standing",
        "source",
        "reference",
    ];

    fn row(id: Uuid, version: i64, state: &subject::State) -> Option<SubjectRow> {
        let subject::State::Registered { registered, .. } = state else {
            return None;
        };
        let entry = &registered.entry;
        Some(SubjectRow {
            id,
            version,
            kind: match entry.kind {
                Kind::Person => "person",
                Kind::Organisation => "organisation",
            },
            unit: entry.unit.to_string(),
            authority: entry.authority.to_string(),
            heads: entry.heads.as_ref().map(ToString::to_string),
            standing: match entry.standing {
                Standing::PartyMember => "party_member",
                Standing::PublicOfficial => "public_official",
                Standing::Other => "other",
            },
            source: registered.source.clone(),
            reference: registered.reference.clone(),
        })
    }
}

/// The reports as a table.
pub struct Reports;

/// A report.
#[derive(Serialize)]
pub struct ReportRow {
    id: Uuid,
    version: i64,
    state: &'static str,
    unit: String,
    source: String,
    reference: String,
    matter: Option<Uuid>,
    entered_on: Date,
    entered_at: i64,
    allegations: usize,
    subjects: Vec<Uuid>,
    not_identified: usize,
    recused: Vec<String>,
    reporters: Vec<String>,
}

impl View for Reports {
    type Aggregate = Report;
    type Row = ReportRow;
    const TABLE: &'static str = "reports_v1";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "state",
        "unit",
        "source",
        "reference",
        "matter",
        "entered_on",
        "entered_at",
        "allegations",
        "subjects",
        "not_identified",
        "recused",
        "reporters",
    ];

    fn row(id: Uuid, version: i64, state: &report::State) -> Option<ReportRow> {
        let filed = state.filed()?;
        let submitted = &filed.submitted;
        let waiting = filed
            .allegations()
            .iter()
            .filter(|allegation| match allegation.whom {
                Whom::Registered(_) => false,
                Whom::NotIdentified { placeholder, .. } => {
                    !filed.identified.contains_key(&placeholder)
                }
            });
        Some(ReportRow {
            id,
            version,
            state: stage_code(&filed.stage),
            unit: filed.unit().to_string(),
            source: submitted.source.clone(),
            reference: submitted.reference.clone(),
            matter: filed.matter().map(Uuid::from),
            entered_on: submitted.entered_on,
            entered_at: submitted.entered_at.as_microsecond(),
            allegations: submitted.allegations.len(),
            not_identified: waiting.count(),
            subjects: filed
                .subjects
                .iter()
                .map(|subject| subject.id.into())
                .collect(),
            recused: filed.recusal.actor_ids(),
            reporters: filed.recusal.marks(),
        })
    }
}

/// The code of a report's stage, in the table and in figures.
pub fn stage_code(stage: &Stage) -> &'static str {
    match stage {
        Stage::Received => "received",
        Stage::Accepted(_) => "accepted",
        Stage::Joined(_) => "joined",
        Stage::Declined(_) => "declined",
        Stage::Transferred(_) => "transferred",
        Stage::Withdrawn => "withdrawn",
    }
}

/// The matters as a table.
pub struct Matters;

/// A matter.
#[derive(Serialize)]
pub struct MatterRow {
    id: Uuid,
    version: i64,
    source: String,
    unit: String,
    case_state: &'static str,
    conclusion: u32,
    reports: usize,
    opened_at: i64,
    topics: Vec<String>,
    recused: Vec<String>,
    reporters: Vec<String>,
}

impl View for Matters {
    type Aggregate = Matter;
    type Row = MatterRow;
    const TABLE: &'static str = "matters_v1";
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "version",
        "source",
        "unit",
        "case_state",
        "conclusion",
        "reports",
        "opened_at",
        "topics",
        "recused",
        "reporters",
    ];

    fn row(id: Uuid, version: i64, state: &matter::State) -> Option<MatterRow> {
        let open = state.open()?;
        Some(MatterRow {
            id,
            version,
            source: open.source.clone(),
            unit: open.unit.to_string(),
            case_state: open.case.stage.code(),
            conclusion: open.case.conclusion,
            reports: open.reports.len(),
            opened_at: open.opened_at.as_microsecond(),
            topics: topics(&open.allegations).into_iter().collect(),
            recused: open.recusal.actor_ids(),
            reporters: open.recusal.marks(),
        })
    }
}

/// A place in the list of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Microseconds since 1970.
    pub entered_at: i64,
    /// The report.
    pub id: Uuid,
}

impl Place {
    /// Before the newest.
    const START: Self = Self {
        entered_at: i64::MAX,
        id: Uuid::max(),
    };

    /// As a page token.
    pub fn token(&self) -> String {
        format!("{:x}.{}", self.entered_at, self.id.simple())
    }

    /// From a page token; `None` if it is none.
    pub fn read(token: &str) -> Option<Self> {
        let (entered_at, id) = token.split_once('.')?;
        Some(Self {
            entered_at: i64::from_str_radix(entered_at, 16).ok()?,
            id: Uuid::parse_str(id).ok()?,
        })
    }
}

/// A report in a list.
#[derive(Debug)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// Code of its stage.
    pub state: String,
    /// Where it lies.
    pub unit: String,
    /// The register that it was entered from.
    pub source: String,
    /// Its reference there.
    pub reference: String,
    /// Its matter.
    pub matter: Option<Uuid>,
    /// ISO date.
    pub entered_on: String,
    /// Microseconds since 1970.
    pub entered_at: i64,
    /// How many allegations.
    pub allegations: i32,
}

impl Listed {
    /// Its place in the list.
    pub fn place(&self) -> Place {
        Place {
            entered_at: self.entered_at,
            id: self.id,
        }
    }
}

/// The list's statement, with what else restricts it.
macro_rules! listed {
    ($restriction:literal, $after:ident, $stage:ident, $reach:ident, $most:ident $(, $source:ident)?) => {
        sqlx::query_as!(
            Listed,
            r#"select id, state, unit, source, reference, matter, entered_on::text as "entered_on!", entered_at,
                      allegations
                 from reports_v1
                where (entered_at, id) < ($1, $2)
                  and ($3::text is null or state = $3)
                  and ($4::text[] is null or unit = any($4))
                  and not ($5 = any(recused))
                  and not ($6 = any(reporters)) "#
                + $restriction
                + " order by entered_at desc, id desc limit $7",
            $after.entered_at,
            $after.id,
            $stage,
            $reach.units.as_deref(),
            $reach.actor,
            $reach.mark,
            $most
            $(, $source)?
        )
    };
}

/// A page of the reports, the newest first; restricted to a stage and a source where these are given.
///
/// # Errors
/// Those of the database.
pub async fn list_reports(
    pool: &PgPool,
    reach: &Reach,
    page: &Page<Place>,
    stage: Option<&str>,
    source: &str,
) -> Result<Vec<Listed>, sqlx::Error> {
    let (after, most) = (page.after.unwrap_or(Place::START), page.most());
    // A source leads to its own index, which a statement for both cases would not use.
    if source.is_empty() {
        listed!("", after, stage, reach, most).fetch_all(pool).await
    } else {
        listed!("and source = $8", after, stage, reach, most, source)
            .fetch_all(pool)
            .await
    }
}

/// A matter that a report may repeat.
#[derive(Debug)]
pub struct CandidateRow {
    /// The matter.
    pub id: Uuid,
    /// The share of the report's topics that it has too.
    pub score: f64,
    /// Its handling unit.
    pub unit: String,
    /// Code of how far its case is.
    pub case_state: String,
    /// How many reports it has.
    pub reports: i32,
}

/// The matters that a report may repeat, best first, the newest first among equals; those that the actor may see,
/// because nobody can decide on what they cannot look at.
///
/// # Errors
/// Those of the database.
pub async fn candidates(
    pool: &PgPool,
    profile: &Profile,
    reach: &Reach,
    filed: &Filed,
) -> Result<Vec<CandidateRow>, sqlx::Error> {
    let topics: Vec<String> = topics(&filed.current_allegations()).into_iter().collect();
    let (Some(report), false) = (filed.allegations().first(), topics.is_empty()) else {
        return Ok(Vec::new());
    };
    let own = Uuid::from(own_matter(report.report));
    sqlx::query_as!(
        CandidateRow,
        r#"with near as (
               select distinct found.id
                 from unnest($1::text[]) as wanted (topic)
                cross join lateral (
                      select m.id
                        from matters_v1 m
                       where m.topics @> array[wanted.topic]
                         and m.id <> $2
                         and ($3::text[] is null or m.unit = any($3))
                         and not ($4 = any(m.recused))
                         and not ($5 = any(m.reporters))
                       order by m.opened_at desc, m.id desc
                       limit $6
                ) as found
           ), scored as (
               select m.id, m.unit, m.case_state, m.reports, m.opened_at,
                      (select count(*) from unnest(m.topics) as has (topic) where has.topic = any($1))::float8
                          / cardinality($1) as score
                 from near join matters_v1 m using (id)
           )
           select id, score as "score!", unit, case_state, reports
             from scored
            where score >= $7
            order by score desc, opened_at desc, id desc
            limit $8"#,
        &topics,
        own,
        reach.units.as_deref(),
        reach.actor,
        reach.mark,
        NEWEST_OF_A_TOPIC,
        profile.intake.candidate_min_score,
        i64::from(profile.intake.candidates_shown)
    )
    .fetch_all(pool)
    .await
}

/// The figures of a source, or of everything where it is empty: counted from what happened, in one snapshot.
///
/// # Errors
/// Those of the database.
pub async fn figures(pool: &PgPool, source: &str) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let counted = sqlx::query!(
        r#"with reports as (
               select * from reports_v1 where $1 = '' or source = $1
           ), figures (place, key, count) as (
               select 0, 'reports', count(*) from reports
               union all
               select 1, 'reports_' || state, count(reports.id)
                 from unnest(array['received', 'accepted', 'joined', 'declined', 'transferred', 'withdrawn']) as state
                 left join reports using (state)
                group by state
               union all
               select 2, 'matters', count(*) from matters_v1 where $1 = '' or source = $1
               union all
               select 3, 'subjects_identified', count(distinct subject)
                 from reports cross join unnest(subjects) as subject
               union all
               select 4, 'subjects_not_identified', coalesce(sum(not_identified), 0)::bigint from reports
               union all
               select 5, 'allegations', coalesce(sum(allegations), 0)::bigint from reports
           )
           select key as "key!", count as "count!" from figures order by place, key"#,
        source
    )
    .fetch_all(pool)
    .await?;
    Ok(counted
        .into_iter()
        .map(|figure| (figure.key, figure.count))
        .collect())
}

#[cfg(test)]
mod tests;

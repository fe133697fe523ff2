//! A matter: the issue that an accepted report raises, with all its subjects; later reports may join it.
//!
//! It is what intake tells verification of. Its decisions stand in the rooms of this folder: [`raising`] from its first
//! report and registering later ones, [`identification`] of its subjects, its [`level`], [`progress`] of its case,
//! [`recusing`] by what others tell, and what became of the [`clarification`] of its subjects' names.
//! Source: `domain.md`, Words and Intake.

pub mod clarification;
pub mod identification;
pub mod level;
pub mod progress;
pub mod raising;
pub mod recusing;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Announcement, Context, Decision, Effects, TextRef, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal};
use jiff::Timestamp;
use office::{ClarificationId, MatterId, ReportId, SubjectId, TextId, UnitCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::allegation::Allegation;
use crate::erasure::{self, Erasure, TextErased};
use crate::matter::clarification::Clarification;
use crate::matter::progress::{CaseProgress, CaseStage};
use crate::recusal::RECUSED;
use crate::report::joining::News;
use crate::report::{self, Report};
use crate::subject::Entry;

/// A matter.
#[derive(Clone, Copy, Debug)]
pub struct Matter;

/// Whether a joined report brings something new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewFacts {
    /// The same again.
    #[default]
    None,
    /// Something new; reopens a concluded case.
    Brought,
}

/// What is known of a matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none.
    #[default]
    Unknown,
    /// It was raised.
    Open(Box<Open>),
}

/// A matter that was raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// The register that its first report was entered from, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// When it was raised.
    pub opened_at: Timestamp,
    /// Its reports, the one that raised it first.
    pub reports: Vec<ReportId>,
    /// What is alleged, by all of them.
    pub allegations: Vec<Allegation>,
    /// The identified subjects.
    pub subjects: Vec<Entry>,
    /// Whom its placeholders turned out to be.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identified: BTreeMap<SubjectId, SubjectId>,
    /// Who stays out.
    pub recusal: Recusal,
    /// How far its case is.
    pub case: CaseProgress,
    /// What became of the clarifications of its subjects' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clarifications: BTreeMap<ClarificationId, Clarification>,
    /// Why its subjects were identified as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<TextRef>,
    /// Why it was raised to the unit above, once for each level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<TextRef>,
    /// Which of its texts are gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erased: BTreeSet<TextId>,
}

impl State {
    /// The matter, once it was raised.
    pub fn open(&self) -> Option<&Open> {
        match self {
            Self::Unknown => None,
            Self::Open(open) => Some(open),
        }
    }
}

/// What can be asked of a matter.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Raise it from a report that was accepted.
    Open {
        /// The report.
        report: ReportId,
    },
    /// Take in a report that joined it.
    RegisterJoinedReport {
        /// The report.
        report: ReportId,
    },
    /// Say who somebody is that was not identified.
    IdentifySubject {
        /// The placeholder.
        placeholder: SubjectId,
        /// The subject.
        subject: SubjectId,
        /// Why it is this one.
        reason: TextId,
    },
    /// Take it over to the unit above.
    RaiseLevel {
        /// Why.
        reason: TextId,
    },
    /// Keep how far its case is.
    RecordCaseState {
        /// The stage.
        stage: CaseStage,
        /// The conclusion's number, where the news names one.
        conclusion: Option<u32>,
        /// The news' number in the case's stream.
        sequence: i64,
    },
    /// Keep out who is recused; follows from verification's and clarification's events.
    LearnRecusal {
        /// Who.
        recusal: Recusal,
    },
    /// Keep what became of a clarification.
    RecordClarification {
        /// The clarification.
        id: ClarificationId,
        /// What became of it.
        clarification: Clarification,
    },
    /// Erase one of its texts.
    EraseText(Erasure),
}

chassis::events! {
    /// What can happen to a matter.
    pub enum Event {
        /// It was raised.
        Opened(raising::Opened) = "matter_opened" 1,
        /// A report joined it.
        ReportRegistered(raising::ReportRegistered) = "matter_report_registered" 2 { 1 => before_levels },
        /// Somebody was identified.
        SubjectIdentified(identification::SubjectIdentified) = "matter_subject_identified" 1,
        /// It was raised to the unit above.
        LevelRaised(level::LevelRaised) = "matter_level_raised" 1,
        /// Verification told how far the case is.
        CaseStateRecorded(progress::CaseStateRecorded) = "matter_case_state_recorded" 1,
        /// Verification or clarification told who is recused.
        ActorsRecused(recusing::ActorsRecused) = "matter_actors_recused" 1,
        /// Clarification told what became of one.
        ClarificationRecorded(clarification::ClarificationRecorded) = "matter_clarification_recorded" 1,
        /// One of its texts is gone.
        TextErased(TextErased) = "matter_text_erased" 1,
    }
}

/// Version 1 is of before a matter could be raised: whoever joined it lay where it was handled.
fn before_levels<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// What is asked before a decision on a matter.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// For raising it or taking in a report: the report.
    pub report: report::State,
    /// For an identification: the register's entry of the subject.
    pub subject: Option<Entry>,
}

impl Aggregate for Matter {
    const KIND: &'static str = MatterId::KIND;
    const FORMAT: u32 = 4;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context<Facts>) -> Decision<Event> {
        match command {
            Command::Open { report } => raising::open(state, *report, context),
            Command::RegisterJoinedReport { report } => raising::register(state, *report, context),
            Command::IdentifySubject {
                placeholder,
                subject,
                reason,
            } => {
                let open = state.open().ok_or(NOT_FOUND)?;
                identification::identify(open, *placeholder, *subject, *reason, context)
            }
            Command::RaiseLevel { reason } => {
                let open = state.open().ok_or(NOT_FOUND)?;
                level::raise(open, *reason, context)
            }
            Command::RecordCaseState {
                stage,
                conclusion,
                sequence,
            } => progress::record(state, *stage, *conclusion, *sequence),
            Command::LearnRecusal { recusal } => recusing::learn(state, recusal),
            Command::RecordClarification { id, clarification } => {
                clarification::record(state, *id, clarification)
            }
            Command::EraseText(wanted) => {
                let open = state.open().ok_or(NOT_FOUND)?;
                let erased = erasure::erase(
                    open.reasons.iter().chain(&open.raised),
                    &open.erased,
                    wanted,
                )?;
                Ok(erased.into_iter().map(Event::TextErased).collect())
            }
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let open = match (state, event) {
            (state, Event::Opened(opened)) => {
                *state = State::Open(Box::new(raising::raised(opened)));
                return;
            }
            (State::Open(open), _) => open,
            // Every history begins with its raising.
            (State::Unknown, _) => return,
        };
        match event {
            Event::Opened(_) => {}
            Event::ReportRegistered(registered) => {
                open.reports.push(registered.report);
                open.allegations
                    .extend(registered.allegations.iter().cloned());
                for subject in &registered.subjects {
                    enter(&mut open.subjects, subject);
                }
                open.recusal.extend(&registered.recusal);
            }
            Event::SubjectIdentified(identified) => identification::identified(open, identified),
            Event::LevelRaised(raised) => level::raised(open, raised),
            Event::CaseStateRecorded(recorded) => open.case = recorded.case.clone(),
            Event::ActorsRecused(recused) => open.recusal.extend(&recused.recusal),
            Event::ClarificationRecorded(recorded) => {
                open.clarifications
                    .insert(recorded.id, recorded.clarification.clone());
            }
            Event::TextErased(erased) => {
                open.erased.insert(erased.text);
            }
        }
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(open) = state.open() else {
            return Ok(());
        };
        visitor.within([&open.unit])?;
        open.recusal.check(visitor, RECUSED)
    }

    fn matter(id: Uuid, _state: &State) -> Option<Uuid> {
        Some(id)
    }

    fn announce(id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce(id.into(), event)
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        let (reports, news) = match event {
            Event::ReportRegistered(registered) => {
                if let Some(unit) = &registered.raised_to {
                    let news = News {
                        unit: Some(unit.clone()),
                        ..News::default()
                    };
                    tell(registered.report, &news, effects);
                }
                (
                    &registered.tell,
                    News {
                        recusal: registered.recusal.clone(),
                        ..News::default()
                    },
                )
            }
            Event::LevelRaised(raised) => (
                &raised.tell,
                News {
                    unit: Some(raised.to.clone()),
                    ..News::default()
                },
            ),
            Event::SubjectIdentified(identified) => (&identified.tell, identified.news()),
            Event::ActorsRecused(recused) => (
                &recused.tell,
                News {
                    recusal: recused.recusal.clone(),
                    ..News::default()
                },
            ),
            Event::TextErased(erased) => {
                effects.erase(erased.text);
                return;
            }
            Event::Opened(_) | Event::CaseStateRecorded(_) | Event::ClarificationRecorded(_) => {
                return;
            }
        };
        for report in reports {
            tell(*report, &news, effects);
        }
    }
}

/// Tells a report what became known here.
fn tell(report: ReportId, news: &News, effects: &mut Effects) {
    effects.then::<Report>(
        report,
        "FollowMatter",
        &report::Command::FollowMatter(news.clone()),
    );
}

/// Adds a subject that is not there yet.
fn enter(subjects: &mut Vec<Entry>, subject: &Entry) {
    if !subjects.iter().any(|known| known.id == subject.id) {
        subjects.push(subject.clone());
    }
}

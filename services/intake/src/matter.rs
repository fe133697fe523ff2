//! A matter: the issue that an accepted report raises, with all its subjects; later reports may join it.
//!
//! It is what intake tells verification of, and where intake keeps how far the case is. Identification of its subjects
//! stands in a room of its own, [`identification`].
//! Source: `domain.md`, Words and Intake.

pub mod identification;

use std::collections::BTreeMap;

use chassis::aggregate::{Aggregate, Announcement, Context, Decision, Effects, Rejection, Visitor};
use chassis::refusal::{NOT_FOUND, Refusal};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{MatterId, ReportId, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::allegation::Allegation;
use crate::recusal::{Mark, Recusal};
use crate::report::joining::News;
use crate::report::{self, Filed, Report, Stage};
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
}

/// How far a matter's case is, as verification told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseProgress {
    /// The stage.
    pub stage: CaseStage,
    /// The number of the last conclusion, 0 if there is none.
    pub conclusion: u32,
    /// The number of the last news in the case's stream; what is not above it is old.
    pub sequence: i64,
}

/// The stages of a case that intake knows of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStage {
    /// Verification has not told of one yet.
    #[default]
    Unheard,
    /// It is being verified.
    Opened,
    /// All findings were approved.
    Concluded,
    /// It is being verified again.
    Reopened,
    /// It ended without a conclusion.
    Discontinued,
}

impl CaseStage {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unheard => "unheard",
            Self::Opened => "opened",
            Self::Concluded => "concluded",
            Self::Reopened => "reopened",
            Self::Discontinued => "discontinued",
        }
    }
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
    /// Keep how far its case is.
    RecordCaseState {
        /// The stage.
        stage: CaseStage,
        /// The conclusion's number, where the news names one.
        conclusion: Option<u32>,
        /// The news' number in the case's stream.
        sequence: i64,
    },
}

/// It was raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The report that raised it.
    pub report: ReportId,
    /// The register that the report was entered from, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// What is alleged.
    pub allegations: Vec<Allegation>,
    /// The identified subjects.
    pub subjects: Vec<Entry>,
    /// The mark of a reporter who is an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_mark: Option<Mark>,
    /// The office's date when the report was entered.
    pub entered_on: Date,
    /// When it was raised.
    pub opened_at: Timestamp,
}

/// A report joined it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportRegistered {
    /// The report.
    pub report: ReportId,
    /// Whether it brings something new.
    pub new_facts: NewFacts,
    /// What it alleges.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Entry>,
    /// The mark of a reporter who is an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_mark: Option<Mark>,
    /// Who is recused through it and was not before.
    #[serde(default, skip_serializing_if = "Recusal::is_empty")]
    pub recusal: Recusal,
    /// The earlier reports that must know of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tell: Vec<ReportId>,
}

/// Verification told how far the case is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseStateRecorded {
    /// How far.
    pub case: CaseProgress,
}

chassis::events! {
    /// What can happen to a matter.
    pub enum Event {
        /// It was raised.
        Opened(Opened) = "matter_opened" 1,
        /// A report joined it.
        ReportRegistered(ReportRegistered) = "matter_report_registered" 1,
        /// Somebody was identified.
        SubjectIdentified(identification::SubjectIdentified) = "matter_subject_identified" 1,
        /// Verification told how far the case is.
        CaseStateRecorded(CaseStateRecorded) = "matter_case_state_recorded" 1,
    }
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
    const FORMAT: u32 = 1;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context<Facts>) -> Decision<Event> {
        match command {
            Command::Open { report } => open(state, *report, context),
            Command::RegisterJoinedReport { report } => register(state, *report, context),
            Command::IdentifySubject {
                placeholder,
                subject,
                reason,
            } => {
                let open = state.open().ok_or(NOT_FOUND)?;
                identification::identify(open, *placeholder, *subject, *reason, context)
            }
            Command::RecordCaseState {
                stage,
                conclusion,
                sequence,
            } => record_case_state(state, *stage, *conclusion, *sequence),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let open = match (state, event) {
            (state, Event::Opened(opened)) => {
                *state = State::Open(Box::new(raised(opened)));
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
            Event::CaseStateRecorded(recorded) => open.case = recorded.case.clone(),
        }
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(open) = state.open() else {
            return Ok(());
        };
        visitor.within([&open.unit])?;
        open.recusal.check(visitor)
    }

    fn matter(id: Uuid, _state: &State) -> Option<Uuid> {
        Some(id)
    }

    fn announce(id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce(id.into(), event)
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        let (reports, news) = match event {
            Event::ReportRegistered(registered) => (
                &registered.tell,
                News {
                    recusal: registered.recusal.clone(),
                    identified: None,
                },
            ),
            Event::SubjectIdentified(identified) => (&identified.tell, identified.news()),
            Event::Opened(_) | Event::CaseStateRecorded(_) => return,
        };
        for report in reports {
            effects.then::<Report>(
                *report,
                "FollowMatter",
                &report::Command::FollowMatter(news.clone()),
            );
        }
    }
}

fn raised(opened: &Opened) -> Open {
    Open {
        source: opened.source.clone(),
        unit: opened.unit.clone(),
        opened_at: opened.opened_at,
        reports: vec![opened.report],
        allegations: opened.allegations.clone(),
        subjects: opened.subjects.clone(),
        identified: BTreeMap::new(),
        recusal: Recusal {
            actors: opened
                .subjects
                .iter()
                .filter_map(|subject| subject.actor_id.clone())
                .collect(),
            reporters: opened.reporter_mark.iter().cloned().collect(),
        },
        case: CaseProgress::default(),
    }
}

/// Adds a subject that is not there yet.
fn enter(subjects: &mut Vec<Entry>, subject: &Entry) {
    if !subjects.iter().any(|known| known.id == subject.id) {
        subjects.push(subject.clone());
    }
}

/// The report of a command as the facts have it; it decided to come here, so it is there or will be.
fn filed(report: ReportId, facts: &Facts) -> Result<&Filed, Rejection> {
    let filed = facts.report.filed().ok_or(Rejection::Stale)?;
    let fits = |allegation: &Allegation| allegation.report == report;
    if filed.allegations().iter().all(fits) {
        Ok(filed)
    } else {
        Err(Rejection::Stale)
    }
}

fn open(state: &State, report: ReportId, context: &Context<Facts>) -> Decision<Event> {
    if state.open().is_some() {
        return Ok(Vec::new());
    }
    let filed = filed(report, &context.facts)?;
    let Stage::Accepted(accepted) = &filed.stage else {
        return Err(Rejection::Stale);
    };
    let submitted = &filed.submitted;
    Ok(vec![
        Opened {
            report,
            source: submitted.source.clone(),
            unit: accepted.unit.clone(),
            allegations: submitted.allegations.clone(),
            subjects: submitted.subjects.clone(),
            reporter_mark: submitted.reporter_mark.clone(),
            entered_on: submitted.entered_on,
            opened_at: context.now,
        }
        .into(),
    ])
}

/// A repeat is registered and kept whatever the case's state; what it means for a concluded case is verification's to
/// decide, from whether it brings new facts.
fn register(state: &State, report: ReportId, context: &Context<Facts>) -> Decision<Event> {
    let open = state.open().ok_or(NOT_FOUND)?;
    if open.reports.contains(&report) {
        return Ok(Vec::new());
    }
    let filed = filed(report, &context.facts)?;
    let Stage::Joined(joined) = &filed.stage else {
        return Err(Rejection::Stale);
    };
    let submitted = &filed.submitted;
    let recusal = open.recusal.lacking(&filed.recusal);
    Ok(vec![
        ReportRegistered {
            report,
            new_facts: joined.new_facts,
            allegations: submitted.allegations.clone(),
            subjects: submitted.subjects.clone(),
            reporter_mark: submitted.reporter_mark.clone(),
            tell: if recusal.is_empty() {
                Vec::new()
            } else {
                open.reports.clone()
            },
            recusal,
        }
        .into(),
    ])
}

/// One case a matter, one stream a case: its news carry a number, and what is not above the last one is old.
fn record_case_state(
    state: &State,
    stage: CaseStage,
    conclusion: Option<u32>,
    sequence: i64,
) -> Decision<Event> {
    let Some(open) = state.open() else {
        return Err(Rejection::NotYet("the matter of this case is not here"));
    };
    if sequence <= open.case.sequence {
        return Ok(Vec::new());
    }
    Ok(vec![
        CaseStateRecorded {
            case: CaseProgress {
                stage,
                conclusion: conclusion.unwrap_or(open.case.conclusion),
                sequence,
            },
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, given};

    use super::*;
    use crate::examples::{
        COUNTY, TOWN, about, accepted_report, acting_as, officer, raised, subject, submission, unit,
    };
    use crate::recusal::RECUSED;
    use crate::report::joining::Joined;

    /// The second report about somebody, joined to a matter.
    fn joined(matter: MatterId, subjects: &[Entry], new_facts: NewFacts) -> (ReportId, Facts) {
        let (id, state) = accepted_report(2, submission(subjects.iter().map(about)), subjects);
        let report::State::Filed(mut filed) = state else {
            panic!("it was submitted");
        };
        filed.stage = Stage::Joined(Joined {
            matter,
            unit: unit(COUNTY),
            new_facts,
            recusal: Recusal::default(),
        });
        let facts = Facts {
            report: report::State::Filed(filed),
            subject: None,
        };
        (id, facts)
    }

    fn matter() -> Given<Matter> {
        let one = subject("one");
        raised(submission([about(&one)]), &[one])
    }

    fn news(stage: CaseStage, conclusion: Option<u32>, sequence: i64) -> Command {
        Command::RecordCaseState {
            stage,
            conclusion,
            sequence,
        }
    }

    #[test]
    fn a_matter_is_raised_once_with_all_that_verification_needs() {
        let one = acting_as("colleague", subject("one"));
        let (report, state) =
            accepted_report(1, submission([about(&one)]), std::slice::from_ref(&one));
        let facts = Facts {
            report: state,
            subject: None,
        };
        let (events, after) = given::<Matter>()
            .facts(facts)
            .when(Command::Open { report })
            .accepted();
        let [Event::Opened(opened)] = &events[..] else {
            panic!("raised");
        };
        assert_eq!(opened.subjects, [one]);
        assert_eq!(opened.unit, unit(COUNTY));
        assert_eq!(opened.entered_on.to_string(), "2026-03-09");
        after
            .actor(officer("colleague", COUNTY))
            .when(Command::Open { report })
            .then_refused(&RECUSED);
    }

    #[test]
    fn a_matter_waits_for_the_report_that_raises_it() {
        let (report, _) = accepted_report(1, submission([]), &[]);
        given::<Matter>()
            .when(Command::Open { report })
            .then_stale();
    }

    #[test]
    fn a_matter_counts_its_reports() {
        let two = acting_as("latecomer", subject("two"));
        let matter = matter();
        let first = matter.state().open().expect("raised").reports[0];
        let (report, facts) = joined(matter.context().id.into(), &[two], NewFacts::Brought);
        let (events, after) = matter
            .facts(facts)
            .when(Command::RegisterJoinedReport { report })
            .accepted();
        let open = after.state().open().expect("raised");
        assert_eq!(open.reports, [first, report]);
        assert_eq!((open.allegations.len(), open.subjects.len()), (2, 2));
        let [Event::ReportRegistered(registered)] = &events[..] else {
            panic!("registered");
        };
        assert_eq!(registered.tell, [first], "it must know who is recused now");
        after
            .actor(officer("latecomer", COUNTY))
            .when(Command::RegisterJoinedReport { report })
            .then_refused(&RECUSED);
    }

    #[test]
    fn a_repeat_that_recuses_nobody_new_tells_no_report() {
        let matter = matter();
        let (report, facts) = joined(
            matter.context().id.into(),
            &[subject("one")],
            NewFacts::None,
        );
        let (events, after) = matter
            .facts(facts)
            .when(Command::RegisterJoinedReport { report })
            .accepted();
        let [Event::ReportRegistered(registered)] = &events[..] else {
            panic!("registered");
        };
        assert_eq!(registered.tell, []);
        assert_eq!(after.state().open().expect("raised").subjects.len(), 1);
    }

    #[test]
    fn a_matter_is_seen_by_its_unit_and_those_above() {
        matter()
            .actor(officer("below", TOWN))
            .when(news(CaseStage::Opened, None, 1))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn older_news_of_a_case_never_overwrite_newer() {
        let concluded = matter()
            .when(news(CaseStage::Opened, None, 1))
            .accepted()
            .1
            .when(news(CaseStage::Concluded, Some(1), 2))
            .accepted()
            .1
            .when(news(CaseStage::Opened, None, 1))
            .then_already();
        let reopened = concluded
            .when(news(CaseStage::Reopened, Some(1), 3))
            .accepted()
            .1;
        let discontinued = reopened
            .when(news(CaseStage::Discontinued, None, 4))
            .accepted()
            .1;
        let case = &discontinued.state().open().expect("raised").case;
        assert_eq!((case.stage, case.conclusion), (CaseStage::Discontinued, 1));
    }

    #[test]
    fn news_of_a_matter_that_is_not_here_yet_wait() {
        given::<Matter>()
            .when(news(CaseStage::Opened, None, 1))
            .then_not_yet();
    }

    #[test]
    fn each_private_event_is_told_as_at_most_one_public_one() {
        let one = acting_as("colleague", subject("one"));
        let (report, state) = accepted_report(1, submission([about(&one)]), &[one]);
        let facts = Facts {
            report: state,
            subject: None,
        };
        let (events, _) = given::<Matter>()
            .facts(facts)
            .when(Command::Open { report })
            .accepted();
        let told = Matter::announce(Uuid::from_u128(1), &events[0]).expect("verification is told");
        assert_eq!(told.name, "MatterOpened");
        let message: proto::intake::MatterOpened =
            serde_json::from_slice(&told.body).expect("it reads as the contract says");
        assert_eq!(message.subjects[0].actor_id, "colleague");
        assert_eq!(
            message.allegations[0].subject_kind(),
            proto::office::SubjectKind::Person
        );
        let recorded = Event::CaseStateRecorded(CaseStateRecorded {
            case: CaseProgress::default(),
        });
        assert_eq!(Matter::announce(Uuid::from_u128(1), &recorded), None);
    }
}

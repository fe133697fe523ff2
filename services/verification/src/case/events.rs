//! What can happen to a case, as it is stored for ever, and what each event does to the state.
//!
//! To add one: its payload here with its line in [`Event`], what it does in [`evolve`], and a sample
//! `tests/stored/<type>.<version>.json`. A payload holds ids, codes, dates and decisions only: a reason or description
//! is a text, of which the event knows id and digest. To change one: a new version with an upcast, never a renamed or
//! reused field.

use chassis::aggregate::TextRef;
use chassis::recusal::{Mark, Recusal};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{
    ActorId, AllegationId, Due, EvidenceId, MatterId, Notice, ReportId, SubjectId, UnitCode,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::course::Deadline;
use super::findings::{Found, ProposedFinding, ReturnCause};
use super::harm::{self, Harm, SubjectHarm};
use super::investigation::EvidenceKind;
use super::opening::{Allegation, Subject, SubjectKind, mark_or_empty};
use super::{Dossier, Progress, State, Team};

chassis::events! {
    /// What can happen to a case.
    pub enum Event {
        /// It was opened for a matter.
        Opened(Opened) = "case_opened" 1,
        /// A report joined, whose allegations are found on with the others.
        ReportJoined(ReportJoined) = "report_joined" 2 { 1 => without_matter },
        /// A report joined the ended case without new facts; it is registered and asks for nothing.
        ReportRegistered(ReportRegistered) = "report_registered" 2 { 1 => without_matter },
        /// It became known who a subject is.
        SubjectIdentified(SubjectIdentified) = "subject_identified" 2 { 1 => without_matter },
        /// Its matter was raised: another unit handles it, or will once it is opened again.
        Moved(Moved) = "case_moved" 1,
        /// Investigators were assigned in place of any before.
        InvestigatorsAssigned(InvestigatorsAssigned) = "investigators_assigned" 1,
        /// An actor declared a conflict of interest.
        ConflictDeclared(ConflictDeclared) = "conflict_declared" 2 { 1 => without_matter },
        /// Others told who is recused.
        ActorsRecused(ActorsRecused) = "case_actors_recused" 1,
        /// Evidence was recorded.
        EvidenceRecorded(EvidenceRecorded) = "evidence_recorded" 1,
        /// A finding was proposed for each allegation.
        FindingsProposed(FindingsProposed) = "findings_proposed" 2 { 1 => without_harm },
        /// What was proposed went back to the investigators.
        FindingsReturned(FindingsReturned) = "findings_returned" 2 { 1 => before_moves },
        /// What was proposed was approved.
        Concluded(Concluded) = "case_concluded" 2 { 1 => without_harm },
        /// The deadline was stopped.
        Suspended(Suspended) = "case_suspended" 1,
        /// The deadline goes on.
        Resumed(Resumed) = "case_resumed" 1,
        /// It ended without a conclusion.
        Discontinued(Discontinued) = "case_discontinued" 1,
        /// It was opened again.
        Reopened(Reopened) = "case_reopened" 1,
        /// The deadline is near.
        DeadlineNear(DeadlineNear) = "deadline_near" 1,
        /// The deadline has passed.
        DeadlineOverdue(DeadlineOverdue) = "deadline_overdue" 1,
    }
}

/// Version 1 knew of no harm. That none is told reads as what it was: nothing recorded.
fn without_harm<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// Version 1 did not name the matter; nobody was told of these events then, so nobody asks which it was.
fn without_matter<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// Version 1 knew of no return because a case moved.
fn before_moves<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// See [`Event::Opened`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The matter.
    pub matter: MatterId,
    /// The report that raised it.
    pub report: ReportId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// What is alleged.
    pub allegations: Vec<Allegation>,
    /// The identified subjects.
    pub subjects: Vec<Subject>,
    /// The mark of the reporter, if that is an official.
    #[serde(with = "mark_or_empty")]
    pub reporter_mark: Option<Mark>,
    /// By when it must be concluded.
    pub due: Due,
}

/// See [`Event::ReportJoined`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportJoined {
    /// The matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterId>,
    /// The report.
    pub report: ReportId,
    /// The allegations that it adds.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Subject>,
    /// The mark of its reporter, if that is an official.
    #[serde(with = "mark_or_empty")]
    pub reporter_mark: Option<Mark>,
}

/// See [`Event::ReportRegistered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportRegistered {
    /// The matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterId>,
    /// The report.
    pub report: ReportId,
    /// The allegations that it repeats.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Subject>,
    /// The mark of its reporter, if that is an official.
    #[serde(with = "mark_or_empty")]
    pub reporter_mark: Option<Mark>,
}

/// See [`Event::SubjectIdentified`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectIdentified {
    /// The matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterId>,
    /// Under which id it was not identified.
    pub placeholder: SubjectId,
    /// Who it is; one with the subject of the same id, if the case has it.
    pub subject: Subject,
}

/// See [`Event::Moved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// The unit that handled it, or would have once it was opened again.
    pub from: UnitCode,
    /// The unit that does from now on, or will once it is opened again.
    pub to: UnitCode,
}

/// See [`Event::InvestigatorsAssigned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InvestigatorsAssigned {
    /// Who investigates from now on.
    pub investigators: Team,
    /// How many the policy demanded.
    pub at_least: u32,
}

/// See [`Event::ConflictDeclared`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictDeclared {
    /// The matter, from all of which they are recused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterId>,
    /// Who declared it and is recused from now on.
    pub actor: ActorId,
    /// Why.
    pub reason: TextRef,
}

/// See [`Event::ActorsRecused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorsRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
}

/// See [`Event::EvidenceRecorded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRecorded {
    /// The investigator who recorded it.
    pub by: ActorId,
    /// The items.
    pub items: Vec<RecordedEvidence>,
}

/// One item of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedEvidence {
    /// Its id.
    pub id: EvidenceId,
    /// Its kind.
    pub kind: EvidenceKind,
    /// What it is and where it comes from.
    pub description: TextRef,
    /// When it was obtained.
    pub obtained_on: Date,
    /// SHA-256 of its attachment, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<String>,
}

/// See [`Event::FindingsProposed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingsProposed {
    /// The investigator who proposed.
    pub by: ActorId,
    /// Exactly one finding for each allegation.
    pub findings: Vec<ProposedFinding>,
    /// At most one harm for each subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub harms: Vec<SubjectHarm>,
}

/// See [`Event::FindingsReturned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingsReturned {
    /// Why.
    pub cause: ReturnCause,
}

/// See [`Event::Concluded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concluded {
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// 1 for the first conclusion, 2 for the next, and so on.
    pub number: i32,
    /// The unit that concluded.
    pub unit: UnitCode,
    /// All findings, by subject.
    pub subjects: Vec<ConcludedSubject>,
    /// On which day; `None` where it was stored before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
}

/// What a conclusion says about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConcludedSubject {
    /// The subject.
    pub subject: SubjectId,
    /// What it is.
    pub kind: SubjectKind,
    /// A finding for each allegation on it.
    pub findings: Vec<ConcludedFinding>,
    /// How the untrue ones among them harmed it; `None` where nothing was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<Harm>,
}

/// One finding of a conclusion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConcludedFinding {
    /// On which allegation.
    pub allegation: AllegationId,
    /// What was found, and on what it rests.
    pub found: Found,
}

/// See [`Event::Suspended`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspended {
    /// Why; a code.
    pub reason: String,
    /// Days that were left until the deadline; negative if it had passed.
    pub days_left: i32,
}

/// See [`Event::Resumed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// The deadline, with the days that were left.
    pub due: Due,
    /// What had been said of the deadline before.
    pub notice: Notice,
}

/// See [`Event::Discontinued`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discontinued {
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// Why; a code.
    pub reason: String,
}

/// See [`Event::Reopened`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reopened {
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// The conclusion that no longer stands; 0 if the case had none.
    pub number: i32,
    /// Why; a code: `new_facts`, `identified`, or the officer's.
    pub reason: String,
    /// By when it must be concluded again.
    pub due: Due,
}

/// See [`Event::DeadlineNear`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadlineNear {
    /// The deadline.
    pub due: Timestamp,
}

/// See [`Event::DeadlineOverdue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadlineOverdue {
    /// The deadline that has passed.
    pub due: Timestamp,
}

/// Lets an event happen. An event that does not fit the state was never decided on it, and leaves it as it is.
pub(super) fn evolve(state: &mut State, event: &Event) {
    match event {
        Event::Opened(opened) => *state = open(opened),
        Event::Discontinued(discontinued) => discontinue(state, discontinued),
        Event::Concluded(concluded) => conclude(state, concluded),
        Event::Reopened(reopened) => reopen(state, reopened),
        Event::ReportJoined(joined) => {
            if let Some(dossier) = state.dossier_mut() {
                dossier.reports.insert(joined.report);
                dossier.learn(&joined.subjects, joined.reporter_mark.as_ref());
                dossier.allegations.extend_from_slice(&joined.allegations);
            }
        }
        Event::ReportRegistered(registered) => {
            if let Some(dossier) = state.dossier_mut() {
                dossier.reports.insert(registered.report);
                dossier.learn(&registered.subjects, registered.reporter_mark.as_ref());
                dossier
                    .registered
                    .extend_from_slice(&registered.allegations);
            }
        }
        Event::SubjectIdentified(identified) => {
            if let Some(dossier) = state.dossier_mut() {
                identify(dossier, identified);
            }
        }
        Event::Moved(moved) => move_to(state, &moved.to),
        Event::ActorsRecused(recused) => {
            if let Some(dossier) = state.dossier_mut() {
                dossier.recusal.extend(&recused.recusal);
            }
        }
        Event::ConflictDeclared(declared) => {
            if let Some(dossier) = state.dossier_mut() {
                dossier.recusal.actors.insert(declared.actor.clone());
            }
        }
        Event::InvestigatorsAssigned(_)
        | Event::EvidenceRecorded(_)
        | Event::FindingsProposed(_)
        | Event::FindingsReturned(_)
        | Event::Suspended(_)
        | Event::Resumed(_)
        | Event::DeadlineNear(_)
        | Event::DeadlineOverdue(_) => {
            if let State::Open {
                dossier,
                progress,
                deadline,
            } = state
            {
                work(dossier, progress, deadline, event);
            }
        }
    }
}

fn open(opened: &Opened) -> State {
    let mut dossier = Dossier {
        matter: opened.matter,
        source: opened.source.clone(),
        unit: opened.unit.clone(),
        moves_to: None,
        reports: [opened.report].into(),
        allegations: opened.allegations.clone(),
        registered: Vec::new(),
        recusal: Recusal::default(),
        took_part: [].into(),
        evidence: Vec::new(),
        conclusions: 0,
        reopened: None,
    };
    dossier.learn(&opened.subjects, opened.reporter_mark.as_ref());
    State::Open {
        dossier,
        progress: Progress::Unassigned,
        deadline: Deadline::fresh(opened.due),
    }
}

/// What happens to an open case that stays open.
fn work(dossier: &mut Dossier, progress: &mut Progress, deadline: &mut Deadline, event: &Event) {
    match event {
        Event::InvestigatorsAssigned(assigned) => {
            dossier
                .took_part
                .extend(assigned.investigators.iter().cloned());
            *progress = Progress::of(assigned.investigators.clone(), None);
        }
        Event::EvidenceRecorded(recorded) => {
            dossier.took_part.insert(recorded.by.clone());
            dossier
                .evidence
                .extend(recorded.items.iter().map(|item| item.id));
        }
        Event::FindingsProposed(proposed) => {
            dossier.took_part.insert(proposed.by.clone());
            let findings = proposed.findings.iter();
            *progress = Progress::Proposed {
                team: progress.team().cloned().unwrap_or_default(),
                by: proposed.by.clone(),
                findings: findings
                    .map(|finding| (finding.allegation, finding.found.clone()))
                    .collect(),
                harms: harm::by_subject(&proposed.harms),
            };
        }
        Event::FindingsReturned(returned) => {
            let team = progress.team().cloned().unwrap_or_default();
            *progress = Progress::of(team, Some(returned.cause.clone()));
        }
        Event::Suspended(suspended) => deadline.stop(suspended),
        Event::Resumed(resumed) => *deadline = Deadline::going_on(resumed),
        Event::DeadlineNear(_) => deadline.notice(Notice::Near),
        Event::DeadlineOverdue(_) => deadline.notice(Notice::Overdue),
        _ => {}
    }
}

fn conclude(state: &mut State, concluded: &Concluded) {
    let (mut dossier, team) = match std::mem::take(state) {
        State::Open {
            dossier, progress, ..
        } => (dossier, progress.into_team()),
        other => {
            *state = other;
            return;
        }
    };
    dossier.conclusions = concluded.number;
    dossier.reopened = None;
    let findings = concluded.subjects.iter().flat_map(|said| &said.findings);
    let harms = concluded.subjects.iter();
    *state = State::Concluded {
        dossier,
        team,
        findings: findings
            .map(|finding| (finding.allegation, finding.found.clone()))
            .collect(),
        harms: harms
            .filter_map(|said| Some((said.subject, said.harm.clone()?)))
            .collect(),
    };
}

fn discontinue(state: &mut State, discontinued: &Discontinued) {
    *state = match std::mem::take(state) {
        State::Open {
            dossier, progress, ..
        } => State::Discontinued {
            dossier,
            team: progress.into_team(),
            reason: discontinued.reason.clone(),
        },
        other => other,
    };
}

fn reopen(state: &mut State, reopened: &Reopened) {
    *state = match std::mem::take(state) {
        State::Concluded {
            mut dossier, team, ..
        }
        | State::Discontinued {
            mut dossier, team, ..
        } => {
            // What was only registered so far is found on with the others: every allegation gets its finding.
            let registered = std::mem::take(&mut dossier.registered);
            dossier.allegations.extend(registered);
            dossier.reopened = Some(reopened.reason.clone());
            // Another unit begins with investigators of its own.
            let team = match dossier.moves_to.take() {
                Some(unit) => {
                    dossier.unit = unit;
                    Team::new()
                }
                None => team,
            };
            State::Open {
                dossier,
                progress: Progress::of(team, None),
                deadline: Deadline::fresh(reopened.due),
            }
        }
        other => other,
    };
}

fn move_to(state: &mut State, unit: &UnitCode) {
    match state {
        State::Unopened => {}
        State::Open {
            dossier, progress, ..
        } => {
            dossier.unit = unit.clone();
            *progress = Progress::Unassigned;
        }
        State::Concluded { dossier, .. } | State::Discontinued { dossier, .. } => {
            dossier.moves_to = Some(unit.clone());
        }
    }
}

fn identify(dossier: &mut Dossier, identified: &SubjectIdentified) {
    let all = dossier
        .allegations
        .iter_mut()
        .chain(&mut dossier.registered);
    for allegation in all {
        if allegation.subject == identified.placeholder {
            allegation.subject = identified.subject.id;
            allegation.subject_kind = identified.subject.kind;
        }
    }
    dossier.learn(std::slice::from_ref(&identified.subject), None);
}

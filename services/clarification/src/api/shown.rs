//! How clarifications, ledgers and integrity files are shown, in the words of the contract.

pub(super) mod meetings;

use std::collections::BTreeSet;

use chassis::aggregate::TextRef;
use chassis::hexadecimal;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ClarificationId, Department, Finding, Notice, Profile, SubjectId};
use proto::clarification as v1;
use proto::office as o;

use crate::announcements::{form, subject_kind};
use crate::clarification::afterwards::Confirmation;
use crate::clarification::applying::Application;
use crate::clarification::carrying_out::Execution;
use crate::clarification::forms::{Form, recommended};
use crate::clarification::screening::{Given, Opinion};
use crate::clarification::waiting::Applied;
use crate::clarification::wish::{Said, Wish};
use crate::clarification::{Dossier, Preparation, Progress, Stage, Standing, State};
use crate::conclusion::{Clearance, Degree, Exclusion, Harm, Line, Reach, Reason, SubjectHarm};
use crate::integrity::{self, Entry, Kind};
use crate::ledger::Number;
use crate::printing::{Document, Kind as DocumentKind};
use crate::views::{self, Listed};

/// A clarification as its visitors see it; `None` where there is nothing.
pub(super) fn clarification(
    id: ClarificationId,
    version: i64,
    state: &State,
    profile: &Profile,
) -> Option<v1::Clarification> {
    let (mut shown, applications) = match state {
        State::Unopened => return None,
        State::Applied(applied) => (waiting(applied), &applied.applications),
        State::Open(dossier) => (opened(dossier, profile), &dossier.applications),
    };
    shown.clarification_id = id.to_string();
    shown.version = version;
    let received = applications.received.iter();
    shown.applications = received.map(application).collect();
    shown.set_state(self::state(state.standing()));
    let reasons = state.reasons();
    let codes: BTreeSet<_> = reasons.iter().map(Reason::code).collect();
    shown.reasons = codes.into_iter().map(str::to_owned).collect();
    shown.unmet = reasons.iter().map(unmet).collect();
    Some(shown)
}

/// One whose subject has applied, and that no conclusion has opened.
fn waiting(applied: &Applied) -> v1::Clarification {
    v1::Clarification {
        matter_id: applied.matter.to_string(),
        subject_id: applied.subject.id.to_string(),
        subject_kind: subject_kind(applied.subject.kind).into(),
        source: applied.source.clone(),
        unit: applied.unit.to_string(),
        ..v1::Clarification::default()
    }
}

fn opened(dossier: &Dossier, profile: &Profile) -> v1::Clarification {
    let mut shown = v1::Clarification {
        matter_id: dossier.matter.to_string(),
        subject_id: dossier.subject.id.to_string(),
        subject_kind: subject_kind(dossier.subject.kind).into(),
        source: dossier.source.clone(),
        unit: dossier.clearance.unit.to_string(),
        conclusion: dossier.clearance.conclusion,
        harm: harm(dossier),
        ledger: dossier
            .entries
            .last()
            .map(|entered| number(&entered.number)),
        round: i32::try_from(dossier.round).unwrap_or(i32::MAX),
        due_on: views::due_on(&dossier.stage)
            .map(|day| day.to_string())
            .unwrap_or_default(),
        documents: dossier.documents().iter().map(document).collect(),
        earlier_documents: dossier.earlier_documents().map(earlier).collect(),
        ..v1::Clarification::default()
    };
    if let Some(preparation) = dossier.preparation() {
        prepared(&mut shown, preparation, &dossier.clearance, profile);
    }
    if let Stage::CarriedOut {
        execution,
        confirmation,
        ..
    } = &dossier.stage
    {
        carried_out(&mut shown, execution);
        if let Confirmation::Awaited | Confirmation::Reminded = confirmation {
            let due_on = profile.calendar.date(execution.remind_at);
            shown.confirmation_due_on = due_on.to_string();
        }
    }
    shown.set_notice(notice(dossier.notice()));
    shown.removals = removals(dossier, profile);
    shown
}

/// Every bulletin that was published, by the day of its removal.
fn removals(dossier: &Dossier, profile: &Profile) -> Vec<v1::BulletinRemoval> {
    let asked = dossier.removal_asked.iter().map(|at| (*at, true));
    let not_asked = dossier.removals.iter().map(|at| (*at, false));
    let mut removals: Vec<(Timestamp, bool)> = asked.chain(not_asked).collect();
    removals.sort_unstable();
    let removals = removals.into_iter();
    let shown = removals.map(|(at, asked)| v1::BulletinRemoval {
        due_on: profile.calendar.date(at).to_string(),
        asked,
    });
    shown.collect()
}

fn notice(said: Notice) -> v1::DeadlineNotice {
    match said {
        Notice::Silent => v1::DeadlineNotice::Unspecified,
        Notice::Near => v1::DeadlineNotice::Near,
        Notice::Overdue => v1::DeadlineNotice::Overdue,
    }
}

/// What was said of a deadline, as a caller filters by it.
pub(super) fn notice_of(notice: v1::DeadlineNotice) -> Option<Notice> {
    match notice {
        v1::DeadlineNotice::Unspecified => None,
        v1::DeadlineNotice::Near => Some(Notice::Near),
        v1::DeadlineNotice::Overdue => Some(Notice::Overdue),
    }
}

/// One that was handed over in an earlier round.
fn earlier((round, earlier): (u32, &Document)) -> v1::Document {
    v1::Document {
        round: i32::try_from(round).unwrap_or(i32::MAX),
        ..document(earlier)
    }
}

/// A document, without its bytes.
pub(super) fn document(document: &Document) -> v1::Document {
    let mut shown = v1::Document {
        language: document.language.clone(),
        media_type: "application/pdf".to_owned(),
        sha256: hexadecimal::encode(&document.sha256),
        pages: i32::try_from(document.pages).unwrap_or(i32::MAX),
        text_id: document.bytes.id.to_string(),
        ..v1::Document::default()
    };
    shown.set_kind(match document.kind {
        DocumentKind::Letter => v1::DocumentKind::Letter,
        DocumentKind::Bulletin => v1::DocumentKind::Bulletin,
        DocumentKind::Announcement => v1::DocumentKind::Announcement,
        DocumentKind::Record => v1::DocumentKind::Record,
    });
    shown
}

/// The kind that a question names.
pub(super) fn document_kind_of(kind: v1::DocumentKind) -> Option<DocumentKind> {
    match kind {
        v1::DocumentKind::Letter => Some(DocumentKind::Letter),
        v1::DocumentKind::Bulletin => Some(DocumentKind::Bulletin),
        v1::DocumentKind::Announcement => Some(DocumentKind::Announcement),
        v1::DocumentKind::Record => Some(DocumentKind::Record),
        v1::DocumentKind::Unspecified => None,
    }
}

fn prepared(
    shown: &mut v1::Clarification,
    preparation: &Preparation,
    clearance: &Clearance,
    profile: &Profile,
) {
    let opinions = preparation.screening.opinions.iter();
    shown.opinions = opinions
        .map(|(department, given)| opinion(department, given))
        .collect();
    let missing = preparation.screening.missing();
    shown.opinions_missing = missing.map(ToString::to_string).collect();
    if let Some(wish) = &preparation.wish {
        wished(shown, wish);
        let discreet = &profile.clarification.discreet_categories;
        // Of a form that was decided, what was recommended then; before that, what is now.
        let recommendation = match preparation.progress.form() {
            Some(decided) => Some(decided.recommended),
            None => recommended(clearance, wish, discreet),
        };
        if let Some(recommendation) = recommendation {
            shown.set_recommended_form(form(recommendation.form));
            recommendation
                .because
                .code()
                .clone_into(&mut shown.recommended_because);
        }
    }
    if let Some(decided) = preparation.progress.form() {
        shown.set_form(form(decided.form));
        shown.form_reason = decided.reason.as_ref().map(text);
    }
    if let Progress::FormDecided { returned, .. } = &preparation.progress {
        shown.returned = returned.as_ref().map(text);
    }
    if let Some(statement) = preparation.progress.statement() {
        shown.statement = statement.lines.iter().map(statement_line).collect();
        shown.note = statement.note.as_ref().map(text);
    }
}

fn wished(shown: &mut v1::Clarification, wish: &Wish) {
    match wish {
        Wish::Heard { on, said, .. } => {
            shown.heard_on = on.to_string();
            shown.spoken_by = wish
                .spoken_by()
                .map(|speaker| speaker.person.to_string())
                .unwrap_or_default();
            shown.set_wish(match said {
                Said::Wants { .. } => v1::Wish::Wants,
                Said::Declines => v1::Wish::Declines,
            });
        }
        Wish::Unreachable { reason, .. } => shown.unreachable = Some(text(reason)),
    }
    shown.wanted = forms(wish.wanted());
    shown.refused = forms(Form::ALL.into_iter().filter(|form| wish.refuses(*form)));
}

fn forms(forms: impl IntoIterator<Item = Form>) -> Vec<i32> {
    forms.into_iter().map(|one| form(one).into()).collect()
}

fn carried_out(shown: &mut v1::Clarification, execution: &Execution) {
    shown.carried_out_on = execution.on.to_string();
    shown.place = Some(text(&execution.place));
    shown.handed_over_by = execution.handed_over_by.to_string();
    if let Some(meeting) = &execution.meeting {
        shown.meeting_id = meeting.id.to_string();
        shown.attendance = i32::try_from(meeting.attendance).unwrap_or(i32::MAX);
        shown.attended = Some(text(&meeting.attended));
    }
    if let Some(bulletin) = &execution.bulletin {
        shown.published_in = Some(text(&bulletin.published_in));
        shown.published_until = bulletin.until.to_string();
    }
}

/// A condition that is not met.
pub(super) fn unmet(reason: &Reason) -> v1::UnmetCondition {
    let mut shown = v1::UnmetCondition {
        code: reason.code().to_owned(),
        allegation_id: reason
            .allegation()
            .map(|allegation| allegation.to_string())
            .unwrap_or_default(),
        ..v1::UnmetCondition::default()
    };
    if let Reason::Closed { reason, .. } = reason {
        shown.set_closing_reason(closing_reason(reason));
    }
    shown
}

fn application(application: &Application) -> v1::Application {
    v1::Application {
        applied_on: application.on.to_string(),
        application: Some(text(&application.text)),
        by: application.by.to_string(),
        spoken_by: application.spoken_by.person.to_string(),
        wanted: forms(application.wanted.iter().copied()),
        refused: forms(application.refused.iter().copied()),
    }
}

fn opinion(department: &Department, given: &Given) -> v1::DepartmentOpinion {
    let opinion = match given.opinion {
        Opinion::Agrees => v1::Opinion::Agrees,
        Opinion::Objects => v1::Opinion::Objects,
    };
    v1::DepartmentOpinion {
        department: department.to_string(),
        opinion: opinion.into(),
        by: given.by.to_string(),
        reason: Some(text(&given.reason)),
    }
}

fn statement_line(line: &Line) -> v1::StatementLine {
    let (finding, closing_reason) = finding(&line.finding);
    v1::StatementLine {
        allegation_id: line.allegation.to_string(),
        category: line.category.clone(),
        finding: finding.into(),
        closing_reason: closing_reason.into(),
        occurred_on: line
            .occurred_on
            .map(|day| day.to_string())
            .unwrap_or_default(),
    }
}

fn finding(finding: &Finding) -> (o::Finding, o::ClosingReason) {
    let none = o::ClosingReason::Unspecified;
    match finding {
        Finding::Substantiated => (o::Finding::Substantiated, none),
        Finding::Unsubstantiated => (o::Finding::Unsubstantiated, none),
        Finding::Unfounded => (o::Finding::Unfounded, none),
        Finding::Exonerated => (o::Finding::Exonerated, none),
        Finding::Closed(code) => (o::Finding::Closed, closing_reason(code)),
    }
}

fn closing_reason(code: &str) -> o::ClosingReason {
    let name = format!("CLOSING_REASON_{}", code.to_ascii_uppercase());
    o::ClosingReason::from_str_name(&name).unwrap_or(o::ClosingReason::Other)
}

fn harm(dossier: &Dossier) -> Option<o::SubjectHarm> {
    let recorded: &SubjectHarm = dossier.clearance.harm.as_ref()?;
    let harm = |harm: &Harm| match harm {
        Harm::None => o::Harm::None,
        Harm::AdvancementAffected => o::Harm::AdvancementAffected,
        Harm::RightsHarmed => o::Harm::RightsHarmed,
        Harm::ReportedAgain => o::Harm::ReportedAgain,
        Harm::SpreadInPublic => o::Harm::SpreadInPublic,
    };
    let exclusion = |exclusion: &Exclusion| match exclusion {
        Exclusion::WrittenExplanation => o::HarmExclusion::WrittenExplanation,
        Exclusion::MerelyTalkedTo => o::HarmExclusion::MerelyTalkedTo,
    };
    let degree = match recorded.degree {
        None => o::HarmDegree::Unspecified,
        Some(Degree::Slight) => o::HarmDegree::Slight,
        Some(Degree::Serious) => o::HarmDegree::Serious,
        Some(Degree::Grave) => o::HarmDegree::Grave,
    };
    let reach = match recorded.reach {
        None => o::HarmReach::Unspecified,
        Some(Reach::Few) => o::HarmReach::Few,
        Some(Reach::Unit) => o::HarmReach::Unit,
        Some(Reach::Public) => o::HarmReach::Public,
    };
    let harms = recorded.harms.iter().map(harm);
    let exclusions = recorded.exclusions.iter().map(exclusion);
    Some(o::SubjectHarm {
        subject_id: dossier.subject.id.to_string(),
        harms: harms.map(Into::into).collect(),
        degree: degree.into(),
        reach: reach.into(),
        exclusions: exclusions.map(Into::into).collect(),
    })
}

fn number(number: &Number) -> v1::LedgerNumber {
    v1::LedgerNumber {
        unit: number.unit.to_string(),
        year: number.year.into(),
        number: number.number,
    }
}

fn text(text: &TextRef) -> o::TextRef {
    o::TextRef {
        text_id: text.id.to_string(),
        digest: hexadecimal::encode(&text.digest),
    }
}

/// The state that a caller filters by.
pub(super) fn standing_of(state: v1::ClarificationState) -> Option<Standing> {
    Some(match state {
        v1::ClarificationState::Unspecified => return None,
        v1::ClarificationState::Applied => Standing::Applied,
        v1::ClarificationState::Screening => Standing::Screening,
        v1::ClarificationState::Eligible => Standing::Eligible,
        v1::ClarificationState::NotEligible => Standing::NotEligible,
        v1::ClarificationState::FormDecided => Standing::FormDecided,
        v1::ClarificationState::Drafted => Standing::Drafted,
        v1::ClarificationState::Approved => Standing::Approved,
        v1::ClarificationState::CarriedOut => Standing::CarriedOut,
        v1::ClarificationState::Confirmed => Standing::Confirmed,
        v1::ClarificationState::Declined => Standing::Declined,
        v1::ClarificationState::Halted => Standing::Halted,
        v1::ClarificationState::Superseded => Standing::Superseded,
    })
}

fn state(standing: Option<Standing>) -> v1::ClarificationState {
    match standing {
        None => v1::ClarificationState::Unspecified,
        Some(Standing::Applied) => v1::ClarificationState::Applied,
        Some(Standing::Screening) => v1::ClarificationState::Screening,
        Some(Standing::Eligible) => v1::ClarificationState::Eligible,
        Some(Standing::NotEligible) => v1::ClarificationState::NotEligible,
        Some(Standing::FormDecided) => v1::ClarificationState::FormDecided,
        Some(Standing::Drafted) => v1::ClarificationState::Drafted,
        Some(Standing::Approved) => v1::ClarificationState::Approved,
        Some(Standing::CarriedOut) => v1::ClarificationState::CarriedOut,
        Some(Standing::Confirmed) => v1::ClarificationState::Confirmed,
        Some(Standing::Declined) => v1::ClarificationState::Declined,
        Some(Standing::Halted) => v1::ClarificationState::Halted,
        Some(Standing::Superseded) => v1::ClarificationState::Superseded,
    }
}

/// A line of the list.
pub(super) fn line(row: Listed) -> v1::ClarificationRow {
    let kind = match row.subject_kind.as_str() {
        "person" => o::SubjectKind::Person,
        "organisation" => o::SubjectKind::Organisation,
        _ => o::SubjectKind::Unspecified,
    };
    v1::ClarificationRow {
        clarification_id: row.id.to_string(),
        matter_id: row.matter.to_string(),
        subject_id: row.subject.to_string(),
        subject_kind: kind.into(),
        state: state(row.standing()).into(),
        notice: notice(row.notice()).into(),
        unreachable: row.unreachable,
        form: row.form().map(form).unwrap_or_default().into(),
        unit: row.unit,
        source: row.source,
        due_on: row.due_on,
    }
}

/// A line of the ledger of a unit and year.
pub(super) fn ledger_entry(unit: &str, year: i32, line: views::Line) -> v1::LedgerEntry {
    let form = line.form().map(form).unwrap_or_default();
    let superseded = line
        .supersedes_unit
        .zip(line.supersedes_year)
        .zip(line.supersedes_number);
    v1::LedgerEntry {
        number: Some(v1::LedgerNumber {
            unit: unit.to_owned(),
            year,
            number: line.number,
        }),
        clarification_id: line.clarification.to_string(),
        matter_id: line.matter.to_string(),
        subject_id: line.subject.to_string(),
        form: form.into(),
        entered_on: line.entered_on,
        supersedes: superseded.map(|((unit, year), number)| v1::LedgerNumber {
            unit,
            year,
            number,
        }),
        source: line.source,
    }
}

/// An integrity file, in the order in which things happened.
pub(super) fn integrity_file(
    subject: SubjectId,
    version: i64,
    state: &integrity::State,
) -> v1::GetIntegrityFileResponse {
    let mut entries: Vec<&Entry> = state.entries.iter().collect();
    entries.sort_by_key(|entry| entry.on);
    v1::GetIntegrityFileResponse {
        subject_id: subject.to_string(),
        version,
        entries: entries.into_iter().map(entry).collect(),
    }
}

fn entry(entry: &Entry) -> v1::IntegrityEntry {
    let kind = match entry.kind {
        Kind::Cleared => v1::IntegrityEntryKind::Cleared,
        Kind::ClearanceSuperseded => v1::IntegrityEntryKind::ClearanceSuperseded,
        Kind::Sanctioned => v1::IntegrityEntryKind::Sanctioned,
        Kind::Exempted => v1::IntegrityEntryKind::Exempted,
        Kind::ExemptionLapsed => v1::IntegrityEntryKind::ExemptionLapsed,
        Kind::ImpactEnded => v1::IntegrityEntryKind::ImpactEnded,
        Kind::FollowUpOpened => v1::IntegrityEntryKind::FollowUpOpened,
        Kind::Visited => v1::IntegrityEntryKind::Visited,
        Kind::AftercareChecked => v1::IntegrityEntryKind::AftercareChecked,
        Kind::FollowUpClosed => v1::IntegrityEntryKind::FollowUpClosed,
    };
    let on: Date = entry.on;
    v1::IntegrityEntry {
        kind: kind.into(),
        on: on.to_string(),
        unit: entry.unit.to_string(),
        matter_id: entry
            .matter
            .map(|matter| matter.to_string())
            .unwrap_or_default(),
        reference: entry.reference.to_string(),
        detail: entry.detail.clone(),
    }
}

#[cfg(test)]
mod tests;

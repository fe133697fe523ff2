//! How meetings are shown.

use proto::clarification as v1;
use uuid::Uuid;

use super::{document, text};
use crate::meeting::holding::Outcome;
use crate::meeting::{Agenda, Item, Stage};
use crate::views::meetings::{Listed, Standing};

/// A meeting as its visitors see it.
pub(crate) fn meeting(id: Uuid, version: i64, agenda: &Agenda) -> v1::Meeting {
    let mut shown = v1::Meeting {
        meeting_id: id.to_string(),
        version,
        unit: agenda.unit.to_string(),
        state: state(Some(Standing::of(&agenda.stage))).into(),
        held_on: agenda.on.to_string(),
        held_at: agenda
            .time
            .map(|time| time.strftime("%H:%M").to_string())
            .unwrap_or_default(),
        place: Some(text(&agenda.place)),
        convened_by: agenda.by.to_string(),
        items: agenda.items.iter().map(|one| item(agenda, one)).collect(),
        documents: agenda.documents.iter().map(document).collect(),
        ..v1::Meeting::default()
    };
    match &agenda.stage {
        Stage::Awaited => {}
        Stage::Cancelled { by, reason } => {
            shown.cancelled_by = by.to_string();
            shown.reason = Some(text(reason));
        }
        Stage::Held { by, record, .. } => {
            shown.recorded_by = by.to_string();
            shown.attendance = i32::try_from(record.attendance).unwrap_or(i32::MAX);
            shown.attended = Some(text(&record.attended));
            shown.handed_over_by = record.handed_over_by.to_string();
        }
    }
    shown
}

fn item(agenda: &Agenda, item: &Item) -> v1::MeetingItem {
    let (outcome, code) = match agenda.outcome(item.clarification) {
        None => (v1::MeetingOutcome::Unspecified, ""),
        Some(Outcome::CarriedOut) => (v1::MeetingOutcome::CarriedOut, ""),
        Some(Outcome::NotCarriedOut { code }) => (v1::MeetingOutcome::NotCarriedOut, code.as_str()),
    };
    v1::MeetingItem {
        clarification_id: item.clarification.to_string(),
        matter_id: item.matter.to_string(),
        subject_id: item.subject.to_string(),
        outcome: outcome.into(),
        code: code.to_owned(),
    }
}

/// The state that a caller filters by.
pub(crate) fn standing_of(state: v1::MeetingState) -> Option<Standing> {
    match state {
        v1::MeetingState::Unspecified => None,
        v1::MeetingState::Convened => Some(Standing::Convened),
        v1::MeetingState::Cancelled => Some(Standing::Cancelled),
        v1::MeetingState::Held => Some(Standing::Held),
    }
}

fn state(standing: Option<Standing>) -> v1::MeetingState {
    match standing {
        None => v1::MeetingState::Unspecified,
        Some(Standing::Convened) => v1::MeetingState::Convened,
        Some(Standing::Cancelled) => v1::MeetingState::Cancelled,
        Some(Standing::Held) => v1::MeetingState::Held,
    }
}

/// A line of the list.
pub(crate) fn line(row: Listed) -> v1::MeetingRow {
    v1::MeetingRow {
        meeting_id: row.id.to_string(),
        state: state(row.standing()).into(),
        unit: row.unit,
        held_on: row.held_on,
        clarifications: row.clarifications,
        carried_out: row.carried_out,
        not_carried_out: row.not_carried_out,
    }
}

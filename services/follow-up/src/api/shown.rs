//! From a file to what its visitors see of it, in the words of the contract. Texts go by their ids.

use chassis::aggregate::TextRef;
use chassis::hexadecimal;
use jiff::civil::Date;
use office::FileId;
use proto::{follow_up as v1, office as o};

use crate::announcements::cause;
use crate::file::{
    Aftercare, Approach, Assessed, Attitude, Care, Effect, Grade, Partner, Period, State, Visit,
};
use crate::views::{Listed, state_word};

/// A file as its visitors see it; `None` while there is none.
pub(super) fn file(id: FileId, version: i64, state: &State) -> Option<v1::File> {
    let record = state.record()?;
    let days = |planned: &crate::file::Planned| planned.on.to_string();
    let closed_on = match state {
        State::Closed { on, .. } => on.to_string(),
        State::Unopened | State::Open(_) => String::new(),
    };
    Some(v1::File {
        file_id: id.to_string(),
        version,
        subject_id: record.subject.to_string(),
        source: record.source.clone(),
        state: file_state(state_word(state)).into(),
        units: record.units().iter().map(ToString::to_string).collect(),
        periods: record.periods.values().map(period).collect(),
        aftercare: record.aftercare.iter().map(aftercare).collect(),
        planned: record.planned.iter().map(days).collect(),
        visits: record.visits.iter().map(visit).collect(),
        assessments: record.assessments.iter().map(assessment).collect(),
        missed: record.missed.iter().map(days).collect(),
        situation: record.situation.as_ref().map(text),
        closed_on,
    })
}

/// A line of the list.
pub(super) fn line(row: Listed) -> v1::FileRow {
    v1::FileRow {
        file_id: row.id.to_string(),
        subject_id: row.subject.to_string(),
        state: file_state(&row.state).into(),
        opened_for: row.cause().map(cause).unwrap_or_default().into(),
        next_on: row.next_on().to_owned(),
        approach: row.approach().map(approach).unwrap_or_default().into(),
        units: row.units,
        source: row.source,
    }
}

fn file_state(word: &str) -> v1::FileState {
    match word {
        "open" => v1::FileState::Open,
        "closed" => v1::FileState::Closed,
        _ => v1::FileState::Unspecified,
    }
}

fn period(period: &Period) -> v1::ImpactPeriod {
    let sanction = &period.sanction;
    v1::ImpactPeriod {
        sanction_id: sanction.id.to_string(),
        matter_id: sanction.matter.to_string(),
        kind: sanction.kind.clone(),
        unit: sanction.unit.to_string(),
        from: sanction.decided_on.to_string(),
        until: sanction.ends_on.to_string(),
        ended_on: day(period.ended.then_some(sanction.ends_on)),
    }
}

fn aftercare(item: &Aftercare) -> v1::AftercareItem {
    let (checked, taken_away_on) = match &item.care {
        Care::Waiting | Care::Due => (None, None),
        Care::Checked { effect, notes, on } => (Some((*effect, notes, *on)), None),
        Care::TakenAway { on } => (None, Some(*on)),
    };
    v1::AftercareItem {
        clarification_id: item.carried.clarification.to_string(),
        matter_id: item.carried.matter.to_string(),
        unit: item.carried.unit.to_string(),
        due_on: item.due_on.to_string(),
        effect: checked
            .map(|(found, ..)| effect(found))
            .unwrap_or_default()
            .into(),
        checked_on: day(checked.map(|(_, _, on)| on)),
        conclusion: item.carried.conclusion,
        taken_away_on: day(taken_away_on),
        notes: checked.map(|(_, notes, _)| text(notes)),
    }
}

fn visit(visit: &Visit) -> v1::Visit {
    let talks = visit.talks.iter();
    v1::Visit {
        visit_id: visit.id.to_string(),
        visited_on: visit.on.to_string(),
        unit: visit.unit.to_string(),
        visitors: visit.visitors.iter().map(ToString::to_string).collect(),
        talks: talks
            .clone()
            .map(|talk| partner(talk.partner).into())
            .collect(),
        notes: talks.map(|talk| text(&talk.notes)).collect(),
        observations: Some(text(&visit.observations)),
    }
}

fn assessment(assessed: &Assessed) -> v1::Assessment {
    v1::Assessment {
        visit_id: assessed.visit.to_string(),
        assessed_on: assessed.on.to_string(),
        attitude: attitude(assessed.attitude).into(),
        approach: approach(assessed.approach).into(),
        grade: grade(assessed.grade).into(),
        profile: Some(text(&assessed.profile)),
    }
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn text(text: &TextRef) -> o::TextRef {
    o::TextRef {
        text_id: text.id.to_string(),
        digest: hexadecimal::encode(&text.digest),
    }
}

fn partner(partner: Partner) -> v1::TalkPartner {
    match partner {
        Partner::Person => v1::TalkPartner::Person,
        Partner::Educator => v1::TalkPartner::Educator,
        Partner::Superior => v1::TalkPartner::Superior,
        Partner::Colleague => v1::TalkPartner::Colleague,
        Partner::Family => v1::TalkPartner::Family,
    }
}

fn attitude(attitude: Attitude) -> v1::Attitude {
    match attitude {
        Attitude::Corrected => v1::Attitude::Corrected,
        Attitude::Misunderstands => v1::Attitude::Misunderstands,
        Attitude::Burdened => v1::Attitude::Burdened,
    }
}

/// An approach in the words of the contract.
pub(super) fn approach(approach: Approach) -> v1::Approach {
    match approach {
        Approach::Affirm => v1::Approach::Affirm,
        Approach::Counsel => v1::Approach::Counsel,
        Approach::Support => v1::Approach::Support,
    }
}

fn grade(grade: Grade) -> v1::Grade {
    match grade {
        Grade::Good => v1::Grade::Good,
        Grade::Fair => v1::Grade::Fair,
        Grade::Poor => v1::Grade::Poor,
    }
}

fn effect(effect: Effect) -> v1::AftercareEffect {
    match effect {
        Effect::Restored => v1::AftercareEffect::Restored,
        Effect::Partly => v1::AftercareEffect::Partly,
        Effect::NotYet => v1::AftercareEffect::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::file::fixture::{
        SUBJECT, TEXT, a_closed_file, a_visited_file, assessed, care_added, id, period_ended,
        planned, planned_on,
    };
    use crate::file::{Cause, file_of};

    #[test]
    fn a_file_shows_what_was_done_and_where_its_texts_lie() {
        let state = a_visited_file()
            .events([
                planned([planned_on(5, 20)]),
                assessed(Attitude::Burdened),
                care_added(),
                period_ended([planned_on(5, 20)]),
            ])
            .state()
            .clone();
        let shown = file(file_of(id(SUBJECT)), 7, &state).expect("there is a file");
        assert_eq!(shown.state(), v1::FileState::Open);
        assert_eq!(shown.missed, ["2026-05-20"]);
        assert!(shown.planned.is_empty());
        assert_eq!(shown.periods[0].until, "2026-09-01");
        assert_eq!(shown.periods[0].ended_on, "2026-09-01");
        assert_eq!(shown.aftercare[0].due_on, "2026-04-05");
        assert_eq!(
            shown.aftercare[0].effect(),
            v1::AftercareEffect::Unspecified
        );
        let visit = &shown.visits[0];
        assert_eq!(visit.talks.len(), visit.notes.len());
        let lies = |text: &Option<o::TextRef>| text.clone().unwrap_or_default().text_id;
        assert_eq!(visit.notes[1].text_id, text_id(2));
        assert_eq!(lies(&visit.observations), text_id(3));
        assert_eq!(lies(&shown.situation), text_id(0));
        assert_eq!(lies(&shown.assessments[0].profile), text_id(4));
        assert_eq!(shown.assessments[0].approach(), v1::Approach::Support);
    }

    #[test]
    fn a_closed_file_says_since_when() {
        let state = a_closed_file().state().clone();
        let shown = file(file_of(id(SUBJECT)), 5, &state).expect("there is a file");
        assert_eq!(shown.state(), v1::FileState::Closed);
        assert_eq!(shown.closed_on, date(2026, 9, 1).to_string());
        assert_eq!(file(file_of(id(SUBJECT)), 0, &State::Unopened), None);
        assert_eq!(cause(Cause::Aftercare), v1::FileCause::Aftercare);
    }

    fn text_id(number: u128) -> String {
        uuid::Uuid::from_u128(TEXT + number).to_string()
    }
}

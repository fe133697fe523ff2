//! Convening: an officer calls a meeting of the unit that carries the clarifications out, which follows from them and is
//! never entered. Everything that stands against one of them is told at once, each under its place in the list. A meeting
//! that is over is convened afterwards, with the day on which it was.
//!
//! How they stand is read before the decision and may change until the meeting: that is no matter, since each is decided
//! upon again when its name is cleared.

use std::collections::BTreeMap;

use chassis::aggregate::{Decision, Effects, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind, Violation};
use jiff::civil::{Date, Time};
use office::{ActorId, ClarificationId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rendering::Content;
use super::{Agenda, Context, Event, Item, Stage, State};
use crate::clarification::forms::Form;
use crate::clarification::{self, Clarification, Dossier, Progress, Standing};
use crate::conclusion::{Line, SubjectKind};
use crate::printing::Rendering;

/// Something stands against convening it so.
pub const NOT_CONVENABLE: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "MEETING_NOT_CONVENABLE",
    "A meeting clears names that one unit has approved to be cleared at a meeting; see the fields.",
);

/// What is asked before a decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// How the clarifications stand that are to be cleared; those that do not exist are missing.
    pub clarifications: BTreeMap<ClarificationId, Known>,
    /// The document as it was set; `None` where none was due.
    pub rendering: Option<Rendering<Content>>,
}

/// How a clarification stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What is known of it.
    pub dossier: Dossier,
    /// Another meeting that was convened for it and is still to be held.
    pub awaited: Option<Uuid>,
}

/// See [`Event::Convened`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingConvened {
    /// The unit that carries all its clarifications out.
    pub unit: UnitCode,
    /// By whom.
    pub by: ActorId,
    /// On which day it is.
    pub on: Date,
    /// At which local time, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// Where.
    pub place: TextRef,
    /// Whose names it clears.
    pub items: Vec<Item>,
    /// What is stated of each, for the documents. It rests on the conclusion and cannot change while that stands: a
    /// clarification that was taken up anew is not cleared at this meeting.
    #[serde(default)]
    pub stated: BTreeMap<ClarificationId, Stated>,
    /// Who is recused from one of them.
    pub recusal: Recusal,
}

/// What is stated of one subject at a meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    /// What kind of subject it is.
    pub subject_kind: SubjectKind,
    /// The day of the conclusion; `None` where verification did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concluded_on: Option<Date>,
    /// Every finding on this subject in this matter.
    pub findings: Vec<Line>,
}

impl Stated {
    /// What is stated where this one is cleared.
    pub(super) fn of(dossier: &Dossier) -> Self {
        let clearance = &dossier.clearance;
        Self {
            subject_kind: dossier.subject.kind,
            concluded_on: clearance.concluded_on,
            findings: clearance.findings.clone(),
        }
    }
}

/// The first version of [`MeetingConvened`] did not say what is stated; such a meeting has no documents.
pub(super) fn without_statements(data: &[u8]) -> Result<MeetingConvened, String> {
    chassis::aggregate::decode(data)
}

/// Calls a meeting.
pub(super) fn convene(
    state: &State,
    clarifications: &[ClarificationId],
    (on, time): (Date, Option<Time>),
    place: TextId,
    context: &Context,
) -> Decision<Event> {
    if state.agenda().is_some() {
        // Its id follows from the request, so it is the same one.
        return Ok(Vec::new());
    }
    let known = &context.facts.clarifications;
    let first = clarifications.first().and_then(|id| known.get(id));
    let mut violations = Vec::new();
    let mut approved_on = None;
    for (index, id) in clarifications.iter().enumerate() {
        let unfit = if clarifications[..index].contains(id) {
            vec!["must be named once".to_owned()]
        } else {
            unfit(known.get(id), first, context)
        };
        if unfit.is_empty() {
            let progress = known.get(id).and_then(|known| known.dossier.progress());
            let approval = progress.and_then(Progress::approval);
            approved_on = approved_on.max(approval.map(|approval| approval.on));
        }
        violations.extend(unfit.into_iter().map(|description| Violation {
            field: format!("clarification_ids[{index}]"),
            description,
        }));
    }
    if let Some(last) = approved_on.filter(|last| on < *last) {
        violations.push(Violation {
            field: "held_on".to_owned(),
            description: format!("must not be before {last}, when the last of them was approved"),
        });
    }
    let (Some(first), true) = (first, violations.is_empty()) else {
        return Err(Refusal {
            violations,
            ..NOT_CONVENABLE
        }
        .into());
    };
    let mut recusal = Recusal::default();
    let mut stated = BTreeMap::new();
    let items = clarifications.iter().filter_map(|id| {
        let dossier = &known.get(id)?.dossier;
        recusal.extend(&dossier.recusal);
        stated.insert(*id, Stated::of(dossier));
        Some(Item {
            clarification: *id,
            round: dossier.round,
            matter: dossier.matter,
            subject: dossier.subject.id,
        })
    });
    let items = items.collect();
    Ok(vec![
        MeetingConvened {
            unit: first.dossier.clearance.unit.clone(),
            by: context.actor.id.clone(),
            on,
            time,
            place: context.text(place),
            items,
            stated,
            recusal,
        }
        .into(),
    ])
}

/// Everything that stands against clearing one at this meeting. Of one that the actor may not see nothing else is told.
fn unfit(known: Option<&Known>, first: Option<&Known>, context: &Context) -> Vec<String> {
    let Some(Known { dossier, awaited }) = known else {
        return vec!["must be a clarification".to_owned()];
    };
    let unit = &dossier.clearance.unit;
    if context.visitor().within([unit]).is_err() {
        return vec!["must be one that your unit, or one below it, carries out".to_owned()];
    }
    if dossier.recusal.names(&context.actor.id, &context.secrets) {
        return vec!["must be one that you are not recused from".to_owned()];
    }
    let mut unfit = Vec::new();
    match dossier.standing() {
        Standing::Approved => {}
        standing => unfit.push(format!("must be approved, and is {}", standing.word())),
    }
    let form = dossier.progress().and_then(Progress::form);
    if let Some(form) = form.map(|decided| decided.form)
        && form != Form::Meeting
    {
        let form = form.code();
        unfit.push(format!(
            "must be cleared at a meeting, and its form is {form}"
        ));
    }
    if first.is_some_and(|first| first.dossier.clearance.unit != *unit) {
        unfit.push("must be carried out by the unit of the first one".to_owned());
    }
    if let Some(meeting) = awaited {
        unfit.push(format!("must not be awaited at another meeting: {meeting}"));
    }
    unfit
}

pub(super) fn convened(convened: &MeetingConvened) -> Agenda {
    Agenda {
        unit: convened.unit.clone(),
        by: convened.by.clone(),
        on: convened.on,
        time: convened.time,
        place: convened.place.clone(),
        items: convened.items.clone(),
        stated: convened.stated.clone(),
        documents: Vec::new(),
        recusal: convened.recusal.clone(),
        stage: Stage::Awaited,
    }
}

/// Each clarification learns of the meeting that it is called to, so that it can tell it of a recusal.
pub(super) fn call(meeting: Uuid, convened: &MeetingConvened, effects: &mut Effects) {
    for item in &convened.items {
        effects.then::<Clarification>(
            item.clarification,
            "CallToMeeting",
            &clarification::Command::CallToMeeting { meeting },
        );
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::followed;
    use jiff::civil::date;
    use office::Actor;

    use super::super::fixture::*;
    use super::super::{Command, Meeting};
    use super::*;
    use crate::clarification::fixture::*;

    /// What stands against convening these, by field.
    fn against(all: impl IntoIterator<Item = Known>) -> Vec<(String, String)> {
        let refusal = no_meeting()
            .facts(facts(all))
            .when(convene_it())
            .then_refused(&NOT_CONVENABLE);
        let violations = refusal.violations.into_iter();
        violations.map(|v| (v.field, v.description)).collect()
    }

    /// That the second of the two is this one is refused for this reason.
    #[track_caller]
    fn unfit(second: Known, because: &str) {
        let [first, _] = two();
        let against = against([first, second]);
        let [(field, description)] = &against[..] else {
            panic!("one thing stands against it, not {against:?}");
        };
        assert_eq!(field, "clarification_ids[1]");
        assert!(description.contains(because), "{description}");
    }

    #[test]
    fn a_meeting_of_the_unit_that_carries_them_out_clears_several_names() {
        let after = no_meeting()
            .facts(facts(two()))
            .when(convene_it())
            .then([a_convening()]);
        let agenda = after.state().agenda().expect("it is convened");
        assert_eq!((&agenda.unit, agenda.items.len()), (&unit(), 2));
    }

    #[test]
    fn only_what_is_approved_to_be_cleared_at_a_meeting_is() {
        unfit(known(&a_drafted_one(Form::Meeting)), "and is drafted");
        let halted = an_approved_one(Form::Meeting).events([a_halting()]);
        unfit(known(&halted), "and is halted");
        let declined =
            an_approved_one(Form::Meeting).events([wish_of(clarification::wish::Said::Declines)]);
        unfit(known(&declined), "and is declined");
        unfit(
            known(&an_approved_one(Form::Written)),
            "its form is written",
        );
    }

    #[test]
    fn a_meeting_is_of_one_unit() {
        let [_, mut second] = two();
        second.dossier.clearance.unit = "P51-01-01".parse().expect("a unit code");
        unfit(second, "the unit of the first one");
    }

    #[test]
    fn nobody_convenes_what_they_are_recused_from_or_another_unit_carries_out() {
        let [_, mut second] = two();
        second.dossier.recusal.actors.insert(actor_id("otto"));
        unfit(second, "not recused from");
        let [_, mut second] = two();
        second.dossier.clearance.unit = "P51-02".parse().expect("a unit code");
        unfit(second, "your unit");
        let of = |unit: &str| Actor {
            unit: unit.parse().expect("a unit code"),
            ..officer("olga")
        };
        no_meeting()
            .facts(facts(two()))
            .actor(of("P51-01-01"))
            .when(convene_it())
            .then_refused(&NOT_CONVENABLE);
        no_meeting()
            .facts(facts(two()))
            .actor(of("P51"))
            .when(convene_it())
            .accepted();
    }

    #[test]
    fn a_meeting_that_is_over_is_convened_afterwards_if_it_was_after_the_approvals() {
        let on = |day| Command::ConveneMeeting {
            clarifications: vec![nth(1), nth(2)],
            on: day,
            time: None,
            place: id(TEXT),
        };
        let later = || no_meeting().facts(facts(two())).now("2026-03-12T07:00:00Z");
        later().when(on(date(2026, 3, 9))).accepted();
        let refusal = later()
            .when(on(date(2026, 3, 8)))
            .then_refused(&NOT_CONVENABLE);
        let violations = &refusal.violations;
        assert_eq!((violations.len(), &*violations[0].field), (1, "held_on"));
    }

    #[test]
    fn a_name_is_awaited_at_one_meeting_at_a_time() {
        let [_, mut second] = two();
        second.awaited = Some(id(0x91));
        unfit(second, "another meeting");
    }

    #[test]
    fn everything_that_stands_against_it_is_told_at_once() {
        let mut second = known(&a_drafted_one(Form::Written));
        second.awaited = Some(id(0x91));
        let command = Command::ConveneMeeting {
            clarifications: vec![nth(9), nth(1), nth(2), nth(2)],
            on: date(2026, 3, 8),
            time: None,
            place: id(TEXT),
        };
        let [first, _] = two();
        let refusal = no_meeting()
            .facts(facts([first, second]))
            .when(command)
            .then_refused(&NOT_CONVENABLE);
        let violations = refusal.violations.iter();
        let fields: Vec<&str> = violations.map(|v| v.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "clarification_ids[0]",
                "clarification_ids[2]",
                "clarification_ids[2]",
                "clarification_ids[2]",
                "clarification_ids[3]",
                "held_on"
            ]
        );
    }

    #[test]
    fn each_clarification_learns_of_the_meeting() {
        let told = followed::<Meeting>(id::<Uuid>(MEETING), &a_convening());
        let called = told.iter().map(|told| (told.aggregate, told.method));
        let called: Vec<_> = called
            .filter(|(of, _)| *of != id::<Uuid>(MEETING))
            .collect();
        assert_eq!(
            called,
            [
                (nth(1).uuid(), "CallToMeeting"),
                (nth(2).uuid(), "CallToMeeting")
            ]
        );
    }
}

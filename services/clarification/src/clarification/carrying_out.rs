//! Carrying it out: by the unit that concluded, within five working days of the approval, on a conclusion that stands
//! at that moment, in the form that was approved, with the documents that were made for that approval.
//!
//! What must be recorded follows from the form: who handed the letter over always, since written is part of all; where a
//! bulletin was published and until when. A meeting is convened and held as a whole, and carries out each of its names
//! by this very decision, see [`at_meeting`](super::at_meeting).

use chassis::aggregate::{Decision, Rejection, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind, Violation};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ActorId, MatterId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::afterwards::Confirmation;
use super::approval::{Approval, RestsOn, standing};
use super::forms::Form;
use super::rendering::DOCUMENTS_MISSING;
use super::{Context, Dossier, Event, Held, Progress, Stage, State, wish};
use crate::conclusion::Subject;
use crate::printing::Document;

/// It is not approved.
pub const NOT_APPROVED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOT_APPROVED",
    "This clarification is not approved; nothing can be carried out.",
);
/// It is approved to be made at a meeting, and none was held.
pub const AT_A_MEETING: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_AT_A_MEETING",
    "This clarification is approved to be made at a meeting; convene one for it, and record that it was held.",
);
/// A meeting was held for it, and it is approved in another form by now.
pub const IN_ANOTHER_FORM: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_IN_ANOTHER_FORM",
    "This clarification is not approved to be made at a meeting; it is carried out by itself.",
);
/// Particulars are missing or do not fit the form.
pub const PARTICULARS_INCOMPLETE: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "CLARIFICATION_PARTICULARS_INCOMPLETE",
    "What is recorded must be what the approved form demands; see the fields.",
);

/// How a clarification was carried out, as it is entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Particulars {
    /// On which day.
    pub carried_out_on: Date,
    /// Where.
    pub place: TextId,
    /// Who handed the letter over.
    pub handed_over_by: Option<ActorId>,
    /// Where the bulletin was published.
    pub published_in: Option<TextId>,
    /// On which day it is to be removed.
    pub published_until: Option<Date>,
}

/// The meeting that it was carried out at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meeting {
    /// The same for all subjects cleared at it.
    pub id: Uuid,
    /// How many attended.
    pub attendance: u32,
    /// Who did.
    pub attended: TextRef,
}

/// A bulletin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Where it was published.
    pub published_in: TextRef,
    /// On which day it is to be removed.
    pub until: Date,
    /// The end of that day.
    pub remove_at: Timestamp,
}

/// How a clarification was carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Who recorded it.
    pub by: ActorId,
    /// On which day it was.
    pub on: Date,
    /// Where.
    pub place: TextRef,
    /// Who handed the letter over.
    pub handed_over_by: ActorId,
    /// The meeting, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meeting: Option<Meeting>,
    /// The bulletin, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bulletin: Option<Bulletin>,
    /// The documents that were handed over; none where it was carried out before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// Verification's answer.
    pub rests_on: RestsOn,
    /// When the organisation department is reminded.
    pub remind_at: Timestamp,
}

/// See [`Event::CarriedOut`]. What follows from it elsewhere is made of it alone, so it names everything again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CarriedOut {
    /// The matter.
    pub matter: MatterId,
    /// Where it was entered from.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// Who is recused from the matter.
    pub recusal: Recusal,
    /// The unit that carried it out: the one that concluded.
    pub unit: UnitCode,
    /// Which time it is, from 1.
    pub round: u32,
    /// The form.
    pub form: Form,
    /// The day of recording it, by which it enters the ledger.
    pub recorded_on: Date,
    /// How.
    pub execution: Execution,
}

/// Records that an approved clarification was carried out, in a form that needs no meeting.
pub(super) fn carry_out(
    state: &State,
    particulars: &Particulars,
    context: &Context,
) -> Decision<Event> {
    if let Some(dossier) = state.dossier()
        && let Stage::CarriedOut { execution, .. } = &dossier.stage
        && same(execution, particulars)
    {
        return Ok(Vec::new());
    }
    let by = &context.actor.id;
    let text = |id| context.text(id);
    let carried_out = clear(state, particulars, None, by, text, context)?;
    Ok(vec![carried_out.into()])
}

/// Clears the name as somebody recorded it, at a meeting or without one; `text` knows the texts of the particulars.
pub(super) fn clear(
    state: &State,
    particulars: &Particulars,
    meeting: Option<Meeting>,
    by: &ActorId,
    text: impl Fn(TextId) -> TextRef,
    context: &Context,
) -> Result<CarriedOut, Rejection> {
    let (dossier, preparation) = state.preparing(context)?;
    wish::wanted(preparation)?;
    let Progress::Approved {
        form,
        approval,
        documents,
        ..
    } = &preparation.progress
    else {
        return Err(NOT_APPROVED.into());
    };
    let form = form.form;
    match (form, &meeting) {
        (Form::Meeting, None) => return Err(AT_A_MEETING.into()),
        (Form::Meeting, Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err(IN_ANOTHER_FORM.into()),
    }
    let today = context.profile.calendar.date(context.now);
    let mut violations = not_fitting(form, approval, particulars, today);
    let handed_over_by = particulars.handed_over_by.as_ref();
    if handed_over_by.is_some_and(|actor| dossier.recusal.names(actor, &context.secrets)) {
        violations.push(violation(
            "handed_over_by",
            "is recused from this matter; somebody else hands the letter over",
        ));
    }
    let (Some(handed_over_by), true) = (handed_over_by, violations.is_empty()) else {
        return Err(Refusal {
            violations,
            ..PARTICULARS_INCOMPLETE
        }
        .into());
    };
    if documents.is_empty() {
        return Err(DOCUMENTS_MISSING.into());
    }
    let rests_on = standing(dossier, context)?;
    let calendar = &context.profile.calendar;
    let reminder = context
        .profile
        .clarification
        .personnel_reminder_working_days;
    let bulletin = particulars.published_in.zip(particulars.published_until);
    Ok(CarriedOut {
        matter: dossier.matter,
        source: dossier.source.clone(),
        subject: dossier.subject.clone(),
        recusal: dossier.recusal.clone(),
        unit: dossier.clearance.unit.clone(),
        round: dossier.round,
        form,
        recorded_on: today,
        execution: Execution {
            by: by.clone(),
            on: particulars.carried_out_on,
            place: text(particulars.place),
            handed_over_by: handed_over_by.clone(),
            meeting,
            bulletin: bulletin.map(|(published_in, until)| Bulletin {
                published_in: text(published_in),
                until,
                remove_at: calendar.end_of(until),
            }),
            documents: documents.clone(),
            rests_on,
            remind_at: calendar.plus_working_days(context.now, reminder),
        },
    })
}

pub(super) fn carried_out(dossier: &mut Dossier, carried_out: &CarriedOut) {
    let Stage::Preparing(preparation) = &dossier.stage else {
        return;
    };
    let execution = carried_out.execution.clone();
    let meeting = execution.meeting.as_ref().map(|meeting| {
        let (unit, on) = (carried_out.unit.clone(), execution.on);
        (meeting.id, Held { unit, on })
    });
    dossier.meetings.extend(meeting);
    let bulletin = execution.bulletin.as_ref();
    let removal = bulletin.map(|bulletin| bulletin.remove_at);
    dossier.removals.extend(removal);
    let documents = execution.documents.clone();
    dossier.handed_over.insert(carried_out.round, documents);
    dossier.stage = Stage::CarriedOut {
        preparation: preparation.clone(),
        execution: Box::new(execution),
        confirmation: Confirmation::Awaited,
    };
}

/// Whether this is what was recorded, which no meeting did.
fn same(execution: &Execution, particulars: &Particulars) -> bool {
    let bulletin = execution.bulletin.as_ref();
    let recorded = Particulars {
        carried_out_on: execution.on,
        place: execution.place.id,
        handed_over_by: Some(execution.handed_over_by.clone()),
        published_in: bulletin.map(|bulletin| bulletin.published_in.id),
        published_until: bulletin.map(|bulletin| bulletin.until),
    };
    execution.meeting.is_none() && *particulars == recorded
}

fn violation(field: &str, description: &str) -> Violation {
    Violation {
        field: field.to_owned(),
        description: description.to_owned(),
    }
}

/// Everything in which particulars are not what the form demands, told at once.
fn not_fitting(
    form: Form,
    approval: &Approval,
    particulars: &Particulars,
    today: Date,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let on = particulars.carried_out_on;
    if on < approval.on || on > today {
        violations.push(violation(
            "carried_out_on",
            "must be a day from the approval to today",
        ));
    }
    if particulars.handed_over_by.is_none() {
        violations.push(violation(
            "handed_over_by",
            "must be given: the letter is part of every form",
        ));
    }
    let mut demand = |field: &str, given: bool| match (form == Form::Bulletin, given) {
        (true, false) => violations.push(violation(field, "must be given for this form")),
        (false, true) => violations.push(violation(field, "must be empty for this form")),
        (true, true) | (false, false) => {}
    };
    demand("published_in", particulars.published_in.is_some());
    let until = particulars.published_until;
    demand("published_until", until.is_some());
    if until.is_some_and(|until| until < on) {
        violations.push(violation(
            "published_until",
            "must not be before the day of carrying out",
        ));
    }
    violations
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{clocks, followed};
    use jiff::civil::date;
    use office::{Actor, Role};

    use super::super::approval::CONCLUSION_NOT_STANDING;
    use super::super::fixture::*;
    use super::super::{CARRIED_OUT, Clarification, Command, Standing};
    use super::*;
    use crate::integrity::IntegrityFile;
    use crate::ledger::{self, Ledger, What};

    fn with(change: impl FnOnce(&mut Particulars), form: Form) -> Command {
        let mut particulars = particulars(form);
        change(&mut particulars);
        Command::CarryOutClarification(Box::new(particulars))
    }

    const ALONE: [Form; 3] = [Form::Written, Form::InPerson, Form::Bulletin];

    fn fields(refusal: &Refusal) -> Vec<&str> {
        let violations = refusal.violations.iter();
        violations
            .map(|violation| violation.field.as_str())
            .collect()
    }

    #[test]
    fn every_form_is_carried_out_with_the_written_letter() {
        for form in ALONE {
            let after = an_approved_one(form)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(carry_it_out(form))
                .then([an_execution(form)]);
            assert_eq!(after.state().standing(), Some(Standing::CarriedOut));
            let refusal = an_approved_one(form)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(with(|given| given.handed_over_by = None, form))
                .then_refused(&PARTICULARS_INCOMPLETE);
            assert_eq!(fields(&refusal), ["handed_over_by"]);
        }
    }

    #[test]
    fn the_particulars_are_those_of_the_form() {
        let given = [
            (Form::Written, Form::Bulletin),
            (Form::Bulletin, Form::Written),
        ];
        for (approved, told) in given {
            let refusal = an_approved_one(approved)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(carry_it_out(told))
                .then_refused(&PARTICULARS_INCOMPLETE);
            assert_eq!(fields(&refusal), ["published_in", "published_until"]);
        }
        let refusal = an_approved_one(Form::Bulletin)
            .facts(stands(1))
            .actor(officer("otto"))
            .when(with(
                |given| given.published_until = Some(date(2026, 3, 8)),
                Form::Bulletin,
            ))
            .then_refused(&PARTICULARS_INCOMPLETE);
        assert_eq!(fields(&refusal), ["published_until"]);
    }

    #[test]
    fn what_is_approved_for_a_meeting_is_carried_out_at_one_that_was_held() {
        an_approved_one(Form::Meeting)
            .facts(stands(1))
            .actor(officer("otto"))
            .when(carry_it_out(Form::Written))
            .then_refused(&AT_A_MEETING);
    }

    #[test]
    fn it_was_carried_out_between_the_approval_and_today() {
        for day in [date(2026, 3, 8), date(2026, 3, 10)] {
            let refusal = an_approved_one(Form::Written)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(with(|given| given.carried_out_on = day, Form::Written))
                .then_refused(&PARTICULARS_INCOMPLETE);
            assert_eq!(fields(&refusal), ["carried_out_on"]);
        }
    }

    #[test]
    fn nobody_who_is_recused_hands_the_written_letter_over() {
        for name in ["accused", "reporter"] {
            let refusal = an_approved_one(Form::Written)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(with(
                    |given| given.handed_over_by = Some(actor_id(name)),
                    Form::Written,
                ))
                .then_refused(&PARTICULARS_INCOMPLETE);
            assert_eq!(fields(&refusal), ["handed_over_by"]);
        }
    }

    #[test]
    fn nothing_is_carried_out_on_a_conclusion_that_does_not_stand() {
        for facts in [stands(2), stands(0)] {
            an_approved_one(Form::Written)
                .facts(facts)
                .actor(officer("otto"))
                .when(carry_it_out(Form::Written))
                .then_refused(&CONCLUSION_NOT_STANDING);
        }
        an_approved_one(Form::Written)
            .actor(officer("otto"))
            .when(carry_it_out(Form::Written))
            .then_stale();
    }

    #[test]
    fn nothing_is_carried_out_before_it_is_approved() {
        for before in [a_heard_one(), a_drafted_one(Form::Written)] {
            before
                .facts(stands(1))
                .actor(officer("otto"))
                .when(carry_it_out(Form::Written))
                .then_refused(&NOT_APPROVED);
        }
    }

    #[test]
    fn nothing_is_carried_out_without_the_documents_of_its_approval() {
        for form in ALONE {
            an_approved_without_documents(form)
                .facts(stands(1))
                .actor(officer("otto"))
                .when(carry_it_out(form))
                .then_refused(&DOCUMENTS_MISSING);
        }
    }

    #[test]
    fn what_is_handed_over_is_named_by_its_hash() {
        let (events, _) = an_approved_one(Form::Bulletin)
            .facts(stands(1))
            .actor(officer("otto"))
            .when(carry_it_out(Form::Bulletin))
            .accepted();
        let [Event::CarriedOut(carried_out)] = &events[..] else {
            panic!("it was carried out, not {events:?}");
        };
        let documents = &carried_out.execution.documents;
        assert_eq!(*documents, documents_of(Form::Bulletin));
    }

    #[test]
    fn the_unit_that_concluded_carries_it_out() {
        let (events, _) = an_approved_one(Form::Written)
            .facts(stands(1))
            .actor(Actor {
                unit: "P51".parse().expect("a unit code"),
                ..officer("otto")
            })
            .when(carry_it_out(Form::Written))
            .accepted();
        let [Event::CarriedOut(carried_out)] = &events[..] else {
            panic!("it was carried out, not {events:?}");
        };
        assert_eq!(carried_out.unit, unit());
        an_approved_one(Form::Written)
            .facts(stands(1))
            .actor(Actor {
                unit: "P51-02".parse().expect("a unit code"),
                ..officer("otto")
            })
            .when(carry_it_out(Form::Written))
            .then_refused(&OUT_OF_SCOPE);
        // Who keeps the subject's record sees it, and carries nothing out.
        let mut keeper = actor("petra", Role::PersonnelOfficer);
        keeper.roles.insert(Role::ClarificationOfficer);
        keeper.unit = "P51-01-01".parse().expect("a unit code");
        an_approved_one(Form::Written)
            .facts(stands(1))
            .actor(keeper)
            .when(carry_it_out(Form::Written))
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn it_is_carried_out_once() {
        a_carried_out_one(Form::Written)
            .facts(stands(1))
            .actor(officer("otto"))
            .when(carry_it_out(Form::Written))
            .then_already()
            .when(with(
                |given| given.handed_over_by = Some(actor_id("lena")),
                Form::Written,
            ))
            .then_refused(&CARRIED_OUT);
    }

    #[test]
    fn what_was_cleared_at_a_meeting_is_not_carried_out_alone_as_well() {
        a_carried_out_one(Form::Meeting)
            .facts(stands(1))
            .actor(officer("otto"))
            .when(carry_it_out(Form::Meeting))
            .then_refused(&CARRIED_OUT);
    }

    #[test]
    fn a_ledger_entry_and_one_of_the_integrity_file_follow_by_themselves() {
        let told = followed::<Clarification>(clarification(), &an_execution(Form::Meeting));
        let [in_ledger, in_file] = &told[..] else {
            panic!("two things follow, not {told:?}");
        };
        let ledger::Command::Enter(wanted) = in_ledger.command::<Ledger>().expect("the ledger");
        assert_eq!(in_ledger.aggregate, ledger::ledger_of(&unit(), 2026));
        assert_eq!(wanted.occasion.what, What::CarriedOut);
        assert_eq!(wanted.supersedes, None);
        let Some(crate::integrity::Command::Enter { of, entry, .. }) =
            in_file.command::<IntegrityFile>()
        else {
            panic!("it is entered, not {in_file:?}");
        };
        assert_eq!(of, subject().id);
        assert_eq!(entry.detail, "meeting");
    }

    #[test]
    fn the_clock_of_execution_stops_and_that_of_the_reminder_runs() {
        let set = clocks::<Clarification>(clarification(), &an_execution(Form::Bulletin));
        let due: Vec<_> = set
            .iter()
            .map(|(clock, due)| (*clock, due.map(|(at, _)| at.to_string())))
            .collect();
        assert_eq!(
            due,
            [
                ("clarification_execution_warning", None),
                ("clarification_execution_due", None),
                (
                    "clarification_confirmation",
                    Some("2026-03-23T15:59:59.999999Z".to_owned())
                ),
                (
                    "clarification_removal",
                    Some("2026-04-08T15:59:59.999999Z".to_owned())
                ),
            ]
        );
    }
}

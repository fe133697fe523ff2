//! What follows when a name was cleared: the number in the ledger, the entry in the integrity file, the note of the
//! organisation department with its reminder, and the removal of a bulletin.
//!
//! The trap: consequences come late. A clarification may be superseded before the ledger's number of its first entry is
//! back; then the superseding entry follows from that number.

use chassis::aggregate::{Decision, Effects};
use chassis::refusal::{Refusal, RefusalKind};
use jiff::Timestamp;
use office::{ActorId, ClarificationId, MatterId};
use serde::{Deserialize, Serialize};

use super::carrying_out::CarriedOut;
use super::course::Superseded;
use super::{Context, Dossier, Event, Stage, State};
use crate::integrity::{self, Entry, IntegrityFile, Kind, Whose, file_of};
use crate::ledger::{self, Number, Occasion, Wanted, What};

/// There is nothing to take note of.
pub const NOT_CARRIED_OUT: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOT_CARRIED_OUT",
    "This clarification was not carried out, or stands no longer; there is nothing to confirm.",
);

/// Whether the organisation department took note.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// It has not.
    Awaited,
    /// It has not, and was reminded.
    Reminded,
    /// It has.
    Confirmed {
        /// By whom.
        by: ActorId,
    },
}

/// See [`Event::LedgerNumbered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerNumbered {
    /// The entry with its number.
    pub entered: ledger::Entered,
    /// The superseding entry, where the clarification was superseded before this number was back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseding: Option<Wanted>,
}

/// See [`Event::Confirmed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The matter.
    pub matter: MatterId,
    /// The subject.
    pub subject: office::SubjectId,
    /// Where the matter was entered from.
    pub source: String,
    /// By whom.
    pub by: ActorId,
}

/// See [`Event::PersonnelReminded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonnelReminded {
    /// Since when they should have confirmed.
    pub since: Timestamp,
}

/// See [`Event::RemovalDue`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovalDue {
    /// Since when the bulletin should be gone.
    pub since: Timestamp,
}

/// Keeps the number of an entry in the ledger.
pub(super) fn note_number(
    state: &State,
    entered: &ledger::Entered,
    context: &Context,
) -> Decision<Event> {
    let dossier = state.opened()?;
    if dossier.entries.iter().any(|known| known == entered) {
        return Ok(Vec::new());
    }
    let Occasion { round, what, .. } = entered.wanted.occasion;
    // A number is given only for what was carried out. What is not so now, in the same round, was superseded since.
    let stands = dossier.round == round && matches!(dossier.stage, Stage::CarriedOut { .. });
    let superseding = (what == What::CarriedOut && !stands).then(|| Wanted {
        on: context.profile.calendar.date(context.now),
        ..superseding(&entered.number, &entered.wanted)
    });
    Ok(vec![
        LedgerNumbered {
            entered: entered.clone(),
            superseding,
        }
        .into(),
    ])
}

/// The entry that supersedes an earlier one, in a ledger of the same unit.
fn superseding(first: &Number, wanted: &Wanted) -> Wanted {
    let mut superseding = wanted.clone();
    superseding.occasion.what = What::Superseded;
    superseding.supersedes = Some(first.clone());
    superseding
}

/// The superseding entry for the round that is carried out now, if its number is back.
pub(super) fn entry_to_supersede(dossier: &Dossier) -> Option<Wanted> {
    let first = dossier.entries.iter().find(|entered| {
        let Occasion { round, what, .. } = entered.wanted.occasion;
        round == dossier.round && what == What::CarriedOut
    })?;
    Some(superseding(&first.number, &first.wanted))
}

/// The organisation department takes note: of the unit that carried it out, or of those who keep the subject's record,
/// or above them (`admit` sees to that).
pub(super) fn confirm(state: &State, context: &Context) -> Decision<Event> {
    let dossier = state.opened()?;
    let Stage::CarriedOut { confirmation, .. } = &dossier.stage else {
        return Err(NOT_CARRIED_OUT.into());
    };
    if let Confirmation::Confirmed { .. } = confirmation {
        return Ok(Vec::new());
    }
    Ok(vec![
        Confirmed {
            matter: dossier.matter,
            subject: dossier.subject.id,
            source: dossier.source.clone(),
            by: context.actor.id.clone(),
        }
        .into(),
    ])
}

pub(super) fn confirmed(dossier: &mut Dossier, confirmed: &Confirmed) {
    if let Stage::CarriedOut { confirmation, .. } = &mut dossier.stage {
        *confirmation = Confirmation::Confirmed {
            by: confirmed.by.clone(),
        };
    }
}

/// Reminds the organisation department, once; nothing if it took note, or the clock was set for another round.
pub(super) fn remind(state: &State, context: &Context) -> Decision<Event> {
    let dossier = state.opened()?;
    Ok(match &dossier.stage {
        Stage::CarriedOut {
            execution,
            confirmation: Confirmation::Awaited,
            ..
        } if context.now >= execution.remind_at => vec![
            PersonnelReminded {
                since: execution.remind_at,
            }
            .into(),
        ],
        _ => Vec::new(),
    })
}

pub(super) fn reminded(dossier: &mut Dossier) {
    if let Stage::CarriedOut { confirmation, .. } = &mut dossier.stage {
        *confirmation = Confirmation::Reminded;
    }
}

/// Asks for the removal of each bulletin whose time has come, once.
pub(super) fn ask_for_removal(state: &State, context: &Context) -> Decision<Event> {
    let dossier = state.opened()?;
    let due = dossier.removals.range(..=context.now);
    Ok(due
        .map(|since| RemovalDue { since: *since }.into())
        .collect())
}

/// What an event makes follow in ledgers and the integrity file.
pub(super) fn follow(id: ClarificationId, event: &Event, effects: &mut Effects) {
    match event {
        Event::CarriedOut(carried_out) => {
            ledger::enter(&entry_wanted(id, carried_out), effects);
            put_on_record(
                id,
                Record {
                    kind: Kind::Cleared,
                    on: carried_out.execution.on,
                    round: carried_out.round,
                    detail: carried_out.form.code(),
                    unit: &carried_out.unit,
                    matter: carried_out.matter,
                    whose: Whose {
                        subject: carried_out.subject.clone(),
                        recusal: carried_out.recusal.clone(),
                    },
                },
                effects,
            );
        }
        Event::Superseded(superseded) => {
            if let Some(wanted) = &superseded.superseding {
                ledger::enter(wanted, effects);
            }
            put_on_record(id, of_superseded(superseded), effects);
        }
        Event::LedgerNumbered(numbered) => {
            if let Some(wanted) = &numbered.superseding {
                ledger::enter(wanted, effects);
            }
        }
        _ => {}
    }
}

fn entry_wanted(id: ClarificationId, carried_out: &CarriedOut) -> Wanted {
    Wanted {
        unit: carried_out.unit.clone(),
        occasion: Occasion {
            clarification: id,
            round: carried_out.round,
            what: What::CarriedOut,
        },
        matter: carried_out.matter,
        subject: carried_out.subject.id,
        form: carried_out.form,
        on: carried_out.recorded_on,
        supersedes: None,
    }
}

/// What goes into the integrity file.
struct Record<'a> {
    kind: Kind,
    on: jiff::civil::Date,
    round: u32,
    detail: &'a str,
    unit: &'a office::UnitCode,
    matter: MatterId,
    whose: Whose,
}

fn of_superseded(superseded: &Superseded) -> Record<'_> {
    Record {
        kind: Kind::ClearanceSuperseded,
        on: superseded.on,
        round: superseded.round,
        detail: superseded.form.code(),
        unit: &superseded.unit,
        matter: superseded.matter,
        whose: Whose {
            subject: superseded.subject.clone(),
            recusal: superseded.recusal.clone(),
        },
    }
}

fn put_on_record(id: ClarificationId, record: Record<'_>, effects: &mut Effects) {
    let of = record.whose.subject.id;
    let entry = Entry {
        key: Entry::key(record.kind, id.uuid(), &[&record.round.to_be_bytes()]),
        kind: record.kind,
        on: record.on,
        unit: record.unit.clone(),
        matter: Some(record.matter),
        reference: id.uuid(),
        detail: record.detail.to_owned(),
    };
    effects.then::<IntegrityFile>(
        file_of(of),
        "EnterInIntegrityFile",
        &integrity::Command::Enter {
            of,
            entry,
            whose: Some(record.whose),
        },
    );
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::followed;
    use jiff::civil::date;
    use office::Actor;

    use super::super::fixture::*;
    use super::super::forms::Form;
    use super::super::{Clarification, Command, Standing};
    use super::*;
    use crate::ledger::Ledger;

    fn confirm() -> Command {
        Command::ConfirmClarification
    }

    fn note(number: i32, what: What) -> Command {
        Command::NoteLedgerNumber(Box::new(entered(number, what, 1)))
    }

    #[test]
    fn the_organisation_department_takes_note_once() {
        let after = a_carried_out_one(Form::Written)
            .actor(personnel("petra", "P51-01-01"))
            .when(confirm())
            .then([confirmed_by("petra")])
            .when(confirm())
            .then_already();
        assert_eq!(after.state().standing(), Some(Standing::Confirmed));
        an_approved_one(Form::Written)
            .actor(personnel("petra", "P51-01"))
            .when(confirm())
            .then_refused(&NOT_CARRIED_OUT);
    }

    #[test]
    fn who_keeps_the_subjects_record_confirms_or_the_unit_that_carried_it_out() {
        for unit in ["P51-01-01", "P51-01", "P51", "N"] {
            a_carried_out_one(Form::Written)
                .actor(personnel("petra", unit))
                .when(confirm())
                .accepted();
        }
        for unit in ["P51-02", "P51-01-01-01"] {
            a_carried_out_one(Form::Written)
                .actor(personnel("petra", unit))
                .when(confirm())
                .then_refused(&OUT_OF_SCOPE);
        }
        let not_personnel = Actor {
            unit: "P51-01-01".parse().expect("a unit code"),
            ..officer("otto")
        };
        a_carried_out_one(Form::Written)
            .actor(not_personnel)
            .when(confirm())
            .then_refused(&OUT_OF_SCOPE);
    }

    #[test]
    fn after_ten_working_days_personnel_is_reminded_once() {
        let at = |now: &str| {
            a_carried_out_one(Form::Written)
                .actor(service())
                .now(now)
                .when(Command::RemindPersonnel)
        };
        at("2026-03-23T15:59:59.999998Z").then_already();
        let since = "2026-03-23T15:59:59.999999Z".parse().expect("a timestamp");
        at("2026-03-23T15:59:59.999999Z")
            .then([PersonnelReminded { since }])
            .when(Command::RemindPersonnel)
            .then_already();
        a_carried_out_one(Form::Written)
            .events([confirmed_by("petra")])
            .actor(service())
            .now("2026-04-23T00:00:00Z")
            .when(Command::RemindPersonnel)
            .then_already();
    }

    #[test]
    fn a_bulletin_is_asked_to_be_removed_once() {
        let since = "2026-04-08T15:59:59.999999Z".parse().expect("a timestamp");
        a_carried_out_one(Form::Bulletin)
            .actor(service())
            .now("2026-04-08T15:59:59.999998Z")
            .when(Command::AskForRemoval)
            .then_already()
            .now("2026-04-08T15:59:59.999999Z")
            .when(Command::AskForRemoval)
            .then([RemovalDue { since }])
            .when(Command::AskForRemoval)
            .then_already();
        a_carried_out_one(Form::Written)
            .actor(service())
            .now("2026-04-09T00:00:00Z")
            .when(Command::AskForRemoval)
            .then_already();
    }

    #[test]
    fn a_bulletin_of_an_earlier_round_is_asked_to_be_removed_all_the_same() {
        let first = "2026-04-08T15:59:59.999999Z".parse().expect("a timestamp");
        let second = "2026-05-08T15:59:59.999999Z".parse().expect("a timestamp");
        let again = |form| {
            let Event::CarriedOut(mut again) = an_execution(form) else {
                panic!("so it is made");
            };
            again.round = 2;
            if let Some(bulletin) = &mut again.execution.bulletin {
                bulletin.remove_at = second;
            }
            let superseded = a_carried_out_one(Form::Bulletin)
                .actor(service())
                .when(Command::FollowRuling(Box::new(reopened(2))))
                .accepted()
                .1;
            let mut ruling = cleared(2);
            ruling.ordinal = 3;
            superseded
                .when(Command::FollowRuling(Box::new(ruling)))
                .accepted()
                .1
                .events([Event::CarriedOut(again)])
                .actor(service())
        };
        again(Form::Written)
            .now("2026-04-09T00:00:00Z")
            .when(Command::AskForRemoval)
            .then([RemovalDue { since: first }]);
        again(Form::Bulletin)
            .now("2026-04-09T00:00:00Z")
            .when(Command::AskForRemoval)
            .then([RemovalDue { since: first }])
            .when(Command::AskForRemoval)
            .then_already()
            .now("2026-05-09T00:00:00Z")
            .when(Command::AskForRemoval)
            .then([RemovalDue { since: second }]);
    }

    #[test]
    fn the_ledger_number_is_kept_once() {
        let after = a_carried_out_one(Form::Written)
            .actor(service())
            .when(note(7, What::CarriedOut))
            .then([LedgerNumbered {
                entered: entered(7, What::CarriedOut, 1),
                superseding: None,
            }])
            .when(note(7, What::CarriedOut))
            .then_already();
        let dossier = after.state().dossier().expect("it is open");
        assert_eq!(dossier.entries.len(), 1);
    }

    #[test]
    fn superseding_is_a_further_ledger_entry_that_names_the_first() {
        let event = a_carried_out_one(Form::Written)
            .actor(service())
            .when(note(7, What::CarriedOut))
            .accepted()
            .1
            .now("2027-01-04T01:00:00Z")
            .when(Command::FollowRuling(Box::new(reopened(2))))
            .accepted()
            .0
            .remove(0);
        let told = followed::<Clarification>(clarification(), &event);
        let ledger::Command::Enter(wanted) =
            told[0].command::<Ledger>().expect("the ledger is first");
        assert_eq!(wanted.occasion.what, What::Superseded);
        let first = wanted.supersedes.clone().expect("it names the first");
        assert_eq!((first.year, first.number), (2026, 7));
        assert_eq!(wanted.on, date(2027, 1, 4));
        assert_eq!(told[0].aggregate, ledger::ledger_of(&unit(), 2027));
    }

    #[test]
    fn a_superseded_clarification_gets_its_ledger_entry_also_when_the_first_number_comes_late() {
        let superseded = a_carried_out_one(Form::Written)
            .actor(service())
            .when(Command::FollowRuling(Box::new(reopened(2))))
            .accepted();
        let told = followed::<Clarification>(clarification(), &superseded.0[0]);
        assert_eq!(told.len(), 1, "the integrity file only");
        let (events, _) = superseded.1.when(note(7, What::CarriedOut)).accepted();
        let told = followed::<Clarification>(clarification(), &events[0]);
        let ledger::Command::Enter(wanted) = told[0].command::<Ledger>().expect("the ledger");
        assert_eq!(wanted.occasion.what, What::Superseded);
        assert_eq!(wanted.supersedes.expect("it names the first").number, 7);
    }
}

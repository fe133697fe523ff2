//! The ledger of a unit and calendar year (台賬): it hands out its next number, without gaps.
//!
//! A number is a rule over all clarifications of a unit, so it has an aggregate of its own, whose version guards it.
//! What is entered is a consequence of the clarification's event, and the number goes back to the clarification, which
//! keeps it: the entries are a view over clarifications, and the ledger itself keeps only how many there are.
//!
//! The trap: because it keeps no entries, it knows again only the last one. That nothing is entered twice rests on the
//! desk, which knows every request by its id; a consequence has that of its event.
//! Source: `domain.md`, Clarification, Afterwards.

use chassis::aggregate::{Aggregate, Context, Decision, Effects, Visitor};
use chassis::refusal::Refusal;
use jiff::civil::Date;
use office::{ClarificationId, MatterId, SubjectId, UnitCode, natural_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clarification::forms::Form;
use crate::clarification::{self, Clarification};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Ledger;

/// What a ledger keeps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Whose it is; `None` while it is empty.
    pub unit: Option<UnitCode>,
    /// The last number; 0 while it is empty.
    pub last: i32,
    /// What was entered under it.
    pub entered: Option<Occasion>,
}

/// What an entry is about, once for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// The clarification.
    pub clarification: ClarificationId,
    /// Which time it was carried out, from 1.
    pub round: u32,
    /// What became of it then.
    pub what: What,
}

/// What is entered of a clarification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// That it was carried out.
    CarriedOut,
    /// That the conclusion it rested on stands no longer.
    Superseded,
}

/// The number under which something stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number {
    /// Whose ledger.
    pub unit: UnitCode,
    /// Of which calendar year of the office's time zone.
    pub year: i16,
    /// From 1, without gaps.
    pub number: i32,
}

/// Something to be entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// In whose ledger.
    pub unit: UnitCode,
    /// What it is about.
    pub occasion: Occasion,
    /// The matter.
    pub matter: MatterId,
    /// The subject.
    pub subject: SubjectId,
    /// The form that it was carried out in.
    pub form: Form,
    /// The day of the event that it follows from, which also says in which year's ledger it is entered: that of a year
    /// that is over grows no more but by what is still on its way.
    pub on: Date,
    /// The entry that it supersedes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Number>,
}

impl Wanted {
    /// The ledger that it belongs in.
    pub fn ledger(&self) -> Uuid {
        ledger_of(&self.unit, self.on.year())
    }
}

/// The id of the ledger of a unit and year.
pub fn ledger_of(unit: &UnitCode, year: i16) -> Uuid {
    natural_id(
        Ledger::KIND,
        &[unit.as_str().as_bytes(), &year.to_be_bytes()],
    )
}

/// What can be asked of a ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Enter this under the next number.
    Enter(Wanted),
}

chassis::events! {
    /// What can happen to a ledger.
    pub enum Event {
        /// Something was entered.
        Entered(Entered) = "ledger_entered" 1,
    }
}

/// See [`Event::Entered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entered {
    /// Under which number.
    pub number: Number,
    /// What.
    pub wanted: Wanted,
}

/// Enters something in the ledger of its unit and year, after the commit.
pub(crate) fn enter(wanted: &Wanted, effects: &mut Effects) {
    effects.then::<Ledger>(
        wanted.ledger(),
        "EnterInLedger",
        &Command::Enter(wanted.clone()),
    );
}

impl Aggregate for Ledger {
    const KIND: &'static str = "ledger";
    const FORMAT: u32 = 1;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, _context: &Context<()>) -> Decision<Event> {
        let Command::Enter(wanted) = command;
        if state.entered.as_ref() == Some(&wanted.occasion) {
            return Ok(Vec::new());
        }
        Ok(vec![
            Entered {
                number: Number {
                    unit: wanted.unit.clone(),
                    year: wanted.on.year(),
                    number: state.last + 1,
                },
                wanted: wanted.clone(),
            }
            .into(),
        ])
    }

    fn evolve(state: &mut State, event: &Event) {
        let Event::Entered(entered) = event;
        *state = State {
            unit: Some(entered.number.unit.clone()),
            last: entered.number.number,
            entered: Some(entered.wanted.occasion.clone()),
        };
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        visitor.within(&state.unit)
    }

    fn matter(_id: Uuid, _state: &State) -> Option<Uuid> {
        None
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        let Event::Entered(entered) = event;
        effects.then::<Clarification>(
            entered.wanted.occasion.clarification,
            "NoteLedgerNumber",
            &clarification::Command::NoteLedgerNumber(Box::new(entered.clone())),
        );
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed, given};
    use jiff::civil::date;
    use office::Actor;

    use super::*;
    use crate::clarification::fixture::{id, unit};
    use crate::conclusion::clarification_of;

    fn wanted(subject: u128, what: What) -> Wanted {
        let (matter, subject) = (id(0x10), id(subject));
        Wanted {
            unit: unit(),
            occasion: Occasion {
                clarification: clarification_of(matter, subject),
                round: 1,
                what,
            },
            matter,
            subject,
            form: Form::Written,
            on: date(2026, 3, 9),
            supersedes: None,
        }
    }

    fn a_ledger() -> Given<Ledger> {
        given::<Ledger>()
            .id(wanted(1, What::CarriedOut).ledger())
            .actor(Actor::service("clarification", None))
    }

    fn entered(number: i32, wanted: Wanted) -> Event {
        Entered {
            number: Number {
                unit: unit(),
                year: 2026,
                number,
            },
            wanted,
        }
        .into()
    }

    #[test]
    fn ledger_numbers_have_no_gaps_and_superseding_is_a_further_entry() {
        let after = a_ledger()
            .when(Command::Enter(wanted(1, What::CarriedOut)))
            .then([entered(1, wanted(1, What::CarriedOut))])
            .when(Command::Enter(wanted(2, What::CarriedOut)))
            .then([entered(2, wanted(2, What::CarriedOut))])
            .when(Command::Enter(wanted(1, What::Superseded)))
            .then([entered(3, wanted(1, What::Superseded))]);
        assert_eq!(after.state().last, 3);
    }

    #[test]
    fn a_ledger_is_of_one_unit_and_one_calendar_year() {
        let one = wanted(1, What::CarriedOut);
        let mut next_year = one.clone();
        next_year.on = date(2027, 1, 1);
        let mut elsewhere = one.clone();
        elsewhere.unit = "P51-02".parse().expect("a unit code");
        assert_ne!(one.ledger(), next_year.ledger());
        assert_ne!(one.ledger(), elsewhere.ledger());
        let mut december = one.clone();
        december.on = date(2026, 12, 31);
        assert_eq!(one.ledger(), december.ledger());
    }

    #[test]
    fn the_ledger_number_goes_back_to_its_clarification() {
        let event = entered(1, wanted(1, What::CarriedOut));
        let told = followed::<Ledger>(ledger_of(&unit(), 2026), &event);
        assert_eq!(told.len(), 1);
        let clarification = wanted(1, What::CarriedOut).occasion.clarification;
        assert_eq!(told[0].aggregate, clarification.uuid());
        assert_eq!(told[0].method, "NoteLedgerNumber");
    }
}

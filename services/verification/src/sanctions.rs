//! The sanctions of one person over all their cases (處分), each with its impact period (影響期): a disciplinary decision
//! after a substantiated finding, decided here or told by an outside disciplinary system over the queue.
//! Source: `domain.md`, Verification, Sanction.
//!
//! An aggregate of its own, one a person, because periods of several cases count together ([`impact`]) and its version
//! guards their sum. What a sanction rests on, the case, is a fact of its decision; the case itself does not change, and
//! a sanction stays on record if the case is opened again later.
//!
//! To add a command: a variant of [`Command`], its decision in the room of its heading ([`recording`]), its line in `decide`, tests
//! there that bear the rule's name.
//!
//! The trap: a person's sanctions are seen as a whole or not at all, but recorded from every unit that has a case on the
//! person. So [`Aggregate::admit_to`] lets everybody in, and the decision asks the case.

#[cfg(test)]
pub(crate) mod fixture;
pub mod impact;
#[cfg(test)]
mod properties;
pub mod recording;

use chassis::aggregate::{Aggregate, Announcement, Decision, Rejection, Visitor};
use chassis::refusal::{Refusal, RefusalKind};
use office::{SubjectId, natural_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::recording::{Recorded, Sanction};
use crate::case::{self, Outcome, RECUSED, SubjectKind};

/// What a decision may know.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Sanctions;

/// The sanctions of a person, in the order in which they were recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// All of them; none is ever taken off.
    pub recorded: Vec<Recorded>,
}

/// What can be asked of a person's sanctions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Records a sanction.
    RecordSanction(Sanction),
}

chassis::events! {
    /// What can happen to a person's sanctions.
    pub enum Event {
        /// One was recorded.
        Recorded(Recorded) = "sanction_recorded" 1,
    }
}

/// What is asked before a sanction is recorded.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The case that it follows.
    pub case: case::State,
}

/// The case has no conclusion that stands.
pub const NO_CONCLUSION: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_WITHOUT_CONCLUSION",
    "A sanction follows a conclusion, and this case has none that stands.",
);
/// Nothing that was found would be sanctioned.
pub const NOT_SUBSTANTIATED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_NOT_SUBSTANTIATED",
    "A sanction follows a substantiated finding, and the conclusion of this case has none on this person.",
);
/// The subject is an organisation.
pub const NOT_A_PERSON: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SANCTION_NOT_A_PERSON",
    "Only a person who is identified is sanctioned; this subject is an organisation or nobody known.",
);

/// The id under which a person's sanctions stand: one for each person.
pub fn sanctions_of(person: SubjectId) -> Uuid {
    natural_id(Sanctions::KIND, &[person.as_bytes()])
}

/// Whether the conclusion of a case that stands substantiates something that was alleged about this person.
fn substantiated(case: &case::State, person: SubjectId) -> Result<(), Rejection> {
    let case::State::Concluded {
        dossier, findings, ..
    } = case
    else {
        return Err(NO_CONCLUSION.into());
    };
    let mut about = dossier
        .allegations
        .iter()
        .filter(|one| one.subject == person);
    let found = about.find(|allegation| {
        let found = findings.get(&allegation.id);
        found.is_some_and(|found| found.outcome == Outcome::Substantiated)
    });
    match found.map(|allegation| allegation.subject_kind) {
        Some(SubjectKind::Person) => Ok(()),
        Some(SubjectKind::Organisation | SubjectKind::NotIdentified) => Err(NOT_A_PERSON.into()),
        None => Err(NOT_SUBSTANTIATED.into()),
    }
}

impl Aggregate for Sanctions {
    const KIND: &'static str = "sanctions";
    const FORMAT: u32 = 1;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::RecordSanction(sanction) => recording::record(state, sanction, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::Recorded(recorded) => state.recorded.push(recorded.clone()),
        }
    }

    /// Whoever may see one of a person's sanctions sees all, as they count together; who is recused from one of the
    /// cases sees none. Who was recused after a sanction was recorded is found by the question itself.
    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        if state.recorded.is_empty() {
            return Ok(());
        }
        visitor.within(state.recorded.iter().map(|recorded| &recorded.unit))?;
        if visitor.actor.is_service() {
            return Ok(());
        }
        let mut recorded = state.recorded.iter();
        recorded.try_for_each(|recorded| recorded.recusal.check(visitor, RECUSED))
    }

    /// Another unit than those that recorded sanctions may have a case on this person, too.
    fn admit_to(_: &State, command: &Command, _: &Visitor<'_>) -> Result<(), Refusal> {
        match command {
            Command::RecordSanction(_) => Ok(()),
        }
    }

    /// Each sanction belongs to a matter of its own; a row of the journal is written by the newest.
    fn matter(_id: Uuid, state: &State) -> Option<Uuid> {
        state.recorded.last().map(|newest| newest.matter.uuid())
    }

    fn announce(_id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce_sanction(event)
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use jiff::civil::date;

    use super::fixture::*;
    use super::*;
    use crate::case::fixture::{OFFICIAL, id, service, supervisor, unit};

    #[test]
    fn who_may_see_one_sees_all_and_who_is_recused_from_one_case_sees_none() {
        let setting = elsewhere(a_liable_official().events([recorded()]));
        let seen = |given: &chassis::testing::Given<Sanctions>, actor: office::Actor| {
            let context = given.context();
            let visitor = Visitor {
                actor: &actor,
                ..context.visitor()
            };
            Sanctions::admit(given.state(), &visitor)
        };
        let meng = || supervisor_at("meng", other_unit());
        assert_eq!(seen(&setting, supervisor("gao")), Ok(()));
        assert_eq!(seen(&setting, meng()), Err(OUT_OF_SCOPE));
        assert_eq!(seen(&setting, supervisor("accused")), Err(RECUSED));
        assert_eq!(seen(&setting, supervisor("reporter")), Err(RECUSED));
        assert_eq!(seen(&setting, service()), Ok(()));
        // The other unit records one of its own although it may not see the first, and sees both from then on.
        let (_, both) = setting
            .when(Command::RecordSanction(sanction_elsewhere(
                date(2026, 3, 3),
                6,
            )))
            .accepted();
        assert_eq!(seen(&both, meng()), Ok(()));
        assert_eq!(seen(&both, supervisor("gao")), Ok(()));
        assert_eq!(
            seen(&both, supervisor_at("accused", other_unit())),
            Err(RECUSED)
        );
    }

    #[test]
    fn each_row_of_the_journal_belongs_to_the_matter_of_its_sanction() {
        let setting = a_liable_official().events([recorded()]);
        let of = |given: &chassis::testing::Given<Sanctions>| {
            Sanctions::matter(given.context().id, given.state())
        };
        assert_eq!(of(&setting), Some(id(0x10)));
        let (_, both) = elsewhere(setting)
            .when(Command::RecordSanction(sanction_elsewhere(
                date(2026, 3, 3),
                6,
            )))
            .accepted();
        assert_eq!(of(&both), Some(id(ELSEWHERE)));
        assert_eq!(sanctions_of(id(OFFICIAL)), both.context().id);
        assert_eq!(unit(), both.state().recorded[0].unit);
    }
}

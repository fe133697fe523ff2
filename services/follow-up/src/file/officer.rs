//! Who takes a step on a file: an officer of the unit that decided, and never the person whom the file is about, nor
//! anybody who is recused from its matters.
//!
//! Follow-up does not follow intake, so the person's actor id is asked of intake's register: once when the file opens,
//! so that they are shown nothing either, and again before each step of an officer. The trap: without an answer there
//! is no step; [`Officer::at`] finds out where a fact was not gathered.

use chassis::aggregate::{Decision, Effects, Rejection};
use jiff::civil::Date;
use office::{ActorId, UnitCode};
use uuid::Uuid;

use super::events::{Event, PersonLearned};
use super::{Command, Context, File, RECUSED, Record, State};

/// What is asked before a step on a file.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The person, as intake's register has them; `None` where nobody asked.
    pub person: Option<Person>,
}

/// A person of intake's register.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Their actor id, if they have one.
    pub actor: Option<ActorId>,
}

/// An officer at a file.
pub(super) struct Officer<'a> {
    pub(super) record: &'a Record,
    person: &'a Person,
    context: &'a Context,
}

impl<'a> Officer<'a> {
    /// The officer at a file that is there, unless it is about them.
    pub(super) fn at(state: &'a State, context: &'a Context) -> Result<Self, Rejection> {
        let record = state.known()?;
        // Not asked where the file was opened a moment ago, after the facts were gathered.
        let person = context.facts.person.as_ref().ok_or(Rejection::Stale)?;
        let officer = Self {
            record,
            person,
            context,
        };
        if officer.recuses(&context.actor.id) {
            return Err(RECUSED.into());
        }
        Ok(officer)
    }

    /// Whether this actor is the person whom the file is about, or recused from one of its matters.
    pub(super) fn recuses(&self, actor: &ActorId) -> bool {
        self.person.actor.as_ref() == Some(actor)
            || self.record.person.as_ref() == Some(actor)
            || self.record.recusal.names(actor, &self.context.secrets)
    }

    /// Whether the officer acts for this unit: their own, or one below it.
    pub(super) fn covers(&self, unit: &UnitCode) -> bool {
        self.context.profile.in_scope(&self.context.actor, unit)
    }

    /// Today's date at the office.
    pub(super) fn today(&self) -> Date {
        self.context.profile.calendar.date(self.context.now)
    }

    /// The events of a step, with what it rested on and the file did not know.
    pub(super) fn done(&self, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
        learned(self.record, self.person)
            .into_iter()
            .chain(events)
            .collect()
    }
}

/// Learns whether the person is an actor.
pub(super) fn learn(state: &State, context: &Context) -> Decision<Event> {
    let record = state.known()?;
    let person = context.facts.person.as_ref().ok_or(Rejection::Stale)?;
    Ok(learned(record, person).into_iter().collect())
}

/// What the register says now and the file does not; what it said before is not forgotten for its silence.
fn learned(record: &Record, person: &Person) -> Option<Event> {
    let actor = person.actor.clone()?;
    (record.person.as_ref() != Some(&actor)).then(|| PersonLearned { actor }.into())
}

/// A file that opens asks who the person is.
pub(super) fn consequence(id: Uuid, event: &Event, effects: &mut Effects) {
    if let Event::Opened(_) = event {
        effects.then::<File>(id, "LearnPerson", &Command::LearnPerson);
    }
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::refusal::{NOT_FOUND, OUT_OF_SCOPE};

    use super::super::fixture::*;
    use super::super::{Assessment, Attitude, Effect, Grade, VISITOR_RECUSED};
    use super::*;

    /// Every step of an officer.
    fn steps() -> [Command; 4] {
        [
            Command::PlanVisits {
                visits_on: vec![jiff::civil::date(2026, 5, 1)],
                situation: id(TEXT),
            },
            Command::RecordVisit(report()),
            Command::RecordAssessment(Assessment {
                visit: id(VISIT),
                attitude: Attitude::Corrected,
                grade: Grade::Good,
                profile: id(TEXT),
            }),
            Command::CheckAftercare {
                clarification: id(CLARIFICATION),
                effect: Effect::Restored,
                notes: id(TEXT),
            },
        ]
    }

    fn learned() -> Event {
        PersonLearned {
            actor: actor_id("person"),
        }
        .into()
    }

    #[test]
    fn nobody_keeps_their_own_file() {
        for step in steps() {
            a_visited_file()
                .events([care_added()])
                .now("2026-04-09T01:00:00Z")
                .actor(officer("person", CITY))
                .facts(asked())
                .when(step)
                .then_refused(&RECUSED);
        }
    }

    #[test]
    fn nobody_reads_their_own_file_once_it_is_known_who_they_are() {
        let after = a_file()
            .actor(service())
            .facts(asked())
            .when(Command::LearnPerson)
            .then([learned()]);
        for (name, sees) in [("person", Err(RECUSED)), ("he", Ok(()))] {
            let file = after.clone().actor(officer(name, CITY));
            let answer = File::admit(file.state(), &file.context().visitor());
            assert_eq!(answer, sees, "{name}");
        }
        // Also where the register says nothing any more.
        after
            .facts(no_actor())
            .when(Command::LearnPerson)
            .then_already();
    }

    #[test]
    fn the_person_is_none_of_their_visitors() {
        let report = super::super::Report {
            visitors: ["chen", "person"].map(actor_id).to_vec(),
            ..report()
        };
        let refusal = a_file()
            .facts(asked())
            .when(Command::RecordVisit(report))
            .then_refused(&VISITOR_RECUSED);
        assert_eq!(refusal.violations[0].field, "visitors[1]");
    }

    #[test]
    fn a_step_records_what_it_learned_of_the_person() {
        let (events, after) = a_file()
            .facts(asked())
            .when(Command::RecordVisit(report()))
            .accepted();
        assert_eq!(events[0], learned());
        assert_eq!(events.len(), 2);
        let record = after.state().record().expect("there is a file");
        assert_eq!(record.person, Some(actor_id("person")));
    }

    #[test]
    fn there_is_no_step_without_an_answer_about_the_person() {
        for step in steps() {
            a_file().facts(Facts::default()).when(step).then_stale();
        }
        a_file()
            .facts(Facts::default())
            .when(Command::LearnPerson)
            .then_stale();
    }

    #[test]
    fn there_is_no_step_without_a_file() {
        for step in steps() {
            no_file().when(step).then_refused(&NOT_FOUND);
        }
    }

    #[test]
    fn a_file_is_seen_by_each_unit_that_follows_up_and_those_above() {
        let both = a_file().events([second_followed()]);
        for (unit, sees) in [
            (CITY, true),
            (COUNTY, true),
            (NEIGHBOUR, true),
            ("P51-01-01-01", false),
            ("P51-01-02-01", false),
        ] {
            let file = both.clone().actor(officer("he", unit));
            let answer = File::admit(file.state(), &file.context().visitor());
            let expected = if sees { Ok(()) } else { Err(OUT_OF_SCOPE) };
            assert_eq!(answer, expected, "{unit}");
        }
        let one = a_file().actor(officer("he", NEIGHBOUR));
        let answer = File::admit(one.state(), &one.context().visitor());
        assert_eq!(answer, Err(OUT_OF_SCOPE));
    }
}

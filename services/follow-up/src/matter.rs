//! A matter as follow-up knows it: who is recused from it, and which files rest on it. Nobody who is recused from a
//! matter is shown, or keeps, the file of anybody who was sanctioned or cleared in it (`domain.md`, Actors).
//!
//! An aggregate of its own, because who is recused becomes known before and after a file opens, and from verification
//! and clarification in any order: a file asks to be told, and is told whatever is known then or learned later.

use std::collections::BTreeSet;

use chassis::aggregate::{Aggregate, Context, Decision, Effects, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{OUT_OF_SCOPE, Refusal};
use office::{FileId, MatterId, natural_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::file::{self, File};

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Matter;

/// What is known of a matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Who is recused from it.
    pub recusal: Recusal,
    /// The files that rest on it.
    pub files: BTreeSet<FileId>,
}

/// What can be asked of a matter; all of it follows from events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Learn who is recused; follows from verification's and clarification's events.
    LearnRecusal {
        /// Who.
        recusal: Recusal,
    },
    /// Tell a file who is recused, now and whenever others are; follows from what the file took in.
    TellFile {
        /// Which.
        file: FileId,
    },
}

chassis::events! {
    /// What can happen to a matter.
    pub enum Event {
        /// It became known who is recused.
        RecusalLearned(RecusalLearned) = "recusal_learned" 1,
        /// A file rests on it.
        FileNoted(FileNoted) = "file_noted" 1,
    }
}

/// See [`Event::RecusalLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecusalLearned {
    /// Who is recused and was not before.
    pub recusal: Recusal,
    /// The files that are told.
    pub tell: BTreeSet<FileId>,
}

/// See [`Event::FileNoted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileNoted {
    /// The file.
    pub file: FileId,
    /// Who is recused as it is noted.
    pub recusal: Recusal,
}

/// The id under which a matter stands here; another than the matter's own, by which it is shown.
pub fn known_as(matter: MatterId) -> Uuid {
    natural_id(Matter::KIND, &[matter.as_bytes()])
}

fn learn(state: &State, recusal: &Recusal) -> Vec<Event> {
    let recusal = state.recusal.lacking(recusal);
    if recusal.is_empty() {
        return Vec::new();
    }
    vec![
        RecusalLearned {
            recusal,
            tell: state.files.clone(),
        }
        .into(),
    ]
}

fn note(state: &State, file: FileId) -> Vec<Event> {
    if state.files.contains(&file) {
        return Vec::new();
    }
    vec![
        FileNoted {
            file,
            recusal: state.recusal.clone(),
        }
        .into(),
    ]
}

fn tell(file: FileId, recusal: &Recusal, effects: &mut Effects) {
    effects.then::<File>(
        file,
        "RecuseFromFile",
        &file::Command::RecuseFromFile {
            recusal: recusal.clone(),
        },
    );
}

impl Aggregate for Matter {
    const KIND: &'static str = MatterId::KIND;
    const FORMAT: u32 = 1;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, _context: &Context<()>) -> Decision<Event> {
        Ok(match command {
            Command::LearnRecusal { recusal } => learn(state, recusal),
            Command::TellFile { file } => note(state, *file),
        })
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::RecusalLearned(learned) => state.recusal.extend(&learned.recusal),
            Event::FileNoted(noted) => {
                state.files.insert(noted.file);
            }
        }
    }

    /// Nobody asks for it: it serves the files, and what is to be seen of it is seen there.
    fn admit(_state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        if visitor.actor.is_service() {
            Ok(())
        } else {
            Err(OUT_OF_SCOPE)
        }
    }

    /// Not shown with its matter: it names people, and no unit whose officers could see them.
    fn matter(_id: Uuid, _state: &State) -> Option<Uuid> {
        None
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        match event {
            Event::RecusalLearned(learned) => {
                for file in &learned.tell {
                    tell(*file, &learned.recusal, effects);
                }
            }
            Event::FileNoted(noted) if noted.recusal.is_empty() => {}
            Event::FileNoted(noted) => tell(noted.file, &noted.recusal, effects),
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed, given};

    use super::*;
    use crate::file::file_of;
    use crate::file::fixture::{MATTER, SUBJECT, actor_id, id, officer, service};

    fn recusal(names: &[&str]) -> Recusal {
        Recusal {
            actors: names.iter().map(|name| actor_id(name)).collect(),
            ..Recusal::default()
        }
    }

    fn learn(names: &[&str]) -> Command {
        Command::LearnRecusal {
            recusal: recusal(names),
        }
    }

    fn noted(names: &[&str]) -> Event {
        FileNoted {
            file: file_of(id(SUBJECT)),
            recusal: recusal(names),
        }
        .into()
    }

    fn a_matter() -> Given<Matter> {
        given::<Matter>().id(known_as(id(MATTER))).actor(service())
    }

    fn tell_file() -> Command {
        Command::TellFile {
            file: file_of(id(SUBJECT)),
        }
    }

    /// The recusal that files are told because of this event.
    fn told(event: &Event) -> usize {
        let followed = followed::<Matter>(known_as(id(MATTER)), event);
        assert!(followed.iter().all(|one| one.method == "RecuseFromFile"));
        followed.len()
    }

    #[test]
    fn a_file_is_told_who_is_recused_whichever_was_known_first() {
        let (events, after) = a_matter().when(learn(&["accused"])).accepted();
        assert_eq!(told(&events[0]), 0, "no file rests on it yet");
        let (events, after) = after.when(tell_file()).accepted();
        assert_eq!(events, [noted(&["accused"])]);
        assert_eq!(told(&events[0]), 1);
        let (events, _) = after.when(learn(&["accused", "chen"])).accepted();
        let news = RecusalLearned {
            recusal: recusal(&["chen"]),
            tell: [file_of(id(SUBJECT))].into(),
        };
        assert_eq!(events, [news.into()]);
        assert_eq!(told(&events[0]), 1);
    }

    #[test]
    fn where_nobody_is_recused_no_file_is_told() {
        let (events, _) = a_matter().when(tell_file()).accepted();
        assert_eq!(events, [noted(&[])]);
        assert_eq!(told(&events[0]), 0);
    }

    #[test]
    fn what_is_known_already_is_learned_once() {
        let after = a_matter().when(learn(&["chen"])).accepted().1;
        let after = after.when(tell_file()).accepted().1;
        after.clone().when(learn(&["chen"])).then_already();
        after.when(tell_file()).then_already();
    }

    #[test]
    fn nobody_looks_at_it() {
        let of = a_matter().actor(officer("he", "N"));
        let answer = Matter::admit(of.state(), &of.context().visitor());
        assert_eq!(answer, Err(OUT_OF_SCOPE));
    }
}

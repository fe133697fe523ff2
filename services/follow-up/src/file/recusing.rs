//! Who stays out of a file beside the person: whoever is recused from one of the matters that it rests on, as its other
//! subjects, its reporters, and who declared a conflict. A file asks each of its matters, and is told now and later.

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use office::{FileId, MatterId};
use serde::{Deserialize, Serialize};

use super::{Event, Record, State};
use crate::matter::{self, Matter, known_as};

/// See [`Event::ActorsRecused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorsRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
}

/// Learns who is recused.
pub(super) fn learn(state: &State, recusal: &Recusal) -> Decision<Event> {
    let Some(record) = state.record() else {
        return Err(Rejection::NotYet("the file that asked its matter"));
    };
    let recusal = record.recusal.lacking(recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![ActorsRecused { recusal }.into()])
}

pub(super) fn recused(record: &mut Record, recused: &ActorsRecused) {
    record.recusal.extend(&recused.recusal);
}

/// Asks the matter of what the file took in.
pub(super) fn ask(file: FileId, event: &Event, effects: &mut Effects) {
    let matter: MatterId = match event {
        Event::SanctionFollowed(followed) => followed.sanction.matter,
        Event::AftercareAdded(added) => added.carried.matter,
        _ => return,
    };
    effects.then::<Matter>(
        known_as(matter),
        "TellFile",
        &matter::Command::TellFile { file },
    );
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::recusal::Mark;
    use chassis::testing::followed as follows;

    use super::super::fixture::*;
    use super::super::{Command, File, RECUSED, VISITOR_RECUSED, file_of};
    use super::*;

    fn recusal() -> Recusal {
        let of = no_file();
        Recusal {
            actors: [actor_id("chen")].into(),
            reporters: [Mark::of_reporter(&of.context().secrets, &actor_id("wang"))].into(),
        }
    }

    fn recuse() -> Command {
        Command::RecuseFromFile { recusal: recusal() }
    }

    #[test]
    fn who_is_recused_from_a_matter_is_recused_from_the_files_that_rest_on_it() {
        let after = a_file()
            .actor(service())
            .when(recuse())
            .then([Event::from(ActorsRecused { recusal: recusal() })]);
        for (name, sees) in [
            ("chen", Err(RECUSED)),
            ("wang", Err(RECUSED)),
            ("he", Ok(())),
        ] {
            let file = after.clone().actor(officer(name, CITY));
            let answer = File::admit(file.state(), &file.context().visitor());
            assert_eq!(answer, sees, "{name}");
        }
        after.actor(service()).when(recuse()).then_already();
    }

    #[test]
    fn who_is_recused_is_none_of_the_visitors() {
        let refusal = a_file()
            .events([Event::from(ActorsRecused { recusal: recusal() })])
            .facts(asked())
            .when(Command::RecordVisit(report()))
            .then_refused(&VISITOR_RECUSED);
        assert_eq!(refusal.violations[0].field, "visitors[0]");
    }

    #[test]
    fn a_file_asks_the_matter_of_each_sanction_and_each_clarification() {
        for (event, matter) in [(followed(), MATTER), (care_added(), CLEARED_MATTER)] {
            let asked = follows::<File>(file_of(id(SUBJECT)), &event);
            let asked: Vec<_> = asked
                .iter()
                .map(|one| (one.method, one.aggregate))
                .collect();
            assert_eq!(asked, [("TellFile", known_as(id(matter)))]);
        }
    }
}

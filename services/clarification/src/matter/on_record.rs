//! What goes from a matter on a subject's integrity file: what verification decided on a person, whose own event does not say
//! to whom the person belongs. The matter knows, and passes it on.

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use serde::{Deserialize, Serialize};

use super::{Event, State};
use crate::conclusion::Subject;
use crate::integrity::{self, IntegrityFile, SanctionRecord, file_of};

/// See [`Event::SanctionLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SanctionLearned {
    /// The person.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The sanction.
    pub sanction: SanctionRecord,
}

/// Passes a sanction on to the person's integrity file, with what decides who may read that: a sanction's own event
/// does not say to whom the person belongs.
pub(super) fn sanction(state: &State, sanction: &SanctionRecord) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter of the sanction"));
    };
    if known.sanctions.contains(&sanction.id) {
        return Ok(Vec::new());
    }
    let Some(subject) = known.subjects.get(&sanction.subject) else {
        return Err(Rejection::NotYet("who was sanctioned"));
    };
    Ok(vec![
        SanctionLearned {
            subject: subject.clone(),
            recusal: known.recusal.clone(),
            sanction: sanction.clone(),
        }
        .into(),
    ])
}

pub(super) fn pass_on(learned: &SanctionLearned, effects: &mut Effects) {
    effects.then::<IntegrityFile>(
        file_of(learned.subject.id),
        "EnterInIntegrityFile",
        &integrity::Command::Enter {
            of: learned.subject.id,
            entry: learned.sanction.entry(),
            whose: Some(integrity::Whose {
                subject: learned.subject.clone(),
                recusal: learned.recusal.clone(),
            }),
        },
    );
}

#[cfg(test)]
mod tests {
    use chassis::testing::followed;
    use jiff::civil::date;
    use office::{MatterId, SubjectId};

    use super::super::fixture::*;
    use super::super::{Command, Matter};
    use super::*;
    use crate::clarification::fixture::{id, subject, unit};

    fn warning(subject: SubjectId) -> SanctionRecord {
        SanctionRecord {
            id: id(0x80),
            subject,
            matter: id(0x10),
            kind: "warning".to_owned(),
            decided_by: unit(),
            decided_on: date(2026, 3, 2),
        }
    }

    #[test]
    fn a_sanction_goes_to_the_integrity_file_with_what_decides_who_reads_it() {
        let sanction = |of| Command::LearnSanction(warning(of));
        let (event, matter) = learned(a_matter(), sanction(subject().id));
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].aggregate, file_of(subject().id));
        let integrity::Command::Enter { entry, whose, .. } =
            told[0].command::<IntegrityFile>().expect("the file");
        assert_eq!(entry.detail, "warning");
        assert_eq!(whose.expect("it is known").subject, subject());
        matter.when(sanction(subject().id)).then_already();
        a_matter().when(sanction(id(0x99))).then_not_yet();
    }
}

//! Who stays out of a matter by what others tell: whoever declared a conflict in verification or clarification is recused
//! from all of it, so from the matter and its reports, too.
//! Source: `domain.md`, Actors.

use chassis::aggregate::{Decision, Rejection};
use chassis::recusal::Recusal;
use office::ReportId;
use serde::{Deserialize, Serialize};

use crate::matter::{Event, State};

/// Verification or clarification told who is recused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorsRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
    /// The reports that must know it.
    pub tell: Vec<ReportId>,
}

pub(super) fn learn(state: &State, recusal: &Recusal) -> Decision<Event> {
    let Some(open) = state.open() else {
        return Err(Rejection::NotYet(
            "the matter that they are recused from is not here",
        ));
    };
    let recusal = open.recusal.lacking(recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    let tell = open.reports.clone();
    Ok(vec![ActorsRecused { recusal, tell }.into()])
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::testing::{followed, given};

    use super::*;
    use crate::examples::{COUNTY, about, officer, raised, subject, submission};
    use crate::matter::{Command, Matter};
    use crate::recusal::RECUSED;

    fn conflict() -> Command {
        Command::LearnRecusal {
            recusal: Recusal {
                actors: ["chen".parse().expect("an actor id")].into(),
                ..Recusal::default()
            },
        }
    }

    #[test]
    fn who_has_a_conflict_elsewhere_is_recused_from_the_matter_and_its_reports() {
        let one = subject("one");
        let matter = raised(submission([about(&one)]), &[one]);
        let id = matter.context().id;
        let (events, after) = matter.when(conflict()).accepted();
        let told = followed::<Matter>(id, &events[0]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].method, "FollowMatter");
        let of = after.clone().actor(officer("chen", COUNTY));
        let answer = Matter::admit(of.state(), &of.context().visitor());
        assert_eq!(answer, Err(RECUSED));
        after.when(conflict()).then_already();
    }

    #[test]
    fn a_recusal_that_comes_before_the_matter_waits() {
        given::<Matter>().when(conflict()).then_not_yet();
    }
}

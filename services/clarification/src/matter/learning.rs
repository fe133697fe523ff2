//! What a matter learns from intake: that it was raised, what is alleged, who its subjects are, who is therefore recused,
//! and which unit handles it. What is learned late of recusals reaches the clarifications that it has by then.
//!
//! That another unit handles it changes no clarification: its unit is the one that concluded, whichever that was.

use chassis::aggregate::{Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::{AllegationId, ClarificationId, MatterId, ReportId, SubjectId, UnitCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Event, Known, State, applicants, on_record};
use crate::clarification::{self, Clarification};
use crate::conclusion::{Holding, NotCleared, Subject};

/// One specific thing alleged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allegation {
    /// Its id.
    pub id: AllegationId,
    /// Its category; a code.
    pub category: String,
    /// On which day it is said to have been; `None` where intake does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_on: Option<Date>,
}

/// The first version of what brings allegations did not say when they are said to have been. Here the days first enter;
/// the events that hold them later (see [`Line`](crate::conclusion::Line)) keep their versions.
pub(super) fn without_days<E: DeserializeOwned>(data: &[u8]) -> Result<E, String> {
    chassis::aggregate::decode(data)
}

/// What a report brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Its id.
    pub id: ReportId,
    /// What it alleges.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Subject>,
    /// Its subjects that are actors, and its reporter.
    pub recusal: Recusal,
}

/// A matter that was raised; see [`Event::Raised`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    /// Where it was entered from: a register's name, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// The report that raised it.
    pub report: Report,
}

/// See [`Event::ReportLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportLearned {
    /// The report.
    pub report: ReportId,
    /// What it alleges.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Subject>,
    /// Who is recused because of it and was not before.
    pub recusal: Recusal,
    /// The clarifications that must know who is.
    pub tell: Vec<ClarificationId>,
}

/// See [`Event::IdentityLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdentityLearned {
    /// Under which id the subject was not identified.
    pub placeholder: SubjectId,
    /// Who it is.
    pub subject: Subject,
    /// Who is recused because of it and was not before.
    pub recusal: Recusal,
    /// The clarifications that must know who is.
    pub tell: Vec<ClarificationId>,
}

/// See [`Event::MoveLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveLearned {
    /// The unit that handles it from now on.
    pub unit: UnitCode,
    /// The matter.
    pub matter: MatterId,
    /// The ordinal of what is told.
    pub ordinal: u32,
    /// Those who applied and whom no conclusion ever cleared; they are told which unit it is now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_cleared: Vec<NotCleared>,
}

/// See [`Event::ActorRecused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorRecused {
    /// Who is recused and was not before.
    pub recusal: Recusal,
    /// The clarifications that must know who is.
    pub tell: Vec<ClarificationId>,
}

/// Learns of a matter, once.
pub(super) fn learn(state: &State, raised: &Raised) -> Vec<Event> {
    if state.known().is_some() {
        return Vec::new();
    }
    vec![raised.clone().into()]
}

/// The matter as it begins.
pub(super) fn raised(raised: &Raised) -> Known {
    let mut known = Known {
        source: raised.source.clone(),
        unit: raised.unit.clone(),
        reports: [raised.report.id].into(),
        allegations: [].into(),
        subjects: [].into(),
        identified: [].into(),
        recusal: raised.report.recusal.clone(),
        conclusion: 0,
        holding: Holding::HoldsNoMore,
        changes: 0,
        clearances: [].into(),
        concluded_by: None,
        verdicts: None,
        applicants: [].into(),
        sanctions: [].into(),
        sanctioned: [].into(),
        exemptions: Vec::new(),
    };
    enter(
        &mut known,
        &raised.report.allegations,
        &raised.report.subjects,
    );
    known
}

fn enter(known: &mut Known, allegations: &[Allegation], subjects: &[Subject]) {
    for allegation in allegations {
        known.allegations.insert(allegation.id, allegation.clone());
    }
    for subject in subjects {
        known.subjects.insert(subject.id, subject.clone());
    }
}

/// Learns of a report that joined.
pub(super) fn join(state: &State, matter: MatterId, report: &Report) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter that the report joins"));
    };
    if known.reports.contains(&report.id) {
        return Ok(Vec::new());
    }
    let (recusal, tell) = news(known, matter, &report.recusal);
    let passed_on = on_record::recuse(known, &recusal);
    let learned = ReportLearned {
        report: report.id,
        allegations: report.allegations.clone(),
        subjects: report.subjects.clone(),
        recusal,
        tell,
    };
    Ok([Some(learned.into()), passed_on]
        .into_iter()
        .flatten()
        .collect())
}

pub(super) fn joined(known: &mut Known, learned: &ReportLearned) {
    known.reports.insert(learned.report);
    enter(known, &learned.allegations, &learned.subjects);
    known.recusal.extend(&learned.recusal);
}

/// Learns who a subject is.
pub(super) fn identify(
    state: &State,
    matter: MatterId,
    placeholder: SubjectId,
    subject: &Subject,
    recusal: &Recusal,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter whose subject is identified"));
    };
    if known.identified.contains_key(&placeholder) {
        return Ok(Vec::new());
    }
    let (recusal, tell) = news(known, matter, recusal);
    let passed_on = on_record::recuse(known, &recusal);
    let learned = IdentityLearned {
        placeholder,
        subject: subject.clone(),
        recusal,
        tell,
    };
    Ok([Some(learned.into()), passed_on]
        .into_iter()
        .flatten()
        .collect())
}

pub(super) fn identified(known: &mut Known, learned: &IdentityLearned) {
    known
        .identified
        .insert(learned.placeholder, learned.subject.id);
    enter(known, &[], std::slice::from_ref(&learned.subject));
    known.recusal.extend(&learned.recusal);
}

/// Learns which unit handles it now.
pub(super) fn follow(state: &State, matter: MatterId, unit: &UnitCode) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter that was raised"));
    };
    if known.unit == *unit {
        return Ok(Vec::new());
    }
    let mut learned = MoveLearned {
        unit: unit.clone(),
        matter,
        ordinal: known.changes + 1,
        not_cleared: Vec::new(),
    };
    learned.not_cleared = applicants::told_after(known, |next| moved(next, &learned));
    Ok(vec![learned.into()])
}

pub(super) fn moved(known: &mut Known, learned: &MoveLearned) {
    known.unit = learned.unit.clone();
    known.changes = learned.ordinal;
}

/// Recuses from all of the matter who declared a conflict, in verification or in one of its clarifications.
pub(super) fn recuse(
    state: &State,
    matter: MatterId,
    recusal: &Recusal,
    told_by: Option<ClarificationId>,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet(
            "the matter that the actor is recused from",
        ));
    };
    let (recusal, mut tell) = news(known, matter, recusal);
    if recusal.is_empty() {
        return Ok(Vec::new());
    }
    tell.retain(|clarification| Some(*clarification) != told_by);
    let passed_on = on_record::recuse(known, &recusal);
    let recused = ActorRecused { recusal, tell };
    Ok([Some(recused.into()), passed_on]
        .into_iter()
        .flatten()
        .collect())
}

/// Who is recused from now on and was not before, and which clarifications must know it: those that were opened by what
/// the matter knew before. One that opens later is told with its ruling.
fn news(known: &Known, matter: MatterId, recusal: &Recusal) -> (Recusal, Vec<ClarificationId>) {
    let recusal = known.recusal.lacking(recusal);
    let tell = if recusal.is_empty() {
        Vec::new()
    } else {
        known.clarifications(matter)
    };
    (recusal, tell)
}

/// Tells clarifications who is recused.
pub(super) fn tell(clarifications: &[ClarificationId], recusal: &Recusal, effects: &mut Effects) {
    for clarification in clarifications {
        effects.then::<Clarification>(
            *clarification,
            "RecuseFromClarification",
            &clarification::Command::RecuseFromClarification {
                recusal: recusal.clone(),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::testing::{Given, followed, given};
    use office::Finding;

    use super::super::fixture::*;
    use super::super::{Command, Matter, RECUSED};
    use super::*;
    use crate::clarification::fixture::{
        actor, actor_id, clarification, id, mark_of, officer, service, subject,
    };
    use crate::conclusion::clarification_of;

    fn a_cleared_matter() -> Given<Matter> {
        a_matter()
            .when(Command::LearnConclusion(conclusion(1, Finding::Unfounded)))
            .accepted()
            .1
    }

    fn identify() -> Command {
        Command::LearnIdentity {
            placeholder: id(PLACEHOLDER),
            subject: Subject {
                id: id(0x33),
                ..subject()
            },
            recusal: Recusal {
                actors: [actor_id("found")].into(),
                ..Recusal::default()
            },
        }
    }

    fn told(event: &Event) -> Vec<uuid::Uuid> {
        let told = followed::<Matter>(id::<MatterId>(0x10), event);
        assert!(
            told.iter()
                .all(|follows| follows.method == "RecuseFromClarification")
        );
        told.iter().map(|follows| follows.aggregate).collect()
    }

    #[test]
    fn a_matter_is_learned_once() {
        given::<Matter>()
            .actor(service())
            .when(Command::LearnMatter(a_raising()))
            .then([a_raising()])
            .when(Command::LearnMatter(a_raising()))
            .then_already();
    }

    #[test]
    fn what_comes_before_the_matter_waits() {
        for command in [
            Command::LearnReport(second_report()),
            identify(),
            Command::RecuseFromMatter {
                actor: actor_id("otto"),
                told_by: clarification(),
            },
        ] {
            given::<Matter>()
                .actor(service())
                .when(command)
                .then_not_yet();
        }
    }

    #[test]
    fn whoever_is_recused_by_a_joined_report_is_kept_out_of_the_clarifications() {
        let (events, after) = a_cleared_matter()
            .when(Command::LearnReport(second_report()))
            .accepted();
        let [Event::ReportLearned(learned), ..] = &events[..] else {
            panic!("a report was learned of, not {events:?}");
        };
        let news = Recusal {
            reporters: [mark_of("second")].into(),
            ..Recusal::default()
        };
        assert_eq!(learned.recusal, news, "the subject was recused before");
        let organisation = clarification_of(id(0x10), id(ORGANISATION));
        assert_eq!(
            told(&events[0]),
            [clarification().uuid(), organisation.uuid()]
        );
        after
            .when(Command::LearnReport(second_report()))
            .then_already();
    }

    #[test]
    fn an_identified_subject_is_recused_and_known_to_the_next_conclusion() {
        let (events, after) = a_cleared_matter().when(identify()).accepted();
        assert_eq!(told(&events[0]).len(), 2);
        let known = after.state().known().expect("it is known");
        assert!(known.subjects.contains_key(&id(0x33)));
        assert!(known.recusal.actors.contains(&actor_id("found")));
    }

    #[test]
    fn a_conflict_in_one_clarification_reaches_the_others_of_the_matter() {
        let recuse = Command::RecuseFromMatter {
            actor: actor_id("otto"),
            told_by: clarification(),
        };
        let (events, after) = a_cleared_matter().when(recuse.clone()).accepted();
        let organisation = clarification_of(id(0x10), id(ORGANISATION));
        assert_eq!(told(&events[0]), [organisation.uuid()]);
        after.when(recuse).then_already();
    }

    #[test]
    fn a_raised_matter_is_seen_by_the_unit_above_and_no_longer_below() {
        let above: UnitCode = "P51".parse().expect("a unit code");
        let raised = Command::LearnMove {
            unit: above.clone(),
        };
        let after = a_cleared_matter()
            .when(raised.clone())
            .then([MoveLearned {
                matter: id(0x10),
                ordinal: 2,
                not_cleared: Vec::new(),
                unit: above.clone(),
            }])
            .when(raised.clone())
            .then_already();
        let sees = |actor: office::Actor| {
            let matter = after.clone().actor(actor);
            Matter::admit(matter.state(), &matter.context().visitor()).is_ok()
        };
        assert!(!sees(officer("otto")));
        assert!(sees(office::Actor {
            unit: above,
            ..officer("otto")
        }));
        given::<Matter>()
            .actor(service())
            .when(raised)
            .then_not_yet();
    }

    #[test]
    fn nobody_who_is_recused_sees_the_matter() {
        for (name, admitted) in [("accused", false), ("reporter", false), ("otto", true)] {
            let matter = a_matter().actor(officer(name));
            let answer = Matter::admit(matter.state(), &matter.context().visitor());
            let expected = if admitted { Ok(()) } else { Err(RECUSED) };
            assert_eq!(answer, expected, "{name}");
        }
        let elsewhere = office::Actor {
            unit: "P51-02".parse().expect("a unit code"),
            ..actor("otto", office::Role::ClarificationOfficer)
        };
        let matter = a_matter().actor(elsewhere);
        assert!(Matter::admit(matter.state(), &matter.context().visitor()).is_err());
    }
}

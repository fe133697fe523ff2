//! How a case opens and grows by what intake tells: a matter opens it, a report joins it, a subject is identified.

use chassis::aggregate::{Decision, Rejection};
use chassis::recusal::Mark;
use office::{ActorId, AllegationId, MatterId, ReportId, SubjectId, UnitCode};
use serde::{Deserialize, Serialize};

use super::events::{
    Event, FindingsReturned, Opened, ReportJoined, ReportRegistered, SubjectIdentified,
};
use super::findings::ReturnCause;
use super::{Context, Dossier, Progress, State, course};

/// Why the case is reopened when a report with new facts joins.
pub const NEW_FACTS: &str = "new_facts";
/// Why the case is reopened when a subject of its conclusion is identified.
pub const IDENTIFIED: &str = "identified";

/// Whom an allegation can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person.
    Person,
    /// An organisation.
    Organisation,
    /// Somebody who is not yet identified.
    NotIdentified,
}

/// One specific thing alleged about one subject; what it is in words, intake knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allegation {
    /// Its id.
    pub id: AllegationId,
    /// Whom it is about; also one that is not identified has an id.
    pub subject: SubjectId,
    /// What the subject is.
    pub subject_kind: SubjectKind,
    /// Its category; a code.
    pub category: String,
    /// The report that it came with.
    pub report: ReportId,
}

/// What a case needs to know of an identified subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its id.
    pub id: SubjectId,
    /// What it is.
    pub kind: SubjectKind,
    /// Its actor id, if it has one: such an actor is recused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorId>,
}

/// A matter that was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matter {
    /// Its id.
    pub id: MatterId,
    /// The report that raised it.
    pub report: ReportId,
    /// Where that was entered from: a register's name, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// What is alleged.
    pub allegations: Vec<Allegation>,
    /// The identified subjects.
    pub subjects: Vec<Subject>,
    /// The mark of the reporter, if that is an official.
    #[serde(with = "mark_or_empty")]
    pub reporter_mark: Option<Mark>,
}

/// Whether a joined report brings something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewFacts {
    /// The same again.
    None,
    /// It reopens a case that has ended.
    Brought,
}

/// A report that joined the matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinedReport {
    /// Its id.
    pub id: ReportId,
    /// Whether it brings something new.
    pub new_facts: NewFacts,
    /// The allegations that it adds.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Subject>,
    /// The mark of its reporter, if that is an official.
    #[serde(with = "mark_or_empty")]
    pub reporter_mark: Option<Mark>,
}

/// A reporter's mark as it is stored, for `#[serde(with = "…")]`: hexadecimal, and empty where there is none.
pub(super) mod mark_or_empty {
    use chassis::recusal::Mark;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::case) fn serialize<S: Serializer>(
        mark: &Option<Mark>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match mark {
            Some(mark) => serializer.collect_str(mark),
            None => serializer.serialize_str(""),
        }
    }

    pub(in crate::case) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Mark>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(D::Error::custom)
    }
}

/// Opens the case of a matter. The deadline counts from now.
pub(super) fn open(state: &State, matter: &Matter, context: &Context) -> Decision<Event> {
    if state.dossier().is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Opened {
            matter: matter.id,
            report: matter.report,
            source: matter.source.clone(),
            unit: matter.unit.clone(),
            allegations: matter.allegations.clone(),
            subjects: matter.subjects.clone(),
            reporter_mark: matter.reporter_mark.clone(),
            due: course::due_from_now(context),
        }
        .into(),
    ])
}

/// Takes in a report that joined.
///
/// After findings were proposed it returns them. On a case that has ended it is registered and harms nobody, unless it
/// brings new facts: then the case is reopened.
pub(super) fn join(state: &State, report: &JoinedReport, context: &Context) -> Decision<Event> {
    let Some(dossier) = state.dossier() else {
        return Err(Rejection::NotYet("the case that the report joins"));
    };
    if dossier.reports.contains(&report.id) {
        return Ok(Vec::new());
    }
    let allegations = unknown_to(dossier, &report.allegations);
    let joined = ReportJoined {
        matter: Some(dossier.matter),
        report: report.id,
        allegations: allegations.clone(),
        subjects: report.subjects.clone(),
        reporter_mark: report.reporter_mark.clone(),
    };
    let mut events = Vec::new();
    match (state, report.new_facts) {
        (State::Unopened | State::Open { .. }, _) => {
            events.extend(returned(state, ReturnCause::ReportJoined));
            events.push(joined.into());
        }
        (State::Concluded { .. } | State::Discontinued { .. }, NewFacts::Brought) => {
            events.push(course::reopened(dossier, NEW_FACTS, context));
            events.push(joined.into());
        }
        (State::Concluded { .. } | State::Discontinued { .. }, NewFacts::None) => events.push(
            ReportRegistered {
                matter: Some(dossier.matter),
                report: report.id,
                allegations,
                subjects: report.subjects.clone(),
                reporter_mark: report.reporter_mark.clone(),
            }
            .into(),
        ),
    }
    Ok(events)
}

/// Says who a subject is. Proposed findings go back, as they were about nobody known; a conclusion about it is reopened.
pub(super) fn identify(
    state: &State,
    placeholder: SubjectId,
    subject: &Subject,
    context: &Context,
) -> Decision<Event> {
    let Some(dossier) = state.dossier() else {
        return Err(Rejection::NotYet("the case whose subject is identified"));
    };
    let about_it = |allegation: &Allegation| allegation.subject == placeholder;
    let in_question = dossier.allegations.iter().any(about_it);
    if !in_question && !dossier.registered.iter().any(about_it) {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    if in_question {
        events.extend(returned(state, ReturnCause::SubjectIdentified));
        if matches!(state, State::Concluded { .. }) {
            events.push(course::reopened(dossier, IDENTIFIED, context));
        }
    }
    events.push(
        SubjectIdentified {
            matter: Some(dossier.matter),
            placeholder,
            subject: subject.clone(),
        }
        .into(),
    );
    Ok(events)
}

/// The return of what is proposed, if anything is.
pub(super) fn returned(state: &State, cause: ReturnCause) -> Option<Event> {
    let proposed = matches!(
        state,
        State::Open {
            progress: Progress::Proposed { .. },
            ..
        }
    );
    proposed.then(|| FindingsReturned { cause }.into())
}

fn unknown_to(dossier: &Dossier, allegations: &[Allegation]) -> Vec<Allegation> {
    let known: std::collections::BTreeSet<AllegationId> = dossier
        .allegations
        .iter()
        .chain(&dossier.registered)
        .map(|allegation| allegation.id)
        .collect();
    allegations
        .iter()
        .filter(|allegation| !known.contains(&allegation.id))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::*;
    use super::super::{Command, Progress, State};
    use super::*;

    fn joined() -> Event {
        let report = second_report(NewFacts::None);
        ReportJoined {
            matter: Some(id(0x10)),
            report: report.id,
            allegations: report.allegations,
            subjects: report.subjects,
            reporter_mark: report.reporter_mark,
        }
        .into()
    }

    fn registered() -> Event {
        let report = second_report(NewFacts::None);
        ReportRegistered {
            matter: Some(id(0x10)),
            report: report.id,
            allegations: report.allegations,
            subjects: report.subjects,
            reporter_mark: report.reporter_mark,
        }
        .into()
    }

    fn identify_as(subject: u128) -> Command {
        Command::IdentifyInCase {
            placeholder: id(PLACEHOLDER),
            subject: official(subject, "found"),
        }
    }

    fn identified_as(subject: u128) -> Event {
        SubjectIdentified {
            matter: Some(id(0x10)),
            placeholder: id(PLACEHOLDER),
            subject: official(subject, "found"),
        }
        .into()
    }

    fn join(new_facts: NewFacts) -> Command {
        Command::AddAllegations(second_report(new_facts))
    }

    #[test]
    fn a_matter_opens_its_case_with_a_deadline_of_60_days() {
        chassis::testing::given::<super::super::Case>()
            .actor(service())
            .when(Command::OpenCase(matter()))
            .then([opened()]);
    }

    #[test]
    fn a_matter_has_one_case() {
        an_opened_case()
            .when(Command::OpenCase(matter()))
            .then_already();
    }

    #[test]
    fn what_has_no_case_yet_waits() {
        let nothing = || chassis::testing::given::<super::super::Case>().actor(service());
        nothing().when(join(NewFacts::None)).then_not_yet();
        nothing().when(identify_as(OFFICIAL)).then_not_yet();
    }

    #[test]
    fn a_joined_report_adds_its_allegations_once() {
        an_investigated_case()
            .actor(service())
            .when(join(NewFacts::None))
            .then([joined()])
            .when(join(NewFacts::Brought))
            .then_already();
    }

    #[test]
    fn a_report_that_joins_after_findings_were_proposed_returns_them() {
        let cause = ReturnCause::ReportJoined;
        let after = a_proposed_case()
            .actor(service())
            .when(join(NewFacts::None))
            .then([FindingsReturned { cause }.into(), joined()]);
        assert!(matches!(
            after.state(),
            State::Open {
                progress: Progress::Investigating { .. },
                ..
            }
        ));
    }

    #[test]
    fn a_repeat_without_new_facts_is_registered_and_harms_nobody() {
        let before = a_concluded_case();
        let standing = before.state().findings().cloned();
        let after = before
            .actor(service())
            .when(join(NewFacts::None))
            .then([registered()]);
        assert!(matches!(after.state(), State::Concluded { .. }));
        assert_eq!(after.state().findings().cloned(), standing);
    }

    #[test]
    fn new_facts_reopen_a_concluded_case() {
        a_concluded_case()
            .actor(service())
            .when(join(NewFacts::Brought))
            .then([reopened(NEW_FACTS), joined()]);
    }

    #[test]
    fn what_was_only_registered_is_found_on_once_the_case_is_reopened() {
        let after = a_concluded_case()
            .events([registered(), reopened("appeal")])
            .state()
            .clone();
        let dossier = after.dossier().expect("it is open");
        assert_eq!(dossier.allegations.len(), 4);
        assert!(dossier.registered.is_empty());
    }

    #[test]
    fn a_reporter_who_is_no_official_is_stored_as_an_empty_mark() {
        let of_nobody = ReportJoined {
            matter: Some(id(0x10)),
            report: id(0x21),
            allegations: Vec::new(),
            subjects: Vec::new(),
            reporter_mark: None,
        };
        let stored = serde_json::to_value(&of_nobody).expect("an event is JSON");
        assert_eq!(stored["reporter_mark"], "");
        let read: ReportJoined = serde_json::from_value(stored).expect("and back");
        assert_eq!(read, of_nobody);
    }

    #[test]
    fn an_identified_subject_that_the_matter_has_already_becomes_one_with_it() {
        let after = an_opened_case()
            .actor(service())
            .when(identify_as(OFFICIAL))
            .then([identified_as(OFFICIAL)]);
        let dossier = after.state().dossier().expect("it is open");
        let subject = id(OFFICIAL);
        assert!(dossier.allegations.iter().all(|one| one.subject == subject));
        assert!(dossier.recusal.actors.contains(&actor_id("found")));
    }

    #[test]
    fn findings_about_nobody_known_go_back_when_it_is_known() {
        let cause = ReturnCause::SubjectIdentified;
        a_proposed_case()
            .actor(service())
            .when(identify_as(0x32))
            .then([FindingsReturned { cause }.into(), identified_as(0x32)]);
    }

    #[test]
    fn identifying_after_a_conclusion_goes_through_reopening() {
        a_concluded_case()
            .actor(service())
            .when(identify_as(0x32))
            .then([reopened(IDENTIFIED), identified_as(0x32)]);
    }
}

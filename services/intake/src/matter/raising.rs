//! Raising a matter from the report that was accepted, and registering the reports that join it later.
//! Source: `domain.md`, Intake, Repeat ledger.

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Context, Decision, Rejection};
use chassis::recusal::{Mark, Recusal};
use chassis::refusal::NOT_FOUND;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ReportId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::allegation::Allegation;
use crate::matter::progress::CaseProgress;
use crate::matter::{Event, Facts, NewFacts, Open, State};
use crate::report::{Filed, Stage};
use crate::subject::Entry;

/// It was raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The report that raised it.
    pub report: ReportId,
    /// The register that the report was entered from, or empty.
    pub source: String,
    /// The handling unit.
    pub unit: UnitCode,
    /// What is alleged.
    pub allegations: Vec<Allegation>,
    /// The identified subjects.
    pub subjects: Vec<Entry>,
    /// The mark of a reporter who is an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_mark: Option<Mark>,
    /// The office's date when the report was entered.
    pub entered_on: Date,
    /// When it was raised.
    pub opened_at: Timestamp,
}

/// A report joined it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportRegistered {
    /// The report.
    pub report: ReportId,
    /// Whether it brings something new.
    pub new_facts: NewFacts,
    /// What it alleges.
    pub allegations: Vec<Allegation>,
    /// Its identified subjects.
    pub subjects: Vec<Entry>,
    /// The mark of a reporter who is an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_mark: Option<Mark>,
    /// Who is recused through it and was not before.
    #[serde(default, skip_serializing_if = "Recusal::is_empty")]
    pub recusal: Recusal,
    /// The earlier reports that must know of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tell: Vec<ReportId>,
    /// The unit that handles the matter, where it was raised while the report was on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_to: Option<UnitCode>,
}

pub(super) fn raised(opened: &Opened) -> Open {
    Open {
        source: opened.source.clone(),
        unit: opened.unit.clone(),
        opened_at: opened.opened_at,
        reports: vec![opened.report],
        allegations: opened.allegations.clone(),
        subjects: opened.subjects.clone(),
        identified: BTreeMap::new(),
        recusal: Recusal {
            actors: opened
                .subjects
                .iter()
                .filter_map(|subject| subject.actor_id.clone())
                .collect(),
            reporters: opened.reporter_mark.iter().cloned().collect(),
        },
        case: CaseProgress::default(),
        clarifications: BTreeMap::new(),
        reasons: Vec::new(),
        raised: Vec::new(),
        erased: BTreeSet::new(),
    }
}

/// The report of a command as the facts have it; it decided to come here, so it is there or will be.
fn filed(report: ReportId, facts: &Facts) -> Result<&Filed, Rejection> {
    let filed = facts.report.filed().ok_or(Rejection::Stale)?;
    let fits = |allegation: &Allegation| allegation.report == report;
    if filed.allegations().iter().all(fits) {
        Ok(filed)
    } else {
        Err(Rejection::Stale)
    }
}

pub(super) fn open(state: &State, report: ReportId, context: &Context<Facts>) -> Decision<Event> {
    if state.open().is_some() {
        return Ok(Vec::new());
    }
    let filed = filed(report, &context.facts)?;
    let Stage::Accepted(accepted) = &filed.stage else {
        return Err(Rejection::Stale);
    };
    let submitted = &filed.submitted;
    Ok(vec![
        Opened {
            report,
            source: submitted.source.clone(),
            unit: accepted.unit.clone(),
            allegations: submitted.allegations.clone(),
            subjects: submitted.subjects.clone(),
            reporter_mark: submitted.reporter_mark.clone(),
            entered_on: submitted.entered_on,
            opened_at: context.now,
        }
        .into(),
    ])
}

/// A repeat is registered and kept whatever the case's state; what it means for a concluded case is verification's to
/// decide, from whether it brings new facts.
pub(super) fn register(
    state: &State,
    report: ReportId,
    context: &Context<Facts>,
) -> Decision<Event> {
    let open = state.open().ok_or(NOT_FOUND)?;
    if open.reports.contains(&report) {
        return Ok(Vec::new());
    }
    let filed = filed(report, &context.facts)?;
    let Stage::Joined(joined) = &filed.stage else {
        return Err(Rejection::Stale);
    };
    let submitted = &filed.submitted;
    let recusal = open.recusal.lacking(&filed.recusal);
    Ok(vec![
        ReportRegistered {
            report,
            new_facts: joined.new_facts,
            allegations: submitted.allegations.clone(),
            subjects: submitted.subjects.clone(),
            reporter_mark: submitted.reporter_mark.clone(),
            tell: if recusal.is_empty() {
                Vec::new()
            } else {
                open.reports.clone()
            },
            recusal,
            raised_to: (*filed.unit() != open.unit).then(|| open.unit.clone()),
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::testing::{Given, followed, given};
    use office::{Actor, MatterId};
    use uuid::Uuid;

    use super::*;
    use crate::examples::{
        CITY, COUNTY, about, accepted_report, acting_as, officer, raised, subject, submission,
        text_ref, unit,
    };
    use crate::matter::level::LevelRaised;
    use crate::matter::progress::CaseStateRecorded;
    use crate::matter::{Command, Matter};
    use crate::recusal::RECUSED;
    use crate::report::joining::Joined;
    use crate::report::{self, Report};

    /// The second report about somebody, joined to a matter.
    fn joined(matter: MatterId, subjects: &[Entry], new_facts: NewFacts) -> (ReportId, Facts) {
        let (id, state) = accepted_report(2, submission(subjects.iter().map(about)), subjects);
        let report::State::Filed(mut filed) = state else {
            panic!("it was submitted");
        };
        filed.stage = Stage::Joined(Joined {
            matter,
            unit: unit(COUNTY),
            new_facts,
            recusal: Recusal::default(),
        });
        let facts = Facts {
            report: report::State::Filed(filed),
            subject: None,
        };
        (id, facts)
    }

    fn matter() -> Given<Matter> {
        let one = subject("one");
        raised(submission([about(&one)]), &[one])
    }

    #[test]
    fn a_matter_is_raised_once_with_all_that_verification_needs() {
        let one = acting_as("colleague", subject("one"));
        let (report, state) =
            accepted_report(1, submission([about(&one)]), std::slice::from_ref(&one));
        let facts = Facts {
            report: state,
            subject: None,
        };
        let (events, after) = given::<Matter>()
            .facts(facts)
            .when(Command::Open { report })
            .accepted();
        let [Event::Opened(opened)] = &events[..] else {
            panic!("raised");
        };
        assert_eq!(opened.subjects, [one]);
        assert_eq!(opened.unit, unit(COUNTY));
        assert_eq!(opened.entered_on.to_string(), "2026-03-09");
        after
            .actor(officer("colleague", COUNTY))
            .when(Command::Open { report })
            .then_refused(&RECUSED);
    }

    #[test]
    fn a_matter_waits_for_the_report_that_raises_it() {
        let (report, _) = accepted_report(1, submission([]), &[]);
        given::<Matter>()
            .when(Command::Open { report })
            .then_stale();
    }

    #[test]
    fn a_matter_counts_its_reports() {
        let two = acting_as("latecomer", subject("two"));
        let matter = matter();
        let first = matter.state().open().expect("raised").reports[0];
        let (report, facts) = joined(matter.context().id.into(), &[two], NewFacts::Brought);
        let (events, after) = matter
            .facts(facts)
            .when(Command::RegisterJoinedReport { report })
            .accepted();
        let open = after.state().open().expect("raised");
        assert_eq!(open.reports, [first, report]);
        assert_eq!((open.allegations.len(), open.subjects.len()), (2, 2));
        let [Event::ReportRegistered(registered)] = &events[..] else {
            panic!("registered");
        };
        assert_eq!(registered.tell, [first], "it must know who is recused now");
        after
            .actor(officer("latecomer", COUNTY))
            .when(Command::RegisterJoinedReport { report })
            .then_refused(&RECUSED);
    }

    #[test]
    fn a_report_that_joined_while_the_matter_was_raised_follows_it() {
        let matter = matter();
        let id = matter.context().id;
        let (report, facts) = joined(id.into(), &[subject("one")], NewFacts::None);
        let raised = LevelRaised {
            source: "test".to_owned(),
            from: unit(COUNTY),
            to: unit(CITY),
            reason: text_ref("reason"),
            tell: Vec::new(),
        };
        let (events, _) = matter
            .events([raised])
            .actor(Actor::service("intake", None))
            .facts(facts)
            .when(Command::RegisterJoinedReport { report })
            .accepted();
        let told = followed::<Matter>(id, &events[0]);
        assert_eq!(told.len(), 1, "only the one that does not know");
        assert_eq!(told[0].aggregate, report.uuid());
        let Some(report::Command::FollowMatter(news)) = told[0].command::<Report>() else {
            panic!("the report is told");
        };
        assert_eq!(news.unit, Some(unit(CITY)));
    }

    #[test]
    fn a_repeat_that_recuses_nobody_new_tells_no_report() {
        let matter = matter();
        let (report, facts) = joined(
            matter.context().id.into(),
            &[subject("one")],
            NewFacts::None,
        );
        let (events, after) = matter
            .facts(facts)
            .when(Command::RegisterJoinedReport { report })
            .accepted();
        let [Event::ReportRegistered(registered)] = &events[..] else {
            panic!("registered");
        };
        assert_eq!(registered.tell, []);
        assert_eq!(after.state().open().expect("raised").subjects.len(), 1);
    }

    #[test]
    fn each_private_event_is_told_as_at_most_one_public_one() {
        let one = acting_as("colleague", subject("one"));
        let (report, state) = accepted_report(1, submission([about(&one)]), &[one]);
        let facts = Facts {
            report: state,
            subject: None,
        };
        let (events, _) = given::<Matter>()
            .facts(facts)
            .when(Command::Open { report })
            .accepted();
        let told = Matter::announce(Uuid::from_u128(1), &events[0]).expect("verification is told");
        assert_eq!(told.name, "MatterOpened");
        let message: proto::intake::MatterOpened =
            serde_json::from_slice(&told.body).expect("it reads as the contract says");
        assert_eq!(message.subjects[0].actor_id, "colleague");
        assert_eq!(
            message.allegations[0].subject_kind(),
            proto::office::SubjectKind::Person
        );
        let recorded = Event::CaseStateRecorded(CaseStateRecorded {
            case: CaseProgress::default(),
        });
        assert_eq!(Matter::announce(Uuid::from_u128(1), &recorded), None);
    }
}

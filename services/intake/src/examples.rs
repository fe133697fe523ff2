//! What the tests of all rooms speak of: one county with its officers, a few subjects, a report and its history.

use std::collections::BTreeMap;

use chassis::aggregate::TextRef;
use chassis::testing::{Given, given};
use office::{Actor, ActorId, ReportId, Role, SubjectId, TextId, UnitCode, natural_id};

use crate::matter::{self, Matter};
use crate::report::receipt::ReceiptCode;
use crate::report::submission::{
    Alleged, AllegedWhom, Channel, ReporterKind, Submission, Submitted,
};
use crate::report::triage::Accepted;
use crate::report::{self, Event, Report};
use crate::subject::{Entry, Kind, Standing};

pub(crate) const NATION: &str = "N";
pub(crate) const PROVINCE: &str = "P51";
pub(crate) const CITY: &str = "P51-01";
pub(crate) const COUNTY: &str = "P51-01-01";
pub(crate) const TOWN: &str = "P51-01-01-01";
pub(crate) const OTHER_TOWN: &str = "P51-01-01-02";

/// The code that every submission draws.
pub(crate) const CODE: &str = "1111222233334444";

pub(crate) fn typed(code: &str) -> ReceiptCode {
    ReceiptCode::typed(code).expect("something was typed")
}

pub(crate) fn unit(code: &str) -> UnitCode {
    UnitCode::new(code).expect("a valid code")
}

pub(crate) fn actor(id: &str, at: &str, role: Role) -> Actor {
    Actor {
        id: id.parse().expect("a valid id"),
        unit: unit(at),
        department: None,
        roles: [role].into(),
        on_behalf_of: None,
    }
}

pub(crate) fn officer(id: &str, at: &str) -> Actor {
    actor(id, at, Role::IntakeOfficer)
}

pub(crate) fn anybody() -> Actor {
    Actor {
        unit: UnitCode::none(),
        ..actor("public-7", NATION, Role::Public)
    }
}

pub(crate) fn text(name: &str) -> TextId {
    natural_id("text", &[name.as_bytes()]).into()
}

pub(crate) fn text_ref(name: &str) -> TextRef {
    TextRef {
        id: text(name),
        digest: Vec::new(),
    }
}

pub(crate) fn subject_id(name: &str) -> SubjectId {
    SubjectId::natural(&[b"test", name.as_bytes()])
}

/// A person of the town, under the county's authority.
pub(crate) fn subject(name: &str) -> Entry {
    Entry {
        id: subject_id(name),
        kind: Kind::Person,
        unit: unit(TOWN),
        authority: unit(COUNTY),
        heads: None,
        standing: Standing::PublicOfficial,
        actor_id: None,
    }
}

pub(crate) fn about(subject: &Entry) -> Alleged {
    Alleged {
        whom: AllegedWhom::Registered(subject.id),
        category: "bribery".to_owned(),
        narrative: text("narrative"),
        occurred_on: None,
        place: None,
    }
}

pub(crate) fn about_somebody() -> Alleged {
    Alleged {
        whom: AllegedWhom::NotIdentified(text("description")),
        ..about(&subject("nobody"))
    }
}

pub(crate) fn submission(allegations: impl IntoIterator<Item = Alleged>) -> Submission {
    Submission {
        channel: Channel::Letter,
        reporter_kind: ReporterKind::Anonymous,
        allegations: allegations.into_iter().collect(),
        source: "test".to_owned(),
        reference: "A-1".to_owned(),
        reporter: None,
        receipt: Some(typed(CODE)),
    }
}

/// The facts of a submission about these subjects.
pub(crate) fn known(subjects: &[Entry]) -> report::Facts {
    report::Facts {
        subjects: subjects
            .iter()
            .map(|subject| (subject.id, subject.clone()))
            .collect::<BTreeMap<_, _>>(),
        ..report::Facts::default()
    }
}

/// What is written when this is submitted, and what stands then.
pub(crate) fn submitted_as(
    submission: Submission,
    subjects: &[Entry],
    given: Given<Report>,
) -> (Submitted, Given<Report>) {
    let (events, after) = given
        .actor(anybody())
        .facts(known(subjects))
        .when(report::Command::Submit(submission))
        .accepted();
    let [Event::Submitted(submitted)] = &events[..] else {
        panic!("a submission is one event");
    };
    (submitted.clone(), after)
}

/// A report about these subjects, received, with an officer of the county at the counter.
pub(crate) fn received(subjects: &[Entry]) -> Given<Report> {
    let (_, after) = submitted_as(submission(subjects.iter().map(about)), subjects, given());
    after
        .actor(officer("officer-1", COUNTY))
        .facts(report::Facts::default())
}

pub(crate) fn accept() -> report::Command {
    report::Command::Accept {
        unit: None,
        rejected: Vec::new(),
    }
}

/// The report of this number, accepted where it lies.
pub(crate) fn accepted_report(
    number: u128,
    submission: Submission,
    subjects: &[Entry],
) -> (ReportId, report::State) {
    let id = ReportId::from(uuid::Uuid::from_u128(number));
    let fresh = given::<Report>().id(id).request_id(number);
    let (submitted, after) = submitted_as(submission, subjects, fresh);
    let accepted = Accepted {
        matter: report::own_matter(id),
        unit: submitted.routing.unit,
        rejected: Vec::new(),
    };
    (
        id,
        after.events([Event::Accepted(accepted)]).state().clone(),
    )
}

/// The matter that this submission is to raise, and the command that does.
pub(crate) fn raising(
    submission: Submission,
    subjects: &[Entry],
) -> (Given<Matter>, matter::Command) {
    let (report, state) = accepted_report(1, submission, subjects);
    let matter = given::<Matter>()
        .id(report::own_matter(report))
        .facts(matter::Facts {
            report: state,
            subject: None,
        });
    (matter, matter::Command::Open { report })
}

/// The matter that this submission raises, with an officer of the county at the counter.
pub(crate) fn raised(submission: Submission, subjects: &[Entry]) -> Given<Matter> {
    let (matter, open) = raising(submission, subjects);
    let (_, raised) = matter.when(open).accepted();
    raised
        .actor(officer("officer-1", COUNTY))
        .facts(matter::Facts::default())
}

pub(crate) fn acting_as(id: &str, subject: Entry) -> Entry {
    Entry {
        actor_id: Some(ActorId::new(id).expect("a valid id")),
        ..subject
    }
}

//! What intake tells other services: from a private event to at most one public one. One way, pure.
//!
//! To add one: the message in `intake_events.proto`, an arm here. Whatever the message needs must stand in the private
//! event, because nothing else is at hand. Never a name, a contact or a narrative.

use chassis::aggregate::Announcement;
use chassis::recusal::Mark;
use office::MatterId;
use proto::{intake as public, office as words};

use crate::allegation::{Allegation, Whom};
use crate::matter::{Event, NewFacts};
use crate::subject::{Entry, Kind, Standing};

/// The public event of a matter's private one.
pub fn announce(matter: MatterId, event: &Event) -> Option<Announcement> {
    let matter_id = matter.to_string();
    match event {
        Event::Opened(opened) => {
            let message = public::MatterOpened {
                matter_id,
                report_id: opened.report.to_string(),
                source: opened.source.clone(),
                unit: opened.unit.to_string(),
                allegations: allegations(&opened.allegations, &opened.subjects),
                subjects: opened.subjects.iter().map(subject).collect(),
                reporter_mark: mark(opened.reporter_mark.as_ref()),
                entered_on: opened.entered_on.to_string(),
            };
            Some(Announcement::of("MatterOpened", &message))
        }
        Event::ReportRegistered(registered) => {
            let message = public::ReportJoined {
                matter_id,
                report_id: registered.report.to_string(),
                new_facts: new_facts(registered.new_facts).into(),
                allegations: allegations(&registered.allegations, &registered.subjects),
                subjects: registered.subjects.iter().map(subject).collect(),
                reporter_mark: mark(registered.reporter_mark.as_ref()),
            };
            Some(Announcement::of("ReportJoined", &message))
        }
        Event::SubjectIdentified(identified) => {
            let message = public::SubjectIdentified {
                matter_id,
                placeholder_id: identified.placeholder.to_string(),
                subject: Some(subject(&identified.subject)),
            };
            Some(Announcement::of("SubjectIdentified", &message))
        }
        Event::LevelRaised(raised) => {
            let message = public::MatterMoved {
                matter_id,
                source: raised.source.clone(),
                from_unit: raised.from.to_string(),
                to_unit: raised.to.to_string(),
            };
            Some(Announcement::of("MatterMoved", &message))
        }
        // Who told us knows it already; whoever else follows us does not.
        Event::ActorsRecused(recused) => {
            let recusal = &recused.recusal;
            let message = public::ActorsRecused {
                matter_id,
                actor_ids: recusal.actor_ids(),
                reporter_marks: recusal.marks(),
            };
            Some(Announcement::of("ActorsRecused", &message))
        }
        // Verification told us, or clarification.
        Event::CaseStateRecorded(_) | Event::ClarificationRecorded(_) => None,
        // Others hold the text's id and ask for it when they need it.
        Event::TextErased(_) => None,
    }
}

fn mark(mark: Option<&Mark>) -> String {
    mark.map(Mark::hexadecimal).unwrap_or_default()
}

fn new_facts(new_facts: NewFacts) -> public::NewFacts {
    match new_facts {
        NewFacts::None => public::NewFacts::None,
        NewFacts::Brought => public::NewFacts::Brought,
    }
}

/// Allegations in the contract's words; `subjects` says of which kind each subject is.
pub fn allegations(allegations: &[Allegation], subjects: &[Entry]) -> Vec<words::Allegation> {
    allegations
        .iter()
        .map(|allegation| words::Allegation {
            allegation_id: allegation.id.to_string(),
            subject_id: allegation.whom.id().to_string(),
            subject_kind: match &allegation.whom {
                Whom::NotIdentified { .. } => words::SubjectKind::NotIdentified,
                Whom::Registered(id) => subjects
                    .iter()
                    .find(|subject| subject.id == *id)
                    .map_or(words::SubjectKind::Unspecified, |subject| {
                        subject_kind(subject.kind)
                    }),
            }
            .into(),
            category: allegation.category.clone(),
            occurred_on: allegation
                .occurred_on
                .map(|date| date.to_string())
                .unwrap_or_default(),
            place: allegation.place.clone().unwrap_or_default(),
            report_id: allegation.report.to_string(),
        })
        .collect()
}

/// A subject in the contract's words.
pub fn subject(entry: &Entry) -> words::Subject {
    let code = |unit: &office::UnitCode| unit.to_string();
    words::Subject {
        subject_id: entry.id.to_string(),
        kind: subject_kind(entry.kind).into(),
        unit: code(&entry.unit),
        authority: code(&entry.authority),
        heads: entry.heads.as_ref().map(code).unwrap_or_default(),
        standing: match entry.standing {
            Standing::PartyMember => words::Standing::PartyMember,
            Standing::PublicOfficial => words::Standing::PublicOfficial,
            Standing::Other => words::Standing::Other,
        }
        .into(),
        actor_id: entry
            .actor_id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

fn subject_kind(kind: Kind) -> words::SubjectKind {
    match kind {
        Kind::Person => words::SubjectKind::Person,
        Kind::Organisation => words::SubjectKind::Organisation,
    }
}

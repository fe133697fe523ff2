//! Saying who a subject is that was not yet identified. If the matter has that subject already, the two become one.
//! After a conclusion this goes through reopening, because a conclusion names its subjects.
//! Source: `domain.md`, Intake, Report.

use chassis::aggregate::{Context, Decision, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use office::{ReportId, SubjectId, TextId};
use serde::{Deserialize, Serialize};

use crate::allegation::Whom;
use crate::matter::{CaseStage, Event, Facts, Open};
use crate::recusal::{RECUSED, Recusal};
use crate::report::joining::{Identity, News};
use crate::report::{HEADED_BY_SUBJECT, SUBJECT_UNKNOWN};
use crate::subject::Entry;

/// The case has ended.
pub const MATTER_CONCLUDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_MATTER_CONCLUDED",
    "The case of this matter has ended, so identifying a subject goes through reopening: reopen the case first.",
);
/// Nobody in the matter waits to be identified under this id.
pub const PLACEHOLDER_UNKNOWN: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "INTAKE_PLACEHOLDER_UNKNOWN",
    "No subject of this matter that waits to be identified has this id; look at the matter's allegations.",
);
/// It was somebody else.
pub const IDENTIFIED_OTHERWISE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "INTAKE_IDENTIFIED_OTHERWISE",
    "This subject was already identified as somebody else; look at the matter.",
);

/// Somebody was identified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectIdentified {
    /// The placeholder.
    pub placeholder: SubjectId,
    /// Who it is, as the register has them.
    pub subject: Entry,
    /// Why it is this one.
    pub reason: TextRef,
    /// Whether the matter had this subject already, so that the two are one now.
    pub merged: bool,
    /// The reports that must know.
    pub tell: Vec<ReportId>,
}

impl SubjectIdentified {
    /// What the matter's reports are told.
    pub(super) fn news(&self) -> News {
        News {
            recusal: recusal_of(&self.subject),
            identified: Some(Identity {
                placeholder: self.placeholder,
                subject: self.subject.clone(),
            }),
        }
    }
}

fn recusal_of(subject: &Entry) -> Recusal {
    Recusal {
        actors: subject.actor_id.iter().cloned().collect(),
        ..Recusal::default()
    }
}

pub(super) fn identify(
    open: &Open,
    placeholder: SubjectId,
    subject: SubjectId,
    reason: TextId,
    context: &Context<Facts>,
) -> Decision<Event> {
    if let Some(known) = open.identified.get(&placeholder) {
        return if *known == subject {
            Ok(Vec::new())
        } else {
            Err(IDENTIFIED_OTHERWISE.into())
        };
    }
    match open.case.stage {
        CaseStage::Unheard | CaseStage::Opened | CaseStage::Reopened => {}
        CaseStage::Concluded | CaseStage::Discontinued => return Err(MATTER_CONCLUDED.into()),
    }
    let waits = open.allegations.iter().any(|allegation| {
        matches!(allegation.whom, Whom::NotIdentified { placeholder: id, .. } if id == placeholder)
    });
    if !waits {
        return Err(PLACEHOLDER_UNKNOWN.at("placeholder_id").into());
    }
    let Some(entry) = &context.facts.subject else {
        return Err(SUBJECT_UNKNOWN.at("subject_id").into());
    };
    // Nobody says of themselves that they are, or are not, the one.
    if entry.actor_id.as_ref() == Some(&context.actor.id) {
        return Err(RECUSED.into());
    }
    let units = &context.profile.units;
    let heads_handler = entry.heads.as_ref().is_some_and(|headed| {
        open.unit != units.root().code && units.is_at_or_above(headed, &open.unit)
    });
    if heads_handler {
        return Err(HEADED_BY_SUBJECT.into());
    }
    Ok(vec![
        SubjectIdentified {
            placeholder,
            merged: open.subjects.iter().any(|known| known.id == entry.id),
            subject: entry.clone(),
            reason: context.text(reason),
            tell: open.reports.clone(),
        }
        .into(),
    ])
}

pub(super) fn identified(open: &mut Open, identified: &SubjectIdentified) {
    let subject = &identified.subject;
    for allegation in &mut open.allegations {
        allegation.whom.identify(identified.placeholder, subject.id);
    }
    open.identified.insert(identified.placeholder, subject.id);
    super::enter(&mut open.subjects, subject);
    open.recusal.extend(&recusal_of(subject));
}

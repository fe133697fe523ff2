//! Saying who a subject is that was not yet identified. If the matter has that subject already, the two become one.
//! After a conclusion this goes through reopening, because a conclusion names its subjects.
//! Source: `domain.md`, Intake, Report.

use chassis::aggregate::{Context, Decision, TextRef};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind};
use office::{ReportId, SubjectId, TextId};
use serde::{Deserialize, Serialize};

use crate::allegation::Whom;
use crate::matter::progress::CaseStage;
use crate::matter::{Event, Facts, Open};
use crate::recusal::RECUSED;
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
            ..News::default()
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
    open.reasons.push(identified.reason.clone());
    super::enter(&mut open.subjects, subject);
    open.recusal.extend(&recusal_of(subject));
}

#[cfg(test)]
mod tests {
    use chassis::testing::Given;

    use super::*;
    use crate::examples::{
        COUNTY, about, about_somebody, acting_as, raised, subject, submission, text, unit,
    };
    use crate::matter::{Command, Matter};

    /// A matter about somebody and about a registered subject, with the placeholder.
    fn matter() -> (SubjectId, Given<Matter>) {
        let one = subject("one");
        let matter = raised(submission([about_somebody(), about(&one)]), &[one]);
        let open = matter.state().open().expect("raised");
        let placeholder = open.allegations[0].whom.id();
        let matter = matter.actor(crate::examples::officer("officer-1", "N"));
        (placeholder, matter)
    }

    fn identify(placeholder: SubjectId, subject: &Entry) -> Command {
        Command::IdentifySubject {
            placeholder,
            subject: subject.id,
            reason: text("reason"),
        }
    }

    fn registered(subject: &Entry) -> Facts {
        Facts {
            subject: Some(subject.clone()),
            ..Facts::default()
        }
    }

    fn at(matter: Given<Matter>, stage: CaseStage) -> Given<Matter> {
        matter
            .when(Command::RecordCaseState {
                stage,
                conclusion: Some(1),
                sequence: 1,
            })
            .accepted()
            .1
    }

    #[test]
    fn somebody_is_identified_later_with_a_reason() {
        let (placeholder, matter) = matter();
        let two = subject("two");
        let (events, after) = matter
            .facts(registered(&two))
            .when(identify(placeholder, &two))
            .accepted();
        let [Event::SubjectIdentified(identified)] = &events[..] else {
            panic!("identified");
        };
        assert!(!identified.merged);
        assert_eq!(identified.reason.id, text("reason"));
        let open = after.state().open().expect("raised");
        assert_eq!(open.allegations[0].whom, Whom::Registered(two.id));
        after
            .when(identify(placeholder, &subject("three")))
            .then_refused(&IDENTIFIED_OTHERWISE);
    }

    #[test]
    fn if_the_matter_has_that_subject_already_the_two_become_one() {
        let (placeholder, matter) = matter();
        let one = subject("one");
        let (events, after) = matter
            .facts(registered(&one))
            .when(identify(placeholder, &one))
            .accepted();
        let [Event::SubjectIdentified(identified)] = &events[..] else {
            panic!("identified");
        };
        assert!(identified.merged);
        assert_eq!(after.state().open().expect("raised").subjects.len(), 1);
    }

    #[test]
    fn after_a_conclusion_identification_goes_through_reopening() {
        let two = subject("two");
        for ended in [CaseStage::Concluded, CaseStage::Discontinued] {
            let (placeholder, matter) = matter();
            at(matter, ended)
                .facts(registered(&two))
                .when(identify(placeholder, &two))
                .then_refused(&MATTER_CONCLUDED);
        }
        let (placeholder, matter) = matter();
        at(matter, CaseStage::Reopened)
            .facts(registered(&two))
            .when(identify(placeholder, &two))
            .accepted();
    }

    #[test]
    fn only_a_subject_of_the_register_takes_only_a_place_that_is_open() {
        let (placeholder, matter) = matter();
        let (one, two) = (subject("one"), subject("two"));
        matter
            .clone()
            .when(identify(placeholder, &two))
            .then_refused(&SUBJECT_UNKNOWN);
        matter
            .facts(registered(&two))
            .when(identify(one.id, &two))
            .then_refused(&PLACEHOLDER_UNKNOWN);
    }

    #[test]
    fn nobody_identifies_themselves_and_who_is_identified_is_recused() {
        let (placeholder, matter) = matter();
        let myself = acting_as("officer-1", subject("two"));
        matter
            .clone()
            .facts(registered(&myself))
            .when(identify(placeholder, &myself))
            .then_refused(&RECUSED);
        let colleague = acting_as("colleague", subject("two"));
        let (_, after) = matter
            .facts(registered(&colleague))
            .when(identify(placeholder, &colleague))
            .accepted();
        after
            .actor(crate::examples::officer("colleague", COUNTY))
            .when(identify(placeholder, &colleague))
            .then_refused(&RECUSED);
    }

    #[test]
    fn the_head_of_the_handling_unit_is_not_identified_there() {
        let (placeholder, matter) = matter();
        let head = Entry {
            heads: Some(unit(COUNTY)),
            ..subject("head")
        };
        matter
            .facts(registered(&head))
            .when(identify(placeholder, &head))
            .then_refused(&HEADED_BY_SUBJECT);
    }
}

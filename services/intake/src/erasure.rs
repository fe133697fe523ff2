//! Erasing a text: its words are gone for good, and that it was there, who erased it and why stays on record.
//!
//! The aggregate that the text came with decides, so the rule stands here once for all three. The engine clears the
//! words with the event, in one transaction; what holds the text's id and digest still does.
//! Source: `engine.md`, Journal: erasing one is a journalled command.

use std::collections::BTreeSet;

use chassis::aggregate::TextRef;
use chassis::refusal::{NOT_FOUND, Refusal};
use office::TextId;
use serde::{Deserialize, Serialize};

/// A text to be erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// Which.
    pub text: TextId,
    /// Code of why.
    pub reason: String,
}

/// A text was erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextErased {
    /// Which.
    pub text: TextId,
    /// Code of why.
    pub reason: String,
}

/// Erases one of an aggregate's own texts; nothing where it is gone already.
///
/// # Errors
/// [`NOT_FOUND`] where the aggregate has no such text.
pub(crate) fn erase<'t>(
    own: impl IntoIterator<Item = &'t TextRef>,
    erased: &BTreeSet<TextId>,
    wanted: &Erasure,
) -> Result<Option<TextErased>, Refusal> {
    if erased.contains(&wanted.text) {
        return Ok(None);
    }
    if !own.into_iter().any(|text| text.id == wanted.text) {
        return Err(NOT_FOUND.at("text_id"));
    }
    Ok(Some(TextErased {
        text: wanted.text,
        reason: wanted.reason.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use chassis::aggregate::Aggregate;
    use chassis::refusal::{OUT_OF_SCOPE, Refusal};
    use chassis::testing::Given;
    use office::Role;

    use super::*;
    use crate::examples::{
        COUNTY, about_somebody, actor, raised, received, subject, submission, text,
    };
    use crate::recusal::RECUSED;
    use crate::{examples, matter, report};

    fn erasure(name: &str) -> Erasure {
        Erasure {
            text: text(name),
            reason: "court_order".to_owned(),
        }
    }

    fn erased(name: &str) -> TextErased {
        TextErased {
            text: text(name),
            reason: "court_order".to_owned(),
        }
    }

    fn by_custodian<A: Aggregate>(given: Given<A>) -> Given<A> {
        given.actor(actor("custodian-1", COUNTY, Role::Custodian))
    }

    fn refused(given: Given<report::Report>, name: &str, refusal: &Refusal) {
        given
            .when(report::Command::EraseText(erasure(name)))
            .then_refused(refusal);
    }

    #[test]
    fn narratives_descriptions_and_material_of_a_report_can_be_erased() {
        let (_, report) = examples::submitted_as(
            submission([about_somebody()]),
            &[],
            chassis::testing::given(),
        );
        let (_, report) = report
            .actor(examples::officer("officer-1", "N"))
            .when(report::Command::AddMaterial {
                material: text("material"),
                receipt: None,
            })
            .accepted();
        let mut report = report.actor(actor("custodian-1", "N", Role::Custodian));
        for name in ["narrative", "description", "material"] {
            report = report
                .when(report::Command::EraseText(erasure(name)))
                .then([erased(name)]);
        }
        report
            .when(report::Command::EraseText(erasure("narrative")))
            .then_already();
    }

    #[test]
    fn nobody_erases_what_belongs_elsewhere_or_what_they_may_not_see() {
        let report = by_custodian(received(&[subject("one")]));
        refused(report.clone(), "elsewhere", &NOT_FOUND);
        let elsewhere = actor("custodian-2", "P51-02", Role::Custodian);
        refused(report.actor(elsewhere), "narrative", &OUT_OF_SCOPE);
        let one = examples::acting_as("custodian-1", subject("one"));
        refused(by_custodian(received(&[one])), "narrative", &RECUSED);
    }

    #[test]
    fn the_reason_of_an_identification_can_be_erased() {
        let one = subject("one");
        let matter = raised(submission([about_somebody()]), &[]);
        let placeholder = matter.state().open().expect("raised").allegations[0]
            .whom
            .id();
        let (_, matter) = matter
            .actor(examples::officer("officer-1", "N"))
            .facts(matter::Facts {
                subject: Some(one.clone()),
                ..matter::Facts::default()
            })
            .when(matter::Command::IdentifySubject {
                placeholder,
                subject: one.id,
                reason: text("reason"),
            })
            .accepted();
        matter
            .actor(actor("custodian-1", "N", Role::Custodian))
            .when(matter::Command::EraseText(erasure("reason")))
            .then([erased("reason")])
            .when(matter::Command::EraseText(erasure("reason")))
            .then_already();
    }
}

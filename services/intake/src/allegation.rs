//! An allegation: one specific thing alleged about one subject. Reports bring them, matters keep them.

use std::collections::BTreeSet;

use chassis::aggregate::TextRef;
use jiff::civil::Date;
use office::{AllegationId, ReportId, SubjectId};
use serde::{Deserialize, Serialize};

/// Whom an allegation is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// A subject of the register.
    Registered(SubjectId),
    /// Somebody who is not yet identified. The placeholder is theirs alone, so that two unknown people are never taken
    /// for one.
    NotIdentified {
        /// Stands in for the subject until they are identified.
        placeholder: SubjectId,
        /// How the report describes them.
        description: TextRef,
    },
}

impl Whom {
    /// The subject's id, or the placeholder.
    pub fn id(&self) -> SubjectId {
        match self {
            Self::Registered(subject) => *subject,
            Self::NotIdentified { placeholder, .. } => *placeholder,
        }
    }

    /// How the report describes somebody who is not identified.
    pub fn description(&self) -> Option<&TextRef> {
        match self {
            Self::Registered(_) => None,
            Self::NotIdentified { description, .. } => Some(description),
        }
    }

    /// Becomes this subject where the placeholder is the given one; says whether it was.
    pub fn identify(&mut self, wanted: SubjectId, subject: SubjectId) -> bool {
        let fits =
            matches!(self, Self::NotIdentified { placeholder, .. } if *placeholder == wanted);
        if fits {
            *self = Self::Registered(subject);
        }
        fits
    }
}

/// One specific thing alleged about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allegation {
    /// Its id.
    pub id: AllegationId,
    /// The report it came with.
    pub report: ReportId,
    /// Whom it is about.
    pub whom: Whom,
    /// Code of what is alleged.
    pub category: String,
    /// When it happened, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_on: Option<Date>,
    /// Code of where it happened, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is alleged, in the reporter's words.
    pub narrative: TextRef,
}

/// The (subject, category) pairs of allegations, as the repeat ledger compares them. Somebody who is not identified
/// repeats nobody.
pub fn topics(allegations: &[Allegation]) -> BTreeSet<String> {
    allegations
        .iter()
        .filter_map(|allegation| match &allegation.whom {
            Whom::Registered(subject) => Some(format!("{subject}:{}", allegation.category)),
            Whom::NotIdentified { .. } => None,
        })
        .collect()
}

//! Who is recused: the subjects of a report or matter that are actors themselves, and its reporters that are officials.
//!
//! The rule stands here once; reports and matters ask it in `admit`, before every decision and every Get. Of a reporter
//! only a keyed hash is kept, so that nobody, we ourselves included, can read from it who reported.
//! Source: `domain.md`, Actors.

use std::collections::BTreeSet;

use chassis::aggregate::Visitor;
use chassis::refusal::{Refusal, RefusalKind};
use chassis::secrets::Secrets;
use office::ActorId;
use serde::{Deserialize, Serialize};

/// The actor is a subject or the reporter.
pub const RECUSED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "INTAKE_RECUSED",
    "You are part of this yourself, so others decide on it; hand it to a colleague.",
);

/// A keyed hash, compared and never led back to what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(#[serde(with = "chassis::hexadecimal")] Vec<u8>);

impl Mark {
    /// The mark of a reporter who is an official.
    pub fn of_reporter(secrets: &Secrets, actor: &ActorId) -> Self {
        Self(
            secrets
                .mark("reporter", &[actor.as_str().as_bytes()])
                .to_vec(),
        )
    }

    /// The mark of a receipt code.
    pub fn of_receipt(secrets: &Secrets, code: &str) -> Self {
        Self(secrets.mark("receipt-check", &[code.as_bytes()]).to_vec())
    }

    /// In hexadecimal, as messages carry it.
    pub fn hexadecimal(&self) -> String {
        chassis::hexadecimal::encode(&self.0)
    }
}

/// Who stays out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recusal {
    /// Subjects that are actors.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub actors: BTreeSet<ActorId>,
    /// Reporters that are actors.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reporters: BTreeSet<Mark>,
}

impl Recusal {
    /// Nobody in particular.
    pub fn is_empty(&self) -> bool {
        self.actors.is_empty() && self.reporters.is_empty()
    }

    /// Adds whom another one names.
    pub fn extend(&mut self, other: &Self) {
        self.actors.extend(other.actors.iter().cloned());
        self.reporters.extend(other.reporters.iter().cloned());
    }

    /// Those of `other` whom this one does not name yet.
    pub fn lacking(&self, other: &Self) -> Self {
        Self {
            actors: other.actors.difference(&self.actors).cloned().collect(),
            reporters: other
                .reporters
                .difference(&self.reporters)
                .cloned()
                .collect(),
        }
    }

    /// Lets everybody pass whom it does not name.
    ///
    /// # Errors
    /// [`RECUSED`].
    pub fn check(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let actor = &visitor.actor.id;
        let reported = || {
            self.reporters
                .contains(&Mark::of_reporter(visitor.secrets, actor))
        };
        if self.actors.contains(actor) || (!self.reporters.is_empty() && reported()) {
            Err(RECUSED)
        } else {
            Ok(())
        }
    }
}

//! Who stays out of a thing: actors by their id, and actors of whom only a keyed mark is kept, as of reporters.
//!
//! An aggregate that some people may not touch holds a [`Recusal`] in its state and asks it in `admit`, before every
//! decision and every Get. A mark is compared and never led back, so that nobody, we ourselves included, can read from
//! it whose it is.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use office::ActorId;
use serde::{Deserialize, Serialize};

use crate::aggregate::Visitor;
use crate::hexadecimal;
use crate::refusal::Refusal;
use crate::secrets::Secrets;

/// The purpose of the marks of reporters. Never changes: it is part of every mark that was stored.
const REPORTER: &str = "reporter";

/// A keyed hash, compared and never led back to what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(#[serde(with = "crate::hexadecimal")] Vec<u8>);

impl Mark {
    /// The mark of some bytes for a purpose.
    pub fn of(secrets: &Secrets, purpose: &str, bytes: &[u8]) -> Self {
        Self(secrets.mark(purpose, &[bytes]).to_vec())
    }

    /// The mark of a reporter who is an official; the same in all services of an office.
    pub fn of_reporter(secrets: &Secrets, actor: &ActorId) -> Self {
        Self::of(secrets, REPORTER, actor.as_str().as_bytes())
    }

    /// In hexadecimal, as messages carry it.
    pub fn hexadecimal(&self) -> String {
        hexadecimal::encode(&self.0)
    }
}

/// A text that is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no mark: expected 64 hexadecimal digits")]
pub struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let bytes = hexadecimal::decode(text).filter(|bytes| bytes.len() == 32);
        bytes.map(Self).ok_or(NoMark)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hexadecimal())
    }
}

/// Who stays out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recusal {
    /// By their id: subjects that are actors, and whoever declared a conflict.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub actors: BTreeSet<ActorId>,
    /// By their mark: reporters that are actors.
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

    /// The actors' ids, as messages and tables hold them.
    pub fn actor_ids(&self) -> Vec<String> {
        self.actors.iter().map(ToString::to_string).collect()
    }

    /// The marks in hexadecimal, as messages and tables hold them.
    pub fn marks(&self) -> Vec<String> {
        self.reporters.iter().map(Mark::hexadecimal).collect()
    }

    /// Whether it names this actor.
    pub fn names(&self, actor: &ActorId, secrets: &Secrets) -> bool {
        // Most reporters are no officials; then nothing needs to be hashed.
        let reported = || self.reporters.contains(&Mark::of_reporter(secrets, actor));
        self.actors.contains(actor) || (!self.reporters.is_empty() && reported())
    }

    /// Lets everybody pass whom it does not name.
    ///
    /// # Errors
    /// The refusal that was given.
    pub fn check(&self, visitor: &Visitor<'_>, refusal: Refusal) -> Result<(), Refusal> {
        if self.names(&visitor.actor.id, visitor.secrets) {
            Err(refusal)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str) -> ActorId {
        name.parse().expect("an actor id")
    }

    #[test]
    fn an_actor_is_known_by_id_or_by_mark() {
        let secrets = Secrets::new([7; 32]);
        let recusal = Recusal {
            actors: [actor("accused")].into(),
            reporters: [Mark::of_reporter(&secrets, &actor("reporter"))].into(),
        };
        assert!(recusal.names(&actor("accused"), &secrets));
        assert!(recusal.names(&actor("reporter"), &secrets));
        assert!(!recusal.names(&actor("clerk"), &secrets));
        let other_office = Secrets::new([8; 32]);
        assert!(!recusal.names(&actor("reporter"), &other_office));
        assert!(Recusal::default().is_empty() && !recusal.is_empty());
    }

    #[test]
    fn a_mark_goes_through_text_and_json_and_names_nobody() {
        let secrets = Secrets::new([7; 32]);
        let mark = Mark::of_reporter(&secrets, &actor("reporter"));
        assert_eq!(mark.to_string().parse(), Ok(mark.clone()));
        let json = serde_json::to_string(&mark).expect("a mark is JSON");
        assert_eq!(json, format!("\"{mark}\""));
        assert!(!json.contains("reporter"));
        assert_eq!("ab".parse::<Mark>(), Err(NoMark));
    }

    #[test]
    fn what_one_lacks_is_what_the_other_has_more() {
        let of = |names: &[&str]| Recusal {
            actors: names.iter().map(|name| actor(name)).collect(),
            ..Recusal::default()
        };
        let mut one = of(&["a"]);
        let news = one.lacking(&of(&["a", "b"]));
        assert_eq!(news, of(&["b"]));
        one.extend(&news);
        assert!(one.lacking(&of(&["a", "b"])).is_empty());
    }
}

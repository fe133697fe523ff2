//! Typed ids: a `MatterId` is never taken for a `CaseId`. All are UUIDs; what must exist once has a *natural* id that
//! is derived from what makes it unique, so that doing a thing twice arrives at the same place.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The namespace of all natural ids of this project. Never change it: every stored natural id rests on it.
const NAMESPACE: Uuid = Uuid::from_u128(0x6fd1_2c0e_5b1b_4f0c_9d0a_7a3e_58c4_e215);

/// What every typed id can do. A service's own ids implement it too.
pub trait Id:
    Copy
    + Eq
    + Ord
    + Hash
    + fmt::Debug
    + fmt::Display
    + FromStr
    + Serialize
    + DeserializeOwned
    + From<Uuid>
    + Into<Uuid>
    + Send
    + Sync
    + 'static
{
}

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not the id of a {kind}: expected a UUID such as 6fd12c0e-5b1b-4f0c-9d0a-7a3e58c4e215"
)]
pub struct IdFault {
    /// The kind of id that was expected.
    pub kind: &'static str,
    /// What was given, at most its first 64 characters.
    pub text: String,
}

/// The UUIDv5 of a kind and the parts that make a thing unique, in the project's own namespace.
///
/// Each part is preceded by its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
pub fn natural_id(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::new();
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The word for this kind of id, as it enters [`natural_id`].
            pub const KIND: &'static str = $kind;

            /// The natural id of this kind for what makes the thing unique.
            pub fn natural(parts: &[&[u8]]) -> Self {
                Self(natural_id(Self::KIND, parts))
            }

            /// The UUID itself, for a column or a message.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The sixteen bytes, as a part of another thing's natural id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl Id for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdFault;

            fn from_str(text: &str) -> Result<Self, IdFault> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdFault {
                    kind: Self::KIND,
                    text: text.chars().take(64).collect(),
                })
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )*};
}

ids! {
    /// One submission by one reporter through one channel (信訪舉報).
    ReportId = "report";
    /// The issue that an accepted report raises; later reports may join it (問題線索).
    MatterId = "matter";
    /// Whom an allegation is about (被反映人).
    SubjectId = "subject";
    /// One specific thing alleged about one subject (反映問題).
    AllegationId = "allegation";
    /// The verification of one matter by its handling unit (核查).
    CaseId = "case";
    /// One item of evidence of a case.
    EvidenceId = "evidence";
    /// A disciplinary decision on one person (處分).
    SanctionId = "sanction";
    /// The clearing of one subject's name on one matter (澄清正名).
    ClarificationId = "clarification";
    /// The follow-up record of one person (一人一檔).
    FileId = "file";
    /// One visit to a person who was sanctioned.
    VisitId = "visit";
    /// A name, narrative, message or document, kept apart from the journal so that it can be erased.
    TextId = "text";
    /// One event of a journal.
    EventId = "event";
    /// One request of one caller; the same id is the same request.
    RequestId = "request";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_natural_id_is_the_same_for_ever() {
        let id = MatterId::natural(&[b"P51", b"42"]);
        // SHA-1 over the namespace and the length-prefixed parts, worked out apart from this code.
        assert_eq!(id.to_string(), "129a7e92-b157-5af5-9b0e-325b918c3b52");
    }

    #[test]
    fn a_natural_id_tells_parts_and_kinds_apart() {
        let one = natural_id("matter", &[b"ab", b"c"]);
        assert_ne!(one, natural_id("matter", &[b"a", b"bc"]));
        assert_ne!(one, natural_id("matter", &[b"abc"]));
        assert_ne!(one, natural_id("matter", &[b"ab", b"c", b""]));
        assert_ne!(one, natural_id("case", &[b"ab", b"c"]));
        assert_ne!(
            natural_id("matte", &[b"rab"]),
            natural_id("matter", &[b"ab"])
        );
    }

    #[test]
    fn an_id_goes_through_text_and_json_unchanged() {
        let id = CaseId::natural(&[b"x"]);
        assert_eq!(id.to_string().parse::<CaseId>(), Ok(id));
        let json = serde_json::to_string(&id).expect("an id is JSON");
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<CaseId>(&json).expect("and back"), id);
    }

    #[test]
    fn a_text_that_is_no_id_says_which_kind_was_expected() {
        let fault = "42".parse::<ReportId>().expect_err("42 is no UUID");
        assert!(
            fault
                .to_string()
                .starts_with("\"42\" is not the id of a report")
        );
    }
}

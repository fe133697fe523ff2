//! Our words, which a map's local words mean: channels, findings, reasons of closing, subjects, sanctions.
//!
//! Their codes are those of the domain, so that a map reads like it. They stand here, apart from the contracts, as a register is read
//! and counted without any service.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer};

/// The channel through which a report came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A form on the web.
    Web,
    /// A letter on paper.
    Letter,
    /// A visit in person.
    Visit,
    /// A call.
    Phone,
    /// An e-mail.
    Email,
    /// Handed over by another body.
    Transfer,
    /// Found by supervision itself.
    Supervision,
    /// Delivered by another system; also where a register does not say how a report came.
    Queue,
}

impl Channel {
    /// The word as a map writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Letter => "letter",
            Self::Visit => "visit",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Transfer => "transfer",
            Self::Supervision => "supervision",
            Self::Queue => "queue",
        }
    }
}

/// The outcome of an allegation that was looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// It happened and was a breach.
    Substantiated,
    /// It can neither be proven nor excluded.
    Unsubstantiated,
    /// It did not happen.
    Unfounded,
    /// It happened and was proper.
    Exonerated,
}

impl Finding {
    /// All four, in the order of the domain.
    pub const ALL: [Self; 4] = [
        Self::Substantiated,
        Self::Unsubstantiated,
        Self::Unfounded,
        Self::Exonerated,
    ];

    /// The word as a map writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Substantiated => "substantiated",
            Self::Unsubstantiated => "unsubstantiated",
            Self::Unfounded => "unfounded",
            Self::Exonerated => "exonerated",
        }
    }
}

/// Why an allegation was closed without a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingReason {
    /// The reporter took it back.
    Withdrawn,
    /// The reporter or those concerned did not cooperate.
    NoCooperation,
    /// The time within which it could be pursued had passed.
    LimitationExpired,
    /// It is dealt with under another reference.
    Duplicate,
    /// Another body deals with it.
    Transferred,
    /// It should never have been entered.
    Void,
    /// Any other reason.
    Other,
}

impl ClosingReason {
    /// All seven, in the order of the domain.
    pub const ALL: [Self; 7] = [
        Self::Withdrawn,
        Self::NoCooperation,
        Self::LimitationExpired,
        Self::Duplicate,
        Self::Transferred,
        Self::Void,
        Self::Other,
    ];

    /// The word as a map writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::NoCooperation => "no_cooperation",
            Self::LimitationExpired => "limitation_expired",
            Self::Duplicate => "duplicate",
            Self::Transferred => "transferred",
            Self::Void => "void",
            Self::Other => "other",
        }
    }
}

/// What became of one allegation.
///
/// In a map: `"unfounded"`, `"pending"` or `{ closed = "void" }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was looked into and has its finding.
    Finding(Finding),
    /// It was closed without a finding.
    Closed(ClosingReason),
    /// It is still being looked into, so its whole case is open.
    Pending,
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutcomeVisitor)
    }
}

struct OutcomeVisitor;

impl<'de> Visitor<'de> for OutcomeVisitor {
    type Value = Outcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            r#""substantiated", "unsubstantiated", "unfounded", "exonerated", "pending" or { closed = "REASON" }"#,
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Outcome, E> {
        if word == "pending" {
            return Ok(Outcome::Pending);
        }
        Finding::ALL
            .into_iter()
            .find(|finding| finding.code() == word)
            .map(Outcome::Finding)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(word), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Outcome, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Closed {
            closed: ClosingReason,
        }
        Closed::deserialize(MapAccessDeserializer::new(map))
            .map(|entry| Outcome::Closed(entry.closed))
    }
}

/// Whom a row's allegation is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A subject that the register names; the same reference is the same subject in all its cases.
    Identified {
        /// The register's own reference.
        reference: String,
    },
    /// Not yet identified: an unknown subject of this row's own.
    Unidentified,
}

/// What kind of subjects a register is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// Officials, each a person.
    Person,
    /// Public bodies and their parts.
    Organisation,
}

impl SubjectKind {
    /// The word as a map writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
        }
    }
}

/// What a word of the discipline column means: `"none"`, or a sanction by the months of its impact period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sanction {
    /// No sanction.
    None,
    /// A sanction that counts for so many months. Which lengths may be recorded is the policy profile's to say.
    Months(u8),
}

impl<'de> Deserialize<'de> for Sanction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SanctionVisitor)
    }
}

struct SanctionVisitor;

impl Visitor<'_> for SanctionVisitor {
    type Value = Sanction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#""none", or the months of the impact period as a whole number from 1 to 255"#)
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Sanction, E> {
        match word {
            "none" => Ok(Sanction::None),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, months: i64) -> Result<Sanction, E> {
        match u8::try_from(months) {
            Ok(months) if months > 0 => Ok(Sanction::Months(months)),
            _ => Err(E::invalid_value(Unexpected::Signed(months), &self)),
        }
    }
}

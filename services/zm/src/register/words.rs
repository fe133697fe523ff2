//! Our words, which a map's local words mean: channels, findings, reasons of closing, subjects, sanctions; and what a map assumes of
//! those who are cleared.
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

/// What a word of the discipline column means: no sanction, or one by its kind and the months of its impact period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sanction {
    /// No sanction.
    None,
    /// A sanction.
    Impact(Impact),
}

/// A sanction of a register: what it is, and how long it counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Impact {
    /// The months of its impact period. Which lengths may be recorded is the policy profile's to say.
    pub months: u8,
    /// Its kind, as a code.
    pub kind: String,
}

/// A word of the discipline column as a map writes it: `"none"`, `6`, or `{ months = 6, kind = "warning" }` where the word itself gives
/// no code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WrittenSanction {
    None,
    Months(u8),
    Named { months: u8, kind: String },
}

impl<'de> Deserialize<'de> for WrittenSanction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SanctionVisitor)
    }
}

struct SanctionVisitor;

impl<'de> Visitor<'de> for SanctionVisitor {
    type Value = WrittenSanction;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            r#""none", the months of the impact period as a whole number from 1 to 255, or { months = MONTHS, kind = "CODE" }"#,
        )
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<WrittenSanction, E> {
        match word {
            "none" => Ok(WrittenSanction::None),
            _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, months: i64) -> Result<WrittenSanction, E> {
        match u8::try_from(months) {
            Ok(months) if months > 0 => Ok(WrittenSanction::Months(months)),
            _ => Err(E::invalid_value(Unexpected::Signed(months), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenSanction, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Named {
            months: std::num::NonZeroU8,
            kind: String,
        }
        let named = Named::deserialize(MapAccessDeserializer::new(map))?;
        Ok(WrittenSanction::Named {
            months: named.months.get(),
            kind: named.kind,
        })
    }
}

/// Enums whose code in a map is the name in small letters with underscores.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $word:ident = $code:literal,)* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $code)] $word,)*
        }

        impl $name {
            /// The word as a map writes it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$word => $code,)*
                }
            }
        })*
    };
}

codes! {
    /// How an untrue allegation harmed its subject.
    Harm {
        /// A selection, election, transfer or award was affected.
        AdvancementAffected = "advancement_affected",
        /// Rights, work or life were harmed.
        RightsHarmed = "rights_harmed",
        /// It was reported again after a clear conclusion.
        ReportedAgain = "reported_again",
        /// It was spread in public.
        SpreadInPublic = "spread_in_public",
    }
    /// How deep the harm goes.
    HarmDegree {
        /// Slight.
        Slight = "slight",
        /// Serious.
        Serious = "serious",
        /// Grave.
        Grave = "grave",
    }
    /// How far the harm reaches.
    HarmReach {
        /// A few who know of it.
        Few = "few",
        /// The subject's own unit.
        Unit = "unit",
        /// Beyond it, the public.
        Public = "public",
    }
    /// What each department says in the screening.
    Screening {
        /// The subject's name is to be cleared.
        Agrees = "agrees",
        /// It is not.
        Objects = "objects",
    }
    /// What the subject says.
    Wish {
        /// Clear my name.
        Wants = "wants",
        /// Let it rest.
        Declines = "declines",
    }
    /// How a name is cleared. A meeting or a bulletin needs facts that no register has: who came, where it was published.
    Form {
        /// By a letter.
        Written = "written",
        /// By a letter that is handed over.
        InPerson = "in_person",
    }
}

/// What is assumed of every subject whom a conclusion of the register clears, as a register says nothing of that.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// How the untrue allegations harmed them. There is at least one.
    pub harms: Vec<Harm>,
    /// How deep.
    pub degree: HarmDegree,
    /// How far.
    pub reach: HarmReach,
    /// What all departments say.
    pub screening: Screening,
    /// What the subject says.
    pub wish: Wish,
    /// How the name is cleared.
    pub form: Form,
    /// Who speaks for the subjects where they are organisations: the reference under which the replay registers the person
    /// who heads their unit. Of persons nothing, as they speak for themselves.
    pub head: Option<String>,
}

impl Clearing {
    /// Whether it ends with a name that is cleared: no department objects, and the subject wishes it.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        self.screening == Screening::Agrees && self.wish == Wish::Wants
    }
}

//! What is printed and kept: a document as the journal knows it, and what all kinds of them say alike.
//!
//! What a document says is made of an aggregate's state alone ([`Content`]), so that it can be compared with that state
//! when the bytes arrive. Whose names it prints, intake is asked before it is set (`facts.rs`), by the press
//! (`press.rs`); names stand in the bytes and nowhere else.
//!
//! To add a document: a [`Kind`], what it says in the room of its aggregate.

use std::collections::BTreeMap;
use std::sync::Arc;

use chassis::aggregate::{Made, Rejection, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use documents::Head;
use jiff::civil::Date;
use office::{Finding, MatterId, Profile, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};

use crate::conclusion::{DUPLICATE, Line, SubjectKind, VOID};

/// Intake does not say whose name is cleared.
pub const NAME_UNANSWERED: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_NAME_UNANSWERED",
    "Intake does not answer whose name is cleared, so the documents cannot be made yet.",
);
/// The name was erased at intake.
pub const NAME_ERASED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NAME_ERASED",
    "The subject's name was erased at intake, so no document can be made that clears it.",
);
/// The name holds what is no text.
pub const NAME_NOT_PRINTABLE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NAME_NOT_PRINTABLE",
    "What must be printed holds control characters or marks that turn the direction of writing, in the name at intake, a text of the meeting or a label of the policy profile; no document is made of that.",
);
/// The fonts lack characters of the document.
pub const FONTS_LACKING: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_FONTS_LACKING",
    "The fonts lack characters that must be printed; name a font file that has them in ZHENGMING_FONTS, start the service again, then `zm events retry`.",
);
/// There is no such document.
pub const NO_DOCUMENT: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "CLARIFICATION_NO_DOCUMENT",
    "There is no such document: a letter is made after the approval, a bulletin where that is the form; a meeting is announced after its convening and recorded once it was held and cleared a name.",
);
/// Its bytes were erased.
pub const DOCUMENT_ERASED: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "CLARIFICATION_DOCUMENT_ERASED",
    "The bytes of this document were erased; its hash stays in the journal.",
);

/// What kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The letter that is handed to the subject.
    Letter,
    /// The bulletin that is published.
    Bulletin,
    /// The announcement of a meeting.
    Announcement,
    /// The record of a meeting.
    Record,
}

impl Kind {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Bulletin => "bulletin",
            Self::Announcement => "announcement",
            Self::Record => "record",
        }
    }
}

/// A document as it is kept: what the journal says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// The BCP 47 code of its language.
    pub language: String,
    /// Its bytes, a PDF.
    pub bytes: TextRef,
    /// SHA-256 of the bytes alone, so that whoever holds the document can tell whether it is this one.
    #[serde(with = "chassis::hexadecimal")]
    pub sha256: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
}

/// All that documents say, but for the words that are kept elsewhere.
pub trait Content: Clone + PartialEq + Send + 'static {
    /// Which documents say it.
    fn kinds(&self) -> &[Kind];

    /// Who issues them, when, and in which language.
    fn letterhead(&self) -> &Letterhead;

    /// Whose names they print.
    fn names(&self) -> Vec<SubjectId>;

    /// Which texts of this service they print.
    fn texts(&self) -> Vec<TextId> {
        Vec::new()
    }

    /// A document of this kind, with the words that it prints.
    fn document(&self, kind: Kind, words: &Words) -> documents::Document;
}

/// Who issues documents, when, and in which language.
#[derive(Clone, Debug, PartialEq)]
pub struct Letterhead {
    /// The BCP 47 code of the language.
    pub language: String,
    /// The unit's name in it.
    unit: String,
    dated: Date,
}

impl Letterhead {
    /// That of a unit on a day.
    pub fn of(unit: &UnitCode, dated: Date, profile: &Profile) -> Self {
        let language = &profile.documents.language;
        let known = profile.units.get(unit);
        Self {
            unit: known.map_or_else(
                || unit.to_string(),
                |unit| unit.name_in(language).to_owned(),
            ),
            language: language.clone(),
            dated,
        }
    }

    /// As it is printed.
    pub fn head(&self) -> Head {
        Head {
            unit: self.unit.clone(),
            reference: None,
            dated: self.dated,
        }
    }
}

/// What is stated of one subject in one matter, but for the name.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Whose name it is.
    pub subject: SubjectId,
    kind: SubjectKind,
    matter: String,
    concluded_on: Option<Date>,
    /// Each allegation's label, with the day on which it is said to have been and its finding.
    lines: Vec<(String, Option<Date>, documents::Finding)>,
}

impl Statement {
    /// Each allegation with its finding, and no other; `None` if a finding among them clears nobody.
    pub fn of(
        (subject, kind): (SubjectId, SubjectKind),
        matter: MatterId,
        concluded_on: Option<Date>,
        lines: &[Line],
        wording: &office::Documents,
    ) -> Option<Self> {
        let lines = lines.iter().map(|line| {
            let label = wording.label(&line.category);
            finding(&line.finding).map(|finding| (label, line.occurred_on, finding))
        });
        Some(Self {
            subject,
            kind,
            matter: reference(matter),
            concluded_on,
            lines: lines.collect::<Option<_>>()?,
        })
    }

    /// Whose name is cleared, as it is printed.
    pub fn cleared(&self, words: &Words) -> documents::Cleared {
        documents::Cleared {
            name: words.name(self.subject),
            kind: match self.kind {
                SubjectKind::Person => documents::Kind::Person,
                SubjectKind::Organisation => documents::Kind::Organisation,
            },
            matter: self.matter.clone(),
            concluded_on: self.concluded_on,
        }
    }

    /// As it is printed.
    pub fn printed(&self, words: &Words) -> documents::Statement {
        let lines = self.lines.iter();
        let lines = lines.map(|(category, occurred_on, finding)| documents::Line {
            category: category.clone(),
            occurred_on: *occurred_on,
            // Intake knows it by its code alone, which tells the reader nothing.
            place: None,
            finding: *finding,
        });
        documents::Statement {
            cleared: self.cleared(words),
            lines: lines.collect(),
        }
    }
}

/// The matter's public reference: the first twelve hexadecimal digits of its id in three groups, such as
/// `2AC0-58F1-9B7E`. Short enough to be read out, and stable, as the id is.
pub fn reference(matter: MatterId) -> String {
    let digits = matter.uuid().simple().to_string().to_uppercase();
    [&digits[..4], &digits[4..8], &digits[8..12]].join("-")
}

/// What a document calls a finding that clears. There are no others, or the conclusion would not clear.
fn finding(found: &Finding) -> Option<documents::Finding> {
    match found {
        Finding::Unfounded => Some(documents::Finding::Unfounded),
        Finding::Exonerated => Some(documents::Finding::Exonerated),
        Finding::Closed(reason) if reason == DUPLICATE => {
            Some(documents::Finding::ClosedAsDuplicate)
        }
        Finding::Closed(reason) if reason == VOID => Some(documents::Finding::ClosedAsVoid),
        Finding::Substantiated | Finding::Unsubstantiated | Finding::Closed(_) => None,
    }
}

/// The words that a document prints and that are kept elsewhere. They hold names, so there is no `Debug`.
#[derive(Default)]
pub struct Words {
    /// Names by subject.
    pub names: BTreeMap<SubjectId, String>,
    /// Texts by their ids.
    pub texts: BTreeMap<TextId, String>,
}

impl Words {
    /// A subject's name.
    pub fn name(&self, subject: SubjectId) -> String {
        self.names.get(&subject).cloned().unwrap_or_default()
    }

    /// A text in one line, as it stands in a document: words apart, and Chinese, which knows no spaces, without them.
    pub fn text(&self, id: TextId) -> String {
        let mut line = String::new();
        let words = self.texts.get(&id).map_or("", String::as_str);
        for word in words.split_whitespace() {
            let meets_latin = [line.chars().next_back(), word.chars().next()]
                .iter()
                .flatten()
                .any(char::is_ascii);
            if !line.is_empty() && meets_latin {
                line.push(' ');
            }
            line.push_str(word);
        }
        line
    }
}

/// A document that was set.
#[derive(Clone, PartialEq)]
pub struct Printed {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of them.
    pub sha256: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
}

/// What was set, and what it says.
#[derive(Clone, PartialEq)]
pub struct Rendering<C> {
    /// What it says.
    pub content: C,
    /// The documents.
    pub printed: Vec<Printed>,
}

/// The bytes hold a name, so they are never told.
impl<C> std::fmt::Debug for Rendering<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rendering({} documents)", self.printed.len())
    }
}

impl<C: Content> Rendering<C> {
    /// The bytes as texts of the command.
    pub fn made(&self) -> Vec<Made> {
        let printed = self.printed.iter();
        let made = printed.map(|one| Made {
            path: one.kind.code(),
            bytes: Arc::clone(&one.bytes),
        });
        made.collect()
    }

    /// The documents as they are kept, by the texts that their bytes are.
    ///
    /// # Errors
    /// [`Rejection::Stale`] where they were set for another state, in which something else was wanted.
    pub fn kept(
        set: Option<&Self>,
        wanted: &C,
        kept_as: impl Fn(&'static str) -> TextRef,
    ) -> Result<Vec<Document>, Rejection> {
        let set = set.filter(|set| set.content == *wanted);
        let set = set.ok_or(Rejection::Stale)?;
        let documents = set.printed.iter().map(|printed| Document {
            kind: printed.kind,
            language: wanted.letterhead().language.clone(),
            bytes: kept_as(printed.kind.code()),
            sha256: printed.sha256.clone(),
            pages: printed.pages,
        });
        Ok(documents.collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use office::AllegationId;

    use super::*;

    #[test]
    fn what_is_alleged_twice_is_told_apart_by_its_days() {
        let line = |number: u128, occurred_on, finding| Line {
            allegation: AllegationId::from(uuid::Uuid::from_u128(number)),
            category: "bribery".to_owned(),
            occurred_on,
            finding,
        };
        let (april, may) = (Some(date(2025, 4, 12)), Some(date(2025, 5, 6)));
        let lines = [
            line(1, april, Finding::Unfounded),
            line(2, may, Finding::Exonerated),
            line(3, None, Finding::Closed(VOID.to_owned())),
        ];
        let profile = office::Policies::shipped().expect("the shipped policy loads");
        let profile = profile.in_force("2026-03-09T00:00:00Z".parse().expect("a timestamp"));
        let subject = (SubjectId::natural(&[b"subject"]), SubjectKind::Person);
        let matter = MatterId::from(uuid::Uuid::nil());
        let statement = Statement::of(subject, matter, None, &lines, &profile.documents);
        let statement = statement.expect("it clears").printed(&Words::default());
        let said = statement.lines.iter();
        let said: Vec<_> = said.map(|line| (line.occurred_on, line.finding)).collect();
        let expected = [
            (april, documents::Finding::Unfounded),
            (may, documents::Finding::Exonerated),
            (None, documents::Finding::ClosedAsVoid),
        ];
        assert_eq!(said, expected);
        let mut lines = statement.lines.iter();
        assert!(lines.all(|line| line.place.is_none()), "no bare code");
    }

    #[test]
    fn a_reference_is_short_and_stable() {
        let matter = "2ac058f1-9b7e-5c29-b098-9ee167861e30".parse();
        assert_eq!(reference(matter.expect("an id")), "2AC0-58F1-9B7E");
    }

    #[test]
    fn every_language_of_a_policy_is_one_of_documents() {
        for code in office::Documents::LANGUAGES {
            assert_eq!(code.parse().map(documents::Language::code), Ok(code));
        }
    }

    #[test]
    fn a_text_stands_in_a_document_in_one_line() {
        let id = TextId::from(uuid::Uuid::nil());
        for (text, line) in [
            (
                "All of the office,\n\tand two guests ",
                "All of the office, and two guests",
            ),
            ("各科室负责人\n及全体职工", "各科室负责人及全体职工"),
        ] {
            let words = Words {
                texts: [(id, text.to_owned())].into(),
                ..Words::default()
            };
            assert_eq!(words.text(id), line);
        }
    }
}

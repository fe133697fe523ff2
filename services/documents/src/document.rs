//! What the documents say, as values: the four forms in which a name is cleared, and what each must hold.
//!
//! All of it is structured, so that an appraisal of the person has no place to stand (一事一澄清), and the approver's note
//! cannot be printed. The trap: most types here hold names. None of them has a `Debug`, so that no log line can hold one.
//!
//! The templates read these values by the names of their fields: who renames one, renames it in `templates/` too.

use jiff::civil::{Date, Time};
use serde::{Serialize, Serializer};

/// A document about names that are cleared.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Document {
    /// The written form: the statement handed to the subject. Part of every clarification.
    Letter(Letter),
    /// Announces a meeting at which names are cleared.
    Announcement(Announcement),
    /// The record of that meeting.
    Record(Record),
    /// The statement as it is published.
    Bulletin(Bulletin),
}

impl Document {
    /// The letterhead.
    pub(crate) fn head(&self) -> &Head {
        match self {
            Document::Letter(letter) => &letter.head,
            Document::Announcement(announcement) => &announcement.head,
            Document::Record(record) => &record.head,
            Document::Bulletin(bulletin) => &bulletin.head,
        }
    }

    /// Whether each statement in it clears a name, and there is a name at all.
    pub(crate) fn clears(&self) -> bool {
        match self {
            Document::Letter(letter) => letter.statement.clears(),
            Document::Announcement(announcement) => !announcement.cleared.is_empty(),
            Document::Record(record) => {
                !record.statements.is_empty() && record.statements.iter().all(Statement::clears)
            }
            Document::Bulletin(bulletin) => bulletin.statement.clears(),
        }
    }
}

/// Who issues a document.
#[derive(Clone, PartialEq, Serialize)]
pub struct Head {
    /// The issuing unit's name: the letterhead, and the signature.
    pub unit: String,
    /// The document's number as the unit writes it, such as 云纪函〔2026〕12号; none where it has none yet.
    pub reference: Option<String>,
    /// The day on which it is issued, which is also the PDF's day of creation.
    #[serde(serialize_with = "day")]
    pub dated: Date,
}

/// What kind of subject a name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person.
    Person,
    /// An organisation.
    Organisation,
}

/// A name that is cleared, and on which matter. One matter, one clarification.
#[derive(Clone, PartialEq, Serialize)]
pub struct Cleared {
    /// The subject's name, printed as it is given.
    pub name: String,
    /// What kind of subject it is.
    pub kind: Kind,
    /// The matter's public reference.
    pub matter: String,
    /// The day of the conclusion that clears it; none where it is not on record.
    #[serde(serialize_with = "some_day")]
    pub concluded_on: Option<Date>,
}

/// The finding of one allegation. A name is cleared by these only, so there are no others here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It did not happen.
    Unfounded,
    /// It happened and was proper.
    Exonerated,
    /// Closed without finding: it repeats another.
    ClosedAsDuplicate,
    /// Closed without finding: it is void.
    ClosedAsVoid,
}

impl Finding {
    /// All findings.
    pub const ALL: [Finding; 4] = [
        Finding::Unfounded,
        Finding::Exonerated,
        Finding::ClosedAsDuplicate,
        Finding::ClosedAsVoid,
    ];
}

/// One allegation of the matter on the subject, with its finding.
#[derive(Clone, PartialEq, Serialize)]
pub struct Line {
    /// What was alleged: the category's label, in the document's language.
    pub category: String,
    /// The day on which it is said to have been; none where it is not on record. It tells apart what is alleged twice.
    #[serde(serialize_with = "some_day")]
    pub occurred_on: Option<Date>,
    /// Where, by its name: a code would tell nobody anything.
    pub place: Option<String>,
    /// What was found.
    pub finding: Finding,
}

/// The statement that clears a name: each allegation of this matter on this subject with its finding, and no other.
#[derive(Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Whose name, on which matter.
    #[serde(flatten)]
    pub cleared: Cleared,
    /// The allegations; at least one is unfounded or exonerated, or nothing clears the name.
    pub lines: Vec<Line>,
}

impl Statement {
    fn clears(&self) -> bool {
        let found = |line: &Line| matches!(line.finding, Finding::Unfounded | Finding::Exonerated);
        self.lines.iter().any(found)
    }
}

/// The letter that is handed to the subject.
#[derive(Clone, PartialEq, Serialize)]
pub struct Letter {
    /// Who issues it.
    pub head: Head,
    /// What it says.
    pub statement: Statement,
    /// The office of who hands it over, such as "deputy head"; a line to write on where it is not known yet.
    pub handed_over_by: Option<String>,
}

/// When and where a meeting is.
#[derive(Clone, PartialEq, Serialize)]
pub struct Meeting {
    /// On which day.
    #[serde(serialize_with = "day")]
    pub on: Date,
    /// At which local time, to the minute; not every record knows it.
    #[serde(serialize_with = "hour")]
    pub time: Option<Time>,
    /// Where.
    pub place: String,
}

/// The announcement of a meeting: when, where and whose names are cleared. What was alleged is told at the meeting only.
#[derive(Clone, PartialEq, Serialize)]
pub struct Announcement {
    /// Who issues it.
    pub head: Head,
    /// When and where.
    pub meeting: Meeting,
    /// Whose names (集中公開澄清); at least one.
    pub cleared: Vec<Cleared>,
}

/// The record of a meeting.
#[derive(Clone, PartialEq, Serialize)]
pub struct Record {
    /// Who issues it.
    pub head: Head,
    /// When and where it was.
    pub meeting: Meeting,
    /// How many attended.
    pub attendance: u32,
    /// Who did, in words.
    pub attended: String,
    /// What was stated, for each subject; at least one.
    pub statements: Vec<Statement>,
}

/// The statement as it is published.
#[derive(Clone, PartialEq, Serialize)]
pub struct Bulletin {
    /// Who issues it.
    pub head: Head,
    /// What it says.
    pub statement: Statement,
    /// Where it is published and until when; none where that is decided only after it was made.
    pub published: Option<Publication>,
}

/// Where a bulletin hangs, and until when.
#[derive(Clone, PartialEq, Serialize)]
pub struct Publication {
    /// Where it is published.
    pub place: String,
    /// The last day on which it is; then it is removed.
    #[serde(serialize_with = "day")]
    pub until: Date,
}

/// A day as its three numbers, since each language writes them in its own way.
fn day<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Day {
        year: i16,
        month: i8,
        day: i8,
    }
    let day = Day {
        year: date.year(),
        month: date.month(),
        day: date.day(),
    };
    day.serialize(serializer)
}

fn some_day<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Dated<'a>(#[serde(serialize_with = "day")] &'a Date);
    date.as_ref().map(Dated).serialize(serializer)
}

fn hour<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Hour {
        hour: i8,
        minute: i8,
    }
    let hour = time.map(|time| Hour {
        hour: time.hour(),
        minute: time.minute(),
    });
    hour.serialize(serializer)
}

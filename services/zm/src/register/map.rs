//! The map of a register: which column is what, and which local word means which of our words.
//!
//! A map is a TOML file. Words are compared as they stand, after trimming; `fold_case = true` in a column's section compares without case.
//! Typing errors of the register are listed as words of their own: it is honest, and the next typing error is seen.
//! A blank is a word like any other and is listed where it means something.
//! A sanction's kind is the code of its word, as a category's is; where the word gives none, the map names one.
//!
//! ```toml
//! register = "town"                # the source's id: small letters, digits, - and _
//! unit = "P51-01"                  # the unit that handles all of it
//!
//! [case]
//! column = "case_no"
//!
//! [received]
//! column = "received"
//! forms = ["%Y-%m-%d", "%d.%m.%Y"] # every form that the column has
//!
//! [channel]                        # or only: always = "queue"
//! column = "came_by"
//! words = { "Letter" = "letter", "Call" = "phone" }
//!
//! [subject]
//! column = "official"
//! kind = "person"                  # or "organisation"
//! not_identified = ["", "unknown"]
//!
//! [category]                       # a category's code is made of its word: "Lack of Service" is lack_of_service
//! column = "problem"
//! words = { "受賄" = "bribery" }    # optional: only where the word gives no code
//!
//! [closing]                        # optional: decides before the finding
//! column = "closed_because"
//! not_deciding = [""]
//! words = { "Entered twice" = "duplicate" }
//!
//! [finding]
//! column = "result"
//! words = { "True" = "substantiated", "No power" = { closed = "other" }, "Open" = "pending" }
//!
//! [sanction]                       # optional: what follows a substantiated finding on a person: the months of the impact period
//! column = "discipline"
//! most_together = 48               # optional: the most months that one person's sanctions may have together
//! words = { "" = "none", "Warning" = 6, "撤職" = { months = 24, kind = "removal" } }
//!
//! [clearing]                       # optional: what is assumed of everybody whom a conclusion clears; without it no harm is
//! harms = ["spread_in_public"]     # recorded, and no name is cleared in public
//! degree = "slight"
//! reach = "unit"
//! screening = "agrees"             # every department; or "objects"
//! wish = "wants"                   # the subject; or "declines"
//! form = "written"                 # or "in_person"
//! # head = "the director"          # only and always for organisations: who speaks for them, registered as their unit's head
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use self::written::Written;
use super::words::{Channel, Clearing, ClosingReason, Outcome, Sanction, Subject, SubjectKind};

mod written;

#[cfg(test)]
mod tests;

/// No register reaches further back. A form with `%Y` reads 16 as the year 16; this keeps such a reading out.
const EARLIEST_YEAR: i16 = 1900;

/// A map, checked as a whole.
#[derive(Debug, Clone)]
pub struct Map {
    register: String,
    unit: String,
    case: String,
    received: Received,
    channel: ChannelSource,
    subject: SubjectColumn,
    category: Words<String>,
    closing: Option<Words<Closing>>,
    finding: Words<Outcome>,
    sanction: Option<Sanctions>,
    clearing: Option<Clearing>,
}

#[derive(Debug, Clone)]
struct Sanctions {
    words: Words<Sanction>,
    most_together: Option<u32>,
}

#[derive(Debug, Clone)]
struct Received {
    column: String,
    forms: Vec<String>,
}

#[derive(Debug, Clone)]
enum ChannelSource {
    Always(Channel),
    Column(Words<Channel>),
}

#[derive(Debug, Clone)]
struct SubjectColumn {
    column: String,
    fold_case: bool,
    kind: SubjectKind,
    not_identified: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Decides(ClosingReason),
    LeavesToFinding,
}

/// A column whose words have a meaning each.
#[derive(Debug, Clone)]
struct Words<T> {
    column: String,
    fold_case: bool,
    meanings: BTreeMap<String, T>,
}

impl<T> Words<T> {
    fn meaning(&self, word: &str) -> Option<&T> {
        self.meanings.get(&comparable(word, self.fold_case))
    }
}

/// A word as it is compared.
fn comparable(word: &str, fold_case: bool) -> String {
    let word = word.trim();
    if fold_case {
        word.to_lowercase()
    } else {
        word.to_owned()
    }
}

/// What a column is to the map. Its text names the section of the map, which is where a person corrects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The reference of the case.
    Case,
    /// The day on which the report was received.
    Received,
    /// The channel through which the report came.
    Channel,
    /// Whom the allegation is about.
    Subject,
    /// What kind of thing is alleged.
    Category,
    /// A reason of closing that decides before the finding.
    Closing,
    /// The finding.
    Finding,
    /// The discipline that followed.
    Sanction,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Case => "[case]",
            Self::Received => "[received]",
            Self::Channel => "[channel]",
            Self::Subject => "[subject]",
            Self::Category => "[category]",
            Self::Closing => "[closing]",
            Self::Finding => "[finding]",
            Self::Sanction => "[sanction]",
        })
    }
}

impl Map {
    /// Reads a map from a file.
    ///
    /// # Errors
    /// The file cannot be read, or see [`Map::parse`].
    pub fn open(path: &Path) -> Result<Self, MapError> {
        let text = std::fs::read_to_string(path).map_err(|source| MapError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads a map from its text.
    ///
    /// # Errors
    /// The text is no TOML, or has a section, key or word that no map has; or the sections contradict themselves, all of that told at once.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let written: Written = toml::from_str(text).map_err(|fault| MapError::Malformed {
            fault: Box::new(fault),
        })?;
        written.checked()
    }

    /// The register's name: the id of the source under which its reports are entered.
    #[must_use]
    pub fn register(&self) -> &str {
        &self.register
    }

    /// The code of the unit that handles the register's cases.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whether the register's subjects are persons or organisations.
    #[must_use]
    pub fn subject_kind(&self) -> SubjectKind {
        self.subject.kind
    }

    /// Every column that the map reads, with what it is to the map.
    #[must_use]
    pub fn columns(&self) -> Vec<(Role, &str)> {
        [
            (Role::Case, Some(&self.case)),
            (Role::Received, Some(&self.received.column)),
            (Role::Channel, self.channel.column()),
            (Role::Subject, Some(&self.subject.column)),
            (Role::Category, Some(&self.category.column)),
            (Role::Closing, self.closing.as_ref().map(|c| &c.column)),
            (Role::Finding, Some(&self.finding.column)),
            (
                Role::Sanction,
                self.sanction.as_ref().map(|s| &s.words.column),
            ),
        ]
        .into_iter()
        .filter_map(|(role, column)| Some((role, column?.as_str())))
        .collect()
    }

    /// The day that the text of the received column means.
    ///
    /// # Errors
    /// It is blank, fits no form, or fits two that read different days.
    pub fn received(&self, text: &str) -> Result<Date, DateFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DateFault::Blank);
        }
        let mut read: Option<(Date, &str)> = None;
        for form in &self.received.forms {
            let Ok(date) = Date::strptime(form, text) else {
                continue;
            };
            if date.year() < EARLIEST_YEAR {
                continue;
            }
            match read {
                Some((first, by)) if first != date => {
                    return Err(DateFault::Ambiguous {
                        text: text.to_owned(),
                        readings: [(first, by.to_owned()), (date, form.clone())],
                    });
                }
                Some(_) => {}
                None => read = Some((date, form)),
            }
        }
        read.map(|(date, _)| date).ok_or_else(|| DateFault::NoForm {
            text: text.to_owned(),
            forms: self.received.forms.clone(),
        })
    }

    /// The channel that a word means; nothing if the map lacks the word.
    ///
    /// Where the map has one channel for all, any word means that.
    #[must_use]
    pub fn channel(&self, word: &str) -> Option<Channel> {
        match &self.channel {
            ChannelSource::Always(channel) => Some(*channel),
            ChannelSource::Column(words) => words.meaning(word).copied(),
        }
    }

    /// The subject that a word means; nothing for a blank that the map does not list as not identified.
    #[must_use]
    pub fn subject(&self, word: &str) -> Option<Subject> {
        let reference = comparable(word, self.subject.fold_case);
        if self.subject.not_identified.contains(&reference) {
            Some(Subject::Unidentified)
        } else if reference.is_empty() {
            None
        } else {
            Some(Subject::Identified { reference })
        }
    }

    /// The code of a category; nothing if the map has none and the word gives none.
    #[must_use]
    pub fn category(&self, word: &str) -> Option<String> {
        match self.category.meaning(word) {
            Some(code) => Some(code.clone()),
            None => snake(word),
        }
    }

    /// The reason for which a word of the closing column closes, `Some(None)` if it leaves the row to its finding; nothing if the map
    /// lacks the word. Without a closing column every row is left to its finding.
    #[must_use]
    pub fn closing(&self, word: &str) -> Option<Option<ClosingReason>> {
        let Some(words) = &self.closing else {
            return Some(None);
        };
        words.meaning(word).map(|closing| match closing {
            Closing::Decides(reason) => Some(*reason),
            Closing::LeavesToFinding => None,
        })
    }

    /// The outcome that a word of the finding column means; nothing if the map lacks the word.
    #[must_use]
    pub fn finding(&self, word: &str) -> Option<Outcome> {
        self.finding.meaning(word).copied()
    }

    /// The sanction that a word of the discipline column means; nothing if the map lacks the word.
    /// Without a discipline column there is no sanction.
    #[must_use]
    pub fn sanction(&self, word: &str) -> Option<Sanction> {
        match &self.sanction {
            Some(sanctions) => sanctions.words.meaning(word).cloned(),
            None => Some(Sanction::None),
        }
    }

    /// The most months that the sanctions of one person may have together; nothing where there is no such limit.
    #[must_use]
    pub fn most_months_together(&self) -> Option<u32> {
        self.sanction.as_ref()?.most_together
    }

    /// What is assumed of everybody whom a conclusion clears; nothing where no harm is.
    #[must_use]
    pub fn clearing(&self) -> Option<&Clearing> {
        self.clearing.as_ref()
    }
}

impl ChannelSource {
    fn column(&self) -> Option<&String> {
        match self {
            Self::Always(_) => None,
            Self::Column(words) => Some(&words.column),
        }
    }
}

/// "Lack of Service" → `lack_of_service`; nothing where a code of ASCII letters and digits would lose a letter.
fn snake(word: &str) -> Option<String> {
    if word.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let code = word
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("_");
    (!code.is_empty()).then_some(code)
}

/// Why a date could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateFault {
    /// There is none.
    #[error("the date is blank")]
    Blank,
    /// No form of the map fits.
    #[error("the date {text:?} fits none of the map's forms {}", forms.join(", "))]
    NoForm {
        /// What stands in the register.
        text: String,
        /// The map's forms.
        forms: Vec<String>,
    },
    /// Two forms of the map fit and disagree, so that neither can be trusted.
    #[error(
        "the date {text:?} is {} by {} and {} by {}: one of these forms must leave the map",
        readings[0].0, readings[0].1, readings[1].0, readings[1].1
    )]
    Ambiguous {
        /// What stands in the register.
        text: String,
        /// The two days, each with its form.
        readings: [(Date, String); 2],
    },
}

/// One contradiction in a map: its place, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct MapFault {
    /// The key, as in `finding.words`.
    pub place: String,
    /// What is wrong and how to right it.
    pub what: String,
}

/// Why a map could not be used. The fault is the map writer's.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The file cannot be read.
    #[error("the map {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No TOML, or a key or word that no map has. The text shows the line.
    #[error("the map cannot be understood. {fault}")]
    Malformed {
        /// What the TOML reader said, with line and column.
        fault: Box<toml::de::Error>,
    },
    /// It contradicts itself.
    #[error("the map must be corrected:{}", listed(faults))]
    Faults {
        /// All that is wrong.
        faults: Vec<MapFault>,
    },
}

fn listed(faults: &[MapFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

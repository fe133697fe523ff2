//! What stops the reading of a register: all faults of a file, told so that a person can right them in one go.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::register::map::{DateFault, Role};

/// So many faulty rows are told one by one; a file that is torn throughout would fill the screen.
const ROWS_TOLD: usize = 20;

/// Why a register could not be read. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("the register {} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is in another encoding.
    #[error(
        "the register is not UTF-8 (line {line}); convert it, as with `iconv -f GB18030 -t UTF-8`"
    )]
    NotUtf8 {
        /// The first line that is not.
        line: u64,
    },
    /// It is no CSV.
    #[error("the register is no CSV: {0}")]
    Csv(csv::Error),
    /// Columns of the map are not there, or there twice.
    #[error("the map and the register's header do not fit:{}\n  the header has: {}", listed(faults), header.join(", "))]
    Columns {
        /// All columns at fault.
        faults: Vec<ColumnFault>,
        /// The columns that are there.
        header: Vec<String>,
    },
    /// Rows hold what cannot be mapped or read.
    #[error("{faults}")]
    Rows {
        /// All rows and words at fault.
        faults: Faults,
    },
}

impl ReadError {
    pub(super) fn csv(fault: csv::Error) -> Self {
        Self::Csv(fault)
    }
}

fn listed(faults: &[ColumnFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// A column that the map names and that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnFault {
    /// It is not there.
    #[error("the column {column:?} that {role} of the map names is missing")]
    Missing {
        /// Its name.
        column: String,
        /// Which section of the map names it.
        role: Role,
    },
    /// It is there more than once, and nothing says which is meant.
    #[error(
        "the column {column:?} that {role} of the map names is there more than once; rename the others"
    )]
    Doubled {
        /// Its name.
        column: String,
        /// Which section of the map names it.
        role: Role,
    },
}

/// What is wrong with a row as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// It is torn, or a separator stands unquoted in a field.
    #[error("the row has {has} fields and the header {header}")]
    Fields {
        /// The row's fields.
        has: usize,
        /// The header's fields.
        header: usize,
    },
    /// A quote swallowed the rest of the file.
    #[error("a quote opens in this row and is never closed")]
    QuoteLeftOpen,
    /// It belongs to no case.
    #[error("the case's reference is blank")]
    NoReference,
    /// Its date cannot be read.
    #[error(transparent)]
    Date(DateFault),
}

/// A word of the register that the map lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingWord {
    /// The section of the map that lacks it.
    pub role: Role,
    /// The column in which it stands.
    pub column: String,
    /// The word, trimmed.
    pub word: String,
    /// In how many rows it stands.
    pub rows: u64,
    /// The first line on which it stands.
    pub first_line: u64,
}

/// All faults of a register's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    words: BTreeMap<(Role, String), MissingWord>,
    rows: Vec<(u64, RowFault)>,
}

impl Faults {
    /// The words that the map lacks, by section and word.
    pub fn words(&self) -> impl Iterator<Item = &MissingWord> {
        self.words.values()
    }

    /// The rows that cannot be read, each with its line.
    #[must_use]
    pub fn rows(&self) -> &[(u64, RowFault)] {
        &self.rows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.rows.is_empty()
    }

    pub(super) fn word(&mut self, role: Role, column: &str, word: &str, line: u64) {
        self.words
            .entry((role, word.to_owned()))
            .or_insert_with(|| MissingWord {
                role,
                column: column.to_owned(),
                word: word.to_owned(),
                rows: 0,
                first_line: line,
            })
            .rows += 1;
    }

    pub(super) fn row(&mut self, line: u64, fault: RowFault) {
        self.rows.push((line, fault));
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paragraphs = Vec::new();
        if !self.words.is_empty() {
            paragraphs.push(told_words(self.words.values()));
        }
        if !self.rows.is_empty() {
            paragraphs.push(told_rows(&self.rows));
        }
        f.write_str(&paragraphs.join("\n"))
    }
}

fn told_words<'a>(words: impl Iterator<Item = &'a MissingWord>) -> String {
    let mut text = String::from("the map lacks words of the register; say what each means:");
    let mut section = None;
    for missing in words {
        if section != Some(missing.role) {
            section = Some(missing.role);
            let (role, list) = (missing.role, list_of(missing.role));
            text += &format!("\n  column {:?}, to {list} in {role}:", missing.column);
        }
        let rows = if missing.rows == 1 { "row" } else { "rows" };
        let MissingWord {
            word,
            rows: count,
            first_line,
            ..
        } = missing;
        let blank = if word.is_empty() { " (blank)" } else { "" };
        text += &format!("\n    {word:?}{blank} in {count} {rows}, first on line {first_line}");
    }
    text
}

fn told_rows(rows: &[(u64, RowFault)]) -> String {
    let mut text = String::from("rows of the register cannot be read; correct them:");
    for (line, fault) in rows.iter().take(ROWS_TOLD) {
        text += &format!("\n  line {line}: {fault}");
    }
    if rows.len() > ROWS_TOLD {
        text += &format!("\n  and {} more", rows.len() - ROWS_TOLD);
    }
    text
}

/// The key of a section to which a missing word is added.
fn list_of(role: Role) -> &'static str {
    match role {
        Role::Subject => "not_identified",
        Role::Closing => "words or not_deciding",
        _ => "words",
    }
}

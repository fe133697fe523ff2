//! A register as cases with their rows, ready to be entered through the services.
//!
//! Every row is an allegation, exact duplicates too: a row is itself by its register and its line. Reading is all or nothing; what
//! stops it is told as a whole, so that the map is corrected once and not word by word.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use csv::StringRecord;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::map::{Map, Role};
use super::words::{Channel, Outcome, Sanction, Subject};

mod consequences;
mod faults;
mod lines;

#[cfg(test)]
mod tests;

use consequences::Consequences;
pub use consequences::Sanctioned;
pub use faults::{ColumnFault, Faults, MissingWord, ReadError, RowFault};
use lines::Lines;

/// A register that was read with a map.
#[derive(Debug, Clone)]
pub struct Register {
    /// The register's name, from the map.
    pub name: String,
    /// SHA-256 of the file's bytes: which edition of the register this is.
    pub digest: Digest,
    /// Its cases, in the order in which they first appear.
    pub cases: Vec<Case>,
}

/// One case of a register: one report, one matter, one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The register's own reference.
    pub reference: String,
    /// The day on which the report was received; where its rows differ, the earliest.
    pub received: Date,
    /// The channel through which the report came; where its rows differ, that of the first.
    pub channel: Channel,
    /// The register's word for that channel; blank where the map has one channel for all.
    pub channel_word: String,
    /// Its rows, in the order of the register. There is at least one.
    pub rows: Vec<Row>,
    /// The references of the identified subjects that its conclusion clears, in the order of their first row.
    pub cleared: Vec<String>,
    /// Who is sanctioned because of it: one sanction a person, whatever many of its rows say so.
    pub sanctions: Vec<Sanctioned>,
}

/// One row of a register: one allegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line of the file on which the row starts; the header is on line 1. With the register's name it is the row's identity.
    pub line: u64,
    /// Whom the allegation is about.
    pub subject: Subject,
    /// What kind of thing is alleged, as a code.
    pub category: String,
    /// What became of the allegation.
    pub outcome: Outcome,
    /// The register's own words, kept beside ours.
    pub words: LocalWords,
    /// SHA-256 of all that is entered for this row after mapping: its case's day and channel among it, and what follows for its subject.
    /// A map edited so that it changes an entered row changes this, and nothing else does.
    pub digest: Digest,
}

/// The words of the register that a row was mapped from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalWords {
    /// The word for the category.
    pub category: String,
    /// The word of the finding column.
    pub finding: String,
    /// The word of the closing column, where that decided.
    pub closing: Option<String>,
}

impl LocalWords {
    /// The word that decided the outcome.
    #[must_use]
    pub fn deciding(&self) -> &str {
        self.closing.as_deref().unwrap_or(&self.finding)
    }
}

impl Case {
    /// Whether the case stays open: a single pending row keeps all of it open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.rows.iter().any(|row| row.outcome == Outcome::Pending)
    }

    /// SHA-256 over the digests of the rows: what is entered of the whole case.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for row in &self.rows {
            hash.update(row.digest.0);
        }
        Digest(hash.finalize().into())
    }
}

/// A SHA-256. Its text is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Register {
    /// Reads a register from a file.
    ///
    /// # Errors
    /// The file cannot be read, or see [`Register::read`].
    pub fn open(path: &Path, map: &Map) -> Result<Self, ReadError> {
        let bytes = std::fs::read(path).map_err(|source| ReadError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::read(&bytes, map)
    }

    /// Reads a register from the bytes of its file.
    ///
    /// # Errors
    /// It is not UTF-8, has no header or lacks a column; or rows hold words that the map lacks, dates that cannot be read, a wrong number of fields.
    pub fn read(bytes: &[u8], map: &Map) -> Result<Self, ReadError> {
        if let Err(fault) = std::str::from_utf8(bytes) {
            let line = Lines::of(bytes).line_at(fault.valid_up_to());
            return Err(ReadError::NotUtf8 { line });
        }
        let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let header = records.headers().map_err(ReadError::csv)?.clone();
        let columns = Columns::find(&header, map)?;

        let mut lines = Lines::of(bytes);
        let mut reading = Reading::new(map, &columns);
        let mut start = 0;
        for record in records.records() {
            let record = record.map_err(ReadError::csv)?;
            start = record.position().map_or(start, csv::Position::byte);
            let line = lines.record_at(start);
            if record.len() == header.len() {
                reading.take(line, &record);
            } else {
                reading.faults.row(
                    line,
                    RowFault::Fields {
                        has: record.len(),
                        header: header.len(),
                    },
                );
            }
        }
        if let Some(line) = lines.quote_left_open(start) {
            reading.faults.row(line, RowFault::QuoteLeftOpen);
        }
        Ok(Self {
            name: map.register().to_owned(),
            digest: Digest::of(bytes),
            cases: reading.finish()?,
        })
    }
}

/// Where the map's columns stand in this register.
struct Columns {
    found: BTreeMap<Role, (usize, String)>,
}

impl Columns {
    fn find(header: &StringRecord, map: &Map) -> Result<Self, ReadError> {
        let mut found = BTreeMap::new();
        let mut faults = Vec::new();
        for (role, column) in map.columns() {
            let column = column.to_owned();
            let mut at = header
                .iter()
                .enumerate()
                .filter(|(_, name)| name.trim() == column)
                .map(|(at, _)| at);
            match (at.next(), at.next()) {
                (Some(at), None) => {
                    found.insert(role, (at, column));
                }
                (Some(_), Some(_)) => faults.push(ColumnFault::Doubled { column, role }),
                (None, _) => faults.push(ColumnFault::Missing { column, role }),
            }
        }
        if faults.is_empty() {
            Ok(Self { found })
        } else {
            Err(ReadError::Columns {
                faults,
                header: header.iter().map(|name| name.trim().to_owned()).collect(),
            })
        }
    }

    fn name(&self, role: Role) -> &str {
        self.found.get(&role).map_or("", |(_, name)| name)
    }

    /// What stands in a column, trimmed; blank where the map has no such column.
    fn cell<'r>(&self, role: Role, record: &'r StringRecord) -> &'r str {
        self.found
            .get(&role)
            .and_then(|(at, _)| record.get(*at))
            .map_or("", str::trim)
    }
}

/// A case while its rows are still being gathered.
struct Draft {
    reference: String,
    received: Date,
    channel: Channel,
    channel_word: String,
    rows: Vec<DraftRow>,
}

struct DraftRow {
    line: u64,
    subject: Subject,
    category: String,
    outcome: Outcome,
    sanction: Sanction,
    words: LocalWords,
}

struct Reading<'a> {
    map: &'a Map,
    columns: &'a Columns,
    drafts: Vec<Draft>,
    by_reference: HashMap<String, usize>,
    faults: Faults,
}

impl<'a> Reading<'a> {
    fn new(map: &'a Map, columns: &'a Columns) -> Self {
        Self {
            map,
            columns,
            drafts: Vec::new(),
            by_reference: HashMap::new(),
            faults: Faults::default(),
        }
    }

    /// Takes a row in, or notes all that is wrong with it.
    fn take(&mut self, line: u64, record: &StringRecord) {
        let (map, columns) = (self.map, self.columns);
        let cell = |role| columns.cell(role, record);
        let reference = cell(Role::Case);
        if reference.is_empty() {
            self.faults.row(line, RowFault::NoReference);
        }
        let received = map
            .received(cell(Role::Received))
            .map_err(|fault| self.faults.row(line, RowFault::Date(fault)))
            .ok();
        let channel = self.known(line, Role::Channel, record, Map::channel);
        let subject = self.known(line, Role::Subject, record, Map::subject);
        let category = self.known(line, Role::Category, record, Map::category);
        let closing = self.known(line, Role::Closing, record, Map::closing);
        let finding = self.known(line, Role::Finding, record, Map::finding);
        let sanction = self.known(line, Role::Sanction, record, Map::sanction);
        let (
            Some(received),
            Some(channel),
            Some(subject),
            Some(category),
            Some(closing),
            Some(finding),
            Some(sanction),
        ) = (
            received, channel, subject, category, closing, finding, sanction,
        )
        else {
            return;
        };
        let row = DraftRow {
            line,
            subject,
            category,
            outcome: closing.map_or(finding, Outcome::Closed),
            sanction,
            words: LocalWords {
                category: cell(Role::Category).to_owned(),
                finding: cell(Role::Finding).to_owned(),
                closing: closing.map(|_| cell(Role::Closing).to_owned()),
            },
        };
        match self.by_reference.get(reference) {
            Some(&at) => {
                let case = &mut self.drafts[at];
                case.received = case.received.min(received);
                case.rows.push(row);
            }
            None => {
                self.by_reference
                    .insert(reference.to_owned(), self.drafts.len());
                self.drafts.push(Draft {
                    reference: reference.to_owned(),
                    received,
                    channel,
                    channel_word: cell(Role::Channel).to_owned(),
                    rows: vec![row],
                });
            }
        }
    }

    /// What the map says of the word in a column; a word that it lacks is noted.
    fn known<T>(
        &mut self,
        line: u64,
        role: Role,
        record: &StringRecord,
        meaning: impl Fn(&Map, &str) -> Option<T>,
    ) -> Option<T> {
        let word = self.columns.cell(role, record);
        let meant = meaning(self.map, word);
        if meant.is_none() {
            self.faults.word(role, self.columns.name(role), word, line);
        }
        meant
    }

    fn finish(self) -> Result<Vec<Case>, ReadError> {
        if !self.faults.is_empty() {
            return Err(ReadError::Rows {
                faults: self.faults,
            });
        }
        let map = self.map;
        let consequences = Consequences::of(&self.drafts, map);
        let drafts = self.drafts.into_iter().zip(consequences);
        Ok(drafts
            .map(|(draft, consequences)| draft.settled(consequences, map))
            .collect())
    }
}

impl Draft {
    /// The case, now that its day and what follows from it are known; the rows' digests rest on both.
    fn settled(mut self, consequences: Consequences, map: &Map) -> Case {
        let drafts = std::mem::take(&mut self.rows);
        let rows = drafts
            .into_iter()
            .map(|row| {
                let digest = self.entered(&row, &consequences, map);
                Row {
                    line: row.line,
                    subject: row.subject,
                    category: row.category,
                    outcome: row.outcome,
                    words: row.words,
                    digest,
                }
            })
            .collect();
        Case {
            reference: self.reference,
            received: self.received,
            channel: self.channel,
            channel_word: self.channel_word,
            rows,
            cleared: consequences.cleared,
            sanctions: consequences.sanctions,
        }
    }

    /// The digest of what is entered for a row. Every part is preceded by its length, so that no two rows run into the same bytes.
    fn entered(&self, row: &DraftRow, consequences: &Consequences, map: &Map) -> Digest {
        let (identified, reference) = match &row.subject {
            Subject::Identified { reference } => ("identified", reference.as_str()),
            Subject::Unidentified => ("unidentified", ""),
        };
        let (outcome, which) = match row.outcome {
            Outcome::Finding(finding) => ("finding", finding.code()),
            Outcome::Closed(reason) => ("closed", reason.code()),
            Outcome::Pending => ("pending", ""),
        };
        let received = self.received.to_string();
        let line = row.line.to_string();
        let mut parts = vec![
            "zhengming.register.row.1",
            map.register(),
            map.unit(),
            &self.reference,
            &received,
            self.channel.code(),
            &self.channel_word,
            &line,
            map.subject_kind().code(),
            identified,
            reference,
            &row.category,
            outcome,
            which,
            &row.words.category,
            &row.words.finding,
            row.words.closing.as_deref().unwrap_or_default(),
        ];
        // Only where something follows, so that a row of which nothing does has the digest that it always had.
        if let Some(clearing) = map.clearing().filter(|_| consequences.clear(row)) {
            parts.extend([
                "clearing",
                clearing.degree.code(),
                clearing.reach.code(),
                clearing.screening.code(),
                clearing.wish.code(),
                clearing.form.code(),
            ]);
            parts.extend(clearing.harms.iter().map(|harm| harm.code()));
            if let Some(head) = &clearing.head {
                parts.extend(["head", head]);
            }
        }
        let sanction = consequences.sanction(row);
        let months = sanction.map(|impact| impact.months.to_string());
        if let (Some(impact), Some(months)) = (sanction, &months) {
            parts.extend(["sanction", &impact.kind, months]);
        }
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Digest(hash.finalize().into())
    }
}

//! The figures of a register, counted straight from its CSV: one side of the table that a replay compares.
//!
//! This file reads the records by itself and shares only the map with [`read`](super::read). It must stay so: what both sides of a
//! comparison are counted from cannot be found wrong by it. It is also plain on purpose, to be checked by eye.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};

use super::map::{Map, Role};
use super::words::{ClosingReason, Finding, Outcome, Sanction, Subject, SubjectKind};

#[cfg(test)]
mod tests;

/// One figure: what is counted.
///
/// A case is *open* if one of its rows is pending, else *concluded*. Findings and reasons of closing are those of concluded cases; all rows of an open case count as open,
/// whatever stands in them, as its findings are not approved yet. So the allegations are the sum of the four findings, the
/// seven reasons and those that are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// Cases: distinct references.
    Cases,
    /// Cases without a pending row.
    CasesConcluded,
    /// Cases with a pending row.
    CasesOpen,
    /// Allegations: rows, exact duplicates each for itself.
    Allegations,
    /// Allegations of concluded cases with this finding.
    Found(Finding),
    /// Allegations of concluded cases that were closed for this reason.
    Closed(ClosingReason),
    /// All allegations of open cases.
    AllegationsOpen,
    /// Identified subjects of all cases, open ones too: distinct references over the whole register, so one in several cases counts once.
    SubjectsIdentified,
    /// Subjects not identified, of all cases: one a row.
    SubjectsNotIdentified,
    /// Names that conclusions clear: pairs of a case and an identified subject of it.
    Cleared,
    /// Clarifications that were carried out: all of these, where the map's `[clearing]` ends so, else none.
    CarriedOut,
    /// Entries in the ledger: one for each that was carried out.
    LedgerEntries,
    /// Entries in the ledger of the register's unit: all of them.
    LedgerEntriesOfUnit,
    /// Sanctions: pairs of a concluded case and a person with a substantiated row in it whose discipline is one to the map; of one person
    /// in the order of the register, as long as the months together are not more than the map's limit.
    Sanctions,
    /// Files of follow-up: distinct persons who were sanctioned, or whose name was cleared. One person, one file.
    Files,
}

impl Figure {
    /// All figures, in the order of the table.
    pub const ALL: [Self; 24] = [
        Self::Cases,
        Self::CasesConcluded,
        Self::CasesOpen,
        Self::Allegations,
        Self::Found(Finding::Substantiated),
        Self::Found(Finding::Unsubstantiated),
        Self::Found(Finding::Unfounded),
        Self::Found(Finding::Exonerated),
        Self::Closed(ClosingReason::Withdrawn),
        Self::Closed(ClosingReason::NoCooperation),
        Self::Closed(ClosingReason::LimitationExpired),
        Self::Closed(ClosingReason::Duplicate),
        Self::Closed(ClosingReason::Transferred),
        Self::Closed(ClosingReason::Void),
        Self::Closed(ClosingReason::Other),
        Self::AllegationsOpen,
        Self::SubjectsIdentified,
        Self::SubjectsNotIdentified,
        Self::Cleared,
        Self::CarriedOut,
        Self::LedgerEntries,
        Self::LedgerEntriesOfUnit,
        Self::Sanctions,
        Self::Files,
    ];

    /// The stable key, for scripts.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::CasesConcluded => "cases_concluded",
            Self::CasesOpen => "cases_open",
            Self::Allegations => "allegations",
            Self::Found(Finding::Substantiated) => "finding_substantiated",
            Self::Found(Finding::Unsubstantiated) => "finding_unsubstantiated",
            Self::Found(Finding::Unfounded) => "finding_unfounded",
            Self::Found(Finding::Exonerated) => "finding_exonerated",
            Self::Closed(ClosingReason::Withdrawn) => "closed_withdrawn",
            Self::Closed(ClosingReason::NoCooperation) => "closed_no_cooperation",
            Self::Closed(ClosingReason::LimitationExpired) => "closed_limitation_expired",
            Self::Closed(ClosingReason::Duplicate) => "closed_duplicate",
            Self::Closed(ClosingReason::Transferred) => "closed_transferred",
            Self::Closed(ClosingReason::Void) => "closed_void",
            Self::Closed(ClosingReason::Other) => "closed_other",
            Self::AllegationsOpen => "allegations_open",
            Self::SubjectsIdentified => "subjects_identified",
            Self::SubjectsNotIdentified => "subjects_not_identified",
            Self::Cleared => "cleared_by_conclusion",
            Self::CarriedOut => "carried_out",
            Self::LedgerEntries => "ledger_entries",
            Self::LedgerEntriesOfUnit => "ledger_entries_of_unit",
            Self::Sanctions => "sanctions",
            Self::Files => "files",
        }
    }

    /// The label, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::CasesConcluded => "cases, concluded",
            Self::CasesOpen => "cases, open",
            Self::Allegations => "allegations",
            Self::Found(Finding::Substantiated) => "found substantiated",
            Self::Found(Finding::Unsubstantiated) => "found unsubstantiated",
            Self::Found(Finding::Unfounded) => "found unfounded",
            Self::Found(Finding::Exonerated) => "found exonerated",
            Self::Closed(ClosingReason::Withdrawn) => "closed, withdrawn",
            Self::Closed(ClosingReason::NoCooperation) => "closed, no cooperation",
            Self::Closed(ClosingReason::LimitationExpired) => "closed, limitation expired",
            Self::Closed(ClosingReason::Duplicate) => "closed, duplicate",
            Self::Closed(ClosingReason::Transferred) => "closed, transferred",
            Self::Closed(ClosingReason::Void) => "closed, void",
            Self::Closed(ClosingReason::Other) => "closed, other",
            Self::AllegationsOpen => "allegations, open",
            Self::SubjectsIdentified => "subjects, identified",
            Self::SubjectsNotIdentified => "subjects, not identified",
            Self::Cleared => "names cleared by conclusions",
            Self::CarriedOut => "clarifications carried out",
            Self::LedgerEntries => "ledger entries",
            Self::LedgerEntriesOfUnit => "ledger entries, of the unit",
            Self::Sanctions => "sanctions",
            Self::Files => "files of persons",
        }
    }
}

/// A count for every figure. Both sides of the table are of this type, so neither can leave one out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    counts: [u64; Figure::ALL.len()],
}

/// Why a register could not be counted. [`read`](super::read) tells all faults at once; here the first is enough.
#[derive(Debug, thiserror::Error)]
pub enum CountingError {
    /// It is no CSV.
    #[error("the register cannot be counted: {0}")]
    Csv(#[from] csv::Error),
    /// A column of the map is missing.
    #[error("the register cannot be counted: the column {0:?} is missing")]
    Column(String),
    /// A word that the map lacks.
    #[error("the register cannot be counted: the map lacks the word {word:?} of {role}")]
    Word {
        /// Which section lacks it.
        role: Role,
        /// The word.
        word: String,
    },
}

impl Figures {
    /// Asks for the count of each figure, in the order of the table: how the services' side is made.
    pub fn each(mut count: impl FnMut(Figure) -> u64) -> Self {
        Self {
            counts: Figure::ALL.map(&mut count),
        }
    }

    /// Every figure with its count, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Figure, u64)> {
        Figure::ALL.into_iter().zip(self.counts)
    }

    /// The count of one figure.
    #[must_use]
    pub fn get(&self, figure: Figure) -> u64 {
        self.iter()
            .find(|(each, _)| *each == figure)
            .map_or(0, |(_, count)| count)
    }

    /// The figures that differ, with this side's count and the other's.
    pub fn differences<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (Figure, u64, u64)> + 'a {
        self.iter()
            .zip(other.counts)
            .filter(|((_, here), there)| here != there)
            .map(|((figure, here), there)| (figure, here, there))
    }

    /// Counts the figures of a register from the bytes of its file; with a limit only those of the cases that appear first.
    ///
    /// # Errors
    /// It is no CSV of UTF-8 with the map's columns, or holds a word that the map lacks.
    pub fn count(bytes: &[u8], map: &Map, limit: Option<usize>) -> Result<Self, CountingError> {
        let mut csv = csv::Reader::from_reader(bytes);
        let header = csv.headers()?.clone();
        let column = |role: Role| -> Result<Option<usize>, CountingError> {
            let columns = map.columns();
            let Some((_, name)) = columns.iter().find(|(each, _)| *each == role) else {
                return Ok(None);
            };
            match header.iter().position(|each| each.trim() == *name) {
                Some(at) => Ok(Some(at)),
                None => Err(CountingError::Column((*name).to_owned())),
            }
        };
        let case = column(Role::Case)?;
        let subject = column(Role::Subject)?;
        let closing = column(Role::Closing)?;
        let finding = column(Role::Finding)?;
        let sanction = column(Role::Sanction)?;

        let mut order: Vec<String> = Vec::new();
        let mut cases: HashMap<String, Vec<Counted>> = HashMap::new();
        for record in csv.records() {
            let record = record?;
            let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
            let reference = cell(case).trim();
            if !cases.contains_key(reference) {
                if limit.is_some_and(|limit| cases.len() >= limit) {
                    continue;
                }
                order.push(reference.to_owned());
                cases.insert(reference.to_owned(), Vec::new());
            }
            let lacking = |role, word: &str| CountingError::Word {
                role,
                word: word.trim().to_owned(),
            };
            let outcome = match map.closing(cell(closing)) {
                Some(Some(reason)) => Outcome::Closed(reason),
                Some(None) => map
                    .finding(cell(finding))
                    .ok_or_else(|| lacking(Role::Finding, cell(finding)))?,
                None => return Err(lacking(Role::Closing, cell(closing))),
            };
            let subject = map
                .subject(cell(subject))
                .ok_or_else(|| lacking(Role::Subject, cell(subject)))?;
            let months = match map.sanction(cell(sanction)) {
                Some(Sanction::Impact(impact)) => u32::from(impact.months),
                Some(Sanction::None) => 0,
                None => return Err(lacking(Role::Sanction, cell(sanction))),
            };
            if let Some(rows) = cases.get_mut(reference) {
                rows.push(Counted {
                    subject,
                    outcome,
                    months,
                });
            }
        }

        let in_order: Vec<&Vec<Counted>> =
            order.iter().filter_map(|case| cases.get(case)).collect();
        let (open, concluded): (Vec<_>, Vec<_>) = in_order
            .into_iter()
            .partition(|rows| rows.iter().any(|row| row.outcome == Outcome::Pending));
        let all = || cases.values().flatten();
        let ended = |outcome| {
            let rows = concluded.iter().flat_map(|rows| rows.iter());
            rows.filter(|row| row.outcome == outcome).count() as u64
        };
        let identified: HashSet<&str> = all().filter_map(Counted::identified).collect();
        let not_identified = all().filter(|row| row.identified().is_none()).count();

        let mut cleared: Vec<&str> = Vec::new();
        let mut sanctioned: Vec<&str> = Vec::new();
        let mut months_of: HashMap<&str, u32> = HashMap::new();
        for rows in &concluded {
            let subjects: HashSet<&str> = rows.iter().filter_map(Counted::identified).collect();
            for subject in subjects {
                let own = || rows.iter().filter(|row| row.identified() == Some(subject));
                if own().any(Counted::speaks_for_them) && own().all(Counted::does_not_speak_against)
                {
                    cleared.push(subject);
                }
                let longest = own().map(Counted::sanction).max().unwrap_or_default();
                let before = months_of.entry(subject).or_default();
                let most = map.most_months_together().unwrap_or(u32::MAX);
                if longest > 0 && *before + longest <= most {
                    *before += longest;
                    sanctioned.push(subject);
                }
            }
        }
        if map.subject_kind() == SubjectKind::Organisation {
            sanctioned.clear();
        }
        let carried_out: &[&str] = match map.clearing() {
            Some(clearing) if clearing.is_carried_out() => &cleared,
            _ => &[],
        };
        let of_persons: HashSet<&&str> = match map.subject_kind() {
            SubjectKind::Person => carried_out.iter().chain(&sanctioned).collect(),
            SubjectKind::Organisation => HashSet::new(),
        };

        Ok(Self::each(|figure| match figure {
            Figure::Cases => cases.len() as u64,
            Figure::CasesConcluded => concluded.len() as u64,
            Figure::CasesOpen => open.len() as u64,
            Figure::Allegations => all().count() as u64,
            Figure::Found(finding) => ended(Outcome::Finding(finding)),
            Figure::Closed(reason) => ended(Outcome::Closed(reason)),
            Figure::AllegationsOpen => open.iter().map(|rows| rows.len() as u64).sum(),
            Figure::SubjectsIdentified => identified.len() as u64,
            Figure::SubjectsNotIdentified => not_identified as u64,
            Figure::Cleared => cleared.len() as u64,
            Figure::CarriedOut | Figure::LedgerEntries | Figure::LedgerEntriesOfUnit => {
                carried_out.len() as u64
            }
            Figure::Sanctions => sanctioned.len() as u64,
            Figure::Files => of_persons.len() as u64,
        }))
    }
}

/// A row as it is counted.
struct Counted {
    subject: Subject,
    outcome: Outcome,
    /// The months of the discipline that the row names; 0 for none.
    months: u32,
}

impl Counted {
    fn identified(&self) -> Option<&str> {
        match &self.subject {
            Subject::Identified { reference } => Some(reference),
            Subject::Unidentified => None,
        }
    }

    fn speaks_for_them(&self) -> bool {
        let found = [Finding::Unfounded, Finding::Exonerated].map(Outcome::Finding);
        found.contains(&self.outcome)
    }

    fn does_not_speak_against(&self) -> bool {
        let closed = [ClosingReason::Duplicate, ClosingReason::Void].map(Outcome::Closed);
        self.speaks_for_them() || closed.contains(&self.outcome)
    }

    /// The months for which the row sanctions: a finding that is not substantiated does not.
    fn sanction(&self) -> u32 {
        match self.outcome {
            Outcome::Finding(Finding::Substantiated) => self.months,
            _ => 0,
        }
    }
}

/// A list of `{ key, label, count }`, so that scripts keep the order of the table.
impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line {
            key: &'static str,
            label: &'static str,
            count: u64,
        }
        serializer.collect_seq(self.iter().map(|(figure, count)| Line {
            key: figure.key(),
            label: figure.label(),
            count,
        }))
    }
}

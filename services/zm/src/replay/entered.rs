//! What of a register is entered already, and whether the map that is given now would enter the same.
//!
//! Asked once, before the first command, by listing the source's reports, cases and clarifications. A report's id is a seal on the content it was
//! entered with (see [`identity`](super::identity)), so a map edited in a way that changes an entered row is found here. What
//! is the same need not be sent again: a repeat is a few pages of listings and the table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use office::Actor;
use proto::clarification::{ClarificationRow, ClarificationState, Wish};
use proto::intake::{ReportRow, ReportState};
use proto::verification::{CaseRow, CaseState};

use super::identity::{report_id, subject_id};
use super::requests::Source;
use super::requests::consequences::Cleared;
use crate::register::Case;
use crate::words;

#[cfg(test)]
mod tests;

/// How many contradictions are told one by one.
const TOLD: usize = 10;

/// What the services list of one source.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Intake's reports.
    pub reports: Vec<ReportRow>,
    /// Verification's cases.
    pub cases: Vec<CaseRow>,
    /// Clarification's clarifications.
    pub clarifications: Vec<ClarificationRow>,
}

/// What of a register is entered already.
#[derive(Debug, Clone, Default)]
pub struct Entered {
    reports: HashMap<String, ReportRow>,
    /// By their matter.
    cases: HashMap<String, CaseRow>,
    /// By matter and subject.
    clarifications: HashMap<(String, String), ClarificationState>,
    others: usize,
}

/// How an entered case contradicts what is given now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Its report was entered with another content, as another edition of the register, or by another actor.
    Content,
    /// Its report was not accepted but decided on otherwise, by hand.
    Decided(ReportState),
    /// Its case was ended or halted by hand.
    Halted(CaseState),
    /// The clearing of a name was ended by hand.
    Clarified(ClarificationState),
}

/// All that contradicts, by the case's reference, with the lines of its rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Contradictions {
    /// The source.
    pub source_name: String,
    /// How many of the given cases are entered.
    pub entered: usize,
    /// Those that contradict, in the order of the register.
    pub cases: Vec<(String, Vec<u64>, Contradiction)>,
}

impl Entered {
    /// Compares what is listed with the cases that are to be entered.
    ///
    /// # Errors
    /// Entered cases that contradict, all of them.
    pub fn compare(
        source: Source<'_>,
        cases: &[Case],
        registrar: &Actor,
        listed: Listed,
    ) -> Result<Self, Contradictions> {
        let mut by_reference: BTreeMap<String, Vec<ReportRow>> = BTreeMap::new();
        for row in listed.reports {
            by_reference
                .entry(row.reference.clone())
                .or_default()
                .push(row);
        }

        let of_matters = listed.cases.into_iter();
        let clarifications = listed.clarifications.into_iter();
        let mut entered = Self {
            cases: of_matters.map(|row| (row.matter_id.clone(), row)).collect(),
            clarifications: clarifications
                .map(|row| {
                    let state = row.state();
                    ((row.matter_id, row.subject_id), state)
                })
                .collect(),
            ..Self::default()
        };
        let mut contradictions = Vec::new();
        for case in cases {
            let Some(mut rows) = by_reference.remove(&case.reference) else {
                continue;
            };
            let sealed = report_id(source.digest, case, registrar).to_string();
            let contradiction = match rows.pop() {
                Some(row) if rows.is_empty() && row.report_id == sealed => {
                    let found = entered.contradiction(source, case, &row);
                    entered.reports.insert(case.reference.clone(), row);
                    found
                }
                _ => Some(Contradiction::Content),
            };
            if let Some(contradiction) = contradiction {
                let lines = case.rows.iter().map(|row| row.line).collect();
                contradictions.push((case.reference.clone(), lines, contradiction));
            }
        }
        entered.others = by_reference.values().map(Vec::len).sum();
        if contradictions.is_empty() {
            Ok(entered)
        } else {
            let sealed = |case: &Case| entered.reports.contains_key(&case.reference);
            let same = cases.iter().filter(|case| sealed(case)).count();
            let content = contradictions
                .iter()
                .filter(|(.., contradiction)| *contradiction == Contradiction::Content);
            Err(Contradictions {
                source_name: source.name.to_owned(),
                entered: same + content.count(),
                cases: contradictions,
            })
        }
    }

    fn contradiction(
        &self,
        source: Source<'_>,
        case: &Case,
        row: &ReportRow,
    ) -> Option<Contradiction> {
        match row.state() {
            ReportState::Received | ReportState::Accepted => {}
            decided => return Some(Contradiction::Decided(decided)),
        }
        let state = self.cases.get(&row.matter_id).map(CaseRow::state);
        if let Some(state @ (CaseState::Discontinued | CaseState::Suspended)) = state {
            return Some(Contradiction::Halted(state));
        }
        let clearing = source.clearing?;
        let states = case.cleared.iter();
        let mut states =
            states.filter_map(|reference| self.clarification(source, &row.matter_id, reference));
        let ended = states.find(|state| Cleared::at(clearing, *state, Wish::Unspecified).is_none());
        ended.map(Contradiction::Clarified)
    }

    fn clarification(
        &self,
        source: Source<'_>,
        matter_id: &str,
        reference: &str,
    ) -> Option<ClarificationState> {
        let subject = subject_id(source.name, reference).to_string();
        let found = self.clarifications.get(&(matter_id.to_owned(), subject));
        // What was only applied for opens once its case is concluded.
        let opened = found.filter(|state| **state != ClarificationState::Applied);
        opened.copied()
    }

    /// The report of a case, if it is entered.
    #[must_use]
    pub fn report(&self, reference: &str) -> Option<&ReportRow> {
        self.reports.get(reference)
    }

    /// The ids of the matter and the case, if that is concluded.
    #[must_use]
    pub fn concluded(&self, reference: &str) -> Option<(&str, &str)> {
        let case = self.cases.get(&self.report(reference)?.matter_id)?;
        (case.state() == CaseState::Concluded).then_some((&case.matter_id, &case.case_id))
    }

    /// Whether the clearing of a subject's name in a matter had come to its end.
    #[must_use]
    pub fn is_cleared(&self, source: Source<'_>, matter_id: &str, reference: &str) -> bool {
        let state = self.clarification(source, matter_id, reference);
        let reached = source
            .clearing
            .zip(state)
            .and_then(|(clearing, state)| Cleared::at(clearing, state, Wish::Unspecified));
        reached == Some(Cleared::Ended)
    }

    /// How many of the given cases are entered, with whatever is left to do on them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.reports.len()
    }

    /// How many reports the source has that are none of the given cases: the services count them too.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("was entered with another content"),
            Self::Decided(state) => {
                write!(f, "its report is {} by hand", word(state.as_str_name()))
            }
            Self::Halted(state) => write!(f, "its case is {} by hand", word(state.as_str_name())),
            Self::Clarified(state) => write!(
                f,
                "the clearing of a name in it is {} by hand",
                words::word::<ClarificationState>((*state).into()).replace('_', " ")
            ),
        }
    }
}

/// `CASE_STATE_SUSPENDED` is suspended.
fn word(name: &str) -> String {
    name.rsplit('_').next().unwrap_or(name).to_ascii_lowercase()
}

impl fmt::Display for Contradictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "nothing was sent: {} of the {} cases that are entered from the source {:?} contradict the register and the map given now:",
            self.cases.len(),
            self.entered,
            self.source_name
        )?;
        for (reference, lines, contradiction) in self.cases.iter().take(TOLD) {
            let lines: Vec<_> = lines.iter().map(u64::to_string).collect();
            let noun = if lines.len() == 1 { "line" } else { "lines" };
            writeln!(
                f,
                "  {reference} ({noun} {}): {contradiction}",
                lines.join(", ")
            )?;
        }
        if let Some(more) = self.cases.len().checked_sub(TOLD).filter(|more| *more > 0) {
            writeln!(f, "  and {more} more")?;
        }
        let content =
            |(.., each): &(String, Vec<u64>, Contradiction)| *each == Contradiction::Content;
        if self.cases.iter().any(content) {
            writeln!(
                f,
                "What is entered stays as it is. Replay with the file, the map and the actors with which it was entered; or give the map another name in `register = …`, and all of it is entered anew under that source."
            )?;
        }
        if !self.cases.iter().all(content) {
            writeln!(
                f,
                "What was decided by hand is not replayed over. Give the map another name in `register = …` to replay the whole register."
            )?;
        }
        Ok(())
    }
}

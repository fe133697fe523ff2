//! What a case's conclusion leads to: whose name it clears, and who is sanctioned.

use std::collections::{BTreeMap, HashMap};

use super::{Draft, DraftRow};
use crate::register::map::Map;
use crate::register::words::{
    ClosingReason, Finding, Impact, Outcome, Sanction, Subject, SubjectKind,
};

/// A person who is sanctioned in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanctioned {
    /// The register's reference of the person.
    pub reference: String,
    /// The sanction: of several in the case, the longest.
    pub impact: Impact,
    /// Whether it is the person's first of the register.
    pub is_first: bool,
}

/// What follows from each case.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    /// The identified subjects that the conclusion clears, in the order of their first row.
    pub(super) cleared: Vec<String>,
    /// Who is sanctioned, in the order of their first row.
    pub(super) sanctions: Vec<Sanctioned>,
}

impl Consequences {
    /// Of all cases, in their order: a person's earlier cases come first where the months together are limited.
    pub(super) fn of(drafts: &[Draft], map: &Map) -> Vec<Self> {
        let mut together: HashMap<String, u32> = HashMap::new();
        let mut fits = |sanctioned: &mut Sanctioned| {
            let months = together.entry(sanctioned.reference.clone()).or_default();
            let sum = *months + u32::from(sanctioned.impact.months);
            let fits = map.most_months_together().is_none_or(|most| sum <= most);
            sanctioned.is_first = *months == 0;
            if fits {
                *months = sum;
            }
            fits
        };
        drafts
            .iter()
            .map(|draft| {
                let mut sanctions = sanctions(draft, map);
                sanctions.retain_mut(&mut fits);
                Self {
                    cleared: cleared(draft),
                    sanctions,
                }
            })
            .collect()
    }

    /// Whether a row's subject is cleared.
    pub(super) fn clear(&self, row: &DraftRow) -> bool {
        reference(row).is_some_and(|reference| self.cleared.iter().any(|each| each == reference))
    }

    /// The sanction that a row is among the reasons of.
    pub(super) fn sanction(&self, row: &DraftRow) -> Option<&Impact> {
        let reference = reference(row).filter(|_| own_sanction(row).is_some())?;
        let mut sanctions = self.sanctions.iter();
        let found = sanctions.find(|sanctioned| sanctioned.reference == reference);
        found.map(|sanctioned| &sanctioned.impact)
    }
}

fn reference(row: &DraftRow) -> Option<&str> {
    match &row.subject {
        Subject::Identified { reference } => Some(reference),
        Subject::Unidentified => None,
    }
}

fn is_open(draft: &Draft) -> bool {
    let mut rows = draft.rows.iter();
    rows.any(|row| row.outcome == Outcome::Pending)
}

/// A subject is cleared by at least one finding of unfounded or exonerated on them, where every other is one of these too, or closed
/// as a duplicate or void.
fn cleared(draft: &Draft) -> Vec<String> {
    if is_open(draft) {
        return Vec::new();
    }
    let mut subjects: Vec<(&str, bool, bool)> = Vec::new();
    for row in &draft.rows {
        let Some(reference) = reference(row) else {
            continue;
        };
        let (speaks, allows) = match row.outcome {
            Outcome::Finding(Finding::Unfounded | Finding::Exonerated) => (true, true),
            Outcome::Closed(ClosingReason::Duplicate | ClosingReason::Void) => (false, true),
            Outcome::Finding(_) | Outcome::Closed(_) | Outcome::Pending => (false, false),
        };
        match subjects.iter_mut().find(|(each, ..)| *each == reference) {
            Some((_, spoken, allowed)) => {
                *spoken |= speaks;
                *allowed &= allows;
            }
            None => subjects.push((reference, speaks, allows)),
        }
    }
    let cleared = subjects.into_iter();
    cleared
        .filter(|(_, spoken, allowed)| *spoken && *allowed)
        .map(|(reference, ..)| reference.to_owned())
        .collect()
}

/// The sanction that the row itself gives: only a substantiated one does.
fn own_sanction(row: &DraftRow) -> Option<&Impact> {
    match &row.sanction {
        Sanction::Impact(impact) if row.outcome == Outcome::Finding(Finding::Substantiated) => {
            Some(impact)
        }
        _ => None,
    }
}

/// Persons only, one sanction each.
fn sanctions(draft: &Draft, map: &Map) -> Vec<Sanctioned> {
    if is_open(draft) || map.subject_kind() != SubjectKind::Person {
        return Vec::new();
    }
    let mut order: Vec<&str> = Vec::new();
    let mut longest: BTreeMap<&str, &Impact> = BTreeMap::new();
    for row in &draft.rows {
        let (Some(reference), Some(impact)) = (reference(row), own_sanction(row)) else {
            continue;
        };
        match longest.get(reference) {
            Some(known) if known.months >= impact.months => {}
            Some(_) => {
                longest.insert(reference, impact);
            }
            None => {
                order.push(reference);
                longest.insert(reference, impact);
            }
        }
    }
    let sanctioned = order.into_iter().filter_map(|reference| {
        Some(Sanctioned {
            reference: reference.to_owned(),
            impact: (*longest.get(reference)?).clone(),
            is_first: false,
        })
    });
    sanctioned.collect()
}

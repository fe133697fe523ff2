//! Verification, as it is: what it concluded and what stood when. The rules are held against this, never against what a
//! clarification made of it.

use jiff::Timestamp;
use jiff::civil::date;
use office::{Finding, SubjectId, UnitCode};

use super::subjects;
use crate::clarification::approval::{Answer, Word};
use crate::conclusion::{DUPLICATE, VOID};
use crate::matter::ruling::{Concluded, Conclusion};

/// A conclusion, and when it stood.
pub(super) struct Truth {
    pub(super) conclusion: Conclusion,
    since: Timestamp,
    until: Option<Timestamp>,
}

/// All conclusions, in their order.
#[derive(Default)]
pub(super) struct Verification(Vec<Truth>);

impl Verification {
    /// Concludes, unless a conclusion stands.
    pub(super) fn conclude(
        &mut self,
        unit: &UnitCode,
        subjects: Vec<Concluded>,
        now: Timestamp,
    ) -> Option<Conclusion> {
        if self.standing().is_some() {
            return None;
        }
        let conclusion = Conclusion {
            number: i32::try_from(self.0.len() + 1).expect("a few conclusions"),
            unit: unit.clone(),
            subjects,
            on: Some(date(2026, 3, 2)),
        };
        self.0.push(Truth {
            conclusion: conclusion.clone(),
            since: now,
            until: None,
        });
        Some(conclusion)
    }

    /// Reopens; the number of the conclusion that stands no longer, if one stood.
    pub(super) fn reopen(&mut self, now: Timestamp) -> Option<i32> {
        let last = self.0.last_mut().filter(|last| last.until.is_none())?;
        last.until = Some(now);
        Some(last.conclusion.number)
    }

    /// What it answers at that time.
    pub(super) fn answer(&self, asked_at: Timestamp) -> Answer {
        let mut made = self.0.iter().filter(|one| one.since <= asked_at);
        let last = made.next_back();
        let stands = last.is_some_and(|last| last.until.is_none_or(|until| until > asked_at));
        Answer {
            conclusion: last.map_or(0, |last| last.conclusion.number),
            standing: if stands {
                Word::Stands
            } else {
                Word::StandsNot
            },
            asked_at,
        }
    }

    /// Whether this conclusion stood then.
    pub(super) fn stood(&self, number: i32, then: Timestamp) -> bool {
        let truth = self.of(number);
        truth.since <= then && truth.until.is_none_or(|until| until > then)
    }

    /// The conclusion that stands now.
    pub(super) fn standing(&self) -> Option<i32> {
        let last = self.0.last().filter(|last| last.until.is_none())?;
        Some(last.conclusion.number)
    }

    pub(super) fn of(&self, number: i32) -> &Truth {
        let index = usize::try_from(number - 1).expect("conclusions are numbered from 1");
        &self.0[index]
    }

    /// What a conclusion says of a subject.
    pub(super) fn said(&self, number: i32, of: SubjectId) -> &Concluded {
        let mut said = self.of(number).conclusion.subjects.iter();
        let said = said.find(|said| said.subject == of);
        said.expect("it says something of both")
    }

    /// Whether a conclusion clears a subject: "when it has at least one finding of unfounded or exonerated on them in this
    /// matter, and every other finding on them is one of these two or was closed as duplicate or void".
    pub(super) fn clears(&self, number: i32, of: SubjectId) -> bool {
        let in_favour =
            |finding: &Finding| matches!(finding, Finding::Unfounded | Finding::Exonerated);
        let found = &self.said(number, of).findings;
        let mut findings = found.iter().map(|found| &found.finding);
        let any = findings.clone().any(in_favour);
        let others = [DUPLICATE, VOID].map(|reason| Finding::Closed(reason.to_owned()));
        any && findings.all(|finding| in_favour(finding) || others.contains(finding))
    }

    /// Whom a conclusion ever cleared.
    pub(super) fn ever_cleared(&self) -> impl Iterator<Item = SubjectId> {
        let cleared = |of: &SubjectId| {
            let mut all = self.0.iter();
            all.any(|one| self.clears(one.conclusion.number, *of))
        };
        subjects().into_iter().filter(cleared)
    }
}

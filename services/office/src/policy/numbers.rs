//! The numbers, lists and texts of a profile, each with its unit and the rule of `domain.md` that it belongs to.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::section::Section;
use crate::actor::Department;
use crate::level::Level;

/// `domain.md`, Intake.
#[derive(Debug, Clone, PartialEq)]
pub struct Intake {
    /// Triage: working days from receipt to a decision.
    pub triage_working_days: u32,
    /// Clocks: days from receipt to the acknowledgement.
    pub acknowledge_days: u32,
    /// Clocks: working days from receipt until a named reporter is told acceptance or refusal.
    pub tell_named_working_days: u32,
    /// Clocks: months from acceptance to feedback.
    pub feedback_months: u32,
    /// Clocks: months from acceptance to feedback where the case is extensive, with a reason told.
    pub feedback_extended_months: u32,
    /// Clocks: working days from the conclusion until the reporter is told the result.
    pub result_working_days: u32,
    /// Clocks: working days before a deadline at which its clock warns.
    pub warn_before_working_days: u32,
    /// Repeat ledger: how many candidates an officer is shown at most.
    pub candidates_shown: u32,
    /// Repeat ledger: the similarity, from 0 to 1, from which on a matter is a candidate.
    pub candidate_min_score: f64,
    /// Repeat ledger: when a matter escalates.
    pub escalation: Escalation,
    /// Report: digits of a receipt code.
    pub receipt_digits: u32,
    /// Report: the codes of the channels that a report may come by.
    pub channels: Vec<String>,
    /// Triage: the codes of the reasons for which a report may be declined.
    pub decline_reasons: Vec<String>,
}

/// `domain.md`, Intake, Repeat ledger: how many reports of one matter escalate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Reports from which on a matter is under listed supervision (掛牌督辦).
    pub listed_supervision_reports: u32,
    /// Reports from which on the unit above handles it (提級辦理).
    pub raised_level_reports: u32,
    /// Reports from which on a named leader owns it (領導包案).
    pub leader_in_charge_reports: u32,
}

impl Intake {
    pub(super) fn read(section: &Section<'_>) -> Intake {
        let working_days = |key| section.count(key, 1..=366, "working days");
        let intake = Intake {
            triage_working_days: working_days("triage_working_days"),
            acknowledge_days: section.count("acknowledge_days", 1..=366, "days"),
            tell_named_working_days: working_days("tell_named_working_days"),
            feedback_months: section.count("feedback_months", 1..=60, "months"),
            feedback_extended_months: section.count("feedback_extended_months", 1..=60, "months"),
            result_working_days: working_days("result_working_days"),
            warn_before_working_days: section.count(
                "warn_before_working_days",
                0..=366,
                "working days",
            ),
            candidates_shown: section.count("candidates_shown", 1..=100, "matters"),
            candidate_min_score: section.share("candidate_min_score"),
            escalation: Escalation::read(&section.section("escalation")),
            receipt_digits: section.count("receipt_digits", 12..=32, "digits"),
            channels: codes(section, "channels"),
            decline_reasons: codes(section, "decline_reasons"),
        };
        section.done();
        if intake.feedback_months > intake.feedback_extended_months
            && intake.feedback_extended_months > 0
        {
            section.fault(
                "feedback_extended_months",
                "is less than feedback_months; an extension cannot shorten it",
            );
        }
        intake
    }
}

impl Escalation {
    fn read(section: &Section<'_>) -> Escalation {
        let reports = |key| section.count(key, 2..=1_000_000, "reports of one matter");
        let escalation = Escalation {
            listed_supervision_reports: reports("listed_supervision_reports"),
            raised_level_reports: reports("raised_level_reports"),
            leader_in_charge_reports: reports("leader_in_charge_reports"),
        };
        section.done();
        escalation
    }
}

/// The outcome of one allegation on one subject (核查結論), as a local word means it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It happened and was wrong.
    Substantiated,
    /// It can be neither proven nor excluded.
    Unsubstantiated,
    /// It did not happen.
    Unfounded,
    /// It happened and was proper.
    Exonerated,
    /// Closed without finding, for the reason of this code (one of [`Verification::closing_reasons`]).
    Closed(String),
}

/// `domain.md`, Verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Days from opening until the case must be concluded.
    pub case_days: u32,
    /// Days by which that is extended at most, with a reason.
    pub extension_days: u32,
    /// Investigators that a case needs at least.
    pub investigators_min: u32,
    /// The codes of the reasons for which an allegation may be closed without finding.
    pub closing_reasons: Vec<String>,
    words: BTreeMap<String, Finding>,
}

impl Verification {
    /// What a local word means, whatever its case and spacing; `None` for a word that the profile does not know. Who
    /// uses it keeps both, the word and its meaning.
    pub fn finding_of(&self, local_word: &str) -> Option<&Finding> {
        self.words.get(&folded(local_word))
    }

    /// All local words (folded to lower case) with their meaning.
    pub fn words(&self) -> impl Iterator<Item = (&str, &Finding)> {
        self.words
            .iter()
            .map(|(word, finding)| (word.as_str(), finding))
    }

    pub(super) fn read(section: &Section<'_>) -> Verification {
        let closing_reasons = codes(section, "closing_reasons");
        let verification = Verification {
            case_days: section.count("case_days", 1..=3650, "days"),
            extension_days: section.count("extension_days", 0..=3650, "days"),
            investigators_min: section.count("investigators_min", 1..=100, "investigators"),
            words: read_words(&section.section("words"), &closing_reasons),
            closing_reasons,
        };
        section.done();
        verification
    }
}

/// Words by finding, and those of closing by reason; a word with two meanings is a fault.
fn read_words(section: &Section<'_>, closing_reasons: &[String]) -> BTreeMap<String, Finding> {
    let mut words: BTreeMap<String, Finding> = BTreeMap::new();
    let mut take = |section: &Section<'_>, key: &str, found: Vec<String>, finding: Finding| {
        for word in found {
            let word = folded(&word);
            if words.insert(word.clone(), finding.clone()).is_some() {
                section.fault(
                    key,
                    format!("{word:?} stands here and elsewhere; one word has one meaning"),
                );
            }
        }
    };
    let findings = [
        ("substantiated", Finding::Substantiated),
        ("unsubstantiated", Finding::Unsubstantiated),
        ("unfounded", Finding::Unfounded),
        ("exonerated", Finding::Exonerated),
    ];
    for (key, finding) in findings {
        take(
            section,
            key,
            section.list(key, "a list of local words, perhaps empty"),
            finding,
        );
    }
    let closed = section.section("closed");
    for reason in closed.keys() {
        let known = closing_reasons.iter().any(|known| known == reason);
        if !known && !closing_reasons.is_empty() {
            closed.fault(
                reason,
                format!("is none of closing_reasons: {}", closing_reasons.join(", ")),
            );
        }
        let found = closed.list(reason, "a list of local words, perhaps empty");
        take(&closed, reason, found, Finding::Closed(reason.to_owned()));
    }
    closed.done();
    section.done();
    words
}

/// A local word as it is compared: registers differ in case and spacing.
fn folded(word: &str) -> String {
    word.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// `domain.md`, Clarification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clarification {
    /// Working days from approval until it is carried out.
    pub execution_working_days: u32,
    /// Seconds that verification's answer "the conclusion stands" may be old when a step rests on it.
    pub confirmation_fresh_seconds: u32,
    /// The departments of which each gives an opinion in the joint screening.
    pub screening_departments: Vec<Department>,
    /// Working days after which the personnel department is reminded to confirm.
    pub personnel_reminder_working_days: u32,
    /// Characters that the note beside a statement may have at most: a remark, not a second statement.
    pub note_max_characters: u32,
    /// Forms: the codes of the categories of which a clarification is told to nobody but the subject, unless an officer
    /// gives a reason: to be named with them in public would harm once more. Perhaps none.
    pub discreet_categories: Vec<String>,
    /// The lowest level of a unit that may approve "fabricated".
    pub fabrication_min_level: Level,
}

impl Clarification {
    pub(super) fn read(section: &Section<'_>) -> Clarification {
        let working_days = |key| section.count(key, 1..=366, "working days");
        let screening_departments = section.list("screening_departments", "codes of departments");
        let level = section.parsed(
            "fabrication_min_level",
            "nation, province, prefecture, county or township",
        );
        let clarification = Clarification {
            execution_working_days: working_days("execution_working_days"),
            confirmation_fresh_seconds: section.count(
                "confirmation_fresh_seconds",
                1..=60,
                "seconds",
            ),
            screening_departments,
            personnel_reminder_working_days: working_days("personnel_reminder_working_days"),
            note_max_characters: section.count("note_max_characters", 1..=10_000, "characters"),
            discreet_categories: codes(section, "discreet_categories"),
            fabrication_min_level: level.unwrap_or(Level::Nation),
        };
        section.done();
        clarification
    }
}

/// `domain.md`, Follow-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// Visits to one person in a year at most.
    pub visits_per_year: u32,
    /// Visitors of one visit at least.
    pub visitors_min: u32,
    /// Days after a clarification was carried out until its effect is checked.
    pub aftercare_days: u32,
    /// Of those sanctioned in the last [`FollowUp::coverage_years`], the percentage that is visited each year at least.
    pub coverage_percent: u32,
    /// The years that coverage looks back.
    pub coverage_years: u32,
    /// The impact periods that a sanction may have, in months, ascending.
    pub impact_months: Vec<u32>,
    /// Months that one person's overlapping impact periods have together at most.
    pub impact_total_max: u32,
}

impl FollowUp {
    pub(super) fn read(section: &Section<'_>) -> FollowUp {
        let follow_up = FollowUp {
            visits_per_year: section.count("visits_per_year", 1..=366, "visits"),
            visitors_min: section.count("visitors_min", 1..=100, "visitors"),
            aftercare_days: section.count("aftercare_days", 1..=3650, "days"),
            coverage_percent: section.count("coverage_percent", 0..=100, "percent"),
            coverage_years: section.count("coverage_years", 1..=100, "years"),
            impact_months: section.counts("impact_months", 1..=1200, "months"),
            impact_total_max: section.count("impact_total_max", 1..=1200, "months"),
        };
        section.done();
        let longest = follow_up.impact_months.last().copied().unwrap_or_default();
        if follow_up.impact_total_max < longest && follow_up.impact_total_max > 0 {
            section.fault(
                "impact_total_max",
                "is less than the longest of impact_months, which nobody could then get",
            );
        }
        follow_up
    }
}

/// Texts of the office's own for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// `domain.md`, Guidance: shown before a submission, by language (`zh-Hans`, `zh-Hant`, `en`).
    pub guidance: BTreeMap<String, String>,
}

impl Texts {
    /// The guidance in a language, else in English, else in any.
    pub fn guidance_in(&self, language: &str) -> &str {
        let texts = &self.guidance;
        let text = texts
            .get(language)
            .or_else(|| texts.get("en"))
            .or_else(|| texts.values().next());
        text.map_or("", String::as_str)
    }

    pub(super) fn read(section: &Section<'_>) -> Texts {
        let texts = Texts {
            guidance: section.texts("guidance", "texts by language, at least one"),
        };
        section.done();
        texts
    }
}

/// `domain.md`, Clarification, Carried out: how the documents are worded that an office hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The language, one of [`Documents::LANGUAGES`].
    pub language: String,
    /// What categories are called in it, by their codes.
    pub categories: BTreeMap<String, String>,
}

impl Documents {
    /// The BCP 47 codes of the languages that documents are worded in.
    pub const LANGUAGES: [&str; 3] = ["zh-Hans", "zh-Hant", "en"];

    /// What a category is called; where the profile does not say it, its code with blanks.
    pub fn label(&self, category: &str) -> String {
        let label = self.categories.get(category).cloned();
        label.unwrap_or_else(|| category.replace('_', " "))
    }

    pub(super) fn read(section: &Section<'_>) -> Documents {
        let documents = Documents {
            language: section.text("language", "zh-Hans, zh-Hant or en"),
            categories: section.texts("categories", "a table of categories with their labels"),
        };
        section.done();
        let language = documents.language.as_str();
        if !language.is_empty() && !Self::LANGUAGES.contains(&language) {
            section.fault(
                "language",
                format!("{language:?} is no language of documents; give zh-Hans, zh-Hant or en"),
            );
        }
        documents
    }
}

/// A list of codes, at least one.
fn codes(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let codes = section.list::<Code>(key, "a list of codes, such as \"out_of_scope\"");
    codes.into_iter().map(|Code(code)| code).collect()
}

/// A code of a list: a word in snake case, as events carry it.
struct Code(String);

impl FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            return Ok(Code(text.to_owned()));
        }
        Err(format!("{text:?} is no code; give 1 to 64 of a-z 0-9 _"))
    }
}

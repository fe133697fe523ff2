//! The words of the contracts' enums as people write them: `CHANNEL_PHONE` is `phone`.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use proto::{clarification, follow_up, intake, office, verification};

/// An enum of the contracts.
pub trait Word: Copy + Send + Sync + 'static + TryFrom<i32> + Into<i32> {
    /// What every name of it starts with.
    const PREFIX: &'static str;
    /// The name in the contract.
    fn name(self) -> &'static str;
    /// The value of a name.
    fn named(name: &str) -> Option<Self>;
}

macro_rules! words {
    ($($type:ty = $prefix:literal,)*) => {
        $(impl Word for $type {
            const PREFIX: &'static str = $prefix;

            fn name(self) -> &'static str {
                self.as_str_name()
            }

            fn named(name: &str) -> Option<Self> {
                Self::from_str_name(name)
            }
        })*
    };
}

words! {
    office::Channel = "CHANNEL_",
    office::SubjectKind = "SUBJECT_KIND_",
    office::Standing = "STANDING_",
    office::Finding = "FINDING_",
    office::ClosingReason = "CLOSING_REASON_",
    office::Harm = "HARM_",
    office::HarmDegree = "HARM_DEGREE_",
    office::HarmReach = "HARM_REACH_",
    office::HarmExclusion = "HARM_EXCLUSION_",
    office::ClarificationForm = "CLARIFICATION_FORM_",
    intake::ReporterKind = "REPORTER_KIND_",
    intake::ReportState = "REPORT_STATE_",
    intake::CaseState = "CASE_STATE_",
    intake::NewFacts = "NEW_FACTS_",
    verification::EvidenceKind = "EVIDENCE_KIND_",
    verification::CaseState = "CASE_STATE_",
    verification::ConclusionStanding = "CONCLUSION_STANDING_",
    verification::Breach = "BREACH_",
    verification::Experiment = "EXPERIMENT_",
    verification::Motive = "MOTIVE_",
    verification::Liability = "LIABILITY_",
    verification::ToleranceState = "TOLERANCE_STATE_",
    clarification::Opinion = "OPINION_",
    clarification::Wish = "WISH_",
    clarification::ClarificationState = "CLARIFICATION_STATE_",
    clarification::DeadlineNotice = "DEADLINE_NOTICE_",
    clarification::MeetingState = "MEETING_STATE_",
    clarification::MeetingOutcome = "MEETING_OUTCOME_",
    clarification::DocumentKind = "DOCUMENT_KIND_",
    clarification::IntegrityEntryKind = "INTEGRITY_ENTRY_KIND_",
    follow_up::FileState = "FILE_STATE_",
    follow_up::FileCause = "FILE_CAUSE_",
    follow_up::TalkPartner = "TALK_PARTNER_",
    follow_up::Attitude = "ATTITUDE_",
    follow_up::Approach = "APPROACH_",
    follow_up::Grade = "GRADE_",
    follow_up::AftercareEffect = "AFTERCARE_EFFECT_",
}

/// The word for a value; nothing for "unspecified", the number for a value that this zm does not know.
pub fn word<W: Word>(number: i32) -> String {
    match W::try_from(number) {
        Ok(_) if number == 0 => String::new(),
        Ok(value) => of(value),
        Err(_) => number.to_string(),
    }
}

/// The words for several values, in one line.
pub fn several<W: Word>(numbers: &[i32]) -> String {
    let words = numbers.iter().map(|number| word::<W>(*number));
    words.collect::<Vec<_>>().join(" ")
}

fn of<W: Word>(value: W) -> String {
    let name = value.name();
    name.strip_prefix(W::PREFIX)
        .unwrap_or(name)
        .to_ascii_lowercase()
}

/// All words of an enum, "unspecified" left out.
pub fn all<W: Word>() -> Vec<String> {
    (1..).map_while(|n| W::try_from(n).ok()).map(of).collect()
}

/// The value of a word; hyphens are as good as underscores.
///
/// # Errors
/// When there is no such word, with all that there are.
pub fn parse<W: Word>(word: &str) -> Result<W, String> {
    let plain = word.replace('-', "_");
    all::<W>()
        .contains(&plain)
        .then(|| W::named(&format!("{}{}", W::PREFIX, plain.to_ascii_uppercase())))
        .flatten()
        .ok_or_else(|| format!("{word:?} is none of {}", all::<W>().join(", ")))
}

/// Reads a word on the command line; help and completion list all words.
pub fn parser<W: Word>() -> impl TypedValueParser<Value = W> {
    PossibleValuesParser::new(all::<W>()).try_map(|word| parse(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_contracts_names_without_their_prefix() {
        assert_eq!(word::<office::Finding>(3), "unfounded");
        assert_eq!(word::<office::Finding>(0), "");
        assert_eq!(word::<office::Finding>(99), "99");
        assert_eq!(
            all::<intake::NewFacts>(),
            ["none", "brought"],
            "unspecified is no word"
        );
    }

    #[test]
    fn every_word_reads_back() {
        for word in all::<office::ClosingReason>() {
            assert_eq!(
                of(parse::<office::ClosingReason>(&word).expect("a word")),
                word
            );
        }
        assert_eq!(
            parse("not-identified"),
            Ok(office::SubjectKind::NotIdentified)
        );
        assert!(parse::<office::Finding>("unspecified").is_err());
        let fault = parse::<office::Finding>("guilty").expect_err("no word");
        assert!(fault.contains("exonerated"), "{fault}");
    }
}

//! A finding as `--finding` says it: `ALLEGATION=FINDING[/REASON][:EVIDENCE…]`.

use std::str::FromStr;

use crate::{ids, words};
use proto::office;
use proto::verification::FindingInput;

/// What `--finding` said.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding(pub FindingInput);

impl FromStr for Finding {
    type Err = String;

    /// Evidence ids are separated by `:` or `,`. Whether evidence or a reason is missing is for the service to say.
    fn from_str(text: &str) -> Result<Self, String> {
        let (allegation, rest) = text.split_once('=').ok_or(
            "a finding is ALLEGATION=FINDING[/REASON][:EVIDENCE…], such as 0192…=unfounded:0193…",
        )?;
        let (outcome, evidence) = rest.split_once(':').unwrap_or((rest, ""));
        let (finding, reason) = match outcome.split_once('/') {
            Some((finding, reason)) => (finding, Some(reason)),
            None => (outcome, None),
        };
        let finding: office::Finding = words::parse(finding)?;
        let closing_reason: office::ClosingReason =
            reason.map(words::parse).transpose()?.unwrap_or_default();
        let evidence_ids = evidence
            .split([':', ','])
            .filter(|id| !id.is_empty())
            .map(ids::evidence);
        Ok(Self(FindingInput {
            allegation_id: ids::allegation(allegation)?,
            finding: finding.into(),
            closing_reason: closing_reason.into(),
            local_word: String::new(),
            evidence_ids: evidence_ids.collect::<Result<_, _>>()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLEGATION: &str = "018f0000-0000-7000-8000-000000000001";
    const EVIDENCE: &str = "018f0000-0000-7000-8000-000000000002";
    const MORE: &str = "018f0000-0000-7000-8000-000000000003";

    fn finding(text: &str) -> FindingInput {
        text.parse::<Finding>().expect(text).0
    }

    #[test]
    fn a_finding_rests_on_the_evidence_named() {
        let said = finding(&format!("{ALLEGATION}=unfounded:{EVIDENCE}:{MORE}"));
        assert_eq!(said.allegation_id, ALLEGATION);
        assert_eq!(said.finding, i32::from(office::Finding::Unfounded));
        assert_eq!(said.evidence_ids, [EVIDENCE, MORE]);
        assert_eq!(
            said,
            finding(&format!("{ALLEGATION}=unfounded:{EVIDENCE},{MORE}"))
        );
    }

    #[test]
    fn a_closed_one_has_a_reason_and_no_evidence() {
        let said = finding(&format!("{ALLEGATION}=closed/no-cooperation"));
        assert_eq!(said.finding, i32::from(office::Finding::Closed));
        assert_eq!(
            said.closing_reason,
            i32::from(office::ClosingReason::NoCooperation)
        );
        assert!(said.evidence_ids.is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (text, told) in [
            ("unfounded".to_owned(), "ALLEGATION=FINDING"),
            ("x=unfounded".to_owned(), "\"x\" is no id of an allegation"),
            (format!("{ALLEGATION}=guilty"), "exonerated"),
            (format!("{ALLEGATION}=closed/lost"), "duplicate"),
            (
                format!("{ALLEGATION}=unfounded:e1"),
                "\"e1\" is no id of evidence",
            ),
        ] {
            let fault = text.parse::<Finding>().expect_err(&text);
            assert!(fault.contains(told), "{text}: {fault}");
        }
    }
}

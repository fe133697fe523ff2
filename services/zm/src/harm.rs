//! The harm to a subject as `--harm` says it: `SUBJECT=HARM[,HARM…][:DEGREE:REACH][/EXCLUSION…]`.

use std::str::FromStr;

use proto::office::{self, HarmDegree, HarmExclusion, HarmReach, SubjectHarm};

use crate::{ids, words};

/// What `--harm` said.
#[derive(Clone, Debug, PartialEq)]
pub struct Harm(pub SubjectHarm);

impl FromStr for Harm {
    type Err = String;

    /// Whether degree and reach are missing, or too much, is for the service to say.
    fn from_str(text: &str) -> Result<Self, String> {
        let (subject, rest) = text.split_once('=').ok_or(
            "it is SUBJECT=HARM[,HARM…][:DEGREE:REACH][/EXCLUSION…], such as 0192…=spread_in_public:slight:unit",
        )?;
        let mut parts = rest.split('/');
        let said = parts.next().unwrap_or_default();
        let exclusions = parts.map(words::parse::<HarmExclusion>);
        let mut said = said.split(':');
        let harms = said.next().unwrap_or_default().split(',');
        let harms = harms.map(words::parse::<office::Harm>);
        let degree: HarmDegree = optional(said.next())?;
        let reach: HarmReach = optional(said.next())?;
        if let Some(more) = said.next() {
            return Err(format!("after degree and reach there is {more:?} too much"));
        }
        Ok(Self(SubjectHarm {
            subject_id: ids::subject(subject)?,
            harms: harms
                .map(|harm| harm.map(i32::from))
                .collect::<Result<_, _>>()?,
            degree: degree.into(),
            reach: reach.into(),
            exclusions: exclusions
                .map(|exclusion| exclusion.map(i32::from))
                .collect::<Result<_, _>>()?,
        }))
    }
}

fn optional<W: words::Word + Default>(word: Option<&str>) -> Result<W, String> {
    word.map(words::parse)
        .transpose()
        .map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "018f0000-0000-7000-8000-000000000001";

    fn harm(text: &str) -> SubjectHarm {
        format!("{SUBJECT}={text}").parse::<Harm>().expect(text).0
    }

    #[test]
    fn a_harm_has_its_degree_and_reach() {
        let said = harm("spread_in_public,rights-harmed:grave:public");
        assert_eq!(said.subject_id, SUBJECT);
        let harms: Vec<_> = said.harms().collect();
        assert_eq!(
            harms,
            [office::Harm::SpreadInPublic, office::Harm::RightsHarmed]
        );
        assert_eq!(
            (said.degree(), said.reach()),
            (HarmDegree::Grave, HarmReach::Public)
        );
        assert!(said.exclusions.is_empty());
    }

    #[test]
    fn none_stands_alone_and_what_rules_it_out_stands_behind() {
        assert_eq!(
            harm("none").harms().collect::<Vec<_>>(),
            [office::Harm::None]
        );
        let said = harm("rights_harmed:slight:few/merely_talked_to/written_explanation");
        let exclusions: Vec<_> = said.exclusions().collect();
        assert_eq!(
            exclusions,
            [
                HarmExclusion::MerelyTalkedTo,
                HarmExclusion::WrittenExplanation
            ]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (text, told) in [
            ("none".to_owned(), "SUBJECT=HARM"),
            ("x=none".to_owned(), "\"x\" is no id of a subject"),
            (format!("{SUBJECT}=hurt"), "spread_in_public"),
            (
                format!("{SUBJECT}=rights_harmed:huge:few"),
                "slight, serious, grave",
            ),
            (
                format!("{SUBJECT}=rights_harmed:grave:world"),
                "few, unit, public",
            ),
            (format!("{SUBJECT}=rights_harmed:grave:few:x"), "too much"),
            (
                format!("{SUBJECT}=rights_harmed:grave:few/x"),
                "merely_talked_to",
            ),
        ] {
            let fault = text.parse::<Harm>().expect_err(&text);
            assert!(fault.contains(told), "{text}: {fault}");
        }
    }
}

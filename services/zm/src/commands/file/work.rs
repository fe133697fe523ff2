//! Plan, visit, assess, and check how a clarification worked.

use std::str::FromStr;

use anyhow::Result;
use clap::Args;
use office::Role;
use proto::follow_up::{
    AftercareEffect, Approach, Attitude, CheckAftercareRequest, Grade, PlanVisitsRequest,
    RecordAssessmentRequest, RecordVisitRequest, Talk, TalkPartner,
};

use super::find;
use crate::client::FollowUp;
use crate::{Context, ids, words};

const ROLE: Role = Role::FollowUpOfficer;

/// The id of the file, where the person's was given.
async fn file_id(context: &Context, person: &str) -> Result<String> {
    let office = context.office()?;
    let mut follow_up = context.person(ROLE)?.follow_up(&office);
    let found = find(&office, &mut follow_up, person).await?;
    Ok(found.file.unwrap_or_default().file_id)
}

/// Plan visits.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The id of the person or the file
    #[arg(value_name = "PERSON", value_parser = ids::file)]
    person: String,
    /// A day for a visit, inside an impact period; may be given several times
    #[arg(long = "visit", value_name = "DATE", required = true)]
    visits: Vec<String>,
    /// The person's situation, state of mind and character; kept as a text
    #[arg(long, value_name = "TEXT")]
    situation: String,
}

impl Plan {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = PlanVisitsRequest {
            request_id: context.request_id(),
            file_id: file_id(context, &self.person).await?,
            visits_on: self.visits,
            situation: self.situation,
        };
        let days = request.visits_on.join(" and ");
        let ask = async |mut follow_up: FollowUp| follow_up.plan_visits(request).await;
        let answer = context.follow_up(ROLE, ask).await?;
        context.answer(&answer, |_| format!("Planned: {days}."))
    }
}

/// A talk as `--talk` says it: `PARTNER=NOTES`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TalkWith(Talk);

impl FromStr for TalkWith {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (partner, notes) = text
            .split_once('=')
            .ok_or("it is PARTNER=NOTES, such as superior='Trusts him again'")?;
        let partner: TalkPartner = words::parse(partner)?;
        Ok(Self(Talk {
            partner: partner.into(),
            notes: notes.to_owned(),
        }))
    }
}

/// The examples of the help text.
pub(crate) const VISIT_EXAMPLES: &str = "\
Example:
  zm file visit PERSON --visitor follow-up-officer-1 --visitor follow-up-officer-2 \\
    --talk person='Regrets it' --talk superior='Trusts him again' --observations 'At work, calm'

Talks are with the person, an educator (who is responsible for their education), a superior, a colleague, the family.";

/// Record a visit.
#[derive(Debug, Args)]
pub(super) struct Visit {
    /// The id of the person or the file
    #[arg(value_name = "PERSON", value_parser = ids::file)]
    person: String,
    /// When [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// Actor id of a visitor; at least two
    #[arg(long = "visitor", value_name = "ACTORID", required = true)]
    visitors: Vec<String>,
    /// With whom a talk was held, and what was said (kept as a text); may be given several times
    #[arg(long = "talk", value_name = "PARTNER=NOTES", required = true)]
    talks: Vec<TalkWith>,
    /// What was seen; kept as a text
    #[arg(long, value_name = "TEXT")]
    observations: String,
}

impl Visit {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = RecordVisitRequest {
            request_id: context.request_id(),
            file_id: file_id(context, &self.person).await?,
            visited_on: context.date_or_today(self.on, "follow_up", ROLE).await?,
            visitors: self.visitors,
            talks: self.talks.into_iter().map(|talk| talk.0).collect(),
            observations: self.observations,
        };
        let person = self.person;
        let ask = async |mut follow_up: FollowUp| follow_up.record_visit(request).await;
        let answer = context.follow_up(ROLE, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Recorded: visit {visit}.\n  zm file assess {person} --visit {visit} --attitude … --grade …",
                visit = answer.visit_id
            )
        })
    }
}

/// Record an assessment.
#[derive(Debug, Args)]
pub(super) struct Assess {
    /// The id of the person or the file
    #[arg(value_name = "PERSON", value_parser = ids::file)]
    person: String,
    /// The visit that it rests on
    #[arg(long, value_name = "VISIT", value_parser = ids::visit)]
    visit: String,
    /// How the person takes it
    #[arg(long, value_parser = words::parser::<Attitude>())]
    attitude: Attitude,
    /// The grade
    #[arg(long, value_parser = words::parser::<Grade>())]
    grade: Grade,
    /// What stands out in the person; kept as a text
    #[arg(long, value_name = "TEXT")]
    profile: String,
}

impl Assess {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = RecordAssessmentRequest {
            request_id: context.request_id(),
            file_id: file_id(context, &self.person).await?,
            visit_id: self.visit,
            attitude: self.attitude.into(),
            grade: self.grade.into(),
            profile: self.profile,
        };
        let ask = async |mut follow_up: FollowUp| follow_up.record_assessment(request).await;
        let answer = context.follow_up(ROLE, ask).await?;
        context.answer(&answer, |answer| {
            let approach = words::word::<Approach>(answer.approach);
            format!("Recorded. What follows from it: {approach}.")
        })
    }
}

/// Record how a clarification worked.
#[derive(Debug, Args)]
pub(super) struct Aftercare {
    /// The id of the person or the file
    #[arg(value_name = "PERSON", value_parser = ids::file)]
    person: String,
    /// The clarification whose effect was checked
    #[arg(long, value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// What was found
    #[arg(long, value_parser = words::parser::<AftercareEffect>())]
    effect: AftercareEffect,
    /// How that shows; kept as a text
    #[arg(long, value_name = "TEXT")]
    notes: String,
}

impl Aftercare {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let request = CheckAftercareRequest {
            request_id: context.request_id(),
            file_id: file_id(context, &self.person).await?,
            clarification_id: self.clarification,
            effect: self.effect.into(),
            notes: self.notes,
        };
        let ask = async |mut follow_up: FollowUp| follow_up.check_aftercare(request).await;
        let answer = context.follow_up(ROLE, ask).await?;
        context.answer(&answer, |_| "Recorded.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_talk_names_whom_it_was_with() {
        let TalkWith(talk) = "superior=Trusts him = again".parse().expect("a talk");
        assert_eq!(talk.partner(), TalkPartner::Superior);
        assert_eq!(talk.notes, "Trusts him = again");
        for (wrong, told) in [("superior", "PARTNER=NOTES"), ("boss=x", "colleague")] {
            let fault = wrong.parse::<TalkWith>().expect_err(wrong);
            assert!(fault.contains(told), "{wrong}: {fault}");
        }
    }
}

//! What a visit showed: the attitude, the approach that follows from it, a grade, and what stands out in the person.
//! The latest is the profile of the person; the earlier ones are its history.

use chassis::aggregate::{Decision, TextRef};
use jiff::civil::Date;
use office::{TextId, VisitId};
use serde::{Deserialize, Serialize};

use super::events::{AssessmentRecorded, Event};
use super::officer::Officer;
use super::{Context, OTHER_UNIT, State, VISIT_UNKNOWN};

/// How the person takes the sanction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attitude {
    /// Has corrected themselves.
    #[default]
    Corrected,
    /// Misunderstands the decision, resists it.
    Misunderstands,
    /// Is burdened by it.
    Burdened,
}

impl Attitude {
    /// What to do: affirm the corrected, counsel those who misunderstand, support the burdened.
    pub const fn approach(self) -> Approach {
        match self {
            Self::Corrected => Approach::Affirm,
            Self::Misunderstands => Approach::Counsel,
            Self::Burdened => Approach::Support,
        }
    }
}

/// How to meet the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// Affirm what they have done.
    Affirm,
    /// Explain the decision.
    Counsel,
    /// Help them carry it.
    Support,
}

/// How far the person has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Far.
    Good,
    /// Somewhat.
    #[default]
    Fair,
    /// Not far.
    Poor,
}

/// An assessment to be recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The visit that it rests on.
    pub visit: VisitId,
    /// The attitude.
    pub attitude: Attitude,
    /// The grade.
    pub grade: Grade,
    /// What stands out in the person.
    pub profile: TextId,
}

/// An assessment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessed {
    /// The visit that it rests on.
    pub visit: VisitId,
    /// When.
    pub on: Date,
    /// The attitude.
    pub attitude: Attitude,
    /// What followed from it.
    pub approach: Approach,
    /// The grade.
    pub grade: Grade,
    /// What stands out in the person.
    pub profile: TextRef,
}

/// Records what a visit showed.
pub(super) fn assess(state: &State, wanted: &Assessment, context: &Context) -> Decision<Event> {
    let officer = Officer::at(state, context)?;
    let record = officer.record;
    let visit = record.visits.iter().find(|visit| visit.id == wanted.visit);
    let visit = visit.ok_or_else(|| VISIT_UNKNOWN.at("visit_id"))?;
    if !officer.covers(&visit.unit) {
        return Err(OTHER_UNIT.into());
    }
    let mut earlier = record.assessments.iter();
    if earlier.any(|assessed| assessed.profile.id == wanted.profile) {
        return Ok(Vec::new());
    }
    let period = record.periods.get(&visit.sanction);
    Ok(officer.done([AssessmentRecorded {
        matter: period.map_or(record.matter, |period| period.sanction.matter),
        assessed: Assessed {
            visit: visit.id,
            on: officer.today(),
            attitude: wanted.attitude,
            approach: wanted.attitude.approach(),
            grade: wanted.grade,
            profile: context.text(wanted.profile),
        },
    }
    .into()]))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::Command;
    use super::super::fixture::*;
    use super::*;

    fn assess(visit: u128, attitude: Attitude, profile: u128) -> Command {
        Command::RecordAssessment(Assessment {
            visit: id(visit),
            attitude,
            grade: Grade::Fair,
            profile: id(profile),
        })
    }

    #[test]
    fn from_the_attitude_follows_the_approach() {
        for (attitude, approach) in [
            (Attitude::Corrected, Approach::Affirm),
            (Attitude::Misunderstands, Approach::Counsel),
            (Attitude::Burdened, Approach::Support),
        ] {
            assert_eq!(attitude.approach(), approach);
            a_visited_file()
                .when(assess(VISIT, attitude, TEXT + 4))
                .then([assessed(attitude)]);
        }
    }

    #[test]
    fn an_assessment_rests_on_a_visit_of_this_file() {
        let refusal = a_visited_file()
            .when(assess(VISIT + 1, Attitude::Corrected, TEXT))
            .then_refused(&VISIT_UNKNOWN);
        assert_eq!(refusal.violations[0].field, "visit_id");
    }

    #[test]
    fn who_decided_assesses() {
        a_visited_file()
            .events([second_followed()])
            .actor(officer("he", NEIGHBOUR))
            .when(assess(VISIT, Attitude::Corrected, TEXT))
            .then_refused(&OTHER_UNIT);
    }

    #[test]
    fn the_latest_profile_is_kept_with_its_history() {
        let after = a_visited_file()
            .when(assess(VISIT, Attitude::Burdened, TEXT + 4))
            .accepted()
            .1
            .now("2026-05-06T01:00:00Z")
            .when(assess(VISIT, Attitude::Corrected, TEXT + 5))
            .accepted()
            .1;
        let record = after.state().record().expect("there is a file");
        let [first, latest] = &record.assessments[..] else {
            panic!("there are two assessments, not {:?}", record.assessments);
        };
        assert_eq!(first.approach, Approach::Support);
        assert_eq!(latest.approach, Approach::Affirm);
        assert_eq!(latest.on, date(2026, 5, 6));
        after
            .when(assess(VISIT, Attitude::Burdened, TEXT + 4))
            .then_already();
    }

    #[test]
    fn what_the_last_visit_showed_is_recorded_after_the_file_closed() {
        let (_, after) = a_closed_file()
            .now("2026-09-02T01:00:00Z")
            .when(assess(VISIT, Attitude::Corrected, TEXT))
            .accepted();
        assert!(matches!(after.state(), State::Closed { .. }));
    }
}

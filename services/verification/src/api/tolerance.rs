//! What is assessed before a sanction (容錯): its requests, and how it is shown with a person's sanctions.

use chassis::request::{Answered, Reading, Request};
use office::{CaseId, SubjectId, TextId};
use proto::verification as v1;

use crate::Verification;
use crate::announcements::{breach, experiment, liability, motive};
use crate::sanctions::{
    self, Assessment, Breach, Command, Experiment, Judged, Liability, Motive, Progress, Sanctions,
    sanctions_of,
};

/// A request about how one case of a person is assessed.
macro_rules! about_tolerance {
    ($request:ident, $method:literal, $response:ident, |$self:ident, $reading:ident, $case:ident, $subject:ident| $command:expr) => {
        impl Request<Verification> for v1::$request {
            const METHOD: &'static str = $method;
            type Aggregate = Sanctions;
            type Response = v1::$response;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn read($self, $reading: &mut Reading<'_>) -> Command {
                let $subject: SubjectId = $reading.id("subject_id", &$self.subject_id);
                $reading.about_natural(sanctions_of($subject));
                let $case: CaseId = $reading.id("case_id", &$self.case_id);
                $command
            }

            fn answer(answered: &Answered<'_, Sanctions>) -> v1::$response {
                v1::$response {
                    case_id: answered.command.case().to_string(),
                    version: answered.version,
                }
            }
        }
    };
}

about_tolerance!(
    ProposeToleranceRequest,
    "ProposeTolerance",
    ProposeToleranceResponse,
    |self, reading, case, subject| Command::ProposeTolerance {
        case,
        subject,
        assessments: (0..)
            .zip(&self.assessments)
            .map(|(index, told)| assessment(index, told, reading))
            .collect(),
    }
);

about_tolerance!(
    ReturnToleranceRequest,
    "ReturnTolerance",
    ReturnToleranceResponse,
    |self, reading, case, _subject| Command::ReturnTolerance {
        case,
        reason: reading.text("reason", &self.reason),
    }
);

about_tolerance!(
    ApproveToleranceRequest,
    "ApproveTolerance",
    ApproveToleranceResponse,
    |self, reading, case, _subject| Command::ApproveTolerance { case }
);

fn assessment(
    index: usize,
    told: &v1::AssessmentInput,
    reading: &mut Reading<'_>,
) -> Assessment<TextId> {
    let field = |name: &str| format!("assessments[{index}].{name}");
    let allegation = reading.id(&field("allegation_id"), &told.allegation_id);
    let breach = match told.breach() {
        v1::Breach::Unspecified => None,
        v1::Breach::WantOfExperience => Some(Breach::WantOfExperience),
        v1::Breach::Knowing => Some(Breach::Knowing),
        v1::Breach::Neither => Some(Breach::Neither),
    };
    let experiment = match told.experiment() {
        v1::Experiment::Unspecified => None,
        v1::Experiment::NothingForbidden => Some(Experiment::NothingForbidden),
        v1::Experiment::ExpresslyBanned => Some(Experiment::ExpresslyBanned),
        v1::Experiment::Neither => Some(Experiment::Neither),
    };
    let motive = match told.motive() {
        v1::Motive::Unspecified => None,
        v1::Motive::CommonGood => Some(Motive::CommonGood),
        v1::Motive::PrivateGain => Some(Motive::PrivateGain),
        v1::Motive::Neither => Some(Motive::Neither),
    };
    let liability = match told.liability() {
        v1::Liability::Unspecified => None,
        v1::Liability::Liable => Some(Liability::Liable),
        v1::Liability::Lighter => Some(Liability::Lighter),
        v1::Liability::Exempt => Some(Liability::Exempt),
    };
    Assessment {
        allegation,
        breach: Judged {
            is: reading.choice(&field("breach"), breach),
            reason: reading.text(&field("breach_reason"), &told.breach_reason),
        },
        experiment: Judged {
            is: reading.choice(&field("experiment"), experiment),
            reason: reading.text(&field("experiment_reason"), &told.experiment_reason),
        },
        motive: Judged {
            is: reading.choice(&field("motive"), motive),
            reason: reading.text(&field("motive_reason"), &told.motive_reason),
        },
        liability: Judged {
            is: reading.choice(&field("liability"), liability),
            reason: reading.text(&field("reason"), &told.reason),
        },
    }
}

/// As what somebody reads what is assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Proposes, approves, or audits.
    WorksOnIt,
    /// Learns only what was approved and stands: what one proposed and another did not approve is nobody's guilt.
    Other,
}

/// How one case of a person is assessed, as the contract shows it; `standing` is the conclusion of the case that stands.
pub(super) fn shown(
    known: &sanctions::Tolerance,
    standing: Option<i32>,
    reader: Reader,
) -> Option<v1::Tolerance> {
    let proposed = &known.proposed;
    let stands = standing == Some(proposed.conclusion);
    let approved = matches!(known.progress, Progress::Approved { .. });
    if reader == Reader::Other && !(approved && stands) {
        return None;
    }
    let mut told = v1::Tolerance {
        case_id: proposed.case.to_string(),
        matter_id: proposed.matter.to_string(),
        number: proposed.conclusion,
        proposed_by: proposed.by.to_string(),
        assessments: proposed
            .assessments
            .iter()
            .map(|one| v1::Assessment {
                allegation_id: one.allegation.to_string(),
                breach: breach(one.breach.is).into(),
                breach_reason_id: one.breach.reason.id.to_string(),
                experiment: experiment(one.experiment.is).into(),
                experiment_reason_id: one.experiment.reason.id.to_string(),
                motive: motive(one.motive.is).into(),
                motive_reason_id: one.motive.reason.id.to_string(),
                liability: liability(one.liability.is).into(),
                reason_id: one.liability.reason.id.to_string(),
            })
            .collect(),
        ..v1::Tolerance::default()
    };
    let state = match &known.progress {
        Progress::Proposed => v1::ToleranceState::Proposed,
        Progress::Returned { reason } => {
            told.return_reason_id = reason.id.to_string();
            v1::ToleranceState::Returned
        }
        Progress::Approved { on } => {
            told.assessed_on = on.to_string();
            v1::ToleranceState::Approved
        }
    };
    told.set_state(match stands {
        true => state,
        false => v1::ToleranceState::Outdated,
    });
    Some(told)
}

#[cfg(test)]
mod tests {
    use chassis::testing::given;
    use uuid::Uuid;

    use super::*;
    use crate::case::fixture::{OFFICIAL, TEXT, id, investigator};
    use crate::sanctions::fixture::{approved, assessed, proposed, returned, warning};

    fn input() -> v1::AssessmentInput {
        let because = |what: &str| format!("because of the {what}");
        v1::AssessmentInput {
            allegation_id: Uuid::from_u128(1).to_string(),
            breach: v1::Breach::WantOfExperience.into(),
            breach_reason: because("reform"),
            experiment: v1::Experiment::NothingForbidden.into(),
            experiment_reason: because("rules of the time"),
            motive: v1::Motive::CommonGood.into(),
            motive_reason: because("school that it built"),
            liability: v1::Liability::Exempt.into(),
            reason: because("sum of it"),
        }
    }

    fn read<R: Request<Verification, Aggregate = Sanctions>>(
        request: R,
    ) -> Result<(Uuid, usize, Command), Vec<String>> {
        let setting = given::<Sanctions>();
        let actor = investigator("chen");
        let profile = &setting.context().profile;
        let request_id = request.request_id().to_owned();
        let mut reading = Reading::new(&actor, profile, R::METHOD, &request_id);
        let command = request.read(&mut reading);
        reading
            .finish()
            .map(|(about, _, texts)| (about, texts.len(), command))
            .map_err(|violations| violations.into_iter().map(|one| one.field).collect())
    }

    #[test]
    fn an_assessment_has_a_reason_for_each_of_its_judgements() {
        let (about, texts, command) = read(v1::ProposeToleranceRequest {
            request_id: Uuid::from_u128(0xaa).to_string(),
            case_id: warning().case.to_string(),
            subject_id: warning().subject.to_string(),
            assessments: vec![input()],
        })
        .expect("it is right");
        assert_eq!((about, texts), (sanctions_of(id(OFFICIAL)), 4));
        let Command::ProposeTolerance {
            case, assessments, ..
        } = command
        else {
            panic!("an assessment is proposed, not {command:?}");
        };
        assert_eq!(case, warning().case);
        let judged = &assessments[0];
        assert_eq!(judged.breach.is, Breach::WantOfExperience);
        assert_eq!(judged.experiment.is, Experiment::NothingForbidden);
        assert_eq!(judged.motive.is, Motive::CommonGood);
        assert_eq!(judged.liability.is, Liability::Exempt);
    }

    #[test]
    fn all_violations_of_an_assessment_are_told_with_their_paths() {
        let fields = read(v1::ProposeToleranceRequest {
            request_id: Uuid::from_u128(0xaa).to_string(),
            assessments: vec![input(), v1::AssessmentInput::default()],
            ..v1::ProposeToleranceRequest::default()
        })
        .expect_err("much is missing");
        let of_the_second = [
            "allegation_id",
            "breach",
            "breach_reason",
            "experiment",
            "experiment_reason",
            "motive",
            "motive_reason",
            "liability",
            "reason",
        ];
        let expected: Vec<_> = ["subject_id".to_owned(), "case_id".to_owned()]
            .into_iter()
            .chain(of_the_second.map(|name| format!("assessments[1].{name}")))
            .collect();
        assert_eq!(fields, expected);
    }

    fn shown_after(
        events: Vec<sanctions::Event>,
        standing: Option<i32>,
        reader: Reader,
    ) -> Option<v1::Tolerance> {
        let setting = given::<Sanctions>().events(events);
        let mut known = setting.state().tolerance.values();
        shown(known.next().expect("it is assessed"), standing, reader)
    }

    fn exempt() -> [Assessment<TextId>; 1] {
        [assessed(1, Liability::Exempt)]
    }

    /// How it goes on, and what it is called.
    fn courses() -> [(Vec<sanctions::Event>, v1::ToleranceState); 3] {
        let waiting = proposed(&exempt());
        [
            (vec![waiting.clone()], v1::ToleranceState::Proposed),
            (
                vec![waiting.clone(), returned()],
                v1::ToleranceState::Returned,
            ),
            (
                vec![waiting, approved(&exempt())],
                v1::ToleranceState::Approved,
            ),
        ]
    }

    #[test]
    fn an_assessment_is_shown_with_how_it_stands() {
        let text = Uuid::from_u128(TEXT).to_string();
        for (events, state) in courses() {
            let told = shown_after(events, Some(1), Reader::WorksOnIt).expect("it is shown");
            assert_eq!((told.state(), told.number), (state, 1));
            assert_eq!(told.assessments[0].liability(), v1::Liability::Exempt);
            assert_eq!(told.assessments[0].motive_reason_id, text);
            let returned = state == v1::ToleranceState::Returned;
            assert_eq!(told.return_reason_id == text, returned);
            let approved = state == v1::ToleranceState::Approved;
            assert_eq!(told.assessed_on == "2026-03-09", approved);
        }
    }

    #[test]
    fn what_is_not_approved_or_stands_no_longer_is_shown_only_to_who_works_on_it() {
        for (events, state) in courses() {
            let shown = shown_after(events.clone(), Some(1), Reader::Other);
            let approved = state == v1::ToleranceState::Approved;
            assert_eq!(shown.is_some(), approved, "{state:?}");
            for standing in [None, Some(2)] {
                assert_eq!(shown_after(events.clone(), standing, Reader::Other), None);
                let told = shown_after(events.clone(), standing, Reader::WorksOnIt);
                let told = told.expect("it is shown");
                assert_eq!(told.state(), v1::ToleranceState::Outdated);
            }
        }
    }
}

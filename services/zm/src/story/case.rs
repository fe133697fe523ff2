//! How a case is verified: opened by itself, investigated, and concluded by four eyes.

use anyhow::Result;
use proto::intake::{CaseState as CaseHeard, GetMatterRequest, Matter, Report};
use proto::verification::{
    ApproveFindingsRequest, AssignInvestigatorsRequest, Case, CaseState, GetCaseRequest,
    ProposeFindingsRequest, RecordEvidenceRequest,
};

use super::sample::{self, Tale, step_id};
use super::{Telling, ended};
use crate::words;

impl Telling<'_> {
    /// Waits until verification has heard of the matter and opened its case.
    pub(super) async fn hear_of(&mut self, report: &Report) -> Result<Case> {
        let matter_id = report.matter_id.as_str();
        let of = format!("the matter {matter_id}");
        let heard = self.news("verification", &of, async || {
            let mut verification = self.supervisor.verification(&self.office);
            let question = verification.get_case(GetCaseRequest {
                case_id: String::new(),
                matter_id: matter_id.to_owned(),
            });
            match self.office.ask("verification", question).await {
                Ok(answer) => Ok(answer.case),
                Err(refused) if refused.refusal.code == "NOT_FOUND" => Ok(None),
                Err(refused) => Err(refused.into()),
            }
        });
        let case = heard.await?;
        let text = format!(
            "heard of the matter by an event and opened its case by itself: case {}",
            case.case_id
        );
        self.tell("verification", "The service", &text)?;
        Ok(case)
    }

    /// Does what the case's state asks for, until it is concluded.
    pub(super) async fn conclude(&mut self, tale: &Tale, mut case: Case) -> Result<Case> {
        if case.state() == CaseState::Concluded {
            let text = format!(
                "has concluded the case already: conclusion {}",
                case.conclusion
            );
            self.tell("verification", "The office", &text)?;
        }
        loop {
            match case.state() {
                CaseState::Opened => self.assign(&case).await?,
                CaseState::Investigating if case.evidence_ids.is_empty() => {
                    self.record_evidence(tale, &case).await?;
                }
                CaseState::Investigating => self.propose(tale, &case).await?,
                CaseState::Proposed => self.approve(&case).await?,
                CaseState::Concluded => return Ok(case),
                CaseState::Suspended | CaseState::Discontinued | CaseState::Unspecified => {
                    let state = words::word::<CaseState>(case.state);
                    return Err(ended("the case", &state, &case.case_id));
                }
            }
            let mut verification = self.supervisor.verification(&self.office);
            let question = verification.get_case(GetCaseRequest {
                case_id: case.case_id.clone(),
                matter_id: String::new(),
            });
            let answer = self.office.ask("verification", question).await?;
            case = answer.case.unwrap_or_default();
        }
    }

    async fn assign(&mut self, case: &Case) -> Result<()> {
        let team: Vec<String> = self
            .investigators
            .iter()
            .map(|investigator| investigator.actor.id.to_string())
            .collect();
        let text = format!("assigns {}", team.join(" and "));
        let request = AssignInvestigatorsRequest {
            request_id: step_id("assign", &case.case_id, case.version),
            case_id: case.case_id.clone(),
            investigators: team,
        };
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.assign_investigators(request);
        self.office.ask("verification", answer).await?;
        let supervisor = self.supervisor.actor.id.to_string();
        self.tell("verification", &supervisor, &text)
    }

    async fn record_evidence(&mut self, tale: &Tale, case: &Case) -> Result<()> {
        let request = RecordEvidenceRequest {
            request_id: step_id("evidence", &case.case_id, case.version),
            case_id: case.case_id.clone(),
            evidence: sample::evidence(tale),
        };
        let [investigator, _] = self.investigators.clone();
        let mut verification = investigator.verification(&self.office);
        let answer = verification.record_evidence(request);
        let answer = self.office.ask("verification", answer).await?;
        let text = format!("records evidence: {}", answer.evidence_ids.join(" and "));
        self.tell("verification", investigator.actor.id.as_str(), &text)
    }

    async fn propose(&mut self, tale: &Tale, case: &Case) -> Result<()> {
        let (findings, mut words) = sample::findings(tale, case);
        let harms = sample::harms(tale, case);
        if !harms.is_empty() {
            words.push("and records that she was passed over at an election for it".to_owned());
        }
        let request = ProposeFindingsRequest {
            request_id: step_id("propose", &case.case_id, case.version),
            case_id: case.case_id.clone(),
            findings,
            harms,
        };
        let [_, investigator] = self.investigators.clone();
        let mut verification = investigator.verification(&self.office);
        let answer = verification.propose_findings(request);
        self.office.ask("verification", answer).await?;
        let text = format!("proposes: {}", words.join(", "));
        self.tell("verification", investigator.actor.id.as_str(), &text)
    }

    async fn approve(&mut self, case: &Case) -> Result<()> {
        let request = ApproveFindingsRequest {
            request_id: step_id("approve", &case.case_id, case.version),
            case_id: case.case_id.clone(),
        };
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.approve_findings(request);
        let answer = self.office.ask("verification", answer).await?;
        let supervisor = self.supervisor.actor.id.to_string();
        let text = format!(
            "took no part in the investigation, and approves: conclusion {}",
            answer.number
        );
        self.tell("verification", &supervisor, &text)
    }

    /// Waits until intake has heard of the conclusion.
    pub(super) async fn hear_back(&mut self, case: &Case) -> Result<Matter> {
        let of = format!("the conclusion on the matter {}", case.matter_id);
        let heard = self.news("intake", &of, async || {
            let mut intake = self.officer.intake(&self.office);
            let question = intake.get_matter(GetMatterRequest {
                matter_id: case.matter_id.clone(),
            });
            let answer = self.office.ask("intake", question).await?;
            let matter = answer.matter.unwrap_or_default();
            let heard = matter.case_state() == CaseHeard::Concluded;
            Ok((heard && matter.conclusion >= case.conclusion).then_some(matter))
        });
        let matter = heard.await?;
        self.tell(
            "intake",
            "The service",
            "heard of the conclusion by an event; the caller sees it with the receipt code",
        )?;
        Ok(matter)
    }
}

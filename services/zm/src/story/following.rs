//! How somebody who was sanctioned is followed up: what is assessed before, the sanction, the file that it opens, a plan, a visit, and what it showed.

use anyhow::{Context as _, Result};
use jiff::Span;
use jiff::civil::Date;
use proto::follow_up::{
    Approach, Attitude, File, FileState, GetFileRequest, Grade, PlanVisitsRequest,
    RecordAssessmentRequest, RecordVisitRequest, Talk, TalkPartner,
};
use proto::verification::{
    ApproveToleranceRequest, GetCaseRequest, GetSanctionsRequest, GetSanctionsResponse,
    ProposeToleranceRequest, RecordSanctionRequest, Tolerance, ToleranceState,
};

use super::sample::{self, request_id, step_id};
use super::{Ids, Telling, ended};
use crate::words;

const SERVICE: &str = "follow_up";
/// How long the sanction counts, in months.
const MONTHS: i32 = 12;

impl Telling<'_> {
    /// Sanctions her and does what her file asks for, until a visit was assessed; the file's id.
    pub(super) async fn follow(&mut self, ids: &Ids) -> Result<String> {
        self.sanction(ids).await?;
        let mut now = self.hear_of_sanction(ids).await?;
        let id = now.file_id.clone();
        if !now.assessments.is_empty() {
            let [visitor, _] = &self.visitors;
            let visitor = visitor.actor.id.to_string();
            self.tell(SERVICE, &visitor, "has visited her already")?;
        }
        while now.assessments.is_empty() {
            if now.state() != FileState::Open {
                return Err(ended("the file", &words::word::<FileState>(now.state), &id));
            }
            match (now.visits.last(), now.planned.is_empty()) {
                (None, true) => self.plan(&now).await?,
                (None, false) => self.visit(&now).await?,
                (Some(visit), _) => self.assess(&now, &visit.visit_id).await?,
            }
            now = self.file(ids).await?.unwrap_or_default();
        }
        Ok(id)
    }

    /// The decision is dated by the day on which it is recorded, so what is there is not recorded again.
    async fn sanction(&mut self, ids: &Ids) -> Result<()> {
        let supervisor = self.supervisor.actor.id.to_string();
        let known = self.recorded(ids).await?.sanctions;
        if known.iter().any(|sanction| sanction.case_id == ids.case) {
            let text = "has recorded the sanction already";
            return self.tell("verification", &supervisor, text);
        }
        self.assess_findings(ids).await?;
        let request = RecordSanctionRequest {
            request_id: request_id("sanction", &ids.case),
            case_id: ids.case.clone(),
            subject_id: ids.subject.clone(),
            kind: "warning".to_owned(),
            decided_by: self.unit.to_string(),
            decided_on: self.today("verification").await?,
            impact_months: MONTHS,
        };
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.record_sanction(request);
        let answer = self.office.ask("verification", answer).await?;
        let text = format!(
            "records the unit's decision, a warning that counts for {MONTHS} months: sanction {}",
            answer.sanction_id
        );
        self.tell("verification", &supervisor, &text)
    }

    /// What is recorded of her: sanctions, and how what was found was assessed.
    async fn recorded(&self, ids: &Ids) -> Result<GetSanctionsResponse> {
        let mut verification = self.supervisor.verification(&self.office);
        let question = verification.get_sanctions(GetSanctionsRequest {
            subject_id: ids.subject.clone(),
        });
        Ok(self.office.ask("verification", question).await?)
    }

    /// Before a sanction what was found is assessed, by four eyes.
    async fn assess_findings(&mut self, ids: &Ids) -> Result<()> {
        loop {
            let recorded = self.recorded(ids).await?;
            let mut known = recorded.tolerance.iter();
            let known = known.find(|one| one.case_id == ids.case && one.number == ids.conclusion);
            match known.map_or(ToleranceState::Returned, Tolerance::state) {
                ToleranceState::Proposed => self.approve_assessment(ids, recorded.version).await?,
                ToleranceState::Approved => return Ok(()),
                ToleranceState::Returned
                | ToleranceState::Outdated
                | ToleranceState::Unspecified => {
                    self.propose_assessment(ids, recorded.version).await?;
                }
            }
        }
    }

    async fn propose_assessment(&mut self, ids: &Ids, version: i64) -> Result<()> {
        let [_, investigator] = self.investigators.clone();
        let mut verification = investigator.verification(&self.office);
        let question = verification.get_case(GetCaseRequest {
            case_id: ids.case.clone(),
            matter_id: String::new(),
        });
        let answer = self.office.ask("verification", question).await?;
        let case = answer.case.unwrap_or_default();
        let request = ProposeToleranceRequest {
            request_id: step_id("propose_tolerance", &ids.case, version),
            case_id: ids.case.clone(),
            subject_id: ids.subject.clone(),
            assessments: sample::assessments(&case),
        };
        let answer = verification.propose_tolerance(request);
        self.office.ask("verification", answer).await?;
        let text = "assesses what is substantiated, before any sanction: liable, as she knew the rule and it helped her family";
        self.tell("verification", investigator.actor.id.as_str(), text)
    }

    async fn approve_assessment(&mut self, ids: &Ids, version: i64) -> Result<()> {
        let request = ApproveToleranceRequest {
            request_id: step_id("approve_tolerance", &ids.case, version),
            case_id: ids.case.clone(),
            subject_id: ids.subject.clone(),
        };
        let supervisor = self.supervisor.actor.id.to_string();
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.approve_tolerance(request);
        self.office.ask("verification", answer).await?;
        let text = "approves the assessment";
        self.tell("verification", &supervisor, text)
    }

    async fn file(&self, ids: &Ids) -> Result<Option<File>> {
        let [visitor, _] = &self.visitors;
        let mut follow_up = visitor.follow_up(&self.office);
        let question = follow_up.get_file(GetFileRequest {
            file_id: String::new(),
            subject_id: ids.subject.clone(),
        });
        match self.office.ask(SERVICE, question).await {
            Ok(answer) => Ok(answer.file),
            Err(refused) if refused.refusal.code == "NOT_FOUND" => Ok(None),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Waits until follow-up has heard of the sanction.
    async fn hear_of_sanction(&mut self, ids: &Ids) -> Result<File> {
        let of = format!("the sanction of {}", ids.subject);
        let heard = self.news(SERVICE, &of, async || {
            let file = self.file(ids).await?;
            Ok(file.filter(|file| !file.periods.is_empty()))
        });
        let file = heard.await?;
        let text = format!(
            "heard of the sanction by an event and opened her file by itself: file {}",
            file.file_id
        );
        self.tell(SERVICE, "The service", &text)?;
        Ok(file)
    }

    async fn plan(&mut self, now: &File) -> Result<()> {
        let today: Date = self.today(SERVICE).await?.parse().context("today")?;
        let later = today.checked_add(Span::new().months(6)).context("a day")?;
        let request = PlanVisitsRequest {
            request_id: step_id("plan", &now.file_id, now.version),
            file_id: now.file_id.clone(),
            visits_on: vec![today.to_string(), later.to_string()],
            situation: "Lives alone, ashamed before her colleagues; conscientious".to_owned(),
        };
        let [visitor, _] = self.visitors.clone();
        let mut follow_up = visitor.follow_up(&self.office);
        self.office
            .ask(SERVICE, follow_up.plan_visits(request))
            .await?;
        let text = format!(
            "plans two visits while it counts, on {today} and {later}: she is burdened, so the first is soon"
        );
        self.tell(SERVICE, visitor.actor.id.as_str(), &text)
    }

    async fn visit(&mut self, now: &File) -> Result<()> {
        let talk = |partner: TalkPartner, notes: &str| Talk {
            partner: partner.into(),
            notes: notes.to_owned(),
        };
        let [visitor, other] = self.visitors.clone();
        let names = [&visitor, &other].map(|visitor| visitor.actor.id.to_string());
        let text = format!(
            "and {} visit her, and talk with her and her superior",
            other.actor.id
        );
        let request = RecordVisitRequest {
            request_id: step_id("visit", &now.file_id, now.version),
            file_id: now.file_id.clone(),
            visited_on: self.today(SERVICE).await?,
            visitors: names.to_vec(),
            talks: vec![
                talk(
                    TalkPartner::Person,
                    "Has paid everything back, and sleeps badly",
                ),
                talk(TalkPartner::Superior, "Would trust her with the cash again"),
            ],
            observations: "At her desk, pale; the books are in order".to_owned(),
        };
        let mut follow_up = visitor.follow_up(&self.office);
        self.office
            .ask(SERVICE, follow_up.record_visit(request))
            .await?;
        self.tell(SERVICE, visitor.actor.id.as_str(), &text)
    }

    async fn assess(&mut self, now: &File, visit_id: &str) -> Result<()> {
        let request = RecordAssessmentRequest {
            request_id: step_id("assess", &now.file_id, now.version),
            file_id: now.file_id.clone(),
            visit_id: visit_id.to_owned(),
            attitude: Attitude::Burdened.into(),
            grade: Grade::Good.into(),
            profile: "Understands the decision and carries it too heavily".to_owned(),
        };
        let [visitor, _] = self.visitors.clone();
        let mut follow_up = visitor.follow_up(&self.office);
        let answer = follow_up.record_assessment(request);
        let answer = self.office.ask(SERVICE, answer).await?;
        let text = format!(
            "assesses what they saw: burdened, grade good; what follows is to {}",
            words::word::<Approach>(answer.approach)
        );
        self.tell(SERVICE, visitor.actor.id.as_str(), &text)
    }
}

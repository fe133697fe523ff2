//! How a report comes in: its subject, the report, and the officer who accepts it.

use anyhow::Result;
use proto::intake::{
    AcceptReportRequest, GetReportRequest, ListCandidatesRequest, ListReportsRequest,
    RejectedCandidate, Report, ReportState,
};

use super::sample::{self, SOURCE, Tale, step_id};
use super::{Telling, ended};
use crate::words;

impl Telling<'_> {
    pub(super) async fn register_subject(&mut self, tale: &Tale) -> Result<String> {
        let request = sample::official(tale, &self.home, &self.officer.actor.unit);
        let mut intake = self.officer.intake(&self.office);
        let answer = intake.register_subject(request);
        let answer = self.office.ask("intake", answer).await?;
        let text = format!(
            "puts her into the register of subjects: subject {}",
            answer.subject_id
        );
        let officer = self.officer.actor.id.to_string();
        self.tell("intake", &officer, &text)?;
        Ok(answer.subject_id)
    }

    /// The report of an earlier run, or a new one.
    pub(super) async fn submit(&mut self, tale: &Tale, subject: &str) -> Result<Report> {
        let officer = self.officer.actor.id.to_string();
        let mut intake = self.officer.intake(&self.office);
        let listing = ListReportsRequest {
            source: SOURCE.to_owned(),
            page_size: 200,
            ..ListReportsRequest::default()
        };
        let listed = self
            .office
            .ask("intake", intake.list_reports(listing))
            .await?;
        let mut earlier = listed.reports.into_iter();
        if let Some(earlier) = earlier.find(|row| row.reference == tale.reference) {
            let report = self.report(&earlier.report_id).await?;
            let state = words::word::<ReportState>(report.state);
            let text = format!(
                "has entered the call already; it is {state}: report {}",
                report.report_id
            );
            self.tell("intake", &officer, &text)?;
            return Ok(report);
        }
        let answer = self
            .office
            .ask("intake", intake.submit_report(sample::call(tale, subject)))
            .await?;
        let text = format!(
            "enters the call as a report with two allegations: report {}",
            answer.report_id
        );
        self.tell("intake", &officer, &text)?;
        self.say(&format!(
            "    The caller stays anonymous and gets a receipt code: {}",
            answer.receipt_code
        ))?;
        self.report(&answer.report_id).await
    }

    async fn report(&self, id: &str) -> Result<Report> {
        let mut intake = self.officer.intake(&self.office);
        let request = GetReportRequest {
            report_id: id.to_owned(),
        };
        let answer = self
            .office
            .ask("intake", intake.get_report(request))
            .await?;
        Ok(answer.report.unwrap_or_default())
    }

    /// Looks for matters that it repeats, and accepts it if nobody has decided yet.
    pub(super) async fn accept(&mut self, report: Report) -> Result<Report> {
        if report.state() != ReportState::Received {
            return match report.matter_id.as_str() {
                "" => Err(ended(
                    "the report",
                    &words::word::<ReportState>(report.state),
                    &report.report_id,
                )),
                _ => Ok(report),
            };
        }
        let officer = self.officer.actor.id.to_string();
        let mut intake = self.officer.intake(&self.office);
        let question = intake.list_candidates(ListCandidatesRequest {
            report_id: report.report_id.clone(),
        });
        let candidates = self.office.ask("intake", question).await?.candidates;
        let looked = match candidates.len() {
            0 => "sees that it repeats no known matter".to_owned(),
            count => {
                format!("looks at {count} matters that it may repeat: each is another incident")
            }
        };
        self.tell("intake", &officer, &looked)?;
        let rejected = candidates.into_iter().map(|candidate| RejectedCandidate {
            matter_id: candidate.matter_id,
            reason: "other_incident".to_owned(),
        });
        let request = AcceptReportRequest {
            request_id: step_id("accept", &report.report_id, report.version),
            report_id: report.report_id.clone(),
            unit: String::new(),
            rejected_candidates: rejected.collect(),
        };
        let answer = intake.accept_report(request);
        let answer = self.office.ask("intake", answer).await?;
        let text = format!(
            "accepts it for the unit {}; it raises the matter {}",
            answer.unit, answer.matter_id
        );
        self.tell("intake", &officer, &text)?;
        self.report(&report.report_id).await
    }
}

//! What the cast asks of the services after a conclusion: verification for sanctions, clarification, follow-up.

use office::Actor;
use proto::chassis::ReadClockRequest;
use proto::clarification::{
    ApproveClarificationRequest, CarryOutClarificationRequest, Clarification,
    ConfirmClarificationRequest, DecideFormRequest, DraftStatementRequest, GetClarificationRequest,
    RecordOpinionRequest, RecordWishRequest,
};
use proto::follow_up::{File, GetFileRequest, RecordVisitRequest};
use proto::verification::{GetSanctionsRequest, RecordSanctionRequest, Sanction};

use super::super::patience::Unsettled;
use super::Desks;

impl Desks<'_> {
    /// What day it is for a service's decisions; an ISO date.
    ///
    /// # Errors
    /// See [`Unsettled`]; so for all that follow.
    pub async fn today(&self, service: &str) -> Result<String, Unsettled> {
        let answer = self.read(service, async |person| {
            let mut desk = person.operations(self.office, service);
            desk.read_clock(ReadClockRequest {}).await
        });
        Ok(answer.await?.today)
    }

    /// The sanctions of a person, over all cases.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn sanctions_of(&self, subject_id: &str) -> Result<Vec<Sanction>, Unsettled> {
        let answer = self.read("verification", async |person| {
            let subject_id = subject_id.to_owned();
            let request = GetSanctionsRequest { subject_id };
            person
                .verification(self.office)
                .get_sanctions(request)
                .await
        });
        match answer.await {
            Ok(answer) => Ok(answer.sanctions),
            Err(unsettled) if unsettled.is("NOT_FOUND") => Ok(Vec::new()),
            Err(unsettled) => Err(unsettled),
        }
    }

    /// Records a sanction.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn record_sanction(
        &self,
        supervisor: &Actor,
        request: &RecordSanctionRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("verification", supervisor, async |person| {
            let request = request.clone();
            let mut desk = person.verification(self.office);
            desk.record_sanction(request).await
        });
        answer.await.map(drop)
    }

    /// The file of a person, if follow-up has it.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn file_of(&self, subject_id: &str) -> Result<Option<File>, Unsettled> {
        let answer = self.read("follow_up", async |person| {
            let request = GetFileRequest {
                subject_id: subject_id.to_owned(),
                ..Default::default()
            };
            person.follow_up(self.office).get_file(request).await
        });
        match answer.await {
            Ok(answer) => Ok(answer.file),
            Err(unsettled) if unsettled.is("NOT_FOUND") => Ok(None),
            Err(unsettled) => Err(unsettled),
        }
    }

    /// Records a visit.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn record_visit(
        &self,
        visitor: &Actor,
        request: &RecordVisitRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("follow_up", visitor, async |person| {
            let request = request.clone();
            person.follow_up(self.office).record_visit(request).await
        });
        answer.await.map(drop)
    }

    /// The clarification of a subject in a matter, if there is one.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn clarification_of(
        &self,
        matter_id: &str,
        subject_id: &str,
    ) -> Result<Option<Clarification>, Unsettled> {
        let answer = self.read("clarification", async |person| {
            let request = GetClarificationRequest {
                matter_id: matter_id.to_owned(),
                subject_id: subject_id.to_owned(),
                ..Default::default()
            };
            let mut desk = person.clarification(self.office);
            desk.get_clarification(request).await
        });
        match answer.await {
            Ok(answer) => Ok(answer.clarification),
            Err(unsettled) if unsettled.is("NOT_FOUND") => Ok(None),
            Err(unsettled) => Err(unsettled),
        }
    }

    /// Gives a department's opinion.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn record_opinion(
        &self,
        screener: &Actor,
        request: &RecordOpinionRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", screener, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.record_opinion(request).await
        });
        answer.await.map(drop)
    }

    /// Records what the subject wishes.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn record_wish(
        &self,
        officer: &Actor,
        request: &RecordWishRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", officer, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.record_wish(request).await
        });
        answer.await.map(drop)
    }

    /// Decides the form.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn decide_form(
        &self,
        officer: &Actor,
        request: &DecideFormRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", officer, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.decide_form(request).await
        });
        answer.await.map(drop)
    }

    /// Drafts the statement.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn draft_statement(
        &self,
        officer: &Actor,
        request: &DraftStatementRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", officer, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.draft_statement(request).await
        });
        answer.await.map(drop)
    }

    /// Approves the statement.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn approve_clarification(
        &self,
        supervisor: &Actor,
        request: &ApproveClarificationRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", supervisor, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.approve_clarification(request).await
        });
        answer.await.map(drop)
    }

    /// Carries it out.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn carry_out_clarification(
        &self,
        officer: &Actor,
        request: &CarryOutClarificationRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", officer, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.carry_out_clarification(request).await
        });
        answer.await.map(drop)
    }

    /// Takes note of it.
    ///
    /// # Errors
    /// See [`Unsettled`].
    pub async fn confirm_clarification(
        &self,
        personnel: &Actor,
        request: &ConfirmClarificationRequest,
    ) -> Result<(), Unsettled> {
        let answer = self.command("clarification", personnel, async |person| {
            let request = request.clone();
            let mut desk = person.clarification(self.office);
            desk.confirm_clarification(request).await
        });
        answer.await.map(drop)
    }
}

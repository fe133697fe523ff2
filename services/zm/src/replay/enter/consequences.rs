//! What follows a conclusion: whoever is sanctioned is entered and visited, and the names that it clears are cleared.
//!
//! Each step looks first how things stand, as its request is that of the day on which it is made.

use std::time::Duration;

use futures::future::{try_join, try_join_all};
use office::{Actor, Department};
use proto::clarification::{
    ApproveClarificationRequest, Clarification, ClarificationState, ConfirmClarificationRequest,
};
use proto::follow_up::File;

use super::super::identity::{Step, subject_id};
use super::super::patience::{Patience, Unsettled};
use super::super::requests::consequences::{self as requests, Cleared, clearing_steps_left};
use super::{ARRIVAL, Entering, Stopped, at, stopped};
use crate::register::{Case, Clearing, Sanctioned, Screening};

/// The refusal of a step that was taken on another day, with the answer lost on the way.
const TAKEN_BEFORE: &str = "REQUEST_ID_REUSED";

impl Entering<'_> {
    /// Leads a concluded case to the end that the register and its map have for it.
    ///
    /// # Errors
    /// The step at which it stopped, and why.
    pub(super) async fn follow(
        &self,
        case: &Case,
        matter_id: &str,
        case_id: &str,
    ) -> Result<(), Stopped> {
        let sanctions = case.sanctions.iter();
        let sanctions =
            sanctions.map(|sanctioned| self.sanction(case, matter_id, case_id, sanctioned));
        let cleared = case
            .cleared
            .iter()
            .filter(|reference| !self.entered.is_cleared(self.source, matter_id, reference));
        let cleared = cleared.filter_map(|reference| {
            let clearing = self.source.clearing?;
            Some(self.clear(case, matter_id, reference, clearing))
        });
        try_join(try_join_all(sanctions), try_join_all(cleared)).await?;
        Ok(())
    }

    /// Has the register's machine tell a person's sanction, which was decided where the register comes from; at their
    /// first of the register, they are visited.
    async fn sanction(
        &self,
        case: &Case,
        matter_id: &str,
        case_id: &str,
        sanctioned: &Sanctioned,
    ) -> Result<(), Stopped> {
        let subject_id = subject_id(self.source.name, &sanctioned.reference).to_string();
        if !self.is_sanctioned(case, case_id, &subject_id).await? {
            let teller = self.cast.teller();
            let today = self.today(case, "verification").await?;
            let request = requests::record_sanction(self.source, case, case_id, sanctioned, &today);
            match self.desks.record_sanction(teller, &request).await {
                Ok(()) => {}
                Err(unsettled)
                    if unsettled.is(TAKEN_BEFORE)
                        && self.is_sanctioned(case, case_id, &subject_id).await? => {}
                Err(unsettled) => {
                    return Err(at(case, Step::RecordSanction, teller, unsettled));
                }
            }
        }
        if sanctioned.is_first {
            self.visit(case, matter_id, sanctioned, &subject_id).await?;
        }
        Ok(())
    }

    async fn is_sanctioned(
        &self,
        case: &Case,
        case_id: &str,
        subject_id: &str,
    ) -> Result<bool, Stopped> {
        let sanctions = self.desks.sanctions_of(subject_id).await;
        let sanctions = sanctions.map_err(|why| stopped(case, "reading its sanctions", why))?;
        Ok(sanctions.iter().any(|each| each.case_id == case_id))
    }

    /// Visits a person, once their file knows of the sanction.
    async fn visit(
        &self,
        case: &Case,
        matter_id: &str,
        sanctioned: &Sanctioned,
        subject_id: &str,
    ) -> Result<(), Stopped> {
        let doing = "waiting for a file in follow-up";
        let file = self.awaited(case, doing, async || {
            let file = self.desks.file_of(subject_id).await?;
            // It may have been opened before, for another matter.
            let knows = |file: &File| file.periods.iter().any(|each| each.matter_id == matter_id);
            Ok(file.filter(knows))
        });
        let file = file.await?;
        if !file.visits.is_empty() {
            return Ok(());
        }
        let visitors = self.cast.visitors(&sanctioned.reference);
        let recorder = visitors.first();
        let recorder = recorder.ok_or_else(|| nobody(case, "a follow-up officer"))?;
        let today = self.today(case, "follow_up").await?;
        let ids = visitors.iter().map(|actor| actor.id.to_string()).collect();
        let request = requests::record_visit(
            self.source,
            case,
            &file.file_id,
            &sanctioned.reference,
            ids,
            &today,
        );
        match self.desks.record_visit(recorder, &request).await {
            Ok(()) => Ok(()),
            Err(unsettled) if unsettled.is(TAKEN_BEFORE) => {
                let now = self.desks.file_of(subject_id).await;
                let now = now.map_err(|why| stopped(case, "reading a file", why))?;
                if now.is_some_and(|file| !file.visits.is_empty()) {
                    return Ok(());
                }
                Err(at(case, Step::RecordVisit, recorder, unsettled))
            }
            Err(unsettled) => Err(at(case, Step::RecordVisit, recorder, unsettled)),
        }
    }

    /// Leads the clearing of a name to its end.
    async fn clear(
        &self,
        case: &Case,
        matter_id: &str,
        reference: &str,
        clearing: &Clearing,
    ) -> Result<(), Stopped> {
        let subject_id = subject_id(self.source.name, reference).to_string();
        let ask = async || {
            let found = self.desks.clarification_of(matter_id, &subject_id).await?;
            // What was only applied for opens when the conclusion arrives.
            Ok(found.filter(|found| found.state() != ClarificationState::Applied))
        };
        let doing = "waiting for its clarification";
        let mut clarification = self.awaited(case, doing, ask).await?;
        loop {
            let reached = reached(case, clearing, &clarification)?;
            let mut repeated = false;
            for step in clearing_steps_left(clearing, reached) {
                let taken = self.take(case, reference, clearing, &clarification, step);
                match taken.await? {
                    Taken::Now => {}
                    Taken::Before => {
                        repeated = true;
                        break;
                    }
                }
            }
            if !repeated {
                return Ok(());
            }
            let now = ask().await;
            let now = now.map_err(|why| stopped(case, "reading its clarification", why))?;
            let now = now.unwrap_or_default();
            if now.version == clarification.version {
                let why = "a step was taken before with another request, and yet it is still to be taken; \
                           was the clock set back?";
                return Err(stopped(case, "clearing a name", why));
            }
            clarification = now;
        }
    }

    async fn take(
        &self,
        case: &Case,
        reference: &str,
        clearing: &Clearing,
        clarification: &Clarification,
        step: Step,
    ) -> Result<Taken, Stopped> {
        let source = self.source;
        let id = clarification.clarification_id.as_str();
        let officer = self.cast.clarification_officer(&case.reference);
        let officer = officer.ok_or_else(|| nobody(case, "a clarification officer"))?;
        let (actor, done) = match step {
            Step::RecordOpinion => {
                return self.screen(case, reference, clearing, clarification).await;
            }
            Step::RecordWish => {
                if let Some(head) = &clearing.head {
                    let registrar = self.cast.registrar();
                    let registered = self.head(head).await;
                    registered.map_err(|why| at(case, Step::RegisterSubject, registrar, why))?;
                }
                let today = self.today(case, "clarification").await?;
                let request = requests::record_wish(source, case, reference, id, clearing, &today);
                let done = self.desks.record_wish(&officer, &request).await;
                (officer, done)
            }
            Step::DecideForm => {
                let request = requests::decide_form(source, case, reference, id, clearing);
                let done = self.desks.decide_form(&officer, &request).await;
                (officer, done)
            }
            Step::DraftStatement => {
                let request = requests::draft_statement(source, case, reference, id);
                let done = self.desks.draft_statement(&officer, &request).await;
                (officer, done)
            }
            Step::ApproveClarification => {
                let supervisor = self.cast.clearing_approver(&case.reference, &officer);
                let supervisor = supervisor.ok_or_else(|| nobody(case, "another supervisor"))?;
                let request = ApproveClarificationRequest {
                    request_id: requests::bare(source, case, reference, step),
                    clarification_id: id.to_owned(),
                };
                let done = self
                    .desks
                    .approve_clarification(&supervisor, &request)
                    .await;
                (supervisor, done)
            }
            Step::CarryOutClarification => {
                let today = self.today(case, "clarification").await?;
                let by = officer.id.as_str();
                let request =
                    requests::carry_out_clarification(source, case, reference, id, by, &today);
                let done = self.desks.carry_out_clarification(&officer, &request).await;
                (officer, done)
            }
            Step::ConfirmClarification => {
                let personnel = self.cast.personnel_officer(&case.reference);
                let personnel = personnel.ok_or_else(|| nobody(case, "a personnel officer"))?;
                let request = ConfirmClarificationRequest {
                    request_id: requests::bare(source, case, reference, step),
                    clarification_id: id.to_owned(),
                };
                let done = self.desks.confirm_clarification(&personnel, &request).await;
                (personnel, done)
            }
            Step::RegisterSubject
            | Step::SubmitReport
            | Step::AcceptReport
            | Step::AssignInvestigators
            | Step::RecordEvidence
            | Step::ProposeFindings
            | Step::ApproveFindings
            | Step::RecordSanction
            | Step::RecordVisit => return Ok(Taken::Now),
        };
        taken(case, step, &actor, done)
    }

    /// Gives the opinions that are missing, each by the department's own screener; one objection is enough.
    async fn screen(
        &self,
        case: &Case,
        reference: &str,
        clearing: &Clearing,
        clarification: &Clarification,
    ) -> Result<Taken, Stopped> {
        let missing = clarification.opinions_missing.iter();
        let needed = match clearing.screening {
            Screening::Agrees => usize::MAX,
            Screening::Objects => 1,
        };
        for code in missing.take(needed) {
            let lacks = || nobody(case, &format!("a screener of the department {code}"));
            let department: Department = code.parse().map_err(|_| lacks())?;
            let screener = self.cast.screener(&department).ok_or_else(lacks)?;
            let request = requests::record_opinion(
                self.source,
                case,
                reference,
                &clarification.clarification_id,
                code,
                clearing.screening,
            );
            let done = self.desks.record_opinion(&screener, &request).await;
            if taken(case, Step::RecordOpinion, &screener, done)? == Taken::Before {
                return Ok(Taken::Before);
            }
        }
        Ok(Taken::Now)
    }

    async fn today(&self, case: &Case, service: &str) -> Result<String, Stopped> {
        let today = self.desks.today(service).await;
        today.map_err(|why| stopped(case, "asking what day it is", why))
    }

    /// Waits for what comes by an event of another service.
    async fn awaited<T>(
        &self,
        case: &Case,
        doing: &str,
        ask: impl AsyncFn() -> Result<Option<T>, Unsettled>,
    ) -> Result<T, Stopped> {
        let mut patience = Patience::new(
            ARRIVAL,
            Duration::from_millis(20),
            Duration::from_millis(500),
        );
        loop {
            let found = ask().await;
            if let Some(found) = found.map_err(|why| stopped(case, doing, why))? {
                return Ok(found);
            }
            if !patience.pause().await {
                let why = format!(
                    "it did not come within {} s; `zm events list` shows what is held, and is the broker running?",
                    ARRIVAL.as_secs()
                );
                return Err(stopped(case, doing, why));
            }
        }
    }
}

/// Whether a step was taken now, or on another day already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Now,
    Before,
}

fn taken(
    case: &Case,
    step: Step,
    actor: &Actor,
    done: Result<(), Unsettled>,
) -> Result<Taken, Stopped> {
    match done {
        Ok(()) => Ok(Taken::Now),
        Err(unsettled) if unsettled.is(TAKEN_BEFORE) => Ok(Taken::Before),
        Err(unsettled) => Err(at(case, step, actor, unsettled)),
    }
}

fn reached(
    case: &Case,
    clearing: &Clearing,
    clarification: &Clarification,
) -> Result<Cleared, Stopped> {
    Cleared::of(clearing, clarification).ok_or_else(|| {
        let reasons = clarification.reasons.join(", ");
        let why = format!(
            "the clarification {} is {}{}; what was decided by hand is not replayed over",
            clarification.clarification_id,
            clarification.state().as_str_name(),
            if reasons.is_empty() {
                reasons
            } else {
                format!(" ({reasons})")
            }
        );
        stopped(case, "reading its clarification", why)
    })
}

fn nobody(case: &Case, who: &str) -> Stopped {
    let why = format!("it takes {who} of its unit with a token; add one to the folder");
    stopped(case, "choosing who acts", why)
}

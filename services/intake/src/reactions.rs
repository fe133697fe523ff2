//! What intake does with other services' events. Pure: from an event to commands of its own, one function an event.
//!
//! Verification tells how far a case is; the matter keeps it for the reporter's side and for the repeat ledger.
//! Clarification tells whose name was cleared; the matter keeps it for the reporter's side. Both tell who is recused.

use chassis::reaction::{Directive, Follows, Foreign, NotYet, ignore, known, known_recusal, on};
use chassis::recusal::Recusal;
use office::MatterId;
use proto::clarification::{
    self, ClarificationCarriedOut, ClarificationHalted, ClarificationSuperseded,
};
use proto::verification::{self, CaseConcluded, CaseDiscontinued, CaseOpened, CaseReopened};

use crate::matter::clarification::{Clarification, ClarificationStage};
use crate::matter::progress::CaseStage;
use crate::matter::{Command, Matter};

/// Verification's events.
pub const VERIFICATION: &[Follows] = &[
    on("CaseOpened", case_opened),
    on("CaseConcluded", case_concluded),
    on("CaseReopened", case_reopened),
    on("CaseDiscontinued", case_discontinued),
    on("ActorsRecused", actors_recused),
    ignore(
        "ToleranceAssessed",
        "what comes of a finding for a person is neither the reporter's to know nor a new conclusion",
    ),
    ignore(
        "SanctionRecorded",
        "what follows for a person is neither the reporter's to know nor a reason to treat a repeat otherwise",
    ),
];

/// Clarification's events.
pub const CLARIFICATION: &[Follows] = &[
    ignore(
        "CandidateOpened",
        "whether a name will be cleared is being decided; until then there is nothing to tell a reporter",
    ),
    on("ActorsRecused", conflict_declared),
    on("ClarificationCarriedOut", clarification_carried_out),
    on("ClarificationHalted", clarification_halted),
    on("ClarificationSuperseded", clarification_superseded),
    ignore(
        "ClarificationConfirmed",
        "that the personnel department took note changes nothing for the reporter's side",
    ),
];

fn case_opened(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: CaseOpened = event.read()?;
    record(event, &news.matter_id, CaseStage::Opened, None)
}

fn case_concluded(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: CaseConcluded = event.read()?;
    record(
        event,
        &news.matter_id,
        CaseStage::Concluded,
        Some(news.number),
    )
}

fn case_reopened(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: CaseReopened = event.read()?;
    record(
        event,
        &news.matter_id,
        CaseStage::Reopened,
        Some(news.number),
    )
}

fn case_discontinued(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: CaseDiscontinued = event.read()?;
    record(event, &news.matter_id, CaseStage::Discontinued, None)
}

fn record(
    event: &Foreign<'_>,
    matter: &str,
    stage: CaseStage,
    conclusion: Option<i32>,
) -> Result<Vec<Directive>, NotYet> {
    let matter: MatterId = known("matter_id", matter)?;
    let conclusion = conclusion
        .map(u32::try_from)
        .transpose()
        .map_err(|_| NotYet("the conclusion's number is negative".to_owned()))?;
    Ok(vec![Directive::to::<Matter>(
        matter,
        "RecordCaseState",
        Command::RecordCaseState {
            stage,
            conclusion,
            sequence: event.sequence,
        },
    )])
}

fn actors_recused(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: verification::ActorsRecused = event.read()?;
    let recusal = known_recusal(&news.actor_ids, &news.reporter_marks)?;
    learn_recusal(&news.matter_id, recusal)
}

fn conflict_declared(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: clarification::ActorsRecused = event.read()?;
    learn_recusal(&news.matter_id, known_recusal(&news.actor_ids, &[])?)
}

fn learn_recusal(matter: &str, recusal: Recusal) -> Result<Vec<Directive>, NotYet> {
    let matter: MatterId = known("matter_id", matter)?;
    Ok(vec![Directive::to::<Matter>(
        matter,
        "LearnRecusal",
        Command::LearnRecusal { recusal },
    )])
}

fn clarification_carried_out(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: ClarificationCarriedOut = event.read()?;
    let whose = [news.matter_id, news.clarification_id, news.subject_id];
    record_clarification(event, &whose, ClarificationStage::CarriedOut)
}

fn clarification_halted(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: ClarificationHalted = event.read()?;
    let whose = [news.matter_id, news.clarification_id, news.subject_id];
    record_clarification(event, &whose, ClarificationStage::Halted)
}

fn clarification_superseded(event: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let news: ClarificationSuperseded = event.read()?;
    let whose = [news.matter_id, news.clarification_id, news.subject_id];
    record_clarification(event, &whose, ClarificationStage::Superseded)
}

fn record_clarification(
    event: &Foreign<'_>,
    [matter, clarification, subject]: &[String; 3],
    stage: ClarificationStage,
) -> Result<Vec<Directive>, NotYet> {
    let matter: MatterId = known("matter_id", matter)?;
    Ok(vec![Directive::to::<Matter>(
        matter,
        "RecordClarification",
        Command::RecordClarification {
            id: known("clarification_id", clarification)?,
            clarification: Clarification {
                subject: known("subject_id", subject)?,
                stage,
                sequence: event.sequence,
            },
        },
    )])
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    fn react(reaction: chassis::reaction::React, body: &serde_json::Value) -> Option<usize> {
        let body = body.to_string();
        let event = Foreign {
            source: "clarification",
            name: "",
            event_id: Uuid::nil(),
            stream: Uuid::nil(),
            sequence: 3,
            body: body.as_bytes(),
        };
        reaction(&event).ok().map(|directives| directives.len())
    }

    #[test]
    fn who_is_recused_elsewhere_reaches_the_matter() {
        for reaction in [
            actors_recused as chassis::reaction::React,
            conflict_declared,
        ] {
            let news = json!({ "matterId": ID, "actorIds": ["chen"] });
            assert_eq!(react(reaction, &news), Some(1));
            let nobody = json!({ "matterId": ID, "actorIds": ["no actor"] });
            assert_eq!(react(reaction, &nobody), None);
        }
    }

    #[test]
    fn what_becomes_of_a_clarification_reaches_its_matter() {
        let news = json!({
            "clarificationId": ID, "matterId": ID, "subjectId": ID, "source": "register",
            "conclusion": 1, "somethingNew": 1,
        });
        for reaction in [
            clarification_carried_out,
            clarification_halted,
            clarification_superseded,
        ] {
            assert_eq!(react(reaction, &news), Some(1));
            for field in ["clarificationId", "matterId", "subjectId"] {
                let mut unreadable = news.clone();
                unreadable[field] = json!("M-1");
                assert_eq!(react(reaction, &unreadable), None, "{field}");
            }
        }
    }
}

//! What intake does with other services' events. Pure: from an event to commands of its own, one function an event.
//!
//! Verification tells how far a case is; the matter keeps it for the reporter's side and for the repeat ledger.

use chassis::reaction::{Directive, Follows, Foreign, NotYet, on};
use office::MatterId;
use proto::verification::{CaseConcluded, CaseDiscontinued, CaseOpened, CaseReopened};

use crate::matter::progress::CaseStage;
use crate::matter::{Command, Matter};

/// Verification's events.
pub const VERIFICATION: &[Follows] = &[
    on("CaseOpened", case_opened),
    on("CaseConcluded", case_concluded),
    on("CaseReopened", case_reopened),
    on("CaseDiscontinued", case_discontinued),
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
    let matter: MatterId = matter
        .parse()
        .map_err(|_| NotYet("the matter's id is no UUID".to_owned()))?;
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

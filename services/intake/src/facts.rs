//! What intake asks before it decides, outside any transaction: the register's entries of the subjects that a report
//! names, the candidates of the repeat ledger, and the state of the report or matter that a decision is about beside
//! its own aggregate.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chassis::facts::{Asking, Informed};
use chassis::question::Reach;
use chassis::refusal::{Refusal, UNAVAILABLE};
use office::{Actor, SubjectId};
use uuid::Uuid;

use crate::matter::{self, Matter};
use crate::report::submission::{AllegedWhom, Submission};
use crate::report::{self, Report};
use crate::subject::{Entry, Subject};
use crate::views::candidates;

#[async_trait]
impl Informed for Subject {}

#[async_trait]
impl Informed for Report {
    async fn gather(
        asking: &Asking,
        id: Uuid,
        command: &report::Command,
        actor: &Actor,
    ) -> Result<report::Facts, Refusal> {
        let mut facts = report::Facts::default();
        match command {
            report::Command::Submit(submission) => {
                for subject in named(submission) {
                    if let Some(entry) = entry(asking, subject).await? {
                        facts.subjects.insert(subject, entry);
                    }
                }
            }
            report::Command::Accept { .. } => {
                let state = asking.state::<Report>(id).await?;
                if let Some(filed) = state.as_ref().and_then(|(_, state)| state.filed()) {
                    let reach = Reach::of(actor, &asking.profile, &asking.secrets);
                    let found = candidates(asking.pool(), &asking.profile, &reach, filed)
                        .await
                        .map_err(|error| UNAVAILABLE.with_note(error))?;
                    facts.candidates = found.into_iter().map(|row| row.id.into()).collect();
                }
            }
            report::Command::Join { matter, .. } => {
                let state = asking.state::<Matter>((*matter).into()).await?;
                facts.matter = state.map(|(_, state)| state).unwrap_or_default();
            }
            report::Command::AddMaterial { .. }
            | report::Command::Withdraw { .. }
            | report::Command::ReplaceReceipt { .. }
            | report::Command::UseReceipt { .. }
            | report::Command::Decline { .. }
            | report::Command::Transfer { .. }
            | report::Command::RecordTriageOverdue
            | report::Command::FollowMatter(_)
            | report::Command::EraseText(_) => {}
        }
        Ok(facts)
    }
}

#[async_trait]
impl Informed for Matter {
    async fn gather(
        asking: &Asking,
        _id: Uuid,
        command: &matter::Command,
        _actor: &Actor,
    ) -> Result<matter::Facts, Refusal> {
        let mut facts = matter::Facts::default();
        match command {
            matter::Command::Open { report } | matter::Command::RegisterJoinedReport { report } => {
                let state = asking.state::<Report>((*report).into()).await?;
                facts.report = state.map(|(_, state)| state).unwrap_or_default();
            }
            matter::Command::IdentifySubject { subject, .. } => {
                facts.subject = entry(asking, *subject).await?;
            }
            matter::Command::RaiseLevel { .. }
            | matter::Command::RecordCaseState { .. }
            | matter::Command::LearnRecusal { .. }
            | matter::Command::RecordClarification { .. }
            | matter::Command::EraseText(_) => {}
        }
        Ok(facts)
    }
}

fn named(submission: &Submission) -> BTreeSet<SubjectId> {
    submission
        .allegations
        .iter()
        .filter_map(|alleged| match alleged.whom {
            AllegedWhom::Registered(subject) => Some(subject),
            AllegedWhom::NotIdentified(_) => None,
        })
        .collect()
}

async fn entry(asking: &Asking, subject: SubjectId) -> Result<Option<Entry>, Refusal> {
    let state = asking.state::<Subject>(subject.into()).await?;
    Ok(state.and_then(|(_, state)| state.entry().cloned()))
}

//! What is said of a clarification before its form: the departments' opinions, the subject's wish; and what is returned or declared
//! with a reason.

use anyhow::Result;
use clap::Args;
use office::{ActorId, Department, Role};
use proto::clarification::{
    ApplyForClarificationRequest, DeclareClarificationConflictRequest, Opinion,
    RecordOpinionRequest, RecordUnreachableRequest, RecordWishRequest, ReturnDraftRequest, Wish,
    WithdrawObjectionRequest,
};
use proto::office::ClarificationForm;

use crate::client::{Clarification as Desk, Person};
use crate::who::Who;
use crate::{Context, Usage, ids, words};

/// Give a department's opinion.
#[derive(Debug, Args)]
pub struct Screen {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// What the department thinks
    #[arg(value_parser = words::parser::<Opinion>())]
    opinion: Opinion,
    #[command(flatten)]
    speaker: Speaker,
    /// Why; kept as a text
    #[arg(long)]
    reason: String,
}

/// Take an objection back.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    #[command(flatten)]
    speaker: Speaker,
    /// Why; kept as a text
    #[arg(long)]
    reason: String,
}

/// For which department somebody speaks: that of the actor, so it only makes one up.
#[derive(Debug, Args)]
struct Speaker {
    /// The department that speaks, where zm makes up the actor: handling, petitions, conduct_supervision, case_supervision,
    /// case_adjudication [with --token or --as: the actor's own]
    #[arg(long, value_name = "CODE")]
    department: Option<Department>,
}

impl Speaker {
    /// A made-up screener is called by the department, so that five departments are five people.
    fn person(&self, context: &Context) -> Result<Person> {
        let Some(department) = &self.department else {
            if context.says_who() {
                return context.person(Role::Screener);
            }
            return Err(Usage(
                "which department speaks? Give --department, or --as screener/DEPARTMENT"
                    .to_owned(),
            )
            .into());
        };
        let who = Who {
            department: Some(department.clone()),
            id: Some(ActorId::new(format!("screener-{department}"))?),
            ..Who::of(Role::Screener)
        };
        let person = context.somebody(&who)?;
        if person.actor.department.as_ref() != Some(department) {
            return Err(Usage(format!(
                "{} does not speak for the department {department}; leave --department out, or act as one of it",
                person.actor.id
            ))
            .into());
        }
        Ok(person)
    }
}

impl Screen {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let person = self.speaker.person(context)?;
        let request = RecordOpinionRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            opinion: self.opinion.into(),
            reason: self.reason,
        };
        let id = request.clarification_id.clone();
        let mut desk = person.clarification(&office);
        let answer = office
            .ask("clarification", desk.record_opinion(request))
            .await?;
        context.answer(&answer, |_| {
            format!("Recorded. What is missing still:\n  zm clarification show {id}")
        })
    }
}

impl Withdraw {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let person = self.speaker.person(context)?;
        let request = WithdrawObjectionRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            reason: self.reason,
        };
        let mut desk = person.clarification(&office);
        let answer = office
            .ask("clarification", desk.withdraw_objection(request))
            .await?;
        context.answer(&answer, |_| {
            "Withdrawn: the department may give another opinion.".to_owned()
        })
    }
}

/// Record what the subject wishes.
#[derive(Debug, Args)]
pub struct RecordWish {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// What the subject wishes
    #[arg(value_parser = words::parser::<Wish>())]
    wish: Wish,
    /// A form that they would like; may be given several times
    #[arg(long, value_name = "FORM", value_parser = words::parser::<ClarificationForm>())]
    wanted: Vec<ClarificationForm>,
    /// A form that must not be chosen; may be given several times
    #[arg(long, value_name = "FORM", value_parser = words::parser::<ClarificationForm>())]
    refused: Vec<ClarificationForm>,
    /// When they were heard [default: today]
    #[arg(long, value_name = "DATE")]
    heard_on: Option<String>,
    /// Who spoke, for an organisation: the person of the subject register who heads its unit
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject)]
    by: Option<String>,
}

impl RecordWish {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let forms = |forms: Vec<ClarificationForm>| forms.into_iter().map(i32::from).collect();
        let request = RecordWishRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            wish: self.wish.into(),
            wanted: forms(self.wanted),
            refused: forms(self.refused),
            heard_on: context
                .date_or_today(self.heard_on, "clarification", role)
                .await?,
            spoken_by: self.by.unwrap_or_default(),
        };
        let id = request.clarification_id.clone();
        let ask = async |mut desk: Desk| desk.record_wish(request).await;
        let answer = context.clarification(role, ask).await?;
        context.answer(&answer, |_| match self.wish {
            Wish::Declines => "Recorded: it rests, unless they change their mind.".to_owned(),
            _ => format!("Recorded. The form that is recommended:\n  zm clarification form {id}"),
        })
    }
}

/// Take in the subject's written application.
#[derive(Debug, Args)]
pub struct Apply {
    /// The matter
    #[arg(long, value_name = "MATTER", value_parser = ids::matter)]
    matter: String,
    /// Whose name is to be cleared
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject)]
    subject: String,
    /// The application's day [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// The application; kept as a text
    #[arg(long)]
    text: String,
    /// A form that they would like; may be given several times
    #[arg(long, value_name = "FORM", value_parser = words::parser::<ClarificationForm>())]
    wanted: Vec<ClarificationForm>,
    /// A form that must not be chosen; may be given several times
    #[arg(long, value_name = "FORM", value_parser = words::parser::<ClarificationForm>())]
    refused: Vec<ClarificationForm>,
    /// Who applies, for an organisation: the person of the subject register who heads its unit
    #[arg(long, value_name = "SUBJECT", value_parser = ids::subject)]
    by: Option<String>,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let forms = |forms: Vec<ClarificationForm>| forms.into_iter().map(i32::from).collect();
        let request = ApplyForClarificationRequest {
            request_id: context.request_id(),
            matter_id: self.matter,
            subject_id: self.subject,
            applied_on: context
                .date_or_today(self.on, "clarification", role)
                .await?,
            application: self.text,
            wanted: forms(self.wanted),
            refused: forms(self.refused),
            spoken_by: self.by.unwrap_or_default(),
        };
        let ask = async |mut desk: Desk| desk.apply_for_clarification(request).await;
        let answer = context.clarification(role, ask).await?;
        context.answer(&answer, |answer| {
            let what = match super::unmet(&answer.unmet).as_str() {
                "" => "Taken in: it counts as the subject's wish.".to_owned(),
                reasons => format!(
                    "Taken in and kept. What keeps the subject from being cleared: {reasons}."
                ),
            };
            format!(
                "{what}\n  zm clarification show {}",
                answer.clarification_id
            )
        })
    }
}

/// Which clarification, and why.
#[derive(Debug, Args)]
pub struct ForReason {
    /// The clarification's id
    #[arg(value_name = "CLARIFICATION", value_parser = ids::clarification)]
    clarification: String,
    /// Why; kept as a text
    #[arg(long)]
    reason: String,
}

impl ForReason {
    pub(crate) async fn unreachable(self, context: &Context) -> Result<()> {
        let request = RecordUnreachableRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            reason: self.reason,
        };
        let ask = async |mut desk: Desk| desk.record_unreachable(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer, |_| {
            "Recorded: the unit decides in the subject's place.".to_owned()
        })
    }

    pub(crate) async fn return_draft(self, context: &Context) -> Result<()> {
        let request = ReturnDraftRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            reason: self.reason,
        };
        let ask = async |mut desk: Desk| desk.return_draft(request).await;
        let answer = context.clarification(Role::Supervisor, ask).await?;
        context.answer(&answer, |_| "Returned to who drafted it.".to_owned())
    }

    pub(crate) async fn declare_conflict(self, context: &Context) -> Result<()> {
        let request = DeclareClarificationConflictRequest {
            request_id: context.request_id(),
            clarification_id: self.clarification,
            reason: self.reason,
        };
        let ask = async |mut desk: Desk| desk.declare_clarification_conflict(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer, |_| {
            "Declared: recused from this clarification.".to_owned()
        })
    }
}

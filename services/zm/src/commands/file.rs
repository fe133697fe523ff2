//! `zm file`: follow-up's files, one a person, and the work on them.

use anyhow::Result;
use chassis::refusal::RefusalKind;
use clap::{Args, Subcommand};
use office::Role;
use proto::follow_up::{
    AftercareEffect, Approach, Attitude, File, FileCause, FileState, GetFileRequest,
    GetFileResponse, Grade, ListFilesRequest, ListFilesResponse, TalkPartner,
};

use crate::client::{FollowUp, Office, Unanswered};
use crate::commands::Paging;
use crate::{Context, Usage, ids, output, words};

mod work;

/// A person's file, or what is done with files.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Files {
    #[command(subcommand)]
    what: Option<What>,
    /// The id of the person or the file: shows it
    #[arg(value_name = "PERSON", value_parser = ids::file, required = true)]
    person: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show a file: impact periods, aftercare, visits, the latest profile with its history
    #[command(after_help = "Example:\n  zm file show PERSON")]
    Show(Show),
    /// List files
    #[command(after_help = "\
Examples:
  zm file list --state open
  zm file list --source town --all --json")]
    List(List),
    /// Plan visits
    #[command(
        after_help = "Example:\n  zm file plan PERSON --visit 2026-05-04 --visit 2026-09-07 --situation 'Ashamed; two children at school'"
    )]
    Plan(work::Plan),
    /// Record a visit
    #[command(after_help = work::VISIT_EXAMPLES)]
    Visit(work::Visit),
    /// Record an assessment after a visit
    #[command(
        after_help = "Example:\n  zm file assess PERSON --visit VISIT --attitude burdened --grade fair --profile 'Works hard, speaks little'"
    )]
    Assess(work::Assess),
    /// Record how a clarification worked
    #[command(
        after_help = "Example:\n  zm file aftercare PERSON --clarification CLARIFICATION --effect restored --notes 'Elected to the committee'"
    )]
    Aftercare(work::Aftercare),
}

/// Which file.
#[derive(Debug, Args)]
struct Show {
    /// The id of the person or the file
    #[arg(value_name = "PERSON", value_parser = ids::file)]
    person: String,
}

/// Which files.
#[derive(Debug, Args)]
struct List {
    /// Only those in this state
    #[arg(long, value_parser = words::parser::<FileState>())]
    state: Option<FileState>,
    /// Only those that this register led to
    #[arg(long)]
    source: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

impl Files {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match (self.what, self.person) {
            (Some(What::Show(show)), _) => show.run(context).await,
            (Some(What::List(list)), _) => list.run(context).await,
            (Some(What::Plan(plan)), _) => plan.run(context).await,
            (Some(What::Visit(visit)), _) => visit.run(context).await,
            (Some(What::Assess(assess)), _) => assess.run(context).await,
            (Some(What::Aftercare(aftercare)), _) => aftercare.run(context).await,
            (None, Some(person)) => Show { person }.run(context).await,
            (None, None) => Err(Usage("give a person's id".to_owned()).into()),
        }
    }
}

/// A file by its own id or its person's.
async fn find(
    office: &Office,
    follow_up: &mut FollowUp,
    id: &str,
) -> Result<GetFileResponse, Unanswered> {
    let by_person = GetFileRequest {
        file_id: String::new(),
        subject_id: id.to_owned(),
    };
    let by_file = GetFileRequest {
        file_id: id.to_owned(),
        subject_id: String::new(),
    };
    match office.ask("follow_up", follow_up.get_file(by_person)).await {
        Err(refused) if refused.refusal.kind == RefusalKind::NotFound => {
            office.ask("follow_up", follow_up.get_file(by_file)).await
        }
        answer => answer,
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut follow_up = context.person(Role::FollowUpOfficer)?.follow_up(&office);
        let answer = find(&office, &mut follow_up, &self.person).await?;
        context.answer(&answer, |answer| {
            told(&answer.file.clone().unwrap_or_default())
        })
    }
}

fn told(file: &File) -> String {
    let fields = output::fields(&[
        ("file", file.file_id.clone()),
        ("person", file.subject_id.clone()),
        ("state", words::word::<FileState>(file.state)),
        ("units", file.units.join(" ")),
        ("planned", file.planned.join(" ")),
        ("source", file.source.clone()),
        ("version", file.version.to_string()),
    ]);
    let periods = file.periods.iter().map(|period| {
        vec![
            period.kind.clone(),
            period.unit.clone(),
            period.from.clone(),
            period.until.clone(),
            period.ended_on.clone(),
            period.sanction_id.clone(),
        ]
    });
    let aftercare = file.aftercare.iter().map(|item| {
        vec![
            item.clarification_id.clone(),
            item.unit.clone(),
            item.due_on.clone(),
            words::word::<AftercareEffect>(item.effect),
            item.checked_on.clone(),
        ]
    });
    let visits = file.visits.iter().map(|visit| {
        let talks = visit.talks.iter();
        let talks = talks.map(|partner| words::word::<TalkPartner>(*partner));
        vec![
            visit.visit_id.clone(),
            visit.visited_on.clone(),
            visit.unit.clone(),
            visit.visitors.join(" "),
            talks.collect::<Vec<_>>().join(" "),
        ]
    });
    let assessments = file.assessments.iter().map(|assessment| {
        let profile = assessment.profile.as_ref();
        vec![
            assessment.assessed_on.clone(),
            words::word::<Attitude>(assessment.attitude),
            words::word::<Approach>(assessment.approach),
            words::word::<Grade>(assessment.grade),
            profile.map(|text| text.text_id.clone()).unwrap_or_default(),
        ]
    });
    [
        fields,
        output::table(
            &["sanction", "unit", "from", "until", "ended on", "id"],
            periods.collect(),
            "No sanction counts or counted.",
        ),
        output::table(
            &["clarification", "unit", "due on", "effect", "checked on"],
            aftercare.collect(),
            "There is no aftercare.",
        ),
        output::table(
            &["visit", "on", "unit", "visitors", "talks with"],
            visits.collect(),
            "There was no visit.",
        ),
        output::table(
            &["assessed on", "attitude", "approach", "grade", "profile"],
            assessments.collect(),
            "There was no assessment.",
        ),
    ]
    .join("\n\n")
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut follow_up = context.person(Role::FollowUpOfficer)?.follow_up(&office);
        let mut listed = ListFilesResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListFilesRequest {
                page_size: self.paging.page_size(),
                page_token,
                state: self.state.unwrap_or_default().into(),
                source: self.source.clone().unwrap_or_default(),
            };
            let page = office
                .ask("follow_up", follow_up.list_files(request))
                .await?;
            listed.files.extend(page.files);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let rows = listed.files.iter().map(|row| {
                vec![
                    row.subject_id.clone(),
                    words::word::<FileState>(row.state),
                    words::word::<FileCause>(row.opened_for),
                    row.next_on.clone(),
                    row.units.join(" "),
                    row.source.clone(),
                    row.file_id.clone(),
                ]
            });
            let heading = [
                "person",
                "state",
                "opened for",
                "next on",
                "units",
                "source",
                "file",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such file.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}

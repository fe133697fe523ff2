//! `zm clarification meeting`: meetings at which several names are cleared, from the convening to what became of each.

use anyhow::Result;
use clap::{Args, Subcommand};
use office::Role;
use proto::clarification::{
    CancelMeetingRequest, ConveneMeetingRequest, GetMeetingRequest, HoldMeetingRequest,
    ListMeetingsRequest, ListMeetingsResponse, Meeting, MeetingOutcome, MeetingState,
};

use crate::client::Clarification as Desk;
use crate::commands::Paging;
use crate::{Context, ids, output, words};

/// Meetings that clear several names. One is counted once; each name is cleared in its clarification.
#[derive(Debug, Subcommand)]
pub enum Meetings {
    /// Convene a meeting for clarifications that are approved in the form meeting
    #[command(after_help = "\
Example:
  zm clarification meeting convene --clarification FIRST --clarification SECOND --on 2026-03-20 --at 14:30 \\
    --place 'Town hall'

The unit that carries all of them out holds it. Everything that stands against one of them is told at once.")]
    Convene(Convene),
    /// Record that a meeting was held, on its day or afterwards
    #[command(after_help = "\
Example:
  zm clarification meeting hold MEETING --attendance 40 --attended 'All of the office' --handed-over-by li

Each name is then cleared by itself, if its conclusion stands, its subject wishes it, and nothing else was said \
meanwhile. `zm clarification meeting show` tells what became of each.")]
    Hold(Hold),
    /// Cancel a meeting that is still to be held
    #[command(
        after_help = "Example:\n  zm clarification meeting cancel MEETING --reason 'The hall is flooded'"
    )]
    Cancel(Cancel),
    /// Show a meeting: when and where, who attended, what became of each clarification
    #[command(after_help = "Example:\n  zm clarification meeting show MEETING")]
    Show(Show),
    /// List meetings that were convened
    #[command(after_help = "\
Examples:
  zm clarification meeting list --state convened
  zm clarification meeting list --unit P51-01 --all --json")]
    List(List),
}

/// Convene a meeting.
#[derive(Debug, Args)]
pub struct Convene {
    /// A clarification whose name is cleared at it; give it for each, up to 100
    #[arg(long, value_name = "CLARIFICATION", value_parser = ids::clarification, required = true)]
    clarification: Vec<String>,
    /// On which day; of a meeting that is over the day on which it was
    #[arg(long, value_name = "DATE")]
    on: String,
    /// At which local time, such as 14:30
    #[arg(
        long,
        value_name = "TIME",
        default_value = "",
        hide_default_value = true
    )]
    at: String,
    /// Where; kept as a text
    #[arg(long, value_name = "TEXT")]
    place: String,
}

/// Record that a meeting was held.
#[derive(Debug, Args)]
pub struct Hold {
    /// The meeting's id
    #[arg(value_name = "MEETING", value_parser = ids::meeting)]
    meeting: String,
    /// How many attended
    #[arg(long, value_name = "N")]
    attendance: i32,
    /// Who attended; kept as a text
    #[arg(long, value_name = "TEXT")]
    attended: String,
    /// Actor id of who handed the letters over [default: whoever acts]
    #[arg(long, value_name = "ACTORID")]
    handed_over_by: Option<String>,
}

/// Cancel a meeting.
#[derive(Debug, Args)]
pub struct Cancel {
    /// The meeting's id
    #[arg(value_name = "MEETING", value_parser = ids::meeting)]
    meeting: String,
    /// Why; kept as a text
    #[arg(long)]
    reason: String,
}

/// Which meeting.
#[derive(Debug, Args)]
pub struct Show {
    /// Its id
    #[arg(value_name = "MEETING", value_parser = ids::meeting)]
    meeting: String,
}

/// Which meetings.
#[derive(Debug, Args)]
pub struct List {
    /// Only those that this unit holds, by its code
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Only those in this state
    #[arg(long, value_parser = words::parser::<MeetingState>())]
    state: Option<MeetingState>,
    #[command(flatten)]
    paging: Paging,
}

impl Meetings {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Convene(convene) => convene.run(context).await,
            Self::Hold(hold) => hold.run(context).await,
            Self::Cancel(cancel) => cancel.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::List(list) => list.run(context).await,
        }
    }
}

impl Convene {
    async fn run(self, context: &Context) -> Result<()> {
        let request = ConveneMeetingRequest {
            request_id: context.request_id(),
            clarification_ids: self.clarification,
            held_on: self.on,
            held_at: self.at,
            place: self.place,
        };
        let on = request.held_on.clone();
        let ask = async |mut desk: Desk| desk.convene_meeting(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer, |answer| {
            format!(
                "Convened by {}: meeting {id}. An announcement is made by itself while its day is to come; once it was held, on {on} or afterwards:\n  zm clarification document {id} --kind announcement\n  zm clarification meeting hold {id}",
                answer.unit,
                id = answer.meeting_id
            )
        })
    }
}

impl Hold {
    async fn run(self, context: &Context) -> Result<()> {
        let role = Role::ClarificationOfficer;
        let request = HoldMeetingRequest {
            request_id: context.request_id(),
            meeting_id: self.meeting,
            attendance: self.attendance,
            attended: self.attended,
            handed_over_by: match self.handed_over_by {
                Some(by) => by,
                None => context.person(role)?.actor.id.to_string(),
            },
        };
        let ask = async |mut desk: Desk| desk.hold_meeting(request).await;
        let answer = context.clarification(role, ask).await?;
        context.answer(&answer, |answer| {
            format!(
                "Recorded. Each name is cleared by itself; what became of each, and the record of that:\n  zm clarification meeting show {id}\n  zm clarification document {id} --kind record",
                id = answer.meeting_id
            )
        })
    }
}

impl Cancel {
    async fn run(self, context: &Context) -> Result<()> {
        let request = CancelMeetingRequest {
            request_id: context.request_id(),
            meeting_id: self.meeting,
            reason: self.reason,
        };
        let ask = async |mut desk: Desk| desk.cancel_meeting(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer, |_| {
            "Cancelled. Its clarifications can be called to another meeting.".to_owned()
        })
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<()> {
        let request = GetMeetingRequest {
            meeting_id: self.meeting,
        };
        let ask = async |mut desk: Desk| desk.get_meeting(request).await;
        let answer = context
            .clarification(Role::ClarificationOfficer, ask)
            .await?;
        context.answer(&answer.meeting.unwrap_or_default(), told)
    }
}

fn told(found: &Meeting) -> String {
    let text = |text: &Option<proto::office::TextRef>| {
        let text = text.as_ref();
        text.map(|text| text.text_id.clone()).unwrap_or_default()
    };
    let attendance = match found.attendance {
        0 => String::new(),
        many => many.to_string(),
    };
    let fields = output::fields(&[
        ("meeting", found.meeting_id.clone()),
        ("state", words::word::<MeetingState>(found.state)),
        ("unit", found.unit.clone()),
        ("on", found.held_on.clone()),
        ("at", found.held_at.clone()),
        ("place", text(&found.place)),
        ("convened by", found.convened_by.clone()),
        ("recorded by", found.recorded_by.clone()),
        ("attendance", attendance),
        ("attended", text(&found.attended)),
        ("handed over by", found.handed_over_by.clone()),
        ("cancelled by", found.cancelled_by.clone()),
        ("reason", text(&found.reason)),
        ("documents", super::documents(&found.documents)),
        ("version", found.version.to_string()),
    ]);
    let items = found.items.iter().map(|item| {
        vec![
            item.clarification_id.clone(),
            words::word::<MeetingOutcome>(item.outcome).replace('_', " "),
            item.code.clone(),
            item.subject_id.clone(),
            item.matter_id.clone(),
        ]
    });
    let heading = ["clarification", "outcome", "because", "subject", "matter"];
    let items = output::table(&heading, items.collect(), "It clears no name.");
    format!("{fields}\n\n{items}")
}

impl List {
    async fn run(self, context: &Context) -> Result<()> {
        let office = context.office()?;
        let mut desk = context
            .person(Role::ClarificationOfficer)?
            .clarification(&office);
        let mut listed = ListMeetingsResponse::default();
        let pages = self.paging.pages(async |page_token| {
            let request = ListMeetingsRequest {
                page_size: self.paging.page_size(),
                page_token,
                unit: self.unit.clone().unwrap_or_default(),
                state: self.state.unwrap_or_default().into(),
            };
            let page = office
                .ask("clarification", desk.list_meetings(request))
                .await?;
            listed.meetings.extend(page.meetings);
            Ok(page.next_page_token)
        });
        listed.next_page_token = pages.await?;
        context.answer(&listed, |listed| {
            let rows = listed.meetings.iter().map(|row| {
                vec![
                    row.meeting_id.clone(),
                    words::word::<MeetingState>(row.state),
                    row.unit.clone(),
                    row.held_on.clone(),
                    row.clarifications.to_string(),
                    row.carried_out.to_string(),
                    row.not_carried_out.to_string(),
                ]
            });
            let heading = [
                "meeting",
                "state",
                "unit",
                "on",
                "clarifications",
                "carried out",
                "not carried out",
            ];
            let table = output::table(&heading, rows.collect(), "There is no such meeting.");
            self.paging.ended(table, &listed.next_page_token)
        })
    }
}

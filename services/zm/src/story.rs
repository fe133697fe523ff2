//! `zm story`: two reports and their ways through the services to the end, told as their own answers and events arrive.
//!
//! One was untrue: the name of whom it was about is cleared. One was true: she is sanctioned, and visited. Each has its rooms:
//! [`report`] and [`case`] for both, [`clearing`] for the first, [`following`] for the second; [`sample`] holds what is entered.
//!
//! Everything is entered under the source `story`, so that it never mixes with a register's figures. Request ids follow
//! from the step and the state that it starts from, and each step looks first at how things stand: the same story again
//! finds everything already so, and one that was cut off goes on where it stopped.

mod case;
mod clearing;
mod following;
mod report;
mod sample;

use std::time::Duration;

use anyhow::Result;
use office::{ActorId, Department, Role, UnitCode};
use proto::chassis::ReadClockRequest;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::sample::{SOURCE, TRUE, Tale, UNTRUE};
use crate::client::{Office, Person};
use crate::who::{Who, numbered};
use crate::{Context, No, output};

/// In the shipped hierarchy: the unit that handles the matters, and the one below it to which the subjects belong.
const UNITS: (&str, &str) = ("P51-01", "P51-01-01");
/// How long news may take from one service to the other: longer than what a killed process had begun is held for it.
const NEWS: Duration = Duration::from_secs(60);
/// How often it is looked for.
const PULSE: Duration = Duration::from_millis(50);

/// Two sample reports and their ways.
#[derive(Debug, clap::Args)]
pub struct Story {}

/// The ids of everything in a tale, for scripts.
#[derive(Serialize)]
struct Ids {
    subject: String,
    report: String,
    matter: String,
    case: String,
    conclusion: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    clarification: Option<String>,
    file: String,
}

struct Telling<'a> {
    context: &'a Context,
    office: Office,
    unit: UnitCode,
    officer: Person,
    investigators: [Person; 2],
    supervisor: Person,
    clarifier: Person,
    personnel: Person,
    visitors: [Person; 2],
    home: UnitCode,
    step: usize,
}

impl Story {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let mut telling = Telling::new(context)?;
        let untrue = telling.untrue().await?;
        telling.say("")?;
        let sanctioned = telling.sanctioned().await?;
        if context.json {
            return output::json(&serde_json::json!({
                "untrue": untrue, "true": sanctioned,
            }));
        }
        telling.end(&untrue, &sanctioned)
    }
}

impl<'a> Telling<'a> {
    fn new(context: &'a Context) -> Result<Self> {
        let (unit, home) = match &context.config.unit {
            Some(unit) => (unit.clone(), unit.clone()),
            None => (UnitCode::new(UNITS.0)?, UnitCode::new(UNITS.1)?),
        };
        let person = |role, number| {
            context.mint(&Who {
                id: Some(numbered(role, number)),
                unit: Some(unit.clone()),
                ..Who::of(role)
            })
        };
        Ok(Self {
            context,
            office: context.office()?,
            officer: person(Role::IntakeOfficer, 1)?,
            investigators: [
                person(Role::Investigator, 1)?,
                person(Role::Investigator, 2)?,
            ],
            supervisor: person(Role::Supervisor, 1)?,
            clarifier: person(Role::ClarificationOfficer, 1)?,
            personnel: person(Role::PersonnelOfficer, 1)?,
            visitors: [
                person(Role::FollowUpOfficer, 1)?,
                person(Role::FollowUpOfficer, 2)?,
            ],
            unit,
            home,
            step: 0,
        })
    }

    /// The screener of a department, called by it.
    fn screener(&self, department: &str) -> Result<Person> {
        self.context.mint(&Who {
            id: Some(ActorId::new(format!("screener-{department}"))?),
            unit: Some(self.unit.clone()),
            department: Some(department.parse::<Department>()?),
            ..Who::of(Role::Screener)
        })
    }

    fn say(&self, text: &str) -> Result<()> {
        if self.context.json {
            return Ok(());
        }
        output::line(text)
    }

    /// A step with who did it, in which service.
    fn tell(&mut self, service: &str, who: &str, text: &str) -> Result<()> {
        self.step += 1;
        self.say(&format!("{:2}. [{service}] {who} {text}", self.step))
    }

    /// What day it is to a service, for what is dated by its decision.
    async fn today(&self, service: &str) -> Result<String> {
        let auditor = self.context.mint(&Who::of(Role::Auditor))?;
        let mut operations = auditor.operations(&self.office, service);
        let answer = operations.read_clock(ReadClockRequest {});
        Ok(self.office.ask(service, answer).await?.today)
    }

    /// Waits for what a service learns by an event of another.
    async fn news<T>(
        &self,
        service: &str,
        of: &str,
        ask: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let spinner = output::spinner(&format!("Waiting for {service} to hear of it"));
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.tick().await;
            if let Some(news) = ask().await? {
                spinner.finish_and_clear();
                return Ok(news);
            }
            if began.elapsed() >= NEWS {
                spinner.finish_and_clear();
                return Err(late(service, of));
            }
        }
    }

    /// A report that was untrue: it harmed somebody, and her name is cleared.
    async fn untrue(&mut self) -> Result<Ids> {
        let mut ids = self.verified(&UNTRUE).await?;
        let clarification = self.clear(&ids).await?;
        ids.file = self.hear_of_aftercare(&ids, &clarification).await?;
        ids.clarification = Some(clarification);
        Ok(ids)
    }

    /// A report that was true: somebody is sanctioned, and visited.
    async fn sanctioned(&mut self) -> Result<Ids> {
        let mut ids = self.verified(&TRUE).await?;
        ids.file = self.follow(&ids).await?;
        Ok(ids)
    }

    /// The way of every report, up to the conclusion.
    async fn verified(&mut self, tale: &Tale) -> Result<Ids> {
        self.say(tale.opening)?;
        let subject = self.register_subject(tale).await?;
        let report = self.submit(tale, &subject).await?;
        let report = self.accept(report).await?;
        let case = self.hear_of(&report).await?;
        let case = self.conclude(tale, case).await?;
        let matter = self.hear_back(&case).await?;
        Ok(Ids {
            subject,
            report: report.report_id,
            matter: matter.matter_id,
            case: case.case_id,
            conclusion: matter.conclusion,
            clarification: None,
            file: String::new(),
        })
    }

    fn end(&self, untrue: &Ids, sanctioned: &Ids) -> Result<()> {
        self.say("\nThe services:")?;
        for service in self.office.services() {
            self.say(&format!("  {service:14}{}", self.office.url(service)))?;
        }
        let zm = output::program();
        let (untrue_report, untrue_subject) = (&untrue.report, &untrue.subject);
        let (case, person) = (&untrue.case, &sanctioned.subject);
        self.say("\nTry next:")?;
        for (command, what) in [
            (
                format!("show {untrue_report}"),
                "the whole history, over all services",
            ),
            (
                format!("integrity {untrue_subject}"),
                "what is on record of whom it was about",
            ),
            (format!("ledger {}", self.unit), "the names that were cleared"),
            (format!("file {person}"), "the other one's follow-up"),
            (
                format!("reopen {case} --reason new_facts"),
                "and tell the story again",
            ),
            (
                "submit --not-identified 'A foreman' --category misuse_of_funds \\\n      --narrative 'Sold the gravel' --place 910101".to_owned(),
                "a report of your own",
            ),
            (format!("stats --source {SOURCE}"), "the figures of this story"),
            ("journal verify".to_owned(), "every chain, recomputed"),
        ] {
            self.say(&format!("  {zm} {command}\n      # {what}"))?;
        }
        Ok(())
    }
}

/// Both tales are told by their state; what was decided by hand ends one.
fn ended(what: &str, state: &str, id: &str) -> anyhow::Error {
    No(format!(
        "{what} of the story is {state}, so the story stops here: zm show {id}"
    ))
    .into()
}

fn late(service: &str, of: &str) -> anyhow::Error {
    No(format!(
        "{service} has not heard of {of} within {} s. What is on its way: `zm quiet`; \
         what is held: `zm events list`. Run the story again; it goes on where it stopped",
        NEWS.as_secs()
    ))
    .into()
}

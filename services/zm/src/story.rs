//! `zm story`: one report and its way through the services, told as their own answers and events arrive.
//!
//! Everything is entered under the source `story`, so that it never mixes with a register's figures. Request ids follow
//! from the step and the state that it starts from, and each step looks first at how things stand: the same story again
//! finds everything already so, and one that was cut off goes on where it stopped.

mod sample;

use std::time::Duration;

use anyhow::Result;
use office::{Role, UnitCode};
use proto::intake::{
    AcceptReportRequest, CaseState as CaseHeard, GetMatterRequest, GetReportRequest,
    ListCandidatesRequest, ListReportsRequest, Matter, RejectedCandidate, Report, ReportState,
};
use proto::verification::{
    ApproveFindingsRequest, AssignInvestigatorsRequest, Case, CaseState, GetCaseRequest,
    ProposeFindingsRequest, RecordEvidenceRequest,
};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::sample::{REFERENCE, SOURCE, call, request_id, step_id};
use crate::client::{Office, Person};
use crate::who::{Who, numbered};
use crate::{Context, No, output, words};

/// In the shipped hierarchy: the unit that handles the matter, and the one below it to which the subject belongs.
const UNITS: (&str, &str) = ("P51-01", "P51-01-01");
/// How long news may take from one service to the other.
const NEWS: Duration = Duration::from_secs(30);
/// How often it is looked for.
const PULSE: Duration = Duration::from_millis(50);

/// A sample report and its way.
#[derive(Debug, clap::Args)]
pub struct Story {}

/// The ids of everything, for scripts.
#[derive(Serialize)]
struct Ids<'a> {
    subject: &'a str,
    report: &'a str,
    matter: &'a str,
    case: &'a str,
    conclusion: i32,
}

struct Telling<'a> {
    context: &'a Context,
    office: Office,
    officer: Person,
    investigators: [Person; 2],
    supervisor: Person,
    home: UnitCode,
    step: usize,
}

impl Story {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let mut telling = Telling::new(context)?;
        telling.say(
            "Somebody telephones: an official of the land office took money, and gave her brother a plot.",
        )?;
        let subject = telling.register_subject().await?;
        let report = telling.submit(&subject).await?;
        let report = telling.accept(report).await?;
        let case = telling.hear_of(&report).await?;
        let case = telling.conclude(case).await?;
        let matter = telling.hear_back(&case).await?;
        if context.json {
            return output::json(&Ids {
                subject: &subject,
                report: &report.report_id,
                matter: &matter.matter_id,
                case: &case.case_id,
                conclusion: matter.conclusion,
            });
        }
        telling.end(&report, &case)
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
            home,
            step: 0,
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

    async fn register_subject(&mut self) -> Result<String> {
        let request = sample::official(&self.home, &self.officer.actor.unit);
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
    async fn submit(&mut self, subject: &str) -> Result<Report> {
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
        if let Some(earlier) = earlier.find(|row| row.reference == REFERENCE) {
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
            .ask("intake", intake.submit_report(call(subject)))
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
    async fn accept(&mut self, report: Report) -> Result<Report> {
        if report.state() != ReportState::Received {
            return match report.matter_id.as_str() {
                "" => Err(No(format!(
                    "the report of the story is {}, so its story has ended: zm show {}",
                    words::word::<ReportState>(report.state),
                    report.report_id
                ))
                .into()),
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
            request_id: request_id(
                "accept",
                &format!("{}:{}", report.report_id, report.version),
            ),
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

    /// Waits until verification has heard of the matter and opened its case.
    async fn hear_of(&mut self, report: &Report) -> Result<Case> {
        let began = Instant::now();
        let reader = self.supervisor.clone();
        let matter_id = report.matter_id.as_str();
        let spinner = output::spinner("Waiting for verification to hear of it");
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let case = loop {
            pulse.tick().await;
            let mut verification = reader.verification(&self.office);
            let question = verification.get_case(GetCaseRequest {
                case_id: String::new(),
                matter_id: matter_id.to_owned(),
            });
            match self.office.ask("verification", question).await {
                Ok(answer) => break answer.case.unwrap_or_default(),
                Err(refused) if refused.refusal.code == "NOT_FOUND" && began.elapsed() < NEWS => {}
                Err(refused) if refused.refusal.code == "NOT_FOUND" => {
                    return Err(late("verification", matter_id));
                }
                Err(refused) => return Err(refused.into()),
            }
        };
        spinner.finish_and_clear();
        let text = format!(
            "heard of the matter by an event and opened its case by itself: case {}",
            case.case_id
        );
        self.tell("verification", "The service", &text)?;
        Ok(case)
    }

    /// Does what the case's state asks for, until it is concluded.
    async fn conclude(&mut self, mut case: Case) -> Result<Case> {
        if case.state() == CaseState::Concluded {
            let text = format!(
                "has concluded the case already: conclusion {}",
                case.conclusion
            );
            self.tell("verification", "The office", &text)?;
        }
        loop {
            match case.state() {
                CaseState::Opened => self.assign(&case).await?,
                CaseState::Investigating if case.evidence_ids.is_empty() => {
                    self.record_evidence(&case).await?;
                }
                CaseState::Investigating => self.propose(&case).await?,
                CaseState::Proposed => self.approve(&case).await?,
                CaseState::Concluded => return Ok(case),
                CaseState::Suspended | CaseState::Discontinued | CaseState::Unspecified => {
                    return Err(No(format!(
                        "the case of the story is {}, so the story stops here: zm show {}",
                        words::word::<CaseState>(case.state),
                        case.case_id
                    ))
                    .into());
                }
            }
            let mut verification = self.supervisor.verification(&self.office);
            let question = verification.get_case(GetCaseRequest {
                case_id: case.case_id.clone(),
                matter_id: String::new(),
            });
            let answer = self.office.ask("verification", question).await?;
            case = answer.case.unwrap_or_default();
        }
    }

    async fn assign(&mut self, case: &Case) -> Result<()> {
        let team: Vec<String> = self
            .investigators
            .iter()
            .map(|investigator| investigator.actor.id.to_string())
            .collect();
        let text = format!("assigns {}", team.join(" and "));
        let request = AssignInvestigatorsRequest {
            request_id: step_id("assign", case),
            case_id: case.case_id.clone(),
            investigators: team,
        };
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.assign_investigators(request);
        self.office.ask("verification", answer).await?;
        let supervisor = self.supervisor.actor.id.to_string();
        self.tell("verification", &supervisor, &text)
    }

    async fn record_evidence(&mut self, case: &Case) -> Result<()> {
        let request = RecordEvidenceRequest {
            request_id: step_id("evidence", case),
            case_id: case.case_id.clone(),
            evidence: sample::evidence(),
        };
        let [investigator, _] = self.investigators.clone();
        let mut verification = investigator.verification(&self.office);
        let answer = verification.record_evidence(request);
        let answer = self.office.ask("verification", answer).await?;
        let text = format!("records evidence: {}", answer.evidence_ids.join(" and "));
        self.tell("verification", investigator.actor.id.as_str(), &text)
    }

    async fn propose(&mut self, case: &Case) -> Result<()> {
        let (findings, words) = sample::findings(case);
        let request = ProposeFindingsRequest {
            request_id: step_id("propose", case),
            case_id: case.case_id.clone(),
            findings,
            harms: Vec::new(),
        };
        let [_, investigator] = self.investigators.clone();
        let mut verification = investigator.verification(&self.office);
        let answer = verification.propose_findings(request);
        self.office.ask("verification", answer).await?;
        let text = format!("proposes: {}", words.join(", "));
        self.tell("verification", investigator.actor.id.as_str(), &text)
    }

    async fn approve(&mut self, case: &Case) -> Result<()> {
        let request = ApproveFindingsRequest {
            request_id: step_id("approve", case),
            case_id: case.case_id.clone(),
        };
        let mut verification = self.supervisor.verification(&self.office);
        let answer = verification.approve_findings(request);
        let answer = self.office.ask("verification", answer).await?;
        let supervisor = self.supervisor.actor.id.to_string();
        let text = format!(
            "took no part in the investigation, and approves: conclusion {}",
            answer.number
        );
        self.tell("verification", &supervisor, &text)
    }

    /// Waits until intake has heard of the conclusion.
    async fn hear_back(&mut self, case: &Case) -> Result<Matter> {
        let began = Instant::now();
        let spinner = output::spinner("Waiting for intake to hear of it");
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let matter = loop {
            pulse.tick().await;
            let mut intake = self.officer.intake(&self.office);
            let question = intake.get_matter(GetMatterRequest {
                matter_id: case.matter_id.clone(),
            });
            let answer = self.office.ask("intake", question).await?;
            let matter = answer.matter.unwrap_or_default();
            let heard = matter.case_state() == CaseHeard::Concluded;
            if heard && matter.conclusion >= case.conclusion {
                break matter;
            }
            if began.elapsed() >= NEWS {
                return Err(late("intake", &case.matter_id));
            }
        };
        spinner.finish_and_clear();
        self.tell(
            "intake",
            "The service",
            "heard of the conclusion by an event; the caller sees it with the receipt code",
        )?;
        Ok(matter)
    }

    fn end(&self, report: &Report, case: &Case) -> Result<()> {
        self.say("\nThe services:")?;
        for service in self.office.services() {
            self.say(&format!("  {service:14}{}", self.office.url(service)))?;
        }
        let zm = output::program();
        let (report, case) = (&report.report_id, &case.case_id);
        self.say("\nTry next:")?;
        for (command, what) in [
            (format!("show {report}"), "the whole history, over both services"),
            (format!("case show {case}"), "the findings"),
            (format!("reopen {case} --reason new_facts"), "and tell the story again"),
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

fn late(service: &str, matter: &str) -> anyhow::Error {
    No(format!(
        "{service} has not heard of the matter {matter} within {} s. What is on its way: `zm quiet`; \
         what is held: `zm events list`. Run the story again; it goes on where it stopped",
        NEWS.as_secs()
    ))
    .into()
}

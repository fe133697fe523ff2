//! A case: the verification of one matter by its handling unit (核查), from its opening to a conclusion that stands.
//!
//! Here are its state, its commands, its refusals, and what each event does to it; `decide` only dispatches. The
//! decisions stand by the headings of `domain.md`: [`opening`] (what comes from intake), [`investigation`],
//! [`findings`], [`harm`], [`course`] (the deadline, suspension and other ends), [`moving`] (to another unit). What can
//! happen is in [`events`].
//!
//! To add a command: a variant of [`Command`], a function in the room of its heading, its line in `decide`, and tests
//! there that bear the rule's name. To add an event: see [`events`].
//!
//! The trap: `evolve` meets every event that was ever stored. With every change of what it does, raise
//! [`Aggregate::FORMAT`].

pub mod course;
pub mod events;
pub mod findings;
#[cfg(test)]
pub(crate) mod fixture;
pub mod harm;
pub mod investigation;
pub mod moving;
pub mod opening;
#[cfg(test)]
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Aggregate, Announcement, Decision, Effects, Rejection, Visitor};
use chassis::recusal::{Mark, Recusal};
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use office::{ActorId, AllegationId, CaseId, EvidenceId, MatterId, ReportId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use course::Deadline;
pub use events::Event;
pub use findings::{ClosingReason, Found, Outcome, ProposedFinding, ReturnCause};
pub use harm::{Harm, HarmDegree, HarmEffect, HarmExclusion, HarmReach, Harms, SubjectHarm};
pub use investigation::{EvidenceItem, EvidenceKind};
pub use opening::{Allegation, Matter, NewFacts, Subject, SubjectKind};

/// What a decision may know; a case needs no facts from outside.
pub type Context = chassis::aggregate::Context<()>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Case;

/// Those who investigate a case now.
pub type Team = BTreeSet<ActorId>;

/// How far a case is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its matter is not known here.
    #[default]
    Unopened,
    /// It is being worked on.
    Open {
        /// What is known of it.
        dossier: Dossier,
        /// How far the work is.
        progress: Progress,
        /// By when it must be concluded.
        deadline: Deadline,
    },
    /// All its findings were approved; they stand.
    Concluded {
        /// What is known of it.
        dossier: Dossier,
        /// Who investigated it last; goes on if it is reopened.
        team: Team,
        /// A finding for each allegation.
        findings: BTreeMap<AllegationId, Found>,
        /// What harm was recorded on its subjects.
        harms: Harms,
    },
    /// It ended without a conclusion.
    Discontinued {
        /// What is known of it.
        dossier: Dossier,
        /// Who investigated it last, if anybody.
        team: Team,
        /// Why; a code.
        reason: String,
    },
}

/// How far the work on an open case is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Nobody investigates it yet.
    Unassigned,
    /// It is being investigated.
    Investigating {
        /// By whom.
        team: Team,
        /// Why the last proposal came back, if one did.
        returned: Option<ReturnCause>,
    },
    /// Findings were proposed and wait for approval.
    Proposed {
        /// Who investigated.
        team: Team,
        /// Who proposed.
        by: ActorId,
        /// What they proposed: a finding for each allegation.
        findings: BTreeMap<AllegationId, Found>,
        /// What harm to its subjects they proposed with them.
        harms: Harms,
    },
}

impl Progress {
    /// Who investigates now; `None` while nobody was assigned.
    pub fn team(&self) -> Option<&Team> {
        match self {
            Self::Unassigned => None,
            Self::Investigating { team, .. } | Self::Proposed { team, .. } => Some(team),
        }
    }

    fn into_team(self) -> Team {
        match self {
            Self::Unassigned => Team::new(),
            Self::Investigating { team, .. } | Self::Proposed { team, .. } => team,
        }
    }

    /// The work of a team that begins, or begins again; nobody's if the team is empty.
    fn of(team: Team, returned: Option<ReturnCause>) -> Self {
        if team.is_empty() {
            Self::Unassigned
        } else {
            Self::Investigating { team, returned }
        }
    }
}

/// What is known of a case in every state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// The matter that it verifies.
    pub matter: MatterId,
    /// Where the matter was entered from: a register's name, or empty.
    pub source: String,
    /// The unit that handles it.
    pub unit: UnitCode,
    /// The unit that handles it once it is opened again, where the matter was raised after it had ended.
    pub moves_to: Option<UnitCode>,
    /// The reports that raised or joined the matter.
    pub reports: BTreeSet<ReportId>,
    /// The allegations that must be found on, in the order in which they came.
    pub allegations: Vec<Allegation>,
    /// Allegations of reports that joined after the case had ended and brought nothing new. They ask for nothing; if
    /// the case is opened again, they are found on with the others.
    pub registered: Vec<Allegation>,
    /// Who stays out of everything in this case: actors who are subjects of the matter or declared a conflict, and its
    /// reporters.
    pub recusal: Recusal,
    /// Whoever investigated, recorded evidence or proposed in this case, ever. Four eyes look here.
    pub took_part: BTreeSet<ActorId>,
    /// The evidence, in the order in which it was recorded.
    pub evidence: Vec<EvidenceId>,
    /// How many conclusions it had; the last one's number.
    pub conclusions: i32,
    /// Why it was opened again; `None` while it is not, or was concluded since.
    pub reopened: Option<String>,
}

impl Dossier {
    fn learn(&mut self, subjects: &[Subject], reporter: Option<&Mark>) {
        let actors = subjects.iter().filter_map(|subject| subject.actor.clone());
        self.recusal.actors.extend(actors);
        self.recusal.reporters.extend(reporter.cloned());
    }
}

/// What can be asked of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Opens it for a matter; follows from intake's `MatterOpened`.
    OpenCase(Matter),
    /// Takes in a report that joined the matter; follows from intake's `ReportJoined`.
    AddAllegations(opening::JoinedReport),
    /// Says who a subject is; follows from intake's `SubjectIdentified`.
    IdentifyInCase {
        /// Under which id the subject was not yet identified.
        placeholder: office::SubjectId,
        /// Who it is.
        subject: Subject,
    },
    /// Moves it to another unit; follows from intake's `MatterMoved`.
    MoveCase {
        /// Which.
        unit: UnitCode,
    },
    /// Keeps out who is recused; follows from intake's `ActorsRecused`.
    RecuseFromCase {
        /// Who.
        recusal: Recusal,
    },
    /// Assigns these investigators, and nobody else.
    AssignInvestigators {
        /// Who, in the order of the request.
        investigators: Vec<ActorId>,
    },
    /// The actor declares a conflict of interest.
    DeclareConflict {
        /// Why.
        reason: TextId,
    },
    /// Records evidence.
    RecordEvidence {
        /// The items, in the order of the request.
        items: Vec<EvidenceItem>,
    },
    /// Proposes a finding for each allegation, with the harm of its subjects.
    ProposeFindings {
        /// The findings, in the order of the request.
        findings: Vec<ProposedFinding>,
        /// The harms, in the order of the request. Where there are none nothing is written, so that a request of before
        /// there were any has the same hash still.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        harms: Vec<SubjectHarm>,
    },
    /// Returns what was proposed.
    ReturnFindings {
        /// Why.
        reason: TextId,
    },
    /// Approves what was proposed: the conclusion.
    ApproveFindings,
    /// Stops the deadline.
    SuspendCase {
        /// Why; a code.
        reason: String,
    },
    /// Lets the deadline go on.
    ResumeCase,
    /// Ends the case without a conclusion.
    DiscontinueCase {
        /// Why; a code.
        reason: String,
    },
    /// Opens a concluded case again.
    ReopenCase {
        /// Why; a code.
        reason: String,
    },
    /// The clock before the deadline.
    WarnCaseDue,
    /// The clock of the deadline.
    RecordCaseOverdue,
}

/// The actor is a subject or the reporter of the matter, or declared a conflict.
pub const RECUSED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "VERIFICATION_RECUSED",
    "You are recused from this case; somebody else must do it.",
);
/// An investigator to be assigned is recused; the refusal does not say why.
pub const INVESTIGATOR_RECUSED: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_INVESTIGATOR_RECUSED",
    "This actor is recused from the case; assign somebody else.",
);
/// Fewer investigators than the policy demands.
pub const TOO_FEW_INVESTIGATORS: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_TOO_FEW_INVESTIGATORS",
    "The policy demands more investigators for a case; name more.",
);
/// Some of those assigned were recused since, and those left are too few.
pub const TEAM_TOO_SMALL: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_TEAM_TOO_SMALL",
    "Too few of the assigned investigators are free of recusal; have others assigned first.",
);
/// Only those assigned record evidence and propose findings.
pub const NOT_INVESTIGATOR: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "VERIFICATION_NOT_INVESTIGATOR",
    "Only an investigator who is assigned to this case may do this.",
);
/// Whoever took part in the investigation, ever, does not decide on its findings.
pub const FOUR_EYES: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "VERIFICATION_FOUR_EYES",
    "You investigated this case; a supervisor who took no part in it decides on its findings.",
);
/// Who proposed was recused since.
pub const PROPOSER_RECUSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_PROPOSER_RECUSED",
    "Who proposed this is recused by now; return it, so that somebody else proposes.",
);
/// Findings wait for approval.
pub const FINDINGS_PROPOSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_FINDINGS_PROPOSED",
    "Findings are proposed and wait for approval; they must be returned first.",
);
/// There is nothing to approve or return.
pub const NOTHING_PROPOSED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_NOTHING_PROPOSED",
    "No findings are proposed in this case.",
);
/// The findings are not exactly one for each allegation, or rest on nothing; or the harm is of nobody here.
pub const FINDINGS_INCOMPLETE: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_FINDINGS_INCOMPLETE",
    "Every allegation needs exactly one finding that rests on evidence of this case, every harm a subject of it; see the fields.",
);
/// Evidence from the future.
pub const OBTAINED_LATER: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "VERIFICATION_OBTAINED_LATER",
    "Evidence cannot have been obtained later than today.",
);
/// The case is suspended.
pub const SUSPENDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_SUSPENDED",
    "The case is suspended; resume it first.",
);
/// The case is concluded.
pub const CONCLUDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_CONCLUDED",
    "The case is concluded; it must be reopened first.",
);
/// The case is discontinued.
pub const DISCONTINUED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_DISCONTINUED",
    "The case was discontinued; only a report with new facts opens it again.",
);
/// The case has no conclusion that stands.
pub const NOT_CONCLUDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "VERIFICATION_NOT_CONCLUDED",
    "The case has no conclusion that stands; there is nothing to reopen.",
);

/// The id of a matter's case: one case per matter.
pub fn case_of(matter: MatterId) -> CaseId {
    CaseId::natural(&[matter.as_bytes()])
}

/// An open case, as most decisions look at it.
pub(crate) struct Open<'a> {
    pub(crate) dossier: &'a Dossier,
    pub(crate) progress: &'a Progress,
    pub(crate) deadline: &'a Deadline,
}

impl Open<'_> {
    /// Refuses while the deadline is stopped: nobody works on a suspended case.
    fn running(&self) -> Result<(), Rejection> {
        match self.deadline {
            Deadline::Running { .. } => Ok(()),
            Deadline::Stopped { .. } => Err(SUSPENDED.into()),
        }
    }
}

impl State {
    /// What is known of the case; `None` while it was not opened.
    pub fn dossier(&self) -> Option<&Dossier> {
        match self {
            Self::Unopened => None,
            Self::Open { dossier, .. }
            | Self::Concluded { dossier, .. }
            | Self::Discontinued { dossier, .. } => Some(dossier),
        }
    }

    fn dossier_mut(&mut self) -> Option<&mut Dossier> {
        match self {
            Self::Unopened => None,
            Self::Open { dossier, .. }
            | Self::Concluded { dossier, .. }
            | Self::Discontinued { dossier, .. } => Some(dossier),
        }
    }

    /// The open case, or why it is none.
    fn open(&self) -> Result<Open<'_>, Rejection> {
        match self {
            Self::Unopened => Err(NOT_FOUND.into()),
            Self::Open {
                dossier,
                progress,
                deadline,
            } => Ok(Open {
                dossier,
                progress,
                deadline,
            }),
            Self::Concluded { .. } => Err(CONCLUDED.into()),
            Self::Discontinued { .. } => Err(DISCONTINUED.into()),
        }
    }

    /// What was proposed or concluded on each allegation; nothing while neither is so.
    pub fn findings(&self) -> Option<&BTreeMap<AllegationId, Found>> {
        match self {
            Self::Concluded { findings, .. }
            | Self::Open {
                progress: Progress::Proposed { findings, .. },
                ..
            } => Some(findings),
            _ => None,
        }
    }

    /// What harm was proposed or concluded on each subject; nothing while neither is so.
    pub fn harms(&self) -> Option<&Harms> {
        match self {
            Self::Concluded { harms, .. }
            | Self::Open {
                progress: Progress::Proposed { harms, .. },
                ..
            } => Some(harms),
            _ => None,
        }
    }

    /// Who investigates, or did last.
    pub fn team(&self) -> Option<&Team> {
        match self {
            Self::Unopened => None,
            Self::Open { progress, .. } => progress.team(),
            Self::Concluded { team, .. } | Self::Discontinued { team, .. } => Some(team),
        }
    }
}

impl Aggregate for Case {
    const KIND: &'static str = "case";
    const FORMAT: u32 = 4;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::OpenCase(matter) => opening::open(state, matter, context),
            Command::AddAllegations(report) => opening::join(state, report, context),
            Command::IdentifyInCase {
                placeholder,
                subject,
            } => opening::identify(state, *placeholder, subject, context),
            Command::MoveCase { unit } => moving::move_to(state, unit),
            Command::RecuseFromCase { recusal } => investigation::learn_recusal(state, recusal),
            Command::AssignInvestigators { investigators } => {
                investigation::assign(state, investigators, context)
            }
            Command::DeclareConflict { reason } => {
                investigation::declare_conflict(state, *reason, context)
            }
            Command::RecordEvidence { items } => {
                investigation::record_evidence(state, items, context)
            }
            Command::ProposeFindings { findings, harms } => {
                findings::propose(state, findings, harms, context)
            }
            Command::ReturnFindings { reason } => findings::give_back(state, *reason, context),
            Command::ApproveFindings => findings::approve(state, context),
            Command::SuspendCase { reason } => course::suspend(state, reason, context),
            Command::ResumeCase => course::resume(state, context),
            Command::DiscontinueCase { reason } => course::discontinue(state, reason),
            Command::ReopenCase { reason } => course::reopen(state, reason, context),
            Command::WarnCaseDue => course::warn(state, context),
            Command::RecordCaseOverdue => course::record_overdue(state, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        events::evolve(state, event);
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let Some(dossier) = state.dossier() else {
            return Ok(());
        };
        visitor.within([&dossier.unit])?;
        // A service does what follows from somebody's decision; that the case learns of it hides nothing from anybody.
        if visitor.actor.is_service() {
            return Ok(());
        }
        dossier.recusal.check(visitor, RECUSED)
    }

    fn matter(_id: Uuid, state: &State) -> Option<Uuid> {
        state.dossier().map(|dossier| dossier.matter.uuid())
    }

    fn announce(id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce(id.into(), event)
    }

    fn effects(_id: Uuid, event: &Event, effects: &mut Effects) {
        course::clocks(event, effects);
    }
}

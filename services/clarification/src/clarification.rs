//! A clarification: restoring the name of one subject on one matter (澄清正名), from the conclusion that clears them to
//! the organisation department's note.
//!
//! Here are its state, its commands, its refusals, and what each event does to it; `decide` only dispatches. The
//! decisions stand by the headings of `domain.md`: [`candidacy`], [`screening`], [`wish`], [`forms`], [`drafting`],
//! [`approval`], [`rendering`], [`carrying_out`], [`at_meeting`], [`afterwards`], [`recusing`], [`applying`], [`waiting`],
//! and [`course`] (halted, superseded, taken up again, the clocks).
//!
//! To add a command: a variant of [`Command`], a function in the room of its heading, its line in `decide`, and tests
//! there that bear the rule's name. To add an event: its payload in that room, its line in [`Event`], what it does in
//! `evolve`, a sample in `tests/stored`. A payload holds ids, codes, dates and decisions; a reason is a text.
//!
//! What people see as its state is worked out ([`State::standing`]): that a department objects or that the subject
//! declines is kept once, where it was said, and holds for everything that is asked afterwards.
//!
//! The trap: `evolve` meets every event that was ever stored. With every change of what it does, raise
//! [`Aggregate::FORMAT`].

pub mod afterwards;
pub mod applying;
pub mod approval;
pub mod at_meeting;
pub mod candidacy;
pub mod carrying_out;
pub mod course;
pub mod drafting;
#[cfg(test)]
pub(crate) mod fixture;
pub mod forms;
pub mod recusing;
pub mod rendering;
pub mod screening;
pub mod waiting;
pub mod wish;

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{
    Aggregate, Announcement, Decision, Effects, Made, Rejection, TextRef, Visitor,
};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal, RefusalKind};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{ActorId, MatterId, Notice, Role, SubjectId, TextId, UnitCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::afterwards::Confirmation;
use self::applying::{Applications, Applying};
use self::approval::{Approval, Facts};
use self::at_meeting::AtMeeting;
use self::carrying_out::{Execution, Particulars};
use self::drafting::Statement;
use self::forms::{DecidedForm, Form};
use self::screening::{Opinion, Screening};
use self::waiting::Applied;
use self::wish::{Said, Wish};
use crate::conclusion::{Clearance, NotCleared, Reason, Ruling, Subject};
use crate::ledger;
use crate::matter::RECUSED;
use crate::printing::{Document, Rendering};

/// What a decision may know: verification's and intake's answers, for the steps that rest on one.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Clarification;

/// How far a clarification is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No conclusion has cleared the subject, and nobody has applied for it.
    #[default]
    Unopened,
    /// The subject has applied, and no conclusion has cleared them.
    Applied(Box<Applied>),
    /// A conclusion has cleared the subject.
    Open(Box<Dossier>),
}

/// What is known of a clarification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// The matter.
    pub matter: MatterId,
    /// Where the matter was entered from: a register's name, or empty.
    pub source: String,
    /// The subject.
    pub subject: Subject,
    /// The units whose personnel department keeps the subject's record.
    pub kept_by: Vec<UnitCode>,
    /// Who is recused from the matter.
    pub recusal: Recusal,
    /// The ordinal of the newest ruling that was heard.
    pub heard: u32,
    /// How often it was taken up; 1 at first.
    pub round: u32,
    /// The conclusion that it rests on.
    pub clearance: Clearance,
    /// Whoever had a part in preparing it, ever. Four eyes look here.
    pub took_part: BTreeSet<ActorId>,
    /// What the subject wished before it was last taken up. Nothing is done on it, but a refusal is not forgotten.
    pub earlier_wish: Option<Wish>,
    /// What the subject applied for in writing.
    pub applications: Applications,
    /// How far it is.
    pub stage: Stage,
    /// Its entries in ledgers, in their order.
    pub entries: Vec<ledger::Entered>,
    /// The meetings that it was ever carried out at.
    pub meetings: BTreeMap<Uuid, Held>,
    /// The meetings that were ever convened for it.
    pub called: BTreeSet<Uuid>,
    /// Those of them that it was to be carried out at and that know what became of it.
    pub answered: BTreeSet<Uuid>,
    /// When bulletins must be removed, of this round or an earlier one, while it was not asked for.
    pub removals: BTreeSet<Timestamp>,
    /// When those bulletins had to be removed whose removal was asked for.
    pub removal_asked: BTreeSet<Timestamp>,
    /// The documents that were handed over last.
    pub handed_over: Vec<Document>,
}

/// That a meeting was held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// By which unit.
    pub unit: UnitCode,
    /// On which day.
    pub on: Date,
}

/// How far a clarification is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The harm that was recorded rules it out.
    NotEligible {
        /// All conditions that are not met.
        reasons: Vec<Reason>,
    },
    /// It is being prepared.
    Preparing(Preparation),
    /// The name was cleared.
    CarriedOut {
        /// How it was prepared.
        preparation: Preparation,
        /// How it was carried out.
        execution: Box<Execution>,
        /// Whether the organisation department took note.
        confirmation: Confirmation,
    },
    /// The conclusion stood no longer before it was carried out.
    Halted,
    /// The conclusion stood no longer after it was carried out.
    Superseded,
}

/// A clarification on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// What the departments said.
    pub screening: Screening,
    /// What the subject wishes; `None` while it was not heard.
    pub wish: Option<Wish>,
    /// How far the work is.
    pub progress: Progress,
}

/// How far the work on a clarification is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Its form is not decided.
    Undecided,
    /// Its form is.
    FormDecided {
        /// The form.
        form: DecidedForm,
        /// Why the last draft came back, if one did.
        returned: Option<TextRef>,
    },
    /// Its statement waits for approval.
    Drafted {
        /// The form.
        form: DecidedForm,
        /// The statement.
        statement: Statement,
    },
    /// It is to be carried out.
    Approved {
        /// The form.
        form: DecidedForm,
        /// The statement.
        statement: Statement,
        /// By whom it was approved, and until when it must be carried out.
        approval: Approval,
        /// The documents of this approval; none while they are being made.
        documents: Vec<Document>,
    },
}

impl Progress {
    /// The form, once it is decided.
    pub fn form(&self) -> Option<&DecidedForm> {
        match self {
            Self::Undecided => None,
            Self::FormDecided { form, .. }
            | Self::Drafted { form, .. }
            | Self::Approved { form, .. } => Some(form),
        }
    }

    /// The statement, once it is drafted.
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Self::Undecided | Self::FormDecided { .. } => None,
            Self::Drafted { statement, .. } | Self::Approved { statement, .. } => Some(statement),
        }
    }

    /// The approval, once it is approved.
    pub fn approval(&self) -> Option<&Approval> {
        match self {
            Self::Approved { approval, .. } => Some(approval),
            _ => None,
        }
    }
}

/// What becomes of what was prepared when something is said that it cannot outlast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// It stays.
    Stays,
    /// It is done again.
    Falls,
}

/// How far a clarification is, in one word: as it is listed, counted and filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The subject has applied, and no conclusion has cleared them.
    Applied,
    /// Opinions are missing.
    Screening,
    /// All departments agree.
    Eligible,
    /// The harm rules it out, or a department objects.
    NotEligible,
    /// The form is decided.
    FormDecided,
    /// The statement waits for approval.
    Drafted,
    /// It is to be carried out.
    Approved,
    /// The name was cleared.
    CarriedOut,
    /// The organisation department took note.
    Confirmed,
    /// The subject does not wish it.
    Declined,
    /// The conclusion stood no longer before it was carried out.
    Halted,
    /// The conclusion stood no longer after it was carried out.
    Superseded,
}

/// What can be asked of a clarification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Take in how the subject stands in the matter; follows from what the matter learned.
    FollowRuling(Box<Ruling>),
    /// Take the subject's written application in.
    ApplyForClarification(Box<Applying>),
    /// Learn why the newest ruling does not clear whoever applied; follows from what the matter learned.
    LearnNotCleared(Box<NotCleared>),
    /// Keep out who is recused; follows from what the matter learned.
    RecuseFromClarification {
        /// Who.
        recusal: Recusal,
    },
    /// One department's opinion.
    RecordOpinion {
        /// What it says.
        opinion: Opinion,
        /// Why.
        reason: TextId,
    },
    /// Take the department's objection back.
    WithdrawObjection {
        /// Why.
        reason: TextId,
    },
    /// What the subject wishes.
    RecordWish {
        /// What they said.
        said: Said,
        /// When they were heard.
        heard_on: Date,
        /// Who spoke: for an organisation, which person of intake's register; of a person only themselves.
        spoken_by: Option<SubjectId>,
    },
    /// The subject died or cannot be found.
    RecordUnreachable {
        /// Why, and what was tried.
        reason: TextId,
    },
    /// Choose a form.
    DecideForm {
        /// Which.
        form: Form,
        /// Why, where it is another than the recommended one.
        reason: Option<TextId>,
    },
    /// Draft the statement.
    DraftStatement {
        /// A remark beside it.
        note: Option<TextId>,
    },
    /// Give the draft back.
    ReturnDraft {
        /// Why.
        reason: TextId,
    },
    /// Approve what was drafted.
    ApproveClarification,
    /// Keep the documents of the approval; follows from it.
    RenderDocuments,
    /// Record that it was carried out.
    CarryOutClarification(Box<Particulars>),
    /// Learn of a meeting; follows from its convening.
    CallToMeeting {
        /// Which.
        meeting: Uuid,
    },
    /// Carry it out at a meeting; follows from that being held.
    ClearAtMeeting(Box<AtMeeting>),
    /// The organisation department takes note.
    ConfirmClarification,
    /// The actor declares a conflict of interest.
    DeclareClarificationConflict {
        /// Why.
        reason: TextId,
    },
    /// Keep the number of an entry; follows from the ledger's event.
    NoteLedgerNumber(Box<ledger::Entered>),
    /// The clock before the last day of carrying out.
    WarnExecutionDue,
    /// The clock of that day.
    RecordExecutionOverdue,
    /// The clock of the organisation department's note.
    RemindPersonnel,
    /// The clock of a bulletin's removal.
    AskForRemoval,
}

chassis::events! {
    /// What can happen to a clarification.
    pub enum Event {
        /// A conclusion cleared the subject.
        Opened(candidacy::Opened) = "candidate_opened" 1,
        /// The subject applied before any conclusion cleared them.
        AppliedFor(waiting::AppliedFor) = "clarification_applied_for" 1,
        /// An application was taken in.
        ApplicationRecorded(applying::ApplicationRecorded) = "application_recorded" 1,
        /// It became known why the newest ruling does not clear whoever applied.
        ReasonsLearned(waiting::ReasonsLearned) = "reasons_learned" 1,
        /// A later conclusion in the subject's favour took it up again.
        TakenUp(course::TakenUp) = "clarification_taken_up" 1,
        /// Its conclusion stands no longer; it was not carried out.
        Halted(course::Halted) = "clarification_halted" 1,
        /// Its conclusion stands no longer; it had been carried out.
        Superseded(course::Superseded) = "clarification_superseded" 1,
        /// A ruling was heard that changes nothing.
        RulingHeard(course::RulingHeard) = "ruling_heard" 1,
        /// It became known who is recused.
        ActorsRecused(recusing::ActorsRecused) = "clarification_actors_recused" 1,
        /// An actor declared a conflict of interest.
        ConflictDeclared(recusing::ConflictDeclared) = "clarification_conflict_declared" 1,
        /// A department gave its opinion.
        OpinionRecorded(screening::OpinionRecorded) = "opinion_recorded" 1,
        /// A department took its objection back.
        ObjectionWithdrawn(screening::ObjectionWithdrawn) = "objection_withdrawn" 1,
        /// The subject was heard.
        WishRecorded(wish::WishRecorded) = "wish_recorded" 2 { 1 => wish::without_speaker },
        /// The subject cannot be heard any more.
        FoundUnreachable(wish::FoundUnreachable) = "subject_unreachable" 2 { 1 => wish::leaving_the_form },
        /// A form was chosen.
        FormDecided(forms::FormDecided) = "form_decided" 1,
        /// The statement was drafted.
        StatementDrafted(drafting::StatementDrafted) = "statement_drafted" 1,
        /// The draft came back.
        DraftReturned(drafting::DraftReturned) = "draft_returned" 1,
        /// It was approved.
        Approved(approval::Approved) = "clarification_approved" 1,
        /// Its documents were made.
        DocumentsRendered(rendering::DocumentsRendered) = "documents_rendered" 1,
        /// The last day of carrying it out is near.
        ExecutionNear(course::ExecutionNear) = "execution_near" 1,
        /// That day has passed.
        ExecutionOverdue(course::ExecutionOverdue) = "execution_overdue" 1,
        /// It was carried out.
        CarriedOut(carrying_out::CarriedOut) = "clarification_carried_out" 1,
        /// A meeting was convened for it.
        CalledToMeeting(at_meeting::CalledToMeeting) = "clarification_called_to_meeting" 1,
        /// That meeting was held, and it was carried out at it or was not.
        MeetingAnswered(at_meeting::MeetingAnswered) = "clarification_meeting_answered" 1,
        /// It stands in the ledger under this number.
        LedgerNumbered(afterwards::LedgerNumbered) = "ledger_numbered" 1,
        /// The organisation department was reminded.
        PersonnelReminded(afterwards::PersonnelReminded) = "personnel_reminded" 1,
        /// The organisation department took note.
        Confirmed(afterwards::Confirmed) = "clarification_confirmed" 1,
        /// A bulletin is to be removed.
        RemovalDue(afterwards::RemovalDue) = "removal_due" 1,
    }
}

/// The harm rules it out, or a department objects.
pub const NOT_ELIGIBLE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOT_ELIGIBLE",
    "This clarification is not eligible; its reasons say why.",
);
/// No conclusion clears the subject, who has applied for it.
pub const NOT_CLEARED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NOT_CLEARED",
    "No conclusion clears the subject; the application is kept, and its reasons say why.",
);
/// The conclusion stands no longer.
pub const HALTED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_HALTED",
    "The case was reopened, so this clarification is halted until a new conclusion clears the subject.",
);
/// The conclusion that it was carried out on stands no longer.
pub const SUPERSEDED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_SUPERSEDED",
    "The case was reopened after this was carried out; only a new conclusion that clears the subject takes it up again.",
);
/// It was carried out; what was prepared does not change any more.
pub const CARRIED_OUT: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_CARRIED_OUT",
    "This clarification was carried out; what it rests on does not change any more.",
);
/// It was approved; what was approved does not change any more.
pub const APPROVED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_APPROVED",
    "This clarification is approved; it can only be carried out as it is.",
);

impl State {
    /// What is known of it; `None` while it was not opened.
    pub fn dossier(&self) -> Option<&Dossier> {
        match self {
            Self::Unopened | Self::Applied(_) => None,
            Self::Open(dossier) => Some(dossier),
        }
    }

    /// What is known of it.
    ///
    /// # Errors
    /// [`NOT_FOUND`] where there is nothing, [`NOT_CLEARED`] where there is an application only.
    fn opened(&self) -> Result<&Dossier, Rejection> {
        match self {
            Self::Unopened => Err(NOT_FOUND.into()),
            Self::Applied(_) => Err(NOT_CLEARED.into()),
            Self::Open(dossier) => Ok(dossier),
        }
    }

    /// The matter; `None` while there is nothing.
    fn matter(&self) -> Option<MatterId> {
        match self {
            Self::Unopened => None,
            Self::Applied(applied) => Some(applied.matter),
            Self::Open(dossier) => Some(dossier.matter),
        }
    }

    /// Who is recused; `None` while there is nothing.
    fn recusal(&self) -> Option<&Recusal> {
        match self {
            Self::Unopened => None,
            Self::Applied(applied) => Some(&applied.recusal),
            Self::Open(dossier) => Some(&dossier.recusal),
        }
    }

    /// All conditions that are not met; nothing where it goes on, or there is nothing.
    pub fn reasons(&self) -> Vec<Reason> {
        match self {
            Self::Unopened => Vec::new(),
            Self::Applied(applied) => applied.reasons.clone(),
            Self::Open(dossier) => dossier.reasons(),
        }
    }

    /// How far it is, in one word; `None` while there is nothing.
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Self::Unopened => None,
            Self::Applied(_) => Some(Standing::Applied),
            Self::Open(dossier) => Some(dossier.standing()),
        }
    }

    /// A clarification that is being prepared, for an actor of the unit that carries it out or of one above. Who keeps
    /// the subject's record sees it and takes note of it, and does nothing else.
    fn preparing(&self, context: &Context) -> Result<(&Dossier, &Preparation), Rejection> {
        let dossier = self.opened()?;
        context.visitor().within([&dossier.clearance.unit])?;
        match &dossier.stage {
            Stage::Preparing(preparation) => Ok((dossier, preparation)),
            Stage::NotEligible { .. } => Err(NOT_ELIGIBLE.into()),
            Stage::CarriedOut { .. } => Err(CARRIED_OUT.into()),
            Stage::Halted => Err(HALTED.into()),
            Stage::Superseded => Err(SUPERSEDED.into()),
        }
    }
}

impl Dossier {
    /// All conditions that are not met; nothing where it goes on.
    pub fn reasons(&self) -> Vec<Reason> {
        match &self.stage {
            Stage::NotEligible { reasons } => reasons.clone(),
            _ if self.standing() == Standing::NotEligible => vec![Reason::Objection],
            _ => Vec::new(),
        }
    }

    /// How far it is, in one word.
    pub fn standing(&self) -> Standing {
        let preparation = match &self.stage {
            Stage::NotEligible { .. } => return Standing::NotEligible,
            Stage::Halted => return Standing::Halted,
            Stage::Superseded => return Standing::Superseded,
            Stage::CarriedOut {
                confirmation: Confirmation::Confirmed { .. },
                ..
            } => return Standing::Confirmed,
            Stage::CarriedOut { .. } => return Standing::CarriedOut,
            Stage::Preparing(preparation) => preparation,
        };
        if preparation.wish.as_ref().is_some_and(Wish::declines) {
            return Standing::Declined;
        }
        if preparation.screening.objected() {
            return Standing::NotEligible;
        }
        match &preparation.progress {
            Progress::Undecided if preparation.screening.all_agree() => Standing::Eligible,
            Progress::Undecided => Standing::Screening,
            Progress::FormDecided { .. } => Standing::FormDecided,
            Progress::Drafted { .. } => Standing::Drafted,
            Progress::Approved { .. } => Standing::Approved,
        }
    }

    /// What was said of the deadline that runs: of carrying out, or of the organisation department's note.
    pub fn notice(&self) -> Notice {
        match &self.stage {
            Stage::Preparing(Preparation { progress, .. }) => progress
                .approval()
                .map_or(Notice::Silent, |approval| approval.notice),
            Stage::CarriedOut {
                confirmation: Confirmation::Reminded,
                ..
            } => Notice::Overdue,
            _ => Notice::Silent,
        }
    }

    /// Whether the subject cannot be heard, and the unit decides, or decided, in their place.
    pub fn unreachable(&self) -> bool {
        let wish = self.preparation().and_then(|said| said.wish.as_ref());
        matches!(wish, Some(Wish::Unreachable { .. }))
    }

    /// How it was or is being prepared; `None` where the harm rules it out or the conclusion stands no longer.
    pub fn preparation(&self) -> Option<&Preparation> {
        match &self.stage {
            Stage::Preparing(preparation) | Stage::CarriedOut { preparation, .. } => {
                Some(preparation)
            }
            Stage::NotEligible { .. } | Stage::Halted | Stage::Superseded => None,
        }
    }
}

impl Aggregate for Clarification {
    const KIND: &'static str = office::ClarificationId::KIND;
    const FORMAT: u32 = 5;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Facts;

    fn made(facts: &Facts) -> Vec<Made> {
        let rendering = facts.rendering.as_ref();
        rendering.map(Rendering::made).unwrap_or_default()
    }

    fn decide(state: &State, command: &Command, context: &Context) -> Decision<Event> {
        match command {
            Command::FollowRuling(ruling) => course::follow(state, ruling, context),
            Command::ApplyForClarification(applying) => applying::apply(state, applying, context),
            Command::LearnNotCleared(told) => waiting::learn(state, told),
            Command::RecuseFromClarification { recusal } => {
                recusing::learn(state, recusal, context)
            }
            Command::DeclareClarificationConflict { reason } => {
                recusing::declare_conflict(state, *reason, context)
            }
            Command::RecordOpinion { opinion, reason } => {
                screening::record(state, *opinion, *reason, context)
            }
            Command::WithdrawObjection { reason } => screening::withdraw(state, *reason, context),
            Command::RecordWish {
                said,
                heard_on,
                spoken_by,
            } => wish::record(state, said, *heard_on, *spoken_by, context),
            Command::RecordUnreachable { reason } => wish::unreachable(state, *reason, context),
            Command::DecideForm { form, reason } => forms::decide(state, *form, *reason, context),
            Command::DraftStatement { note } => drafting::draft(state, *note, context),
            Command::ReturnDraft { reason } => drafting::give_back(state, *reason, context),
            Command::ApproveClarification => approval::approve(state, context),
            Command::RenderDocuments => rendering::keep(state, context),
            Command::CarryOutClarification(particulars) => {
                carrying_out::carry_out(state, particulars, context)
            }
            Command::CallToMeeting { meeting } => at_meeting::call(state, *meeting),
            Command::ClearAtMeeting(at) => at_meeting::clear(state, at, context),
            Command::ConfirmClarification => afterwards::confirm(state, context),
            Command::NoteLedgerNumber(entered) => afterwards::note_number(state, entered, context),
            Command::WarnExecutionDue => course::warn(state, context),
            Command::RecordExecutionOverdue => course::record_overdue(state, context),
            Command::RemindPersonnel => afterwards::remind(state, context),
            Command::AskForRemoval => afterwards::ask_for_removal(state, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        let dossier = match (state, event) {
            (state, Event::Opened(opened)) => {
                let before = std::mem::take(state);
                *state = State::Open(Box::new(waiting::opened(before, opened)));
                return;
            }
            (state @ State::Unopened, Event::AppliedFor(applied)) => {
                *state = State::Applied(Box::new(waiting::applied_for(applied)));
                return;
            }
            (State::Applied(applied), _) => {
                waiting::waits(applied, event);
                return;
            }
            (State::Open(dossier), _) => dossier,
            // Every history begins with its opening or with an application.
            (State::Unopened, _) => return,
        };
        match event {
            Event::Opened(_) | Event::AppliedFor(_) | Event::ReasonsLearned(_) => {}
            Event::ApplicationRecorded(recorded) => applying::recorded(dossier, recorded),
            Event::TakenUp(taken_up) => course::taken_up(dossier, taken_up),
            Event::Halted(halted) => course::halted(dossier, halted),
            Event::Superseded(superseded) => course::superseded(dossier, superseded),
            Event::RulingHeard(heard) => dossier.heard = heard.ordinal,
            Event::ActorsRecused(recused) => recusing::recused(dossier, recused),
            Event::ConflictDeclared(declared) => recusing::conflict_declared(dossier, declared),
            Event::LedgerNumbered(numbered) => dossier.entries.push(numbered.entered.clone()),
            Event::RemovalDue(due) => {
                dossier.removals.remove(&due.since);
                dossier.removal_asked.insert(due.since);
            }
            Event::CarriedOut(carried_out) => carrying_out::carried_out(dossier, carried_out),
            Event::CalledToMeeting(called) => {
                dossier.called.insert(called.meeting);
            }
            Event::MeetingAnswered(answered) => {
                dossier.answered.insert(answered.meeting);
            }
            Event::PersonnelReminded(_) => afterwards::reminded(dossier),
            Event::Confirmed(confirmed) => afterwards::confirmed(dossier, confirmed),
            Event::OpinionRecorded(_)
            | Event::ObjectionWithdrawn(_)
            | Event::WishRecorded(_)
            | Event::FoundUnreachable(_)
            | Event::FormDecided(_)
            | Event::StatementDrafted(_)
            | Event::DraftReturned(_)
            | Event::Approved(_)
            | Event::DocumentsRendered(_)
            | Event::ExecutionNear(_)
            | Event::ExecutionOverdue(_) => prepare(dossier, event),
        }
    }

    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        let mut units = match state {
            State::Unopened => return Ok(()),
            State::Applied(applied) => vec![&applied.unit],
            State::Open(dossier) => vec![&dossier.clearance.unit],
        };
        if visitor.actor.has(Role::PersonnelOfficer) {
            let kept_by = state.dossier().into_iter();
            units.extend(kept_by.flat_map(|dossier| &dossier.kept_by));
        }
        visitor.within(units)?;
        let recusal = state.recusal();
        recusal.map_or(Ok(()), |recusal| recusal.check(visitor, RECUSED))
    }

    fn matter(_id: Uuid, state: &State) -> Option<Uuid> {
        state.matter().map(MatterId::uuid)
    }

    fn announce(id: Uuid, event: &Event) -> Option<Announcement> {
        crate::announcements::announce(id.into(), event)
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        course::clocks(event, effects);
        rendering::follow(id.into(), event, effects);
        afterwards::follow(id.into(), event, effects);
        recusing::tell(id.into(), event, effects);
        waiting::tell(event, effects);
        at_meeting::tell(id.into(), event, effects);
    }
}

/// What happens to a clarification that is being prepared and goes on being so.
fn prepare(dossier: &mut Dossier, event: &Event) {
    let Stage::Preparing(preparation) = &mut dossier.stage else {
        return;
    };
    match event {
        Event::OpinionRecorded(recorded) => {
            dossier.took_part.insert(recorded.by.clone());
            screening::recorded(preparation, recorded);
        }
        Event::ObjectionWithdrawn(withdrawn) => {
            dossier.took_part.insert(withdrawn.by.clone());
            screening::withdrawn(preparation, withdrawn);
        }
        Event::WishRecorded(recorded) => {
            dossier.took_part.insert(recorded.by.clone());
            wish::recorded(preparation, recorded);
        }
        Event::FoundUnreachable(found) => {
            dossier.took_part.insert(found.by.clone());
            wish::found_unreachable(preparation, found);
        }
        Event::FormDecided(decided) => {
            dossier.took_part.insert(decided.form.by.clone());
            forms::decided(preparation, decided);
        }
        Event::StatementDrafted(drafted) => {
            dossier.took_part.insert(drafted.statement.by.clone());
            drafting::drafted(preparation, drafted);
        }
        Event::DraftReturned(returned) => drafting::returned(preparation, returned),
        Event::Approved(approved) => approval::approved(preparation, approved),
        Event::DocumentsRendered(rendered) => rendering::kept(preparation, rendered),
        Event::ExecutionNear(_) => course::noticed(preparation, Notice::Near),
        Event::ExecutionOverdue(_) => course::noticed(preparation, Notice::Overdue),
        _ => {}
    }
}

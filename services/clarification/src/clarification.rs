//! A clarification: restoring the name of one subject on one matter (澄清正名), from the conclusion that clears them to
//! the organisation department's note.
//!
//! Here are its commands, its refusals, and what each event does to its state, the [`dossier`]; `decide` only
//! dispatches. The decisions stand by the headings of `domain.md`: [`candidacy`], [`screening`], [`wish`],
//! [`unreachable`], [`forms`], [`drafting`], [`approval`], [`rendering`], [`carrying_out`], [`at_meeting`],
//! [`afterwards`], [`recusing`], [`applying`], [`waiting`], [`course`] (halted, superseded, taken up again) and
//! [`deadlines`] (the clocks).
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
pub mod deadlines;
pub mod dossier;
pub mod drafting;
#[cfg(test)]
pub(crate) mod fixture;
pub mod forms;
pub mod recusing;
pub mod rendering;
pub mod screening;
pub mod unreachable;
pub mod waiting;
pub mod wish;

use chassis::aggregate::{Aggregate, Announcement, Decision, Effects, Made, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{Refusal, RefusalKind};
use jiff::civil::Date;
use office::{MatterId, Notice, Role, SubjectId, TextId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::applying::Applying;
use self::approval::Facts;
use self::at_meeting::AtMeeting;
use self::carrying_out::Particulars;
pub use self::dossier::{Dossier, Held, Left, Preparation, Progress, Stage, Standing, State};
use self::forms::Form;
use self::screening::Opinion;
use self::wish::Said;
use crate::conclusion::{NotCleared, Ruling};
use crate::ledger;
use crate::matter::RECUSED;
use crate::printing::Rendering;

/// What a decision may know: verification's and intake's answers, for the steps that rest on one.
pub type Context = chassis::aggregate::Context<Facts>;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct Clarification;

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
        FoundUnreachable(unreachable::FoundUnreachable) = "subject_unreachable" 2 { 1 => unreachable::leaving_the_form },
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
        ExecutionNear(deadlines::ExecutionNear) = "execution_near" 1,
        /// That day has passed.
        ExecutionOverdue(deadlines::ExecutionOverdue) = "execution_overdue" 1,
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

impl Aggregate for Clarification {
    const KIND: &'static str = office::ClarificationId::KIND;
    const FORMAT: u32 = 6;
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
            Command::RecordUnreachable { reason } => unreachable::record(state, *reason, context),
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
            Command::WarnExecutionDue => deadlines::warn(state, context),
            Command::RecordExecutionOverdue => deadlines::record_overdue(state, context),
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
        deadlines::clocks(event, effects);
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
            unreachable::recorded(preparation, found);
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
        Event::ExecutionNear(_) => deadlines::noticed(preparation, Notice::Near),
        Event::ExecutionOverdue(_) => deadlines::noticed(preparation, Notice::Overdue),
        _ => {}
    }
}

//! What every office knows: actors and their roles, the hierarchy of units, the calendar, the policy profile and typed
//! ids. All of it is pure — no clock, no randomness — except [`Policies::load`], which reads a folder once at start.
//!
//! A thing enters this crate when two services use it. The trap: a number of `domain.md` is never a constant here, it
//! is a field of the [`Profile`] and stands in `deploy/policy/default.toml`.

mod actor;
mod calendar;
mod code;
mod due;
mod ids;
mod level;
mod policy;
mod unit;

pub use actor::{Actor, ActorFault, ActorId, Department, Role, UnknownRole};
pub use calendar::{Calendar, CalendarFault};
pub use code::CodeFault;
pub use due::{Due, Notice};
pub use ids::{
    AllegationId, CaseId, ClarificationId, EventId, EvidenceId, FileId, Id, IdFault, MatterId,
    ReportId, RequestId, SanctionId, SubjectId, TextId, VisitId, natural_id,
};
pub use level::{Level, UnknownLevel};
pub use policy::{
    Clarification, Documents, Escalation, Finding, FollowUp, Intake, Policies, PolicyFault,
    PolicyFaults, Profile, Texts, Verification,
};
pub use unit::{Unit, UnitCode, UnitFault, Units};

//! Who is recused: the subjects of a report or matter that are actors themselves, and its reporters that are officials.
//!
//! Reports and matters ask it in `admit`, before every decision and every Get. Of a reporter only a keyed hash is kept.
//! Source: `domain.md`, Actors.

use chassis::refusal::{Refusal, RefusalKind};

/// The actor is a subject or the reporter.
pub const RECUSED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "INTAKE_RECUSED",
    "You are part of this yourself, so others decide on it; hand it to a colleague.",
);

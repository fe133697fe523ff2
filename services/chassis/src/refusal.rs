//! Refusals: why a command was not carried out, in words for a person and a code for a machine.
//!
//! A refusal is the caller's to act on. It never holds a name, a contact or a narrative: its sentence is a constant,
//! and what only an operator may know stands in [`Note`], which cannot be displayed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What sort of refusal it is; it maps to one gRPC status ([`Refusal::status`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The request itself is wrong; its violations say where.
    InvalidArgument,
    /// The request is fine, the state of things is not (yet).
    FailedPrecondition,
    /// No valid token.
    Unauthenticated,
    /// This actor may not.
    PermissionDenied,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// Something else stands there already.
    AlreadyExists,
    /// Others were faster, several times over.
    Aborted,
    /// Too much at once; try again later.
    ResourceExhausted,
    /// A part that is needed does not answer; try again later.
    Unavailable,
    /// Our own fault; the note went to the log.
    Internal,
}

impl RefusalKind {
    /// Whether the same command may well succeed later without anybody changing anything.
    /// Such an answer is never kept, and a message that got it is not acknowledged.
    pub fn is_passing(self) -> bool {
        matches!(
            self,
            Self::Aborted | Self::ResourceExhausted | Self::Unavailable
        )
    }
}

/// A field of a request that breaks a rule, by its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The field's path, such as `allegations[2].category`.
    pub field: String,
    /// What is wrong with it and what would be right; never the value itself.
    pub description: String,
}

/// What only an operator may read. It has no `Display` and its `Debug` tells nothing, so it cannot slip out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// The note's text, for the log of the place where the refusal arose.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note(…)")
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct Refusal {
    /// What sort it is.
    pub kind: RefusalKind,
    /// A stable code, such as `VERIFICATION_FOUR_EYES`.
    pub code: std::borrow::Cow<'static, str>,
    /// A sentence for a person: what is the matter and what to do.
    pub message: std::borrow::Cow<'static, str>,
    /// The fields that broke a rule, if the request itself is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// For the operator's log only; not stored.
    #[serde(skip)]
    pub note: Note,
}

impl Refusal {
    /// A refusal as a constant of its room.
    pub const fn new(kind: RefusalKind, code: &'static str, message: &'static str) -> Self {
        Self {
            kind,
            code: std::borrow::Cow::Borrowed(code),
            message: std::borrow::Cow::Borrowed(message),
            violations: Vec::new(),
            note: Note(String::new()),
        }
    }

    /// The same refusal with a note for the operator.
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.note = Note(note.to_string());
        self
    }

    /// The same refusal, pointing at a field.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        let description = self.message.clone().into_owned();
        self.violations.push(Violation {
            field: field.into(),
            description,
        });
        self
    }

    /// A request with these violations.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        Self {
            violations,
            ..INVALID_REQUEST
        }
    }
}

/// Refusals that any service can give.
pub const INVALID_REQUEST: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "INVALID_REQUEST",
    "The request breaks a rule; see the fields.",
);
/// The same request id came with another request or from another actor.
pub const REQUEST_ID_REUSED: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "REQUEST_ID_REUSED",
    "This request id was used for another request or by another actor; draw a new one.",
);
/// The token is missing, malformed, or signed by nobody we know.
pub const TOKEN_INVALID: Refusal = Refusal::new(
    RefusalKind::Unauthenticated,
    "TOKEN_INVALID",
    "No valid token came with the call; get one and send it as `authorization: Bearer …`.",
);
/// The token was valid once.
pub const TOKEN_EXPIRED: Refusal = Refusal::new(
    RefusalKind::Unauthenticated,
    "TOKEN_EXPIRED",
    "The token has expired; get a new one.",
);
/// No role of the actor permits the command.
pub const NOT_PERMITTED: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "NOT_PERMITTED",
    "None of your roles permits this.",
);
/// The aggregate is handled outside the actor's unit and those below it.
pub const OUT_OF_SCOPE: Refusal = Refusal::new(
    RefusalKind::PermissionDenied,
    "OUT_OF_SCOPE",
    "This is handled by a unit that is neither yours nor below yours.",
);
/// There is no such thing.
pub const NOT_FOUND: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "NOT_FOUND",
    "There is nothing with this id here.",
);
/// What has this id is no text but a document.
pub const NOT_A_TEXT: Refusal = Refusal::new(
    RefusalKind::InvalidArgument,
    "NOT_A_TEXT",
    "What has this id is a document and no text; ask for it as a document.",
);
/// Another writer was faster several times in a row.
pub const CONTENDED: Refusal = Refusal::new(
    RefusalKind::Aborted,
    "CONTENDED",
    "Others changed the same thing at the same moment, several times; try again.",
);
/// The desk's bench is full.
pub const DESK_FULL: Refusal = Refusal::new(
    RefusalKind::ResourceExhausted,
    "DESK_FULL",
    "Too many commands at once; try again in a moment.",
);
/// The database, the broker or another service does not answer.
pub const UNAVAILABLE: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "UNAVAILABLE",
    "A part that is needed does not answer; try again in a moment.",
);
/// A fact stayed stale although it was gathered again.
pub const FACTS_STALE: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "FACTS_STALE",
    "What this decision rests on kept changing; try again in a moment.",
);
/// The aggregate holds an event that a newer version of this service wrote.
pub const WRITTEN_BY_NEWER: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "WRITTEN_BY_NEWER",
    "A newer version of this service wrote here; this one waits until it is replaced.",
);
/// A fault of ours.
pub const INTERNAL: Refusal = Refusal::new(
    RefusalKind::Internal,
    "INTERNAL",
    "This is our fault; it is in the log under the trace id.",
);

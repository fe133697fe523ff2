//! The one place where a refusal becomes a gRPC status or a queue's answer, and back again for those who called.
//!
//! A status carries `google.rpc.ErrorInfo` (the code, under the domain `zhengming`), the violations of fields, and for a
//! passing refusal when to try again. The note never leaves the house: for a fault of ours it goes to the log here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::refusal::{
    DESK_FULL, INTERNAL, INVALID_REQUEST, NOT_FOUND, NOT_PERMITTED, Refusal, RefusalKind,
    TOKEN_INVALID, UNAVAILABLE, Violation,
};

/// The domain of our codes in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "zhengming";

/// A refusal in the answer to a command that came by queue: `{"error": {"kind": …, "code": …, "message": …}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAnswer {
    /// Why it was refused.
    pub error: Refusal,
}

impl RefusalKind {
    /// The gRPC code of this kind.
    pub const fn grpc(self) -> Code {
        match self {
            Self::InvalidArgument => Code::InvalidArgument,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::Aborted => Code::Aborted,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }

    /// After which time it makes sense to try again; nothing if the same request will be refused again.
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Aborted => Some(Duration::from_millis(100)),
            Self::ResourceExhausted => Some(Duration::from_millis(500)),
            Self::Unavailable => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    /// The word of this kind for a metric's label, the same as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::FailedPrecondition => "failed_precondition",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Aborted => "aborted",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl Refusal {
    /// The refusal as a gRPC status. For a fault of ours, or a part that does not answer, the note goes to the log.
    pub fn status(&self) -> Status {
        match self.kind {
            RefusalKind::Internal => {
                tracing::error!(code = %self.code, note = self.note.reveal(), "refused by a fault of ours");
            }
            RefusalKind::Unavailable if !self.note.reveal().is_empty() => {
                tracing::warn!(code = %self.code, note = self.note.reveal(), "refused for now");
            }
            _ => tracing::debug!(code = %self.code, note = self.note.reveal(), "refused"),
        }

        let mut details = ErrorDetails::new();
        details.set_error_info(self.code.clone(), DOMAIN, []);
        if let Some(delay) = self.kind.retry_after() {
            details.set_retry_info(Some(delay));
        }
        if !self.violations.is_empty() {
            let violations = self.violations.iter();
            details.set_bad_request(
                violations
                    .map(|violation| FieldViolation::new(&violation.field, &violation.description))
                    .collect::<Vec<_>>(),
            );
        }
        Status::with_error_details(self.kind.grpc(), self.message.clone(), details)
    }

    /// The refusal that a status stands for. One that is not of our making becomes the general refusal of its kind,
    /// with the foreign words in the note, since nobody has looked at what they tell.
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let general = general_for(status.code());
        let Some(info) = details.error_info().filter(|info| info.domain == DOMAIN) else {
            return general.with_note(format_args!("{:?}: {}", status.code(), status.message()));
        };
        let violations = details.bad_request().map(|bad| {
            let violations = bad.field_violations.iter();
            violations
                .map(|violation| Violation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect()
        });
        Self {
            kind: kind_of(status.code()),
            code: info.reason.clone().into(),
            message: status.message().to_owned().into(),
            violations: violations.unwrap_or_default(),
            note: Default::default(),
        }
    }

    /// The refusal as the JSON of a queue's answer.
    pub fn answer(&self) -> RefusedAnswer {
        RefusedAnswer {
            error: self.clone(),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.status()
    }
}

/// The kind of a gRPC code. What was cut off or timed out may succeed later; what nobody here ever sends is our fault.
const fn kind_of(code: Code) -> RefusalKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => RefusalKind::InvalidArgument,
        Code::FailedPrecondition => RefusalKind::FailedPrecondition,
        Code::Unauthenticated => RefusalKind::Unauthenticated,
        Code::PermissionDenied => RefusalKind::PermissionDenied,
        Code::NotFound => RefusalKind::NotFound,
        Code::AlreadyExists => RefusalKind::AlreadyExists,
        Code::Aborted => RefusalKind::Aborted,
        Code::ResourceExhausted => RefusalKind::ResourceExhausted,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => RefusalKind::Unavailable,
        Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            RefusalKind::Internal
        }
    }
}

fn general_for(code: Code) -> Refusal {
    let kind = kind_of(code);
    match kind {
        RefusalKind::InvalidArgument => INVALID_REQUEST,
        RefusalKind::FailedPrecondition => Refusal::new(
            kind,
            "FAILED_PRECONDITION",
            "The state of things does not allow this.",
        ),
        RefusalKind::Unauthenticated => TOKEN_INVALID,
        RefusalKind::PermissionDenied => NOT_PERMITTED,
        RefusalKind::NotFound => NOT_FOUND,
        RefusalKind::AlreadyExists => Refusal::new(
            kind,
            "ALREADY_EXISTS",
            "Something else stands there already.",
        ),
        RefusalKind::Aborted => crate::refusal::CONTENDED,
        RefusalKind::ResourceExhausted => DESK_FULL,
        RefusalKind::Unavailable => UNAVAILABLE,
        RefusalKind::Internal => INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_back_from_its_status_as_it_was() {
        let refusals = [
            crate::refusal::REQUEST_ID_REUSED.at("request_id"),
            Refusal::new(
                RefusalKind::FailedPrecondition,
                "VERIFICATION_FOUR_EYES",
                "Whoever proposed does not approve.",
            ),
            TOKEN_INVALID,
            NOT_PERMITTED,
            NOT_FOUND,
            Refusal::new(RefusalKind::AlreadyExists, "X_EXISTS", "It exists."),
            crate::refusal::CONTENDED,
            DESK_FULL,
            UNAVAILABLE,
            INTERNAL,
            Refusal::invalid(vec![
                Violation {
                    field: "allegations[2].category".into(),
                    description: "is missing".into(),
                },
                Violation {
                    field: "channel".into(),
                    description: "is not known".into(),
                },
            ]),
        ];
        for refusal in refusals {
            assert_eq!(Refusal::from_status(&refusal.status()), refusal);
        }
    }

    #[test]
    fn a_note_never_enters_a_status_or_an_answer() {
        let refusal = INTERNAL.with_note("disk 7 of db-3 is full");
        let status = refusal.status();
        let told = format!(
            "{status:?} {} {:?}",
            status.message(),
            status.get_error_details()
        );
        assert!(!told.contains("disk 7"));
        assert!(!String::from_utf8_lossy(status.details()).contains("disk 7"));
        let answer = serde_json::to_string(&refusal.answer()).expect("an answer is JSON");
        assert!(!answer.contains("disk 7"), "{answer}");
    }

    #[test]
    fn a_passing_refusal_says_when_to_try_again_and_no_other_does() {
        for refusal in [
            INVALID_REQUEST,
            NOT_FOUND,
            NOT_PERMITTED,
            TOKEN_INVALID,
            DESK_FULL,
            UNAVAILABLE,
            INTERNAL,
        ] {
            let told = refusal
                .status()
                .get_details_retry_info()
                .and_then(|retry| retry.retry_delay);
            assert_eq!(told.is_some(), refusal.kind.is_passing(), "{refusal}");
        }
    }

    #[test]
    fn a_strangers_status_becomes_the_general_refusal_with_its_words_in_the_note() {
        let refusal = Refusal::from_status(&Status::deadline_exceeded("10.0.0.7 was slow"));
        assert_eq!(refusal.code, "UNAVAILABLE");
        assert!(!refusal.to_string().contains("10.0.0.7"));
        assert!(refusal.note.reveal().contains("10.0.0.7"));

        assert_eq!(Refusal::from_status(&Status::unknown("?")).code, "INTERNAL");
        assert_eq!(
            Refusal::from_status(&Status::failed_precondition("?")).kind,
            RefusalKind::FailedPrecondition
        );
    }

    #[test]
    fn a_queues_answer_reads_back_as_the_refusal() {
        let refusal = INVALID_REQUEST.at("channel");
        let json = serde_json::to_value(refusal.answer()).expect("an answer is JSON");
        assert_eq!(json["error"]["kind"], "invalid_argument");
        assert_eq!(json["error"]["code"], "INVALID_REQUEST");
        assert_eq!(json["error"]["violations"][0]["field"], "channel");
        let back: RefusedAnswer = serde_json::from_value(json).expect("and back");
        assert_eq!(back.error, refusal);
    }

    #[test]
    fn a_kinds_word_is_the_same_in_metrics_and_json() {
        for kind in [
            RefusalKind::InvalidArgument,
            RefusalKind::ResourceExhausted,
            RefusalKind::Internal,
        ] {
            assert_eq!(
                serde_json::to_value(kind).expect("a kind is JSON"),
                kind.word()
            );
        }
    }
}

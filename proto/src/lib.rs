//! The contracts of Zhengming: its .proto files, the code generated from them, and who follows whom.
//!
//! One package a service: `<name>_service.proto` holds its methods, `<name>_events.proto` what it tells others.
//! [`topology`] is the one table of who follows whom. To change a contract, add: a field, a message, a method;
//! never renumber, rename or reuse.
#![expect(
    missing_docs,
    reason = "the .proto files document what is generated from them"
)]

pub mod topology;

/// All contracts as a descriptor set, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zhengming.bin"));

macro_rules! package {
    ($module:ident, $name:literal) => {
        pub mod $module {
            #![expect(
                clippy::all,
                clippy::allow_attributes,
                clippy::allow_attributes_without_reason,
                reason = "generated code"
            )]
            include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
            include!(concat!(env!("OUT_DIR"), "/", $name, ".serde.rs"));
        }
    };
}

/// Everything generated, under the paths that the generated code itself refers to.
pub mod zhengming {
    pub mod office {
        package!(v1, "zhengming.office.v1");
    }
    pub mod chassis {
        package!(v1, "zhengming.chassis.v1");
    }
    pub mod intake {
        package!(v1, "zhengming.intake.v1");
    }
    pub mod verification {
        package!(v1, "zhengming.verification.v1");
    }
    pub mod clarification {
        package!(v1, "zhengming.clarification.v1");
    }
    pub mod follow_up {
        package!(v1, "zhengming.follow_up.v1");
    }
}

pub use zhengming::chassis::v1 as chassis;
pub use zhengming::clarification::v1 as clarification;
pub use zhengming::follow_up::v1 as follow_up;
pub use zhengming::intake::v1 as intake;
pub use zhengming::office::v1 as office;
pub use zhengming::verification::v1 as verification;

/// The public events of a service, by the names of their messages: the top-level messages of its `_events.proto` that
/// are not part of another.
pub fn events_of(service: &str) -> &'static [&'static str] {
    match service {
        "intake" => &[
            "MatterOpened",
            "ReportJoined",
            "SubjectIdentified",
            "MatterMoved",
            "ActorsRecused",
        ],
        "verification" => &[
            "CaseOpened",
            "ActorsRecused",
            "CaseConcluded",
            "CaseReopened",
            "CaseDiscontinued",
            "ToleranceAssessed",
            "SanctionRecorded",
        ],
        "clarification" => &[
            "CandidateOpened",
            "ClarificationCarriedOut",
            "ClarificationConfirmed",
            "ClarificationHalted",
            "ClarificationSuperseded",
            "ActorsRecused",
        ],
        "follow_up" => &[
            "FileOpened",
            "VisitRecorded",
            "ImpactPeriodEnded",
            "AftercareChecked",
            "FileClosed",
        ],
        _ => &[],
    }
}

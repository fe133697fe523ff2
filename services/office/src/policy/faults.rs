//! What is wrong with policy files: told all at once, each with its file, its key and what to do.

use std::fmt;

/// One thing that is wrong in one policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFault {
    /// The file's name, or the folder where no file is to blame.
    pub file: String,
    /// The key within it, such as `intake.triage_working_days`; empty where the whole file is meant.
    pub key: String,
    /// What is wrong, and what to do about it.
    pub problem: String,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PolicyFault { file, key, problem } = self;
        if key.is_empty() {
            write!(f, "{file}: {problem}")
        } else {
            write!(f, "{file}: {key}: {problem}")
        }
    }
}

/// Everything that is wrong with the policy files of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFaults(pub Vec<PolicyFault>);

impl PolicyFaults {
    /// The faults, by file.
    pub fn faults(&self) -> &[PolicyFault] {
        &self.0
    }
}

impl fmt::Display for PolicyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy files cannot be used:")?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyFaults {}

//! zm, the command line of Zhengming for people and scripts.
//!
//! - [`config`], [`who`], [`client`]: where the services are, who acts, and how to ask. A replay uses the same.
//! - [`context`], [`output`]: what every command gets, and how it answers.
//! - [`register`]: an existing register, read and counted.
//!
//! Errors go to stderr and say what is wrong and what to do. The exit code is 0 if all is well, 1 if the answer is no or
//! a fault was found, 2 if zm was used wrongly.

pub mod client;
pub mod config;
pub mod context;
pub mod keys;
pub mod output;
pub mod register;
pub mod replay;
pub mod who;

pub use context::{Context, Options};

/// zm was used wrongly, or lacks what it needs to start; ends with the exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

//! zm, the command line of Zhengming for people and scripts.
//!
//! - [`config`], [`who`], [`client`]: where the services are, who acts, and how to ask. A replay uses the same.
//! - [`context`], [`output`]: what every command gets, and how it answers.
//! - [`cli`], [`commands`]: the list of commands, and what each does. [`story`] walks a sample report.
//! - [`words`], [`ids`], [`finding`], [`harm`], [`input`]: how people write what the contracts hold.
//! - [`timeline`], [`verify`]: journals of all services put in order, and checked.
//! - [`keys`], [`broker`]: what an installation for development needs.
//! - [`register`], [`replay`]: an existing register, read and counted, and driven through the services.
//!
//! Errors go to stderr and say what is wrong and what to do. The exit code is 0 if all is well, 1 if the answer is no or
//! a fault was found, 2 if zm was used wrongly.

pub mod broker;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod context;
pub mod finding;
pub mod harm;
pub mod ids;
pub mod input;
pub mod keys;
pub mod output;
pub mod register;
pub mod replay;
pub mod story;
pub mod timeline;
pub mod verify;
pub mod who;
pub mod words;

pub use cli::main;
pub use context::{Context, Options};

/// zm was used wrongly, or lacks what it needs to start; ends with the exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The answer is no, or a fault was found; ends with the exit code 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct No(pub String);

//! Clarification clears in public the name of those wrongly accused (`domain.md`, Clarification).

mod announcements;
pub mod clarification;
pub mod conclusion;
pub mod integrity;
pub mod ledger;
pub mod matter;

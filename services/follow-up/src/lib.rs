//! Follow-up visits and helps those who were sanctioned, and looks after those whose name was cleared (`domain.md`,
//! Follow-up).

mod announcements;
pub mod file;

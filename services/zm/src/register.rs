//! An existing register of allegations (a CSV, a row per allegation), read with a map (TOML), and its figures counted.
//!
//! - [`words`]: what our side calls things: channels, findings, reasons of closing, subjects.
//! - [`map`]: the map. It says which column is what and which local word means which of our words.
//! - [`read`]: the register as cases with their rows, ready to be entered through the services.
//! - [`figures`]: what the CSV holds, counted from its records.
//!
//! Reading and counting share the map and nothing else. A replay compares what the services count with
//! [`figures`]; were those counted from [`read`]'s cases, a row lost there would be lost on both sides, and the table
//! would be equal and wrong. Keep it so: neither may use the other.
//!
//! Nothing is guessed: a word that the map lacks, a missing column, an unreadable date or a torn row stops the reading, all of
//! them told together. Maps of three registers stand in `tests/registers`; to add one, copy the nearest
//! and run `zm replay` until it names no missing word.

pub mod figures;
pub mod map;
pub mod read;
pub mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod stored;

pub use figures::{CountingError, Figure, Figures};
pub use map::{DateFault, Map, MapError, MapFault, Role};
pub use read::{
    Case, ColumnFault, Digest, Faults, LocalWords, MissingWord, ReadError, Register, Row, RowFault,
    Sanctioned,
};
pub use words::{
    Channel, Clearing, ClosingReason, Finding, Form, Harm, HarmDegree, HarmReach, Impact, Outcome,
    Sanction, Screening, Subject, SubjectKind, Wish,
};

//! Letters, announcements, records and bulletins that clear a name, as PDF: in Chinese (Hans and Hant) and English, set
//! by typst from the templates in `templates/`. Pure, apart from reading font files: no clock, no randomness, no network,
//! no look at the fonts of the system. The same document in the same fonts is the same bytes, so its hash can be kept.
//!
//! To word a document otherwise: `templates/hans.typ`, `hant.typ` and `english.typ` hold the texts, `layout.typ` the looks.
//! To add a form: its struct and variant in `document.rs`, its function in each of the three texts, its line in `main.typ`.
//!
//! The trap: what is printed holds names. They reach typst as values and never as source, and no fault holds any of them.

mod document;
mod language;
mod render;
mod typography;

pub use document::{
    Announcement, Bulletin, Cleared, Document, Finding, Head, Kind, Letter, Line, Meeting,
    Publication, Record, Statement,
};
pub use language::{Language, UnknownLanguage};
pub use render::{Fault, Lacking, Rendered, Script, render};
pub use typography::{FontFault, Typography};

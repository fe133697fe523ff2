//! How a document becomes a PDF: a world for typst that holds the templates, one document and the given fonts, and
//! nothing else; and what can go wrong.
//!
//! The trap: typst's own messages quote what was to be printed. They stop here, and so do its caches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use serde::Serialize;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::layout::{Frame, FrameItem};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World, WorldExt};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::document::Document;
use crate::language::Language;
use crate::typography::{Family, Typography};

/// A document as it is handed over or kept.
pub struct Rendered {
    /// The PDF: PDF/A-2u, with its language and title, text that can be selected, and of the fonts only what it uses.
    pub pdf: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
}

/// Why a document cannot be made. Holds no word of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The document names nobody, or a statement in it has no allegation that was found unfounded or exonerated.
    #[error(
        "a document must name somebody, and each statement an allegation that is unfounded or exonerated"
    )]
    ClearsNobody,
    /// A text of the document holds what is no text: control characters, or marks that turn the order of letters around,
    /// with which one name could be made to read as another.
    #[error(
        "the document's texts hold {characters} control characters or marks of direction; only text is printed"
    )]
    NotText {
        /// How many.
        characters: usize,
    },
    /// The fonts lack characters of the document, which would be printed as boxes.
    #[error("the fonts lack {}; give a font file that has them", list(.0))]
    Lacking(Vec<Lacking>),
    /// Typst refused, although a document that got this far can be set: a fault of a template, or of a font.
    #[error("the document cannot be set: {at} is at fault")]
    Template {
        /// Where: a template and its line, or the step.
        at: String,
    },
}

/// How many characters of a script the fonts lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// The script.
    pub script: Script,
    /// How many different characters.
    pub characters: usize,
}

/// A script, as far as it says which font is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    /// Chinese characters that every Chinese font has, and their punctuation.
    Han,
    /// Chinese characters outside the common block (生僻字): a Chinese font is there or not, these want a larger one.
    RareHan,
    /// Latin letters, digits and punctuation.
    Latin,
    /// Any other.
    Other,
}

impl Script {
    fn of(character: char) -> Script {
        match u32::from(character) {
            0x3000..=0x303F | 0x4E00..=0x9FFF | 0xFF00..=0xFFEF => Script::Han,
            0x2E80..=0x2FDF | 0x3400..=0x4DBF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => {
                Script::RareHan
            }
            0..=0x24F | 0x1E00..=0x1EFF | 0x2000..=0x206F => Script::Latin,
            _ => Script::Other,
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Script::Han => "Chinese",
            Script::RareHan => "rare Chinese",
            Script::Latin => "Latin",
            Script::Other => "other",
        })
    }
}

fn list(lacking: &[Lacking]) -> String {
    let parts: Vec<_> = lacking
        .iter()
        .map(|lacking| format!("{} {} characters", lacking.characters, lacking.script))
        .collect();
    parts.join(", ")
}

/// Sets a document in a language, in the given fonts, as a PDF. The same of all three gives the same bytes.
///
/// Data is printed as it is given; labels of categories come in the document's language already.
///
/// # Errors
/// When it clears nobody, holds what is no text, or has characters that the fonts lack.
pub fn render(
    typography: &Typography,
    document: &Document,
    language: Language,
) -> Result<Rendered, Fault> {
    if !document.clears() {
        return Err(Fault::ClearsNobody);
    }
    let sheet = Sheet::new(typography, document, language)?;
    let set = sheet.set(document);
    // Typst remembers what it set, for the next time that it is nearly the same. Names must not stay in memory.
    typst::comemo::evict(0);
    set
}

/// What the templates read.
#[derive(Serialize)]
struct Content<'a> {
    language: &'static str,
    families: &'a [Family],
    bold: bool,
    document: &'a Document,
}

/// All that exists for typst while one document is set.
struct Sheet<'a> {
    typography: &'a Typography,
    content: String,
    file: Bytes,
}

impl<'a> Sheet<'a> {
    fn new(
        typography: &'a Typography,
        document: &'a Document,
        language: Language,
    ) -> Result<Sheet<'a>, Fault> {
        let families = &typography.families[..];
        let chinese = language != Language::English;
        let first = families.iter().find(|family| family.han || !chinese);
        let content = Content {
            language: language.code(),
            families,
            bold: first.is_some_and(|family| family.bold),
            document,
        };
        let value = serde_json::to_value(&content).map_err(|_| step("the content"))?;
        match not_text(&value) {
            0 => {}
            characters => return Err(Fault::NotText { characters }),
        }
        // Of the content itself: a value sorts its fields or not, by what else is built, and the bytes would differ.
        let content = serde_json::to_string(&content).map_err(|_| step("the content"))?;
        Ok(Sheet {
            typography,
            file: Bytes::from_string(content.clone()),
            content,
        })
    }

    fn set(&self, document: &Document) -> Result<Rendered, Fault> {
        let set: PagedDocument = typst::compile(self)
            .output
            .map_err(|problems| self.fault(&problems))?;
        let mut missing = BTreeSet::new();
        for page in set.pages() {
            undrawn(&page.frame, &mut missing);
        }
        if !missing.is_empty() {
            return Err(Fault::Lacking(lacking(&missing)));
        }
        let dated = document.head().dated;
        let created = Datetime::from_ymd_hms(
            i32::from(dated.year()),
            dated.month().unsigned_abs(),
            dated.day().unsigned_abs(),
            0,
            0,
            0,
        );
        let options = PdfOptions {
            // Only its hash is written. It stands for the content, as nothing else here tells two documents apart.
            ident: Smart::Custom(self.content.clone()),
            creator: Smart::Custom(None),
            timestamp: created.map(Timestamp::new_utc),
            standards: PdfStandards::new(&[PdfStandard::A_2u])
                .map_err(|_| step("the PDF standard"))?,
            ..PdfOptions::default()
        };
        let pdf = typst_pdf::pdf(&set, &options).map_err(|problems| self.fault(&problems))?;
        Ok(Rendered {
            pdf,
            pages: set.pages().len(),
        })
    }

    /// Where typst says that it is wrong, without what it says.
    fn fault(&self, problems: &[SourceDiagnostic]) -> Fault {
        let place = problems.iter().find_map(|problem| {
            let id = problem.span.id()?;
            let start = self.range(problem.span)?.start;
            let line = self.source(id).ok()?.lines().byte_to_line(start)?;
            Some(format!("{}:{}", id.vpath().get_without_slash(), line + 1))
        });
        step(place.as_deref().unwrap_or("the layout"))
    }
}

fn step(at: &str) -> Fault {
    Fault::Template { at: at.to_owned() }
}

/// How many characters in a value's texts are controls or marks of direction.
fn not_text(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text
            .chars()
            .filter(|character| {
                character.is_control()
                    || matches!(character, '\u{61C}' | '\u{200E}' | '\u{200F}')
                    || matches!(character, '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
            })
            .count(),
        serde_json::Value::Array(values) => values.iter().map(not_text).sum(),
        serde_json::Value::Object(fields) => fields.values().map(not_text).sum(),
        _ => 0,
    }
}

/// Collects the characters for which no font had a glyph.
fn undrawn(frame: &Frame, missing: &mut BTreeSet<char>) {
    for (_, item) in frame.items() {
        match item {
            FrameItem::Group(group) => undrawn(&group.frame, missing),
            FrameItem::Text(text) => {
                for glyph in text.glyphs.iter().filter(|glyph| glyph.id == 0) {
                    missing.extend(text.text[glyph.range()].chars());
                }
            }
            _ => {}
        }
    }
}

fn lacking(missing: &BTreeSet<char>) -> Vec<Lacking> {
    let mut scripts = BTreeMap::new();
    for character in missing {
        *scripts.entry(Script::of(*character)).or_default() += 1;
    }
    let counted = scripts.into_iter();
    counted
        .map(|(script, characters)| Lacking { script, characters })
        .collect()
}

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

static TEMPLATES: LazyLock<[Source; 5]> = LazyLock::new(|| {
    [
        ("main.typ", include_str!("../templates/main.typ")),
        ("layout.typ", include_str!("../templates/layout.typ")),
        ("hans.typ", include_str!("../templates/hans.typ")),
        ("hant.typ", include_str!("../templates/hant.typ")),
        ("english.typ", include_str!("../templates/english.typ")),
    ]
    .map(|(name, text)| Source::new(id(name), text.to_owned()))
});

static CONTENT: LazyLock<FileId> = LazyLock::new(|| id("sheet.json"));

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("the names are constants, without .. or backslashes");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for Sheet<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.typography.book
    }

    fn main(&self) -> FileId {
        TEMPLATES[0].id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let known = TEMPLATES.iter().find(|source| source.id() == id);
        known.cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *CONTENT {
            return Ok(self.file.clone());
        }
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.typography.fonts.get(index).cloned()
    }

    /// A template cannot know what day it is: a document is dated by its content.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

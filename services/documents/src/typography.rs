//! The fonts that documents are set in: the files that an office names, and no others. Their order is the preference:
//! what the first lacks is taken from the next. So a Latin font goes before a Chinese one, which has Latin letters too.
//!
//! The trap: no family's name stands in code or templates, since images and tests have different fonts.

use std::path::PathBuf;
use std::{fs, io};

use serde::Serialize;
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontWeight};
use typst::utils::LazyHash;

/// Fonts, read once and used for every document.
#[derive(Debug)]
pub struct Typography {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) fonts: Vec<Font>,
    pub(crate) families: Vec<Family>,
}

/// A family of fonts, as the templates need to know it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Family {
    pub(crate) name: String,
    /// Whether it has Chinese characters.
    pub(crate) han: bool,
    /// Whether it has bold letters; else emphasis is drawn.
    pub(crate) bold: bool,
}

/// What is wrong with the fonts.
#[derive(Debug, thiserror::Error)]
pub enum FontFault {
    /// No file is named.
    #[error(
        "no font file is named: give at least one, and one with Chinese characters for Chinese documents"
    )]
    NoFile,
    /// A file cannot be read.
    #[error("the font file {} cannot be read: {problem}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        problem: io::Error,
    },
    /// A file holds no font.
    #[error("{} holds no font: expected a .ttf, .otf or .ttc file", path.display())]
    NoFont {
        /// Which file.
        path: PathBuf,
    },
}

/// A character that every font for Chinese has.
const COMMON_HAN: u32 = '一' as u32;

impl Typography {
    /// Reads font files (`.ttf`, `.otf`, or `.ttc` with several), the preferred first.
    ///
    /// # Errors
    /// The first file that cannot be read or holds no font; or none given.
    pub fn read(paths: &[PathBuf]) -> Result<Typography, FontFault> {
        let mut fonts = Vec::new();
        for path in paths {
            let bytes = fs::read(path).map_err(|problem| FontFault::Unreadable {
                path: path.clone(),
                problem,
            })?;
            let before = fonts.len();
            fonts.extend(Font::iter(Bytes::new(bytes)));
            if fonts.len() == before {
                return Err(FontFault::NoFont { path: path.clone() });
            }
        }
        if fonts.is_empty() {
            return Err(FontFault::NoFile);
        }
        let mut families: Vec<Family> = Vec::new();
        for font in &fonts {
            let info = font.info();
            let bold = info.variant.weight >= FontWeight::SEMIBOLD;
            match families.iter_mut().find(|known| known.name == info.family) {
                Some(known) => known.bold |= bold,
                None => families.push(Family {
                    name: info.family.clone(),
                    han: info.coverage.contains(COMMON_HAN),
                    bold,
                }),
            }
        }
        Ok(Typography {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            families,
        })
    }
}

//! Fonts: what is wrong with a file is told with its name, and what no font has is told before it is printed as boxes.

use std::fs;
use std::path::{Path, PathBuf};

use documents::{Document, Fault, FontFault, Language, Script, Typography, render};

use crate::FONTS;
use crate::sample::{about_a_person, letter, sample};

#[test]
fn a_fault_names_the_file_and_what_is_wrong() {
    let told = |paths: &[PathBuf]| Typography::read(paths).expect_err("no fonts").to_string();
    let missing = told(&[FONTS[0].clone(), PathBuf::from("/nowhere/song.ttf")]);
    assert!(missing.starts_with("the font file /nowhere/song.ttf cannot be read: "));
    let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    assert!(
        told(&[this]).ends_with("Cargo.toml holds no font: expected a .ttf, .otf or .ttc file")
    );
    assert!(matches!(Typography::read(&[]), Err(FontFault::NoFile)));
}

/// A font without any Chinese: the test's own, whose table of characters is given a name that nobody looks for.
fn a_font_without_characters() -> PathBuf {
    let mut bytes = fs::read(&FONTS[0]).expect("the font can be read");
    let head = bytes.len().min(4096);
    for at in 0..head.saturating_sub(4) {
        if &bytes[at..at + 4] == b"cmap" {
            bytes[at..at + 4].copy_from_slice(b"cmaq");
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-characters.ttc");
    fs::write(&file, bytes).expect("target/tmp can be written");
    file
}

#[test]
fn a_chinese_document_without_a_chinese_font_is_a_fault_that_counts_what_is_lacking() {
    let typography = Typography::read(&[a_font_without_characters()]).unwrap();
    for language in [Language::Hans, Language::Hant] {
        let sample = sample(language);
        let document = Document::Letter(letter(&sample, about_a_person(&sample)));
        let fault = render(&typography, &document, language).err();
        let Some(Fault::Lacking(lacking)) = &fault else {
            panic!("characters are lacking, not {fault:?}");
        };
        let chinese = lacking.iter().find(|lacking| lacking.script == Script::Han);
        assert!(
            chinese.is_some_and(|chinese| chinese.characters > 50),
            "{lacking:?}"
        );
        let told = fault.unwrap().to_string();
        assert!(
            told.is_ascii() && told.contains(" Chinese characters"),
            "{told}"
        );
    }
}

//! What the documents say, read back from the PDFs themselves: each allegation with its finding and no other, in every
//! form and language; what is entered never becomes markup; the same input gives the same bytes.
//!
//! The fonts come from `ZHENGMING_FONTS` (`tests/run` sets it). The texts that documents should have lie in `golden/`;
//! after a wording changed, `ZHENGMING_GOLDEN=write` writes them anew, for you to read in the diff. The PDFs of the last
//! run lie in `target/tmp`, to be looked at.

mod fonts;
mod look;
mod sample;
mod statements;
mod values;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use documents::{Document, Language, Rendered, Typography, render};

use sample::{Sample, as_made, one_of_each, sample, undated};

static FONTS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
    let fonts = env::var_os("ZHENGMING_FONTS")
        .expect("ZHENGMING_FONTS names font files, one of them Chinese; tests/run sets it");
    env::split_paths(&fonts).collect()
});

static TYPOGRAPHY: LazyLock<Typography> =
    LazyLock::new(|| Typography::read(&FONTS).unwrap_or_else(|fault| panic!("{fault}")));

fn rendered(document: &Document, language: Language) -> Rendered {
    render(&TYPOGRAPHY, document, language).unwrap_or_else(|fault| panic!("{fault}"))
}

/// The text of a PDF, a line each, without blank ones. Kept as a file to be looked at.
fn text(name: &str, rendered: &Rendered) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pdf"));
    fs::write(file, &rendered.pdf).expect("target/tmp can be written");
    let text = pdf_extract::extract_text_from_mem(&rendered.pdf).expect("a PDF with text");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// What has a golden text: one of each form with all that it can say and one as the services make it, and a bulletin of
/// which less is known.
fn with_golden(sample: &Sample) -> Vec<(&'static str, Document)> {
    let undated = ("bulletin-undated", undated(sample));
    let full = one_of_each(sample).into_iter().chain([undated]);
    full.chain(as_made(sample)).collect()
}

#[test]
fn each_form_in_each_language_says_what_its_golden_text_says() {
    let write = env::var_os("ZHENGMING_GOLDEN").is_some_and(|value| value == "write");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut differing = Vec::new();
    for language in Language::ALL {
        for (form, document) in with_golden(&sample(language)) {
            let name = format!("{form}.{language}");
            let said = text(&name, &rendered(&document, language));
            let file = golden.join(format!("{name}.txt"));
            // Where a line ends is the font's affair.
            if write {
                fs::create_dir_all(&golden).unwrap();
                fs::write(file, &said).unwrap();
            } else if dense(&fs::read_to_string(file).unwrap_or_default()) != dense(&said) {
                eprintln!("{name} says:\n{said}");
                differing.push(name);
            }
        }
    }
    assert!(differing.is_empty(), "other than golden: {differing:?}");
}

/// A text without blanks, in which a line's end makes no difference.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

/// A golden text of a form that is no more, or of none, would be read by nobody.
#[test]
fn there_is_a_golden_text_for_each_form_and_language_and_no_other() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let there: BTreeSet<String> = fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted = Language::ALL.into_iter().flat_map(|language| {
        let forms = with_golden(&sample(language)).into_iter();
        forms.map(move |(form, _)| format!("{form}.{language}.txt"))
    });
    assert_eq!(there, wanted.collect());
}

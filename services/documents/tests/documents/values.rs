//! What is entered is printed as it is given, and is never markup, a fault's text, or a trick of direction.

use documents::{Document, Fault, Kind, Lacking, Language, Script, render};
use jiff::civil::date;

use crate::sample::{about_a_person, cleared, letter, one_of_each, sample};
use crate::{TYPOGRAPHY, dense, rendered, text};

/// What means something to typst, or did in some template language.
const TRICKS: [&str; 12] = [
    r##"#panic("x")"##,
    "$x$",
    "*_bold_*",
    "= Heading",
    "<label> @label",
    "`raw`",
    "/* c */ // c",
    r"\u{41} \ #linebreak()",
    r##""quotes" and 'more' -- ..."##,
    "#{sys.inputs} [x] {y}",
    "%s ${x} {{x}}",
    "https://example.org/",
];

#[test]
fn what_is_entered_is_never_markup() {
    let sample = sample(Language::English);
    for language in [Language::Hans, Language::English] {
        for trick in TRICKS {
            let mut statement = about_a_person(&sample);
            statement.cleared = cleared(trick, Kind::Person, trick);
            statement.lines.truncate(1);
            for line in &mut statement.lines {
                line.category = trick.to_owned();
                line.place = Some(trick.to_owned());
            }
            let mut letter = letter(&sample, statement);
            letter.head.unit = trick.to_owned();
            letter.head.reference = Some(trick.to_owned());
            letter.handed_over_by = Some(trick.to_owned());
            let said = dense(&text(
                "trick",
                &rendered(&Document::Letter(letter), language),
            ));
            // Letterhead, signature, reference, name, matter, category, where, who.
            let printed = said.matches(&dense(trick)).count();
            assert!(printed >= 8, "{trick} is printed {printed} times in {said}");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for language in Language::ALL {
        for (form, document) in one_of_each(&sample(language)) {
            let first = rendered(&document, language);
            let again = std::thread::spawn(move || rendered(&document, language).pdf);
            assert!(first.pdf == again.join().unwrap(), "{form} in {language}");
        }
    }
}

#[test]
fn a_document_is_created_on_the_day_it_is_dated() {
    let sample = sample(Language::Hans);
    let mut letter = letter(&sample, about_a_person(&sample));
    letter.head.dated = date(2031, 12, 5);
    let pdf = rendered(&Document::Letter(letter), Language::Hans).pdf;
    let holds = |what: &[u8]| pdf.windows(what.len()).any(|bytes| bytes == what);
    assert!(holds(b"/CreationDate(D:20311205000000Z)"));
}

#[test]
fn the_file_tells_its_language_and_standard() {
    for (language, told) in [
        (Language::Hans, "/Lang(zh-CN)"),
        (Language::Hant, "/Lang(zh-TW)"),
        (Language::English, "/Lang(en-GB)"),
    ] {
        let sample = sample(language);
        let document = Document::Letter(letter(&sample, about_a_person(&sample)));
        let pdf = rendered(&document, language).pdf;
        let holds = |what: &str| {
            pdf.windows(what.len())
                .any(|bytes| bytes == what.as_bytes())
        };
        assert!(holds(told), "{told}");
        assert!(holds("<pdfaid:part>2</pdfaid:part>"));
        assert!(holds("<pdfaid:conformance>U</pdfaid:conformance>"));
    }
}

#[test]
fn controls_and_marks_of_direction_are_refused() {
    for name in [
        "Li\u{202E}gnaiQ",
        "Li\u{0}",
        "Li\nfound honest",
        "Li\u{2066}",
    ] {
        let sample = sample(Language::English);
        let mut statement = about_a_person(&sample);
        statement.cleared.name = name.to_owned();
        let document = Document::Letter(letter(&sample, statement));
        let fault = render(&TYPOGRAPHY, &document, Language::English).err();
        assert_eq!(fault, Some(Fault::NotText { characters: 1 }));
    }
}

#[test]
fn a_character_that_the_fonts_lack_is_a_fault_that_does_not_tell_it() {
    // U+2B740 is a character of an extension that small fonts leave out; U+13000 is Egyptian.
    let sample = sample(Language::Hans);
    let mut statement = about_a_person(&sample);
    statement.cleared.name = "李\u{2B740}\u{2B740}\u{13000}\u{13001}".to_owned();
    let document = Document::Letter(letter(&sample, statement));
    let fault = render(&TYPOGRAPHY, &document, Language::Hans).err();
    let of = |script, characters| Lacking { script, characters };
    let expected = Fault::Lacking(vec![of(Script::RareHan, 1), of(Script::Other, 2)]);
    assert_eq!(fault, Some(expected.clone()));
    assert_eq!(
        expected.to_string(),
        "the fonts lack 1 rare Chinese characters, 2 other characters; give a font file that has them"
    );
}

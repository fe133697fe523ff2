//! One matter, one clarification: a document names each allegation of its statements with its finding, and no other.

use documents::{Announcement, Document, Fault, Finding, Kind, Language, Line, Statement, render};

use crate::sample::{about_a_person, cleared, head, letter, meeting, one_of_each, sample};
use crate::{TYPOGRAPHY, dense, rendered, text};

/// What each finding is called, so that it is counted in a text.
fn called(language: Language, finding: Finding) -> &'static str {
    let words = match language {
        Language::Hans => [
            "不属实：",
            "不构成问题：",
            "办结，不另作结论：",
            "办结，不作结论：",
        ],
        Language::Hant => [
            "查無此事：",
            "並無不當：",
            "結案，不另作結論：",
            "結案，不作結論：",
        ],
        Language::English => [
            "Unfounded:",
            "Exonerated:",
            "finding:itrepeats",
            "finding:theallegation",
        ],
    };
    words[finding as usize]
}

/// The findings that a text states, by how often.
fn stated(text: &str, language: Language) -> [usize; 4] {
    Finding::ALL.map(|finding| text.matches(called(language, finding)).count())
}

/// A statement of that many allegations, each with a label of its own and the findings in turn.
fn of(lines: usize) -> Statement {
    let line = |number: usize| Line {
        category: format!("Q{number:03}Q"),
        occurred_on: None,
        place: None,
        finding: Finding::ALL[number % 4],
    };
    Statement {
        cleared: cleared("Li", Kind::Person, "M-7"),
        lines: (0..lines).map(line).collect(),
    }
}

#[test]
fn a_statement_names_each_allegation_with_its_finding_and_no_other() {
    for language in Language::ALL {
        for lines in [1, 2, 7] {
            let statement = of(lines);
            let document = Document::Letter(letter(&sample(language), statement.clone()));
            let said = text("statement", &rendered(&document, language));
            for line in &statement.lines {
                let named: Vec<_> = said
                    .lines()
                    .filter(|said| said.contains(&line.category))
                    .map(dense)
                    .collect();
                assert!(
                    matches!(&named[..], [one] if one.contains(called(language, line.finding))),
                    "{} in {language}: {named:?}",
                    line.category
                );
            }
            assert_eq!(said.matches('Q').count(), 2 * lines, "no other allegation");
            let stated: usize = stated(&dense(&said), language).iter().sum();
            assert_eq!(stated, lines, "no other finding, in {language}");
        }
    }
}

#[test]
fn each_form_states_the_findings_it_was_given() {
    for language in Language::ALL {
        for (form, document) in one_of_each(&sample(language)) {
            let said = dense(&text("findings", &rendered(&document, language)));
            let expected = match form {
                "letter" | "bulletin" => [1, 1, 1, 1],
                "record" => [2, 1, 1, 1],
                _ => [0; 4],
            };
            assert_eq!(stated(&said, language), expected, "{form} in {language}");
        }
    }
}

#[test]
fn an_announcement_tells_no_allegation_before_the_meeting() {
    for language in Language::ALL {
        let sample = sample(language);
        let [_, (_, announcement), ..] = one_of_each(&sample);
        let said = dense(&text("announced", &rendered(&announcement, language)));
        for category in sample.categories {
            assert!(!said.contains(&dense(category)), "{category}");
        }
        for name in [sample.person, sample.organisation] {
            assert!(said.contains(&dense(name)), "{name}");
        }
    }
}

#[test]
fn a_document_that_clears_nobody_is_not_made() {
    let sample = sample(Language::English);
    let mut statement = about_a_person(&sample);
    statement
        .lines
        .retain(|line| line.finding == Finding::ClosedAsDuplicate);
    let [.., (_, bulletin)] = one_of_each(&sample);
    let Document::Bulletin(mut bulletin) = bulletin else {
        panic!("the last is a bulletin");
    };
    bulletin.statement.lines.clear();
    for document in [
        Document::Letter(letter(&sample, statement)),
        Document::Bulletin(bulletin),
        Document::Announcement(Announcement {
            head: head(&sample),
            meeting: meeting(&sample),
            cleared: Vec::new(),
        }),
    ] {
        let refused = render(&TYPOGRAPHY, &document, Language::English).err();
        assert_eq!(refused, Some(Fault::ClearsNobody));
    }
}

//! How documents look, as far as a machine can see it: nothing beyond the page, heads of tables on each, no page without
//! its number, no signature alone.

use documents::{Document, Finding, Kind, Language, Line, Statement};
use jiff::civil::date;
use pdf_extract::{MediaBox, OutputDev, OutputError, Transform, output_doc};

use crate::sample::{about_a_person, cleared, letter, one_of_each, sample};
use crate::{dense, rendered, text};

/// How far text reaches from the left and the right edge of its page, in points.
#[derive(Default)]
struct Extent {
    page: f64,
    left: f64,
    right: f64,
}

impl OutputDev for Extent {
    fn begin_page(
        &mut self,
        _: u32,
        page: &MediaBox,
        _: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.page = page.urx - page.llx;
        self.left = self.left.max(self.page);
        Ok(())
    }
    fn output_character(
        &mut self,
        at: &Transform,
        width: f64,
        _: f64,
        size: f64,
        _: &str,
    ) -> Result<(), OutputError> {
        self.left = self.left.min(at.m31);
        self.right = self.right.max(at.m31 + width * size * at.m11);
        Ok(())
    }
    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

fn extent(pdf: &[u8]) -> Extent {
    let mut extent = Extent::default();
    let document = pdf_extract::Document::load_mem(pdf).expect("a PDF");
    output_doc(&document, &mut extent).expect("a PDF with text");
    extent
}

/// Sixty allegations, some with long labels.
fn sixty(language: Language) -> Statement {
    let sample = sample(language);
    let line = |number: usize| Line {
        category: sample.categories[number % 4].repeat(1 + number % 3),
        occurred_on: Some(date(2025, 4, 1)),
        place: (number % 5 > 1).then(|| sample.place.to_owned()),
        finding: Finding::ALL[number % 2],
    };
    Statement {
        cleared: cleared(sample.person, Kind::Person, "M-2026-0060"),
        lines: (0..60).map(line).collect(),
    }
}

#[test]
fn sixty_allegations_repeat_the_head_of_the_table_on_each_page() {
    for (language, head) in [
        (Language::Hans, "序号反映问题时间、地点核查结论"),
        (Language::Hant, "項次反映事項時間及地點查核結論"),
        (Language::English, "No.AllegationWhenandwhereFinding"),
    ] {
        let document = Document::Letter(letter(&sample(language), sixty(language)));
        let rendered = rendered(&document, language);
        text(&format!("sixty.{language}"), &rendered);
        let pages = pdf_extract::extract_text_from_mem_by_pages(&rendered.pdf).unwrap();
        assert_eq!(pages.len(), rendered.pages);
        assert!(pages.len() >= 3, "{} pages in {language}", pages.len());
        let row = |page: &str| page.contains("2025");
        for (number, page) in (1..).zip(pages.iter().map(|page| dense(page))) {
            // Dated with 2026, so the year of the allegations tells a page of the table.
            assert_eq!(
                page.matches(head).count(),
                usize::from(row(&page)),
                "page {number}: {page}"
            );
            let foot = match language {
                Language::English => format!("Page{number}of{}", pages.len()),
                // GB/T 9704: the first page of a letter has a rule there instead.
                _ if number == 1 => continue,
                _ => format!("—{number}—"),
            };
            assert!(page.contains(&foot), "page {number}: {page}");
        }
    }
}

#[test]
fn long_names_stay_on_the_page() {
    let latin = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewis";
    let han = "云川县青石镇农业农村服务中心及其下属各村集体经济合作社联合社理事会监事会筹备工作领导小组办公室综合协调与档案管理科临时党支部";
    let words = "The Very Long Name Of An Office For Public Integrity And Aid";
    for (given, language) in [
        (latin, Language::English),
        (words, Language::English),
        (latin, Language::Hans),
        (han, Language::Hans),
        (han, Language::Hant),
    ] {
        assert!(given.chars().count() >= 60, "{given}");
        for (form, mut document) in one_of_each(&sample(language)) {
            lengthen(&mut document, given);
            let rendered = rendered(&document, language);
            let said = text(
                &format!("long.{form}.{}.{language}", given.len()),
                &rendered,
            );
            assert!(dense(&said).contains(&dense(given)), "{form}: {said}");
            let extent = extent(&rendered.pdf);
            let margin = 60.0;
            assert!(
                extent.left >= margin && extent.right <= extent.page - margin,
                "{form} with {given}: text from {} to {} of {}",
                extent.left,
                extent.right,
                extent.page
            );
        }
    }
}

/// Puts a long name wherever one can stand.
fn lengthen(document: &mut Document, given: &str) {
    let name = || given.to_owned();
    let statement = |statement: &mut Statement| {
        statement.cleared.name = name();
        statement.cleared.matter = name();
        for line in &mut statement.lines {
            line.category = name();
            line.place = Some(name());
        }
    };
    match document {
        Document::Letter(letter) => {
            letter.head.unit = name();
            letter.handed_over_by = Some(name());
            statement(&mut letter.statement);
        }
        Document::Announcement(announcement) => {
            announcement.head.unit = name();
            announcement.meeting.place = name();
            for cleared in &mut announcement.cleared {
                cleared.name = name();
                cleared.matter = name();
            }
        }
        Document::Record(record) => {
            record.head.unit = name();
            record.attended = name();
            record.statements.iter_mut().for_each(statement);
        }
        Document::Bulletin(bulletin) => {
            bulletin.head.unit = name();
            if let Some(published) = &mut bulletin.published {
                published.place = name();
            }
            statement(&mut bulletin.statement);
        }
    }
}

#[test]
fn an_ordinary_letter_is_one_page() {
    for language in Language::ALL {
        let sample = sample(language);
        let document = Document::Letter(letter(&sample, about_a_person(&sample)));
        assert_eq!(rendered(&document, language).pages, 1, "in {language}");
    }
}

#[test]
fn no_page_holds_the_signature_alone() {
    for language in Language::ALL {
        let sample = sample(language);
        let said = match language {
            Language::Hans => "总体评价",
            Language::Hant => "整體評價",
            Language::English => "noassessment",
        };
        for lines in (1..28).step_by(6) {
            let mut statement = sixty(language);
            statement.lines.truncate(lines);
            let pdf = rendered(&Document::Letter(letter(&sample, statement)), language).pdf;
            let pages = pdf_extract::extract_text_from_mem_by_pages(&pdf).unwrap();
            let last = dense(pages.last().unwrap());
            assert!(
                last.contains(said) && last.contains(sample.deputy.split(' ').next().unwrap()),
                "{last}"
            );
        }
    }
}

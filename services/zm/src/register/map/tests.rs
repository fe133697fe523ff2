//! The rules of a map, each by its name.

use jiff::civil::date;

use super::*;
use crate::register::words::{Finding, Impact};

/// A map of each section, which the tests change in one place.
const WHOLE: &str = r#"
register = "county"
unit = "P51-01"
[case]
column = "no"
[received]
column = "day"
forms = ["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"]
[channel]
column = "way"
fold_case = true
words = { "Letter" = "letter", "Hotline" = "phone" }
[subject]
column = "who"
kind = "person"
not_identified = ["", "unknown"]
[category]
column = "what"
words = { "受賄" = "bribery" }
[closing]
column = "closed"
not_deciding = ["", "see finding"]
words = { "Twice" = "duplicate" }
[finding]
column = "result"
words = { "True" = "substantiated", "Void" = { closed = "void" }, "Open" = "pending" }
[sanction]
column = "discipline"
most_together = 48
words = { "" = "none", "Warning" = 6, "撤職" = { months = 24, kind = "removal" } }
[clearing]
harms = ["spread_in_public"]
degree = "slight"
reach = "unit"
screening = "agrees"
wish = "wants"
form = "written"
"#;

fn map() -> Map {
    Map::parse(WHOLE).expect("a valid map")
}

fn refused(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from} stands in the map");
    Map::parse(&WHOLE.replacen(from, to, 1))
        .expect_err("a refusal")
        .to_string()
}

/// How the line of a text in the whole map is told.
fn line_of(text: &str) -> String {
    let at = WHOLE.find(text).expect("it stands in the map");
    format!("line {},", WHOLE[..at].matches('\n').count() + 1)
}

#[test]
fn the_example_in_the_head_of_the_room_is_a_map() {
    let head = include_str!("../map.rs").lines();
    let example: Vec<_> = head
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let map = Map::parse(&example.join("\n")).expect("a valid map");
    assert_eq!(map.register(), "town");
}

#[test]
fn every_column_is_named_with_its_section() {
    let map = map();
    let columns: Vec<_> = map
        .columns()
        .iter()
        .map(|(role, column)| format!("{role} {column}"))
        .collect();
    assert_eq!(
        columns,
        [
            "[case] no",
            "[received] day",
            "[channel] way",
            "[subject] who",
            "[category] what",
            "[closing] closed",
            "[finding] result",
            "[sanction] discipline",
        ]
    );
}

#[test]
fn words_are_exact_after_trimming() {
    let map = map();
    let found = Some(Outcome::Finding(Finding::Substantiated));
    assert_eq!(map.finding(" True\t"), found);
    assert_eq!(map.finding("true"), None);
    assert_eq!(map.finding("Tru"), None);
    assert_eq!(map.finding(""), None);
}

#[test]
fn a_column_that_folds_case_compares_without_case() {
    let map = map();
    assert_eq!(map.channel("LETTER"), Some(Channel::Letter));
    assert_eq!(map.channel("hotline "), Some(Channel::Phone));
    assert_eq!(map.channel("Fax"), None);
}

#[test]
fn words_that_differ_in_case_are_two_unless_the_column_folds_case() {
    let words = r#"words = { "True" = "substantiated","#;
    let both = r#"words = { "TRUE" = "unfounded", "True" = "substantiated","#;
    Map::parse(&WHOLE.replacen(words, both, 1)).expect("a valid map");
    let fault = refused(words, &format!("fold_case = true\n{both}"));
    assert!(
        fault.contains(r#"finding: the word "True" is there twice"#),
        "{fault}"
    );
}

#[test]
fn a_word_closes_stays_open_or_is_a_finding() {
    let map = map();
    assert_eq!(
        map.finding("Void"),
        Some(Outcome::Closed(ClosingReason::Void))
    );
    assert_eq!(map.finding("Open"), Some(Outcome::Pending));
}

#[test]
fn closing_decides_or_leaves_to_the_finding_or_lacks_the_word() {
    let map = map();
    assert_eq!(map.closing("Twice"), Some(Some(ClosingReason::Duplicate)));
    assert_eq!(map.closing(" "), Some(None));
    assert_eq!(map.closing("see finding"), Some(None));
    assert_eq!(map.closing("twice"), None);
}

#[test]
fn without_a_closing_column_every_row_is_left_to_its_finding() {
    let start = WHOLE.find("[closing]").expect("it stands in the map");
    let end = WHOLE.find("[finding]").expect("it stands in the map");
    let map = Map::parse(&format!("{}{}", &WHOLE[..start], &WHOLE[end..])).expect("a valid map");
    assert_eq!(map.closing("anything"), Some(None));
}

#[test]
fn a_word_may_not_both_decide_and_not_decide() {
    let fault = refused(r#"["", "see finding"]"#, r#"["", "Twice"]"#);
    assert!(
        fault.contains(r#"closing: the word "Twice" is there twice"#),
        "{fault}"
    );
}

#[test]
fn a_blank_subject_is_not_identified_only_where_the_map_says_so() {
    assert_eq!(map().subject(" "), Some(Subject::Unidentified));
    let map = Map::parse(&WHOLE.replacen(r#"["", "unknown"]"#, r#"["unknown"]"#, 1))
        .expect("a valid map");
    assert_eq!(map.subject(" "), None);
    assert_eq!(map.subject("unknown"), Some(Subject::Unidentified));
}

#[test]
fn a_subject_is_one_by_its_trimmed_reference() {
    let subject = map().subject("2ND PRECINCT ");
    let reference = "2ND PRECINCT".to_owned();
    assert_eq!(subject, Some(Subject::Identified { reference }));
}

#[test]
fn a_subject_column_that_folds_case_makes_one_subject_of_its_spellings() {
    let folded = WHOLE.replacen(
        r#"kind = "person""#,
        "kind = \"person\"\nfold_case = true",
        1,
    );
    let map = Map::parse(&folded).expect("a valid map");
    assert_eq!(map.subject("Gaming"), map.subject("GAMING"));
    assert_eq!(map.subject("UNKNOWN"), Some(Subject::Unidentified));
}

#[test]
fn a_category_is_the_lower_snake_of_its_word() {
    let map = map();
    for (word, code) in [
        ("Lack of Service", "lack_of_service"),
        ("PROcedure", "procedure"),
        (" Sexual Crime/Misconduct ", "sexual_crime_misconduct"),
        ("No C.A.P. Investigation", "no_c_a_p_investigation"),
        ("受賄", "bribery"),
    ] {
        assert_eq!(map.category(word).as_deref(), Some(code), "{word}");
    }
}

#[test]
fn a_category_whose_word_gives_no_code_is_a_missing_word() {
    for word in ["", "?", "貪污", "Négligence"] {
        assert_eq!(map().category(word), None, "{word}");
    }
    let fault = refused(r#""bribery""#, r#""Bribery!""#);
    assert!(fault.contains("category.words"), "{fault}");
}

fn impact(months: u8, kind: &str) -> Option<Sanction> {
    let kind = kind.to_owned();
    Some(Sanction::Impact(Impact { months, kind }))
}

#[test]
fn a_sanction_has_months_or_is_none() {
    let map = map();
    assert_eq!(map.sanction("Warning"), impact(6, "warning"));
    assert_eq!(map.sanction(""), Some(Sanction::None));
    assert_eq!(map.sanction("Fine"), None);
    assert_eq!(map.most_months_together(), Some(48));
    for months in ["0", "-6", "600", r#""six""#, "6.5"] {
        let fault = refused(r#""Warning" = 6"#, &format!(r#""Warning" = {months}"#));
        assert!(fault.contains("months of the impact period"), "{fault}");
        assert!(fault.contains(&line_of("\"Warning\"")), "{fault}");
    }
}

#[test]
fn a_sanction_whose_word_gives_no_kind_needs_one() {
    assert_eq!(map().sanction("撤職"), impact(24, "removal"));
    for wrong in ["24", r#"{ months = 24, kind = "Removal!" }"#] {
        let fault = refused(r#"{ months = 24, kind = "removal" }"#, wrong);
        assert!(
            fault.contains("sanction.words: \"撤職\" gives no kind"),
            "{fault}"
        );
    }
}

#[test]
fn no_single_sanction_may_be_longer_than_all_together() {
    let fault = refused("most_together = 48", "most_together = 18");
    assert!(
        fault.contains("sanction.most_together: is less than the months of a single sanction, 24"),
        "{fault}"
    );
}

#[test]
fn what_is_assumed_of_the_cleared_names_a_harm() {
    assert!(map().clearing().expect("it is assumed").is_carried_out());
    for harms in ["[]", r#"["spread_in_public", "spread_in_public"]"#] {
        let fault = refused(r#"["spread_in_public"]"#, harms);
        assert!(
            fault.contains("clearing.harms: name at least one"),
            "{fault}"
        );
    }
    let start = WHOLE.find("[clearing]").expect("it stands in the map");
    let map = Map::parse(&WHOLE[..start]).expect("a valid map");
    assert_eq!(map.clearing(), None);
}

#[test]
fn for_organisations_the_map_says_who_speaks_and_for_persons_nobody_does() {
    let organisations = WHOLE.replacen("kind = \"person\"", "kind = \"organisation\"", 1);
    let with = |map: &str, head: &str| Map::parse(&format!("{map}head = \"{head}\"\n"));
    let map = with(&organisations, "the director").expect("a valid map");
    let clearing = map.clearing().expect("it is assumed");
    assert_eq!(clearing.head.as_deref(), Some("the director"));
    for fault in [
        Map::parse(&organisations),
        with(&organisations, " "),
        with(&organisations, "所長"),
        with(WHOLE, "the director"),
    ] {
        let fault = fault.expect_err("a refusal").to_string();
        assert!(fault.contains("clearing.head"), "{fault}");
    }
}

#[test]
fn a_date_may_have_several_forms() {
    let map = map();
    for text in ["2019-07-03", " 7/3/2019", "07/03/19", "7/3/19 "] {
        assert_eq!(map.received(text), Ok(date(2019, 7, 3)), "{text}");
    }
}

#[test]
fn a_date_of_no_form_is_a_fault() {
    let map = map();
    assert_eq!(map.received(" "), Err(DateFault::Blank));
    for text in ["3 July 2019", "2019-02-30", "13/13/19", "2019-07-03 10:00"] {
        let fault = map.received(text).expect_err("a refusal").to_string();
        assert!(fault.contains(text), "{fault}");
        assert!(fault.contains("%Y-%m-%d, %m/%d/%Y, %m/%d/%y"), "{fault}");
    }
}

#[test]
fn a_date_that_two_forms_read_differently_is_a_fault() {
    let forms = r#"["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"]"#;
    let map =
        Map::parse(&WHOLE.replacen(forms, r#"["%d/%m/%Y", "%m/%d/%Y"]"#, 1)).expect("a valid map");
    assert_eq!(map.received("23/4/2019"), Ok(date(2019, 4, 23)));
    assert_eq!(map.received("4/4/2019"), Ok(date(2019, 4, 4)));
    let fault = map.received("3/4/2019").expect_err("a refusal").to_string();
    assert!(
        fault.contains("2019-04-03 by %d/%m/%Y and 2019-03-04 by %m/%d/%Y"),
        "{fault}"
    );
}

#[test]
fn a_date_may_be_written_in_chinese() {
    let map = Map::parse(&WHOLE.replacen("%Y-%m-%d", "%Y年%m月%d日", 1)).expect("a valid map");
    assert_eq!(map.received("2019年7月3日"), Ok(date(2019, 7, 3)));
}

#[test]
fn a_form_must_be_one_of_a_whole_date() {
    for form in ["%Y-%m", "%Q", "", "yyyy-mm-dd"] {
        let fault = refused("%Y-%m-%d", form);
        assert!(
            fault.contains(&format!("received.forms: {form:?} is no form")),
            "{fault}"
        );
    }
    let fault = refused(r#"["%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"]"#, "[]");
    assert!(fault.contains("received.forms: name every form"), "{fault}");
}

#[test]
fn one_channel_for_all_or_a_column_with_words() {
    let column = "column = \"way\"\nfold_case = true\nwords = { \"Letter\" = \"letter\", \"Hotline\" = \"phone\" }";
    let map = Map::parse(&WHOLE.replacen(column, r#"always = "queue""#, 1)).expect("a valid map");
    assert_eq!(map.channel(""), Some(Channel::Queue));
    assert!(map.columns().iter().all(|(role, _)| *role != Role::Channel));
    for wrong in [
        String::new(),
        format!("always = \"web\"\n{column}"),
        "column = \"way\"".to_owned(),
    ] {
        let fault = refused(column, &wrong);
        assert!(fault.contains("channel: give either"), "{fault}");
    }
}

#[test]
fn all_contradictions_are_told_at_once() {
    let fault = Map::parse(
        &WHOLE
            .replacen(r#""county""#, r#""The County""#, 1)
            .replacen(r#""P51-01""#, r#""""#, 1)
            .replacen(r#"column = "no""#, r#"column = " ""#, 1)
            .replacen("%m/%d/%Y", "%m/%Y", 1),
    )
    .expect_err("a refusal");
    let MapError::Faults { faults } = fault else {
        panic!("{fault}");
    };
    let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(
        places,
        ["register", "unit", "case.column", "received.forms"]
    );
}

#[test]
fn what_no_map_has_is_told_with_its_line() {
    for (from, to, told) in [
        (
            "kind = \"person\"",
            "kind = \"people\"",
            "unknown variant `people`, expected `person` or `organisation`",
        ),
        (
            "kind = \"person\"",
            "knd = \"person\"",
            "unknown field `knd`",
        ),
        (
            "\"substantiated\"",
            "\"sustained\"",
            "\"exonerated\", \"pending\" or { closed = \"REASON\" }",
        ),
        (
            "\"substantiated\"",
            "3",
            "\"exonerated\", \"pending\" or { closed = \"REASON\" }",
        ),
        (
            "closed = \"void\"",
            "closed = \"lost\"",
            "unknown variant `lost`, expected one of `withdrawn`",
        ),
        (
            "closed = \"void\"",
            "because = \"void\"",
            "unknown field `because`, expected `closed`",
        ),
        (
            "\"phone\"",
            "\"fax\"",
            "unknown variant `fax`, expected one of `web`",
        ),
        (
            "\"duplicate\"",
            "\"double\"",
            "unknown variant `double`, expected one of `withdrawn`",
        ),
        (
            "\"written\"",
            "\"bulletin\"",
            "unknown variant `bulletin`, expected `written` or `in_person`",
        ),
        (
            "\"spread_in_public\"",
            "\"none\"",
            "unknown variant `none`, expected one of `advancement_affected`",
        ),
        ("[case]", "[cases]", "unknown field `cases`"),
        ("column = \"no\"", "column = \"no", "string"),
    ] {
        let fault = refused(from, to);
        assert!(fault.contains(&line_of(from)), "{to}: {fault}");
        assert!(fault.contains(told), "{to}: {fault}");
    }
}

#[test]
fn a_missing_section_is_named() {
    let start = WHOLE.find("[finding]").expect("it stands in the map");
    let end = WHOLE.find("[sanction]").expect("it stands in the map");
    let text = format!("{}{}", &WHOLE[..start], &WHOLE[end..]);
    let fault = Map::parse(&text).expect_err("a refusal").to_string();
    assert!(fault.contains("missing field `finding`"), "{fault}");
}

#[test]
fn a_map_that_is_not_there_is_named() {
    let fault = Map::open(Path::new("nowhere/map.toml"))
        .expect_err("a refusal")
        .to_string();
    assert!(fault.contains("nowhere/map.toml"), "{fault}");
}

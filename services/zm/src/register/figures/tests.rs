//! What each figure counts, by its name.

use super::*;

const MAP: &str = r#"
register = "county"
unit = "P51-01"
[case]
column = "no"
[received]
column = "day"
forms = ["%Y-%m-%d"]
[channel]
always = "letter"
[subject]
column = "who"
kind = "person"
not_identified = ["", "?"]
[category]
column = "what"
[closing]
column = "closed"
not_deciding = [""]
words = { "Twice" = "duplicate" }
[finding]
column = "result"
words = { "True" = "substantiated", "Untrue" = "unfounded", "No power" = { closed = "other" }, "Open" = "pending", "Proper" = "exonerated" }
[clearing]
harms = ["spread_in_public"]
degree = "slight"
reach = "few"
screening = "agrees"
wish = "wants"
form = "written"
"#;

/// The map of a register that has a column of disciplines.
const DISCIPLINED: &str = r#"
[sanction]
column = "closed"
most_together = 24
words = { "" = "none", "Warned" = 6, "Demoted" = 18 }
"#;

fn count(rows: &str, limit: Option<usize>) -> Figures {
    let text = format!("no,day,who,what,closed,result\n{rows}");
    Figures::count(
        text.as_bytes(),
        &Map::parse(MAP).expect("a valid map"),
        limit,
    )
    .expect("a countable register")
}

fn told(figures: &Figures) -> Vec<(&'static str, u64)> {
    let counted = figures.iter().filter(|(_, count)| *count > 0);
    counted
        .map(|(figure, count)| (figure.key(), count))
        .collect()
}

const ROWS: &str = "\
A,2024-01-02,x,Bribery,,True
B,2024-01-02,?,Bribery,,Open
A,2024-01-02,y ,Bribery,Twice,Open
B,2024-01-02,z,Bribery,,True
B,2024-01-02,z,Bribery,Twice,True
A,2024-01-02,y,Bribery,,No power
C,2024-01-02,x,Bribery,,Untrue
C,2024-01-02,x,Bribery,,Untrue
C,2024-01-02,,Bribery,,Untrue
C,2024-01-02,?,Bribery,,Untrue
";

#[test]
fn findings_count_in_concluded_cases_and_subjects_in_all() {
    assert_eq!(
        told(&count(ROWS, None)),
        [
            ("cases", 3),
            ("cases_concluded", 2),
            ("cases_open", 1),
            ("allegations", 10),
            ("finding_substantiated", 1),
            ("finding_unfounded", 4),
            ("closed_duplicate", 1),
            ("closed_other", 1),
            ("allegations_open", 3),
            ("subjects_identified", 3),
            ("subjects_not_identified", 3),
            ("cleared_by_conclusion", 1),
            ("carried_out", 1),
            ("ledger_entries", 1),
            ("ledger_entries_of_unit", 1),
            ("files", 1),
        ]
    );
}

#[test]
fn a_limit_counts_whole_cases_that_appear_first() {
    assert_eq!(
        told(&count(ROWS, Some(1))),
        [
            ("cases", 1),
            ("cases_concluded", 1),
            ("allegations", 3),
            ("finding_substantiated", 1),
            ("closed_duplicate", 1),
            ("closed_other", 1),
            ("subjects_identified", 2),
        ]
    );
    assert_eq!(told(&count(ROWS, Some(0))), []);
    assert_eq!(count(ROWS, Some(3)), count(ROWS, None));
}

fn counted(map: &str, rows: &str) -> impl Fn(Figure) -> u64 + use<> {
    let text = format!("no,day,who,what,closed,result\n{rows}");
    let map = Map::parse(map).expect("a valid map");
    let figures = Figures::count(text.as_bytes(), &map, None).expect("a countable register");
    move |figure| figures.get(figure)
}

#[test]
fn a_conclusion_clears_whom_a_finding_speaks_for_and_none_speaks_against() {
    for (rows, cleared) in [
        ("A,,x,b,,Untrue\n", 1),
        ("A,,x,b,,Proper\n", 1),
        ("A,,x,b,,Proper\nA,,x,b,Twice,True\n", 1),
        ("A,,x,b,Twice,Untrue\n", 0),
        ("A,,x,b,,Untrue\nA,,x,b,,No power\n", 0),
        ("A,,x,b,,Untrue\nA,,x,b,,True\n", 0),
        ("A,,x,b,,Untrue\nA,,y,b,,True\n", 1),
        ("A,,x,b,,Untrue\nA,,y,b,,Open\n", 0),
        ("A,,?,b,,Untrue\n", 0),
        ("A,,x,b,,Untrue\nB,,x,b,,Untrue\nA,,y,b,,Untrue\n", 3),
    ] {
        assert_eq!(counted(MAP, rows)(Figure::Cleared), cleared, "{rows}");
    }
}

#[test]
fn one_person_has_one_file_and_each_matter_its_entry_in_the_ledger() {
    let figure = counted(MAP, "A,,x,b,,Untrue\nB,,x,b,,Proper\nB,,y,b,,Untrue\n");
    assert_eq!(figure(Figure::LedgerEntries), 3);
    assert_eq!(figure(Figure::Files), 2);
}

#[test]
fn where_nobody_wishes_it_or_no_harm_is_assumed_nothing_is_carried_out() {
    let declined = MAP.replace("wants", "declines");
    let objected = MAP.replace("agrees", "objects");
    let unharmed = &MAP[..MAP.find("[clearing]").expect("it stands in the map")];
    for map in [&declined, &objected, unharmed] {
        let figure = counted(map, "A,,x,b,,Untrue\n");
        assert_eq!(figure(Figure::Cleared), 1);
        for none in [
            Figure::CarriedOut,
            Figure::LedgerEntries,
            Figure::LedgerEntriesOfUnit,
            Figure::Files,
        ] {
            assert_eq!(figure(none), 0, "{none:?} {map}");
        }
    }
}

fn disciplined(rows: &str) -> impl Fn(Figure) -> u64 + use<> {
    let start = MAP.find("[closing]").expect("it stands in the map");
    let end = MAP.find("[finding]").expect("it stands in the map");
    counted(
        &format!("{}{DISCIPLINED}{}", &MAP[..start], &MAP[end..]),
        rows,
    )
}

#[test]
fn a_person_is_sanctioned_once_in_a_case_and_only_for_what_is_substantiated() {
    for (rows, sanctions, files) in [
        ("A,,x,b,Warned,True\n", 1, 1),
        ("A,,x,b,Warned,True\nA,,x,b,Demoted,True\n", 1, 1),
        ("A,,x,b,Warned,True\nA,,y,b,Demoted,True\n", 2, 2),
        ("A,,x,b,Warned,True\nB,,x,b,Warned,True\n", 2, 1),
        ("A,,x,b,Warned,No power\n", 0, 0),
        ("A,,x,b,Warned,True\nA,,y,b,,Open\n", 0, 0),
        ("A,,?,b,Warned,True\n", 0, 0),
        ("A,,x,b,,True\n", 0, 0),
        ("A,,x,b,Warned,True\nB,,x,b,,Untrue\nB,,y,b,,Untrue\n", 1, 2),
    ] {
        let figure = disciplined(rows);
        assert_eq!(figure(Figure::Sanctions), sanctions, "{rows}");
        assert_eq!(figure(Figure::Files), files, "{rows}");
    }
}

#[test]
fn sanctions_of_one_person_beyond_the_months_together_are_not_counted() {
    let three =
        "A,,x,b,Demoted,True\nB,,x,b,Demoted,True\nC,,x,b,Warned,True\nC,,y,b,Demoted,True\n";
    assert_eq!(disciplined(three)(Figure::Sanctions), 3);
}

#[test]
fn an_organisation_is_cleared_and_has_neither_sanctions_nor_a_file() {
    let organisations = MAP.replace("\"person\"", "\"organisation\"").replace(
        "form = \"written\"",
        "form = \"written\"\nhead = \"the head\"",
    );
    let figure = counted(
        &format!(
            "{organisations}{}",
            DISCIPLINED
                .replace("\"closed\"", "\"what\"")
                .replace("\"\"", "\"b\"")
        ),
        "A,,x,b,,Untrue\nB,,x,Warned,,True\n",
    );
    assert_eq!(figure(Figure::LedgerEntries), 1);
    assert_eq!((figure(Figure::Sanctions), figure(Figure::Files)), (0, 0));
}

#[test]
fn differences_show_both_sides() {
    let here = count(ROWS, None);
    let there = Figures::each(|figure| match figure {
        Figure::CasesOpen => 7,
        same => here.get(same),
    });
    let differ: Vec<_> = here.differences(&there).collect();
    assert_eq!(differ, [(Figure::CasesOpen, 1, 7)]);
    assert_eq!(here.differences(&here).count(), 0);
}

#[test]
fn scripts_get_keys_labels_and_counts_in_the_order_of_the_table() {
    let json = serde_json::to_value(count(ROWS, None)).expect("figures are JSON");
    let keys: Vec<_> = json
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["key"].as_str().expect("a key"))
        .collect();
    assert_eq!(
        keys,
        [
            "cases",
            "cases_concluded",
            "cases_open",
            "allegations",
            "finding_substantiated",
            "finding_unsubstantiated",
            "finding_unfounded",
            "finding_exonerated",
            "closed_withdrawn",
            "closed_no_cooperation",
            "closed_limitation_expired",
            "closed_duplicate",
            "closed_transferred",
            "closed_void",
            "closed_other",
            "allegations_open",
            "subjects_identified",
            "subjects_not_identified",
            "cleared_by_conclusion",
            "carried_out",
            "ledger_entries",
            "ledger_entries_of_unit",
            "sanctions",
            "files",
        ]
    );
    assert_eq!(
        json[1],
        serde_json::json!({ "key": "cases_concluded", "label": "cases, concluded", "count": 2 })
    );
}

#[test]
fn what_cannot_be_counted_is_told() {
    let map = Map::parse(MAP).expect("a valid map");
    for (text, told) in [
        (
            "no,day,who,what,closed\n",
            "the column \"result\" is missing",
        ),
        (
            "no,who,closed,result\nA,x,,Ture\n",
            "lacks the word \"Ture\" of [finding]",
        ),
        (
            "no,who,closed,result\nA,x,Lost,True\n",
            "lacks the word \"Lost\" of [closing]",
        ),
        (
            "no,who,closed,result\nA,x,True\n",
            "found record with 3 fields",
        ),
    ] {
        let fault = Figures::count(text.as_bytes(), &map, None)
            .expect_err("a refusal")
            .to_string();
        assert!(fault.contains(told), "{fault}");
    }
}

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
words = { "True" = "substantiated", "Untrue" = "unfounded", "No power" = { closed = "other" }, "Open" = "pending" }
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

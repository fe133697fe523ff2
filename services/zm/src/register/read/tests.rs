//! The rules of reading a register, each by its name.

use jiff::civil::date;

use super::*;
use crate::register::words::{ClosingReason, Finding};

const MAP: &str = r#"
register = "county"
unit = "P51-01"
[case]
column = "no"
[received]
column = "day"
forms = ["%Y-%m-%d"]
[channel]
column = "way"
words = { "Letter" = "letter", "Call" = "phone" }
[subject]
column = "who"
kind = "person"
not_identified = ["?"]
[category]
column = "what"
[closing]
column = "closed"
not_deciding = [""]
words = { "Twice" = "duplicate" }
[finding]
column = "result"
words = { "True" = "substantiated", "Untrue" = "unfounded", "Open" = "pending" }
"#;

const HEADER: &str = "no,day,way,who,what,closed,result\n";

fn map() -> Map {
    Map::parse(MAP).expect("a valid map")
}

fn read(rows: &str) -> Result<Register, ReadError> {
    Register::read(format!("{HEADER}{rows}").as_bytes(), &map())
}

fn lines(register: &Register) -> Vec<(&str, Vec<u64>)> {
    let cases = register.cases.iter();
    cases
        .map(|case| {
            let rows = case.rows.iter().map(|row| row.line).collect();
            (case.reference.as_str(), rows)
        })
        .collect()
}

fn refused(fault: Result<Register, ReadError>) -> Faults {
    match fault.expect_err("a refusal") {
        ReadError::Rows { faults } => faults,
        other => panic!("{other}"),
    }
}

#[test]
fn cases_stand_in_the_order_of_first_appearance() {
    let register = read(
        "B,2024-01-02,Letter,x,Bribery,,True\n\
         A,2024-01-03,Call,y,Bribery,,True\n\
         B,2024-01-02,Letter,?,Rough manner,,Untrue\n",
    )
    .expect("a readable register");
    assert_eq!(lines(&register), [("B", vec![2, 4]), ("A", vec![3])]);
    assert_eq!(register.name, "county");
}

#[test]
fn every_row_is_an_allegation_and_exact_duplicates_too() {
    let row = "A,2024-01-02,Letter,x,Bribery,,True\n";
    let register = read(&row.repeat(3)).expect("a readable register");
    assert_eq!(lines(&register), [("A", vec![2, 3, 4])]);
    let rows = &register.cases[0].rows;
    assert_ne!(
        rows[0].digest, rows[1].digest,
        "its line makes a row itself"
    );
}

#[test]
fn a_row_is_mapped_and_its_own_words_are_kept() {
    let register =
        read("A,2024-01-02,Call, x ,Rough manner,,Untrue\n").expect("a readable register");
    let case = &register.cases[0];
    assert_eq!(case.received, date(2024, 1, 2));
    assert_eq!(case.channel, Channel::Phone);
    assert_eq!(case.channel_word, "Call");
    let row = &case.rows[0];
    let reference = "x".to_owned();
    assert_eq!(row.subject, Subject::Identified { reference });
    assert_eq!(row.category, "rough_manner");
    assert_eq!(row.outcome, Outcome::Finding(Finding::Unfounded));
    assert_eq!(row.words.category, "Rough manner");
    assert_eq!(row.words.deciding(), "Untrue");
}

#[test]
fn closing_decides_before_the_finding() {
    let register = read("A,2024-01-02,Call,x,Bribery,Twice,Open\n").expect("a readable register");
    let case = &register.cases[0];
    assert_eq!(
        case.rows[0].outcome,
        Outcome::Closed(ClosingReason::Duplicate)
    );
    assert_eq!(case.rows[0].words.deciding(), "Twice");
    assert_eq!(case.rows[0].words.finding, "Open");
    assert!(!case.is_open());
}

#[test]
fn a_case_takes_its_earliest_day_and_its_first_channel() {
    let register = read(
        "A,2024-01-05,Letter,x,Bribery,,True\n\
         A,2024-01-03,Call,x,Bribery,,True\n\
         A,2024-01-09,Call,x,Bribery,,True\n",
    )
    .expect("a readable register");
    assert_eq!(register.cases[0].received, date(2024, 1, 3));
    assert_eq!(register.cases[0].channel, Channel::Letter);
}

#[test]
fn a_pending_row_keeps_its_case_open() {
    let register = read(
        "A,2024-01-02,Letter,x,Bribery,,True\n\
         A,2024-01-02,Letter,x,Bribery,,Open\n\
         B,2024-01-02,Letter,x,Bribery,,True\n",
    )
    .expect("a readable register");
    assert!(register.cases[0].is_open());
    assert!(!register.cases[1].is_open());
}

#[test]
fn all_missing_words_are_told_with_their_columns_and_counts() {
    let faults = refused(read(
        "A,2024-01-02,Fax,x,Bribery,,True\n\
         A,2024-01-02,Letter,,Bribery,Lost,Ture\n\
         B,2024-01-02,Fax,x,--,Twice,Ture\n",
    ));
    let words: Vec<_> = faults
        .words()
        .map(|missing| {
            (
                missing.column.as_str(),
                missing.word.as_str(),
                missing.rows,
                missing.first_line,
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            ("way", "Fax", 2, 2),
            ("who", "", 1, 3),
            ("what", "--", 1, 4),
            ("closed", "Lost", 1, 3),
            ("result", "Ture", 2, 3),
        ],
        "a finding is checked even where closing decides"
    );
    let told = faults.to_string();
    assert!(
        told.contains(
            "column \"result\", to words in [finding]:\n    \"Ture\" in 2 rows, first on line 3"
        ),
        "{told}"
    );
    assert!(
        told.contains("to not_identified in [subject]:\n    \"\" (blank) in 1 row,"),
        "{told}"
    );
}

#[test]
fn all_missing_columns_are_told_at_once() {
    let text = "no,day,who,who,result,what\nA,2024-01-02,x,x,True,Bribery\n";
    let fault = Register::read(text.as_bytes(), &map()).expect_err("a refusal");
    let ReadError::Columns { faults, header } = &fault else {
        panic!("{fault}");
    };
    assert_eq!(header.len(), 6);
    let column = |name: &str| name.to_owned();
    assert_eq!(
        faults[..],
        [
            ColumnFault::Missing {
                column: column("way"),
                role: Role::Channel
            },
            ColumnFault::Doubled {
                column: column("who"),
                role: Role::Subject
            },
            ColumnFault::Missing {
                column: column("closed"),
                role: Role::Closing
            },
        ]
    );
    let told = fault.to_string();
    assert!(
        told.contains("the column \"way\" that [channel] of the map names is missing"),
        "{told}"
    );
    assert!(
        told.contains("the header has: no, day, who, who, result, what"),
        "{told}"
    );
}

#[test]
fn an_empty_file_lacks_every_column() {
    let fault = Register::read(b"", &map()).expect_err("a refusal");
    assert!(
        matches!(&fault, ReadError::Columns { faults, .. } if faults.len() == 7),
        "{fault}"
    );
}

#[test]
fn a_register_without_rows_has_no_case() {
    assert!(read("").expect("a readable register").cases.is_empty());
}

#[test]
fn torn_rows_and_unreadable_dates_are_told_with_their_lines() {
    let faults = refused(read(
        "A,2024-01-02,Letter,x,Bribery,,True\n\
         A,2024-01-02,Letter,x,Bribery,True\n\
         A,02.01.2024,Letter,x,Bribery,,True\n\
         A,2024-01-02,Letter,x,Bribery,,True,and more\n\
         A,,Letter,x,Bribery,,True\n\
         ,2024-01-02,Letter,x,Bribery,,True\n",
    ));
    let told: Vec<_> = faults
        .rows()
        .iter()
        .map(|(line, fault)| format!("{line}: {fault}"))
        .collect();
    assert_eq!(
        told,
        [
            "3: the row has 6 fields and the header 7",
            "4: the date \"02.01.2024\" fits none of the map's forms %Y-%m-%d",
            "5: the row has 8 fields and the header 7",
            "6: the date is blank",
            "7: the case's reference is blank",
        ]
    );
}

#[test]
fn many_torn_rows_are_cut_short_in_the_telling_only() {
    let faults = refused(read(&"A,B\n".repeat(50)));
    assert_eq!(faults.rows().len(), 50);
    assert!(
        faults
            .to_string()
            .ends_with("  line 21: the row has 2 fields and the header 7\n  and 30 more")
    );
}

#[test]
fn a_row_stands_on_the_line_where_it_starts() {
    let row = |no| format!("{no},2024-01-02,Letter,x,Bribery,,True");
    let quoted = "B,2024-01-02,Letter,\"x\ny\",Bribery,,True";
    for end in ["\n", "\r\n", "\r"] {
        for bom in ["", "\u{feff}"] {
            let header = HEADER.trim_end();
            let quoted = quoted.replace('\n', end);
            let (a, c, d) = (row("A"), row("C"), row("D"));
            let text = [&format!("{bom}{header}"), &a, &quoted, &c, "", "", &d].join(end);
            let register = Register::read(text.as_bytes(), &map()).expect("a readable register");
            assert_eq!(
                lines(&register),
                [
                    ("A", vec![2]),
                    ("B", vec![3]),
                    ("C", vec![5]),
                    ("D", vec![8])
                ],
                "{end:?} {bom:?}"
            );
        }
    }
}

#[test]
fn a_quote_that_swallows_the_rest_is_a_fault() {
    let text = "no,day,way,who,what,closed,result,note\n\
                A,2024-01-02,Letter,x,Bribery,,True,ok\n\
                B,2024-01-02,Letter,x,Bribery,,True,\"torn\n\
                C,2024-01-02,Letter,x,Bribery,,True,ok\n";
    let faults = refused(Register::read(text.as_bytes(), &map()));
    assert_eq!(faults.rows(), [(3, RowFault::QuoteLeftOpen)]);
    let whole = text.replace("\"torn", "5\" pipe");
    assert_eq!(
        Register::read(whole.as_bytes(), &map())
            .expect("a readable register")
            .cases
            .len(),
        3
    );
}

#[test]
fn another_encoding_is_told_with_its_line() {
    let mut bytes = format!("{HEADER}A,2024-01-02,Letter,x,Bribery,,True\n").into_bytes();
    bytes.extend(b"B,2024-01-02,Letter,\xd5\xc5,Bribery,,True\n");
    let fault = Register::read(&bytes, &map())
        .expect_err("a refusal")
        .to_string();
    assert!(fault.contains("not UTF-8 (line 3)"), "{fault}");
}

#[test]
fn a_register_that_is_not_there_is_named() {
    let fault = Register::open(Path::new("nowhere/register.csv"), &map()).expect_err("a refusal");
    assert!(fault.to_string().contains("nowhere/register.csv"));
}

#[test]
fn the_register_has_the_digest_of_its_bytes() {
    let text = format!("{HEADER}A,2024-01-02,Letter,x,Bribery,,True\n");
    let register = Register::read(text.as_bytes(), &map()).expect("a readable register");
    // printf 'no,day,...' | sha256sum
    assert_eq!(
        register.digest.to_string(),
        "664df13aa3830d8d8b20b49a0fa58ce797908e550b3910e993e12371ab9ffcfe"
    );
}

/// Two rows of one case; the second is a `Call`, which is not entered, as the first row's channel is the case's.
const ENTERED: &str =
    "A,2024-01-02,Letter,x,Bribery,,True\nA,2024-01-02,Call,?,Bribery,Twice,Open\n";

fn digests_with(map: &str) -> Vec<Digest> {
    let map = Map::parse(map).expect("a valid map");
    let register =
        Register::read(format!("{HEADER}{ENTERED}").as_bytes(), &map).expect("a readable register");
    let rows = register.cases.into_iter().flat_map(|case| case.rows);
    rows.map(|row| row.digest).collect()
}

#[test]
fn a_map_edited_so_that_it_changes_an_entered_row_changes_its_digest() {
    let before = digests_with(MAP);
    for (from, to, changed) in [
        (
            r#""Letter" = "letter""#,
            r#""Letter" = "visit""#,
            [true, true],
        ),
        (r#"unit = "P51-01""#, r#"unit = "P51-02""#, [true, true]),
        (
            r#"kind = "person""#,
            r#"kind = "organisation""#,
            [true, true],
        ),
        (
            r#""True" = "substantiated""#,
            r#""True" = "unsubstantiated""#,
            [true, false],
        ),
        (
            r#""True" = "substantiated""#,
            r#""True" = { closed = "other" }"#,
            [true, false],
        ),
        (
            r#""True" = "substantiated""#,
            r#""True" = "pending""#,
            [true, false],
        ),
        (r#"["?"]"#, r#"["?", "x"]"#, [true, false]),
        (
            r#""Twice" = "duplicate""#,
            r#""Twice" = "void""#,
            [false, true],
        ),
        (
            r#"column = "what""#,
            "column = \"what\"\nwords = { \"Bribery\" = \"graft\" }",
            [true, true],
        ),
    ] {
        assert!(MAP.contains(from), "{from}");
        let after = digests_with(&MAP.replacen(from, to, 1));
        let differ: Vec<_> = before.iter().zip(&after).map(|(a, b)| a != b).collect();
        assert_eq!(differ, changed, "{to}");
    }
}

/// What may be added to the map: what follows a conclusion.
const CLEARING: &str = "[clearing]\nharms = [\"spread_in_public\"]\ndegree = \"slight\"\nreach = \"few\"\nscreening = \"agrees\"\nwish = \"wants\"\nform = \"written\"\n";
const SANCTION: &str =
    "[sanction]\ncolumn = \"what\"\nwords = { \"Bribery\" = 6, \"Rough manner\" = \"none\" }\n";

/// The cases' rows for a map that may be edited: who is cleared, who is sanctioned, who is neither.
fn consequent(map: &str) -> Vec<Digest> {
    let map = Map::parse(map).expect("a valid map");
    let rows = "A,2024-01-02,Letter,x,Rough manner,,Untrue\n\
                A,2024-01-02,Letter,y,Bribery,,True\n\
                B,2024-01-02,Letter,z,Rough manner,,Untrue\n\
                B,2024-01-02,Letter,z,Rough manner,,True\n";
    let register =
        Register::read(format!("{HEADER}{rows}").as_bytes(), &map).expect("a readable register");
    let rows = register.cases.into_iter().flat_map(|case| case.rows);
    rows.map(|row| row.digest).collect()
}

#[test]
fn a_map_edited_so_that_it_changes_what_follows_changes_the_digests_of_whom_it_concerns() {
    let bare = consequent(MAP);
    let whole = format!("{MAP}{CLEARING}{SANCTION}");
    let before = consequent(&whole);
    let differ = |one: &[Digest], other: &[Digest]| -> Vec<bool> {
        one.iter().zip(other).map(|(a, b)| a != b).collect()
    };
    assert_eq!(differ(&bare, &before), [true, true, false, false]);
    for (from, to, changed) in [
        ("\"slight\"", "\"grave\"", [true, false, false, false]),
        ("\"few\"", "\"public\"", [true, false, false, false]),
        ("\"agrees\"", "\"objects\"", [true, false, false, false]),
        ("\"wants\"", "\"declines\"", [true, false, false, false]),
        ("\"written\"", "\"in_person\"", [true, false, false, false]),
        (
            "\"spread_in_public\"",
            "\"spread_in_public\", \"rights_harmed\"",
            [true, false, false, false],
        ),
        ("= 6", "= 12", [false, true, false, false]),
        (
            "= 6",
            "= { months = 6, kind = \"graft\" }",
            [false, true, false, false],
        ),
        (
            "\"Rough manner\" = \"none\"",
            "\"Rough manner\" = 6",
            [false, false, false, true],
        ),
    ] {
        assert!(whole.contains(from), "{from}");
        let after = consequent(&whole.replacen(from, to, 1));
        assert_eq!(differ(&before, &after), changed, "{to}");
    }
}

#[test]
fn the_longest_sanction_of_a_case_is_the_persons() {
    let map =
        format!("{MAP}{SANCTION}").replace("\"Rough manner\" = \"none\"", "\"Rough manner\" = 18");
    let rows = "A,2024-01-02,Letter,x,Bribery,,True\n\
                A,2024-01-02,Letter,x,Rough manner,,True\n\
                A,2024-01-02,Letter,x,Bribery,,True\n";
    let register = Register::read(
        format!("{HEADER}{rows}").as_bytes(),
        &Map::parse(&map).expect("a valid map"),
    );
    let cases = register.expect("a readable register").cases;
    let [sanctioned] = &cases[0].sanctions[..] else {
        panic!("{:?}", cases[0].sanctions);
    };
    assert_eq!(sanctioned.reference, "x");
    assert_eq!(sanctioned.impact.months, 18);
    assert_eq!(sanctioned.impact.kind, "rough_manner");
}

#[test]
fn a_map_edited_without_changing_an_entered_row_changes_no_digest() {
    let before = digests_with(MAP);
    for (from, to) in [
        (r#""Call" = "phone""#, r#""Call" = "visit""#),
        (r#""Open" = "pending""#, r#""Open" = "exonerated""#),
        (
            r#""Untrue" = "unfounded""#,
            r#""Untrue" = "unfounded", "Unture" = "unfounded""#,
        ),
        (r#"["%Y-%m-%d"]"#, r#"["%m/%d/%y", "%Y-%m-%d"]"#),
        (
            "[finding]",
            "[sanction]\ncolumn = \"closed\"\nwords = { \"\" = \"none\", \"Twice\" = 6 }\n[finding]",
        ),
    ] {
        assert!(MAP.contains(from), "{from}");
        assert_eq!(digests_with(&MAP.replacen(from, to, 1)), before, "{to}");
    }
}

#[test]
fn a_case_has_the_digest_of_its_rows() {
    let cases = |rows: &str| read(rows).expect("a readable register").cases;
    let one = cases(ENTERED);
    assert_eq!(one[0].digest(), cases(ENTERED)[0].digest());
    let other = ENTERED.replace("Twice", "");
    assert_ne!(one[0].digest(), cases(&other)[0].digest());
}

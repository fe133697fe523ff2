//! The three registers that have maps: the project's own, and two real ones where they are at hand.
//!
//! The expected counts were made apart from this code, with Python's csv module.

use std::path::{Path, PathBuf};

use super::*;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn map(name: &str) -> Map {
    let path = workspace().join(format!("tests/registers/{name}.toml"));
    Map::open(&path).unwrap_or_else(|fault| panic!("{name}.toml: {fault}"))
}

/// A real register, or nothing where there is none: it is never copied into the project.
fn real(file: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("ZHENGMING_DATA")
        .map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let bytes = std::fs::read(folder.join(file)).ok();
    if bytes.is_none() {
        println!("skipped: no register data");
    }
    bytes
}

fn figures(bytes: &[u8], map: &Map, limit: Option<usize>) -> Vec<(&'static str, u64)> {
    let figures = Figures::count(bytes, map, limit).expect("a countable register");
    let counted: Vec<_> = figures.iter().filter(|(_, count)| *count > 0).collect();
    counted
        .into_iter()
        .map(|(figure, count)| (figure.key(), count))
        .collect()
}

fn read(bytes: &[u8], map: &Map) -> Register {
    Register::read(bytes, map).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn the_register_of_the_town() {
    let bytes = std::fs::read(workspace().join("tests/registers/town.csv"))
        .expect("the town has its register");
    let map = map("town");
    let register = read(&bytes, &map);
    assert_eq!(register.cases.len(), 25);
    let moved = &register.cases[17];
    assert_eq!(moved.reference, "T0018");
    assert_eq!(moved.received.to_string(), "2023-08-21");
    assert_eq!(moved.channel, Channel::Letter);
    let led_to = |number: usize| {
        let case = &register.cases[number - 1];
        let sanctions = case.sanctions.iter();
        let sanctions = sanctions.map(|each| format!("{} {}", each.reference, each.impact.months));
        (
            case.cleared.join(" "),
            sanctions.collect::<Vec<_>>().join(" "),
        )
    };
    for (number, cleared, sanctions) in [
        (1, "S0101", ""),
        (2, "", "S0102 6"),
        (3, "S0103", ""),
        (5, "S0107", "S0105 12"),
        (11, "", ""),
        (12, "", "S0110 24"),
        (16, "S0113 S0114 S0115", ""),
        (17, "", "S0113 18"),
        (20, "S0120", "S0119 6"),
        (22, "S0105 S0122", ""),
        (23, "", ""),
        (24, "", ""),
        (25, "S0125", "S0102 12"),
    ] {
        let expected = (cleared.to_owned(), sanctions.to_owned());
        assert_eq!(led_to(number), expected, "case {number}");
    }
    assert_eq!(
        figures(&bytes, &map, None),
        [
            ("cases", 25),
            ("cases_concluded", 22),
            ("cases_open", 3),
            ("allegations", 48),
            ("finding_substantiated", 9),
            ("finding_unsubstantiated", 6),
            ("finding_unfounded", 15),
            ("finding_exonerated", 3),
            ("closed_withdrawn", 2),
            ("closed_no_cooperation", 1),
            ("closed_limitation_expired", 1),
            ("closed_duplicate", 2),
            ("closed_transferred", 1),
            ("closed_void", 1),
            ("closed_other", 1),
            ("allegations_open", 6),
            ("subjects_identified", 25),
            ("subjects_not_identified", 6),
            ("cleared_by_conclusion", 12),
            ("carried_out", 12),
            ("ledger_entries", 12),
            ("ledger_entries_of_unit", 12),
            ("sanctions", 6),
            ("files", 14),
        ]
    );
    assert_eq!(
        figures(&bytes, &map, Some(7)),
        [
            ("cases", 7),
            ("cases_concluded", 7),
            ("allegations", 14),
            ("finding_substantiated", 3),
            ("finding_unsubstantiated", 4),
            ("finding_unfounded", 5),
            ("finding_exonerated", 2),
            ("subjects_identified", 7),
            ("subjects_not_identified", 2),
            ("cleared_by_conclusion", 4),
            ("carried_out", 4),
            ("ledger_entries", 4),
            ("ledger_entries_of_unit", 4),
            ("sanctions", 2),
            ("files", 5),
        ]
    );
}

#[test]
fn the_register_of_detroit() {
    let Some(bytes) = real("detroit_complaints.csv") else {
        return;
    };
    let map = map("detroit");
    let register = read(&bytes, &map);
    assert_eq!(
        register.cases.iter().map(|case| case.rows.len()).max(),
        Some(76)
    );
    assert_eq!(register.cases[0].rows[0].line, 2);
    let last = register
        .cases
        .iter()
        .flat_map(|case| &case.rows)
        .map(|row| row.line)
        .max();
    assert_eq!(
        last,
        Some(19_736),
        "its lines end with CR LF, and each counts once"
    );
    assert_eq!(
        figures(&bytes, &map, None),
        [
            ("cases", 4_482),
            ("cases_concluded", 4_481),
            ("cases_open", 1),
            ("allegations", 19_735),
            ("finding_substantiated", 1_786),
            ("finding_unsubstantiated", 3_428),
            ("finding_unfounded", 2_857),
            ("finding_exonerated", 2_159),
            ("closed_duplicate", 703),
            ("closed_transferred", 711),
            ("closed_void", 12),
            ("closed_other", 8_073),
            ("allegations_open", 6),
            ("subjects_identified", 130),
            ("subjects_not_identified", 3_209),
            ("cleared_by_conclusion", 525),
            ("carried_out", 525),
            ("ledger_entries", 525),
            ("ledger_entries_of_unit", 525),
        ]
    );
    assert_eq!(
        figures(&bytes, &map, Some(100)),
        [
            ("cases", 100),
            ("cases_concluded", 100),
            ("allegations", 794),
            ("finding_substantiated", 96),
            ("finding_unsubstantiated", 138),
            ("finding_unfounded", 116),
            ("finding_exonerated", 131),
            ("closed_duplicate", 20),
            ("closed_transferred", 7),
            ("closed_other", 286),
            ("subjects_identified", 31),
            ("subjects_not_identified", 99),
            ("cleared_by_conclusion", 12),
            ("carried_out", 12),
            ("ledger_entries", 12),
            ("ledger_entries_of_unit", 12),
        ]
    );
}

#[test]
fn the_register_of_philadelphia() {
    let Some(bytes) = real("philadelphia_allegations.csv") else {
        return;
    };
    let map = map("philadelphia");
    let register = read(&bytes, &map);
    let days: Vec<_> = register.cases.iter().map(|case| case.received).collect();
    assert_eq!(
        days.iter().min().expect("there are cases").to_string(),
        "2013-01-07"
    );
    assert_eq!(
        days.iter().max().expect("there are cases").to_string(),
        "2020-07-02"
    );
    assert_eq!(
        figures(&bytes, &map, None),
        [
            ("cases", 4_861),
            ("cases_concluded", 4_520),
            ("cases_open", 341),
            ("allegations", 11_313),
            ("finding_substantiated", 1_839),
            ("finding_unsubstantiated", 8_706),
            ("closed_other", 202),
            ("allegations_open", 566),
            ("subjects_identified", 3_120),
            ("subjects_not_identified", 3_822),
            ("sanctions", 733),
            ("files", 611),
        ]
    );
    assert_eq!(
        figures(&bytes, &map, Some(100)),
        [
            ("cases", 100),
            ("cases_concluded", 97),
            ("cases_open", 3),
            ("allegations", 360),
            ("finding_substantiated", 62),
            ("finding_unsubstantiated", 282),
            ("closed_other", 9),
            ("allegations_open", 7),
            ("subjects_identified", 168),
            ("subjects_not_identified", 112),
            ("sanctions", 28),
            ("files", 28),
        ]
    );
}

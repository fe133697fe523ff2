//! Over random registers: what is read and what is counted are the same, though neither uses the other.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const MAP: &str = include_str!("../../../../tests/registers/town.toml");

/// The figures as the services would count them, had every case been entered.
fn entered(cases: &[Case]) -> Figures {
    let (open, concluded): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.is_open());
    let outcomes = |outcome| {
        let rows = concluded.iter().flat_map(|case| &case.rows);
        rows.filter(|row| row.outcome == outcome).count()
    };
    let rows = || cases.iter().flat_map(|case| &case.rows);
    let identified: HashSet<_> = rows()
        .map(|row| &row.subject)
        .filter(|subject| **subject != Subject::Unidentified)
        .collect();
    let cleared = || cases.iter().flat_map(|case| &case.cleared);
    let sanctioned = || {
        let sanctions = cases.iter().flat_map(|case| &case.sanctions);
        sanctions.map(|sanctioned| &sanctioned.reference)
    };
    Figures::each(|figure| {
        let count = match figure {
            Figure::Cases => cases.len(),
            Figure::CasesConcluded => concluded.len(),
            Figure::CasesOpen => open.len(),
            Figure::Allegations => rows().count(),
            Figure::Found(finding) => outcomes(Outcome::Finding(finding)),
            Figure::Closed(reason) => outcomes(Outcome::Closed(reason)),
            Figure::AllegationsOpen => open.iter().map(|case| case.rows.len()).sum(),
            Figure::SubjectsIdentified => identified.len(),
            Figure::SubjectsNotIdentified => rows()
                .filter(|row| row.subject == Subject::Unidentified)
                .count(),
            // The town's map clears everybody in public whom a conclusion clears.
            Figure::Cleared
            | Figure::CarriedOut
            | Figure::LedgerEntries
            | Figure::LedgerEntriesOfUnit => cleared().count(),
            Figure::Sanctions => sanctioned().count(),
            Figure::Files => cleared().chain(sanctioned()).collect::<HashSet<_>>().len(),
        };
        count as u64
    })
}

fn row() -> impl Strategy<Value = Vec<&'static str>> {
    (
        prop::sample::select(vec!["T1", "T2", "T3 ", "T3", "T4", "T5"]),
        prop::sample::select(vec!["2024-02-29", "2024/2/9", "2024年2月9日"]),
        prop::sample::select(vec!["Letter", "HOTLINE", "Visit "]),
        prop::sample::select(vec!["", "not known", "S1", "S2", " S2", "S\n3", "S,4"]),
        prop::sample::select(vec!["Bribery", "Gifts and \"banquets\""]),
        prop::sample::select(vec!["", "-", "Taken back", "Entered in error"]),
        prop::sample::select(vec![
            "True",
            "Partly true",
            "Not provable",
            "Unture",
            "True but proper",
            "No finding",
            "Being looked into",
        ]),
        prop::sample::select(vec!["", "Warning", "Serious demerit", "Removal from post"]),
    )
        .prop_map(|(case, day, way, who, what, closed, result, discipline)| {
            vec![case, day, way, who, "", what, closed, result, discipline]
        })
}

fn written(rows: &[Vec<&str>]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let header = "case_no,received,came_by,official,post,problem,closed_because,result,discipline";
    csv.write_record(header.split(','))
        .expect("memory takes it");
    for row in rows {
        csv.write_record(row).expect("memory takes it");
    }
    csv.into_inner().expect("memory takes it")
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_counted(rows in prop::collection::vec(row(), 0..40), limit in 0_usize..7) {
        let map = Map::parse(MAP).expect("a valid map");
        let bytes = written(&rows);
        let register = Register::read(&bytes, &map).expect("a readable register");
        prop_assert_eq!(entered(&register.cases), Figures::count(&bytes, &map, None).expect("a countable register"));
        let first = &register.cases[..limit.min(register.cases.len())];
        prop_assert_eq!(entered(first), Figures::count(&bytes, &map, Some(limit)).expect("a countable register"));
    }

    #[test]
    fn no_row_is_lost_and_none_is_there_twice(rows in prop::collection::vec(row(), 0..40)) {
        let map = Map::parse(MAP).expect("a valid map");
        let register = Register::read(&written(&rows), &map).expect("a readable register");
        let all: Vec<_> = register.cases.iter().flat_map(|case| &case.rows).collect();
        prop_assert_eq!(all.len(), rows.len());
        let lines: HashSet<_> = all.iter().map(|row| row.line).collect();
        let digests: HashSet<_> = all.iter().map(|row| row.digest).collect();
        prop_assert_eq!((lines.len(), digests.len()), (rows.len(), rows.len()));
    }

    #[test]
    fn whatever_stands_in_a_file_it_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let map = Map::parse(MAP).expect("a valid map");
        let mut text = written(&[]);
        text.extend(bytes);
        if let Ok(register) = Register::read(&text, &map) {
            prop_assert_eq!(entered(&register.cases), Figures::count(&text, &map, None).expect("a readable register"));
        }
    }
}

use office::UnitCode;

use super::*;
use crate::register::{Map, Register};
use crate::replay::actors::Cast;

const TOWN: &[u8] = include_bytes!("../../../../../tests/registers/town.csv");
const MAP: &str = include_str!("../../../../../tests/registers/town.toml");

fn town(map: &str) -> Register {
    Register::read(TOWN, &Map::parse(map).expect("a map")).expect("a register")
}

fn registrar() -> Actor {
    let unit = UnitCode::new("P51-01").expect("a code");
    Cast::made(&unit).registrar().clone()
}

fn row(register: &Register, case: &Case, state: ReportState) -> ReportRow {
    ReportRow {
        report_id: report_id(register.digest, case, &registrar()).to_string(),
        state: state.into(),
        reference: case.reference.clone(),
        matter_id: format!("matter of {}", case.reference),
        ..Default::default()
    }
}

fn all_entered(register: &Register) -> Listed {
    let cases = register.cases.iter();
    Listed {
        reports: cases
            .map(|case| row(register, case, ReportState::Accepted))
            .collect(),
        ..Listed::default()
    }
}

fn source<'a>(register: &'a Register, unit: &'a UnitCode, map: &'a Map) -> Source<'a> {
    Source {
        name: &register.name,
        digest: register.digest,
        kind: map.subject_kind(),
        unit,
        clearing: map.clearing(),
    }
}

fn compare(register: &Register, listed: Listed) -> Result<Entered, Contradictions> {
    compare_some(register, &register.cases, listed)
}

fn compare_some(
    register: &Register,
    cases: &[Case],
    listed: Listed,
) -> Result<Entered, Contradictions> {
    let unit = UnitCode::new("P51-01").expect("a code");
    let map = Map::parse(MAP).expect("a map");
    Entered::compare(source(register, &unit, &map), cases, &registrar(), listed)
}

fn cleared(register: &Register, case: &Case, state: ClarificationState) -> ClarificationRow {
    ClarificationRow {
        matter_id: format!("matter of {}", case.reference),
        subject_id: subject_id(&register.name, &case.cleared[0]).to_string(),
        state: state.into(),
        ..Default::default()
    }
}

#[test]
fn nothing_entered_contradicts_nothing() {
    let register = town(MAP);
    let entered = compare(&register, Listed::default()).expect("nothing");
    assert_eq!((entered.count(), entered.others()), (0, 0));
}

#[test]
fn what_was_entered_with_the_same_map_need_not_be_entered_again() {
    let register = town(MAP);
    let mut listed = all_entered(&register);
    let first = &register.cases[0].reference;
    let matter = format!("matter of {first}");
    listed.cases.push(CaseRow {
        case_id: "case".to_owned(),
        matter_id: matter.clone(),
        state: CaseState::Concluded.into(),
        ..Default::default()
    });
    let entered = compare(&register, listed).expect("the same");
    assert_eq!(entered.count(), register.cases.len());
    assert_eq!(entered.concluded(first), Some((matter.as_str(), "case")));
    assert_eq!(entered.concluded(&register.cases[1].reference), None);
}

#[test]
fn a_name_that_was_cleared_to_the_end_need_not_be_cleared_again() {
    let register = town(MAP);
    let unit = UnitCode::new("P51-01").expect("a code");
    let map = Map::parse(MAP).expect("a map");
    let (case, subject) = (&register.cases[0], &register.cases[0].cleared[0]);
    let matter = format!("matter of {}", case.reference);
    for (state, ended) in [
        (ClarificationState::Confirmed, true),
        (ClarificationState::CarriedOut, false),
        (ClarificationState::Screening, false),
    ] {
        let mut listed = all_entered(&register);
        listed.clarifications.push(cleared(&register, case, state));
        let entered = compare(&register, listed).expect("the same");
        let source = source(&register, &unit, &map);
        assert_eq!(entered.is_cleared(source, &matter, subject), ended);
        assert!(!entered.is_cleared(source, "another", subject));
    }
}

#[test]
fn a_map_that_changes_an_entered_row_is_found_and_its_cases_named() {
    let before = town(MAP);
    let edited = town(&MAP.replace(r#""Unture" = "unfounded""#, r#""Unture" = "exonerated""#));
    let fault = compare(&edited, all_entered(&before)).expect_err("another content");
    let touched: Vec<_> = before
        .cases
        .iter()
        .filter(|case| case.rows.iter().any(|row| row.words.deciding() == "Unture"))
        .map(|case| case.reference.clone())
        .collect();
    assert!(!touched.is_empty());
    let named: Vec<_> = fault
        .cases
        .iter()
        .map(|(reference, ..)| reference.clone())
        .collect();
    assert_eq!(named, touched);
    assert_eq!(fault.entered, before.cases.len());
    let text = fault.to_string();
    assert!(text.starts_with("nothing was sent: "), "{text}");
    assert!(
        text.contains(&touched[0]) && text.contains("line"),
        "{text}"
    );
}

#[test]
fn a_map_that_changes_only_what_is_not_entered_is_no_contradiction() {
    let before = town(MAP);
    let edited = town(&MAP.replace(r#""Unture" = "unfounded""#, r#""Unture" = "exonerated""#));
    let mut listed = all_entered(&before);
    let touched = |reference: &str| {
        let mut cases = before.cases.iter();
        cases.any(|case| {
            case.reference == reference
                && case.rows.iter().any(|row| row.words.deciding() == "Unture")
        })
    };
    listed.reports.retain(|row| !touched(&row.reference));
    assert!(compare(&edited, listed).is_ok());
}

#[test]
fn a_case_that_is_entered_twice_contradicts() {
    let register = town(MAP);
    let mut listed = all_entered(&register);
    listed.reports.push(ReportRow {
        report_id: "another".to_owned(),
        ..row(&register, &register.cases[0], ReportState::Accepted)
    });
    let fault = compare(&register, listed).expect_err("two reports");
    assert_eq!(fault.cases.len(), 1);
}

#[test]
fn what_was_decided_by_hand_is_not_replayed_over() {
    let register = town(MAP);
    let mut listed = all_entered(&register);
    listed.reports[0].set_state(ReportState::Declined);
    listed.cases.push(CaseRow {
        matter_id: listed.reports[1].matter_id.clone(),
        state: CaseState::Suspended.into(),
        ..Default::default()
    });
    let third = &register.cases[2];
    listed
        .clarifications
        .push(cleared(&register, third, ClarificationState::NotEligible));
    let fault = compare(&register, listed).expect_err("decided by hand");
    let told: Vec<_> = fault
        .cases
        .iter()
        .map(|(.., why)| why.to_string())
        .collect();
    assert_eq!(
        told,
        [
            "its report is declined by hand",
            "its case is suspended by hand",
            "the clearing of a name in it is not eligible by hand"
        ]
    );
}

#[test]
fn reports_of_the_source_that_are_none_of_the_given_cases_are_counted() {
    let register = town(MAP);
    let listed = all_entered(&register);
    let (given, rest) = register.cases.split_at(3);
    let entered = compare_some(&register, given, listed).expect("the same");
    assert_eq!((entered.count(), entered.others()), (3, rest.len()));
}

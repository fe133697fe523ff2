use super::*;
use crate::register::{Map, Register};

const TOWN: &[u8] = include_bytes!("../../../../../tests/registers/town.csv");
const MAP: &str = include_str!("../../../../../tests/registers/town.toml");

fn town() -> Register {
    Register::read(TOWN, &Map::parse(MAP).expect("a map")).expect("a register")
}

fn unit() -> UnitCode {
    UnitCode::new("P51-01").expect("a code")
}

fn source<'a>(register: &'a Register, unit: &'a UnitCode) -> Source<'a> {
    Source {
        name: &register.name,
        digest: register.digest,
        kind: SubjectKind::Person,
        unit,
        clearing: None,
    }
}

fn numbered(case: &Case) -> Vec<String> {
    case.rows
        .iter()
        .map(|row| format!("allegation of {}", row.line))
        .collect()
}

#[test]
fn a_case_is_led_to_its_conclusion() {
    assert_eq!(
        steps_left(false, Reached::Opened),
        [
            Step::AssignInvestigators,
            Step::RecordEvidence,
            Step::ProposeFindings,
            Step::ApproveFindings
        ]
    );
}

#[test]
fn a_case_with_a_pending_row_stays_open_after_its_evidence() {
    assert_eq!(
        steps_left(true, Reached::Opened),
        [Step::AssignInvestigators, Step::RecordEvidence]
    );
    assert!(steps_left(true, Reached::Evidenced).is_empty());
}

#[test]
fn a_replay_that_goes_on_takes_only_the_steps_that_are_left() {
    assert_eq!(
        steps_left(false, Reached::Evidenced),
        [Step::ProposeFindings, Step::ApproveFindings]
    );
    assert_eq!(
        steps_left(false, Reached::Proposed),
        [Step::ApproveFindings]
    );
    assert_eq!(steps_left(true, Reached::Assigned), [Step::RecordEvidence]);
    assert!(steps_left(false, Reached::Concluded).is_empty());
    assert!(steps_left(true, Reached::Concluded).is_empty());
}

#[test]
fn every_row_is_an_allegation_exact_duplicates_too() {
    let (register, unit) = (town(), unit());
    let source = source(&register, &unit);
    let rows: usize = register.cases.iter().map(|case| case.rows.len()).sum();
    let requests: Vec<_> = register
        .cases
        .iter()
        .map(|case| submit_report(source, case, str::to_owned))
        .collect();
    let allegations = requests.iter().map(|request| request.allegations.len());
    assert_eq!(allegations.sum::<usize>(), rows);
    let mut narratives: Vec<_> = requests
        .iter()
        .flat_map(|request| &request.allegations)
        .map(|allegation| allegation.narrative.as_str())
        .collect();
    narratives.sort_unstable();
    narratives.dedup();
    assert_eq!(narratives.len(), rows, "each names its line");
}

#[test]
fn a_row_without_an_identified_subject_has_an_unknown_one_of_its_own() {
    let (register, unit) = (town(), unit());
    for case in &register.cases {
        let request = submit_report(source(&register, &unit), case, |reference| {
            format!("id of {reference}")
        });
        for (row, allegation) in case.rows.iter().zip(&request.allegations) {
            match (&row.subject, &allegation.subject) {
                (
                    Subject::Identified { reference },
                    Some(allegation_input::Subject::SubjectId(id)),
                ) => assert_eq!(*id, format!("id of {reference}")),
                (
                    Subject::Unidentified,
                    Some(allegation_input::Subject::NotIdentified(description)),
                ) => assert!(description.contains(&format!("line {}", row.line))),
                (subject, entered) => panic!("{subject:?} was entered as {entered:?}"),
            }
        }
    }
}

#[test]
fn each_row_gets_the_finding_that_the_map_gives_it() {
    let (register, unit) = (town(), unit());
    let evidence = ["evidence".to_owned()];
    for case in &register.cases {
        let ids = numbered(case);
        let request = propose_findings(source(&register, &unit), case, "case", &ids, &evidence);
        assert_eq!(request.is_none(), case.is_open(), "{}", case.reference);
        let Some(request) = request else { continue };
        for ((row, finding), id) in case.rows.iter().zip(&request.findings).zip(&ids) {
            assert_eq!(finding.allegation_id, *id);
            assert_eq!(finding.local_word, row.words.deciding());
            assert_eq!(finding.evidence_ids, evidence);
            let closed = matches!(row.outcome, Outcome::Closed(_));
            assert_eq!(finding.finding() == words::Finding::Closed, closed);
            assert_eq!(finding.closing_reason != 0, closed);
        }
    }
}

#[test]
fn every_candidate_that_is_shown_is_rejected_with_the_reason() {
    let (register, unit) = (town(), unit());
    let shown = ["a", "b"].map(|id| Candidate {
        matter_id: id.to_owned(),
        ..Default::default()
    });
    let request = accept_report(source(&register, &unit), &register.cases[0], "r", &shown);
    let rejected: Vec<_> = request
        .rejected_candidates
        .iter()
        .map(|candidate| (candidate.matter_id.as_str(), candidate.reason.as_str()))
        .collect();
    assert_eq!(rejected, [("a", OTHER_CASE), ("b", OTHER_CASE)]);
}

#[test]
fn a_request_is_the_same_whenever_it_is_made() {
    let (register, again, unit) = (town(), town(), unit());
    for (case, same) in register.cases.iter().zip(&again.cases) {
        let (one, other) = (source(&register, &unit), source(&again, &unit));
        assert_eq!(
            submit_report(one, case, str::to_owned),
            submit_report(other, same, str::to_owned)
        );
        assert_eq!(
            record_evidence(one, case, "case"),
            record_evidence(other, same, "case")
        );
    }
}

#[test]
fn the_results_are_no_part_of_what_was_reported() {
    let (register, unit) = (town(), unit());
    for case in &register.cases {
        let request = submit_report(source(&register, &unit), case, str::to_owned);
        for (row, allegation) in case.rows.iter().zip(&request.allegations) {
            assert!(allegation.narrative.contains(&row.words.category));
            if row.words.finding.len() > 4 && !row.words.category.contains(&row.words.finding) {
                assert!(!allegation.narrative.contains(&row.words.finding));
            }
        }
    }
}

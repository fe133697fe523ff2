//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::path::PathBuf;

use chassis::aggregate::Vocabulary;
use chassis::testing::{knows_every_sample, reads_every_sample};

use crate::{clarification, integrity, ledger, matter, meeting};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

#[test]
fn every_stored_event_decodes_and_is_written_the_same() {
    reads_every_sample::<matter::Event>(&folder());
    reads_every_sample::<clarification::Event>(&folder());
    reads_every_sample::<meeting::Event>(&folder());
    reads_every_sample::<ledger::Event>(&folder());
    reads_every_sample::<integrity::Event>(&folder());
}

/// The days that lines say are no new version of the events that hold lines.
#[test]
fn what_states_findings_decodes_and_is_written_the_same_with_days_as_well() {
    reads_with_days::<matter::Event>(&["conclusion_learned.2", "reopening_learned.2"]);
    reads_with_days::<clarification::Event>(&[
        "candidate_opened.1",
        "clarification_taken_up.1",
        "statement_drafted.1",
    ]);
    reads_with_days::<meeting::Event>(&["meeting_convened.2"]);
}

fn reads_with_days<E: Vocabulary>(samples: &[&str]) {
    for sample in samples {
        let stored = std::fs::read_to_string(folder().join(format!("{sample}.json")));
        let stored = stored.expect("a sample");
        let dated = stored
            .trim_end()
            .replace(r#","finding""#, r#","occurred_on":"2025-11-03","finding""#);
        assert_ne!(dated, stored.trim_end(), "{sample} holds lines");
        let (name, version) = sample.split_once('.').expect("a type and a version");
        let version = version.parse().expect("a number");
        let event = E::decode(name, version, dated.as_bytes()).expect("it decodes");
        assert_eq!(event.name(), (name, version), "it has no newer version");
        assert_eq!(String::from_utf8_lossy(&event.encode()), dated);
    }
}

#[test]
fn a_wish_that_was_stored_before_speakers_were_kept_names_none() {
    let sample = std::fs::read(folder().join("wish_recorded.1.json")).expect("a sample");
    let wish = clarification::Event::decode("wish_recorded", 1, &sample);
    let Ok(clarification::Event::WishRecorded(wish)) = wish else {
        panic!("the sample decodes, not {wish:?}");
    };
    assert_eq!(wish.spoken_by, None);
}

#[test]
fn an_unreachability_that_was_stored_before_forms_fell_with_it_leaves_them() {
    let sample = std::fs::read(folder().join("subject_unreachable.1.json")).expect("a sample");
    let found = clarification::Event::decode("subject_unreachable", 1, &sample);
    let Ok(clarification::Event::FoundUnreachable(found)) = found else {
        panic!("the sample decodes, not {found:?}");
    };
    assert_eq!(found.form, clarification::Left::Stays);
}

#[test]
fn every_sample_is_of_a_known_event() {
    let known = [
        matter::Event::TYPES,
        clarification::Event::TYPES,
        meeting::Event::TYPES,
        ledger::Event::TYPES,
        integrity::Event::TYPES,
    ];
    knows_every_sample(&folder(), &known);
}

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

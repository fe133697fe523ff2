//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::path::PathBuf;

use chassis::aggregate::Vocabulary;
use chassis::testing::{knows_every_sample, reads_every_sample};

use crate::{clarification, integrity, ledger, matter};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

#[test]
fn every_stored_event_decodes_and_is_written_the_same() {
    reads_every_sample::<matter::Event>(&folder());
    reads_every_sample::<clarification::Event>(&folder());
    reads_every_sample::<ledger::Event>(&folder());
    reads_every_sample::<integrity::Event>(&folder());
}

#[test]
fn every_sample_is_of_a_known_event() {
    let known = [
        matter::Event::TYPES,
        clarification::Event::TYPES,
        ledger::Event::TYPES,
        integrity::Event::TYPES,
    ];
    knows_every_sample(&folder(), &known);
}

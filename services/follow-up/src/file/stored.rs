//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::path::PathBuf;

use chassis::aggregate::Vocabulary;
use chassis::testing::{knows_every_sample, reads_every_sample};

use super::Event;
use crate::matter;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

#[test]
fn every_stored_event_decodes_and_is_written_the_same() {
    reads_every_sample::<Event>(&folder());
    reads_every_sample::<matter::Event>(&folder());
}

#[test]
fn every_sample_is_of_a_known_event() {
    knows_every_sample(&folder(), &[Event::TYPES, matter::Event::TYPES]);
}

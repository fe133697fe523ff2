//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::path::PathBuf;

use chassis::aggregate::{Aggregate, Vocabulary};
use chassis::testing::{knows_every_sample, reads_every_sample};
use uuid::Uuid;

use crate::case::Case;
use crate::{case, sanctions};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

#[test]
fn every_stored_event_decodes_and_is_written_the_same() {
    reads_every_sample::<case::Event>(&folder());
    reads_every_sample::<sanctions::Event>(&folder());
}

/// Its announcement is made again whenever a follower asks, and says of harm what it said then.
#[test]
fn what_was_stored_before_harm_was_recorded_tells_none() {
    let sample = |name| std::fs::read(folder().join(name)).expect("a sample");
    let proposed = case::Event::decode("findings_proposed", 1, &sample("findings_proposed.1.json"));
    let Ok(case::Event::FindingsProposed(proposed)) = proposed else {
        panic!("the sample decodes, not {proposed:?}");
    };
    assert_eq!(proposed.harms, []);
    let concluded = case::Event::decode("case_concluded", 1, &sample("case_concluded.1.json"));
    let concluded = concluded.expect("the sample decodes");
    let told = Case::announce(Uuid::nil(), &concluded).expect("a conclusion is public");
    let body = String::from_utf8(told.body).expect("JSON is UTF-8");
    assert!(
        body.contains("findings") && !body.contains("harm"),
        "{body}"
    );
}

#[test]
fn every_sample_is_of_a_known_event() {
    let known = [case::Event::TYPES, sanctions::Event::TYPES];
    knows_every_sample(&folder(), &known);
}

//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chassis::aggregate::{Aggregate, Vocabulary};
use uuid::Uuid;

use crate::case::Case;
use crate::{case, sanctions};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

fn every_sample_of<E: Vocabulary>() {
    for (name, version) in E::TYPES {
        let file = folder().join(format!("{name}.{version}.json"));
        let sample = std::fs::read(&file)
            .unwrap_or_else(|error| panic!("no sample of {name} version {version}: {error}"));
        let sample = sample.trim_ascii_end();
        let event = E::decode(name, *version, sample).expect("the sample decodes");
        assert_eq!(event.name().0, *name);
        // An old version is brought up to date by decoding; only the newest is written again.
        if event.name().1 == *version {
            assert_eq!(
                String::from_utf8_lossy(&event.encode()),
                String::from_utf8_lossy(sample),
                "{name} version {version}"
            );
        }
    }
}

#[test]
fn every_stored_event_of_a_case_decodes_and_is_written_the_same() {
    every_sample_of::<case::Event>();
}

#[test]
fn every_stored_event_of_sanctions_decodes_and_is_written_the_same() {
    every_sample_of::<sanctions::Event>();
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
    let known: BTreeSet<String> = [case::Event::TYPES, sanctions::Event::TYPES]
        .concat()
        .iter()
        .map(|(name, version)| format!("{name}.{version}.json"))
        .collect();
    for entry in std::fs::read_dir(folder()).expect("the folder of samples") {
        let name = entry.expect("a sample").file_name();
        assert!(
            known.contains(name.to_string_lossy().as_ref()),
            "{} was an event once; keep its decoder",
            name.to_string_lossy()
        );
    }
}

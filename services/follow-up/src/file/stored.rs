//! Every event that was ever stored decodes for ever: one sample a type and version in `tests/stored`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chassis::aggregate::Vocabulary;

use super::Event;

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

#[test]
fn every_stored_event_decodes_and_is_written_the_same() {
    for (name, version) in Event::TYPES {
        let sample = std::fs::read_to_string(samples().join(format!("{name}.{version}.json")))
            .unwrap_or_else(|error| panic!("no sample of {name} version {version}: {error}"));
        let sample = sample.trim_end();
        let event = Event::decode(name, *version, sample.as_bytes()).expect("the sample decodes");
        let (now_named, now_version) = event.name();
        assert_eq!(now_named, *name);
        // An old version is brought up to date by decoding; only the newest is written again.
        if now_version == *version {
            let written = String::from_utf8(event.encode()).expect("an event is JSON");
            assert_eq!(written, sample, "{name} version {version}");
        }
    }
}

#[test]
fn every_sample_is_of_a_known_event() {
    let known: BTreeSet<String> = Event::TYPES
        .iter()
        .map(|(name, version)| format!("{name}.{version}.json"))
        .collect();
    for sample in std::fs::read_dir(samples()).expect("the folder of samples") {
        let name = sample.expect("a sample").file_name();
        let name = name.to_string_lossy();
        assert!(
            known.contains(name.as_ref()),
            "{name} was an event once; keep its decoder"
        );
    }
}

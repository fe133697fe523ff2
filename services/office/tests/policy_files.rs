//! What a person is told about policy files: those that this project ships load, and every fault of every file is named
//! at once, with the file, the key and what to do.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use office::{Policies, PolicyFault};
use proptest::prelude::*;

/// The shipped files with one piece of text replaced by another.
fn edited(file: &str, from: &str, to: &str) -> Vec<(String, String)> {
    let texts = [
        (
            "default.toml",
            include_str!("../../../deploy/policy/default.toml"),
        ),
        (
            "units.toml",
            include_str!("../../../deploy/policy/units.toml"),
        ),
    ];
    let edit = |(name, text): (&str, &str)| {
        let text = if name == file {
            assert!(text.contains(from), "{file} has no {from:?} to replace");
            text.replacen(from, to, 1)
        } else {
            text.to_owned()
        };
        (name.to_owned(), text)
    };
    texts.into_iter().map(edit).collect()
}

/// The faults that the files have after an edit, as a person reads them.
fn told(file: &str, from: &str, to: &str) -> Vec<String> {
    match Policies::parse(&edited(file, from, to)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.faults().iter().map(PolicyFault::to_string).collect(),
    }
}

#[test]
fn the_shipped_policy_files_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policy");
    let loaded = Policies::load(&folder).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(
        loaded,
        Policies::shipped().expect("they load"),
        "what is built in is what stands in the folder"
    );
    assert_eq!(loaded.iter().count(), 1);
}

#[test]
fn two_profiles_share_neither_version_nor_date() {
    let mut files = edited("default.toml", "default-1", "default-1");
    files.push(("copy.toml".to_owned(), files[0].1.clone()));
    let faults = Policies::parse(&files).expect_err("a copy");
    let told = faults.to_string();
    assert!(
        told.contains("copy.toml: version: is also that of default.toml"),
        "{told}"
    );
    assert!(
        told.contains("copy.toml: effective_from: is also that of default.toml"),
        "{told}"
    );
}

#[test]
fn a_word_has_one_meaning() {
    let faults = told(
        "default.toml",
        "exonerated = [",
        "exonerated = [\"Sustained\",",
    );
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("words.exonerated: \"sustained\" stands here and elsewhere"),
        "{faults:?}"
    );
}

#[test]
fn each_fault_names_its_file_its_key_and_what_to_do() {
    let cases = [
        (
            "triage_working_days = 15 ",
            "",
            "default.toml: intake.triage_working_days: is missing; give a whole number from 1 to 366 (working days)",
        ),
        (
            "case_days = 60",
            "case_days = \"sixty\"",
            "default.toml: verification.case_days: is \"sixty\"; give a whole number from 1 to 3650 (days)",
        ),
        (
            "case_days = 60",
            "case_days = 0",
            "default.toml: verification.case_days: is 0; give a whole number from 1 to 3650 (days)",
        ),
        (
            "candidate_min_score = 0.5",
            "candidate_min_score = 50",
            "default.toml: intake.candidate_min_score: is 50; give a number from 0 to 1",
        ),
        (
            "visitors_min = 2",
            "visitors_mim = 2\nvisitors_min = 2",
            "default.toml: follow_up.visitors_mim: is not known here; known are aftercare_days,",
        ),
        (
            "[follow_up]",
            "[followup]",
            "default.toml: follow_up: is missing; give a table",
        ),
        (
            "\"Asia/Shanghai\"",
            "\"Asia/Yunchuan\"",
            "default.toml: calendar.time_zone: \"Asia/Yunchuan\" is no time zone",
        ),
        (
            "\"sunday\"",
            "\"Sun\"",
            "default.toml: calendar.weekend: \"Sun\" is no day of the week",
        ),
        (
            "\"2026-01-04\"",
            "\"2026-01-32\"",
            "default.toml: calendar.make_up_days: \"2026-01-32\" is no date",
        ),
        (
            "\"2026-01-04\"",
            "\"2026-01-05\"",
            "default.toml: calendar.make_up_days: 2026-01-05 is a make-up working day but no weekend day",
        ),
        (
            "\"2026-10-01/2026-10-07\"",
            "\"2026-10-07/2026-10-01\"",
            "default.toml: calendar.holidays: \"2026-10-07/2026-10-01\" ends before it begins",
        ),
        (
            "\"2026-10-01/2026-10-07\"",
            "\"2026-10-01/2062-10-07\"",
            "default.toml: calendar.holidays: \"2026-10-01/2062-10-07\" spans more than a year",
        ),
        (
            "2000-01-01T00:00:00+08:00",
            "2000-01-01",
            "default.toml: effective_from:",
        ),
        (
            "\"prefecture\"",
            "\"city\"",
            "default.toml: clarification.fabrication_min_level: \"city\" is no level",
        ),
        (
            "[6, 12, 18, 24]",
            "[12, 6]",
            "default.toml: follow_up.impact_months: is a list; give a list of ascending whole numbers",
        ),
        (
            "impact_total_max = 48",
            "impact_total_max = 12",
            "default.toml: follow_up.impact_total_max: is less than the longest",
        ),
        (
            "feedback_extended_months = 6",
            "feedback_extended_months = 2",
            "default.toml: intake.feedback_extended_months: is less than feedback_months",
        ),
        (
            "\"out_of_scope\"",
            "\"Out of scope\"",
            "default.toml: intake.decline_reasons: \"Out of scope\" is no code",
        ),
        (
            "\"no_substance\"",
            "\"out_of_scope\"",
            "default.toml: intake.decline_reasons: names \"out_of_scope\" twice",
        ),
        (
            "void = [",
            "invalid = [",
            "default.toml: verification.words.closed.invalid: is none of closing_reasons",
        ),
        (
            "screener = [",
            "scrutineer = [",
            "default.toml: permissions.scrutineer: \"scrutineer\" is no role: expected one of intake_officer,",
        ),
        (
            "\"AddMaterial\", \"GetReceipt\"]",
            "\"AddMaterial\", \"AddMaterial\"]",
            "default.toml: permissions.public: names \"AddMaterial\" twice",
        ),
        (
            "\"SubmitReport\"",
            "\"submit report\"",
            "default.toml: permissions.intake_officer: \"submit report\" is no name of a command",
        ),
        (
            "version = \"default-1\"",
            "version = \" \"",
            "default.toml: version: is blank; give a name for this profile",
        ),
        ("[intake]", "[intake", "default.toml: is not valid TOML:"),
    ];
    for (from, to, expected) in cases {
        let told = told("default.toml", from, to);
        assert!(
            told.iter().any(|fault| fault.starts_with(expected)),
            "{expected:?} is not among {told:#?}"
        );
        assert_eq!(
            told.len(),
            1 + usize::from(from == "[follow_up]"),
            "one cause, one fault: {told:#?}"
        );
    }
}

#[test]
fn each_fault_of_the_units_names_the_unit() {
    let cases = [
        (
            "level = \"nation\"",
            "level = \"country\"",
            "units.toml: unit[1].level: \"country\" is no level",
        ),
        (
            "code = \"P51\"",
            "code = \"P 51\"",
            "units.toml: unit[2].code: \"P 51\" is no valid unit code",
        ),
        (
            "place = \"910000\"",
            "place = \"\"",
            "units.toml: unit[2].place: is blank",
        ),
        (
            "place = \"910000\"",
            "place = \"000000\"",
            "units.toml: unit: the place 000000 belongs to N and to P51",
        ),
        (
            "parent = \"P51\"\n",
            "parent = \"P15\"\n",
            "units.toml: unit: unit P51-01 stands below P15, which is not in the hierarchy",
        ),
        (
            "parent = \"N\"\n",
            "",
            "units.toml: unit: the units N, P51 have no parent",
        ),
    ];
    for (from, to, expected) in cases {
        let told = told("units.toml", from, to);
        assert_eq!(told.len(), 1, "one cause, one fault: {told:#?}");
        assert!(
            told[0].starts_with(expected),
            "{expected:?} is not {told:#?}"
        );
    }
}

#[test]
fn every_fault_of_every_file_is_told_at_once() {
    let mut files = edited("default.toml", "case_days = 60", "case_days = -1");
    files[1].1 = files[1]
        .1
        .replacen("level = \"nation\"", "level = \"county\"", 1);
    files.push(("broken.toml".to_owned(), "version = ".to_owned()));
    let faults = Policies::parse(&files).expect_err("three broken files");
    let told: BTreeSet<&str> = faults
        .faults()
        .iter()
        .map(|fault| fault.file.as_str())
        .collect();
    assert_eq!(
        told,
        BTreeSet::from(["default.toml", "units.toml", "broken.toml"])
    );
    assert!(
        faults
            .to_string()
            .starts_with("the policy files cannot be used:\n  units.toml: "),
        "{faults}"
    );
}

#[test]
fn a_folder_without_policy_says_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = Policies::load(folder.path()).expect_err("it is empty");
    let told: Vec<&str> = faults
        .faults()
        .iter()
        .map(|fault| fault.file.as_str())
        .collect();
    assert_eq!(told, ["units.toml", "*.toml"]);

    let nowhere = Policies::load(&folder.path().join("nowhere")).expect_err("it does not exist");
    assert!(
        nowhere
            .to_string()
            .contains("cannot be read as a folder of policy files"),
        "{nowhere}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_beside_the_other_faults() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("latin.toml"), b"version = \"\xe9\"").expect("a file");
    fs::write(folder.path().join("README.md"), "not a policy").expect("a file");
    let faults = Policies::load(folder.path()).expect_err("nothing of use");
    let told = faults.to_string();
    assert!(told.contains("latin.toml: cannot be read"), "{told}");
    assert!(told.contains("units.toml: is missing"), "{told}");
    assert!(!told.contains("README"), "{told}");
}

#[test]
fn an_empty_hierarchy_or_a_missing_table_is_a_fault_told_once() {
    let mut files = edited("units.toml", "", "");
    files[1].1 = "unit = []\n".to_owned();
    let faults = Policies::parse(&files).expect_err("no units");
    assert!(
        faults
            .to_string()
            .ends_with("units.toml: unit: there is no unit; give at least the root"),
        "{faults}"
    );

    let calendar = told("default.toml", "[calendar]", "[kalender]");
    assert_eq!(calendar.len(), 2, "{calendar:?}");
    assert_eq!(
        calendar[0],
        "default.toml: calendar: is missing; give a table"
    );
}

proptest! {
    /// Whatever line goes missing, the files load whole or the loader says why: no profile is left out in silence.
    #[test]
    fn a_file_loads_whole_or_is_told_about(line in any::<prop::sample::Index>(), units in any::<bool>()) {
        let mut files = edited("default.toml", "", "");
        let text = &mut files[usize::from(units)].1;
        let gone = line.index(text.lines().count());
        let kept: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| line).collect();
        *text = kept.join("\n");
        match Policies::parse(&files) {
            Ok(policies) => prop_assert_eq!(policies.iter().count(), 1),
            Err(faults) => prop_assert!(!faults.faults().is_empty()),
        }
    }
}

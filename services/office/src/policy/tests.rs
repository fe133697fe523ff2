//! The rules of the profile and its files, each under its name.

use std::collections::BTreeSet;

use super::*;
use crate::actor::ActorId;
use crate::level::Level;

fn shipped() -> Policies {
    Policies::shipped().unwrap_or_else(|faults| panic!("{faults}"))
}

fn profile() -> Arc<Profile> {
    Arc::clone(shipped().in_force(at("2026-03-01T00:00:00Z")))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

fn unit(text: &str) -> UnitCode {
    UnitCode::new(text).expect("a valid code")
}

fn actor(unit_code: &str, roles: &[Role]) -> Actor {
    Actor {
        id: ActorId::new("li.wei").expect("a valid id"),
        unit: unit(unit_code),
        department: None,
        roles: roles.iter().copied().collect(),
        on_behalf_of: None,
    }
}

/// The shipped files with one piece of text replaced by another.
fn edited(file: &str, from: &str, to: &str) -> Vec<(String, String)> {
    let texts = [
        (
            "default.toml",
            include_str!("../../../../deploy/policy/default.toml"),
        ),
        (
            "units.toml",
            include_str!("../../../../deploy/policy/units.toml"),
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
fn the_shipped_numbers_are_those_of_the_domain() {
    let profile = profile();
    let intake = &profile.intake;
    assert_eq!(
        (
            intake.triage_working_days,
            intake.acknowledge_days,
            intake.tell_named_working_days
        ),
        (15, 7, 15)
    );
    assert_eq!(
        (
            intake.feedback_months,
            intake.feedback_extended_months,
            intake.result_working_days
        ),
        (3, 6, 15)
    );
    assert_eq!(
        (
            intake.candidates_shown,
            intake.candidate_min_score,
            intake.receipt_digits
        ),
        (10, 0.5, 16)
    );
    assert_eq!(intake.channels.len(), 8);
    let verification = &profile.verification;
    assert_eq!(
        (
            verification.case_days,
            verification.extension_days,
            verification.investigators_min
        ),
        (60, 30, 2)
    );
    assert_eq!(verification.closing_reasons.len(), 7);
    let clarification = &profile.clarification;
    assert_eq!(
        (
            clarification.execution_working_days,
            clarification.confirmation_fresh_seconds
        ),
        (5, 5)
    );
    assert_eq!(clarification.screening_departments.len(), 5);
    assert_eq!(clarification.personnel_reminder_working_days, 10);
    assert_eq!(clarification.note_max_characters, 500);
    assert_eq!(clarification.discreet_categories, ["private_conduct"]);
    assert_eq!(clarification.fabrication_min_level, Level::Prefecture);
    let follow_up = &profile.follow_up;
    assert_eq!(
        (
            follow_up.visits_per_year,
            follow_up.visitors_min,
            follow_up.aftercare_days
        ),
        (2, 2, 30)
    );
    assert_eq!(
        (follow_up.coverage_percent, follow_up.coverage_years),
        (30, 2)
    );
    assert_eq!(
        (
            follow_up.impact_months.as_slice(),
            follow_up.impact_total_max
        ),
        (&[6, 12, 18, 24][..], 48)
    );
}

#[test]
fn guidance_says_in_every_language_that_an_honest_mistake_is_no_fabrication() {
    let texts = &profile().texts;
    assert!(
        texts
            .guidance_in("en")
            .contains("An honest mistake is no fabrication")
    );
    assert!(texts.guidance_in("zh-Hans").contains("错告不是诬告"));
    assert!(texts.guidance_in("zh-Hant").contains("錯告不是誣告"));
    assert_eq!(texts.guidance_in("fr"), texts.guidance_in("en"));
}

#[test]
fn the_shipped_calendar_knows_its_years() {
    let calendar = &profile().calendar;
    assert!(calendar.knows_year(2026) && calendar.knows_year(2027));
    let deadline = calendar.plus_working_days(at("2026-09-30T09:00:00+08:00"), 15);
    assert_eq!(
        calendar.date(deadline).to_string(),
        "2026-10-27",
        "over National Day, with one Saturday made up"
    );
}

#[test]
fn every_unit_of_the_example_is_routed_to_by_place_and_named_in_three_languages() {
    let policies = shipped();
    let levels: BTreeSet<Level> = policies.units().iter().map(|unit| unit.level).collect();
    assert_eq!(levels.len(), 5);
    for unit in policies.units().iter() {
        let place = unit
            .place
            .as_deref()
            .expect("every unit of the example has a place");
        assert_eq!(policies.units().unit_of_place(place), Some(unit));
        assert!(
            ["zh-Hans", "zh-Hant", "en"]
                .iter()
                .all(|language| unit.name.contains_key(*language))
        );
    }
}

#[test]
fn an_auditor_changes_nothing() {
    let profile = profile();
    let auditor = actor("P51", &[Role::Auditor]);
    assert!(profile.permits(&auditor, "GetCase"));
    for command in [
        "SubmitReport",
        "ApproveFindings",
        "RetryHeldEvent",
        "SetClock",
    ] {
        assert!(!profile.permits(&auditor, command), "{command}");
    }
    let faults = told(
        "default.toml",
        "auditor = [",
        "auditor = [\"ApproveFindings\",",
    );
    assert_eq!(
        faults,
        [
            "default.toml: permissions.auditor: permits ApproveFindings, but an auditor changes nothing; take it out"
        ]
    );
}

#[test]
fn the_public_submits_and_uses_a_receipt_code_and_nothing_else() {
    let profile = profile();
    let public = actor("-", &[Role::Public]);
    let permitted: Vec<&str> = profile
        .permitted_commands()
        .filter(|name| profile.permits(&public, name))
        .collect();
    assert_eq!(permitted, ["AddMaterial", "GetReceipt", "SubmitReport"]);
    let faults = told("default.toml", "public = [", "public = [\"GetReport\",");
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].contains("permissions.public: permits GetReport"),
        "{faults:?}"
    );
}

#[test]
fn nobody_both_investigates_and_approves_by_one_role() {
    let profile = profile();
    for role in Role::ALL {
        let actor = actor("P51", &[*role]);
        let proposes =
            profile.permits(&actor, "ProposeFindings") || profile.permits(&actor, "RecordEvidence");
        assert!(
            !(proposes && profile.permits(&actor, "ApproveFindings")),
            "{role}"
        );
    }
}

#[test]
fn automation_decides_nothing_that_needs_a_persons_judgement() {
    let profile = profile();
    let automation = actor("P51", &[Role::Automation]);
    // A sanction is decided by an outside disciplinary system, which only tells of it.
    let writes = ["SubmitReport", "RegisterSubject", "RecordSanction"];
    for command in profile
        .permitted_commands()
        .filter(|name| profile.permits(&automation, name))
    {
        let reads = ["Get", "List", "Read"]
            .iter()
            .any(|verb| command.starts_with(verb));
        assert!(reads || writes.contains(&command), "{command}");
    }
}

#[test]
fn a_service_gains_nothing_from_whom_it_acts_for() {
    let profile = profile();
    let supervisor = actor("P51", &[Role::Supervisor]);
    let service = Actor::service("verification", Some(supervisor.id.clone()));
    assert!(profile.permits(&supervisor, "ApproveFindings"));
    assert!(!profile.permits(&service, "ApproveFindings"));
    assert!(profile.permits(&service, "OpenCase"));
    assert!(!profile.permits(&supervisor, "OpenCase"));
}

#[test]
fn a_custodian_erases_texts_and_reads_none() {
    let profile = profile();
    for role in Role::ALL {
        let erases = profile.permits(&actor("P51", &[*role]), "EraseReportText");
        assert_eq!(erases, *role == Role::Custodian, "{role}");
    }
    assert!(!profile.permits(&actor("P51", &[Role::Custodian]), "GetText"));
}

#[test]
fn an_unknown_command_is_permitted_to_nobody() {
    let profile = profile();
    let everybody = actor("N", Role::ALL);
    assert!(!profile.permits(&everybody, "EraseJournal"));
    assert_eq!(profile.roles_for("EraseJournal").count(), 0);
    assert_eq!(
        profile.roles_for("ApproveFindings").collect::<Vec<_>>(),
        [Role::Supervisor]
    );
}

#[test]
fn an_actor_acts_on_what_their_unit_or_one_below_handles() {
    let profile = profile();
    let officer = actor("P51-01", &[Role::IntakeOfficer]);
    assert!(profile.in_scope(&officer, &unit("P51-01")));
    assert!(profile.in_scope(&officer, &unit("P51-01-02-01")));
    assert!(
        !profile.in_scope(&officer, &unit("P51")),
        "never what the unit above handles"
    );
    assert!(!profile.in_scope(&officer, &unit("P51-02")));
    assert!(!profile.in_scope(&officer, &unit("unheard-of")));
    assert!(
        !profile.in_scope(&actor("P51-01", &[]), &unit("P51-02")),
        "no role, no scope beyond the unit"
    );
    assert!(
        !profile.in_scope(&actor("-", &[Role::Supervisor]), &unit("P51-01")),
        "no unit, no scope"
    );
}

#[test]
fn some_roles_are_in_scope_everywhere_and_lend_it_to_no_other() {
    let profile = profile();
    for roles in [
        &[Role::Auditor][..],
        &[Role::Operator],
        &[Role::Public],
        &[Role::Auditor, Role::Operator],
    ] {
        assert!(
            profile.in_scope(&actor("P51-01", roles), &unit("P51-02")),
            "{roles:?}"
        );
    }
    assert!(profile.in_scope(&Actor::service("intake", None), &unit("P51-02")));
    let both = actor("P51-01", &[Role::Auditor, Role::Supervisor]);
    assert!(!profile.in_scope(&both, &unit("P51-02")));
    assert!(profile.in_scope(&both, &unit("P51-01-01")));
}

#[test]
fn a_decision_uses_the_profile_in_force_at_its_time() {
    let mut files = edited("default.toml", "default-1", "early");
    let later = edited("default.toml", "default-1", "late").swap_remove(0).1;
    let later = later.replacen("2000-01-01T00:00:00+08:00", "2026-07-01T00:00:00+08:00", 1);
    let later = later.replacen("case_days = 60 ", "case_days = 90 ", 1);
    files.push(("2026-07.toml".to_owned(), later));
    let policies = Policies::parse(&files).unwrap_or_else(|faults| panic!("{faults}"));
    let days = |text| policies.in_force(at(text)).verification.case_days;
    assert_eq!(days("2026-06-30T23:59:59+08:00"), 60);
    assert_eq!(days("2026-07-01T00:00:00+08:00"), 90);
    assert_eq!(
        days("1990-01-01T00:00:00Z"),
        60,
        "before the first it is the first"
    );
    assert!(Arc::ptr_eq(
        policies.units(),
        &policies.in_force(at("2027-01-01T00:00:00Z")).units
    ));
}

#[test]
fn a_local_word_is_understood_whatever_its_case_and_spacing() {
    let verification = &profile().verification;
    assert_eq!(
        verification.finding_of("  NOT\tsustained "),
        Some(&Finding::Unsubstantiated)
    );
    assert_eq!(
        verification.finding_of("查证属实"),
        Some(&Finding::Substantiated)
    );
    assert_eq!(
        verification.finding_of("Duplication"),
        Some(&Finding::Closed("duplicate".to_owned()))
    );
    assert_eq!(verification.finding_of("sus-tained"), None);
    assert!(verification.words().count() > 30);
    let json =
        serde_json::to_string(&Finding::Closed("void".to_owned())).expect("a finding is JSON");
    assert_eq!(json, r#"{"closed":"void"}"#);
}

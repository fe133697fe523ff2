use super::*;

fn unit() -> UnitCode {
    UnitCode::new("P51-01").expect("a code")
}

fn references() -> impl Iterator<Item = String> {
    (0..2_000).map(|number| format!("Q{number:06}"))
}

fn someone(id: &str, unit: &UnitCode, roles: &[Role]) -> Actor {
    Actor {
        id: ActorId::new(id).expect("an id"),
        unit: unit.clone(),
        department: None,
        roles: roles.iter().copied().collect(),
        on_behalf_of: None,
    }
}

/// Eleven people, one of them with two parts.
fn office() -> Vec<Actor> {
    let unit = unit();
    let top = UnitCode::new("N").expect("a code");
    let mut actors: Vec<_> = ["an", "bai", "chen", "deng"]
        .iter()
        .map(|id| someone(id, &unit, &[Role::Investigator]))
        .collect();
    actors.extend([
        someone("he", &unit, &[Role::Supervisor]),
        someone("hu", &unit, &[Role::Supervisor, Role::Investigator]),
        someone("ji", &unit, &[Role::IntakeOfficer]),
        someone("jin", &unit, &[Role::IntakeOfficer]),
        someone("lu", &top, &[Role::IntakeOfficer]),
        someone("machine", &unit, &[Role::Automation]),
        someone("xu", &top, &[Role::Auditor]),
    ]);
    actors
}

const EVERYTHING: Parts = Parts {
    clearing: true,
    sanctions: true,
};

const DEPARTMENTS: [&str; 5] = [
    "handling",
    "petitions",
    "conduct_supervision",
    "case_supervision",
    "case_adjudication",
];

/// The office with those who clear names and visit.
fn whole_office() -> Vec<Actor> {
    let unit = unit();
    let mut actors = office();
    actors.extend(DEPARTMENTS.iter().map(|code| Actor {
        department: Some(code.parse().expect("a department")),
        ..someone(&format!("of-{code}"), &unit, &[Role::Screener])
    }));
    actors.extend([
        someone("mei", &unit, &[Role::ClarificationOfficer]),
        someone(
            "he-too",
            &unit,
            &[Role::ClarificationOfficer, Role::Supervisor],
        ),
        someone("ning", &unit, &[Role::PersonnelOfficer]),
        someone("ou", &unit, &[Role::FollowUpOfficer]),
        someone("pan", &unit, &[Role::FollowUpOfficer]),
    ]);
    actors
}

fn holds_four_eyes(cast: &Cast) {
    for reference in references() {
        let team = cast.team(&reference);
        let ids = ids(&team);
        assert_eq!(ids.len(), TEAM, "{reference}: a team of different people");
        let approver = cast.approver(&reference, &ids).expect("an approver");
        assert!(!ids.contains(approver.id.as_str()), "{reference}");
        assert!(approver.has(Role::Supervisor));
    }
}

#[test]
fn at_least_ten_different_actors_play() {
    let cast = Cast::made(&unit());
    let standing: BTreeSet<_> = cast.everybody().map(|actor| actor.id.to_string()).collect();
    let officers: BTreeSet<_> = references()
        .filter_map(|reference| cast.intake_officer(&reference, &unit()))
        .map(|officer| officer.id.to_string())
        .collect();
    assert!(standing.len() >= AT_LEAST, "{standing:?}");
    assert_eq!(officers.len(), INTAKE_OFFICERS);
    assert!(standing.is_disjoint(&officers));
}

#[test]
fn everybody_has_a_turn() {
    let cast = Cast::made(&unit());
    let mut investigators = BTreeSet::new();
    let mut supervisors = BTreeSet::new();
    for reference in references() {
        let team = ids(&cast.team(&reference));
        let approver = cast.approver(&reference, &team).expect("an approver");
        supervisors.insert(approver.id.to_string());
        investigators.extend(team);
    }
    assert_eq!(investigators.len(), INVESTIGATORS);
    assert_eq!(supervisors.len(), SUPERVISORS);
}

#[test]
fn no_case_is_approved_by_who_investigated_it() {
    holds_four_eyes(&Cast::made(&unit()));
    holds_four_eyes(&Cast::given(&unit(), office(), Parts::default()).expect("a cast"));
}

#[test]
fn where_there_is_a_choice_another_supervisor_approves_than_assigned() {
    let cast = Cast::made(&unit());
    for reference in references() {
        let team = ids(&cast.team(&reference));
        assert_ne!(cast.assigner(&reference), cast.approver(&reference, &team));
    }
}

#[test]
fn a_turn_follows_from_the_reference_alone() {
    let one = Cast::given(&unit(), office(), Parts::default()).expect("a cast");
    let mut turned = office();
    turned.reverse();
    let other = Cast::given(&unit(), turned, Parts::default()).expect("a cast");
    for reference in references().take(50) {
        assert_eq!(one.team(&reference), other.team(&reference));
        assert_eq!(one.assigner(&reference), other.assigner(&reference));
        assert_eq!(
            one.intake_officer(&reference, &unit()),
            other.intake_officer(&reference, &unit())
        );
    }
    assert_eq!(one.registrar(), other.registrar());
}

#[test]
fn a_report_is_decided_on_by_an_officer_of_the_unit_where_it_lies() {
    let top = UnitCode::new("N").expect("a code");
    let elsewhere = UnitCode::new("P52").expect("a code");
    let given = Cast::given(&unit(), office(), Parts::default()).expect("a cast");
    let officer = given.intake_officer("T0001", &top).expect("an officer");
    assert_eq!(officer.id.as_str(), "lu");
    assert_eq!(given.intake_officer("T0001", &elsewhere), None);
    let made = Cast::made(&unit()).intake_officer("T0001", &top);
    assert_eq!(made.expect("an officer").unit, top);
}

#[test]
fn five_departments_screen_and_nobody_approves_what_they_drafted() {
    let given = Cast::given(&unit(), whole_office(), EVERYTHING).expect("a cast");
    for cast in [Cast::made(&unit()), given] {
        for reference in references().take(200) {
            let screeners: BTreeSet<_> = DEPARTMENTS
                .iter()
                .map(|code| {
                    let department = code.parse().expect("a department");
                    let screener = cast.screener(&department).expect("a screener");
                    assert_eq!(screener.department, Some(department));
                    screener.id.to_string()
                })
                .collect();
            assert_eq!(screeners.len(), DEPARTMENTS.len());
            let officer = cast.clarification_officer(&reference).expect("an officer");
            let approver = cast
                .clearing_approver(&reference, &officer)
                .expect("another");
            let confirms = cast.personnel_officer(&reference).expect("an officer");
            assert_ne!(officer.id, approver.id, "{reference}");
            let others = [officer, approver, confirms].map(|actor| actor.id.to_string());
            assert!(others.iter().all(|other| !screeners.contains(other)));
            let visitors = cast.visitors(&reference);
            assert_eq!(ids(&visitors).len(), VISITORS, "{reference}");
        }
    }
}

#[test]
fn a_department_without_a_screener_is_not_spoken_for_by_another() {
    let mut actors = whole_office();
    actors.retain(|actor| actor.id.as_str() != "of-petitions");
    let cast = Cast::given(&unit(), actors, EVERYTHING).expect("a cast");
    let petitions = "petitions".parse().expect("a department");
    assert_eq!(cast.screener(&petitions), None);
}

#[test]
fn what_a_cast_lacks_is_told_all_at_once() {
    let alone = vec![someone("an", &unit(), &[Role::Investigator])];
    let fault = Cast::given(&unit(), alone, EVERYTHING).expect_err("too few");
    assert_eq!(fault.lacks.len(), 11, "{fault}");
}

#[test]
fn a_machine_of_the_unit_and_nobody_else_tells_its_sanctions() {
    let elsewhere = UnitCode::new("P51-02").expect("a code");
    let mut actors = whole_office();
    actors.extend([
        someone("a-machine", &elsewhere, &[Role::Automation]),
        someone("b-machine", &unit(), &[Role::Automation, Role::Operator]),
    ]);
    let cast = Cast::given(&unit(), actors.clone(), EVERYTHING).expect("a cast");
    assert_eq!(cast.teller().id.as_str(), "machine");
    assert_eq!(cast.registrar().id.as_str(), "a-machine");
    actors.retain(|actor| actor.id.as_str() != "machine");
    let fault = Cast::given(&unit(), actors.clone(), EVERYTHING).expect_err("none of the unit");
    assert_eq!(
        fault.lacks,
        ["an automation of unit P51-01 with no other role"]
    );
    let no_sanctions = Parts::default();
    Cast::given(&unit(), actors, no_sanctions).expect("it only submits");
}

#[test]
fn a_cast_whose_only_supervisor_investigates_is_refused() {
    let mut actors = office();
    actors.retain(|actor| actor.id.as_str() != "he");
    let fault =
        Cast::given(&unit(), actors, Parts::default()).expect_err("nobody approves hu's cases");
    assert!(fault.to_string().contains("hu"), "{fault}");
}

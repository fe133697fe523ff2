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
    holds_four_eyes(&Cast::given(&unit(), office()).expect("a cast"));
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
    let one = Cast::given(&unit(), office()).expect("a cast");
    let mut turned = office();
    turned.reverse();
    let other = Cast::given(&unit(), turned).expect("a cast");
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
    let given = Cast::given(&unit(), office()).expect("a cast");
    let officer = given.intake_officer("T0001", &top).expect("an officer");
    assert_eq!(officer.id.as_str(), "lu");
    assert_eq!(given.intake_officer("T0001", &elsewhere), None);
    let made = Cast::made(&unit()).intake_officer("T0001", &top);
    assert_eq!(made.expect("an officer").unit, top);
}

#[test]
fn what_a_cast_lacks_is_told_all_at_once() {
    let alone = vec![someone("an", &unit(), &[Role::Investigator])];
    let fault = Cast::given(&unit(), alone).expect_err("too few");
    assert_eq!(fault.lacks.len(), 6, "{fault}");
}

#[test]
fn a_cast_whose_only_supervisor_investigates_is_refused() {
    let mut actors = office();
    actors.retain(|actor| actor.id.as_str() != "he");
    let fault = Cast::given(&unit(), actors).expect_err("nobody approves hu's cases");
    assert!(fault.to_string().contains("hu"), "{fault}");
}

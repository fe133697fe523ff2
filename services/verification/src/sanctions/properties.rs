//! What holds for a person's sanctions and what is assessed before them, whatever is asked, by whom and in which order.

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::TextRef;
use chassis::testing::Journal;
use chassis::view::View;
use jiff::ToSpan;
use jiff::civil::date;
use office::{Actor, ActorId, Role};
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::*;
use super::impact::overlapping_months;
use super::*;
use crate::case::events::Concluded;
use crate::case::fixture::{
    OFFICIAL, TEXT, actor, id, investigator, matter, opened, reopened, supervisor, unit,
};
use crate::case::{Case, case_of};
use crate::views::SanctionedPersons;

/// One step: what is asked, how the case stands that it rests on, and who asks.
#[derive(Clone, Debug)]
struct Step {
    command: Command,
    case: case::State,
    actor: Actor,
}

/// The case of the fixture, after its conclusion was reopened and the same was concluded again.
fn concluded_again() -> case::State {
    let case::Event::Concluded(first) = crate::case::fixture::concluded(1) else {
        unreachable!("so it is made");
    };
    let mut case = concluded_case(Outcome::Substantiated);
    let mut subjects = first.subjects.clone();
    subjects[0].findings[0].found.outcome = Outcome::Substantiated;
    let second = Concluded {
        number: 2,
        subjects,
        ..first
    };
    for event in [reopened("appeal"), second.into()] {
        Case::evolve(&mut case, &event);
    }
    case
}

fn assessments() -> impl Strategy<Value = Vec<Assessment<TextId>>> {
    let judged = (
        select(vec![
            Breach::WantOfExperience,
            Breach::Knowing,
            Breach::Neither,
        ]),
        select(vec![Experiment::NothingForbidden, Experiment::Neither]),
        select(vec![
            Motive::CommonGood,
            Motive::PrivateGain,
            Motive::Neither,
        ]),
        select(vec![
            Liability::Liable,
            Liability::Lighter,
            Liability::Exempt,
        ]),
    );
    judged.prop_map(|(breach, experiment, motive, liability)| {
        let mut one = assessed(1, liability);
        one.breach.is = breach;
        one.experiment.is = experiment;
        one.motive.is = motive;
        vec![one]
    })
}

fn sanctions() -> impl Strategy<Value = Sanction> {
    let drawn = (
        (0i64..4000, select(vec![6u32, 12, 18, 24, 7])),
        select(vec!["warning", "demotion"]),
    );
    drawn.prop_map(|((days, months), kind)| Sanction {
        kind: kind.to_owned(),
        ..sanction(
            match days % 3 {
                0 => date(2026, 3, 9),
                _ => date(2016, 1, 31).saturating_add((days / 30 * 30).days()),
            },
            months,
        )
    })
}

/// What is asked of the case of the fixture, or of that of the other unit.
fn commands() -> impl Strategy<Value = (bool, Command)> {
    let case = case_of(matter().id);
    let command = prop_oneof![
        3 => assessments().prop_map(move |assessments| Command::ProposeTolerance {
            case,
            subject: id(OFFICIAL),
            assessments,
        }),
        1 => Just(Command::ReturnTolerance { case, reason: id(TEXT) }),
        3 => Just(Command::ApproveTolerance { case }),
        4 => sanctions().prop_map(Command::RecordSanction),
    ];
    let there = case_of(id(ELSEWHERE));
    (any::<bool>(), command).prop_map(move |(elsewhere, mut command)| {
        if elsewhere {
            match &mut command {
                Command::ProposeTolerance { case, .. }
                | Command::ReturnTolerance { case, .. }
                | Command::ApproveTolerance { case } => *case = there,
                Command::RecordSanction(sanction) => {
                    sanction.case = there;
                    sanction.decided_by = other_unit();
                }
            }
        }
        (elsewhere, command)
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let cases = [
        concluded_case(Outcome::Substantiated),
        concluded_again(),
        concluded_case(Outcome::Unfounded),
        chassis::testing::given::<Case>()
            .events([opened()])
            .state()
            .clone(),
        case::State::Unopened,
    ];
    let top = || "N".parse().expect("a unit code");
    let actors = select(vec![
        supervisor_at("gao", top()),
        supervisor_at("gao", top()),
        supervisor_at("wu", unit()),
        supervisor_at("meng", other_unit()),
        investigator("sun"),
        Actor {
            unit: top(),
            ..actor("discipline-system", Role::Automation)
        },
        supervisor("accused"),
    ]);
    let case = prop_oneof![6 => Just(0usize), 2 => Just(1), 1 => 2..cases.len()];
    let step = (commands(), case, actors).prop_map(move |((there, command), case, actor)| Step {
        command,
        case: match (there, case) {
            (true, 0) => case_elsewhere(),
            (_, at) => cases[at].clone(),
        },
        actor,
    });
    prop::collection::vec(step, 1..40)
}

/// What each state must be, whatever led to it.
fn holds(state: &State, version: i64) {
    let mut ids = BTreeSet::new();
    for recorded in &state.recorded {
        assert!(ids.insert(recorded.id), "one decision is recorded once");
        let others = state.recorded.iter().filter(|one| one.id != recorded.id);
        let together = overlapping_months(others.map(Recorded::impact), recorded.impact());
        assert!(together <= recorded.overlapping_max, "at most 48 together");
    }
    let row = SanctionedPersons::row(Uuid::nil(), version, state);
    let Some(row) = row else {
        assert_eq!(*state, State::default());
        return;
    };
    let row = serde_json::to_value(row).expect("a row is JSON");
    let mut columns: Vec<_> = row.as_object().expect("an object").keys().collect();
    let mut declared = SanctionedPersons::COLUMNS.to_vec();
    columns.sort();
    declared.sort_unstable();
    assert_eq!(columns, declared);
    let counted = row["sources"].as_array().map(Vec::len);
    assert_eq!(counted, Some(state.recorded.len()));
}

/// What was done before, as the events say it.
#[derive(Default)]
struct Past {
    /// What was approved, by case and conclusion.
    approvals: BTreeMap<(CaseId, i32), ToleranceApproved>,
    /// Who proposed, by case.
    drafted: BTreeSet<(CaseId, ActorId)>,
    /// Which conclusions of cases led to a sanction.
    sanctioned: BTreeSet<(CaseId, i32)>,
}

fn exempt_all(assessments: &[Assessment<TextRef>]) -> bool {
    let mut assessments = assessments.iter();
    assessments.all(|one| one.liability.is == Liability::Exempt)
}

impl Past {
    /// What an event must rest on that was written before it.
    fn allows(&mut self, event: &Event, by: &Actor) {
        match event {
            Event::ToleranceProposed(proposed) => {
                let of = (proposed.case, proposed.conclusion);
                assert!(
                    !self.approvals.contains_key(&of),
                    "approved once and for all"
                );
                for one in &proposed.assessments {
                    if one.liability.is == Liability::Exempt {
                        assert!(one.breach.is != Breach::Knowing, "never exempt");
                        assert!(one.motive.is != Motive::PrivateGain, "never exempt");
                    }
                }
                self.drafted.insert((proposed.case, by.id.clone()));
            }
            Event::ToleranceReturned(_) => {}
            Event::ToleranceApproved(approved) => {
                let drafted = self.drafted.contains(&(approved.case, by.id.clone()));
                assert!(!drafted, "four eyes");
                let of = (approved.case, approved.conclusion);
                let sanctioned = self.sanctioned.contains(&of);
                assert!(
                    !(sanctioned && exempt_all(&approved.assessments)),
                    "exempt means no sanction"
                );
                let earlier = self.approvals.insert(of, approved.clone());
                assert_eq!(earlier, None, "approved once");
            }
            Event::Recorded(recorded) => {
                let of = (recorded.sanction.case, recorded.conclusion);
                let machine = by.has(Role::Automation);
                match self.approvals.get(&of) {
                    Some(approved) => {
                        assert!(
                            !exempt_all(&approved.assessments),
                            "exempt means no sanction"
                        );
                        let after = approved.on <= recorded.sanction.decided_on;
                        assert!(machine || after, "before a sanction it is assessed");
                    }
                    None => assert!(machine, "before a sanction it is assessed"),
                }
                self.sanctioned.insert(of);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_the_rules_hold_the_journal_gives_the_state_and_twice_is_once(steps in steps()) {
        let setting = an_official();
        let mut context = setting.context().clone();
        let mut journal = Journal::<Sanctions>::default();
        let mut past = Past::default();
        for (number, Step { command, case, actor }) in (1u128..).zip(steps) {
            context.request_id = Uuid::from_u128(number);
            context.actor = actor;
            context.facts = Facts { case };
            let admitted = Sanctions::admit_to(journal.state(), &command, &context.visitor());
            prop_assert_eq!(admitted, Ok(()));
            if let Ok(events) = journal.take(&command, &context) {
                prop_assert!(Case::admit(&context.facts.case, &context.visitor()).is_ok());
                for event in &events {
                    past.allows(event, &context.actor);
                }
            }
            holds(journal.state(), journal.version());
        }
        journal.check_replay();
        prop_assert_eq!(context.id, sanctions_of(id(OFFICIAL)));
    }
}

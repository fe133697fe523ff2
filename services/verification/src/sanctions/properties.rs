//! What holds for a person's sanctions whatever is recorded, by whom and in which order.

use std::collections::BTreeSet;

use chassis::testing::Journal;
use chassis::view::View;
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::*;
use super::impact::overlapping_months;
use super::*;
use crate::case::Case;
use crate::case::fixture::{OFFICIAL, id, opened, supervisor, unit};
use crate::views::SanctionedPersons;

/// One step: a sanction, whose case it follows and how that stands, and who records it.
fn steps() -> impl Strategy<Value = Vec<(Sanction, case::State, office::Actor)>> {
    let cases = [
        concluded_case(Outcome::Substantiated),
        concluded_case(Outcome::Unfounded),
        chassis::testing::given::<Case>()
            .events([opened()])
            .state()
            .clone(),
        case::State::Unopened,
    ];
    let actors = select(vec![
        supervisor_at("gao", "N".parse().expect("a unit code")),
        supervisor_at("wu", unit()),
        supervisor_at("meng", other_unit()),
        supervisor("accused"),
    ]);
    let case = prop_oneof![6 => Just(0usize), 1 => 1..cases.len()];
    let drawn = (
        (0i64..4000, select(vec![6u32, 12, 18, 24, 7])),
        select(vec!["warning", "demotion"]),
        any::<bool>(),
        case,
        actors,
    );
    let step = drawn.prop_map(move |((days, months), kind, there, case, actor)| {
        let decided_on = date(2016, 1, 31).saturating_add((days / 30 * 30).days());
        let told = if there {
            sanction_elsewhere(decided_on, months)
        } else {
            sanction(decided_on, months)
        };
        let case = match (there, case) {
            (true, 0) => case_elsewhere(),
            (_, at) => cases[at].clone(),
        };
        let kind = kind.to_owned();
        (Sanction { kind, ..told }, case, actor)
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
        assert!(state.recorded.is_empty());
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

proptest! {
    #[test]
    fn whatever_is_recorded_the_journal_gives_the_state_and_twice_is_once(steps in steps()) {
        let setting = a_liable_official();
        let mut context = setting.context().clone();
        let mut journal = Journal::<Sanctions>::default();
        for (number, (sanction, case, actor)) in (1u128..).zip(steps) {
            context.request_id = Uuid::from_u128(number);
            context.actor = actor;
            context.facts = Facts { case };
            let command = Command::RecordSanction(sanction);
            let admitted = Sanctions::admit_to(journal.state(), &command, &context.visitor());
            prop_assert_eq!(admitted, Ok(()));
            if journal.take(&command, &context).is_ok() {
                prop_assert!(Case::admit(&context.facts.case, &context.visitor()).is_ok());
            }
            holds(journal.state(), journal.version());
        }
        journal.check_replay();
        prop_assert_eq!(context.id, sanctions_of(id(OFFICIAL)));
    }
}

use office::UnitCode;

use super::*;
use crate::register::{Map, Register};

const TOWN: &[u8] = include_bytes!("../../../../../../tests/registers/town.csv");
const MAP: &str = include_str!("../../../../../../tests/registers/town.toml");

fn map() -> Map {
    Map::parse(MAP).expect("a map")
}

fn clearing() -> Clearing {
    map().clearing().expect("the town assumes it").clone()
}

#[test]
fn a_name_is_led_from_its_screening_to_its_confirmation() {
    assert_eq!(
        clearing_steps_left(&clearing(), Cleared::Screening),
        [
            Step::RecordOpinion,
            Step::RecordWish,
            Step::DecideForm,
            Step::DraftStatement,
            Step::ApproveClarification,
            Step::CarryOutClarification,
            Step::ConfirmClarification,
        ]
    );
}

#[test]
fn a_replay_that_goes_on_takes_only_the_steps_that_are_left() {
    let left = |reached| clearing_steps_left(&clearing(), reached);
    assert_eq!(left(Cleared::CarriedOut), [Step::ConfirmClarification]);
    assert_eq!(left(Cleared::Eligible)[0], Step::RecordWish);
    assert_eq!(left(Cleared::Wished)[0], Step::DecideForm);
    assert!(left(Cleared::Ended).is_empty());
}

#[test]
fn an_objection_or_a_wish_to_let_it_rest_ends_it_before() {
    let objected = Clearing {
        screening: Screening::Objects,
        ..clearing()
    };
    let left = clearing_steps_left(&objected, Cleared::Screening);
    assert_eq!(left, [Step::RecordOpinion]);
    let declined = Clearing {
        wish: register::Wish::Declines,
        ..clearing()
    };
    let left = clearing_steps_left(&declined, Cleared::Screening);
    assert_eq!(left, [Step::RecordOpinion, Step::RecordWish]);
    for ended in [objected, declined] {
        assert!(clearing_steps_left(&ended, Cleared::Ended).is_empty());
    }
}

#[test]
fn where_it_is_elsewhere_than_assumed_it_was_decided_by_hand() {
    let at = |state| Cleared::at(&clearing(), state, Wish::Unspecified);
    for by_hand in [
        ClarificationState::NotEligible,
        ClarificationState::Declined,
        ClarificationState::Halted,
        ClarificationState::Superseded,
    ] {
        assert_eq!(at(by_hand), None, "{by_hand:?}");
    }
    let declined = Clearing {
        wish: register::Wish::Declines,
        ..clearing()
    };
    let as_assumed = Cleared::at(&declined, ClarificationState::Declined, Wish::Declines);
    assert_eq!(as_assumed, Some(Cleared::Ended));
    assert_eq!(at(ClarificationState::Confirmed), Some(Cleared::Ended));
}

#[test]
fn the_conclusion_says_how_those_were_harmed_whom_it_clears_and_nobody_else() {
    let (map, unit) = (map(), UnitCode::new("P51-01").expect("a code"));
    let register = Register::read(TOWN, &map).expect("a register");
    let source = Source {
        name: &register.name,
        digest: register.digest,
        kind: map.subject_kind(),
        unit: &unit,
        clearing: map.clearing(),
    };
    for case in &register.cases {
        let harmed: Vec<_> = harms(source, case)
            .into_iter()
            .map(|harm| harm.subject_id)
            .collect();
        let cleared: Vec<_> = case
            .cleared
            .iter()
            .map(|reference| subject_id("town", reference).to_string())
            .collect();
        assert_eq!(harmed, cleared, "{}", case.reference);
        let bare = Source {
            clearing: None,
            ..source
        };
        assert!(harms(bare, case).is_empty());
    }
}

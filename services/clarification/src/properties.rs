//! What holds for a matter, its clarifications and their meetings whatever happens, is asked, and in which order it arrives: all
//! aggregates driven together as pure state machines, with a verification that concludes and reopens beside them.
//!
//! Events of the two followed services arrive in the order of their stream, one stream behind the other; consequences
//! arrive in any order, late and repeatedly; verification's answers are from a moment ago. In the end everything arrives.
//!
//! What may happen stands in [`steps`], what must hold in [`world::invariants`], a function a rule; each has histories of
//! its own here, under its name.

mod steps;
mod world;

use office::Finding;
use proptest::prelude::*;

use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::{self, Standing};
use crate::conclusion::clarification_of;
use crate::matter::fixture::harm;
use crate::meeting::holding::Outcome;
use steps::{A_DAY, Asked, Happens, Met, Said, Step, TRUTH, Told, steps};
use world::{World, invariants, matter_id};

/// A test a rule: after any history it holds.
macro_rules! whatever_happens {
    ($($rule:ident => $invariant:path;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]

            $(
                #[test]
                fn $rule(steps in steps()) {
                    $invariant(&World::after(&steps));
                }
            )*
        }

        /// Every rule, for histories that are told step by step.
        fn all_rules_hold(world: &World) {
            $($invariant(world);)*
        }
    };
}

whatever_happens! {
    consent_is_never_gone_against => invariants::consent;
    screening_leaves_no_objection_open => invariants::screening;
    no_name_is_cleared_without_harm => invariants::harm;
    no_name_is_cleared_from_an_unsubstantiated_finding => invariants::clearing;
    one_matter_has_one_clarification_of_its_findings => invariants::one_matter;
    a_reopening_halts_what_was_not_carried_out => invariants::halt;
    what_was_carried_out_is_superseded_by_a_reopening => invariants::supersed;
    a_later_conclusion_takes_it_up_again => invariants::taken_up;
    whatever_is_carried_out_rests_on_a_fresh_answer => invariants::rests_on_an_answer;
    the_executing_unit_is_the_one_that_concluded => invariants::executing_unit;
    four_eyes_see_every_approval => invariants::four_eyes;
    nobody_who_is_recused_has_a_part => invariants::recused;
    written_goes_with_every_form => invariants::written;
    each_working_day_counts_and_each_clock_rings_once => invariants::working_day;
    the_ledger_has_each_name_once_without_gaps => invariants::ledger;
    the_integrity_file_says_what_happened => invariants::integrity_file;
    a_meeting_knows_what_became_of_each => invariants::meetings;
    no_application_is_lost => invariants::applications;
    the_journals_add_up_to_the_same => invariants::journal;
}

/// A conclusion that finds this alone on a subject, who is harmed.
fn said(finding: Finding) -> Said {
    Said {
        findings: vec![finding],
        harm: Some(harm()),
    }
}

/// A name that is cleared, superseded and cleared again, with this in between; the entries in ledgers: unit, number, and
/// which one it supersedes.
fn cleared_twice(between: Option<Happens>) -> Vec<(String, i32, Option<i32>)> {
    let mut world = World::new();
    let official = clarification_of(matter_id(), subject().id).uuid();
    for round in 1..=2 {
        world.conclude(&said(Finding::Unfounded), &said(Finding::Substantiated));
        world.settle();
        for _ in 0..10 {
            world.ask(official, &Asked::Next, TRUTH, None);
            world.settle();
        }
        world.settle();
        assert_eq!(world.cleared().count(), round);
        if round == 1 {
            for happens in [Happens::Reopened].into_iter().chain(between.clone()) {
                let seconds = A_DAY;
                world.step(&Step { happens, seconds });
            }
            world.settle();
        }
    }
    world.settle();
    all_rules_hold(&world);
    let dossier = world.clarifications[&official].state().dossier();
    let dossier = dossier.expect("it is open");
    assert_eq!(dossier.standing(), Standing::CarriedOut);
    let entries = dossier.entries.iter().map(|entered| {
        let first = entered.wanted.supersedes.as_ref();
        let number = &entered.number;
        (
            number.unit.to_string(),
            number.number,
            first.map(|first| first.number),
        )
    });
    entries.collect()
}

/// The histories above are worth something only if some of them come to their end.
#[test]
fn a_history_of_next_steps_clears_a_name_and_supersedes_it_and_clears_it_again() {
    let entry = |number, first| ("P51-01".to_owned(), number, first);
    assert_eq!(
        cleared_twice(None),
        [entry(1, None), entry(2, Some(1)), entry(3, None)]
    );
}

#[test]
fn what_one_unit_cleared_and_another_clears_again_stands_in_the_ledger_of_each() {
    let below = |number, first| ("P51-01".to_owned(), number, first);
    assert_eq!(
        cleared_twice(Some(Happens::Moved)),
        [
            below(1, None),
            below(2, Some(1)),
            ("P51".to_owned(), 1, None)
        ]
    );
}

/// So are those of meetings: one is held while one of its two subjects has changed their mind.
#[test]
fn a_history_of_a_meeting_clears_one_name_and_tells_why_not_the_other() {
    let mut world = World::new();
    world.conclude(&said(Finding::Unfounded), &said(Finding::Unfounded));
    world.settle();
    let both: Vec<_> = world.clarifications.keys().copied().collect();
    for of in &both {
        // Five opinions and the wish come before the form.
        for _ in 0..6 {
            world.ask(*of, &Asked::Next, TRUTH, None);
        }
        world.ask(*of, &Asked::Form(Form::Meeting, TEXT), TRUTH, None);
        while world.standing(*of) != Standing::Approved {
            world.ask(*of, &Asked::Next, TRUTH, None);
        }
    }
    let convene = Met::Convene(None, 0);
    world.meet(&convene, None);
    world.settle();
    world.ask(both[1], &Asked::Declines, TRUTH, None);
    world.meet(&Met::Hold(0), None);
    world.settle();
    all_rules_hold(&world);
    assert_eq!(world.standing(both[0]), Standing::CarriedOut);
    assert_eq!(world.standing(both[1]), Standing::Declined);
    let outcomes = world.outcomes();
    let code = clarification::wish::DECLINED.code.into_owned();
    assert_eq!(
        outcomes,
        [Outcome::CarriedOut, Outcome::NotCarriedOut { code }]
    );
}

/// One that is approved, of which verification is asked, reopens, and this is decided so many seconds after the question.
fn raced(seconds: i64) -> World {
    let mut world = World::new();
    world.conclude(&said(Finding::Unfounded), &said(Finding::Substantiated));
    world.settle();
    let official = clarification_of(matter_id(), subject().id).uuid();
    while world.standing(official) != Standing::Approved {
        world.ask(official, &Asked::Next, TRUTH, None);
    }
    world.settle();
    world.pass(seconds);
    world.reopen();
    let told = Told::Ago(seconds);
    world.ask(official, &Asked::Next, told, None);
    world
}

/// In the very moment of the reopening no question helps: what was carried out then ends as the case does.
#[test]
fn what_was_carried_out_on_an_answer_from_before_the_reopening_is_superseded_when_that_is_heard() {
    let official = clarification_of(matter_id(), subject().id).uuid();
    for (seconds, then, in_the_end) in [
        (1, Standing::CarriedOut, Standing::Superseded),
        (5, Standing::CarriedOut, Standing::Superseded),
        (6, Standing::Approved, Standing::Halted),
    ] {
        let mut world = raced(seconds);
        assert_eq!(world.standing(official), then, "{seconds} s");
        world.settle();
        assert_eq!(world.standing(official), in_the_end, "{seconds} s");
        all_rules_hold(&world);
    }
}

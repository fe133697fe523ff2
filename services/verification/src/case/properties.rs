//! What holds for a case whatever is asked of it, by whom and in which order.

use chassis::testing::{Journal, given};
use chassis::view::View;
use jiff::{Timestamp, ToSpan};
use office::Actor;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::*;
use super::*;
use crate::views::Cases;

/// One step: what is asked, by whom if not by whoever usually does, and how many days after the one before.
#[derive(Clone, Debug)]
struct Step {
    asked: Asked,
    by: Option<Actor>,
    days: i32,
}

/// What is asked. Findings are made from the state that the step meets, so that they are often right.
#[derive(Clone, Debug)]
enum Asked {
    As(Command),
    Findings(Vec<Outcome>, Option<Harm>),
}

fn anything() -> impl Strategy<Value = Asked> {
    let reasons = || select(vec!["first".to_owned(), "second".to_owned()]);
    let new_facts = select(vec![NewFacts::None, NewFacts::Brought]);
    let names = select(vec!["chen", "lin", "wu", "accused", "second"]);
    let investigators = prop_oneof![
        3 => Just(vec!["chen", "lin"]),
        1 => prop::collection::vec(names, 0..4),
    ];
    let asked = prop_oneof![
        1 => Just(Command::OpenCase(matter())),
        2 => (0x21u128..0x27, new_facts).prop_map(|(report, new_facts)| {
            Command::AddAllegations(opening::JoinedReport {
                id: id(report),
                allegations: vec![allegation(report, OFFICIAL, report)],
                ..second_report(new_facts)
            })
        }),
        2 => select(vec!["P51-01", "P51", "N"]).prop_map(|unit| Command::MoveCase {
            unit: unit.parse().expect("a unit code"),
        }),
        1 => Just(Command::RecuseFromCase {
            recusal: Recusal {
                actors: [actor_id("wu")].into(),
                ..Recusal::default()
            },
        }),
        1 => select(vec![OFFICIAL, 0x32]).prop_map(|subject| Command::IdentifyInCase {
            placeholder: id(PLACEHOLDER),
            subject: official(subject, "wu"),
        }),
        8 => investigators.prop_map(|names| Command::AssignInvestigators {
            investigators: names.into_iter().map(actor_id).collect(),
        }),
        1 => Just(Command::DeclareConflict { reason: id(TEXT) }),
        8 => Just(Command::RecordEvidence {
            items: vec![evidence_item(), evidence_item()],
        }),
        2 => Just(Command::ProposeFindings { findings: findings(), harms: harms() }),
        2 => (TEXT..TEXT + 2).prop_map(|text| Command::ReturnFindings { reason: id(text) }),
        12 => Just(Command::ApproveFindings),
        1 => reasons().prop_map(|reason| Command::SuspendCase { reason }),
        3 => Just(Command::ResumeCase),
        1 => reasons().prop_map(|reason| Command::DiscontinueCase { reason }),
        4 => reasons().prop_map(|reason| Command::ReopenCase { reason }),
        1 => Just(Command::WarnCaseDue),
        1 => Just(Command::RecordCaseOverdue),
    ];
    let outcomes = select(vec![
        Outcome::Substantiated,
        Outcome::Unfounded,
        Outcome::Closed(ClosingReason::Void),
    ]);
    let harm = select(vec![Harm::None, harm_on(OFFICIAL).harm]);
    prop_oneof![
        4 => asked.prop_map(Asked::As),
        1 => (prop::collection::vec(outcomes, 4), prop::option::of(harm))
            .prop_map(|(outcomes, harm)| Asked::Findings(outcomes, harm)),
    ]
}

/// Half of the time whoever usually does it, else anybody.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let anybody = select(vec![
        investigator("chen"),
        investigator("wu"),
        supervisor("lin"),
        supervisor("gao"),
        supervisor("accused"),
        at(above(), supervisor("chen")),
        at(above(), supervisor("gao")),
        service(),
    ]);
    let step = (anything(), prop::option::of(anybody), 0..30i32);
    let step = step.prop_map(|(asked, by, days)| Step { asked, by, days });
    let opening = Step {
        asked: Asked::As(Command::OpenCase(matter())),
        by: None,
        days: 0,
    };
    prop::collection::vec(step, 1..60).prop_map(move |mut steps| {
        // Somewhere near the beginning, so that some commands come too early.
        steps.insert(steps.len() / 8, opening.clone());
        steps
    })
}

/// Whoever usually asks for this: somebody of the unit that handles the case by now.
fn usually(command: &Command, state: &State) -> Actor {
    let unit = state
        .dossier()
        .map_or_else(unit, |dossier| dossier.unit.clone());
    let actor = match command {
        Command::OpenCase(_)
        | Command::AddAllegations(_)
        | Command::IdentifyInCase { .. }
        | Command::MoveCase { .. }
        | Command::RecuseFromCase { .. }
        | Command::WarnCaseDue
        | Command::RecordCaseOverdue => return service(),
        Command::DeclareConflict { .. }
        | Command::RecordEvidence { .. }
        | Command::ProposeFindings { .. } => investigator("chen"),
        Command::AssignInvestigators { .. }
        | Command::ReturnFindings { .. }
        | Command::ApproveFindings
        | Command::SuspendCase { .. }
        | Command::ResumeCase
        | Command::DiscontinueCase { .. }
        | Command::ReopenCase { .. } => supervisor("gao"),
    };
    at(unit, actor)
}

/// Whoever investigated, recorded or proposed by this event.
fn took_part(event: &Event) -> Vec<ActorId> {
    match event {
        Event::InvestigatorsAssigned(assigned) => assigned.investigators.iter().cloned().collect(),
        Event::EvidenceRecorded(recorded) => vec![recorded.by.clone()],
        Event::FindingsProposed(proposed) => vec![proposed.by.clone()],
        _ => Vec::new(),
    }
}

/// What a move does: another unit handles the case, at once or once it is opened again, and begins with nobody and
/// nothing proposed; its deadline runs on.
fn moves(before: &State, after: &State, unit: &UnitCode) {
    let (was, is) = (before.dossier(), after.dossier());
    let (was, is) = was.zip(is).expect("it was opened");
    assert_eq!(was.took_part, is.took_part, "whoever took part stays known");
    assert_eq!(was.recusal, is.recusal, "whoever is recused stays so");
    match (before, after) {
        (
            State::Open { deadline: was, .. },
            State::Open {
                progress, deadline, ..
            },
        ) => {
            assert_eq!((&is.unit, progress), (unit, &Progress::Unassigned));
            assert_eq!(deadline, was, "the deadline runs on");
        }
        _ => {
            assert_eq!(is.moves_to.as_ref(), Some(unit));
            assert_eq!(is.unit, was.unit, "whoever ended it keeps it");
            assert_eq!(before.findings(), after.findings());
        }
    }
}

fn command(asked: &Asked, state: &State) -> Command {
    let (outcomes, harm) = match asked {
        Asked::As(command) => return command.clone(),
        Asked::Findings(outcomes, harm) => (outcomes, harm),
    };
    let Some(dossier) = state.dossier() else {
        return Command::ApproveFindings;
    };
    let findings = dossier.allegations.iter().zip(outcomes.iter().cycle());
    let subjects: BTreeSet<_> = dossier.allegations.iter().map(|one| one.subject).collect();
    let harms = harm.iter().flat_map(|harm| {
        subjects.iter().map(|subject| SubjectHarm {
            subject: *subject,
            harm: harm.clone(),
        })
    });
    Command::ProposeFindings {
        findings: findings
            .map(|(allegation, outcome)| ProposedFinding {
                allegation: allegation.id,
                found: Found {
                    outcome: *outcome,
                    local_word: String::new(),
                    evidence: dossier.evidence.iter().copied().take(2).collect(),
                },
            })
            .collect(),
        harms: harms.collect(),
    }
}

/// What each state must be, whatever led to it.
fn holds(state: &State, version: i64) {
    let Some(row) = Cases::row(Uuid::nil(), version, state) else {
        assert_eq!(*state, State::Unopened);
        return;
    };
    let harmed = state.harms().into_iter().flat_map(Harms::keys);
    let allegations = || {
        state
            .dossier()
            .into_iter()
            .flat_map(|known| &known.allegations)
    };
    for subject in harmed {
        assert!(
            allegations().any(|one| one.subject == *subject),
            "harm is of a subject that there is"
        );
    }
    let row = serde_json::to_value(row).expect("a row is JSON");
    let counted: u64 = row["counts"]
        .as_object()
        .expect("an object")
        .values()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    match state {
        State::Concluded { .. } => assert_eq!(Some(counted), row["allegations"].as_u64()),
        _ => assert_eq!(counted, 0, "only a conclusion that stands counts"),
    }
    let mut columns: Vec<_> = row.as_object().expect("an object").keys().collect();
    let mut declared = Cases::COLUMNS.to_vec();
    columns.sort();
    declared.sort_unstable();
    assert_eq!(columns, declared);
}

proptest! {
    #[test]
    fn whatever_is_asked_the_journal_gives_the_state_and_twice_is_once(steps in steps()) {
        let setting = given::<Case>().id(case_of(id(0x10))).text(id(TEXT)).text(id(TEXT + 1));
        let mut context = setting.context().clone();
        let mut journal = Journal::<Case>::default();
        let mut ever = BTreeSet::new();
        for (step, number) in steps.into_iter().zip(1u128..) {
            context.now = later(context.now, step.days);
            context.request_id = Uuid::from_u128(number);
            let command = command(&step.asked, journal.state());
            let before = journal.state().clone();
            context.actor = step.by.unwrap_or_else(|| usually(&command, &before));
            for event in journal.take(&command, &context).unwrap_or_default() {
                ever.extend(took_part(&event));
                match &event {
                    Event::Concluded(concluded) => {
                        prop_assert!(!ever.contains(&context.actor.id), "four eyes");
                        let handles = before.dossier().expect("it was open").unit.clone();
                        prop_assert_eq!(&concluded.unit, &handles);
                        prop_assert!(context.profile.in_scope(&context.actor, &handles));
                    }
                    Event::Moved(moved) => moves(&before, journal.state(), &moved.to),
                    Event::Reopened(_) => {
                        let was = before.dossier().expect("it had ended");
                        let is = journal.state().dossier().expect("it is open");
                        prop_assert_eq!(&is.unit, was.moves_to.as_ref().unwrap_or(&was.unit));
                        prop_assert_eq!(&is.moves_to, &None);
                    }
                    _ => {}
                }
            }
            holds(journal.state(), journal.version());
        }
        journal.check_replay();
    }
}

fn later(now: Timestamp, days: i32) -> Timestamp {
    now + (i64::from(days) * 24).hours()
}

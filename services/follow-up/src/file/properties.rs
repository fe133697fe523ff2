//! What holds for a file whatever is asked of it, by whom and in which order.

use std::collections::BTreeMap;

use chassis::recusal::Recusal;
use chassis::testing::{Given, Journal};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use office::Actor;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::*;
use super::*;

/// One step: what is asked, by whom if not by whoever usually does, and how many days after the one before.
#[derive(Clone, Debug)]
struct Step {
    asked: Asked,
    by: Option<Actor>,
    days: i64,
}

/// What is asked. Days are counted from the day of the step, so that they are often right.
#[derive(Clone, Debug)]
enum Asked {
    As(Command),
    Plan(Vec<i64>),
    Visit(i64, Vec<&'static str>),
    /// On the n-th visit of the file.
    Assess(usize, Attitude),
    Check(u128),
}

fn units() -> impl Strategy<Value = &'static str> {
    select(vec![COUNTY, NEIGHBOUR])
}

/// One of five sanctions, each always the same.
fn any_sanction() -> impl Strategy<Value = Command> {
    (0..5u8).prop_map(|number| {
        let begins = sanction().decided_on + (i64::from(number) * 70).days();
        let unit = if number % 2 == 0 { COUNTY } else { NEIGHBOUR };
        Command::FollowSanction {
            subject: id(SUBJECT),
            sanction: Sanction {
                id: id(SANCTION + u128::from(number)),
                unit: code(unit),
                source: format!("register-{}", number % 3),
                decided_on: begins,
                ends_on: begins + (6 + 6 * i64::from(number % 2)).months(),
                ..sanction()
            },
        }
    })
}

/// A clarification in its order: carried out on a conclusion, superseded with it, carried out on the next.
fn aftercare_of(clarification: u128, unit: &str, conclusions: i32) -> Vec<Command> {
    let superseded = |conclusion| Command::TakeAftercareAway {
        clarification: id(clarification),
        conclusion,
    };
    let carried_out = |conclusion: i32| Command::AddAftercare {
        subject: id(SUBJECT),
        carried: Carried {
            clarification: id(clarification),
            conclusion,
            unit: code(unit),
            on: carried().on + (i64::from(conclusion) * 20).days(),
            ..carried()
        },
    };
    (1..=conclusions)
        .flat_map(|conclusion| [carried_out(conclusion), superseded(conclusion)])
        .collect()
}

fn any_aftercare() -> impl Strategy<Value = Command> {
    let all = [(CLARIFICATION, COUNTY), (CLARIFICATION + 1, NEIGHBOUR)];
    let all = all.map(|(clarification, unit)| aftercare_of(clarification, unit, 2));
    select(all.concat())
}

fn of_wu() -> Recusal {
    Recusal {
        actors: [actor_id("wu")].into(),
        ..Recusal::default()
    }
}

fn anything() -> impl Strategy<Value = Asked> {
    let names = select(vec!["chen", "lin", "wu", "person"]);
    let visitors = prop_oneof![
        3 => Just(vec!["chen", "lin"]),
        1 => prop::collection::vec(names, 0..4),
    ];
    let attitudes = select(vec![
        Attitude::Corrected,
        Attitude::Misunderstands,
        Attitude::Burdened,
    ]);
    prop_oneof![
        4 => any_sanction().prop_map(Asked::As),
        3 => any_aftercare().prop_map(Asked::As),
        5 => prop::collection::vec(-5..200i64, 1..4).prop_map(Asked::Plan),
        8 => (-60..3i64, visitors).prop_map(|(on, visitors)| Asked::Visit(on, visitors)),
        3 => (0..4usize, attitudes).prop_map(|(visit, attitude)| Asked::Assess(visit, attitude)),
        4 => (CLARIFICATION..CLARIFICATION + 3).prop_map(Asked::Check),
        3 => Just(Asked::As(Command::EndImpactPeriod)),
        2 => Just(Asked::As(Command::RemindAftercare)),
        1 => Just(Asked::As(Command::LearnPerson)),
        1 => Just(Asked::As(Command::RecuseFromFile { recusal: of_wu() })),
    ]
}

/// Half of the time whoever usually does it, else anybody.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let anybody = (select(vec!["he", "person"]), units())
        .prop_map(|(name, unit)| officer(name, unit))
        .boxed();
    let anybody = prop_oneof![anybody, Just(service())];
    let step = (anything(), prop::option::of(anybody), 0..40i64);
    let step = step.prop_map(|(asked, by, days)| Step { asked, by, days });
    prop::collection::vec(step, 1..60)
}

/// Whoever usually asks for this.
fn usually(command: &Command) -> Actor {
    match command {
        Command::FollowSanction { .. }
        | Command::AddAftercare { .. }
        | Command::TakeAftercareAway { .. }
        | Command::LearnPerson
        | Command::RecuseFromFile { .. }
        | Command::EndImpactPeriod
        | Command::RemindAftercare => service(),
        Command::PlanVisits { .. }
        | Command::RecordVisit(_)
        | Command::RecordAssessment(_)
        | Command::CheckAftercare { .. } => officer("he", CITY),
    }
}

fn command(asked: Asked, state: &State, today: Date) -> Command {
    match asked {
        Asked::As(command) => command,
        Asked::Plan(days) => Command::PlanVisits {
            visits_on: days.into_iter().map(|day| today + day.days()).collect(),
            situation: id(TEXT),
        },
        Asked::Visit(day, visitors) => Command::RecordVisit(Report {
            on: today + day.days(),
            visitors: visitors.into_iter().map(actor_id).collect(),
            ..report()
        }),
        Asked::Assess(visit, attitude) => {
            let record = state.record();
            let visit = record.and_then(|record| record.visits.get(visit));
            Command::RecordAssessment(Assessment {
                visit: visit.map_or_else(|| id(VISIT), |visit| visit.id),
                attitude,
                grade: Grade::Poor,
                profile: id(TEXT),
            })
        }
        Asked::Check(clarification) => Command::CheckAftercare {
            clarification: id(clarification),
            effect: Effect::Restored,
            notes: id(TEXT),
        },
    }
}

/// The texts of a step have ids of their own, as they follow from its request.
fn with_texts(command: Command, number: u128) -> Command {
    let text = id(0x1000 + number);
    match command {
        Command::PlanVisits { visits_on, .. } => Command::PlanVisits {
            visits_on,
            situation: text,
        },
        Command::RecordAssessment(assessment) => Command::RecordAssessment(Assessment {
            profile: text,
            ..assessment
        }),
        Command::CheckAftercare {
            clarification,
            effect,
            ..
        } => Command::CheckAftercare {
            clarification,
            effect,
            notes: text,
        },
        other => other,
    }
}

/// What a file's clocks are set to, by its events.
#[derive(Default)]
struct Clocks {
    next_end: Option<Timestamp>,
    next_due: Option<Timestamp>,
}

impl Clocks {
    fn follow(&mut self, event: &Event) {
        match event {
            Event::SanctionFollowed(followed) => self.next_end = followed.next_end,
            Event::ImpactPeriodEnded(ended) => self.next_end = ended.next_end,
            Event::AftercareAdded(added) => self.next_due = added.next_due,
            Event::AftercareTakenAway(taken) => self.next_due = taken.next_due,
            Event::AftercareFellDue(due) => self.next_due = due.next_due,
            Event::AftercareChecked(checked) => self.next_due = checked.next_due,
            _ => {}
        }
    }
}

/// What each state must be, whatever led to it.
fn holds(journal: &Journal<File>, clocks: &Clocks) {
    let Some(record) = journal.state().record() else {
        assert_eq!(journal.version(), 0);
        return;
    };
    let mut years: BTreeMap<i16, (usize, usize)> = BTreeMap::new();
    for visit in &record.visits {
        years.entry(visit.on.year()).or_default().0 += 1;
        assert!(record.periods[&visit.sanction].contains(visit.on));
        assert_eq!(visit.unit, record.periods[&visit.sanction].sanction.unit);
        assert!(visit.visitors.len() >= 2);
        assert!(!visit.visitors.contains(&actor_id("person")));
    }
    for planned in &record.planned {
        years.entry(planned.on.year()).or_default().1 += 1;
        let period = &record.periods[&planned.sanction];
        assert!(period.contains(planned.on) && !period.ended);
    }
    for (year, (made, planned)) in years {
        assert!(
            made + planned <= 2,
            "{year}: {made} made, {planned} planned"
        );
    }
    for assessed in &record.assessments {
        assert!(record.visits.iter().any(|visit| visit.id == assessed.visit));
    }
    let open = matches!(journal.state(), State::Open(_));
    assert_eq!(open, !record.is_done(), "a file closes by itself");
    let ends = periods::running(record).map(|period| period.ends_at);
    assert_eq!(
        clocks.next_end,
        ends.min(),
        "the clock is set for the next end"
    );
    let dues = aftercare::waiting(record).map(|item| item.due_at);
    assert_eq!(clocks.next_due, dues.min(), "and for the next aftercare");
}
fn later(now: Timestamp, days: i64) -> Timestamp {
    now + (days * 24).hours()
}

/// What foreign events made of a file, but for what the first of them gave it.
fn up_to_order(state: &State) -> (bool, BTreeMap<SanctionId, Period>, Vec<String>) {
    let record = state.record().expect("there is a file");
    let mut items: Vec<String> = record
        .aftercare
        .iter()
        .map(|item| format!("{item:?}"))
        .collect();
    items.sort();
    let open = matches!(state, State::Open(_));
    (open, record.periods.clone(), items)
}

fn told(given: Given<File>, commands: &[Command]) -> State {
    let given = commands.iter().fold(given, |given, command| {
        let (_, after) = given.when(command.clone()).accepted();
        after
    });
    given.state().clone()
}

/// The streams one after the other, taken as `turns` says.
fn interleaved(mut streams: Vec<Vec<Command>>, turns: &[usize]) -> Vec<Command> {
    for stream in &mut streams {
        stream.reverse();
    }
    let mut told = Vec::new();
    for turn in turns {
        streams.retain(|stream| !stream.is_empty());
        let count = streams.len();
        if let Some(stream) = (count > 0).then(|| &mut streams[turn % count]) {
            told.extend(stream.pop());
        }
    }
    told.extend(
        streams
            .into_iter()
            .flat_map(|stream| stream.into_iter().rev()),
    );
    told
}

proptest! {
    #[test]
    fn whatever_is_asked_the_journal_gives_the_state_and_twice_is_once(steps in steps()) {
        let setting = no_file().facts(asked());
        let mut context = setting.context().clone();
        let (mut journal, mut clocks) = (Journal::<File>::default(), Clocks::default());
        for (step, number) in steps.into_iter().zip(1u128..) {
            context.now = later(context.now, step.days);
            context.request_id = Uuid::from_u128(number);
            let today = context.profile.calendar.date(context.now);
            let command = with_texts(command(step.asked, journal.state(), today), number);
            context.actor = step.by.unwrap_or_else(|| usually(&command));
            for event in journal.take(&command, &context).unwrap_or_default() {
                clocks.follow(&event);
                if let Event::VisitRecorded(recorded) = event {
                    prop_assert!(recorded.visit.on <= today, "not in the future");
                }
            }
            holds(&journal, &clocks);
        }
        journal.check_replay();
    }

    #[test]
    fn in_whatever_order_others_tell_the_file_is_the_same(
        sanctions in prop::collection::vec(any_sanction(), 0..5),
        conclusions in prop::collection::vec(0..3i32, 1..3),
        left in 0..3usize,
        turns in prop::collection::vec(0..8usize, 0..20),
    ) {
        let mut streams: Vec<Vec<Command>> =
            sanctions.into_iter().map(|sanction| vec![sanction]).collect();
        for (at, conclusions) in conclusions.into_iter().enumerate() {
            let mut stream = aftercare_of(CLARIFICATION + at as u128, COUNTY, conclusions);
            stream.truncate(stream.len().saturating_sub(left));
            streams.push(stream);
        }
        prop_assume!(streams.iter().any(|stream| !stream.is_empty()));
        let file = || no_file().actor(service()).facts(Facts::default());
        let in_order = told(file(), &streams.concat());
        let in_another = told(file(), &interleaved(streams, &turns));
        prop_assert_eq!(up_to_order(&in_order), up_to_order(&in_another));
    }
}

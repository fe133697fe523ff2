//! What holds for a matter, its clarifications and their meetings whatever happens, is asked, and in which order it arrives: all
//! aggregates driven together as pure state machines, with a verification that concludes and reopens beside them.
//!
//! Events of the two followed services arrive in the order of their stream, one stream behind the other; consequences
//! arrive in any order, late and repeatedly. In the end everything arrives.

mod world;

use chassis::secrets::Secrets;
use jiff::civil::date;
use office::{Actor, Finding, Role};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::clarification::carrying_out::Particulars;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::screening::Opinion;
use crate::clarification::wish::{Said, Wish};
use crate::clarification::{self, Dossier, Progress, Stage, Standing};
use crate::conclusion::clarification_of;
use crate::meeting::holding::Outcome;
use world::{ELSEWHERE, World, matter_id};

/// One step, how many days after the one before.
#[derive(Clone, Debug)]
struct Step {
    happens: Happens,
    days: i32,
}

/// What happens.
#[derive(Clone, Debug)]
enum Happens {
    /// Verification concludes: what it finds on the official and on the organisation, and the official's harm.
    Concluded(Finding, Finding, Harmed),
    /// Verification reopens.
    Reopened,
    /// The matter is raised to the unit above; the next conclusion is that unit's.
    Moved,
    /// A report joins whose reporter, or subject, is this actor.
    Joined(&'static str),
    /// The next event of intake, or of verification, arrives.
    Arrives(Stream),
    /// A consequence is carried out.
    Follows(Index),
    /// A consequence that was carried out comes again.
    Repeats(Index),
    /// An officer asks how a subject stands, and looks at it when they apply the next time.
    Looked(Index),
    /// A subject applies in writing, on a letter of so many days ago, and refuses these forms.
    Applied(Index, i64, Vec<Form>),
    /// Somebody asks something of a clarification.
    Asked(Index, Asked, Option<Actor>),
    /// Somebody asks something of a meeting.
    Met(Met, Option<Actor>),
}

/// What somebody asks of a meeting.
#[derive(Clone, Debug)]
enum Met {
    /// It is convened for all clarifications, or for one, so many days from now.
    Convene(Option<usize>, i32),
    /// One of those that were convened is held.
    Hold(usize),
    /// One of those that were convened is cancelled.
    Cancel(usize),
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    Intake,
    Verification,
}

/// What the conclusion records as the official's harm.
#[derive(Clone, Copy, Debug)]
enum Harmed {
    Nothing,
    Seriously,
    Excluded,
}

#[derive(Clone, Debug)]
enum Asked {
    /// What comes next, by the state that the step meets.
    Next,
    Opinion(Opinion, u128),
    Withdraw,
    Wants(Vec<Form>),
    /// Somebody speaks for the subject who heads another unit.
    WantsElsewhere,
    Declines,
    Unreachable,
    Form(Form, u128),
    Draft,
    Return,
    Approve(Told),
    CarryOut(Form, Told),
    Confirm,
    Conflict,
    Clock(clarification::Command),
}

/// How verification answers.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// As it is.
    Truth,
    /// As it is, but it was asked this many seconds ago.
    Ago(i64),
    /// Nothing was asked.
    Nothing,
}

fn findings() -> impl Strategy<Value = Finding> {
    select(vec![
        Finding::Unfounded,
        Finding::Unfounded,
        Finding::Exonerated,
        Finding::Substantiated,
        Finding::Unsubstantiated,
    ])
}

fn anything_asked() -> impl Strategy<Value = Asked> {
    let told = || select(vec![Told::Truth, Told::Truth, Told::Ago(6), Told::Nothing]);
    let form = || select(Form::ALL.to_vec());
    let opinion = select(vec![Opinion::Agrees, Opinion::Objects]);
    prop_oneof![
        30 => Just(Asked::Next),
        2 => (opinion, TEXT..TEXT + 2).prop_map(|(opinion, text)| Asked::Opinion(opinion, text)),
        1 => Just(Asked::Withdraw),
        2 => subsequence(Form::ALL.to_vec(), 0..3).prop_map(Asked::Wants),
        1 => Just(Asked::WantsElsewhere),
        1 => Just(Asked::Declines),
        1 => Just(Asked::Unreachable),
        1 => (form(), TEXT..TEXT + 2).prop_map(|(form, text)| Asked::Form(form, text)),
        1 => Just(Asked::Draft),
        1 => Just(Asked::Return),
        2 => told().prop_map(Asked::Approve),
        2 => (form(), told()).prop_map(|(form, told)| Asked::CarryOut(form, told)),
        1 => Just(Asked::Confirm),
        1 => Just(Asked::Conflict),
        1 => select(vec![
            clarification::Command::WarnExecutionDue,
            clarification::Command::RecordExecutionOverdue,
            clarification::Command::RemindPersonnel,
            clarification::Command::AskForRemoval,
        ]).prop_map(Asked::Clock),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let anybody = select(vec![
        screener("anna", "petitions"),
        screener("anna", "handling"),
        screener("nora", "petitions"),
        officer("otto"),
        officer("accused"),
        supervisor("gao"),
        supervisor("otto"),
        supervisor("reporter"),
        Actor {
            unit: "P51-02".parse().expect("a unit code"),
            ..supervisor("wang")
        },
        personnel("petra", "P51-01-01"),
    ]);
    let harmed = select(vec![
        Harmed::Seriously,
        Harmed::Seriously,
        Harmed::Seriously,
        Harmed::Nothing,
        Harmed::Excluded,
    ]);
    let met = prop_oneof![
        4 => (prop::option::weighted(0.3, 0..2usize), prop_oneof![3 => Just(0), 1 => -1..3i32])
            .prop_map(|(of, days)| Met::Convene(of, days)),
        4 => (0..16usize).prop_map(Met::Hold),
        1 => (0..16usize).prop_map(Met::Cancel),
    ];
    let names = select(vec!["anna", "otto", "petra", "gao", "second"]);
    let happens = prop_oneof![
        2 => (findings(), findings(), harmed)
            .prop_map(|(official, organisation, harm)| Happens::Concluded(official, organisation, harm)),
        1 => Just(Happens::Reopened),
        1 => Just(Happens::Moved),
        1 => names.prop_map(Happens::Joined),
        6 => select(vec![Stream::Intake, Stream::Verification]).prop_map(Happens::Arrives),
        8 => any::<Index>().prop_map(Happens::Follows),
        2 => any::<Index>().prop_map(Happens::Repeats),
        2 => any::<Index>().prop_map(Happens::Looked),
        2 => (any::<Index>(), 0..4i64, subsequence(Form::ALL.to_vec(), 0..2))
            .prop_map(|(of, ago, refused)| Happens::Applied(of, ago, refused)),
        30 => (any::<Index>(), anything_asked(), prop::option::weighted(0.2, anybody.clone()))
            .prop_map(|(of, asked, by)| Happens::Asked(of, asked, by)),
        8 => (met, prop::option::weighted(0.2, anybody))
            .prop_map(|(met, by)| Happens::Met(met, by)),
    ];
    let step = (happens, prop_oneof![4 => Just(0), 1 => 0..4i32]);
    let step = step.prop_map(|(happens, days)| Step { happens, days });
    prop::collection::vec(step, 1..220)
}

/// The command of a step, whoever usually gives it, and what verification is asked for it.
fn command(
    asked: &Asked,
    dossier: &Dossier,
    secrets: &Secrets,
) -> (clarification::Command, Actor, Told) {
    use clarification::Command;
    let of_officer = |command| (command, officer("otto"), Told::Nothing);
    match asked {
        Asked::Next => next(dossier, secrets),
        Asked::Opinion(opinion, text) => {
            let command = Command::RecordOpinion {
                opinion: *opinion,
                reason: id(*text),
            };
            (command, screener("anna", "petitions"), Told::Nothing)
        }
        Asked::Withdraw => (
            Command::WithdrawObjection { reason: id(TEXT) },
            screener("anna", "petitions"),
            Told::Nothing,
        ),
        Asked::Wants(refused) => of_officer(wants(refused)),
        Asked::WantsElsewhere => of_officer(Command::RecordWish {
            said: Said::Wants {
                wanted: [].into(),
                refused: [].into(),
            },
            heard_on: date(2026, 3, 9),
            spoken_by: Some(id(ELSEWHERE)),
        }),
        Asked::Declines => of_officer(declines()),
        Asked::Unreachable => of_officer(Command::RecordUnreachable { reason: id(TEXT) }),
        Asked::Form(form, text) => of_officer(Command::DecideForm {
            form: *form,
            reason: Some(id(*text)),
        }),
        Asked::Draft => of_officer(Command::DraftStatement { note: None }),
        Asked::Return => (
            Command::ReturnDraft { reason: id(TEXT) },
            supervisor("gao"),
            Told::Nothing,
        ),
        Asked::Approve(told) => (Command::ApproveClarification, supervisor("gao"), *told),
        Asked::CarryOut(form, told) => {
            let command = Command::CarryOutClarification(Box::new(today(*form, dossier)));
            (command, officer("otto"), *told)
        }
        Asked::Confirm => (
            Command::ConfirmClarification,
            personnel("petra", "P51-01"),
            Told::Nothing,
        ),
        Asked::Conflict => (
            Command::DeclareClarificationConflict { reason: id(TEXT) },
            screener("nora", "petitions"),
            Told::Nothing,
        ),
        Asked::Clock(command) => (command.clone(), service(), Told::Nothing),
    }
}

/// What comes next, so that many histories come to their end.
fn next(dossier: &Dossier, secrets: &Secrets) -> (clarification::Command, Actor, Told) {
    use clarification::Command;
    let nothing = (
        Command::ConfirmClarification,
        personnel("paula", "P51-01"),
        Told::Nothing,
    );
    let Stage::Preparing(preparation) = &dossier.stage else {
        return nothing;
    };
    let free = |names: [&'static str; 2]| {
        // Whoever is recused by now is replaced.
        let recused = dossier.recusal.names(&actor_id(names[0]), secrets);
        names[usize::from(recused)]
    };
    if preparation.screening.objected() {
        let objects = preparation.screening.opinions.iter();
        let mut objects = objects.filter(|(_, given)| given.opinion == Opinion::Objects);
        let (department, _) = objects.next().expect("one objects");
        let command = Command::WithdrawObjection { reason: id(TEXT) };
        return (
            command,
            screener("walter", department.as_str()),
            Told::Nothing,
        );
    }
    if let Some(department) = preparation.screening.missing().next() {
        let mut all = SCREENERS.iter();
        let (person, of) = all
            .find(|(_, of)| *of == department.as_str())
            .expect("it is one of the five");
        let substitute = match *of {
            "petitions" => "alma",
            _ => "nobody_else",
        };
        let who = free([person, substitute]);
        return (agrees(), screener(who, of), Told::Nothing);
    }
    let otto = officer(free(["otto", "oleg"]));
    if preparation.wish.as_ref().is_none_or(Wish::declines) {
        return (wants(&[]), otto, Told::Nothing);
    }
    match &preparation.progress {
        Progress::Undecided => {
            let wish = preparation.wish.as_ref();
            let forms = Form::ALL.into_iter().rev();
            let allowed = [Form::Meeting]
                .into_iter()
                .chain(forms)
                .find(|form| wish.is_some_and(|wish| !wish.refuses(*form)));
            match allowed {
                Some(form) => (choose(form), otto, Told::Nothing),
                None => (wants(&[]), otto, Told::Nothing),
            }
        }
        Progress::FormDecided { .. } => {
            (Command::DraftStatement { note: None }, otto, Told::Nothing)
        }
        Progress::Drafted { .. } => {
            let gao = supervisor(free(["gao", "guo"]));
            (Command::ApproveClarification, gao, Told::Truth)
        }
        Progress::Approved { form, .. } => {
            let mut particulars = today(form.form, dossier);
            particulars.handed_over_by = Some(otto.id.clone());
            let command = Command::CarryOutClarification(Box::new(particulars));
            (command, otto, Told::Truth)
        }
    }
}

/// Carried out on the day of its approval.
fn today(form: Form, dossier: &Dossier) -> Particulars {
    let progress = dossier
        .preparation()
        .map(|preparation| &preparation.progress);
    let approval = progress.and_then(Progress::approval);
    let mut particulars = particulars(form);
    if let Some(approval) = approval {
        particulars.carried_out_on = approval.on;
        let until = particulars.published_until;
        particulars.published_until = until.map(|until| until.max(approval.on));
    }
    particulars
}

/// Somebody of the unit that concluded, in place of the one that the tests begin with.
fn of_unit(actor: Actor, dossier: &Dossier) -> Actor {
    if actor.is_service() || actor.has(Role::PersonnelOfficer) {
        return actor;
    }
    let unit = dossier.clearance.unit.clone();
    Actor { unit, ..actor }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn whatever_happens_no_name_is_cleared_wrongly_and_every_clarification_ends_as_its_case(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        world.holds();
    }
}

/// A name that is cleared, superseded and cleared again, with this in between; the entries in ledgers: unit, number, and
/// which one it supersedes.
fn cleared_twice(between: Option<Happens>) -> Vec<(String, i32, Option<i32>)> {
    let mut world = World::new();
    let official = clarification_of(matter_id(), subject().id).uuid();
    for round in 1..=2 {
        world.conclude(
            &Finding::Unfounded,
            &Finding::Substantiated,
            Harmed::Seriously,
        );
        world.settle();
        for _ in 0..10 {
            world.ask(official, &Asked::Next, None);
            world.settle();
        }
        world.settle();
        assert_eq!(world.executions[&official].len(), round);
        if round == 1 {
            for happens in [Happens::Reopened].into_iter().chain(between.clone()) {
                world.step(&Step { happens, days: 1 });
            }
            world.settle();
        }
    }
    world.settle();
    world.holds();
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
    world.conclude(&Finding::Unfounded, &Finding::Unfounded, Harmed::Seriously);
    world.settle();
    let both: Vec<_> = world.clarifications.keys().copied().collect();
    for of in &both {
        while !matches!(world.standing(*of), Standing::Approved) {
            world.ask(*of, &Asked::Next, None);
        }
    }
    let convene = Met::Convene(None, 0);
    world.meet(&convene, None);
    world.settle();
    world.ask(both[1], &Asked::Declines, None);
    world.meet(&Met::Hold(0), None);
    world.settle();
    world.holds();
    assert_eq!(world.standing(both[0]), Standing::CarriedOut);
    assert_eq!(world.standing(both[1]), Standing::Declined);
    let outcomes = world.outcomes();
    let code = clarification::wish::DECLINED.code.into_owned();
    assert_eq!(
        outcomes,
        [Outcome::CarriedOut, Outcome::NotCarriedOut { code }]
    );
}

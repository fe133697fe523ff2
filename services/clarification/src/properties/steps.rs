//! The steps of a history: what may happen, how likely, and what comes next.
//!
//! To let something else happen: a variant of [`Happens`] or [`Asked`], its weight in [`steps`], and what it does in
//! `World::step`. The trap: what is unlikely on the way to the end is seen in no history; see how often what you mean
//! comes about.

use chassis::secrets::Secrets;
use jiff::civil::date;
use office::{Actor, Finding, Role};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::world::ELSEWHERE;
use crate::clarification::carrying_out::Particulars;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::screening::Opinion;
use crate::clarification::wish;
use crate::clarification::{self, Dossier, Progress, Stage};
use crate::conclusion::{DUPLICATE, Exclusion, Harm, SubjectHarm, SubjectKind, VOID};
use crate::matter::fixture::harm;

/// One step, how many seconds after the one before.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) happens: Happens,
    pub(super) seconds: i64,
}

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Happens {
    /// Verification concludes: what it says of the official, and of the organisation.
    Concluded(Said, Said),
    /// Verification reopens.
    Reopened,
    /// Verification reopens between its answer and what is decided on that, so many seconds later: one that is drafted or
    /// approved goes on.
    Raced(Index, i64),
    /// The matter is raised to the unit above; the next conclusion is that unit's.
    Moved,
    /// A report joins whose reporter, or subject, is this actor.
    Joined(&'static str),
    /// The next event of intake, or of verification, arrives.
    Arrives(Stream),
    /// A consequence is carried out.
    Follows(Index, Told),
    /// A consequence that was carried out comes again.
    Repeats(Index),
    /// The clocks whose time has come ring.
    Rings,
    /// An officer asks how a subject stands, and looks at it when they apply the next time.
    Looked(Index),
    /// A subject applies in writing, on a letter of so many days ago, and refuses these forms.
    Applied(Index, i64, Vec<Form>),
    /// Somebody asks something of a clarification.
    Asked(Index, Asked, Told, Option<Actor>),
    /// Somebody asks something of a meeting.
    Met(Met, Option<Actor>),
}

/// What a conclusion says of a subject.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// What it finds, allegation by allegation.
    pub(super) findings: Vec<Finding>,
    /// The harm that it records.
    pub(super) harm: Option<SubjectHarm>,
}

/// What somebody asks of a meeting.
#[derive(Clone, Debug)]
pub(super) enum Met {
    /// It is convened for all clarifications, or for one, so many days from now.
    Convene(Option<usize>, i32),
    /// One of those that were convened is held.
    Hold(usize),
    /// One of those that were convened is cancelled.
    Cancel(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Intake,
    Verification,
}

#[derive(Clone, Debug)]
pub(super) enum Asked {
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
    Approve,
    CarryOut(Form),
    Confirm,
    Conflict,
    Clock(clarification::Command),
}

/// How verification answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Told {
    /// As it was when it was asked, this many seconds ago.
    Ago(i64),
    /// Nothing was asked.
    Nothing,
}

/// In seconds.
pub(super) const A_DAY: i64 = 24 * 60 * 60;

/// As it is.
pub(super) const TRUTH: Told = Told::Ago(0);

fn closed(reason: &str) -> Finding {
    Finding::Closed(reason.to_owned())
}

fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let in_favour = || select(vec![Finding::Unfounded, Finding::Exonerated]);
    let beside = select(vec![closed(DUPLICATE), closed(VOID), Finding::Unfounded]);
    let anything = select(vec![
        Finding::Unfounded,
        Finding::Exonerated,
        Finding::Substantiated,
        Finding::Unsubstantiated,
        closed(DUPLICATE),
        closed(VOID),
        closed("withdrawn"),
    ]);
    let clearing = (
        in_favour(),
        prop::collection::vec(beside, 0..3),
        any::<bool>(),
    );
    let clearing = clearing.prop_map(|(in_favour, mut findings, first)| {
        let place = if first { 0 } else { findings.len() };
        findings.insert(place, in_favour);
        findings
    });
    prop_oneof![
        3 => clearing,
        2 => prop::collection::vec(anything, 0..4),
    ]
}

fn any_harm() -> impl Strategy<Value = Option<SubjectHarm>> {
    let of = |harms: &[Harm]| SubjectHarm {
        harms: harms.iter().copied().collect(),
        ..harm()
    };
    let excluded = |exclusion| SubjectHarm {
        exclusions: [exclusion].into(),
        ..harm()
    };
    prop_oneof![
        8 => Just(Some(harm())),
        1 => Just(Some(of(&[Harm::None, Harm::SpreadInPublic]))),
        1 => select(vec![
            None,
            Some(of(&[])),
            Some(of(&[Harm::None])),
            Some(excluded(Exclusion::MerelyTalkedTo)),
            Some(excluded(Exclusion::WrittenExplanation)),
        ]),
    ]
}

fn anything_said() -> impl Strategy<Value = Said> {
    (any_findings(), any_harm()).prop_map(|(findings, harm)| Said { findings, harm })
}

fn anything_asked() -> impl Strategy<Value = Asked> {
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
        2 => Just(Asked::Approve),
        2 => form().prop_map(Asked::CarryOut),
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

fn anything_told() -> impl Strategy<Value = Told> {
    prop_oneof![
        6 => Just(TRUTH),
        3 => (1..8i64).prop_map(Told::Ago),
        1 => Just(Told::Nothing),
    ]
}

/// A history.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let anybody = select(vec![
        screener("anna", "petitions"),
        screener("anna", "handling"),
        screener("nora", "petitions"),
        officer("otto"),
        officer("accused"),
        supervisor("gao"),
        supervisor("otto"),
        supervisor("walter"),
        supervisor("anna"),
        supervisor("olaf"),
        supervisor("reporter"),
        Actor {
            unit: above(),
            ..officer("olga")
        },
        Actor {
            unit: "P51-02".parse().expect("a unit code"),
            ..supervisor("wang")
        },
        personnel("petra", "P51-01-01"),
    ]);
    let met = prop_oneof![
        4 => (prop::option::weighted(0.3, 0..2usize), prop_oneof![3 => Just(0), 1 => -1..3i32])
            .prop_map(|(of, days)| Met::Convene(of, days)),
        4 => (0..16usize).prop_map(Met::Hold),
        1 => (0..16usize).prop_map(Met::Cancel),
    ];
    let names = select(vec!["anna", "otto", "petra", "gao", "second"]);
    let happens = prop_oneof![
        2 => (anything_said(), anything_said())
            .prop_map(|(official, organisation)| Happens::Concluded(official, organisation)),
        1 => Just(Happens::Reopened),
        1 => (any::<Index>(), 0..8i64).prop_map(|(of, later)| Happens::Raced(of, later)),
        1 => Just(Happens::Moved),
        1 => names.prop_map(Happens::Joined),
        6 => select(vec![Stream::Intake, Stream::Verification]).prop_map(Happens::Arrives),
        8 => (any::<Index>(), anything_told())
            .prop_map(|(which, told)| Happens::Follows(which, told)),
        2 => any::<Index>().prop_map(Happens::Repeats),
        2 => Just(Happens::Rings),
        2 => any::<Index>().prop_map(Happens::Looked),
        2 => (any::<Index>(), 0..4i64, subsequence(Form::ALL.to_vec(), 0..2))
            .prop_map(|(of, ago, refused)| Happens::Applied(of, ago, refused)),
        30 => (any::<Index>(), anything_asked(), anything_told(), prop::option::weighted(0.2, anybody.clone()))
            .prop_map(|(of, asked, told, by)| Happens::Asked(of, asked, told, by)),
        8 => (met, prop::option::weighted(0.2, anybody))
            .prop_map(|(met, by)| Happens::Met(met, by)),
    ];
    let seconds = prop_oneof![4 => 0..4i64, 1 => (0..4i64).prop_map(|days| days * A_DAY)];
    let step = (happens, seconds);
    let step = step.prop_map(|(happens, seconds)| Step { happens, seconds });
    prop::collection::vec(step, 1..220)
}

/// The command of a step, and whoever usually gives it.
pub(super) fn command(
    asked: &Asked,
    dossier: &Dossier,
    secrets: &Secrets,
) -> (clarification::Command, Actor) {
    use clarification::Command;
    let of_officer = |command| (command, officer("otto"));
    match asked {
        Asked::Next => next(dossier, secrets),
        Asked::Opinion(opinion, text) => {
            let command = Command::RecordOpinion {
                opinion: *opinion,
                reason: id(*text),
            };
            (command, screener("anna", "petitions"))
        }
        Asked::Withdraw => (
            Command::WithdrawObjection { reason: id(TEXT) },
            screener("anna", "petitions"),
        ),
        Asked::Wants(refused) => of_officer(heard(wants(refused), dossier)),
        Asked::WantsElsewhere => of_officer(Command::RecordWish {
            said: wish::Said::Wants {
                wanted: [].into(),
                refused: [].into(),
            },
            heard_on: date(2026, 3, 9),
            spoken_by: Some(id(ELSEWHERE)),
        }),
        Asked::Declines => of_officer(heard(declines(), dossier)),
        Asked::Unreachable => of_officer(Command::RecordUnreachable { reason: id(TEXT) }),
        Asked::Form(form, text) => of_officer(Command::DecideForm {
            form: *form,
            reason: Some(id(*text)),
        }),
        Asked::Draft => of_officer(Command::DraftStatement { note: None }),
        Asked::Return => (Command::ReturnDraft { reason: id(TEXT) }, supervisor("gao")),
        Asked::Approve => (Command::ApproveClarification, supervisor("gao")),
        Asked::CarryOut(form) => {
            let command = Command::CarryOutClarification(Box::new(today(*form, dossier)));
            (command, officer("otto"))
        }
        Asked::Confirm => (Command::ConfirmClarification, personnel("petra", "P51-01")),
        Asked::Conflict => (
            Command::DeclareClarificationConflict { reason: id(TEXT) },
            screener("nora", "petitions"),
        ),
        Asked::Clock(command) => (command.clone(), service()),
    }
}

/// What comes next, so that many histories come to their end.
fn next(dossier: &Dossier, secrets: &Secrets) -> (clarification::Command, Actor) {
    use clarification::Command;
    let nothing = (Command::ConfirmClarification, personnel("paula", "P51-01"));
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
        // Whoever withdraws it has had a part, and somebody else approves.
        return (command, screener("gao", department.as_str()));
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
        return (agrees(), screener(who, of));
    }
    let otto = officer(free(["otto", "oleg"]));
    // Whoever declined is not asked again here, so that what comes next is tried against their wish.
    if preparation.wish.is_none() {
        return (heard(wants(&[]), dossier), otto);
    }
    match &preparation.progress {
        Progress::Undecided => {
            let wish = preparation.wish.as_ref();
            // The one alone, the other at a meeting, so that both ways are gone.
            let usual = match dossier.subject.kind {
                SubjectKind::Person => Form::InPerson,
                SubjectKind::Organisation => Form::Meeting,
            };
            let forms = Form::ALL.into_iter().rev();
            let allowed = [usual]
                .into_iter()
                .chain(forms)
                .find(|form| wish.is_some_and(|wish| !wish.refuses(*form)));
            match allowed {
                Some(form) => (choose(form), otto),
                None => (heard(wants(&[]), dossier), otto),
            }
        }
        Progress::FormDecided { .. } => (Command::DraftStatement { note: None }, otto),
        Progress::Drafted { .. } => {
            let had_a_part = dossier.took_part.contains(&actor_id("gao"));
            let approver = if had_a_part {
                "guo"
            } else {
                free(["gao", "guo"])
            };
            (Command::ApproveClarification, supervisor(approver))
        }
        Progress::Approved { form, .. } => {
            let mut particulars = today(form.form, dossier);
            particulars.handed_over_by = Some(otto.id.clone());
            let command = Command::CarryOutClarification(Box::new(particulars));
            (command, otto)
        }
    }
}

/// Whether a meeting is what comes next of it.
pub(super) fn waits_for_a_meeting(dossier: &Dossier) -> bool {
    matches!(dossier.progress(), Some(Progress::Approved { form, .. }) if form.form == Form::Meeting)
}

/// A wish, heard on the day of the conclusion if that came later.
fn heard(mut wish: clarification::Command, dossier: &Dossier) -> clarification::Command {
    if let clarification::Command::RecordWish { heard_on, .. } = &mut wish {
        let concluded = dossier.clearance.concluded_on.unwrap_or(*heard_on);
        *heard_on = concluded.max(*heard_on);
    }
    wish
}

/// Carried out on the day of its approval.
fn today(form: Form, dossier: &Dossier) -> Particulars {
    let mut particulars = particulars(form);
    if let Some(approval) = dossier.progress().and_then(Progress::approval) {
        particulars.carried_out_on = approval.on;
        let until = particulars.published_until;
        particulars.published_until = until.map(|until| until.max(approval.on));
    }
    particulars
}

/// Somebody of the unit that concluded, in place of the one that the tests begin with.
pub(super) fn of_unit(actor: Actor, dossier: &Dossier) -> Actor {
    if actor.is_service() || actor.has(Role::PersonnelOfficer) {
        return actor;
    }
    let unit = dossier.clearance.unit.clone();
    Actor { unit, ..actor }
}

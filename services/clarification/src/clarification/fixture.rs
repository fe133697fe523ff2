//! The clarification that the tests of all rooms look at, step by step: one matter, an official who is the actor
//! `accused`, cleared of two allegations by unit P51-01; Otto prepares it, Petra heard the subject, Gao approves.

use chassis::aggregate::TextRef;
use chassis::recusal::Mark;
use chassis::secrets::Secrets;
use chassis::testing::{Given, given};
use jiff::civil::date;
use office::{Actor, ActorId, ClarificationId, Department, Due, Finding, UnitCode};

use super::afterwards::Confirmed;
use super::approval::{Answer, Approved, Facts, RestsOn, Word};
use super::candidacy::{Candidacy, Opened};
use super::carrying_out::{Bulletin, CarriedOut, Execution, Meeting};
use super::course::{Halted, Superseded, TakenUp};
use super::drafting::{Statement, StatementDrafted};
use super::forms::{Because, DecidedForm, FormDecided, Recommendation};
use super::rendering::{Content, DocumentsRendered, kinds_of};
use super::screening::OpinionRecorded;
use super::wish::{Speaker, WishRecorded};
use super::*;
use crate::conclusion::{
    Clearance, Degree, Harm, Holding, Line, Reach, Reason, Subject, SubjectHarm, SubjectKind,
    clarification_of,
};
use crate::ledger::{Entered, Number, Occasion, Wanted, What};
use crate::matter::applicants::Position;
use crate::matter::fixture::a_matter;
use crate::printing::{self, Document, Printed};

pub(crate) const TEXT: u128 = 0x60;

/// Who speaks for which department.
pub(crate) const SCREENERS: [(&str, &str); 5] = [
    ("hanna", "handling"),
    ("anna", "petitions"),
    ("boris", "conduct_supervision"),
    ("clara", "case_supervision"),
    ("emil", "case_adjudication"),
];

pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    Uuid::from_u128(number).into()
}

pub(crate) fn actor_id(name: &str) -> ActorId {
    name.parse().expect("an actor id")
}

pub(crate) fn department(code: &str) -> Department {
    code.parse().expect("a department")
}

/// The unit that concluded.
pub(crate) fn unit() -> UnitCode {
    "P51-01".parse().expect("a unit code")
}

/// The unit above.
pub(crate) fn above() -> UnitCode {
    "P51".parse().expect("a unit code")
}

/// An actor of that unit.
pub(crate) fn actor(name: &str, role: Role) -> Actor {
    Actor {
        id: actor_id(name),
        unit: unit(),
        department: None,
        roles: [role].into(),
        on_behalf_of: None,
    }
}

pub(crate) fn screener(name: &str, of: &str) -> Actor {
    Actor {
        department: Some(department(of)),
        ..actor(name, Role::Screener)
    }
}

pub(crate) fn officer(name: &str) -> Actor {
    actor(name, Role::ClarificationOfficer)
}

pub(crate) fn supervisor(name: &str) -> Actor {
    actor(name, Role::Supervisor)
}

pub(crate) fn personnel(name: &str, unit: &str) -> Actor {
    Actor {
        unit: unit.parse().expect("a unit code"),
        ..actor(name, Role::PersonnelOfficer)
    }
}

/// Whoever follows from events.
pub(crate) fn service() -> Actor {
    Actor::service("clarification", None)
}

pub(crate) fn mark_of(name: &str) -> Mark {
    Mark::of_reporter(&Secrets::new([7; 32]), &actor_id(name))
}

pub(crate) fn text(number: u128) -> TextRef {
    TextRef {
        id: id(number),
        digest: Uuid::from_u128(number).as_bytes().to_vec(),
    }
}

pub(crate) fn subject() -> Subject {
    Subject {
        id: id(0x30),
        kind: SubjectKind::Person,
        unit: "P51-01-01".parse().expect("a unit code"),
        authority: unit(),
        heads: None,
    }
}

pub(crate) fn clarification() -> ClarificationId {
    clarification_of(id(0x10), subject().id)
}

/// On which day what is alleged is said to have been: of the first allegation it is known.
pub(crate) fn occurred_on(allegation: u128) -> Option<Date> {
    (allegation == 1).then_some(date(2025, 11, 3))
}

fn line(allegation: u128, category: &str, finding: Finding) -> Line {
    Line {
        allegation: id(allegation),
        category: category.to_owned(),
        occurred_on: occurred_on(allegation),
        finding,
    }
}

/// The first conclusion cleared the subject, or a later one did: known in the unit, slight.
pub(crate) fn cleared(conclusion: i32) -> Ruling {
    Ruling {
        ordinal: 1,
        matter: id(0x10),
        source: "register".to_owned(),
        subject: subject(),
        recusal: Recusal {
            actors: [actor_id("accused")].into(),
            reporters: [mark_of("reporter")].into(),
        },
        clearance: Clearance {
            conclusion,
            unit: unit(),
            findings: vec![
                line(1, "bribery", Finding::Unfounded),
                line(3, "neglect", Finding::Exonerated),
            ],
            harm: Some(SubjectHarm {
                harms: [Harm::RightsHarmed].into(),
                degree: Some(Degree::Slight),
                reach: Some(Reach::Unit),
                exclusions: [].into(),
            }),
            concluded_on: Some(date(2026, 3, 2)),
        },
        holding: Holding::Holds,
    }
}

/// The first conclusion stands no longer.
pub(crate) fn reopened(ordinal: u32) -> Ruling {
    Ruling {
        ordinal,
        holding: Holding::HoldsNoMore,
        ..cleared(1)
    }
}

pub(crate) fn an_opening() -> Event {
    let ruling = cleared(1);
    Opened(Candidacy {
        ordinal: 1,
        matter: ruling.matter,
        source: ruling.source,
        subject: ruling.subject,
        kept_by: vec![unit(), subject().unit],
        recusal: ruling.recusal,
        clearance: ruling.clearance,
        reasons: Vec::new(),
        departments: SCREENERS.map(|(_, of)| department(of)).to_vec(),
    })
    .into()
}

pub(crate) fn opinion(person: &str, of: &str, opinion: Opinion) -> Event {
    OpinionRecorded {
        department: department(of),
        by: actor_id(person),
        opinion,
        reason: text(TEXT),
    }
    .into()
}

pub(crate) fn all_agree() -> Vec<Event> {
    let agreed = SCREENERS.map(|(person, of)| opinion(person, of, Opinion::Agrees));
    agreed.to_vec()
}

pub(crate) fn wish_of(said: Said) -> Event {
    WishRecorded {
        by: actor_id("petra"),
        heard_on: date(2026, 3, 6),
        said,
        spoken_by: Some(themselves()),
        form: Left::Stays,
    }
    .into()
}

/// The person speaks.
pub(crate) fn themselves() -> Speaker {
    Speaker {
        person: subject().id,
        heads: None,
    }
}

pub(crate) fn wish_heard(refused: &[Form]) -> Event {
    wish_of(Said::Wants {
        wanted: [].into(),
        refused: refused.iter().copied().collect(),
    })
}

/// A meeting is recommended, so another form has a reason.
pub(crate) fn form_decided(form: Form) -> Event {
    FormDecided {
        form: decided_form(form),
    }
    .into()
}

fn decided_form(form: Form) -> DecidedForm {
    DecidedForm {
        form,
        by: actor_id("otto"),
        recommended: Recommendation {
            form: Form::Meeting,
            because: Because::KnownInUnit,
        },
        reason: Some(text(TEXT)),
    }
}

pub(crate) fn a_draft() -> Event {
    StatementDrafted {
        statement: Statement {
            by: actor_id("otto"),
            lines: cleared(1).clearance.findings,
            note: None,
        },
    }
    .into()
}

fn rests_on() -> RestsOn {
    RestsOn {
        conclusion: 1,
        asked_at: "2026-03-09T01:00:00Z".parse().expect("a timestamp"),
    }
}

/// By Gao, on Monday 9 March 2026: five working days are over on the Monday after.
pub(crate) fn an_approval() -> Event {
    Approved {
        by: actor_id("gao"),
        on: date(2026, 3, 9),
        due: Due {
            at: "2026-03-16T15:59:59.999999Z".parse().expect("a timestamp"),
            on: date(2026, 3, 16),
            warn_at: "2026-03-11T15:59:59.999999Z".parse().expect("a timestamp"),
        },
        rests_on: rests_on(),
    }
    .into()
}

pub(crate) fn particulars(form: Form) -> Particulars {
    let bulletin = form == Form::Bulletin;
    Particulars {
        carried_out_on: date(2026, 3, 9),
        place: id(TEXT),
        handed_over_by: Some(actor_id("otto")),
        published_in: bulletin.then(|| id(TEXT + 1)),
        published_until: bulletin.then(|| date(2026, 4, 8)),
    }
}

pub(crate) fn an_execution(form: Form) -> Event {
    let ruling = cleared(1);
    CarriedOut {
        matter: ruling.matter,
        source: ruling.source,
        subject: ruling.subject,
        recusal: ruling.recusal,
        unit: unit(),
        round: 1,
        form,
        recorded_on: date(2026, 3, 9),
        execution: Execution {
            by: actor_id("otto"),
            on: date(2026, 3, 9),
            place: text(TEXT),
            handed_over_by: actor_id("otto"),
            meeting: (form == Form::Meeting).then(|| Meeting {
                id: id(0x70),
                attendance: 31,
                attended: text(TEXT + 1),
            }),
            bulletin: (form == Form::Bulletin).then(|| Bulletin {
                published_in: text(TEXT + 1),
                until: date(2026, 4, 8),
                remove_at: "2026-04-08T15:59:59.999999Z".parse().expect("a timestamp"),
            }),
            documents: documents_of(form),
            rests_on: rests_on(),
            remind_at: "2026-03-23T15:59:59.999999Z".parse().expect("a timestamp"),
        },
    }
    .into()
}

/// It is taken up again by a later conclusion.
pub(crate) fn a_taking_up(conclusion: i32, ordinal: u32) -> Event {
    let Event::Opened(Opened(candidacy)) = an_opening() else {
        unreachable!("it is what the fixture opens with");
    };
    TakenUp(Candidacy {
        ordinal,
        clearance: cleared(conclusion).clearance,
        ..candidacy
    })
    .into()
}

pub(crate) fn confirmed_by(name: &str) -> Event {
    Confirmed {
        matter: id(0x10),
        subject: subject().id,
        source: "register".to_owned(),
        by: actor_id(name),
    }
    .into()
}

/// What the ledger of 2026 entered.
pub(crate) fn entered(number: i32, what: What, round: u32) -> Entered {
    Entered {
        number: Number {
            unit: unit(),
            year: 2026,
            number,
        },
        wanted: Wanted {
            unit: unit(),
            occasion: Occasion {
                clarification: clarification(),
                round,
                what,
            },
            matter: id(0x10),
            subject: subject().id,
            form: Form::Written,
            on: date(2026, 3, 9),
            supersedes: None,
        },
    }
}

/// The entry that supersedes another one of the same ledger.
pub(crate) fn superseding(number: i32, first: i32) -> Entered {
    let mut superseding = entered(number, What::Superseded, 1);
    superseding.wanted.supersedes = Some(entered(first, What::CarriedOut, 1).number);
    superseding
}

pub(crate) fn a_halting() -> Halted {
    Halted {
        ordinal: 2,
        matter: id(0x10),
        source: "register".to_owned(),
        subject: subject().id,
        conclusion: 1,
    }
}

pub(crate) fn a_superseding() -> Superseded {
    Superseded {
        ordinal: 2,
        matter: id(0x10),
        source: "register".to_owned(),
        subject: subject(),
        recusal: cleared(1).recusal,
        conclusion: 1,
        unit: unit(),
        round: 1,
        form: Form::Written,
        on: date(2026, 3, 9),
        superseding: None,
    }
}

/// What verification answers: this conclusion stands.
pub(crate) fn stands(conclusion: i32) -> Facts {
    Facts {
        answer: Some(Answer {
            conclusion,
            standing: Word::Stands,
            asked_at: "2026-03-09T01:00:00Z".parse().expect("a timestamp"),
        }),
        ..Facts::default()
    }
}

/// Documents of this content, as if they had been set.
pub(crate) fn rendered<C: printing::Content>(content: C) -> Rendering<C> {
    let printed = content.kinds().iter().map(|kind| Printed {
        kind: *kind,
        bytes: kind.code().as_bytes().into(),
        sha256: vec![*kind as u8; 32],
        pages: 1,
    });
    Rendering {
        printed: printed.collect(),
        content,
    }
}

/// The same, as facts.
pub(crate) fn printed(content: Content) -> Facts {
    Facts {
        rendering: Some(rendered(content)),
        ..Facts::default()
    }
}

/// The documents that a clarification in this form hands over.
pub(crate) fn documents_of(form: Form) -> Vec<Document> {
    let kinds = kinds_of(form).iter();
    let documents = kinds.zip(1..).map(|(kind, number)| Document {
        kind: *kind,
        language: "zh-Hans".to_owned(),
        bytes: text(0x80 + number),
        sha256: vec![*kind as u8; 32],
        pages: 1,
    });
    documents.collect()
}

pub(crate) fn documents_made(form: Form) -> Event {
    DocumentsRendered {
        documents: documents_of(form),
    }
    .into()
}

pub(crate) fn agrees() -> Command {
    Command::RecordOpinion {
        opinion: Opinion::Agrees,
        reason: id(TEXT),
    }
}

pub(crate) fn objects() -> Command {
    Command::RecordOpinion {
        opinion: Opinion::Objects,
        reason: id(TEXT),
    }
}

pub(crate) fn wants(refused: &[Form]) -> Command {
    Command::RecordWish {
        said: Said::Wants {
            wanted: [].into(),
            refused: refused.iter().copied().collect(),
        },
        heard_on: date(2026, 3, 9),
        spoken_by: None,
    }
}

pub(crate) fn declines() -> Command {
    Command::RecordWish {
        said: Said::Declines,
        heard_on: date(2026, 3, 9),
        spoken_by: None,
    }
}

pub(crate) fn choose(form: Form) -> Command {
    Command::DecideForm {
        form,
        reason: Some(id(TEXT)),
    }
}

pub(crate) fn carry_it_out(form: Form) -> Command {
    Command::CarryOutClarification(Box::new(particulars(form)))
}

/// Opened; nobody has spoken.
pub(crate) fn a_candidate() -> Given<Clarification> {
    given::<Clarification>()
        .id(clarification())
        .text(id(TEXT))
        .text(id(TEXT + 1))
        .actor(supervisor("gao"))
        .events([an_opening()])
}

/// An organisation's, opened.
pub(crate) fn an_organisations_one() -> Given<Clarification> {
    let Event::Opened(Opened(mut candidacy)) = an_opening() else {
        unreachable!("it is what the fixture opens with");
    };
    candidacy.subject.kind = SubjectKind::Organisation;
    given::<Clarification>()
        .id(clarification())
        .text(id(TEXT))
        .actor(supervisor("gao"))
        .events([Opened(candidacy)])
}

/// All departments agree.
pub(crate) fn an_eligible_one() -> Given<Clarification> {
    a_candidate().events(all_agree())
}

/// And the subject wants it, in whatever form.
pub(crate) fn a_heard_one() -> Given<Clarification> {
    an_eligible_one().events([wish_heard(&[])])
}

pub(crate) fn a_decided_one(form: Form) -> Given<Clarification> {
    a_heard_one().events([form_decided(form)])
}

pub(crate) fn a_drafted_one(form: Form) -> Given<Clarification> {
    a_decided_one(form).events([a_draft()])
}

/// Approved; its documents are being made.
pub(crate) fn an_approved_without_documents(form: Form) -> Given<Clarification> {
    a_drafted_one(form).events([an_approval()])
}

pub(crate) fn an_approved_one(form: Form) -> Given<Clarification> {
    an_approved_without_documents(form).events([documents_made(form)])
}

pub(crate) fn a_carried_out_one(form: Form) -> Given<Clarification> {
    an_approved_one(form).events([an_execution(form)])
}

/// What the subject hands in.
pub(crate) fn an_application() -> Applying {
    Applying {
        matter: id(0x10),
        subject: subject().id,
        applied_on: date(2026, 3, 8),
        text: id(TEXT),
        wanted: [Form::Meeting].into(),
        refused: [Form::Bulletin].into(),
        spoken_by: None,
    }
}

pub(crate) fn hand_in() -> Command {
    Command::ApplyForClarification(Box::new(an_application()))
}

/// How the subject stands before any conclusion.
pub(crate) fn position() -> Position {
    let matter = a_matter();
    let known = matter.state().known().expect("it is known");
    known.position(subject().id)
}

/// That the matter said this.
pub(crate) fn knowing(position: Position) -> Facts {
    Facts {
        position: Some(position),
        ..Facts::default()
    }
}

/// No conclusion has cleared anybody.
pub(crate) fn an_unopened_one() -> Given<Clarification> {
    given::<Clarification>()
        .id(clarification())
        .text(id(TEXT))
        .text(id(TEXT + 1))
        .actor(officer("otto"))
        .facts(knowing(position()))
}

/// Otto took it in before there was any conclusion.
pub(crate) fn an_applied_one() -> Given<Clarification> {
    an_unopened_one().when(hand_in()).accepted().1
}

/// Why the ruling of this ordinal does not clear the subject.
pub(crate) fn not_cleared(ordinal: u32, reasons: &[Reason]) -> Command {
    Command::LearnNotCleared(Box::new(NotCleared {
        ordinal,
        subject: subject().id,
        unit: unit(),
        reasons: reasons.to_vec(),
    }))
}

//! Everything that there is, driven step by step. What must hold of it stands in [`invariants`].

mod invariants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chassis::aggregate::TextRef;
use chassis::recusal::Recusal;
use chassis::testing::{Followed, Journal, followed, given};
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use office::{Actor, ClarificationId, Finding, MatterId, SubjectId, TextId, UnitCode};
use uuid::Uuid;

use super::{Asked, Happens, Harmed, Met, Step, Stream, Told, command, of_unit};
use crate::clarification::applying::Applying;
use crate::clarification::approval::{Answer, Facts, Word};
use crate::clarification::carrying_out::CarriedOut;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::rendering::Content;
use crate::clarification::wish::Speaker;
use crate::clarification::{self, Clarification, Event, Standing};
use crate::conclusion::{Exclusion, SubjectHarm, SubjectKind, clarification_of};
use crate::integrity::IntegrityFile;
use crate::ledger::Ledger;
use crate::matter::applicants::Position;
use crate::matter::fixture::{ORGANISATION, a_raising, found, harm, organisation, second_report};
use crate::matter::learning::Report;
use crate::matter::ruling::{Concluded, Conclusion};
use crate::matter::{self, Matter};
use crate::meeting::convening::{self, Known};
use crate::meeting::holding::Outcome;
use crate::meeting::{self, Meeting};
use crate::printing::Document;

/// A command to another aggregate on its way, with the request id that it is known by.
#[derive(Clone, Debug)]
struct Due {
    request: u128,
    what: Followed,
}

/// An event of another service, as the command that follows from it.
#[derive(Clone, Debug)]
struct Foreign(matter::Command);

/// Everything.
pub(super) struct World {
    /// Profile, keys, texts and the time, for every command alike.
    setting: chassis::aggregate::Context<()>,
    requests: u128,
    matter: Journal<Matter>,
    pub(super) clarifications: BTreeMap<Uuid, Journal<Clarification>>,
    meetings: BTreeMap<Uuid, Journal<Meeting>>,
    ledgers: BTreeMap<Uuid, Journal<Ledger>>,
    files: BTreeMap<Uuid, Journal<IntegrityFile>>,
    intake: VecDeque<Foreign>,
    verification: VecDeque<Foreign>,
    due: Vec<Due>,
    carried_out: Vec<Due>,
    /// Request ids that led to events: the desk answers them from the journal.
    known: BTreeSet<u128>,
    /// The truth: the last conclusion of the case and whether it stands, and whom it clears.
    conclusion: i32,
    stands: bool,
    /// The unit that concluded, and the one that will next.
    concluded_by: UnitCode,
    handled_by: UnitCode,
    clears: BTreeSet<SubjectId>,
    ever_cleared: BTreeSet<SubjectId>,
    /// What an officer saw of how a subject stands in the matter, and has not acted on.
    looked: BTreeMap<SubjectId, Option<Position>>,
    /// The applications that were taken in.
    applied: BTreeMap<SubjectId, Vec<TextId>>,
    /// How often each clarification was carried out, and superseded.
    pub(super) executions: BTreeMap<Uuid, Vec<CarriedOut>>,
    superseded: BTreeMap<Uuid, u32>,
    /// The documents of each clarification's present approval.
    rendered: BTreeMap<Uuid, Vec<Document>>,
}

/// The person who heads the organisation's unit, and one who heads another.
const HEAD: u128 = 0x35;
pub(super) const ELSEWHERE: u128 = 0x36;

/// What intake says of who speaks.
fn speaker(person: SubjectId) -> Speaker {
    let unit = if person == id(HEAD) {
        organisation().unit
    } else {
        unit()
    };
    Speaker {
        person,
        heads: Some(unit),
    }
}

pub(super) fn matter_id() -> MatterId {
    id(0x10)
}

fn subjects() -> [SubjectId; 2] {
    [subject().id, organisation().id]
}

impl World {
    pub(super) fn new() -> Self {
        let setting = given::<Matter>().text(id(TEXT)).text(id(TEXT + 1));
        let raised = matter::Command::LearnMatter(a_raising());
        Self {
            setting: setting.context().clone(),
            requests: 0,
            matter: Journal::default(),
            clarifications: BTreeMap::new(),
            meetings: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            files: BTreeMap::new(),
            intake: [Foreign(raised)].into(),
            verification: VecDeque::new(),
            due: Vec::new(),
            carried_out: Vec::new(),
            known: BTreeSet::new(),
            conclusion: 0,
            stands: false,
            concluded_by: unit(),
            handled_by: unit(),
            clears: BTreeSet::new(),
            ever_cleared: BTreeSet::new(),
            looked: BTreeMap::new(),
            applied: BTreeMap::new(),
            executions: BTreeMap::new(),
            superseded: BTreeMap::new(),
            rendered: BTreeMap::new(),
        }
    }

    fn context<A: chassis::aggregate::Aggregate>(
        &mut self,
        of: Uuid,
        actor: Actor,
    ) -> chassis::aggregate::Context<A::Facts> {
        self.requests += 1;
        let setting = self.setting.clone();
        chassis::aggregate::Context {
            id: of,
            now: setting.now,
            actor,
            profile: setting.profile,
            method: setting.method,
            request_id: id(self.requests),
            texts: setting.texts,
            secrets: setting.secrets,
            facts: A::Facts::default(),
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        self.setting.now = later(self.setting.now, step.days);
        match &step.happens {
            Happens::Concluded(official, organisation, harmed) => {
                self.conclude(official, organisation, *harmed);
            }
            Happens::Reopened if self.stands => {
                self.stands = false;
                let number = self.conclusion;
                let reopened = matter::Command::LearnReopening { number };
                self.verification.push_back(Foreign(reopened));
            }
            Happens::Reopened => {}
            Happens::Moved => {
                let above = self.setting.profile.units.parent_of(&self.handled_by);
                if let Some(above) = above.map(|above| above.code.clone()) {
                    self.handled_by = above.clone();
                    let moved = matter::Command::LearnMove { unit: above };
                    self.intake.push_back(Foreign(moved));
                }
            }
            Happens::Joined(name) => {
                self.requests += 1;
                let report = Report {
                    id: id(0x1000 + self.requests),
                    recusal: Recusal {
                        actors: [actor_id("accused")].into(),
                        reporters: [mark_of(name)].into(),
                    },
                    ..second_report()
                };
                let joined = matter::Command::LearnReport(report);
                self.intake.push_back(Foreign(joined));
            }
            Happens::Arrives(stream) => {
                self.arrive(*stream);
            }
            Happens::Follows(index) if !self.due.is_empty() => {
                let due = self.due.remove(index.index(self.due.len()));
                let _ = self.follow(due);
            }
            Happens::Repeats(index) if !self.carried_out.is_empty() => {
                let again = self.carried_out[index.index(self.carried_out.len())].clone();
                self.carry_out(&again);
            }
            Happens::Follows(_) | Happens::Repeats(_) => {}
            Happens::Looked(of) => {
                let of = subjects()[of.index(2)];
                self.looked.insert(of, self.position(of));
            }
            Happens::Applied(of, ago, refused) => {
                let of = subjects()[of.index(2)];
                let seen = self.looked.remove(&of);
                let seen = seen.unwrap_or_else(|| self.position(of));
                self.apply(of, *ago, refused, seen);
            }
            Happens::Asked(of, asked, by) => {
                if !self.clarifications.is_empty() {
                    let ids: Vec<Uuid> = self.clarifications.keys().copied().collect();
                    self.ask(ids[of.index(ids.len())], asked, by.clone());
                }
            }
            Happens::Met(met, by) => self.meet(met, by.clone()),
        }
    }

    pub(super) fn conclude(&mut self, official: &Finding, other: &Finding, harmed: Harmed) {
        if self.stands {
            return;
        }
        self.conclusion += 1;
        self.stands = true;
        self.concluded_by = self.handled_by.clone();
        let both = [
            (subject().id, official, [1, 3]),
            (id(ORGANISATION), other, [2, 2]),
        ];
        let subjects: Vec<Concluded> = both
            .iter()
            .map(|(of, finding, [first, _])| Concluded {
                harm: match harmed {
                    Harmed::Nothing => None,
                    Harmed::Seriously => Some(harm()),
                    Harmed::Excluded => Some(SubjectHarm {
                        exclusions: [Exclusion::MerelyTalkedTo].into(),
                        ..harm()
                    }),
                },
                ..found(*of, &[(*first, (*finding).clone())])
            })
            .collect();
        let in_favour =
            |finding: &&Finding| matches!(finding, Finding::Unfounded | Finding::Exonerated);
        self.clears = both
            .iter()
            .filter(|(_, finding, _)| in_favour(finding))
            .map(|(of, _, _)| *of)
            .collect();
        self.ever_cleared.extend(&self.clears);
        let concluded = matter::Command::LearnConclusion(Conclusion {
            number: self.conclusion,
            unit: self.concluded_by.clone(),
            subjects,
            on: Some(date(2026, 3, 2)),
        });
        self.verification.push_back(Foreign(concluded));
    }

    /// Takes the next event of a stream; whether there was one that could be taken.
    fn arrive(&mut self, stream: Stream) -> bool {
        let queue = match stream {
            Stream::Intake => &self.intake,
            Stream::Verification => &self.verification,
        };
        let Some(Foreign(command)) = queue.front().cloned() else {
            return false;
        };
        let context = self.context::<Matter>(matter_id().uuid(), service());
        match self.matter.take(&command, &context) {
            Ok(events) => {
                match stream {
                    Stream::Intake => self.intake.pop_front(),
                    Stream::Verification => self.verification.pop_front(),
                };
                for event in &events {
                    self.await_all(followed::<Matter>(matter_id(), event));
                }
                true
            }
            // What it needs has not arrived; it is parked.
            Err(chassis::aggregate::Rejection::NotYet(_)) => false,
            Err(other) => panic!("a matter refuses nothing: {other:?}"),
        }
    }

    fn await_all(&mut self, what: Vec<Followed>) {
        for what in what {
            self.requests += 1;
            self.due.push(Due {
                request: self.requests,
                what,
            });
        }
    }

    /// Carries a consequence out, or puts it off; whether it was carried out.
    fn follow(&mut self, due: Due) -> bool {
        let carried_out = self.carry_out(&due);
        let list = if carried_out {
            &mut self.carried_out
        } else {
            &mut self.due
        };
        list.push(due);
        carried_out
    }

    /// Whether it was carried out, once or again.
    fn carry_out(&mut self, due: &Due) -> bool {
        let of = due.what.aggregate;
        if let Some(command) = due.what.command::<Clarification>() {
            let mut context = self.context::<Clarification>(of, service());
            match command {
                clarification::Command::ClearAtMeeting(_) => {
                    context.facts = self.answer(Told::Truth);
                }
                clarification::Command::RenderDocuments => {
                    let dossier = self.clarifications[&of].state().dossier();
                    let wanted =
                        dossier.and_then(|dossier| Content::wanted(dossier, &context.profile));
                    context.facts = wanted.map(printed).unwrap_or_default();
                }
                _ => {}
            }
            return self.take(of, &command, &context).is_ok();
        }
        if let Some(command) = due.what.command::<Meeting>() {
            let mut context = self.context::<Meeting>(of, service());
            let meeting = self.meetings.get_mut(&of).expect("it was convened");
            let today = context.profile.calendar.date(context.now);
            let agenda = meeting.state().agenda().expect("it was convened");
            let due = meeting::rendering::Content::wanted(agenda, &context.profile, today);
            context.facts.rendering = due.map(rendered);
            let events = meeting.take(&command, &context).expect("it is noted");
            for event in &events {
                self.await_all(followed::<Meeting>(of, event));
            }
            return true;
        }
        if let Some(command) = due.what.command::<Matter>() {
            let context = self.context::<Matter>(of, service());
            let events = self.matter.take(&command, &context).expect("it is known");
            for event in &events {
                self.await_all(followed::<Matter>(matter_id(), event));
            }
            return true;
        }
        if let Some(command) = due.what.command::<Ledger>() {
            // The ledger knows again only its last entry; the desk knows every request.
            if self.known.insert(due.request) {
                let context = self.context::<Ledger>(of, service());
                let ledger = self.ledgers.entry(of).or_default();
                let events = ledger.take(&command, &context).expect("it is entered");
                for event in &events {
                    self.await_all(followed::<Ledger>(of, event));
                }
            }
            return true;
        }
        let command = due
            .what
            .command::<IntegrityFile>()
            .expect("one of the five");
        let context = self.context::<IntegrityFile>(of, service());
        let file = self.files.entry(of).or_default();
        file.take(&command, &context).expect("it is entered");
        true
    }

    fn position(&self, of: SubjectId) -> Option<Position> {
        let known = self.matter.state().known()?;
        Some(known.position(of))
    }

    /// Takes an application in, on what was seen; on what is so now where that is out of date.
    fn apply(&mut self, of: SubjectId, ago: i64, refused: &[Form], seen: Option<Position>) {
        self.requests += 1;
        let text: TextId = id(0x5000_0000 + self.requests);
        let digest = text.uuid().as_bytes().to_vec();
        self.setting
            .texts
            .insert(text, TextRef { id: text, digest });
        let today = self.setting.profile.calendar.date(self.setting.now);
        let command = clarification::Command::ApplyForClarification(Box::new(Applying {
            matter: matter_id(),
            subject: of,
            applied_on: today - ago.days(),
            text,
            wanted: [].into(),
            refused: refused.iter().copied().collect(),
            spoken_by: (of == organisation().id).then(|| id(HEAD)),
        }));
        let clarification = clarification_of(matter_id(), of).uuid();
        for seen in [seen, self.position(of)] {
            let mut context = self.context::<Clarification>(clarification, officer("olaf"));
            context.facts = Facts {
                speaker: Some(speaker(id(HEAD))),
                position: seen,
                ..Facts::default()
            };
            match self.take(clarification, &command, &context) {
                Ok(()) => {
                    self.applied.entry(of).or_default().push(text);
                    return;
                }
                Err(chassis::aggregate::Rejection::Stale) => {}
                // The matter is not known here yet.
                Err(_) => return,
            }
        }
        panic!("what is so now is not out of date");
    }

    pub(super) fn ask(&mut self, of: Uuid, asked: &Asked, by: Option<Actor>) {
        let state = self.clarifications[&of].state();
        let Some(dossier) = state.dossier().cloned() else {
            return self.ask_in_vain(of, asked);
        };
        let (mut command, usually, told) = command(asked, &dossier, &self.setting.secrets);
        let actor = by.unwrap_or_else(|| of_unit(usually, &dossier));
        let mut context = self.context::<Clarification>(of, actor);
        context.facts = self.answer(told);
        if let clarification::Command::RecordWish { spoken_by, .. } = &mut command
            && dossier.subject.kind == SubjectKind::Organisation
        {
            context.facts.speaker = Some(speaker(*spoken_by.get_or_insert(id(HEAD))));
        }
        // The rejection is the caller's; nothing happened.
        let _ = self.take(of, &command, &context);
    }

    /// While no conclusion clears the subject nothing is done but that somebody recuses themselves.
    fn ask_in_vain(&mut self, of: Uuid, asked: &Asked) {
        let (command, actor) = match asked {
            Asked::Conflict => {
                let reason = id(TEXT);
                let command = clarification::Command::DeclareClarificationConflict { reason };
                (command, officer("olaf"))
            }
            _ => (wants(&[]), officer("otto")),
        };
        let context = self.context::<Clarification>(of, actor);
        let taken = self.take(of, &command, &context);
        assert!(matches!(asked, Asked::Conflict) || taken.is_err());
    }

    /// Asks something of a meeting. How the clarifications stand is told as it is.
    pub(super) fn meet(&mut self, met: &Met, by: Option<Actor>) {
        let secrets = self.setting.secrets.clone();
        let recused = |name: &str| {
            let mut all = self.clarifications.values();
            all.any(|one| {
                let dossier = one.state().dossier();
                dossier.is_some_and(|dossier| dossier.recusal.names(&actor_id(name), &secrets))
            })
        };
        let usually = if recused("otto") { "oleg" } else { "otto" };
        let actor = by.unwrap_or_else(|| officer(usually));
        let known: Vec<Uuid> = self.meetings.keys().copied().collect();
        let one = |index: &usize| known[index % known.len()];
        let (of, command) = match met {
            Met::Convene(which, days) => {
                let ids: Vec<Uuid> = self.clarifications.keys().copied().collect();
                let chosen = match which {
                    Some(index) if !ids.is_empty() => vec![ids[index % ids.len()]],
                    _ => ids,
                };
                let calendar = &self.setting.profile.calendar;
                let command = meeting::Command::ConveneMeeting {
                    clarifications: chosen.into_iter().map(Into::into).collect(),
                    on: calendar.date(later(self.setting.now, *days)),
                    time: None,
                    place: id(TEXT),
                };
                self.requests += 1;
                (id(0x9000 + self.requests), command)
            }
            Met::Hold(_) | Met::Cancel(_) if known.is_empty() => return,
            Met::Hold(index) => {
                let command = meeting::Command::HoldMeeting {
                    attendance: 31,
                    attended: id(TEXT + 1),
                    handed_over_by: actor.id.clone(),
                };
                (one(index), command)
            }
            Met::Cancel(index) => {
                let reason = id(TEXT);
                (one(index), meeting::Command::CancelMeeting { reason })
            }
        };
        let mut context = self.context::<Meeting>(of, actor);
        context.facts = self.known();
        let meeting = self.meetings.entry(of).or_default();
        // The rejection is the caller's; nothing happened.
        let events = meeting.take(&command, &context).unwrap_or_default();
        if meeting.version() == 0 {
            self.meetings.remove(&of);
        }
        for event in &events {
            self.await_all(followed::<Meeting>(of, event));
        }
    }

    fn known(&self) -> convening::Facts {
        let known = |(id, one): (&Uuid, &Journal<Clarification>)| {
            let dossier = one.state().dossier()?.clone();
            let is_awaited = |meeting: &&Uuid| {
                let agenda = self.meetings.get(*meeting)?.state().agenda()?;
                (agenda.stage == meeting::Stage::Awaited).then_some(())
            };
            let mut called = dossier.called.iter();
            let awaited = called.find(|meeting| is_awaited(meeting).is_some());
            let awaited = awaited.copied();
            Some((ClarificationId::from(*id), Known { dossier, awaited }))
        };
        convening::Facts {
            clarifications: self.clarifications.iter().filter_map(known).collect(),
            ..convening::Facts::default()
        }
    }

    /// How far a clarification is.
    pub(super) fn standing(&self, of: Uuid) -> Standing {
        let standing = self.clarifications[&of].state().standing();
        standing.expect("it is open")
    }

    /// What became of all clarifications at all meetings that were held.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let agendas = self.meetings.values();
        let agendas = agendas.filter_map(|meeting| meeting.state().agenda());
        agendas
            .flat_map(|agenda| {
                let items = agenda.items.iter();
                items.filter_map(|item| agenda.outcome(item.clarification).cloned())
            })
            .collect()
    }

    fn answer(&self, told: Told) -> Facts {
        let seconds = match told {
            Told::Truth => 0,
            Told::Ago(seconds) => seconds,
            Told::Nothing => return Facts::default(),
        };
        Facts {
            answer: Some(Answer {
                conclusion: self.conclusion,
                standing: if self.stands {
                    Word::Stands
                } else {
                    Word::StandsNot
                },
                asked_at: self.setting.now - seconds.seconds(),
            }),
            ..Facts::default()
        }
    }

    /// Hands a command to a clarification and looks at what it led to.
    fn take(
        &mut self,
        of: Uuid,
        command: &clarification::Command,
        context: &clarification::Context,
    ) -> Result<(), chassis::aggregate::Rejection> {
        let clarification = self.clarifications.entry(of).or_default();
        let before = clarification.state().clone();
        let taken = clarification.take(command, context);
        if clarification.version() == 0 {
            self.clarifications.remove(&of);
        }
        let events = taken?;
        for event in &events {
            match event {
                Event::Approved(_) => {
                    let dossier = before.dossier().expect("it was drafted");
                    assert!(!dossier.took_part.contains(&context.actor.id), "four eyes");
                    self.rests_on_what_stands(dossier, context);
                    self.rendered.remove(&of);
                }
                Event::DocumentsRendered(rendered) => {
                    let documents = rendered.documents.clone();
                    let earlier = self.rendered.insert(of, documents);
                    assert_eq!(earlier, None, "once for each approval");
                }
                Event::CarriedOut(carried_out) => {
                    let dossier = before.dossier().expect("it was approved");
                    self.may_be_carried_out(dossier, carried_out, context);
                    self.hands_over_its_documents(of, carried_out);
                    let all = self.executions.entry(of).or_default();
                    all.push(carried_out.clone());
                }
                Event::Superseded(_) => *self.superseded.entry(of).or_default() += 1,
                _ => {}
            }
            self.await_all(followed::<Clarification>(of, event));
        }
        Ok(())
    }

    /// Lets everything arrive and be carried out that is on its way.
    pub(super) fn settle(&mut self) {
        loop {
            let mut moved = false;
            while self.arrive(Stream::Intake) || self.arrive(Stream::Verification) {
                moved = true;
            }
            let due = std::mem::take(&mut self.due);
            for due in due {
                moved |= self.follow(due);
            }
            if !moved {
                break;
            }
        }
        assert!(self.due.is_empty(), "everything was carried out");
        assert!(self.intake.is_empty() && self.verification.is_empty());
    }
}

fn later(now: Timestamp, days: i32) -> Timestamp {
    now + (i64::from(days) * 24).hours()
}

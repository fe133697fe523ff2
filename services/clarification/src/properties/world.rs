//! Everything that there is, driven step by step. What must hold of it stands in [`invariants`].

mod history;
pub(super) mod invariants;
mod verification;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chassis::aggregate::TextRef;
use chassis::recusal::Recusal;
use chassis::testing::{Followed, Journal, clocks, followed, given};
use jiff::{Timestamp, ToSpan};
use office::{Actor, AllegationId, ClarificationId, MatterId, SubjectId, TextId, UnitCode};
use proptest::sample::Index;
use uuid::Uuid;

use self::history::Happened;
use self::verification::Verification;
use super::steps::{
    A_DAY, Asked, Happens, Met, Said, Step, Stream, TRUTH, Told, command, of_unit,
    waits_for_a_meeting,
};
use crate::clarification::applying::Applying;
use crate::clarification::approval::Facts;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::rendering::Content;
use crate::clarification::wish::Speaker;
use crate::clarification::{self, Clarification, Standing};
use crate::conclusion::{SubjectKind, clarification_of};
use crate::integrity::IntegrityFile;
use crate::ledger::{self, Entered, Ledger};
use crate::matter::applicants::Position;
use crate::matter::fixture::{a_raising, found, organisation, second_report};
use crate::matter::learning::{Allegation, Report};
use crate::matter::ruling::Concluded;
use crate::matter::{self, Matter};
use crate::meeting::convening::{self, Known};
use crate::meeting::holding::Outcome;
use crate::meeting::{self, Meeting};

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
    /// Those whose day had passed before they were announced.
    unannounced: BTreeSet<Uuid>,
    ledgers: BTreeMap<Uuid, Journal<Ledger>>,
    files: BTreeMap<Uuid, Journal<IntegrityFile>>,
    /// The events of the two followed services that have not arrived.
    of_intake: VecDeque<Foreign>,
    of_verification: VecDeque<Foreign>,
    due: Vec<Due>,
    carried_out: Vec<Due>,
    /// Request ids that led to events: the desk answers them from the journal.
    known: BTreeSet<u128>,
    /// The clocks that are set, of which clarification, with their method.
    clocks: BTreeMap<(Uuid, &'static str), (Timestamp, &'static str)>,
    /// The truth.
    verification: Verification,
    /// The unit that concludes next.
    handled_by: UnitCode,
    /// What intake says is alleged.
    alleged: BTreeMap<AllegationId, Allegation>,
    /// What an officer saw of how a subject stands in the matter, and has not acted on.
    looked: BTreeMap<SubjectId, Option<Position>>,
    /// The applications that were taken in.
    applied: BTreeMap<SubjectId, Vec<TextId>>,
    /// What happened to each clarification.
    histories: BTreeMap<Uuid, Vec<Happened>>,
    /// What the ledgers entered, in their order.
    entered: Vec<Entered>,
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
        let mut raised = a_raising();
        raised
            .report
            .allegations
            .extend([6, 7].map(|number| Allegation {
                id: id(number),
                category: "neglect".to_owned(),
                occurred_on: occurred_on(number),
            }));
        let alleged = raised.report.allegations.iter();
        let alleged = alleged.map(|one| (one.id, one.clone()));
        Self {
            setting: setting.context().clone(),
            requests: 0,
            matter: Journal::default(),
            clarifications: BTreeMap::new(),
            meetings: BTreeMap::new(),
            unannounced: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            files: BTreeMap::new(),
            alleged: alleged.collect(),
            of_intake: [Foreign(matter::Command::LearnMatter(raised))].into(),
            of_verification: VecDeque::new(),
            due: Vec::new(),
            carried_out: Vec::new(),
            known: BTreeSet::new(),
            clocks: BTreeMap::new(),
            verification: Verification::default(),
            handled_by: unit(),
            looked: BTreeMap::new(),
            applied: BTreeMap::new(),
            histories: BTreeMap::new(),
            entered: Vec::new(),
        }
    }

    /// After a history, when everything has arrived and a month has passed.
    pub(super) fn after(steps: &[Step]) -> Self {
        let mut world = Self::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
        world.pass(31 * A_DAY);
        world.settle();
        world
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, seconds: i64) {
        self.setting.now = later(self.setting.now, seconds);
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
        self.pass(step.seconds);
        match &step.happens {
            Happens::Concluded(official, organisation) => self.conclude(official, organisation),
            Happens::Reopened => self.reopen(),
            Happens::Raced(of, later) => self.race(*of, *later),
            Happens::Moved => {
                let above = self.setting.profile.units.parent_of(&self.handled_by);
                if let Some(above) = above.map(|above| above.code.clone()) {
                    self.handled_by = above.clone();
                    let moved = matter::Command::LearnMove { unit: above };
                    self.of_intake.push_back(Foreign(moved));
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
                self.of_intake.push_back(Foreign(joined));
            }
            Happens::Arrives(stream) => {
                self.arrive(*stream);
            }
            Happens::Follows(index, told) if !self.due.is_empty() => {
                let due = self.due.remove(index.index(self.due.len()));
                let _ = self.follow(due, *told);
            }
            Happens::Repeats(index) if !self.carried_out.is_empty() => {
                let again = self.carried_out[index.index(self.carried_out.len())].clone();
                self.carry_out(&again, TRUTH);
            }
            Happens::Follows(..) | Happens::Repeats(_) => {}
            Happens::Rings => while self.ring() {},
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
            Happens::Asked(of, asked, told, by) => {
                if !self.clarifications.is_empty() {
                    let ids: Vec<Uuid> = self.clarifications.keys().copied().collect();
                    self.ask(ids[of.index(ids.len())], asked, *told, by.clone());
                }
            }
            Happens::Met(met, by) => self.meet(met, by.clone()),
        }
    }

    pub(super) fn conclude(&mut self, official: &Said, other: &Said) {
        let both = [
            (subject().id, official, [1, 3, 6]),
            (organisation().id, other, [2, 4, 7]),
        ];
        let subjects = both.map(|(of, said, allegations)| {
            let findings = allegations.into_iter().zip(said.findings.iter().cloned());
            Concluded {
                harm: said.harm.clone(),
                ..found(of, &findings.collect::<Vec<_>>())
            }
        });
        let (unit, now) = (&self.handled_by, self.setting.now);
        if let Some(concluded) = self.verification.conclude(unit, subjects.into(), now) {
            let concluded = matter::Command::LearnConclusion(concluded);
            self.of_verification.push_back(Foreign(concluded));
        }
    }

    /// Reopens, in an instant after all that was answered.
    pub(super) fn reopen(&mut self) {
        self.setting.now += 1.microsecond();
        if let Some(number) = self.verification.reopen(self.setting.now) {
            let reopened = matter::Command::LearnReopening { number };
            self.of_verification.push_back(Foreign(reopened));
        }
    }

    /// The step that rests on verification's answer is decided after verification reopened.
    fn race(&mut self, of: Index, seconds: i64) {
        let all = self.clarifications.iter();
        let ready = all.filter(|(_, one)| {
            let standing = one.state().standing();
            matches!(standing, Some(Standing::Drafted | Standing::Approved))
        });
        let ready: Vec<Uuid> = ready.map(|(of, _)| *of).collect();
        if !ready.is_empty() {
            self.pass(1);
            self.reopen();
            self.pass(seconds);
            // It was asked before, and answered as it was then.
            let told = Told::Ago(seconds + 1);
            self.ask(ready[of.index(ready.len())], &Asked::Next, told, None);
        }
    }

    /// Takes the next event of a stream; whether there was one that could be taken.
    fn arrive(&mut self, stream: Stream) -> bool {
        let queue = match stream {
            Stream::Intake => &self.of_intake,
            Stream::Verification => &self.of_verification,
        };
        let Some(Foreign(command)) = queue.front().cloned() else {
            return false;
        };
        let context = self.context::<Matter>(matter_id().uuid(), service());
        match self.matter.take(&command, &context) {
            Ok(events) => {
                match stream {
                    Stream::Intake => self.of_intake.pop_front(),
                    Stream::Verification => self.of_verification.pop_front(),
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
    fn follow(&mut self, due: Due, told: Told) -> bool {
        let carried_out = self.carry_out(&due, told);
        let list = if carried_out {
            &mut self.carried_out
        } else {
            &mut self.due
        };
        list.push(due);
        carried_out
    }

    /// Whether it was carried out, once or again.
    fn carry_out(&mut self, due: &Due, told: Told) -> bool {
        let of = due.what.aggregate;
        if let Some(command) = due.what.command::<Clarification>() {
            let mut context = self.context::<Clarification>(of, service());
            match command {
                clarification::Command::ClearAtMeeting(_) => {
                    context.facts = self.answer(told);
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
            if agenda.on < today && agenda.documents.is_empty() {
                self.unannounced.insert(of);
            }
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
                for event in events {
                    self.await_all(followed::<Ledger>(of, &event));
                    let ledger::Event::Entered(entered) = event;
                    self.entered.push(entered);
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

    pub(super) fn ask(&mut self, of: Uuid, asked: &Asked, told: Told, by: Option<Actor>) {
        let state = self.clarifications[&of].state();
        let Some(dossier) = state.dossier().cloned() else {
            return self.ask_in_vain(of, asked);
        };
        if matches!(asked, Asked::Next) && waits_for_a_meeting(&dossier) {
            return self.meet(&self.next_of_meeting(of), by);
        }
        let (mut command, usually) = command(asked, &dossier, &self.setting.secrets);
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
                    on: calendar.date(later(self.setting.now, i64::from(*days) * A_DAY)),
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

    /// What comes next of what is carried out at a meeting: one that it is called to is held, or else one convened.
    fn next_of_meeting(&self, of: Uuid) -> Met {
        let known = self.known();
        let awaited = known.clarifications.get(&of.into());
        let awaited = awaited.and_then(|known| known.awaited);
        let index = self.meetings.keys().position(|id| Some(*id) == awaited);
        let of = self.clarifications.keys().position(|id| *id == of);
        index.map_or(Met::Convene(of, 0), Met::Hold)
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
        let answer = match told {
            Told::Ago(seconds) => {
                let asked_at = self.setting.now - seconds.seconds();
                Some(self.verification.answer(asked_at))
            }
            Told::Nothing => None,
        };
        Facts {
            answer,
            ..Facts::default()
        }
    }

    /// Hands a command to a clarification and keeps what it led to.
    fn take(
        &mut self,
        of: Uuid,
        command: &clarification::Command,
        context: &clarification::Context,
    ) -> Result<(), chassis::aggregate::Rejection> {
        let clarification = self.clarifications.entry(of).or_default();
        let taken = clarification.take(command, context);
        if clarification.version() == 0 {
            self.clarifications.remove(&of);
        }
        let events = taken?;
        for event in events {
            self.await_all(followed::<Clarification>(of, &event));
            for (clock, set) in clocks::<Clarification>(of, &event) {
                match set {
                    Some(set) => self.clocks.insert((of, clock), set),
                    None => self.clocks.remove(&(of, clock)),
                };
            }
            self.histories.entry(of).or_default().push(Happened {
                event,
                actor: context.actor.clone(),
                now: context.now,
                answer: context.facts.answer,
            });
        }
        Ok(())
    }

    /// Rings the next clock whose time has come, if there is one.
    fn ring(&mut self) -> bool {
        let due = self
            .clocks
            .iter()
            .filter(|(_, (at, _))| *at <= self.setting.now);
        let next = due.min_by_key(|(_, (at, _))| *at);
        let Some(((of, clock), (_, method))) = next.map(|(clock, set)| (*clock, *set)) else {
            return false;
        };
        self.clocks.remove(&(of, clock));
        let command = match method {
            "WarnExecutionDue" => clarification::Command::WarnExecutionDue,
            "RecordExecutionOverdue" => clarification::Command::RecordExecutionOverdue,
            "RemindPersonnel" => clarification::Command::RemindPersonnel,
            "AskForRemoval" => clarification::Command::AskForRemoval,
            other => panic!("no clock asks for {other}"),
        };
        let context = self.context::<Clarification>(of, service());
        self.take(of, &command, &context)
            .expect("a clock is never refused");
        true
    }

    /// Lets everything arrive, ring and be carried out that is on its way.
    pub(super) fn settle(&mut self) {
        loop {
            let mut moved = self.ring();
            while self.arrive(Stream::Intake) || self.arrive(Stream::Verification) {
                moved = true;
            }
            let due = std::mem::take(&mut self.due);
            for due in due {
                moved |= self.follow(due, TRUTH);
            }
            if !moved {
                break;
            }
        }
        assert!(self.due.is_empty(), "everything was carried out");
        assert!(self.of_intake.is_empty() && self.of_verification.is_empty());
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now + seconds.seconds()
}

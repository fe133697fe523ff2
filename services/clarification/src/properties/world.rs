//! Everything that there is, driven step by step, and what must hold of it at each step and in the end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chassis::recusal::Recusal;
use chassis::testing::{Followed, Journal, followed, given};
use chassis::view::View;
use jiff::civil::date;
use jiff::{Timestamp, ToSpan};
use office::{Actor, ClarificationId, Finding, MatterId, SubjectId};
use uuid::Uuid;

use super::{Asked, Happens, Harmed, Step, Stream, Told, command};
use crate::clarification::approval::{Answer, Facts, Word};
use crate::clarification::carrying_out::CarriedOut;
use crate::clarification::fixture::*;
use crate::clarification::forms::Form;
use crate::clarification::rendering::{Content, Document, Kind as DocumentKind};
use crate::clarification::screening::Opinion;
use crate::clarification::{self, Clarification, Dossier, Event, Stage, Standing};
use crate::conclusion::{Exclusion, SubjectHarm, clarification_of};
use crate::integrity::{IntegrityFile, Kind};
use crate::ledger::{self, Ledger, What};
use crate::matter::fixture::{ORGANISATION, a_raising, found, harm, organisation, second_report};
use crate::matter::learning::Report;
use crate::matter::ruling::{Concluded, Conclusion};
use crate::matter::{self, Matter};
use crate::views::Clarifications;

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
    clears: BTreeSet<SubjectId>,
    ever_cleared: BTreeSet<SubjectId>,
    /// How often each clarification was carried out, and superseded.
    pub(super) executions: BTreeMap<Uuid, Vec<CarriedOut>>,
    superseded: BTreeMap<Uuid, u32>,
    /// The documents of each clarification's present approval.
    rendered: BTreeMap<Uuid, Vec<Document>>,
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
            ledgers: BTreeMap::new(),
            files: BTreeMap::new(),
            intake: [Foreign(raised)].into(),
            verification: VecDeque::new(),
            due: Vec::new(),
            carried_out: Vec::new(),
            known: BTreeSet::new(),
            conclusion: 0,
            stands: false,
            clears: BTreeSet::new(),
            ever_cleared: BTreeSet::new(),
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
            Happens::Asked(of, asked, by) => {
                if !self.clarifications.is_empty() {
                    let ids: Vec<Uuid> = self.clarifications.keys().copied().collect();
                    self.ask(ids[of.index(ids.len())], asked, by.clone());
                }
            }
        }
    }

    pub(super) fn conclude(&mut self, official: &Finding, other: &Finding, harmed: Harmed) {
        if self.stands {
            return;
        }
        self.conclusion += 1;
        self.stands = true;
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
            unit: unit(),
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
            if matches!(command, clarification::Command::RenderDocuments) {
                let dossier = self.clarifications[&of].state().dossier();
                let wanted = dossier.and_then(|dossier| Content::wanted(dossier, &context.profile));
                context.facts = wanted.map(printed).unwrap_or_default();
            }
            return self.take(of, &command, &context).is_ok();
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
            .expect("one of the four");
        let context = self.context::<IntegrityFile>(of, service());
        let file = self.files.entry(of).or_default();
        file.take(&command, &context).expect("it is entered");
        true
    }

    pub(super) fn ask(&mut self, of: Uuid, asked: &Asked, by: Option<Actor>) {
        let state = self.clarifications[&of].state();
        let dossier = state.dossier().expect("it is open").clone();
        let (command, usually, told) = command(asked, &dossier, &self.setting.secrets);
        let actor = by.unwrap_or(usually);
        let mut context = self.context::<Clarification>(of, actor);
        context.facts = self.answer(told);
        // The rejection is the caller's; nothing happened.
        let _ = self.take(of, &command, &context);
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

    fn rests_on_what_stands(&self, dossier: &Dossier, context: &clarification::Context) {
        assert!(self.stands, "never on a conclusion that does not stand");
        assert_eq!(dossier.clearance.conclusion, self.conclusion);
        let answer = context.facts.answer.expect("it was asked");
        let age = context.now.duration_since(answer.asked_at);
        assert!(age.as_secs() <= 5, "the answer is fresh");
    }

    /// Never without its documents: those of this approval, of each kind that the form hands over, and no others.
    fn hands_over_its_documents(&self, of: Uuid, carried_out: &CarriedOut) {
        let handed_over = &carried_out.execution.documents;
        let kinds: Vec<_> = handed_over.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, DocumentKind::of_form(carried_out.form));
        assert_eq!(self.rendered.get(&of), Some(handed_over));
        let kept = handed_over.iter().all(|one| !one.bytes.digest.is_empty());
        assert!(kept, "their bytes were kept with them");
    }

    /// Everything that must hold when a name is cleared, told a second way.
    fn may_be_carried_out(
        &self,
        dossier: &Dossier,
        carried_out: &CarriedOut,
        context: &clarification::Context,
    ) {
        self.rests_on_what_stands(dossier, context);
        assert!(self.clears.contains(&dossier.subject.id), "it clears them");
        let Stage::Preparing(preparation) = &dossier.stage else {
            panic!("it was prepared, not {:?}", dossier.stage);
        };
        let opinions = &preparation.screening.opinions;
        let people: BTreeSet<_> = opinions.values().map(|given| &given.by).collect();
        assert_eq!(
            (opinions.len(), people.len()),
            (5, 5),
            "five people of five"
        );
        let agree = opinions
            .values()
            .all(|given| given.opinion == Opinion::Agrees);
        assert!(agree, "no objection is open");
        let wish = preparation.wish.as_ref().expect("the subject was heard");
        assert!(!wish.declines(), "not against the wish");
        let form = carried_out.form;
        let refused = wish.refused();
        assert!(
            !refused.contains(&form) && !refused.contains(&Form::Written),
            "not in a refused form"
        );
        let harm = dossier.clearance.harm.as_ref().expect("a harm is recorded");
        assert!(harm.exclusions.is_empty(), "nothing rules it out");
        assert_eq!(carried_out.unit, unit(), "by the unit that concluded");
        assert!(
            context
                .profile
                .in_scope(&context.actor, &dossier.clearance.unit)
        );
        let recused = |actor| dossier.recusal.names(actor, &context.secrets);
        let opinions = opinions.values().map(|given| &given.by);
        let made = preparation.progress.form().map(|form| &form.by);
        let approved = preparation.progress.approval().map(|approval| &approval.by);
        let mut everyone = opinions
            .chain(made)
            .chain(approved)
            .chain([wish.by(), &carried_out.execution.handed_over_by]);
        assert!(!everyone.any(recused), "nobody who is recused had a part");
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

    /// What holds once everything has arrived.
    pub(super) fn holds(&self) {
        let expected: BTreeSet<Uuid> = self
            .ever_cleared
            .iter()
            .map(|subject| clarification_of(matter_id(), *subject).uuid())
            .collect();
        let there: BTreeSet<Uuid> = self.clarifications.keys().copied().collect();
        assert_eq!(
            there, expected,
            "one for each subject that was ever cleared"
        );
        self.matter.check_replay();
        for subject in subjects() {
            let id = clarification_of(matter_id(), subject);
            let Some(clarification) = self.clarifications.get(&id.uuid()) else {
                continue;
            };
            clarification.check_replay();
            let dossier = clarification.state().dossier().expect("it is open");
            assert_eq!(dossier.subject.id, subject);
            let ended = matches!(dossier.standing(), Standing::Halted | Standing::Superseded);
            let cleared = self.stands && self.clears.contains(&subject);
            assert_ne!(ended, cleared, "ended unless the conclusion clears them");
            if cleared {
                assert_eq!(dossier.clearance.conclusion, self.conclusion);
            }
            self.is_on_record(id, subject, dossier);
            let row = Clarifications::row(id.uuid(), 1, clarification.state());
            assert!(row.is_some());
        }
        for ledger in self.ledgers.values() {
            ledger.check_replay();
        }
        self.ledgers_have_no_gaps();
    }

    /// Ledger and integrity file say what happened, each thing once.
    fn is_on_record(&self, id: ClarificationId, subject: SubjectId, dossier: &Dossier) {
        let executions = self.executions.get(&id.uuid()).map_or(0, Vec::len);
        let superseded = self.superseded.get(&id.uuid()).copied().unwrap_or_default();
        let entries_of = |what: What| {
            let entries = dossier.entries.iter();
            entries.filter(move |entered| entered.wanted.occasion.what == what)
        };
        assert_eq!(entries_of(What::CarriedOut).count(), executions);
        assert_eq!(entries_of(What::Superseded).count(), superseded as usize);
        for superseding in entries_of(What::Superseded) {
            let first = superseding.wanted.supersedes.as_ref();
            let named = entries_of(What::CarriedOut).any(|entered| Some(&entered.number) == first);
            assert!(
                named,
                "a superseding entry names one of a name that was cleared"
            );
        }
        let file = self.files.get(&crate::integrity::file_of(subject));
        let on_file = |kind: Kind| {
            let entries = file.map(|file| &file.state().entries);
            let entries = entries.into_iter().flatten();
            entries.filter(|entry| entry.kind == kind).count()
        };
        assert_eq!(on_file(Kind::Cleared), executions);
        assert_eq!(on_file(Kind::ClearanceSuperseded), superseded as usize);
    }

    fn ledgers_have_no_gaps(&self) {
        let mut numbers: BTreeMap<_, BTreeSet<i32>> = BTreeMap::new();
        let mut entries = 0;
        for clarification in self.clarifications.values() {
            let dossier = clarification.state().dossier().expect("it is open");
            for entered in &dossier.entries {
                let number = &entered.number;
                let ledger = numbers.entry((number.unit.clone(), number.year));
                ledger.or_default().insert(number.number);
                entries += 1;
            }
        }
        let mut last = 0;
        for ((unit, year), numbers) in numbers {
            let ledger = &self.ledgers[&ledger::ledger_of(&unit, year)];
            assert_eq!(
                numbers.into_iter().collect::<Vec<_>>(),
                (1..=ledger.state().last).collect::<Vec<_>>(),
                "without gaps"
            );
            last += ledger.state().last;
        }
        assert_eq!(entries, last, "no number is given twice");
    }
}

fn later(now: Timestamp, days: i32) -> Timestamp {
    now + (i64::from(days) * 24).hours()
}

//! What must hold: of a step when it is taken, and of everything once all has arrived. Told a second way than the rules
//! tell it.

use std::collections::{BTreeMap, BTreeSet};

use chassis::view::View;
use office::{ClarificationId, SubjectId, TextId, UnitCode};
use uuid::Uuid;

use super::{World, matter_id, subjects};
use crate::clarification::carrying_out::CarriedOut;
use crate::clarification::fixture::{id, occurred_on};
use crate::clarification::forms::Form;
use crate::clarification::rendering::kinds_of;
use crate::clarification::screening::Opinion;
use crate::clarification::{self, Dossier, Stage, Standing};
use crate::conclusion::{SubjectKind, clarification_of};
use crate::integrity::Kind;
use crate::ledger::{self, What};
use crate::meeting;
use crate::meeting::holding::Outcome;
use crate::printing;
use crate::views::Clarifications;
use crate::views::meetings::Meetings;

impl World {
    pub(super) fn rests_on_what_stands(&self, dossier: &Dossier, context: &clarification::Context) {
        assert!(self.stands, "never on a conclusion that does not stand");
        assert_eq!(dossier.clearance.conclusion, self.conclusion);
        let answer = context.facts.answer.expect("it was asked");
        let age = context.now.duration_since(answer.asked_at);
        assert!(age.as_secs() <= 5, "the answer is fresh");
    }

    /// Never without its documents: those of this approval, of each kind that the form hands over, and no others.
    pub(super) fn hands_over_its_documents(&self, of: Uuid, carried_out: &CarriedOut) {
        let handed_over = &carried_out.execution.documents;
        let kinds: Vec<_> = handed_over.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, kinds_of(carried_out.form));
        assert_eq!(self.rendered.get(&of), Some(handed_over));
        let kept = handed_over.iter().all(|one| !one.bytes.digest.is_empty());
        assert!(kept, "their bytes were kept with them");
    }

    /// Everything that must hold when a name is cleared, told a second way.
    pub(super) fn may_be_carried_out(
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
        if let Some(speaker) = wish.spoken_by() {
            let own = dossier.subject.id == speaker.person;
            let heads = speaker.heads.as_ref() == Some(&dossier.subject.unit);
            match dossier.subject.kind {
                SubjectKind::Person => assert!(own, "a person speaks for themselves"),
                SubjectKind::Organisation => assert!(heads, "an organisation by its head"),
            }
        }
        let statement = preparation.progress.statement();
        for line in statement.iter().flat_map(|statement| &statement.lines) {
            let when = (1..=5).find(|number| line.allegation == id(*number));
            assert_eq!(
                line.occurred_on,
                when.and_then(occurred_on),
                "as intake told"
            );
        }
        let form = carried_out.form;
        let refused = wish.refused();
        assert!(
            !refused.contains(&form) && !refused.contains(&Form::Written),
            "not in a refused form"
        );
        let harm = dossier.clearance.harm.as_ref().expect("a harm is recorded");
        assert!(harm.exclusions.is_empty(), "nothing rules it out");
        assert_eq!(
            carried_out.unit, self.concluded_by,
            "by the unit that concluded"
        );
        let within = context.visitor().within([&dossier.clearance.unit]);
        assert_eq!(within, Ok(()));
        let recused = |actor| dossier.recusal.names(actor, &context.secrets);
        let opinions = opinions.values().map(|given| &given.by);
        let made = preparation.progress.form().map(|form| &form.by);
        let approved = preparation.progress.approval().map(|approval| &approval.by);
        let mut everyone = opinions
            .chain(made)
            .chain(approved)
            .chain([wish.by(), &carried_out.execution.handed_over_by])
            .chain([&carried_out.execution.by]);
        assert!(!everyone.any(recused), "nobody who is recused had a part");
    }

    /// What holds once everything has arrived.
    pub(in crate::properties) fn holds(&self) {
        let expected: BTreeSet<Uuid> = self
            .ever_cleared
            .iter()
            .chain(self.applied.keys())
            .map(|subject| clarification_of(matter_id(), *subject).uuid())
            .collect();
        let there: BTreeSet<Uuid> = self.clarifications.keys().copied().collect();
        assert_eq!(
            there, expected,
            "one for each subject that was ever cleared, or applied"
        );
        self.matter.check_replay();
        for subject in subjects() {
            let id = clarification_of(matter_id(), subject);
            let Some(clarification) = self.clarifications.get(&id.uuid()) else {
                continue;
            };
            clarification.check_replay();
            self.nothing_is_lost(subject, clarification.state());
            let row = Clarifications::row(id.uuid(), 1, clarification.state());
            assert!(row.is_some());
            let Some(dossier) = clarification.state().dossier() else {
                assert!(!self.ever_cleared.contains(&subject), "it is open");
                continue;
            };
            assert_eq!(dossier.subject.id, subject);
            let ended = matches!(dossier.standing(), Standing::Halted | Standing::Superseded);
            let cleared = self.stands && self.clears.contains(&subject);
            assert_ne!(ended, cleared, "ended unless the conclusion clears them");
            if cleared {
                assert_eq!(dossier.clearance.conclusion, self.conclusion);
            }
            self.is_on_record(id, subject, dossier);
        }
        for ledger in self.ledgers.values() {
            ledger.check_replay();
        }
        self.ledgers_have_no_gaps();
        for (id, meeting) in &self.meetings {
            meeting.check_replay();
            self.met(*id, meeting.state());
        }
    }

    /// A meeting that was held knows what became of each clarification: it was carried out at it once, or not.
    fn met(&self, id: Uuid, state: &meeting::State) {
        let agenda = state.agenda().expect("it was convened");
        let held = matches!(agenda.stage, meeting::Stage::Held { .. });
        for item in &agenda.items {
            let of = item.clarification.uuid();
            let executions = self.executions.get(&of).into_iter().flatten();
            let at_it = executions.filter(|carried_out| {
                let meeting = carried_out.execution.meeting.as_ref();
                meeting.is_some_and(|meeting| meeting.id == id)
            });
            let at_it = at_it.inspect(|carried_out| {
                assert_eq!(carried_out.round, item.round, "as it was convened for");
            });
            let expected = match agenda.outcome(item.clarification) {
                Some(Outcome::CarriedOut) => 1,
                Some(Outcome::NotCarriedOut { .. }) | None => 0,
            };
            assert_eq!(at_it.count(), expected, "carried out as it knows");
            assert_eq!(agenda.outcome(item.clarification).is_some(), held);
            let dossier = self.clarifications[&of].state().dossier();
            let dossier = dossier.expect("it is open");
            let missing = agenda.recusal.lacking(&dossier.recusal);
            assert!(missing.is_empty(), "recused from one, recused from all");
        }
        let documents = |kind: printing::Kind| {
            let documents = agenda.documents.iter();
            documents.filter(|document| document.kind == kind).count()
        };
        let mut outcomes = agenda
            .items
            .iter()
            .map(|item| agenda.outcome(item.clarification));
        let cleared = outcomes.any(|outcome| outcome == Some(&Outcome::CarriedOut));
        assert_eq!(
            documents(printing::Kind::Record),
            usize::from(cleared),
            "recorded if it cleared"
        );
        let announced = documents(printing::Kind::Announcement);
        assert!(announced <= 1, "announced once");
        let awaited = agenda.stage == meeting::Stage::Awaited;
        assert!(announced == 1 || !awaited, "what is awaited is announced");
        let row = Meetings::row(id, 1, state);
        assert!(row.is_some());
    }

    /// Every application is kept, and where no conclusion ever cleared the subject the reasons are the newest.
    fn nothing_is_lost(&self, of: SubjectId, state: &clarification::State) {
        let position = self.position(of).expect("the matter is known");
        let (applications, recusal) = match state {
            clarification::State::Unopened => panic!("it is there"),
            clarification::State::Applied(applied) => {
                assert_eq!(applied.reasons, position.reasons);
                assert!(!applied.reasons.is_empty());
                assert_eq!(applied.unit, position.unit);
                (&applied.applications, &applied.recusal)
            }
            clarification::State::Open(dossier) => (&dossier.applications, &dossier.recusal),
        };
        let received = applications.received.iter();
        let received: Vec<TextId> = received.map(|one| one.text.id).collect();
        let taken_in = self.applied.get(&of).cloned().unwrap_or_default();
        assert_eq!(received, taken_in, "each once, in their order");
        assert!(
            recusal.lacking(&position.recusal).is_empty(),
            "who is recused stays out"
        );
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
        let carried_out = self.executions.get(&id.uuid()).into_iter().flatten();
        let units = |all: Vec<UnitCode>| {
            let mut all = all;
            all.sort();
            all
        };
        assert_eq!(
            units(
                entries_of(What::CarriedOut)
                    .map(|entered| entered.number.unit.clone())
                    .collect()
            ),
            units(
                carried_out
                    .map(|carried_out| carried_out.unit.clone())
                    .collect()
            ),
            "in the ledger of the unit that carried it out"
        );
        assert_eq!(entries_of(What::Superseded).count(), superseded as usize);
        for superseding in entries_of(What::Superseded) {
            let first = superseding.wanted.supersedes.as_ref();
            let named = entries_of(What::CarriedOut).any(|entered| Some(&entered.number) == first);
            assert!(
                named,
                "a superseding entry names one of a name that was cleared"
            );
            assert_eq!(
                first.map(|first| &first.unit),
                Some(&superseding.number.unit),
                "in the ledger of the same unit"
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
            let Some(dossier) = clarification.state().dossier() else {
                continue;
            };
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

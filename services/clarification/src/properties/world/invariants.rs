//! What must hold of every history, a function a rule, by the rule's name. Told a second way than the rules tell it: from
//! what happened, who asked for it and what verification really said, not from what an aggregate makes of that.
//!
//! To add a rule: a function here, and its line in the table of `properties`.

use std::collections::{BTreeMap, BTreeSet};

use chassis::view::View;
use jiff::civil::Date;
use office::{ActorId, Calendar, Due, Notice};
use uuid::Uuid;

use super::history::{Cleared, Round, harmed};
use super::{HEAD, World, matter_id, organisation, subjects};
use crate::clarification::approval::RestsOn;
use crate::clarification::fixture::{SCREENERS, department, id};
use crate::clarification::forms::Form;
use crate::clarification::screening::Opinion;
use crate::clarification::{self, Event, Standing};
use crate::conclusion::{Line, clarification_of};
use crate::integrity::{self, Kind};
use crate::ledger::{self, Occasion, Wanted, What};
use crate::meeting;
use crate::meeting::holding::Outcome;
use crate::printing;
use crate::views::Clarifications;
use crate::views::meetings::Meetings;

/// "No clarification against it, and never in a form that they refused", where in person, meeting and bulletin "always
/// include written as well"; "for an organisation, by its head".
pub(in crate::properties) fn consent(world: &World) {
    for cleared in world.cleared() {
        let word = cleared.round.word(&world.setting.secrets);
        let word = word.expect("the subject was heard");
        assert!(!word.declines, "not against the wish");
        for form in [cleared.carried_out.form, Form::Written] {
            assert!(!word.refused.contains(&form), "not in a refused form");
        }
        let subject = cleared.round.candidacy.subject.id;
        let own = if subject == organisation().id {
            id(HEAD)
        } else {
            subject
        };
        assert!(
            word.speaker.is_none_or(|speaker| speaker == own),
            "a person speaks for themselves, an organisation by its head"
        );
    }
}

/// "The handling department, petitions, conduct supervision, case supervision and case adjudication each record an opinion
/// with a reason, each by an actor of that department, five different people; all must agree, a single objection makes it
/// not eligible until it is withdrawn."
pub(in crate::properties) fn screening(world: &World) {
    for cleared in world.cleared() {
        let opinions = cleared.round.opinions();
        let departments: BTreeSet<_> = opinions.iter().map(|(of, _, _)| (*of).clone()).collect();
        assert_eq!(departments, SCREENERS.map(|(_, of)| department(of)).into());
        let people: BTreeSet<_> = opinions.iter().map(|(_, _, actor)| &actor.id).collect();
        assert_eq!(people.len(), 5, "five different people");
        for (of, opinion, actor) in opinions {
            assert_eq!(opinion, Opinion::Agrees, "no objection is open");
            assert_eq!(actor.department.as_ref(), Some(of), "of that department");
        }
    }
}

/// "**Eligible** only if a harm is recorded, and it is none of: closed only by an accepted written explanation; harm that
/// comes merely from having been talked to; nothing harmed yet."
pub(in crate::properties) fn harm(world: &World) {
    for cleared in world.cleared() {
        let round = &cleared.round;
        let said = world
            .verification
            .said(round.conclusion(), round.candidacy.subject.id);
        assert!(
            harmed(said.harm.as_ref()),
            "something is harmed, and nothing rules it out: {:?}",
            said.harm
        );
    }
}

/// "A conclusion **clears** a subject when it has at least one finding of unfounded or exonerated on them in this matter,
/// and every other finding on them is one of these two or was closed as duplicate or void. Unsubstantiated never
/// qualifies; any other closing without finding leaves the question open and does not either." Who is cleared is a
/// candidate by itself.
pub(in crate::properties) fn clearing(world: &World) {
    for round in world.rounds() {
        let subject = round.candidacy.subject.id;
        assert!(world.verification.clears(round.conclusion(), subject));
    }
    let opened: BTreeSet<_> = world.rounds().map(|round| round.of).collect();
    let ever_cleared = world.verification.ever_cleared();
    let ever_cleared = ever_cleared.map(|of| clarification_of(matter_id(), of).uuid());
    assert_eq!(opened, ever_cleared.collect());
}

/// "**Clarification** (one per matter × subject, never two)"; "the statement names each allegation of this matter on this
/// subject with its finding, and no other".
pub(in crate::properties) fn one_matter(world: &World) {
    let mut opened = BTreeMap::new();
    for (of, history) in &world.histories {
        for happened in history {
            if let Event::Opened(opening) = &happened.event {
                let matter = (opening.0.matter, opening.0.subject.id);
                assert_eq!(opened.insert(matter, of), None, "never two");
            }
        }
    }
    for round in world.rounds() {
        assert!(
            round.cleared().count() <= 1,
            "once each time it is taken up"
        );
        let of = round.candidacy.subject.id;
        let found = &world.verification.said(round.conclusion(), of).findings;
        let lines: Vec<Line> = found
            .iter()
            .map(|found| Line {
                allegation: found.allegation,
                category: world.alleged[&found.allegation].category.clone(),
                occurred_on: world.alleged[&found.allegation].occurred_on,
                finding: found.finding.clone(),
            })
            .collect();
        for statement in round.statements() {
            assert_eq!(statement.lines, lines, "each, and no other");
        }
        for cleared in round.cleared() {
            let of = (cleared.carried_out.matter, cleared.carried_out.subject.id);
            assert_eq!(of, (matter_id(), round.candidacy.subject.id));
            assert!(cleared.round.statements().count() > 0, "it tells one");
        }
    }
}

/// "*Halted* when the case is reopened before it was carried out"; "a declined, unreachable or not eligible one too".
pub(in crate::properties) fn halt(world: &World) {
    for round in world.rounds() {
        let ends = world.has_ended(&round) && round.cleared().count() == 0;
        let expected = ends.then(|| round.conclusion());
        assert_eq!(
            round.halted(),
            Vec::from_iter(expected),
            "once, and only then"
        );
        if world.is_last(&round) {
            assert_eq!(world.standing(round.of) == Standing::Halted, ends);
        }
    }
}

/// "*Superseded* when after." Also where it was carried out on an answer from just before the reopening.
pub(in crate::properties) fn supersed(world: &World) {
    for round in world.rounds() {
        let superseded = round.superseded();
        let ends = world.has_ended(&round) && round.cleared().count() > 0;
        assert_eq!(superseded.len(), usize::from(ends), "once, and only then");
        for (place, conclusion) in superseded {
            assert_eq!(conclusion, round.conclusion());
            let mut cleared = round.cleared();
            assert!(cleared.any(|cleared| cleared.round.events.len() < place));
        }
        if world.is_last(&round) {
            assert_eq!(world.standing(round.of) == Standing::Superseded, ends);
        }
    }
}

/// "A new conclusion in the subject's favour takes a halted or superseded one back to screening, in the same
/// clarification."
pub(in crate::properties) fn taken_up(world: &World) {
    let mut last: BTreeMap<Uuid, i32> = BTreeMap::new();
    for round in world.rounds() {
        let before = last.insert(round.of, round.conclusion());
        assert!(before < Some(round.conclusion()), "by a later one");
    }
    for subject in subjects() {
        let standing = world.verification.standing();
        let clears = standing.filter(|number| world.verification.clears(*number, subject));
        if let Some(number) = clears {
            let of = clarification_of(matter_id(), subject).uuid();
            assert_eq!(last.get(&of), Some(&number), "it rests on what stands");
        }
    }
}

/// "At approval and at execution the service asks verification over gRPC; the answer names the conclusion's number and is
/// at most 5 seconds old when the step is decided; an answer that it does not stand, or no answer, stops the step. What was
/// carried out rests on such an answer."
pub(in crate::properties) fn rests_on_an_answer(world: &World) {
    for round in world.rounds() {
        for happened in round.events {
            let rests_on = match &happened.event {
                Event::Approved(approved) => approved.rests_on,
                Event::CarriedOut(carried_out) => carried_out.execution.rests_on,
                _ => continue,
            };
            let answer = happened.answer.expect("verification was asked");
            let number = answer.conclusion;
            let asked_at = answer.asked_at;
            let conclusion = number;
            assert_eq!(
                rests_on,
                RestsOn {
                    conclusion,
                    asked_at
                }
            );
            let age = happened.now.duration_since(asked_at).as_millis();
            assert!((0..=5_000).contains(&age), "{age} ms old");
            assert_eq!(number, round.conclusion(), "by its number");
            let stood = world.verification.stood(number, asked_at);
            assert!(stood, "it stood when it was asked");
        }
    }
}

/// "**Who verifies, clarifies**: the executing unit is the unit that concluded the case; it is derived, never entered."
/// Whoever carries it out is of that unit or of one above.
pub(in crate::properties) fn executing_unit(world: &World) {
    for cleared in world.cleared() {
        let truth = world.verification.of(cleared.round.conclusion());
        let unit = &truth.conclusion.unit;
        assert_eq!(&cleared.carried_out.unit, unit, "whoever asked for it");
        let actor = &cleared.happened.actor;
        let units = &world.setting.profile.units;
        assert!(actor.is_service() || units.is_at_or_above(&actor.unit, unit));
    }
}

/// Nobody approves who "gave an opinion on it, heard the subject, decided its form or drafted", took an objection back, or
/// took an application in, ever.
pub(in crate::properties) fn four_eyes(world: &World) {
    for history in world.histories.values() {
        let mut took_part: BTreeSet<&ActorId> = BTreeSet::new();
        for happened in history {
            let actor = &happened.actor.id;
            match &happened.event {
                Event::OpinionRecorded(_)
                | Event::ObjectionWithdrawn(_)
                | Event::WishRecorded(_)
                | Event::FoundUnreachable(_)
                | Event::ApplicationRecorded(_)
                | Event::FormDecided(_)
                | Event::StatementDrafted(_) => {
                    took_part.insert(actor);
                }
                Event::Approved(approved) => {
                    assert_eq!(&approved.by, actor);
                    assert!(!took_part.contains(actor), "{actor} had a part in it");
                }
                _ => {}
            }
        }
    }
}

/// Subjects, reporters and whoever declares a conflict have no part in what is carried out after it was heard of.
pub(in crate::properties) fn recused(world: &World) {
    let secrets = &world.setting.secrets;
    for cleared in world.cleared() {
        let round = &cleared.round;
        let screened = round.opinions().into_iter().map(|(_, _, actor)| &actor.id);
        let heard = round.word(secrets).map(|word| word.by);
        let mut made = [None; 3];
        for happened in round.events {
            let what = match &happened.event {
                Event::FormDecided(_) => 0,
                Event::StatementDrafted(_) => 1,
                Event::Approved(_) => 2,
                _ => continue,
            };
            made[what] = Some(&happened.actor.id);
        }
        let execution = &cleared.carried_out.execution;
        let mut everyone = screened
            .chain(heard)
            .chain(made.into_iter().flatten())
            .chain([&execution.by, &execution.handed_over_by]);
        let recusal = round.recused();
        assert!(!everyone.any(|actor| recusal.names(actor, secrets)));
    }
}

/// "In person, meeting and bulletin always include written as well"; "the letter or bulletin is rendered as a document, and
/// the bytes handed over are kept with their hash": those of this approval, of each kind that the form hands over, and no
/// others.
pub(in crate::properties) fn written(world: &World) {
    for cleared in world.cleared() {
        let handed_over = &cleared.carried_out.execution.documents;
        let kinds: Vec<_> = handed_over.iter().map(|one| one.kind).collect();
        let expected: &[printing::Kind] = match cleared.carried_out.form {
            Form::Bulletin => &[printing::Kind::Letter, printing::Kind::Bulletin],
            Form::Written | Form::InPerson | Form::Meeting => &[printing::Kind::Letter],
        };
        assert_eq!(kinds, expected);
        let (approval, _) = cleared.round.approval().expect("it was approved");
        let made = cleared.round.documents(approval);
        assert_eq!(made, [&handed_over[..]], "once for each approval");
        for document in handed_over {
            assert!(!document.bytes.digest.is_empty() && !document.sha256.is_empty());
        }
    }
}

/// "Carried out within 5 working days of approval", which a clock watches; "reminded after 10 working days"; "a clock asks
/// for its removal". Each is said once, not before its time, and not without its reason.
pub(in crate::properties) fn working_day(world: &World) {
    let now = world.setting.now;
    let calendar = &world.setting.profile.calendar;
    for round in world.rounds() {
        let mut running: Option<(&Due, Notice)> = None;
        for happened in round.events {
            match &happened.event {
                Event::Approved(approved) => {
                    assert_eq!(approved.on, calendar.date(happened.now));
                    let fifth = working_days_after(approved.on, 5, calendar);
                    assert_eq!(approved.due.on, fifth);
                    assert_eq!(approved.due.at, calendar.end_of(fifth));
                    running = Some((&approved.due, Notice::Silent));
                }
                Event::FormDecided(_)
                | Event::StatementDrafted(_)
                | Event::CarriedOut(_)
                | Event::Halted(_) => running = None,
                Event::ExecutionNear(_) => {
                    let (due, said) = running.expect("it is to be carried out");
                    assert!(happened.now >= due.warn_at && said == Notice::Silent);
                    running = Some((due, Notice::Near));
                }
                Event::ExecutionOverdue(_) => {
                    let (due, said) = running.expect("it is to be carried out");
                    assert!(happened.now >= due.at && said != Notice::Overdue);
                    running = Some((due, Notice::Overdue));
                }
                _ => {}
            }
        }
        if let Some((due, said)) = running
            && world.is_last(&round)
            && world.is_approved(round.of)
        {
            assert_eq!(said == Notice::Overdue, now >= due.at, "it is said");
        }
        for cleared in round.cleared() {
            let (_, approved) = cleared.round.approval().expect("it was approved");
            let recorded_on = calendar.date(cleared.happened.now);
            let execution = &cleared.carried_out.execution;
            assert!((approved.on..=recorded_on).contains(&execution.on));
            let reminded_on = working_days_after(recorded_on, 10, calendar);
            assert_eq!(execution.remind_at, calendar.end_of(reminded_on));
            let after = &round.events[cleared.round.events.len()..];
            let place =
                |kind: fn(&Event) -> bool| after.iter().position(|happened| kind(&happened.event));
            let noted = place(|event| matches!(event, Event::Confirmed(_) | Event::Superseded(_)));
            let reminded = place(|event| matches!(event, Event::PersonnelReminded(_)));
            if let Some(reminded) = reminded {
                assert!(after[reminded].now >= execution.remind_at);
                assert!(noted.is_none_or(|noted| noted > reminded));
            } else {
                assert!(noted.is_some() || now < execution.remind_at, "it is said");
            }
            let Some(bulletin) = &execution.bulletin else {
                continue;
            };
            let removal = place(|event| matches!(event, Event::RemovalDue(_)));
            match removal {
                Some(removal) => assert!(after[removal].now >= bulletin.remove_at),
                None if world.is_last(&round) => assert!(now < bulletin.remove_at, "it is said"),
                None => {}
            }
        }
    }
}

/// The n-th working day after a day.
fn working_days_after(day: Date, n: usize, calendar: &Calendar) -> Date {
    let days = std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok());
    let mut worked = days.filter(|day| calendar.is_working_day(*day));
    worked.nth(n - 1).expect("the calendar goes on")
}

/// "An entry in the ledger (numbered per unit and year without gaps; superseding is a further entry that names the first)":
/// of each name that was cleared one, of each that was superseded one, and no other.
pub(in crate::properties) fn ledger(world: &World) {
    let mut numbers: BTreeMap<_, Vec<i32>> = BTreeMap::new();
    for entered in &world.entered {
        let number = &entered.number;
        let ledger = numbers.entry((number.unit.clone(), number.year));
        ledger.or_default().push(number.number);
    }
    for ((unit, year), numbers) in numbers {
        let last = world.ledgers[&ledger::ledger_of(&unit, year)].state().last;
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "without gaps");
    }
    let mut expected = Vec::new();
    for round in world.rounds() {
        for cleared in round.cleared() {
            let occasion = |what| Occasion {
                clarification: round.of.into(),
                round: u32::try_from(round.number).expect("a few rounds"),
                what,
            };
            let unit = &cleared.carried_out.unit;
            let entry = |occasion: &Occasion| {
                let mut entered = world.entered.iter();
                let entered = entered.find(|entered| entered.wanted.occasion == *occasion);
                entered.expect("it was entered")
            };
            let first = occasion(What::CarriedOut);
            let Wanted { supersedes, .. } = &entry(&first).wanted;
            assert_eq!((&entry(&first).number.unit, supersedes), (unit, &None));
            if world.has_ended(&round) {
                let further = occasion(What::Superseded);
                let entered = entry(&further);
                let named = entered.wanted.supersedes.as_ref();
                assert_eq!(named, Some(&entry(&first).number), "it names the first");
                assert_eq!(&entered.number.unit, unit, "in the ledger of the same unit");
                expected.push(further);
            }
            expected.push(first);
        }
    }
    assert_eq!(
        world.entered.len(),
        expected.len(),
        "each once, and no other"
    );
    for (of, clarification) in &world.clarifications {
        let dossier = clarification.state().dossier();
        let known = dossier.map(|dossier| dossier.entries.len());
        let mut all = world.entered.iter();
        let all = all
            .by_ref()
            .filter(|entered| entered.wanted.occasion.clarification.uuid() == *of);
        assert_eq!(
            known.unwrap_or_default(),
            all.count(),
            "it knows its numbers"
        );
    }
}

/// "The integrity file", which says what happened, each thing once.
pub(in crate::properties) fn integrity_file(world: &World) {
    for subject in subjects() {
        let of = clarification_of(matter_id(), subject).uuid();
        let file = world.files.get(&integrity::file_of(subject));
        let on_file = |kind: Kind| {
            let entries = file.map(|file| &file.state().entries);
            let entries = entries.into_iter().flatten();
            entries.filter(|entry| entry.kind == kind).count()
        };
        let cleared = world.cleared().filter(|cleared| cleared.round.of == of);
        let (superseded, stand): (Vec<_>, Vec<_>) =
            cleared.partition(|cleared| world.has_ended(&cleared.round));
        assert_eq!(on_file(Kind::Cleared), superseded.len() + stand.len());
        assert_eq!(on_file(Kind::ClearanceSuperseded), superseded.len());
    }
}

/// "A meeting may clear several subjects": one that was held knows what became of each clarification; it was carried out at
/// it once, or not. It is announced, and recorded if it cleared anybody.
pub(in crate::properties) fn meetings(world: &World) {
    for (id, meeting) in &world.meetings {
        world.met(*id, meeting.state());
    }
}

/// "Or on the subject's written application": every one is kept, and where no conclusion ever cleared the subject, with
/// the newest reasons.
pub(in crate::properties) fn applications(world: &World) {
    for subject in subjects() {
        let taken_in = world.applied.get(&subject).cloned().unwrap_or_default();
        let of = clarification_of(matter_id(), subject).uuid();
        let Some(clarification) = world.clarifications.get(&of) else {
            assert!(taken_in.is_empty(), "nothing is lost");
            continue;
        };
        let position = world.position(subject).expect("the matter is known");
        let (applications, recusal) = match clarification.state() {
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
        let received: Vec<_> = received.map(|one| one.text.id).collect();
        assert_eq!(received, taken_in, "each once, in their order");
        assert!(
            recusal.lacking(&position.recusal).is_empty(),
            "who is recused stays out"
        );
    }
}

/// "Every change is journalled": what the journals hold adds up to the same states again, and each state has its row.
pub(in crate::properties) fn journal(world: &World) {
    world.matter.check_replay();
    for (of, clarification) in &world.clarifications {
        clarification.check_replay();
        assert!(Clarifications::row(*of, 1, clarification.state()).is_some());
    }
    for ledger in world.ledgers.values() {
        ledger.check_replay();
    }
    for (id, meeting) in &world.meetings {
        meeting.check_replay();
        assert!(Meetings::row(*id, 1, meeting.state()).is_some());
    }
}

impl World {
    pub(super) fn rounds(&self) -> impl Iterator<Item = Round<'_>> {
        let histories = self.histories.iter();
        histories.flat_map(|(of, history)| super::history::rounds(*of, history))
    }

    pub(in crate::properties) fn cleared(&self) -> impl Iterator<Item = Cleared<'_>> {
        self.rounds()
            .flat_map(|round| round.cleared().collect::<Vec<_>>())
    }

    /// Whether the case was reopened that a round rests on.
    fn has_ended(&self, round: &Round<'_>) -> bool {
        self.verification.standing() != Some(round.conclusion())
    }

    /// Whether no later one took it up.
    fn is_last(&self, round: &Round<'_>) -> bool {
        self.histories[&round.of].len() == round.before.len() + round.events.len()
    }

    fn is_approved(&self, of: Uuid) -> bool {
        let dossier = self.clarifications[&of].state().dossier();
        let preparing = dossier.map(|dossier| &dossier.stage);
        match preparing {
            Some(clarification::Stage::Preparing(preparation)) => {
                preparation.progress.approval().is_some()
            }
            _ => false,
        }
    }

    fn met(&self, id: Uuid, state: &meeting::State) {
        let agenda = state.agenda().expect("it was convened");
        let held = matches!(agenda.stage, meeting::Stage::Held { .. });
        for item in &agenda.items {
            let of = item.clarification.uuid();
            let executions = self.cleared().filter(|cleared| cleared.round.of == of);
            let at_it = executions.filter(|cleared| {
                let meeting = cleared.carried_out.execution.meeting.as_ref();
                meeting.is_some_and(|meeting| meeting.id == id)
            });
            let at_it = at_it.inspect(|cleared| {
                assert_eq!(
                    cleared.carried_out.round, item.round,
                    "as it was convened for"
                );
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
        let in_time = !self.unannounced.contains(&id);
        assert!(
            announced == 0 || in_time,
            "nothing is announced once it is over"
        );
        let awaited = agenda.stage == meeting::Stage::Awaited;
        assert!(
            announced == 1 || !awaited || !in_time,
            "what is awaited is announced"
        );
    }
}

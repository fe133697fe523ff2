//! What goes from a matter on a subject's integrity file: sanctions and exemptions, whose own events do not say to whom the
//! person belongs, and who is recused. The matter knows, and passes it on.
//!
//! A sanction stays on record whatever becomes of its case. An exemption says that something was substantiated; when the
//! conclusion stands no longer, it lapses.

use std::collections::BTreeSet;

use chassis::aggregate::{Context, Decision, Effects, Rejection};
use chassis::recusal::Recusal;
use jiff::civil::Date;
use office::SubjectId;
use serde::{Deserialize, Serialize};

use super::{Event, Known, State};
use crate::conclusion::{Holding, Subject};
use crate::integrity::{
    self, Entry, ExemptionRecord, IntegrityFile, SanctionRecord, Whose, file_of,
};

/// See [`Event::SanctionLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SanctionLearned {
    /// The person.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// The sanction.
    pub sanction: SanctionRecord,
}

/// See [`Event::ExemptionLearned`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemptionLearned {
    /// The person.
    pub subject: Subject,
    /// Who is recused from the matter, as far as it is known.
    pub recusal: Recusal,
    /// What leads to no sanction.
    pub exemption: ExemptionRecord,
}

/// See [`Event::ExemptionLapsed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemptionLapsed {
    /// What rested on a conclusion that stands no longer.
    pub exemption: ExemptionRecord,
    /// When that was learned.
    pub on: Date,
}

/// See [`Event::RecusalPassedOn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecusalPassedOn {
    /// Of whom something is on record because of the matter, or may be.
    pub of: BTreeSet<SubjectId>,
    /// Who is recused from the matter and was not before.
    pub recusal: Recusal,
}

/// Tells the integrity files of all who have something on record because of the matter who became recused from it.
pub(super) fn recuse(known: &Known, recusal: &Recusal) -> Option<Event> {
    let exempt = known.exemptions.iter().map(|exemption| exemption.subject);
    let of: BTreeSet<SubjectId> = known
        .clearances
        .keys()
        .chain(&known.sanctioned)
        .copied()
        .chain(exempt)
        .collect();
    if of.is_empty() || recusal.is_empty() {
        return None;
    }
    let recusal = recusal.clone();
    Some(RecusalPassedOn { of, recusal }.into())
}

/// Passes a sanction on to the person's integrity file, with what decides who may read that: a sanction's own event
/// does not say to whom the person belongs.
pub(super) fn sanction(state: &State, sanction: &SanctionRecord) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter of the sanction"));
    };
    if known.sanctions.contains(&sanction.id) {
        return Ok(Vec::new());
    }
    let Some(subject) = known.subjects.get(&sanction.subject) else {
        return Err(Rejection::NotYet("who was sanctioned"));
    };
    Ok(vec![
        SanctionLearned {
            subject: subject.clone(),
            recusal: known.recusal.clone(),
            sanction: sanction.clone(),
        }
        .into(),
    ])
}

/// Passes on what leads to no sanction, once for each conclusion; and that it has lapsed, where the conclusion was reopened
/// before this was heard.
pub(super) fn exempt(
    state: &State,
    exemption: &ExemptionRecord,
    context: &Context<()>,
) -> Decision<Event> {
    let Some(known) = state.known() else {
        return Err(Rejection::NotYet("the matter of the exemption"));
    };
    let number = exemption.conclusion;
    if number > known.conclusion {
        return Err(Rejection::NotYet("the conclusion that was assessed"));
    }
    let mut passed_on = known.exemptions.iter();
    if passed_on.any(|one| one.subject == exemption.subject && one.conclusion == number) {
        return Ok(Vec::new());
    }
    let Some(subject) = known.subjects.get(&exemption.subject) else {
        return Err(Rejection::NotYet("who is exempt"));
    };
    let mut events = vec![Event::from(ExemptionLearned {
        subject: subject.clone(),
        recusal: known.recusal.clone(),
        exemption: exemption.clone(),
    })];
    if number < known.conclusion || known.holding == Holding::HoldsNoMore {
        events.push(lapsed(exemption, context));
    }
    Ok(events)
}

/// With a conclusion that stands no longer, what rested on it lapses.
pub(super) fn lapse(known: &Known, number: i32, context: &Context<()>) -> Vec<Event> {
    let exemptions = known.exemptions.iter();
    exemptions
        .filter(|exemption| exemption.conclusion == number)
        .map(|exemption| lapsed(exemption, context))
        .collect()
}

fn lapsed(exemption: &ExemptionRecord, context: &Context<()>) -> Event {
    ExemptionLapsed {
        exemption: exemption.clone(),
        on: context.profile.calendar.date(context.now),
    }
    .into()
}

/// A sanction, to the person's file.
pub(super) fn pass_on(learned: &SanctionLearned, effects: &mut Effects) {
    let whose = whose(&learned.subject, &learned.recusal);
    let entry = learned.sanction.entry();
    enter(learned.subject.id, entry, Some(whose), effects);
}

/// An exemption, to the person's file.
pub(super) fn pass_on_exemption(learned: &ExemptionLearned, effects: &mut Effects) {
    let whose = whose(&learned.subject, &learned.recusal);
    for entry in learned.exemption.entries() {
        enter(learned.subject.id, entry, Some(whose.clone()), effects);
    }
}

/// That an exemption has lapsed, to the file on which it is.
pub(super) fn pass_on_lapse(lapsed: &ExemptionLapsed, effects: &mut Effects) {
    for entry in lapsed.exemption.lapsed(lapsed.on) {
        enter(lapsed.exemption.subject, entry, None, effects);
    }
}

/// Who became recused, to the files.
pub(super) fn pass_on_recusal(passed_on: &RecusalPassedOn, effects: &mut Effects) {
    for of in &passed_on.of {
        effects.then::<IntegrityFile>(
            file_of(*of),
            "RecuseFromIntegrityFile",
            &integrity::Command::Recuse {
                of: *of,
                recusal: passed_on.recusal.clone(),
            },
        );
    }
}

fn whose(subject: &Subject, recusal: &Recusal) -> Whose {
    Whose {
        subject: subject.clone(),
        recusal: recusal.clone(),
    }
}

fn enter(of: SubjectId, entry: Entry, whose: Option<Whose>, effects: &mut Effects) {
    effects.then::<IntegrityFile>(
        file_of(of),
        "EnterInIntegrityFile",
        &integrity::Command::Enter { of, entry, whose },
    );
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed, given};
    use jiff::civil::date;
    use office::{Finding, MatterId};
    use proptest::prelude::*;

    use super::super::fixture::*;
    use super::super::{Command, Matter};
    use super::*;
    use crate::clarification::fixture::{actor_id, id, service, subject, unit};
    use crate::integrity::{Exempted, Kind};

    fn warning(subject: SubjectId) -> SanctionRecord {
        SanctionRecord {
            id: id(0x80),
            subject,
            matter: id(0x10),
            kind: "warning".to_owned(),
            decided_by: unit(),
            decided_on: date(2026, 3, 2),
        }
    }

    #[test]
    fn a_sanction_goes_to_the_integrity_file_with_what_decides_who_reads_it() {
        let sanction = |of| Command::LearnSanction(warning(of));
        let (event, matter) = learned(a_matter(), sanction(subject().id));
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].aggregate, file_of(subject().id));
        let Some(integrity::Command::Enter { entry, whose, .. }) =
            told[0].command::<IntegrityFile>()
        else {
            panic!("an entry is told, not {told:?}");
        };
        assert_eq!(entry.detail, "warning");
        assert_eq!(whose.expect("it is known").subject, subject());
        matter.when(sanction(subject().id)).then_already();
        a_matter().when(sanction(id(0x99))).then_not_yet();
    }

    fn exemption(conclusion: i32) -> ExemptionRecord {
        ExemptionRecord {
            subject: subject().id,
            matter: id(0x10),
            conclusion,
            unit: unit(),
            assessed_on: date(2026, 3, 4),
            findings: vec![Exempted {
                allegation: id(1),
                grounds: vec!["common_good".to_owned()],
            }],
        }
    }

    fn exempt(conclusion: i32) -> Command {
        Command::LearnExemption(exemption(conclusion))
    }

    fn a_concluded_matter() -> Given<Matter> {
        learned(a_matter(), concluding(1, Finding::Substantiated)).1
    }

    /// What events put on which file.
    fn entered(events: &[Event]) -> Vec<(uuid::Uuid, Kind)> {
        let told = events
            .iter()
            .flat_map(|event| followed::<Matter>(id::<MatterId>(0x10), event));
        let entries = told.filter_map(|follows| match follows.command::<IntegrityFile>()? {
            integrity::Command::Enter { entry, .. } => Some((follows.aggregate, entry.kind)),
            integrity::Command::Recuse { .. } => None,
        });
        entries.collect()
    }

    #[test]
    fn an_exemption_goes_to_the_integrity_file_with_what_speaks_for_the_person() {
        let (event, matter) = learned(a_concluded_matter(), exempt(1));
        let told = followed::<Matter>(id::<MatterId>(0x10), &event);
        assert_eq!(told[0].aggregate, file_of(subject().id));
        let Some(integrity::Command::Enter { entry, whose, .. }) =
            told[0].command::<IntegrityFile>()
        else {
            panic!("an entry is told, not {told:?}");
        };
        assert_eq!(
            (entry.kind, &*entry.detail),
            (Kind::Exempted, "common_good")
        );
        assert_eq!(whose.expect("it is known").subject, subject());
        matter.when(exempt(1)).then_already();
    }

    #[test]
    fn who_is_recused_later_is_kept_from_the_files_of_all_who_are_on_record() {
        let official = subject().id;
        let learned_of = |commands: Vec<Command>| {
            let learn = |matter: Given<Matter>, command| learned(matter, command).1;
            commands.into_iter().fold(a_matter(), learn)
        };
        let recuse = Command::LearnRecusal {
            recusal: Recusal {
                actors: [actor_id("otto")].into(),
                ..Recusal::default()
            },
        };
        let substantiated = || concluding(1, Finding::Substantiated);
        let organisation = file_of(id(ORGANISATION));
        for (before, files) in [
            (
                vec![Command::LearnSanction(warning(official))],
                vec![file_of(official)],
            ),
            // The conclusion clears the organisation.
            (vec![substantiated()], vec![organisation]),
            (
                vec![substantiated(), exempt(1)],
                vec![file_of(official), organisation],
            ),
        ] {
            let matter = learned_of(before);
            let (events, after) = matter.when(recuse.clone()).accepted();
            let told: Vec<_> = events
                .iter()
                .flat_map(|event| followed::<Matter>(id::<MatterId>(0x10), event))
                .filter(|follows| follows.method == "RecuseFromIntegrityFile")
                .map(|follows| follows.aggregate)
                .collect();
            assert_eq!(told, files);
            after.when(recuse.clone()).then_already();
        }
        let (event, _) = learned(a_matter(), recuse);
        assert_eq!(followed::<Matter>(id::<MatterId>(0x10), &event), []);
    }

    #[test]
    fn an_exemption_waits_for_the_matter_its_conclusion_and_its_person() {
        given::<Matter>()
            .actor(service())
            .when(exempt(1))
            .then_not_yet();
        a_matter().when(exempt(1)).then_not_yet();
        a_concluded_matter()
            .when(Command::LearnExemption(ExemptionRecord {
                subject: id(0x99),
                ..exemption(1)
            }))
            .then_not_yet();
    }

    #[test]
    fn an_exemption_lapses_when_its_case_is_reopened() {
        let matter = learned(a_concluded_matter(), exempt(1)).1;
        let (events, matter) = matter.when(reopening(1)).accepted();
        let file = file_of(subject().id);
        assert_eq!(entered(&events), [(file, Kind::ExemptionLapsed)]);
        let (_, matter) = learned(matter, concluding(2, Finding::Substantiated));
        let (event, matter) = learned(matter, exempt(2));
        assert_eq!(entered(&[event]), [(file, Kind::Exempted)]);
        matter.when(exempt(1)).then_already();
        let keys = [1, 2].map(|number| exemption(number).entries()[0].key);
        assert_ne!(keys[0], keys[1], "each conclusion's is an entry of its own");
    }

    #[test]
    fn an_exemption_that_is_heard_of_after_the_reopening_has_lapsed() {
        let reopened = learned(a_concluded_matter(), reopening(1)).1;
        let again = learned(reopened.clone(), concluding(2, Finding::Unfounded)).1;
        for matter in [reopened, again] {
            let (events, after) = matter.when(exempt(1)).accepted();
            let file = file_of(subject().id);
            let both = [(file, Kind::Exempted), (file, Kind::ExemptionLapsed)];
            assert_eq!(entered(&events), both);
            after.when(exempt(1)).then_already();
        }
    }

    proptest! {
        /// Verification's two streams arrive in any order to one another, each in its own.
        #[test]
        fn whenever_exemptions_are_heard_of_each_is_on_record_and_lapses_with_its_conclusion(
            places in prop::collection::vec(0usize..8, 3),
            reopened in 0i32..=3,
        ) {
            let mut steps = Vec::new();
            for number in 1..=3 {
                steps.push(concluding(number, Finding::Substantiated));
                if number <= reopened {
                    steps.push(reopening(number));
                } else {
                    break;
                }
            }
            let concluded = (reopened + 1).min(3);
            let mut places = places;
            places.sort_unstable();
            let exemptions: Vec<_> = (1..=concluded).zip(places).collect();
            for (number, place) in exemptions.into_iter().rev() {
                steps.insert(place.min(steps.len()), exempt(number));
            }
            let mut matter = a_matter();
            let mut waiting = steps;
            let mut on_record = Vec::new();
            while !waiting.is_empty() {
                let before = waiting.len();
                let mut still = Vec::new();
                for step in waiting {
                    let asked = matter.clone().when(step.clone());
                    if matches!(asked.decision(), Err(Rejection::NotYet(_))) {
                        still.push(step);
                        continue;
                    }
                    if asked.decision() == &Ok(Vec::new()) {
                        continue;
                    }
                    let (events, after) = asked.accepted();
                    on_record.extend(entered(&events).into_iter().map(|(_, kind)| kind));
                    matter = after;
                }
                waiting = still;
                prop_assert!(waiting.len() < before, "what waits is on its way");
            }
            let count = |kind| on_record.iter().filter(|one| **one == kind).count();
            prop_assert_eq!(count(Kind::Exempted), usize::try_from(concluded).expect("a few"));
            prop_assert_eq!(count(Kind::ExemptionLapsed), usize::try_from(reopened).expect("a few"));
        }
    }
}

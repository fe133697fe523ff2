//! What happened to a clarification, as the rules look at it: its events with who asked for each, and when. A rule that
//! asked the clarification's own state would believe what it is to examine.

use std::collections::BTreeSet;

use chassis::recusal::Recusal;
use chassis::secrets::Secrets;
use jiff::Timestamp;
use jiff::civil::Date;
use office::{Actor, ActorId, Department, SubjectId};
use uuid::Uuid;

use crate::clarification::Event;
use crate::clarification::applying::Application;
use crate::clarification::approval::{Answer, Approved};
use crate::clarification::candidacy::Candidacy;
use crate::clarification::carrying_out::CarriedOut;
use crate::clarification::course::TakenUp;
use crate::clarification::drafting::Statement;
use crate::clarification::forms::Form;
use crate::clarification::screening::Opinion;
use crate::clarification::wish::{Said, Speaker};
use crate::conclusion::{Harm, SubjectHarm};
use crate::printing::Document;

/// One event.
pub(super) struct Happened {
    pub(super) event: Event,
    /// Who asked for what led to it.
    pub(super) actor: Actor,
    pub(super) now: Timestamp,
    /// What verification answered, if it was asked.
    pub(super) answer: Option<Answer>,
}

/// From the opening, or a taking up, to the next.
pub(super) struct Round<'h> {
    pub(super) of: Uuid,
    /// From 1.
    pub(super) number: usize,
    pub(super) candidacy: &'h Candidacy,
    /// What happened in it.
    pub(super) events: &'h [Happened],
    /// And before.
    pub(super) before: &'h [Happened],
}

/// A name that was cleared.
pub(in crate::properties) struct Cleared<'h> {
    /// The round with what happened in it before.
    pub(super) round: Round<'h>,
    pub(super) carried_out: &'h CarriedOut,
    pub(super) happened: &'h Happened,
}

/// What a subject said, or that they can be heard no more.
#[derive(Clone)]
pub(super) struct Word<'h> {
    pub(super) by: &'h ActorId,
    /// The day that they said it; `None` where they can be heard no more.
    on: Option<Date>,
    pub(super) declines: bool,
    pub(super) refused: BTreeSet<Form>,
    pub(super) speaker: Option<SubjectId>,
}

/// What a clarification begins with, and begins again with.
fn beginning(event: &Event) -> Option<&Candidacy> {
    match event {
        Event::Opened(opened) => Some(&opened.0),
        Event::TakenUp(TakenUp(candidacy)) => Some(candidacy),
        _ => None,
    }
}

/// The rounds of a clarification; none where it was only applied for.
pub(super) fn rounds(of: Uuid, history: &[Happened]) -> Vec<Round<'_>> {
    let begins = |(place, happened): (usize, &'_ Happened)| {
        beginning(&happened.event).is_some().then_some(place)
    };
    let places: Vec<usize> = history.iter().enumerate().filter_map(begins).collect();
    let ends = places.iter().skip(1).copied().chain([history.len()]);
    let rounds = places.iter().zip(ends).zip(1..);
    rounds
        .filter_map(|((place, end), number)| {
            Some(Round {
                of,
                number,
                candidacy: beginning(&history[*place].event)?,
                events: &history[*place..end],
                before: &history[..*place],
            })
        })
        .collect()
}

/// Whether something is harmed and nothing rules a clarification out.
pub(super) fn harmed(harm: Option<&SubjectHarm>) -> bool {
    harm.is_some_and(|harm| {
        harm.exclusions.is_empty() && harm.harms.iter().any(|harm| *harm != Harm::None)
    })
}

impl<'h> Round<'h> {
    /// The conclusion that it rests on.
    pub(super) fn conclusion(&self) -> i32 {
        self.candidacy.clearance.conclusion
    }

    pub(super) fn cleared(&self) -> impl Iterator<Item = Cleared<'h>> {
        let places = self.events.iter().enumerate();
        places.filter_map(|(place, happened)| match &happened.event {
            Event::CarriedOut(carried_out) => Some(Cleared {
                round: Round {
                    events: &self.events[..place],
                    ..*self
                },
                carried_out,
                happened,
            }),
            _ => None,
        })
    }

    /// The events of a kind, with their place.
    fn all<E>(
        &self,
        kind: impl Fn(&'h Event) -> Option<E>,
    ) -> impl DoubleEndedIterator<Item = (usize, E)> {
        let events = self.events.iter().enumerate();
        events.filter_map(move |(place, happened)| Some((place, kind(&happened.event)?)))
    }

    pub(super) fn statements(&self) -> impl Iterator<Item = &'h Statement> {
        let all = self.all(|event| match event {
            Event::StatementDrafted(drafted) => Some(&drafted.statement),
            _ => None,
        });
        all.map(|(_, statement)| statement)
    }

    /// The last approval, and its place.
    pub(super) fn approval(&self) -> Option<(usize, &'h Approved)> {
        let mut all = self.all(|event| match event {
            Event::Approved(approved) => Some(approved),
            _ => None,
        });
        all.next_back()
    }

    /// The documents that were made after this place.
    pub(super) fn documents(&self, after: usize) -> Vec<&'h [Document]> {
        let all = self.all(|event| match event {
            Event::DocumentsRendered(rendered) => Some(&rendered.documents[..]),
            _ => None,
        });
        let all = all.filter(|(place, _)| *place > after);
        all.map(|(_, documents)| documents).collect()
    }

    /// The conclusions that it was halted on.
    pub(super) fn halted(&self) -> Vec<i32> {
        let all = self.all(|event| match event {
            Event::Halted(halted) => Some(halted.conclusion),
            _ => None,
        });
        all.map(|(_, conclusion)| conclusion).collect()
    }

    /// The conclusions that it was superseded on, with the place.
    pub(super) fn superseded(&self) -> Vec<(usize, i32)> {
        let all = self.all(|event| match event {
            Event::Superseded(superseded) => Some(superseded.conclusion),
            _ => None,
        });
        all.collect()
    }

    /// What each department said last, and who said it.
    pub(super) fn opinions(&self) -> Vec<(&'h Department, Opinion, &'h Actor)> {
        let mut last: Vec<(&Department, Opinion, &Actor)> = Vec::new();
        for happened in self.events {
            let (department, said) = match &happened.event {
                Event::OpinionRecorded(given) => (&given.department, Some(given.opinion)),
                Event::ObjectionWithdrawn(withdrawn) => (&withdrawn.department, None),
                _ => continue,
            };
            last.retain(|(spoke, _, _)| *spoke != department);
            last.extend(said.map(|said| (department, said, &happened.actor)));
        }
        last
    }

    /// Who is recused, as far as it was heard of.
    pub(super) fn recused(&self) -> Recusal {
        let mut recused = Recusal::default();
        for happened in self.before.iter().chain(self.events) {
            recused.extend(&newly_recused(&happened.event));
        }
        recused
    }

    /// The subject's word at the end of it. An application counts as one, unless they were heard at a later date; made
    /// while nothing is prepared it waits for the next round. Whose word was heard by somebody recused is heard again.
    pub(super) fn word(&self, secrets: &Secrets) -> Option<Word<'h>> {
        let mut recused = Recusal::default();
        let mut is_prepared = false;
        let (mut word, mut waits, mut earlier): (Option<Word>, Option<Word>, Option<Word>) =
            (None, None, None);
        for happened in self.before.iter().chain(self.events) {
            recused.extend(&newly_recused(&happened.event));
            let is_out = |word: &mut Word<'_>| recused.names(word.by, secrets);
            waits.take_if(is_out);
            if is_prepared {
                word.take_if(is_out);
            }
            if let Some(candidacy) = beginning(&happened.event) {
                is_prepared = harmed(candidacy.clearance.harm.as_ref());
                word = if is_prepared { waits.take() } else { None };
            }
            let last = word.clone().or_else(|| earlier.clone());
            match &happened.event {
                Event::Halted(_) | Event::Superseded(_) => {
                    is_prepared = false;
                    earlier = last;
                    word = None;
                }
                Event::CarriedOut(_) => is_prepared = false,
                Event::WishRecorded(heard) => {
                    let on = heard.heard_on;
                    word = Some(Word::heard(
                        &heard.by,
                        on,
                        &heard.said,
                        heard.spoken_by.as_ref(),
                    ));
                }
                Event::FoundUnreachable(found) => {
                    let (declines, refused) = last
                        .map(|last| (last.declines, last.refused))
                        .unwrap_or_default();
                    word = Some(Word {
                        by: &found.by,
                        on: None,
                        declines,
                        refused,
                        speaker: None,
                    });
                }
                Event::ApplicationRecorded(recorded) => {
                    let (said, last) = if is_prepared {
                        (&mut word, None)
                    } else {
                        (&mut waits, last.as_ref())
                    };
                    let last = said.as_ref().or(last);
                    if let Some(applied) = Word::applied(&recorded.application, last) {
                        *said = Some(applied);
                    }
                }
                _ => {}
            }
        }
        word
    }
}

impl<'h> Word<'h> {
    fn heard(by: &'h ActorId, on: Date, said: &Said, speaker: Option<&Speaker>) -> Self {
        let (declines, refused) = match said {
            Said::Wants { refused, .. } => (false, refused.clone()),
            Said::Declines => (true, Form::ALL.into()),
        };
        Self {
            by,
            on: Some(on),
            declines,
            refused,
            speaker: speaker.map(|speaker| speaker.person),
        }
    }

    /// What an application says after this; `None` where they were heard at a later date.
    fn applied(application: &'h Application, last: Option<&Self>) -> Option<Self> {
        let mut refused = application.refused.clone();
        match last.map(|last| (last.on, last)) {
            Some((Some(on), _)) if on > application.on => return None,
            Some((None, unreachable)) => refused.extend(&unreachable.refused),
            Some(_) | None => {}
        }
        Some(Self {
            by: &application.by,
            on: Some(application.on),
            declines: false,
            refused,
            speaker: Some(application.spoken_by.person),
        })
    }
}

fn newly_recused(event: &Event) -> Recusal {
    match event {
        Event::AppliedFor(applied) => applied.recusal.clone(),
        Event::ActorsRecused(recused) => recused.recusal.clone(),
        Event::ConflictDeclared(declared) => Recusal {
            actors: [declared.actor.clone()].into(),
            ..Recusal::default()
        },
        event => beginning(event)
            .map(|candidacy| candidacy.recusal.clone())
            .unwrap_or_default(),
    }
}

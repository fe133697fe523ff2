//! An integrity file: what is on record about one subject (廉政檔案): cleared matters and what superseded them, sanctions,
//! exemptions, follow-up. Whatever happens to the subject anywhere in the office arrives here as one entry.
//!
//! To add a kind of entry: a variant of [`Kind`] and who enters it. An entry has a key that follows from what it tells, so
//! that each stands once, whatever came before and whatever is repeated.
//! Source: `domain.md`, Words, and Clarification, Afterwards.

use std::collections::BTreeSet;

use chassis::aggregate::{Aggregate, Context, Decision, Visitor};
use chassis::recusal::Recusal;
use chassis::refusal::{NOT_FOUND, Refusal};
use jiff::civil::Date;
use office::{AllegationId, MatterId, SubjectId, UnitCode, natural_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::conclusion::Subject;
use crate::matter::RECUSED;

/// The aggregate.
#[derive(Clone, Copy, Debug)]
pub struct IntegrityFile;

/// What is on record about one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The subject; `None` while nothing is on record.
    pub of: Option<SubjectId>,
    /// To whom it belongs; while that is not known nobody reads it.
    pub whose: Option<Whose>,
    /// Who became recused from one of its subject's matters after that was put on record.
    pub recused_since: Recusal,
    /// What is on record, in the order in which it arrived.
    pub entries: Vec<Entry>,
}

impl State {
    /// Who is recused from one of the subject's matters, the subject among them.
    fn recusal(&self) -> Recusal {
        let mut recusal = self.recused_since.clone();
        if let Some(whose) = &self.whose {
            recusal.extend(&whose.recusal);
        }
        recusal
    }
}

/// What decides who may read a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whose {
    /// The subject.
    pub subject: Subject,
    /// Who is recused from its matters, the subject among them.
    pub recusal: Recusal,
}

/// What an entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The subject's name was cleared.
    Cleared,
    /// What it was cleared by stands no longer.
    ClearanceSuperseded,
    /// A disciplinary decision.
    Sanctioned,
    /// A substantiated finding of which no sanction comes (容錯).
    Exempted,
    /// The conclusion that such a finding is of stands no longer.
    ExemptionLapsed,
    /// An impact period ended.
    ImpactEnded,
    /// A follow-up file was opened, or opened again.
    FollowUpOpened,
    /// The person was visited.
    Visited,
    /// The effect of a clarification was checked.
    AftercareChecked,
    /// The follow-up file was closed.
    FollowUpClosed,
}

impl Kind {
    /// Its word, as it enters an entry's key; never changes.
    const fn word(self) -> &'static str {
        match self {
            Self::Cleared => "cleared",
            Self::ClearanceSuperseded => "clearance_superseded",
            Self::Sanctioned => "sanctioned",
            Self::Exempted => "exempted",
            Self::ExemptionLapsed => "exemption_lapsed",
            Self::ImpactEnded => "impact_ended",
            Self::FollowUpOpened => "follow_up_opened",
            Self::Visited => "visited",
            Self::AftercareChecked => "aftercare_checked",
            Self::FollowUpClosed => "follow_up_closed",
        }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Follows from what it tells.
    pub key: Uuid,
    /// What it tells.
    pub kind: Kind,
    /// When that was.
    pub on: Date,
    /// The unit that did it.
    pub unit: UnitCode,
    /// The matter, if it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterId>,
    /// The clarification, sanction, visit or file; of an exemption, the allegation.
    pub reference: Uuid,
    /// The code of the form, the kind of sanction, what speaks for who is exempt, or the like; may be empty.
    pub detail: String,
}

impl Entry {
    /// The key of what happened to something; `parts` tell the times apart that it can happen.
    pub fn key(kind: Kind, reference: Uuid, parts: &[&[u8]]) -> Uuid {
        let mut all: Vec<&[u8]> = vec![kind.word().as_bytes(), reference.as_bytes()];
        all.extend(parts);
        natural_id("integrity_entry", &all)
    }
}

/// A sanction, as verification tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SanctionRecord {
    /// Its id.
    pub id: Uuid,
    /// The person.
    pub subject: SubjectId,
    /// The matter.
    pub matter: MatterId,
    /// Its kind; a code.
    pub kind: String,
    /// Who decided it.
    pub decided_by: UnitCode,
    /// When.
    pub decided_on: Date,
}

impl SanctionRecord {
    /// Its entry.
    pub fn entry(&self) -> Entry {
        Entry {
            key: Entry::key(Kind::Sanctioned, self.id, &[]),
            kind: Kind::Sanctioned,
            on: self.decided_on,
            unit: self.decided_by.clone(),
            matter: Some(self.matter),
            reference: self.id,
            detail: self.kind.clone(),
        }
    }
}

/// What a conclusion substantiates about a person and leads to no sanction, as verification tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExemptionRecord {
    /// The person.
    pub subject: SubjectId,
    /// The matter.
    pub matter: MatterId,
    /// The conclusion.
    pub conclusion: i32,
    /// The unit that assessed.
    pub unit: UnitCode,
    /// When.
    pub assessed_on: Date,
    /// Which findings, at least one.
    pub findings: Vec<Exempted>,
}

/// A finding of which no sanction comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exempted {
    /// On which allegation.
    pub allegation: AllegationId,
    /// Codes of what speaks for the person.
    pub grounds: Vec<String>,
}

impl ExemptionRecord {
    /// An entry for each finding.
    pub fn entries(&self) -> Vec<Entry> {
        self.each(Kind::Exempted, self.assessed_on)
    }

    /// For each finding the entry that its conclusion stands no longer.
    pub fn lapsed(&self, on: Date) -> Vec<Entry> {
        self.each(Kind::ExemptionLapsed, on)
    }

    fn each(&self, kind: Kind, on: Date) -> Vec<Entry> {
        let findings = self.findings.iter();
        let entry = |exempted: &Exempted| {
            let reference = exempted.allegation.uuid();
            Entry {
                // An allegation is found on anew with every conclusion.
                key: Entry::key(kind, reference, &[&self.conclusion.to_be_bytes()]),
                kind,
                on,
                unit: self.unit.clone(),
                matter: Some(self.matter),
                reference,
                detail: exempted.grounds.join(", "),
            }
        };
        findings.map(entry).collect()
    }
}

/// The id of a subject's file.
pub fn file_of(subject: SubjectId) -> Uuid {
    natural_id(IntegrityFile::KIND, &[subject.as_bytes()])
}

/// What can be asked of an integrity file; all of it follows from events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Put something on record.
    Enter {
        /// About whom.
        of: SubjectId,
        /// What.
        entry: Entry,
        /// To whom the file belongs, where that is known.
        whose: Option<Whose>,
    },
    /// Keep out who became recused from one of the subject's matters.
    Recuse {
        /// From whose.
        of: SubjectId,
        /// Who.
        recusal: Recusal,
    },
}

chassis::events! {
    /// What can happen to an integrity file.
    pub enum Event {
        /// Something was put on record.
        Entered(Entered) = "integrity_entered" 1,
        /// Somebody is recused who was not before.
        Recused(Recused) = "integrity_recused" 1,
    }
}

/// See [`Event::Recused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recused {
    /// From whose file.
    pub of: SubjectId,
    /// Who, and was not before.
    pub recusal: Recusal,
}

/// See [`Event::Entered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entered {
    /// About whom.
    pub of: SubjectId,
    /// What.
    pub entry: Entry,
    /// To whom the file belongs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whose: Option<Whose>,
}

impl Aggregate for IntegrityFile {
    const KIND: &'static str = "integrity_file";
    const FORMAT: u32 = 2;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = ();

    fn decide(state: &State, command: &Command, _context: &Context<()>) -> Decision<Event> {
        Ok(match command {
            Command::Enter { of, entry, whose } => {
                if state.entries.iter().any(|known| known.key == entry.key) {
                    return Ok(Vec::new());
                }
                vec![
                    Entered {
                        of: *of,
                        entry: entry.clone(),
                        whose: whose.clone(),
                    }
                    .into(),
                ]
            }
            Command::Recuse { of, recusal } => {
                let news = state.recusal().lacking(recusal);
                if news.is_empty() {
                    return Ok(Vec::new());
                }
                vec![
                    Recused {
                        of: *of,
                        recusal: news,
                    }
                    .into(),
                ]
            }
        })
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::Entered(entered) => {
                state.of = Some(entered.of);
                state.entries.push(entered.entry.clone());
                if let Some(news) = &entered.whose {
                    // The register's newest word on the subject counts; who was ever recused stays so.
                    let mut whose = news.clone();
                    if let Some(known) = &state.whose {
                        whose.recusal.extend(&known.recusal);
                    }
                    state.whose = Some(whose);
                }
            }
            // It may come before the entry that it is about.
            Event::Recused(recused) => {
                state.of = Some(recused.of);
                state.recused_since.extend(&recused.recusal);
            }
        }
    }

    /// It is read by those who keep the subject's record, by those who put something on it, and by those above them;
    /// never by the subject, nor by anybody else who is recused from one of its matters. As long as it is not known to
    /// whom it belongs, it is not known either who must not read it.
    fn admit(state: &State, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        if state.of.is_none() || visitor.actor.is_service() {
            return Ok(());
        }
        let whose = state.whose.as_ref().ok_or(NOT_FOUND)?;
        state.recusal().check(visitor, RECUSED)?;
        let entries = state.entries.iter();
        let mut readers: BTreeSet<UnitCode> = entries.map(|entry| entry.unit.clone()).collect();
        readers.extend(whose.subject.kept_by(&visitor.profile.units));
        visitor.within(&readers)
    }

    fn matter(_id: Uuid, _state: &State) -> Option<Uuid> {
        None
    }
}

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::{Given, given};
    use jiff::civil::date;
    use office::{Actor, Role};

    use super::*;
    use crate::clarification::fixture::{actor, actor_id, id, mark_of, subject};

    fn entry(kind: Kind, reference: u128, unit: &str) -> Entry {
        let reference = id(reference);
        Entry {
            key: Entry::key(kind, reference, &[]),
            kind,
            on: date(2026, 3, 9),
            unit: unit.parse().expect("a unit code"),
            matter: Some(id(0x10)),
            reference,
            detail: String::new(),
        }
    }

    fn whose() -> Whose {
        Whose {
            subject: subject(),
            recusal: Recusal {
                actors: [actor_id("accused")].into(),
                reporters: [mark_of("reporter")].into(),
            },
        }
    }

    fn enter(entry: Entry) -> Command {
        Command::Enter {
            of: subject().id,
            entry,
            whose: Some(whose()),
        }
    }

    fn a_file() -> Given<IntegrityFile> {
        given::<IntegrityFile>()
            .id(file_of(subject().id))
            .actor(Actor::service("clarification", None))
            .events([Entered {
                of: subject().id,
                entry: entry(Kind::Cleared, 1, "P51-01"),
                whose: Some(whose()),
            }])
    }

    #[test]
    fn each_entry_stands_once() {
        a_file()
            .when(enter(entry(Kind::Cleared, 1, "P51-01")))
            .then_already()
            .when(enter(entry(Kind::ClearanceSuperseded, 1, "P51-01")))
            .then([Entered {
                of: subject().id,
                entry: entry(Kind::ClearanceSuperseded, 1, "P51-01"),
                whose: Some(whose()),
            }])
            .when(enter(entry(Kind::Cleared, 1, "P51-01")))
            .then_already();
    }

    #[test]
    fn those_who_keep_the_record_read_it_and_those_who_wrote_it() {
        // The subject belongs to P51-01-01 and is under the authority of P51-01; P51-02 sanctioned.
        let file = a_file().events([Entered {
            of: subject().id,
            entry: entry(Kind::Sanctioned, 2, "P51-02"),
            whose: None,
        }]);
        for (unit, admitted) in [
            ("N", true),
            ("P51-01", true),
            ("P51-01-01", true),
            ("P51-01-01-01", false),
            ("P51-02", true),
            ("P51-02-01", false),
        ] {
            let reader = Actor {
                unit: unit.parse().expect("a unit code"),
                ..actor("clerk", Role::PersonnelOfficer)
            };
            let file = file.clone().actor(reader);
            let answer = IntegrityFile::admit(file.state(), &file.context().visitor());
            let expected = if admitted { Ok(()) } else { Err(OUT_OF_SCOPE) };
            assert_eq!(answer, expected, "{unit}");
        }
    }

    #[test]
    fn who_is_recused_later_reads_the_file_no_more() {
        let recused = |name: &str| Recusal {
            actors: [actor_id(name)].into(),
            ..Recusal::default()
        };
        let recuse = |name| Command::Recuse {
            of: subject().id,
            recusal: recused(name),
        };
        let event = Recused {
            of: subject().id,
            recusal: recused("otto"),
        };
        let admits = |file: &Given<IntegrityFile>| {
            let file = file.clone().actor(actor("otto", Role::PersonnelOfficer));
            IntegrityFile::admit(file.state(), &file.context().visitor())
        };
        let file = a_file();
        assert_eq!(admits(&file), Ok(()));
        let file = file.when(recuse("otto")).then([event.clone()]);
        assert_eq!(admits(&file), Err(RECUSED));
        file.clone().when(recuse("otto")).then_already();
        file.when(recuse("accused")).then_already();
        // The recusal may come before the entry.
        let entered = a_file();
        let first = given::<IntegrityFile>()
            .id(file_of(subject().id))
            .actor(Actor::service("clarification", None))
            .when(recuse("otto"))
            .then([event])
            .when(enter(entry(Kind::Cleared, 1, "P51-01")))
            .accepted()
            .1;
        assert_eq!(admits(&first), Err(RECUSED));
        assert_eq!(entered.state().entries, first.state().entries);
    }

    #[test]
    fn while_it_is_not_known_whose_it_is_nobody_reads_a_file() {
        let file = given::<IntegrityFile>()
            .events([Entered {
                of: subject().id,
                entry: entry(Kind::FollowUpOpened, 3, "P51-01"),
                whose: None,
            }])
            .actor(actor("clerk", Role::PersonnelOfficer));
        let answer = IntegrityFile::admit(file.state(), &file.context().visitor());
        assert_eq!(answer, Err(NOT_FOUND));
    }

    #[test]
    fn neither_the_subject_nor_a_reporter_reads_the_file() {
        for name in ["accused", "reporter"] {
            let file = a_file().actor(actor(name, Role::PersonnelOfficer));
            let answer = IntegrityFile::admit(file.state(), &file.context().visitor());
            assert_eq!(answer, Err(RECUSED), "{name}");
        }
    }
}

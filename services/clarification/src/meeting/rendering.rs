//! The documents of a meeting: the announcement, made by itself once it is convened, and the record, made by itself once
//! it was held and it is known what became of each name. Their bytes are kept with their hash in the journal.
//!
//! The announcement says when and where it is and whose names it is to clear, and nothing of what was alleged; a meeting
//! whose day has passed is not announced any more. The record states what the statements of those say whose names were
//! cleared at it, and names nobody else: not who was halted or declined meanwhile. A meeting that cleared nobody has no
//! record.
//!
//! No step waits for them: a meeting is held, cancelled and recorded without. The trap: an announcement tells what was
//! known when it was made, and keeps saying so. If one of its names is halted afterwards, whoever puts it up has to
//! cancel the meeting and convene another one.

use chassis::aggregate::{Decision, Effects};
use chassis::refusal::{Refusal, RefusalKind};
use documents::{Announcement, Record};
use jiff::civil::{Date, Time};
use office::{Profile, SubjectId, TextId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::holding::Outcome;
use super::{Agenda, Command, Context, Event, Meeting, Stage, State};
use crate::printing::{self, Document, Kind, Letterhead, Rendering, Statement, Words};

/// What the documents print was erased.
pub const TEXT_ERASED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "MEETING_TEXT_ERASED",
    "The place of this meeting, or who attended it, was erased, so no document can be made that prints it.",
);

/// See [`Event::DocumentsRendered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeetingDocumentsRendered {
    /// The announcement or the record.
    pub documents: Vec<Document>,
}

/// All that a document of a meeting says, but for names and texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    kind: Kind,
    /// The unit that holds the meeting, on the day on which the document is made.
    letterhead: Letterhead,
    on: Date,
    time: Option<Time>,
    place: TextId,
    /// Who attended, in words and how many; `None` of an announcement.
    attended: Option<(TextId, u32)>,
    statements: Vec<Statement>,
}

impl Content {
    /// What the document says that is due today; `None` where none is, or it is there.
    pub fn wanted(agenda: &Agenda, profile: &Profile, today: Date) -> Option<Content> {
        let (kind, record) = match &agenda.stage {
            Stage::Awaited => (Kind::Announcement, None),
            Stage::Held {
                record, outcomes, ..
            } if outcomes.len() == agenda.items.len() => (Kind::Record, Some(record)),
            Stage::Held { .. } | Stage::Cancelled { .. } => return None,
        };
        let is_over = kind == Kind::Announcement && agenda.on < today;
        if is_over || agenda.documents.iter().any(|one| one.kind == kind) {
            return None;
        }
        let is_named = |outcome| match kind {
            Kind::Record => outcome == Some(&Outcome::CarriedOut),
            _ => true,
        };
        let named = agenda.items.iter();
        let named = named.filter(|item| is_named(agenda.outcome(item.clarification)));
        let statements = named.map(|item| {
            let stated = agenda.stated.get(&item.clarification)?;
            Statement::of(
                (item.subject, stated.subject_kind),
                item.matter,
                stated.concluded_on,
                &stated.findings,
                &profile.documents,
            )
        });
        let statements: Vec<_> = statements.collect::<Option<_>>()?;
        if statements.is_empty() {
            return None;
        }
        Some(Content {
            kind,
            letterhead: Letterhead::of(&agenda.unit, today, profile),
            on: agenda.on,
            time: agenda.time,
            place: agenda.place.id,
            attended: record.map(|record| (record.attended.id, record.attendance)),
            statements,
        })
    }
}

impl printing::Content for Content {
    fn kinds(&self) -> &[Kind] {
        std::slice::from_ref(&self.kind)
    }

    fn letterhead(&self) -> &Letterhead {
        &self.letterhead
    }

    fn names(&self) -> Vec<SubjectId> {
        self.statements.iter().map(|one| one.subject).collect()
    }

    fn texts(&self) -> Vec<TextId> {
        let attended = self.attended.map(|(text, _)| text);
        [self.place].into_iter().chain(attended).collect()
    }

    fn document(&self, _kind: Kind, words: &Words) -> documents::Document {
        let head = self.letterhead.head();
        let meeting = documents::Meeting {
            on: self.on,
            time: self.time,
            place: words.text(self.place),
        };
        let statements = self.statements.iter();
        match self.attended {
            None => documents::Document::Announcement(Announcement {
                head,
                meeting,
                cleared: statements.map(|one| one.cleared(words)).collect(),
            }),
            Some((attended, attendance)) => documents::Document::Record(Record {
                head,
                meeting,
                attendance,
                attended: words.text(attended),
                statements: statements.map(|one| one.printed(words)).collect(),
            }),
        }
    }
}

/// Keeps the document that is due; nothing where none is, or it is there.
pub(super) fn keep(state: &State, context: &Context) -> Decision<Event> {
    let today = context.profile.calendar.date(context.now);
    let wanted = state
        .agenda()
        .and_then(|agenda| Content::wanted(agenda, &context.profile, today));
    let Some(wanted) = wanted else {
        return Ok(Vec::new());
    };
    // What was set for another state, such as before it was held, is set again.
    let rendering = context.facts.rendering.as_ref();
    let documents = Rendering::kept(rendering, &wanted, |path| context.made(path))?;
    Ok(vec![MeetingDocumentsRendered { documents }.into()])
}

pub(super) fn kept(agenda: &mut Agenda, rendered: &MeetingDocumentsRendered) {
    agenda.documents.extend(rendered.documents.iter().cloned());
}

/// The announcement follows the convening; the record the last of the answers, and which that is only the state knows.
pub(super) fn follow(meeting: Uuid, event: &Event, effects: &mut Effects) {
    if let Event::Convened(_) | Event::OutcomeNoted(_) = event {
        effects.then::<Meeting>(
            meeting,
            "RenderMeetingDocuments",
            &Command::RenderMeetingDocuments,
        );
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::{Given, followed};
    use jiff::civil::{date, time};

    use super::super::fixture::*;
    use super::*;
    use crate::clarification::fixture::*;
    use crate::conclusion::SubjectKind;
    use crate::printing::Content as _;

    /// What is due in this state.
    fn due(given: &Given<Meeting>) -> Option<Content> {
        let context = given.context();
        let today = context.profile.calendar.date(context.now);
        let agenda = given.state().agenda().expect("it was convened");
        Content::wanted(agenda, &context.profile, today)
    }

    fn words() -> Words {
        Words {
            names: [(subject().id, "Li".to_owned())].into(),
            texts: [
                (id(TEXT), "Town hall".to_owned()),
                (id(TEXT + 1), "All of the office".to_owned()),
            ]
            .into(),
        }
    }

    /// Held; the first name was cleared at it, the second was halted before.
    fn a_recorded_one() -> Given<Meeting> {
        a_held_one().events([
            outcome_noted(1, Outcome::CarriedOut),
            outcome_noted(2, halted()),
        ])
    }

    /// Asked by the service, for whom a document of this content was set.
    fn asked(of: Given<Meeting>, set: Content) -> Given<Meeting> {
        of.actor(service()).facts(document_set(set))
    }

    #[test]
    fn an_announcement_says_when_where_and_whose_names_and_nothing_of_what_was_alleged() {
        let content = due(&a_meeting()).expect("it is to be announced");
        let documents::Document::Announcement(told) = content.document(content.kind, &words())
        else {
            panic!("it is announced");
        };
        assert_eq!(told.head.unit, "青江市监察局");
        assert_eq!(told.head.dated, date(2026, 3, 10));
        assert_eq!(told.meeting.on, date(2026, 3, 10));
        assert_eq!(told.meeting.time, Some(time(14, 30, 0, 0)));
        assert_eq!(told.meeting.place, "Town hall");
        let named = told.cleared.iter();
        let named: Vec<_> = named
            .map(|one| (one.name.as_str(), one.matter.as_str(), one.concluded_on))
            .collect();
        let concluded_on = Some(date(2026, 3, 2));
        let reference = "0000-0000-0000";
        assert_eq!(
            named,
            [
                ("Li", reference, concluded_on),
                ("Li", reference, concluded_on)
            ]
        );
    }

    #[test]
    fn a_meeting_whose_day_has_passed_is_not_announced() {
        assert_eq!(due(&a_meeting().now("2026-03-11T07:00:00Z")), None);
    }

    #[test]
    fn a_record_states_whose_names_were_cleared_and_names_nobody_else() {
        let content = due(&a_recorded_one()).expect("it is to be recorded");
        let documents::Document::Record(told) = content.document(content.kind, &words()) else {
            panic!("it is recorded");
        };
        assert_eq!(told.attendance, 31);
        assert_eq!(told.attended, "All of the office");
        let [statement] = &told.statements[..] else {
            panic!("one of the two was cleared");
        };
        let lines = statement.lines.iter();
        let lines: Vec<_> = lines
            .map(|line| (line.category.as_str(), line.occurred_on, line.finding))
            .collect();
        assert_eq!(
            lines,
            [
                ("收受贿赂", occurred_on(1), documents::Finding::Unfounded),
                (
                    "不履行或者不正确履行职责",
                    None,
                    documents::Finding::Exonerated
                ),
            ]
        );
    }

    #[test]
    fn a_record_waits_for_every_answer_and_one_that_clears_nobody_is_not_made() {
        let one = a_held_one().events([outcome_noted(1, Outcome::CarriedOut)]);
        let none = a_held_one().events([outcome_noted(1, halted()), outcome_noted(2, halted())]);
        for given in [a_held_one(), one, none] {
            assert_eq!(due(&given), None);
        }
        let reason = id(TEXT);
        let (_, cancelled) = a_meeting()
            .when(Command::CancelMeeting { reason })
            .accepted();
        assert_eq!(due(&cancelled), None);
    }

    #[test]
    fn a_meeting_that_was_convened_before_its_statements_were_kept_has_no_documents() {
        let Event::Convened(mut convened) = a_convening() else {
            panic!("it is convened");
        };
        convened.stated.clear();
        assert_eq!(due(&no_meeting().events([Event::from(convened)])), None);
    }

    #[test]
    fn each_document_is_kept_by_its_hash_and_once() {
        for (given, kind) in [
            (a_meeting(), Kind::Announcement),
            (a_recorded_one(), Kind::Record),
        ] {
            let content = due(&given).expect("it is due");
            let (events, after) = asked(given, content)
                .when(Command::RenderMeetingDocuments)
                .accepted();
            let [Event::DocumentsRendered(rendered)] = &events[..] else {
                panic!("it was kept, not {events:?}");
            };
            let [document] = &rendered.documents[..] else {
                panic!("one, not {rendered:?}");
            };
            assert_eq!((document.kind, &*document.language), (kind, "zh-Hans"));
            assert!(!document.bytes.digest.is_empty(), "its bytes came with it");
            let agenda = after.state().agenda().expect("it was convened");
            assert_eq!(agenda.documents, rendered.documents);
            after.when(Command::RenderMeetingDocuments).then_already();
        }
    }

    #[test]
    fn a_document_that_was_set_for_another_state_is_set_again() {
        let announcement = due(&a_meeting()).expect("it is due");
        let yesterday = due(&a_meeting().now("2026-03-09T07:00:00Z")).expect("it is due");
        for (given, set) in [(a_recorded_one(), announcement), (a_meeting(), yesterday)] {
            asked(given, set)
                .when(Command::RenderMeetingDocuments)
                .then_stale();
        }
        a_meeting()
            .actor(service())
            .when(Command::RenderMeetingDocuments)
            .then_stale();
    }

    #[test]
    fn what_is_stated_of_an_organisation_is_printed_as_of_one() {
        let Event::Convened(mut convened) = a_convening() else {
            panic!("it is convened");
        };
        for stated in convened.stated.values_mut() {
            stated.subject_kind = SubjectKind::Organisation;
        }
        let given = no_meeting().events([Event::from(convened)]);
        let content = due(&given).expect("it is to be announced");
        let documents::Document::Announcement(told) = content.document(content.kind, &words())
        else {
            panic!("it is announced");
        };
        let mut named = told.cleared.iter();
        assert!(named.all(|one| one.kind == documents::Kind::Organisation));
    }

    #[test]
    fn the_documents_follow_the_convening_and_each_answer() {
        for event in [a_convening(), outcome_noted(1, Outcome::CarriedOut)] {
            let told = followed::<Meeting>(id::<Uuid>(MEETING), &event);
            let mut told = told.iter().filter_map(|told| told.command::<Meeting>());
            assert!(told.any(|command| command == Command::RenderMeetingDocuments));
        }
    }
}

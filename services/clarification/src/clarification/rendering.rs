//! The documents of an approved clarification: the letter, which is part of every form, and the bulletin where that is
//! the form. They are set by themselves after the approval, and their bytes are kept with their hash in the journal.
//!
//! What they say is made here of the clarification alone ([`Content`]): each allegation of this matter on this subject
//! with its finding, and no other. They are kept only if what they say is still what the clarification is when they
//! arrive.
//!
//! Approved again, a clarification gets new ones; those of an earlier approval stay in the journal.
//!
//! To add a document: a [`Kind`], its line in [`kinds_of`], what it is in [`Content`].

use chassis::aggregate::{Decision, Effects};
use chassis::refusal::{Refusal, RefusalKind};
use documents::{Bulletin, Letter};
use office::{ClarificationId, Profile, SubjectId};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::{Clarification, Command, Context, Dossier, Event, Preparation, Progress, Stage, State};
use crate::printing::{self, Document, Kind, Letterhead, Rendering, Statement, Words};

/// The documents are not there yet.
pub const DOCUMENTS_MISSING: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_DOCUMENTS_MISSING",
    "The documents to be handed over are still being made; try again in a moment. If it stays so, `zm events list` says why.",
);

/// What a clarification in this form hands over: the letter always, since written goes with every form.
pub const fn kinds_of(form: Form) -> &'static [Kind] {
    match form {
        Form::Written | Form::InPerson | Form::Meeting => &[Kind::Letter],
        Form::Bulletin => &[Kind::Letter, Kind::Bulletin],
    }
}

/// See [`Event::DocumentsRendered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentsRendered {
    /// One of each kind that the form hands over.
    pub documents: Vec<Document>,
}

/// All that the documents say, but for the name.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    kinds: &'static [Kind],
    /// The unit that issues them is the one that concluded, the day that of the approval.
    letterhead: Letterhead,
    statement: Statement,
}

impl Content {
    /// What the documents of a clarification say; `None` unless it is approved and they are missing.
    pub fn wanted(dossier: &Dossier, profile: &Profile) -> Option<Content> {
        let (preparation, documents) = approved(dossier)?;
        if !documents.is_empty() {
            return None;
        }
        let form = preparation.progress.form()?.form;
        let approval = preparation.progress.approval()?;
        let statement = preparation.progress.statement()?;
        let clearance = &dossier.clearance;
        Some(Content {
            kinds: kinds_of(form),
            letterhead: Letterhead::of(&clearance.unit, approval.on, profile),
            statement: Statement::of(
                (dossier.subject.id, dossier.subject.kind),
                dossier.matter,
                clearance.concluded_on,
                &statement.lines,
                &profile.documents,
            )?,
        })
    }
}

impl printing::Content for Content {
    fn kinds(&self) -> &[Kind] {
        self.kinds
    }

    fn letterhead(&self) -> &Letterhead {
        &self.letterhead
    }

    fn names(&self) -> Vec<SubjectId> {
        vec![self.statement.subject]
    }

    fn document(&self, kind: Kind, words: &Words) -> documents::Document {
        let head = self.letterhead.head();
        let statement = self.statement.printed(words);
        match kind {
            Kind::Bulletin => documents::Document::Bulletin(Bulletin {
                head,
                statement,
                published: None,
            }),
            // No other kind is of a clarification.
            Kind::Letter | Kind::Announcement | Kind::Record => {
                documents::Document::Letter(Letter {
                    head,
                    statement,
                    handed_over_by: None,
                })
            }
        }
    }
}

/// Keeps the documents of the present approval; nothing where they are there, or it is approved no longer.
pub(super) fn keep(state: &State, context: &Context) -> Decision<Event> {
    let wanted = state
        .dossier()
        .and_then(|dossier| Content::wanted(dossier, &context.profile));
    let Some(wanted) = wanted else {
        return Ok(Vec::new());
    };
    // What was set for another state, such as an earlier approval's, is set again.
    let rendering = context.facts.rendering.as_ref();
    let documents = Rendering::kept(rendering, &wanted, |path| context.made(path))?;
    Ok(vec![DocumentsRendered { documents }.into()])
}

pub(super) fn kept(preparation: &mut Preparation, rendered: &DocumentsRendered) {
    if let Progress::Approved { documents, .. } = &mut preparation.progress {
        documents.clone_from(&rendered.documents);
    }
}

/// The documents are set by themselves after each approval. That the day of carrying out is near or over asks once more,
/// for one that was approved before there were any.
pub(super) fn follow(id: ClarificationId, event: &Event, effects: &mut Effects) {
    if let Event::Approved(_) | Event::ExecutionNear(_) | Event::ExecutionOverdue(_) = event {
        effects.then::<Clarification>(id, "RenderDocuments", &Command::RenderDocuments);
    }
}

/// What was approved, with its documents.
fn approved(dossier: &Dossier) -> Option<(&Preparation, &[Document])> {
    let Stage::Preparing(preparation) = &dossier.stage else {
        return None;
    };
    match &preparation.progress {
        Progress::Approved { documents, .. } => Some((preparation, documents)),
        _ => None,
    }
}

impl Dossier {
    /// The documents of the present approval, or else those that were handed over last.
    pub fn documents(&self) -> &[Document] {
        match approved(self) {
            Some((_, documents)) if !documents.is_empty() => documents,
            _ => {
                let last = self.handed_over.last_key_value();
                last.map_or(&[], |(_, documents)| documents)
            }
        }
    }

    /// Those that were handed over in a round, from 1; of round 0 the newest, see [`documents`](Self::documents).
    pub fn documents_of(&self, round: u32) -> &[Document] {
        match round {
            0 => self.documents(),
            round => self.handed_over.get(&round).map_or(&[], Vec::as_slice),
        }
    }

    /// Those that were handed over before these, each with its round.
    pub fn earlier_documents(&self) -> impl Iterator<Item = (u32, &Document)> {
        let newest = self.documents();
        let earlier = self.handed_over.iter();
        let earlier = earlier.filter(move |(_, documents)| *documents != newest);
        earlier.flat_map(|(round, documents)| documents.iter().map(|one| (*round, one)))
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::followed;
    use jiff::civil::date;

    use super::super::Standing;
    use super::super::fixture::*;
    use super::*;
    use crate::printing::Content as _;

    fn render() -> Command {
        Command::RenderDocuments
    }

    fn content(form: Form) -> Content {
        let given = an_approved_without_documents(form);
        let dossier = given.state().dossier().expect("it is open");
        Content::wanted(dossier, &given.context().profile).expect("it is approved")
    }

    #[test]
    fn written_goes_with_every_form_so_a_letter_is_made_for_each() {
        for form in Form::ALL {
            assert!(kinds_of(form).contains(&Kind::Letter));
            let bulletin = kinds_of(form).contains(&Kind::Bulletin);
            assert_eq!(bulletin, form == Form::Bulletin, "{form:?}");
        }
    }

    #[test]
    fn an_approval_is_followed_by_its_documents() {
        let told = followed::<Clarification>(clarification(), &an_approval());
        let [render] = &told[..] else {
            panic!("the documents follow, not {told:?}");
        };
        assert_eq!(render.aggregate, clarification().uuid());
        let command = render.command::<Clarification>();
        assert!(matches!(command, Some(Command::RenderDocuments)));
    }

    #[test]
    fn a_document_names_each_allegation_of_this_matter_on_this_subject_with_its_finding_and_no_other()
     {
        for kind in [Kind::Letter, Kind::Bulletin] {
            let words = Words {
                names: [(subject().id, "Li".to_owned())].into(),
                ..Words::default()
            };
            let (head, statement) = match content(Form::Bulletin).document(kind, &words) {
                documents::Document::Letter(letter) => (letter.head, letter.statement),
                documents::Document::Bulletin(bulletin) => (bulletin.head, bulletin.statement),
                _ => panic!("one of the two"),
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
            assert_eq!(statement.cleared.name, "Li");
            assert_eq!(statement.cleared.matter, "0000-0000-0000");
            assert_eq!(statement.cleared.concluded_on, Some(date(2026, 3, 2)));
            assert_eq!(head.unit, "青江市监察局");
            assert_eq!(head.dated, date(2026, 3, 9));
        }
    }

    #[test]
    fn the_documents_are_kept_by_their_hashes_and_once() {
        for form in Form::ALL {
            let (events, after) = an_approved_without_documents(form)
                .actor(service())
                .facts(printed(content(form)))
                .when(render())
                .accepted();
            let [Event::DocumentsRendered(rendered)] = &events[..] else {
                panic!("they were kept, not {events:?}");
            };
            let kinds: Vec<_> = rendered.documents.iter().map(|one| one.kind).collect();
            assert_eq!(kinds, kinds_of(form));
            for document in &rendered.documents {
                assert_eq!(document.language, "zh-Hans");
                assert!(!document.bytes.digest.is_empty(), "its bytes came with it");
            }
            let dossier = after.state().dossier().expect("it is open");
            assert_eq!(dossier.documents(), rendered.documents);
            assert_eq!(dossier.standing(), Standing::Approved);
        }
    }

    #[test]
    fn documents_that_say_something_else_by_now_are_set_again() {
        let setting = an_approved_one(Form::Written);
        let profile = &setting.context().profile;
        let other = Content {
            letterhead: Letterhead::of(&unit(), date(2026, 3, 8), profile),
            ..content(Form::Written)
        };
        for facts in [printed(other), printed(content(Form::Bulletin)), stands(1)] {
            an_approved_without_documents(Form::Written)
                .actor(service())
                .facts(facts)
                .when(render())
                .then_stale();
        }
    }

    #[test]
    fn what_is_approved_no_longer_gets_no_documents() {
        for before in [
            a_drafted_one(Form::Written),
            a_carried_out_one(Form::Written),
            an_approved_one(Form::Written),
            an_approved_without_documents(Form::Written).events([a_halting()]),
        ] {
            before
                .actor(service())
                .facts(printed(content(Form::Written)))
                .when(render())
                .then_already();
        }
    }

    #[test]
    fn each_approval_has_documents_of_its_own() {
        let before = an_approved_one(Form::Written);
        let documents = |given: &chassis::testing::Given<Clarification>| {
            let dossier = given.state().dossier().expect("it is open");
            dossier.documents().len()
        };
        assert_eq!(documents(&before), 1);
        let after = before.events([form_decided(Form::Bulletin), a_draft(), an_approval()]);
        assert_eq!(documents(&after), 0);
    }

    #[test]
    fn what_was_handed_over_in_an_earlier_round_is_kept_beside_the_newest() {
        let Event::CarriedOut(mut again) = an_execution(Form::Written) else {
            panic!("it was carried out");
        };
        again.round = 2;
        again.execution.documents[0].bytes = text(TEXT + 9);
        let before = [a_superseding().into(), a_taking_up(2, 3)];
        let after = a_carried_out_one(Form::Bulletin).events(before);
        let after = after.events([Event::from(again)]);
        let dossier = after.state().dossier().expect("it is open");
        assert_eq!(dossier.documents().len(), 1);
        let earlier = dossier.earlier_documents();
        let earlier: Vec<_> = earlier.map(|(round, one)| (round, one.kind)).collect();
        assert_eq!(earlier, [(1, Kind::Letter), (1, Kind::Bulletin)]);
    }

    #[test]
    fn what_was_handed_over_stays_when_the_conclusion_stands_no_longer() {
        let after = a_carried_out_one(Form::Bulletin).events([a_superseding()]);
        let dossier = after.state().dossier().expect("it is open");
        let kinds: Vec<_> = dossier.documents().iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Letter, Kind::Bulletin]);
    }
}

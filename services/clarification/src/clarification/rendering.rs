//! The documents of an approved clarification: the letter, which is part of every form, and the bulletin where that is
//! the form. They are set by themselves after the approval, and their bytes are kept with their hash in the journal.
//!
//! What they say is made here of the clarification alone ([`Content`]): each allegation of this matter on this subject
//! with its finding, and no other. Whose name it is, intake is asked before they are set (`facts.rs`); it stands in the
//! bytes and nowhere else. They are kept only if what they say is still what the clarification is when they arrive.
//!
//! Approved again, a clarification gets new ones; those of an earlier approval stay in the journal.
//!
//! To add a document: a [`Kind`], its line in [`Kind::of_form`], what it is in [`Content::document`].

use std::sync::Arc;

use chassis::aggregate::{Decision, Effects, Made, Rejection, TextRef};
use chassis::refusal::{Refusal, RefusalKind};
use documents::{Bulletin, Cleared, Head, Letter, Statement};
use jiff::civil::Date;
use office::{ClarificationId, Finding, MatterId, Profile, SubjectId};
use serde::{Deserialize, Serialize};

use super::forms::Form;
use super::{Clarification, Command, Context, Dossier, Event, Preparation, Progress, Stage, State};
use crate::conclusion::{DUPLICATE, SubjectKind, VOID};

/// The documents are not there yet.
pub const DOCUMENTS_MISSING: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_DOCUMENTS_MISSING",
    "The documents to be handed over are still being made; try again in a moment. If it stays so, `zm events list` says why.",
);
/// Intake does not say whose name is cleared.
pub const NAME_UNANSWERED: Refusal = Refusal::new(
    RefusalKind::Unavailable,
    "CLARIFICATION_NAME_UNANSWERED",
    "Intake does not answer whose name is cleared, so the documents cannot be made yet.",
);
/// The name was erased at intake.
pub const NAME_ERASED: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NAME_ERASED",
    "The subject's name was erased at intake, so no document can be made that clears it.",
);
/// The name holds what is no text.
pub const NAME_NOT_PRINTABLE: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_NAME_NOT_PRINTABLE",
    "What must be printed holds control characters or marks that turn the direction of writing, in the name at intake or a label of the policy profile; no document is made of that.",
);
/// The fonts lack characters of the document.
pub const FONTS_LACKING: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "CLARIFICATION_FONTS_LACKING",
    "The fonts lack characters that must be printed; name a font file that has them in ZHENGMING_FONTS, start the service again, then `zm events retry`.",
);
/// There is no such document.
pub const NO_DOCUMENT: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "CLARIFICATION_NO_DOCUMENT",
    "This clarification has no such document; a letter is made after the approval, a bulletin where that is the form.",
);
/// Its bytes were erased.
pub const DOCUMENT_ERASED: Refusal = Refusal::new(
    RefusalKind::NotFound,
    "CLARIFICATION_DOCUMENT_ERASED",
    "The bytes of this document were erased; its hash stays in the journal.",
);

/// What kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The letter that is handed to the subject.
    Letter,
    /// The bulletin that is published.
    Bulletin,
}

impl Kind {
    /// What a clarification in this form hands over: the letter always, since written goes with every form.
    pub const fn of_form(form: Form) -> &'static [Kind] {
        match form {
            Form::Written | Form::InPerson | Form::Meeting => &[Kind::Letter],
            Form::Bulletin => &[Kind::Letter, Kind::Bulletin],
        }
    }

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Bulletin => "bulletin",
        }
    }
}

/// A document as it is kept: what the journal says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// The BCP 47 code of its language.
    pub language: String,
    /// Its bytes, a PDF.
    pub bytes: TextRef,
    /// SHA-256 of the bytes alone, so that whoever holds the document can tell whether it is this one.
    #[serde(with = "chassis::hexadecimal")]
    pub sha256: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
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
    /// Which documents.
    pub kinds: &'static [Kind],
    /// The BCP 47 code of the language.
    pub language: String,
    /// The name of the unit that issues them: the one that concluded.
    unit: String,
    /// The day of the approval.
    dated: Date,
    /// Whose name it is.
    pub subject: SubjectId,
    subject_kind: SubjectKind,
    matter: String,
    concluded_on: Option<Date>,
    /// Each allegation's label with its finding.
    lines: Vec<(String, documents::Finding)>,
}

/// A document that was set.
#[derive(Clone, PartialEq)]
pub struct Printed {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of them.
    pub sha256: Vec<u8>,
    /// How many pages it has.
    pub pages: u32,
}

/// What was set, and what it says.
#[derive(Clone, PartialEq)]
pub struct Rendering {
    /// What it says.
    pub content: Content,
    /// The documents.
    pub printed: Vec<Printed>,
}

/// The bytes hold a name, so they are never told.
impl std::fmt::Debug for Rendering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rendering({} documents)", self.printed.len())
    }
}

impl Rendering {
    /// The bytes as texts of the command.
    pub(super) fn made(&self) -> Vec<Made> {
        let printed = self.printed.iter();
        let made = printed.map(|one| Made {
            path: one.kind.code(),
            bytes: Arc::clone(&one.bytes),
        });
        made.collect()
    }
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
        let wording = &profile.documents;
        let unit = profile.units.get(&dossier.clearance.unit);
        let lines = statement.lines.iter().map(|line| {
            let label = wording.label(&line.category);
            finding(&line.finding).map(|finding| (label, finding))
        });
        Some(Content {
            kinds: Kind::of_form(form),
            language: wording.language.clone(),
            unit: unit.map_or_else(
                || dossier.clearance.unit.to_string(),
                |unit| unit.name_in(&wording.language).to_owned(),
            ),
            dated: approval.on,
            subject: dossier.subject.id,
            subject_kind: dossier.subject.kind,
            matter: reference(dossier.matter),
            concluded_on: dossier.clearance.concluded_on,
            lines: lines.collect::<Option<_>>()?,
        })
    }

    /// A document of this kind that clears this name.
    pub fn document(&self, kind: Kind, name: &str) -> documents::Document {
        let head = Head {
            unit: self.unit.clone(),
            reference: None,
            dated: self.dated,
        };
        let lines = self
            .lines
            .iter()
            .map(|(category, finding)| documents::Line {
                category: category.clone(),
                occurred: None,
                place: None,
                finding: *finding,
            });
        let statement = Statement {
            cleared: Cleared {
                name: name.to_owned(),
                kind: match self.subject_kind {
                    SubjectKind::Person => documents::Kind::Person,
                    SubjectKind::Organisation => documents::Kind::Organisation,
                },
                matter: self.matter.clone(),
                concluded_on: self.concluded_on,
            },
            lines: lines.collect(),
        };
        match kind {
            Kind::Letter => documents::Document::Letter(Letter {
                head,
                statement,
                handed_over_by: None,
            }),
            Kind::Bulletin => documents::Document::Bulletin(Bulletin {
                head,
                statement,
                published: None,
            }),
        }
    }
}

/// The matter's public reference: the first twelve hexadecimal digits of its id in three groups, such as
/// `2AC0-58F1-9B7E`. Short enough to be read out, and stable, as the id is.
pub fn reference(matter: MatterId) -> String {
    let digits = matter.uuid().simple().to_string().to_uppercase();
    [&digits[..4], &digits[4..8], &digits[8..12]].join("-")
}

/// What a document calls a finding that clears. There are no others, or the conclusion would not clear.
fn finding(found: &Finding) -> Option<documents::Finding> {
    match found {
        Finding::Unfounded => Some(documents::Finding::Unfounded),
        Finding::Exonerated => Some(documents::Finding::Exonerated),
        Finding::Closed(reason) if reason == DUPLICATE => {
            Some(documents::Finding::ClosedAsDuplicate)
        }
        Finding::Closed(reason) if reason == VOID => Some(documents::Finding::ClosedAsVoid),
        Finding::Substantiated | Finding::Unsubstantiated | Finding::Closed(_) => None,
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
    // Set for another state, such as an earlier approval's: they are set again.
    let rendering = context.facts.rendering.as_ref();
    let rendering = rendering
        .filter(|rendering| rendering.content == wanted)
        .ok_or(Rejection::Stale)?;
    let documents = rendering.printed.iter().map(|printed| Document {
        kind: printed.kind,
        language: wanted.language.clone(),
        bytes: context.made(printed.kind.code()),
        sha256: printed.sha256.clone(),
        pages: printed.pages,
    });
    Ok(vec![
        DocumentsRendered {
            documents: documents.collect(),
        }
        .into(),
    ])
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
            _ => &self.handed_over,
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::followed;
    use jiff::civil::date;

    use super::super::Standing;
    use super::super::fixture::*;
    use super::*;

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
            assert!(Kind::of_form(form).contains(&Kind::Letter));
            let bulletin = Kind::of_form(form).contains(&Kind::Bulletin);
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
            let (head, statement) = match content(Form::Bulletin).document(kind, "Li") {
                documents::Document::Letter(letter) => (letter.head, letter.statement),
                documents::Document::Bulletin(bulletin) => (bulletin.head, bulletin.statement),
                _ => panic!("one of the two"),
            };
            let lines = statement.lines.iter();
            let lines: Vec<_> = lines
                .map(|line| (line.category.as_str(), line.finding))
                .collect();
            assert_eq!(
                lines,
                [
                    ("收受贿赂", documents::Finding::Unfounded),
                    ("不履行或者不正确履行职责", documents::Finding::Exonerated),
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
            assert_eq!(kinds, Kind::of_form(form));
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
        let other = Content {
            dated: date(2026, 3, 8),
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
    fn what_was_handed_over_stays_when_the_conclusion_stands_no_longer() {
        let after = a_carried_out_one(Form::Bulletin).events([a_superseding()]);
        let dossier = after.state().dossier().expect("it is open");
        let kinds: Vec<_> = dossier.documents().iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Letter, Kind::Bulletin]);
    }

    #[test]
    fn a_reference_is_short_and_stable() {
        let matter = "2ac058f1-9b7e-5c29-b098-9ee167861e30".parse();
        assert_eq!(reference(matter.expect("an id")), "2AC0-58F1-9B7E");
    }

    #[test]
    fn every_language_of_a_policy_is_one_of_documents() {
        for code in office::Documents::LANGUAGES {
            assert_eq!(code.parse().map(documents::Language::code), Ok(code));
        }
    }
}

//! From a request of the contract to a command on a clarification, and from what was written back to the response; the
//! same for gRPC and queue. A field that breaks a rule is noted with its path, so that a caller learns of all at once.

mod meetings;

use std::collections::BTreeSet;

use chassis::request::{Answered, Reading, Request};
use jiff::civil::Date;
use office::{ActorId, ClarificationId, SubjectId, TextId};
use proto::clarification as v1;
use proto::office as o;

use super::shown::unmet;
use crate::ClarificationOffice;
use crate::clarification::applying::Applying;
use crate::clarification::carrying_out::Particulars;
use crate::clarification::forms::Form;
use crate::clarification::screening::Opinion;
use crate::clarification::wish::Said;
use crate::clarification::{Clarification, Command, Event, State};
use crate::conclusion::clarification_of;

/// A request about a clarification whose answer is the clarification's id and version.
macro_rules! about_a_clarification {
    ($request:ident, $method:literal, $response:ident, |$self:ident, $reading:ident| $command:expr) => {
        impl Request<ClarificationOffice> for v1::$request {
            const METHOD: &'static str = $method;
            type Aggregate = Clarification;
            type Response = v1::$response;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn read($self, $reading: &mut Reading<'_>) -> Command {
                let _: ClarificationId =
                    $reading.about("clarification_id", &$self.clarification_id);
                $command
            }

            fn answer(answered: &Answered<'_, Clarification>) -> v1::$response {
                v1::$response {
                    clarification_id: answered.id.to_string(),
                    version: answered.version,
                }
            }
        }
    };
}

about_a_clarification!(
    RecordOpinionRequest,
    "RecordOpinion",
    RecordOpinionResponse,
    |self, reading| Command::RecordOpinion {
        opinion: opinion(self.opinion(), reading),
        reason: reading.text("reason", &self.reason),
    }
);

about_a_clarification!(
    WithdrawObjectionRequest,
    "WithdrawObjection",
    WithdrawObjectionResponse,
    |self, reading| Command::WithdrawObjection {
        reason: reading.text("reason", &self.reason),
    }
);

about_a_clarification!(
    RecordWishRequest,
    "RecordWish",
    RecordWishResponse,
    |self, reading| Command::RecordWish {
        said: said(&self, reading),
        heard_on: required_date("heard_on", &self.heard_on, reading),
        spoken_by: spoken_by(&self.spoken_by, reading),
    }
);

about_a_clarification!(
    RecordUnreachableRequest,
    "RecordUnreachable",
    RecordUnreachableResponse,
    |self, reading| Command::RecordUnreachable {
        reason: reading.text("reason", &self.reason),
    }
);

about_a_clarification!(
    DecideFormRequest,
    "DecideForm",
    DecideFormResponse,
    |self, reading| Command::DecideForm {
        form: reading.choice("form", form(self.form())),
        reason: reading.optional_text("reason", &self.reason),
    }
);

about_a_clarification!(
    DraftStatementRequest,
    "DraftStatement",
    DraftStatementResponse,
    |self, reading| Command::DraftStatement {
        note: note(&self.note, reading),
    }
);

about_a_clarification!(
    ReturnDraftRequest,
    "ReturnDraft",
    ReturnDraftResponse,
    |self, reading| Command::ReturnDraft {
        reason: reading.text("reason", &self.reason),
    }
);

about_a_clarification!(
    CarryOutClarificationRequest,
    "CarryOutClarification",
    CarryOutClarificationResponse,
    |self, reading| Command::CarryOutClarification(Box::new(particulars(&self, reading)))
);

about_a_clarification!(
    ConfirmClarificationRequest,
    "ConfirmClarification",
    ConfirmClarificationResponse,
    |self, _reading| Command::ConfirmClarification
);

about_a_clarification!(
    DeclareClarificationConflictRequest,
    "DeclareClarificationConflict",
    DeclareClarificationConflictResponse,
    |self, reading| Command::DeclareClarificationConflict {
        reason: reading.text("reason", &self.reason),
    }
);

impl Request<ClarificationOffice> for v1::ApplyForClarificationRequest {
    const METHOD: &'static str = "ApplyForClarification";
    type Aggregate = Clarification;
    type Response = v1::ApplyForClarificationResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let matter = reading.id("matter_id", &self.matter_id);
        let subject = reading.id("subject_id", &self.subject_id);
        reading.about_natural(clarification_of(matter, subject));
        let (wanted, refused) = wished(&self.wanted, &self.refused, reading);
        Command::ApplyForClarification(Box::new(Applying {
            matter,
            subject,
            applied_on: required_date("applied_on", &self.applied_on, reading),
            text: reading.text("application", &self.application),
            wanted,
            refused,
            spoken_by: spoken_by(&self.spoken_by, reading),
        }))
    }

    fn answer(answered: &Answered<'_, Clarification>) -> v1::ApplyForClarificationResponse {
        let written = answered.events.iter().find_map(|event| match event {
            Event::ApplicationRecorded(recorded) => Some(recorded.reasons.clone()),
            _ => None,
        });
        let reasons = written.or_else(|| answered.already_so.as_ref().map(State::reasons));
        let reasons = reasons.unwrap_or_default();
        v1::ApplyForClarificationResponse {
            clarification_id: answered.id.to_string(),
            version: answered.version,
            unmet: reasons.iter().map(unmet).collect(),
        }
    }
}

impl Request<ClarificationOffice> for v1::ApproveClarificationRequest {
    const METHOD: &'static str = "ApproveClarification";
    type Aggregate = Clarification;
    type Response = v1::ApproveClarificationResponse;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: ClarificationId = reading.about("clarification_id", &self.clarification_id);
        Command::ApproveClarification
    }

    fn answer(answered: &Answered<'_, Clarification>) -> v1::ApproveClarificationResponse {
        let written = answered.events.iter().find_map(|event| match event {
            Event::Approved(approved) => Some(approved.due),
            _ => None,
        });
        let due = written.or_else(|| {
            let preparation = answered.already_so.as_ref()?.dossier()?.preparation()?;
            Some(preparation.progress.approval()?.due)
        });
        v1::ApproveClarificationResponse {
            clarification_id: answered.id.to_string(),
            version: answered.version,
            due_on: due.map(|due| due.on.to_string()).unwrap_or_default(),
        }
    }
}

/// Which person spoke, where it is said.
fn spoken_by(told: &str, reading: &mut Reading<'_>) -> Option<SubjectId> {
    let told = Some(told).filter(|told| !told.is_empty());
    told.map(|told| reading.id("spoken_by", told))
}

fn opinion(told: v1::Opinion, reading: &mut Reading<'_>) -> Opinion {
    let known = match told {
        v1::Opinion::Unspecified => None,
        v1::Opinion::Agrees => Some(Opinion::Agrees),
        v1::Opinion::Objects => Some(Opinion::Objects),
    };
    reading.choice("opinion", known)
}

fn form(told: o::ClarificationForm) -> Option<Form> {
    Some(match told {
        o::ClarificationForm::Unspecified => return None,
        o::ClarificationForm::Written => Form::Written,
        o::ClarificationForm::InPerson => Form::InPerson,
        o::ClarificationForm::Meeting => Form::Meeting,
        o::ClarificationForm::Bulletin => Form::Bulletin,
    })
}

/// A list of forms, each once.
fn forms(field: &str, told: &[i32], reading: &mut Reading<'_>) -> BTreeSet<Form> {
    told.iter()
        .enumerate()
        .map(|(index, number)| {
            let known = o::ClarificationForm::try_from(*number).ok().and_then(form);
            reading.choice(&format!("{field}[{index}]"), known)
        })
        .collect()
}

/// The forms that the subject would like, and those that must not be chosen. A form is not wanted and refused at once;
/// and since written goes with every other form, whoever refuses it can want none.
fn wished(
    wanted: &[i32],
    refused: &[i32],
    reading: &mut Reading<'_>,
) -> (BTreeSet<Form>, BTreeSet<Form>) {
    let wanted = forms("wanted", wanted, reading);
    let refused = forms("refused", refused, reading);
    if !wanted.is_disjoint(&refused) {
        reading.violation("refused", "must not hold a form that is wanted");
    } else if refused.contains(&Form::Written) && !wanted.is_empty() {
        reading.violation(
            "refused",
            "must not hold written where another form is wanted: it goes with each of them",
        );
    }
    (wanted, refused)
}

/// What the subject said.
fn said(request: &v1::RecordWishRequest, reading: &mut Reading<'_>) -> Said {
    match request.wish() {
        v1::Wish::Wants => {
            let (wanted, refused) = wished(&request.wanted, &request.refused, reading);
            Said::Wants { wanted, refused }
        }
        v1::Wish::Declines => {
            let wanted = forms("wanted", &request.wanted, reading);
            let refused = forms("refused", &request.refused, reading);
            for (field, forms) in [("wanted", &wanted), ("refused", &refused)] {
                if !forms.is_empty() {
                    reading.violation(field, "must be empty: whoever declines refuses all forms");
                }
            }
            Said::Declines
        }
        v1::Wish::Unspecified => {
            wished(&request.wanted, &request.refused, reading);
            reading.violation("wish", "must be one of the enum's values");
            Said::Declines
        }
    }
}

fn required_date(field: &str, value: &str, reading: &mut Reading<'_>) -> Date {
    if value.is_empty() {
        reading.violation(field, "must be given");
    }
    reading.date(field, value).unwrap_or_default()
}

/// The note beside a statement; as long as the policy allows, so that it stays a remark.
fn note(note: &str, reading: &mut Reading<'_>) -> Option<TextId> {
    let most = reading.profile().clarification.note_max_characters;
    if note.chars().count() > most as usize {
        reading.violation("note", format!("must be at most {most} characters"));
    }
    reading.optional_text("note", note)
}

/// Who handed the letter over, if that is said.
fn handed_over_by(said: &str, reading: &mut Reading<'_>) -> Option<ActorId> {
    let handed_over_by = reading.optional_actor("handed_over_by", said);
    if handed_over_by.as_ref().is_some_and(ActorId::is_service) {
        reading.violation("handed_over_by", "must be a person's actor id");
    }
    handed_over_by
}

/// How it was carried out. Which of the fields belong to the form is decided with the form.
fn particulars(
    request: &v1::CarryOutClarificationRequest,
    reading: &mut Reading<'_>,
) -> Particulars {
    #[expect(
        deprecated,
        reason = "whoever still gives them must not lose them unheard"
    )]
    let of_a_meeting = [
        ("meeting_id", !request.meeting_id.is_empty()),
        ("attendance", request.attendance != 0),
        ("attended", !request.attended.is_empty()),
    ];
    for (field, given) in of_a_meeting {
        if given {
            reading.violation(field, "must be empty: a meeting is convened and held");
        }
    }
    Particulars {
        carried_out_on: required_date("carried_out_on", &request.carried_out_on, reading),
        place: reading.text("place", &request.place),
        handed_over_by: handed_over_by(&request.handed_over_by, reading),
        published_in: reading.optional_text("published_in", &request.published_in),
        published_until: reading.date("published_until", &request.published_until),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chassis::testing::given;
    use uuid::Uuid;

    use super::*;
    use crate::clarification::fixture::{an_approval, an_approved_one, clarification, id, officer};

    const REQUEST: &str = "00000000-0000-0000-0000-0000000000aa";

    fn read<R: Request<ClarificationOffice, Aggregate = Clarification>>(
        request: R,
    ) -> Result<(Uuid, usize, Command), Vec<String>> {
        let setting = given::<Clarification>();
        let actor = officer("otto");
        let profile = &setting.context().profile;
        let id = request.request_id().to_owned();
        let mut reading = Reading::new(&actor, profile, R::METHOD, &id);
        let command = request.read(&mut reading);
        reading
            .finish()
            .map(|(about, _, texts)| (about, texts.len(), command))
            .map_err(|violations| violations.into_iter().map(|v| v.field).collect())
    }

    fn wish(
        wanted: &[o::ClarificationForm],
        refused: &[o::ClarificationForm],
    ) -> v1::RecordWishRequest {
        v1::RecordWishRequest {
            request_id: REQUEST.to_owned(),
            clarification_id: clarification().to_string(),
            wish: v1::Wish::Wants.into(),
            wanted: wanted.iter().map(|form| (*form).into()).collect(),
            refused: refused.iter().map(|form| (*form).into()).collect(),
            heard_on: "2026-03-09".to_owned(),
            spoken_by: String::new(),
        }
    }

    #[test]
    fn a_form_is_not_wanted_and_refused_at_once_and_written_goes_with_all() {
        use o::ClarificationForm::{Bulletin, Meeting, Written};
        let (about, _, command) =
            read(wish(&[Meeting], &[Bulletin, Bulletin])).expect("it is right");
        assert_eq!(about, clarification().uuid());
        let expected = Said::Wants {
            wanted: [Form::Meeting].into(),
            refused: [Form::Bulletin].into(),
        };
        assert!(matches!(command, Command::RecordWish { said, .. } if said == expected));
        for (wanted, refused) in [(Meeting, Meeting), (Meeting, Written)] {
            let fields = read(wish(&[wanted], &[refused])).expect_err("it contradicts itself");
            assert_eq!(fields, ["refused"]);
        }
        read(wish(&[], &[Written])).expect("whoever refuses all says so");
    }

    #[test]
    fn all_violations_of_a_wish_are_told_with_their_paths() {
        let fields = read(v1::RecordWishRequest {
            request_id: "1".to_owned(),
            wish: v1::Wish::Unspecified.into(),
            refused: vec![0, 99],
            spoken_by: "the mayor".to_owned(),
            ..v1::RecordWishRequest::default()
        })
        .expect_err("much is wrong");
        assert_eq!(
            fields,
            [
                "request_id",
                "clarification_id",
                "refused[0]",
                "refused[1]",
                "wish",
                "heard_on",
                "spoken_by"
            ]
        );
        let mut declines = wish(&[o::ClarificationForm::Meeting], &[]);
        declines.set_wish(v1::Wish::Declines);
        assert_eq!(read(declines).expect_err("it wants a form"), ["wanted"]);
    }

    #[test]
    fn an_application_is_about_the_one_clarification_of_its_matter_and_subject() {
        let request = v1::ApplyForClarificationRequest {
            request_id: REQUEST.to_owned(),
            matter_id: id::<Uuid>(0x10).to_string(),
            subject_id: id::<Uuid>(0x30).to_string(),
            applied_on: "2026-03-09".to_owned(),
            application: "I ask for a letter".to_owned(),
            ..v1::ApplyForClarificationRequest::default()
        };
        let (about, texts, command) = read(request.clone()).expect("it is right");
        assert_eq!((about, texts), (clarification().uuid(), 1));
        let stored = serde_json::to_string(&command).expect("a command is JSON");
        assert!(!stored.contains("letter"));
        let fields = read(v1::ApplyForClarificationRequest {
            matter_id: String::new(),
            subject_id: "she".to_owned(),
            applied_on: "yesterday".to_owned(),
            application: " ".to_owned(),
            refused: vec![0],
            ..request
        })
        .expect_err("much is wrong");
        assert_eq!(
            fields,
            [
                "matter_id",
                "subject_id",
                "refused[0]",
                "applied_on",
                "application"
            ]
        );
    }

    #[test]
    fn a_note_is_a_remark_of_at_most_500_characters() {
        let draft = |note: String| v1::DraftStatementRequest {
            request_id: REQUEST.to_owned(),
            clarification_id: clarification().to_string(),
            note,
        };
        let (_, texts, _) = read(draft("清".repeat(500))).expect("it is short enough");
        assert_eq!(texts, 1);
        assert_eq!(read(draft("清".repeat(501))), Err(vec!["note".to_owned()]));
        let (_, texts, command) = read(draft(String::new())).expect("there need be none");
        assert_eq!(
            (texts, command),
            (0, Command::DraftStatement { note: None })
        );
    }

    fn carrying_out() -> v1::CarryOutClarificationRequest {
        v1::CarryOutClarificationRequest {
            request_id: REQUEST.to_owned(),
            clarification_id: clarification().to_string(),
            carried_out_on: "2026-03-09".to_owned(),
            place: "the hall of the roads office".to_owned(),
            handed_over_by: "otto".to_owned(),
            ..v1::CarryOutClarificationRequest::default()
        }
    }

    #[test]
    fn what_was_carried_out_is_read_with_its_texts_apart() {
        let request = carrying_out();
        let (_, texts, command) = read(request.clone()).expect("it is right");
        assert_eq!(texts, 1);
        let stored = serde_json::to_string(&command).expect("a command is JSON");
        assert!(!stored.contains("roads office"));
        let fields = read(v1::CarryOutClarificationRequest {
            carried_out_on: String::new(),
            place: " ".to_owned(),
            handed_over_by: "service:intake".to_owned(),
            ..request
        })
        .expect_err("much is wrong");
        assert_eq!(fields, ["carried_out_on", "place", "handed_over_by"]);
    }

    #[test]
    #[expect(deprecated, reason = "somebody still gives them")]
    fn no_meeting_is_entered_with_what_was_carried_out() {
        let request = v1::CarryOutClarificationRequest {
            meeting_id: REQUEST.to_owned(),
            attendance: 31,
            attended: "the staff".to_owned(),
            ..carrying_out()
        };
        let fields = read(request).expect_err("it is a meeting's");
        assert_eq!(fields, ["meeting_id", "attendance", "attended"]);
    }

    #[test]
    fn an_approval_is_answered_with_its_last_day() {
        let setting = given::<Clarification>();
        let answered = |events, already_so| Answered {
            id: clarification().uuid(),
            version: 9,
            command: Arc::new(Command::ApproveClarification),
            events,
            already_so,
            request_id: id(0xaa),
            secrets: &setting.context().secrets,
        };
        let approved =
            v1::ApproveClarificationRequest::answer(&answered(vec![an_approval()], None));
        assert_eq!(
            (approved.due_on.as_str(), approved.version),
            ("2026-03-16", 9)
        );
        let state = an_approved_one(Form::Written).state().clone();
        let again = v1::ApproveClarificationRequest::answer(&answered(Vec::new(), Some(state)));
        assert_eq!(again, approved);
    }
}

//! Submitting a report: what it brings, whom it names, and what it gets: ids, a receipt code, a place in the hierarchy and
//! the day by which triage is due.
//! Source: `domain.md`, Intake, Report.

use std::collections::{BTreeMap, BTreeSet};

use chassis::aggregate::{Context, Decision};
use chassis::recusal::{Mark, Recusal};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{SubjectId, TextId};
use serde::{Deserialize, Serialize};

use crate::allegation::{Allegation, Whom};
use crate::report::receipt::{self, Receipt, ReceiptCode};
use crate::report::routing::{Routing, route};
use crate::report::{Event, Facts, Filed, SUBJECT_UNKNOWN, Stage};
use crate::subject::Entry;

/// How a report came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A form on a web page.
    #[default]
    Web,
    /// A letter.
    Letter,
    /// The reporter came in person.
    Visit,
    /// A call.
    Phone,
    /// An e-mail.
    Email,
    /// Another body handed it over.
    Transfer,
    /// A finding of supervision.
    Supervision,
    /// Another system, by queue.
    Queue,
}

impl Channel {
    /// Its code in the profile's list.
    pub fn code(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Letter => "letter",
            Self::Visit => "visit",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Transfer => "transfer",
            Self::Supervision => "supervision",
            Self::Queue => "queue",
        }
    }
}

/// How much of the reporter may be known to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReporterKind {
    /// Gives their name.
    Named,
    /// Gives it to be sealed.
    Confidential,
    /// Does not give it.
    #[default]
    Anonymous,
}

/// A report as it comes in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Submission {
    /// How it came.
    pub channel: Channel,
    /// How much of the reporter may be known.
    pub reporter_kind: ReporterKind,
    /// What is alleged; at least one.
    pub allegations: Vec<Alleged>,
    /// The register that it is entered from, or empty.
    pub source: String,
    /// Its reference there, or empty.
    pub reference: String,
    /// The reporter's actor id where the reporter is an official. Never serialised: the journal keeps a hash of the
    /// serialised command without a key, and a handful of staff would be tried against it in no time.
    #[serde(skip)]
    pub reporter: Option<office::ActorId>,
    /// The receipt code that was drawn for this call; never serialised, so that a repeat is the same request.
    #[serde(skip)]
    pub receipt: Option<ReceiptCode>,
}

/// An allegation as it comes in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Alleged {
    /// Whom it is about.
    pub whom: AllegedWhom,
    /// Code of what is alleged.
    pub category: String,
    /// The reporter's words.
    pub narrative: TextId,
    /// When it happened, if known.
    pub occurred_on: Option<Date>,
    /// Code of where, if known.
    pub place: Option<String>,
}

/// Whom an allegation is about, as it comes in.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllegedWhom {
    /// A subject of the register.
    Registered(SubjectId),
    /// Somebody whom this text describes.
    NotIdentified(TextId),
}

/// It was taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// How it came.
    pub channel: Channel,
    /// How much of the reporter may be known.
    pub reporter_kind: ReporterKind,
    /// What is alleged.
    pub allegations: Vec<Allegation>,
    /// The identified subjects as the register had them, on which the routing rests.
    pub subjects: Vec<Entry>,
    /// Where it lies.
    pub routing: Routing,
    /// The register that it was entered from, or empty.
    pub source: String,
    /// Its reference there, or empty.
    pub reference: String,
    /// The mark of a reporter who is an official.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reporter_mark: Option<Mark>,
    /// What is kept of the receipt code that it began with.
    pub receipt: Receipt,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// The office's date then.
    pub entered_on: Date,
    /// By when triage is due.
    pub triage_due: Timestamp,
    /// The office's date then.
    pub triage_due_on: Date,
    /// The policy profile that said so.
    pub policy: String,
}

pub(super) fn submit(submission: &Submission, context: &Context<Facts>) -> Decision<Event> {
    let code = receipt::fresh(submission.receipt.as_ref())?;
    let known = &context.facts.subjects;
    let mut allegations = Vec::with_capacity(submission.allegations.len());
    let mut subjects: BTreeMap<SubjectId, Entry> = BTreeMap::new();
    let mut unknown = None;
    for (ordinal, alleged) in (0u32..).zip(&submission.allegations) {
        let whom = match alleged.whom {
            AllegedWhom::Registered(subject) => {
                match known.get(&subject) {
                    Some(entry) => {
                        subjects.insert(subject, entry.clone());
                    }
                    None => {
                        let field = format!("allegations[{ordinal}].subject_id");
                        unknown = Some(unknown.unwrap_or(SUBJECT_UNKNOWN).at(field));
                    }
                }
                Whom::Registered(subject)
            }
            AllegedWhom::NotIdentified(description) => Whom::NotIdentified {
                placeholder: context.created(SubjectId::KIND, ordinal).into(),
                description: context.text(description),
            },
        };
        allegations.push(Allegation {
            id: context.created(office::AllegationId::KIND, ordinal).into(),
            report: context.id.into(),
            whom,
            category: alleged.category.clone(),
            occurred_on: alleged.occurred_on,
            place: alleged.place.clone(),
            narrative: context.text(alleged.narrative),
        });
    }
    if let Some(refusal) = unknown {
        return Err(refusal.into());
    }
    let profile = &context.profile;
    let triage_due = profile
        .calendar
        .plus_working_days(context.now, profile.intake.triage_working_days);
    let subjects: Vec<Entry> = subjects.into_values().collect();
    Ok(vec![
        Submitted {
            channel: submission.channel,
            reporter_kind: submission.reporter_kind,
            routing: route(&allegations, &subjects, &profile.units),
            allegations,
            subjects,
            source: submission.source.clone(),
            reference: submission.reference.clone(),
            reporter_mark: submission
                .reporter
                .as_ref()
                .map(|reporter| Mark::of_reporter(&context.secrets, reporter)),
            receipt: Receipt::of(&context.secrets, code),
            entered_at: context.now,
            entered_on: profile.calendar.date(context.now),
            triage_due,
            triage_due_on: profile.calendar.date(triage_due),
            policy: profile.version.clone(),
        }
        .into(),
    ])
}

pub(super) fn filed(submitted: &Submitted) -> Filed {
    Filed {
        subjects: submitted.subjects.clone(),
        identified: BTreeMap::new(),
        receipt: submitted.receipt.clone(),
        receipt_used: false,
        recusal: Recusal {
            actors: submitted
                .subjects
                .iter()
                .filter_map(|subject| subject.actor_id.clone())
                .collect(),
            reporters: submitted.reporter_mark.iter().cloned().collect(),
        },
        materials: Vec::new(),
        erased: BTreeSet::new(),
        overdue: false,
        raised_to: None,
        stage: Stage::Received,
        submitted: submitted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use chassis::testing::given;

    use super::*;
    use crate::examples::{about, about_somebody, anybody, subject, submission, submitted_as};
    use crate::report::{Command, Report};

    #[test]
    fn every_subject_that_the_register_lacks_is_named_by_its_field() {
        let (one, two) = (subject("one"), subject("two"));
        let refusal = given::<Report>()
            .actor(anybody())
            .facts(crate::examples::known(std::slice::from_ref(&one)))
            .when(Command::Submit(submission([
                about(&two),
                about(&one),
                about(&two),
            ])))
            .then_refused(&SUBJECT_UNKNOWN);
        let fields: Vec<&str> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            fields,
            ["allegations[0].subject_id", "allegations[2].subject_id"]
        );
    }

    #[test]
    fn everybody_who_is_not_identified_is_somebody_else() {
        let (submitted, _) = submitted_as(
            submission([about_somebody(), about_somebody()]),
            &[],
            given(),
        );
        let ids: Vec<_> = submitted
            .allegations
            .iter()
            .map(|allegation| allegation.whom.id())
            .collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn the_days_of_triage_are_counted_from_the_day_of_entry() {
        let one = subject("one");
        let (submitted, _) = submitted_as(
            submission([about(&one)]),
            &[one],
            given().now("2026-03-08T20:00:00Z"),
        );
        assert_eq!(submitted.entered_on.to_string(), "2026-03-09");
        assert_eq!(submitted.triage_due_on.to_string(), "2026-03-30");
    }

    #[test]
    fn neither_reporter_nor_receipt_code_is_in_a_commands_serialised_form() {
        let mut named = submission([about_somebody()]);
        named.reporter = Some("official-9".parse().expect("a valid id"));
        let code = ReceiptCode::typed("1234 5678 9012 3456");
        named.receipt.clone_from(&code);
        for command in [
            Command::Submit(named),
            Command::ReplaceReceipt {
                receipt: code.clone(),
            },
            Command::UseReceipt {
                receipt: code.clone(),
            },
            Command::AddMaterial {
                material: crate::examples::text("material"),
                receipt: code.clone(),
            },
            Command::Withdraw { receipt: code },
        ] {
            let json = serde_json::to_string(&command).expect("a command is JSON");
            assert!(
                !json.contains("official-9") && !json.contains("1234"),
                "{json}"
            );
        }
    }
}

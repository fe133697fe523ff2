//! Submitting a report, and its routing to the unit where it lies for triage.
//!
//! Routing goes to the unit with authority over the subject, else to the unit of the place, else to the top of the
//! hierarchy. A report about the head of a unit goes to the unit above and is invisible below, the head's own unit included.
//! Source: `domain.md`, Intake, Routing.

use std::collections::BTreeMap;

use chassis::aggregate::{Context, Decision};
use jiff::Timestamp;
use jiff::civil::Date;
use office::{SubjectId, TextId, UnitCode, Units};
use serde::{Deserialize, Serialize};

use crate::allegation::{Allegation, Whom};
use crate::recusal::{Mark, Recusal};
use crate::report::receipt::Receipt;
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

/// Where a report lies for triage, and why there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The unit.
    pub unit: UnitCode,
    /// Why.
    pub by: RoutedBy,
}

/// Why a report lies where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutedBy {
    /// The unit has authority over the subject.
    Authority,
    /// The subject heads a unit, and this is the one above.
    HeadOfUnit,
    /// It is the unit of the place.
    Place,
    /// Nothing else says where, so it is the top of the hierarchy.
    Top,
}

impl RoutedBy {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::HeadOfUnit => "head_of_unit",
            Self::Place => "place",
            Self::Top => "top",
        }
    }
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
    /// How its receipt code is made and checked.
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
            receipt: Receipt::issue(
                &context.secrets,
                context.id.into(),
                profile.intake.receipt_digits,
            ),
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
        recusal: Recusal {
            actors: submitted
                .subjects
                .iter()
                .filter_map(|subject| subject.actor_id.clone())
                .collect(),
            reporters: submitted.reporter_mark.iter().cloned().collect(),
        },
        materials: Vec::new(),
        overdue: false,
        stage: Stage::Received,
        submitted: submitted.clone(),
    }
}

/// The unit where a report lies, and why.
///
/// Each identified subject needs a unit. Where they need several, the report goes to the lowest unit that stands at or
/// above all of them: the highest of them if they stand in one line, else the first that has all branches below it. No
/// needed unit lies inside the unit that a subject heads, so neither does that one.
pub fn route(allegations: &[Allegation], subjects: &[Entry], units: &Units) -> Routing {
    let needed: Vec<Routing> = subjects
        .iter()
        .map(|subject| needed_by(subject, units))
        .collect();
    if let Some(unit) = lowest_above_all(needed.iter().map(|routing| &routing.unit), units) {
        let deciding = needed.iter().filter(|routing| routing.unit == unit);
        let by = deciding
            .map(|routing| routing.by)
            .max()
            .unwrap_or(RoutedBy::Authority);
        return Routing { unit, by };
    }
    let places = allegations
        .iter()
        .filter_map(|allegation| units.unit_of_place(allegation.place.as_deref()?))
        .map(|unit| &unit.code);
    match lowest_above_all(places, units) {
        Some(unit) => Routing {
            unit,
            by: RoutedBy::Place,
        },
        None => Routing {
            unit: units.root().code.clone(),
            by: RoutedBy::Top,
        },
    }
}

/// The unit that one subject needs: its authority, unless that is the unit which the subject heads or stands below it.
fn needed_by(subject: &Entry, units: &Units) -> Routing {
    if let Some(headed) = &subject.heads {
        let above = units.parent_of(headed).unwrap_or_else(|| units.root());
        if subject.authority == above.code || units.is_at_or_above(headed, &subject.authority) {
            return Routing {
                unit: above.code.clone(),
                by: RoutedBy::HeadOfUnit,
            };
        }
    }
    Routing {
        unit: subject.authority.clone(),
        by: RoutedBy::Authority,
    }
}

/// The lowest unit at or above all of these; `None` if there are none. A unit that the hierarchy no longer has counts
/// as its root.
fn lowest_above_all<'u>(
    mut wanted: impl Iterator<Item = &'u UnitCode>,
    units: &Units,
) -> Option<UnitCode> {
    let first = wanted.next()?.clone();
    let start = units.get(&first).map_or(units.root(), |unit| unit);
    let found = wanted.fold(start, |unit, next| {
        units
            .upwards(&unit.code)
            .find(|upper| units.is_at_or_above(&upper.code, next))
            .unwrap_or_else(|| units.root())
    });
    Some(found.code.clone())
}

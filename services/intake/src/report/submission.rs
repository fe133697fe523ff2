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

#[cfg(test)]
mod tests {
    use chassis::refusal::OUT_OF_SCOPE;
    use chassis::testing::given;
    use proptest::prelude::*;

    use super::*;
    use crate::examples::{
        CITY, COUNTY, NATION, OTHER_TOWN, PROVINCE, TOWN, about, about_somebody, accept, anybody,
        officer, received, subject, submission, submitted_as, unit,
    };
    use crate::report::{Command, Report};

    fn routed(allegations: Vec<Alleged>, subjects: &[Entry]) -> (String, RoutedBy) {
        let (submitted, _) = submitted_as(submission(allegations), subjects, given());
        (submitted.routing.unit.to_string(), submitted.routing.by)
    }

    fn of(authority: &str, subject: Entry) -> Entry {
        Entry {
            authority: unit(authority),
            ..subject
        }
    }

    fn heading(headed: &str, subject: Entry) -> Entry {
        Entry {
            heads: Some(unit(headed)),
            ..subject
        }
    }

    fn from(place: &str) -> Alleged {
        Alleged {
            place: Some(place.to_owned()),
            ..about_somebody()
        }
    }

    #[test]
    fn a_report_goes_to_the_unit_with_authority_over_the_subject() {
        let one = subject("one");
        assert_eq!(
            routed(vec![about(&one)], &[one]),
            (COUNTY.to_owned(), RoutedBy::Authority)
        );
    }

    #[test]
    fn a_report_about_the_head_of_a_unit_goes_to_the_unit_above() {
        for authority in [COUNTY, TOWN, CITY] {
            let head = heading(COUNTY, of(authority, subject("head")));
            assert_eq!(
                routed(vec![about(&head)], &[head]),
                (CITY.to_owned(), RoutedBy::HeadOfUnit)
            );
        }
        let head = heading(TOWN, of(PROVINCE, subject("head")));
        assert_eq!(
            routed(vec![about(&head)], &[head]),
            (PROVINCE.to_owned(), RoutedBy::Authority),
            "an authority that stands higher still keeps it"
        );
        let head = heading(NATION, of(NATION, subject("head")));
        assert_eq!(
            routed(vec![about(&head)], &[head]).0,
            NATION,
            "nobody stands above the top"
        );
    }

    #[test]
    fn a_report_about_several_goes_to_the_lowest_unit_above_all() {
        let town = of(TOWN, subject("town"));
        let other = of(OTHER_TOWN, subject("other"));
        let city = of(CITY, subject("city"));
        assert_eq!(
            routed(vec![about(&town), about(&city)], &[town.clone(), city]),
            (CITY.to_owned(), RoutedBy::Authority)
        );
        assert_eq!(
            routed(vec![about(&town), about(&other)], &[town, other]),
            (COUNTY.to_owned(), RoutedBy::Authority)
        );
    }

    #[test]
    fn where_nobody_is_identified_the_place_decides() {
        assert_eq!(
            routed(vec![from("910101001")], &[]),
            (TOWN.to_owned(), RoutedBy::Place)
        );
        let one = subject("one");
        assert_eq!(
            routed(vec![from("910102"), about(&one)], &[one]).0,
            COUNTY,
            "somebody is"
        );
    }

    #[test]
    fn where_nothing_says_where_it_goes_to_the_top() {
        assert_eq!(
            routed(vec![about_somebody(), from("nowhere")], &[]),
            (NATION.to_owned(), RoutedBy::Top)
        );
    }

    #[test]
    fn a_report_about_the_head_of_a_unit_is_invisible_to_the_unit_below() {
        let head = heading(COUNTY, subject("head"));
        let report = received(&[head]);
        report
            .clone()
            .actor(officer("of-the-county", COUNTY))
            .when(accept())
            .then_refused(&OUT_OF_SCOPE);
        report
            .actor(officer("of-the-city", CITY))
            .when(accept())
            .accepted();
    }

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
        let code = crate::report::receipt::ReceiptCode::typed("1234 5678 9012 3456");
        for command in [
            Command::Submit(named),
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

    proptest! {
        /// Whoever the subjects are, no unit that one of them heads sees the report, nor one below; unless it is the top.
        #[test]
        fn no_route_ends_within_a_unit_that_a_subject_heads(
            drawn in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any::<prop::sample::Index>())), 1..5)
        ) {
            let context = given::<Report>();
            let units = &context.context().profile.units;
            let all: Vec<UnitCode> = units.iter().map(|unit| unit.code.clone()).collect();
            let subjects: Vec<Entry> = drawn
                .iter()
                .enumerate()
                .map(|(number, (authority, headed))| Entry {
                    authority: authority.get(&all).clone(),
                    heads: headed.map(|headed| headed.get(&all).clone()),
                    ..subject(&number.to_string())
                })
                .collect();
            let routing = route(&[], &subjects, units);
            for subject in &subjects {
                prop_assert!(units.is_at_or_above(&routing.unit, &needed_by(subject, units).unit));
                if let Some(headed) = &subject.heads {
                    prop_assert!(
                        routing.unit == units.root().code || !units.is_at_or_above(headed, &routing.unit)
                    );
                }
            }
        }
    }
}

//! Routing: where a report lies for triage, and why there.
//!
//! It goes to the unit with authority over the subject, else to the unit of the place, else to the top of the hierarchy.
//! A report about the head of a unit goes to the unit above and is invisible below, the head's own unit included.
//! Source: `domain.md`, Intake, Routing.

use office::{UnitCode, Units};
use serde::{Deserialize, Serialize};

use crate::allegation::Allegation;
use crate::subject::Entry;

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
        CITY, COUNTY, NATION, OTHER_TOWN, PROVINCE, TOWN, about, about_somebody, accept, officer,
        received, subject, submission, submitted_as, unit,
    };
    use crate::report::Report;
    use crate::report::submission::Alleged;

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

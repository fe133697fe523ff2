//! The units that can handle matters, and how they stand over one another: nation, province, prefecture, county,
//! township. Routing, scope and figures "with the units below" all read this one hierarchy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::code::code;
use crate::level::Level;

code! {
    /// The code of a unit, such as `P51-01`. The code `-` is reserved for "belongs to no unit".
    UnitCode, "unit code", 1..=64 of "A-Z a-z 0-9 . _ -" also b"._-"
}

impl UnitCode {
    /// The code of those who belong to no unit: services and the public. No unit of the hierarchy has it.
    pub fn none() -> UnitCode {
        UnitCode("-".to_owned())
    }

    /// Whether it stands for "belongs to no unit".
    pub fn is_none(&self) -> bool {
        self.0 == "-"
    }
}

/// An organisation in the hierarchy that can handle matters (承辦單位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its code, by which events and tokens name it.
    pub code: UnitCode,
    /// Its name by language (`zh-Hans`, `zh-Hant`, `en`).
    pub name: BTreeMap<String, String>,
    /// How high it stands.
    pub level: Level,
    /// The unit above it; none for the one root.
    pub parent: Option<UnitCode>,
    /// The code of the place that it is responsible for, if any; no two units have the same.
    pub place: Option<String>,
}

impl Unit {
    /// Its name in the language, else in any that it has.
    pub fn name_in(&self, language: &str) -> &str {
        let name = self
            .name
            .get(language)
            .or_else(|| self.name.values().next());
        name.map_or(self.code.as_str(), String::as_str)
    }
}

/// What is wrong with a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitFault {
    /// No units at all.
    #[error("there is no unit; give at least the root")]
    Empty,
    /// A code that stands for "no unit".
    #[error("the code - is reserved for those who belong to no unit; choose another")]
    Reserved,
    /// Two units of one code.
    #[error("the code {0} is given to more than one unit; each unit has its own")]
    DuplicateCode(UnitCode),
    /// A unit without any name.
    #[error("unit {0} has no name; give one for at least one language")]
    NoName(UnitCode),
    /// A parent that is not in the hierarchy.
    #[error(
        "unit {unit} stands below {parent}, which is not in the hierarchy; add it or correct the parent"
    )]
    UnknownParent {
        /// The unit below.
        unit: UnitCode,
        /// What it names as its parent.
        parent: UnitCode,
    },
    /// Units that stand below themselves.
    #[error("the units {} stand below one another in a circle; correct one parent", listed(.0))]
    Cycle(Vec<UnitCode>),
    /// No unit without a parent.
    #[error("every unit has a parent; exactly one, the root, has none")]
    NoRoot,
    /// More than one unit without a parent.
    #[error("the units {} have no parent; exactly one, the root, has none", listed(.0))]
    ManyRoots(Vec<UnitCode>),
    /// A unit that is not lower than the one above it.
    #[error(
        "unit {unit} ({level}) stands below {parent} ({parent_level}); its level must be lower than its parent's"
    )]
    LevelNotBelow {
        /// The unit below.
        unit: UnitCode,
        /// Its level.
        level: Level,
        /// The unit above.
        parent: UnitCode,
        /// The level of the unit above.
        parent_level: Level,
    },
    /// Two units for one place.
    #[error(
        "the place {place} belongs to {first} and to {second}; a report from there must reach one unit"
    )]
    DuplicatePlace {
        /// The place.
        place: String,
        /// The unit that has it first.
        first: UnitCode,
        /// The unit that has it too.
        second: UnitCode,
    },
}

fn listed(codes: &[UnitCode]) -> String {
    codes
        .iter()
        .map(UnitCode::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A validated hierarchy: one root, no circle, every unit lower than the one above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    units: BTreeMap<UnitCode, Unit>,
    children: BTreeMap<UnitCode, Vec<UnitCode>>,
    places: BTreeMap<String, UnitCode>,
    root: UnitCode,
}

impl Units {
    /// Builds the hierarchy.
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first.
    pub fn new(given: Vec<Unit>) -> Result<Units, Vec<UnitFault>> {
        let mut faults = Vec::new();
        let mut units: BTreeMap<UnitCode, Unit> = BTreeMap::new();
        let mut places: BTreeMap<String, UnitCode> = BTreeMap::new();
        for unit in given {
            if unit.code.is_none() {
                faults.push(UnitFault::Reserved);
                continue;
            }
            if units.contains_key(&unit.code) {
                faults.push(UnitFault::DuplicateCode(unit.code));
                continue;
            }
            if unit.name.values().all(|name| name.trim().is_empty()) {
                faults.push(UnitFault::NoName(unit.code.clone()));
            }
            if let Some(place) = &unit.place {
                if let Some(first) = places.get(place) {
                    faults.push(UnitFault::DuplicatePlace {
                        place: place.clone(),
                        first: first.clone(),
                        second: unit.code.clone(),
                    });
                } else {
                    places.insert(place.clone(), unit.code.clone());
                }
            }
            units.insert(unit.code.clone(), unit);
        }

        let mut children: BTreeMap<UnitCode, Vec<UnitCode>> = BTreeMap::new();
        let mut roots = Vec::new();
        for unit in units.values() {
            let Some(parent) = &unit.parent else {
                roots.push(unit.code.clone());
                continue;
            };
            match units.get(parent) {
                None => faults.push(UnitFault::UnknownParent {
                    unit: unit.code.clone(),
                    parent: parent.clone(),
                }),
                Some(above) if unit.level >= above.level => {
                    faults.push(UnitFault::LevelNotBelow {
                        unit: unit.code.clone(),
                        level: unit.level,
                        parent: above.code.clone(),
                        parent_level: above.level,
                    });
                }
                Some(above) => {
                    children
                        .entry(above.code.clone())
                        .or_default()
                        .push(unit.code.clone());
                }
            }
        }
        faults.extend(circles(&units).into_iter().map(UnitFault::Cycle));
        let root = match roots.as_slice() {
            [root] => root.clone(),
            [] => {
                faults.push(if units.is_empty() {
                    UnitFault::Empty
                } else {
                    UnitFault::NoRoot
                });
                return Err(faults);
            }
            _ => {
                faults.push(UnitFault::ManyRoots(roots));
                return Err(faults);
            }
        };
        if faults.is_empty() {
            Ok(Units {
                units,
                children,
                places,
                root,
            })
        } else {
            Err(faults)
        }
    }

    /// The unit of a code.
    pub fn get(&self, code: &UnitCode) -> Option<&Unit> {
        self.units.get(code)
    }

    /// The one unit that has none above it.
    pub fn root(&self) -> &Unit {
        &self.units[&self.root]
    }

    /// The unit directly above.
    pub fn parent_of(&self, code: &UnitCode) -> Option<&Unit> {
        self.get(self.get(code)?.parent.as_ref()?)
    }

    /// The unit itself, then the one above it, up to the root; nothing for an unknown unit.
    pub fn upwards(&self, code: &UnitCode) -> impl Iterator<Item = &Unit> {
        std::iter::successors(self.get(code), |unit| self.parent_of(&unit.code))
    }

    /// Whether `upper` is `lower` or stands above it. Always false when either is not in the hierarchy.
    pub fn is_at_or_above(&self, upper: &UnitCode, lower: &UnitCode) -> bool {
        self.upwards(lower).any(|unit| &unit.code == upper)
    }

    /// The unit itself and all units below it, for figures; nothing for an unknown unit.
    pub fn below(&self, code: &UnitCode) -> Vec<&Unit> {
        let mut found: Vec<&Unit> = self.get(code).into_iter().collect();
        let mut next = 0;
        while let Some(unit) = found.get(next) {
            let children = self.children.get(&unit.code).into_iter().flatten();
            found.extend(children.filter_map(|child| self.get(child)));
            next += 1;
        }
        found
    }

    /// The unit that is responsible for a place.
    pub fn unit_of_place(&self, place: &str) -> Option<&Unit> {
        self.get(self.places.get(place)?)
    }

    /// All units, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }
}

/// The circles among the units, each once, from its smallest code on upwards.
fn circles(units: &BTreeMap<UnitCode, Unit>) -> Vec<Vec<UnitCode>> {
    let mut circles = Vec::new();
    let mut seen: BTreeSet<&UnitCode> = BTreeSet::new();
    for start in units.keys() {
        let mut path: Vec<&UnitCode> = Vec::new();
        let mut at = Some(start);
        while let Some(code) = at {
            if let Some(first) = path.iter().position(|on_path| *on_path == code) {
                let mut circle: Vec<UnitCode> = path.drain(first..).cloned().collect();
                let smallest = circle.iter().enumerate().min_by_key(|(_, code)| *code);
                let smallest = smallest.map_or(0, |(index, _)| index);
                circle.rotate_left(smallest);
                circles.push(circle);
                break;
            }
            if !seen.insert(code) {
                break;
            }
            path.push(code);
            at = units.get(code).and_then(|unit| unit.parent.as_ref());
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> UnitCode {
        UnitCode::new(text).expect("a valid code")
    }

    fn unit(text: &str, level: Level, parent: Option<&str>) -> Unit {
        Unit {
            code: code(text),
            name: BTreeMap::from([("en".to_owned(), format!("Office {text}"))]),
            level,
            parent: parent.map(code),
            place: Some(format!("place-{text}")),
        }
    }

    /// A province with two prefectures; below the first a county with a township.
    fn province() -> Vec<Unit> {
        vec![
            unit("P", Level::Province, None),
            unit("P-1", Level::Prefecture, Some("P")),
            unit("P-2", Level::Prefecture, Some("P")),
            unit("P-1-1", Level::County, Some("P-1")),
            unit("P-1-1-1", Level::Township, Some("P-1-1")),
        ]
    }

    fn codes(units: &[&Unit]) -> Vec<String> {
        units.iter().map(|unit| unit.code.to_string()).collect()
    }

    #[test]
    fn a_unit_stands_at_or_above_itself_and_those_below() {
        let units = Units::new(province()).expect("a valid hierarchy");
        let above = |upper, lower| units.is_at_or_above(&code(upper), &code(lower));
        assert!(above("P", "P-1-1-1"));
        assert!(above("P-1", "P-1"));
        assert!(!above("P-1-1", "P-1"), "never upwards");
        assert!(!above("P-2", "P-1-1"), "never sideways");
    }

    #[test]
    fn an_unknown_unit_stands_above_nothing_not_even_itself() {
        let units = Units::new(province()).expect("a valid hierarchy");
        assert!(!units.is_at_or_above(&code("X"), &code("X")));
        assert!(!units.is_at_or_above(&code("P"), &code("X")));
        assert!(!units.is_at_or_above(&UnitCode::none(), &UnitCode::none()));
        assert!(units.below(&code("X")).is_empty());
    }

    #[test]
    fn figures_count_a_unit_with_all_below_it() {
        let units = Units::new(province()).expect("a valid hierarchy");
        assert_eq!(
            codes(&units.below(&code("P-1"))),
            ["P-1", "P-1-1", "P-1-1-1"]
        );
        assert_eq!(units.below(&code("P")).len(), 5);
        assert_eq!(codes(&units.below(&code("P-2"))), ["P-2"]);
        assert_eq!(units.root().code, code("P"));
        let upwards: Vec<_> = units.upwards(&code("P-1-1")).collect();
        assert_eq!(codes(&upwards), ["P-1-1", "P-1", "P"]);
    }

    #[test]
    fn a_place_belongs_to_one_unit() {
        let units = Units::new(province()).expect("a valid hierarchy");
        assert_eq!(
            units.unit_of_place("place-P-2").map(|unit| &unit.code),
            Some(&code("P-2"))
        );
        assert_eq!(units.unit_of_place("elsewhere"), None);
        let mut doubled = province();
        doubled[2].place = doubled[1].place.clone();
        let faults = Units::new(doubled).expect_err("two units of one place");
        assert!(
            matches!(&faults[..], [UnitFault::DuplicatePlace { second, .. }] if *second == code("P-2"))
        );
    }

    #[test]
    fn a_name_is_given_in_the_language_or_in_any() {
        let mut unit = unit("P", Level::Province, None);
        unit.name.insert("zh-Hant".to_owned(), "雲川省".to_owned());
        assert_eq!(unit.name_in("zh-Hant"), "雲川省");
        assert_eq!(unit.name_in("fr"), "Office P");
    }

    #[test]
    fn all_faults_of_a_hierarchy_are_told_at_once() {
        let mut broken = province();
        broken.push(unit("P-2", Level::County, Some("P")));
        broken.push(unit("Q", Level::Township, Some("nowhere")));
        broken.push(unit("R", Level::Nation, Some("P")));
        broken.push(unit("S", Level::Nation, None));
        broken.push(Unit {
            name: BTreeMap::new(),
            place: None,
            ..unit("T", Level::County, Some("P"))
        });
        broken.push(unit("C1", Level::County, Some("C3")));
        broken.push(unit("C2", Level::Township, Some("C1")));
        broken.push(unit("C3", Level::Township, Some("C2")));
        broken.push(unit("C4", Level::Township, Some("C1")));
        broken.push(Unit {
            code: UnitCode::none(),
            ..unit("X", Level::County, Some("P"))
        });
        let faults = Units::new(broken).expect_err("much is wrong");
        let told: Vec<String> = faults.iter().map(UnitFault::to_string).collect();
        for expected in [
            "the code P-2 is given to more than one unit; each unit has its own",
            "unit Q stands below nowhere, which is not in the hierarchy; add it or correct the parent",
            "unit R (nation) stands below P (province); its level must be lower than its parent's",
            "the units P, S have no parent; exactly one, the root, has none",
            "unit T has no name; give one for at least one language",
            "the units C1, C3, C2 stand below one another in a circle; correct one parent",
            "the code - is reserved for those who belong to no unit; choose another",
        ] {
            assert!(
                told.iter().any(|fault| fault == expected),
                "{expected} is not among {told:#?}"
            );
        }
        let circles = faults
            .iter()
            .filter(|fault| matches!(fault, UnitFault::Cycle(_)));
        assert_eq!(circles.count(), 1, "each circle once");
    }

    #[test]
    fn there_is_exactly_one_root() {
        assert_eq!(Units::new(Vec::new()), Err(vec![UnitFault::Empty]));
        let circle = vec![
            unit("A", Level::County, Some("B")),
            unit("B", Level::Province, Some("A")),
        ];
        let faults = Units::new(circle).expect_err("no root");
        assert!(faults.contains(&UnitFault::NoRoot));
        assert!(faults.contains(&UnitFault::Cycle(vec![code("A"), code("B")])));
    }

    /// Hierarchies of any shape: each unit below some earlier one that is not a township.
    fn hierarchies() -> impl Strategy<Value = Units> {
        prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
            0..40,
        )
        .prop_map(|draws| {
            let mut units = vec![unit("U0", Level::Nation, None)];
            for (parent, level) in draws {
                let parents: Vec<&Unit> = units
                    .iter()
                    .filter(|unit| unit.level > Level::Township)
                    .collect();
                let parent = parents[parent.index(parents.len())];
                let lower: Vec<Level> = Level::ALL
                    .into_iter()
                    .filter(|level| *level < parent.level)
                    .collect();
                let level = lower[level.index(lower.len())];
                let next = unit(
                    &format!("U{}", units.len()),
                    level,
                    Some(parent.code.as_str()),
                );
                units.push(next);
            }
            Units::new(units).expect("built to be valid")
        })
    }

    proptest! {
        #[test]
        fn is_at_or_above_is_a_partial_order(units in hierarchies()) {
            let all: Vec<&UnitCode> = units.iter().map(|unit| &unit.code).collect();
            for a in &all {
                prop_assert!(units.is_at_or_above(a, a));
                prop_assert!(units.is_at_or_above(&units.root().code, a));
                for b in &all {
                    let ab = units.is_at_or_above(a, b);
                    prop_assert!(!(ab && units.is_at_or_above(b, a)) || a == b);
                    prop_assert_eq!(ab, units.below(a).iter().any(|unit| &&unit.code == b));
                    for c in &all {
                        prop_assert!(!(ab && units.is_at_or_above(b, c)) || units.is_at_or_above(a, c));
                    }
                }
            }
        }
    }
}

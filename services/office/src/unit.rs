//! The units that can handle matters, and how they stand over one another: nation, province, prefecture, county,
//! township. Routing, scope and figures "with the units below" all read this one hierarchy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::code;

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

/// How high a unit stands. Ordered by rank, the nation highest: "at prefecture level or above" is
/// `level >= Level::Prefecture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 鄉
    Township,
    /// 縣
    County,
    /// 地級市
    Prefecture,
    /// 省
    Province,
    /// 國家
    Nation,
}

impl Level {
    /// All levels, the highest first.
    pub const ALL: [Level; 5] = [
        Level::Nation,
        Level::Province,
        Level::Prefecture,
        Level::County,
        Level::Township,
    ];

    /// The level's word, the same in policy files, journals and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Nation => "nation",
            Level::Province => "province",
            Level::Prefecture => "prefecture",
            Level::County => "county",
            Level::Township => "township",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level: expected nation, province, prefecture, county or township")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        let level = Level::ALL.into_iter().find(|level| level.word() == word);
        level.ok_or_else(|| UnknownLevel(word.chars().take(64).collect()))
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

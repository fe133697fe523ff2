//! The table at the end of a replay: each figure as the register has it, beside what the services count.
//!
//! The services' side comes from their own statistics and from nothing else: not from what the replay sent or was answered. A figure
//! that a service does not give is 0, so it is equal only where the register has none either.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::output;
use crate::register::{Figure, Figures};

/// The statistics of both services for one source, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// What intake counts: the subjects.
    pub intake: BTreeMap<String, u64>,
    /// What verification counts: cases, allegations, findings.
    pub verification: BTreeMap<String, u64>,
}

impl Counted {
    /// The services' side of the table.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures::each(|figure| {
            let service = match figure {
                Figure::SubjectsIdentified | Figure::SubjectsNotIdentified => &self.intake,
                Figure::Cases
                | Figure::CasesConcluded
                | Figure::CasesOpen
                | Figure::Allegations
                | Figure::Found(_)
                | Figure::Closed(_)
                | Figure::AllegationsOpen => &self.verification,
            };
            service.get(figure.key()).copied().unwrap_or_default()
        })
    }
}

/// Both sides.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Counted straight from the CSV.
    pub register: Figures,
    /// Counted by the services.
    pub services: Figures,
    /// The keys of the figures that differ.
    pub differing: Vec<&'static str>,
}

impl Comparison {
    /// Compares both sides.
    #[must_use]
    pub fn of(register: Figures, counted: &Counted) -> Self {
        let services = counted.figures();
        let differing = register.differences(&services);
        Self {
            differing: differing.map(|(figure, ..)| figure.key()).collect(),
            register,
            services,
        }
    }

    /// Whether every figure is the same on both sides.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differing.is_empty()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sides = self.register.iter().zip(self.services.iter());
        let rows = sides.map(|((figure, register), (_, services))| {
            vec![
                figure.label().to_owned(),
                format!("{register:>8}"),
                format!("{services:>8}"),
                if register == services { "yes" } else { "NO" }.to_owned(),
            ]
        });
        f.write_str(&output::table(
            &["figure", "register", "services", "equal"],
            rows.collect(),
            "",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::Map;

    const TOWN: &[u8] = include_bytes!("../../../../tests/registers/town.csv");
    const MAP: &str = include_str!("../../../../tests/registers/town.toml");

    fn register() -> Figures {
        let map = Map::parse(MAP).expect("a map");
        Figures::count(TOWN, &map, None).expect("figures")
    }

    /// Services that count the same as the register.
    fn counted() -> Counted {
        let mut counted = Counted::default();
        for (figure, count) in register().iter() {
            let subjects = figure.key().starts_with("subjects");
            let service = if subjects {
                &mut counted.intake
            } else {
                &mut counted.verification
            };
            service.insert(figure.key().to_owned(), count);
        }
        counted
    }

    #[test]
    fn equal_sides_are_equal() {
        let comparison = Comparison::of(register(), &counted());
        assert!(comparison.is_equal(), "{comparison}");
        assert!(!comparison.to_string().contains("NO"));
    }

    #[test]
    fn any_figure_that_differs_is_shown_and_fails_the_table() {
        for figure in Figure::ALL {
            let mut counted = counted();
            for service in [&mut counted.intake, &mut counted.verification] {
                if let Some(count) = service.get_mut(figure.key()) {
                    *count += 1;
                }
            }
            let comparison = Comparison::of(register(), &counted);
            assert_eq!(comparison.differing, [figure.key()]);
            let text = comparison.to_string();
            let line = text
                .lines()
                .find(|line| line.contains("NO"))
                .expect("a line");
            assert!(line.contains(figure.label()), "{line}");
        }
    }

    #[test]
    fn services_that_count_nothing_are_not_equal() {
        let comparison = Comparison::of(register(), &Counted::default());
        let differing = comparison.differing.len();
        let counted = register().iter().filter(|(_, count)| *count > 0).count();
        assert_eq!(differing, counted);
        assert!(differing > 0);
    }

    #[test]
    fn a_service_does_not_count_for_the_other() {
        let counted = counted();
        let swapped = Counted {
            intake: counted.verification,
            verification: counted.intake,
        };
        assert!(!Comparison::of(register(), &swapped).is_equal());
    }

    #[test]
    fn scripts_get_both_sides_and_what_differs() {
        let json = serde_json::to_value(Comparison::of(register(), &counted())).expect("JSON");
        assert_eq!(json["register"][0]["key"], "cases");
        assert_eq!(json["services"][0]["key"], "cases");
        assert_eq!(json["differing"], serde_json::json!([]));
    }
}

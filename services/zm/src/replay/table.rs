//! The table at the end of a replay: each figure as the register has it, beside what the services count.
//!
//! The services' side comes from their own statistics and from nothing else: not from what the replay sent or was answered. A figure
//! that a service does not give is 0, so it is equal only where the register has none either.

use std::collections::BTreeMap;
use std::fmt;

use office::UnitCode;
use serde::Serialize;

use crate::output;
use crate::register::{Figure, Figures};

/// The statistics of all services for one source, by service and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted(BTreeMap<&'static str, BTreeMap<String, u64>>);

impl Counted {
    /// What a service counts.
    pub fn take(&mut self, service: &'static str, figures: Vec<(String, i64)>) {
        let figures = figures.into_iter();
        let figures = figures.map(|(key, count)| (key, u64::try_from(count).unwrap_or_default()));
        self.0.entry(service).or_default().extend(figures);
    }

    /// The services' side of the table, for a register whose cases this unit handles.
    #[must_use]
    pub fn figures(&self, unit: &UnitCode) -> Figures {
        Figures::each(|figure| {
            let service = match figure {
                Figure::SubjectsIdentified | Figure::SubjectsNotIdentified => "intake",
                Figure::Cases
                | Figure::CasesConcluded
                | Figure::CasesOpen
                | Figure::Allegations
                | Figure::Found(_)
                | Figure::Closed(_)
                | Figure::AllegationsOpen
                | Figure::Sanctions => "verification",
                Figure::Cleared
                | Figure::CarriedOut
                | Figure::LedgerEntries
                | Figure::LedgerEntriesOfUnit => "clarification",
                Figure::Files => "follow_up",
            };
            let key = match figure {
                Figure::LedgerEntriesOfUnit => format!("ledger_entries:{unit}"),
                figure => figure.key().to_owned(),
            };
            let counted = self.0.get(service).and_then(|figures| figures.get(&key));
            counted.copied().unwrap_or_default()
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
    pub fn of(register: Figures, counted: &Counted, unit: &UnitCode) -> Self {
        let services = counted.figures(unit);
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

    fn unit() -> UnitCode {
        UnitCode::new("P51-01").expect("a code")
    }

    fn compared(counted: &Counted) -> Comparison {
        Comparison::of(register(), counted, &unit())
    }

    /// Which service counts a figure, and under which key; written down apart from the code.
    fn place(figure: Figure) -> (&'static str, String) {
        let key = figure.key();
        match key {
            "subjects_identified" | "subjects_not_identified" => ("intake", key.to_owned()),
            "cleared_by_conclusion" | "carried_out" | "ledger_entries" => {
                ("clarification", key.to_owned())
            }
            "ledger_entries_of_unit" => ("clarification", "ledger_entries:P51-01".to_owned()),
            "files" => ("follow_up", key.to_owned()),
            _ => ("verification", key.to_owned()),
        }
    }

    /// Services that count the same as the register.
    fn counted() -> Counted {
        let mut counted = Counted::default();
        for (figure, count) in register().iter() {
            let (service, key) = place(figure);
            counted.take(service, vec![(key, count as i64)]);
        }
        counted
    }

    #[test]
    fn equal_sides_are_equal() {
        let comparison = compared(&counted());
        assert!(comparison.is_equal(), "{comparison}");
        assert!(!comparison.to_string().contains("NO"));
    }

    #[test]
    fn any_figure_that_differs_is_shown_and_fails_the_table() {
        for figure in Figure::ALL {
            let mut counted = counted();
            let (service, key) = place(figure);
            let more = register().get(figure) as i64 + 1;
            counted.take(service, vec![(key, more)]);
            let comparison = compared(&counted);
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
        let comparison = compared(&Counted::default());
        let differing = comparison.differing.len();
        let counted = register().iter().filter(|(_, count)| *count > 0).count();
        assert_eq!(differing, counted);
        assert!(differing > 0);
    }

    #[test]
    fn a_service_does_not_count_for_another() {
        for (service, _) in register().iter().map(|(figure, _)| place(figure)) {
            let mut swapped = Counted::default();
            for (figure, count) in register().iter() {
                let (own, key) = place(figure);
                let other = if own == "intake" {
                    "verification"
                } else {
                    "intake"
                };
                let counting = if own == service { other } else { own };
                swapped.take(counting, vec![(key, count as i64)]);
            }
            assert!(!compared(&swapped).is_equal(), "{service}");
        }
    }

    #[test]
    fn another_units_ledger_is_not_the_registers() {
        let elsewhere = UnitCode::new("P52").expect("a code");
        let comparison = Comparison::of(register(), &counted(), &elsewhere);
        assert_eq!(comparison.differing, ["ledger_entries_of_unit"]);
    }

    #[test]
    fn scripts_get_both_sides_and_what_differs() {
        let json = serde_json::to_value(compared(&counted())).expect("JSON");
        assert_eq!(json["register"][0]["key"], "cases");
        assert_eq!(json["services"][0]["key"], "cases");
        assert_eq!(json["differing"], serde_json::json!([]));
    }
}

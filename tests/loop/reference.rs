//! One province's half year: 779 persons and 105 organisations cleared, 467 meetings held, out of reports that went through
//! all services, among five times as many others that clear nobody; and `zm stats` gives exactly that, by unit and in total.
//!
//! The tests do a tenth of it, `tests/reference` the whole.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use proto::office::{ClarificationForm, Finding, Harm, SubjectKind};
use serde_json::Value;
use tests::Office;
use tests::docket::{Docket, Report};

/// How many persons are cleared.
const PERSONS: usize = 779;
/// How many organisations are.
const ORGANISATIONS: usize = 105;
/// How many meetings are held.
const MEETINGS: usize = 467;
/// How many others there are for each who is cleared.
const OTHERS: usize = 5;
/// How many hundredths of it, where `ZHENGMING_REFERENCE` does not say it.
const HUNDREDTHS: usize = 10;
/// How many reports are led at once.
const AT_ONCE: usize = 32;
const SOURCE: &str = "reference";

/// What becomes of one report.
struct Course {
    report: Report,
    /// How its subject is cleared, if they are: the form and, of a meeting, which.
    cleared: Option<(ClarificationForm, Option<usize>)>,
}

/// The scenario, so many hundredths of it.
struct Scenario {
    units: Vec<String>,
    persons: usize,
    organisations: usize,
    meetings: usize,
}

impl Scenario {
    fn new(hundredths: usize) -> Self {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        let units = policies.units();
        let root = &units.root().code;
        let below = units.iter().filter(|unit| unit.code != *root);
        Self {
            units: below.map(|unit| unit.code.to_string()).collect(),
            persons: PERSONS * hundredths / 100,
            organisations: ORGANISATIONS * hundredths / 100,
            meetings: MEETINGS * hundredths / 100,
        }
    }

    fn unit(&self, number: usize) -> &String {
        &self.units[number % self.units.len()]
    }

    /// How many reports it has.
    fn reports(&self) -> usize {
        (self.persons + self.organisations) * (1 + OTHERS)
    }

    /// The course of the report of this number. Those who are cleared come one in so many, as in life.
    fn course(&self, number: usize) -> Course {
        let (nth, among) = (number / (1 + OTHERS), number % (1 + OTHERS));
        let kind = if nth < self.persons {
            SubjectKind::Person
        } else {
            SubjectKind::Organisation
        };
        // Of the others, one in five is unfounded as well, but harmed nobody.
        let (finding, harm) = match among {
            0 if nth.is_multiple_of(3) => (Finding::Exonerated, Some(Harm::RightsHarmed)),
            0 => (Finding::Unfounded, Some(Harm::SpreadInPublic)),
            1 | 2 => (Finding::Unsubstantiated, None),
            3 | 4 => (Finding::Substantiated, None),
            _ => (Finding::Unfounded, None),
        };
        Course {
            report: Report {
                name: format!("reference-{number:05}"),
                source: SOURCE,
                kind,
                unit: self.unit(nth).clone(),
                finding,
                harm,
            },
            cleared: (among == 0).then(|| self.form(nth)),
        }
    }

    /// How the nth name is cleared: each meeting has one of its own, a quarter of them another of the same unit, and the
    /// rest is told in the other forms.
    fn form(&self, nth: usize) -> (ClarificationForm, Option<usize>) {
        let second = nth.checked_sub(self.meetings);
        match second {
            None => (ClarificationForm::Meeting, Some(nth)),
            Some(second) if second < self.meetings / 4 => {
                let same_unit = nth % self.units.len();
                (ClarificationForm::Meeting, Some(same_unit))
            }
            Some(second) => {
                let others = [
                    ClarificationForm::Written,
                    ClarificationForm::InPerson,
                    ClarificationForm::Bulletin,
                ];
                (others[second % others.len()], None)
            }
        }
    }

    /// What must be counted, for each unit with the units below it, and in total under an empty code.
    fn expected(&self) -> BTreeMap<String, BTreeMap<String, usize>> {
        let policies = office::Policies::shipped().expect("the shipped policy loads");
        let mut expected: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let mut count = |unit: &str, key: &str| {
            let code = unit.parse().expect("a unit code");
            let upwards = policies.units().upwards(&code);
            let counted_in = upwards.map(|unit| unit.code.to_string());
            for of in counted_in.chain([String::new()]) {
                let figures = expected.entry(of).or_default();
                *figures.entry(key.to_owned()).or_default() += 1;
            }
        };
        for nth in 0..self.persons + self.organisations {
            let unit = self.unit(nth);
            let kind = if nth < self.persons {
                "persons_cleared"
            } else {
                "organisations_cleared"
            };
            let form = match self.form(nth).0 {
                ClarificationForm::Meeting => "form_meeting",
                ClarificationForm::Written => "form_written",
                ClarificationForm::InPerson => "form_in_person",
                _ => "form_bulletin",
            };
            for key in [kind, form, "carried_out", "ledger_entries"] {
                count(unit, key);
            }
        }
        for meeting in 0..self.meetings {
            count(self.unit(meeting), "meetings");
        }
        expected
    }
}

/// Leads a report to the end of its course, or until its subject's name waits for a meeting: which, and the clarification.
async fn lead(docket: &Docket, course: Course) -> Option<(usize, String)> {
    let Course { report, cleared } = course;
    let concluded = docket.conclude(&report).await;
    let (form, meeting) = cleared?;
    let id = docket.opened(&concluded).await;
    docket.prepare(&report.name, &id, form).await;
    if let Some(meeting) = meeting {
        return Some((meeting, id));
    }
    let carried_out = docket.carry_out(&report.name, &id, form).await;
    carried_out.unwrap_or_else(|refusal| panic!("{}: {refusal}", report.name));
    None
}

/// The figures that are expected, as the service tells them.
fn told(figures: &Value, keys: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    let figures = figures.as_array().expect("a list").iter();
    let all = figures.map(|figure| {
        let key = figure["key"].as_str().expect("a key").to_owned();
        let count = figure["count"].as_str().unwrap_or("0");
        (key, count.parse().expect("a number"))
    });
    all.filter(|(key, _)| keys.contains_key(key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provinces_half_year_is_counted_exactly_by_unit_and_in_total() {
    let hundredths = std::env::var("ZHENGMING_REFERENCE").ok();
    let hundredths = hundredths.map_or(HUNDREDTHS, |said| said.parse().expect("a number"));
    let scenario = Scenario::new(hundredths);
    let office = Office::new().await;
    let _services = office.start_all().await;
    let docket = Docket::new(&office, vec![office.client()]);
    let wait: Vec<_> = futures::stream::iter(0..scenario.reports())
        .map(|number| lead(&docket, scenario.course(number)))
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await;
    let mut meetings: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (meeting, id) in wait {
        meetings.entry(meeting).or_default().push(id);
    }
    let docket = &docket;
    futures::stream::iter(meetings)
        .for_each_concurrent(AT_ONCE, async |(meeting, ids)| {
            let name = format!("{SOURCE} meeting {meeting}");
            docket.meet(&name, &ids).await;
        })
        .await;
    office.zm_json(&["quiet", "--wait", "300"]);

    let expected = scenario.expected();
    let figures = office.zm_json(&["stats", "--by-unit", "--source", SOURCE]);
    let total = &expected[""];
    assert_eq!(told(&figures["figures"], total), *total);
    assert_eq!(total["persons_cleared"], scenario.persons);
    assert_eq!(total["organisations_cleared"], scenario.organisations);
    assert_eq!(total["meetings"], scenario.meetings);
    let units: BTreeMap<&str, &Value> = figures["units"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|of| (of["unit"].as_str().expect("a code"), &of["figures"]))
        .collect();
    for (unit, counted) in expected.iter().filter(|(unit, _)| !unit.is_empty()) {
        assert_eq!(told(units[unit.as_str()], counted), *counted, "{unit}");
    }
    let others = office.zm_json(&["stats", "--source", SOURCE]);
    let cases = scenario.reports() as i64;
    assert_eq!(others["verification"]["cases_concluded"], cases);
    let meetings = office.zm_json(&["clarification", "meeting", "list", "--all"]);
    let held = meetings["meetings"].as_array().expect("a list");
    assert_eq!(held.len(), scenario.meetings);
    let cleared = held.iter().filter_map(|row| row["carriedOut"].as_u64());
    assert_eq!(cleared.sum::<u64>(), total["form_meeting"] as u64);
    let not_eligible = (scenario.persons + scenario.organisations) as i64;
    assert_eq!(others["clarification"]["not_eligible"], not_eligible);
    crate::faults::ledgers_have_no_gaps(&office).await;
    office.zm_json(&["journal", "verify"]);
}

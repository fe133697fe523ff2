//! The policy profile: every number, list and text that an office may decide for itself, the table of who may do what,
//! and the calendar. Profiles are files, versioned and effective-dated; a decision uses the one in force at its time.
//!
//! To add a number: a documented field with its unit in `policy/numbers.rs`, a line where that struct is read, a line
//! with its source in `deploy/policy/default.toml`. The loader refuses a file that lacks it, so no profile falls behind.

mod faults;
mod numbers;
mod permissions;
mod section;

use std::fs;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use crate::actor::{Actor, Role};
use crate::calendar::Calendar;
use crate::unit::{Unit, UnitCode, Units};

pub use faults::{PolicyFault, PolicyFaults};
pub use numbers::{
    Clarification, Documents, Escalation, Finding, FollowUp, Intake, Texts, Verification,
};
use permissions::Permissions;
use section::{Section, Sheet};

/// The file of a policy folder that holds the hierarchy of units; every other `.toml` file is a profile.
const UNITS_FILE: &str = "units.toml";

/// What an office has decided for itself, from a day on.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name, which events record beside what they rest on. No two profiles have the same.
    pub version: String,
    /// From when on it is in force, until a later one is.
    pub effective_from: Timestamp,
    /// The time zone and the working days.
    pub calendar: Calendar,
    /// The hierarchy of units, one for all profiles.
    pub units: Arc<Units>,
    /// `domain.md`, Intake.
    pub intake: Intake,
    /// `domain.md`, Verification.
    pub verification: Verification,
    /// `domain.md`, Clarification.
    pub clarification: Clarification,
    /// `domain.md`, Follow-up.
    pub follow_up: FollowUp,
    /// How documents are worded.
    pub documents: Documents,
    /// Texts for people.
    pub texts: Texts,
    permissions: Permissions,
}

impl Profile {
    /// Whether one of the actor's roles permits the command. For a service this is its own role alone: on whose behalf
    /// it acts gives it nothing.
    pub fn permits(&self, actor: &Actor, command: &str) -> bool {
        self.roles_for(command).any(|role| actor.has(role))
    }

    /// The roles that a command is permitted to, for an error that says what is needed.
    pub fn roles_for(&self, command: &str) -> impl Iterator<Item = Role> {
        self.permissions.roles_for(command)
    }

    /// The names of all commands that the table permits to anyone.
    pub fn permitted_commands(&self) -> impl Iterator<Item = &str> {
        self.permissions.commands()
    }

    /// Whether the actor's unit lets them act on what a unit handles: their own unit is that unit or above it.
    ///
    /// Four roles are bound by something else than a unit ([`Role::is_bound_by_unit`]): an auditor reads everything, a
    /// service does what follows from a decision that was in scope, an operator touches no matter, and the public is
    /// bound by the receipt code. They are in scope everywhere, but only while *all* roles of the actor are such: who
    /// audits here and supervises there gains nothing for the supervising.
    pub fn in_scope(&self, actor: &Actor, handled_by: &UnitCode) -> bool {
        let bound =
            actor.roles.is_empty() || actor.roles.iter().any(|role| role.is_bound_by_unit());
        !bound || self.units.is_at_or_above(&actor.unit, handled_by)
    }
}

/// All profiles of an office by the time they come into force, with its units.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// Never empty, ascending by `effective_from`.
    profiles: Vec<Arc<Profile>>,
}

impl Policies {
    /// Reads the `.toml` files of a folder: the only I/O of this crate, done once at start.
    ///
    /// # Errors
    /// Every fault of every file, those that cannot be read among them.
    pub fn load(folder: &Path) -> Result<Policies, PolicyFaults> {
        let fault = |file: &Path, problem: String| PolicyFault {
            file: file.display().to_string(),
            key: String::new(),
            problem,
        };
        let entries = fs::read_dir(folder).map_err(|error| {
            let problem = format!("cannot be read as a folder of policy files: {error}");
            PolicyFaults(vec![fault(folder, problem)])
        })?;
        let mut faults = Vec::new();
        let mut files = Vec::new();
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    faults.push(fault(folder, format!("cannot be read: {error}")));
                    continue;
                }
            };
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            match fs::read_to_string(&path) {
                Ok(text) => files.push((name.unwrap_or_default(), text)),
                Err(error) => faults.push(fault(&path, format!("cannot be read: {error}"))),
            }
        }
        files.sort();
        match Policies::parse(&files) {
            Ok(policies) if faults.is_empty() => Ok(policies),
            Ok(_) => Err(PolicyFaults(faults)),
            Err(PolicyFaults(more)) => {
                faults.extend(more);
                Err(PolicyFaults(faults))
            }
        }
    }

    /// Reads policy files from their names and texts: `units.toml` and at least one profile.
    ///
    /// # Errors
    /// Every fault of every file, with the key and what to do.
    pub fn parse(files: &[(String, String)]) -> Result<Policies, PolicyFaults> {
        let mut faults = Vec::new();
        let units = match files.iter().find(|(name, _)| name == UNITS_FILE) {
            Some((name, text)) => {
                let sheet = Sheet::new(name);
                let units = read_units(&sheet, text);
                faults.extend(sheet.into_faults());
                units.map(Arc::new)
            }
            None => {
                faults.push(PolicyFault {
                    file: UNITS_FILE.to_owned(),
                    key: String::new(),
                    problem:
                        "is missing; add it with the hierarchy of units, a table [[unit]] for each"
                            .to_owned(),
                });
                None
            }
        };
        let mut profiles: Vec<(&str, Profile)> = Vec::new();
        let mut named = 0;
        for (name, text) in files.iter().filter(|(name, _)| name != UNITS_FILE) {
            named += 1;
            let sheet = Sheet::new(name);
            let profile = read_profile(&sheet, text, units.as_ref());
            if let Some(profile) = &profile {
                for (other, earlier) in &profiles {
                    if earlier.version == profile.version {
                        sheet.fault(
                            "version",
                            format!("is also that of {other}; give each profile its own"),
                        );
                    }
                    if earlier.effective_from == profile.effective_from {
                        sheet.fault(
                            "effective_from",
                            format!("is also that of {other}; only one can be in force"),
                        );
                    }
                }
            }
            let found = sheet.into_faults();
            if let (Some(profile), true) = (profile, found.is_empty()) {
                profiles.push((name, profile));
            }
            faults.extend(found);
        }
        if named == 0 {
            faults.push(PolicyFault {
                file: "*.toml".to_owned(),
                key: String::new(),
                problem: format!(
                    "there is no policy profile beside {UNITS_FILE}; add at least one"
                ),
            });
        }
        if !faults.is_empty() {
            return Err(PolicyFaults(faults));
        }
        profiles.sort_by_key(|(_, profile)| profile.effective_from);
        Ok(Policies {
            profiles: profiles
                .into_iter()
                .map(|(_, profile)| Arc::new(profile))
                .collect(),
        })
    }

    /// The policy files that this project ships (`deploy/policy`), as they were when this was built: for tests, and
    /// for tools that need an example without a folder.
    ///
    /// # Errors
    /// Never in a tested build: a test holds that they load.
    pub fn shipped() -> Result<Policies, PolicyFaults> {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        Policies::parse(&[
            file(
                "default.toml",
                include_str!("../../../deploy/policy/default.toml"),
            ),
            file(
                UNITS_FILE,
                include_str!("../../../deploy/policy/units.toml"),
            ),
        ])
    }

    /// The profile in force at an instant. Before the first one comes into force it is the first: somebody has to
    /// decide, and nobody else can say how.
    pub fn in_force(&self, at: Timestamp) -> &Arc<Profile> {
        let begun = self
            .profiles
            .partition_point(|profile| profile.effective_from <= at);
        &self.profiles[begun.saturating_sub(1)]
    }

    /// The hierarchy of units.
    pub fn units(&self) -> &Arc<Units> {
        &self.profiles[0].units
    }

    /// All profiles, by the time that they come into force.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.iter()
    }
}

fn read_units(sheet: &Sheet<'_>, text: &str) -> Option<Units> {
    let table = sheet.parse(text)?;
    let top = sheet.section("", &table);
    let sections = top.sections("unit");
    let mut complete = sheet.found() == 0;
    let mut units = Vec::new();
    for section in sections {
        let before = sheet.found();
        let code = section.parsed("code", "the unit's code, such as P51-01");
        let level = section.parsed("level", "nation, province, prefecture, county or township");
        let name = section.texts("name", "its names by language, such as name.en = \"…\"");
        let parent = section.parsed_if_given(
            "parent",
            "the code of the unit above, or leave it out for the root",
        );
        complete &= sheet.found() == before;
        let place = section.parsed_if_given("place", "the code of a place, or leave it out");
        section.done();
        if let (Some(code), Some(level)) = (code, level) {
            units.push(Unit {
                code,
                name,
                level,
                parent,
                place,
            });
        }
    }
    top.done();
    if !complete {
        // A hierarchy with gaps would be blamed for what follows from them.
        return None;
    }
    match Units::new(units) {
        Ok(units) => Some(units),
        Err(faults) => {
            for fault in faults {
                sheet.fault("unit", fault.to_string());
            }
            None
        }
    }
}

fn read_profile(sheet: &Sheet<'_>, text: &str, units: Option<&Arc<Units>>) -> Option<Profile> {
    let table = sheet.parse(text)?;
    let top = sheet.section("", &table);
    let version = top.text("version", "a name for this profile, such as 2026-01");
    let effective_from = top.parsed(
        "effective_from",
        "a time with its offset, such as 2026-01-01T00:00:00+08:00",
    );
    let calendar = read_calendar(sheet, &top.section("calendar"));
    let intake = Intake::read(&top.section("intake"));
    let verification = Verification::read(&top.section("verification"));
    let clarification = Clarification::read(&top.section("clarification"));
    let follow_up = FollowUp::read(&top.section("follow_up"));
    let documents = Documents::read(&top.section("documents"));
    let texts = Texts::read(&top.section("texts"));
    let permissions = Permissions::read(&top.section("permissions"));
    top.done();
    Some(Profile {
        version,
        effective_from: effective_from?,
        calendar: calendar?,
        units: Arc::clone(units?),
        intake,
        verification,
        clarification,
        follow_up,
        documents,
        texts,
        permissions,
    })
}

fn read_calendar(sheet: &Sheet<'_>, section: &Section<'_>) -> Option<Calendar> {
    let before = sheet.found();
    let zone = section.text(
        "time_zone",
        "a name of the IANA database, such as Asia/Shanghai",
    );
    let weekend = section.list::<Day>("weekend", "days of the week, such as \"saturday\"");
    let expected = "dates or spans of dates, such as \"2026-10-01\" or \"2026-10-01/2026-10-07\"";
    let holidays = section.list::<Dates>("holidays", expected);
    let make_up = section.list::<Dates>("make_up_days", expected);
    section.done();
    if zone.is_empty() || sheet.found() > before {
        // What is left of it would be blamed for what is missing, such as a make-up day for a misspelt Sunday.
        return None;
    }
    let weekend = weekend.into_iter().map(|Day(day)| day);
    let days = |spans: Vec<Dates>| spans.into_iter().flat_map(Dates::days).collect();
    match Calendar::new(&zone, weekend, days(holidays), days(make_up)) {
        Ok(calendar) => Some(calendar),
        Err(faults) => {
            for fault in faults {
                section.fault(fault.key(), fault.to_string());
            }
            None
        }
    }
}

/// A day of the week by its English name in lower case, as policy files write it.
struct Day(Weekday);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Day(match text {
            "monday" => Weekday::Monday,
            "tuesday" => Weekday::Tuesday,
            "wednesday" => Weekday::Wednesday,
            "thursday" => Weekday::Thursday,
            "friday" => Weekday::Friday,
            "saturday" => Weekday::Saturday,
            "sunday" => Weekday::Sunday,
            _ => {
                return Err(format!(
                    "{text:?} is no day of the week; give one such as saturday"
                ));
            }
        }))
    }
}

/// A date, or the dates from one to another, both included: `2026-10-01/2026-10-07`, as ISO 8601 writes an interval.
struct Dates {
    first: Date,
    last: Date,
}

impl Dates {
    fn days(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.first), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= self.last)
    }
}

impl FromStr for Dates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = |text: &str| {
            text.parse::<Date>()
                .map_err(|_| format!("{text:?} is no date; give one such as 2026-10-01"))
        };
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        let dates = Dates {
            first: date(first)?,
            last: date(last)?,
        };
        if dates.first > dates.last {
            return Err(format!(
                "{text:?} ends before it begins; give the earlier date first"
            ));
        }
        if dates
            .first
            .until(dates.last)
            .is_ok_and(|span| span.get_days() > 366)
        {
            return Err(format!("{text:?} spans more than a year; check the dates"));
        }
        Ok(dates)
    }
}

#[cfg(test)]
mod tests;

//! Reading a table of a policy file. A section records every fault and goes on with a placeholder, so that a person
//! learns of all faults at once; whoever reads it drops the placeholders when any fault was recorded. A key that nobody
//! asked for is a fault too: a misspelt number must not silently fall back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::{Table, Value};

use super::faults::PolicyFault;

/// A file being read, and what was found wrong in it so far.
pub(super) struct Sheet<'a> {
    file: &'a str,
    faults: RefCell<Vec<PolicyFault>>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Sheet {
            file,
            faults: RefCell::default(),
        }
    }

    pub(super) fn fault(&self, key: impl Into<String>, problem: impl Into<String>) {
        let fault = PolicyFault {
            file: self.file.to_owned(),
            key: key.into(),
            problem: problem.into(),
        };
        self.faults.borrow_mut().push(fault);
    }

    /// How many faults were found so far.
    pub(super) fn found(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Parses a file's text and gives its top section, empty where the text is no TOML (which is then recorded).
    pub(super) fn parse(&self, text: &str) -> Option<Table> {
        match text.parse::<Table>() {
            Ok(table) => Some(table),
            Err(error) => {
                self.fault(
                    "",
                    format!("is not valid TOML: {}", error.to_string().trim()),
                );
                None
            }
        }
    }

    pub(super) fn section<'s>(&'s self, path: impl Into<String>, table: &'s Table) -> Section<'s> {
        Section {
            sheet: self,
            path: path.into(),
            table: Some(table),
            read: RefCell::default(),
        }
    }

    pub(super) fn into_faults(self) -> Vec<PolicyFault> {
        self.faults.into_inner()
    }
}

/// One table of a file.
pub(super) struct Section<'s> {
    sheet: &'s Sheet<'s>,
    path: String,
    /// None where the whole table is missing, which was recorded once; then nothing in it is recorded again.
    table: Option<&'s Table>,
    read: RefCell<BTreeSet<&'s str>>,
}

impl<'s> Section<'s> {
    fn key(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Records a fault of one of this table's keys.
    pub(super) fn fault(&self, key: &str, problem: impl Into<String>) {
        self.sheet.fault(self.key(key), problem);
    }

    /// The value of a key, unless it is missing.
    fn optional(&self, key: &'s str) -> Option<&'s Value> {
        self.read.borrow_mut().insert(key);
        self.table?.get(key)
    }

    /// The value of a key, as `take` reads it; `expected` says what to give when it is missing or something else.
    fn required<T>(
        &self,
        key: &'s str,
        expected: impl Display,
        take: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.optional(key);
        self.table?;
        let Some(value) = value else {
            self.fault(key, format!("is missing; give {expected}"));
            return None;
        };
        let taken = take(value);
        if taken.is_none() {
            self.fault(key, format!("is {}; give {expected}", shown(value)));
        }
        taken
    }

    /// A table within this one.
    pub(super) fn section(&self, key: &'s str) -> Section<'s> {
        let table = self.required(key, "a table", Value::as_table);
        Section {
            sheet: self.sheet,
            path: self.key(key),
            table,
            read: RefCell::default(),
        }
    }

    /// The tables of an array of tables.
    pub(super) fn sections(&self, key: &'s str) -> Vec<Section<'s>> {
        let list = self.required(
            key,
            format!("one or more tables [[{key}]]"),
            Value::as_array,
        );
        let list = list.map_or(&[][..], Vec::as_slice);
        let each = list.iter().enumerate().map(|(index, value)| {
            let path = format!("{}[{}]", self.key(key), index + 1);
            let table = value.as_table();
            if table.is_none() {
                self.sheet.fault(path.clone(), "is no table");
            }
            Section {
                sheet: self.sheet,
                path,
                table,
                read: RefCell::default(),
            }
        });
        each.collect()
    }

    /// A whole number within a range.
    pub(super) fn count(&self, key: &'s str, range: RangeInclusive<u32>, of: &str) -> u32 {
        let expected = format!(
            "a whole number from {} to {} ({of})",
            range.start(),
            range.end()
        );
        let read = |value: &Value| {
            u32::try_from(value.as_integer()?)
                .ok()
                .filter(|number| range.contains(number))
        };
        self.required(key, expected, read).unwrap_or_default()
    }

    /// A list of whole numbers within a range, ascending.
    pub(super) fn counts(&self, key: &'s str, range: RangeInclusive<u32>, of: &str) -> Vec<u32> {
        let expected = format!(
            "a list of ascending whole numbers from {} to {} ({of})",
            range.start(),
            range.end()
        );
        let read = |value: &Value| {
            let number = |value: &Value| u32::try_from(value.as_integer()?).ok();
            let numbers: Option<Vec<u32>> = value.as_array()?.iter().map(number).collect();
            numbers.filter(|numbers| {
                !numbers.is_empty()
                    && numbers.is_sorted_by(|a, b| a < b)
                    && numbers.iter().all(|number| range.contains(number))
            })
        };
        self.required(key, expected, read).unwrap_or_default()
    }

    /// A share from 0 to 1.
    pub(super) fn share(&self, key: &'s str) -> f64 {
        let read = |value: &Value| {
            value
                .as_float()
                .or_else(|| {
                    value
                        .as_integer()
                        .and_then(|number| i32::try_from(number).ok())
                        .map(f64::from)
                })
                .filter(|share| (0.0..=1.0).contains(share))
        };
        self.required(key, "a number from 0 to 1", read)
            .unwrap_or_default()
    }

    /// A text that is not blank.
    pub(super) fn text(&self, key: &'s str, expected: &str) -> String {
        let read = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.trim().is_empty())
                .map(str::to_owned)
        };
        self.required(key, expected, read).unwrap_or_default()
    }

    /// A value that is written as a text or as a date of TOML, and parsed.
    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &self,
        key: &'s str,
        expected: &str,
    ) -> Option<T> {
        let text = self.required(key, expected, written)?;
        text.parse()
            .map_err(|error| self.fault(key, format!("{error}; give {expected}")))
            .ok()
    }

    /// Like [`Section::parsed`], for a key that may be left out.
    pub(super) fn parsed_if_given<T: FromStr<Err: Display>>(
        &self,
        key: &'s str,
        expected: &str,
    ) -> Option<T> {
        self.optional(key)?;
        self.parsed(key, expected)
    }

    /// A list of texts, each parsed, none twice; a fault names the one that it is about.
    pub(super) fn list<T: FromStr<Err: Display>>(&self, key: &'s str, expected: &str) -> Vec<T> {
        let Some(list) = self.required(key, expected, Value::as_array) else {
            return Vec::new();
        };
        let mut seen = BTreeSet::new();
        let mut items = Vec::new();
        for value in list {
            let Some(text) = written(value) else {
                self.fault(key, format!("contains {}; give {expected}", shown(value)));
                continue;
            };
            match text.parse::<T>() {
                Ok(item) if seen.insert(text.clone()) => items.push(item),
                Ok(_) => self.fault(key, format!("names {text:?} twice; once is enough")),
                Err(error) => self.fault(key, error.to_string()),
            }
        }
        items
    }

    /// Texts by a key of the file's own, such as names by language.
    pub(super) fn texts(&self, key: &'s str, expected: &str) -> BTreeMap<String, String> {
        let table = self.required(key, expected, Value::as_table);
        let mut texts = BTreeMap::new();
        for (name, value) in table.into_iter().flatten() {
            match value.as_str().filter(|text| !text.trim().is_empty()) {
                Some(text) => {
                    texts.insert(name.clone(), text.trim().to_owned());
                }
                None => self.fault(
                    &format!("{key}.{name}"),
                    format!("is {}; give a text", shown(value)),
                ),
            }
        }
        texts
    }

    /// The keys of this table, where they are the file's own to choose.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'s str> {
        self.table
            .into_iter()
            .flat_map(|table| table.keys().map(String::as_str))
    }

    /// Ends the reading: every key that nobody asked for is a fault.
    pub(super) fn done(&self) {
        let read = self.read.borrow();
        for key in self.keys().filter(|key| !read.contains(key)) {
            self.fault(
                key,
                format!("is not known here; known are {}", listed(&read)),
            );
        }
    }
}

fn listed(keys: &BTreeSet<&str>) -> String {
    keys.iter().copied().collect::<Vec<_>>().join(", ")
}

/// A text that is not blank, or a date or time as TOML writes it.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        Value::Datetime(datetime) => Some(datetime.to_string()),
        _ => None,
    }
}

/// A value as a fault shows it: short, whatever it is.
fn shown(value: &Value) -> String {
    match value {
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) if text.trim().is_empty() => "blank".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > 40 {
                format!("{}…", text.chars().take(40).collect::<String>())
            } else {
                text
            }
        }
    }
}

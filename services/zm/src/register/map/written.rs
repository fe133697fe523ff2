//! The map as it is written in TOML, and what its sections must agree on before it is a [`Map`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use serde::Deserialize;

use super::{
    ChannelSource, Closing, Map, MapError, MapFault, Received, Sanctions, SubjectColumn, Words,
};
use super::{comparable, snake};
use crate::register::words::{
    Channel, Clearing, ClosingReason, Impact, Outcome, Sanction, SubjectKind, WrittenSanction,
};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    register: String,
    unit: String,
    case: CaseSection,
    received: ReceivedSection,
    channel: ChannelSection,
    subject: SubjectSection,
    category: CategorySection,
    closing: Option<ClosingSection>,
    finding: WordsSection<Outcome>,
    sanction: Option<SanctionSection>,
    clearing: Option<Clearing>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseSection {
    column: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivedSection {
    column: String,
    forms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelSection {
    always: Option<Channel>,
    column: Option<String>,
    #[serde(default)]
    fold_case: bool,
    words: Option<BTreeMap<String, Channel>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectSection {
    column: String,
    kind: SubjectKind,
    not_identified: Vec<String>,
    #[serde(default)]
    fold_case: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CategorySection {
    column: String,
    #[serde(default)]
    fold_case: bool,
    #[serde(default)]
    words: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosingSection {
    column: String,
    #[serde(default)]
    fold_case: bool,
    not_deciding: Vec<String>,
    words: BTreeMap<String, ClosingReason>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsSection<T> {
    column: String,
    #[serde(default)]
    fold_case: bool,
    words: BTreeMap<String, T>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SanctionSection {
    column: String,
    #[serde(default)]
    fold_case: bool,
    most_together: Option<u32>,
    words: BTreeMap<String, WrittenSanction>,
}

/// All faults of a map, gathered so that they are told at once.
#[derive(Default)]
struct Faults(Vec<MapFault>);

impl Faults {
    fn add(&mut self, place: &str, what: impl Into<String>) {
        self.0.push(MapFault {
            place: place.to_owned(),
            what: what.into(),
        });
    }

    /// A column's name as the header is searched for it.
    fn column(&mut self, place: &str, name: &str) -> String {
        let name = name.trim();
        if name.is_empty() {
            self.add(place, "name a column of the register");
        }
        name.to_owned()
    }

    /// The words of a column as they are compared; two that compare as one are a fault, even if they mean the same, as one of them is an
    /// oversight.
    fn words<T>(
        &mut self,
        place: &str,
        column: &str,
        fold_case: bool,
        written: impl IntoIterator<Item = (String, T)>,
    ) -> Words<T> {
        let column = self.column(&format!("{place}.column"), column);
        let mut meanings = BTreeMap::new();
        for (word, meaning) in written {
            let key = comparable(&word, fold_case);
            if meanings.insert(key, meaning).is_some() {
                self.add(
                    place,
                    format!(
                        "the word {word:?} is there twice, as words are compared here; keep one"
                    ),
                );
            }
        }
        Words {
            column,
            fold_case,
            meanings,
        }
    }
}

impl Written {
    /// The map, if its sections agree.
    pub(super) fn checked(self) -> Result<Map, MapError> {
        let mut faults = Faults::default();
        let register = register(&mut faults, &self.register);
        let unit = unit(&mut faults, &self.unit);
        let case = faults.column("case.column", &self.case.column);
        let received = received(&mut faults, self.received);
        let channel = channel(&mut faults, self.channel);
        let subject = subject(&mut faults, self.subject);
        let category = category(&mut faults, self.category);
        let closing = self.closing.map(|section| closing(&mut faults, section));
        let finding = finding(&mut faults, self.finding);
        let sanction = self.sanction.map(|section| sanction(&mut faults, section));
        let clearing = self
            .clearing
            .map(|section| clearing(&mut faults, section, subject.kind));
        if !faults.0.is_empty() {
            return Err(MapError::Faults { faults: faults.0 });
        }
        Ok(Map {
            register,
            unit,
            case,
            received,
            channel,
            subject,
            category,
            closing,
            finding,
            sanction,
            clearing,
        })
    }
}

fn register(faults: &mut Faults, name: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        faults.add(
            "register",
            format!("{name:?} is no source id; use small letters a to z, digits, - and _"),
        );
    }
    name.to_owned()
}

fn unit(faults: &mut Faults, code: &str) -> String {
    if code.is_empty() || code.contains(char::is_whitespace) {
        faults.add(
            "unit",
            format!("{code:?} is no unit's code; name the handling unit, as in \"P51-01\""),
        );
    }
    code.to_owned()
}

fn received(faults: &mut Faults, section: ReceivedSection) -> Received {
    let column = faults.column("received.column", &section.column);
    if section.forms.is_empty() {
        faults.add(
            "received.forms",
            "name every form of the dates, as in [\"%Y-%m-%d\"]",
        );
    }
    for form in &section.forms {
        if !reads_back(form) {
            faults.add(
                "received.forms",
                format!(
                    "{form:?} is no form of a whole date; it needs a year (%Y or %y), a month (%m, %b or %B) and a day (%d)"
                ),
            );
        }
    }
    Received {
        column,
        forms: section.forms,
    }
}

/// A form is whole if what it writes can be read again as the same day.
fn reads_back(form: &str) -> bool {
    const DAY: Date = date(2021, 12, 28);
    jiff::fmt::strtime::format(form, DAY)
        .and_then(|text| Date::strptime(form, text))
        .is_ok_and(|read| read == DAY)
}

fn channel(faults: &mut Faults, section: ChannelSection) -> ChannelSource {
    match (section.always, section.column, section.words) {
        (Some(channel), None, None) => ChannelSource::Always(channel),
        (None, Some(column), Some(words)) => {
            ChannelSource::Column(faults.words("channel", &column, section.fold_case, words))
        }
        _ => {
            faults.add(
                "channel",
                "give either `column` and `words`, or only `always`, the one channel of all cases",
            );
            // Never used: with a fault there is no map.
            ChannelSource::Always(Channel::Queue)
        }
    }
}

fn subject(faults: &mut Faults, section: SubjectSection) -> SubjectColumn {
    let column = faults.column("subject.column", &section.column);
    let mut not_identified = BTreeSet::new();
    for word in section.not_identified {
        if !not_identified.insert(comparable(&word, section.fold_case)) {
            faults.add(
                "subject.not_identified",
                format!("the word {word:?} is there twice, as words are compared here; keep one"),
            );
        }
    }
    SubjectColumn {
        column,
        fold_case: section.fold_case,
        kind: section.kind,
        not_identified,
    }
}

fn category(faults: &mut Faults, section: CategorySection) -> Words<String> {
    for (word, code) in &section.words {
        if snake(code).as_ref() != Some(code) {
            faults.add(
                "category.words",
                format!(
                    "{code:?}, the code of {word:?}, must be of small letters a to z and digits, joined by _"
                ),
            );
        }
    }
    faults.words(
        "category",
        &section.column,
        section.fold_case,
        section.words,
    )
}

fn closing(faults: &mut Faults, section: ClosingSection) -> Words<Closing> {
    let left = section
        .not_deciding
        .into_iter()
        .map(|word| (word, Closing::LeavesToFinding));
    let decided = section
        .words
        .into_iter()
        .map(|(word, reason)| (word, Closing::Decides(reason)));
    faults.words(
        "closing",
        &section.column,
        section.fold_case,
        left.chain(decided),
    )
}

fn finding(faults: &mut Faults, section: WordsSection<Outcome>) -> Words<Outcome> {
    if section.words.is_empty() {
        faults.add("finding.words", "say what each word of the column means");
    }
    faults.words("finding", &section.column, section.fold_case, section.words)
}

fn sanction(faults: &mut Faults, section: SanctionSection) -> Sanctions {
    let mut words = Vec::new();
    for (word, written) in section.words {
        let (months, kind) = match written {
            WrittenSanction::None => {
                words.push((word, Sanction::None));
                continue;
            }
            WrittenSanction::Months(months) => (months, snake(&word)),
            WrittenSanction::Named { months, kind } => (
                months,
                Some(kind).filter(|kind| snake(kind).as_ref() == Some(kind)),
            ),
        };
        match kind {
            Some(kind) => words.push((word, Sanction::Impact(Impact { months, kind }))),
            None => faults.add(
                "sanction.words",
                format!(
                    "{word:?} gives no kind of sanction; name one of small letters a to z and digits, joined by _, as in {{ months = {months}, kind = \"warning\" }}"
                ),
            ),
        }
        if section
            .most_together
            .is_some_and(|most| u32::from(months) > most)
        {
            faults.add(
                "sanction.most_together",
                format!("is less than the months of a single sanction, {months}"),
            );
        }
    }
    Sanctions {
        words: faults.words("sanction", &section.column, section.fold_case, words),
        most_together: section.most_together,
    }
}

fn clearing(faults: &mut Faults, clearing: Clearing, of: SubjectKind) -> Clearing {
    let distinct: BTreeSet<_> = clearing.harms.iter().collect();
    if clearing.harms.is_empty() || distinct.len() < clearing.harms.len() {
        faults.add(
            "clearing.harms",
            "name at least one harm, each once; where none is assumed, leave [clearing] out",
        );
    }
    let is_reference = |head: &str| {
        let visible = head.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        visible && !head.trim().is_empty() && head.len() <= 128
    };
    match of {
        SubjectKind::Organisation if !clearing.head.as_deref().is_some_and(is_reference) => faults
            .add(
                "clearing.head",
                "give who speaks for the organisations: a reference of at most 128 visible ASCII characters for who heads their unit",
            ),
        SubjectKind::Person if clearing.head.is_some() => {
            faults.add("clearing.head", "leave it out: persons speak for themselves");
        }
        SubjectKind::Organisation | SubjectKind::Person => {}
    }
    clearing
}

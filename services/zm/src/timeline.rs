//! The history of a matter over all services as one timeline: by cause, then by time.
//!
//! Services have clocks of their own, so time alone could put an effect before its cause. An event stands after its
//! cause and after the earlier events of its aggregate, and otherwise where its time puts it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use proto::chassis::Entry;

/// A journal row, and whose journal it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// The service.
    pub service: &'static str,
    /// The row.
    pub entry: Entry,
}

/// A timeline; each row with the place of its cause, if that is in it.
pub type Timeline = Vec<(Happened, Option<usize>)>;

/// Puts rows in order. A row that came twice stands once.
pub fn ordered(rows: Vec<Happened>) -> Timeline {
    let mut rows: BTreeMap<String, Happened> = rows
        .into_iter()
        .map(|row| (row.entry.event_id.clone(), row))
        .collect();

    let mut waits_for: BTreeMap<String, usize> = BTreeMap::new();
    let mut holds_back: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, before) in dependencies(&rows) {
        *waits_for.entry(id.clone()).or_default() += 1;
        holds_back.entry(before).or_default().push(id);
    }

    let mut ready: BinaryHeap<Reverse<(Key, String)>> = rows
        .iter()
        .filter(|(id, _)| !waits_for.contains_key(*id))
        .map(|(id, row)| Reverse((key(row), id.clone())))
        .collect();
    let mut timeline: Timeline = Vec::with_capacity(rows.len());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    while !rows.is_empty() {
        // A circle of causes cannot arise; should a journal show one, its earliest row goes first.
        let next = ready.pop().map(|Reverse((_, id))| id).or_else(|| {
            let earliest = rows.iter().min_by_key(|(_, row)| key(row));
            earliest.map(|(id, _)| id.clone())
        });
        let Some((id, row)) = next.and_then(|id| rows.remove_entry(&id)) else {
            continue;
        };
        for after in holds_back.remove(&id).unwrap_or_default() {
            let left = waits_for.entry(after.clone()).or_default();
            *left = left.saturating_sub(1);
            if let (0, Some(row)) = (*left, rows.get(&after)) {
                ready.push(Reverse((key(row), after)));
            }
        }
        places.insert(id, timeline.len());
        let cause = places.get(&row.entry.cause).copied();
        timeline.push((row, cause));
    }
    timeline
}

type Key = (i64, &'static str, String, i64);

fn key(row: &Happened) -> Key {
    let entry = &row.entry;
    (
        entry.at_micros,
        row.service,
        entry.aggregate.clone(),
        entry.sequence,
    )
}

/// Which row must stand after which: after its cause, and after the row before it in its aggregate.
fn dependencies(rows: &BTreeMap<String, Happened>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut aggregates: BTreeMap<(&str, &str), Vec<(i64, &str)>> = BTreeMap::new();
    for (id, row) in rows {
        if rows.contains_key(&row.entry.cause) && row.entry.cause != *id {
            found.push((id.clone(), row.entry.cause.clone()));
        }
        let aggregate = aggregates.entry((row.service, &row.entry.aggregate));
        aggregate.or_default().push((row.entry.sequence, id));
    }
    for mut chain in aggregates.into_values() {
        chain.sort_unstable();
        for pair in chain.windows(2) {
            found.push((pair[1].1.to_owned(), pair[0].1.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(
        service: &'static str,
        id: &str,
        aggregate: &str,
        sequence: i64,
        at_micros: i64,
        cause: &str,
    ) -> Happened {
        Happened {
            service,
            entry: Entry {
                event_id: id.to_owned(),
                aggregate: aggregate.to_owned(),
                sequence,
                at_micros,
                cause: cause.to_owned(),
                ..Entry::default()
            },
        }
    }

    fn ids(timeline: &Timeline) -> Vec<&str> {
        timeline
            .iter()
            .map(|(row, _)| row.entry.event_id.as_str())
            .collect()
    }

    #[test]
    fn an_event_stands_after_its_cause_whatever_the_clocks_say() {
        let rows = vec![
            row("verification", "opened", "case", 1, 5, "matter"),
            row("intake", "matter", "matter", 1, 10, "accepted"),
            row("intake", "accepted", "report", 2, 9, ""),
            row("intake", "submitted", "report", 1, 1, ""),
        ];
        let timeline = ordered(rows);
        assert_eq!(
            ids(&timeline),
            ["submitted", "accepted", "matter", "opened"]
        );
        let causes: Vec<_> = timeline.iter().map(|(_, cause)| *cause).collect();
        assert_eq!(causes, [None, None, Some(1), Some(2)]);
    }

    #[test]
    fn what_nothing_connects_stands_by_time() {
        let rows = vec![
            row("verification", "b", "case", 1, 7, "elsewhere"),
            row("intake", "a", "report", 1, 3, ""),
            row("intake", "c", "report", 2, 9, ""),
        ];
        assert_eq!(ids(&ordered(rows)), ["a", "b", "c"]);
    }

    #[test]
    fn a_row_that_two_questions_brought_stands_once() {
        let one = row("intake", "a", "report", 1, 3, "");
        assert_eq!(ids(&ordered(vec![one.clone(), one])), ["a"]);
    }

    #[test]
    fn a_circle_of_causes_loses_nothing() {
        let rows = vec![
            row("intake", "a", "x", 1, 3, "b"),
            row("intake", "b", "y", 1, 4, "a"),
            row("intake", "c", "z", 1, 5, "b"),
        ];
        assert_eq!(ids(&ordered(rows)), ["a", "b", "c"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_effect_stands_before_its_cause(
            events in proptest::collection::vec((0usize..4, 0i64..20, any::<proptest::sample::Index>()), 1..40)
        ) {
            let mut sequences = [0i64; 4];
            let mut rows: Vec<Happened> = Vec::new();
            for (number, (aggregate, at, cause)) in events.into_iter().enumerate() {
                sequences[aggregate] += 1;
                let cause = if number == 0 { String::new() } else { cause.index(number).to_string() };
                let name = aggregate.to_string();
                rows.push(row("intake", &number.to_string(), &name, sequences[aggregate], at, &cause));
            }
            let count = rows.len();
            rows.reverse();
            let timeline = ordered(rows);
            prop_assert_eq!(timeline.len(), count);
            for (place, (row, cause)) in timeline.iter().enumerate() {
                if !row.entry.cause.is_empty() {
                    let cause = cause.expect("every cause is in the timeline");
                    prop_assert!(cause < place);
                }
                let later = timeline[place..].iter().filter(|(other, _)| {
                    other.entry.aggregate == row.entry.aggregate && other.entry.sequence < row.entry.sequence
                });
                prop_assert_eq!(later.count(), 0);
            }
        }
    }
}

//! How answers look: tables and sentences for people, JSON for scripts, progress on a terminal's stderr.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Writes a line of the answer.
///
/// # Errors
/// When the output is closed.
pub fn line(text: impl AsRef<str>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_ref().trim_end().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Writes a value as JSON.
///
/// # Errors
/// When the output is closed.
pub fn json<T: Serialize>(value: &T) -> Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// How this program was called, for commands to copy: shorter where it lies below the current folder.
pub fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let here = std::env::current_dir().unwrap_or_default();
    called.map_or_else(
        || "zm".to_owned(),
        |path| {
            path.strip_prefix(here)
                .unwrap_or(&path)
                .display()
                .to_string()
        },
    )
}

/// A table with a heading; or, without rows, the sentence that says so.
pub fn table(heading: &[&str], rows: Vec<Vec<String>>, nothing: &str) -> String {
    if rows.is_empty() {
        return nothing.to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heading.iter().map(|word| word.to_uppercase()))
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Fields below one another; those without a value are left out.
pub fn fields(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = pairs
        .iter()
        .map(|(name, value)| format!("{name:width$}  {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// An instant in the zone of this machine.
pub fn instant(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(
        |_| micros.to_string(),
        |at| {
            at.to_zoned_datetime(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

/// Waiting for something: on a terminal a spinner on stderr, else nothing.
pub fn spinner(what: &str) -> ProgressBar {
    spinning("{spinner} {msg} ({elapsed})", what)
}

/// Progress of work without a known end, counted: on a terminal on stderr, else nothing.
pub fn counter(what: &str) -> ProgressBar {
    spinning("{spinner} {msg} {human_pos} ({elapsed})", what)
}

fn spinning(template: &str, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target());
    bar.set_style(style(template));
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Progress of work with a known end: on a terminal a bar on stderr, else nothing.
pub fn bar(what: &str, length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), target());
    bar.set_style(style(
        "{msg} {wide_bar} {human_pos}/{human_len} ({elapsed}, {eta} to go)",
    ));
    bar.set_message(what.to_owned());
    bar
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_rows_is_a_sentence() {
        assert_eq!(
            table(&["id"], Vec::new(), "There is none."),
            "There is none."
        );
    }

    #[test]
    fn columns_stand_below_their_headings() {
        let rows = vec![
            vec!["r-1".to_owned(), "received".to_owned()],
            vec!["r-22".to_owned(), "accepted".to_owned()],
        ];
        assert_eq!(
            table(&["id", "state"], rows, ""),
            "ID    STATE\nr-1   received\nr-22  accepted"
        );
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let pairs = [
            ("unit", "N".to_owned()),
            ("source", String::new()),
            ("due", "-".to_owned()),
        ];
        assert_eq!(fields(&pairs), "unit  N\ndue   -");
    }
}

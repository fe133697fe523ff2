//! `zm replay`: drives every case of an existing register through the services, then compares what they count with the register.
//!
//! - [`actors`], [`people`]: who plays which part, with which token.
//! - [`identity`]: what requests are called, and how a report's id says what it was entered with.
//! - [`requests`]: the plan of a case's steps, and each step's request. Pure. Those after the conclusion stand in a room of their own, here
//!   and in the next two.
//! - [`entered`]: what is entered already, and whether it is the same. Before the first command.
//! - [`enter`], [`desks`], [`patience`]: one case on its way; the services as it asks them; how long it waits.
//! - [`quiet`]: waiting until nothing is on its way any more.
//! - [`table`]: both sides of each figure.
//!
//! **Nothing twice.** Every request id follows from the register's bytes, the case and the step. Whatever was interrupted, by
//! whom and where, the same command again goes on from what the services say they have. A sanction, a visit and a name that was cleared are
//! entered at the day of the replay, which is part of their requests; so each looks first whether it was done.
//!
//! **Two sides that share nothing but the map.** The register's figures are counted from the CSV, the services' figures by
//! the services, for this register as the source. Nothing of what the replay sent or was answered enters the table: it could only be equal.
//!
//! To add a step: a variant of [`Step`](identity::Step), its place in [`requests::steps_left`], its request beside the others, its call
//! in [`desks`] and [`enter`]. The trap: a request must be the same whenever it is made, see [`requests`].

use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::stream::{self, TryStreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use office::UnitCode;
use serde::Serialize;

use self::actors::{Cast, Parts};
use self::desks::Desks;
use self::enter::{Entering, Stopped, Subjects};
use self::entered::Entered;
use self::people::People;
use self::requests::Source;
use self::table::Comparison;
use crate::register::{Case, Figures, Map, Register};
use crate::{Context, output};

pub mod actors;
pub mod desks;
pub mod enter;
pub mod entered;
pub mod identity;
pub mod patience;
pub mod people;
pub mod quiet;
pub mod requests;
pub mod table;

/// How long a service may be away in the middle of a replay.
const AWAY: Duration = Duration::from_secs(60);
/// How long it may be away before the first command: then it is rather not started at all.
const AWAY_AT_FIRST: Duration = Duration::from_secs(5);
/// How long everything may take to become quiet, once all is entered.
const UNQUIET: Duration = Duration::from_secs(300);

/// Drive every case of an existing register through the services, and compare their figures with the register's
///
/// Running it again adds nothing: it goes on where it was interrupted, and prints the same table.
#[derive(Debug, clap::Args)]
pub struct Replay {
    /// The register: a CSV with a row for each allegation
    #[arg(value_name = "REGISTER.csv")]
    register: PathBuf,
    /// What its columns and words mean; `tests/registers` has examples
    #[arg(long, value_name = "MAP.toml")]
    map: PathBuf,
    /// Only the cases that appear first
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// How many cases are under way at once
    #[arg(long, value_name = "N", default_value = "32")]
    concurrency: NonZeroU16,
    /// A folder with a file for each actor, their token in it; without it zm signs tokens with its key
    #[arg(long, value_name = "FOLDER", conflicts_with = "token")]
    tokens: Option<PathBuf>,
}

/// What a replay says at its end.
#[derive(Debug, Serialize)]
struct Outcome {
    /// The register's name: the source.
    source: String,
    /// SHA-256 of the register's file.
    digest: String,
    /// How many cases were to be entered.
    cases: usize,
    /// How many of them were entered before, at least in part.
    entered_before: usize,
    /// How many reports the source has beside these; the services count them too.
    others: usize,
    /// How many commands were carried out.
    commands: u64,
    /// How long that took.
    seconds: f64,
    /// How many commands a second.
    commands_per_second: f64,
    /// How long it took until all was quiet after that.
    quiet_after_seconds: f64,
    /// Whether every figure is the same on both sides.
    equal: bool,
    /// Both sides.
    #[serde(flatten)]
    comparison: Comparison,
}

impl Replay {
    /// Replays the register and prints the table. The exit code is 0 if both sides are equal, else 1.
    ///
    /// # Errors
    /// The register or the map cannot be used, what is entered contradicts them, a step was refused, or it does not become quiet.
    pub async fn run(self, context: &Context) -> Result<ExitCode> {
        let map = Map::open(&self.map)?;
        let bytes = std::fs::read(&self.register)
            .with_context(|| format!("cannot read the register {}", self.register.display()))?;
        let register = Register::read(&bytes, &map)
            .with_context(|| format!("nothing was sent: {}", self.register.display()))?;
        let limit = self.limit.map(NonZeroUsize::get);
        let figures = Figures::count(&bytes, &map, limit)?;
        drop(bytes);
        let cases = &register.cases[..limit.map_or(register.cases.len(), |limit| {
            limit.min(register.cases.len())
        })];

        let unit = UnitCode::new(map.unit()).context("`unit` of the map")?;
        let parts = Parts {
            clearing: map.clearing().is_some() && cases.iter().any(|case| !case.cleared.is_empty()),
            sanctions: cases.iter().any(|case| !case.sanctions.is_empty()),
        };
        let (cast, people) = cast(self.tokens.as_deref(), &unit, parts, context)?;
        let office = context.office()?;
        let source = Source {
            name: &register.name,
            digest: register.digest,
            kind: map.subject_kind(),
            unit: &unit,
            clearing: map.clearing(),
        };

        let entered = {
            let desks = Desks::new(&office, &people, cast.auditor(), AWAY_AT_FIRST);
            let listed = desks.list(source.name).await?;
            let registrar = cast.registrar();
            Entered::compare(source, cases, registrar, listed)?
        };
        if entered.others() > 0 {
            eprintln!("{}", too_many(entered.others(), source.name, cases.len()));
        }

        let began = Instant::now();
        let desks = Desks::new(&office, &people, cast.auditor(), AWAY);
        let entering = Entering {
            desks: &desks,
            cast: &cast,
            source,
            entered: &entered,
            subjects: Subjects::default(),
        };
        enter_all(&entering, cases, self.concurrency.get().into()).await?;
        let seconds = began.elapsed().as_secs_f64();

        let unquiet = Instant::now();
        quiet::quiet(&desks, UNQUIET).await?;
        let quiet_after_seconds = unquiet.elapsed().as_secs_f64();
        let comparison = Comparison::of(figures, &desks.statistics(source.name).await?, &unit);
        let outcome = Outcome {
            source: source.name.to_owned(),
            digest: source.digest.to_string(),
            cases: cases.len(),
            entered_before: entered.count(),
            others: entered.others(),
            commands: desks.commands(),
            seconds,
            commands_per_second: desks.commands() as f64 / seconds.max(f64::EPSILON),
            quiet_after_seconds,
            equal: comparison.is_equal(),
            comparison,
        };
        context.answer(&outcome, told)?;
        Ok(if outcome.equal {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Who acts: those of the folder of tokens, else a cast of zm's own making.
fn cast(
    tokens: Option<&Path>,
    unit: &UnitCode,
    parts: Parts,
    context: &Context,
) -> Result<(Cast, People)> {
    match tokens {
        Some(folder) => {
            let (people, actors) = People::of_folder(folder)?;
            Ok((Cast::given(unit, actors, parts)?, people))
        }
        None => Ok((Cast::made(unit), People::signed(context.signer()?))),
    }
}

/// Enters all cases, so many at once, in the order of the register. The first that stops, stops all.
async fn enter_all(
    entering: &Entering<'_>,
    cases: &[Case],
    concurrency: usize,
) -> Result<(), Stopped> {
    let bar = progress(entering.source.name, cases.len());
    let result = stream::iter(cases.iter().map(Ok))
        .try_for_each_concurrent(concurrency, async |case| {
            entering.enter(case).await?;
            bar.inc(1);
            Ok(())
        })
        .await;
    bar.finish_and_clear();
    result
}

fn progress(name: &str, cases: usize) -> ProgressBar {
    let bar = output::bar(&format!("replaying {name}"), cases as u64);
    let template =
        "{msg} {wide_bar} {human_pos}/{human_len} cases ({per_sec}, {elapsed}, {eta} to go)";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn told(outcome: &Outcome) -> String {
    let mut text = outcome.comparison.to_string();
    let fresh = outcome.cases - outcome.entered_before;
    text += &format!(
        "\n\n{} cases of {}, {fresh} of them new; {} commands in {:.1} s ({:.0} a second), quiet {:.1} s later.",
        outcome.cases,
        outcome.source,
        outcome.commands,
        outcome.seconds,
        outcome.commands_per_second,
        outcome.quiet_after_seconds
    );
    if outcome.equal {
        text += "\nBoth sides are equal.";
    } else {
        text += &format!(
            "\nBoth sides DIFFER: {}.",
            outcome.comparison.differing.join(", ")
        );
        if outcome.others > 0 {
            text += &format!(
                "\n{}",
                too_many(outcome.others, &outcome.source, outcome.cases)
            );
        }
    }
    text
}

fn too_many(others: usize, source: &str, cases: usize) -> String {
    format!(
        "The source {source:?} has {others} reports beside the {cases} cases asked for; the services count them too, so both sides are not comparable. Replay with a limit that covers all that is entered, or without one."
    )
}

//! A toy office: a tally that can be added to, and a mirror service that adds the same to a tally of its own.

use std::sync::Arc;

use chassis::aggregate::{
    Aggregate, Announcement, Context, Decision, Effects, Made, Rejection, TextRef, Visitor,
};
use chassis::facts::{Asking, Informed};
use chassis::reaction::{Directive, Foreign, NotYet, on};
use chassis::refusal::{Refusal, RefusalKind};
use chassis::request::{Answered, Reading, Request};
use chassis::view::View;
use chassis::{Blueprint, events};
use office::TextId;
use proto::topology::{Follow, Topology};
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use uuid::Uuid;

pub(crate) const TOPOLOGY: Topology = Topology {
    services: &["toy", "mirror"],
    follows: &[Follow {
        consumer: "mirror",
        source: "toy",
    }],
};

/// More at once is refused.
pub(crate) const TOO_MUCH: Refusal = Refusal::new(
    RefusalKind::FailedPrecondition,
    "TOY_TOO_MUCH",
    "At most a thousand at once.",
);

/// An amount that no column holds.
pub(crate) const POISON: i64 = 666;

#[derive(Clone, Copy)]
pub(crate) struct Toy;

pub(crate) struct Tally;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) total: i64,
    pub(crate) additions: i64,
    pub(crate) poisoned: bool,
    #[serde(default)]
    pub(crate) certified: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    Add { amount: i64, note: Option<TextId> },
    Mirror { amount: i64 },
    Ring,
    Erase { note: TextId },
    Certify,
}

/// What a certificate says.
pub(crate) const CERTIFICATE: &[u8] = b"as it was counted \xFF";
/// The lock that whoever makes a certificate waits for.
pub(crate) const CERTIFYING: i64 = 88;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Added {
    pub(crate) amount: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rang {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Erased {
    pub(crate) note: TextId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Certified {
    pub(crate) certificate: TextRef,
}

events! {
    /// What can happen to a tally.
    pub(crate) enum Event {
        /// Something was added.
        Added(Added) = "added" 1,
        /// Its clock rang.
        Rang(Rang) = "rang" 1,
        /// A note was erased.
        Erased(Erased) = "erased" 1,
        /// A certificate was made.
        Certified(Certified) = "certified" 1,
    }
}

impl Aggregate for Tally {
    const KIND: &'static str = "tally";
    const FORMAT: u32 = 1;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Facts = Option<Arc<[u8]>>;

    fn made(certificate: &Self::Facts) -> Vec<Made> {
        let certificate = certificate.clone();
        let made = certificate.map(|bytes| Made {
            path: "certificate",
            bytes,
        });
        made.into_iter().collect()
    }

    fn decide(state: &State, command: &Command, context: &Context<Self::Facts>) -> Decision<Event> {
        match command {
            Command::Certify if state.certified => Ok(Vec::new()),
            Command::Certify => Ok(vec![
                Certified {
                    certificate: context.made("certificate"),
                }
                .into(),
            ]),
            Command::Add { amount: 0, .. } => Ok(Vec::new()),
            Command::Add { amount, .. } if *amount > 1000 => Err(Rejection::from(TOO_MUCH)),
            Command::Add { amount, .. } | Command::Mirror { amount } => {
                Ok(vec![Added { amount: *amount }.into()])
            }
            Command::Ring => Ok(vec![Rang {}.into()]),
            Command::Erase { note } => Ok(vec![Erased { note: *note }.into()]),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        if let Event::Added(Added { amount }) = event {
            state.total += amount;
            state.additions += 1;
            state.poisoned |= *amount == POISON;
        }
        state.certified |= matches!(event, Event::Certified(_));
    }

    fn admit(_: &State, _: &Visitor<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn matter(id: Uuid, _: &State) -> Option<Uuid> {
        Some(id)
    }

    fn announce(_: Uuid, event: &Event) -> Option<Announcement> {
        match event {
            Event::Added(added) => Some(Announcement::of("Added", added)),
            Event::Rang(_) | Event::Erased(_) | Event::Certified(_) => None,
        }
    }

    fn effects(id: Uuid, event: &Event, effects: &mut Effects) {
        if let Event::Erased(erased) = event {
            effects.erase(erased.note);
        }
        // Thirteen is followed by one on the neighbour's tally.
        if let Event::Added(Added { amount: 13 }) = event {
            effects.then::<Self>(
                neighbour(id),
                "Add",
                &Command::Add {
                    amount: 1,
                    note: None,
                },
            );
        }
        // Eighty-eight is certified.
        if let Event::Added(Added { amount: 88 }) = event {
            effects.then::<Self>(id, "Certify", &Command::Certify);
        }
        // Sixty sets a clock an hour ahead.
        if let Event::Added(Added { amount: 60 }) = event {
            effects.clock::<Self>(
                "ring",
                "2000-01-01T00:00:00Z".parse().unwrap(),
                "Ring",
                &Command::Ring,
            );
        }
    }
}

pub(crate) fn neighbour(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ 1)
}

#[async_trait::async_trait]
impl Informed for Tally {
    async fn gather(
        asking: &Asking,
        _: Uuid,
        command: &Command,
        _: &office::Actor,
    ) -> Result<Self::Facts, Refusal> {
        if !matches!(command, Command::Certify) {
            return Ok(None);
        }
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(CERTIFYING)
            .execute(asking.pool())
            .await
            .map_err(|error| chassis::refusal::UNAVAILABLE.with_note(error))?;
        Ok(Some(CERTIFICATE.into()))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) request_id: String,
    pub(crate) tally: String,
    pub(crate) amount: i64,
    #[serde(default)]
    pub(crate) note: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) tally: Uuid,
    pub(crate) version: i64,
    pub(crate) added: i64,
    /// The total that it was already so with.
    pub(crate) already: Option<i64>,
}

impl Request<Toy> for Add {
    const METHOD: &'static str = "Add";
    type Aggregate = Tally;
    type Response = Answer;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: Uuid = reading.about("tally", &self.tally);
        Command::Add {
            amount: self.amount,
            note: reading.optional_text("note", &self.note),
        }
    }

    fn answer(answered: &Answered<'_, Tally>) -> Answer {
        Answer {
            tally: answered.id,
            version: answered.version,
            added: answered
                .events
                .iter()
                .map(|event| match event {
                    Event::Added(Added { amount }) => *amount,
                    Event::Rang(_) | Event::Erased(_) | Event::Certified(_) => 0,
                })
                .sum(),
            already: answered.already_so.as_ref().map(|state| state.total),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Erase {
    pub(crate) request_id: String,
    pub(crate) tally: String,
    pub(crate) note: String,
}

impl Request<Toy> for Erase {
    const METHOD: &'static str = "Erase";
    type Aggregate = Tally;
    type Response = i64;

    fn request_id(&self) -> &str {
        &self.request_id
    }

    fn read(self, reading: &mut Reading<'_>) -> Command {
        let _: Uuid = reading.about("tally", &self.tally);
        Command::Erase {
            note: reading.id("note", &self.note),
        }
    }

    fn answer(answered: &Answered<'_, Tally>) -> i64 {
        answered.version
    }
}

#[derive(Serialize)]
pub(crate) struct Row {
    id: Uuid,
    version: i64,
    total: serde_json::Value,
}

pub(crate) struct Tallies;

impl View for Tallies {
    type Aggregate = Tally;
    type Row = Row;
    const TABLE: &'static str = "tallies_v1";
    const COLUMNS: &'static [&'static str] = &["id", "version", "total"];

    fn row(id: Uuid, version: i64, state: &State) -> Option<Row> {
        Some(Row {
            id,
            version,
            total: if state.poisoned {
                serde_json::json!("poison")
            } else {
                serde_json::json!(state.total)
            },
        })
    }
}

fn mirror_added(foreign: &Foreign<'_>) -> Result<Vec<Directive>, NotYet> {
    let Added { amount } = foreign.read()?;
    Ok(vec![Directive::to::<Tally>(
        foreign.stream,
        "Mirror",
        Command::Mirror { amount },
    )])
}

/// The toy's tables. A service's crate says in its `sqlx.toml` where they are recorded; in this one that speaks of the
/// chassis's.
fn tables() -> Migrator {
    let mut tables = sqlx::migrate!("./tests/engine/migrations");
    tables.dangerous_set_table_name("migrations_service");
    tables
}

pub(crate) fn toy() -> Blueprint {
    Blueprint::new("toy", tables())
        .topology(TOPOLOGY)
        .aggregate::<Tally>()
        .request::<Toy, Add>()
        .request::<Toy, Erase>()
        .internal(&["Ring", "Certify"])
        .view::<Tallies>()
}

pub(crate) fn mirror() -> Blueprint {
    Blueprint::new("mirror", tables())
        .topology(TOPOLOGY)
        .aggregate::<Tally>()
        .internal(&["Mirror"])
        .view::<Tallies>()
        .follows("toy", &[on("Added", mirror_added)])
}

/// Who may do what in the toy office.
pub(crate) fn policies() -> office::Policies {
    office::Policies::parse(&policy_files()).unwrap()
}

fn policy_files() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policy");
    ["default.toml", "units.toml"]
        .map(|name| {
            let text = std::fs::read_to_string(folder.join(name))
                .unwrap()
                .replace("automation = [", "automation = [ \"Add\", \"Erase\",")
                .replace(
                    "service = [",
                    "service = [ \"Add\", \"Mirror\", \"Ring\", \"Certify\",",
                );
            (name.to_owned(), text)
        })
        .into()
}

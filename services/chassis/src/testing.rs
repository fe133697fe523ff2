//! Given, when, then: how a service tests its decisions; what follows from an event ([`followed`], [`clocks`]); and that
//! stored events are read for ever ([`reads_every_sample`]); and a database for the queries of its views ([`database`],
//! [`write`]).
//!
//! Every accepted command is run a second time on the state that it left, and must then be already so.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use office::{Actor, Policies, Profile, Role, TextId};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::aggregate::{
    Aggregate, ClockChange, Context, Decision, Effects, Rejection, TextRef, Vocabulary, text_id,
};
use crate::refusal::Refusal;
use crate::secrets::Secrets;
use crate::view::{AnyView, Typed, View};

/// A decision to be tested.
#[derive(Clone)]
pub struct Given<A: Aggregate> {
    state: A::State,
    context: Context<A::Facts>,
}

/// A fresh aggregate, a supervisor of the root unit, the shipped policy, Monday 9 March 2026.
pub fn given<A: Aggregate>() -> Given<A> {
    let policies = Policies::shipped().expect("the shipped policy loads");
    let now: Timestamp = "2026-03-09T01:00:00Z".parse().expect("a timestamp");
    let profile = Arc::clone(policies.in_force(now));
    let actor = Actor {
        id: "supervisor-1".parse().expect("an actor id"),
        unit: profile.units.root().code.clone(),
        department: None,
        roles: [Role::Supervisor].into(),
        on_behalf_of: None,
    };
    Given {
        state: A::State::default(),
        context: Context {
            id: Uuid::from_u128(1),
            now,
            actor,
            profile,
            method: "Test",
            request_id: Uuid::from_u128(2),
            texts: std::collections::BTreeMap::new(),
            secrets: Arc::new(Secrets::new([7; 32])),
            facts: A::Facts::default(),
        },
    }
}

impl<A: Aggregate> Given<A> {
    /// Another policy.
    #[must_use]
    pub fn policy(mut self, profile: Arc<Profile>) -> Self {
        self.context.profile = profile;
        self
    }

    /// Another time, RFC 3339.
    #[must_use]
    pub fn now(mut self, now: &str) -> Self {
        self.context.now = now.parse().expect("a timestamp in RFC 3339");
        self
    }

    /// Another actor.
    #[must_use]
    pub fn actor(mut self, actor: Actor) -> Self {
        self.context.actor = actor;
        self
    }

    /// Another aggregate id.
    #[must_use]
    pub fn id(mut self, id: impl Into<Uuid>) -> Self {
        self.context.id = id.into();
        self
    }

    /// Another request id.
    #[must_use]
    pub fn request_id(mut self, id: u128) -> Self {
        self.context.request_id = Uuid::from_u128(id);
        self
    }

    /// A text that comes with the command.
    #[must_use]
    pub fn text(mut self, id: TextId) -> Self {
        let digest = Uuid::from(id).as_bytes().to_vec();
        self.context.texts.insert(id, TextRef { id, digest });
        self
    }

    /// What was gathered.
    #[must_use]
    pub fn facts(mut self, facts: A::Facts) -> Self {
        self.context.facts = facts;
        self
    }

    /// What happened before.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = impl Into<A::Event>>) -> Self {
        for event in events {
            A::evolve(&mut self.state, &event.into());
        }
        self
    }

    /// The state so far.
    pub fn state(&self) -> &A::State {
        &self.state
    }

    /// What `decide` would know.
    pub fn context(&self) -> &Context<A::Facts> {
        &self.context
    }

    /// Decides, after admission as at the desk.
    pub fn when(mut self, command: A::Command) -> When<A> {
        keep_made::<A>(&mut self.context);
        let fresh =
            crate::aggregate::encode(&self.state) == crate::aggregate::encode(&A::State::default());
        let admitted = if fresh {
            Ok(())
        } else {
            A::admit_to(&self.state, &command, &self.context.visitor())
        };
        let decision = match admitted {
            Ok(()) => A::decide(&self.state, &command, &self.context),
            Err(refusal) => Err(refusal.into()),
        };
        let mut after = self.state.clone();
        if let Ok(events) = &decision {
            for event in events {
                A::evolve(&mut after, event);
                let (name, version) = event.name();
                let read = A::Event::decode(name, version, &event.encode());
                assert_eq!(
                    read.as_ref(),
                    Ok(event),
                    "an event must read back as written"
                );
            }
            if !events.is_empty() {
                assert_eq!(
                    A::decide(&after, &command, &self.context),
                    Ok(Vec::new()),
                    "an accepted command, run again, must be already so"
                );
            }
        }
        When {
            decision,
            before: self,
            after,
        }
    }
}

/// What was made while the facts were gathered goes with the command's texts, as at the desk; its digest is its id.
fn keep_made<A: Aggregate>(context: &mut Context<A::Facts>) {
    for made in A::made(&context.facts) {
        let id = text_id(context.id, context.method, context.request_id, made.path);
        let digest = Uuid::from(id).as_bytes().to_vec();
        context.texts.insert(id, TextRef { id, digest });
    }
}

/// A decision that was taken.
pub struct When<A: Aggregate> {
    decision: Decision<A::Event>,
    before: Given<A>,
    after: A::State,
}

impl<A: Aggregate> When<A> {
    /// Exactly these events.
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = impl Into<A::Event>>) -> Given<A> {
        let expected: Vec<A::Event> = events.into_iter().map(Into::into).collect();
        assert_eq!(self.decision, Ok(expected));
        self.and_on()
    }

    /// It was so already.
    #[track_caller]
    pub fn then_already(self) -> Given<A> {
        assert_eq!(self.decision, Ok(Vec::new()));
        self.and_on()
    }

    /// Refused, by the refusal's code.
    #[track_caller]
    pub fn then_refused(self, refusal: &Refusal) -> Refusal {
        match self.decision {
            Err(Rejection::Refused(given)) if given.code == refusal.code => *given,
            other => panic!("expected the refusal {}, got {other:?}", refusal.code),
        }
    }

    /// A fact was stale.
    #[track_caller]
    pub fn then_stale(self) {
        assert_eq!(self.decision, Err(Rejection::Stale));
    }

    /// What it needs is not here yet.
    #[track_caller]
    pub fn then_not_yet(self) {
        assert!(
            matches!(self.decision, Err(Rejection::NotYet(_))),
            "expected not yet, got {:?}",
            self.decision
        );
    }

    /// The events, if it was accepted.
    #[track_caller]
    pub fn accepted(self) -> (Vec<A::Event>, Given<A>) {
        let events = self.decision.clone().expect("the command is accepted");
        (events, self.and_on())
    }

    /// The decision as it is.
    pub fn decision(&self) -> &Decision<A::Event> {
        &self.decision
    }

    fn and_on(self) -> Given<A> {
        Given {
            state: self.after,
            context: self.before.context,
        }
    }
}

/// A command to another aggregate of the same service that follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Whose command it is.
    pub kind: &'static str,
    /// To which aggregate.
    pub aggregate: Uuid,
    /// By which method.
    pub method: &'static str,
    command: Vec<u8>,
}

impl Followed {
    /// The command, if it is one to this kind of aggregate.
    pub fn command<A: Aggregate>(&self) -> Option<A::Command> {
        (self.kind == A::KIND).then(|| {
            crate::aggregate::decode(&self.command).expect("a command reads back as written")
        })
    }
}

/// The commands to other aggregates that follow from an event, in their order.
pub fn followed<A: Aggregate>(id: impl Into<Uuid>, event: &A::Event) -> Vec<Followed> {
    let consequences = effects::<A>(id.into(), event).consequences.into_iter();
    consequences
        .map(|consequence| Followed {
            kind: consequence.kind,
            aggregate: consequence.aggregate,
            method: consequence.method,
            command: consequence.command,
        })
        .collect()
}

/// What an event does to the clocks of its aggregate: each clock by its name, with the time and the method that it is
/// set to, or `None` where it is stopped.
pub fn clocks<A: Aggregate>(
    id: impl Into<Uuid>,
    event: &A::Event,
) -> Vec<(&'static str, Option<(Timestamp, &'static str)>)> {
    let clocks = effects::<A>(id.into(), event).clocks.into_iter();
    clocks
        .map(|change| match change {
            ClockChange::Set {
                clock, due, method, ..
            } => (clock, Some((due, method))),
            ClockChange::Stop { clock } => (clock, None),
        })
        .collect()
}

fn effects<A: Aggregate>(id: Uuid, event: &A::Event) -> Effects {
    let mut effects = Effects::default();
    A::effects(id, event, &mut effects);
    effects
}

/// Every event of a vocabulary that was ever stored decodes, and the newest version is written as it was: one sample
/// `<type>.<version>.json` a type and version in `folder`.
#[track_caller]
pub fn reads_every_sample<E: Vocabulary>(folder: &Path) {
    for (name, version) in E::TYPES {
        let file = folder.join(format!("{name}.{version}.json"));
        let sample = std::fs::read(&file)
            .unwrap_or_else(|error| panic!("no sample of {name} version {version}: {error}"));
        let sample = sample.trim_ascii_end();
        let event = E::decode(name, *version, sample)
            .unwrap_or_else(|error| panic!("the sample of {name} does not decode: {error}"));
        assert_eq!(event.name().0, *name);
        // An old version is brought up to date by decoding; only the newest is written again.
        if event.name().1 == *version {
            assert_eq!(
                String::from_utf8_lossy(&event.encode()),
                String::from_utf8_lossy(sample),
                "{name} version {version}"
            );
        }
    }
}

/// No sample is of an event that none of these vocabularies knows any more.
#[track_caller]
pub fn knows_every_sample(folder: &Path, vocabularies: &[&[(&str, u32)]]) {
    let known: BTreeSet<String> = vocabularies
        .concat()
        .iter()
        .map(|(name, version)| format!("{name}.{version}.json"))
        .collect();
    for entry in std::fs::read_dir(folder).expect("the folder of samples") {
        let name = entry.expect("a sample").file_name();
        assert!(
            known.contains(name.to_string_lossy().as_ref()),
            "{} was an event once; keep its decoder",
            name.to_string_lossy()
        );
    }
}

/// An aggregate with its journal, taking commands as the desk does: for properties of whole histories.
#[derive(Clone)]
pub struct Journal<A: Aggregate> {
    state: A::State,
    rows: Vec<(&'static str, u32, Vec<u8>)>,
}

impl<A: Aggregate> Default for Journal<A> {
    fn default() -> Self {
        Self {
            state: A::State::default(),
            rows: Vec::new(),
        }
    }
}

impl<A: Aggregate<State: PartialEq + std::fmt::Debug>> Journal<A> {
    /// The state that its events add up to.
    pub fn state(&self) -> &A::State {
        &self.state
    }

    /// How many events it has.
    pub fn version(&self) -> i64 {
        i64::try_from(self.rows.len()).expect("a few rows")
    }

    /// Hands a command in: admits its actor, decides, and lets happen what was decided. Deciding changes nothing by itself,
    /// and what was accepted is already so when it is decided again.
    ///
    /// # Errors
    /// Why it was turned away; then nothing changed.
    #[track_caller]
    pub fn take(
        &mut self,
        command: &A::Command,
        context: &Context<A::Facts>,
    ) -> Decision<A::Event> {
        if self.version() > 0 {
            A::admit_to(&self.state, command, &context.visitor())?;
        }
        let mut context = context.clone();
        keep_made::<A>(&mut context);
        let before = self.state.clone();
        let decision = A::decide(&self.state, command, &context);
        assert_eq!(self.state, before, "deciding changes nothing");
        let events = decision?;
        for event in &events {
            A::evolve(&mut self.state, event);
            let (name, version) = event.name();
            self.rows.push((name, version, event.encode()));
        }
        if !events.is_empty() {
            let again = A::decide(&self.state, command, &context);
            assert_eq!(again, Ok(Vec::new()), "twice is once");
        }
        Ok(events)
    }

    /// The state as it is folded from the stored events, which must be the state; and which must be read from its own
    /// stored form as it is.
    #[track_caller]
    pub fn check_replay(&self) {
        let mut state = A::State::default();
        for (name, version, data) in &self.rows {
            let event = A::Event::decode(name, *version, data).expect("a stored event decodes");
            A::evolve(&mut state, &event);
        }
        assert_eq!(state, self.state, "replay gives the stored state");
        let stored = crate::aggregate::encode(&self.state);
        let read: A::State = crate::aggregate::decode(&stored).expect("a state reads back");
        assert_eq!(read, self.state);
    }
}

/// The tables of these migrations, empty, in a real PostgreSQL that `tests/run` provides: for a test of its own, in the
/// temporary schema of the pool's only connection.
pub async fn database(migrations: &[&'static str]) -> PgPool {
    let url = std::env::var("ZHENGMING_ADMIN_DATABASE_URL")
        .expect("ZHENGMING_ADMIN_DATABASE_URL says where PostgreSQL is; tests/run sets it");
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&url)
        .await
        .expect("PostgreSQL answers");
    for statements in ["set search_path to pg_temp"].iter().chain(migrations) {
        sqlx::raw_sql(*statements)
            .execute(&pool)
            .await
            .expect("a temporary schema with the tables");
    }
    pool
}

/// Writes the rows of these states into a view's table, as the desk does.
pub async fn write<V: View>(
    pool: &PgPool,
    states: impl IntoIterator<Item = (Uuid, <V::Aggregate as Aggregate>::State)>,
) {
    let rows: Vec<V::Row> = states
        .into_iter()
        .filter_map(|(id, state)| V::row(id, 1, &state))
        .collect();
    sqlx::query(sqlx::AssertSqlSafe(Typed::<V>::new().statement().as_ref()))
        .bind(serde_json::to_value(rows).expect("rows are JSON"))
        .execute(pool)
        .await
        .expect("the rows fit the table");
}

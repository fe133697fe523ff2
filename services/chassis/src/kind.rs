//! Aggregates without their types: the desk holds states of many kinds in one batch.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use office::Actor;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::aggregate::{
    Aggregate, Announcement, Context, Effects, Made, Rejection, UnknownEvent, Visitor, Vocabulary,
};
use crate::facts::{Asking, Informed};
use crate::refusal::Refusal;

/// An event that was decided and not yet written.
pub(crate) struct Decided {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) data: Vec<u8>,
    pub(crate) announcement: Option<Announcement>,
    pub(crate) effects: Effects,
}

/// A command without its type.
pub(crate) type AnyCommand = Arc<dyn Any + Send + Sync>;

/// What was gathered for a decision: the facts, and the texts that were made on the way.
pub(crate) struct Gathered {
    pub(crate) facts: Box<dyn Any + Send + Sync>,
    pub(crate) made: Vec<Made>,
}

/// A kind of aggregate.
#[async_trait]
pub(crate) trait Kind: Send + Sync {
    fn name(&self) -> &'static str;
    /// Changes with `FORMAT` and with the set of event types and versions.
    fn format(&self) -> i64;
    fn fresh(&self) -> Box<dyn Folded>;
    fn restore(&self, state: &[u8]) -> Option<Box<dyn Folded>>;
    fn read_command(&self, json: &[u8]) -> Result<AnyCommand, String>;
    fn write_command(&self, command: &AnyCommand) -> Vec<u8>;
    /// What a stored event of the aggregate `id` tells others, made again; `None` if it is private.
    fn announce(
        &self,
        id: Uuid,
        name: &str,
        version: u32,
        data: &[u8],
    ) -> Result<Option<Announcement>, UnknownEvent>;
    async fn gather(
        &self,
        asking: &Asking,
        id: Uuid,
        command: &AnyCommand,
        actor: &Actor,
    ) -> Result<Gathered, Refusal>;
}

/// A state of some kind.
pub(crate) trait Folded: Send + Sync {
    fn twin(&self) -> Box<dyn Folded>;
    fn store(&self) -> Vec<u8>;
    fn state(&self) -> &dyn Any;
    fn apply(&mut self, name: &str, version: u32, data: &[u8]) -> Result<(), UnknownEvent>;
    fn admit(&self, visitor: &Visitor<'_>) -> Result<(), Refusal>;
    fn admit_to(&self, command: &AnyCommand, visitor: &Visitor<'_>) -> Result<(), Refusal>;
    fn matter(&self, id: Uuid) -> Option<Uuid>;
    /// Decides, and lets what was decided happen to this state.
    fn decide(
        &mut self,
        command: &AnyCommand,
        context: &Context<()>,
        facts: &(dyn Any + Send + Sync),
    ) -> Result<Vec<Decided>, Rejection>;
}

/// All kinds of a service, by name.
#[derive(Clone, Default)]
pub(crate) struct Kinds(pub(crate) HashMap<&'static str, Arc<dyn Kind>>);

impl Kinds {
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<dyn Kind>> {
        self.0.get(name)
    }
}

pub(crate) struct Typed<A> {
    format: i64,
    _aggregate: PhantomData<fn() -> A>,
}

impl<A: Aggregate> Typed<A> {
    /// The format is worked out once; every load and every commit asks for it.
    pub(crate) fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(A::FORMAT.to_be_bytes());
        for (name, version) in A::Event::TYPES {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name.as_bytes());
            hash.update(version.to_be_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        Self {
            format: i64::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes")),
            _aggregate: PhantomData,
        }
    }
}

#[async_trait]
impl<A: Informed> Kind for Typed<A> {
    fn name(&self) -> &'static str {
        A::KIND
    }

    fn format(&self) -> i64 {
        self.format
    }

    fn fresh(&self) -> Box<dyn Folded> {
        Box::new(State::<A>(A::State::default()))
    }

    fn restore(&self, state: &[u8]) -> Option<Box<dyn Folded>> {
        let state: A::State = serde_json::from_slice(state).ok()?;
        Some(Box::new(State::<A>(state)))
    }

    fn read_command(&self, json: &[u8]) -> Result<AnyCommand, String> {
        crate::aggregate::decode::<A::Command>(json).map(|command| Arc::new(command) as AnyCommand)
    }

    fn write_command(&self, command: &AnyCommand) -> Vec<u8> {
        crate::aggregate::encode(command_of::<A>(command))
    }

    fn announce(
        &self,
        id: Uuid,
        name: &str,
        version: u32,
        data: &[u8],
    ) -> Result<Option<Announcement>, UnknownEvent> {
        let event = A::Event::decode(name, version, data)?;
        Ok(A::announce(id, &event))
    }

    async fn gather(
        &self,
        asking: &Asking,
        id: Uuid,
        command: &AnyCommand,
        actor: &Actor,
    ) -> Result<Gathered, Refusal> {
        let facts = A::gather(asking, id, command_of::<A>(command), actor).await?;
        let made = A::made(&facts);
        Ok(Gathered {
            facts: Box::new(facts),
            made,
        })
    }
}

fn command_of<A: Aggregate>(command: &AnyCommand) -> &A::Command {
    command
        .downcast_ref()
        .expect("a command is routed by its own kind")
}

struct State<A: Aggregate>(A::State);

impl<A: Aggregate> Folded for State<A> {
    fn twin(&self) -> Box<dyn Folded> {
        Box::new(Self(self.0.clone()))
    }

    fn store(&self) -> Vec<u8> {
        crate::aggregate::encode(&self.0)
    }

    fn state(&self) -> &dyn Any {
        &self.0
    }

    fn apply(&mut self, name: &str, version: u32, data: &[u8]) -> Result<(), UnknownEvent> {
        let event = A::Event::decode(name, version, data)?;
        A::evolve(&mut self.0, &event);
        Ok(())
    }

    fn admit(&self, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        A::admit(&self.0, visitor)
    }

    fn admit_to(&self, command: &AnyCommand, visitor: &Visitor<'_>) -> Result<(), Refusal> {
        A::admit_to(&self.0, command_of::<A>(command), visitor)
    }

    fn matter(&self, id: Uuid) -> Option<Uuid> {
        A::matter(id, &self.0)
    }

    fn decide(
        &mut self,
        command: &AnyCommand,
        context: &Context<()>,
        facts: &(dyn Any + Send + Sync),
    ) -> Result<Vec<Decided>, Rejection> {
        let facts: &A::Facts = facts
            .downcast_ref()
            .expect("facts are gathered by their own kind");
        let context = Context {
            id: context.id,
            now: context.now,
            actor: context.actor.clone(),
            profile: context.profile.clone(),
            method: context.method,
            request_id: context.request_id,
            texts: context.texts.clone(),
            secrets: context.secrets.clone(),
            facts: facts.clone(),
        };
        let events = A::decide(&self.0, command_of::<A>(command), &context)?;
        Ok(events
            .into_iter()
            .map(|event| {
                A::evolve(&mut self.0, &event);
                let (name, version) = event.name();
                let mut effects = Effects::default();
                A::effects(context.id, &event, &mut effects);
                Decided {
                    name,
                    version,
                    data: event.encode(),
                    announcement: A::announce(context.id, &event),
                    effects,
                }
            })
            .collect())
    }
}

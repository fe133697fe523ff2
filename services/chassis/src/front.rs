//! The path of a command, the same for all four ways in: permission, reading, facts, desk, answer.
//!
//! gRPC methods and the command queue come through [`Front::call`] and `Front::handle`; clocks, consequences and
//! reactions through `Front::carry_out`, which begins at the facts.

mod by_name;

use std::collections::HashMap;
use std::sync::Arc;

use office::{Actor, Policies, Profile, TextId};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tonic::Status;
use uuid::Uuid;

pub(crate) use self::by_name::{AnyMethod, TypedMethod};
use crate::aggregate::{Aggregate, TextRef, Visitor, Vocabulary, text_id};
use crate::config::Equipped;
use crate::desk::{Desk, Group, Item, Outcome, SaltedText, Settled};
use crate::facts::{self, Asking};
use crate::kind::{AnyCommand, Gathered, Kind, Kinds};
use crate::peers::Peers;
use crate::refusal::{
    FACTS_STALE, INTERNAL, NOT_A_TEXT, NOT_FOUND, NOT_PERMITTED, Refusal, RefusalKind, UNAVAILABLE,
};
use crate::request::{Answered, Draw, FollowUp, NewText, Reading, Request};
use crate::secrets::Secrets;
use crate::{desk, hexadecimal, load, server, telemetry, time};

/// A service's counter: where requests are handed in and states are asked for. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: PgPool,
    pub(crate) kinds: Kinds,
    pub(crate) policies: Arc<Policies>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) peers: Peers,
    pub(crate) desk: Desk,
    pub(crate) service: &'static str,
    pub(crate) equipment: Equipped,
    pub(crate) shift: tokio::sync::watch::Receiver<jiff::SignedDuration>,
}

/// A text as a person is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownText {
    /// The aggregate that it belongs to.
    pub owner: Uuid,
    /// What it says; empty once it was erased.
    pub text: String,
    /// The salted digest that the journal keeps of it, hexadecimal.
    pub digest: String,
}

/// The command of a request.
type CommandOf<R, S> = Arc<<<R as Request<S>>::Aggregate as Aggregate>::Command>;

/// What does not change between two tries of one command.
pub(crate) struct Order {
    pub(crate) kind: Arc<dyn Kind>,
    pub(crate) aggregate: Uuid,
    pub(crate) method: &'static str,
    pub(crate) command: AnyCommand,
    pub(crate) request_id: Uuid,
    pub(crate) texts: Vec<NewText>,
    pub(crate) actor: Actor,
    pub(crate) cause: Option<Uuid>,
    pub(crate) trace: Option<String>,
    pub(crate) keep_answer: bool,
}

impl Front {
    /// Carries out a request that came by gRPC.
    ///
    /// # Errors
    /// The refusal as a status with its details.
    pub async fn call<S: 'static, R: Request<S>>(
        &self,
        request: tonic::Request<R>,
    ) -> Result<tonic::Response<R::Response>, Status> {
        let actor = server::actor(&request)?;
        let answer = self
            .handle::<S, R>(request.into_inner(), actor, false)
            .await;
        metrics::counter!(
            "zhengming_commands_total",
            "method" => R::METHOD,
            "result" => answer.as_ref().map_or_else(|refusal| refusal.code.to_string(), |_| "ok".to_owned())
        )
        .increment(1);
        answer
            .map(tonic::Response::new)
            .map_err(|refusal| refusal.status())
    }

    /// Carries out a request of an actor; `keep_answer` where it came by queue.
    ///
    /// # Errors
    /// The refusal.
    pub async fn handle<S: 'static, R: Request<S>>(
        &self,
        request: R,
        actor: Actor,
        keep_answer: bool,
    ) -> Result<R::Response, Refusal> {
        if !self.profile().permits(&actor, R::METHOD) {
            return Err(NOT_PERMITTED);
        }
        let (order, command, draw) = self.order::<S, R>(request, actor.clone(), keep_answer)?;
        let (aggregate, request_id) = (order.aggregate, order.request_id);
        let outcome = self.decide(order).await?;
        let answered = self.answered::<R::Aggregate>(aggregate, command, request_id, outcome);
        let mut answered = answered.await?;
        if let Some(what) = R::on_repeat(&answered, &draw) {
            let (version, events) = self.follow_up(&actor, aggregate, what).await?;
            answered.version = answered.version.max(version);
            answered.events.extend(events);
        }
        Ok(told::<S, R>(&answered, &draw))
    }

    /// Carries out a command of the service's own that goes with an actor's call, on the actor's behalf, under a request
    /// id of its own; the aggregate's version then and what it wrote, nothing if it was already so.
    ///
    /// # Errors
    /// The refusal.
    pub async fn follow_up<A: Aggregate>(
        &self,
        caller: &Actor,
        id: Uuid,
        what: FollowUp<A>,
    ) -> Result<(i64, Vec<A::Event>), Refusal> {
        let behalf = caller
            .on_behalf_of
            .clone()
            .or_else(|| (!caller.is_service()).then(|| caller.id.clone()));
        let actor = Actor::service(self.inner.service, behalf);
        if !self.profile().permits(&actor, what.method) {
            return Err(NOT_PERMITTED);
        }
        let (request_id, command) = (time::new_id(), Arc::new(what.command));
        let outcome = self
            .decide(Order {
                kind: self.kind::<A>()?,
                aggregate: id,
                method: what.method,
                command: Arc::clone(&command) as AnyCommand,
                request_id,
                texts: Vec::new(),
                actor,
                cause: None,
                trace: telemetry::current_traceparent(),
                keep_answer: false,
            })
            .await?;
        let answered = self.answered::<A>(id, command, request_id, outcome);
        let answered = answered.await?;
        Ok((answered.version, answered.events))
    }

    fn kind<A: Aggregate>(&self) -> Result<Arc<dyn Kind>, Refusal> {
        let kind = self.inner.kinds.get(A::KIND);
        kind.cloned()
            .ok_or_else(|| INTERNAL.with_note("the aggregate is not in the blueprint"))
    }

    /// What this request of this actor was answered by queue before, without deciding anything; `None` if it was not.
    ///
    /// # Errors
    /// The refusal that it was answered with; [`UNAVAILABLE`] if there is no telling now.
    pub(crate) async fn earlier<S: 'static, R: Request<S>>(
        &self,
        request: R,
        actor: Actor,
    ) -> Result<Option<R::Response>, Refusal> {
        // What does not read was never carried out.
        let Ok((order, command, draw)) = self.order::<S, R>(request, actor, true) else {
            return Ok(None);
        };
        let (texts, _) = self.salted(&order).await?;
        let key = (order.aggregate, order.method, order.request_id);
        let outcome = desk::on_record(&self.inner.pool, key, &request_hash(&order, &texts)).await?;
        let Some(outcome) = outcome else {
            return Ok(None);
        };
        let (aggregate, request_id) = (order.aggregate, order.request_id);
        let answered = self.answered::<R::Aggregate>(aggregate, command, request_id, outcome);
        Ok(Some(told::<S, R>(&answered.await?, &draw)))
    }

    /// Reads a request.
    fn order<S: 'static, R: Request<S>>(
        &self,
        request: R,
        actor: Actor,
        keep_answer: bool,
    ) -> Result<(Order, CommandOf<R, S>, Draw), Refusal> {
        let profile = self.profile();
        let request_id = request.request_id().to_owned();
        let mut reading = Reading::new(&actor, &profile, R::METHOD, &request_id);
        let command = Arc::new(request.read(&mut reading));
        let draw = reading.draw().clone();
        let (aggregate, request_id, texts) = reading.finish().map_err(Refusal::invalid)?;
        let order = Order {
            kind: self.kind::<R::Aggregate>()?,
            aggregate,
            method: R::METHOD,
            command: Arc::clone(&command) as AnyCommand,
            request_id,
            texts,
            actor,
            cause: None,
            trace: telemetry::current_traceparent(),
            keep_answer,
        };
        Ok((order, command, draw))
    }

    async fn answered<A: Aggregate>(
        &self,
        id: Uuid,
        command: Arc<A::Command>,
        request_id: Uuid,
        outcome: Outcome,
    ) -> Result<Answered<'_, A>, Refusal> {
        let (version, written, already_so) = match outcome {
            Outcome::Written { version, events } => (version, events, None),
            // Looked up by its version and kept nowhere, so that a kept answer to a redelivery says the same.
            Outcome::AlreadySo { version } => {
                let (pool, kinds) = (&self.inner.pool, &self.inner.kinds);
                let state = load::state_at::<A>(pool, kinds, id, version)
                    .await
                    .map_err(|error| UNAVAILABLE.with_note(error))?;
                (version, Vec::new(), Some(state))
            }
        };
        let events = written
            .iter()
            .map(|event| A::Event::decode(&event.name, event.version, &event.data))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| INTERNAL.with_note(error))?;
        Ok(Answered {
            id,
            version,
            command,
            events,
            already_so,
            request_id,
            secrets: &self.inner.secrets,
        })
    }

    /// Gathers facts and brings one command to the desk, again while facts are stale.
    pub(crate) async fn decide(&self, order: Order) -> Result<Outcome, Refusal> {
        let settled = facts::while_stale(|| async {
            let group = Group {
                items: vec![self.prepare(&order).await?],
                cursor: None,
                timer: None,
            };
            self.inner.desk.offer(group).await
        });
        match settled.await? {
            Settled::Done(mut outcomes) => outcomes
                .pop()
                .ok_or_else(|| INTERNAL.with_note("a group of one had no outcome")),
            Settled::Refused(refusal) => Err(*refusal),
            Settled::NotYet(what) => Err(Refusal::new(
                RefusalKind::FailedPrecondition,
                "NOT_YET",
                "What this needs has not arrived here yet; try again in a moment.",
            )
            .with_note(what)),
            Settled::Stale => Err(FACTS_STALE),
            Settled::Duplicate | Settled::Ahead | Settled::Diverged => {
                Err(INTERNAL.with_note("a command without a cursor met a cursor"))
            }
        }
    }

    /// An order with its facts, salts and hash: ready for the desk.
    pub(crate) async fn prepare(&self, order: &Order) -> Result<Item, Refusal> {
        let (texts, fresh_salts) = self.salted(order).await?;
        let Gathered { facts, made } = order
            .kind
            .gather(
                &self.asking(),
                order.aggregate,
                &order.command,
                &order.actor,
            )
            .await?;
        let made = made.into_iter().map(|made| {
            let id = text_id(order.aggregate, order.method, order.request_id, made.path);
            SaltedText::of(id, time::random_bytes(), made.bytes.to_vec())
        });
        Ok(Item {
            kind: Arc::clone(&order.kind),
            aggregate: order.aggregate,
            method: order.method,
            request_hash: request_hash(order, &texts),
            command: Arc::clone(&order.command),
            facts,
            request_id: order.request_id,
            actor: order.actor.clone(),
            cause: order.cause,
            trace: order.trace.clone(),
            texts,
            made: made.collect(),
            fresh_salts,
            keep_answer: order.keep_answer,
        })
    }

    /// The texts with their salts: those of an earlier try of the same request where there was one. Of a text that was
    /// erased since only the digest is left; it stands for whatever comes in its place, so that the request is known
    /// again and gets its earlier answer.
    async fn salted(&self, order: &Order) -> Result<(Vec<SaltedText>, bool), Refusal> {
        let texts = &order.texts;
        if texts.is_empty() {
            return Ok((Vec::new(), false));
        }
        let ids: Vec<Uuid> = texts.iter().map(|text| text.id.into()).collect();
        let rows = sqlx::query!(
            r#"select id as "id!", salt, digest
                 from texts
                where id = any($1)
               union all
               select s.key::uuid, decode(s.value, 'hex'), null
                 from answers a, jsonb_each_text(a.salts) s
                where a.aggregate = $2 and a.method = $3 and a.request_id = $4"#,
            &ids,
            order.aggregate,
            order.method,
            order.request_id
        )
        .fetch_all(&self.inner.pool)
        .await
        .map_err(|error| UNAVAILABLE.with_note(error))?;
        let known: HashMap<Uuid, _> = rows
            .into_iter()
            .map(|row| (row.id, (row.salt, row.digest)))
            .collect();
        let fresh = known.is_empty();
        let salted = texts
            .iter()
            .map(|text| {
                let kept = known.get(&text.id.into());
                if let Some((None, Some(digest))) = kept {
                    return SaltedText {
                        reference: TextRef {
                            id: text.id,
                            digest: digest.clone(),
                        },
                        salt: [0; 32],
                        bytes: Vec::new(),
                    };
                }
                let salt = kept
                    .and_then(|(salt, _)| salt.as_deref()?.try_into().ok())
                    .unwrap_or_else(time::random_bytes);
                SaltedText::of(text.id, salt, text.bytes.clone())
            })
            .collect();
        Ok((salted, fresh))
    }

    fn asking(&self) -> Asking {
        Asking {
            pool: self.inner.pool.clone(),
            kinds: self.inner.kinds.clone(),
            equipment: self.inner.equipment.clone(),
            peers: self.inner.peers.clone(),
            profile: self.profile(),
            secrets: Arc::clone(&self.inner.secrets),
            now: self.now(),
        }
    }

    /// The actor of a request, if a role of theirs permits the method.
    ///
    /// # Errors
    /// [`NOT_PERMITTED`] as a status.
    pub fn permit<T>(
        &self,
        request: &tonic::Request<T>,
        method: &'static str,
    ) -> Result<Actor, Status> {
        let actor = server::actor(request)?;
        if self.profile().permits(&actor, method) {
            Ok(actor)
        } else {
            Err(NOT_PERMITTED.status())
        }
    }

    /// The newest version and state of an aggregate, for an actor whom it admits.
    ///
    /// # Errors
    /// [`NOT_FOUND`], what `admit` says, or [`UNAVAILABLE`], as a status.
    pub async fn state<A: Aggregate>(
        &self,
        actor: &Actor,
        id: Uuid,
    ) -> Result<(i64, A::State), Status> {
        let found = load::state::<A>(&self.inner.pool, &self.inner.kinds, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error).status())?;
        let (version, state) = found.ok_or_else(|| NOT_FOUND.status())?;
        A::admit(&state, &self.visitor(actor, &self.profile()))
            .map_err(|refusal| refusal.status())?;
        Ok((version, state))
    }

    /// A text, for an actor whom the aggregate that it belongs to admits.
    ///
    /// # Errors
    /// [`NOT_FOUND`], [`NOT_A_TEXT`], what `admit` says, or [`UNAVAILABLE`], as a status.
    pub async fn text(&self, actor: &Actor, id: TextId) -> Result<ShownText, Status> {
        self.read_text(actor, id)
            .await
            .map_err(|refusal| refusal.status())
    }

    /// The bytes of a text, for an actor whom the aggregate that it belongs to admits; `None` once it was erased.
    ///
    /// # Errors
    /// [`NOT_FOUND`], what `admit` says, or [`UNAVAILABLE`], as a status.
    pub async fn bytes(&self, actor: &Actor, id: TextId) -> Result<Option<Vec<u8>>, Status> {
        let kept = self.kept(actor, id).await;
        kept.map(|text| text.bytes)
            .map_err(|refusal| refusal.status())
    }

    async fn read_text(&self, actor: &Actor, id: TextId) -> Result<ShownText, Refusal> {
        let kept = self.kept(actor, id).await?;
        Ok(ShownText {
            owner: kept.owner,
            text: String::from_utf8(kept.bytes.unwrap_or_default()).map_err(|_| NOT_A_TEXT)?,
            digest: hexadecimal::encode(&kept.digest),
        })
    }

    /// A text, for an actor whom the aggregate that it belongs to admits.
    async fn kept(&self, actor: &Actor, id: TextId) -> Result<load::Kept, Refusal> {
        let text = load::text(&self.inner.pool, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error))?
            .ok_or(NOT_FOUND)?;
        self.admits(actor, text.owner).await?;
        Ok(text)
    }

    /// Whether an aggregate admits the actor.
    ///
    /// # Errors
    /// [`NOT_FOUND`], what `admit` says, or [`UNAVAILABLE`].
    pub(crate) async fn admits(&self, actor: &Actor, id: Uuid) -> Result<(), Refusal> {
        let (_, live) = load::live(&self.inner.pool, &self.inner.kinds, id)
            .await
            .map_err(|error| UNAVAILABLE.with_note(error))?
            .ok_or(NOT_FOUND)?;
        live.folded.admit(&self.visitor(actor, &self.profile()))
    }

    fn visitor<'a>(&'a self, actor: &'a Actor, profile: &'a Profile) -> Visitor<'a> {
        Visitor {
            actor,
            profile,
            secrets: &self.inner.secrets,
        }
    }

    /// The service's own database, for a view's query.
    pub fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// The policy in force now.
    pub fn profile(&self) -> Arc<Profile> {
        Arc::clone(self.inner.policies.in_force(self.now()))
    }

    /// The service's keys.
    pub fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.inner.secrets)
    }

    /// Domain time as this process has last heard of its shift.
    pub fn now(&self) -> jiff::Timestamp {
        time::domain_now(*self.inner.shift.borrow())
    }
}

fn told<S, R: Request<S>>(answered: &Answered<'_, R::Aggregate>, draw: &Draw) -> R::Response {
    let mut response = R::answer(answered);
    R::confide(&mut response, answered, draw);
    response
}

/// SHA-256 over method, command and the texts' digests: the same request has the same, and it betrays no text.
fn request_hash(order: &Order, texts: &[SaltedText]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(order.actor.id.as_str().as_bytes());
    part(order.method.as_bytes());
    part(&order.kind.write_command(&order.command));
    for text in texts {
        part(&text.reference.digest);
    }
    hash.finalize().into()
}

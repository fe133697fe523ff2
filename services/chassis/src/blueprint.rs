//! A service as a list of what it has, a line each.
//!
//! `lib.rs` of each service builds one [`Blueprint`]; [`run`](crate::run) makes a process of it. Whatever is wired to
//! nothing is found by [`Blueprint::faults`] before the service starts.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;

use proto::topology::Topology;
use sqlx::migrate::Migrator;

use crate::aggregate::Aggregate;
use crate::config::{Equipment, WantedEquipment};
use crate::facts::Informed;
use crate::front::{AnyMethod, Front, TypedMethod};
use crate::kind::Kinds;
use crate::reaction::Follows;
use crate::request::Request;
use crate::view::{AnyView, View};

/// A service's gRPC routes, made from its front.
pub type Routes = fn(Front, tonic::service::RoutesBuilder) -> tonic::service::RoutesBuilder;

/// What a service has.
pub struct Blueprint {
    pub(crate) name: &'static str,
    pub(crate) migrator: Migrator,
    pub(crate) kinds: Kinds,
    pub(crate) methods: BTreeMap<&'static str, Arc<dyn AnyMethod>>,
    pub(crate) internal: BTreeSet<&'static str>,
    pub(crate) questions: BTreeSet<&'static str>,
    pub(crate) views: Vec<Arc<dyn AnyView>>,
    pub(crate) follows: BTreeMap<&'static str, Vec<Follows>>,
    pub(crate) equipment: Vec<WantedEquipment>,
    pub(crate) routes: Option<Routes>,
    pub(crate) topology: Topology,
}

impl Blueprint {
    /// An empty service of this name with its own migrations.
    pub fn new(name: &'static str, migrator: Migrator) -> Self {
        Self {
            name,
            migrator,
            kinds: Kinds::default(),
            methods: BTreeMap::new(),
            internal: BTreeSet::new(),
            questions: BTreeSet::new(),
            views: Vec::new(),
            follows: BTreeMap::new(),
            equipment: Vec::new(),
            routes: None,
            topology: proto::topology::TABLE,
        }
    }

    /// It lives in another table of who follows whom; for tests of the engine.
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// It has aggregates of this kind.
    #[must_use]
    pub fn aggregate<A: Informed>(mut self) -> Self {
        self.kinds
            .0
            .insert(A::KIND, Arc::new(crate::kind::Typed::<A>::new()));
        self
    }

    /// It takes this request, by gRPC and by queue.
    #[must_use]
    pub fn request<S: 'static, R: Request<S>>(mut self) -> Self
    where
        R::Aggregate: Aggregate,
    {
        self.methods
            .insert(R::METHOD, Arc::new(TypedMethod::<S, R>(PhantomData)));
        self
    }

    /// Its own reactions, consequences and clocks use these methods.
    #[must_use]
    pub fn internal(mut self, methods: &[&'static str]) -> Self {
        self.internal.extend(methods);
        self
    }

    /// It answers these methods that change nothing.
    #[must_use]
    pub fn questions(mut self, methods: &[&'static str]) -> Self {
        self.questions.extend(methods);
        self
    }

    /// It keeps this view.
    #[must_use]
    pub fn view<V: View>(mut self) -> Self {
        self.views.push(Arc::new(crate::view::Typed::<V>::new()));
        self
    }

    /// It follows this service: each of its public events with a reaction or a reason to ignore it.
    #[must_use]
    pub fn follows(mut self, source: &'static str, events: &[Follows]) -> Self {
        self.follows.insert(source, events.to_vec());
        self
    }

    /// It needs this beside what every service has.
    #[must_use]
    pub fn equipped<E: Equipment>(mut self) -> Self {
        self.equipment.push(WantedEquipment::of::<E>());
        self
    }

    /// It serves these routes.
    #[must_use]
    pub fn serves(mut self, routes: Routes) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Everything that is wired to nothing, a sentence each: a command without a permission, a followed event without
    /// a line, a source that the table of who follows whom does not name.
    pub fn faults(&self, policies: &office::Policies) -> Vec<String> {
        let mut faults = Vec::new();
        for profile in policies.iter() {
            let known: BTreeSet<&str> = profile.permitted_commands().collect();
            for method in self
                .methods
                .keys()
                .chain(&self.internal)
                .chain(&self.questions)
            {
                if !known.contains(method) {
                    faults.push(format!(
                        "policy profile {}: no role permits {method}; add it to the table of permissions",
                        profile.version
                    ));
                }
            }
        }
        for follow in self.topology.follows {
            if follow.consumer != self.name {
                continue;
            }
            let Some(lines) = self.follows.get(follow.source) else {
                faults.push(format!("{} must follow {}", self.name, follow.source));
                continue;
            };
            for event in proto::events_of(follow.source).iter().copied() {
                if !lines.iter().any(|line| line.name == event) {
                    faults.push(format!(
                        "{}'s event {event} has neither a reaction nor a reason to ignore it",
                        follow.source
                    ));
                }
            }
        }
        for source in self.follows.keys() {
            let declared = self
                .topology
                .follows
                .iter()
                .any(|follow| follow.consumer == self.name && follow.source == *source);
            if !declared {
                faults.push(format!(
                    "{} follows {source}, but the table of who follows whom does not say so",
                    self.name
                ));
            }
        }
        faults
    }
}

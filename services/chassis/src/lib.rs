//! What every service stands on: how a decision becomes a fact, and travels. Knows nothing of the domain.
//!
//! A command comes in by gRPC, by queue, by clock or as a reaction to another service's event ([`front`]); it is
//! gathered into a batch, decided and committed in one transaction ([`desk`]); what it tells others leaves through the
//! outbox ([`relay`]) and arrives exactly once ([`follower`]), also where the broker lost it ([`repair`]).
//! Services program against [`aggregate`], [`request`], [`facts`], [`reaction`] and [`view`], and list what they have
//! in a [`blueprint`].

pub mod aggregate;
mod audit;
mod backoff;
pub mod blueprint;
pub mod broker;
pub mod config;
mod connecting;
pub mod desk;
pub mod facts;
mod feed;
mod follower;
pub mod front;
mod gauges;
pub mod hexadecimal;
pub mod journal;
pub mod keyring;
mod kind;
mod load;
mod operations;
pub mod peers;
pub mod question;
mod queue;
pub mod reaction;
mod rebuild;
pub mod recusal;
pub mod refusal;
pub mod relay;
mod repair;
pub mod request;
mod run;
pub mod secrets;
pub mod server;
pub mod status;
pub mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
mod timers;
pub mod token;
mod upkeep;
pub mod view;

pub use blueprint::Blueprint;
pub use front::Front;
pub use rebuild::{Compared, RebuildFault, Rebuilt, compare_views, rebuild_views};
pub use run::{migrate, run, serve};

//! The engine on a toy office of its own, with real servers: what it guarantees, by name.

#[path = "../common/mod.rs"]
mod common;
mod harness;
mod toy;

mod desk;
mod following;
mod hop;
mod records;

//! The engine on a toy office of its own, with real servers: what it guarantees, by name.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use servers as common;
mod harness;
mod toy;

mod desk;
mod diverging;
mod erasing;
mod following;
mod hop;
mod making;
mod operating;
mod records;
mod retelling;

//! The loop through the real binaries and servers: registers, faults, contracts.

mod applying;
mod bad_input;
mod by_queue;
mod clarifying;
mod concluding;
mod documents;
mod errors;
mod faults;
mod following_up;
mod ledger;
mod meetings;
mod objecting;
mod racing;
mod raising;
mod receipts;
mod reference;
mod registers;
mod repeats;
mod replicas;
mod sanctions;
mod sender;
mod story;
mod tolerance;
mod traces;

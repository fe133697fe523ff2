//! The loop through the real binaries and servers: registers, faults, contracts.

mod faults;
mod registers;

//! The loop through the real binaries and servers: registers, faults, contracts.

mod registers;

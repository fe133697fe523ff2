//! Intake receives reports, routes them and keeps what is known of reporters, subjects and matters.

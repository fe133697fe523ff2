//! What every service stands on: how a decision becomes a fact, and travels.

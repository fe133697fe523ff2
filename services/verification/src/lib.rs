//! Verification establishes the facts, allegation by allegation.

//! Who follows whom.

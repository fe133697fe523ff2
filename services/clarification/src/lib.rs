//! Clears in public the name of those wrongly accused, one subject on one matter at a time.

//! Visits and helps those who were sanctioned, and looks after those whose name was cleared.

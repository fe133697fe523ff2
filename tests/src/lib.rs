//! The closed loop, its contracts and its faults, through the real binaries.

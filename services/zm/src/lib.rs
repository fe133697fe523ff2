//! zm, the command line of Zhengming for people and scripts.

pub mod keys;
pub mod register;

//! The levels of units, from the township up to the nation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How high a unit stands. Ordered by rank, the nation highest: "at prefecture level or above" is
/// `level >= Level::Prefecture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 鄉
    Township,
    /// 縣
    County,
    /// 地級市
    Prefecture,
    /// 省
    Province,
    /// 國家
    Nation,
}

impl Level {
    /// All levels, the highest first.
    pub const ALL: [Level; 5] = [
        Level::Nation,
        Level::Province,
        Level::Prefecture,
        Level::County,
        Level::Township,
    ];

    /// The level's word, the same in policy files, journals and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Nation => "nation",
            Level::Province => "province",
            Level::Prefecture => "prefecture",
            Level::County => "county",
            Level::Township => "township",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A word that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level: expected nation, province, prefecture, county or township")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        let level = Level::ALL.into_iter().find(|level| level.word() == word);
        level.ok_or_else(|| UnknownLevel(word.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nation_ranks_highest() {
        assert!(Level::Nation > Level::Province && Level::County > Level::Township);
        assert!(Level::ALL.is_sorted_by(|a, b| a > b));
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            let json = serde_json::to_string(&level).expect("a level is JSON");
            assert_eq!(json, format!("{:?}", level.word()));
        }
    }
}

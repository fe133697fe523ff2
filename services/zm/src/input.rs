//! What a command reads from a file or from standard input.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;
use serde::de::DeserializeOwned;

use crate::Usage;

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// When it cannot be read, or is no text.
pub fn text(path: &Path) -> Result<String> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|fault| Usage(format!("cannot read {}: {fault}", name(path))).into())
}

/// A message of the contract from its JSON, in a file or in standard input for `-`.
///
/// # Errors
/// When it cannot be read, or is not the message's JSON.
pub fn message<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&text(path)?).map_err(|fault| {
        Usage(format!(
            "{} is not the JSON of this request: {fault}. `zm help COMMAND` shows an example",
            name(path)
        ))
        .into()
    })
}

fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

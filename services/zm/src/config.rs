//! Where the services are, and with which key tokens are signed: from `target/local/zm.toml`, which `deploy/local/up`
//! writes, or another file of that form.
//!
//! ```toml
//! key = "keys/actors.pem"          # signs tokens for people; only for development and tests
//! unit = "N"                       # the unit of the actors that zm makes up; the root of the shipped hierarchy if left out
//! [services]
//! intake = "http://127.0.0.1:50051"
//! verification = "http://127.0.0.1:50052"
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chassis::token::{ACTORS_KEY, Signer};
use office::UnitCode;
use serde::Deserialize;

use crate::Usage;

/// Where the file lies, below the current folder or one above it.
const PLACE: &str = "target/local/zm.toml";
/// The root of the hierarchy that the project ships.
const ROOT_UNIT: &str = "N";

/// Where the services are, and with which key tokens are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The services' addresses, by their names.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
    /// The private key that signs for people (PKCS#8 PEM). Absolute once loaded.
    pub key: Option<PathBuf>,
    /// The unit of the actors that are made up.
    pub unit: Option<UnitCode>,
}

impl Config {
    /// The file that is named, else the nearest `target/local/zm.toml` at or above `from`, else nothing.
    ///
    /// # Errors
    /// When the named file is not there, or a file cannot be read.
    pub fn find(named: Option<&Path>, from: &Path) -> Result<Self> {
        let found = match named {
            Some(path) => Some(path.to_owned()),
            None => from
                .ancestors()
                .map(|folder| folder.join(PLACE))
                .find(|path| path.is_file()),
        };
        found.map_or_else(|| Ok(Self::default()), |path| Self::load(&path))
    }

    /// Reads one file. A relative path of the key is meant from the file's folder.
    ///
    /// # Errors
    /// When it cannot be read or is not of the form.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|fault| {
            Usage(format!(
                "cannot read {}: {fault}. deploy/local/up writes one to {PLACE}",
                path.display()
            ))
        })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|fault| Usage(format!("{} is not in order: {fault}", path.display())))?;
        if let (Some(key), Some(folder)) = (&config.key, path.parent()) {
            config.key = Some(folder.join(key));
        }
        Ok(config)
    }

    /// The unit of the actors that are made up.
    pub fn unit(&self) -> UnitCode {
        self.unit
            .clone()
            .unwrap_or_else(|| UnitCode::new(ROOT_UNIT).expect("a letter is a unit code"))
    }

    /// The signer for people.
    ///
    /// # Errors
    /// When no key is named, or it cannot be read.
    pub fn signer(&self) -> Result<Signer> {
        let path = self.key.as_deref().ok_or_else(|| {
            Usage(format!(
                "this needs to say who acts: give --token, or --key with the private key that signs for people. \
                 deploy/local/up makes one and names it in {PLACE}"
            ))
        })?;
        let pem = fs::read_to_string(path)
            .map_err(|fault| Usage(format!("cannot read the key {}: {fault}", path.display())))?;
        Signer::from_pem(ACTORS_KEY, &pem).with_context(|| format!("the key {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join(PLACE);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, text).expect("a file");
        path
    }

    #[test]
    fn the_nearest_file_above_the_current_folder_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("services/zm");
        fs::create_dir_all(&below).expect("folders");
        assert_eq!(
            Config::find(None, &below)
                .expect("nothing found is fine")
                .key,
            None
        );
        let path = write(
            folder.path(),
            "key = \"keys/actors.pem\"\n[services]\nintake = \"http://127.0.0.1:1\"\n",
        );
        let config = Config::find(None, &below).expect("a configuration");
        assert_eq!(config.services["intake"], "http://127.0.0.1:1");
        assert_eq!(
            config.key.as_deref(),
            Some(path.with_file_name("keys/actors.pem").as_path())
        );
        assert_eq!(config.unit().as_str(), "N");
    }

    #[test]
    fn a_file_that_is_named_must_be_there_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("zm.toml");
        let fault = Config::find(Some(&missing), folder.path()).expect_err("no file");
        assert!(fault.to_string().contains("deploy/local/up"), "{fault}");
        let path = write(folder.path(), "servces = {}\n");
        let fault = Config::load(&path).expect_err("a typo");
        assert!(fault.to_string().contains("servces"), "{fault}");
    }
}

//! `zm dev keys`: the keys that an installation for development or tests needs, in one folder.
//!
//! In production the identity provider has the key that signs for people and gives out its JWKS; each service has its
//! own key from a secret store. Making keys again changes nothing that is there: a key that services run with stays.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use chassis::time::random_bytes;
use chassis::token::{self, ACTORS_KEY, Jwks};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use tempfile::NamedTempFile;

/// Readable by all: public keys. Everything else is the owner's alone.
const PUBLIC: u32 = 0o644;

/// The keys in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Signs for people: `actors.pem`.
    pub actors: PathBuf,
    /// The public keys of all private ones in the folder: `jwks.json`.
    pub jwks: PathBuf,
    /// The office's secret key: `secrets.key`.
    pub secrets: PathBuf,
    /// Whether anything was made that was not there.
    pub new: bool,
}

/// Makes what is missing of `actors.pem`, a `<service>.pem` for each service, `secrets.key` and `jwks.json`.
///
/// # Errors
/// When the folder cannot be written, or holds a key that is none.
pub fn make(folder: &Path, services: &[&str]) -> Result<Made> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut new = false;
    for name in [ACTORS_KEY].iter().chain(services) {
        check_name(name)?;
        let key = SigningKey::from_bytes(&random_bytes());
        let pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .context("a key cannot be written as PEM")?;
        new |= keep(&pem_of(folder, name), &pem)?;
    }
    let secrets = folder.join("secrets.key");
    new |= keep(
        &secrets,
        &format!("{}\n", chassis::hexadecimal::encode(&random_bytes())),
    )?;

    let jwks = folder.join("jwks.json");
    let text = serde_json::to_string_pretty(&public_keys(folder)?)? + "\n";
    if fs::read_to_string(&jwks).ok().as_deref() != Some(&text) {
        replace(&jwks, &text)?;
        new = true;
    }
    Ok(Made {
        actors: pem_of(folder, ACTORS_KEY),
        jwks,
        secrets,
        new,
    })
}

fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        bail!("{name:?} is no name of a service: it has lower-case letters, digits, - and _");
    }
    Ok(())
}

fn pem_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.pem"))
}

/// The public halves of all private keys in the folder, also of those made for another set of services.
fn public_keys(folder: &Path) -> Result<Jwks> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            paths.push(path);
        }
    }
    paths.sort();
    let keys = paths.iter().map(|path| {
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let kid = if name == ACTORS_KEY {
            name.to_owned()
        } else {
            format!("service:{name}")
        };
        let pem =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        token::jwk(&kid, &pem)
            .with_context(|| format!("{} is no key; remove it and run again", path.display()))
    });
    Ok(Jwks {
        keys: keys.collect::<Result<_>>()?,
    })
}

/// Writes a private file, unless it is there. Whole or not at all: a key cut off by a full disk would stay for ever.
fn keep(path: &Path, text: &str) -> Result<bool> {
    match draft(path, text)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(fault) if fault.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(fault) => Err(fault.error).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Writes a public file in place of the one that is there.
fn replace(path: &Path, text: &str) -> Result<()> {
    let draft = draft(path, text)?;
    draft
        .as_file()
        .set_permissions(Permissions::from_mode(PUBLIC))?;
    draft
        .persist(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// The text in a file beside the path, readable by the owner alone.
fn draft(path: &Path, text: &str) -> Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok::<_, std::io::Error>(file)
    };
    write().with_context(|| format!("cannot write to the folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use chassis::token::{Audience, Keys, Signer};
    use office::Actor;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("a file")
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_keys_that_are_made_fit_together() {
        let folder = folder();
        let made = make(folder.path(), &["intake", "follow_up"]).expect("keys");
        let files = [
            "actors.pem",
            "follow_up.pem",
            "intake.pem",
            "jwks.json",
            "secrets.key",
        ];
        assert_eq!(listed(folder.path()), files);

        let keys = Keys::load(&read(&made.jwks)).expect("a JWKS");
        assert!(keys.know(&Signer::from_pem(ACTORS_KEY, &read(&made.actors)).expect("a key")));
        let now = "2026-03-02T12:00:00Z".parse().expect("a time");
        for name in ["intake", "follow_up"] {
            let signer =
                Signer::of_service(name, &read(&pem_of(folder.path(), name))).expect("a key");
            let service = Actor::service(name, None);
            let token = signer
                .mint(&service, Audience::Call, now, token::SERVICE_LIFETIME)
                .expect("a token");
            assert_eq!(keys.verify(&token, Audience::Call, now), Ok(service));
        }
        let secret = chassis::hexadecimal::decode(read(&made.secrets).trim()).expect("hexadecimal");
        assert_eq!(secret.len(), 32);
    }

    #[test]
    fn making_keys_again_changes_nothing_that_is_there() {
        let folder = folder();
        assert!(make(folder.path(), &["intake"]).expect("keys").new);
        let texts = |names: &[&str]| {
            names
                .iter()
                .map(|name| read(&folder.path().join(name)))
                .collect::<Vec<_>>()
        };
        let before = texts(&["actors.pem", "intake.pem", "jwks.json", "secrets.key"]);
        assert!(!make(folder.path(), &["intake"]).expect("keys").new);
        assert_eq!(
            before,
            texts(&["actors.pem", "intake.pem", "jwks.json", "secrets.key"])
        );

        assert!(make(folder.path(), &["verification"]).expect("keys").new);
        assert_eq!(before[..2], texts(&["actors.pem", "intake.pem"]));
        let jwks: Jwks =
            serde_json::from_str(&read(&folder.path().join("jwks.json"))).expect("a JWKS");
        let ids: Vec<_> = jwks.keys.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(ids, ["actors", "service:intake", "service:verification"]);
    }

    #[test]
    fn private_keys_are_readable_by_their_owner_alone() {
        let folder = folder();
        make(folder.path(), &["intake"]).expect("keys");
        for name in ["actors.pem", "intake.pem", "secrets.key"] {
            let mode = fs::metadata(folder.path().join(name))
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }

    #[test]
    fn a_broken_key_is_told_and_not_replaced() {
        let folder = folder();
        let path = pem_of(folder.path(), "intake");
        fs::write(&path, "cut off").expect("a file");
        let fault = make(folder.path(), &["intake"]).expect_err("no key");
        assert!(
            format!("{fault:#}").contains("intake.pem is no key"),
            "{fault:#}"
        );
        assert_eq!(read(&path), "cut off");
    }

    #[test]
    fn every_service_has_a_key() {
        make(folder().path(), proto::topology::SERVICES).expect("keys");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", "../intake", "Intake", "a b"] {
            assert!(make(folder().path(), &[name]).is_err(), "{name:?}");
        }
    }
}

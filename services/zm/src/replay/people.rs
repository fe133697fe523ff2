//! The cast with its tokens: signed by zm where it holds a key, else read from a folder with a file for each actor.
//!
//! A replay may outlast a token. One that zm signed is signed anew in time; one from a folder is read anew, so that
//! whoever issues them can put a fresh one in its place while the replay runs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chassis::time::real_now;
use chassis::token::Signer;
use jiff::{SignedDuration, Timestamp};
use office::{Actor, ActorId};

use crate::Usage;
use crate::client::{Person, minted};

/// A token is renewed when it has less than this left.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// A token that zm signed is used for so long; it lives longer.
const SIGNED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Where tokens come from.
#[derive(Debug)]
enum Tokens {
    Signed(Signer),
    Folder(HashMap<ActorId, PathBuf>),
}

/// Everybody who acts in a replay, each with a token that is still good.
#[derive(Debug)]
pub struct People {
    tokens: Tokens,
    known: Mutex<HashMap<ActorId, (Person, Timestamp)>>,
}

impl People {
    /// Anybody whom the key may sign for.
    #[must_use]
    pub fn signed(signer: Signer) -> Self {
        Self {
            tokens: Tokens::Signed(signer),
            known: Mutex::default(),
        }
    }

    /// Those whose tokens lie in a folder, and who they are.
    ///
    /// # Errors
    /// The folder cannot be read, or a file in it is no token.
    pub fn of_folder(folder: &Path) -> Result<(Self, Vec<Actor>)> {
        let entries = fs::read_dir(folder).map_err(|fault| {
            Usage(format!(
                "the folder of tokens {} cannot be read: {fault}",
                folder.display()
            ))
        })?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if path.is_file() && name.is_some_and(|name| !name.starts_with('.')) {
                paths.push(path);
            }
        }
        paths.sort();
        let mut files = HashMap::new();
        let mut actors = Vec::new();
        for path in paths {
            let (person, _) = read(&path)?;
            files.insert(person.actor.id.clone(), path);
            actors.push(person.actor);
        }
        let people = Self {
            tokens: Tokens::Folder(files),
            known: Mutex::default(),
        };
        Ok((people, actors))
    }

    /// The actor with a token that is good for a while.
    ///
    /// # Errors
    /// Signing fails, or the actor's file is gone or holds a token that has expired.
    pub fn person(&self, actor: &Actor) -> Result<Person> {
        let now = real_now();
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((person, until)) = known.get(&actor.id)
            && now < *until
        {
            return Ok(person.clone());
        }
        let (person, until) = match &self.tokens {
            Tokens::Signed(signer) => (
                minted(signer, actor.clone())?,
                now.saturating_add(SIGNED_FOR)?,
            ),
            Tokens::Folder(files) => {
                let path = files.get(&actor.id).ok_or_else(|| {
                    Usage(format!("there is no token of {} in the folder", actor.id))
                })?;
                let (person, expires) = read(path)?;
                if expires <= now {
                    return Err(Usage(format!(
                        "the token of {} in {} has expired; put a new one there and run the same again, it goes on where it stopped",
                        actor.id,
                        path.display()
                    ))
                    .into());
                }
                // Near its end the file is looked at again with every call, so that a new token is found.
                (person, expires.saturating_sub(MARGIN)?)
            }
        };
        known.insert(actor.id.clone(), (person.clone(), until));
        Ok(person)
    }
}

/// The person whose token a file holds, and when it ends.
fn read(path: &Path) -> Result<(Person, Timestamp)> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let person = Person::of_token(&text).with_context(|| format!("in {}", path.display()))?;
    let expires = expiry(text.trim()).ok_or_else(|| {
        Usage(format!(
            "the token in {} does not say when it ends (`exp`)",
            path.display()
        ))
    })?;
    Ok((person, expires))
}

fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Ends {
        exp: i64,
    }
    let payload = token.split('.').nth(1)?;
    let ends: Ends = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Timestamp::from_second(ends.exp).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chassis::token::{ACTORS_KEY, Audience};
    use office::UnitCode;

    use super::*;
    use crate::replay::actors::Cast;

    fn signer(folder: &Path) -> Signer {
        let made = crate::keys::make(folder, &[]).expect("keys");
        let pem = fs::read_to_string(made.actors).expect("a key");
        Signer::from_pem(ACTORS_KEY, &pem).expect("a key")
    }

    fn cast() -> Cast {
        Cast::made(&UnitCode::new("P51-01").expect("a code"))
    }

    #[test]
    fn a_folder_of_tokens_says_who_plays() {
        let (keys, folder) = (tempfile::tempdir(), tempfile::tempdir());
        let (keys, folder) = (keys.expect("a folder"), folder.expect("a folder"));
        let signer = signer(keys.path());
        for (number, actor) in cast().everybody().enumerate() {
            let token = signer
                .mint(actor, Audience::Call, real_now(), Duration::from_secs(600))
                .expect("a token");
            fs::write(folder.path().join(format!("{number}.jwt")), token).expect("a file");
        }
        let (people, actors) = People::of_folder(folder.path()).expect("tokens");
        assert_eq!(actors.len(), cast().everybody().count());
        for actor in cast().everybody() {
            assert_eq!(people.person(actor).expect("a person").actor, *actor);
        }
    }

    #[test]
    fn an_expired_token_is_told_with_its_file_and_a_new_one_in_its_place_is_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = tempfile::tempdir().expect("a folder");
        let signer = signer(keys.path());
        let actor = cast().registrar().clone();
        let path = folder.path().join("registrar");
        let write = |lifetime| {
            let issued = real_now().saturating_sub(SignedDuration::from_secs(3600));
            let token = signer.mint(
                &actor,
                Audience::Call,
                issued.expect("a time"),
                Duration::from_secs(lifetime),
            );
            fs::write(&path, token.expect("a token")).expect("a file");
        };
        write(600);
        let (people, _) = People::of_folder(folder.path()).expect("a token");
        let fault = people.person(&actor).expect_err("expired").to_string();
        assert!(fault.contains("registrar has expired"), "{fault}");
        write(7200);
        assert!(people.person(&actor).is_ok());
    }

    #[test]
    fn what_is_no_token_is_told_with_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("notes.txt"), "hello").expect("a file");
        let fault = People::of_folder(folder.path()).expect_err("no token");
        assert!(format!("{fault:#}").contains("notes.txt"), "{fault:#}");
        assert!(People::of_folder(&folder.path().join("none")).is_err());
    }
}

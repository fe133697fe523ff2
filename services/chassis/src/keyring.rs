//! The public keys as they are now. An identity provider changes its keys, and no service need be started again for it:
//! the JWKS is read again by the clock, and when a token names a key that is not known. What cannot be read changes
//! nothing.
//!
//! The trap: anybody may send a token that names any key. So between two readings lies a pause, whoever asks.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use office::Actor;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::{Fault, JwksSource};
use crate::refusal::Refusal;
use crate::token::{Audience, Keys};

/// How often the keys are read again.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// The least time from one reading to the next that an unknown key leads to.
const PAUSE: Duration = Duration::from_secs(10);

/// The keys that tokens are checked against. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keyring {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: JwksSource,
    keys: RwLock<Arc<Keys>>,
    /// When they were read last, or in vain; held while they are read.
    last: Mutex<Instant>,
    pause: Duration,
}

impl Keyring {
    /// Reads the keys for the first time.
    ///
    /// # Errors
    /// When they cannot be had or are of no use.
    pub async fn open(source: JwksSource) -> Result<Self, Fault> {
        Self::paced(source, PAUSE).await
    }

    async fn paced(source: JwksSource, pause: Duration) -> Result<Self, Fault> {
        let keys = source.keys().await?;
        Ok(Self {
            inner: Arc::new(Inner {
                source,
                keys: RwLock::new(Arc::new(keys)),
                last: Mutex::new(Instant::now()),
                pause,
            }),
        })
    }

    /// Checks a token and says who acts, as [`Keys::verify`] does; by new keys if it names one that is not known.
    ///
    /// # Errors
    /// As [`Keys::verify`].
    pub async fn verify(
        &self,
        token: &str,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Actor, Refusal> {
        let keys = self.keys();
        if keys.lack_key_of(token) {
            self.read_for(&keys).await;
            return self.keys().verify(token, audience, now);
        }
        keys.verify(token, audience, now)
    }

    /// Reads the keys again by the clock until `drain`.
    pub(crate) async fn watch(self, drain: CancellationToken) {
        self.watch_every(EVERY, drain).await;
    }

    async fn watch_every(self, every: Duration, drain: CancellationToken) {
        while drain.run_until_cancelled(sleep(every)).await.is_some() {
            let mut last = self.inner.last.lock().await;
            self.read().await;
            *last = Instant::now();
        }
    }

    /// Reads the keys again for a token that names one which these lack.
    async fn read_for(&self, lacking: &Arc<Keys>) {
        let mut last = self.inner.last.lock().await;
        // Whoever else lacked one may have read them meanwhile.
        if Arc::ptr_eq(lacking, &self.keys()) && last.elapsed() >= self.inner.pause {
            self.read().await;
            *last = Instant::now();
        }
    }

    async fn read(&self) {
        match self.inner.source.keys().await {
            Ok(keys) => {
                tracing::debug!(?keys, "the JWKS was read again");
                let place = self.inner.keys.write();
                *place.unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Err(fault) => {
                tracing::warn!(%fault, "the JWKS cannot be read again; the keys that were read before hold");
            }
        }
    }

    fn keys(&self) -> Arc<Keys> {
        // Nobody panics while holding it; and if so, it holds whole keys.
        let keys = self.inner.keys.read();
        Arc::clone(&keys.unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ed25519_dalek::SigningKey;
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    use office::Role;
    use servers::eventually;
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::server::public_actor;
    use crate::token::{Jwks, LONGEST_LIFETIME, Signer, jwk};

    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(3600);

    fn pem(seed: u8) -> String {
        let key = SigningKey::from_bytes(&[seed; 32]);
        key.to_pkcs8_pem(Default::default())
            .expect("a key has a PEM")
            .to_string()
    }

    /// The id of the key with this seed.
    fn kid(seed: u8) -> String {
        format!("key-{seed}")
    }

    fn jwks(seeds: &[u8]) -> String {
        let keys = seeds
            .iter()
            .map(|seed| jwk(&kid(*seed), &pem(*seed)).expect("a key"));
        let jwks = Jwks {
            keys: keys.collect(),
        };
        serde_json::to_string(&jwks).expect("a JWKS is JSON")
    }

    fn noon() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().expect("a valid time")
    }

    /// Whether a token of the key with this seed is taken.
    async fn takes(keyring: &Keyring, seed: u8) -> bool {
        let actor = Actor {
            roles: [Role::Auditor].into(),
            ..public_actor()
        };
        let signer = Signer::from_pem(kid(seed), &pem(seed)).expect("a key");
        let token = signer.mint(&actor, Audience::Call, noon(), LONGEST_LIFETIME);
        let token = token.expect("a token");
        match keyring.verify(&token, Audience::Call, noon()).await {
            Ok(taken) => taken == actor,
            Err(refusal) => {
                assert_eq!(refusal.code, "TOKEN_INVALID");
                false
            }
        }
    }

    fn file(text: &str) -> (TempDir, JwksSource) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, text).expect("a file");
        (folder, JwksSource::File(path))
    }

    fn write(folder: &Path, text: &str) {
        std::fs::write(folder.join("jwks.json"), text).expect("a file");
    }

    /// A keyring of these keys, for whoever checks tokens.
    pub(crate) async fn of(jwks: &str) -> Keyring {
        let (_folder, source) = file(jwks);
        Keyring::open(source).await.expect("keys")
    }

    /// A server of a JWKS, as an identity provider has one: where, its text, and how often it was asked.
    async fn provider(text: &str) -> (JwksSource, Arc<RwLock<String>>, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let text = Arc::new(RwLock::new(text.to_owned()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, count) = (Arc::clone(&text), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                count.fetch_add(1, Ordering::SeqCst);
                let text = told.read().expect("whole").clone();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len()
                );
                // Who asked may have gone.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let url = format!("http://{address}/jwks.json");
        (
            JwksSource::Url(url.parse().expect("an address")),
            text,
            asked,
        )
    }

    #[tokio::test]
    async fn a_token_of_a_key_that_the_file_gained_is_taken() {
        let (folder, source) = file(&jwks(&[1]));
        let keyring = Keyring::paced(source, Duration::ZERO).await.expect("keys");
        assert!(takes(&keyring, 1).await);
        assert!(!takes(&keyring, 2).await);
        write(folder.path(), &jwks(&[1, 2]));
        assert!(takes(&keyring, 2).await);
        assert!(takes(&keyring, 1).await);
    }

    #[tokio::test]
    async fn a_token_of_a_key_that_the_provider_gained_is_taken() {
        let (source, text, _) = provider(&jwks(&[1])).await;
        let keyring = Keyring::paced(source, Duration::ZERO).await.expect("keys");
        assert!(!takes(&keyring, 2).await);
        *text.write().expect("whole") = jwks(&[2]);
        assert!(takes(&keyring, 2).await);
        assert!(!takes(&keyring, 1).await, "what it lost is taken no more");
    }

    #[tokio::test]
    async fn whoever_names_keys_that_are_not_there_does_not_have_them_read_at_will() {
        let (source, text, asked) = provider(&jwks(&[1])).await;
        let keyring = Keyring::paced(source, LONG).await.expect("keys");
        *text.write().expect("whole") = jwks(&[1, 2]);
        for _ in 0..20 {
            assert!(!takes(&keyring, 2).await);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "at its start only");
    }

    #[tokio::test]
    async fn keys_are_read_again_by_the_clock() {
        let (folder, source) = file(&jwks(&[1]));
        let keyring = Keyring::paced(source, LONG).await.expect("keys");
        let stop = CancellationToken::new();
        let watching = keyring.clone();
        let watching = watching.watch_every(Duration::from_millis(20), stop.clone());
        let watching = tokio::spawn(watching);
        write(folder.path(), &jwks(&[2]));
        eventually("the new key is taken", async || takes(&keyring, 2).await).await;
        assert!(!takes(&keyring, 1).await);
        stop.cancel();
        watching.await.expect("no panic");
    }

    #[tokio::test]
    async fn what_cannot_be_read_leaves_the_keys_that_were_there() {
        let (folder, source) = file(&jwks(&[1]));
        let keyring = Keyring::paced(source, Duration::ZERO).await.expect("keys");
        for broken in ["", "{\"keys\": []}"] {
            write(folder.path(), broken);
            assert!(!takes(&keyring, 2).await);
            assert!(takes(&keyring, 1).await, "{broken:?}");
        }
        std::fs::remove_file(folder.path().join("jwks.json")).expect("it was there");
        assert!(!takes(&keyring, 2).await);
        assert!(takes(&keyring, 1).await);
    }
}

//! The office's secret key and the keyed hashes made with it.
//!
//! All services share the key, so that a mark made by one can be compared by another. A mark never leads back to what
//! it was made of.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key; its `Debug` tells nothing.
#[derive(Clone)]
pub struct Secrets {
    key: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// From the 32 bytes of the key file.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// HMAC-SHA-256 over purpose and parts, each length-prefixed; 32 bytes.
    pub fn mark(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

//! Where the public keys are: a file, or the identity provider's address.

use std::path::PathBuf;

use tonic::transport::Uri;

use super::{Fault, variable};
use crate::token::Keys;

/// Where the JWKS is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// A file.
    File(PathBuf),
    /// An http or https address.
    Url(Uri),
}

impl JwksSource {
    /// Reads the keys.
    ///
    /// # Errors
    /// When they cannot be had or are of no use.
    pub async fn keys(&self) -> Result<Keys, Fault> {
        let told = |problem: String, remedy: &str| Fault::new(variable("jwks"), problem, remedy);
        let text = match self {
            Self::File(path) => tokio::fs::read_to_string(path).await.map_err(|fault| {
                told(
                    format!("names a file that cannot be read ({})", fault.kind()),
                    "correct the path",
                )
            })?,
            Self::Url(_) => {
                return Err(told(
                    "is an address, which is not supported yet".to_owned(),
                    "give a file",
                ));
            }
        };
        Keys::load(&text).map_err(|fault| {
            told(
                format!("is of no use: {fault}"),
                "give a JWKS with Ed25519 keys",
            )
        })
    }
}

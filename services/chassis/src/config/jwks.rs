//! Where the public keys are: a file, or the identity provider's address.

use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::bytes::Bytes;
use tonic::transport::Uri;

use super::{Fault, variable};
use crate::token::Keys;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most that a JWKS may be long, in bytes.
const LONGEST: usize = 256 * 1024;

/// Where the JWKS is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// A file.
    File(PathBuf),
    /// An http or https address. Over http the network must be trusted: whoever changes the answer signs for anybody.
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
            Self::Url(url) => tokio::time::timeout(PATIENCE, fetch(url.clone()))
                .await
                .unwrap_or_else(|_| Err("there was no answer in time".to_owned()))
                .map_err(|problem| {
                    told(
                        format!("names an address that gave no keys: {problem}"),
                        "correct the address, see to the server, or give a file",
                    )
                })?,
        };
        Keys::load(&text).map_err(|fault| {
            told(
                format!("is of no use: {fault}"),
                "give a JWKS with Ed25519 keys",
            )
        })
    }
}

async fn fetch(url: Uri) -> Result<String, String> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|fault| format!("the machine's certificates cannot be read ({fault})"))?
        .https_or_http()
        .enable_http1()
        .build();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    // The causes say what is the matter, the error itself only that something is.
    let response = client.get(url).await.map_err(|fault| causes(&fault))?;
    if !response.status().is_success() {
        return Err(format!("the server answered {}", response.status()));
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    let body = body
        .map_err(|fault| format!("the answer could not be read ({fault})"))?
        .to_bytes();
    String::from_utf8(body.to_vec()).map_err(|_| "the answer is no text".to_owned())
}

fn causes(fault: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(fault), |fault| fault.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

//! Requests by their method's name and as JSON: how the command queue hands them in.

use std::marker::PhantomData;

use async_trait::async_trait;
use office::Actor;

use super::Front;
use crate::refusal::{INTERNAL, Refusal, Violation};
use crate::request::Request;

/// A request type without its type, as the command queue finds it by its method's name.
#[async_trait]
pub(crate) trait AnyMethod: Send + Sync {
    /// Reads the request's JSON and carries it out; the answer is the response's JSON.
    async fn handle_json(
        &self,
        front: &Front,
        json: &[u8],
        actor: Actor,
    ) -> Result<serde_json::Value, Refusal>;

    /// What this request was answered by queue before, as [`Front::earlier`] tells it.
    async fn earlier_json(
        &self,
        front: &Front,
        json: &[u8],
        actor: Actor,
    ) -> Result<Option<serde_json::Value>, Refusal>;
}

pub(crate) struct TypedMethod<S, R>(pub(crate) PhantomData<fn() -> (S, R)>);

#[async_trait]
impl<S: 'static, R: Request<S>> AnyMethod for TypedMethod<S, R> {
    async fn handle_json(
        &self,
        front: &Front,
        json: &[u8],
        actor: Actor,
    ) -> Result<serde_json::Value, Refusal> {
        let request: R = read_json(json)?;
        let response = front.handle::<S, R>(request, actor, true).await?;
        serde_json::to_value(response).map_err(|error| INTERNAL.with_note(error))
    }

    async fn earlier_json(
        &self,
        front: &Front,
        json: &[u8],
        actor: Actor,
    ) -> Result<Option<serde_json::Value>, Refusal> {
        let response = front.earlier::<S, R>(read_json(json)?, actor).await?;
        response
            .map(serde_json::to_value)
            .transpose()
            .map_err(|error| INTERNAL.with_note(error))
    }
}

fn read_json<R: serde::de::DeserializeOwned>(json: &[u8]) -> Result<R, Refusal> {
    serde_json::from_slice(json).map_err(|error| {
        Refusal::invalid(vec![Violation {
            field: String::new(),
            description: format!(
                "the body is not this method's request as JSON ({:?} at line {} column {})",
                error.classify(),
                error.line(),
                error.column()
            ),
        }])
    })
}

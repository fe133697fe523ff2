//! What must be asked before a decision. On a case: nothing, so far, as what a decision rests on comes with the matter's
//! events. On a person's sanctions and what is assessed before them: the case that they rest on. To add something: a
//! field in the aggregate's `Facts`, and `gather` here.

use async_trait::async_trait;
use chassis::facts::{Asking, Informed};
use chassis::refusal::Refusal;
use office::Actor;
use uuid::Uuid;

use crate::case::Case;
use crate::sanctions::{self, Sanctions};

impl Informed for Case {}

#[async_trait]
impl Informed for Sanctions {
    async fn gather(
        asking: &Asking,
        _id: Uuid,
        command: &sanctions::Command,
        _actor: &Actor,
    ) -> Result<sanctions::Facts, Refusal> {
        let case = asking.state::<Case>(command.case().into()).await?;
        Ok(sanctions::Facts {
            case: case.map(|(_, state)| state).unwrap_or_default(),
        })
    }
}

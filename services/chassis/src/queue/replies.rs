//! Answers on their way back: published in batches, and the command acknowledged once the broker has its answer.
//!
//! Nobody may be listening any more; the broker then confirms and forgets, which is as good. Where it confirms nothing
//! the answer is sent again as long as the command's channel lives; without it the command comes again, and its answer
//! is made again from what was written.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::types::ShortString;
use proto::topology::REPLIES;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Answer;
use crate::backoff::Retry;
use crate::broker::{Acker, Outgoing, Published, Publisher};
use crate::time;

/// Most answers in a batch.
const BATCH: usize = 128;
/// How often an answer is sent again once this process stops.
const LAST_TRIES: u32 = 2;

/// An answer, and the command that it answers.
pub(super) struct Reply {
    pub(super) message: Outgoing,
    pub(super) acker: Acker,
}

/// The message of an answer: `{"ok": response}`, or `{"error": refusal}`.
pub(super) fn message(
    reply_to: String,
    correlation_id: Option<ShortString>,
    answer: &Answer,
) -> Outgoing {
    let body = match answer {
        Ok(response) => serde_json::json!({ "ok": response }),
        Err(refusal) => serde_json::json!(refusal.answer()),
    };
    let mut properties = BasicProperties::default().with_content_type("application/json".into());
    if let Some(id) = correlation_id {
        properties = properties.with_correlation_id(id);
    }
    Outgoing {
        id: time::new_id(),
        exchange: REPLIES,
        routing_key: reply_to,
        mandatory: false,
        properties,
        body: body.to_string().into_bytes(),
    }
}

/// Publishes answers until there are no more to come.
pub(super) async fn publish(
    publisher: Publisher,
    mut answered: mpsc::Receiver<Reply>,
    drain: CancellationToken,
) {
    let mut retry = Retry::default();
    let mut waiting: Vec<Reply> = Vec::new();
    let mut last_tries = 0;
    loop {
        if waiting.is_empty() && answered.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        // A message of a channel that is gone comes again, and so does its answer.
        waiting.retain(|reply| reply.acker.usable());
        let (messages, ackers): (Vec<_>, Vec<_>) = waiting
            .drain(..)
            .map(|reply| (reply.message, reply.acker))
            .unzip();
        let outcomes = publisher.publish_all(&messages).await;
        let mut told = Vec::with_capacity(ackers.len());
        for ((message, acker), outcome) in messages.into_iter().zip(ackers).zip(outcomes) {
            match outcome {
                Published::Confirmed | Published::Returned(_) => told.push(acker),
                Published::Failed(reason) => {
                    tracing::debug!(reason, "an answer is sent again");
                    waiting.push(Reply { message, acker });
                }
            }
        }
        Acker::ack_all(&told).await;
        if waiting.is_empty() {
            retry.reset();
            continue;
        }
        let wait = retry.delay().max(Duration::from_millis(50));
        if timeout(wait, drain.cancelled()).await.is_ok() {
            last_tries += 1;
            if last_tries > LAST_TRIES {
                // Unacknowledged, they come again elsewhere.
                waiting.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::NOT_PERMITTED;

    #[test]
    fn an_answer_is_the_response_or_the_refusal() {
        let done = message(
            "reply.zm.1".to_owned(),
            Some("7".into()),
            &Ok(serde_json::json!({"version": "3"})),
        );
        assert_eq!(done.routing_key, "reply.zm.1");
        assert_eq!(
            done.properties
                .correlation_id()
                .as_ref()
                .map(ShortString::as_str),
            Some("7")
        );
        assert_eq!(done.body, br#"{"ok":{"version":"3"}}"#);

        let refused = message("reply.zm.1".to_owned(), None, &Err(NOT_PERMITTED));
        let body: serde_json::Value = serde_json::from_slice(&refused.body).expect("JSON");
        assert_eq!(body["error"]["code"], "NOT_PERMITTED");
        assert_eq!(body["error"]["kind"], "permission_denied");
    }
}

//! Publishing with confirms: a batch at a time, and for each message what became of it.
//!
//! The trap that shapes this file: the library hands a returned message to whichever confirm completes next, and one
//! acknowledgement of many completes them in any order. So `Ack(None)` alone does not say that a message arrived.
//! Returned messages are told by their message id, a channel carries one batch at a time, and a batch is judged when
//! all its confirms are in.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::link::Link;
use super::{Broker, BrokerError, Health, LinkHealth};

/// How long a batch may take from its first frame to its last confirm.
const CONFIRM: Duration = Duration::from_secs(10);

/// A persistent message.
const PERSISTENT: u8 = 2;

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Told apart by it when it comes back; goes out as `message_id`. Unique within a batch.
    pub id: Uuid,
    /// Where to.
    pub exchange: &'static str,
    /// Which queues there.
    pub routing_key: String,
    /// Whether a message that reaches no queue comes back instead of vanishing.
    pub mandatory: bool,
    /// Headers, content type, reply address. Persistence and the message id are set when it is published.
    pub properties: BasicProperties,
    /// The bytes.
    pub body: Vec<u8>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The broker has it, in a queue if it was mandatory.
    Confirmed,
    /// It was mandatory and no queue takes it.
    Returned(String),
    /// Not known to have arrived: refused, or the channel broke, or no confirm came in time. It may have arrived.
    Failed(String),
}

/// Publishes with confirms on channels of its own. Batches that run at the same time use different channels.
#[derive(Debug)]
pub struct Publisher {
    broker: Broker,
    idle: Mutex<Vec<Channel>>,
    opened: AtomicU64,
    within: Duration,
}

impl Publisher {
    pub(super) fn new(broker: Broker) -> Self {
        Self {
            broker,
            idle: Mutex::default(),
            opened: AtomicU64::new(0),
            within: CONFIRM,
        }
    }

    /// With another bound on the time that a batch may take.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Publishes a batch in its order, all of it before the first confirm is awaited. One outcome a message.
    ///
    /// After anything but confirms and returns the channel is given up, and the next batch opens a new one.
    pub async fn publish_all(&self, messages: &[Outgoing]) -> Vec<Published> {
        if messages.is_empty() {
            return Vec::new();
        }
        let deadline = Instant::now() + self.within;
        let channel = match timeout_at(deadline, self.channel()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return vec![Published::Failed(error.to_string()); messages.len()],
            Err(_) => {
                return vec![
                    Published::Failed("no connection to the broker in time".into());
                    messages.len()
                ];
            }
        };
        let (outcomes, sound) = publish(&channel, messages, deadline).await;
        if sound {
            self.lock().push(channel);
        } else {
            self.link().suspect();
        }
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Published::Returned(_)))
            && let Err(error) = self.link().redeclare().await
        {
            tracing::warn!(%error, "the topology could not be declared again");
        }
        outcomes
    }

    /// Publishes one message.
    pub async fn publish(&self, message: Outgoing) -> Published {
        let outcome = self.publish_all(&[message]).await.pop();
        outcome.unwrap_or_else(|| Published::Failed("no outcome".into()))
    }

    /// Resolves when there is a connection to publish on, and the broker takes messages.
    pub async fn ready(&self) -> Result<(), BrokerError> {
        let mut health = self.broker.health();
        let settled =
            |health: &Health| matches!(health.publishing, LinkHealth::Up | LinkHealth::Closed);
        match health.wait_for(settled).await.as_deref() {
            Ok(Health {
                publishing: LinkHealth::Up,
                ..
            }) => Ok(()),
            _ => Err(BrokerError::Closed),
        }
    }

    /// How many channels this publisher has opened so far: one more after each failure.
    pub fn channels_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    async fn channel(&self) -> Result<Channel, BrokerError> {
        while let Some(channel) = self.take_idle() {
            if channel.status().connected() {
                return Ok(channel);
            }
        }
        let connection = self.link().connection().await?;
        let opened = async {
            let channel = connection.create_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok(channel)
        };
        match timeout(self.within, opened).await {
            Ok(Ok(channel)) => {
                self.opened.fetch_add(1, Ordering::Relaxed);
                Ok(channel)
            }
            Ok(Err(error)) => {
                self.link().suspect();
                Err(BrokerError::Broker(error))
            }
            Err(_) => Err(BrokerError::Unreachable {
                waited: self.within,
                reason: "no channel opened".into(),
            }),
        }
    }

    fn take_idle(&self) -> Option<Channel> {
        self.lock().pop()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        // A panic elsewhere cannot leave a list of channels half-changed.
        self.idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn link(&self) -> &Link {
        &self.broker.inner.publishing
    }
}

/// How the broker answered to one message.
enum Answer {
    Ack,
    Nack,
    Broken(String),
    Late,
}

type Confirmed<'a> = BoxFuture<'a, lapin::Result<Confirmation>>;

async fn publish(
    channel: &Channel,
    messages: &[Outgoing],
    deadline: Instant,
) -> (Vec<Published>, bool) {
    // Polled once each in this order, so that tags and frames follow the order of the batch.
    let mut waiting: Vec<Confirmed<'_>> = Vec::with_capacity(messages.len());
    for message in messages {
        let mut confirm = start(channel, message);
        waiting.push(match futures::poll!(&mut confirm) {
            Poll::Pending => confirm,
            Poll::Ready(answer) => std::future::ready(answer).boxed(),
        });
    }
    let mut answers = Vec::with_capacity(messages.len());
    let mut returned = HashMap::new();
    for confirm in waiting {
        answers.push(match timeout_at(deadline, confirm).await {
            Ok(Ok(confirmation)) => {
                let answer = if confirmation.is_ack() {
                    Answer::Ack
                } else {
                    Answer::Nack
                };
                if let Some(message) = confirmation.take_message() {
                    let id = message.properties.message_id().clone();
                    returned.insert(id, format!("{} {}", message.reply_code, message.reply_text));
                }
                answer
            }
            Ok(Err(error)) => Answer::Broken(error.to_string()),
            Err(_) => Answer::Late,
        });
    }
    judge(messages, answers, returned)
}

/// Puts answers and returned messages together; says whether the channel may be used again.
fn judge(
    messages: &[Outgoing],
    answers: Vec<Answer>,
    mut returned: HashMap<Option<ShortString>, String>,
) -> (Vec<Published>, bool) {
    let sound = answers.iter().all(|answer| matches!(answer, Answer::Ack));
    let late = answers.iter().any(|answer| matches!(answer, Answer::Late));
    let mut outcomes: Vec<_> = messages
        .iter()
        .zip(answers)
        .map(|(message, answer)| {
            let back = returned.remove(&Some(message_id(message)));
            match (answer, back) {
                (Answer::Ack, Some(reason)) => Published::Returned(reason),
                // The confirm that is still missing may be the one that carries this message back.
                (Answer::Ack, None) if late && message.mandatory => {
                    Published::Failed("a confirm is missing".into())
                }
                (Answer::Ack, None) => Published::Confirmed,
                (Answer::Nack, _) => Published::Failed("refused by the broker".into()),
                (Answer::Broken(reason), _) => Published::Failed(reason),
                (Answer::Late, _) => Published::Failed("no confirm in time".into()),
            }
        })
        .collect();
    let stranger = !returned.is_empty();
    if stranger {
        for outcome in &mut outcomes {
            if *outcome == Published::Confirmed {
                *outcome =
                    Published::Failed("a message came back that is not of this batch".into());
            }
        }
    }
    (outcomes, sound && !stranger)
}

fn start<'a>(channel: &'a Channel, message: &'a Outgoing) -> Confirmed<'a> {
    let options = BasicPublishOptions {
        mandatory: message.mandatory,
        immediate: false,
    };
    let properties = message
        .properties
        .clone()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message_id(message));
    async move {
        let key =
            ShortString::try_new(message.routing_key.as_str()).map_err(std::io::Error::other)?;
        channel
            .basic_publish(
                message.exchange.into(),
                key,
                options,
                &message.body,
                properties,
            )
            .await?
            .await
    }
    .boxed()
}

fn message_id(message: &Outgoing) -> ShortString {
    // 36 bytes, far below the limit of a short string.
    ShortString::from(message.id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(count: u128) -> Vec<Outgoing> {
        let message = |id| Outgoing {
            id: Uuid::from_u128(id),
            exchange: "e",
            routing_key: "k".to_owned(),
            mandatory: true,
            properties: BasicProperties::default(),
            body: Vec::new(),
        };
        (0..count).map(message).collect()
    }

    fn returned(ids: &[u128]) -> HashMap<Option<ShortString>, String> {
        let id = |id: &u128| Some(ShortString::from(Uuid::from_u128(*id).to_string()));
        ids.iter()
            .map(|number| (id(number), "312".to_owned()))
            .collect()
    }

    #[test]
    fn a_returned_message_is_told_by_its_id_whichever_confirm_carried_it() {
        let answers = vec![Answer::Ack, Answer::Ack, Answer::Ack];
        let (outcomes, sound) = judge(&batch(3), answers, returned(&[2]));
        assert_eq!(outcomes[..2], [Published::Confirmed, Published::Confirmed]);
        assert_eq!(outcomes[2], Published::Returned("312".into()));
        assert!(sound);
    }

    #[test]
    fn with_a_confirm_missing_no_mandatory_message_counts_as_confirmed() {
        let mut messages = batch(3);
        messages[1].mandatory = false;
        let answers = vec![Answer::Ack, Answer::Ack, Answer::Late];
        let (outcomes, sound) = judge(&messages, answers, HashMap::new());
        assert!(matches!(outcomes[0], Published::Failed(_)));
        assert_eq!(outcomes[1], Published::Confirmed);
        assert!(matches!(outcomes[2], Published::Failed(_)));
        assert!(!sound);
    }

    #[test]
    fn a_stranger_that_comes_back_spoils_the_batch() {
        let (outcomes, sound) = judge(&batch(1), vec![Answer::Ack], returned(&[9]));
        assert!(matches!(outcomes[0], Published::Failed(_)));
        assert!(!sound);
    }

    #[test]
    fn a_refusal_or_an_error_spoils_the_channel_and_no_other_message() {
        for answer in [Answer::Nack, Answer::Broken("gone".into())] {
            let (outcomes, sound) = judge(&batch(2), vec![Answer::Ack, answer], HashMap::new());
            assert_eq!(outcomes[0], Published::Confirmed);
            assert!(matches!(outcomes[1], Published::Failed(_)));
            assert!(!sound);
        }
    }
}

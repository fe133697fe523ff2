//! Whoever sends commands by queue and waits for their answers.

use std::time::Duration;

use chassis::token::{ACTORS_KEY, Audience, Signer};
use futures::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, Consumer};
use office::Actor;
use proto::topology::{COMMANDS, REPLIES, reply_queue};
use serde::Serialize;
use serde_json::Value;
use servers::soon;
use tests::Office;

/// A sender of commands: an automation with the actors' key.
pub(crate) struct Sender {
    channel: Channel,
    replies: Consumer,
    queue: String,
    signer: Signer,
    connection: Connection,
}

impl Sender {
    /// Opens a queue of answers.
    pub(crate) async fn connect(office: &Office) -> Self {
        let connection = Connection::connect(&office.vhost.url(), Default::default())
            .await
            .expect("the broker answers");
        let channel = connection.create_channel().await.expect("a channel");
        let queue = reply_queue("tests", "register");
        channel
            .queue_declare(
                queue.as_str().into(),
                Default::default(),
                FieldTable::default(),
            )
            .await
            .expect("a queue of answers");
        channel
            .queue_bind(
                queue.as_str().into(),
                REPLIES.into(),
                queue.as_str().into(),
                Default::default(),
                FieldTable::default(),
            )
            .await
            .expect("a binding");
        let options = BasicConsumeOptions {
            no_ack: true,
            ..Default::default()
        };
        let replies = channel
            .basic_consume(
                queue.as_str().into(),
                "tests".into(),
                options,
                FieldTable::default(),
            )
            .await
            .expect("a consumer");
        let pem = std::fs::read_to_string(office.folder.path().join("keys/actors.pem"))
            .expect("the key was made");
        Self {
            channel,
            replies,
            queue,
            signer: Signer::from_pem(ACTORS_KEY, &pem).expect("the key is one"),
            connection,
        }
    }

    /// Sends a command and waits for its answer, which must be a response.
    pub(crate) async fn command(
        &mut self,
        service: &str,
        method: &str,
        actor: &Actor,
        request: &impl Serialize,
    ) -> Value {
        let answer = self.ask(service, method, actor, request).await;
        assert!(answer["ok"].is_object(), "{method}: {answer}");
        answer["ok"].clone()
    }

    /// Sends a command and waits for its answer: `ok` or `error`.
    pub(crate) async fn ask(
        &mut self,
        service: &str,
        method: &str,
        actor: &Actor,
        request: &impl Serialize,
    ) -> Value {
        let hour = Duration::from_secs(3600);
        let token = self
            .signer
            .mint(actor, Audience::Queue, chassis::time::real_now(), hour)
            .expect("a token");
        let mut headers = FieldTable::default();
        let bearer = AMQPValue::LongString(format!("Bearer {token}").into());
        headers.insert("authorization".into(), bearer);
        self.channel
            .basic_publish(
                COMMANDS.into(),
                service.into(),
                BasicPublishOptions::default(),
                &serde_json::to_vec(request).expect("a request has a JSON form"),
                BasicProperties::default()
                    .with_type(method.into())
                    .with_reply_to(self.queue.as_str().into())
                    .with_correlation_id(method.into())
                    .with_headers(headers),
            )
            .await
            .expect("sent");
        let reply = soon("an answer comes", self.replies.next())
            .await
            .expect("the queue stays")
            .expect("intact");
        serde_json::from_slice(&reply.data).expect("an answer is JSON")
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        let closed = self.connection.close(200, "done".into()).await;
        closed.expect("closed");
    }
}

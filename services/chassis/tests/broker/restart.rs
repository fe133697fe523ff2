//! A broker that goes away and comes back. It is one of this test's own, as others use the common one.

use std::collections::HashSet;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use chassis::broker::{EventMessage, Published};
use proto::topology::TABLE;
use tokio_util::sync::CancellationToken;

use crate::common::{Server, Vhost, soon};
use crate::{QUEUE, connected, event};

struct OwnBroker {
    script: String,
    folder: PathBuf,
}

impl OwnBroker {
    fn start() -> Self {
        let variable =
            |name| env::var(name).unwrap_or_else(|_| panic!("{name} is not set; use tests/run"));
        let folder = PathBuf::from(format!(
            "{}-restart-{}",
            variable("ZHENGMING_SERVERS_DIR"),
            std::process::id()
        ));
        let own = Self {
            script: variable("ZHENGMING_SERVERS"),
            folder,
        };
        own.run(&["start"], &["--fast"]);
        own
    }

    fn run(&self, before: &[&str], after: &[&str]) -> String {
        let output = Command::new(&self.script)
            .args(before)
            .arg(&self.folder)
            .args(after)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{before:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the broker wrote last: the one place that tells why it did not go on.
    fn show_logs(&self) {
        let logs = self.folder.join("logs");
        for entry in std::fs::read_dir(logs).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let tail = lines[lines.len().saturating_sub(80)..].join("\n");
            eprintln!("{}:\n{tail}", entry.path().display());
        }
    }

    fn server(&self) -> Server {
        let lines = self.run(&["env"], &[]);
        let value = |name: &str| {
            let line = lines
                .lines()
                .find(|line| line.starts_with(&format!("export {name}=")))
                .unwrap();
            line.split_once('=')
                .unwrap()
                .1
                .trim_matches('\'')
                .to_owned()
        };
        Server::at(
            &value("ZHENGMING_ADMIN_AMQP_URL"),
            &value("ZHENGMING_MANAGEMENT_URL"),
        )
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        self.run(&["stop"], &[]);
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_confirmed_is_lost_over_a_restart_or_a_kill_of_the_broker() {
    let own = tokio::task::spawn_blocking(OwnBroker::start).await.unwrap();
    let vhost = Vhost::on(own.server(), &TABLE);
    let (publishing, consuming) = (
        connected(&vhost, "intake").await,
        connected(&vhost, "verification").await,
    );

    let stop = CancellationToken::new();
    let publisher = tokio::spawn({
        let (publisher, stop) = (publishing.publisher(), stop.clone());
        async move {
            let mut confirmed = HashSet::new();
            let mut number = 0;
            while !stop.is_cancelled() {
                publisher.ready().await.unwrap();
                let batch: Vec<_> = (0..20)
                    .map(|_| {
                        number += 1;
                        event("intake", number).into_outgoing(true)
                    })
                    .collect();
                let outcomes = publisher.publish_all(&batch).await;
                let arrived = batch
                    .iter()
                    .zip(outcomes)
                    .filter(|(_, outcome)| *outcome == Published::Confirmed);
                confirmed.extend(arrived.map(|(message, _)| message.id));
            }
            confirmed
        }
    });
    let mut events = consuming.consume(QUEUE, 100);
    let mut received = HashSet::new();
    for verb in ["restart-broker", "kill-broker"] {
        let before = received.len();
        while received.len() < before + 100 {
            let incoming = soon("events before", events.next()).await.unwrap();
            received.insert(EventMessage::from_incoming(&incoming).unwrap().id);
            incoming.acker.ack().await;
        }
        let own = &own;
        tokio::task::block_in_place(|| own.run(&[verb], &[]));
        tokio::task::block_in_place(|| own.run(&["start"], &["--fast", "broker"]));
    }
    let before = received.len();
    while received.len() < before + 500 {
        let incoming = soon("events after", events.next()).await.unwrap();
        received.insert(EventMessage::from_incoming(&incoming).unwrap().id);
        incoming.acker.ack().await;
    }
    stop.cancel();
    let confirmed = publisher.await.unwrap();
    while !received.is_superset(&confirmed) {
        let incoming = soon("every confirmed event", events.next()).await.unwrap();
        received.insert(EventMessage::from_incoming(&incoming).unwrap().id);
        incoming.acker.ack().await;
    }
    publishing.close().await;
    consuming.close().await;
    drop(vhost);
    tokio::task::block_in_place(|| drop(own));
}

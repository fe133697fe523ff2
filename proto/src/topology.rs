//! Who follows whom, and what stands at the broker because of it: exchanges, queues, routing keys and permissions.
//!
//! Here because it is a contract between all services, and every service declares all of it before it publishes
//! anything, so that an event never goes to nowhere because its consumer has not started yet.
//! To add a service: its name in [`SERVICES`]; to let it follow another: a line in [`FOLLOWS`]. Only services that exist.
//! The trap: a queue's arguments cannot be changed at the broker once it is declared. A new argument needs a new name.

/// One service takes all public events of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    /// Who reacts.
    pub consumer: &'static str,
    /// Whose public events it takes.
    pub source: &'static str,
}

/// The services that exist.
pub const SERVICES: &[&str] = &["intake", "verification", "clarification", "follow_up"];

/// Who follows whom.
pub const FOLLOWS: &[Follow] = &[
    Follow {
        consumer: "verification",
        source: "intake",
    },
    Follow {
        consumer: "clarification",
        source: "intake",
    },
    Follow {
        consumer: "clarification",
        source: "verification",
    },
    Follow {
        consumer: "clarification",
        source: "follow_up",
    },
    Follow {
        consumer: "follow_up",
        source: "verification",
    },
    Follow {
        consumer: "follow_up",
        source: "clarification",
    },
    Follow {
        consumer: "intake",
        source: "verification",
    },
    Follow {
        consumer: "intake",
        source: "clarification",
    },
];

/// Public events of all services: topic, durable. The routing key is [`event_key`].
pub const EVENTS: &str = "zhengming.events";
/// Commands to a service: direct, durable. The routing key is the service's name.
pub const COMMANDS: &str = "zhengming.commands";
/// Answers to commands: direct, durable. The routing key is the `reply_to` that the sender drew.
pub const REPLIES: &str = "zhengming.replies";
/// What a queue could not deliver: direct, durable. The routing key is the name of the queue that it comes from.
pub const DEAD: &str = "zhengming.dead";

/// A set of services and who of them follows whom: [`TABLE`], or a smaller one for tests of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The services that exist; each has a queue of commands.
    pub services: &'static [&'static str],
    /// Who follows whom; each pair has a queue.
    pub follows: &'static [Follow],
}

/// The one table that all services declare.
pub const TABLE: Topology = Topology {
    services: SERVICES,
    follows: FOLLOWS,
};

/// Whether any service follows `source`. If none does, its events may go to nowhere.
pub fn followed(source: &str) -> bool {
    TABLE.followed(source)
}

/// The queue of a pair: all public events of `source` on their way to `consumer`.
pub fn follower_queue(consumer: &str, source: &str) -> String {
    format!("{consumer}.from.{source}")
}

/// The queue of commands to a service.
pub fn command_queue(service: &str) -> String {
    format!("{service}.commands")
}

/// Where the broker puts what it gave up delivering from `queue`. Anything in it is an alarm.
pub fn dead_letter_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The routing key of an event: the source, so that a permission can hold a service to its own prefix, and the name
/// of the event's type without its package.
pub fn event_key(source: &str, event_type: &str) -> String {
    let name = event_type.rsplit('.').next().unwrap_or(event_type);
    format!("{source}.{name}")
}

/// The binding that catches every event of `source`.
pub fn event_binding(source: &str) -> String {
    format!("{source}.#")
}

/// The queue on which a sender of commands takes its answers; `user` is its broker user, `id` makes it its own.
pub fn reply_queue(user: &str, id: &str) -> String {
    format!("reply.{user}.{id}")
}

impl Topology {
    /// Whether any service of this set follows `source`.
    pub fn followed(&self, source: &str) -> bool {
        self.follows.iter().any(|follow| follow.source == source)
    }

    /// The queues of pairs and of commands; not their dead-letter queues.
    pub fn queues(&self) -> Vec<String> {
        let pairs = self
            .follows
            .iter()
            .map(|follow| follower_queue(follow.consumer, follow.source));
        pairs
            .chain(self.services.iter().map(|service| command_queue(service)))
            .collect()
    }

    /// The queues that `service` alone reads, without their dead-letter queues.
    pub fn own_queues(&self, service: &str) -> Vec<String> {
        let pairs = self
            .follows
            .iter()
            .filter(|follow| follow.consumer == service);
        pairs
            .map(|follow| follower_queue(follow.consumer, follow.source))
            .chain(
                self.services
                    .iter()
                    .filter(|name| **name == service)
                    .map(|name| command_queue(name)),
            )
            .collect()
    }

    /// What the broker allows the user of `service`.
    ///
    /// It may declare and bind everything in the table (without that no service could be the first to start), reads
    /// its own queues, and publishes events under its own name only. Nobody writes to the default exchange
    /// (`amq.default` to the broker's eyes), which would reach any queue past every binding.
    pub fn service_permissions(&self, service: &str) -> Permissions {
        let exchanges = [EVENTS, COMMANDS, REPLIES, DEAD].map(str::to_owned);
        let queues = with_dead(self.queues());
        let declare: Vec<String> = exchanges
            .iter()
            .cloned()
            .chain(queues.iter().cloned())
            .collect();
        // To bind is to write to the queue and to read the exchange.
        let read: Vec<String> = exchanges
            .into_iter()
            .chain(with_dead(self.own_queues(service)))
            .collect();
        let anyone: Vec<String> = self.services.iter().map(|name| escaped(name)).collect();
        Permissions {
            configure: exactly(&declare),
            write: exactly(&declare),
            read: exactly(&read),
            topics: vec![TopicPermission {
                exchange: EVENTS,
                write: format!("^{}\\..*$", escaped(service)),
                read: format!("^({})\\.#$", anyone.join("|")),
            }],
        }
    }

    /// Policies of the broker that the table needs beside its queues' arguments.
    ///
    /// Dead-lettering is set by a policy because a queue declared with `x-dead-letter-exchange` demands that the
    /// declaring user may read that queue, and a service reads only its own.
    pub fn policies(&self) -> Vec<Policy> {
        self.queues()
            .into_iter()
            .map(|queue| Policy {
                name: format!("dead-letters-of-{queue}"),
                pattern: format!("^{}$", escaped(&queue)),
                dead_letter_exchange: DEAD,
                dead_letter_routing_key: queue,
            })
            .collect()
    }
}

/// What the broker allows a user, as regular expressions of RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// What it may declare and delete.
    pub configure: String,
    /// Exchanges that it may publish to, queues that it may bind.
    pub write: String,
    /// Queues that it may consume, exchanges that it may bind to.
    pub read: String,
    /// Which routing keys, for exchanges of type topic.
    pub topics: Vec<TopicPermission>,
}

/// Which routing keys a user may publish and bind with at one topic exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPermission {
    /// The exchange that this is about.
    pub exchange: &'static str,
    /// Routing keys to publish with.
    pub write: String,
    /// Routing keys to bind with.
    pub read: String,
}

/// One policy on one queue (`apply-to` queues).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name within the virtual host.
    pub name: String,
    /// Which queue it applies to, as a regular expression.
    pub pattern: String,
    /// `dead-letter-exchange`.
    pub dead_letter_exchange: &'static str,
    /// `dead-letter-routing-key`.
    pub dead_letter_routing_key: String,
}

/// What the broker allows a sender of commands that is no service: to publish commands and to take answers on queues
/// of its own ([`reply_queue`]).
pub fn client_permissions(user: &str) -> Permissions {
    let own = format!("reply\\.{}\\..+", escaped(user));
    Permissions {
        configure: format!("^{own}$"),
        write: format!("^({}|{own})$", escaped(COMMANDS)),
        read: format!("^({}|{own})$", escaped(REPLIES)),
        // Without a record of its own a user may use any routing key, so say that it has none.
        topics: vec![TopicPermission {
            exchange: EVENTS,
            write: "^$".to_owned(),
            read: "^$".to_owned(),
        }],
    }
}

fn with_dead(queues: Vec<String>) -> Vec<String> {
    queues
        .into_iter()
        .flat_map(|queue| [dead_letter_queue(&queue), queue])
        .collect()
}

/// A pattern that matches these names and no other. RabbitMQ does not anchor patterns by itself.
fn exactly(names: &[String]) -> String {
    format!(
        "^({})$",
        names
            .iter()
            .map(|name| escaped(name))
            .collect::<Vec<_>>()
            .join("|")
    )
}

/// Names consist of letters, digits, `-`, `_` and `.`, of which only the dot means something to a pattern.
fn escaped(name: &str) -> String {
    name.replace('.', "\\.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a pattern of the form that this module writes matches `name`: alternatives of literals.
    fn allows(pattern: &str, name: &str) -> bool {
        let inner = pattern
            .strip_prefix("^(")
            .and_then(|rest| rest.strip_suffix(")$"))
            .expect("anchored alternatives");
        inner
            .split('|')
            .any(|alternative| alternative.replace("\\.", ".") == name)
    }

    #[test]
    fn everyone_in_the_table_exists() {
        for follow in FOLLOWS {
            assert!(SERVICES.contains(&follow.consumer), "{}", follow.consumer);
            assert!(SERVICES.contains(&follow.source), "{}", follow.source);
            assert_ne!(
                follow.consumer, follow.source,
                "own events are reactions of the timers' table"
            );
        }
    }

    #[test]
    fn names_hold_nothing_that_a_pattern_would_read_otherwise() {
        for service in SERVICES {
            assert!(
                service.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{service}"
            );
        }
    }

    #[test]
    fn a_service_declares_and_binds_the_whole_table() {
        for service in SERVICES {
            let permissions = TABLE.service_permissions(service);
            for name in [EVENTS, COMMANDS, REPLIES, DEAD]
                .map(str::to_owned)
                .into_iter()
                .chain(with_dead(TABLE.queues()))
            {
                assert!(
                    allows(&permissions.configure, &name),
                    "{service} declares {name}"
                );
                assert!(allows(&permissions.write, &name), "{service} binds {name}");
            }
        }
    }

    #[test]
    fn a_service_reads_only_its_own_queues() {
        let permissions = TABLE.service_permissions("intake");
        for own in [
            "intake.from.verification",
            "intake.commands",
            "intake.commands.dead",
        ] {
            assert!(allows(&permissions.read, own), "{own}");
        }
        for foreign in [
            "verification.from.intake",
            "verification.commands",
            "verification.commands.dead",
        ] {
            assert!(!allows(&permissions.read, foreign), "{foreign}");
        }
    }

    #[test]
    fn nobody_writes_to_the_default_exchange() {
        let services = SERVICES
            .iter()
            .map(|service| TABLE.service_permissions(service));
        for permissions in services.chain([client_permissions("importer")]) {
            assert!(!allows(&permissions.write, "amq.default"));
            assert!(!allows(&permissions.write, ""));
        }
    }

    #[test]
    fn a_service_publishes_events_only_under_its_own_prefix() {
        let permissions = TABLE.service_permissions("intake");
        assert_eq!(permissions.topics[0].write, "^intake\\..*$");
        assert_eq!(
            permissions.topics[0].read,
            "^(intake|verification|clarification|follow_up)\\.#$"
        );
        assert!(event_key("intake", "zhengming.intake.v1.ReportAccepted").starts_with("intake."));
    }

    #[test]
    fn the_key_of_an_event_is_its_source_and_the_name_of_its_type() {
        assert_eq!(
            event_key("intake", "zhengming.intake.v1.ReportAccepted"),
            "intake.ReportAccepted"
        );
        assert_eq!(
            event_key("intake", "ReportAccepted"),
            "intake.ReportAccepted"
        );
    }

    #[test]
    fn every_queue_has_its_dead_letters() {
        let policies = TABLE.policies();
        assert_eq!(policies.len(), TABLE.queues().len());
        assert!(
            policies
                .iter()
                .any(|policy| policy.pattern == "^verification\\.from\\.intake$"
                    && policy.dead_letter_routing_key == "verification.from.intake")
        );
    }

    #[test]
    fn who_is_followed() {
        assert!(followed("intake") && followed("verification"));
        assert!(!followed("nobody"));
    }
}

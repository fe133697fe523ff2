//! The metrics that exist, and where Prometheus finds them.
//!
//! Counted elsewhere with `metrics::counter!(metric::COMMANDS, …)`; the names stand here so that a dashboard has one
//! page to read. To add one: its constant, its line in [`describe`], and its entry in the README.

use std::net::SocketAddr;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

use super::TelemetryFault;

/// Commands decided, by `method`, `way` (grpc, queue, clock, reaction) and `outcome` (done, already, refused).
pub const COMMANDS: &str = "zhengming_commands_total";
/// Refusals, by `code`.
pub const REFUSALS: &str = "zhengming_refusals_total";
/// Commands in a batch of the desk.
pub const BATCH_COMMANDS: &str = "zhengming_batch_commands";
/// Seconds from the start of a batch to its commit.
pub const BATCH_SECONDS: &str = "zhengming_batch_seconds";
/// Times that a batch was decided again, by `reason` (shortfall, serialization, split, stale).
pub const BATCH_REPEATS: &str = "zhengming_batch_repeats_total";
/// Events that wait for the broker's confirmation.
pub const OUTBOX_DEPTH: &str = "zhengming_outbox_depth";
/// Age of the oldest of them, in seconds.
pub const OUTBOX_AGE: &str = "zhengming_outbox_age_seconds";
/// Events published and confirmed.
pub const PUBLISHED: &str = "zhengming_published_total";
/// Events applied, by `source`.
pub const FOLLOWED: &str = "zhengming_followed_total";
/// Seconds from an event's time to its reaction's commit, by `source`.
pub const FOLLOWER_LAG: &str = "zhengming_follower_lag_seconds";
/// Events held back, by `source` and `state` (parked, dead, unreadable).
pub const HELD: &str = "zhengming_held_events";
/// Clocks and consequences that are due and not yet carried out, by `kind` (clock, consequence).
pub const DUE: &str = "zhengming_timers_due";
/// Clocks and consequences that were refused and wait for an operator.
pub const TIMERS_DEAD: &str = "zhengming_timers_dead";
/// Calls to other services, by `peer` and `outcome` (answered, refused, failed, open).
pub const PEER_CALLS: &str = "zhengming_peer_calls_total";
/// Which build runs: always 1, by `version`.
pub const BUILD_INFO: &str = "zhengming_build_info";

/// Bounds of the histogram of batch sizes.
const SIZES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
/// Bounds of the histograms of seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0,
];

/// Serves the metrics of this process under `/metrics`; once, within the runtime. Every metric is labelled with the
/// service.
///
/// # Errors
/// When the address is taken, or metrics are served already.
pub fn serve(service: &str, version: &str, address: SocketAddr) -> Result<(), TelemetryFault> {
    let told = |fault: metrics_exporter_prometheus::BuildError| TelemetryFault::Metrics {
        address,
        fault: fault.to_string(),
    };
    PrometheusBuilder::new()
        .with_http_listener(address)
        .add_global_label("service", service)
        .set_buckets_for_metric(Matcher::Full(BATCH_COMMANDS.to_owned()), &SIZES)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        })
        .and_then(PrometheusBuilder::install)
        .map_err(told)?;
    describe();
    metrics::gauge!(BUILD_INFO, "version" => version.to_owned()).set(1.0);
    Ok(())
}

fn describe() {
    describe_counter!(COMMANDS, "Commands decided, by method, way in and outcome.");
    describe_counter!(REFUSALS, "Refusals, by code.");
    describe_histogram!(
        BATCH_COMMANDS,
        Unit::Count,
        "Commands in a batch of the desk."
    );
    describe_histogram!(
        BATCH_SECONDS,
        Unit::Seconds,
        "From the start of a batch to its commit."
    );
    describe_counter!(BATCH_REPEATS, "Batches that were decided again, by reason.");
    describe_gauge!(
        OUTBOX_DEPTH,
        "Events that wait for the broker's confirmation."
    );
    describe_gauge!(
        OUTBOX_AGE,
        Unit::Seconds,
        "Age of the oldest event that waits."
    );
    describe_counter!(PUBLISHED, "Events published and confirmed.");
    describe_counter!(FOLLOWED, "Events applied, by source.");
    describe_histogram!(
        FOLLOWER_LAG,
        Unit::Seconds,
        "From an event's time to its reaction's commit, by source."
    );
    describe_gauge!(HELD, "Events held back, by source and state.");
    describe_gauge!(DUE, "Clocks and consequences that are due, by kind.");
    describe_gauge!(
        TIMERS_DEAD,
        "Clocks and consequences that were refused and wait for an operator."
    );
    describe_counter!(PEER_CALLS, "Calls to other services, by peer and outcome.");
    describe_gauge!(BUILD_INFO, "The build that runs.");
}

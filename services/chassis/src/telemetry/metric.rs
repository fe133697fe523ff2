//! The metrics that exist, and where Prometheus finds them.
//!
//! A metric is counted where the thing happens (`metrics::counter!(…)`) and described here, so that who
//! builds a dashboard has one page to read. A test compares both; to add one, count it and add its line.

use std::net::SocketAddr;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

use super::TelemetryFault;

/// How a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Sizes, in buckets.
    Histogram,
}

/// A metric: its name, shape, unit, and what it tells with which labels. All have the label `service` too.
pub type Metric = (&'static str, Shape, Unit, &'static str);

/// All metrics.
pub const METRICS: &[Metric] = {
    use Shape::{Counter, Gauge, Histogram};
    &[
        (
            "zhengming_build_info",
            Gauge,
            Unit::Count,
            "The build that runs, by version; always 1.",
        ),
        (
            "zhengming_commands_total",
            Counter,
            Unit::Count,
            "Commands, by method and result (`ok` or a refusal's code).",
        ),
        (
            "zhengming_batch_size",
            Histogram,
            Unit::Count,
            "Commands in a batch of the desk.",
        ),
        (
            "zhengming_shortfalls_total",
            Counter,
            Unit::Count,
            "Commands decided again because another replica was faster.",
        ),
        (
            "zhengming_outbox_depth",
            Gauge,
            Unit::Count,
            "Events that wait for the broker's confirmation.",
        ),
        (
            "zhengming_outbox_age_seconds",
            Gauge,
            Unit::Seconds,
            "Age of the oldest event that waits.",
        ),
        (
            "zhengming_relay_published_total",
            Counter,
            Unit::Count,
            "Events confirmed by the broker.",
        ),
        (
            "zhengming_relay_failed_total",
            Counter,
            Unit::Count,
            "Events that the broker did not confirm; they go again.",
        ),
        (
            "zhengming_relay_returned_total",
            Counter,
            Unit::Count,
            "Events that the broker gave back because no queue wanted them.",
        ),
        (
            "zhengming_followed_total",
            Counter,
            Unit::Count,
            "Events applied, by source.",
        ),
        (
            "zhengming_repaired_total",
            Counter,
            Unit::Count,
            "Events fetched from their source because the broker did not bring them, by source.",
        ),
        (
            "zhengming_parked_total",
            Counter,
            Unit::Count,
            "Events set aside for later, by status.",
        ),
        (
            "zhengming_dead_total",
            Counter,
            Unit::Count,
            "What waits for an operator, by what it is. Any increase is an alarm.",
        ),
        (
            "zhengming_held_events",
            Gauge,
            Unit::Count,
            "Events that are held now, by status. `dead`, `unreadable` and `diverged` are alarms.",
        ),
        (
            "zhengming_follower_lag_seconds",
            Gauge,
            Unit::Seconds,
            "Age of the oldest event that waits here, by source; 0 if none does.",
        ),
        (
            "zhengming_timers_due",
            Gauge,
            Unit::Count,
            "Clocks and consequences that are due and not yet carried out.",
        ),
        (
            "zhengming_timers_dead",
            Gauge,
            Unit::Count,
            "Clocks and consequences that were refused. More than none is an alarm.",
        ),
        (
            "zhengming_broker_up",
            Gauge,
            Unit::Count,
            "Whether the connection stands, by connection.",
        ),
        (
            "zhengming_broker_dead_letters",
            Gauge,
            Unit::Count,
            "Messages in dead-letter queues, by queue. More than none is an alarm.",
        ),
        (
            "zhengming_peer_calls_total",
            Counter,
            Unit::Count,
            "Calls to other services, by peer and outcome (answered, refused, failed, open).",
        ),
    ]
};

/// Bounds of the histograms of sizes.
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
        .set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        })
        .and_then(PrometheusBuilder::install)
        .map_err(told)?;
    for &(name, shape, unit, what) in METRICS {
        match shape {
            Shape::Counter => describe_counter!(name, unit, what),
            Shape::Gauge => describe_gauge!(name, unit, what),
            Shape::Histogram => describe_histogram!(name, unit, what),
        }
    }
    metrics::gauge!("zhengming_build_info", "version" => version.to_owned()).set(1.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// The names that are counted in the sources of a folder.
    fn counted(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                counted(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                for after in ["counter!(", "gauge!(", "histogram!("]
                    .iter()
                    .flat_map(|macro_| text.split(macro_).skip(1))
                {
                    let name = after
                        .trim_start()
                        .strip_prefix('"')
                        .and_then(|text| text.split('"').next());
                    names.extend(
                        name.filter(|name| name.starts_with("zhengming_"))
                            .map(str::to_owned),
                    );
                }
            }
        }
    }

    #[test]
    fn every_metric_that_is_counted_is_described() {
        let mut names = BTreeSet::new();
        counted(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut names,
        );
        assert!(
            names.contains("zhengming_commands_total"),
            "the search finds nothing: {names:?}"
        );
        let described: BTreeSet<_> = METRICS.iter().map(|metric| metric.0.to_owned()).collect();
        let missing: Vec<_> = names.difference(&described).collect();
        assert!(missing.is_empty(), "add to METRICS: {missing:?}");
        assert_eq!(
            described.len(),
            METRICS.len(),
            "a metric is described twice"
        );
    }

    #[tokio::test]
    async fn prometheus_finds_the_metrics_with_their_service() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        assert!(
            matches!(
                serve("intake", "0.1.0", address),
                Err(TelemetryFault::Metrics { .. })
            ),
            "the port is taken"
        );
        drop(listener);
        serve("intake", "0.1.0", address).expect("served");
        metrics::histogram!("zhengming_batch_size").record(3.0);

        let mut stream = TcpStream::connect(address).await.expect("a listener");
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        for line in [
            "# HELP zhengming_build_info The build that runs",
            "zhengming_build_info{service=\"intake\",version=\"0.1.0\"} 1",
            "zhengming_batch_size_bucket{service=\"intake\",le=\"4\"} 1",
        ] {
            assert!(answer.contains(line), "{line} is not in {answer}");
        }
    }
}

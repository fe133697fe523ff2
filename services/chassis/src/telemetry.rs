//! Logs, traces and metrics: how an operator sees what a service does.
//!
//! A trace follows a report through all services: every piece of work that comes from elsewhere (a call, a message, an
//! event, a timer) runs in a span made by [`continue_from`], and whatever leaves carries [`current_traceparent`]. Trace
//! ids exist and stand in the log without any exporter; with one (`otlp_endpoint`) the spans are sent as well.
//!
//! The trap: a field of a log line, span or metric may hold ids, codes, counts and times, never a name, contact or
//! narrative, and a metric's label must come from a list that is known beforehand.

pub mod metric;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{EnvFilter, ParseError, dynamic_filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

/// The target of the spans that carry a trace. They stay visible whatever the log's filter says, so that even a lone
/// warning stands beside its trace id.
const SPANS: &str = "zhengming::trace";

/// The name of the W3C header that carries a trace, in metadata and in message headers.
pub const TRACEPARENT: &str = "traceparent";

/// How long the last spans may take to be sent when a service stops.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A JSON object a line, for a collector.
    #[default]
    Json,
    /// Coloured lines, for a person at a terminal.
    Pretty,
}

/// How to log and trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// What to log, such as `info` or `info,chassis=debug`.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
    /// Where spans are sent (OTLP by gRPC), if anywhere.
    pub otlp_endpoint: Option<String>,
}

/// Why logs, traces or metrics could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryFault {
    /// The filter does not parse.
    #[error("the log filter is none (such as `info,chassis=debug`): {0}")]
    Filter(#[from] ParseError),
    /// The exporter of spans cannot be built.
    #[error("traces cannot be sent to the OTLP endpoint: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Logging was started before.
    #[error("logging is started already: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
    /// The metrics cannot be served.
    #[error("metrics cannot be served on {address}: {fault}")]
    Metrics {
        /// Where they were to be served.
        address: SocketAddr,
        /// What went wrong.
        fault: String,
    },
}

/// Logs and traces, started. [`Telemetry::stop`] sends what is left.
#[derive(Debug)]
pub struct Telemetry {
    traces: SdkTracerProvider,
}

/// Starts logs and traces for this process; once, within the runtime.
///
/// # Errors
/// When the filter does not parse, the exporter cannot be built, or logging runs already.
pub fn start(service: &str, logging: &Logging) -> Result<Telemetry, TelemetryFault> {
    let traces = tracer_provider(service, logging.otlp_endpoint.as_deref())?;
    let lines = lines(logging, std::io::stdout)?;
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("zhengming"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(trace_filter());
    Registry::default().with(lines).with(spans).try_init()?;
    Ok(Telemetry { traces })
}

fn lines<W>(
    logging: &Logging,
    writer: W,
) -> Result<Box<dyn Layer<Registry> + Send + Sync>, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = log_filter(&logging.filter)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    Ok(match logging.format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_filter(filter)
            .boxed(),
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
    })
}

impl Telemetry {
    /// Sends the spans that are left; bounded, as the last thing a service does.
    pub fn stop(self) {
        if let Err(fault) = self.traces.shutdown_with_timeout(LAST_SPANS) {
            tracing::warn!(%fault, "the last spans were not sent");
        }
    }
}

/// Without an endpoint spans are not recorded, but their ids are made and passed on all the same.
fn tracer_provider(
    service: &str,
    endpoint: Option<&str>,
) -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = endpoint else {
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(LAST_SPANS)
        .build()?;
    // Every span, also of a trace that began where nothing is sent: a report's way has no holes.
    Ok(builder
        .with_sampler(Sampler::AlwaysOn)
        .with_batch_exporter(exporter)
        .build())
}

fn log_filter(filter: &str) -> Result<EnvFilter, ParseError> {
    let spans = format!("{SPANS}=info").parse()?;
    // It logs what the broker gave back with the body, and a body may hold texts.
    let bodies = "lapin::returned_messages=off".parse()?;
    Ok(EnvFilter::try_new(filter)?
        .add_directive(spans)
        .add_directive(bodies))
}

/// Checks a log filter, for the configuration.
pub(crate) fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

/// The spans that carry a trace.
///
/// The trap: a filter that never changes its mind is asked once for a place in the code, and relies on what the filter of
/// the lines left behind on the thread. A `tracing::enabled!` (sqlx asks so after every query) leaves it wrong, and the
/// next span on that thread is lost, with its trace. So this one is asked every time, and says up to which level that is
/// needed.
fn trace_filter<S: Subscriber>() -> impl Filter<S> {
    dynamic_filter_fn(|metadata: &Metadata<'_>, _: &Context<'_, S>| is_traced(metadata))
        .with_max_level_hint(LevelFilter::INFO)
}

/// A span for a piece of work that came from elsewhere, as part of the trace it came with, or of a new one.
///
/// `what` names the work: a method, an event's type, a clock's kind. Run the work in it with
/// [`tracing::Instrument::instrument`].
pub fn continue_from(what: &str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: SPANS, parent: None, "work", otel.name = what, what, trace_id = tracing::field::Empty
    );
    if let Some(parent) = traceparent.and_then(parse) {
        // Fails only where no tracer is installed, as in tests.
        let _ = span.set_parent(parent);
    }
    if let Some(id) = trace_id(&span) {
        span.record("trace_id", id);
    }
    span
}

/// A span for a part of the work that runs now, such as a command that follows from an event.
pub fn part(what: &str) -> Span {
    tracing::info_span!(target: SPANS, "part", otel.name = what, what)
}

/// The W3C `traceparent` of what runs now, for metadata, the outbox and message headers.
pub fn current_traceparent() -> Option<String> {
    let mut header = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut header);
    header.remove(TRACEPARENT)
}

/// The trace id of a span, as it stands in the log.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

fn parse(traceparent: &str) -> Option<opentelemetry::Context> {
    let header = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context =
        TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), &header);
    context.span().span_context().is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Instrument as _;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    /// Runs once with nobody listening. A place in the code that another test's thread, without a subscriber, is the
    /// first to reach while this one's is being installed would stay silent for good; once known it does not.
    fn known<T>(run: impl Fn() -> T) -> T {
        run()
    }

    /// Runs with traces but without an exporter, as a service does that was given none.
    fn traced<T>(run: impl Fn() -> T) -> T {
        let _ = known(|| continue_from("known", None));
        let traces = tracer_provider("test", None).expect("nothing to connect to");
        let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("test"));
        let subscriber = Registry::default().with(spans.with_filter(trace_filter()));
        tracing::subscriber::with_default(subscriber, run)
    }

    #[test]
    fn a_trace_goes_on_without_an_exporter() {
        traced(|| {
            let span = continue_from("report submitted", Some(PARENT));
            assert_eq!(trace_id(&span).as_deref(), Some(TRACE));
            let onward = span.in_scope(current_traceparent).expect("a trace runs");
            assert!(onward.starts_with(&format!("00-{TRACE}-")), "{onward}");
            assert_ne!(onward, PARENT, "our own span is the parent of what follows");

            let next = continue_from("case opened", Some(&onward));
            assert_eq!(trace_id(&next).as_deref(), Some(TRACE));
        });
    }

    #[test]
    fn work_without_a_trace_begins_one() {
        traced(|| {
            let one = trace_id(&continue_from("a", None)).expect("a new trace");
            let other = trace_id(&continue_from("b", Some("00-zz-zz-00"))).expect("a new trace");
            assert_eq!(one.len(), 32);
            assert_ne!(one, other);
        });
    }

    #[test]
    fn work_from_elsewhere_does_not_join_the_trace_of_whoever_picks_it_up() {
        traced(|| {
            let outer = continue_from("batch", None);
            let inner = outer.in_scope(|| continue_from("command", None));
            assert_ne!(trace_id(&outer), trace_id(&inner));
        });
    }

    #[test]
    fn a_trace_holds_across_awaits() {
        traced(|| {
            let work = async {
                tokio::task::yield_now().await;
                current_traceparent()
            };
            let span = continue_from("call", Some(PARENT));
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .expect("a runtime");
            let onward = runtime
                .block_on(work.instrument(span))
                .expect("a trace runs");
            assert!(onward.contains(TRACE));
        });
    }

    #[test]
    fn without_telemetry_there_is_no_trace_and_no_panic() {
        let span = continue_from("call", Some(PARENT));
        assert_eq!(span.in_scope(current_traceparent), None);
    }

    /// What is logged under this filter, as JSON.
    fn logged(filter: &str, run: impl Fn()) -> String {
        known(&run);
        let written = Arc::new(Mutex::new(Vec::new()));
        let traces = tracer_provider("test", None).expect("nothing to connect to");
        let spans = tracing_opentelemetry::layer().with_tracer(traces.tracer("test"));
        let logging = Logging {
            filter: filter.to_owned(),
            format: LogFormat::Json,
            otlp_endpoint: None,
        };
        let into = Arc::clone(&written);
        let lines = lines(&logging, move || Shared(Arc::clone(&into))).expect("a filter");
        let subscriber = Registry::default()
            .with(lines)
            .with(spans.with_filter(trace_filter()));
        tracing::subscriber::with_default(subscriber, run);
        let written = written.lock().expect("not poisoned").clone();
        String::from_utf8(written).expect("text")
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_stands_beside_its_trace_whatever_the_filter() {
        for filter in ["info", "warn", "error,chassis=warn"] {
            let logged = logged(filter, || {
                let span = continue_from("case opened", Some(PARENT));
                span.in_scope(|| tracing::warn!(held = 3, "events are held"));
            });
            let line: serde_json::Value = serde_json::from_str(&logged).expect("one line of JSON");
            assert_eq!(line["held"], 3);
            assert_eq!(line["spans"][0]["trace_id"], TRACE, "{logged}");
            assert_eq!(line["spans"][0]["what"], "case opened", "{logged}");
        }
    }

    #[test]
    fn no_trace_is_lost_after_somebody_asked_what_is_logged() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        logged("info", || {
            // As libraries do before they put a line together.
            let _ = tracing::enabled!(target: "sqlx::query", Level::WARN);
            let id = trace_id(&continue_from("case opened", Some(PARENT)));
            seen.lock().expect("not poisoned").push(id);
        });
        // The first time nobody listened.
        let seen = seen.lock().expect("not poisoned").clone();
        assert_eq!(seen, [None, Some(TRACE.to_owned())]);
    }

    #[test]
    fn the_note_of_a_fault_of_ours_is_logged_and_that_of_a_callers_is_not() {
        let logged = logged("info", || {
            crate::refusal::INTERNAL
                .with_note("disk 7 is full")
                .status();
            crate::refusal::NOT_FOUND
                .with_note("asked for what is not there")
                .status();
        });
        assert!(
            logged.contains("disk 7 is full") && logged.contains("ERROR"),
            "{logged}"
        );
        assert!(!logged.contains("what is not there"), "{logged}");
    }

    #[test]
    fn a_filter_that_is_none_is_told() {
        assert!(is_filter("info,chassis=debug"));
        assert!(!is_filter("chassis=loud"));
        assert!(log_filter("chassis=loud").is_err());
    }
}

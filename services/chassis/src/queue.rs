//! Commands by queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::front::{AnyMethod, Front};
use crate::token::Keys;

/// Takes commands until the service drains.
pub(crate) async fn serve_commands(
    _front: Front,
    _methods: Arc<BTreeMap<&'static str, Arc<dyn AnyMethod>>>,
    _keys: Arc<Keys>,
    _broker: &Broker,
    _service: &'static str,
    drain: CancellationToken,
) {
    drain.cancelled().await;
}

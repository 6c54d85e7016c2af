//! What a monitoring system wants to know, in the OpenMetrics text form (`GET /metrics`).
//!
//! Nothing here names an agent, a credential or a person: organizations are named by their DIDs. Names and units follow
//! Prometheus's guide. The peer network counts for itself as it goes; everything else is looked up when asked for.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use syndic_registry::head::Head;
use syndic_registry::store::ReadError;

use crate::clock;
use crate::node::Node;
use crate::store::Content;

/// Everything as one text.
///
/// # Errors
/// The store cannot be read.
pub fn text(node: &Node) -> Result<String, ReadError> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures::of(node)?));
    let mut text = String::new();
    let written = encode_registry(&mut text, &registry)
        .and_then(|()| encode_registry(&mut text, &node.network_metrics))
        .and_then(|()| encode_eof(&mut text));
    written.map_err(|fmt::Error| ReadError::Engine("the figures cannot be written as text".to_owned()))?;
    Ok(text)
}

/// What is known about one organization.
#[derive(Debug)]
struct Known {
    did: String,
    statements: u64,
    age: Option<i64>,
    frozen: bool,
}

/// The node's own figures at one moment.
#[derive(Debug)]
struct Figures {
    counts: Vec<(&'static str, &'static str, u64)>,
    connected: u64,
    writable: bool,
    compared: bool,
    organizations: Vec<Known>,
}

impl Figures {
    fn of(node: &Node) -> Result<Self, ReadError> {
        let counts = node.engine.counts();
        let view = node.view();
        let now = clock::now();
        let mut organizations = Vec::new();
        for member in node.charter().members() {
            let did = member.did().as_str();
            let head = view.log(did)?.head;
            organizations.push(Known {
                did: did.to_owned(),
                statements: head.as_ref().map_or(0, Head::size),
                age: head.as_ref().map(|head| now.seconds_since(head.time()).max(0)),
                frozen: view.is_frozen(did)?,
            });
        }
        Ok(Self {
            counts: vec![
                (
                    "syndic_broadcasts",
                    "Broadcasts that reached the replication machine, copies left out",
                    counts.broadcasts,
                ),
                (
                    "syndic_head_signature_checks",
                    "Signatures of log heads that were checked",
                    counts.head_checks,
                ),
                (
                    "syndic_cosignature_checks",
                    "Signatures of witnesses that were checked",
                    counts.cosignature_checks,
                ),
                (
                    "syndic_comparison_rounds",
                    "Rounds of comparing heads with a few members",
                    counts.rounds,
                ),
                (
                    "syndic_statements_taken",
                    "Statements of other organizations that were taken into the store",
                    counts.statements_taken,
                ),
            ],
            connected: node.engine.connected().len() as u64,
            writable: node.store.writable().is_ok(),
            compared: node.store.content() == Content::Checked,
            organizations,
        })
    }

    fn gauge_of_each(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        value: impl Fn(&Known) -> Option<i64>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for known in &self.organizations {
            if let Some(value) = value(known) {
                let labels = [("organization", known.did.as_str())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let labels = [("version", env!("CARGO_PKG_VERSION"))];
        let mut build = encoder.encode_descriptor("syndic_build", "The program", None, MetricType::Gauge)?;
        ConstGauge::new(1_i64).encode(build.encode_family(&labels)?)?;
        for (name, help, count) in &self.counts {
            let counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(*count).encode(counter)?;
        }
        for (name, help, value) in [
            ("syndic_peers_connected", "Members' nodes connected", self.connected),
            (
                "syndic_store_writable",
                "1 if a write would be accepted",
                u64::from(self.writable),
            ),
            (
                "syndic_store_compared",
                "1 if all that was written has been found to be there since the start",
                u64::from(self.compared),
            ),
        ] {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(gauge)?;
        }
        let statements = ("syndic_log_statements", "Statements in the organization's log");
        self.gauge_of_each(&mut encoder, statements, |known| i64::try_from(known.statements).ok())?;
        let age = (
            "syndic_log_head_age_seconds",
            "Seconds since the organization signed the newest head that is known here",
        );
        self.gauge_of_each(&mut encoder, age, |known| known.age)?;
        let frozen = ("syndic_log_frozen", "1 if the organization told two stories");
        self.gauge_of_each(&mut encoder, frozen, |known| Some(i64::from(known.frozen)))
    }
}

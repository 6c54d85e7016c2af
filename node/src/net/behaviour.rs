//! The parts of libp2p this network is made of, and how each is set.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::gossipsub::{
    self, IdentTopic, MaxCountSubscriptionFilter, MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds,
    TopicHash, TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, connection_limits, identify, identity, memory_connection_limits, noise, ping,
    tcp, yamux,
};
use prometheus_client::registry::Registry;
use sha2::{Digest, Sha256};

use super::codec::SyncCodec;
use super::limits::{self, Limits};
use super::{Names, NetError};

/// Gossip that knows one topic.
pub(super) type Gossip = gossipsub::Behaviour<gossipsub::IdentityTransform, MaxCountSubscriptionFilter<OneTopic>>;
type OneTopic = WhitelistSubscriptionFilter;

/// All parts together.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    // First: a stranger is refused before any other part has seen it.
    pub(super) allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    pub(super) gossip: Gossip,
    pub(super) sync: request_response::Behaviour<SyncCodec>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// A swarm with all of it, subscribed to the topic, that does not listen yet.
pub(super) fn swarm(
    keypair: &identity::Keypair,
    names: &Names,
    bounds: &Limits,
    metrics: &mut Registry,
) -> Result<Swarm<Behaviour>, NetError> {
    let behaviour = Behaviour {
        allowed: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(
            connection_limits::ConnectionLimits::default()
                .with_max_established(Some(bounds.connections))
                .with_max_pending_incoming(Some(bounds.pending))
                .with_max_pending_outgoing(Some(bounds.pending))
                .with_max_established_per_peer(Some(limits::MAX_PER_PEER)),
        ),
        memory: memory_connection_limits::Behaviour::with_max_bytes(bounds.memory),
        gossip: gossip(names, bounds, metrics)?,
        sync: sync(names, bounds)?,
        identify: identify::Behaviour::new(
            identify::Config::new(names.identify.clone(), keypair.public())
                .with_agent_version("syndic".to_owned())
                // Addresses come from the list of members only.
                .with_cache_size(0)
                .with_hide_listen_addrs(true),
        ),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(limits::PING_INTERVAL)
                .with_timeout(limits::PING_TIMEOUT),
        ),
    };
    let prologue = names.prologue.clone();
    let security = move |keypair: &identity::Keypair| -> Result<noise::Config, noise::Error> {
        Ok(noise::Config::new(keypair)?.with_prologue(prologue))
    };
    let streams = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(limits::MAX_STREAMS);
        config
    };
    let swarm = SwarmBuilder::with_existing_identity(keypair.clone())
        .with_tokio()
        .with_tcp(tcp::Config::new(), security, streams)
        .map_err(setup)?
        .with_bandwidth_metrics(metrics)
        .with_behaviour(|_| behaviour)
        .map_err(setup)?
        .with_swarm_config(|config| {
            config
                // Members stay connected; a dead connection is found by ping.
                .with_idle_connection_timeout(Duration::from_secs(u64::MAX))
                .with_max_negotiating_inbound_streams(limits::MAX_STREAMS)
        })
        .with_connection_timeout(limits::HANDSHAKE_TIMEOUT)
        .build();
    Ok(swarm)
}

fn gossip(names: &Names, bounds: &Limits, metrics: &mut Registry) -> Result<Gossip, NetError> {
    let topic = IdentTopic::new(&names.topic);
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        // Announcements prove themselves, so equal bytes are one message whoever sent them.
        .message_id_fn(|message| MessageId::from(Sha256::digest(&message.data).to_vec()))
        .max_transmit_size(limits::MAX_ANNOUNCEMENT + limits::ANNOUNCEMENT_ENVELOPE)
        .mesh_n(bounds.mesh_degree)
        .mesh_n_low(limits::MESH_LOW)
        .mesh_n_high(limits::MESH_HIGH)
        .mesh_outbound_min(limits::MESH_OUTBOUND)
        .gossip_lazy(limits::GOSSIP_LAZY)
        // What we say goes to the mesh only: said to all, each would still hand it on to its own mesh, which has it already.
        .flood_publish(false)
        .heartbeat_interval(limits::GOSSIP_HEARTBEAT)
        .heartbeat_initial_delay(limits::GOSSIP_HEARTBEAT)
        .history_length(limits::GOSSIP_HISTORY)
        .max_publish_messages(limits::MAX_GOSSIP_PER_FRAME)
        .max_control_messages_sent(limits::MAX_GOSSIP_IDS)
        .connection_handler_queue_len(limits::GOSSIP_QUEUE)
        .build()
        .map_err(setup)?;
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter(HashSet::from([topic.hash()])),
        max_subscribed_topics: 1,
        max_subscriptions_per_request: limits::MAX_SUBSCRIPTIONS_PER_FRAME,
    };
    let mut gossip = Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, filter)
        .map_err(setup)?
        .with_metrics(
            metrics.sub_registry_with_prefix("libp2p_gossipsub"),
            gossipsub::MetricsConfig::default(),
        );
    gossip
        .with_peer_score(scores(topic.hash()), thresholds())
        .map_err(setup)?;
    gossip.subscribe(&topic).map_err(setup)?;
    Ok(gossip)
}

/// What counts for and against a peer. Peers are members, so many behind one address are no sign
/// of anything; traffic is sparse, so a lack of messages is none either.
fn scores(topic: TopicHash) -> PeerScoreParams {
    let invalid = TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 100.0,
        first_message_deliveries_weight: 0.1,
        first_message_deliveries_decay: 0.9,
        first_message_deliveries_cap: 20.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // Honest members forward nothing they would reject: the third rejected message within a
        // minute or so puts the sender below every threshold.
        invalid_message_deliveries_weight: -10.0,
        invalid_message_deliveries_decay: 0.99,
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: HashMap::from([(topic, invalid)]),
        topic_score_cap: 10.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_weight: 0.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: 0.9,
        retain_score: limits::PENALTY_MEMORY,
        ..PeerScoreParams::default()
    }
}

fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: limits::PENALTY_SCORE,
        publish_threshold: limits::PENALTY_SCORE * 2.0,
        graylist_threshold: limits::PENALTY_SCORE * 2.0,
        accept_px_threshold: f64::MAX,
        opportunistic_graft_threshold: 1.0,
    }
}

fn sync(names: &Names, bounds: &Limits) -> Result<request_response::Behaviour<SyncCodec>, NetError> {
    let protocol = StreamProtocol::try_from_owned(names.sync.clone()).map_err(setup)?;
    Ok(request_response::Behaviour::with_codec(
        SyncCodec {
            limit: bounds.sync_message,
        },
        [(protocol, ProtocolSupport::Full)],
        request_response::Config::default()
            .with_request_timeout(bounds.request_timeout)
            .with_max_concurrent_streams(limits::MAX_SYNC_STREAMS),
    ))
}

fn setup(error: impl std::fmt::Display) -> NetError {
    NetError::Setup(error.to_string())
}

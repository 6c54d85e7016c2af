//! What gossip costs: bytes on the wire for each payload delivered, beside rust-libp2p as it comes out of the box.
//!
//! `cargo bench -p syndic-node --bench gossip` connects nodes with each other over loopback, all to all as the members
//! of a consortium are, lets them tell each other 512-byte payloads in turn, and counts what went over the connections
//! (all protocols, headers of yamux and above; idle chatter included). Ours are the shipped network, once with the
//! shipped mesh degree and once with 6; the other is gossipsub with its default configuration: signed messages, strict
//! validation, mesh degree 6. All run in this process, one after the other, with the same payloads at the same pace.
//! `-- NODES MESSAGES` takes other numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use libp2p::futures::StreamExt as _;
use libp2p::gossipsub::{self, IdentTopic, MessageAuthenticity};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, SwarmBuilder, identity, noise, tcp, yamux};
use prometheus_client::registry::Registry;
use syndic_node::net::{self, NetCommand, NetEvent, NetworkConfig, Verdict, limits};
use tokio::sync::mpsc;

const PAYLOAD: usize = 512;
const PACE: Duration = Duration::from_millis(50);
/// Time for the mesh to form, and for the last payload to arrive.
const SETTLE: Duration = Duration::from_secs(5);

/// Time for all connections to be made.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all nodes together have to show.
struct Outcome {
    deliveries: u64,
    bytes: u64,
    cpu: Duration,
    slowest: Duration,
}

/// Told by every node when a payload arrives.
#[derive(Clone, Default)]
struct Tally {
    deliveries: Arc<AtomicU64>,
    slowest: Arc<AtomicU64>,
}

impl Tally {
    fn delivered(&self, payload: &[u8], begun: Instant) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        let sent = u64::from_be_bytes(payload[..8].try_into().unwrap());
        let taken = u64::try_from(begun.elapsed().as_micros()).unwrap().saturating_sub(sent);
        self.slowest.fetch_max(taken, Ordering::Relaxed);
    }
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse::<usize>().ok());
    let nodes = numbers.next().unwrap_or(40);
    let messages = numbers.next().unwrap_or(200);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("{nodes} nodes, all connected, {messages} payloads of {PAYLOAD} bytes");
    let default_degree = limits::Limits::default().mesh_degree;
    let plain = runtime.block_on(plain(nodes, messages));
    let ours = runtime.block_on(ours(nodes, messages, default_degree));
    let wider = runtime.block_on(self::ours(nodes, messages, 6));
    let per_payload = |outcome: &Outcome| outcome.bytes as f64 / (outcome.deliveries * PAYLOAD as u64) as f64;
    for (what, outcome) in [
        ("rust-libp2p's defaults (degree 6)".to_owned(), &plain),
        (format!("this network, degree {default_degree}"), &ours),
        ("this network, degree 6".to_owned(), &wider),
    ] {
        println!(
            "  {what:<34} {:>6} deliveries, {:>6.2} x the payload, {:>6.0} us CPU each, slowest {:>5.0?}; defaults cost {:.2} x",
            outcome.deliveries,
            per_payload(outcome),
            outcome.cpu.as_micros() as f64 / outcome.deliveries as f64,
            outcome.slowest,
            per_payload(&plain) / per_payload(outcome),
        );
    }
}

/// Waits until every node has told that it is connected with every other.
async fn all_connected(nodes: usize, connected: &AtomicU64) {
    let wanted = (nodes * (nodes - 1)) as u64;
    let begun = Instant::now();
    while connected.load(Ordering::Relaxed) < wanted {
        let found = connected.load(Ordering::Relaxed);
        assert!(
            begun.elapsed() < PATIENCE,
            "{found} of {wanted} ends of connections after {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn payload(number: usize, begun: Instant) -> Vec<u8> {
    let mut bytes = u64::try_from(begun.elapsed().as_micros())
        .unwrap()
        .to_be_bytes()
        .to_vec();
    bytes.extend((number as u64).to_be_bytes());
    bytes.resize(PAYLOAD, 7);
    bytes
}

/// CPU time of this process.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Bytes that went out over the connections of a node.
fn sent(registry: &Registry) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("libp2p_bandwidth_bytes_total") && line.contains("Outbound"));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum()
}

fn seed(node: usize) -> [u8; 32] {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&(node as u64 + 1).to_be_bytes());
    seed
}

/// Tells the payloads in turn and measures from the first to the last.
async fn measure<F: AsyncFnMut(usize, Vec<u8>)>(
    nodes: usize,
    messages: usize,
    begun: Instant,
    tally: &Tally,
    bytes: impl Fn() -> u64,
    mut tell: F,
) -> Outcome {
    tokio::time::sleep(SETTLE).await;
    let (before, cpu) = (bytes(), spent());
    for number in 0..messages {
        tell(number % nodes, payload(number, begun)).await;
        tokio::time::sleep(PACE).await;
    }
    tokio::time::sleep(SETTLE).await;
    Outcome {
        deliveries: tally.deliveries.load(Ordering::Relaxed),
        bytes: bytes() - before,
        cpu: spent() - cpu,
        slowest: Duration::from_micros(tally.slowest.load(Ordering::Relaxed)),
    }
}

async fn ours(nodes: usize, messages: usize, degree: usize) -> Outcome {
    let begun = Instant::now();
    let ids: Vec<String> = (0..nodes).map(|node| net::peer_id_of(&seed(node)).unwrap()).collect();
    let mut members = BTreeMap::new();
    let (mut commands, mut registries) = (Vec::new(), Vec::new());
    let tally = Tally::default();
    let connected = Arc::new(AtomicU64::new(0));
    for (node, id) in ids.iter().enumerate() {
        let bounds = limits::Limits {
            mesh_degree: degree,
            // All nodes are this one process.
            memory: usize::MAX,
            ..limits::Limits::default()
        };
        let network = net::start(NetworkConfig {
            seed: seed(node).into(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            members: members.clone(),
            network_id: "benchbenchbenchbench".to_owned(),
            limits: bounds,
        })
        .await
        .unwrap();
        members.insert(id.clone(), network.listening.iter().map(ToString::to_string).collect());
        let (tally, connected, orders) = (tally.clone(), connected.clone(), network.commands.clone());
        let mut events = network.events;
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                match event {
                    NetEvent::Announced { token, bytes, .. } => {
                        tally.delivered(&bytes, begun);
                        let verdict = Verdict::Accept;
                        orders.send(NetCommand::Verdict { token, verdict }).await.unwrap();
                    }
                    NetEvent::Connected(_) => _ = connected.fetch_add(1, Ordering::Relaxed),
                    _ => {}
                }
            }
        });
        commands.push(network.commands);
        registries.push(network.metrics);
    }
    for (node, orders) in commands.iter().enumerate() {
        // All let all in; who began later dials.
        let addresses = |other: usize, id| if other < node { members.get(id).cloned() } else { None };
        let all = ids.iter().enumerate();
        let list = all
            .map(|(other, id)| (id.clone(), addresses(other, id).unwrap_or_default()))
            .collect();
        orders.send(NetCommand::SetMembers(list)).await.unwrap();
    }
    all_connected(nodes, &connected).await;
    let bytes = || registries.iter().map(sent).sum();
    let tell = async |node: usize, payload| commands[node].send(NetCommand::Announce(payload)).await.unwrap();
    let outcome = measure(nodes, messages, begun, &tally, bytes, tell).await;
    for orders in commands {
        orders.send(NetCommand::Shutdown).await.unwrap();
    }
    outcome
}

async fn plain(nodes: usize, messages: usize) -> Outcome {
    let begun = Instant::now();
    let topic = IdentTopic::new("bench");
    let (mut orders, mut registries) = (Vec::new(), Vec::new());
    let mut addresses: Vec<Multiaddr> = Vec::new();
    let tally = Tally::default();
    let connected = Arc::new(AtomicU64::new(0));
    for node in 0..nodes {
        let key = identity::Keypair::ed25519_from_bytes(seed(node)).unwrap();
        let mut registry = Registry::default();
        let mut swarm = SwarmBuilder::with_existing_identity(key)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_bandwidth_metrics(&mut registry)
            .with_behaviour(|key| {
                let signed = MessageAuthenticity::Signed(key.clone());
                gossipsub::Behaviour::<gossipsub::IdentityTransform>::new(signed, gossipsub::Config::default()).unwrap()
            })
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3600)))
            .build();
        swarm.behaviour_mut().subscribe(&topic).unwrap();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        for other in &addresses {
            swarm.dial(other.clone()).unwrap();
        }
        addresses.push(address);
        registries.push(registry);
        let (sender, mut payloads) = mpsc::channel::<Vec<u8>>(64);
        orders.push(sender);
        let (tally, connected, topic) = (tally.clone(), connected.clone(), topic.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    payload = payloads.recv() => match payload {
                        Some(payload) => _ = swarm.behaviour_mut().publish(topic.clone(), payload).unwrap(),
                        None => break,
                    },
                    event = swarm.select_next_some() => match event {
                        SwarmEvent::Behaviour(gossipsub::Event::Message { message, .. }) => {
                            tally.delivered(&message.data, begun);
                        }
                        SwarmEvent::ConnectionEstablished { .. } => _ = connected.fetch_add(1, Ordering::Relaxed),
                        _ => {}
                    },
                }
            }
        });
    }
    all_connected(nodes, &connected).await;
    let bytes = || registries.iter().map(sent).sum();
    measure(nodes, messages, begun, &tally, bytes, async |node: usize, payload| {
        orders[node].send(payload).await.unwrap();
    })
    .await
}

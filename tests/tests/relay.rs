//! A verifier whose only way to the others is a member that hands on everything but what one organization says: neither its
//! revocations nor its heartbeats. Issuers and verifier are ordinary nodes. The relay is a peer made of the shipped network
//! and of nothing else: no program that hides anything can be shipped by mistake.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use syndic_node::keys::Keystore;
use syndic_node::net::{self, NetCommand, NetEvent, Network, NetworkConfig, Verdict, limits};
use syndic_registry::message::{Answer, Ask, Broadcast, Refusal};
use syndic_tests::cluster::{Cluster, Shape};
use syndic_tests::command::eventually;
use syndic_tests::node::{DEFAULT_ENGINE, Node, PASSPHRASE};
use syndic_tests::ports;
use syndic_tests::scenario::{AGENT, authorize, issue, register, revoke, verify};
use syndic_vc::time::Timestamp;

/// Seconds: the charter's `maxStaleness`.
const STALENESS: i64 = 10;

/// For what needs a few rounds of messages on a loaded machine.
const SOON: Duration = Duration::from_secs(60);

const OTHER_AGENT: &str = "Twin";

/// Takes part as a member, and hands on what the others say, ask and answer.
struct Relay {
    hides: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

/// What a relay knows.
struct Routes {
    /// Whose heads and statements are hidden, as notes and messages name its log.
    origin: String,
    organization: String,
    hides: Arc<AtomicBool>,
    /// Whom it asks in whose stead.
    next: BTreeMap<String, String>,
    connected: BTreeSet<String>,
    /// Whose question it is: by whom was asked, and its number.
    open: BTreeMap<(String, u64), u64>,
}

fn peer_id(node: &Node) -> String {
    let card = std::fs::read(node.data.join("member.json")).unwrap();
    let card: Value = serde_json::from_slice(&card).unwrap();
    card["peerIds"][0].as_str().unwrap().to_owned()
}

impl Relay {
    /// The last node of the cluster, which does not run, between the others, which listen at these ports.
    fn among(cluster: &Cluster, ports: &[u16], hidden: &str) -> Self {
        let (relay, others) = cluster.nodes.split_last().unwrap();
        let keys = Keystore::open(&relay.data.join("keys.sealed"), PASSPHRASE).unwrap();
        let ids: Vec<String> = others.iter().map(peer_id).collect();
        let addresses = ports.iter().map(|port| vec![format!("/ip4/127.0.0.1/tcp/{port}")]);
        let next = ids.iter().zip(ids.iter().cycle().skip(1));
        let hides = Arc::new(AtomicBool::new(false));
        let routes = Routes {
            origin: format!("syndic/{}/{hidden}\n", cluster.consortium),
            organization: hidden.to_owned(),
            hides: hides.clone(),
            next: next.map(|(one, other)| (one.clone(), other.clone())).collect(),
            connected: BTreeSet::new(),
            open: BTreeMap::new(),
        };
        let config = NetworkConfig {
            seed: keys.peer_seed().clone(),
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
            members: ids.iter().cloned().zip(addresses).collect(),
            network_id: cluster.consortium.clone(),
            limits: limits::Limits::default(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(async move { routes.run(net::start(config).await.unwrap()).await });
        Self {
            hides,
            _runtime: runtime,
        }
    }
}

impl Routes {
    async fn run(mut self, mut network: Network) {
        while let Some(event) = network.events.recv().await {
            if let Some(command) = self.hand_on(event) {
                network.commands.send(command).await.unwrap();
            }
        }
    }

    fn hand_on(&mut self, event: NetEvent) -> Option<NetCommand> {
        match event {
            NetEvent::Connected(peer) => {
                self.connected.insert(peer);
                None
            }
            NetEvent::Disconnected(peer) => {
                self.connected.remove(&peer);
                self.open.retain(|(asked, _), _| *asked != peer);
                None
            }
            NetEvent::Announced { token, bytes, .. } => {
                let hidden = self.hides.load(Ordering::SeqCst) && self.is_broadcast_of(&bytes);
                let verdict = if hidden { Verdict::Ignore } else { Verdict::Accept };
                Some(NetCommand::Verdict { token, verdict })
            }
            NetEvent::Request { from, token, bytes } => {
                let id = Ask::decode(&bytes).unwrap().id();
                let to = self.next[&from].clone();
                if self.connected.contains(&to) {
                    self.open.insert((to.clone(), id), token);
                    return Some(NetCommand::Request { to, bytes });
                }
                let why = Refusal::Busy;
                let bytes = Answer::Refused { id, why }.encode();
                Some(NetCommand::Respond { token, bytes })
            }
            NetEvent::Response { from, bytes } => {
                let mut answer = Answer::decode(&bytes).unwrap();
                let token = self.open.remove(&(from, answer.id()))?;
                if self.hides.load(Ordering::SeqCst) {
                    self.hide(&mut answer);
                }
                let bytes = answer.encode();
                Some(NetCommand::Respond { token, bytes })
            }
            NetEvent::RequestFailed { .. } | NetEvent::Listening(_) => None,
        }
    }

    fn is_broadcast_of(&self, bytes: &[u8]) -> bool {
        match Broadcast::decode(bytes).unwrap() {
            Broadcast::News(news) => news.note.starts_with(&self.origin),
            Broadcast::Cosigned(cosigned) => cosigned.organization == self.organization,
            Broadcast::Fork(_) | Broadcast::Charter(_) => false,
        }
    }

    fn hide(&self, answer: &mut Answer) {
        let id = answer.id();
        match answer {
            Answer::Heads { notes, cosigned, .. } => {
                notes.retain(|note| !note.starts_with(&self.origin));
                cosigned.retain(|cosigned| cosigned.organization != self.organization);
            }
            Answer::Piece(piece) if piece.note.starts_with(&self.origin) => {
                let why = Refusal::NothingNew;
                *answer = Answer::Refused { id, why };
            }
            _ => {}
        }
    }
}

/// From now on nobody reaches the node at the address of its card, but at this port.
fn hide(node: &Node) -> u16 {
    let port = ports::free();
    let listen = |port: u16| format!("listen = \"/ip4/127.0.0.1/tcp/{port}\"");
    node.configure(&listen(node.ports.peer), &listen(port));
    port
}

fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(passed.as_secs()).unwrap()
}

/// How old the newest head of the issuer is that a decision names: its time.
fn as_of(decision: &Value, issuer: &str) -> i64 {
    let logs = decision["decision"]["asOf"].as_array().unwrap();
    let log = logs.iter().find(|log| log["issuer"] == issuer).unwrap();
    Timestamp::parse(log["time"].as_str().unwrap()).unwrap().unix_seconds()
}

fn eventually_allowed(verifier: &Node, credential: &Value) {
    eventually("allowed", SOON, || {
        match verify(verifier, credential).codes().as_slice() {
            [] => Ok(()),
            codes => Err(format!("{codes:?}\n{}", verifier.log())),
        }
    });
}

fn eventually_refused(verifier: &Node, credential: &Value, code: &str) {
    eventually(code, SOON, || match verify(verifier, credential).codes().as_slice() {
        [only] if only == code => Ok(()),
        codes => Err(format!("{codes:?}\n{}", verifier.log())),
    });
}

#[test]
fn a_verifier_refuses_in_time_what_a_relay_hides_from_it() {
    let shape = Shape {
        nodes: 4,
        running: 0,
        engine: DEFAULT_ENGINE,
    };
    let staleness = STALENESS.to_string();
    let rules = ["--witnesses", "0", "--max-staleness", &staleness];
    let mut cluster = Cluster::ruled(shape, &rules, |node| {
        node.configure("heartbeat_seconds = 60", "heartbeat_seconds = 2");
    });
    let ports: Vec<u16> = cluster.nodes[..3].iter().map(hide).collect();
    for node in &mut cluster.nodes[..3] {
        node.start();
    }
    let issuer = cluster.nodes[0].did.clone();
    let relay = Relay::among(&cluster, &ports, &issuer);
    let [hospital, other, verifier, _] = &cluster.nodes[..] else {
        panic!("four nodes")
    };
    let (_agent, _twin) = (register(hospital, AGENT), register(other, OTHER_AGENT));
    let credentials: Vec<Value> = (0..3).map(|_| issue(hospital, AGENT)).collect();
    let twin = issue(other, OTHER_AGENT);
    for issuer in [&hospital.did, &other.did] {
        authorize(verifier, issuer);
    }
    let connected = |node: &Node| {
        let status = node.admin().get("/status").expect(200);
        status["peer"]["connected"].as_array().map_or(0, Vec::len)
    };

    // An honest relay: what was not revoked is allowed, what was is refused.
    for credential in credentials.iter().chain([&twin]) {
        eventually_allowed(verifier, credential);
    }
    assert_eq!(
        [hospital, other, verifier].map(connected),
        [1; 3],
        "the relay is the only way"
    );
    revoke(hospital, &credentials[0]);
    eventually_refused(verifier, &credentials[0], "revoked");
    eventually_allowed(verifier, &credentials[1]);

    // It hides what the hospital says from now on.
    relay.hides.store(true, Ordering::SeqCst);
    revoke(hospital, &credentials[1]);
    let revoked = now();
    let mut allowed = 0;
    eventually("refused as stale", SOON, || {
        let asked = now();
        let answer = verify(verifier, &credentials[1]);
        match answer.codes().as_slice() {
            [] => {
                // The node's clock is this one, and it decided later than it was asked.
                let known = as_of(&answer.json(), &issuer);
                assert!(known <= revoked, "a head of {known} came through, after {revoked}");
                assert!(
                    asked <= known + STALENESS,
                    "allowed at {asked} by what was known at {known}"
                );
                allowed += 1;
                Err("still allowed".to_owned())
            }
            [code] if code == "knowledge-stale" => Ok(()),
            codes => panic!("{codes:?}\n{}", verifier.log()),
        }
    });
    println!(
        "allowed {allowed} times before it was refused; {} s after the revocation",
        now() - revoked
    );
    // All that the hospital issued is refused, since anything of it may be revoked; what the others say comes through.
    verify(verifier, &credentials[2]).expect_refused("knowledge-stale");
    eventually_allowed(verifier, &twin);
    revoke(other, &twin);
    eventually_refused(verifier, &twin, "revoked");

    // Honest again: the revocation is heard of, and what was not revoked is allowed.
    relay.hides.store(false, Ordering::SeqCst);
    eventually_refused(verifier, &credentials[1], "revoked");
    eventually_allowed(verifier, &credentials[2]);
}

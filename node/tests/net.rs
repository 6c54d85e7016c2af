//! The peer network: real swarms on the loopback interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};
use syndic_node::net::limits::{self, Limits};
use syndic_node::net::{self, NetCommand, NetError, NetEvent, Network, NetworkConfig, Verdict, peer_id_of};
use tokio::time::timeout;
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(20);
const NETWORK: &str = "zQmTestNetworkNumberOne1";

/// A network under test, with what it told.
struct Node {
    id: String,
    address: String,
    net: Network,
}

fn seed(n: u8) -> [u8; 32] {
    [n; 32]
}

fn id(n: u8) -> String {
    peer_id_of(&seed(n)).unwrap()
}

fn config(n: u8, members: BTreeMap<String, Vec<String>>) -> NetworkConfig {
    NetworkConfig {
        seed: Zeroizing::new(seed(n)),
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
        members,
        network_id: NETWORK.to_owned(),
        limits: Limits {
            // Many swarms share this process.
            memory: usize::MAX,
            ..Limits::default()
        },
    }
}

async fn start(config: NetworkConfig) -> Node {
    let net = net::start(config).await.unwrap();
    Node {
        id: net.peer_id.clone(),
        address: net.listening[0].to_string(),
        net,
    }
}

/// A node that may meet `others` and dials none of them.
async fn node(n: u8, others: &[u8]) -> Node {
    let members = others.iter().map(|&other| (id(other), vec![])).collect();
    start(config(n, members)).await
}

impl Node {
    async fn tell(&self, command: NetCommand) {
        self.net.commands.send(command).await.unwrap();
    }

    /// Makes this node know where `other` is.
    async fn dial(&self, others: &[&Node]) {
        let members = others
            .iter()
            .map(|other| (other.id.clone(), vec![other.address.clone()]));
        self.tell(NetCommand::SetMembers(members.collect())).await;
    }

    async fn announce(&self, bytes: &[u8]) {
        self.tell(NetCommand::Announce(bytes.to_vec())).await;
    }

    async fn judge(&self, token: u64, verdict: Verdict) {
        self.tell(NetCommand::Verdict { token, verdict }).await;
    }

    async fn next(&mut self) -> NetEvent {
        timeout(PATIENCE, self.net.events.recv())
            .await
            .expect("nothing happened")
            .expect("the network has ended")
    }

    /// Waits for what `pick` wants and drops the rest.
    async fn until<T>(&mut self, mut pick: impl FnMut(NetEvent) -> Option<T>) -> T {
        loop {
            let event = self.next().await;
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    async fn connected(&mut self, peer: &str) {
        self.until(|event| matches!(event, NetEvent::Connected(p) if p == peer).then_some(()))
            .await;
    }

    async fn disconnected(&mut self, peer: &str) {
        self.until(|event| matches!(event, NetEvent::Disconnected(p) if p == peer).then_some(()))
            .await;
    }

    async fn announced(&mut self) -> (String, u64, Vec<u8>) {
        self.until(|event| match event {
            NetEvent::Announced { from, token, bytes } => Some((from, token, bytes)),
            _ => None,
        })
        .await
    }

    async fn requested(&mut self) -> (String, u64, Vec<u8>) {
        self.until(|event| match event {
            NetEvent::Request { from, token, bytes } => Some((from, token, bytes)),
            _ => None,
        })
        .await
    }

    /// What happens within `time`.
    async fn during(&mut self, time: Duration) -> Vec<NetEvent> {
        let end = tokio::time::Instant::now() + time;
        let mut events = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout_at(end, self.net.events.recv()).await {
            events.push(event);
        }
        events
    }

    async fn stop(self) {
        self.tell(NetCommand::Shutdown).await;
        timeout(PATIENCE, self.net.task).await.unwrap().unwrap();
    }
}

/// `A` with `B` and `B` with `C`, connected and gossiping; `A` and `C` do not know each other.
async fn line() -> (Node, Node, Node) {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1, 3]).await;
    let mut c = node(3, &[2]).await;
    a.dial(&[&b]).await;
    c.dial(&[&b]).await;
    a.connected(&b.id).await;
    c.connected(&b.id).await;
    b.connected(&a.id).await;
    gossiping(&a, &mut b).await;
    gossiping(&b, &mut c).await;
    // The first words of a network are not all heard; drop the rest of them.
    tokio::time::sleep(Duration::from_millis(200)).await;
    while b.net.events.try_recv().is_ok() {}
    while c.net.events.try_recv().is_ok() {}
    (a, b, c)
}

/// Returns when words of `from` reach `to`. The words are ignored, so they go no further.
async fn gossiping(from: &Node, to: &mut Node) {
    for n in 0..100u32 {
        from.announce(format!("hello {n} of {}", from.id).as_bytes()).await;
        let heard = to.during(Duration::from_millis(100)).await;
        let mut any = false;
        for event in heard {
            if let NetEvent::Announced { token, .. } = event {
                to.judge(token, Verdict::Ignore).await;
                any = true;
            }
        }
        if any {
            return;
        }
    }
    panic!("{} never hears {}", to.id, from.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_hear_each_other() {
    let mut nodes = vec![node(1, &[2, 3]).await, node(2, &[1, 3]).await, node(3, &[1, 2]).await];
    for n in 0..3 {
        let others: Vec<&Node> = nodes.iter().filter(|other| other.id != nodes[n].id).collect();
        nodes[n].dial(&others).await;
    }
    let ids: BTreeSet<String> = nodes.iter().map(|node| node.id.clone()).collect();
    for node in &mut nodes {
        let mut missing = ids.clone();
        missing.remove(&node.id);
        while !missing.is_empty() {
            if let NetEvent::Connected(peer) = node.next().await {
                missing.remove(&peer);
            }
        }
    }
    let mut third = nodes.pop().unwrap();
    let mut second = nodes.pop().unwrap();
    let first = nodes.pop().unwrap();
    gossiping(&first, &mut second).await;
    gossiping(&first, &mut third).await;
    let start = Instant::now();
    first.announce(b"news").await;
    for node in [&mut second, &mut third] {
        let (from, token, _) = loop {
            let heard = node.announced().await;
            if heard.2 == b"news" {
                break heard;
            }
        };
        assert_eq!(from, first.id);
        node.judge(token, Verdict::Accept).await;
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    // Nobody hears it twice, though it was forwarded to each other, and not its author either.
    for node in [&mut second, &mut third] {
        let again = node.during(Duration::from_millis(500)).await;
        assert!(again.is_empty(), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_goes_further_only_when_accepted() {
    let (a, mut b, mut c) = line().await;
    for (word, verdict, passes) in [
        (&b"ignored"[..], Verdict::Ignore, false),
        (&b"rejected"[..], Verdict::Reject, false),
        (&b"accepted"[..], Verdict::Accept, true),
    ] {
        a.announce(word).await;
        let (from, token, bytes) = b.announced().await;
        assert_eq!((from.as_str(), bytes.as_slice()), (a.id.as_str(), word));
        b.judge(token, verdict).await;
        if passes {
            let (from, _, bytes) = c.announced().await;
            assert_eq!((from.as_str(), bytes.as_slice()), (b.id.as_str(), word));
        } else {
            // Longer than gossip's heartbeat, in which it would offer what it has.
            let heard = c.during(Duration::from_millis(2500)).await;
            assert!(heard.is_empty(), "{heard:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outsider_gets_nothing_in() {
    let mut b = node(2, &[1]).await;
    let mut a = node(1, &[2]).await;
    a.dial(&[&b]).await;
    a.connected(&b.id).await;
    b.connected(&a.id).await;
    gossiping(&a, &mut b).await;
    b.during(Duration::from_millis(300)).await;

    // Knows the network's id and a member's address, but is no member.
    let mut outsider = node(9, &[2]).await;
    outsider.dial(&[&b]).await;
    for n in 0..20u32 {
        outsider.announce(format!("let me in {n}").as_bytes()).await;
        let ask = NetCommand::Request {
            to: b.id.clone(),
            bytes: b"give".to_vec(),
        };
        outsider.tell(ask).await;
        let seen = outsider.during(Duration::from_millis(100)).await;
        for event in seen {
            assert!(
                matches!(
                    event,
                    NetEvent::Connected(_) | NetEvent::Disconnected(_) | NetEvent::RequestFailed { .. }
                ),
                "{event:?}"
            );
        }
    }
    let heard = b.during(Duration::from_millis(500)).await;
    assert!(heard.is_empty(), "{heard:?}");
    outsider.disconnected_for_good(&b).await;
    // And the member is served as before.
    gossiping(&a, &mut b).await;
}

impl Node {
    async fn disconnected_for_good(&mut self, peer: &Node) {
        let mut connected = false;
        for event in self.during(Duration::from_secs(1)).await {
            match event {
                NetEvent::Connected(p) if p == peer.id => connected = true,
                NetEvent::Disconnected(p) if p == peer.id => connected = false,
                _ => {}
            }
        }
        assert!(!connected, "{} keeps a connection to {}", self.id, peer.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_another_network_cannot_shake_hands() {
    let mut b = node(2, &[1]).await;
    let members = BTreeMap::from([(b.id.clone(), vec![b.address.clone()])]);
    let mut stranger = start(NetworkConfig {
        network_id: "zQmTestNetworkNumberTwo2".to_owned(),
        ..config(1, members)
    })
    .await;
    let (here, there) = tokio::join!(
        b.during(Duration::from_secs(2)),
        stranger.during(Duration::from_secs(2))
    );
    assert!(here.is_empty(), "{here:?}");
    assert!(there.is_empty(), "{there:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_up_to_the_limit() {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1]).await;
    a.dial(&[&b]).await;
    a.connected(&b.id).await;
    b.connected(&a.id).await;
    for length in [0, 1, 300_000, limits::MAX_SYNC_MESSAGE] {
        let question = vec![1; length];
        let answer = vec![2; length];
        let ask = NetCommand::Request {
            to: b.id.clone(),
            bytes: question.clone(),
        };
        a.tell(ask).await;
        let (from, token, bytes) = b.requested().await;
        assert_eq!(from, a.id);
        assert!(bytes == question, "a question of {length} bytes arrives whole");
        let respond = NetCommand::Respond {
            token,
            bytes: answer.clone(),
        };
        b.tell(respond).await;
        let (from, bytes) = a
            .until(|event| match event {
                NetEvent::Response { from, bytes } => Some((from, bytes)),
                _ => None,
            })
            .await;
        assert_eq!(from, b.id);
        assert!(bytes == answer, "an answer of {length} bytes arrives whole");
    }
    // Too long a question is not sent.
    let ask = NetCommand::Request {
        to: b.id.clone(),
        bytes: vec![0; limits::MAX_SYNC_MESSAGE + 1],
    };
    a.tell(ask).await;
    a.failed(&b.id).await;
    // Too long an answer is not sent, and the asker hears of it once time is over or at once.
    let ask = NetCommand::Request {
        to: b.id.clone(),
        bytes: vec![],
    };
    a.tell(ask).await;
    let (_, token, _) = b.requested().await;
    let respond = NetCommand::Respond {
        token,
        bytes: vec![0; limits::MAX_SYNC_MESSAGE + 1],
    };
    b.tell(respond).await;
    a.failed(&b.id).await;
    // Nobody there.
    let ask = NetCommand::Request {
        to: id(77),
        bytes: vec![],
    };
    a.tell(ask).await;
    a.failed(&id(77)).await;
}

impl Node {
    async fn failed(&mut self, peer: &str) -> String {
        self.until(|event| match event {
            NetEvent::RequestFailed { peer: p, why } if p == peer => Some(why),
            _ => None,
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_over_the_askeds_limit_is_refused() {
    let mut a = node(1, &[2]).await;
    let members = BTreeMap::from([(id(1), vec![])]);
    let mut b = start(NetworkConfig {
        limits: Limits {
            sync_message: 1000,
            memory: usize::MAX,
            ..Limits::default()
        },
        ..config(2, members)
    })
    .await;
    a.dial(&[&b]).await;
    a.connected(&b.id).await;
    let ask = NetCommand::Request {
        to: b.id.clone(),
        bytes: vec![0; 1001],
    };
    a.tell(ask).await;
    a.failed(&b.id).await;
    let heard = b.during(Duration::from_millis(300)).await;
    assert!(
        !heard.iter().any(|event| matches!(event, NetEvent::Request { .. })),
        "{heard:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_restarts_is_back_at_once() {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1]).await;
    a.dial(&[&b]).await;
    a.connected(&b.id).await;
    let (id, address) = (b.id.clone(), b.address.clone());
    b.connected(&a.id).await;
    b.stop().await;
    a.disconnected(&id).await;

    let again = || NetworkConfig {
        listen: vec![address.parse::<Multiaddr>().unwrap()],
        ..config(2, BTreeMap::from([(peer_id_of(&seed(1)).unwrap(), vec![])]))
    };
    let start_time = Instant::now();
    let mut b = start(again()).await;
    a.connected(&id).await;
    b.connected(&a.id).await;
    let took = start_time.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    gossiping(&a, &mut b).await;
    gossiping(&b, &mut a).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_dial_each_other_at_once_end_with_working_gossip() {
    // The one with the greater id waits a quarter of a second before it dials; so much later the
    // other is told where to dial.
    for (round, milliseconds) in (0..).zip([240, 245, 248, 250, 252, 255]) {
        let mut a = node(1, &[2]).await;
        let mut b = node(2, &[1]).await;
        let a_is_greater = a.id.parse::<PeerId>().unwrap() > b.id.parse().unwrap();
        let (first, second) = if a_is_greater { (&a, &b) } else { (&b, &a) };
        first.dial(&[second]).await;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        second.dial(&[first]).await;
        a.connected(&b.id).await;
        b.connected(&a.id).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let start = Instant::now();
        gossiping(&a, &mut b).await;
        gossiping(&b, &mut a).await;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2), "round {round}: {took:?}");
        let after = a.during(Duration::from_millis(200)).await;
        let stable = !after.iter().any(|event| matches!(event, NetEvent::Disconnected(_)));
        assert!(stable, "round {round}: {after:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_bounded_and_leaves_room_for_others() {
    let (a, mut b, c) = line().await;
    // The owner of B does not look while A floods.
    let flood = limits::MAX_ANNOUNCEMENTS_WAITING_PER_PEER as u32 * 8;
    for n in 0..flood {
        a.announce(&[&n.to_be_bytes()[..], &[0; 1000]].concat()).await;
        if n % 64 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    c.announce(b"a quiet word").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut of_a, mut of_c, mut tokens) = (0, 0, Vec::new());
    for event in b.during(Duration::from_millis(500)).await {
        if let NetEvent::Announced { from, token, .. } = event {
            if from == a.id {
                of_a += 1;
            } else {
                of_c += 1;
            }
            tokens.push(token);
        }
    }
    assert!(of_a > 0 && of_a <= limits::MAX_ANNOUNCEMENTS_WAITING_PER_PEER, "{of_a}");
    assert_eq!(of_c, 1, "the quiet one is heard");
    for token in tokens {
        b.judge(token, Verdict::Ignore).await;
    }
    // Once judged, there is room again.
    a.announce(b"one more").await;
    let (_, _, bytes) = b.announced().await;
    assert_eq!(bytes, b"one more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_of_one_peer_are_bounded() {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1]).await;
    a.dial(&[&b]).await;
    a.connected(&b.id).await;
    b.connected(&a.id).await;
    let asked = limits::MAX_REQUESTS_WAITING_PER_PEER + 4;
    for n in 0..asked {
        let ask = NetCommand::Request {
            to: b.id.clone(),
            bytes: vec![n as u8],
        };
        a.tell(ask).await;
    }
    for _ in 0..4 {
        a.failed(&b.id).await;
    }
    let mut answered = 0;
    for event in b.during(Duration::from_millis(300)).await {
        if let NetEvent::Request { token, bytes, .. } = event {
            b.tell(NetCommand::Respond { token, bytes }).await;
            answered += 1;
        }
    }
    assert_eq!(answered, limits::MAX_REQUESTS_WAITING_PER_PEER);
    for _ in 0..answered {
        a.until(|event| matches!(event, NetEvent::Response { .. }).then_some(()))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn penalties_disconnect_and_then_block() {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1]).await;
    a.dial(&[&b]).await;
    b.connected(&a.id).await;
    for round in 1..=limits::PENALTIES_BEFORE_BLOCK {
        b.tell(NetCommand::Penalize { peer: a.id.clone() }).await;
        b.disconnected(&a.id).await;
        if round < limits::PENALTIES_BEFORE_BLOCK {
            b.connected(&a.id).await;
        }
    }
    let after = b.during(Duration::from_secs(3)).await;
    assert!(after.is_empty(), "blocked: {after:?}");
    a.disconnected_for_good(&b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_leaves_the_list_is_disconnected() {
    let mut a = node(1, &[2]).await;
    let mut b = node(2, &[1]).await;
    a.dial(&[&b]).await;
    b.connected(&a.id).await;
    b.tell(NetCommand::SetMembers(BTreeMap::new())).await;
    b.disconnected(&a.id).await;
    let after = b.during(Duration::from_secs(1)).await;
    assert!(after.is_empty(), "{after:?}");
    let back = BTreeMap::from([(a.id.clone(), vec![])]);
    b.tell(NetCommand::SetMembers(back)).await;
    b.connected(&a.id).await;
    a.during(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_configuration_is_said() {
    let a = node(1, &[]).await;
    let taken = NetworkConfig {
        listen: vec![a.address.parse().unwrap()],
        ..config(2, BTreeMap::new())
    };
    let error = net::start(taken).await.err().unwrap();
    assert!(matches!(error, NetError::PortInUse { .. }));
    let port = a.address.rsplit('/').next().unwrap();
    assert_eq!(
        error.to_string(),
        format!("port {port} is in use: stop the other process or set [peer] listen")
    );
    for address in [
        "/dns4/localhost/tcp/0",
        "/ip4/127.0.0.1/udp/0",
        "/ip4/127.0.0.1/tcp/0/ws",
    ] {
        let strange = NetworkConfig {
            listen: vec![address.parse().unwrap()],
            ..config(2, BTreeMap::new())
        };
        let error = net::start(strange).await.err().unwrap();
        assert!(matches!(error, NetError::Address { .. }), "{address}: {error}");
    }
    for network_id in ["", "short", "with/slash/in/it"] {
        let nameless = NetworkConfig {
            network_id: network_id.to_owned(),
            ..config(2, BTreeMap::new())
        };
        let error = net::start(nameless).await.err().unwrap();
        assert!(matches!(error, NetError::NetworkId(_)), "{network_id}");
    }
    a.stop().await;
}

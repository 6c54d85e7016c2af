//! The one task that owns the swarm.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError};
use libp2p::request_response::{self, OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, TransportError, ping};
use tokio::sync::mpsc;

use super::behaviour::{Behaviour, BehaviourEvent};
use super::limits::{self, Limits};
use super::links::{Links, Opened};
use super::members::{Members, Penalty};
use super::waiting::{Caps, Waiting};
use super::{NetCommand, NetError, NetEvent, Verdict, listen_error};

const ANNOUNCEMENT_CAPS: Caps = Caps {
    count: limits::MAX_ANNOUNCEMENTS_WAITING,
    count_per_peer: limits::MAX_ANNOUNCEMENTS_WAITING_PER_PEER,
    bytes: limits::MAX_ANNOUNCEMENT_BYTES_WAITING,
    bytes_per_peer: limits::MAX_ANNOUNCEMENT_BYTES_WAITING_PER_PEER,
};

const REQUEST_CAPS: Caps = Caps {
    count: limits::MAX_REQUESTS_WAITING,
    count_per_peer: limits::MAX_REQUESTS_WAITING_PER_PEER,
    bytes: limits::MAX_REQUEST_BYTES_WAITING,
    bytes_per_peer: limits::MAX_REQUEST_BYTES_WAITING_PER_PEER,
};

/// The network's state. Nothing in it waits for the owner: what the owner has not taken yet is in
/// `outbox`, and what it has not judged yet is in the two `Waiting`s.
pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    topic: IdentTopic,
    commands: mpsc::Receiver<NetCommand>,
    events: mpsc::Sender<NetEvent>,
    outbox: VecDeque<NetEvent>,
    members: Members,
    links: Links,
    announcements: Waiting<MessageId>,
    requests_in: Waiting<ResponseChannel<Vec<u8>>>,
    requests_out: HashMap<OutboundRequestId, PeerId>,
    request_limit: usize,
    request_timeout: std::time::Duration,
    next_token: u64,
    next_sweep: Instant,
}

impl Driver {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        topic: String,
        bounds: &Limits,
        commands: mpsc::Receiver<NetCommand>,
        events: mpsc::Sender<NetEvent>,
    ) -> Self {
        let me = *swarm.local_peer_id();
        Self {
            swarm,
            topic: IdentTopic::new(topic),
            commands,
            events,
            outbox: VecDeque::new(),
            members: Members::new(me, jitter),
            links: Links::default(),
            announcements: Waiting::new(ANNOUNCEMENT_CAPS),
            requests_in: Waiting::new(REQUEST_CAPS),
            requests_out: HashMap::new(),
            request_limit: bounds.sync_message,
            request_timeout: bounds.request_timeout,
            next_token: 0,
            next_sweep: Instant::now(),
        }
    }

    /// Opens the listeners and waits until each has told an address. No member is known yet, so
    /// nobody gets in meanwhile.
    pub(super) async fn listen(&mut self, wanted: &[Multiaddr]) -> Result<Vec<Multiaddr>, NetError> {
        let mut silent: Vec<(ListenerId, Multiaddr)> = Vec::new();
        for address in wanted {
            let listener = self.swarm.listen_on(address.clone()).map_err(|e| match e {
                TransportError::MultiaddrNotSupported(address) => NetError::Address {
                    address: address.to_string(),
                },
                TransportError::Other(e) => listen_error(address, &e),
            })?;
            silent.push((listener, address.clone()));
        }
        let mut told = Vec::new();
        let deadline = tokio::time::Instant::now() + limits::LISTEN_TIMEOUT;
        while let Some((_, address)) = silent.first() {
            let event = tokio::time::timeout_at(deadline, self.swarm.select_next_some()).await;
            match event {
                Err(_) => {
                    return Err(NetError::Listen {
                        address: address.to_string(),
                        why: "the system tells no local address for it".to_owned(),
                    });
                }
                Ok(SwarmEvent::NewListenAddr { listener_id, address }) => {
                    silent.retain(|(listener, _)| *listener != listener_id);
                    told.push(address);
                }
                Ok(other) => self.on_swarm(other),
            }
        }
        Ok(told)
    }

    /// Runs until told to stop, or until the owner has dropped either channel.
    pub(super) async fn run(mut self) {
        let events = self.events.clone();
        loop {
            let wake = self.next_wake();
            tokio::select! {
                command = self.commands.recv(), if self.outbox.len() < limits::OUTBOX_FULL => {
                    match command {
                        Some(NetCommand::Shutdown) | None => break,
                        Some(command) => self.on_command(command),
                    }
                }
                permit = events.reserve(), if !self.outbox.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.outbox.pop_front() {
                            permit.send(event);
                        }
                    }
                    Err(_) => break,
                },
                () = tokio::time::sleep_until(wake.into()) => self.on_time(Instant::now()),
                event = self.swarm.select_next_some(),
                    if self.outbox.len() < limits::OUTBOX_PAUSE => self.on_swarm(event),
            }
        }
    }

    fn next_wake(&self) -> Instant {
        self.members
            .next_due()
            .map_or(self.next_sweep, |due| due.min(self.next_sweep))
    }

    fn on_time(&mut self, now: Instant) {
        for (peer, addresses) in self.members.due(now) {
            self.dial(peer, addresses, now);
        }
        if self.next_sweep <= now {
            self.next_sweep = now + limits::SWEEP_INTERVAL;
            self.sweep(now);
        }
    }

    /// Lets go of what the owner never answered, and of blocks that have ended.
    fn sweep(&mut self, now: Instant) {
        let unjudged = self.announcements.expire(now, limits::VERDICT_TIMEOUT);
        for (peer, message) in unjudged {
            self.judge(peer, &message, Verdict::Ignore);
        }
        drop(self.requests_in.expire(now, self.request_timeout));
        for peer in self.members.unblock(now) {
            self.swarm.behaviour_mut().allowed.allow_peer(peer);
        }
    }

    fn dial(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, now: Instant) {
        if self.links.contains(&peer) {
            self.members.connected(&peer, now);
            return;
        }
        // A fresh port: the listening port towards a peer just lost may still be cooling down.
        let options = DialOpts::peer_id(peer).addresses(addresses).allocate_new_port().build();
        if let Err(error) = self.swarm.dial(options) {
            tracing::debug!(%peer, %error, "dial not possible");
            self.members.failed(&peer, now);
        }
    }

    fn on_command(&mut self, command: NetCommand) {
        match command {
            NetCommand::Announce(bytes) => self.announce(bytes),
            NetCommand::Verdict { token, verdict } => {
                if let Some((peer, message)) = self.announcements.take(token) {
                    self.judge(peer, &message, verdict);
                }
            }
            NetCommand::Request { to, bytes } => self.request(to, bytes),
            NetCommand::Respond { token, bytes } => self.respond(token, bytes),
            NetCommand::Penalize { peer } => self.penalize(&peer),
            NetCommand::SetMembers(list) => self.set_members(list),
            NetCommand::Shutdown => {}
        }
    }

    fn announce(&mut self, bytes: Vec<u8>) {
        let length = bytes.len();
        if length > limits::MAX_ANNOUNCEMENT {
            tracing::error!(length, "announcement over the limit is dropped");
            return;
        }
        let topic = self.topic.clone();
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!(length, %error, "announcement not sent"),
        }
    }

    fn judge(&mut self, peer: PeerId, message: &MessageId, verdict: Verdict) {
        let acceptance = match verdict {
            Verdict::Accept => MessageAcceptance::Accept,
            Verdict::Ignore => MessageAcceptance::Ignore,
            Verdict::Reject => MessageAcceptance::Reject,
        };
        self.swarm
            .behaviour_mut()
            .gossip
            .report_message_validation_result(message, &peer, acceptance);
    }

    fn request(&mut self, to: String, bytes: Vec<u8>) {
        let target = to.parse::<PeerId>().ok();
        let why = match target {
            None => "not a peer id".to_owned(),
            Some(peer) if !self.links.contains(&peer) => "not connected".to_owned(),
            Some(_) if bytes.len() > self.request_limit => {
                format!("{} bytes are over the limit", bytes.len())
            }
            Some(_) if self.requests_out.len() >= limits::MAX_REQUESTS_OUT => "too many requests under way".to_owned(),
            Some(peer) => {
                let id = self.swarm.behaviour_mut().sync.send_request(&peer, bytes);
                self.requests_out.insert(id, peer);
                return;
            }
        };
        self.outbox.push_back(NetEvent::RequestFailed { peer: to, why });
    }

    fn respond(&mut self, token: u64, bytes: Vec<u8>) {
        let Some((peer, channel)) = self.requests_in.take(token) else {
            return;
        };
        if bytes.len() > self.request_limit {
            tracing::error!(%peer, length = bytes.len(), "response over the limit is dropped");
            return;
        }
        // Too late is the asker's affair: it has been told so.
        let _late = self.swarm.behaviour_mut().sync.send_response(channel, bytes);
    }

    fn penalize(&mut self, peer: &str) {
        let Ok(peer) = peer.parse::<PeerId>() else {
            return;
        };
        match self.members.penalize(&peer, Instant::now()) {
            Penalty::Unknown => return,
            Penalty::Counted(count) => {
                tracing::warn!(%peer, count, "peer broke a rule and is disconnected");
                self.score(&peer, count);
            }
            Penalty::Blocked => {
                tracing::warn!(%peer, "peer broke too many rules and is kept out for a while");
                self.swarm.behaviour_mut().allowed.disallow_peer(peer);
            }
        }
        let _gone_already = self.swarm.disconnect_peer_id(peer);
    }

    fn score(&mut self, peer: &PeerId, penalties: u32) {
        let score = limits::PENALTY_SCORE * f64::from(penalties);
        self.swarm.behaviour_mut().gossip.set_application_score(peer, score);
    }

    pub(super) fn set_members(&mut self, list: BTreeMap<String, Vec<String>>) {
        let change = self.members.replace(list, Instant::now());
        let allowed = &mut self.swarm.behaviour_mut().allowed;
        for peer in change.joined {
            allowed.allow_peer(peer);
        }
        for peer in change.left {
            allowed.disallow_peer(peer);
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.on_sync(event),
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error),
            })) => {
                tracing::debug!(%peer, %error, "no answer to a ping; the connection is closed");
                self.swarm.close_connection(connection);
            }
            SwarmEvent::ConnectionEstablished {
                peer_id, connection_id, ..
            } => self.on_opened(peer_id, connection_id),
            SwarmEvent::ConnectionClosed {
                peer_id, connection_id, ..
            } => self.on_closed(peer_id, connection_id),
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => {
                tracing::debug!(%peer, %error, "dial failed");
                self.members.failed(&peer, Instant::now());
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr, error, ..
            } => tracing::debug!(from = %send_back_addr, %error, "connection refused"),
            SwarmEvent::NewListenAddr { address, .. } => {
                self.outbox.push_back(NetEvent::Listening(address));
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener of the peer network has trouble");
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "a listener of the peer network is closed");
            }
            _ => {}
        }
    }

    fn on_opened(&mut self, peer: PeerId, id: ConnectionId) {
        let now = Instant::now();
        self.members.connected(&peer, now);
        match self.links.opened(peer, id) {
            Opened::First => {
                let penalties = self.members.penalties(&peer, now);
                self.score(&peer, penalties);
                self.outbox.push_back(NetEvent::Connected(peer.to_base58()));
            }
            Opened::Surplus => {
                tracing::debug!(%peer, "connected twice; both are closed");
                let _gone_already = self.swarm.disconnect_peer_id(peer);
            }
        }
    }

    fn on_closed(&mut self, peer: PeerId, id: ConnectionId) {
        if self.links.closed(&peer, id) {
            self.members.disconnected(&peer, Instant::now());
            self.outbox.push_back(NetEvent::Disconnected(peer.to_base58()));
        }
    }

    fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message {
            propagation_source: peer,
            message_id,
            message,
        } = event
        else {
            return;
        };
        let bytes = message.data;
        if bytes.len() > limits::MAX_ANNOUNCEMENT || !self.members.contains(&peer) {
            self.judge(peer, &message_id, Verdict::Reject);
            return;
        }
        let token = self.token();
        let waits = self
            .announcements
            .admit(token, peer, bytes.len(), message_id, Instant::now());
        match waits {
            Ok(()) => self.outbox.push_back(NetEvent::Announced {
                from: peer.to_base58(),
                token,
                bytes,
            }),
            Err(message_id) => self.judge(peer, &message_id, Verdict::Ignore),
        }
    }

    fn on_sync(&mut self, event: request_response::Event<Vec<u8>, Vec<u8>>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                request_response::Message::Request { request, channel, .. } => self.on_request(peer, request, channel),
                request_response::Message::Response { request_id, response } => {
                    self.requests_out.remove(&request_id);
                    self.outbox.push_back(NetEvent::Response {
                        from: peer.to_base58(),
                        bytes: response,
                    });
                }
            },
            request_response::Event::OutboundFailure {
                peer,
                request_id,
                error,
                ..
            } => {
                self.requests_out.remove(&request_id);
                self.outbox.push_back(NetEvent::RequestFailed {
                    peer: peer.to_base58(),
                    why: error.to_string(),
                });
            }
            request_response::Event::InboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "a request of a peer came to nothing");
            }
            request_response::Event::ResponseSent { .. } => {}
        }
    }

    fn on_request(&mut self, peer: PeerId, bytes: Vec<u8>, channel: ResponseChannel<Vec<u8>>) {
        let token = self.token();
        let waits = self
            .requests_in
            .admit(token, peer, bytes.len(), channel, Instant::now());
        // Dropping the channel tells the peer at once that there will be no answer.
        match waits {
            Ok(()) => self.outbox.push_back(NetEvent::Request {
                from: peer.to_base58(),
                token,
                bytes,
            }),
            Err(_channel) => tracing::debug!(%peer, "too many requests at once; one is refused"),
        }
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }
}

/// A random byte; without a random source the full pause is as good as any.
fn jitter() -> u8 {
    let mut byte = [u8::MAX];
    let _no_source = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}

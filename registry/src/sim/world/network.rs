//! The wire: what is lost, doubled, delayed, and handed on.

use sha2::{Digest, Sha256};

use super::{Done, Happening, Parcel, STRANGER, Token, What, World};
use crate::message::{Answer, Refusal};
use crate::replica::{Event, Verdict};
use crate::store::MemoryStore;

impl World {
    pub(super) fn disk(&self, at: usize, machine: usize) -> Result<&MemoryStore, String> {
        let machine = self.nodes.get(at).and_then(|node| node.machines.get(machine));
        machine
            .map(|machine| &machine.disk)
            .ok_or_else(|| "no such disk".to_owned())
    }

    pub(super) fn announce(&mut self, at: usize, machine: usize, hostile: bool, bytes: Vec<u8>) -> Done {
        if !hostile {
            let disk = &self
                .nodes
                .get(at)
                .and_then(|n| n.machines.get(machine))
                .ok_or("no disk")?
                .disk;
            self.check.broadcast(&self.nodes, &self.charter, disk, &bytes)?;
        }
        // Not to all at once, so that some hear it from others.
        self.gossip(at, machine, None, 70, bytes);
        Ok(())
    }

    pub(super) fn gossip(&mut self, at: usize, machine: usize, but: Option<usize>, percent: u64, bytes: Vec<u8>) {
        for to in 0..self.nodes.len() {
            if to == at || Some(to) == but || !self.rng.chance(percent) || !self.tells(at, machine, to) {
                continue;
            }
            let Some(bytes) = self.bent(at, bytes.clone(), true) else {
                continue;
            };
            self.send(Some(at), to, What::Broadcast(bytes));
        }
    }

    /// Whether this machine talks to that member: a liar tells each story to its own half, with
    /// an occasional slip.
    pub(super) fn tells(&mut self, at: usize, machine: usize, to: usize) -> bool {
        let stories = self.nodes.get(at).map_or(1, |node| node.machines.len());
        stories < 2 || to % 2 == machine || self.rng.chance(5)
    }

    pub(super) fn bent(&mut self, at: usize, bytes: Vec<u8>, broadcast: bool) -> Option<Vec<u8>> {
        let Some(lies) = self.nodes.get(at)?.lies else {
            return Some(bytes);
        };
        if self.hides(at, &bytes, broadcast) {
            return None;
        }
        let bent = self.with_liar(at, |memory, rng, scene| match broadcast {
            true => memory.bend_broadcast(rng, &lies, bytes),
            false => memory.bend_answer(rng, &lies, scene, bytes),
        });
        bent.ok()?
    }

    pub(super) fn bent_ask(&mut self, to: usize, bytes: Vec<u8>) -> Vec<u8> {
        match self.nodes.get(to).and_then(|node| node.lies) {
            Some(lies) => {
                let kept = bytes.clone();
                self.with_liar(to, |memory, rng, scene| memory.bend_ask(rng, &lies, scene.nodes, bytes))
                    .unwrap_or(kept)
            }
            None => bytes,
        }
    }

    pub(super) fn send_request(&mut self, at: usize, machine: usize, hostile: bool, to: &str, bytes: Vec<u8>) -> Done {
        if bytes.len() > crate::limits::ASK_BYTES {
            return Err("a question is longer than others take".to_owned());
        }
        let to = *self.peers.get(to).ok_or("a stranger is asked")?;
        if !hostile || self.tells(at, machine, to) {
            self.send(Some(at), to, What::Ask(machine, bytes));
        }
        Ok(())
    }

    pub(super) fn send_response(
        &mut self,
        at: usize,
        machine: usize,
        hostile: bool,
        token: u64,
        bytes: Vec<u8>,
    ) -> Done {
        let Some(Token::Ask { from, machine: asker }) = self.tokens.remove(&token) else {
            return Err("a question is answered twice, or was none".to_owned());
        };
        let Some(from) = from else {
            return match Answer::decode(&bytes) {
                Ok(Answer::Refused {
                    why: Refusal::NotMember,
                    ..
                }) => Ok(()),
                _ if hostile => Ok(()),
                _ => Err("a stranger got an answer".to_owned()),
            };
        };
        if !hostile {
            let disk = &self
                .nodes
                .get(at)
                .and_then(|n| n.machines.get(machine))
                .ok_or("no disk")?
                .disk;
            self.check.answer(&self.nodes, &self.charter, disk, &bytes)?;
            match Answer::decode(&bytes) {
                Ok(Answer::Piece(_)) => self.figures.pieces += 1,
                Ok(Answer::Reconciled { .. }) => self.figures.narrowed += 1,
                _ => {}
            }
        }
        if let Some(bytes) = self.bent(at, bytes, false) {
            self.send_to(Some(at), from, asker, What::Answer(bytes));
        }
        Ok(())
    }

    pub(super) fn verdict(&mut self, at: usize, machine: usize, token: u64, verdict: Verdict) -> Done {
        let Some(Token::Broadcast { from, bytes }) = self.tokens.remove(&token) else {
            return Err("a broadcast is judged twice, or was none".to_owned());
        };
        let hostile = self.nodes.get(at).is_some_and(|node| node.hostile);
        let sender = from.and_then(|from| self.nodes.get(from));
        match verdict {
            Verdict::Accept if sender.is_none() => Err("a stranger is believed".to_owned()),
            Verdict::Accept => {
                self.gossip(at, machine, from, 100, bytes);
                Ok(())
            }
            Verdict::Ignore if sender.is_none() && !hostile => Err("what a stranger says is looked at".to_owned()),
            Verdict::Reject if !hostile && sender.is_some_and(|sender| !sender.hostile) => {
                Err("a broadcast that an honest member handed on is called false".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn send(&mut self, from: Option<usize>, to: usize, what: What) {
        let stories = self.nodes.get(to).map_or(1, |node| node.machines.len());
        let machine = from.map_or(0, |from| from % stories.max(1));
        self.send_to(from, to, machine, what);
    }

    pub(super) fn send_to(&mut self, from: Option<usize>, to: usize, machine: usize, what: What) {
        let (loss, doubling) = if self.faults {
            (self.plan.loss, self.plan.doubling)
        } else {
            (0, 0)
        };
        if self.rng.chance(loss) {
            self.figures.lost += 1;
            return self.tell_of_loss(from, to, &what);
        }
        if self.faults && self.rng.chance(self.plan.replays) {
            self.figures.replayed += 1;
            let copy = Parcel {
                from,
                to,
                machine,
                what: what.clone(),
            };
            self.soon(60_000, Happening::Arrive(copy));
        }
        let copies = 1 + u64::from(self.rng.chance(doubling));
        self.figures.doubled += copies - 1;
        for _ in 0..copies {
            let what = what.clone();
            self.soon(
                self.plan.delay,
                Happening::Arrive(Parcel {
                    from,
                    to,
                    machine,
                    what,
                }),
            );
        }
    }

    /// Who asked learns of a lost question or answer; sometimes.
    pub(super) fn tell_of_loss(&mut self, from: Option<usize>, to: usize, what: &What) {
        let (asker, asked) = match what {
            What::Ask(machine, ..) => (from.map(|from| (from, *machine)), Some(to)),
            What::Answer(..) => (Some((to, 0)), from),
            What::Broadcast(_) | What::Failed => return,
        };
        if let Some((to, machine)) = asker
            && self.rng.chance(50)
        {
            let parcel = Parcel {
                from: asked,
                to,
                machine,
                what: What::Failed,
            };
            self.soon(2_000, Happening::Arrive(parcel));
        }
    }

    pub(super) fn arrive(&mut self, parcel: Parcel) -> Done {
        let Parcel {
            from,
            to,
            machine,
            what,
        } = parcel;
        if from.is_some_and(|from| !self.is_linked(from, to)) && !matches!(what, What::Failed) {
            self.figures.lost += 1;
            self.tell_of_loss(from, to, &what);
            return Ok(());
        }
        let peer = match from {
            Some(from) => self.nodes.get(from).map(|node| node.peer.clone()),
            None => Some(STRANGER.to_owned()),
        };
        let Some(peer) = peer else { return Ok(()) };
        let token = self.token();
        match what {
            What::Broadcast(bytes) => {
                let digest = Sha256::digest(&bytes).into();
                let forgets = self.rng.chance(10);
                let Some(node) = self.nodes.get_mut(to) else {
                    return Ok(());
                };
                if !node.seen.insert(digest) && !forgets {
                    return Ok(());
                }
                self.tokens.insert(
                    token,
                    Token::Broadcast {
                        from,
                        bytes: bytes.clone(),
                    },
                );
                self.feed(
                    to,
                    machine,
                    Event::Announced {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Ask(asker, bytes) => {
                let bytes = self.bent_ask(to, bytes);
                self.tokens.insert(token, Token::Ask { from, machine: asker });
                self.feed(
                    to,
                    machine,
                    Event::Request {
                        from: peer,
                        token,
                        bytes,
                    },
                )
            }
            What::Answer(bytes) => self.feed(to, machine, Event::Response { from: peer, bytes }),
            What::Failed => self.feed(to, machine, Event::RequestFailed { peer }),
        }
    }
}

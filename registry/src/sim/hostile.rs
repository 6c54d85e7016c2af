//! What a lying member makes of messages. It holds a valid log key, so that its own log is its to
//! sign; everybody else's it can only bend.

use super::forge::{self, Forger, Scene};
use super::node::Node;
use super::plan::Lies;
use crate::limits;
use crate::message::{Answer, Ask, Broadcast, ChainPoint, News, Parting, Piece, Roots, Standpoint};
use crate::replica::rng::Rng;

/// How many messages it keeps for later.
const ARCHIVE: usize = 60;

/// The liar's memory.
#[derive(Default)]
pub(super) struct Liar {
    broadcasts: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    /// Messages that no honest member would have sent.
    pub(super) lies: u64,
}

impl Liar {
    /// What a broadcast becomes that passes through its hands.
    pub(super) fn bend_broadcast(&mut self, rng: &mut Rng, lies: &Lies, bytes: Vec<u8>) -> Option<Vec<u8>> {
        keep(rng, &mut self.broadcasts, &bytes);
        if rng.chance(lies.silent) {
            self.lies += 1;
            return None;
        }
        if rng.chance(lies.corrupt) {
            self.lies += 1;
            return Some(corrupt(rng, bytes));
        }
        if rng.chance(lies.tamper)
            && let Ok(Broadcast::News(mut news)) = Broadcast::decode(&bytes)
        {
            self.lies += 1;
            if rng.chance(20) {
                // A gap: the head is true, but the entries begin too late.
                let skip = rng.below(news.entries.len() as u64 + 1);
                news.entries.drain(..skip as usize);
                news.from += skip;
            } else {
                news.from += bend(rng, &mut news.entries);
            }
            return Some(Broadcast::News(news).encode());
        }
        Some(bytes)
    }

    /// What an answer becomes.
    pub(super) fn bend_answer(
        &mut self,
        rng: &mut Rng,
        lies: &Lies,
        scene: &Scene<'_>,
        bytes: Vec<u8>,
    ) -> Option<Vec<u8>> {
        keep(rng, &mut self.answers, &bytes);
        if rng.chance(lies.silent) {
            self.lies += 1;
            return None;
        }
        if rng.chance(lies.corrupt) {
            self.lies += 1;
            return Some(corrupt(rng, bytes));
        }
        if rng.chance(lies.oversize) {
            self.lies += 1;
            let mut bytes = bytes;
            bytes.resize(limits::ANSWER_BYTES + 1, 0);
            return Some(bytes);
        }
        if rng.chance(lies.replay)
            && let Some(old) = rng.pick(&self.answers).and_then(|old| Answer::decode(old).ok())
            && let Ok(now) = Answer::decode(&bytes)
        {
            self.lies += 1;
            return Some(renumbered(old, now.id()).encode());
        }
        if rng.chance(lies.forge)
            && let Some(liar) = Forger::new(scene, rng)
            && let Some(news) = liar.news(rng)
        {
            self.lies += 1;
            return Some(with_forged(Answer::decode(&bytes).ok()?, news).encode());
        }
        if rng.chance(lies.charter)
            && let Some(signed) = forge::charter(scene, rng)
            && let Ok(Answer::Charters { id, mut versions }) = Answer::decode(&bytes)
        {
            self.lies += 1;
            versions.push(signed.to_bytes());
            return Some(Answer::Charters { id, versions }.encode());
        }
        if rng.chance(lies.rotate)
            && let Some(liar) = Forger::new(scene, rng)
            && let Some(rotation) = liar.rotation()
            && let Ok(Answer::Heads {
                id,
                mut rotations,
                notes,
                forks,
                cosigned,
            }) = Answer::decode(&bytes)
        {
            self.lies += 1;
            rotations.push(rotation);
            let answer = Answer::Heads {
                id,
                rotations,
                notes,
                forks,
                cosigned,
            };
            return Some(answer.encode());
        }
        if rng.chance(lies.cosign)
            && let Some(liar) = Forger::new(scene, rng)
            && let Some(false_one) = liar.cosigned(scene.charter.id(), scene.nodes, rng)
            && let Ok(Answer::Heads {
                id,
                rotations,
                notes,
                forks,
                mut cosigned,
            }) = Answer::decode(&bytes)
        {
            self.lies += 1;
            cosigned.push(false_one);
            let answer = Answer::Heads {
                id,
                rotations,
                notes,
                forks,
                cosigned,
            };
            return Some(answer.encode());
        }
        if rng.chance(lies.tamper)
            && let Ok(Answer::Piece(piece)) = Answer::decode(&bytes)
        {
            self.lies += 1;
            return Some(Answer::Piece(bend_piece(rng, piece)).encode());
        }
        if rng.chance(lies.tamper)
            && let Ok(Answer::Roots(mut roots)) = Answer::decode(&bytes)
            && let Some((root, proof)) = rng.pick_mut(&mut roots.roots)
        {
            self.lies += 1;
            match rng.below(3) {
                0 => *root = [4; 32],
                1 => proof.push([4; 32]),
                _ => drop(roots.roots.pop()),
            }
            return Some(Answer::Roots(roots).encode());
        }
        if rng.chance(lies.tamper)
            && let Ok(Answer::Reconciled { id, message }) = Answer::decode(&bytes)
        {
            self.lies += 1;
            let message = reconciliation(rng, message);
            return Some(Answer::Reconciled { id, message }.encode());
        }
        if rng.chance(lies.tamper)
            && let Ok(Answer::Salvaged { id, mut records }) = Answer::decode(&bytes)
            && let Some(record) = rng.pick_mut(&mut records)
        {
            self.lies += 1;
            match rng.below(4) {
                0 => record.index += 1,
                1 => record.entry = corrupt(rng, std::mem::take(&mut record.entry)),
                2 => drop(record.proof.pop()),
                _ => drop(records.pop()),
            }
            return Some(Answer::Salvaged { id, records }.encode());
        }
        Some(bytes)
    }

    /// What a question to it becomes, so that the answer is whole and true, and not what was asked.
    pub(super) fn bend_ask(&mut self, rng: &mut Rng, lies: &Lies, nodes: &[Node], bytes: Vec<u8>) -> Vec<u8> {
        if !rng.chance(lies.tamper / 2) {
            return bytes;
        }
        let Ok(Ask::Pull { id, organization, from }) = Ask::decode(&bytes) else {
            return bytes;
        };
        self.lies += 1;
        let other = rng.pick(nodes).map(|node| node.did.as_str().to_owned());
        let (organization, from) = match rng.below(3) {
            0 => (other.unwrap_or(organization), from),
            1 => (organization, from + 1 + rng.below(3)),
            _ => (organization, from.saturating_sub(1 + rng.below(3))),
        };
        Ask::Pull { id, organization, from }.encode()
    }

    /// A broadcast out of the blue.
    pub(super) fn invent_broadcast(&mut self, rng: &mut Rng, lies: &Lies, scene: &Scene<'_>) -> Option<Vec<u8>> {
        self.lies += 1;
        if rng.chance(lies.charter) {
            let signed = forge::charter(scene, rng)?;
            return Some(Broadcast::Charter(signed.to_bytes()).encode());
        }
        if rng.chance(lies.forge) {
            let liar = Forger::new(scene, rng)?;
            return liar.news(rng).map(|news| Broadcast::News(news).encode());
        }
        if rng.chance(lies.cosign) {
            let liar = Forger::new(scene, rng)?;
            let cosigned = liar.cosigned(scene.charter.id(), scene.nodes, rng)?;
            return Some(Broadcast::Cosigned(cosigned).encode());
        }
        if rng.chance(lies.accuse) {
            let liar = Forger::new(scene, rng)?;
            return liar.accusation(rng).map(|fork| Broadcast::Fork(fork).encode());
        }
        if rng.chance(lies.replay) {
            return rng.pick(&self.broadcasts).cloned();
        }
        Some((0..rng.below(200)).map(|_| rng.below(256) as u8).collect())
    }

    /// False heads enough that nobody would get anything else done who checked them all.
    pub(super) fn flood(&mut self, rng: &mut Rng, scene: &Scene<'_>) -> Vec<Vec<u8>> {
        let news = Forger::new(scene, rng).and_then(|liar| liar.flood());
        let flood: Vec<Vec<u8>> = news
            .into_iter()
            .flatten()
            .map(|news| Broadcast::News(news).encode())
            .collect();
        self.lies += flood.len() as u64;
        flood
    }

    /// A question out of the blue.
    pub(super) fn invent_ask(rng: &mut Rng, nodes: &[Node]) -> Vec<u8> {
        let Some(node) = rng.pick(nodes) else {
            return Vec::new();
        };
        let organization = node.did.as_str().to_owned();
        let ask = match rng.below(8) {
            7 => Ask::Reconcile {
                id: rng.next(),
                message: reconciliation(rng, vec![0x61, 0, 0, 1]),
            },
            6 => Ask::Charters {
                id: rng.next(),
                from: rng.below(5) as u32,
            },
            0 => Ask::Pull {
                id: rng.next(),
                organization,
                from: rng.below(2_000),
            },
            1 => Ask::Pull {
                id: 1,
                organization: "did:example:nobody".to_owned(),
                from: 0,
            },
            2 => Ask::Probe {
                id: rng.next(),
                organization,
                sizes: (0..rng.below(17)).map(|_| rng.below(30)).collect(),
            },
            3 => Ask::Salvage {
                id: rng.next(),
                organization,
                have: Vec::new(),
            },
            4 => {
                let size = limits::LOG_SIZE;
                let log = Standpoint {
                    organization,
                    size,
                    root: [7; 32],
                    time: u64::MAX,
                    fork: rng.chance(50).then(|| Parting {
                        at: rng.below(10),
                        certain: rng.chance(50),
                        proof: [rng.below(256) as u8; 32],
                        salvaged: [8; 32],
                    }),
                    cosigned: rng.next(),
                    rotations: rng.below(3) as u16,
                };
                Ask::Compare {
                    id: rng.next(),
                    charter: ChainPoint {
                        version: rng.below(4) as u32,
                        hash: "zQm".to_owned(),
                        conflict: rng.chance(50),
                    },
                    logs: vec![log],
                    only: rng.chance(50),
                }
            }
            _ => return (0..rng.below(100)).map(|_| rng.below(256) as u8).collect(),
        };
        ask.encode()
    }
}

/// Bends entries, and says by how much their beginning moves.
fn bend(rng: &mut Rng, entries: &mut Vec<Vec<u8>>) -> u64 {
    let last = entries.len().saturating_sub(1);
    let at = rng.below(entries.len() as u64) as usize;
    match rng.below(4) {
        // One left out of the middle, the rest moved up so that the numbers fit.
        0 if !entries.is_empty() => {
            entries.remove(at);
            return 1;
        }
        1 if !entries.is_empty() => entries.swap(0, last),
        2 => {
            let other = entries.get(at).cloned();
            entries.extend(other);
        }
        _ => {
            if let Some(entry) = entries.get_mut(at) {
                *entry = corrupt(rng, std::mem::take(entry));
            }
        }
    }
    0
}

fn bend_piece(rng: &mut Rng, mut piece: Piece) -> Piece {
    match rng.below(12) {
        0 => piece.from += 1 + rng.below(3),
        1 => drop(piece.start_proof.pop()),
        2 => piece.end_proof.push([3; 32]),
        3 => piece.start_root = [9; 32],
        4 => {
            // As if there were nothing more.
            piece.entries.clear();
        }
        _ => drop(bend(rng, &mut piece.entries)),
    }
    piece
}

/// The answer with a forged head in it.
fn with_forged(answer: Answer, news: News) -> Answer {
    match answer {
        Answer::Heads {
            id,
            rotations,
            forks,
            cosigned,
            ..
        } => Answer::Heads {
            id,
            rotations,
            notes: vec![news.note],
            forks,
            cosigned,
        },
        Answer::Piece(piece) => Answer::Piece(Piece {
            note: news.note,
            entries: news.entries,
            start_proof: Vec::new(),
            end_proof: Vec::new(),
            ..piece
        }),
        Answer::Roots(roots) => Answer::Roots(Roots {
            note: news.note,
            ..roots
        }),
        other @ (Answer::Charters { .. }
        | Answer::Reconciled { .. }
        | Answer::Refused { .. }
        | Answer::Salvaged { .. }) => other,
    }
}

fn renumbered(answer: Answer, id: u64) -> Answer {
    match answer {
        Answer::Heads {
            rotations,
            notes,
            forks,
            cosigned,
            ..
        } => Answer::Heads {
            id,
            rotations,
            notes,
            forks,
            cosigned,
        },
        Answer::Piece(piece) => Answer::Piece(Piece { id, ..piece }),
        Answer::Charters { versions, .. } => Answer::Charters { id, versions },
        Answer::Refused { why, .. } => Answer::Refused { id, why },
        Answer::Roots(roots) => Answer::Roots(Roots { id, ..roots }),
        Answer::Reconciled { message, .. } => Answer::Reconciled { id, message },
        Answer::Salvaged { records, .. } => Answer::Salvaged { id, records },
    }
}

/// Bends a message of a reconciliation: no difference, nothing but differences, no end, or noise.
fn reconciliation(rng: &mut Rng, message: Vec<u8>) -> Vec<u8> {
    match rng.below(4) {
        0 => vec![0x61],
        1 => vec![0x61, 0, 0, 2, 0],
        2 => [&[0x61, 0, 0, 1], [5; 16].as_slice()].concat(),
        _ => corrupt(rng, message),
    }
}

fn corrupt(rng: &mut Rng, mut bytes: Vec<u8>) -> Vec<u8> {
    match rng.below(3) {
        0 => bytes.truncate(rng.below(bytes.len() as u64) as usize),
        1 => bytes.push(rng.below(256) as u8),
        _ => {
            let at = rng.below(bytes.len() as u64) as usize;
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
    }
    bytes
}

fn keep(rng: &mut Rng, archive: &mut Vec<Vec<u8>>, bytes: &[u8]) {
    if archive.len() < ARCHIVE {
        archive.push(bytes.to_vec());
    } else if let Some(old) = archive.get_mut(rng.below(ARCHIVE as u64) as usize) {
        *old = bytes.to_vec();
    }
}

//! What a liar signs with its own key in the name of others, and how it accuses them.

use syndic_vc::json::Object;
use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;

use super::node::Node;
use crate::charter::{Charter, CharterChain, Founding, Rules, SignedCharter};
use crate::cosignature::Cosignature;
use crate::fork::{Branch, Fork};
use crate::head::{self, Head};
use crate::log::{self, Hash, LogState};
use crate::log_keys::Rotation;
use crate::message::{Broadcast, Cosigned, KnownRotation, News};
use crate::note::{self, Note};
use crate::proof;
use crate::replica::rng::Rng;
use crate::statement::{Content, Statement, Unknown};
use crate::store::{self, MemoryStore, Write};

/// Broadcasts of a flood: a third may be lost, and the rest is still more than the checks that one peer may cause.
const FLOOD: u64 = 3_000;

/// What a liar looks at.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) charter: &'a Charter,
    pub(super) nodes: &'a [Node],
    pub(super) now: Timestamp,
    /// Which of them it is.
    pub(super) liar: usize,
}

/// The liar, and the honest member that it turns against.
pub(super) struct Forger<'a> {
    victim: &'a Node,
    liar: &'a Node,
    disk: &'a MemoryStore,
    /// What the liar knows of the victim's log.
    state: LogState,
    origin: String,
    now: Timestamp,
    /// Log keys of the victim that were replaced, as all honest members know, and the sizes from which they were: the
    /// liar has stolen them.
    stolen: Vec<(&'a SecretKey, u64)>,
    charter: &'a Charter,
}

impl<'a> Forger<'a> {
    pub(super) fn new(scene: &Scene<'a>, rng: &mut Rng) -> Option<Self> {
        let Scene {
            charter,
            nodes,
            now,
            liar,
        } = *scene;
        let victims: Vec<&Node> = nodes.iter().filter(|node| !node.hostile).collect();
        let victim = *rng.pick(&victims)?;
        let liar = nodes.get(liar)?;
        let disk = &liar.machines.first()?.disk;
        let state = LogState::read(victim.did.as_str(), disk).ok()?;
        let origin = head::origin(charter.id(), victim.did.as_str());
        Some(Self {
            victim,
            liar,
            disk,
            state,
            origin,
            now,
            stolen: stolen(charter, nodes, victim),
            charter,
        })
    }

    /// A key that was replaced before the log had this size.
    fn stolen_for(&self, size: u64, rng: &mut Rng) -> Option<&'a SecretKey> {
        let useless: Vec<_> = self.stolen.iter().filter(|(_, from)| *from <= size).collect();
        rng.pick(&useless).map(|(key, _)| *key)
    }

    /// A head of the victim's log: with an entry of the liar's, with another root, or the very
    /// head that is held, as if its owner had renewed it.
    pub(super) fn news(&self, rng: &mut Rng) -> Option<News> {
        let mut frontier = self.state.frontier.clone();
        let from = frontier.size();
        let mut entries = Vec::new();
        if rng.chance(70) {
            let entry = self.invention(rng)?;
            frontier.append(log::leaf_hash(&entry));
            entries.push(entry);
        }
        let root = if rng.chance(10) { [5; 32] } else { frontier.root() };
        let note = match self.stolen_for(frontier.size(), rng).filter(|_| rng.chance(60)) {
            Some(key) => {
                let head = Head::sign(&self.origin, frontier.size(), &root, key, self.now).ok()?;
                head.note().to_owned()
            }
            None => self.note(frontier.size(), &root)?,
        };
        Some(News { note, from, entries })
    }

    /// One false head in many broadcasts that differ.
    pub(super) fn flood(&self) -> Option<Vec<News>> {
        let note = self.note(self.state.frontier.size() + 1, &[5; 32])?;
        let one = |from| News {
            note: note.clone(),
            from,
            entries: Vec::new(),
        };
        Some((0..FLOOD).map(one).collect())
    }

    /// The liar's own log key replaced by one that it never promised, signed by its root key.
    pub(super) fn rotation(&self) -> Option<KnownRotation> {
        let keys = self.liar.known_keys(self.charter, self.disk)?;
        let new = self.liar.root.public_key();
        keys.promised()?;
        let size = LogState::read(self.liar.did.as_str(), self.disk).ok()?.frontier.size();
        Some(KnownRotation {
            organization: self.liar.did.as_str().to_owned(),
            rotation: Rotation::sign(&keys, new, size + 1, new, &*self.liar.root).ok()?,
        })
    }

    fn invention(&self, rng: &mut Rng) -> Option<Vec<u8>> {
        let mut members = Object::new();
        members.insert("lie", rng.below(1_000));
        let content = Content::Unknown(Unknown {
            kind: "lie".to_owned(),
            members,
        });
        Statement { at: self.now, content }.to_bytes().ok()
    }

    /// The signatures are the liar's; they are labelled as the victim's, or nobody would look.
    fn note(&self, size: u64, root: &Hash) -> Option<String> {
        let own = self.liar.keys.first()?;
        let head = Head::sign(&self.origin, size, root, &**own, self.now).ok()?;
        let mut labelled = Note::parse(head.note()).ok()?;
        let key = self
            .victim
            .signer(self.charter, &self.victim.machines.first()?.disk, size)?;
        let key = key.public_key().as_bytes();
        let kinds = [note::TYPE_ED25519, note::TYPE_COSIGNATURE];
        for (line, kind) in labelled.signatures.iter_mut().zip(kinds) {
            line.id = note::key_id(&self.origin, kind, key);
        }
        Some(labelled.to_string())
    }

    /// A false cosignature of the victim's log, or of the liar's own: of a root or a size that is not there, dated in
    /// the future, with a broken signature, or in the name of an honest witness.
    pub(super) fn cosigned(&self, consortium: &str, nodes: &[Node], rng: &mut Rng) -> Option<Cosigned> {
        let organization = if rng.chance(80) {
            &self.victim.did
        } else {
            &self.liar.did
        };
        let (mut size, mut root) = (self.state.frontier.size(), self.state.frontier.root());
        let (mut time, mut broken, mut witness) = (self.now, false, &self.liar.did);
        match rng.below(6) {
            0 => root = [6; 32],
            1 => size += 1 + rng.below(1_000),
            2 => size = rng.below(size + 1),
            3 => time = time.checked_add_seconds(30 + rng.below(1_000).cast_signed())?,
            4 => broken = true,
            _ => witness = &rng.pick(nodes)?.did,
        }
        let signer = self.liar.signer(self.charter, self.disk, u64::MAX)?;
        let mut line =
            Cosignature::sign(consortium, organization.as_str(), (size, &root), witness, signer, time).ok()?;
        if broken {
            line.signature[7] ^= 1;
        }
        if let Some(node) = nodes.iter().find(|node| node.did == *witness) {
            // Labelled as the witness's, or nobody would look.
            let name = head::origin(consortium, witness.as_str());
            let key = node.signer(self.charter, &node.machines.first()?.disk, u64::MAX)?;
            line.key_id = note::key_id(&name, note::TYPE_COSIGNATURE, key.public_key().as_bytes());
        }
        Some(Cosigned {
            organization: organization.as_str().to_owned(),
            size,
            root,
            lines: vec![line],
        })
    }

    /// A proof of a fork with one thing wrong: the heads agree, or a root is not what its head
    /// implies, or a head is not signed by the victim.
    pub(super) fn accusation(&self, rng: &mut Rng) -> Option<Fork> {
        let name = self.victim.did.as_str();
        let head = self.state.head.as_ref()?;
        let at = 1 + rng.below(head.size());
        let root = proof::root(name, at, self.disk).ok()??;
        let proof = proof::consistency(name, at, head.size(), self.disk).ok()??;
        let one = Branch {
            note: head.note().to_owned(),
            root,
            proof,
        };
        let mut other = one.clone();
        match rng.below(4) {
            0 => {}
            // With a key that signs nothing of this size any more, and without saying so.
            3 => {
                let head = Head::sign(&self.origin, at, &[2; 32], self.stolen_for(at, rng)?, self.now).ok()?;
                other = Branch {
                    note: head.note().to_owned(),
                    root: [2; 32],
                    proof: Vec::new(),
                };
            }
            1 => other.root = [1; 32],
            _ => {
                let root = [2; 32];
                other = Branch {
                    note: self.note(at, &root)?,
                    root,
                    proof: Vec::new(),
                };
            }
        }
        Some(Fork {
            at,
            one,
            other,
            common: None,
            rotations: Vec::new(),
        })
    }
}

/// A charter version that everybody must refuse: signed by the liar alone.
pub(super) fn charter(scene: &Scene<'_>, rng: &mut Rng) -> Option<SignedCharter> {
    let disk = &scene.nodes.get(scene.liar)?.machines.first()?.disk;
    let chain = CharterChain::stored(disk).ok()??;
    let (charter, liar) = (chain.current(), scene.nodes.get(scene.liar)?);
    let mut members = charter.members().to_vec();
    if members.len() > 3 {
        members.remove(rng.below(members.len() as u64) as usize);
    }
    let founding = Founding {
        name: "Simulated by a liar".to_owned(),
        rules: Rules {
            threshold: 2,
            witnesses: 0,
            endorsements: 1,
            ..*charter.rules()
        },
        members,
        created: charter.created(),
    };
    let mut signed = chain.propose(&founding).ok()?;
    signed.sign(&liar.did, &*liar.root).ok()?;
    Some(signed)
}

/// What a thief may have got without anybody being to blame for being deceived.
fn stolen<'a>(charter: &Charter, nodes: &[Node], victim: &'a Node) -> Vec<(&'a SecretKey, u64)> {
    let honest = nodes.iter().filter(|node| !node.hostile);
    let known = honest.filter_map(|node| victim.known_keys(charter, &node.machines.first()?.disk));
    let Some(least) = known.min_by_key(|keys| keys.rotations().len()) else {
        return Vec::new();
    };
    let old = victim.keys.iter().zip(least.rotations());
    old.map(|(key, rotation)| (key.as_ref(), rotation.from)).collect()
}

/// Signs, in the liar's own log, an entry that is no statement.
pub(super) fn garbage(
    charter: &Charter,
    liar: &Node,
    disk: &MemoryStore,
    now: Timestamp,
) -> Option<(MemoryStore, Vec<u8>)> {
    let name = liar.did.as_str();
    let state = LogState::read(name, disk).ok()?;
    let from = state.frontier.size();
    let entry = br#"{"at":"2027-01-15T08:00:00Z","kind":"agentRetired","more":1}"#.to_vec();
    let (frontier, writes) = log::append(name, &state.frontier, std::slice::from_ref(&entry)).ok()?;
    let origin = head::origin(charter.id(), name);
    let signer = liar.signer(charter, disk, frontier.size())?;
    let head = Head::sign(&origin, frontier.size(), &frontier.root(), signer, now).ok()?;
    let news = News {
        note: head.note().to_owned(),
        from,
        entries: vec![entry],
    };
    let mut disk = disk.clone();
    disk.write(&writes);
    let state = LogState {
        frontier,
        head: Some(head),
    };
    disk.write(&[Write::put(store::log_state(name), state.encode())]);
    Some((disk, Broadcast::News(news).encode()))
}

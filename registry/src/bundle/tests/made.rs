//! Three hospitals: the first issues, the second judges and authorizes the first, the third is a witness.

use std::cell::RefCell;
use std::collections::BTreeSet;

use syndic_vc::action::ActionDraft;
use syndic_vc::capability::Capability;
use syndic_vc::credential::{CapabilityCredentialDraft, Owner};
use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::json::Value;
use syndic_vc::key::SecretKey;
use syndic_vc::status::{StatusEntry, StatusPurpose};
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{OneTime, OneTimeKind, SpendError};
use syndic_vc::verify::Policy;

use crate::bundle::{self, Bundle, BundleError, Question, Verifier};
use crate::charter::{CharterChain, SignedCharter};
use crate::cosignature::Cosignature;
use crate::example::{at, charter, did, founding, key};
use crate::fold;
use crate::fork::{Branch, Fork, Record};
use crate::head::{self, Head};
use crate::log::{self, LogState};
use crate::log_keys::Rotation;
use crate::proof;
use crate::statement::{AgentRegistered, Content, Grant, Right, Statement, StatusChanged, StatusListCreated};
use crate::store::{self, MemoryStore, Write};

const LIST: &str = "https://hospital-1.example/status/1";
const AGENT: u8 = 200;

pub(super) struct World {
    pub(super) store: MemoryStore,
    /// Seeds of the newest log keys.
    log_keys: [u8; 4],
}

pub(super) fn chain() -> CharterChain {
    CharterChain::new(charter().clone()).unwrap()
}

/// With a second version, written at this second.
pub(super) fn chain_of_two(seconds: i64) -> CharterChain {
    let mut chain = chain();
    let mut next = founding(3);
    next.created = at(seconds);
    next.name = "Hospitals of the whole coast".to_owned();
    let mut signed = SignedCharter::propose(chain.current(), &next).unwrap();
    for n in [1, 2] {
        signed.sign(&did(n), &key(10 * n + 1)).unwrap();
    }
    chain.take(&signed).unwrap();
    chain
}

pub(super) fn verifier() -> Verifier {
    Verifier {
        organization: did(2),
        policy: Policy {
            authority: did(2).as_str().to_owned(),
            max_staleness_seconds: 300,
            witnesses: 1,
            clock_skew_seconds: 30,
        },
    }
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            store: MemoryStore::default(),
            log_keys: [0, 12, 22, 32],
        };
        world.say(
            1,
            &[
                Content::StatusListCreated(StatusListCreated {
                    list: LIST.to_owned(),
                    purpose: StatusPurpose::Revocation,
                    length: 131_072,
                }),
                Content::AgentRegistered(AgentRegistered {
                    agent: agent(),
                    name: "Triage".to_owned(),
                    owner: "https://hospital-1.example/ana".to_owned(),
                }),
            ],
        );
        let right = Right {
            subject: did(1).as_str().to_owned(),
            action: "read".to_owned(),
            resource: "lab/*".to_owned(),
        };
        world.say(
            2,
            &[Content::Authorize(Grant {
                right,
                valid_from: None,
                valid_until: None,
            })],
        );
        world.sign_all();
        world
    }

    fn say(&mut self, n: u8, contents: &[Content]) {
        let organization = did(n);
        let name = organization.as_str();
        let statements: Vec<Statement> = contents
            .iter()
            .map(|content| Statement {
                at: at(10),
                content: content.clone(),
            })
            .collect();
        let entries: Vec<Vec<u8>> = statements.iter().map(|one| one.to_bytes().unwrap()).collect();
        let mut state = LogState::read(name, &self.store).unwrap();
        let facts = fold::fold(name, state.frontier.size(), &statements, &self.store).unwrap();
        let (frontier, rows) = log::append(name, &state.frontier, &entries).unwrap();
        state.frontier = frontier;
        self.store.write(&rows);
        self.store.write(&facts);
        self.store.write(&[Write::put(store::log_state(name), state.encode())]);
    }

    /// Signs what all have said, and lets the others cosign it.
    pub(super) fn sign_all(&mut self) {
        for n in 1..=3 {
            self.sign(n);
        }
    }

    fn sign(&mut self, n: u8) {
        let organization = did(n);
        let name = organization.as_str();
        let mut state = LogState::read(name, &self.store).unwrap();
        let (size, root) = (state.frontier.size(), state.frontier.root());
        if size == 0 {
            return;
        }
        let origin = head::origin(charter().id(), name);
        let signer = key(self.log_keys[usize::from(n)]);
        state.head = Some(Head::sign(&origin, size, &root, &signer, at(90)).unwrap());
        self.store.write(&[Write::put(store::log_state(name), state.encode())]);
        for other in (1..=3).filter(|other| *other != n) {
            let signer = key(self.log_keys[usize::from(other)]);
            let line = Cosignature::sign(charter().id(), name, (size, &root), &did(other), &signer, at(95)).unwrap();
            let key = store::cosignature(name, did(other).as_str());
            self.store.write(&[Write::put(key, line.encode())]);
        }
    }

    pub(super) fn revoke(&mut self, index: u64) {
        self.say(1, &[revocation(index)]);
        self.sign_all();
    }

    /// Statements that say nothing, so many bytes of them.
    pub(super) fn pad(&mut self, bytes: usize) {
        let one = "x".repeat(450);
        let many: Vec<Content> = (0..256)
            .map(|n| {
                Content::Authorize(Grant {
                    right: Right {
                        subject: format!("https://{n}.example/{one}"),
                        action: "read".to_owned(),
                        resource: "lab".to_owned(),
                    },
                    valid_from: None,
                    valid_until: None,
                })
            })
            .collect();
        for _ in 0..=bytes / 450 / 256 {
            self.say(1, &many);
        }
        self.sign_all();
    }

    pub(super) fn rotate(&mut self, n: u8) {
        let name = did(n);
        let size = LogState::read(name.as_str(), &self.store).unwrap().frontier.size();
        let card = charter().member(name.as_str()).unwrap();
        let keys = store::log_keys(charter().id(), card, &self.store).unwrap();
        let next = 100 + 10 * n;
        let rotation = Rotation::sign(
            &keys,
            key(next).public_key(),
            size + 1,
            key(next + 1).public_key(),
            &key(10 * n + 1),
        )
        .unwrap();
        let row = Write::put(store::log_key(name.as_str(), size + 1), rotation.encode());
        self.store.write(&[row]);
        self.say(n, &[Content::LogKeyRotated(Box::new(rotation))]);
        self.log_keys[usize::from(n)] = next;
    }

    /// The first hospital told another story, in which this index is revoked.
    pub(super) fn fork(&mut self, index: u64) {
        let mut other = Self {
            store: self.store.clone(),
            log_keys: self.log_keys,
        };
        self.say(1, &[revocation(1)]);
        self.sign_all();
        other.say(1, &[revocation(index)]);
        other.sign_all();
        let organization = did(1);
        let name = organization.as_str();
        let branch = |world: &Self| {
            let state = LogState::read(name, &world.store).unwrap();
            Branch {
                note: state.head.unwrap().note().to_owned(),
                root: state.frontier.root(),
                proof: Vec::new(),
            }
        };
        let size = LogState::read(name, &self.store).unwrap().frontier.size();
        let fork = Fork {
            at: size,
            one: branch(self),
            other: branch(&other),
            common: None,
            rotations: Vec::new(),
        };
        let index = size - 1;
        let record = Record {
            index,
            entry: log::read_entry(name, index, &other.store).unwrap().unwrap(),
            note: branch(&other).note,
            proof: proof::inclusion(name, index, size, &other.store).unwrap().unwrap(),
        };
        let said = Statement::parse(&record.entry).unwrap();
        let facts = fold::fold(name, index, &[said], &self.store).unwrap();
        self.store.write(&facts);
        self.store.write(&[
            Write::put(store::evidence(name), fork.encode()),
            Write::put(store::salvaged(name, &record.name()), record.encode()),
        ]);
    }

    /// May a credential with this index be relied on?
    #[allow(clippy::unused_self)]
    pub(super) fn credential(&self, index: u64) -> Question {
        Question::Credential(issued(index))
    }

    /// May the agent read a result?
    #[allow(clippy::unused_self)]
    pub(super) fn action(&self, index: u64) -> Question {
        let credential = issued(index);
        let draft = ActionDraft {
            id: "urn:uuid:b0a7c1de-2f34-4e56-8a9b-1c2d3e4f5a6b".into(),
            agent: agent(),
            action: "read".parse().unwrap(),
            resource: "lab/results".parse().unwrap(),
            scope: None,
            parameters: std::iter::empty().collect(),
            purpose: None,
            audience: did(2),
            created: at(98),
            expires: at(398),
            nonce: "q83vEjRWeJCrze8SNFZ4kA".into(),
            credential: &credential,
        };
        let action = draft.sign(&method(&agent()), &key(AGENT)).unwrap();
        Question::Action(syndic_vc::object! { "action": action, "credential": credential.clone() })
    }

    pub(super) fn bundle(&self, question: Question) -> Result<Bundle, BundleError> {
        self.bundle_with(question, &Once::default())
    }

    pub(super) fn bundle_with(&self, question: Question, once: &Once) -> Result<Bundle, BundleError> {
        bundle::decide(question, verifier(), at(100), charter(), &self.store, once)
    }
}

fn agent() -> Did {
    did_key::for_key(key(AGENT).public_key())
}

fn method(did: &Did) -> String {
    format!("{did}#{}", did.method_specific_id())
}

fn revocation(index: u64) -> Content {
    Content::StatusChanged(StatusChanged {
        list: LIST.to_owned(),
        set: vec![index],
        cleared: Vec::new(),
    })
}

fn issued(index: u64) -> Value {
    let draft = CapabilityCredentialDraft {
        id: "urn:uuid:6f1c2a3e-8d4b-4c59-9a27-0b3f5d7e9c11".into(),
        issuer: did(1),
        valid_from: at(0),
        valid_until: at(86_400),
        status: vec![StatusEntry {
            purpose: StatusPurpose::Revocation,
            list: LIST.into(),
            index,
        }],
        agent: agent(),
        agent_name: "Triage".into(),
        owner: Owner {
            id: "https://hospital-1.example/ana".into(),
            name: None,
        },
        capability: vec![Capability {
            action: "read".parse().unwrap(),
            resource: "lab/*".parse().unwrap(),
            scope: None,
            constraint: Vec::new(),
        }],
        max_depth: 0,
        delegated_from: None,
    };
    let signer: SecretKey = key(10);
    draft.sign(&method(&did(1)), at(0), &signer).unwrap()
}

/// A store of single-use values.
#[derive(Default)]
pub(super) struct Once(RefCell<BTreeSet<String>>);

impl Once {
    pub(super) fn is_unused(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

impl OneTime for Once {
    fn spend(&self, _: OneTimeKind, value: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        if self.0.borrow_mut().insert(value.to_owned()) {
            Ok(())
        } else {
            Err(SpendError::Used)
        }
    }
}

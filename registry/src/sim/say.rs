//! Statements of all kinds, about a world small enough that they meet each other.

use sha2::{Digest, Sha256};
use syndic_vc::did::Did;
use syndic_vc::json::{Object, Value};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use crate::charter::{self, Endpoints};
use crate::replica::rng::Rng;
use crate::statement::{
    AgentRegistered, BundleFormat, Content, CredentialsAnchored, ForkEvidence, Grant, KeyCompromised, Profile, Right,
    Statement, StatusChanged, StatusListCreated, TrustBundle, Unknown,
};

/// Something to say. `number` makes it differ from everything said before.
pub(super) fn something(rng: &mut Rng, members: &[Did], peer: &str, number: u64, at: Timestamp) -> Statement {
    let content = match rng.below(15) {
        0 => Content::Profile(Profile {
            name: format!("Hospital {number}"),
            endpoints: Endpoints::default(),
            peer_ids: vec![peer.to_owned()],
        }),
        1 | 2 => agent(rng).map_or_else(
            || nothing(number),
            |agent| {
                Content::AgentRegistered(AgentRegistered {
                    agent,
                    name: format!("Agent {number}"),
                    owner: "did:example:owner".to_owned(),
                })
            },
        ),
        3 => agent(rng).map_or_else(|| nothing(number), |agent| Content::AgentRetired { agent }),
        4 => Content::Authorize(Grant {
            right: right(rng, members),
            valid_from: None,
            valid_until: at.checked_add_seconds(number.cast_signed() + 1),
        }),
        5 => Content::WithdrawAuthorization(right(rng, members)),
        6 => Content::Recognize(Grant {
            right: right(rng, members),
            valid_from: None,
            valid_until: None,
        }),
        7 => Content::StatusListCreated(StatusListCreated {
            list: list(rng),
            purpose: StatusPurpose::Revocation,
            length: 131_072,
        }),
        8 => Content::StatusChanged(StatusChanged {
            list: list(rng),
            set: vec![rng.below(10_000), 10_000 + number],
            cleared: Vec::new(),
        }),
        9 => agent(rng).map_or_else(|| nothing(number), |agent| Content::AgentSuspended { agent }),
        10 => agent(rng).map_or_else(|| nothing(number), |agent| Content::AgentResumed { agent }),
        11 => Content::KeyCompromised(KeyCompromised {
            key: format!("did:example:organization#key-{}", rng.below(3)),
            since: None,
        }),
        12 => {
            let mut digests: Vec<String> = (0..1 + rng.below(3)).map(|_| digest(rng.below(20))).collect();
            digests.sort();
            digests.dedup();
            Content::CredentialsAnchored(CredentialsAnchored { digests })
        }
        13 => {
            let mut bundle = Object::new();
            bundle.insert("keys", Value::from_iter([number]));
            Content::TrustBundle(TrustBundle {
                domain: format!("spiffe://hospital-{}.example", rng.below(2)),
                format: BundleFormat::Spiffe,
                bundle,
            })
        }
        14 => rng.pick(members).cloned().map_or_else(
            || nothing(number),
            |organization| {
                Content::ForkEvidence(ForkEvidence {
                    organization,
                    digest: digest(number),
                })
            },
        ),
        _ => nothing(number),
    };
    Statement { at, content }
}

fn digest(number: u64) -> String {
    charter::identifier(&Sha256::digest(number.to_be_bytes()).into())
}

fn nothing(number: u64) -> Content {
    let mut members = Object::new();
    members.insert("number", number);
    Content::Unknown(Unknown {
        kind: "weather".to_owned(),
        members,
    })
}

fn agent(rng: &mut Rng) -> Option<Did> {
    Did::parse(&format!("did:example:agent{}", rng.below(4))).ok()
}

fn right(rng: &mut Rng, members: &[Did]) -> Right {
    let subject = rng.pick(members).map_or("did:example:nobody", Did::as_str).to_owned();
    let action = format!("read{}", rng.below(2));
    Right {
        subject,
        action,
        resource: format!("records/{}", rng.below(3)),
    }
}

fn list(rng: &mut Rng) -> String {
    format!("https://hospital.example/status/{}", rng.below(2))
}

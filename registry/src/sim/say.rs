//! Statements of all kinds, about a world small enough that they meet each other.

use syndic_vc::did::Did;
use syndic_vc::json::Object;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;

use crate::charter::Endpoints;
use crate::replica::rng::Rng;
use crate::statement::{
    AgentRegistered, Content, Grant, Profile, Right, Statement, StatusChanged, StatusListCreated, Unknown,
};

/// Something to say. `number` makes it differ from everything said before.
pub(super) fn something(rng: &mut Rng, members: &[Did], peer: &str, number: u64, at: Timestamp) -> Statement {
    let content = match rng.below(10) {
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
        _ => nothing(number),
    };
    Statement { at, content }
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

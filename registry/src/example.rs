//! A consortium of three hospitals, for tests.

#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use syndic_vc::did::Did;
use syndic_vc::did_key;
use syndic_vc::key::SecretKey;
use syndic_vc::time::Timestamp;

use crate::charter::{Charter, Endpoints, Founding, MemberCard, Rules};

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32].into())
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 + seconds).unwrap()
}

/// DID of the organization number `n`.
pub(crate) fn did(n: u8) -> Did {
    did_key::for_key(key(10 * n).public_key())
}

/// Card of the organization number `n`; its root key has seed 10 n + 1, its log key 10 n + 2.
pub(crate) fn card(n: u8) -> MemberCard {
    let peer = format!("12D3KooW{}", char::from(b'a' + n).to_string().repeat(44));
    let endpoints = Endpoints {
        http: Some(format!("https://hospital-{n}.example")),
        peer: vec![format!("/dns/hospital-{n}.example/tcp/8442")],
    };
    let log = key(10 * n + 2);
    let name = format!("Hospital {n}");
    MemberCard::sign(&did(n), &name, log.public_key(), &[peer], &endpoints, &key(10 * n + 1)).unwrap()
}

pub(crate) fn founding(members: u8) -> Founding {
    Founding {
        name: "Hospitals of the coast".to_owned(),
        members: (1..=members).map(card).collect(),
        rules: Rules {
            threshold: u32::from(members / 2 + 1),
            witnesses: 1,
            max_staleness: 300,
            endorsements: 2,
        },
        created: at(0),
    }
}

/// The charter of hospitals 1, 2 and 3.
pub(crate) fn charter() -> &'static Charter {
    static CHARTER: LazyLock<Charter> = LazyLock::new(|| Charter::found(&founding(3)).unwrap());
    &CHARTER
}

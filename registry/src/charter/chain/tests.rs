#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use syndic_vc::key::{SecretKey, Signer};

use super::*;
use crate::charter::{Endpoints, MemberCard, Rules};
use crate::example::{at, card, charter, did, founding, key};

mod random;

fn chain() -> CharterChain {
    CharterChain::new(charter().clone()).unwrap()
}

fn root(n: u8) -> SecretKey {
    key(10 * n + 1)
}

/// The next version: these members, so many signatures.
fn next(chain: &CharterChain, members: Vec<MemberCard>, threshold: u32) -> SignedCharter {
    let rules = Rules {
        threshold,
        endorsements: 1,
        witnesses: 0,
        ..*chain.current().rules()
    };
    let founding = Founding {
        members,
        rules,
        created: at(i64::from(chain.current().version())),
        ..founding(1)
    };
    chain.propose(&founding).unwrap()
}

fn signed(mut version: SignedCharter, by: &[u8]) -> SignedCharter {
    for n in by {
        version.sign(&did(*n), &root(*n)).unwrap();
    }
    version
}

fn cards(members: &[u8]) -> Vec<MemberCard> {
    members.iter().map(|n| card(*n)).collect()
}

/// Hospital `n` with another root key (seed 200 + n) and log key (seed 220 + n).
fn renewed(n: u8, root: bool, log: bool) -> MemberCard {
    let old = card(n);
    let log = key(if log { 220 + n } else { 10 * n + 2 });
    let root = key(if root { 200 + n } else { 10 * n + 1 });
    let keys = (log.public_key().clone(), old.peer_ids().to_vec());
    MemberCard::sign(old.did(), old.name(), &keys.0, &keys.1, &Endpoints::default(), &root).unwrap()
}

#[test]
fn a_member_is_admitted_by_a_threshold_and_itself() {
    let mut chain = chain();
    let version = next(&chain, cards(&[1, 2, 3, 4]), 3);
    for (by, error) in [
        (&[1, 2][..], ChainError::Silent(did(4))),
        (&[1, 4], too_few(1)),
        (&[], too_few(0)),
    ] {
        assert_eq!(chain.take(&signed(version.clone(), by)), Err(error), "{by:?}");
    }
    assert_eq!(chain, super::tests::chain());
    assert_eq!(chain.take(&signed(version.clone(), &[1, 3, 4])), Ok(Taken::New));
    assert_eq!(chain.take(&signed(version, &[2, 3, 4])), Ok(Taken::Known));
    let now = chain.current();
    assert_eq!((now.version(), now.id()), (2, charter().id()));
    assert_ne!(now.hash(), now.id());
    assert_eq!(now.member(did(4).as_str()), Some(&card(4)));
    assert_eq!(now.removed().count(), 0);
}

fn too_few(found: usize) -> ChainError {
    ChainError::TooFew {
        version: 2,
        found,
        needed: 2,
    }
}

#[test]
fn a_removed_member_is_remembered_and_may_come_back() {
    let mut chain = chain();
    let version = next(&chain, cards(&[1, 2]), 2);
    assert_eq!(chain.take(&signed(version, &[1, 2])), Ok(Taken::New));
    assert_eq!(chain.current().removed_by(did(3).as_str()), Some(2));
    assert_eq!(
        chain.current().former_log_keys(did(3).as_str()),
        [key(32).public_key().clone()]
    );
    // Without a word of its own nobody brings it back, and its old vote counts no longer.
    let version = next(&chain, cards(&[1, 2, 3]), 2);
    assert_eq!(
        chain.take(&signed(version.clone(), &[1, 2])),
        Err(ChainError::Silent(did(3)))
    );
    let few = ChainError::TooFew {
        version: 3,
        found: 1,
        needed: 2,
    };
    assert_eq!(chain.take(&signed(version.clone(), &[1, 3])), Err(few));
    assert_eq!(chain.take(&signed(version, &[1, 2, 3])), Ok(Taken::New));
    assert_eq!(chain.current().removed_by(did(3).as_str()), None);
}

#[test]
fn a_root_key_is_replaced_with_the_word_of_the_new_one() {
    let mut chain = chain();
    let version = next(&chain, vec![card(1), card(2), renewed(3, true, true)], 2);
    let with_new = |by: &[u8]| {
        let mut version = signed(version.clone(), by);
        version.sign(&did(3), &key(203)).unwrap();
        version
    };
    assert_eq!(
        chain.take(&signed(version.clone(), &[1, 2])),
        Err(ChainError::Silent(did(3)))
    );
    // The new key has no vote in the version that brings it.
    assert_eq!(chain.take(&with_new(&[1])), Err(too_few(1)));
    assert!(matches!(chain.clone().take(&with_new(&[1, 2])), Ok(Taken::New)));
    assert_eq!(chain.take(&with_new(&[1, 3])), Ok(Taken::New));
    // From then on the old one has none.
    let version = next(&chain, cards(&[1, 2]), 2);
    assert_eq!(
        chain.take(&signed(version.clone(), &[1, 3])),
        Err(ChainError::Signature(did(3)))
    );
    let mut by_new = signed(version, &[1]);
    by_new.sign(&did(3), &key(203)).unwrap();
    assert_eq!(chain.take(&by_new), Ok(Taken::New));
}

#[test]
fn a_log_key_is_replaced_without_more_and_the_old_one_remembered() {
    let mut chain = chain();
    let version = next(&chain, vec![card(1), card(2), renewed(3, false, true)], 2);
    assert_eq!(chain.take(&signed(version, &[1, 2])), Ok(Taken::New));
    let now = chain.current();
    assert_eq!(now.member(did(3).as_str()).unwrap().log_key(), key(223).public_key());
    assert_eq!(now.former_log_keys(did(3).as_str()), [key(32).public_key().clone()]);
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut chain = chain();
    let version = signed(next(&chain, cards(&[1, 2]), 2), &[1, 2]);
    let other_domain = {
        let mut bad = version.clone();
        let signature = root(2).sign(&canonical::to_bytes(version.charter())).unwrap();
        let own = bad.signatures.iter_mut().find(|own| own.signer == did(2)).unwrap();
        own.signature = signature;
        bad
    };
    assert_eq!(chain.take(&other_domain), Err(ChainError::Signature(did(2))));
    let mut twice = version.clone();
    let first = twice.signatures[0].clone();
    twice.signatures.insert(0, first);
    assert_eq!(chain.take(&twice), Err(ChainError::Spelling));
    let mut turned = version.clone();
    turned.signatures.reverse();
    assert_eq!(chain.take(&turned), Err(ChainError::Spelling));
    let stranger = signed(version.clone(), &[7]);
    assert_eq!(chain.take(&stranger), Err(ChainError::Stranger(did(7))));
    let early = Founding {
        members: cards(&[1, 2]),
        created: at(-1),
        rules: Rules {
            endorsements: 1,
            ..*charter().rules()
        },
        ..founding(1)
    };
    assert_eq!(chain.propose(&early), Err(ChainError::Created(2)));
    let early = signed(SignedCharter::propose(charter(), &early).unwrap(), &[1, 2]);
    assert_eq!(chain.take(&early), Err(ChainError::Created(2)));
    assert_eq!(chain, super::tests::chain());
    assert_eq!(chain.take(&version), Ok(Taken::New));
}

#[test]
fn nothing_is_skipped() {
    let (mut all, start) = (chain(), chain());
    let mut versions = Vec::new();
    for members in [&[1, 2][..], &[1, 2, 3], &[2, 3]] {
        let version = signed(next(&all, cards(members), 2), &[1, 2, 3]);
        // Who was removed has no vote.
        let by: &[u8] = if all.current().members().len() == 2 {
            &[1, 2, 3]
        } else {
            &[1, 2]
        };
        let version = if members.len() == 3 {
            version
        } else {
            signed(next(&all, cards(members), 2), by)
        };
        assert_eq!(all.take(&version), Ok(Taken::New));
        versions.push(version);
    }
    let mut late = start.clone();
    assert_eq!(late.take(&versions[2]), Ok(Taken::Unconnected));
    assert_eq!(late.take(&versions[1]), Ok(Taken::Unconnected));
    assert_eq!(late, start);
    for version in &versions {
        assert_eq!(late.take(version), Ok(Taken::New));
    }
    assert_eq!(late, all);
    assert_eq!(late.at(3).unwrap().members().len(), 3);
    assert_eq!(CharterChain::parse(&all.to_file()).unwrap(), all);
    assert_eq!(late.signed(4).unwrap(), versions[2].to_bytes());
}

#[test]
fn two_versions_of_one_number_end_the_chain_before_both() {
    let mut chain = chain();
    let one = signed(next(&chain, cards(&[1, 2]), 2), &[1, 2]);
    let other = signed(next(&chain, cards(&[1, 3]), 2), &[2, 3]);
    chain.take(&one).unwrap();
    let after = signed(next(&chain, cards(&[2, 1]), 2), &[1, 2]);
    chain.take(&after).unwrap();
    // An invalid one is no reason.
    let false_one = signed(next(&super::tests::chain(), cards(&[1, 3]), 2), &[3]);
    assert!(chain.take(&false_one).is_err());
    assert_eq!(chain.current().version(), 3);
    assert_eq!(chain.take(&other), Ok(Taken::Conflict));
    assert_eq!(chain.current(), charter());
    let conflict = chain.conflict().unwrap();
    assert_eq!(conflict.signed_twice(), [did(2)]);
    for version in [&one, &other, &after] {
        assert_eq!(chain.take(version), Ok(Taken::Known));
    }
    let mut turned = super::tests::chain();
    turned.take(&other).unwrap();
    assert_eq!(turned.take(&one), Ok(Taken::Conflict));
    assert_eq!(turned, chain);
    assert_eq!(CharterChain::parse(&chain.to_file()).unwrap(), chain);
}

#[test]
fn a_file_is_a_chain_or_a_first_version() {
    assert_eq!(CharterChain::parse(charter().bytes()).unwrap(), chain());
    assert_eq!(CharterChain::parse(&chain().to_file()).unwrap(), chain());
    let mut two = chain();
    two.take(&signed(next(&two, cards(&[1, 2]), 2), &[1, 2])).unwrap();
    let text = String::from_utf8(two.to_file()).unwrap();
    for (bad, why) in [
        (text.replace("]}", "],\"more\":1}"), "more"),
        (
            "{\"type\":\"SyndicCharterChain\",\"versions\":[]}".to_owned(),
            "/versions",
        ),
        (text.replacen("\"version\":1", "\"version\":2", 1), "version 2"),
    ] {
        let told = CharterChain::parse(bad.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn signatures_of_copies_are_brought_together() {
    let mut chain = chain();
    let version = next(&chain, cards(&[1, 2]), 2);
    let mut one = signed(version.clone(), &[1]);
    assert!(one.merge(&signed(version.clone(), &[2])));
    assert_eq!(one, signed(version, &[2, 1, 2]));
    assert!(!one.merge(&next(&chain, cards(&[2, 3]), 2)));
    let read = SignedCharter::parse(&one.to_bytes()).unwrap();
    assert_eq!(read, one);
    assert_eq!(chain.take(&read), Ok(Taken::New));
}

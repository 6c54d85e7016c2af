//! Random sets of versions, heard in random order, against a model that is only a definition.

use proptest::prelude::*;

use super::*;

/// What a chain is, by definition: of all versions that are known, those that follow one another; up to where there is
/// none, or more than one. Validity is counted anew: distinct members whose root key verifies.
fn model(versions: &[SignedCharter]) -> (Vec<String>, bool) {
    let mut current = charter().clone();
    let mut hashes = Vec::new();
    loop {
        let valid: BTreeMap<&str, Charter> = versions
            .iter()
            .filter_map(|version| Some((version.hash(), successor(&current, version)?)))
            .collect();
        if valid.len() != 1 {
            return (hashes, valid.len() > 1);
        }
        let Some((hash, next)) = valid.into_iter().next() else {
            return (hashes, false);
        };
        hashes.push(hash.to_owned());
        current = next;
    }
}

fn successor(before: &Charter, version: &SignedCharter) -> Option<Charter> {
    let next = Charter::following(version.charter(), before).ok()?;
    let said = version.signed_bytes();
    let signed = |card: &MemberCard| {
        version
            .signatures
            .iter()
            .any(|s| s.signer == *card.did() && card.root_key().verify(&said, &s.signature).is_ok())
    };
    let votes = before.members().iter().filter(|card| signed(card)).count();
    let is_new =
        |card: &&MemberCard| before.member(card.did().as_str()).map(MemberCard::root_key) != Some(card.root_key());
    let consent = next.members().iter().filter(is_new).all(signed);
    (votes >= before.rules().threshold as usize && consent).then_some(next)
}

fn picked(bits: u8) -> Vec<u8> {
    (0..5).filter(|bit| bits & (1 << bit) != 0).map(|bit| bit + 1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_chain_follows_from_what_is_known_and_not_from_the_order(
        steps in proptest::collection::vec((0..6_usize, 1_u8..32, 0_u8..32), 1..8),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 40),
    ) {
        let mut versions: Vec<SignedCharter> = Vec::new();
        let mut bases = vec![charter().clone()];
        for (base, members, signers) in steps {
            let before = bases[base % bases.len()].clone();
            let members = picked(members);
            let founding = Founding {
                rules: Rules {
                    threshold: u32::try_from(members.len() / 2 + 1).unwrap(),
                    witnesses: 0,
                    endorsements: 1,
                    ..*charter().rules()
                },
                members: cards(&members),
                created: at(10),
                ..founding(1)
            };
            // Signatures of strangers refuse a version for that alone, which is tested elsewhere.
            let mut by = picked(signers);
            by.retain(|n| before.member(did(*n).as_str()).is_some() || members.contains(n));
            let version = signed(SignedCharter::propose(&before, &founding).unwrap(), &by);
            if let Some(next) = successor(&before, &version) {
                bases.push(next);
            }
            versions.push(version);
        }
        let (hashes, conflict) = model(&versions);
        let mut heard = chain();
        // In random order first, and then often enough.
        let mut picks: Vec<usize> = order.iter().map(|at| at.index(versions.len())).collect();
        picks.extend((0..versions.len()).flat_map(|_| 0..versions.len()));
        for at in picks {
            let _judged = heard.take(&versions[at]);
        }
        prop_assert_eq!(heard.current().version() as usize, hashes.len() + 1);
        prop_assert_eq!(heard.conflict().is_some(), conflict);
        for (at, hash) in (2..).zip(&hashes) {
            let held = SignedCharter::parse(heard.signed(at).unwrap()).unwrap();
            prop_assert_eq!(held.hash(), hash);
        }
        prop_assert_eq!(CharterChain::parse(&heard.to_file()).unwrap(), heard);
    }
}

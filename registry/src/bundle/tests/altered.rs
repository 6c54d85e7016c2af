//! Every byte of a bundle, altered: by accident, and by a forger who makes the digest fit again.

use syndic_vc::json;

use super::*;

#[test]
fn no_altered_byte_goes_unnoticed() {
    let world = World::new();
    let good = world.bundle(world.action(7)).unwrap().to_bytes();
    let chain = chain();
    let holds = |bytes: &[u8]| {
        Bundle::parse(bytes)
            .and_then(|bundle| bundle.verify(&chain, at(100)))
            .is_ok()
    };
    assert!(holds(&good));
    for place in 0..good.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut altered = good.clone();
            altered[place] ^= flip;
            assert!(!holds(&altered), "byte {place} ^ {flip:#x}");
        }
        let mut shorter = good.clone();
        shorter.remove(place);
        assert!(!holds(&shorter), "without byte {place}");
        let mut longer = good.clone();
        longer.insert(place, good[place]);
        assert!(!holds(&longer), "byte {place} twice");
        assert!(!holds(&good[..place]), "cut at {place}");
    }
}

/// The bundle with a digest that fits; `None` if it is no JSON object any more.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut value = json::parse_with(
        bytes,
        &json::Limits {
            nodes: limits::BUNDLE_VALUES,
            ..json::Limits::default()
        },
    )
    .ok()?;
    let object = value.as_object_mut()?;
    object.remove("digest");
    let digest = document::digest(object);
    object.insert("digest", digest);
    Some(canonical::to_bytes(&value))
}

/// What a forger changes either fails or is the verifier's own word: when it judged, and how strictly.
#[test]
fn a_forger_changes_nothing_but_the_word_of_the_verifier() {
    let mut world = World::new();
    world.rotate(3);
    world.sign_all();
    for question in [world.action(7), world.credential(7)] {
        let good = world.bundle(question).unwrap();
        let bytes = good.to_bytes();
        assert_eq!(repaired(&bytes).as_ref(), Some(&bytes));
        let (chain, mut tried) = (chain(), 0);
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 0x01;
            let Some(altered) = repaired(&altered).filter(|altered| *altered != bytes) else {
                continue;
            };
            tried += 1;
            let Ok(read) = Bundle::parse(&altered) else { continue };
            if let Ok(shown) = read.verify(&chain, at(100)) {
                assert_eq!(shown.outcome, good.outcome);
                let own = Bundle {
                    time: good.time,
                    verifier: good.verifier.clone(),
                    ..read
                };
                assert_eq!(own, good, "byte {place}");
            }
        }
        assert!(tried > 1_000, "{tried}");
    }
}

/// Each part of a bundle changed as a liar would, with the digest made to fit.
#[test]
fn whole_parts_cannot_be_changed_either() {
    let mut world = World::new();
    world.revoke(7);
    let good = world.bundle(world.credential(7)).unwrap();
    let allowed = world.bundle(world.credential(8)).unwrap();
    let log_of = |bundle: &mut Bundle, n: u8| -> usize {
        bundle.logs.iter().position(|log| log.organization == did(n)).unwrap()
    };
    let mut liars: Vec<(&str, Bundle)> = Vec::new();
    let mut lie = |name, from: &Bundle, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = from.clone();
        change(&mut bundle);
        assert_ne!(&bundle, from, "{name}");
        liars.push((name, bundle));
    };
    lie("a no said to be a yes", &good, &|bundle| {
        bundle.decision = allowed.decision.clone();
        bundle.outcome = Outcome::Allow;
    });
    lie("the revocation cut off", &good, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs[at].entries.pop();
        bundle.decision = allowed.decision.clone();
        bundle.outcome = Outcome::Allow;
    });
    lie("no head", &good, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs[at].checkpoint = None;
    });
    lie("no entries and no head", &good, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs[at].entries.clear();
        bundle.logs[at].checkpoint = None;
    });
    lie("a log left out", &good, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs.remove(at);
    });
    lie("a log left out that authorizes", &allowed, &|bundle| {
        let at = log_of(bundle, 2);
        bundle.logs.remove(at);
    });
    lie("a cosignature left out", &allowed, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs[at].cosignatures.clear();
    });
    lie("a cosignature twice", &allowed, &|bundle| {
        let at = log_of(bundle, 1);
        let one = bundle.logs[at].cosignatures[0].clone();
        bundle.logs[at].cosignatures.push(one);
    });
    lie("two logs exchanged", &allowed, &|bundle| {
        let (one, other) = (log_of(bundle, 1), log_of(bundle, 2));
        let entries = bundle.logs[one].entries.clone();
        bundle.logs[one].entries = std::mem::replace(&mut bundle.logs[other].entries, entries);
    });
    lie("another credential", &allowed, &|bundle| {
        bundle.question = good.question.clone()
    });
    lie("a fork that is none", &allowed, &|bundle| {
        let at = log_of(bundle, 1);
        bundle.logs[at].fork = Some(vec![0; 40]);
    });
    lie("a log that nobody asked for", &allowed, &|bundle| {
        let mut spare = bundle.logs[0].clone();
        spare.organization = did(3);
        spare.checkpoint = None;
        spare.entries.clear();
        spare.cosignatures.clear();
        bundle.logs.retain(|log| log.organization != did(3));
        bundle.logs.push(spare);
        bundle.logs.sort_by(|a, b| a.organization.cmp(&b.organization));
        // Where it is asked for after all, it is another one that is missing.
        bundle.logs.retain(|log| log.organization != did(1));
    });
    for (name, bundle) in liars {
        let read = Bundle::parse(&bundle.to_bytes());
        let held = read.and_then(|bundle| bundle.verify(&chain(), at(100)));
        assert!(held.is_err(), "{name}");
    }
    for honest in [&good, &allowed] {
        verified(honest, 100).unwrap();
    }
}

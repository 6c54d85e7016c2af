//! Credentials in batches: each gets the verdict, the reasons and the findings it gets by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use proptest::prelude::*;
use syndic_vc::decision::Decision;
use syndic_vc::denial::Denied;
use syndic_vc::json::Value;
use syndic_vc::verify::{self, VerifiedCredential};

use world::*;

/// Credentials of one issuer, each with its own id.
fn many(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|n| {
            let mut draft = draft();
            draft.id = format!("urn:uuid:6f1c2a3e-8d4b-4c59-9a27-{n:012x}");
            text(&sign(&draft))
        })
        .collect()
}

/// Everything that a verdict says.
fn told(outcome: &Result<VerifiedCredential, Denied>) -> (Value, Option<Value>) {
    let document = outcome.as_ref().ok().map(|verified| verified.document().clone());
    (Decision::of(outcome).to_object().into(), document)
}

fn compare(texts: &[Vec<u8>], known: &Known, randomness: [u8; 32]) -> usize {
    let borrowed: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let together = verify::credentials(&borrowed, &policy(), known, now(), &randomness);
    assert_eq!(together.len(), texts.len());
    for (text, outcome) in texts.iter().zip(&together) {
        let alone = verify::credential(text, &policy(), known, now());
        assert_eq!(told(outcome), told(&alone));
    }
    together.iter().filter(|outcome| outcome.is_ok()).count()
}

#[test]
fn good_ones_are_all_accepted() {
    for count in [0, 1, 31, 32, 33, 100] {
        assert_eq!(compare(&many(count), &Known::new(), [1; 32]), count);
    }
}

/// Wrong in every way that a credential can be: the signature, what is signed, the format, the status.
#[test]
fn each_wrong_one_is_refused_for_its_own_reason() {
    let mut texts = many(40);
    let mut known = Known::new();
    known.set.insert((LIST.to_owned(), INDEX + 1));
    let mut revoked = draft();
    revoked.status[0].index += 1;
    texts[3] = text(&sign(&revoked));
    texts[5] = b"not JSON".to_vec();
    texts[7] = vec![b' '; 1 << 17];
    let change = |text: &[u8], from: &str, to: &str| {
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    };
    texts[9] = change(&texts[9], "customer_records", "customer_recordz");
    texts[11] = change(
        &texts[11],
        "\"proofPurpose\":\"assertionMethod\"",
        "\"proofPurpose\":\"authentication\"",
    );
    let proof_value = String::from_utf8(texts[13].clone()).unwrap();
    let at = proof_value.find("\"proofValue\":\"z").unwrap() + 20;
    texts[13][at] = if texts[13][at] == b'a' { b'b' } else { b'a' };
    texts[15] = text(&envelope(credential(), credential()));
    // Revoked and with a wrong signature: the signature comes first.
    texts[17] = change(&texts[3], "customer_records", "customer_recordz");
    assert_eq!(compare(&texts, &known, [2; 32]), 40 - 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_says_of_each_what_it_would_say_alone(
        count in 24_usize..80,
        randomness in any::<[u8; 32]>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u8..255), 0..8),
    ) {
        let mut texts = many(count);
        for (which, at, change) in edits {
            let text = &mut texts[which.index(count)];
            let at = at.index(text.len());
            text[at] ^= change;
        }
        compare(&texts, &Known::new(), randomness);
    }
}

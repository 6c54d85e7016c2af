//! Batches of credentials of one issuer, from their texts to their verdicts.

use std::hint::black_box;

use syndic_vc::credential::CapabilityCredentialDraft;
use syndic_vc::verify;

use crate::measure::paired;
use crate::setup::{Cached, bare, many, small_draft};
use crate::world::{draft, now, policy};

pub(crate) fn report() {
    println!("\nBatches of a credential with one capability, one issuer, cached key (aim: 1.5 at 64, 2.0 at 1,024):");
    rows(&small_draft());
    println!("\nThe same of the article's credential:");
    rows(&draft());
}

fn rows(draft: &CapabilityCredentialDraft) {
    let (known, policy, now) = (Cached::new(), policy(), now());
    for count in [16_u32, 64, 256, 1_024] {
        let texts = many(count, draft);
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let mut randomness = [0; 32];
        let mut run = || {
            randomness[0] ^= 1;
            let outcomes = verify::credentials(black_box(&texts), &policy, &known, now, &randomness);
            assert!(black_box(outcomes).iter().all(Result::is_ok));
        };
        let (seconds, ratio) = paired(&mut bare(), &mut run, 1);
        let (each, ratio) = (seconds / f64::from(count), ratio * f64::from(count));
        println!(
            "  {count:>5} credentials {:>9.2} us each {:>8.0} per CPU second   / bare verify_strict = {ratio:.2}",
            each * 1e6,
            1.0 / each
        );
    }
}

//! One operation, so many times, and nothing else: to be counted by `valgrind`.
//!
//! ```text
//! vc/benches/counted        # builds this, counts, prints instructions of one operation
//! ```
//!
//! Instruction counts do not wander with what else the machine does, so two versions can be told
//! apart by them when times cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, missing_docs)]

mod setup;
#[path = "../tests/world/mod.rs"]
mod world;

use std::hint::black_box;

use syndic_vc::canonical;
use syndic_vc::credential::{CapabilityCredentialDraft, Credential};
use syndic_vc::did_key;
use syndic_vc::json::{self, members::Path};
use syndic_vc::verify;

use setup::{Cached, Resolving, bare, many, small, small_draft};
use world::{credential, draft, north, now, policy, text};

/// The allocator of the program, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let name = arguments.next().unwrap_or_default();
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let (cached, resolving) = (Cached::new(), Resolving(Cached::new()));
    let (policy, now) = (policy(), now());
    let article = text(&credential());
    let small = text(&small());
    let value = json::parse(&article).unwrap();
    let mut run: Box<dyn FnMut()> = match name.as_str() {
        "bare" => bare(),
        "bare-and-same-verdict" => {
            let signer = north();
            let message = [7; 64];
            let signature = signer.signer().sign(&message).unwrap();
            Box::new(move || {
                let key = signer.key.public_key();
                key.verify(black_box(&message), black_box(&signature)).unwrap();
            })
        }
        "batch-64" => batch(64, &draft()),
        "batch-1024" => batch(1_024, &draft()),
        "batch-small-64" => batch(64, &small_draft()),
        "batch-small-1024" => batch(1_024, &small_draft()),
        "parse" => Box::new(|| drop(black_box(json::parse(black_box(&article)).unwrap()))),
        "canonicalize" => Box::new(|| drop(black_box(canonical::to_bytes(black_box(&value))))),
        "digest" => Box::new(|| {
            black_box(canonical::digest(black_box(&value)));
        }),
        "read" => Box::new(|| {
            let object = black_box(&value).as_object().unwrap();
            drop(black_box(Credential::read(object, &Path::ROOT).unwrap()));
        }),
        "resolve" => {
            let did = north().did;
            Box::new(move || drop(black_box(did_key::resolve(black_box(&did)).unwrap())))
        }
        "verify" => {
            Box::new(|| drop(verify::credential(black_box(&article), &policy, &cached, now).expect("a good one")))
        }
        "verify-uncached" => {
            Box::new(|| drop(verify::credential(black_box(&article), &policy, &resolving, now).expect("a good one")))
        }
        "verify-small" => {
            Box::new(|| drop(verify::credential(black_box(&small), &policy, &cached, now).expect("a good one")))
        }
        "verify-small-uncached" => {
            Box::new(|| drop(verify::credential(black_box(&small), &policy, &resolving, now).expect("a good one")))
        }
        _ => {
            println!("skipped: counts only what it is asked for; run vc/benches/counted");
            return;
        }
    };
    for _ in 0..times {
        run();
    }
}

/// A batch of credentials of one issuer.
fn batch(count: u32, draft: &CapabilityCredentialDraft) -> Box<dyn FnMut()> {
    let texts = many(count, draft);
    let (known, policy, now) = (Cached::new(), policy(), now());
    Box::new(move || {
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let outcomes = verify::credentials(&texts, &policy, &known, now, &[1; 32]);
        assert!(outcomes.iter().all(Result::is_ok));
    })
}

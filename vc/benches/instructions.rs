//! One operation, so many times, and nothing else: to be counted by `valgrind`.
//!
//! ```text
//! vc/benches/instructions        # builds this, counts, prints instructions of one operation
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
use syndic_vc::credential::Credential;
use syndic_vc::did_key;
use syndic_vc::json::{self, members::Path};
use syndic_vc::verify;

use setup::{Cached, Resolving, bare, small};
use world::{credential, north, now, policy, text};

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let name = arguments.next().unwrap_or_default();
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let (cached, resolving) = (Cached::new(), Resolving(Cached::new()));
    let (policy, now) = (policy(), now());
    let article = text(&credential());
    let small = text(&small());
    let value = json::parse(&article).unwrap();
    let mut bare = bare();
    let mut run: Box<dyn FnMut()> = match name.as_str() {
        "bare" => Box::new(move || bare()),
        "parse" => Box::new(|| drop(black_box(json::parse(black_box(&article)).unwrap()))),
        "canonicalize" => Box::new(|| drop(black_box(canonical::to_bytes(black_box(&value))))),
        "digest" => Box::new(|| {
            black_box(canonical::digest(black_box(&value)));
        }),
        "read" => Box::new(|| {
            let object = black_box(&value).as_object().unwrap();
            drop(black_box(Credential::read(object, &Path::ROOT).unwrap()));
        }),
        "resolve" => Box::new(|| drop(black_box(did_key::resolve(black_box(&north().did)).unwrap()))),
        "verify" => {
            Box::new(|| drop(verify::credential(black_box(&article), &policy, &cached, now).expect("a good one")))
        }
        "verify-uncached" => {
            Box::new(|| drop(verify::credential(black_box(&article), &policy, &resolving, now).expect("a good one")))
        }
        "verify-small" => {
            Box::new(|| drop(verify::credential(black_box(&small), &policy, &cached, now).expect("a good one")))
        }
        _ => {
            println!("skipped: counts only what it is asked for; run vc/benches/instructions");
            return;
        }
    };
    for _ in 0..times {
        run();
    }
}

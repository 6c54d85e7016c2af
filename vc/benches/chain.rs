//! What a decision costs about an action under a credential that was handed on, beside the bare
//! signature checks that it contains: those of the action and of each credential.
//!
//! ```text
//! cargo bench -p syndic-vc --bench chain
//! ```
//!
//! Measured as in `verify`: CPU time of this thread, in pairs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, missing_docs)]

#[path = "../tests/world/mod.rs"]
mod world;

mod measure;
mod setup;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use setup::{Cached, bare};
use syndic_vc::decision::{Decision, Outcome};
use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::ResolveError;
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{
    AgentStanding, Freshness, KeyStanding, Knowledge, OneTime, OneTimeKind, SpendError, Standing, StatusBit,
};
use syndic_vc::verify::{self, ActionRequest};
use world::chain::{handed_on, hop, refund_under};
use world::*;

/// The allocator of the program, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many times the credential was handed on.
const DEPTHS: [usize; 4] = [0, 1, 4, 8];

struct Spent;

impl OneTime for Spent {
    fn spend(&self, _: OneTimeKind, _: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        Ok(())
    }
}

/// A node that knows everybody who hands on as an agent of north.
struct Registered {
    cached: Cached,
    standing: AgentStanding,
}

impl Knowledge for Registered {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        self.cached.document(did)
    }

    fn standing(&self, authority: &str, issuer: &Did, action: &str, resource: &str, now: Timestamp) -> Standing {
        self.cached.standing(authority, issuer, action, resource, now)
    }

    fn status(&self, issuer: &Did, list: &str, purpose: StatusPurpose, index: u64) -> StatusBit {
        self.cached.status(issuer, list, purpose, index)
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        self.standing.clone()
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, issuer: &Did) -> Option<Freshness> {
        self.cached.freshness(issuer)
    }
}

fn main() {
    let mut cached = Cached::new();
    for step in 0..9 {
        let did = hop(step).did;
        let document = Arc::new(syndic_vc::did_key::resolve(&did).unwrap());
        cached.documents.insert(did, document);
    }
    let standing = AgentStanding::Active {
        owner: owner().id,
        organization: north().did,
    };
    let known = Registered { cached, standing };
    let (policy, now, south) = (policy(), now(), south().did);
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    criterion.bench_function("bare verify_strict", |bencher| bencher.iter(bare()));
    let mut measured = Vec::new();
    for depth in DEPTHS {
        let document = text(&refund_under(&handed_on(depth).sign(), "49.99"));
        let request = ActionRequest { audience: &south };
        let mut decide = || {
            let outcome = verify::action(black_box(&document), &request, &policy, &known, &Spent, now);
            assert_eq!(black_box(Decision::of(&outcome)).outcome(), Outcome::Allow);
        };
        criterion.bench_function(&format!("decide, handed on {depth} times"), |bencher| {
            bencher.iter(&mut decide);
        });
        let (seconds, bare_of_it) = measure::paired(&mut bare(), &mut decide, 4);
        measured.push((depth, document.len(), seconds, bare_of_it));
    }
    criterion.final_summary();
    println!("\nCPU time, median; ratio: the bare checks of all its signatures by the whole decision (aim: 0.65)");
    for (depth, bytes, seconds, bare_of_it) in measured {
        let signatures = f64::from(u32::try_from(depth).unwrap()) + 2.0;
        println!(
            "  handed on {depth} times, {bytes:>6} bytes, {signatures} signatures: {:>8.1} us, ratio {:.2}",
            seconds * 1e6,
            signatures * bare_of_it
        );
    }
}

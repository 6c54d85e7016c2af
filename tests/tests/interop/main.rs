//! Other people's software beside a real node: what they write, we read; what we write, they read; what was altered on
//! the way, neither accepts.
//!
//! The others run in one process (`tests/interop/peer.mjs`) and are installed by `tests/run`. Where they are not
//! installed these tests say "skipped"; with `SYNDIC_INTEROP=required` they fail instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking, and its figures are for people to read"
)]

mod canonical_json;
mod claims;
mod credentials;
mod figures;
mod identifiers;
mod instances;
mod jose;
mod linked_data;
mod ours;
mod peer;
mod random;
mod sd_jwt;
mod signing;
mod status;
mod status_tokens;
mod tampering;
mod tokens;
mod webvh;

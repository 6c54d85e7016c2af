//! The VC API as strangers and the organization's own programs meet it: a node in this process, asked over HTTP.
//!
//! Every line of the contract's "refuse" and "accept" lists is a named case here, and every refusal has a twin that is
//! accepted and differs in that one thing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "vc_api/harness.rs"]
mod harness;
#[path = "vc_api/instances.rs"]
mod instances;
#[path = "vc_api/issue.rs"]
mod issue;
mod ports;
#[path = "vc_api/sd_jwt.rs"]
mod sd_jwt;
#[path = "vc_api/status.rs"]
mod status;
#[path = "vc_api/verify.rs"]
mod verify;

//! DIDs, keys, capability credentials, and the one path that verifies them.
//!
//! This crate is pure: no socket, no disk, no clock, no randomness. Verification is a function of what was signed,
//! what is asked, what is known and what time it is; the caller brings all four.
//!
//! From the ground up:
//! - [`json`] reads text once, strictly; [`canonical`] gives the bytes that are hashed and signed; [`time`] is how
//!   documents write time; [`limits`] names every bound.
//! - [`key`] holds keys and signatures; [`did`] the grammar of identifiers; [`document`] what a DID stands for;
//!   [`did_key`] DIDs that are their own document.
//!
//! The formats are written down in `specs/`.

pub mod canonical;
pub mod did;
pub mod did_key;
pub mod document;
pub mod json;
pub mod key;
pub mod limits;
pub mod time;

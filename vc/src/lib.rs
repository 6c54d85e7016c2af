//! DIDs, keys, capability credentials, and the one path that verifies them.
//!
//! This crate is pure: no socket, no disk, no clock, no randomness. Verification is a function of
//! what was signed, what is asked, what is known ([`trust`]) and what time it is; the caller brings
//! all four.
//!
//! From the ground up:
//! - [`json`] reads text once, strictly; [`canonical`] gives the bytes that are hashed and signed;
//!   [`time`] is how documents write time; [`limits`] names every bound.
//! - [`key`] holds keys and signatures; [`did`] the grammar of identifiers; [`document`] what a DID
//!   stands for; [`did_key`] and [`did_jwk`] DIDs that are their own document, and [`resolve`] either;
//!   [`dereference`] finds what a DID URL names in a document.
//! - [`linked_data`] gives the canonical RDF of a JSON-LD document, for the suites that sign that.
//! - [`proof`], [`credential`], [`capability`], [`constraint`], [`presentation`], [`action`] and
//!   [`status`] are the formats, parsed but not trusted; [`delegation`] says what may be handed on.
//! - [`jose`] signs compact tokens, [`enveloped`] puts a credential or presentation into one,
//!   [`sd_jwt`] shows a part of what was signed, [`http_signature`] signs a request of HTTP.
//! - [`token`] makes and reads access tokens for services that know OAuth and no credentials, and
//!   the proofs that go with them.
//! - [`verify`] is the only maker of the types that may be acted on; it asks [`trust`], and refuses
//!   with a [`denial`]; [`decision`] renders either outcome.
//!
//! The formats are written down in `specs/`.

pub mod action;
pub mod canonical;
pub mod capability;
pub mod constraint;
pub mod credential;
pub mod decision;
pub mod delegation;
pub mod denial;
pub mod dereference;
pub mod did;
pub mod did_jwk;
pub mod did_key;
pub mod did_web;
pub mod document;
pub mod enveloped;
pub mod http_signature;
pub mod jose;
pub mod json;
pub mod key;
pub mod limits;
pub mod linked_data;
pub mod name;
pub mod presentation;
pub mod proof;
pub mod resolve;
pub mod sd_jwt;
pub mod status;
pub mod time;
pub mod token;
pub mod trust;
pub mod verify;
pub mod webvh;

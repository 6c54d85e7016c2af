//! The Syndic node: sockets, disk, clock and command line around the pure crates.

pub mod agents;
pub mod api;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod data_dir;
pub mod demo;
pub mod engine;
pub mod hosted;
pub mod http;
pub mod keys;
pub mod knowledge;
pub mod net;
pub mod node;
pub mod one_time;
pub mod openapi;
pub mod outside;
pub mod records;
pub mod resolution;
pub mod run;
pub mod setup;
pub mod status_lists;
pub mod store;
pub mod wallet;

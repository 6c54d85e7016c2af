//! The house seen from outside: clusters of real nodes on loopback, driven through the `syndic` program and its HTTP
//! listeners, as an operator, an agent's program or a stranger would. Nothing here links against the node.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

pub mod cluster;
pub mod command;
pub mod file_server;
pub mod house;
pub mod http;
pub mod hurl;
pub mod log_files;
pub mod node;
pub mod oauth;
pub mod ports;
pub mod program;
pub mod scenario;
pub mod stranger;

//! The Syndic node.

pub mod data_dir;
pub mod http;
pub mod keys;
pub mod net;
pub mod store;

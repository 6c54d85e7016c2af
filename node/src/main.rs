//! The Syndic node.
fn main() {}

//! The Syndic node.

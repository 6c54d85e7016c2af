//! The one verification path.

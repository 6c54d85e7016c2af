//! Keys that are not Ed25519, checked by `ssi`.

use super::{ResolveError, Use};
use crate::key::{KeyError, multicodec};

//! Every bound of this crate, each with its reason.
//!
//! A bound is checked before the work it bounds. Where a document that is larger than usual is legitimate (a
//! status list), the caller passes its own [`crate::json::Limits`] instead of weakening these.

/// Bytes of one JSON document. The largest body the HTTP door takes is the same 1 MiB.
pub const JSON_BODY_BYTES: usize = 1 << 20;

/// Nesting of arrays and objects. A presentation with a chain of eight delegations needs 12; 32 leaves room and keeps
/// every recursive walk within a few kilobytes of stack.
pub const JSON_DEPTH: usize = 32;

/// Deepest nesting that any caller may allow: the reader, the writer and the drop of a value are recursive, and
/// 128 levels stay far below the smallest thread stack in use (2 MiB).
pub const JSON_DEPTH_CEILING: usize = 128;

/// Values in one document, counting every scalar, array and object. The work after parsing is linear in it.
pub const JSON_NODES: usize = 20_000;

/// Members of one object. Objects are sorted, so this bounds the sort.
pub const JSON_MEMBERS: usize = 1_000;

/// Bytes of one string after unescaping, member names included.
pub const JSON_STRING_BYTES: usize = 64 << 10;

/// Largest integer that every JSON implementation keeps exactly: 2^53 - 1 (RFC 7493 section 2.2).
pub const JSON_INTEGER: i64 = (1 << 53) - 1;

/// Bytes of a DID or DID URL. The longest in use (`did:webvh` with a path) is below 300; 2,048 is the length that
/// URL software commonly takes.
pub const DID_BYTES: usize = 2_048;

/// Characters of a multibase-encoded public key. The longest that is resolved, P-384 compressed, has 70; the bound
/// is there because base58 decoding is quadratic.
pub const MULTIKEY_CHARS: usize = 128;

/// Entries of one list of a DID document (verification methods, each relationship, services). The most seen in use is
/// about a dozen.
pub const DOCUMENT_ENTRIES: usize = 64;

//! Every bound of this crate, each with its reason.
//!
//! A bound is checked before the work it bounds. Where a document that is larger than usual is
//! legitimate (a status list), the caller passes its own [`crate::json::Limits`] instead of
//! weakening these.

/// Bytes of one JSON document. The largest body the HTTP door takes is the same 1 MiB.
pub const JSON_BODY_BYTES: usize = 1 << 20;

/// Nesting of arrays and objects. A presentation with a chain of eight delegations needs 12; 32
/// leaves room and keeps every recursive walk within a few kilobytes of stack.
pub const JSON_DEPTH: usize = 32;

/// Deepest nesting that any caller may allow: the reader, the writer and the drop of a value are
/// recursive, and 128 levels stay far below the smallest thread stack in use (2 MiB).
pub const JSON_DEPTH_CEILING: usize = 128;

/// Values in one document, counting every scalar, array and object. The work after parsing is
/// linear in it.
pub const JSON_NODES: usize = 20_000;

/// Members of one object. Objects are sorted, so this bounds the sort.
pub const JSON_MEMBERS: usize = 1_000;

/// Bytes of one string after unescaping, member names included.
pub const JSON_STRING_BYTES: usize = 64 << 10;

/// Largest integer that every JSON implementation keeps exactly: 2^53 - 1 (RFC 7493 section 2.2).
pub const JSON_INTEGER: i64 = (1 << 53) - 1;

/// Bytes of a DID or DID URL. The longest in use (`did:webvh` with a path) is below 300; 2,048 is
/// the length that URL software commonly takes.
pub const DID_BYTES: usize = 2_048;

/// Characters of a multibase-encoded public key. The longest that is resolved, P-384 compressed,
/// has 70; the bound is there because base58 decoding is quadratic.
pub const MULTIKEY_CHARS: usize = 128;

/// Entries of one list of a DID document (verification methods, each relationship, services). The
/// most seen in use is about a dozen.
pub const DOCUMENT_ENTRIES: usize = 64;

// Credentials, presentations, actions, status.

/// Bytes of one credential. Ten times the largest that 64 capabilities usually make.
pub const CREDENTIAL_BYTES: usize = 256 << 10;

/// Credentials in one presentation. Each costs a signature check.
pub const CREDENTIALS_PRESENTED: usize = 16;

/// Contexts of one document. Only known ones are accepted, and there are a dozen.
pub const CONTEXTS: usize = 8;

/// Types of one document.
pub const TYPES: usize = 8;

/// Status entries of one credential. There are two purposes; the rest is room.
pub const STATUS_ENTRIES: usize = 8;

/// Capabilities of one credential. Each costs a question to the registry.
pub const CAPABILITIES: usize = 64;

/// Constraints of one capability.
pub const CONSTRAINTS: usize = 32;

/// Values in one `oneOf`, `notOneOf`, `contains`, `subset` or `approval`.
pub const LISTED_VALUES: usize = 256;

/// Items of a parameter that is a list: as many as a constraint can speak of.
pub const LIST_ITEMS: usize = LISTED_VALUES;

/// Bytes of a `prefix`: what it is compared with is a path like a resource.
pub const PREFIX_BYTES: usize = RESOURCE_BYTES;

/// Largest `rate`. Thirty a second for a year is no limit that anybody means.
pub const RATE_LIMIT: u32 = 1_000_000_000;

/// Digits before the point of an amount that a `budget` counts. With the digits after it, sums fit
/// in 128 bits with room for hundreds of them; the largest sums of money in the world have 15.
pub const AMOUNT_WHOLE_DIGITS: usize = 18;

/// Digits after the point of an amount that a `budget` counts: the finest currency in use has 18.
pub const AMOUNT_FRACTION_DIGITS: usize = 18;

/// Verifiers in one `audience` constraint.
pub const AUDIENCES: usize = 64;

/// Parameters of one action.
pub const PARAMETERS: usize = 64;

/// Domains of one proof.
pub const DOMAINS: usize = 8;

/// Bytes of the name of an action or parameter.
pub const LABEL_BYTES: usize = 64;

/// Bytes of a scope.
pub const SCOPE_BYTES: usize = 128;

/// Bytes of a unit. The longest UCUM codes in use have about 20.
pub const UNIT_BYTES: usize = 32;

/// Bytes of a resource.
pub const RESOURCE_BYTES: usize = 512;

/// Bytes of a name shown to people.
pub const NAME_BYTES: usize = 256;

/// Bytes of a URL used as an identifier; the length that URL software commonly takes.
pub const IDENTIFIER_BYTES: usize = 2_048;

/// Digits of a decimal number. Covers every amount of money and every physical quantity, and is
/// what databases take as DECIMAL(38).
pub const DECIMAL_DIGITS: usize = 38;

/// Proofs of one document, and names in one `previousProof`. Each costs a signature check over the
/// whole document.
pub const PROOFS: usize = 8;

/// Characters of a `proofValue`: 96 bytes (P-384) in base58 are at most 132, and the `z`. Bounded
/// because base58 decoding is quadratic.
pub const PROOF_VALUE_CHARS: usize = 133;

/// Bytes of a challenge or domain. A challenge of 128 bits has 22 characters.
pub const CHALLENGE_BYTES: usize = 512;

/// Characters of a nonce: at least 128 bits in base64url, so that two agents never draw the same.
pub const NONCE_CHARS: std::ops::RangeInclusive<usize> = 22..=86;

/// Longest validity of a capability credential: 90 days. Revocation is for the exception, expiry
/// for the rule.
pub const VALIDITY_SECONDS: i64 = 90 * 24 * 3_600;

/// Longest window of a signed action. Its nonce is kept that long.
pub const ACTION_WINDOW_SECONDS: i64 = 900;

// Signed requests of HTTP.

/// Bytes of the URI of a request. Servers commonly take 8,000 (RFC 9110 section 4.1).
pub const TARGET_BYTES: usize = 8 << 10;

/// Field lines of a request.
pub const FIELDS: usize = 128;

/// Bytes of all fields of a request: a credential and its ancestors, in base64, among them.
pub const FIELD_BYTES: usize = 512 << 10;

/// Components that one signature covers. Four are needed.
pub const COVERED_COMPONENTS: usize = 64;

/// Deepest delegation: 8 links below the credential.
pub const DELEGATION_DEPTH: i64 = 8;

/// Credentials above the one that is used: as many as it can have been handed on. Each costs a
/// signature check.
pub const ANCESTORS: usize = DELEGATION_DEPTH as usize;

/// Fewest entries of a status list (Bitstring Status List 1.0 section 6.1): in fewer, fetching the
/// list gives the holder away.
pub const STATUS_BITS_MINIMUM: u64 = 131_072;

/// Most entries of a status list that is accepted: 8 MiB of bits.
pub const STATUS_BITS_MAXIMUM: u64 = 1 << 26;

/// Bytes of a compressed status list. A list of 2^20 random bits has 128 KiB.
pub const STATUS_COMPRESSED_BYTES: usize = 1 << 20;

// DIDs on the web.

/// Bytes of a host name (RFC 1035 section 2.3.4).
pub const HOST_BYTES: usize = 253;

/// Bytes of one label of a host name (RFC 1035 section 2.3.4).
pub const HOST_LABEL_BYTES: usize = 63;

/// Bytes of a `did:webvh` log, and of its witness proofs: a thousand usual entries, and what a
/// request body can carry.
pub const WEBVH_LOG_BYTES: usize = JSON_BODY_BYTES;

/// Entries of a `did:webvh` log. Each costs a signature check; a key changed every week for ten
/// years makes 520.
pub const WEBVH_ENTRIES: usize = 1_024;

/// Proofs of one log entry. One is usual.
pub const WEBVH_PROOFS: usize = 8;

/// Keys, hashes or watchers of one log entry.
pub const WEBVH_LISTED: usize = 64;

/// Witnesses of one DID.
pub const WEBVH_WITNESSES: usize = 32;

/// Witness proofs that are checked for one log. Each costs a signature check; controllers keep one
/// for each witness.
pub const WEBVH_WITNESS_PROOFS: usize = 1_024;

/// Bytes of the URL of a watcher.
pub const WEBVH_URL_BYTES: usize = IDENTIFIER_BYTES;

/// How far the time of a log entry may lie ahead of the resolver's clock.
pub const WEBVH_CLOCK_SKEW_SECONDS: i64 = 60;

/// Statements (RDF quads) of one document. A document of [`CREDENTIAL_BYTES`] that says something
/// has fewer.
pub const RDF_QUADS: usize = 10_000;

/// Calls of RDFC-1.0's hash-N-degree algorithm for each blank node of a document. Credentials of
/// the standards' examples need at most one; a graph of many like nodes needs exponentially many.
pub const RDF_CALLS_PER_BLANK_NODE: usize = 4;

/// Orders of like blank nodes that are tried, for each blank node of a document.
pub const RDF_PERMUTATIONS_PER_BLANK_NODE: usize = 16;

/// Depth of that algorithm's recursion, which follows chains of like blank nodes: a level takes
/// about a kilobyte of stack.
pub const RDF_DEPTH: usize = 256;

/// Active JSON-LD contexts that are kept once made. A document of the standards' examples needs
/// about eight, most of them the same for all.
pub const ACTIVE_CONTEXTS: usize = 1_024;

// Tokens: JWS, SD-JWT, Token Status List.

/// Bytes of a compact token, disclosures included. A credential of [`CREDENTIAL_BYTES`] fits in
/// base64url. Inside a JSON document a token is one string, so the doors that take tokens read
/// strings of this length too.
pub const TOKEN_BYTES: usize = 512 << 10;

/// Characters of the encoded header of a token. Real ones have below 400.
pub const TOKEN_HEADER_BYTES: usize = 8 << 10;

/// Bytes of the name of a key: a DID URL.
pub const KEY_NAME_BYTES: usize = DID_BYTES;

/// Disclosures of one SD-JWT. Each costs a hash and a parse; the largest identity documents have
/// about 60.
pub const DISCLOSURES: usize = 256;

/// Digests of one SD-JWT, decoys included.
pub const DISCLOSURE_DIGESTS: usize = 4_096;

/// Bytes of a decoded disclosure. The largest real ones hold a portrait.
pub const DISCLOSURE_BYTES: usize = 128 << 10;

/// Nesting of the claims of an SD-JWT once its disclosures are in place: what any walk may recurse.
pub const DISCLOSED_DEPTH: usize = JSON_DEPTH_CEILING;

/// Oldest key binding that is taken, in seconds: the nonce was handed out just before.
pub const KEY_BINDING_AGE_SECONDS: i64 = 900;

/// Bytes of a status list token: the largest compressed list twice in base64url, and room for the
/// claims.
pub const STATUS_TOKEN_BYTES: usize = STATUS_COMPRESSED_BYTES / 9 * 16 + (16 << 10);

// Access tokens and DPoP proofs.

/// Bytes of an access token: it travels in a header line, of which usual servers take 8 KiB.
pub const ACCESS_TOKEN_BYTES: usize = 7 << 10;

/// Longest life of an access token, in seconds. Whoever checks it without asking its issuer does not
/// hear of a revocation for that long.
pub const ACCESS_TOKEN_SECONDS: i64 = 3_600;

/// Grants of one access token; its bytes bound them too.
pub const ACCESS_TOKEN_GRANTS: usize = 64;

/// Bytes of the name of a task, of an agent or of a trace in an access token.
pub const TASK_BYTES: usize = 128;

/// Bytes of the purpose of a task.
pub const PURPOSE_BYTES: usize = 256;

/// Bytes of a DPoP proof. One with a long URL has about 1 KiB.
pub const DPOP_BYTES: usize = 4 << 10;

/// Characters of the id of a DPoP proof: at least 96 bits in base64url (RFC 9449 section 4.2).
pub const DPOP_ID_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// Oldest DPoP proof that is taken, in seconds: it is made for one request, just before it.
pub const DPOP_AGE_SECONDS: i64 = 60;

//! Every bound of this crate, each with its reason.
//!
//! A bound that a stranger can reach is refused with an error that names it; none of them panics.

/// Longest statement in bytes. An entry bundle can carry 65,535 (C2SP tlog-tiles), gossip 64 KiB;
/// half of that leaves room for the head that travels with it.
pub const STATEMENT_BYTES: usize = 32 * 1024;

/// Most statements appended in one batch: one tile, so that a batch writes at most one hash of
/// tile level 1 and a receiver verifies a bounded piece.
pub const APPEND_STATEMENTS: usize = 256;

/// Largest log that is folded. 2^40 statements at 20 a second are 1,700 years; the bound keeps
/// every index exact in JSON and every shift in range.
pub const LOG_SIZE: u64 = 1 << 40;

/// Most hashes in an inclusion or consistency proof: one for each level of the largest log, and
/// one more for a start that is not a complete subtree.
pub const PROOF_HASHES: usize = 41;

/// Longest signed note in bytes: a body of 300 bytes and 64 signature lines of 200.
pub const NOTE_BYTES: usize = 16 * 1024;

/// Most signature lines in a note. C2SP signed-note asks for at least 16.
pub const NOTE_SIGNATURES: usize = 64;

/// Longest line in a note in bytes, key names and post-quantum signatures of others included.
pub const NOTE_LINE_BYTES: usize = 8 * 1024;

/// Members beyond the charter's `witnesses` that cosign the heads of a log: one may be away and one may lie, and there
/// are still enough.
pub const SPARE_WITNESSES: usize = 2;

/// Most cosignatures of one head in a message: as many lines as a note has.
pub const COSIGNATURES: usize = NOTE_SIGNATURES;

/// Most members of a consortium: a decision on the consortium's authority asks each member's
/// statements at worst, which stays under a millisecond.
pub const CHARTER_MEMBERS: usize = 1_000;

/// Longest charter text in bytes: 1,000 members of 2 KiB each.
pub const CHARTER_BYTES: usize = 2 * 1024 * 1024;

/// Longest signed charter version after the first, in bytes: 1,000 members of 600 bytes and as many signatures of 180 fit,
/// and so does one such version in an answer.
pub const SIGNED_CHARTER_BYTES: usize = 1024 * 1024;

/// Most signatures of one charter version: each member of the former version, and each of the new one.
pub const CHARTER_SIGNATURES: usize = 2 * CHARTER_MEMBERS;

/// Most versions of a charter: one a day for ten years.
pub const CHARTER_VERSIONS: usize = 4_096;

/// Longest chain of charters in bytes: 60 versions of the largest consortium, thousands of a usual one.
pub const CHAIN_BYTES: usize = 64 * 1024 * 1024;

/// Most peer ids of one organization: a few replicas, old and new during a move.
pub const MEMBER_PEERS: usize = 16;

/// Most peer addresses of one organization.
pub const MEMBER_ADDRESSES: usize = 32;

/// Longest URL, multiaddr, DID or other identifier in bytes: each is part of keys in the store.
pub const ADDRESS_BYTES: usize = 512;

/// Longest libp2p peer id in bytes; Ed25519 ids have 52, RSA ids 46.
pub const PEER_ID_BYTES: usize = 64;

/// Shortest and longest age in seconds at which a member's head may count as fresh. Below 5 no
/// heartbeat can keep up; above a day nobody would call it fresh.
pub const STALENESS_SECONDS: (u32, u32) = (5, 86_400);

/// Most indices that one statement sets or clears. 1,000 indices of 7 digits are 8 KiB.
pub const STATUS_INDICES: usize = 1_000;

/// Bits of a status list kept under one key: 512 bytes are rewritten for a revocation, and a
/// full list of 2^26 bits has 16,384 rows.
pub const STATUS_CHUNK_BITS: u64 = 4_096;

/// Most seconds for which an agent and its successor are both in service: longer, and a key that was to be given up lives
/// on. A quarter of a year lets credentials of all usual terms run out.
pub const OVERLAP_SECONDS: i64 = 90 * 86_400;

/// Longest signature in a statement, in characters: 96 bytes of P-384 are at most 133 in base58.
pub const PROOF_BYTES: usize = 133;

/// Longest kind of a statement, in bytes; unknown kinds are carried, but not as a way to hide
/// text.
pub const KIND_BYTES: usize = 64;

/// Most rotations of the log key under one card: a key each quarter for twelve years, then a new card is due. All of
/// them fit a fork proof in one broadcast, beside two heads with all the cosignatures they may carry.
pub const LOG_KEYS: usize = 48;

/// Words on one right or one suspension that are looked through for a question about the past: each was a statement of its
/// own, and nobody who asks may cause more work than a signature check or two hundred.
pub const PAST_WORDS: usize = 10_000;

/// Most rotations in one answer; the rest come in the next round.
pub const ROTATIONS_AT_ONCE: usize = 256;

/// Longest rotation in bytes, as it is stored and sent: two keys, a hash and a signature with their names are 420.
pub const ROTATION_BYTES: usize = 640;

/// Most digests of issued credentials in one statement: 500 of 50 bytes are 25 KiB.
pub const ANCHORS: usize = 500;

/// Most keys in a trust bundle; the statement bounds their bytes.
pub const BUNDLE_KEYS: usize = 64;

/// Longest decision bundle in bytes: some 25,000 statements, which a laptop checks in a second or two. What rests on
/// longer logs needs snapshots of them, which this version has not.
pub const BUNDLE_BYTES: usize = 8 * 1024 * 1024;

/// Most JSON values in a decision bundle: its logs are texts of 50 bytes and more, so half of this are values of the
/// request.
pub const BUNDLE_VALUES: usize = BUNDLE_BYTES / 32;

/// How often the logs of a bundle are read anew because they changed meanwhile.
pub const BUNDLE_ATTEMPTS: usize = 3;

/// How far a verifier may let a signer's clock run ahead, in seconds (promise P26).
pub const SKEW_SECONDS: u32 = 30;

// Replication: messages.

/// Longest DID of an organization in a message. `did:key` has 56 bytes, `did:webvh` with a long
/// host and path some 300.
pub const ORGANIZATION_BYTES: usize = 512;

/// Longest broadcast: gossip takes 64 KiB with its own envelope.
pub const BROADCAST_BYTES: usize = 60 * 1024;

/// Longest question: how far the asker is in the logs of 1,000 members is 117 KB with `did:key`.
pub const ASK_BYTES: usize = 256 * 1024;

/// Logs of which a node lists how far it is in each when it compares heads. A list of more than these is 7 KB and longer
/// than it is to find out by ranges which of them differ, which takes one question more, or two or three.
pub const LISTED_LOGS: usize = 64;

/// Longest message of a reconciliation. What does not fit is left for the next one; all ids of 1,000 logs just fit.
pub const RECONCILE_BYTES: usize = 32 * 1024;

/// Questions after which a reconciliation is given up and all logs are listed. Question and answer narrow ranges down 256-fold,
/// so three find one of a million; the rest is for sets that differ in all places, and a peer that answers for ever gains
/// nothing.
pub const RECONCILE_ROUNDS: usize = 16;

/// Logs that do not differ, and are compared all the same after a reconciliation: those whose heads were not renewed for
/// two heartbeats, in turn, so that members that are gone for good do not take the room of others. A node that missed the
/// heartbeats of 1,000 logs hears of all of them in three rounds with three peers.
pub const STALE_LOGS: usize = 128;

/// Further logs that are compared after a reconciliation, in turn, for what others may know of their cosignatures: 1,000 logs
/// in twenty rounds with three peers, less than two minutes.
pub const TURN_LOGS: usize = 16;

/// Longest answer: entries, or heads, as bounded below, and the proofs around them.
/// The longest is a charter of 1,000 members with its signatures.
pub const ANSWER_BYTES: usize = SIGNED_CHARTER_BYTES + 32 * 1024;

/// Most charter versions in one answer.
pub const CHARTERS_AT_ONCE: usize = 64;

/// Most bytes of entries in one answer. It takes a slow link of 1 Mbit/s four seconds, less than
/// the asker waits, and a receiver milliseconds to verify.
pub const PIECE_BYTES: usize = 512 * 1024;

/// Most bytes of heads, and of forks, in one answer: 400 heads. The rest come in the next round.
pub const HEADS_BYTES: usize = 256 * 1024;

// Replication: work and memory that others can cause.

/// Questions that wait for one peer's answer: a slow peer holds up no more than this.
pub const ASKS_PER_PEER: usize = 4;

/// Logs pulled at one time: 16 pieces in memory are 8 MiB.
pub const PULLS: usize = 16;

/// Seconds until a question counts as unanswered.
pub const ASK_SECONDS: i64 = 10;

/// Seconds for which a peer is not asked for entries after it failed to give some: longer than
/// [`ASK_SECONDS`], so that a peer that never answers is less than half of the time in the way.
pub const REST_SECONDS: i64 = 15;

/// Seconds for which a publication waits for the first answer of another member after a start: a connection and an
/// answer take milliseconds, and whoever waits for the publication should hear why it is not made.
pub const UNSETTLED_SECONDS: i64 = 5;

/// Signature checks that one peer may cause at once. 1,000 members renew their heads in less.
pub const CHECKS_BURST: i64 = 1_000;

/// Signature checks that one peer may cause each second: 200 of 130 us are 3 % of a core.
pub const CHECKS_PER_SECOND: i64 = 200;

/// Questions of one peer answered at once.
pub const ASKS_BURST: i64 = 400;

/// Questions of one peer answered each second: 100 pieces of 256 entries are a fast catch-up.
pub const ASKS_PER_SECOND: i64 = 100;

/// Messages about one log that wait while an earlier one is being stored.
pub const WAITING_MESSAGES: usize = 64;

/// Bytes of all waiting messages; beyond, they are dropped and pulled later.
pub const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of the messages about one log that wait: a piece and a few broadcasts. The next piece is asked for when one has
/// come, and a log that is written to faster than a disk stores it does not take the room of fifteen others.
pub const WAITING_BYTES_OF_ONE: usize = 1024 * 1024;

/// Broadcasts of one log that are taken and handed on at once: a hospital's busiest moment, a minute's worth of what follows.
pub const NEWS_BURST: i64 = 200;

/// Broadcasts of one log that are taken and handed on each second; of what is beyond, entries are pulled 256 at a time. Four
/// logs at the bound are what one peer may hand on ([`CHECKS_PER_SECOND`]), so whoever relays a flood is not taken for it.
pub const NEWS_PER_SECOND: i64 = 40;

/// Proofs of one fork that are taken at once in place of one that says the same: nodes that find a fork at the same time
/// each make one of their own head, and come to hold one of these after a few.
pub const PROOFS_BURST: i64 = 16;

/// The same each second: what who forked can cause by signing ever more heads is a row and a broadcast each second.
pub const PROOFS_PER_SECOND: i64 = 1;

/// Publications that wait while an earlier one is being stored.
pub const PUBLICATIONS: usize = 1_024;

/// Bytes of all waiting publications.
pub const PUBLICATION_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of statements in one batch of publications, so that one batch takes a disk milliseconds.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Peers that heads are compared with in one round: two of three being useless still leaves one.
pub const COMPARE_PEERS: usize = 3;

/// Seconds that a head's time may lie in the future: skew of clocks that is tolerated.
pub const FUTURE_SECONDS: i64 = 60;

/// Most status lists of one organization; more are as if never created, so nobody's store fills.
pub const STATUS_LISTS: u64 = 1_024;

/// Most bits in all status lists of one organization: 32 MiB in every member's store, enough for
/// 268 million credentials.
pub const STATUS_BITS: u64 = 1 << 28;

/// Bytes of what is honoured of a log that told two stories, each record counted as its entry and
/// [`SALVAGE_OVERHEAD`]: about 4,000 records. The first ones are kept.
pub const SALVAGE_BYTES: usize = 16 * 1024 * 1024;

/// What a record counts for beside its entry: a head of two signatures, and a proof.
pub const SALVAGE_OVERHEAD: usize = 4 * 1024;

/// Most records of one log: [`SALVAGE_BYTES`] of the smallest.
pub const SALVAGE_RECORDS: usize = SALVAGE_BYTES / SALVAGE_OVERHEAD;

/// Records read at once: at worst 64 of 38 KiB.
pub const SALVAGE_ROWS_AT_ONCE: usize = 64;

/// Bytes of records stored in one batch.
pub const SALVAGE_BATCH_BYTES: usize = 512 * 1024;

/// Entries of the own branch looked through at each tick for what must be honoured: 1,024 are milliseconds.
pub const SALVAGE_SCAN: u64 = 1_024;

/// Sizes asked for at once while looking for where two stories part: 16 narrow it down 15-fold.
pub const PROBE_SIZES: usize = 16;

/// Branches of one log that are remembered as compared with the own one.
pub const PROBED_BRANCHES: usize = 64;

/// Rows read at once while going over all facts.
pub const ROWS_AT_ONCE: usize = 1_024;

/// Entries of one `did:webvh` log that an organization's log may carry. The log is read anew for each
/// batch that extends it and for each question, at about 0.1 ms an entry; a key changed every month
/// for ten years makes 120.
pub const DID_ENTRIES: usize = 128;

/// Seconds by which an entry of a `did:webvh` log may be dated after the statement that carries it.
pub const DID_SKEW_SECONDS: i64 = 60;

/// A time after all others, for questions about what the fold has let in already.
pub(crate) fn latest_time() -> syndic_vc::time::Timestamp {
    // 9999-12-30T22:00:00Z, the last hour that is representable; were it none, nothing would be known.
    syndic_vc::time::Timestamp::from_unix_seconds(253_402_207_200).unwrap_or(syndic_vc::time::Timestamp::UNIX_EPOCH)
}

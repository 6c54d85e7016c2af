//! Bounds of the store, each with its reason.

use std::time::Duration;

/// Writes stop while less than this is free: room for the engine's own housekeeping, for a clean
/// stop, and for the operator to work. 256 MiB.
pub const MIN_FREE_BYTES: u64 = 256 << 20;

/// Set aside in a file, and given up when the store is opened on a full disk: opening after a kill
/// writes too. Three of sled's segments, and a snapshot of a million records.
pub const BALLAST_BYTES: u64 = 16 << 20;

/// Longest key. The registry's longest names two DIDs of 2 KiB, an action and a resource.
pub const MAX_KEY_BYTES: usize = 8 << 10;

/// Longest value. The largest thing kept in one piece is a charter, at most 2 MiB, with room for
/// what is stored around it.
pub const MAX_VALUE_BYTES: usize = 4 << 20;

/// Largest batch, keys and values together: what a peer may make us hold in one go, four times.
pub const MAX_BATCH_BYTES: usize = 64 << 20;

/// No further batch joins a group that has reached this size: it bounds the memory held while the
/// group is written, and with it how long the last of the group waits for the first.
pub const MAX_GROUP_BYTES: usize = 8 << 20;

/// No further batch joins a group of this many.
pub const MAX_GROUP_BATCHES: usize = 1024;

/// Callers of `apply` beyond this many wait before their batch is even queued.
pub const MAX_QUEUED_BATCHES: usize = 4096;

/// How long `apply` waits for the disk before it reports that the outcome is unknown. Longer than
/// the longest stall seen on a healthy disk (a few seconds), shorter than any caller's patience
/// with a hanging engine.
pub const APPLY_PATIENCE: Duration = Duration::from_secs(60);

/// How long opening waits for an engine that is still letting go of the folder. Another process that
/// has it is noticed before, by the lock of the data folder.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Memory each engine may use for its cache of pages.
pub const CACHE_BYTES: usize = 64 << 20;

/// A store of at most this many records is read whole before it is opened, at about 0.7 s for every
/// 100,000 of them (decision 2); a larger one while it is in use.
pub const CHECKED_AT_OPENING: u64 = 200_000;

/// As far as bytes tell before anything is opened: an engine checks its own pages at opening only
/// if its file is no larger.
pub const CHECKED_AT_OPENING_BYTES: u64 = 128 << 20;

/// Records compared at once while a store is in use: a writer waits for no more than these, about
/// 4 ms at the rate of decision 2.
pub const CHECKED_AT_ONCE: usize = 512;

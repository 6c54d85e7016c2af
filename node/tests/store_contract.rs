//! What every storage engine must do, run for each of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use proptest::prelude::*;
use syndic_node::store::{self, ApplyError, Batch, Content, Engine, OpenError, Options, Store, StoreError, limits};

fn options(engine: Engine) -> Options {
    // The machine that runs the tests may have less free space than a node wants.
    Options {
        engine,
        min_free_bytes: 0,
        checked_at_opening: u64::MAX,
    }
}

fn open(dir: &Path, engine: Engine) -> Arc<dyn Store> {
    store::open_with(dir, &options(engine)).unwrap()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// What comparing the content came to.
fn when_compared(store: &dyn Store) -> Content {
    loop {
        match store.content() {
            Content::Checking { done, of } => {
                assert!(done <= of + 1_000_000, "{done} of {of}");
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            compared => return compared,
        }
    }
}

/// The whole content, page by page.
fn everything(store: &dyn Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut from = Vec::new();
    loop {
        let page = store.range(&from, b"", 997).unwrap();
        let Some((last, _)) = page.last() else {
            return all;
        };
        from = last.clone();
        from.push(0);
        all.extend(page);
    }
}

/// Makes one test per engine from a function taking it.
macro_rules! for_each_engine {
    ($($name:ident),* $(,)?) => {
        mod sled_engine { $(#[test] fn $name() { super::$name(super::Engine::Sled); })* }
        mod redb_engine { $(#[test] fn $name() { super::$name(super::Engine::Redb); })* }
    };
}

for_each_engine!(
    what_is_written_is_read_and_survives_reopening,
    a_batch_happens_as_a_whole_or_not_at_all,
    the_last_write_to_a_key_in_a_batch_counts,
    expectations_see_the_state_before_their_own_batch,
    ranges_are_ordered_half_open_and_limited,
    eight_writers_never_lose_a_conditional_increment,
    batches_of_twenty_thousand_survive_reopening,
    large_values_are_replaced_and_removed,
    sizes_beyond_the_limits_are_refused,
    a_full_disk_is_refused_and_recovers_by_itself,
    other_engine_and_newer_format_are_named,
    a_start_that_never_finished_is_begun_again,
    foreign_files_are_left_alone,
    an_open_store_cannot_be_opened_twice,
    nobody_else_may_read_the_files,
    a_lost_marker_is_not_taken_for_a_new_folder,
    an_older_copy_of_the_data_is_not_taken_for_the_data,
    writes_of_unusual_sizes_are_kept,
    readers_during_writes_see_whole_batches,
    flipped_bits_are_found_or_harmless,
    zeroed_blocks_are_found_or_harmless,
    cut_files_are_found_or_harmless,
    a_model_agrees,
    a_large_store_is_compared_while_it_is_written,
);

fn what_is_written_is_read_and_survives_reopening(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    store
        .apply(Batch::new().put("a", "1").put("b", "2").put("", "empty key"))
        .unwrap();
    store.apply(Batch::new().remove("b").put("c", "")).unwrap();
    drop(store);
    for _ in 0..3 {
        let store = open(dir.path(), engine);
        assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
        assert_eq!(store.get(b"b").unwrap(), None);
        assert_eq!(store.get(b"c").unwrap().unwrap(), b"");
        assert_eq!(store.get(b"").unwrap().unwrap(), b"empty key");
        assert_eq!(store.get(b"none").unwrap(), None);
    }
}

fn a_batch_happens_as_a_whole_or_not_at_all(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    store.apply(Batch::new().put("a", "1")).unwrap();
    let refused = Batch::new()
        .expect("a", Some(b"1".to_vec()))
        .expect("b", Some(b"other".to_vec()))
        .put("a", "2")
        .put("b", "2");
    let error = store.apply(refused).unwrap_err();
    assert_eq!(error, ApplyError::Expectation { key: b"b".to_vec() });
    assert_eq!(everything(&*store), BTreeMap::from([(b"a".to_vec(), b"1".to_vec())]));
    // The refusal does no harm to what comes after.
    store.apply(Batch::new().expect("b", None).put("b", "3")).unwrap();
    assert_eq!(store.get(b"b").unwrap().unwrap(), b"3");
}

fn the_last_write_to_a_key_in_a_batch_counts(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    store
        .apply(
            Batch::new()
                .put("a", "1")
                .remove("a")
                .put("a", "2")
                .put("b", "1")
                .remove("b"),
        )
        .unwrap();
    assert_eq!(everything(&*store), BTreeMap::from([(b"a".to_vec(), b"2".to_vec())]));
}

fn expectations_see_the_state_before_their_own_batch(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    store.apply(Batch::new().put("a", "1").expect("a", None)).unwrap();
    let error = store.apply(Batch::new().put("a", "2").expect("a", Some(b"2".to_vec())));
    assert!(matches!(error, Err(ApplyError::Expectation { .. })));
    // A batch may only ask.
    store.apply(Batch::new().expect("a", Some(b"1".to_vec()))).unwrap();
    assert!(store.apply(Batch::new().expect("a", None)).is_err());
}

fn ranges_are_ordered_half_open_and_limited(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    let keys: [&[u8]; 7] = [b"a", b"a\0", b"aa", b"b", b"ba", &[0xff], &[0xff, 0xff]];
    let mut batch = Batch::new();
    for key in keys.iter().rev() {
        batch = batch.put(*key, *key);
    }
    store.apply(batch).unwrap();
    let range = |from: &[u8], to: &[u8], limit| -> Vec<Vec<u8>> {
        let pairs = store.range(from, to, limit).unwrap();
        assert!(pairs.iter().all(|(key, value)| key == value));
        pairs.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(range(b"", b"", 100), keys);
    assert_eq!(range(b"a\0", b"b", 100), [&b"a\0"[..], b"aa"]);
    assert_eq!(range(b"b", &[0xff], 1), [b"b"]);
    assert_eq!(range(&[0xff], b"", 100), [&[0xff][..], &[0xff, 0xff]]);
    assert!(range(b"b", b"b", 100).is_empty());
    assert!(range(b"c", b"b", 100).is_empty());
    assert!(range(b"", b"", 0).is_empty());
}

fn eight_writers_never_lose_a_conditional_increment(engine: Engine) {
    const EACH: u64 = 50;
    let dir = folder();
    let store = open(dir.path(), engine);
    let number = |value: Option<Vec<u8>>| value.map_or(0, |value| u64::from_be_bytes(value.try_into().unwrap()));
    std::thread::scope(|scope| {
        for writer in 0..8_u64 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..EACH {
                    loop {
                        let now = store.get(b"counter").unwrap();
                        let next = (number(now.clone()) + 1).to_be_bytes();
                        let batch = Batch::new()
                            .expect("counter", now)
                            .put("counter", next)
                            .put([&b"by/"[..], &next].concat(), (writer * EACH + round).to_be_bytes());
                        match store.apply(batch) {
                            Ok(()) => break,
                            Err(ApplyError::Expectation { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    drop(store);
    let store = open(dir.path(), engine);
    assert_eq!(number(store.get(b"counter").unwrap()), 8 * EACH);
    let by = store.range(b"by/", b"by0", 10_000).unwrap();
    let mut made: Vec<u64> = by.into_iter().map(|(_, value)| number(Some(value))).collect();
    made.sort_unstable();
    assert_eq!(made, (0..8 * EACH).collect::<Vec<_>>());
}

fn batches_of_twenty_thousand_survive_reopening(engine: Engine) {
    const RECORDS: u32 = 20_000;
    let dir = folder();
    let store = open(dir.path(), engine);
    let batch = |salt: &str| {
        (0..RECORDS).fold(Batch::new(), |batch, number| {
            batch.put(number.to_be_bytes(), format!("{salt} {number}"))
        })
    };
    store.apply(batch("first")).unwrap();
    store.apply(batch("second")).unwrap();
    drop(store);
    let store = open(dir.path(), engine);
    let all = everything(&*store);
    assert_eq!(all.len(), RECORDS as usize);
    assert!(all.iter().all(|(key, value)| {
        let number = u32::from_be_bytes(key.as_slice().try_into().unwrap());
        *value == format!("second {number}").into_bytes()
    }));
}

fn large_values_are_replaced_and_removed(engine: Engine) {
    let dir = folder();
    let mut model = BTreeMap::new();
    for round in 0..6_u8 {
        let store = open(dir.path(), engine);
        for number in 0..40_u8 {
            let key = vec![number % 20];
            let value = vec![round ^ number; 1 << (8 + usize::from(number % 12))];
            store.apply(Batch::new().put(key.clone(), value.clone())).unwrap();
            model.insert(key, value);
            if number % 7 == 0 {
                let gone = vec![(number + 3) % 20];
                store.apply(Batch::new().remove(gone.clone())).unwrap();
                model.remove(&gone);
            }
        }
        assert_eq!(everything(&*store), model);
    }
    assert_eq!(everything(&*open(dir.path(), engine)), model);
    // sled's own way with large pages loses them in power cuts; none may get that large.
    let blobs = dir.path().join("blobs").read_dir();
    assert_eq!(blobs.into_iter().flatten().count(), 0);
}

fn sizes_beyond_the_limits_are_refused(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    let largest_key = vec![7; limits::MAX_KEY_BYTES];
    let largest = vec![7; limits::MAX_VALUE_BYTES];
    store
        .apply(Batch::new().put(largest_key.clone(), largest.clone()))
        .unwrap();
    assert_eq!(store.get(&largest_key).unwrap().unwrap(), largest);
    for batch in [
        Batch::new().put(vec![7; limits::MAX_KEY_BYTES + 1], ""),
        Batch::new().remove(vec![7; limits::MAX_KEY_BYTES + 1]),
        Batch::new().put("a", vec![7; limits::MAX_VALUE_BYTES + 1]),
        (0..17_u8).fold(Batch::new(), |batch, key| batch.put([key], largest.clone())),
    ] {
        assert!(matches!(store.apply(batch), Err(ApplyError::TooLarge { .. })));
    }
    assert_eq!(everything(&*store).len(), 1);
}

fn a_full_disk_is_refused_and_recovers_by_itself(engine: Engine) {
    let dir = folder();
    open(dir.path(), engine).apply(Batch::new().put("a", "1")).unwrap();
    // With a reserve to keep, room for opening is set aside, and given up on a full disk.
    let ballast = dir.path().join("ballast");
    assert!(!ballast.exists());
    drop(
        store::open_with(
            dir.path(),
            &Options {
                engine,
                min_free_bytes: 1,
                checked_at_opening: u64::MAX,
            },
        )
        .unwrap(),
    );
    assert_eq!(ballast.metadata().unwrap().len(), limits::BALLAST_BYTES);
    // More than any disk has.
    let full = Options {
        engine,
        min_free_bytes: u64::MAX,
        checked_at_opening: u64::MAX,
    };
    let store = store::open_with(dir.path(), &full).unwrap();
    let error = store.apply(Batch::new().put("a", "2")).unwrap_err();
    assert!(matches!(error, ApplyError::Full { needed: u64::MAX, .. }), "{error}");
    assert!(matches!(store.writable(), Err(ApplyError::Full { .. })));
    assert!(!ballast.exists());
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
    drop(store);
    let store = open(dir.path(), engine);
    store.writable().unwrap();
    store.apply(Batch::new().put("a", "2")).unwrap();
}

fn other_engine_and_newer_format_are_named(engine: Engine) {
    let dir = folder();
    open(dir.path(), engine).apply(Batch::new().put("a", "1")).unwrap();
    let other = if engine == Engine::Sled {
        Engine::Redb
    } else {
        Engine::Sled
    };
    let error = store::open(dir.path(), other).err().unwrap();
    assert!(matches!(&error, OpenError::OtherEngine { found, .. } if found == engine.as_str()));
    assert!(error.to_string().contains(&format!("engine = \"{engine}\"")), "{error}");

    let ready = dir.path().join("ready");
    let text = std::fs::read_to_string(&ready).unwrap();
    assert!(text.starts_with(&format!("syndic-store 1 {engine} ")), "{text}");
    std::fs::write(&ready, text.replace("store 1", "store 2")).unwrap();
    let error = store::open(dir.path(), engine).err().unwrap();
    assert!(
        matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }),
        "{error}"
    );
    std::fs::write(&ready, text).unwrap();
    assert_eq!(open(dir.path(), engine).get(b"a").unwrap().unwrap(), b"1");
}

fn a_start_that_never_finished_is_begun_again(engine: Engine) {
    let dir = folder();
    drop(open(dir.path(), engine));
    std::fs::remove_file(dir.path().join("ready")).unwrap();
    for file in ["db", "data.redb", "conf"] {
        let path = dir.path().join(file);
        if path.exists() {
            std::fs::write(path, "half written").unwrap();
        }
    }
    let store = open(dir.path(), engine);
    store.apply(Batch::new().put("a", "1")).unwrap();
    drop(store);
    assert_eq!(open(dir.path(), engine).get(b"a").unwrap().unwrap(), b"1");
}

fn foreign_files_are_left_alone(engine: Engine) {
    let dir = folder();
    let thesis = dir.path().join("thesis.txt");
    std::fs::write(&thesis, "years of work").unwrap();
    let error = store::open(dir.path(), engine).err().unwrap();
    assert!(matches!(error, OpenError::Foreign { path } if path == thesis));
    assert_eq!(std::fs::read_to_string(&thesis).unwrap(), "years of work");
}

fn an_open_store_cannot_be_opened_twice(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    store.apply(Batch::new().put("a", "1")).unwrap();
    let error = store::open(dir.path(), engine).err().unwrap();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    store.apply(Batch::new().put("a", "2")).unwrap();
}

fn nobody_else_may_read_the_files(engine: Engine) {
    let dir = folder();
    let path = dir.path().join("deep/store");
    let store = open(&path, engine);
    for number in 0..60_u8 {
        store.apply(Batch::new().put([number], vec![number; 20_000])).unwrap();
    }
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let mut files = 0;
    for entry in path
        .read_dir()
        .unwrap()
        .chain(path.join("blobs").read_dir().into_iter().flatten())
    {
        let entry = entry.unwrap();
        let wanted = if entry.file_type().unwrap().is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode(&entry.path()), wanted, "{:?}", entry.path());
        files += 1;
    }
    assert!(files >= 3);
}

fn a_lost_marker_is_not_taken_for_a_new_folder(engine: Engine) {
    for lost in ["ready", "acknowledged"] {
        let dir = folder();
        open(dir.path(), engine).apply(Batch::new().put("a", "1")).unwrap();
        std::fs::remove_file(dir.path().join(lost)).unwrap();
        let error = store::open(dir.path(), engine).err().unwrap();
        assert!(
            matches!(&error, OpenError::Corrupted { file, .. } if file == lost),
            "{error}"
        );
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn an_older_copy_of_the_data_is_not_taken_for_the_data(engine: Engine) {
    let dir = folder();
    let old = folder();
    open(dir.path(), engine).apply(Batch::new().put("a", "1")).unwrap();
    copy(dir.path(), old.path());
    open(dir.path(), engine).apply(Batch::new().put("a", "2")).unwrap();
    // Everything goes back in time, but for what was told to callers.
    std::fs::copy(dir.path().join("acknowledged"), old.path().join("acknowledged")).unwrap();
    let error = store::open(old.path(), engine).err().unwrap();
    assert!(matches!(error, OpenError::Corrupted { .. }), "{error}");
}

fn writes_of_unusual_sizes_are_kept(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    let mut model = BTreeMap::new();
    for (number, size) in [0, 1, 7, 8, 511, 512, 4095, 65_535, 131_040, 131_072, 500_000]
        .into_iter()
        .enumerate()
    {
        let key = vec![number as u8; number * 100];
        let value = vec![number as u8; size];
        store.apply(Batch::new().put(key.clone(), value.clone())).unwrap();
        model.insert(key, value);
    }
    assert_eq!(everything(&*store), model);
    drop(store);
    assert_eq!(everything(&*open(dir.path(), engine)), model);
}

fn readers_during_writes_see_whole_batches(engine: Engine) {
    let dir = folder();
    let store = open(dir.path(), engine);
    let write = |round: u64| (0..30_u8).fold(Batch::new(), |batch, key| batch.put([key], round.to_be_bytes()));
    store.apply(write(0)).unwrap();
    let done = AtomicBool::new(false);
    let acknowledged = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let before = acknowledged.load(Ordering::SeqCst);
                    let page = store.range(b"", b"", 100).unwrap();
                    assert_eq!(page.len(), 30);
                    let first = page[0].1.clone();
                    assert!(page.iter().all(|(_, value)| *value == first), "a torn batch");
                    let round = u64::from_be_bytes(first.try_into().unwrap());
                    assert!(round >= before, "an acknowledged batch is not visible");
                }
            });
        }
        for round in 1..=150 {
            store.apply(write(round)).unwrap();
            acknowledged.store(round, Ordering::SeqCst);
        }
        done.store(true, Ordering::SeqCst);
    });
}

/// Opens a damaged folder and reads everything: an error or the right data, never anything else.
/// `checked_at_opening` as in the options: with 0 the content is compared while the store is in use.
fn find_damage(dir: &Path, engine: Engine, checked_at_opening: u64, model: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let options = Options {
        checked_at_opening,
        ..options(engine)
    };
    let store = match store::open_with(dir, &options) {
        Ok(store) => store,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return true;
        }
    };
    if let Content::Damaged(why) = when_compared(&*store) {
        assert!(!why.is_empty());
        assert!(store.get(b"r/key/1").is_err());
        assert!(store.range(b"", b"", 1).is_err());
        assert!(matches!(
            store.apply(Batch::new().put("a", "1")),
            Err(ApplyError::ReadOnly(_))
        ));
        return true;
    }
    match store.range(b"", b"", usize::MAX) {
        Ok(pairs) => assert_eq!(&pairs.into_iter().collect::<BTreeMap<_, _>>(), model),
        Err(StoreError::Corrupted { .. } | StoreError::Io(_)) => return true,
    }
    for (key, value) in model {
        match store.get(key) {
            Ok(found) => assert_eq!(found.as_ref(), Some(value)),
            Err(StoreError::Corrupted { .. } | StoreError::Io(_)) => return true,
        }
    }
    false
}

/// A store with some history: replaced, removed, small and large values, reopened in between.
fn with_history(dir: &Path, engine: Engine) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut model = BTreeMap::new();
    for round in 0..3_u32 {
        let store = open(dir, engine);
        for number in 0..40_u32 {
            let key = format!("r/key/{}", (number * 7 + round) % 60).into_bytes();
            let value = vec![(number + round) as u8; ((number as usize * 977) % 3000) + 1];
            let gone = format!("r/key/{}", (number + round * 11) % 60).into_bytes();
            store
                .apply(Batch::new().remove(gone.clone()).put(key.clone(), value.clone()))
                .unwrap();
            model.remove(&gone);
            model.insert(key, value);
        }
        let blob = vec![round as u8; 140_000];
        store.apply(Batch::new().put("r/large", blob.clone())).unwrap();
        model.insert(b"r/large".to_vec(), blob);
    }
    model
}

fn files_of(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in dir.read_dir().unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_of(&entry.path()));
        } else if entry.metadata().unwrap().len() > 0 {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

/// Damages each file in turn in `rounds` places and counts what was found.
fn damage(engine: Engine, rounds: u64, harm: impl Fn(&mut Vec<u8>, u64)) {
    let dir = folder();
    let model = with_history(dir.path(), engine);
    let mut tried = 0;
    let mut found = 0;
    for file in files_of(dir.path()) {
        for round in 0..rounds {
            let copied = folder();
            copy(dir.path(), copied.path());
            let target = copied.path().join(file.strip_prefix(dir.path()).unwrap());
            let mut bytes = std::fs::read(&target).unwrap();
            // Spread evenly, not in step with any block size.
            let seed = (round * 2_654_435_761) ^ (tried * 40_503);
            harm(&mut bytes, seed);
            std::fs::write(&target, bytes).unwrap();
            tried += 1;
            let checked_at_opening = if round % 2 == 0 { u64::MAX } else { 0 };
            found += u64::from(find_damage(copied.path(), engine, checked_at_opening, &model));
        }
    }
    println!("{engine}: {found} of {tried} damages found, the others harmless");
    assert!(found > 0);
}

/// How often each file is damaged; `SYNDIC_DAMAGE_ROUNDS` asks for more.
fn rounds() -> u64 {
    std::env::var("SYNDIC_DAMAGE_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12)
}

fn flipped_bits_are_found_or_harmless(engine: Engine) {
    damage(engine, rounds() * 2, |bytes, seed| {
        let place = (seed % (bytes.len() as u64 * 8)) as usize;
        bytes[place / 8] ^= 1 << (place % 8);
    });
}

fn zeroed_blocks_are_found_or_harmless(engine: Engine) {
    damage(engine, rounds(), |bytes, seed| {
        let blocks = bytes.len().div_ceil(512);
        let start = (seed as usize % blocks) * 512;
        let end = bytes.len().min(start + 4096);
        bytes[start..end].fill(0);
    });
}

fn cut_files_are_found_or_harmless(engine: Engine) {
    damage(engine, rounds() / 2, |bytes, seed| {
        let length = seed as usize % bytes.len();
        bytes.truncate(length);
    });
}

#[derive(Debug, Clone)]
enum Step {
    Apply {
        writes: Vec<(u8, Option<Vec<u8>>)>,
        expectations: Vec<(u8, bool)>,
    },
    Range(u8, u8, usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..30_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let writes = proptest::collection::vec((0..40_u8, proptest::option::weighted(0.8, value)), 0..12);
    let expectations = proptest::collection::vec((0..40_u8, proptest::bool::weighted(0.9)), 0..3);
    prop_oneof![
        10 => (writes, expectations)
            .prop_map(|(writes, expectations)| Step::Apply { writes, expectations }),
        4 => (0..42_u8, 0..42_u8, 0..50_usize).prop_map(|(from, to, limit)| Step::Range(from, to, limit)),
        1 => Just(Step::Reopen),
    ]
}

fn a_model_agrees(engine: Engine) {
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(steps in proptest::collection::vec(step(), 1..60))| {
        let dir = folder();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut store = Some(open(dir.path(), engine));
        for step in steps {
            let open_store = store.as_ref().unwrap();
            match step {
                Step::Apply { writes, expectations } => {
                    let mut batch = Batch::new();
                    let mut holds = true;
                    for (key, right) in expectations {
                        let now = model.get(&vec![key]).cloned();
                        let expected = if right { now } else { Some(b"no such value".to_vec()) };
                        holds &= right;
                        batch = batch.expect([key], expected);
                    }
                    for (key, value) in &writes {
                        batch.writes.push((vec![*key], value.clone()));
                    }
                    let outcome = open_store.apply(batch);
                    prop_assert_eq!(outcome.is_ok(), holds, "{:?}", outcome);
                    if holds {
                        for (key, value) in writes {
                            match value {
                                Some(value) => model.insert(vec![key], value),
                                None => model.remove(&vec![key]),
                            };
                        }
                    }
                }
                Step::Range(from, to, limit) => {
                    let found = open_store.range(&[from], &[to], limit).unwrap();
                    let wanted: Vec<_> = model
                        .iter()
                        .filter(|(key, _)| key[0] >= from && key[0] < to)
                        .take(limit)
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect();
                    prop_assert_eq!(found, wanted);
                }
                Step::Reopen => {
                    drop(store.take());
                    store = Some(open(dir.path(), engine));
                    prop_assert_eq!(&everything(&**store.as_ref().unwrap()), &model);
                }
            }
        }
        prop_assert_eq!(&everything(&**store.as_ref().unwrap()), &model);
    });
}

/// What a large store does with a small one's content: it opens at once, and whatever is written, replaced and removed
/// before and behind the reader, the sum comes out.
fn a_large_store_is_compared_while_it_is_written(engine: Engine) {
    const RECORDS: u32 = 6_000;
    let dir = folder();
    let key = |number: u32| format!("r/{number:05}").into_bytes();
    let fill = (0..RECORDS).fold(Batch::new(), |batch, number| batch.put(key(number), [7; 64]));
    open(dir.path(), engine).apply(fill).unwrap();
    let options = Options {
        checked_at_opening: 100,
        ..options(engine)
    };
    let store = store::open_with(dir.path(), &options).unwrap();
    let mut model = everything(&*store);
    for round in 0..60_u32 {
        let (changed, gone, new) = (
            key(round * 97 % RECORDS),
            key(round * 61 % RECORDS),
            key(RECORDS + round * 13 % 40),
        );
        store
            .apply(
                Batch::new()
                    .put(changed.clone(), round.to_be_bytes())
                    .remove(gone.clone())
                    .put(new.clone(), "new"),
            )
            .unwrap();
        model.insert(changed, round.to_be_bytes().to_vec());
        model.remove(&gone);
        model.insert(new, b"new".to_vec());
    }
    assert_eq!(when_compared(&*store), Content::Checked);
    assert_eq!(everything(&*store), model);
    drop(store);
    assert_eq!(everything(&*open(dir.path(), engine)), model);
}

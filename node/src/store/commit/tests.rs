#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use super::Progress;
use crate::store::memory::Disk;
use crate::store::{ApplyError, Batch, Content, Store, check};

#[test]
fn a_write_is_not_seen_before_it_is_durable() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    store.apply(Batch::new().put("a", "1").put("c", "1")).unwrap();
    disk.hold();
    std::thread::scope(|scope| {
        let write = scope.spawn(|| store.apply(Batch::new().put("a", "2").put("b", "2").remove("c")));
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
        assert_eq!(store.get(b"b").unwrap(), None);
        assert_eq!(store.get(b"c").unwrap().unwrap(), b"1");
        let keys = |limit| -> Vec<Vec<u8>> {
            store
                .range(b"", b"", limit)
                .unwrap()
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        };
        assert_eq!(keys(10), [b"a", b"c"]);
        assert_eq!(keys(1), [b"a"]);
        assert!(!write.is_finished());
        disk.release();
        write.join().unwrap().unwrap();
    });
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"2");
    assert_eq!(store.get(b"c").unwrap(), None);
}

#[test]
fn after_a_failed_commit_nothing_is_written_and_reading_goes_on() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    store.apply(Batch::new().put("a", "1")).unwrap();
    disk.fail_after(0);
    let failed = store.apply(Batch::new().put("a", "2").put("b", "2"));
    assert!(matches!(failed, Err(ApplyError::Failed(_))));
    // The disk may be well again; what it holds is unknown all the same.
    disk.repair();
    let refused = store.apply(Batch::new().put("a", "3")).unwrap_err();
    assert!(refused.to_string().contains("restart the node"), "{refused}");
    assert!(matches!(store.writable(), Err(ApplyError::ReadOnly(_))));
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.range(b"", b"", 10).unwrap().len(), 1);
    drop(store);
    let store = disk.open().unwrap();
    store.writable().unwrap();
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
    store.apply(Batch::new().put("a", "4")).unwrap();
}

#[test]
fn waiting_batches_share_a_commit_and_see_each_other() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    disk.hold();
    let before = disk.commits();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let first = scope.spawn(|| store.apply(Batch::new().put("first", "")));
        std::thread::sleep(Duration::from_millis(50));
        // All want to be the one who creates the key; they queue while the disk is busy.
        let writers: Vec<_> = (0..20_u8)
            .map(|writer| {
                let store = Arc::clone(&store);
                scope.spawn(move || store.apply(Batch::new().expect("one", None).put("one", [writer])))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        disk.release();
        first.join().unwrap().unwrap();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| { matches!(outcome, Ok(()) | Err(ApplyError::Expectation { .. })) })
    );
    assert!(disk.commits() - before <= 3, "{} commits", disk.commits() - before);
}

#[test]
fn a_group_that_fails_fails_for_all_of_it() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    disk.hold();
    disk.fail_after(1);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| store.apply(Batch::new().put("first", "")));
        std::thread::sleep(Duration::from_millis(50));
        let create = || store.apply(Batch::new().expect("one", None).put("one", ""));
        let (a, b) = (scope.spawn(create), scope.spawn(create));
        std::thread::sleep(Duration::from_millis(50));
        disk.release();
        first.join().unwrap().unwrap();
        // Not "expectation": the write it would have collided with never happened.
        for outcome in [a.join().unwrap(), b.join().unwrap()] {
            let error = outcome.unwrap_err();
            assert!(
                matches!(error, ApplyError::Failed(_) | ApplyError::ReadOnly(_)),
                "{error}"
            );
        }
    });
    assert_eq!(store.get(b"one").unwrap(), None);
}

/// Pages are read by hand here, so that writes fall before, behind and between them every time.
#[test]
fn the_sum_comes_out_whatever_is_written_between_pages() {
    const RECORDS: u32 = 3_000;
    for seed in 0..20_u32 {
        let disk = Disk::new();
        let store = disk.committed(u64::MAX).unwrap();
        let fill = (0..RECORDS).fold(Batch::new(), |batch, number| batch.put(number.to_be_bytes(), "1"));
        store.apply(fill).unwrap();
        let totals = check::stored_totals(&store.shared.backend, &store.shared.folder).unwrap();
        *store.shared.progress() = Progress::begin(totals);
        let mut pages = 0;
        while store.shared.check_page().unwrap() {
            pages += 1;
            let at = |step: u32| (seed * 131 + pages * 977 + step * 389) % (RECORDS + 50);
            let batch = Batch::new()
                .put(at(1).to_be_bytes(), pages.to_be_bytes())
                .put(at(2).to_be_bytes(), pages.to_be_bytes())
                .remove(at(3).to_be_bytes())
                .remove(at(4).to_be_bytes());
            store.apply(batch).unwrap();
        }
        assert!(pages >= 5, "{pages}");
        assert_eq!(store.content(), Content::Checked);
    }
}

#[test]
fn a_record_that_vanished_stops_a_store_that_is_in_use() {
    let disk = Disk::new();
    let fill = (0..2_000_u32).fold(Batch::new(), |batch, number| batch.put(number.to_be_bytes(), "1"));
    disk.open().unwrap().apply(fill).unwrap();
    disk.lose(&1_999_u32.to_be_bytes());
    assert!(disk.open().is_err());
    let store = disk.open_checking(0).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !matches!(store.content(), Content::Damaged(_)) {
        assert!(std::time::Instant::now() < deadline, "{:?}", store.content());
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(store.get(&1_u32.to_be_bytes()).is_err());
    assert!(store.range(b"", b"", 1).is_err());
    let refused = store.apply(Batch::new().put("a", "1"));
    assert!(matches!(refused, Err(ApplyError::ReadOnly(_))), "{refused:?}");
    assert!(store.writable().is_err());
}

#[test]
fn a_batch_that_changes_nothing_costs_no_commit() {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    store.apply(Batch::new().put("a", "1")).unwrap();
    let before = disk.commits();
    store
        .apply(Batch::new().put("a", "1").remove("b").expect("c", None))
        .unwrap();
    assert_eq!(disk.commits(), before);
}

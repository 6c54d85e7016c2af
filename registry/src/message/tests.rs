#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::cosignature::Cosignature;
use crate::fork::{Branch, Common};

fn any_note() -> impl Strategy<Value = String> {
    "[a-z/:\n]{0,80}"
}

fn any_size() -> impl Strategy<Value = u64> {
    0..=limits::LOG_SIZE
}

fn any_entries() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(any::<u8>(), 0..40), 0..6)
}

fn any_hashes() -> impl Strategy<Value = Vec<Hash>> {
    vec(any::<Hash>(), 0..6)
}

fn any_branch() -> impl Strategy<Value = Branch> {
    (any_note(), any::<Hash>(), any_hashes()).prop_map(|(note, root, proof)| Branch { note, root, proof })
}

fn any_rotation() -> impl Strategy<Value = Rotation> {
    let key = |seed: u8| crate::example::key(seed).public_key().clone();
    (any::<u8>(), any::<u8>(), 1..=limits::LOG_SIZE).prop_map(move |(previous, next, from)| Rotation {
        previous: key(previous),
        key: key(next),
        from,
        next: crate::log_keys::commitment(&key(previous)),
        proof: multibase::encode(multibase::Base::Base58Btc, [next; 64]),
    })
}

fn any_known_rotation() -> impl Strategy<Value = KnownRotation> {
    ("[a-z:]{1,60}", any_rotation()).prop_map(|(organization, rotation)| KnownRotation { organization, rotation })
}

fn any_fork() -> impl Strategy<Value = Fork> {
    let common = proptest::option::of(
        (any::<Hash>(), any_hashes(), any_hashes()).prop_map(|(root, one, other)| Common { root, one, other }),
    );
    let rotations = vec(any_rotation(), 0..3);
    (any_size(), any_branch(), any_branch(), common, rotations).prop_map(|(at, one, other, common, rotations)| Fork {
        at,
        one,
        other,
        common,
        rotations,
    })
}

fn any_cosigned() -> impl Strategy<Value = Cosigned> {
    let line = (
        "[a-z]{1,9}",
        any::<[u8; 4]>(),
        0..9_999_999_999_i64,
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
    );
    (any_size(), any::<Hash>(), vec(line, 1..5)).prop_map(|(size, root, lines)| {
        let line = |(name, key_id, time, r, s): (String, _, i64, [u8; 32], [u8; 32])| Cosignature {
            witness: syndic_vc::did::Did::parse(&format!("did:x:{name}")).unwrap(),
            size,
            root,
            time: syndic_vc::time::Timestamp::from_unix_seconds(time).unwrap(),
            key_id,
            signature: [r, s].concat().try_into().unwrap(),
        };
        let mut lines: Vec<Cosignature> = lines.into_iter().map(line).collect();
        lines.sort_by(|a, b| a.witness.cmp(&b.witness));
        lines.dedup_by(|a, b| a.witness == b.witness);
        Cosigned {
            organization: "did:x:log".to_owned(),
            size,
            root,
            lines,
        }
    })
}

fn any_broadcast() -> impl Strategy<Value = Broadcast> {
    prop_oneof![
        (any_note(), any_size(), any_entries()).prop_map(|(note, from, entries)| Broadcast::News(News {
            note,
            from,
            entries
        })),
        any_fork().prop_map(Broadcast::Fork),
        any_cosigned().prop_map(Broadcast::Cosigned),
        vec(any::<u8>(), 0..300).prop_map(Broadcast::Charter),
    ]
}

fn any_parting() -> impl Strategy<Value = Option<Parting>> {
    proptest::option::of((any_size(), any::<bool>(), any::<Hash>(), any::<Hash>()).prop_map(
        |(at, certain, proof, salvaged)| Parting {
            at,
            certain,
            proof,
            salvaged,
        },
    ))
}

fn any_record() -> impl Strategy<Value = Record> {
    (any_size(), vec(any::<u8>(), 0..40), any_note(), any_hashes()).prop_map(|(index, entry, note, proof)| Record {
        index,
        entry,
        note,
        proof,
    })
}

fn any_standpoints() -> impl Strategy<Value = Vec<Standpoint>> {
    let one = (
        ("[a-z:]{1,60}", any_size(), any::<Hash>()),
        (any::<u64>(), any_parting(), any::<u64>(), 0..=limits::LOG_KEYS as u16),
    )
        .prop_map(
            |((organization, size, root), (time, fork, cosigned, rotations))| Standpoint {
                organization,
                size,
                root,
                time,
                fork,
                cosigned,
                rotations,
            },
        );
    vec(one, 0..6).prop_map(|mut logs| {
        logs.sort_by(|a, b| a.organization.cmp(&b.organization));
        logs.dedup_by(|a, b| a.organization == b.organization);
        logs
    })
}

fn any_chain_point() -> impl Strategy<Value = ChainPoint> {
    (0..u32::MAX, "[a-zA-Z]{0,60}", any::<bool>()).prop_map(|(version, hash, conflict)| ChainPoint {
        version,
        hash,
        conflict,
    })
}

fn any_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (any::<u64>(), any_chain_point(), any_standpoints(), any::<bool>()).prop_map(|(id, charter, logs, only)| {
            Ask::Compare {
                id,
                charter,
                logs,
                only,
            }
        }),
        (any::<u64>(), vec(any::<u8>(), 0..300)).prop_map(|(id, message)| Ask::Reconcile { id, message }),
        (any::<u64>(), 0..u32::MAX).prop_map(|(id, from)| Ask::Charters { id, from }),
        (any::<u64>(), "[a-z:]{1,60}", any_size()).prop_map(|(id, organization, from)| Ask::Pull {
            id,
            organization,
            from
        }),
        (any::<u64>(), "[a-z:]{1,60}", vec(any_size(), 0..=16)).prop_map(|(id, organization, sizes)| Ask::Probe {
            id,
            organization,
            sizes
        }),
        (any::<u64>(), "[a-z:]{1,60}", vec(any::<[u8; 16]>(), 0..6))
            .prop_map(|(id, organization, have)| { Ask::Salvage { id, organization, have } }),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let piece = (
        any::<u64>(),
        any_note(),
        any_size(),
        any::<Hash>(),
        any_hashes(),
        any_entries(),
        any_hashes(),
    );
    prop_oneof![
        (
            any::<u64>(),
            vec(any_known_rotation(), 0..3),
            vec(any_note(), 0..4),
            vec(any_fork(), 0..3),
            vec(any_cosigned(), 0..3)
        )
            .prop_map(|(id, rotations, notes, forks, cosigned)| Answer::Heads {
                id,
                rotations,
                notes,
                forks,
                cosigned
            }),
        piece.prop_map(|(id, note, from, start_root, start_proof, entries, end_proof)| {
            Answer::Piece(Piece {
                id,
                note,
                from,
                start_root,
                start_proof,
                entries,
                end_proof,
            })
        }),
        (any::<u64>(), any_note(), vec((any::<Hash>(), any_hashes()), 0..6))
            .prop_map(|(id, note, roots)| Answer::Roots(Roots { id, note, roots })),
        (any::<u64>(), vec(any_record(), 0..4)).prop_map(|(id, records)| Answer::Salvaged { id, records }),
        (any::<u64>(), vec(any::<u8>(), 0..300)).prop_map(|(id, message)| Answer::Reconciled { id, message }),
        (any::<u64>(), 0..Refusal::ALL.len()).prop_map(|(id, why)| Answer::Refused {
            id,
            why: Refusal::ALL[why]
        }),
    ]
}

/// A message bent a little: the kind of bytes that get furthest into a decoder.
fn bent(mut bytes: Vec<u8>, how: u8, at: usize, with: u8) -> Vec<u8> {
    let at = at % bytes.len();
    match how % 4 {
        0 => bytes[at] = with,
        1 => bytes.truncate(at),
        2 => bytes.insert(at, with),
        _ => drop(bytes.remove(at)),
    }
    bytes
}

/// Whatever decodes, encodes to the very bytes: there is one form of each message.
fn decodes_canonically(bytes: &[u8]) {
    if let Ok(message) = Broadcast::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Ask::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = Answer::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(fork) = Fork::decode(bytes) {
        assert_eq!(fork.encode(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn broadcasts_come_back_as_they_went(message in any_broadcast()) {
        prop_assert_eq!(Broadcast::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn questions_come_back_as_they_went(message in any_ask()) {
        prop_assert_eq!(Ask::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn answers_come_back_as_they_went(message in any_answer()) {
        prop_assert_eq!(Answer::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..300), kind in 0_u8..19) {
        decodes_canonically(&bytes);
        if bytes.len() > 2 {
            bytes[0] = VERSION;
            bytes[1] = kind;
            decodes_canonically(&bytes);
        }
    }

    #[test]
    fn bent_messages_never_panic_and_have_one_form(
        broadcast in any_broadcast(),
        ask in any_ask(),
        answer in any_answer(),
        how in any::<u8>(),
        at in any::<usize>(),
        with in any::<u8>(),
    ) {
        for bytes in [broadcast.encode(), ask.encode(), answer.encode()] {
            decodes_canonically(&bent(bytes, how, at, with));
        }
    }
}

fn kind_of<T: std::fmt::Debug>(result: Result<T, MessageError>) -> MessageErrorKind {
    result.unwrap_err().kind
}

#[test]
fn bounds_are_checked_before_anything_is_set_aside() {
    // 256 entries are announced, none is there: nothing is allocated for them.
    let mut out = begin(NEWS, 0);
    out.run(b"note");
    out.u64(0);
    out.count(256);
    assert_eq!(kind_of(Broadcast::decode(&out.finish())), MessageErrorKind::Short);

    let mut out = begin(NEWS, 0);
    out.run(b"note");
    out.u64(0);
    out.count(257);
    let kind = kind_of(Broadcast::decode(&out.finish()));
    assert_eq!(kind, MessageErrorKind::TooMuch("entries"));

    let mut out = begin(NEWS, 0);
    out.run(&vec![b'a'; limits::NOTE_BYTES + 1]);
    let kind = kind_of(Broadcast::decode(&out.finish()));
    assert_eq!(kind, MessageErrorKind::TooMuch("bytes in a head"));

    let mut out = begin(PULL, 0);
    out.u64(1);
    out.run(b"did:example:a");
    out.u64(limits::LOG_SIZE + 1);
    let kind = kind_of(Ask::decode(&out.finish()));
    assert_eq!(kind, MessageErrorKind::TooMuch("log size"));

    let long = Ask::Reconcile {
        id: 1,
        message: vec![0; limits::RECONCILE_BYTES + 1],
    };
    let kind = kind_of(Ask::decode(&long.encode()));
    assert_eq!(kind, MessageErrorKind::TooMuch("bytes in a reconciliation"));

    let long = vec![VERSION; limits::BROADCAST_BYTES + 1];
    let kind = kind_of(Broadcast::decode(&long));
    assert_eq!(kind, MessageErrorKind::TooMuch("bytes in one message"));
}

#[test]
fn other_versions_and_kinds_are_told_apart() {
    let pull = Ask::Pull {
        id: 1,
        organization: "did:example:a".to_owned(),
        from: 0,
    };
    let mut bytes = pull.encode();
    assert_eq!(kind_of(Answer::decode(&bytes)), MessageErrorKind::Kind(PULL));
    assert_eq!(kind_of(Broadcast::decode(&bytes)), MessageErrorKind::Kind(PULL));
    bytes.push(0);
    assert_eq!(
        kind_of(Ask::decode(&bytes)),
        MessageErrorKind::Value("bytes after the end")
    );
    bytes[0] = VERSION + 1;
    let error = Ask::decode(&bytes).unwrap_err();
    assert!(error.is_other_version());
    assert_eq!(error.to_string(), "not a message: version 3 of the format at byte 1");
}

#[test]
fn logs_are_listed_once_and_in_order() {
    let log = |name: &str| Standpoint {
        organization: name.to_owned(),
        size: 0,
        root: [0; 32],
        time: 0,
        fork: None,
        cosigned: 0,
        rotations: 0,
    };
    let kind = |logs| {
        kind_of(Ask::decode(
            &Ask::Compare {
                id: 0,
                charter: ChainPoint::default(),
                logs,
                only: false,
            }
            .encode(),
        ))
    };
    let wrong = MessageErrorKind::Value("logs out of order");
    assert_eq!(kind(vec![log("b"), log("a")]), wrong);
    assert_eq!(kind(vec![log("a"), log("a")]), wrong);
}

#[test]
fn a_revocation_costs_a_few_hundred_bytes() {
    // The entry is counted apart: what the format adds to head and entry.
    let news = News {
        note: "n".repeat(600),
        from: 7,
        entries: vec![vec![0; 200]],
    };
    assert_eq!(Broadcast::News(news).encode().len() - 800, 16);
}

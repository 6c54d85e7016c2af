//! Vectors of `specs/vectors/log`.

use syndic_registry::head::{self, Head};
use syndic_registry::log::{Frontier, Hash, append, leaf_hash};
use syndic_registry::log_keys::{LogKeys, Rotation};
use syndic_registry::note::Note;
use syndic_registry::proof;
use syndic_registry::store::MemoryStore;
use syndic_vc::json::Value;
use syndic_vc::object;

use super::{Made, at, founded, judged, key, text_vector};

const ORGANIZATION: &str = "did:key:z6MkVectors";
const SIZE: u64 = 300;

fn entry(index: u64) -> String {
    format!("entry {index}")
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hexes(hashes: &[Hash]) -> Value {
    hashes.iter().map(hex).collect()
}

/// A log of [`SIZE`] entries.
fn log() -> MemoryStore {
    let mut store = MemoryStore::default();
    let mut frontier = Frontier::default();
    for index in 0..SIZE {
        let (after, writes) = append(ORGANIZATION, &frontier, &[entry(index)]).unwrap();
        store.write(&writes);
        frontier = after;
    }
    store
}

fn root(size: u64) -> Hash {
    proof::root(ORGANIZATION, size, &log()).unwrap().unwrap()
}

pub fn all() -> Vec<Made> {
    [
        trees(),
        inclusions(),
        consistencies(),
        heads(),
        malformed_heads(),
        statements(),
        rotations(),
        paths(),
    ]
    .concat()
}

fn trees() -> Vec<Made> {
    let tree = |name, size: u64| {
        let entries: Value = (0..size).map(entry).collect();
        let vector = object! { "kind": "tree", "entries": entries, "root": hex(&root(size)) };
        ("log", name, judged(vector, None))
    };
    vec![
        tree("tree-empty", 0),
        tree("tree-of-1", 1),
        tree("tree-of-7", 7),
        tree("tree-of-257", 257),
    ]
}

fn inclusion(name: &'static str, said: u64, index: u64, proof: &[Hash], refused: Option<&str>) -> Made {
    let vector = object! {
        "kind": "inclusion", "entry": entry(said), "index": index, "size": SIZE,
        "proof": hexes(proof), "root": hex(&root(SIZE)),
    };
    ("log", name, judged(vector, refused))
}

fn inclusions() -> Vec<Made> {
    let good = proof::inclusion(ORGANIZATION, 258, SIZE, &log()).unwrap().unwrap();
    let shorter = &good[..good.len() - 1];
    let longer = [good.as_slice(), &[[0; 32]]].concat();
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    vec![
        inclusion("inclusion", 258, 258, &good, None),
        inclusion("inclusion-of-another-entry", 259, 258, &good, Some("root")),
        inclusion("inclusion-at-another-index", 258, 259, &good, Some("root")),
        inclusion("inclusion-beyond-the-tree", 258, SIZE, &good, Some("does not have")),
        inclusion("inclusion-with-a-hash-less", 258, 258, shorter, Some("wrong number")),
        inclusion("inclusion-with-a-hash-more", 258, 258, &longer, Some("wrong number")),
        inclusion("inclusion-with-hashes-swapped", 258, 258, &swapped, Some("root")),
    ]
}

fn consistency(name: &'static str, sizes: [u64; 2], roots: [Hash; 2], proof: &[Hash], refused: Option<&str>) -> Made {
    let vector = object! {
        "kind": "consistency", "first": sizes[0], "second": sizes[1],
        "firstRoot": hex(&roots[0]), "secondRoot": hex(&roots[1]), "proof": hexes(proof),
    };
    ("log", name, judged(vector, refused))
}

fn consistencies() -> Vec<Made> {
    let of = |first, second| {
        proof::consistency(ORGANIZATION, first, second, &log())
            .unwrap()
            .unwrap()
    };
    let (one, two) = (of(259, SIZE), of(256, SIZE));
    let roots = [root(259), root(SIZE)];
    let rewritten = [leaf_hash(b"another story"), root(SIZE)];
    vec![
        consistency("consistency", [259, SIZE], roots, &one, None),
        consistency(
            "consistency-from-a-power-of-two",
            [256, SIZE],
            [root(256), root(SIZE)],
            &two,
            None,
        ),
        consistency("consistency-from-nothing", [0, SIZE], [root(0), root(SIZE)], &[], None),
        consistency(
            "consistency-with-itself",
            [SIZE, SIZE],
            [root(SIZE), root(SIZE)],
            &[],
            None,
        ),
        consistency(
            "consistency-with-another-story",
            [259, SIZE],
            rewritten,
            &one,
            Some("root"),
        ),
        consistency(
            "consistency-of-another-size",
            [258, SIZE],
            roots,
            &one,
            Some("wrong number"),
        ),
        consistency("consistency-backwards", [SIZE, 259], roots, &one, Some("does not have")),
        consistency(
            "consistency-with-a-hash-less",
            [259, SIZE],
            roots,
            &one[..one.len() - 1],
            Some("wrong number"),
        ),
        consistency(
            "consistency-from-nothing-with-a-hash",
            [0, SIZE],
            [root(0), root(SIZE)],
            &one[..1],
            Some("wrong number"),
        ),
        consistency(
            "consistency-of-one-size-with-two-roots",
            [SIZE, SIZE],
            [root(299), root(SIZE)],
            &[],
            Some("root"),
        ),
    ]
}

/// A head of Hospital A, whose log key has seed 12.
fn signed(size: u64, seconds: i64) -> Head {
    let (origin, time) = (
        origin(),
        at("2026-11-24T22:50:53Z").checked_add_seconds(seconds).unwrap(),
    );
    Head::sign(&origin, size, &root(size), &key(12), time).unwrap()
}

fn origin() -> String {
    let charter = founded();
    head::origin(charter.id(), charter.members()[0].did().as_str())
}

fn head_vector(name: &'static str, note: &str, refused: Option<&str>) -> Made {
    let vector = object! {
        "kind": "head", "note": note, "origin": origin(), "logKey": key(12).public_key().to_multikey(),
        "size": SIZE, "root": hex(&root(SIZE)), "time": "2026-11-24T22:50:53Z",
    };
    ("log", name, judged(vector, refused))
}

fn heads() -> Vec<Made> {
    let good = signed(SIZE, 0);
    let parsed = Note::parse(good.note()).unwrap();
    let lines = |change: &dyn Fn(&mut Note)| {
        let mut note = parsed.clone();
        change(&mut note);
        note.to_string()
    };
    let later = Note::parse(signed(SIZE, 1).note()).unwrap();
    let smaller = Note::parse(signed(299, 0).note()).unwrap();
    let stranger = Head::sign(&origin(), SIZE, &root(SIZE), &key(13), good.time()).unwrap();
    let elsewhere = Head::sign("syndic/zQm/did:key:z6Mk", SIZE, &root(SIZE), &key(12), good.time()).unwrap();
    let witnessed = format!("{}\u{2014} witness.example/w1 AAAAAAE=\n", good.note());
    vec![
        head_vector("head", good.note(), None),
        head_vector("head-with-a-witness", &witnessed, None),
        head_vector(
            "head-without-plain-signature",
            &lines(&|n| drop(n.signatures.remove(0))),
            Some("lacks"),
        ),
        head_vector(
            "head-without-cosignature",
            &lines(&|n| drop(n.signatures.remove(1))),
            Some("lacks"),
        ),
        head_vector("head-signed-by-another-key", stranger.note(), Some("another key")),
        head_vector("head-of-another-log", elsewhere.note(), Some("is of the log")),
        head_vector(
            "head-with-the-signature-of-another-size",
            &lines(&|n| n.signatures[0] = smaller.signatures[0].clone()),
            Some("0x01 does not verify"),
        ),
        head_vector(
            "head-with-the-cosignature-of-another-size",
            &lines(&|n| n.signatures[1] = smaller.signatures[1].clone()),
            Some("0x04 does not verify"),
        ),
        head_vector(
            "head-with-a-later-time",
            &lines(&|n| n.signatures[1].signature[..8].copy_from_slice(&later.signatures[1].signature[..8])),
            Some("0x04 does not verify"),
        ),
        head_vector(
            "head-with-another-size",
            &good.note().replace("\n300\n", "\n301\n"),
            Some("does not verify"),
        ),
        head_vector(
            "head-signed-twice-by-one-key",
            &lines(&|n| n.signatures.push(n.signatures[0].clone())),
            Some("repeats"),
        ),
    ]
}

fn malformed_heads() -> Vec<Made> {
    let note = signed(SIZE, 0).note().to_owned();
    let (text, signatures) = note.split_once("\n\n").unwrap();
    let extended = format!("{text}\nextension\n\n{signatures}");
    let spaced = note.replace("\n300\n", "\n300 \n");
    let zeroed = note.replace("\n300\n", "\n0300\n");
    let padded = note.replacen("=\n\n", "\n\n", 1);
    let layout = "blank line";
    vec![
        head_vector(
            "head-with-an-extension-line",
            &extended,
            Some("origin, a size and a root"),
        ),
        head_vector(
            "head-with-a-space-after-the-size",
            &spaced,
            Some("origin, a size and a root"),
        ),
        head_vector("head-with-a-leading-zero", &zeroed, Some("origin, a size and a root")),
        head_vector("head-with-an-unpadded-root", &padded, Some("origin, a size and a root")),
        head_vector("head-without-signatures", &format!("{text}\n"), Some(layout)),
        head_vector("head-without-final-newline", note.trim_end(), Some(layout)),
        head_vector(
            "head-with-carriage-returns",
            &note.replace('\n', "\r\n"),
            Some("control character"),
        ),
        head_vector(
            "head-with-padding-inside-base64",
            &note.replace(signatures, "\u{2014} a AA==AAAAAA==\n"),
            Some("malformed"),
        ),
        head_vector(
            "head-with-a-hyphen-for-the-dash",
            &note.replace('\u{2014}', "-"),
            Some("malformed"),
        ),
    ]
}

/// Rotations of a log key, and a head that they must explain.
fn rotations() -> Vec<Made> {
    let charter = founded();
    let card = &charter.members()[0];
    let origin = head::origin(charter.id(), card.did().as_str());
    let start = LogKeys::new(charter.id(), card);
    let to = |keys: &LogKeys, seed: u8, from, signer: u8| {
        Rotation::sign(
            keys,
            key(seed).public_key(),
            from,
            key(seed + 1).public_key(),
            &key(signer),
        )
        .unwrap()
    };
    let head = |size, seed: u8| Head::sign(&origin, size, &[7; 32], &key(seed), at("2026-11-24T22:50:53Z")).unwrap();
    let first = to(&start, 101, 5, 11);
    let mut after = start.clone();
    after.learn(&first).unwrap();
    let second = to(&after, 102, 9, 11);
    let unpromised = to(&after, 150, 9, 11);
    let earlier = to(&after, 102, 5, 11);
    let by_log_key = to(&start, 101, 5, 12);
    let other = to(&start, 110, 6, 11);
    let mut moved = first.clone();
    moved.from = 4;
    let vector = |name, rotations: &[&Rotation], size, seed, refused| {
        let told: Value = rotations.iter().map(|rotation| rotation.to_value()).collect();
        let vector = object! {
            "kind": "logKeys", "consortium": charter.id(), "card": card.to_value(), "rotations": told,
            "note": head(size, seed).note(), "size": size,
        };
        ("log", name, judged(vector, refused))
    };
    let other_key = Some("another key");
    vec![
        vector("log-key-of-the-card", &[], 4, 12, None),
        vector("log-key-of-the-card-below-a-rotation", &[&first], 4, 12, None),
        vector("log-key-after-a-rotation", &[&first], 5, 101, None),
        vector("log-key-after-two-rotations", &[&first, &second], 9, 102, None),
        vector("log-key-that-was-replaced", &[&first], 5, 12, other_key),
        vector("log-key-that-was-replaced-twice", &[&first, &second], 9, 101, other_key),
        vector("log-key-of-a-later-size", &[&first], 4, 101, other_key),
        vector("log-key-of-nobody", &[&first], 5, 77, other_key),
        vector(
            "rotation-by-the-log-key",
            &[&by_log_key],
            5,
            101,
            Some("did not sign it"),
        ),
        vector(
            "rotation-of-another-size-than-signed",
            &[&moved],
            4,
            101,
            Some("did not sign it"),
        ),
        vector(
            "rotation-to-a-key-that-was-not-promised",
            &[&first, &unpromised],
            9,
            150,
            Some("promised"),
        ),
        vector(
            "rotation-from-no-later-size",
            &[&first, &earlier],
            9,
            102,
            Some("does not come after"),
        ),
        vector(
            "rotation-without-the-one-before",
            &[&second],
            9,
            102,
            Some("not the newest"),
        ),
        vector(
            "rotation-twice-from-one-key",
            &[&first, &other],
            5,
            101,
            Some("another successor"),
        ),
    ]
}

fn statements() -> Vec<Made> {
    let statement = |name, text: &str, refused: Option<&str>| {
        ("log", name, judged(text_vector("statement", "text", text), refused))
    };
    let retired = r#"{"agent":"did:key:z6MkAgent","at":"2026-11-24T22:50:53Z","kind":"agentRetired"}"#;
    let changed = r#"{"at":"2026-11-24T22:50:53Z","kind":"statusChanged","list":"https://a.example/1","set":[1,5]}"#;
    let authorize = r#"{"action":"read","at":"2026-11-24T22:50:53Z","entity":"did:key:z6MkB","kind":"authorize","resource":"records/*"}"#;
    let later = r#"{"any":[1,"thing"],"at":"2026-11-24T22:50:53Z","kind":"notKnownYet"}"#;
    let lost = r#"{"at":"2026-11-24T22:50:53Z","key":"did:web:a.example#key-1","kind":"keyCompromised"}"#;
    let seen = r#"{"at":"2026-11-24T22:50:53Z","digests":["zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei"],"kind":"credentialsAnchored"}"#;
    let bundle = r#"{"at":"2026-11-24T22:50:53Z","bundle":{"keys":[]},"domain":"https://a.example/agents","format":"jwks","kind":"trustBundle"}"#;
    let evidence = r#"{"at":"2026-11-24T22:50:53Z","digest":"zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei","kind":"forkEvidence","organization":"did:key:z6MkB"}"#;
    vec![
        statement("statement-agent-retired", retired, None),
        statement("statement-status-changed", changed, None),
        statement("statement-authorize", authorize, None),
        statement("statement-of-unknown-kind", later, None),
        statement("statement-key-compromised", lost, None),
        statement(
            "statement-key-compromised-without-a-fragment",
            &lost.replace("#key-1", ""),
            Some("/key"),
        ),
        statement("statement-credentials-anchored", seen, None),
        statement(
            "statement-credentials-anchored-with-another-hash",
            &seen.replace("zQmY9egg", "zQmY9eggA"),
            Some("/digests"),
        ),
        statement(
            "statement-credentials-anchored-twice",
            &seen.replace("\"zQm", "\"zQmY9eggDs67grsSrRft2fCiEiisreFmXvgWU4hBT6BbDei\",\"zQm"),
            Some("/digests"),
        ),
        statement(
            "statement-credentials-anchored-none",
            r#"{"at":"2026-11-24T22:50:53Z","digests":[],"kind":"credentialsAnchored"}"#,
            Some("/digests"),
        ),
        statement("statement-trust-bundle", bundle, None),
        statement(
            "statement-trust-bundle-of-unknown-format",
            &bundle.replace("\"jwks\"", "\"x509\""),
            Some("/format"),
        ),
        statement(
            "statement-trust-bundle-without-keys",
            &bundle.replace("\"keys\":[]", "\"key\":[]"),
            Some("/bundle/keys"),
        ),
        statement(
            "statement-trust-bundle-of-no-spiffe-domain",
            &bundle.replace("\"jwks\"", "\"spiffe\""),
            Some("/domain"),
        ),
        statement("statement-fork-evidence", evidence, None),
        statement(
            "statement-fork-evidence-without-digest",
            &evidence.replace("zQmY9egg", "sha256-"),
            Some("/digest"),
        ),
        statement(
            "statement-with-unknown-member",
            &retired.replace(",\"at\"", ",\"as\":1,\"at\""),
            Some("/as"),
        ),
        statement(
            "statement-with-white-space",
            &retired.replace(",\"at\"", ", \"at\""),
            Some("canonical"),
        ),
        statement(
            "statement-with-members-out-of-order",
            &changed.replace(
                "\"at\":\"2026-11-24T22:50:53Z\",\"kind\":\"statusChanged\"",
                "\"kind\":\"statusChanged\",\"at\":\"2026-11-24T22:50:53Z\"",
            ),
            Some("canonical"),
        ),
        statement(
            "statement-with-a-needless-escape",
            &retired.replace("Agent\"", "\\u0041gent\""),
            Some("canonical"),
        ),
        statement(
            "statement-with-a-member-twice",
            &retired.replace("{\"agent\"", "{\"agent\":\"did:key:z6MkA\",\"agent\""),
            Some("appears twice"),
        ),
        statement(
            "statement-without-a-time",
            &retired.replace("\"at\":\"2026-11-24T22:50:53Z\",", ""),
            Some("/at"),
        ),
        statement(
            "statement-with-a-fraction-of-a-second",
            &retired.replace("53Z", "53.5Z"),
            Some("/at"),
        ),
        statement(
            "statement-of-an-agent-without-did",
            &retired.replace("did:key:z6MkAgent", "agent 7"),
            Some("/agent"),
        ),
        statement(
            "statement-with-indices-out-of-order",
            &changed.replace("[1,5]", "[5,1]"),
            Some("/set"),
        ),
        statement(
            "statement-with-an-index-twice",
            &changed.replace("[1,5]", "[5,5]"),
            Some("/set"),
        ),
        statement(
            "statement-with-a-negative-index",
            &changed.replace("[1,5]", "[-1]"),
            Some("/set"),
        ),
        statement(
            "statement-with-a-fractional-index",
            &changed.replace("[1,5]", "[1.5]"),
            Some("/set"),
        ),
        statement(
            "statement-that-changes-nothing",
            &changed.replace(",\"set\":[1,5]", ""),
            Some("/set"),
        ),
        statement(
            "statement-with-dots-in-the-resource",
            &authorize.replace("records/*", "records/../x"),
            Some("/resource"),
        ),
        statement(
            "statement-with-a-wildcard-for-actions",
            &authorize.replace("read", "*"),
            Some("/action"),
        ),
        statement("statement-that-is-no-object", "[]", Some("object")),
        statement(
            "statement-followed-by-something",
            &format!("{retired}{retired}"),
            Some("not a readable JSON"),
        ),
    ]
}

fn paths() -> Vec<Made> {
    let path =
        |name, path: &str, refused: Option<&str>| ("log", name, judged(text_vector("path", "path", path), refused));
    let none = Some("no such file");
    vec![
        path("path-of-a-tile", "tile/0/x001/x234/067", None),
        path("path-of-a-partial-tile", "tile/1/000.p/255", None),
        path("path-of-a-bundle", "tile/entries/x012/345.p/1", None),
        path("path-with-leading-zeroes-in-the-number", "tile/0/x000/067", none),
        path("path-with-leading-zeroes-in-the-level", "tile/00/067", none),
        path("path-with-leading-zeroes-in-the-width", "tile/0/067.p/01", none),
        path("path-of-a-width-of-256", "tile/0/067.p/256", none),
        path("path-of-a-width-of-0", "tile/0/067.p/0", none),
        path("path-of-level-64", "tile/64/000", none),
        path("path-without-the-x", "tile/0/001/234", none),
        path("path-with-an-x-on-the-last-group", "tile/0/x001/x234", none),
        path("path-with-two-digits", "tile/0/67", none),
        path("path-with-a-slash-in-front", "/tile/0/067", none),
        path("path-that-climbs", "tile/0/../../secret", none),
    ]
}

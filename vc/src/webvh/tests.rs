#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use zeroize::Zeroizing;

use super::*;
use crate::did_web::Location;
use crate::json;
use crate::key::SecretKey;
use crate::object;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(Zeroizing::new([seed; 32]))
}

fn time(day: u8) -> Timestamp {
    Timestamp::parse(&format!("2026-01-{day:02}T00:00:00Z")).unwrap()
}

fn place(text: &str) -> Location {
    Location::parse(text).unwrap()
}

fn state(did: &str, note: &str) -> Value {
    object! { "@context": vec!["https://www.w3.org/ns/did/v1"], "id": did, "note": note }
}

fn by(seed: u8) -> Changes {
    Changes {
        update_keys: Some(vec![key(seed).public_key().clone()]),
        ..Changes::default()
    }
}

/// A log under construction, with a key of a seed for the next entry.
struct Story {
    did: Did,
    log: Log,
    text: String,
}

impl Story {
    fn new(changes: &Changes, seed: u8) -> Self {
        let state = state(&template(&place("example.com:a")), "one");
        let (did, line) = create(&state, changes, time(1), &key(seed)).unwrap();
        let mut log = Log::new();
        log.append(&line).unwrap();
        Self {
            did,
            log,
            text: line + "\n",
        }
    }

    fn then(&mut self, note: &str, changes: &Changes, seed: u8) -> Result<(), BuildError> {
        let day = u8::try_from(self.log.versions().len()).unwrap() + 1;
        let did = self.log.versions().last().unwrap().did.clone();
        let line = update(&self.log, &state(did.as_str(), note), changes, time(day), &key(seed))?;
        self.log.append(&line).unwrap();
        self.text += &line;
        self.text += "\n";
        Ok(())
    }

    fn ask(&self, which: &Which) -> Result<Resolved, WebvhError> {
        resolve(&self.did, &self.text, None, which, time(28))
    }

    /// The same with a text instead of another.
    fn altered(&self, from: &str, to: &str) -> Result<Resolved, WebvhError> {
        assert!(self.text.contains(from), "{from}");
        resolve(&self.did, &self.text.replace(from, to), None, &Which::Latest, time(28))
    }
}

fn note(resolved: &Resolved) -> &str {
    resolved.document.get("note").unwrap().as_str().unwrap()
}

#[test]
fn what_is_made_resolves() {
    let mut story = Story::new(&by(1), 1);
    story.then("two", &Changes::default(), 1).unwrap();
    assert_eq!(note(&story.ask(&Which::Latest).unwrap()), "two");
    assert_eq!(note(&story.ask(&Which::Number(1)).unwrap()), "one");
    assert!(story.altered("two", "too").is_err());
    assert!(story.did.as_str().ends_with(":example.com:a"));
    let document = story.ask(&Which::Latest).unwrap().document;
    let services = document.get("service").unwrap().as_array().unwrap();
    assert_eq!(
        services[0].get("serviceEndpoint").unwrap().as_str(),
        Some("https://example.com/a/")
    );
}

#[test]
fn only_the_keys_of_the_entry_before_may_sign() {
    let mut story = Story::new(&by(1), 1);
    assert_eq!(
        story.then("two", &by(2), 2),
        Err(BuildError::Fault(Fault::NotAuthorized(0)))
    );
    story.then("two", &by(2), 1).unwrap();
    assert_eq!(
        story.then("three", &by(2), 1),
        Err(BuildError::Fault(Fault::NotAuthorized(0)))
    );
    story.then("three", &by(2), 2).unwrap();
    assert_eq!(note(&story.ask(&Which::Latest).unwrap()), "three");
}

#[test]
fn a_commitment_binds_the_next_keys() {
    let committed = |seed: u8, next: &[u8]| Changes {
        next_key_hashes: Some(next.iter().map(|seed| key_hash(key(*seed).public_key())).collect()),
        ..by(seed)
    };
    let mut story = Story::new(&committed(1, &[2]), 1);
    let refused = [
        (committed(3, &[4]), 3, Fault::NotCommitted(0)),
        (committed(2, &[4]), 1, Fault::NotAuthorized(0)),
    ];
    for (changes, seed, fault) in refused {
        assert_eq!(story.then("two", &changes, seed), Err(BuildError::Fault(fault)));
    }
    assert!(story.then("two", &by(2), 2).is_err(), "a new commitment is required");
    assert!(
        story.then("two", &Changes::default(), 1).is_err(),
        "new keys are required"
    );
    story.then("two", &committed(2, &[3]), 2).unwrap();
    // The commitment ends with an entry that is still bound by it.
    story.then("three", &committed(3, &[]), 3).unwrap();
    story.then("four", &by(9), 3).unwrap();
    assert_eq!(note(&story.ask(&Which::Latest).unwrap()), "four");
}

#[test]
fn an_ended_did_stays_ended() {
    let mut story = Story::new(&by(1), 1);
    let end = Changes {
        deactivate: true,
        update_keys: Some(Vec::new()),
        ..Changes::default()
    };
    story.then("end", &end, 1).unwrap();
    assert!(story.ask(&Which::Latest).unwrap().metadata.parameters.deactivated);
    assert_eq!(
        story.then("more", &by(1), 1),
        Err(BuildError::Fault(Fault::Deactivated))
    );
}

#[test]
fn a_did_moves_only_if_it_may_and_says_whence() {
    let portable = Changes {
        portable: Some(true),
        ..by(1)
    };
    for (changes, allowed) in [(portable, true), (by(1), false)] {
        let mut story = Story::new(&changes, 1);
        let old = story.log.versions()[0].state.clone();
        let bare = state(&story.did.as_str().replace("example.com", "example.org"), "moved");
        assert!(update(&story.log, &bare, &Changes::default(), time(2), &key(1)).is_err());
        let state = moved(&story.did, &old, &place("example.org")).unwrap();
        let line = update(&story.log, &state, &Changes::default(), time(2), &key(1));
        if !allowed {
            assert_eq!(line, Err(BuildError::Fault(Fault::NotPortable)));
            continue;
        }
        story.text += &line.unwrap();
        let new = Did::parse(state.get("id").unwrap().as_str().unwrap()).unwrap();
        for did in [&new, &story.did] {
            let resolved = resolve(did, &story.text, None, &Which::Latest, time(28)).unwrap();
            assert_eq!(resolved.document.get("id").unwrap().as_str(), Some(new.as_str()));
        }
        let elsewhere = Did::parse(&new.as_str().replace("example.org", "example.net")).unwrap();
        let answer = resolve(&elsewhere, &story.text, None, &Which::Latest, time(28));
        assert_eq!(answer, Err(WebvhError::OtherDid));
    }
    let mut late = Story::new(&by(1), 1);
    let portable = Changes {
        portable: Some(true),
        ..Changes::default()
    };
    assert!(
        late.then("two", &portable, 1).is_err(),
        "portable from the first entry or never"
    );
}

fn rule(threshold: usize, seeds: &[u8]) -> WitnessRule {
    let did = |seed: &u8| format!("did:key:{}", key(*seed).public_key().to_multikey());
    WitnessRule {
        threshold,
        witnesses: seeds.iter().map(did).collect(),
    }
}

#[test]
fn entries_need_their_witnesses() {
    let witnessed = Changes {
        witness: Some(Some(rule(2, &[11, 12, 13]))),
        ..by(1)
    };
    let mut story = Story::new(&witnessed, 1);
    story.then("two", &Changes::default(), 1).unwrap();
    let ids: Vec<String> = story.log.versions().iter().map(|version| version.id.clone()).collect();
    let file = |approvals: &[(usize, u8)]| {
        let proof = |(at, seed): &(usize, u8)| {
            let id = ids[*at].clone();
            let proof = witness_proof(&id, time(3), &key(*seed)).unwrap();
            (id, vec![proof])
        };
        witness_file(&approvals.iter().map(proof).collect::<Vec<_>>())
    };
    let ask = |file: &str, which: &Which| resolve(&story.did, &story.text, Some(file), which, time(28));
    // A later approval covers what is before it; any two of the three will do.
    for good in [file(&[(1, 11), (1, 12)]), file(&[(0, 11), (1, 11), (1, 13), (0, 12)])] {
        assert_eq!(note(&ask(&good, &Which::Latest).unwrap()), "two");
    }
    let unwitnessed = |entry| {
        Err(WebvhError::Entry {
            entry,
            fault: Fault::Unwitnessed,
        })
    };
    let first_only = file(&[(0, 11), (0, 12)]);
    assert_eq!(ask(&first_only, &Which::Latest), unwitnessed(2));
    assert_eq!(note(&ask(&first_only, &Which::Number(1)).unwrap()), "one");
    // What approved a version that fell does not count for the one before.
    let half = file(&[(0, 11), (1, 12)]);
    assert_eq!(ask(&half, &Which::Latest), unwitnessed(1));
    assert_eq!(ask(&half, &Which::Number(1)), unwitnessed(1));
    for bad in [file(&[]), file(&[(1, 11), (1, 11)]), file(&[(1, 11), (1, 14)])] {
        assert!(ask(&bad, &Which::Latest).is_err(), "{bad}");
    }
    let forged = file(&[(1, 11), (1, 12)]).replace(&ids[1], &ids[0]);
    assert!(ask(&forged, &Which::Number(1)).is_err());
}

#[test]
fn witnesses_leave_only_with_their_own_approval() {
    let witnessed = Changes {
        witness: Some(Some(rule(1, &[11]))),
        ..by(1)
    };
    let mut story = Story::new(&witnessed, 1);
    story
        .then(
            "two",
            &Changes {
                witness: Some(None),
                ..Changes::default()
            },
            1,
        )
        .unwrap();
    story.then("three", &Changes::default(), 1).unwrap();
    let approved = |at: usize| {
        let id = story.log.versions()[at].id.clone();
        let proof = witness_proof(&id, time(4), &key(11)).unwrap();
        witness_file(&[(id, vec![proof])])
    };
    let ask = |file: String| resolve(&story.did, &story.text, Some(&file), &Which::Latest, time(28));
    assert!(ask(approved(0)).is_err());
    assert!(ask(approved(1)).is_ok());
    assert!(ask(approved(2)).is_ok());
}

#[test]
fn a_failing_tail_leaves_the_versions_before_it() {
    let mut story = Story::new(&by(1), 1);
    story.then("two", &Changes::default(), 1).unwrap();
    story.then("three", &Changes::default(), 1).unwrap();
    let text = story.text.replace("three", "other");
    let ask = |which: &Which| resolve(&story.did, &text, None, which, time(28));
    assert!(matches!(ask(&Which::Latest), Err(WebvhError::Entry { entry: 3, .. })));
    assert_eq!(note(&ask(&Which::Number(2)).unwrap()), "two");
    assert!(ask(&Which::Number(3)).is_err());
    assert_eq!(note(&ask(&Which::Time(time(1))).unwrap()), "one");
    assert!(
        ask(&Which::Time(time(2))).is_err(),
        "until when the second was active cannot be said"
    );
}

#[test]
fn entries_are_read_strictly() {
    let mut story = Story::new(&by(1), 1);
    story.then("two", &Changes::default(), 1).unwrap();
    let twice = [
        (r#""parameters":{}"#, r#""parameters":{"unknown":1}"#),
        (r#""parameters":{}"#, r#""parameters":{"scid":"Qm"}"#),
        (r#""parameters":{}"#, r#""parameters":{"method":"did:webvh:0.5"}"#),
        (r#""parameters":{}"#, r#""parameters":{"ttl":-1}"#),
        (r#""parameters":{}"#, r#""parameters":[]"#),
        (
            r#""versionTime":"2026-01-02T00:00:00Z""#,
            r#""versionTime":"2026-01-02T01:00:00+01:00""#,
        ),
        (
            r#""versionTime":"2026-01-02T00:00:00Z""#,
            r#""versionTime":"2026-01-01T00:00:00Z""#,
        ),
        (r#""versionId":"2-"#, r#""versionId":"3-"#),
        (r#""versionId":"2-"#, r#""versionId":"02-"#),
        ("assertionMethod", "authentication"),
        ("eddsa-jcs-2022", "eddsa-rdfc-2022"),
        (r#""note":"two""#, r#""note":"two","note":"two""#),
    ];
    for (from, to) in twice {
        assert!(story.altered(from, to).is_err(), "{to}");
    }
    assert!(story.ask(&Which::Latest).is_ok());
}

#[test]
fn a_placeholder_left_in_the_first_entry_is_refused() {
    let state = object! { "id": template(&place("example.com")), "a": PLACEHOLDER };
    let (did, line) = create(&state, &by(1), time(1), &key(1)).unwrap();
    let scid = split_scid(did.method_specific_id()).unwrap().0;
    // Signed again by its own key with the placeholder in place: it hashes to the same SCID.
    let mut entry = json::parse(line.as_bytes()).unwrap().into_object().unwrap();
    entry.remove("proof");
    entry.insert("versionId", scid);
    let mut state = entry.get("state").unwrap().as_object().unwrap().clone();
    state.insert("a", PLACEHOLDER);
    entry.insert("state", state);
    let hash = entry::multihash(&crate::canonical::to_bytes(&entry.clone().into()));
    entry.insert("versionId", format!("1-{hash}"));
    let proof = proof::sign(&entry, &key(1), time(1)).unwrap();
    entry.insert("proof", proof);
    let text = entry::text(&entry.into()).unwrap();
    assert_eq!(Log::new().append(&text), Err(Fault::Placeholder));
    assert!(Log::new().append(&line).is_ok());
}

#[test]
fn the_parallel_did_web_names_the_did_webvh() {
    let story = Story::new(&by(1), 1);
    let resolved = story.ask(&Which::Latest).unwrap();
    let web = parallel_web(&story.did, &resolved.document).unwrap();
    assert_eq!(web.get("id").unwrap().as_str(), Some("did:web:example.com:a"));
    assert_eq!(web.get("alsoKnownAs"), Some(&Value::from(vec![story.did.as_str()])));
    let id = web.get("service").unwrap().as_array().unwrap()[0].get("id").unwrap();
    assert_eq!(id.as_str(), Some("did:web:example.com:a#files"));
}

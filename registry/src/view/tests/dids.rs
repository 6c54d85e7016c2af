//! `did:webvh` logs in the logs of organizations.

use syndic_vc::did_web::Location;
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::webvh::{self, Changes, Log};

use super::*;
use crate::statement::DidVersion;

const LIST: &str = "https://a.example/1";

/// A log under construction, its entries a second apart.
struct Story {
    did: Did,
    log: Log,
    lines: Vec<String>,
}

fn state(did: &str, names: &[&str], note: &str) -> Value {
    let key = key(50).public_key().to_multikey();
    object! {
        "id": did,
        "alsoKnownAs": names.to_vec(),
        "note": note,
        "verificationMethod": vec![object! {
            "id": format!("{did}#key"), "type": "Multikey", "controller": did, "publicKeyMultibase": key,
        }],
        "assertionMethod": vec![format!("{did}#key")],
    }
}

impl Story {
    fn new(names: &[&str]) -> Self {
        let place = Location::parse("a.example:dids:x").unwrap();
        let changes = Changes {
            update_keys: Some(vec![key(51).public_key().clone()]),
            ..Changes::default()
        };
        let state = state(&webvh::template(&place), names, "one");
        let (did, line) = webvh::create(&state, &changes, at(1), &key(51)).unwrap();
        let mut log = Log::new();
        log.append(&line).unwrap();
        Self {
            did,
            log,
            lines: vec![line],
        }
    }

    fn entry(&self, names: &[&str], note: &str, changes: &Changes) -> String {
        let seconds = i64::try_from(self.lines.len()).unwrap() + 1;
        let state = state(self.did.as_str(), names, note);
        webvh::update(&self.log, &state, changes, at(seconds), &key(51)).unwrap()
    }

    fn then(&mut self, names: &[&str], note: &str, changes: &Changes) {
        let line = self.entry(names, note, changes);
        self.log.append(&line).unwrap();
        self.lines.push(line);
    }

    fn said(&self, line: &str, seconds: i64) -> Statement {
        let version = DidVersion {
            did: self.did.clone(),
            entry: line.to_owned(),
            witness: None,
        };
        statement(seconds, Content::DidVersion(version))
    }

    fn all(&self) -> Vec<Statement> {
        self.lines.iter().map(|line| self.said(line, 60)).collect()
    }
}

fn document(store: &MemoryStore, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
    View::new(charter(), store).document(did)
}

fn number(store: &MemoryStore, did: &Did) -> u64 {
    let charter = charter();
    let log = View::new(charter, store).did_log(did).unwrap().unwrap();
    log.resolve(did, &webvh::Which::Latest, at(1_000))
        .unwrap()
        .metadata
        .version_number
}

#[test]
fn a_published_log_resolves_and_ends() {
    let mut story = Story::new(&[]);
    story.then(&[], "two", &Changes::default());
    let mut store = MemoryStore::default();
    assert!(matches!(document(&store, &story.did), Err(ResolveError::NotFound)));
    say(&mut store, &did(1), &story.all());
    assert_eq!(document(&store, &story.did).unwrap().id, story.did);
    assert_eq!(number(&store, &story.did), 2);
    let end = Changes {
        deactivate: true,
        ..Changes::default()
    };
    story.then(&[], "end", &end);
    say(&mut store, &did(1), &[story.said(&story.lines[2], 60)]);
    assert!(matches!(document(&store, &story.did), Err(ResolveError::Deactivated)));
}

#[test]
fn the_longest_log_counts_whoever_tells_it() {
    let mut story = Story::new(&[]);
    story.then(&[], "two", &Changes::default());
    story.then(&[], "three", &Changes::default());
    for teller in [[1, 2], [2, 1]] {
        let mut store = MemoryStore::default();
        say(&mut store, &did(teller[0]), &story.all());
        say(&mut store, &did(teller[1]), &story.all()[..1]);
        assert_eq!(number(&store, &story.did), 3);
    }
}

#[test]
fn what_does_not_follow_changes_nothing() {
    let mut story = Story::new(&[]);
    let mut store = MemoryStore::default();
    say(&mut store, &did(1), &story.all());
    let line = story.entry(&[], "two", &Changes::default());
    let mut wrong = vec![
        story.said(&line.replace("two", "too"), 60),
        story.said("{}", 60),
        // Dated a minute and more after the statement that carries it.
        story.said(&line, -60),
    ];
    let mut other = story.said(&line, 60);
    if let Content::DidVersion(version) = &mut other.content {
        version.did = Story::new(&["urn:other"]).did;
    }
    wrong.push(other);
    say(&mut store, &did(1), &wrong);
    assert_eq!(number(&store, &story.did), 1);
    story.then(&[], "two", &Changes::default());
    say(&mut store, &did(1), &[story.said(&line, 60), story.said(&line, 61)]);
    assert_eq!(number(&store, &story.did), 2);
}

#[test]
fn two_stories_about_one_version_are_none() {
    let mut story = Story::new(&[]);
    let other = story.entry(&[], "other", &Changes::default());
    story.then(&[], "two", &Changes::default());
    let refused = |store: &MemoryStore| {
        let charter = charter();
        assert!(View::new(charter, store).did_log(&story.did).unwrap().unwrap().forked);
        assert!(matches!(document(store, &story.did), Err(ResolveError::Document(_))));
    };
    // In one log, and in the logs of two.
    let mut store = MemoryStore::default();
    say(&mut store, &did(1), &story.all());
    assert!(document(&store, &story.did).is_ok());
    say(&mut store, &did(1), &[story.said(&other, 60)]);
    refused(&store);
    let mut store = MemoryStore::default();
    say(&mut store, &did(1), &story.all());
    say(
        &mut store,
        &did(2),
        &[story.said(&story.lines[0], 60), story.said(&other, 60)],
    );
    refused(&store);
}

#[test]
fn an_organization_is_meant_by_its_did_only_if_both_say_so() {
    let own = |story: &Story| statement(60, Content::OrganizationDid { did: story.did.clone() });
    let (us, them) = (did(1), did(2));
    let charter = charter();
    let cases = [
        (vec![us.as_str()], true, true),
        (vec![us.as_str()], false, false),
        (vec![], true, false),
        (vec![them.as_str()], true, false),
    ];
    for (names, claimed, meant) in cases {
        let story = Story::new(&names);
        let mut store = MemoryStore::default();
        say(&mut store, &us, &story.all());
        if claimed {
            say(&mut store, &us, &[own(&story)]);
        }
        say(
            &mut store,
            &us,
            &[statement(60, create(LIST, StatusPurpose::Revocation, 131_072))],
        );
        sign(&mut store, 1, 60);
        let view = View::new(charter, &store);
        let standing = view.standing(us.as_str(), &story.did, "read", "x", at(60));
        assert_eq!(matches!(standing, Standing::Authorized { .. }), meant, "{names:?}");
        let bit = view.status(&story.did, LIST, StatusPurpose::Revocation, 7);
        assert_eq!(bit == StatusBit::Clear, meant);
        assert_eq!(view.freshness(&story.did).is_some(), meant);
    }
}

//! did:webvh: histories made by didwebvh-ts resolve here, ours resolve there, and altered ones nowhere.

use serde_json::{Value, json};
use syndic_vc::did::Did;
use syndic_vc::did_web::Location;
use syndic_vc::key::PublicKey;
use syndic_vc::webvh::{self, Changes, Log, Which, WitnessRule};

use crate::figures::{Figures, Verdict, Way};
use crate::ours::Ours;
use crate::peer::{Alteration, Peer};
use crate::random::Random;
use crate::signing::{OurKey, now, to_ours, to_theirs};

/// What may happen to an identifier.
const KINDS: [&str; 6] = [
    "created",
    "updated",
    "rotated",
    "pre-rotated",
    "witnessed",
    "deactivated",
];
const ADDRESS: &str = "https://agents.example/dids/support";
/// Histories of each kind.
const HISTORIES: usize = 3;

/// didwebvh-ts 2.8.0 takes an entry for a signed one whose list of proofs is empty. It is asked for all else.
const NO_PROOFS: &str = "an empty list of proofs";

/// What is done to an entry.
type Change<'a> = &'a dyn Fn(&mut Value);

/// A history: the identifier, its log, and its witnesses' proofs.
#[derive(Clone, Debug)]
struct History {
    did: String,
    log: String,
    witness: Option<String>,
}

/// What we say of it, and the document if it holds. A deactivated identifier holds and has no document to act on.
fn ours_says(history: &History) -> (Verdict, Value) {
    let did = Did::parse(&history.did).unwrap();
    match webvh::resolve(&did, &history.log, history.witness.as_deref(), &Which::Latest, now()) {
        Ok(resolved) => {
            let document = if resolved.metadata.parameters.deactivated {
                Value::Null
            } else {
                to_theirs(&resolved.document)
            };
            (accepted(), document)
        }
        Err(error) => (refused(error.to_string()), Value::Null),
    }
}

fn accepted() -> Verdict {
    Verdict {
        accepted: true,
        why: String::new(),
    }
}

fn refused(why: String) -> Verdict {
    Verdict { accepted: false, why }
}

fn they_say(peer: &mut Peer, history: &History) -> (Verdict, Value) {
    let answer = peer.ask("webvh-resolve", json!({"log": history.log, "witness": history.witness}));
    match answer["error"].as_str() {
        None => (accepted(), answer["document"].clone()),
        Some(error) => (refused(error.to_owned()), Value::Null),
    }
}

/// A document without the services that the method implies, which one resolver adds and the other need not.
fn explicit(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(services) = document["service"].as_array_mut() {
        services.retain(|service| {
            let id = service["id"].as_str().unwrap_or_default();
            !id.ends_with("#files") && !id.ends_with("#whois")
        });
        if services.is_empty() {
            document.as_object_mut().unwrap().remove("service");
        }
    }
    document
}

fn theirs(peer: &mut Peer, histories: usize, figures: &mut Figures) -> Vec<(String, History)> {
    let mut all = Vec::new();
    for kind in KINDS {
        let row = format!("did:webvh {kind}");
        for _ in 0..histories {
            let made = peer.ask("webvh-make", json!({"kind": kind, "address": ADDRESS}));
            let text = |name: &str| made[name].as_str().map(str::to_owned);
            let history = History {
                did: text("did").unwrap_or_else(|| panic!("{kind}: {made}")),
                log: text("log").unwrap(),
                witness: text("witness"),
            };
            let (verdict, document) = ours_says(&history);
            let (_, same) = they_say(peer, &history);
            let alike = verdict.accepted && explicit(&document) == explicit(&same);
            figures.holds(&row, Way::Theirs, alike, || {
                format!("we resolve {document} {}, they resolve {same}", verdict.why)
            });
            all.push((row.clone(), history));
        }
    }
    all
}

fn altered(history: &History) -> Vec<(&'static str, History)> {
    let lines: Vec<&str> = history.log.lines().collect();
    let mut all = Vec::new();
    let mut push = |what, log: String, witness: Option<String>| {
        let did = history.did.clone();
        all.push((what, History { did, log, witness }));
    };
    let edited = |at: usize, edit: &dyn Fn(&mut Value)| {
        let mut copy: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let mut entry: Value = serde_json::from_str(&copy[at]).unwrap();
        edit(&mut entry);
        copy[at] = entry.to_string();
        copy.join("\n") + "\n"
    };
    for at in [0, lines.len() - 1] {
        let changes: [(&'static str, Change<'_>); 6] = [
            ("another document", &|entry| {
                entry["state"]["alsoKnownAs"] = json!(["https://mallory.example"])
            }),
            ("another time", &|entry| {
                entry["versionTime"] = "2024-01-01T00:00:00Z".into()
            }),
            ("another key", &|entry| {
                entry["parameters"]["updateKeys"] = json!(["z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"]);
            }),
            ("no proof", &|entry| {
                drop(entry.as_object_mut().unwrap().remove("proof"))
            }),
            (NO_PROOFS, &|entry| entry["proof"] = json!([])),
            ("another signature", &|entry| {
                let value = entry["proof"][0]["proofValue"].as_str().unwrap();
                entry["proof"][0]["proofValue"] = crate::peer::with_another_character(value).into();
            }),
        ];
        for (what, change) in changes {
            push(what, edited(at, change), history.witness.clone());
        }
    }
    if lines.len() > 2 {
        let mut copy = lines.clone();
        copy.remove(1);
        push("an entry left out", copy.join("\n") + "\n", history.witness.clone());
        let mut copy = lines.clone();
        copy.swap(1, 2);
        push(
            "entries in another order",
            copy.join("\n") + "\n",
            history.witness.clone(),
        );
    }
    if let Some(witness) = &history.witness {
        push("no witnesses' proofs", history.log.clone(), None);
        let mut proofs: Value = serde_json::from_str(witness).unwrap();
        for version in proofs.as_array_mut().unwrap() {
            version["proof"].as_array_mut().unwrap().truncate(1);
        }
        push("too few witnesses", history.log.clone(), Some(proofs.to_string()));
    }
    all
}

/// Our own histories of the same kinds.
fn ours_made(kind: &str, random: &mut Random) -> History {
    let mut key = || OurKey::new("Ed25519", random);
    let (first, second, third) = (key(), key(), key());
    let witnesses = [key(), key(), key()];
    let public = |key: &OurKey| key.signer.public_key().clone();
    let place = Location::parse("agents.example:dids:support").unwrap();
    let template = webvh::template(&place);
    let state = |did: &str, key: &OurKey| {
        let method = format!("{did}#key");
        to_ours(&json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "verificationMethod": [{
                "id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": public(key).to_multikey(),
            }],
            "assertionMethod": [method],
        }))
    };
    let time = |minutes: i64| now().checked_add_seconds(-60 * minutes).unwrap();
    let keys = |key: &OurKey| Some(vec![public(key)]);
    let hashes = |key: &PublicKey| Some(vec![webvh::key_hash(key)]);
    let mut changes = Changes {
        update_keys: keys(&first),
        ..Changes::default()
    };
    if kind == "pre-rotated" {
        changes.next_key_hashes = hashes(&public(&second));
    }
    if kind == "witnessed" {
        changes.witness = Some(Some(WitnessRule {
            threshold: 2,
            witnesses: witnesses.iter().map(|one| one.did.clone()).collect(),
        }));
    }
    let (did, line) = webvh::create(&state(&template, &first), &changes, time(60), first.signer.as_ref()).unwrap();
    let mut log = Log::new();
    log.append(&line).unwrap();
    let mut lines = vec![line];
    let mut next = |signer: &OurKey, shown: &OurKey, changes: Changes, minutes: i64| {
        let state = state(did.as_str(), shown);
        let line = webvh::update(&log, &state, &changes, time(minutes), signer.signer.as_ref()).unwrap();
        log.append(&line).unwrap();
        lines.push(line);
    };
    let nothing = Changes::default;
    match kind {
        "created" => {}
        "updated" | "witnessed" => next(&first, &third, nothing(), 50),
        "rotated" => {
            let to = |key: &OurKey| Changes {
                update_keys: keys(key),
                ..nothing()
            };
            next(&first, &first, to(&second), 50);
            next(&second, &second, to(&third), 40);
            next(&third, &third, nothing(), 30);
        }
        "pre-rotated" => {
            let to = |key: &OurKey, hashes| Changes {
                update_keys: keys(key),
                next_key_hashes: hashes,
                ..nothing()
            };
            next(&second, &second, to(&second, hashes(&public(&third))), 50);
            next(&third, &third, to(&third, Some(Vec::new())), 40);
        }
        _ => next(
            &first,
            &first,
            Changes {
                deactivate: true,
                ..nothing()
            },
            50,
        ),
    }
    let witness = (kind == "witnessed").then(|| {
        let versions = log.versions().iter().map(|version| version.id.clone());
        let approvals: Vec<_> = versions
            .map(|id| {
                let proofs = witnesses[..2].iter();
                let proofs = proofs.map(|one| webvh::witness_proof(&id, time(20), one.signer.as_ref()).unwrap());
                let proofs = proofs.collect();
                (id, proofs)
            })
            .collect();
        webvh::witness_file(&approvals)
    });
    History {
        did: did.to_string(),
        log: lines.join("\n") + "\n",
        witness,
    }
}

fn ours(peer: &mut Peer, figures: &mut Figures) {
    let mut random = Random::new(10);
    for kind in KINDS {
        let row = format!("did:webvh {kind}");
        for _ in 0..HISTORIES {
            let history = ours_made(kind, &mut random);
            let (verdict, document) = they_say(peer, &history);
            let (own, same) = ours_says(&history);
            assert!(own.accepted, "{kind}: {}", own.why);
            let alike = verdict.accepted && explicit(&document) == explicit(&same);
            figures.holds(&row, Way::Ours, alike, || {
                format!("they resolve {document} {}, we resolve {same}", verdict.why)
            });
            for (what, copy) in altered(&history).into_iter().filter(|(what, _)| *what != NO_PROOFS) {
                figures.judged(&row, Way::OursAltered, what, &they_say(peer, &copy).0);
            }
        }
    }
}

#[test]
fn histories_resolve_alike() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("did:webvh logs");
    for (row, history) in theirs(&mut peer, HISTORIES, &mut figures) {
        for (what, copy) in altered(&history) {
            figures.judged(&row, Way::TheirsAltered, what, &ours_says(&copy).0);
        }
    }
    ours(&mut peer, &mut figures);
    figures.finish();
}

#[test]
fn the_node_resolves_their_logs() {
    let Some(mut peer) = Peer::start() else { return };
    let ours = Ours::start();
    let mut figures = Figures::new("did:webvh logs over HTTP");
    let mut others = Figures::new("");
    for (row, history) in theirs(&mut peer, 1, &mut others) {
        let resolve = |one: &History| ours.resolve_log(&one.did, &one.log, one.witness.as_deref());
        let (_, expected) = ours_says(&history);
        let document = resolve(&history);
        figures.holds(&row, Way::Theirs, document == expected, || {
            format!("the node resolves {document}, not {expected}")
        });
        for (what, copy) in altered(&history) {
            let document = resolve(&copy);
            figures.holds(&row, Way::TheirsAltered, document.is_null(), || {
                format!("{what}: {document}")
            });
        }
    }
    figures.finish();
}

#[test]
fn an_altered_history_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Content)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    let _altered_already = theirs(&mut peer, 1, &mut figures);
    assert!(figures.disagree(), "an altered log went unnoticed");
}

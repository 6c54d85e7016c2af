//! SD-JWT credentials with key binding, beside @sd-jwt/sd-jwt-vc.

use std::sync::Arc;

use serde_json::{Value, json};
use syndic_vc::did::Did;
use syndic_vc::document::DidDocument;
use syndic_vc::key::PublicKey;
use syndic_vc::resolve::{self, ResolveError};
use syndic_vc::sd_jwt::{self, Concealment};
use syndic_vc::status::StatusPurpose;
use syndic_vc::time::Timestamp;
use syndic_vc::trust::{
    AgentStanding, Freshness, KeyStanding, Knowledge, OneTime, OneTimeKind, SpendError, Standing, StatusBit,
};
use syndic_vc::verify::{self, HolderProof, Policy, PresentationRequest};

use crate::figures::{Figures, Verdict, Way};
use crate::peer::{Alteration, Key, Peer, with_another_character};
use crate::random::Random;
use crate::signing::{OurKey, now, to_ours, to_theirs};

const KINDS: [&str; 3] = ["Ed25519", "P-256", "P-384"];
/// Credentials of each kind of key.
const CREDENTIALS: usize = 4;
const AUDIENCE: &str = "https://verifier.example";
const NONCE: &str = "n-0S6_WzA2Mj-n-0S6_WzA2Mj";

/// A verifier that knows nobody: keys are those that a DID itself says.
struct Stranger;

impl Knowledge for Stranger {
    fn document(&self, did: &Did) -> Result<Arc<DidDocument>, ResolveError> {
        resolve::self_described(did).map(Arc::new)
    }

    fn standing(&self, _: &str, _: &Did, _: &str, _: &str, _: Timestamp) -> Standing {
        Standing::IssuerUnknown
    }

    fn status(&self, _: &Did, _: &str, _: StatusPurpose, _: u64) -> StatusBit {
        StatusBit::Unknown("nothing is known here".to_owned())
    }

    fn agent(&self, _: &Did, _: Timestamp) -> AgentStanding {
        AgentStanding::Unknown
    }

    fn key_standing(&self, _: &Did, _: &str, _: &PublicKey, _: &dyn Fn() -> String) -> KeyStanding {
        KeyStanding::Good
    }

    fn freshness(&self, _: &Did) -> Option<Freshness> {
        None
    }
}

/// The nonce was handed out, and each test uses it once.
impl OneTime for Stranger {
    fn spend(&self, _: OneTimeKind, _: &str, _: Timestamp, _: Timestamp) -> Result<(), SpendError> {
        Ok(())
    }
}

/// What we say of an SD-JWT, and the claims that it shows.
fn ours_says(text: &str, nonce: &str) -> (Verdict, Value) {
    let policy = Policy {
        authority: AUDIENCE.to_owned(),
        max_staleness_seconds: 60,
        witnesses: 0,
        clock_skew_seconds: 60,
    };
    let request = PresentationRequest {
        challenge: nonce,
        domain: AUDIENCE,
    };
    let holder = HolderProof::Required(&request, &Stranger);
    match verify::sd_jwt(text, holder, &policy, &Stranger, now()) {
        Ok(verified) => (
            Verdict {
                accepted: true,
                why: String::new(),
            },
            to_theirs(&verified.claims().clone().into()),
        ),
        Err(denied) => (
            Verdict {
                accepted: false,
                why: format!("we say {}", denied.first()),
            },
            Value::Null,
        ),
    }
}

/// Claims about a holder; the first two are shown, the others are not.
fn claims(issuer: &str, holder: &Value, number: usize) -> Value {
    json!({
        "iss": issuer,
        "iat": now().unix_seconds() - 60,
        "vct": "https://example.org/credentials/membership",
        "cnf": {"jwk": holder},
        "given_name": format!("Zoë № {number} 🎓"),
        "address": {"locality": "Zürich", "postal_codes": ["8001", "8002"]},
        "birthdate": "1990-01-01",
        "age": 36,
    })
}

const SHOWN: [&str; 2] = ["given_name", "address"];
const HIDDEN: [&str; 2] = ["birthdate", "age"];

/// The claims as a verifier sees them.
fn seen(claims: &Value) -> Value {
    let mut claims = claims.clone();
    for name in HIDDEN {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

/// Altered copies of what a holder shows, by what was done.
fn altered(text: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = text.split('~').collect();
    let joined = |change: &dyn Fn(&mut Vec<String>)| {
        let mut copy: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        change(&mut copy);
        copy.join("~")
    };
    let last = parts.len() - 1;
    let in_signature = |token: &str| {
        let (rest, signature) = token.rsplit_once('.').unwrap();
        format!("{rest}.{}", with_another_character(signature))
    };
    vec![
        ("another signature", joined(&|copy| copy[0] = in_signature(&copy[0]))),
        (
            "another disclosure",
            joined(&|copy| copy[1] = with_another_character(&copy[1])),
        ),
        ("a disclosure left out", joined(&|copy| drop(copy.remove(1)))),
        ("a disclosure twice", joined(&|copy| copy.insert(1, copy[1].clone()))),
        (
            "another key binding",
            joined(&|copy| copy[last] = in_signature(&copy[last])),
        ),
        ("no key binding", joined(&|copy| copy[last].clear())),
    ]
}

fn theirs(peer: &mut Peer, kind: &str, figures: &mut Figures) {
    let row = format!("dc+sd-jwt {kind}");
    for number in 0..CREDENTIALS {
        let (issuer, holder): (Key, Key) = (peer.key(kind), peer.key(kind));
        let claims = claims(&issuer.did, &holder.jwk, number);
        let frame = json!({"_sd": ([SHOWN, HIDDEN].concat())});
        let request = json!({"did": issuer.did, "payload": claims, "frame": frame});
        let issued = peer.made("sd-jwt-issue", request, "sdJwt");
        let reveal = json!({"given_name": true, "address": true});
        let request = json!({
            "sdJwt": issued, "reveal": reveal, "holder": holder.did, "audience": AUDIENCE, "nonce": NONCE,
        });
        let Value::String(shown) = peer.made("sd-jwt-present", request, "sdJwt") else {
            panic!("no text")
        };
        let (verdict, read) = ours_says(&shown, NONCE);
        let same = verdict.accepted && without_internals(&read) == seen(&claims);
        figures.holds(&row, Way::Theirs, same, || format!("we read {read} {}", verdict.why));
        for (what, copy) in altered(&shown) {
            figures.judged(&row, Way::TheirsAltered, what, &ours_says(&copy, NONCE).0);
        }
        let (verdict, _) = ours_says(&shown, "another-nonce-another-nonce");
        figures.judged(&row, Way::TheirsAltered, "for another nonce", &verdict);
    }
}

/// Without the digests and the name of their algorithm.
fn without_internals(claims: &Value) -> Value {
    let mut claims = claims.clone();
    if let Some(members) = claims.as_object_mut() {
        members.retain(|name, _| !name.starts_with("_sd"));
    }
    claims
}

fn ours(peer: &mut Peer, kind: &str, figures: &mut Figures) {
    let row = format!("dc+sd-jwt {kind}");
    let mut random = Random::new(9901);
    for number in 0..CREDENTIALS {
        let (issuer, holder) = (OurKey::new(kind, &mut random), OurKey::new(kind, &mut random));
        let jwk = |key: &PublicKey| to_theirs(&key.to_jwk().into());
        let (issuer_jwk, holder_jwk) = (jwk(issuer.signer.public_key()), jwk(holder.signer.public_key()));
        let claims = claims(&issuer.did, &holder_jwk, number);
        let pointers: Vec<String> = [SHOWN, HIDDEN].concat().iter().map(|name| format!("/{name}")).collect();
        let hidden: Vec<&str> = pointers.iter().map(String::as_str).collect();
        let concealment = Concealment {
            hidden: &hidden,
            decoys: &[("", 2)],
        };
        let mut salts = (0..).map(|_| format!("{:016x}{:016x}", random.bits(), random.bits()));
        let object = to_ours(&claims).into_object().unwrap();
        let issued = sd_jwt::issue(
            &object,
            &concealment,
            &issuer.method,
            &mut salts,
            issuer.signer.as_ref(),
        )
        .unwrap();
        let shown = sd_jwt::present(&issued, &["/given_name", "/address"]).unwrap();
        let shown = sd_jwt::bind(&shown, NONCE, AUDIENCE, now(), holder.signer.as_ref()).unwrap();
        let request = |text: &str, nonce: &str| json!({"sdJwt": text, "jwk": issuer_jwk, "holderJwk": holder_jwk, "nonce": nonce});
        let answer = peer.ask("sd-jwt-verify", request(&shown, NONCE));
        let same = answer["verified"] == true && without_internals(&answer["payload"]) == seen(&claims);
        figures.holds(&row, Way::Ours, same, || format!("they read {answer}"));
        for (what, copy) in altered(&shown) {
            let verdict = peer.judge("sd-jwt-verify", request(&copy, NONCE));
            figures.judged(&row, Way::OursAltered, what, &verdict);
        }
        let verdict = peer.judge("sd-jwt-verify", request(&shown, "another-nonce-another-nonce"));
        figures.judged(&row, Way::OursAltered, "for another nonce", &verdict);
    }
}

#[test]
fn sd_jwt_credentials_are_read_both_ways() {
    let Some(mut peer) = Peer::start() else { return };
    let mut figures = Figures::new("SD-JWT credentials");
    for kind in KINDS {
        theirs(&mut peer, kind, &mut figures);
        ours(&mut peer, kind, &mut figures);
    }
    figures.finish();
}

#[test]
fn an_altered_sd_jwt_is_noticed() {
    let Some(mut peer) = Peer::start_altered(Some(Alteration::Verdict)) else {
        return;
    };
    let mut figures = Figures::new("altered");
    ours(&mut peer, "Ed25519", &mut figures);
    assert!(figures.disagree(), "an altered verdict went unnoticed");
}

//! Our side: a real node, asked over HTTP.

use serde_json::{Value, json};
use syndic_tests::cluster::Cluster;
use syndic_tests::http::Answer;
use syndic_tests::node::Node;
use syndic_tests::scenario;

use crate::figures::Verdict;

/// One node that runs.
#[derive(Debug)]
pub(crate) struct Ours(Cluster);

impl Ours {
    /// Starts it.
    pub(crate) fn start() -> Self {
        Self(Cluster::of(1))
    }

    fn node(&self) -> &Node {
        &self.0.nodes[0]
    }

    /// The name by which this verifier is told to holders.
    pub(crate) fn domain(&self) -> &str {
        &self.node().did
    }

    /// A challenge of ours.
    pub(crate) fn challenge(&self) -> String {
        scenario::challenge(self.node()).0
    }

    /// The DID document as we resolve it.
    pub(crate) fn resolve(&self, did: &str) -> Value {
        let answer = self.node().public().get(&format!("/1.0/identifiers/{did}"));
        answer.expect(200)["didDocument"].clone()
    }

    /// The document of a did:webvh from its log, as the node resolves it; null if it does not, or if nothing may be done
    /// with it any more, which has a status of its own.
    pub(crate) fn resolve_log(&self, did: &str, log: &str, witness: Option<&str>) -> Value {
        let body = json!({"did": did, "log": log, "witness": witness});
        let answer = self.node().public().post("/1.0/webvh/resolve-log", &body);
        assert!(answer.status < 500, "{}", answer.text());
        let body = answer.json();
        let is_over = body["didDocumentMetadata"]["deactivated"] == true;
        assert_eq!(answer.status == 410, is_over, "{}", answer.text());
        if is_over {
            Value::Null
        } else {
            body["didDocument"].clone()
        }
    }

    /// What we say of a credential.
    pub(crate) fn verify(&self, credential: &Value) -> Verdict {
        verdict(&scenario::verify(self.node(), credential))
    }

    /// What we say of a presentation.
    pub(crate) fn verify_presentation(&self, presentation: &Value, challenge: &str, domain: &str) -> Verdict {
        let body = json!({
            "verifiablePresentation": presentation,
            "options": {"challenge": challenge, "domain": domain},
        });
        verdict(&self.node().public().post("/presentations/verify", &body))
    }
}

/// One way in which the node issues credentials.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    /// Its name in paths.
    pub(crate) name: String,
    /// How it signs.
    pub(crate) suite: String,
    /// The issuer of what it signs.
    pub(crate) did: String,
    /// Whether its credentials have status entries.
    pub(crate) has_status: bool,
}

impl Ours {
    /// The node's issuing instances.
    pub(crate) fn instances(&self) -> Vec<Instance> {
        let answer = self.node().admin().get("/issuers").expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = answer["issuers"].as_array().unwrap().iter();
        rows.map(|row| Instance {
            name: text(&row["name"]),
            suite: text(&row["suite"]),
            did: text(&row["did"]),
            has_status: row["status"].as_array().is_some_and(|all| !all.is_empty()),
        })
        .collect()
    }

    /// A credential issued over HTTP; or what the node has against it.
    pub(crate) fn issue(&self, instance: &Instance, credential: &Value) -> Result<Value, String> {
        let path = format!("/issuers/{}/credentials/issue", instance.name);
        let answer = self.node().admin().post(&path, &json!({"credential": credential}));
        match answer.status {
            201 => Ok(answer.json()["verifiableCredential"].clone()),
            _ => Err(answer.text()),
        }
    }

    /// The status list credentials that a credential points at, by URL, as the node serves them.
    pub(crate) fn status_lists(&self, credential: &Value) -> Value {
        let entries = match &credential["credentialStatus"] {
            Value::Array(entries) => entries.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        let lists = entries.iter().map(|entry| {
            let url = entry["statusListCredential"].as_str().unwrap();
            let path = url.splitn(4, '/').nth(3).unwrap();
            (
                url.to_owned(),
                self.node().public().get(&format!("/{path}")).expect(200),
            )
        });
        Value::Object(lists.collect())
    }

    /// Revokes a credential.
    pub(crate) fn revoke(&self, credential: &Value) {
        scenario::revoke(self.node(), credential);
    }
}

/// A yes is a 200, a no is a 400; anything else is a defect.
fn verdict(answer: &Answer) -> Verdict {
    let body = answer.json();
    let accepted = body["verified"] == true;
    assert_eq!(answer.status, if accepted { 200 } else { 400 }, "{}", answer.text());
    let first = &body["problemDetails"][0];
    Verdict {
        accepted,
        why: format!("we say {} {} {}", first["title"], first["detail"], first["at"]),
    }
}

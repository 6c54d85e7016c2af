//! Signed HTTP requests: one that is allowed, and beside it every way in which it must not be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod world;

use multibase::Base;
use syndic_vc::denial::{DenialCode, Denied};
use syndic_vc::did::DidUrl;
use syndic_vc::http_signature::{self, CAPABILITY, CONTENT_DIGEST, Content, HttpRequest, Parameters, content_digest};
use syndic_vc::json::Value;
use syndic_vc::object;
use syndic_vc::verify::{self, ActionRequest};
use world::*;

const TARGET: &str = "https://billing.example/refunds";
const BODY: &str = r#"{"amount":"49.99"}"#;

/// A request, before and after it was signed.
struct Sent {
    method: &'static str,
    target: &'static str,
    enclosed: Value,
    content: &'static str,
    parameters: Parameters,
    by: Party,
}

fn sent() -> Sent {
    Sent {
        method: "POST",
        target: TARGET,
        enclosed: object! { "credential": credential() },
        content: BODY,
        parameters: Parameters {
            created: after(-1),
            expires: after(299),
            nonce: "q83vEjRWeJCrze8SNFZ4kA".to_owned(),
            key_id: DidUrl::parse(&agent().method()).unwrap(),
        },
        by: agent(),
    }
}

impl Sent {
    /// The fields as they arrive.
    fn fields(&self) -> Vec<(String, String)> {
        let enclosed = format!(":{}:", Base::Base64Pad.encode(text(&self.enclosed)));
        let digest = content_digest(self.content.as_bytes());
        let mut fields = vec![("content-type", "application/json"), (CAPABILITY, &enclosed)];
        if !self.content.is_empty() {
            fields.push((CONTENT_DIGEST, &digest));
        }
        let content = Content::of(self.content.as_bytes());
        let request = HttpRequest::new(self.method, self.target, fields, content).unwrap();
        let (input, signature) = http_signature::sign(&request, &self.parameters, self.by.signer()).unwrap();
        let request = request.with_field("Signature-Input", &input).unwrap();
        let request = request.with_field("Signature", &signature).unwrap();
        let fields = request.fields();
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn question(&self) -> Value {
        let fields = self.fields();
        let fields: Value = fields
            .iter()
            .map(|(name, value)| [name.as_str(), value.as_str()].into_iter().collect::<Value>())
            .collect();
        let mut request = object! { "method": self.method, "target": self.target, "fields": fields };
        if !self.content.is_empty() {
            let content = Base::Base64Url.encode(self.content);
            request.as_object_mut().unwrap().insert("content", content);
        }
        object! { "request": request, "meaning": meaning("49.99") }
    }
}

fn meaning(amount: &str) -> Value {
    object! {
        "action": "call",
        "resource": "billing_api",
        "scope": "refund_under_100",
        "parameters": object! { "amount": object! { "value": amount, "unit": "USD" } },
    }
}

fn judge_with(question: Value, known: &Known, once: &Once) -> Result<verify::AllowedAction, Denied> {
    let audience = south().did;
    let request = ActionRequest { audience: &audience };
    verify::http_request_value(question, &request, &policy(), known, once, now())
}

fn judge(question: Value) -> Result<verify::AllowedAction, Denied> {
    judge_with(question, &Known::new(), &Once::new())
}

fn code(question: Value) -> DenialCode {
    match judge(question) {
        Ok(_) => panic!("it is allowed"),
        Err(denied) => denied.code(),
    }
}

/// The question with a member of the request put in its place, or taken away.
fn with(mut question: Value, name: &str, value: Option<Value>) -> Value {
    let request = question.as_object_mut().unwrap().get_mut("request").unwrap();
    let request = request.as_object_mut().unwrap();
    match value {
        Some(value) => drop(request.insert(name, value)),
        None => drop(request.remove(name)),
    }
    question
}

fn with_field(question: Value, change: impl Fn(&str, &str) -> Option<String>) -> Value {
    let fields = question
        .get("request")
        .unwrap()
        .get("fields")
        .unwrap()
        .as_array()
        .unwrap();
    let changed: Value = fields
        .iter()
        .filter_map(|line| {
            let line = line.as_array().unwrap();
            let (name, value) = (line[0].as_str().unwrap(), line[1].as_str().unwrap());
            let value = change(name, value)?;
            Some([name, value.as_str()].into_iter().collect::<Value>())
        })
        .collect();
    with(question, "fields", Some(changed))
}

#[test]
fn a_signed_request_is_allowed_once() {
    let (known, once) = (Known::new(), Once::new());
    let allowed = judge_with(sent().question(), &known, &once).unwrap();
    assert_eq!(allowed.action().agent, agent().did);
    assert_eq!(allowed.action().to_string(), "call:billing_api (refund_under_100)");
    assert_eq!(allowed.owner().id, owner().id);
    let again = judge_with(sent().question(), &known, &once).unwrap_err();
    assert_eq!(
        (again.code(), again.first().at.as_str()),
        (DenialCode::ActionReplayed, "/request/fields")
    );
    // A nonce serves one door: that of an action used it up for requests, too.
    let (credential, audience) = (credential(), south().did);
    let amount = r#"{"amount": {"value": "49.99", "unit": "USD"}}"#;
    let mut draft = action_draft(&credential, "call", "billing_api", "refund_under_100", amount);
    draft.nonce = sent().parameters.nonce;
    let signed = envelope(sign_action(draft), credential.clone());
    let request = ActionRequest { audience: &audience };
    let used = verify::action_value(signed.clone(), &request, &policy(), &known, &once, now()).unwrap_err();
    assert_eq!(used.code(), DenialCode::ActionReplayed);
    verify::action_value(signed, &request, &policy(), &known, &Once::new(), now()).unwrap();
}

#[test]
fn the_limits_of_the_capability_hold() {
    let mut question = sent().question();
    question.as_object_mut().unwrap().insert("meaning", meaning("100.01"));
    let denied = judge(question).unwrap_err();
    assert_eq!(denied.code(), DenialCode::ValueOutOfRange);
    assert_eq!(denied.first().at, "/meaning/parameters/amount");
    let mut known = Known::new();
    known.set.insert((revocation().list, revocation().index));
    let revoked = judge_with(sent().question(), &known, &Once::new()).unwrap_err();
    assert_eq!(revoked.code(), DenialCode::Revoked);
    assert_eq!(revoked.first().at, "/request/credential/credentialStatus");
}

#[test]
fn what_was_changed_on_the_way_is_refused() {
    let question = || sent().question();
    judge(question()).unwrap();
    assert_eq!(
        code(with(question(), "method", Some("PUT".into()))),
        DenialCode::SignatureInvalid
    );
    let elsewhere = Some("https://other.example/refunds".into());
    assert_eq!(
        code(with(question(), "target", elsewhere)),
        DenialCode::SignatureInvalid
    );
    let content = Some(Base::Base64Url.encode(r#"{"amount":"99.99"}"#).into());
    assert_eq!(
        code(with(question(), "content", content)),
        DenialCode::ContentDigestMismatch
    );
    assert_eq!(
        code(with(question(), "content", None)),
        DenialCode::ContentDigestMismatch
    );
    let other = content_digest(br#"{"amount":"99.99"}"#);
    let exchanged = with_field(question(), |name, value| {
        Some(if name == CONTENT_DIGEST {
            other.clone()
        } else {
            value.to_owned()
        })
    });
    assert_eq!(code(exchanged), DenialCode::ContentDigestMismatch);
    // The service may give the digest alone, and what is not signed does not matter.
    let digest = Base::Base64Url.encode(
        Base::Base64Pad
            .decode(content_digest(BODY.as_bytes()).split(':').nth(1).unwrap())
            .unwrap(),
    );
    let by_digest = with(
        with(question(), "content", None),
        "contentSha256",
        Some(digest.clone().into()),
    );
    judge(by_digest).unwrap();
    let both = with(question(), "contentSha256", Some(digest.into()));
    assert_eq!(code(both), DenialCode::DocumentMalformed);
    judge(with_field(question(), |name, value| {
        (name != "content-type").then(|| value.to_owned())
    }))
    .unwrap();
}

#[test]
fn a_signature_that_is_missing_or_covers_too_little_is_none() {
    let question = || sent().question();
    let without =
        |field: &'static str| with_field(question(), move |name, value| (name != field).then(|| value.to_owned()));
    for (field, expected) in [
        ("signature-input", DenialCode::RequestUnsigned),
        ("signature", DenialCode::RequestUnsigned),
        (CAPABILITY, DenialCode::RequestComponentMissing),
        (CONTENT_DIGEST, DenialCode::RequestComponentMissing),
    ] {
        assert_eq!(code(without(field)), expected, "{field}");
    }
    for dropped in [
        "\"@method\" ",
        "\"@target-uri\" ",
        " \"content-digest\"",
        "\"capability-credential\" ",
    ] {
        let fewer = with_field(question(), |_, value| Some(value.replace(dropped, "")));
        assert_eq!(code(fewer), DenialCode::RequestComponentMissing, "{dropped}");
    }
    let tag = with_field(question(), |_, value| Some(value.replace("syndic-action", "other")));
    assert_eq!(code(tag), DenialCode::RequestUnsigned);
    for (from, to) in [
        (";nonce=\"", ";nonce=\"B"),
        (";alg=\"ed25519\"", ""),
        (";created=", ";created=1"),
        ("did:key:", "did:web:"),
    ] {
        let changed = with_field(question(), |name, value| {
            Some(if name == "signature-input" {
                value.replace(from, to)
            } else {
                value.to_owned()
            })
        });
        assert!(judge(changed).is_err(), "{from}");
    }
}

#[test]
fn only_the_subject_of_the_credential_acts_and_by_a_key_of_its_own() {
    judge(sent().question()).unwrap();
    let mut by_other = sent();
    by_other.by = stranger();
    assert_eq!(code(by_other.question()), DenialCode::SignatureInvalid);
    by_other.parameters.key_id = DidUrl::parse(&stranger().method()).unwrap();
    assert_eq!(code(by_other.question()), DenialCode::HolderMismatch);
    let mut unknown = sent();
    unknown.parameters.key_id = DidUrl::parse(&format!("{}#other", agent().did)).unwrap();
    assert_eq!(code(unknown.question()), DenialCode::VerificationMethodUnknown);
}

#[test]
fn the_window_is_that_of_an_action() {
    let within = |created, expires| {
        let mut one = sent();
        one.parameters.created = after(created);
        one.parameters.expires = after(expires);
        judge(one.question()).map(drop).map_err(|denied| denied.code())
    };
    assert_eq!(within(-1, 300), Ok(()));
    assert_eq!(within(-899, 1), Ok(()));
    for (created, expires) in [(-300, 0), (-10, -5), (100, 200), (-1, 900), (5, 5), (5, 4)] {
        assert_eq!(
            within(created, expires),
            Err(DenialCode::ActionWindow),
            "{created} {expires}"
        );
    }
}

#[test]
fn what_stands_in_the_field_is_read_strictly() {
    let enclosing = |text: &str| {
        let field = format!(":{}:", Base::Base64Pad.encode(text));
        code(with_field(sent().question(), move |name, value| {
            Some(if name == CAPABILITY {
                field.clone()
            } else {
                value.to_owned()
            })
        }))
    };
    let whole = String::from_utf8(text(&credential())).unwrap();
    // Only the signature stands against what reads well and was put in another's place.
    assert_eq!(
        enclosing(&format!("{{\"credential\":{whole}, \"chain\":[]}}")),
        DenialCode::SignatureInvalid
    );
    assert_eq!(
        enclosing(&format!("{{\"credential\":{whole},\"more\":1}}")),
        DenialCode::DocumentMalformed
    );
    assert_eq!(
        enclosing(&format!("{{\"credential\":{whole},\"credential\":{whole}}}")),
        DenialCode::JsonInvalid
    );
    assert_eq!(enclosing("{}"), DenialCode::DocumentMalformed);
    assert_eq!(enclosing("nonsense"), DenialCode::JsonInvalid);
    let token = with_field(sent().question(), |name, value| {
        Some(if name == CAPABILITY {
            "token".to_owned()
        } else {
            value.to_owned()
        })
    });
    assert_eq!(code(token), DenialCode::EnvelopeMalformed);
}

#[test]
fn what_it_will_be_about_can_be_told_beforehand() {
    let enclosed = verify::enclosed_in_request(&sent().question()).unwrap();
    assert_eq!(
        enclosed.get("agent").and_then(Value::as_str),
        Some(agent().did.as_str())
    );
    assert_eq!(enclosed.get("credential"), Some(&credential()));
    assert_eq!(verify::enclosed_in_request(&refund()), None);
}

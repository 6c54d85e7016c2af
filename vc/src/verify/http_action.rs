//! A signed HTTP request as an action: what it says was signed by RFC 9421, what it means the service says (document 11
//! of the specifications). From there on it is an action like any other.

use multibase::Base;
use sfv::{Item, Parser};
use sha2::{Digest, Sha256};

use super::action::{Invocation, Places, Stop, decide, outcome};
use super::chain::{self, Link};
use super::outcome::AllowedAction;
use super::{ActionRequest, World, parse, signature};
use crate::action::{AgentAction, CapabilityReference, Meaning};
use crate::constraint::Quoted;
use crate::credential::object_digest;
use crate::decision::{Findings, Step};
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::http_signature::{self, CAPABILITY, Content, HttpRequest, HttpSignatureError, SignedParts};
use crate::json::members::{Members, Path};
use crate::json::{Object, Value};
use crate::trust::OneTime;

/// Where the fields of the request stand: what is in them has no pointer of its own.
const FIELDS_AT: &str = "/request/fields";

pub(super) fn verify(
    body: Value,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
) -> Result<AllowedAction, Denied> {
    let mut findings = Findings::default();
    let grounds = check(&body, request, world, one_time, &mut findings);
    outcome(body, grounds, findings)
}

/// The credential that such a request encloses, with its ancestors and the agent that is said to have signed, for whoever
/// wants to know beforehand whom it will be about. Nothing of it is checked.
pub(super) fn enclosed(body: &Value) -> Option<Value> {
    let members = Members::of(body, Path::ROOT).ok()?;
    let received = read_request(&members.object("request").ok()?).ok()?;
    let text = enclosed_text(&received).ok()?;
    let Value::Object(mut enclosed) = parse(&text).ok()?.into_value() else {
        return None;
    };
    if let Ok(parts) = http_signature::read(&received) {
        enclosed.insert("agent", parts.parameters.key_id.did());
    }
    Some(enclosed.into())
}

fn check(
    body: &Value,
    request: &ActionRequest<'_>,
    world: &World<'_>,
    one_time: &dyn OneTime,
    findings: &mut Findings,
) -> Result<super::action::Grounds, Stop> {
    let members = Members::of(body, Path::ROOT).map_err(Reason::from)?;
    let received = read_request(&members.object("request").map_err(Reason::from)?)?;
    let meant = members.object("meaning").map_err(Reason::from)?;
    let meaning = Meaning::read(&meant)?;
    meant.finish_closed().map_err(Reason::from)?;
    members.finish_closed().map_err(Reason::from)?;
    let parts = http_signature::read(&received).map_err(unsigned)?;

    let text = enclosed_text(&received)?;
    let enclosed = parse(&text).map_err(|denied| within_field(denied.first()))?;
    let request_at = Path::ROOT.member("request");
    let inner = Members::of(enclosed.value(), request_at).map_err(Reason::from)?;
    let under = inner.required("credential").map_err(Reason::from)?;
    let above = inner.optional_array("chain").map_err(Reason::from)?.unwrap_or_default();
    inner.finish_closed().map_err(Reason::from)?;
    let chain_at = inner.at("chain");
    let leaf = Link::read(under, inner.at("credential"))?;
    leaf.subject()?;
    let action = action_of(meaning, &parts, leaf.whole(), request.audience);
    let mut links = vec![leaf];
    links.extend(chain::read_ancestors(above, &chain_at)?);
    findings.passed(Step::Syntax);

    let agent = action.agent.clone();
    let invocation = Invocation {
        action,
        places: Places {
            action: *meant.path(),
            signature: Some(FIELDS_AT),
        },
        links,
    };
    let prove = |world: &World<'_>| check_signature(&parts, &agent, world);
    decide(invocation, prove, request, &world.with(&enclosed), one_time, findings)
}

fn read_request(members: &Members<'_, '_>) -> Result<HttpRequest, Reason> {
    let mut fields = Vec::new();
    for (index, line) in members.array("fields")?.iter().enumerate() {
        let at = members.at("fields");
        let pair = line.as_array().unwrap_or_default();
        let [Some(name), Some(value)] = [pair.first(), pair.get(1)].map(|part| part.and_then(Value::as_str)) else {
            return Err(at.item(index).error("a name and a value, both text").into());
        };
        if pair.len() > 2 {
            return Err(at.item(index).error("a name and a value, and nothing more").into());
        }
        fields.push((name, value));
    }
    let bytes = |name: &'static str| {
        let text = members.optional_str(name)?;
        let decoded = text.map(|text| {
            Base::Base64Url.decode(text).ok().filter(|bytes| {
                // One spelling for each content.
                Base::Base64Url.encode(bytes) == text
            })
        });
        match decoded {
            Some(None) => Err(members.error(name, "base64url without padding")),
            Some(Some(bytes)) => Ok(Some(bytes)),
            None => Ok(None),
        }
    };
    let content = match (bytes("content")?, bytes("contentSha256")?) {
        (None, None) => Content::None,
        (Some(bytes), None) => Content::of(&bytes),
        (None, Some(digest)) => {
            let digest = digest.try_into();
            Content::Sha256(digest.map_err(|_| members.error("contentSha256", "32 bytes in base64url"))?)
        }
        (Some(_), Some(_)) => {
            return Err(members
                .error("contentSha256", "to be absent where the content is given")
                .into());
        }
    };
    let (method, target) = (members.str("method")?, members.str("target")?);
    members.finish_closed()?;
    HttpRequest::new(method, target, fields, content).map_err(|error| {
        Reason::new(
            DenialCode::DocumentMalformed,
            members.path().to_string(),
            error.to_string(),
        )
    })
}

/// The JSON text in the capability field.
fn enclosed_text(request: &HttpRequest) -> Result<Vec<u8>, Reason> {
    let refuse = |code, text: &str| Reason::new(code, FIELDS_AT, text);
    let field = request.field(CAPABILITY).ok_or_else(|| {
        let text = "there is no capability-credential: send the credential under which this is done";
        refuse(DenialCode::RequestComponentMissing, text)
    })?;
    let item: Option<Item> = Parser::new(&field).parse().ok();
    let bytes = item.as_ref().and_then(|item| item.bare_item.as_byte_sequence());
    bytes.map(<[u8]>::to_vec).ok_or_else(|| {
        let text = "capability-credential is not a byte sequence such as :eyJj...:";
        refuse(DenialCode::EnvelopeMalformed, text)
    })
}

fn within_field(reason: &Reason) -> Reason {
    let text = format!("in capability-credential: {}", reason.message);
    Reason::new(reason.code, FIELDS_AT, text)
}

fn unsigned(error: HttpSignatureError) -> Reason {
    let code = match &error {
        HttpSignatureError::Unsigned => DenialCode::RequestUnsigned,
        HttpSignatureError::Several | HttpSignatureError::Malformed { .. } => DenialCode::ProofMalformed,
        HttpSignatureError::NotCovered(_) | HttpSignatureError::Unknown(_) => DenialCode::RequestComponentMissing,
        HttpSignatureError::ContentChanged => DenialCode::ContentDigestMismatch,
    };
    Reason::new(code, FIELDS_AT, error.to_string())
}

/// The action that the request is. Its credential is the enclosed one, since the signature covers that as a whole.
fn action_of(meaning: Meaning, parts: &SignedParts, credential: &Object, audience: &Did) -> AgentAction {
    let parameters = &parts.parameters;
    let id = credential.get("id").and_then(Value::as_str).unwrap_or_default();
    AgentAction {
        id: name_of(&parts.base),
        agent: parameters.key_id.did().clone(),
        action: meaning.action,
        resource: meaning.resource,
        scope: meaning.scope,
        parameters: meaning.parameters,
        purpose: meaning.purpose,
        audience: audience.clone(),
        created: parameters.created,
        expires: parameters.expires,
        nonce: parameters.nonce.clone(),
        capability: CapabilityReference {
            id: id.to_owned(),
            digest: object_digest(credential),
        },
    }
}

/// A UUID (RFC 9562 version 8) made of what was signed: the request has no name of its own.
fn name_of(base: &[u8]) -> String {
    let digest = Sha256::digest(base);
    let mut hex = String::with_capacity(32);
    for (index, byte) in digest.iter().take(16).enumerate() {
        let byte = match index {
            6 => 0x80 | (byte & 0x0f),
            8 => 0x80 | (byte & 0x3f),
            _ => *byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            hex.push('-');
        }
        hex.push_str(&format!("{byte:02x}"));
    }
    format!("urn:uuid:{hex}")
}

fn check_signature(parts: &SignedParts, agent: &Did, world: &World<'_>) -> Result<(), Reason> {
    let at = &Path::from(FIELDS_AT);
    let known = signature::signer_document(at, agent, world)?;
    let name = parts.parameters.key_id.as_str();
    let key = signature::signer_key(&known, name, Purpose::CapabilityInvocation, at, agent)?;
    let needed = http_signature::algorithm(key.kind());
    if let Some(said) = parts.algorithm.as_deref().filter(|said| *said != needed) {
        let text = format!("alg is {}, and the key that signed is for {needed}", Quoted(said));
        return Err(Reason::new(DenialCode::VerificationMethodUnsuitable, FIELDS_AT, text));
    }
    world.verify_signature(key, &parts.base, &parts.signature).map_err(|_| {
        let text = "the signature does not fit: the request was changed on the way, or another key signed it";
        Reason::new(DenialCode::SignatureInvalid, FIELDS_AT, text)
    })
}

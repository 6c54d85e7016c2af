//! A status list that was fetched: whose it is, whether it is the one that was asked for, and until
//! when it counts.

use super::{World, credential, token};
use crate::credential::Credential;
use crate::decision::Findings;
use crate::denial::{DenialCode, Denied, Reason};
use crate::did::Did;
use crate::document::Purpose;
use crate::enveloped::{Claims, Envelope, numeric_date};
use crate::jose::{Jws, TokenType};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Object, Value};
use crate::limits::STATUS_TOKEN_BYTES;
use crate::status::{ListCredential, StatusList, StatusListError, StatusPurpose, document_limits, token as lists};
use crate::time::Timestamp;

/// Which list was fetched, for whose credentials.
#[derive(Clone, Copy, Debug)]
pub struct StatusListRequest<'a> {
    /// The URL that the credential names.
    pub url: &'a str,
    /// The issuer of the credential: only its own lists say anything about it.
    pub issuer: &'a Did,
    /// What a set bit must say.
    pub purpose: StatusPurpose,
}

/// A status list that the issuer signed, for the time being.
#[derive(Clone, Debug)]
pub struct VerifiedStatusList {
    list: StatusList,
    usable_until: Option<Timestamp>,
}

impl VerifiedStatusList {
    /// Whether the bit is set.
    ///
    /// # Errors
    /// [`StatusListError::OutOfBounds`]; that is not the same as "clear".
    pub fn get(&self, index: u64) -> Result<bool, StatusListError> {
        self.list.get(index)
    }

    /// How many entries there are.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.list.len()
    }

    /// When it must be fetched again: its own end, or the end of its time to live, whichever comes
    /// first. `None`: it says neither.
    #[must_use]
    pub const fn usable_until(&self) -> Option<Timestamp> {
        self.usable_until
    }
}

fn unknown(at: impl Into<String>, text: impl Into<String>) -> Reason {
    Reason::new(DenialCode::StatusUnknown, at, text)
}

fn malformed(error: MemberError) -> Reason {
    unknown(error.path, format!("no status list: expected {}", error.expected))
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

pub(super) fn bitstring(
    document: &Value,
    request: &StatusListRequest<'_>,
    world: &World<'_>,
) -> Result<VerifiedStatusList, Denied> {
    check_bitstring(document, request, world).map_err(|reason| Denied::new(reason, Findings::default()))
}

fn check_bitstring(
    document: &Value,
    request: &StatusListRequest<'_>,
    world: &World<'_>,
) -> Result<VerifiedStatusList, Reason> {
    let envelope = Envelope::open(document, &Path::ROOT, TokenType::Credential)?;
    let object: &Object = match &envelope {
        Some(envelope) => envelope.document(),
        None => Members::of(document, Path::ROOT)?.as_object(),
    };
    let credential = Credential::read(object, &Path::ROOT)?;
    let list = ListCredential::read(object, &Path::ROOT).map_err(malformed)?;
    let issuer = credential::check_proof(object, envelope.as_ref(), &credential, &Path::ROOT, world)?;
    if issuer != *request.issuer {
        let text =
            format!("the list is {issuer}'s, and the credential is not: only its issuer says what becomes of it");
        return Err(unknown("/issuer", text));
    }
    if list.id != request.url {
        return Err(unknown(
            "/id",
            format!("this is the list {}, not the one asked for", list.id),
        ));
    }
    if !list.purposes.contains(&request.purpose) {
        let text = format!("the list is not for {}", request.purpose.as_str());
        return Err(unknown("/credentialSubject/statusPurpose", text));
    }
    if !credential.status.is_empty() {
        return Err(unknown(
            "/credentialStatus",
            "a list that has a status itself is not judged here",
        ));
    }
    credential::check_valid_now(&credential, &Path::ROOT, world)?;
    let seconds = list.time_to_live_millis.map(|millis| millis / 1_000);
    Ok(VerifiedStatusList {
        list: list.list,
        usable_until: earlier(credential.valid_until, after(world.now, seconds)),
    })
}

fn after(now: Timestamp, seconds: Option<u64>) -> Option<Timestamp> {
    now.checked_add_seconds(i64::try_from(seconds?).ok()?)
}

pub(super) fn of_token(
    text: &str,
    request: &StatusListRequest<'_>,
    world: &World<'_>,
) -> Result<VerifiedStatusList, Denied> {
    check_token(text, request, world).map_err(|reason| Denied::new(reason, Findings::default()))
}

fn check_token(text: &str, request: &StatusListRequest<'_>, world: &World<'_>) -> Result<VerifiedStatusList, Reason> {
    let jws = Jws::read_within(text, TokenType::StatusList, STATUS_TOKEN_BYTES, &document_limits())
        .map_err(|error| error.reason(&Path::ROOT))?;
    let members = Members::of_object(&jws.payload, Path::ROOT);
    let issuer = request.issuer.as_str();
    let iss = members.optional_str("iss").map_err(malformed)?;
    if [iss, jws.header_iss.as_deref()]
        .into_iter()
        .flatten()
        .any(|iss| iss != issuer)
    {
        return Err(unknown(
            "/iss",
            "the list is another's: only the issuer says what becomes of its tokens",
        ));
    }
    token::check_signer(&jws, iss, &Path::ROOT, Purpose::AssertionMethod, request.issuer, world)?;
    if members.str("sub").map_err(malformed)? != request.url {
        return Err(unknown("/sub", "this is another list than the one asked for"));
    }
    if request.purpose != StatusPurpose::Revocation {
        return Err(unknown(
            "/status_list",
            "a list of one bit says valid or revoked, and nothing of suspension",
        ));
    }
    let issued = numeric_date(&members, "iat").map_err(malformed)?;
    let times = Claims {
        iat: Some(issued.ok_or_else(|| unknown("/iat", "the list does not say when it was made"))?),
        nbf: numeric_date(&members, "nbf").map_err(malformed)?,
        exp: numeric_date(&members, "exp").map_err(malformed)?,
        ..Claims::default()
    };
    token::check_times(&times, &Path::ROOT, world)?;
    let ttl = members.optional_integer("ttl").map_err(malformed)?;
    let ttl = ttl
        .map(|ttl| u64::try_from(ttl).ok().filter(|ttl| *ttl > 0))
        .map(|ttl| ttl.ok_or_else(|| unknown("/ttl", "a time to live is a number of seconds above 0")))
        .transpose()?;
    Ok(VerifiedStatusList {
        list: read_list(&members)?,
        usable_until: earlier(times.exp, after(world.now, ttl)),
    })
}

/// `{"bits": 1, "lst"}`; `aggregation_uri` is not followed.
fn read_list(members: &Members<'_, '_>) -> Result<StatusList, Reason> {
    let list = members.object("status_list").map_err(malformed)?;
    if list.integer("bits").map_err(malformed)? != 1 {
        return Err(unknown(
            "/status_list/bits",
            "only lists of one bit for each entry are judged here",
        ));
    }
    lists::decode(list.str("lst").map_err(malformed)?).map_err(|error| unknown("/status_list/lst", error.to_string()))
}

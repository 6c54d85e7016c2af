//! A status list credential as it stands in a document (Bitstring Status List 1.0 section 2.2).

use super::{StatusList, StatusPurpose};
use crate::json::members::{MemberError, Members, Path};
use crate::json::{Limits, Object, Value};
use crate::limits::{STATUS_COMPRESSED_BYTES, STATUS_TOKEN_BYTES};

/// What a status list credential holds beside what every credential holds: read, nothing verified.
#[derive(Clone, Debug)]
pub struct ListCredential {
    /// Its own URL.
    pub id: String,
    /// What a set bit says; at least one.
    pub purposes: Vec<StatusPurpose>,
    /// The bits.
    pub list: StatusList,
    /// How long a copy may be used, in milliseconds.
    pub time_to_live_millis: Option<u64>,
}

impl ListCredential {
    /// Reads a status list credential; `at` is where it stands.
    ///
    /// # Errors
    /// The member at fault. A purpose that is not understood is one.
    pub fn read(object: &Object, at: &Path<'_>) -> Result<Self, MemberError> {
        let members = Members::of_object(object, at);
        let kind = members.required("type")?;
        let kinds = kind.as_array().unwrap_or(std::slice::from_ref(kind));
        if !kinds
            .iter()
            .any(|one| one.as_str() == Some(super::LIST_CREDENTIAL_TYPE))
        {
            return Err(members.error("type", "BitstringStatusListCredential"));
        }
        let subject = members.object("credentialSubject")?;
        subject.literal("type", "BitstringStatusList", "BitstringStatusList")?;
        let ttl = subject.optional_integer("ttl")?;
        Ok(Self {
            id: members.str("id")?.to_owned(),
            purposes: purposes(&subject)?,
            list: StatusList::decode(subject.str("encodedList")?)
                .map_err(|_| subject.error("encodedList", "131,072 to 2^26 bits, gzip, multibase base64url (u...)"))?,
            time_to_live_millis: ttl
                .map(|ttl| u64::try_from(ttl).map_err(|_| subject.error("ttl", "milliseconds, not below 0")))
                .transpose()?,
        })
    }
}

/// One purpose, or several in an array.
fn purposes(subject: &Members<'_, '_>) -> Result<Vec<StatusPurpose>, MemberError> {
    let value = subject.required("statusPurpose")?;
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    let purposes: Option<Vec<StatusPurpose>> = items
        .iter()
        .map(|item| item.as_str().and_then(StatusPurpose::parse))
        .collect();
    purposes
        .filter(|purposes| (1..=2).contains(&purposes.len()))
        .ok_or_else(|| subject.error("statusPurpose", "revocation, suspension, or both"))
}

/// How much a document may hold that has a status list in it.
#[must_use]
pub fn document_limits() -> Limits {
    Limits {
        body_bytes: STATUS_TOKEN_BYTES,
        string_bytes: STATUS_COMPRESSED_BYTES / 3 * 4 + 1,
        ..Limits::default()
    }
}

/// A member that lists strings: one, or an array of them.
pub(super) fn is_text_or_texts(value: &Value) -> bool {
    let items = value.as_array().unwrap_or(std::slice::from_ref(value));
    !items.is_empty() && items.iter().all(|item| item.as_str().is_some())
}

//! The parameters of DID URLs and resolution requests.

use crate::limits::{DID_BYTES, IDENTIFIER_BYTES};
use crate::time::Timestamp;

/// What a DID URL's query, or the options of a resolution request, ask for. Parameters that are not known are ignored,
/// as DID Resolution section 4.1 asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Which version of the document; the newest if nothing is said.
    pub version: Option<Version>,
    /// The service to be found, by the fragment of its id.
    pub service: Option<String>,
    /// A reference relative to the service's address.
    pub relative_ref: Option<String>,
}

/// Which version of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// The version of this name.
    Id(String),
    /// The version in force at this time.
    Time(Timestamp),
    /// The version of this number; the first is 1.
    Number(u64),
}

/// The parameters cannot be carried out as they stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the query is not percent-encoded text")]
    Encoding,
    /// A known parameter has a value it may not have.
    #[error("{name}: {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What is expected.
        expected: &'static str,
    },
    /// A known parameter is there twice.
    #[error("{0} is there twice")]
    Repeated(&'static str),
    /// More than one way to name a version.
    #[error("give one of versionId, versionTime and versionNumber")]
    ManyVersions,
    /// `relativeRef` is relative to a service.
    #[error("relativeRef needs service")]
    NoService,
}

const KNOWN: [&str; 5] = ["versionId", "versionTime", "versionNumber", "service", "relativeRef"];

impl Parameters {
    /// Reads the queries of a DID URL and of the request for it, as one.
    ///
    /// # Errors
    /// [`ParameterError`] names the parameter.
    pub fn read<'q>(queries: impl IntoIterator<Item = &'q str>) -> Result<Self, ParameterError> {
        let mut found: [Option<String>; KNOWN.len()] = Default::default();
        let pairs = queries.into_iter().flat_map(|query| query.split('&'));
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decoded(name).ok_or(ParameterError::Encoding)?;
            let value = percent_decoded(value).ok_or(ParameterError::Encoding)?;
            let slot = KNOWN.iter().zip(&mut found).find(|(known, _)| **known == name);
            if let Some((known, slot)) = slot
                && slot.replace(value).is_some()
            {
                return Err(ParameterError::Repeated(known));
            }
        }
        let [id, time, number, service, relative_ref] = found;
        if relative_ref.is_some() && service.is_none() {
            return Err(ParameterError::NoService);
        }
        Ok(Self {
            version: version(id, time, number)?,
            service: service.map(service_name).transpose()?,
            relative_ref,
        })
    }
}

fn version(
    id: Option<String>,
    time: Option<String>,
    number: Option<String>,
) -> Result<Option<Version>, ParameterError> {
    let wrong = |name, expected| ParameterError::Value { name, expected };
    match (id, time, number) {
        (None, None, None) => Ok(None),
        (Some(id), None, None) => {
            let usable = !id.is_empty() && id.len() <= IDENTIFIER_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
            let id = usable.then_some(id);
            let id = id.ok_or_else(|| wrong("versionId", "must be the name of a version, in visible characters"))?;
            Ok(Some(Version::Id(id)))
        }
        (None, Some(time), None) => {
            let read = Timestamp::parse(&time).ok().filter(|_| time.ends_with('Z'));
            let time =
                read.ok_or_else(|| wrong("versionTime", "must be a time in UTC such as 2026-01-31T12:00:00Z"))?;
            Ok(Some(Version::Time(time)))
        }
        (None, None, Some(number)) => {
            let digits = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
            let number = number.parse().ok().filter(|_| digits);
            let number = number.ok_or_else(|| wrong("versionNumber", "must be a whole number from 1 on"))?;
            Ok(Some(Version::Number(number)))
        }
        _ => Err(ParameterError::ManyVersions),
    }
}

fn service_name(name: String) -> Result<String, ParameterError> {
    let visible = name.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if visible && !name.is_empty() && name.len() <= DID_BYTES {
        Ok(name)
    } else {
        Err(ParameterError::Value {
            name: "service",
            expected: "must be the fragment of a service's id, in visible characters",
        })
    }
}

/// Undoes percent-encoding once (RFC 3986 section 2.1). A plus sign is a plus sign. `None` if a percent sign stands
/// without two hexadecimal digits, or the result is no UTF-8.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            out.push(u8::try_from(value).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

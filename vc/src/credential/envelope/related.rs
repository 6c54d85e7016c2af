//! `relatedResource`: other documents, pinned by their digests (VCDM 2.0 section 5.3).

use multibase::Base;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::json::members::{MemberError, Members};
use crate::linked_data;
use crate::name::is_url;

/// SHA-256 of contexts as their specifications publish them, in multihash form without the prefix.
/// The bundled text of some differs from the published one in white space.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "https://www.w3.org/ns/credentials/v2",
        "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    ),
    (
        "https://www.w3.org/2018/credentials/v1",
        "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    ),
    (
        "https://w3id.org/security/data-integrity/v2",
        "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    ),
    (
        "https://w3id.org/security/multikey/v1",
        "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    ),
];

const NOT_THAT: &str = "the digest of this context, which is known here: its published SHA-256";

/// Each has an id of its own and at least one digest that reads as one; where the resource is a
/// context that is known here, the digest is that of the context.
pub(super) fn check(members: &Members<'_, '_>) -> Result<(), MemberError> {
    let mut seen = std::collections::BTreeSet::new();
    let Some(value) = members.optional("relatedResource") else {
        return Ok(());
    };
    let here = members.at("relatedResource");
    let listed = value.as_array();
    let items = listed.unwrap_or(std::slice::from_ref(value));
    if items.is_empty() {
        return Err(here.error("at least one object"));
    }
    for (index, item) in items.iter().enumerate() {
        let item_at = here.item(index);
        let resource = Members::of(item, if listed.is_some() { &item_at } else { &here })?;
        let id = resource.str("id")?;
        if !is_url(id) || !seen.insert(id) {
            return Err(resource.error("id", "a URL, each once"));
        }
        let sri = resource.optional_str("digestSRI")?;
        let multibase = resource.optional_str("digestMultibase")?;
        if sri.is_none() && multibase.is_none() {
            return Err(resource.error("digestSRI", "a digestSRI or a digestMultibase"));
        }
        if let Some(text) = sri {
            let expected = "sha256-, sha384- or sha512- and the digest in base64";
            let digest = from_sri(text).ok_or_else(|| resource.error("digestSRI", expected))?;
            if !digest.may_be_of(id) {
                return Err(resource.error("digestSRI", NOT_THAT));
            }
        }
        if let Some(text) = multibase {
            let expected = "a multihash (sha2-256, -384 or -512) as multibase (u... or z...)";
            let digest = from_multibase(text).ok_or_else(|| resource.error("digestMultibase", expected))?;
            if !digest.may_be_of(id) {
                return Err(resource.error("digestMultibase", NOT_THAT));
            }
        }
    }
    Ok(())
}

/// A digest of the SHA-2 family; its length tells which.
struct Sha2(Vec<u8>);

impl Sha2 {
    fn of_length(bytes: Vec<u8>, length: usize) -> Option<Self> {
        (bytes.len() == length).then_some(Self(bytes))
    }

    /// False if it is known to be the digest of something else.
    fn may_be_of(&self, url: &str) -> bool {
        let Some(text) = linked_data::context(url) else {
            return true;
        };
        let own: &[u8] = match self.0.len() {
            32 => &Sha256::digest(text),
            48 => &Sha384::digest(text),
            _ => &Sha512::digest(text),
        };
        let hex: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        own == self.0 || PUBLISHED.contains(&(url, hex.as_str()))
    }
}

/// Subresource Integrity, one digest. Exactly as base64 is written, padding at the end only.
fn from_sri(text: &str) -> Option<Sha2> {
    let (algorithm, base64) = text.split_once('-')?;
    let length = match algorithm {
        "sha256" => 32,
        "sha384" => 48,
        "sha512" => 64,
        _ => return None,
    };
    let bytes = Base::Base64Pad.decode(base64).ok()?;
    if Base::Base64Pad.encode(&bytes) != base64 {
        return None;
    }
    Sha2::of_length(bytes, length)
}

fn from_multibase(text: &str) -> Option<Sha2> {
    let base = match text.chars().next() {
        Some('u') => Base::Base64Url,
        Some('z') => Base::Base58Btc,
        _ => return None,
    };
    let (_, bytes) = multibase::decode(text).ok()?;
    if multibase::encode(base, &bytes) != text {
        return None;
    }
    let (prefix, digest) = bytes.split_first_chunk::<2>()?;
    let length = match prefix {
        [0x12, 32] => 32,
        [0x20, 48] => 48,
        [0x13, 64] => 64,
        _ => return None,
    };
    Sha2::of_length(digest.to_vec(), length)
}

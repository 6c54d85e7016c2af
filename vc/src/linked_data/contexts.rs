//! The bundled contexts. Documents name them by URL; their text is part of the program, so that
//! what a document means does not depend on a web server.

/// Every bundled context: its URL and its text, a JSON object with the member `@context`.
pub const BUNDLED: &[(&str, &str)] = &[
    (
        "https://www.w3.org/ns/credentials/v2",
        include_str!("contexts/credentials-v2.jsonld"),
    ),
    (
        "https://syndic.example/ns/capability/v1",
        include_str!("../../../specs/capability-v1.jsonld"),
    ),
    (
        "https://www.w3.org/2018/credentials/v1",
        include_str!("contexts/credentials-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/credentials/examples/v2",
        include_str!("contexts/credentials-examples-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v1",
        include_str!("contexts/data-integrity-v1.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v2",
        include_str!("contexts/data-integrity-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/multikey/v1",
        include_str!("contexts/multikey-v1.jsonld"),
    ),
    ("https://www.w3.org/ns/did/v1", include_str!("contexts/did-v1.jsonld")),
    (
        "https://w3id.org/security/suites/ed25519-2020/v1",
        include_str!("contexts/ed25519-signature-2020-v1.jsonld"),
    ),
    ("https://w3id.org/vdl/v1", include_str!("contexts/vdl-v1.jsonld")),
    (
        "https://w3id.org/citizenship/v4rc1",
        include_str!("contexts/citizenship-v4rc1.jsonld"),
    ),
    (
        "https://w3id.org/vc/status-list/2021/v1",
        include_str!("contexts/status-list-2021-v1.jsonld"),
    ),
];

/// The text of the context with this URL, if it is bundled.
#[must_use]
pub fn context(url: &str) -> Option<&'static str> {
    BUNDLED.iter().find(|(name, _)| *name == url).map(|(_, text)| *text)
}

//! Unsigned credentials with all that credentials are made of. The one who signs fills in the issuer.

use serde_json::{Value, json};

/// The version of the data model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// VCDM 1.1
    One,
    /// VCDM 2.0
    Two,
}

impl Version {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::Two];

    /// As people write it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::One => "1.1",
            Self::Two => "2.0",
        }
    }

    /// As a number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// Its first context.
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::One => "https://www.w3.org/2018/credentials/v1",
            Self::Two => "https://www.w3.org/ns/credentials/v2",
        }
    }
}

/// Whatever is a term of no other context is one of this.
const EXAMPLES: &str = "https://www.w3.org/ns/credentials/examples/v2";
/// The subject, where it does not matter who it is.
pub(crate) const SOMEBODY: &str = "did:example:ebfeb1f712ebc6f1c276e12ec21";

/// A credential with these claims about `subject`.
fn about(version: Version, subject: &str, claims: Value) -> Value {
    let mut credential = json!({
        "@context": [version.context(), EXAMPLES],
        "type": ["VerifiableCredential", "ExampleCredential"],
        "credentialSubject": claims,
    });
    credential["credentialSubject"]["id"] = subject.into();
    match version {
        Version::One => credential["issuanceDate"] = "2024-03-01T08:00:00Z".into(),
        Version::Two => credential["validFrom"] = "2024-03-01T08:00:00Z".into(),
    }
    credential
}

fn with(mut credential: Value, name: &str, value: Value) -> Value {
    credential[name] = value;
    credential
}

/// Claims of every shape, by name.
fn claims() -> Vec<(&'static str, Value)> {
    vec![
        ("plain", json!({"alumniOf": "Example University"})),
        (
            "unicode",
            json!({"alumniOf": "Universität Zürich — 東京大学 🎓", "motto": "e\u{301} é \u{202e}abc \u{1F469}\u{200D}\u{1F52C}"}),
        ),
        (
            "escapes",
            json!({"alumniOf": "a\"b\\c\u{8}\u{c}\n\r\t/</script>\u{7f}\u{2028}", "empty": ""}),
        ),
        (
            "nested",
            json!({"degree": {"type": "ExampleDegree", "name": "Bachelor", "faculty": {"dean": {"name": "Dana"}}}}),
        ),
        (
            "arrays",
            json!({"alumniOf": ["One", "Two", "Three"], "degree": [{"name": "B.Sc."}, {"name": "M.Sc."}]}),
        ),
        (
            "numbers",
            json!({"small": 0, "negative": -17, "large": 9_007_199_254_740_991_i64, "half": 0.5, "tiny": 1.5e-7, "yes": true}),
        ),
        (
            "languages",
            json!({"alumniOf": [
                {"@value": "Example University", "@language": "en"},
                {"@value": "Université de l'Exemple", "@language": "fr"},
            ]}),
        ),
        (
            "blank nodes alike",
            json!({"knows": [{"knows": {"name": "X"}}, {"knows": {"name": "X"}}, {"knows": {"knows": {"name": "X"}}}]}),
        ),
    ]
}

/// Claims that Syndic signs and reads in the `jcs` suites alone, though others sign them as RDF too: there they would be
/// signed another way than they are written (`specs/06-linked-data.md`).
pub(crate) fn unsafe_as_rdf(version: Version) -> Vec<(&'static str, Value)> {
    let all = [
        ("the same value twice", json!({"alumniOf": ["One", "Two", "One"]})),
        ("an array in an array", json!({"alumniOf": ["One", ["Two"]]})),
        (
            "a typed value",
            json!({"since": {"@value": "2019-05-01", "@type": "http://www.w3.org/2001/XMLSchema#date"}}),
        ),
        ("a list", json!({"ranking": {"@list": ["first", "second"]}})),
    ];
    let all = all.into_iter();
    all.map(|(name, claims)| (name, about(version, SOMEBODY, claims)))
        .collect()
}

/// Credentials of a version with every shape of claims and envelope, by name.
pub(crate) fn credentials(version: Version, subject: &str) -> Vec<(&'static str, Value)> {
    let mut all: Vec<(&'static str, Value)> = claims()
        .into_iter()
        .map(|(name, claims)| (name, about(version, subject, claims)))
        .collect();
    let plain = || about(version, subject, json!({"alumniOf": "Example University"}));
    let id = json!("urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33");
    all.push(("an id", with(plain(), "id", id)));
    let terms = json!({"type": "ExampleTerms", "id": "https://example.org/terms/1"});
    all.push(("terms of use", with(plain(), "termsOfUse", terms)));
    let evidence = json!([{"type": ["ExampleEvidence"], "verifier": "https://example.org/v"}]);
    all.push(("evidence", with(plain(), "evidence", evidence)));
    let until = match version {
        Version::One => "expirationDate",
        Version::Two => "validUntil",
    };
    all.push(("an end", with(plain(), until, json!("2099-12-31T23:59:59Z"))));
    let issuer = json!({"id": "", "type": "ExampleIssuer", "alumniOf": "Nobody"});
    all.push(("an issuer with claims", with(plain(), "issuer", issuer)));
    let subjects = json!([{"id": subject, "spouse": "did:example:b"}, {"id": "did:example:b", "spouse": subject}]);
    all.push(("two subjects", with(plain(), "credentialSubject", subjects)));
    if version == Version::Two {
        let name = json!([{"@value": "Diploma", "@language": "en"}, {"@value": "Diplom", "@language": "de"}]);
        all.push(("a name in two languages", with(plain(), "name", name)));
        all.push(("a description", with(plain(), "description", json!("What it is for"))));
    }
    all
}

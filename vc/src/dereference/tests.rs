#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{DereferenceError, HttpsUrl, ParameterError, Parameters, ReferenceError, Target, Version, dereference};
use crate::did::DidUrl;
use crate::json::{self, Value};

const DID: &str = "did:example:123";

fn document() -> Value {
    json::parse(
        br##"{
            "id": "did:example:123",
            "verificationMethod": [{"id": "did:example:123#key-1", "type": "Multikey"}, {"id": "#key-2", "type": "Multikey"}],
            "authentication": ["#key-1", {"id": "#inside", "type": "Multikey"}],
            "service": [
                {"id": "did:example:123#files", "type": "Files", "serviceEndpoint": "https://files.example/a/b?q=1"},
                {"id": "#other", "type": "Linked", "serviceEndpoint": "did:example:456"},
                {"id": "#plain", "type": "X", "serviceEndpoint": "http://files.example/"},
                {"id": "#script", "type": "X", "serviceEndpoint": "javascript:alert(1)"},
                {"id": "#user", "type": "X", "serviceEndpoint": "https://a:b@files.example/"},
                {"id": "#breaks", "type": "X", "serviceEndpoint": "https://files.example/\r\nSet-Cookie: a=b"},
                {"id": "#many", "type": "X", "serviceEndpoint": ["https://files.example/"]},
                {"id": "#marked", "type": "X", "serviceEndpoint": "https://files.example/#there"}
            ]
        }"##,
    )
    .unwrap()
}

fn read(url: &str) -> Result<String, String> {
    let document = document();
    let url = DidUrl::parse(url).unwrap();
    let parameters = Parameters::read(url.query()).map_err(|error| error.to_string())?;
    match dereference(&document, &url, &parameters) {
        Ok(Target::Document(_)) => Ok("document".to_owned()),
        Ok(Target::Part(part)) => Ok(part.get("id").unwrap().as_str().unwrap().to_owned()),
        Ok(Target::Address(address)) => Ok(address),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn a_fragment_names_a_method_or_a_service_and_nothing_else() {
    for (rest, found) in [
        ("", "document"),
        ("#key-1", "did:example:123#key-1"),
        ("#key-2", "#key-2"),
        ("#inside", "#inside"),
        ("#files", "did:example:123#files"),
    ] {
        assert_eq!(read(&format!("{DID}{rest}")).as_deref(), Ok(found), "{rest}");
    }
    for rest in ["#key-3", "#", "#key-1%20", "#KEY-1"] {
        assert!(read(&format!("{DID}{rest}")).is_err(), "{rest}");
    }
    let (document, empty) = (document(), Parameters::default());
    let another = DidUrl::parse("did:example:1234#key-1").unwrap();
    assert!(matches!(
        dereference(&document, &another, &empty),
        Err(DereferenceError::NoSuchPart(_))
    ));
    let path = DidUrl::parse("did:example:123/path").unwrap();
    assert_eq!(dereference(&document, &path, &empty), Err(DereferenceError::Path));
}

#[test]
fn a_service_leads_to_its_own_address_and_no_other() {
    for (rest, address) in [
        ("?service=files", "https://files.example/a/b?q=1"),
        ("?service=%66iles", "https://files.example/a/b?q=1"),
        ("?service=files&relativeRef=/c", "https://files.example/c"),
        ("?service=files&relativeRef=%2Fc%3Fd%23e", "https://files.example/c?d#e"),
        ("?service=files&relativeRef=c", "https://files.example/a/c"),
        ("?service=files&relativeRef=../../../c", "https://files.example/c"),
        ("?service=files&relativeRef=%3Fd", "https://files.example/a/b?d"),
        ("?service=files#part", "https://files.example/a/b?q=1#part"),
        ("?service=other", "did:example:456"),
        ("?service=files&unknown=1", "https://files.example/a/b?q=1"),
    ] {
        assert_eq!(read(&format!("{DID}{rest}")).as_deref(), Ok(address), "{rest}");
    }
    for rest in [
        "?service=missing",
        "?service=plain",
        "?service=script",
        "?service=user",
        "?service=breaks",
        "?service=many",
        "?service=marked#part",
        "?service=other&relativeRef=/a",
        "?service=",
        "?service=files&service=other",
        "?relativeRef=/a",
        "?service=files&relativeRef=//evil.example/",
        "?service=files&relativeRef=https://evil.example/",
        "?service=files&relativeRef=javascript:alert(1)",
        "?service=files&relativeRef=%5C%5Cevil.example",
        "?service=files&relativeRef=/%5Cevil.example",
        "?service=files&relativeRef=/%0d%0aSet-Cookie:%20a=b",
        "?service=files&relativeRef=%23a%23b",
        "?service=files&relativeRef=%ff",
    ] {
        assert!(read(&format!("{DID}{rest}")).is_err(), "{rest}");
    }
}

/// RFC 3986 section 5.4, as far as the references stay with the authority.
#[test]
fn references_are_resolved_by_the_standard() {
    let base = HttpsUrl::parse("https://a/b/c/d;p?q").unwrap();
    for (reference, expected) in [
        ("g", "https://a/b/c/g"),
        ("./g", "https://a/b/c/g"),
        ("g/", "https://a/b/c/g/"),
        ("/g", "https://a/g"),
        ("?y", "https://a/b/c/d;p?y"),
        ("g?y", "https://a/b/c/g?y"),
        ("#s", "https://a/b/c/d;p?q#s"),
        ("g#s", "https://a/b/c/g#s"),
        ("g?y#s", "https://a/b/c/g?y#s"),
        (";x", "https://a/b/c/;x"),
        ("g;x", "https://a/b/c/g;x"),
        ("", "https://a/b/c/d;p?q"),
        (".", "https://a/b/c/"),
        ("./", "https://a/b/c/"),
        ("..", "https://a/b/"),
        ("../", "https://a/b/"),
        ("../g", "https://a/b/g"),
        ("../..", "https://a/"),
        ("../../g", "https://a/g"),
        ("../../../g", "https://a/g"),
        ("/./g", "https://a/g"),
        ("/../g", "https://a/g"),
        ("g.", "https://a/b/c/g."),
        (".g", "https://a/b/c/.g"),
        ("..g", "https://a/b/c/..g"),
        ("./../g", "https://a/b/g"),
        ("./g/.", "https://a/b/c/g/"),
        ("g/./h", "https://a/b/c/g/h"),
        ("g/../h", "https://a/b/c/h"),
        ("g;x=1/../y", "https://a/b/c/y"),
        ("g?y/./x", "https://a/b/c/g?y/./x"),
        ("g#s/../x", "https://a/b/c/g#s/../x"),
    ] {
        assert_eq!(base.join(reference).as_deref(), Ok(expected), "{reference:?}");
    }
    for reference in ["//g", "g:h", "https:g"] {
        assert_eq!(base.join(reference), Err(ReferenceError::Elsewhere), "{reference:?}");
    }
    assert_eq!(
        HttpsUrl::parse("https://a").unwrap().join("g").as_deref(),
        Ok("https://a/g")
    );
    // A path that begins with two slashes after its dots are gone stays behind the authority.
    assert_eq!(base.join("/..//g").as_deref(), Ok("https://a//g"));
}

#[test]
fn parameters_say_one_thing_each() {
    let version = |query: &str| Parameters::read([query]).map(|parameters| parameters.version);
    assert_eq!(version("versionId=1-Qm"), Ok(Some(Version::Id("1-Qm".to_owned()))));
    assert_eq!(version("versionNumber=3"), Ok(Some(Version::Number(3))));
    assert!(matches!(
        version("versionTime=2026-01-31T12%3A00%3A00Z"),
        Ok(Some(Version::Time(_)))
    ));
    assert_eq!(version("noCache=true&accept=x"), Ok(None));
    assert_eq!(version(""), Ok(None));
    for query in [
        "versionId=",
        "versionId=a%20b",
        "versionId=%0a",
        "versionNumber=0",
        "versionNumber=01",
        "versionNumber=-1",
        "versionNumber=%2B1",
        "versionNumber=99999999999999999999",
        "versionTime=yesterday",
        "versionTime=2026-01-31",
        "versionTime=2026-01-31T12:00:00%2B01:00",
        "versionId=1-a&versionNumber=1",
        "versionId=1-a&versionId=1-a",
        "versionId=%",
        "versionId=%4",
        "versionId=%zz",
        "other=%ff",
    ] {
        assert!(version(query).is_err(), "{query}");
    }
    let both = Parameters::read(["service=a", "service=a"]);
    assert_eq!(both, Err(ParameterError::Repeated("service")));
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::did::DidUrl;
use crate::key::{PublicKey, SecretKey};
use crate::time::Timestamp;

fn key() -> SecretKey {
    SecretKey::from_seed([7; 32].into())
}

fn parameters() -> Parameters {
    Parameters {
        created: Timestamp::from_unix_seconds(1_800_000_000).unwrap(),
        expires: Timestamp::from_unix_seconds(1_800_000_060).unwrap(),
        nonce: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        key_id: DidUrl::parse("did:key:z6Mk#z6Mk").unwrap(),
    }
}

const BODY: &[u8] = br#"{"amount": 10}"#;

fn request(content: &[u8]) -> HttpRequest {
    let digest = content_digest(content);
    let mut fields = vec![("Capability-Credential", ":e30=:"), ("Accept", "*/*")];
    if !content.is_empty() {
        fields.push(("Content-Digest", &digest));
    }
    HttpRequest::new(
        "POST",
        "https://Service.example:443/refunds?for=4711",
        fields,
        Content::of(content),
    )
    .unwrap()
}

fn signed(request: HttpRequest) -> HttpRequest {
    let (input, signature) = sign(&request, &parameters(), &key()).unwrap();
    let request = request.with_field("Signature-Input", &input).unwrap();
    request.with_field("Signature", &signature).unwrap()
}

fn holds(request: &HttpRequest) -> bool {
    read(request).is_ok_and(|parts| key().public_key().verify(&parts.base, &parts.signature).is_ok())
}

/// The signed request, received with something else in the place of these fields.
fn received(method: &str, target: &str, change: impl Fn(&str, &str) -> Option<String>, content: &[u8]) -> HttpRequest {
    let original = signed(request(BODY));
    let fields: Vec<(String, String)> = original
        .fields()
        .filter_map(|(name, value)| Some((name.to_owned(), change(name, value)?)))
        .collect();
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    HttpRequest::new(method, target, fields, Content::of(content)).unwrap()
}

const TARGET: &str = "https://service.example/refunds?for=4711";

fn same(_: &str, value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn what_is_signed_is_read_and_holds() {
    for content in [BODY, b""] {
        let request = signed(request(content));
        let parts = read(&request).unwrap();
        assert_eq!(parts.parameters, parameters());
        assert_eq!(parts.algorithm.as_deref(), Some("ed25519"));
        assert!(holds(&request));
    }
    assert!(holds(&received("POST", TARGET, same, BODY)));
    // The port of the scheme and the case of the host say nothing.
    assert!(holds(&received(
        "POST",
        "HTTPS://SERVICE.example:443/refunds?for=4711",
        same,
        BODY
    )));
}

#[test]
fn a_request_that_was_changed_on_the_way_does_not_hold() {
    for (method, target) in [
        ("PUT", TARGET),
        ("post", TARGET),
        ("POST", "http://service.example/refunds?for=4711"),
        ("POST", "https://other.example/refunds?for=4711"),
        ("POST", "https://service.example:8443/refunds?for=4711"),
        ("POST", "https://service.example/refunds?for=4712"),
        ("POST", "https://service.example/refunds"),
        ("POST", "https://service.example/refunds/?for=4711"),
    ] {
        assert!(!holds(&received(method, target, same, BODY)), "{method} {target}");
    }
    assert_eq!(
        read(&received("POST", TARGET, same, b"{\"amount\": 99}")),
        Err(HttpSignatureError::ContentChanged)
    );
    assert_eq!(
        read(&received("POST", TARGET, same, b"")),
        Err(HttpSignatureError::ContentChanged)
    );
    // Another digest beside another content.
    let other = content_digest(b"{\"amount\": 99}");
    let change = |name: &str, value: &str| Some(if name == CONTENT_DIGEST { &other } else { value }.to_owned());
    assert!(!holds(&received("POST", TARGET, change, b"{\"amount\": 99}")));
    let change = |name: &str, value: &str| Some(if name == CAPABILITY { ":e30K:" } else { value }.to_owned());
    assert!(!holds(&received("POST", TARGET, change, BODY)));
    // What is not signed may change.
    let change = |name: &str, value: &str| Some(if name == "accept" { "text/html" } else { value }.to_owned());
    assert!(holds(&received("POST", TARGET, change, BODY)));
}

#[test]
fn what_must_be_signed_and_is_not_is_named() {
    let input = |text: &'static str| {
        move |name: &str, value: &str| Some(if name == SIGNATURE_INPUT { text } else { value }.to_owned())
    };
    let all = r#"created=1800000000;expires=1800000060;nonce="AAAAAAAAAAAAAAAAAAAAAA";keyid="did:key:z6Mk#z6Mk";tag="syndic-action""#;
    let reads = |text: String| {
        let text: &'static str = text.leak();
        read(&received("POST", TARGET, input(text), BODY))
    };
    let covering = |components: &str| reads(format!("action=({components});{all}"));
    let full = r#""@method" "@target-uri" "capability-credential" "content-digest""#;
    assert!(covering(full).is_ok());
    for missing in ["@method", "@target-uri", CAPABILITY, CONTENT_DIGEST] {
        let fewer = full.replace(&format!("\"{missing}\""), "\"accept\"");
        assert_eq!(covering(&fewer), Err(HttpSignatureError::NotCovered(missing)));
    }
    let unknown = |name: &str| Err(HttpSignatureError::Unknown(name.to_owned()));
    assert_eq!(covering(&format!("{full} \"date\"")), unknown("date"));
    assert_eq!(covering(&format!("{full} \"@status\"")), unknown("@status"));
    assert_eq!(
        covering(&full.replace("\"@method\"", "\"@method\";req")),
        unknown("@method")
    );
    let malformed = |result| matches!(result, Err(HttpSignatureError::Malformed { .. }));
    assert!(malformed(covering(&format!("{full} \"accept\" \"accept\""))));
    for parameter in ["created", "expires", "nonce", "keyid"] {
        let without: Vec<&str> = all.split(';').filter(|one| !one.starts_with(parameter)).collect();
        assert!(
            malformed(reads(format!("action=({full});{}", without.join(";")))),
            "{parameter}"
        );
    }
    assert!(malformed(reads(format!(
        "action=({full});{}",
        all.replace("AAAAAA\"", "\"")
    ))));
    assert!(malformed(reads(format!("other=({full});{all}"))));
    for none in ["", "action=1", "action"] {
        assert!(reads(none.to_owned()).is_err());
    }
    assert_eq!(
        reads(format!("action=({full});{}", all.replace("syndic-action", "other"))),
        Err(HttpSignatureError::Unsigned)
    );
    assert_eq!(
        reads(format!("action=({full});{all}, b=({full});{all}")),
        Err(HttpSignatureError::Several)
    );
    // Somebody else's signature beside it does no harm.
    assert!(
        reads(format!(
            "proxy=(\"@method\");created=1;tag=\"proxy\", action=({full});{all}"
        ))
        .is_ok()
    );
}

#[test]
fn the_example_of_rfc_9421_section_b_2_6_holds() {
    let input = concat!(
        r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
        r#";created=1618884473;keyid="test-key-ed25519""#
    );
    let signature = ":wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    let request = HttpRequest::new(
        "POST",
        "https://example.com/foo?param=Value&Pet=dog",
        [
            ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("Content-Type", "application/json"),
            ("Content-Length", "18"),
            ("Signature-Input", input),
            ("Signature", &format!("sig-b26={signature}")),
        ],
        Content::of(br#"{"hello": "world"}"#),
    )
    .unwrap();
    let inputs = dictionary(&request, SIGNATURE_INPUT).unwrap();
    let (label, ListEntry::InnerList(list)) = inputs.first().unwrap() else {
        unreachable!("an inner list");
    };
    let base = components::base(&request, &components::covered(list).unwrap(), list).unwrap();
    let public = multibase::Base::Base64Url
        .decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")
        .unwrap();
    let public = PublicKey::from_bytes(&public.try_into().unwrap()).unwrap();
    let made = signature_of(&request, label).unwrap();
    assert_eq!(public.verify(&base, &made), Ok(()));
    let target = "https://example.com/fop?param=Value&Pet=dog";
    let changed = HttpRequest::new("POST", target, request.fields(), Content::None).unwrap();
    let base = components::base(&changed, &components::covered(list).unwrap(), list).unwrap();
    assert!(public.verify(&base, &made).is_err());
    // It is no signature of an action.
    assert_eq!(read(&request), Err(HttpSignatureError::Unsigned));
}

#[test]
fn what_is_no_request_is_refused() {
    let new = |method: &str, target: &str, field: (&str, &str)| {
        HttpRequest::new(method, target, [field], Content::None).map(|request| request.target().to_string())
    };
    let fine = ("a", "b");
    assert_eq!(new("GET", "http://a.example", fine), Ok("http://a.example/".to_owned()));
    assert_eq!(
        new("GET", "http://a.example?b", fine),
        Ok("http://a.example/?b".to_owned())
    );
    for target in [
        "",
        "/path",
        "ftp://a.example/",
        "https://",
        "https:///path",
        "https://user@a.example/",
        "https://a.example/#b",
        "https://a.example/a b",
        "https://a.example/ä",
        "https://a.example/a\nb",
    ] {
        assert_eq!(new("GET", target, fine), Err(RequestError::Target), "{target}");
    }
    for method in ["", "GE T", "GET\n", "GÄT"] {
        assert_eq!(new(method, "http://a/", fine), Err(RequestError::Method), "{method}");
    }
    for field in [
        ("", "b"),
        ("a b", "c"),
        ("a:", "b"),
        ("a", "b\n\"@method\": GET"),
        ("a", "b\r"),
        ("a", "\u{e4}"),
    ] {
        assert_eq!(new("GET", "http://a/", field), Err(RequestError::Field), "{field:?}");
    }
    let many = std::iter::repeat_n(("a", "b"), crate::limits::FIELDS + 1);
    let long = "a".repeat(crate::limits::FIELD_BYTES);
    assert_eq!(
        HttpRequest::new("GET", "http://a/", many, Content::None),
        Err(RequestError::Fields)
    );
    assert_eq!(new("GET", "http://a/", ("a", &long)), Err(RequestError::Fields));
}

proptest! {
    /// Nothing that comes in a field makes the reader fail otherwise than by an error.
    #[test]
    fn no_field_harms(input in "[ -~]{0,200}", signature in "[ -~]{0,100}", digest in "[ -~]{0,100}") {
        let fields = [("signature-input", input.as_str()), ("signature", &signature), ("content-digest", &digest)];
        let request = HttpRequest::new("GET", "http://a/", fields, Content::of(b"x")).unwrap();
        prop_assert!(read(&request).is_err());
    }

    /// One changed character of the input never leaves the signature good.
    #[test]
    fn no_parameter_may_change(at in 0_usize..400, by in b' '..=b'~') {
        let change = |name: &str, value: &str| {
            let mut bytes = value.as_bytes().to_vec();
            if name == SIGNATURE_INPUT && let Some(byte) = bytes.get_mut(at) {
                *byte = by;
            }
            Some(String::from_utf8(bytes).unwrap())
        };
        let original = signed(request(BODY)).field(SIGNATURE_INPUT);
        let request = received("POST", TARGET, change, BODY);
        let changed = request.field(SIGNATURE_INPUT) != original;
        // The label and the spaces are not signed, and say nothing.
        let equal = read(&request).ok().map(|parts| parts.base) == read(&signed(self::request(BODY))).ok().map(|parts| parts.base);
        prop_assert!(!changed || equal || !holds(&request));
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::disclosure::write;
use super::*;
use crate::jose::from_base64url;
use crate::json::{self, Object, Value};

/// RFC 9901 appendix A.2, the payload.
const PAYLOAD: &str = "eyJfc2QiOiBbIi1hU3puSWQ5bVdNOG9jdVFvbENsbHN4VmdncTEtdkhXNE90bmhVdFZtV3ciLCAiSUticllObjN2QT\
    dXRUZyeXN2YmRCSmpERFVfRXZRSXIwVzE4dlRScFVTZyIsICJvdGt4dVQxNG5CaXd6TkozTVBhT2l0T2w5cFZuWE9h\
    RUhhbF94a3lOZktJIl0sICJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZS5jb20iLCAiaWF0IjogMTY4MzAwMD\
    AwMCwgImV4cCI6IDE4ODMwMDAwMDAsICJ2ZXJpZmllZF9jbGFpbXMiOiB7InZlcmlmaWNhdGlvbiI6IHsiX3NkIjog\
    WyI3aDRVRTlxU2N2REtvZFhWQ3VvS2ZLQkpwVkJmWE1GX1RtQUdWYVplM1NjIiwgInZUd2UzcmFISUZZZ0ZBM3hhVU\
    QyYU14Rno1b0RvOGlCdTA1cUtsT2c5THciXSwgInRydXN0X2ZyYW1ld29yayI6ICJkZV9hbWwiLCAiZXZpZGVuY2Ui\
    OiBbeyIuLi4iOiAidFlKMFREdWN5WlpDUk1iUk9HNHFSTzV2a1BTRlJ4RmhVRUxjMThDU2wzayJ9XX0sICJjbGFpbX\
    MiOiB7Il9zZCI6IFsiUmlPaUNuNl93NVpIYWFka1FNcmNRSmYwSnRlNVJ3dXJSczU0MjMxRFRsbyIsICJTXzQ5OGJi\
    cEt6QjZFYW5mdHNzMHhjN2NPYW9uZVJyM3BLcjdOZFJtc01vIiwgIldOQS1VTks3Rl96aHNBYjlzeVdPNklJUTF1SG\
    xUbU9VOHI4Q3ZKMGNJTWsiLCAiV3hoX3NWM2lSSDliZ3JUQkppLWFZSE5DTHQtdmpoWDFzZC1pZ09mXzlsayIsICJf\
    Ty13SmlIM2VuU0I0Uk9IbnRUb1FUOEptTHR6LW1oTzJmMWM4OVhvZXJRIiwgImh2RFhod21HY0pRc0JDQTJPdGp1TE\
    Fjd0FNcERzYVUwbmtvdmNLT3FXTkUiXX19LCAiX3NkX2FsZyI6ICJzaGEtMjU2In0";

/// The same, what is shown.
const SHOWN: [&str; 6] = [
    "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgInRpbWUiLCAiMjAxMi0wNC0yM1QxODoyNVoiXQ",
    "WyJQYzMzSk0yTGNoY1VfbEhnZ3ZfdWZRIiwgeyJfc2QiOiBbIjl3cGpWUFd1RDdQSzBuc1FETDhCMDZsbWRnVjNMVn\
     liaEh5ZFFwVE55TEkiLCAiRzVFbmhPQU9vVTlYXzZRTU52ekZYanBFQV9SYy1BRXRtMWJHX3djYUtJayIsICJJaHdG\
     cldVQjYzUmNacTl5dmdaMFhQYzdHb3doM08ya3FYZUJJc3dnMUI0IiwgIldweFE0SFNvRXRjVG1DQ0tPZURzbEJfZW\
     11Y1lMejJvTzhvSE5yMWJFVlEiXX1d",
    "WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgIm1ldGhvZCIsICJwaXBwIl0",
    "WyJHMDJOU3JRZmpGWFE3SW8wOXN5YWpBIiwgImdpdmVuX25hbWUiLCAiTWF4Il0",
    "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgImZhbWlseV9uYW1lIiwgIk1cdTAwZmNsbGVyIl0",
    "WyJ5MXNWVTV3ZGZKYWhWZGd3UGdTN1JRIiwgImFkZHJlc3MiLCB7ImxvY2FsaXR5IjogIk1heHN0YWR0IiwgInBvc3\
     RhbF9jb2RlIjogIjEyMzQ0IiwgImNvdW50cnkiOiAiREUiLCAic3RyZWV0X2FkZHJlc3MiOiAiV2VpZGVuc3RyYVx1\
     MDBkZmUgMjIifV0",
];

fn parse(text: &str) -> Object {
    json::parse(text.as_bytes()).unwrap().into_object().unwrap()
}

#[test]
fn the_structured_example_of_the_standard_unpacks() {
    let bytes = from_base64url(PAYLOAD).unwrap();
    let payload = json::parse(&bytes).unwrap().into_object().unwrap();
    let unpacked = Unpacked::of(&payload, &SHOWN).unwrap();
    let expected = parse(
        r#"{"iss": "https://issuer.example.com", "iat": 1683000000, "exp": 1883000000, "verified_claims": {
            "verification": {"trust_framework": "de_aml", "evidence": [{"method": "pipp"}],
                "time": "2012-04-23T18:25Z"},
            "claims": {"given_name": "Max", "family_name": "Müller", "address": {"locality": "Maxstadt",
                "postal_code": "12344", "country": "DE", "street_address": "Weidenstraße 22"}}}}"#,
    );
    assert_eq!(unpacked.claims, expected);
    assert_eq!(
        unpacked.revealed[2].pointer,
        "/verified_claims/verification/evidence/0/method"
    );
    assert_eq!(unpacked.revealed[2].within, Some(1));
    // The inner without the outer is referred to by nothing.
    assert!(Unpacked::of(&payload, &SHOWN[2..3]).is_err());
    let nothing = Unpacked::of(&payload, &[]).unwrap().claims;
    let evidence = nothing
        .get("verified_claims")
        .unwrap()
        .get("verification")
        .unwrap()
        .get("evidence");
    assert_eq!(evidence, Some(&Value::Array(Vec::new())));
}

const SALT: &str = "2GLC42sKQveCfGfryNRN9w";

/// Whether a payload with these digests and disclosures is taken.
fn unpack(payload: &str, disclosures: &[&str]) -> Result<Object, Reason> {
    Unpacked::of(&parse(payload), disclosures).map(|unpacked| unpacked.claims)
}

#[test]
fn a_disclosure_goes_to_one_place_and_overwrites_nothing() {
    let name = write(SALT, Some("name"), "Max".into());
    let item = write(SALT, None, "DE".into());
    let (of_name, of_item) = (digest(&name), digest(&item));
    let good =
        format!(r#"{{"a": 1, "_sd": ["{of_name}", "decoy"], "list": [{{"...": "{of_item}"}}, {{"...": "x"}}]}}"#);
    assert_eq!(
        unpack(&good, &[&name, &item]).unwrap(),
        parse(r#"{"a": 1, "name": "Max", "list": ["DE"]}"#)
    );
    assert_eq!(unpack(&good, &[]).unwrap(), parse(r#"{"a": 1, "list": []}"#));
    assert!(unpack(&format!(r#"{{"_sd": ["{of_name}"], "_sd_alg": "sha-256"}}"#), &[&name]).is_ok());
    for (what, payload) in [
        ("overwrites", format!(r#"{{"name": "Eva", "_sd": ["{of_name}"]}}"#)),
        (
            "twice in one array",
            format!(r#"{{"_sd": ["{of_name}", "{of_name}"]}}"#),
        ),
        (
            "twice anywhere",
            format!(r#"{{"_sd": ["{of_name}"], "a": {{"_sd": ["{of_name}"]}}}}"#),
        ),
        (
            "a decoy twice",
            format!(r#"{{"_sd": ["{of_name}", "d"], "a": [{{"...": "d"}}]}}"#),
        ),
        ("a member as an item", format!(r#"{{"a": [{{"...": "{of_name}"}}]}}"#)),
        ("referred to by nothing", r#"{"a": 1}"#.to_owned()),
        ("in a string", format!(r#"{{"a": "{of_name}"}}"#)),
        ("_sd is no array", format!(r#"{{"_sd": "{of_name}"}}"#)),
        ("a digest is no string", format!(r#"{{"_sd": ["{of_name}", 7]}}"#)),
        (
            "an item with more",
            format!(r#"{{"_sd": ["{of_name}"], "a": [{{"...": "d", "b": 1}}]}}"#),
        ),
        (
            "... outside an array",
            format!(r#"{{"_sd": ["{of_name}"], "...": "d"}}"#),
        ),
        (
            "another algorithm",
            format!(r#"{{"_sd": ["{of_name}"], "_sd_alg": "sha-512"}}"#),
        ),
        ("no algorithm", format!(r#"{{"_sd": ["{of_name}"], "_sd_alg": null}}"#)),
        (
            "an algorithm inside",
            format!(r#"{{"_sd": ["{of_name}"], "a": {{"_sd_alg": "sha-256"}}}}"#),
        ),
    ] {
        let refused = unpack(&payload, &[&name]).unwrap_err();
        assert_eq!(refused.code, DenialCode::DisclosureInvalid, "{what}");
    }
    assert!(unpack(&format!(r#"{{"_sd": ["{of_item}"]}}"#), &[&item]).is_err());
    assert!(unpack(&good, &[&name, &name]).is_err());
    for hidden in ["iss", "vct", "exp", "nbf", "cnf", "status"] {
        let text = write(SALT, Some(hidden), 1.into());
        assert!(unpack(&format!(r#"{{"_sd": ["{}"]}}"#, digest(&text)), &[&text]).is_err());
        // Elsewhere it is a name like any other.
        assert!(unpack(&format!(r#"{{"a": {{"_sd": ["{}"]}}}}"#, digest(&text)), &[&text]).is_ok());
    }
}

#[test]
fn a_disclosure_has_one_form() {
    let takes = |text: &str| unpack(&format!(r#"{{"_sd": ["{}"]}}"#, digest(text)), &[text]).is_ok();
    let encoded = |json: &str| base64url(json.as_bytes());
    assert!(takes(&encoded(r#"["salt", "name", {"a": [1]}]"#)));
    for bad in [
        r#"["salt", "_sd", []]"#,
        r#"["salt", "...", "x"]"#,
        r#"["salt", 7, "x"]"#,
        r#"[7, "name", "x"]"#,
        r#"["salt", "name", "x", "y"]"#,
        r#"["salt"]"#,
        r"[]",
        r#"{"salt": "name"}"#,
        r#"["salt", "name", {"a": 1, "a": 2}]"#,
        r#"["salt", "name", "x"] "y""#,
        r#"["salt", "name", {"_sd_alg": "sha-256"}]"#,
        "",
    ] {
        assert!(!takes(&encoded(bad)), "{bad}");
    }
    assert!(!takes(&format!("{}=", encoded(r#"["salt", "name", 1]"#))));
    assert!(!takes("not base64url!"));
}

#[test]
fn the_walk_is_bounded() {
    // Each disclosure holds the digest of the next one.
    let chain = |length: usize| {
        let mut texts = vec![write(SALT, Some("x"), 1.into())];
        for _ in 1..length {
            let inner = crate::object! { "_sd": vec![digest(texts.last().unwrap())] };
            texts.push(write(SALT, Some("x"), inner));
        }
        let payload = format!(r#"{{"_sd": ["{}"]}}"#, digest(texts.last().unwrap()));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        unpack(&payload, &texts).is_ok()
    };
    assert!(chain(crate::limits::DISCLOSED_DEPTH));
    assert!(!chain(crate::limits::DISCLOSED_DEPTH + 1));
    let decoys = |count: usize| {
        let digests: Vec<String> = (0..count).map(|n| format!("\"{n}\"")).collect();
        unpack(&format!(r#"{{"_sd": [{}]}}"#, digests.join(",")), &[]).is_ok()
    };
    assert!(decoys(crate::limits::DISCLOSURE_DIGESTS));
    assert!(!decoys(crate::limits::DISCLOSURE_DIGESTS + 1));
    assert!(Parts::of(&format!("a{}", "~b".repeat(DISCLOSURES))).is_ok());
    assert!(Parts::of(&format!("a{}~", "~b".repeat(DISCLOSURES + 1))).is_err());
    assert!(Parts::of("a.b.c").is_err() && Parts::of("a.b.c~~").is_err() && Parts::of("a.b.c~").is_ok());
}

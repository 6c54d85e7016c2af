#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use zeroize::Zeroizing;

use super::*;
use crate::key::{EcdsaSecretKey, SecretKey};

fn payload() -> Object {
    crate::object! { "iss": "did:example:a", "n": 1 }.into_object().unwrap()
}

fn keys() -> Vec<Box<dyn Signer>> {
    let ecdsa = |kind, length: usize| EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(vec![7; length])).unwrap();
    vec![
        Box::new(SecretKey::from_seed(Zeroizing::new([7; 32]))),
        Box::new(ecdsa(KeyKind::P256, 32)),
        Box::new(ecdsa(KeyKind::P384, 48)),
    ]
}

/// A token with this header and the right signature for whatever stands there.
fn forged(header: &str, payload: &[u8], signer: &dyn Signer) -> String {
    let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(payload));
    let signature = signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url(signature.as_bytes()))
}

/// What becomes of a token: read and verified with this key.
fn fate(text: &str, key: &PublicKey) -> Result<(), DenialCode> {
    Jws::read(text, TokenType::Credential)
        .and_then(|jws| jws.verify(key))
        .map_err(|error| error.reason(&Path::ROOT).code)
}

#[test]
fn every_kind_of_key_signs_and_verifies_and_says_the_same_twice() {
    for signer in keys() {
        let token = sign(TokenType::Credential, Some("did:example:a#1"), &payload(), &*signer).unwrap();
        let again = sign(TokenType::Credential, Some("did:example:a#1"), &payload(), &*signer).unwrap();
        assert_eq!(token, again);
        let jws = Jws::read(&token, TokenType::Credential).unwrap();
        assert_eq!(jws.payload, payload());
        assert_eq!(jws.kid.as_deref(), Some("did:example:a#1"));
        assert_eq!(jws.verify(signer.public_key()), Ok(()));
        for other in keys() {
            if other.public_key() != signer.public_key() {
                assert!(matches!(
                    jws.verify(other.public_key()),
                    Err(JoseError::KeyMismatch { .. })
                ));
            }
        }
    }
}

/// RFC 8037 appendix A.4.
#[test]
fn the_ed25519_example_of_the_standard_verifies_and_is_made() {
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                 hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let parts = Parts::of(token, TOKEN_BYTES).unwrap();
    let jwk = crate::object! {
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    };
    let key = PublicKey::from_jwk(&jwk, &Path::ROOT).unwrap();
    assert_eq!(parts.payload, b"Example of Ed25519 signing");
    assert_eq!(parts.verify(KeyKind::Ed25519, &key), Ok(()));
    let seed = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let secret = SecretKey::from_seed(Zeroizing::new(seed.try_into().unwrap()));
    assert_eq!(
        forged(r#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing", &secret),
        token
    );
}

/// RFC 7515 appendix A.3.
#[test]
fn the_p256_example_of_the_standard_verifies() {
    let token = "eyJhbGciOiJFUzI1NiJ9.\
                 eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                 DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let parts = Parts::of(token, TOKEN_BYTES).unwrap();
    let jwk = crate::object! {
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    };
    let key = PublicKey::from_jwk(&jwk, &Path::ROOT).unwrap();
    assert_eq!(parts.verify(KeyKind::P256, &key), Ok(()));
    let claims = object("payload", &parts.payload, &Limits::default()).unwrap();
    assert_eq!(claims.get("exp").and_then(Value::as_i64), Some(1_300_819_380));
    let mut changed = Parts::of(token, TOKEN_BYTES).unwrap();
    let other = token.replacen("eyJpc3Mi", "eyJpc3Nj", 1);
    changed.signed = other.rsplit_once('.').unwrap().0;
    assert_eq!(changed.verify(KeyKind::P256, &key), Err(JoseError::Signature));
}

#[test]
fn no_header_chooses_a_key_or_changes_the_rules() {
    let signer = &*keys()[0];
    let key = signer.public_key();
    let body = br#"{"a":1}"#;
    let good = r#"{"alg":"EdDSA","typ":"vc+jwt","kid":"did:example:a#1"}"#;
    assert_eq!(fate(&forged(good, body, signer), key), Ok(()));
    // What is not understood and does not ask to be is ignored.
    assert_eq!(
        fate(
            &forged(r#"{"alg":"EdDSA","typ":"vc+jwt","cty":"vc","x-note":1}"#, body, signer),
            key
        ),
        Ok(())
    );
    let unsupported = DenialCode::ProofUnsupported;
    let malformed = DenialCode::EnvelopeMalformed;
    for (extra, code) in [
        (r#""crit":["b64"]"#, unsupported),
        (r#""crit":[]"#, unsupported),
        (r#""b64":false"#, unsupported),
        (r#""b64":true"#, unsupported),
        (r#""jwk":{"kty":"OKP"}"#, unsupported),
        (r#""jku":"https://a.example""#, unsupported),
        (r#""x5c":[]"#, unsupported),
        (r#""x5u":"https://a.example""#, unsupported),
        (r#""x5t":"AA""#, unsupported),
        (r#""zip":"DEF""#, unsupported),
        (r#""cty":"vp""#, DenialCode::EnvelopeTypeWrong),
        (r#""cty":7"#, malformed),
        (r#""alg":"EdDSA""#, malformed),
        (r#""kid":"did:example:b#1""#, malformed),
        (r#""iss":null"#, malformed),
    ] {
        let header = format!(r#"{},{extra}}}"#, good.trim_end_matches('}'));
        assert_eq!(fate(&forged(&header, body, signer), key), Err(code), "{extra}");
    }
    for (alg, code) in [
        ("none", unsupported),
        ("HS256", unsupported),
        ("RS256", unsupported),
        ("ES256K", unsupported),
        ("ES512", unsupported),
        ("eddsa", unsupported),
        ("", unsupported),
        ("ES256", DenialCode::VerificationMethodUnsuitable),
        ("ES384", DenialCode::VerificationMethodUnsuitable),
    ] {
        let header = good.replace("EdDSA", alg);
        assert_eq!(fate(&forged(&header, body, signer), key), Err(code), "{alg}");
    }
    for typ in [
        "JWT",
        "vp+jwt",
        "VC+JWT",
        "application/vc+jwt",
        "vc+sd-jwt",
        "kb+jwt",
        "vc+jwt ",
        "",
    ] {
        let header = good.replace("vc+jwt", typ);
        assert_eq!(
            fate(&forged(&header, body, signer), key),
            Err(DenialCode::EnvelopeTypeWrong),
            "{typ}"
        );
    }
    let without = r#"{"alg":"EdDSA","kid":"did:example:a#1"}"#;
    assert_eq!(
        fate(&forged(without, body, signer), key),
        Err(DenialCode::EnvelopeTypeWrong)
    );
}

/// HMAC keyed with the public key, the classic: there is no such algorithm here, whatever the bytes.
#[test]
fn a_mac_keyed_with_the_public_key_is_no_signature() {
    let signer = &*keys()[0];
    let good = forged(r#"{"alg":"EdDSA","typ":"vc+jwt"}"#, br#"{"a":1}"#, signer);
    assert_eq!(fate(&good, signer.public_key()), Ok(()));
    let header = base64url(br#"{"alg":"HS256","typ":"vc+jwt"}"#);
    let signed = format!("{header}.{}", base64url(br#"{"a":1}"#));
    let mac = hmac(signer.public_key().as_bytes(), signed.as_bytes());
    // As a MAC is, and stretched to the length of a signature.
    for bytes in [mac.to_vec(), [mac, mac].concat()] {
        let token = format!("{signed}.{}", base64url(&bytes));
        assert!(fate(&token, signer.public_key()).is_err());
    }
    let token = format!(
        "{}.{}.",
        base64url(br#"{"alg":"none","typ":"vc+jwt"}"#),
        base64url(b"{}")
    );
    assert_eq!(fate(&token, signer.public_key()), Err(DenialCode::EnvelopeMalformed));
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::digest([&block.map(|b| b ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|b| b ^ 0x5C)[..], &inner[..]].concat()).into()
}

#[test]
fn one_token_has_one_text() {
    let signer = &*keys()[0];
    let key = signer.public_key();
    // A payload of five bytes leaves bits that nobody needs.
    let good = forged(r#"{"alg":"EdDSA","typ":"vc+jwt"}"#, b"{\"\":1}", signer);
    assert_eq!(fate(&good, key), Ok(()));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let last = signature.chars().last().unwrap();
    let loose = format!("{}{}", &signature[..85], char::from(last as u8 + 1));
    for (what, text) in [
        ("a dot at the end", format!("{good}.")),
        ("a dot at the start", format!(".{good}")),
        ("a fourth part", format!("{good}.AA")),
        ("padding", format!("{good}==")),
        ("padding of the header", format!("{header}=.{payload}.{signature}")),
        ("white space at the end", format!("{good}\n")),
        ("white space at the start", format!(" {good}")),
        ("white space inside", format!("{header}. {payload}.{signature}")),
        ("loose bits", format!("{signed}.{loose}")),
        ("the other alphabet", format!("{header}.{payload}.{}", "+/".repeat(43))),
        ("no signature", format!("{signed}.")),
        ("two parts", signed.to_owned()),
        ("one part", header.to_owned()),
        ("nothing", String::new()),
        ("96 bytes", format!("{signed}.{}", base64url(&[1; 96]))),
        ("63 bytes", format!("{signed}.{}", base64url(&[1; 63]))),
    ] {
        assert!(fate(&text, key).is_err(), "{what}");
    }
    let long = format!("{}.{payload}.{signature}", "A".repeat(TOKEN_HEADER_BYTES + 1));
    assert_eq!(fate(&long, key), Err(DenialCode::DocumentTooLarge));
    assert_eq!(
        fate(&"A".repeat(TOKEN_BYTES + 1), key),
        Err(DenialCode::DocumentTooLarge)
    );
}

#[test]
fn der_is_not_a_jose_signature() {
    for (signer, length) in keys().into_iter().skip(1).zip([32, 48]) {
        let alg = algorithm(signer.public_key().kind());
        let good = forged(&format!(r#"{{"alg":"{alg}","typ":"vc+jwt"}}"#), b"{}", &*signer);
        assert_eq!(fate(&good, signer.public_key()), Ok(()));
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let raw = from_base64url(signature).unwrap();
        let integer = |bytes: &[u8]| {
            let mut all = vec![0x02, 0];
            if bytes[0] & 0x80 != 0 {
                all.push(0);
            }
            all.extend_from_slice(bytes);
            all[1] = u8::try_from(all.len() - 2).unwrap();
            all
        };
        let both = [integer(&raw[..length]), integer(&raw[length..])].concat();
        let der = [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat();
        let token = format!("{signed}.{}", base64url(&der));
        assert_eq!(fate(&token, signer.public_key()), Err(DenialCode::EnvelopeMalformed));
        // Right algorithm, length of another one.
        let other = if length == 32 { 96 } else { 64 };
        let token = format!("{signed}.{}", base64url(&vec![1; other]));
        assert_eq!(fate(&token, signer.public_key()), Err(DenialCode::SignatureInvalid));
    }
}

#[test]
fn header_and_payload_are_strict_json() {
    let signer = &*keys()[0];
    let header = r#"{"alg":"EdDSA","typ":"vc+jwt"}"#;
    assert_eq!(
        fate(&forged(header, b" {\"a\": 1}\n", signer), signer.public_key()),
        Ok(())
    );
    for bad in [
        &br#"{"a":1,"a":2}"#[..],
        br#"{"a":1,"\u0061":2}"#,
        br#"{"a":1} x"#,
        br#"{"a":1e999}"#,
        br#"{"a":12345678901234567890}"#,
        br"[]",
        br#""text""#,
        b"\xFF",
        b"",
    ] {
        let fate = fate(&forged(header, bad, signer), signer.public_key());
        assert_eq!(
            fate,
            Err(DenialCode::EnvelopeMalformed),
            "{}",
            String::from_utf8_lossy(bad)
        );
    }
    let doubled = r#"{"alg":"none","alg":"EdDSA","typ":"vc+jwt"}"#;
    assert_eq!(
        fate(&forged(doubled, b"{}", signer), signer.public_key()),
        Err(DenialCode::EnvelopeMalformed)
    );
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use zeroize::Zeroizing;

use super::{EcdsaSecretKey, KeyError, KeyKind, PublicKey, SecretKey, Signature, SignatureInvalid, Signer, multicodec};

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_seed(Zeroizing::new([byte; 32]))
}

fn hex32(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    }
    bytes
}

/// RFC 8032 section 7.1, test 2.
#[test]
fn signs_as_the_standard_says() {
    let key = SecretKey::from_seed(Zeroizing::new(hex32(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    )));
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    assert_eq!(key.public_key().as_bytes(), &hex32(public));
    let signature = key.sign(b"\x72").unwrap();
    let r = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da";
    let s = "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(signature.as_bytes()[..32], hex32(r));
    assert_eq!(signature.as_bytes()[32..], hex32(s));
    assert_eq!(key.public_key().verify(b"\x72", &signature), Ok(()));
    assert_eq!(key.public_key().verify(b"\x73", &signature), Err(SignatureInvalid));
    assert_eq!(
        secret(1).public_key().verify(b"\x72", &signature),
        Err(SignatureInvalid)
    );
}

#[test]
fn every_changed_bit_of_a_signature_is_noticed() {
    let key = secret(7);
    let signature = key.sign(b"message").unwrap();
    for bit in 0..512 {
        let mut bytes: [u8; 64] = signature.as_bytes().try_into().unwrap();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let forged = Signature::from_bytes(bytes);
        assert_eq!(
            key.public_key().verify(b"message", &forged),
            Err(SignatureInvalid),
            "{bit}"
        );
    }
}

#[test]
fn reads_its_own_multikey_and_no_other_encoding() {
    let key = secret(3);
    let text = key.public_key().to_multikey();
    assert!(text.starts_with("z6Mk"));
    assert_eq!(PublicKey::from_multikey(&text).unwrap(), *key.public_key());
    let mut bytes = vec![0xed, 0x01];
    bytes.extend_from_slice(key.public_key().as_bytes());
    for base in [
        multibase::Base::Base64Url,
        multibase::Base::Base16Lower,
        multibase::Base::Base58Flickr,
    ] {
        let other = multibase::encode(base, &bytes);
        assert_eq!(PublicKey::from_multikey(&other), Err(KeyError::Malformed), "{other}");
    }
    let encode = |bytes: &[u8]| multibase::encode(multibase::Base::Base58Btc, bytes);
    for broken in [
        String::new(),
        "z".into(),
        text[1..].into(),
        text[..text.len() - 1].into(),
        format!("{text} "),
        text.replace('M', "0"),
        format!("z{}", "1".repeat(1_000)),
        encode(&bytes[..33]),
        encode(&[&bytes[..], &[0]].concat()),
        encode(&[&[0xed, 0x81, 0x00], key.public_key().as_bytes()].concat()), // long varint
    ] {
        assert!(PublicKey::from_multikey(&broken).is_err(), "{broken}");
    }
    assert_eq!(
        PublicKey::from_multikey(&encode(&[0xe7, 0x01, 2, 3])),
        Err(KeyError::UnsupportedKind(0xe7))
    );
}

#[test]
fn refuses_weak_and_non_canonical_keys() {
    // The eight points of small order in their canonical encodings.
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        assert_eq!(PublicKey::from_bytes(&hex32(weak)), Err(KeyError::Weak), "{weak}");
    }
    // x = 0 with the sign bit set: not canonical, and of small order.
    for signed_zero in [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        assert!(PublicKey::from_bytes(&hex32(signed_zero)).is_err());
    }
    // y >= p: every one of the 19 values, with either sign.
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = high;
            assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyError::NotCanonical));
        }
    }
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(PublicKey::from_bytes(&off_curve), Err(KeyError::NotOnCurve));
}

#[test]
fn nothing_shows_the_secret() {
    let key = secret(0x5a);
    let shown = format!("{key:?} {key:#?} {:?} {}", key.public_key(), key.public_key());
    let seed = key.seed();
    assert_eq!(seed, &[0x5a; 32]);
    for base in [
        multibase::Base::Base16Lower,
        multibase::Base::Base58Btc,
        multibase::Base::Base64,
        multibase::Base::Base64Url,
    ] {
        let encoded = multibase::encode(base, seed);
        assert!(!shown.to_lowercase().contains(&encoded[1..20].to_lowercase()));
    }
    assert!(!shown.contains("90, 90") && !shown.contains("5a5a") && !shown.contains("0x5a"));
    assert!(shown.contains("SecretKey(of z6Mk"));
}

#[test]
fn the_secret_is_wiped_on_drop() {
    fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    wiped(&secret(1).key);
}

#[test]
fn names_the_multicodec() {
    assert_eq!(multicodec(&[0xed, 0x01, 9]), Some(0xed));
    assert_eq!(multicodec(&[0x81, 0x24]), Some(0x1201));
    assert_eq!(multicodec(&[]), None);
    assert_eq!(multicodec(&[0xff; 12]), None);
}

/// RFC 6979 appendices A.2.5 and A.2.6, message "sample", SHA-256 and SHA-384.
#[test]
fn signs_ecdsa_as_the_standard_says() {
    for (kind, scalar, signature) in [
        (
            KeyKind::P256,
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            KeyKind::P384,
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
            "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46\
             99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
        ),
    ] {
        let key = EcdsaSecretKey::from_scalar(kind, &Zeroizing::new(hex(scalar))).unwrap();
        let made = key.sign(b"sample").unwrap();
        // What is made has the smaller s, so only r is that of the RFC when its s is the larger one.
        assert_eq!(
            made.as_bytes()[..made.as_bytes().len() / 2],
            hex(signature)[..hex(signature).len() / 2]
        );
        for good in [made, Signature::from_slice(&hex(signature)).unwrap()] {
            assert_eq!(key.public_key().verify(b"sample", &good), Ok(()));
            assert_eq!(key.public_key().verify(b"samplf", &good), Err(SignatureInvalid));
            for bit in 0..good.as_bytes().len() * 8 {
                let mut bytes = good.as_bytes().to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let forged = Signature::from_slice(&bytes).unwrap();
                assert_eq!(
                    key.public_key().verify(b"sample", &forged),
                    Err(SignatureInvalid),
                    "{bit}"
                );
            }
        }
        assert_eq!(*key.scalar(), hex(scalar));
        assert_eq!(
            PublicKey::from_multikey(&key.public_key().to_multikey()).unwrap(),
            *key.public_key()
        );
    }
}

#[test]
fn refuses_signatures_of_another_length_and_scalars_that_are_none() {
    let key = EcdsaSecretKey::from_scalar(KeyKind::P256, &Zeroizing::new(vec![1; 32])).unwrap();
    let long = Signature::from_slice(&[1; 96]).unwrap();
    assert_eq!(key.public_key().verify(b"", &long), Err(SignatureInvalid));
    assert_eq!(secret(1).public_key().verify(b"", &long), Err(SignatureInvalid));
    let zero = Signature::from_slice(&[0; 64]).unwrap();
    assert_eq!(key.public_key().verify(b"", &zero), Err(SignatureInvalid));
    assert_eq!(Signature::from_slice(&[0; 63]), None);
    for bad in [vec![0; 32], vec![0xff; 32], vec![1; 31]] {
        assert!(EcdsaSecretKey::from_scalar(KeyKind::P256, &Zeroizing::new(bad)).is_err());
    }
    assert!(EcdsaSecretKey::from_scalar(KeyKind::Ed25519, &Zeroizing::new(vec![1; 32])).is_err());
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

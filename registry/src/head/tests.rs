#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use syndic_vc::key::SecretKey;

use super::*;

const ORIGIN: &str = "syndic/zQmTest/did:key:z6MkTest";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32].into())
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn head(size: u64, root: u8, seed: u8) -> Head {
    Head::sign(ORIGIN, size, &[root; 32], &key(seed), at(1_700_000_000)).unwrap()
}

#[test]
fn what_is_signed_verifies_and_says_what_it_said() {
    let made = head(20_852_163, 9, 1);
    let read = Head::verify(made.note(), ORIGIN, key(1).public_key()).unwrap();
    assert_eq!(read, made);
    assert_eq!(
        (read.size(), read.root(), read.time()),
        (20_852_163, &[9; 32], at(1_700_000_000))
    );
    assert_eq!(Head::decode(&made.encode()), Some(made.clone()));
    assert_eq!(made.note().lines().count(), 6);
    // Half a second is not written, so it is not kept.
    let fraction = Timestamp::parse("2026-11-24T22:50:53.5Z").unwrap();
    let made = Head::sign(ORIGIN, 0, &[0; 32], &key(1), fraction).unwrap();
    assert_eq!(made.time().to_string(), "2026-11-24T22:50:53Z");
    assert_eq!(Head::verify(made.note(), ORIGIN, key(1).public_key()).unwrap(), made);
}

#[test]
fn origins_that_are_no_key_name_are_not_signed() {
    for bad in ["", "a b", "a+b", "a\nb"] {
        let signed = Head::sign(bad, 0, &[0; 32], &key(1), at(0));
        assert!(matches!(signed, Err(SignHeadError::Origin(_))), "{bad:?}");
    }
    let before = Head::sign(ORIGIN, 0, &[0; 32], &key(1), at(-1));
    assert!(matches!(before, Err(SignHeadError::Time(_))));
}

/// Signature lines from two heads, put under the text of one.
fn mixed(text_of: &Head, plain_of: &Head, timed_of: &Head) -> String {
    let lines = |head: &Head| Note::parse(head.note()).unwrap();
    Note {
        text: lines(text_of).text,
        signatures: vec![
            lines(plain_of).signatures[0].clone(),
            lines(timed_of).signatures[1].clone(),
        ],
    }
    .to_string()
}

#[test]
fn each_of_the_two_signatures_is_checked() {
    let (good, other, stranger) = (head(5, 1, 1), head(5, 2, 1), head(5, 1, 2));
    let public = key(1);
    let verify = |note: &str| Head::verify(note, ORIGIN, public.public_key());
    assert!(verify(&mixed(&good, &good, &good)).is_ok());
    assert_eq!(
        verify(&mixed(&good, &other, &good)),
        Err(HeadError::SignatureInvalid(1))
    );
    assert_eq!(
        verify(&mixed(&good, &good, &other)),
        Err(HeadError::SignatureInvalid(4))
    );
    assert_eq!(verify(&mixed(&good, &stranger, &good)), Err(HeadError::NotSigned(1)));
    assert_eq!(verify(&mixed(&good, &good, &stranger)), Err(HeadError::NotSigned(4)));
    // Under the log's name, and with none of its keys.
    assert_eq!(verify(stranger.note()), Err(HeadError::OtherKey));
    // A time that was not signed.
    let mut note = Note::parse(good.note()).unwrap();
    note.signatures[1].signature[7] ^= 1;
    assert_eq!(verify(&note.to_string()), Err(HeadError::SignatureInvalid(4)));
    // A time that no clock shows, and a signature that is too short to be one.
    note.signatures[1].signature[..8].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(verify(&note.to_string()), Err(HeadError::Malformed));
    note.signatures[1].signature.truncate(7);
    assert_eq!(verify(&note.to_string()), Err(HeadError::SignatureInvalid(4)));
}

#[test]
fn signatures_of_witnesses_are_kept() {
    let good = head(5, 1, 1);
    let witnessed = format!("{}\u{2014} witness.example/w1 AAAAAAE=\n", good.note());
    let read = Head::verify(&witnessed, ORIGIN, key(1).public_key()).unwrap();
    assert_eq!(read.note(), witnessed);
    assert_eq!((read.size(), read.root()), (good.size(), good.root()));
}

/// A note over any text, signed twice as a head is.
fn signed(text: &str) -> String {
    let key = key(1);
    let public = key.public_key().as_bytes();
    let line = |kind, signature| NoteSignature {
        name: ORIGIN.to_owned(),
        id: note::key_id(ORIGIN, kind, public),
        signature,
    };
    let timed = key.sign(cosigned(text, 7).as_bytes()).unwrap();
    let signatures = vec![
        line(
            note::TYPE_ED25519,
            key.sign(text.as_bytes()).unwrap().as_bytes().to_vec(),
        ),
        line(
            note::TYPE_COSIGNATURE,
            [7_u64.to_be_bytes().as_slice(), timed.as_bytes()].concat(),
        ),
    ];
    Note {
        text: text.to_owned(),
        signatures,
    }
    .to_string()
}

#[test]
fn texts_that_are_no_checkpoint_are_refused_however_well_signed() {
    let root = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    let public = key(1);
    let verify = |text: &str| Head::verify(&signed(text), ORIGIN, public.public_key());
    assert!(verify(&format!("{ORIGIN}\n0\n{root}\n")).is_ok());
    for bad in [
        format!("{ORIGIN}\n0\n"),
        format!("{ORIGIN}\n00\n{root}\n"),
        format!("{ORIGIN}\n+1\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n1 \n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n{}\n{root}\n", limits::LOG_SIZE + 1),
        format!("{ORIGIN}\n1\nCQkJ\n"),
        format!("{ORIGIN}\n1\nCQ==CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ==\n"),
        format!("{ORIGIN}\n1\n{}\n", root.trim_end_matches('=')),
        format!("{ORIGIN}\n1\n{}\n", root.replace("Qk=", "Ql=")),
        format!("{ORIGIN}\n1\n{root}\nextension\n"),
        format!("\n{ORIGIN}\n1\n{root}\n"),
        format!("{ORIGIN}\n1\n{root}\n\n"),
    ] {
        assert_eq!(verify(&bad), Err(HeadError::Malformed), "{bad:?}");
    }
    let foreign = verify(&format!("syndic/zQmTest/did:key:z6MkOther\n0\n{root}\n")).unwrap_err();
    assert!(matches!(foreign, HeadError::WrongOrigin { .. }), "{foreign}");
}

#[test]
fn only_two_roots_of_one_size_contradict() {
    let one = head(5, 1, 1);
    assert!(one.contradicts(&head(5, 2, 1)));
    assert!(!one.contradicts(&head(5, 1, 1)));
    assert!(!one.contradicts(&head(6, 2, 1)));
    let elsewhere = Head::sign("syndic/other", 5, &[2; 32], &key(1), at(0)).unwrap();
    assert!(!one.contradicts(&elsewhere));
}

/// The cosignature key for the independent implementation, which has no such type of its own.
struct Cosigner(PublicKey);

impl signed_note::Verifier for Cosigner {
    fn name(&self) -> &str {
        ORIGIN
    }

    fn key_id(&self) -> u32 {
        u32::from_be_bytes(note::key_id(ORIGIN, note::TYPE_COSIGNATURE, self.0.as_bytes()))
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let (time, signature) = signature.split_at(8);
        let time = u64::from_be_bytes(time.try_into().unwrap());
        let text = std::str::from_utf8(text).unwrap();
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = Signature::from_bytes(signature.try_into().unwrap());
        self.0.verify(message.as_bytes(), &signature).is_ok()
    }
}

#[test]
fn independent_implementations_accept_our_heads() {
    let made = head(70_000, 3, 1);
    let public = key(1).public_key().clone();
    let encoded = [&[note::TYPE_ED25519], public.as_bytes()].concat();
    let id = u32::from_be_bytes(note::key_id(ORIGIN, note::TYPE_ED25519, public.as_bytes()));
    let vkey = format!("{ORIGIN}+{id:08x}+{}", Base::Base64Pad.encode(encoded));
    let verifier = signed_note::StandardVerifier::new(&vkey).unwrap();
    let known = signed_note::VerifierList::new(vec![Box::new(verifier), Box::new(Cosigner(public))]);
    let note = signed_note::Note::from_bytes(made.note().as_bytes()).unwrap();
    let (verified, unknown) = note.verify(&known).unwrap();
    assert_eq!((verified.len(), unknown.len()), (2, 0));
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), (ORIGIN, 70_000));
    assert_eq!((checkpoint.hash().0, checkpoint.extension()), ([3; 32], ""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever is changed: refused, or it says the same of size, root and time.
    #[test]
    fn a_changed_head_says_nothing_new(at in any::<prop::sample::Index>(), with in any::<u8>(), how in 0..3_u8) {
        let made = head(20_852_163, 9, 1);
        let mut bytes = made.note().as_bytes().to_vec();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = with,
            1 => bytes.insert(at, with),
            _ => drop(bytes.remove(at)),
        }
        let Ok(note) = String::from_utf8(bytes) else { return Ok(()) };
        if let Ok(read) = Head::verify(&note, ORIGIN, key(1).public_key()) {
            prop_assert_eq!(read.note(), made.note());
            prop_assert_eq!(read, made);
        }
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200), note in any::<String>()) {
        let _ = Head::decode(&bytes);
        let _ = Head::verify(&note, ORIGIN, key(1).public_key());
    }
}

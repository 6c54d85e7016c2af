#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use syndic_vc::key::{PublicKey, Signature};

use super::*;

/// The example of Go's `golang.org/x/mod/sumdb/note`, which the format comes from.
const GO: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_note_of_the_go_implementation_is_read_and_verifies() {
    let note = Note::parse(GO).unwrap();
    assert_eq!(note.to_string(), GO);
    assert!(note.text.ends_with("problem is.\n"));
    let key = Base::Base64Pad
        .decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        .unwrap();
    let (kind, key) = key.split_first().unwrap();
    assert_eq!(*kind, TYPE_ED25519);
    assert_eq!(key_id("PeterNeumann", TYPE_ED25519, key), [0xc7, 0x4f, 0x20, 0xa3]);
    let signature = note.signature_of("PeterNeumann", [0xc7, 0x4f, 0x20, 0xa3]).unwrap();
    let key = PublicKey::from_bytes(key.try_into().unwrap()).unwrap();
    let signature = Signature::from_bytes(signature.try_into().unwrap());
    key.verify(note.text.as_bytes(), &signature).unwrap();
}

#[test]
fn the_key_id_of_the_go_checksum_database_is_found() {
    let key = Base::Base64Pad
        .decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
        .unwrap();
    assert_eq!(
        key_id("sum.golang.org", TYPE_ED25519, &key[1..]),
        [0x03, 0x3d, 0xe0, 0xae]
    );
}

#[test]
fn what_is_no_note_is_refused_with_its_reason() {
    let line = "\u{2014} a AAAAAAE=\n";
    let note = |lines: &str| format!("text\n\n{lines}");
    assert!(Note::parse(&note(line)).is_ok());
    assert_eq!(Note::parse(&format!("a\n\nb\n\n{line}")).unwrap().text, "a\n\nb\n");
    for (bad, why) in [
        (String::new(), NoteError::Layout),
        ("text\n".to_owned(), NoteError::Layout),
        (format!("text\n{line}"), NoteError::Layout),
        (note(line).trim_end().to_owned(), NoteError::Layout),
        (note(""), NoteError::Layout),
        (format!("te\txt\n\n{line}"), NoteError::Control),
        (format!("text\r\n\r\n{line}"), NoteError::Control),
        (note("\u{2014} a A/+/AA==//AA\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a AAAAAAE\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a AAAAAAF=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a AAAAAA-=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a AAAAAA==\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a  AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a AAAAAAE= \n"), NoteError::SignatureLine(1)),
        (note("\u{2014}a AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note("- a AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a+b AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014} a\u{a0}b AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note("\u{2014}  AAAAAAE=\n"), NoteError::SignatureLine(1)),
        (note(&format!("{line}text\n")), NoteError::SignatureLine(2)),
        (
            note(&format!("{line}\u{2014} b AAAAAAE=\n{line}")),
            NoteError::Repeated(3),
        ),
        (note(&"x".repeat(limits::NOTE_BYTES)), NoteError::TooLong),
        (
            note(&"x".repeat(limits::NOTE_LINE_BYTES + 1)).replace("\n\n", "\n\n\n\n") + "\n",
            NoteError::TooMany,
        ),
    ] {
        assert_eq!(Note::parse(&bad), Err(why), "{bad:?}");
    }
    let many = |count| {
        note(
            &(0..count)
                .map(|n| format!("\u{2014} k{n} AAAAAAE=\n"))
                .collect::<String>(),
        )
    };
    assert!(Note::parse(&many(limits::NOTE_SIGNATURES)).is_ok());
    assert_eq!(Note::parse(&many(limits::NOTE_SIGNATURES + 1)), Err(NoteError::TooMany));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_accepted_is_printed_back(note in "[ab\n]{0,9}\n\n(\u{2014} [a-c+ ]{1,2} [A-Z=+/a]{6,12}\n){1,3}") {
        if let Ok(parsed) = Note::parse(&note) {
            prop_assert_eq!(parsed.to_string(), note);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(note in any::<String>(), at in 0..GO.len(), with in any::<char>()) {
        let _ = Note::parse(&note);
        let at = (0..=at).rev().find(|at| GO.is_char_boundary(*at)).unwrap();
        let mut changed = GO.to_owned();
        changed.insert(at, with);
        if let Ok(parsed) = Note::parse(&changed) {
            prop_assert_eq!(parsed.to_string(), changed);
        }
    }

    /// The independent implementation accepts what this one does, and reads it alike.
    #[test]
    fn the_other_implementation_reads_the_same(
        text in "([a-z\u{e9} ]{1,8}\n){1,3}",
        signatures in proptest::collection::btree_map("[a-z./]{1,8}", (any::<[u8; 4]>(), proptest::collection::vec(any::<u8>(), 1..80)), 1..5),
    ) {
        let signatures: Vec<_> = signatures
            .into_iter()
            .map(|(name, (id, signature))| NoteSignature { name, id, signature })
            .collect();
        let note = Note { text, signatures };
        let other = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(other.text(), note.text.as_bytes());
        prop_assert_eq!(Note::parse(&note.to_string()), Ok(note));
    }
}

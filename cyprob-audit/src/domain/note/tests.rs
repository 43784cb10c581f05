use cyprob_core::domain::Timestamp;
use proptest::prelude::*;
use secrecy::SecretBox;

use super::*;

/// The example of C2SP signed-note.
const SPEC_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn signer(name: &str, seed: u8) -> LogSigner {
    LogSigner::from_seed(name.parse().unwrap(), &SecretBox::new(Box::new([seed; 32])))
}

fn witness(name: &str, seed: u8) -> WitnessSigner {
    WitnessSigner::from_seed(name.parse().unwrap(), &SecretBox::new(Box::new([seed; 32])))
}

#[test]
fn the_example_of_the_specification_opens() {
    let key: VerifierKey = SPEC_KEY.parse().unwrap();
    assert_eq!(key.to_string(), SPEC_KEY);
    let note = Note::parse(SPEC_NOTE.as_bytes()).unwrap();
    assert_eq!(note.open(&key).unwrap(), "This is an example message.\n");
}

#[test]
fn what_is_signed_opens_and_nothing_else_does() {
    let signer = signer("log.example/a", 1);
    let signed = signer.sign("first\n\nthird\n");
    let note = Note::parse(signed.as_bytes()).unwrap();
    assert_eq!(note.open(signer.verifier()).unwrap(), "first\n\nthird\n");
    // Same name, other key; same key, other name.
    for other in [
        self::signer("log.example/a", 2),
        self::signer("log.example/b", 1),
    ] {
        assert_eq!(note.open(other.verifier()), Err(NoteError::Unsigned));
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let signer = signer("log.example/a", 1);
    let signed = signer.sign("log.example/a\n1\nroot\n").into_bytes();
    for at in 0..signed.len() {
        for bit in 0..8 {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            let opened = Note::parse(&changed)
                .and_then(|note| note.open(signer.verifier()).map(str::to_owned));
            assert!(opened.is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_known_key_with_a_bad_signature_condemns_the_note() {
    let signer = signer("log.example/a", 1);
    let signed = signer.sign("text\n");
    let line = signed.rsplit("\n\n").next().unwrap();
    let other = signer.sign("other\n");
    let wrong = other.rsplit("\n\n").next().unwrap();
    for note in [
        format!("text\n\n{wrong}{line}"),
        format!("text\n\n{line}{wrong}"),
    ] {
        let note = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(note.open(signer.verifier()), Err(NoteError::BadSignature));
    }
    let twice = Note::parse(format!("text\n\n{line}{line}").as_bytes()).unwrap();
    assert!(twice.open(signer.verifier()).is_ok());
}

#[test]
fn unknown_signatures_are_ignored_up_to_a_hundred() {
    let signer = signer("log.example/a", 1);
    let signed = signer.sign("text\n");
    let stranger = "\u{2014} stranger AAAAAAA=\n";
    let note = |count: usize| format!("{signed}{}", stranger.repeat(count));
    let opened = Note::parse(note(99).as_bytes()).unwrap();
    assert!(opened.open(signer.verifier()).is_ok());
    assert_eq!(
        Note::parse(note(100).as_bytes()),
        Err(NoteError::TooManySignatures)
    );
}

#[test]
fn hostile_notes_are_refused_with_the_right_word() {
    let line = "\u{2014} a AAAAAAA=\n";
    let cases: &[(&str, NoteError)] = &[
        ("", NoteError::Form),
        ("\n", NoteError::Form),
        ("text\n", NoteError::Form),
        ("text\n\n", NoteError::Form),
        ("text\n\n\n", NoteError::Form),
        (&format!("text\n{line}"), NoteError::Form),
        (&format!("text\n\n{line}\n"), NoteError::Form),
        (&format!("text\r\n\n{line}"), NoteError::Text),
        (&format!("te\0xt\n\n{line}"), NoteError::Text),
        (&format!("te\txt\n\n{line}"), NoteError::Text),
        (&format!("text\n\n{}", line.trim_end()), NoteError::Form),
        // A hyphen, an en dash, a missing space, two spaces, a plus, a no-break space.
        (
            "text\n\n- a AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2013} a AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014}a AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014}  a AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a+b AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a\u{a0}b AAAAAAA=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        // Base64: no padding, an unused bit set, a key id alone, spaces after, the URL alphabet.
        (
            "text\n\n\u{2014} a AAAAAAA\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a AAAAAAB=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a AAAAAA==\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a AAAAAAA= \n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            "text\n\n\u{2014} a AAAAAA_=\n",
            NoteError::SignatureLine { number: 1 },
        ),
        (
            &format!("text\n\n{line}x\n"),
            NoteError::SignatureLine { number: 2 },
        ),
    ];
    for (note, error) in cases {
        assert_eq!(
            Note::parse(note.as_bytes()).as_ref(),
            Err(error),
            "{note:?}"
        );
    }
    assert_eq!(Note::parse(b"te\xffxt\n\n"), Err(NoteError::Text));
    let long = vec![b'a'; Note::MAX_BYTES + 1];
    assert_eq!(Note::parse(&long), Err(NoteError::TooLong));
    let blank = vec![b'\n'; Note::MAX_BYTES];
    assert!(Note::parse(&blank).is_err());
}

#[test]
fn malformed_verifier_keys_are_refused() {
    use VerifierKeyError::{Form, Hash, Kind, PublicKey};
    let key = |kind: u8, bytes: [u8; 32]| {
        use base64::Engine as _;
        let mut all = vec![kind];
        all.extend(bytes);
        base64::engine::general_purpose::STANDARD.encode(all)
    };
    let cases: &[(&str, VerifierKeyError)] = &[
        ("", Form),
        ("example.com/foo", Form),
        ("example.com/foo+530d903a", Form),
        (
            "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Form,
        ),
        (
            "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Form,
        ),
        (
            "example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Form,
        ),
        (
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
            Form,
        ),
        (
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Hash,
        ),
        (
            "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            Hash,
        ),
        (&format!("a+00000000+{}", key(2, [1; 32])), Kind),
        // The neutral point, of small order.
        (
            &format!(
                "a+00000000+{}",
                key(1, {
                    let mut one = [0; 32];
                    one[0] = 1;
                    one
                })
            ),
            PublicKey,
        ),
        // No point of the curve.
        (
            &format!(
                "a+00000000+{}",
                key(1, {
                    let mut two = [0; 32];
                    two[0] = 2;
                    two
                })
            ),
            PublicKey,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<VerifierKey>().as_ref(), Err(error), "{text}");
    }
}

#[test]
fn names_that_are_no_key_names_are_refused() {
    for name in [
        "",
        " ",
        "a b",
        "a+b",
        "a\u{2003}b",
        "a\nb",
        "a\u{7f}b",
        "a\u{85}",
        "cosignature/v1",
    ] {
        assert!(name.parse::<KeyName>().is_err(), "{name:?}");
    }
    assert!("x".repeat(255).parse::<KeyName>().is_ok());
    assert!("x".repeat(256).parse::<KeyName>().is_err());
}

#[test]
fn a_cosignature_gives_its_time_and_binds_the_text() {
    let log = signer("log.example/a", 1);
    let witness = witness("witness.example", 9);
    let text = "log.example/a\n1\nroot\n";
    let at = Timestamp::from_seconds(1_679_315_147);
    let line = witness.cosign(text, at);
    let signed = format!("{}{line}", log.sign(text));
    let note = Note::parse(signed.as_bytes()).unwrap();
    assert_eq!(note.cosigned_at(witness.verifier()), Ok(at));
    assert_eq!(note.open(log.verifier()).unwrap(), text);
    // The log's own key is no witness, whatever it signs.
    assert_eq!(note.cosigned_at(log.verifier()), Err(NoteError::Unsigned));
    let other = format!("{}{line}", log.sign("log.example/a\n2\nroot\n"));
    let note = Note::parse(other.as_bytes()).unwrap();
    assert_eq!(
        note.cosigned_at(witness.verifier()),
        Err(NoteError::BadSignature)
    );
    let key: VerifierKey = witness.verifier().to_string().parse().unwrap();
    assert_eq!(key.kind(), SignatureKind::Cosignature);
}

/// The example of C2SP tlog-cosignature gives no keys; its lines must at least be readable.
#[test]
fn the_example_cosignature_is_well_formed() {
    let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    assert!(Note::parse(note.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let key: VerifierKey = SPEC_KEY.parse().unwrap();
        if let Ok(note) = Note::parse(&bytes) {
            prop_assert!(note.open(&key).is_err());
        }
    }

    #[test]
    fn no_text_makes_the_key_reader_panic(text in "\\PC{0,200}") {
        let _ = text.parse::<VerifierKey>();
        let _ = text.parse::<KeyName>();
    }
}

use proptest::prelude::*;

use super::*;

fn root() -> Hash {
    Hash::of_leaf(b"x")
}

fn proof() -> TlogProof {
    TlogProof {
        index: 5,
        path: vec![root(); 3],
        extra: None,
        checkpoint: b"text\n\nlines\n".to_vec(),
    }
}

#[test]
fn what_is_written_is_read() {
    for extra in [None, Some(b"more".to_vec())] {
        for length in [0, 1, 63] {
            let proof = TlogProof {
                extra: extra.clone(),
                path: vec![root(); length],
                ..proof()
            };
            assert_eq!(TlogProof::parse(&proof.encode()).unwrap(), proof);
        }
    }
    let text = String::from_utf8(proof().encode()).unwrap();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 5\n"));
}

#[test]
fn hostile_proofs_are_refused_at_their_line() {
    let hash = root();
    let cases = [
        (String::new(), 1),
        ("c2sp.org/tlog-proof@v2\nindex 1\n\n".to_owned(), 1),
        ("c2sp.org/tlog-proof@v1\r\nindex 1\n\n".to_owned(), 1),
        ("c2sp.org/tlog-proof@v1\n".to_owned(), 2),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\n".to_owned(), 2),
        (
            "c2sp.org/tlog-proof@v1\nindex 18446744073709551616\n\n".to_owned(),
            2,
        ),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\n".to_owned(), 2),
        ("c2sp.org/tlog-proof@v1\nextra \nindex 1\n\n".to_owned(), 2),
        ("c2sp.org/tlog-proof@v1\nextra *\nindex 1\n\n".to_owned(), 2),
        (
            "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\n".to_owned(),
            3,
        ),
        (
            "c2sp.org/tlog-proof@v1\nextra AAAA\nextra AAAA\nindex 1\n\n".to_owned(),
            3,
        ),
        (format!("c2sp.org/tlog-proof@v1\nindex 1\n{hash}"), 3),
        (format!("c2sp.org/tlog-proof@v1\nindex 1\n {hash}\n\n"), 3),
        (
            format!(
                "c2sp.org/tlog-proof@v1\nindex 1\n{}\n",
                format!("{hash}\n").repeat(64)
            ),
            66,
        ),
    ];
    for (text, number) in cases {
        assert_eq!(
            TlogProof::parse(text.as_bytes()),
            Err(ProofError::Line { number }),
            "{text:?}"
        );
    }
}

/// A path of a million hashes is refused by its length in bytes, before any is read.
#[test]
fn an_endless_path_is_refused() {
    let long = TlogProof {
        path: vec![root(); 1_000_000],
        ..proof()
    };
    assert_eq!(TlogProof::parse(&long.encode()), Err(ProofError::TooLong));
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert!(long.verify(b"", &key.parse().unwrap(), &[]).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = bytes;
        let _ = TlogProof::parse(&bytes);
        bytes.splice(0..0, *b"c2sp.org/tlog-proof@v1\nindex 0\n");
        if let Ok(proof) = TlogProof::parse(&bytes) {
            prop_assert_eq!(proof.encode(), bytes);
        }
    }
}

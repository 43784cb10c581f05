use secrecy::SecretBox;

use super::*;

fn signer(name: &str, seed: u8) -> LogSigner {
    LogSigner::from_seed(name.parse().unwrap(), &SecretBox::new(Box::new([seed; 32])))
}

fn head(size: u64) -> Checkpoint {
    let root = if size == 0 {
        Hash::of_empty_tree()
    } else {
        Hash::of_leaf(b"x")
    };
    Checkpoint::new("log.example/a".parse().unwrap(), size, root)
}

#[test]
fn a_signed_head_opens_with_its_time() {
    let at = Timestamp::from_seconds(1_700_000_000);
    let signer = signer("log.example/a", 1);
    for size in [0, 1, 70_000, MAX_TREE_SIZE] {
        let head = head(size).signed_at(Timestamp::UNIX_EPOCH).signed_at(at);
        let signed = head.sign(&signer).unwrap();
        let opened = Checkpoint::open(signed.as_bytes(), signer.verifier(), &[]).unwrap();
        assert_eq!(opened.checkpoint, head);
        assert_eq!(opened.checkpoint.time(), Some(at));
    }
}

#[test]
fn another_log_is_refused() {
    let own = signer("log.example/a", 1);
    let other = signer("log.example/b", 1);
    assert_eq!(head(1).sign(&other), None);
    // Another log's key signs a head that bears our origin.
    let forged = other.sign(&head(1).to_text());
    assert_eq!(
        Checkpoint::open(forged.as_bytes(), own.verifier(), &[]),
        Err(CheckpointError::Note(NoteError::Unsigned))
    );
    assert_eq!(
        Checkpoint::open(forged.as_bytes(), other.verifier(), &[]),
        Err(CheckpointError::Origin)
    );
}

#[test]
fn a_witness_key_is_no_log_key() {
    let witness = super::super::WitnessSigner::from_seed(
        "log.example/a".parse().unwrap(),
        &SecretBox::new(Box::new([1; 32])),
    );
    let text = head(1).to_text();
    let signed = format!("{text}\n{}", witness.cosign(&text, Timestamp::UNIX_EPOCH));
    assert_eq!(
        Checkpoint::open(signed.as_bytes(), witness.verifier(), &[]),
        Err(CheckpointError::KeyKind)
    );
}

#[test]
fn only_the_exact_text_is_read() {
    let root = Hash::of_leaf(b"x");
    let empty = Hash::of_empty_tree();
    let good = [
        format!("a\n1\n{root}\n"),
        format!("a\n0\n{empty}\n"),
        format!("a\n1\n{root}\nanything\n"),
        format!("a\n9223372036854775807\n{root}\n"),
    ];
    for text in good {
        assert_eq!(Checkpoint::parse_text(&text).unwrap().to_text(), text);
    }
    let bad = [
        String::new(),
        "\n".to_owned(),
        "a\n1\n".to_owned(),
        format!("a\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("a b\n1\n{root}\n"),
        format!("a\n01\n{root}\n"),
        format!("a\n+1\n{root}\n"),
        format!("a\n-1\n{root}\n"),
        format!("a\n\u{661}\n{root}\n"),
        format!("a\n \n{root}\n"),
        format!("a\n9223372036854775808\n{root}\n"),
        format!("a\n99999999999999999999\n{root}\n"),
        format!("a\n1\n{root}\n\n"),
        format!("a\n1\n{root}\n\nb\n"),
        format!("a\n1\n{root} \n"),
        // Only the empty tree has the empty tree's root.
        format!("a\n0\n{root}\n"),
        format!("a\n1\n{empty}\n"),
        format!("a\n1\n{root}\ntime 1\ntime 2\n"),
        format!("a\n1\n{root}\n{}", "x\n".repeat(17)),
    ];
    for text in bad {
        assert_eq!(
            Checkpoint::parse_text(&text),
            Err(CheckpointError::Text),
            "{text:?}"
        );
    }
    let odd = Checkpoint::parse_text(&format!("a\n1\n{root}\ntime 010\n")).unwrap();
    assert_eq!(odd.time(), None);
}

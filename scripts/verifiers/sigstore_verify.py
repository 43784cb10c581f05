"""Verifies a log directory or a proof with the hashing, proof and note code of
the Python package `sigstore` (pinned: the modules are private).

    sigstore_verify.py log DIR VKEY
    sigstore_verify.py proof PROOF ENTRY VKEY

The status is 0 if all holds and 1 with a reason on standard error if not.
"""

import base64
import pathlib
import sys
from types import SimpleNamespace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sigstore._internal import merkle
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError


def need(holds, reason):
    if not holds:
        raise VerificationError(reason)


def decimal(text):
    need(text.isascii() and text.isdigit() and str(int(text)) == text, "malformed number")
    return int(text)


def strict_base64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


class Keyring:
    """The one key that sigstore's note code asks for."""

    def __init__(self, vkey):
        self.name, key_id, key = vkey.split("+", 2)
        self.key_id = bytes.fromhex(key_id)
        kind, *key = strict_base64(key)
        need(kind == 1, "not an Ed25519 key")
        self.key = Ed25519PublicKey.from_public_bytes(bytes(key))

    def verify(self, *, key_id, signature, data):
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            raise VerificationError("bad signature") from None


def open_checkpoint(text, vkey):
    keyring = Keyring(vkey)
    signed = SignedCheckpoint.from_text(text)
    signed.signed_note.verify(keyring, keyring.key_id)
    # sigstore goes by the key id alone and reads base64 laxly.
    for line in text.split("\n\n", 1)[1].splitlines():
        dash, name, signature = line.split(" ")
        need(dash == "\u2014" and name == keyring.name, "a signature of another name")
        strict_base64(signature)
    head = signed.checkpoint
    need(head.origin == keyring.name, "checkpoint of another log")
    need(decimal(text.split("\n")[1]) == head.log_size, "malformed size")
    return head.log_size, bytes.fromhex(head.log_hash)


def verify_proof(proof, entry, vkey):
    head, separator, checkpoint = proof.read_bytes().decode().partition("\n\n")
    lines = head.split("\n")
    need(separator and lines[0] == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    need(len(lines) > 1 and lines[1].startswith("index "), "no index")
    size, root = open_checkpoint(checkpoint, vkey)
    index = decimal(lines[1].removeprefix("index "))
    need(index < size, "no such entry")
    inclusion = SimpleNamespace(
        log_index=index,
        tree_size=size,
        hashes=[strict_base64(line) for line in lines[2:]],
        root_hash=root,
    )
    inner = SimpleNamespace(inclusion_proof=inclusion, canonicalized_body=entry.read_bytes())
    merkle.verify_merkle_inclusion(SimpleNamespace(_inner=inner))
    return size


def root_of(hashes):
    """The RFC 6962 root, each node hashed by sigstore."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return merkle._hash_children(root_of(hashes[:k]), root_of(hashes[k:]))


def tile_path(kind, index, width):
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{kind}/{path}" + (f".p/{width}" if width < 256 else "")


def split_bundle(data, width):
    entries = []
    for _ in range(width):
        length = int.from_bytes(data[:2], "big")
        need(len(data) >= 2 + length and len(data) >= 2, "a bundle ends early")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    need(not data, "a bundle goes on after its last entry")
    return entries


def verify_log(directory, vkey):
    size, root = open_checkpoint((directory / "checkpoint").read_bytes().decode(), vkey)
    level, hashes = 0, []
    for index in range(-(-size // 256)):
        width = min(256, size - 256 * index)
        data = (directory / tile_path("entries", index, width)).read_bytes()
        hashes += [merkle._hash_leaf(entry) for entry in split_bundle(data, width)]
    need(not hashes or root_of(hashes) == root, "the root is not the signed one")
    while hashes:
        for index in range(-(-len(hashes) // 256)):
            part = hashes[256 * index : 256 * (index + 1)]
            path = tile_path(level, index, len(part))
            need((directory / path).read_bytes() == b"".join(part), f"{path} differs")
        hashes = [root_of(hashes[at : at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    return size


def main(args):
    match args:
        case ["log", directory, vkey]:
            return verify_log(pathlib.Path(directory), vkey)
        case ["proof", proof, entry, vkey]:
            return verify_proof(pathlib.Path(proof), pathlib.Path(entry), vkey)
    raise ValueError("usage: sigstore_verify.py log DIR VKEY | proof PROOF ENTRY VKEY")


if __name__ == "__main__":
    try:
        print(f"sigstore: accepted, {main(sys.argv[1:])} entries")
    except (VerificationError, ValueError, OSError) as error:
        print(f"sigstore: refused: {error}", file=sys.stderr)
        sys.exit(1)

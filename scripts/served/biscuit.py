"""Verifies a Biscuit's signatures, from the text of its specification alone.

No Datalog, no third-party blocks, Ed25519 only, and the first form of block
signatures: what the control plane's tokens are made of. It shares no line with
the library that makes and checks them.
"""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = 0


class Refused(Exception):
    """The token is not good."""


def fields(message):
    """The fields of a protobuf message, each with its values in order."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            if at >= len(message) or shift > 63:
                raise Refused("cut short")
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            value = number()
        elif key & 7 == 2:
            length = number()
            if at + length > len(message):
                raise Refused("cut short")
            value = message[at:at + length]
            at += length
        else:
            raise Refused("an unknown kind of field")
        found.setdefault(key >> 3, []).append(value)
    return found


def one(found, field):
    values = found.get(field, [])
    if len(values) != 1:
        raise Refused(f"field {field} is there {len(values)} times")
    return values[0]


def verify(token, keys):
    """The blocks of a token that one of these public keys signed, by their id."""
    biscuit = fields(base64.urlsafe_b64decode(token))
    root = one(biscuit, 1)
    if root not in keys:
        raise Refused("no such key")
    signer, blocks, last = keys[root], [], None
    for signed in [one(biscuit, 2)] + biscuit.get(3, []):
        parts = fields(signed)
        if set(parts) != {1, 2, 3}:
            raise Refused("a block of another form")
        block, next_key, signature = one(parts, 1), fields(one(parts, 2)), one(parts, 3)
        if one(next_key, 1) != ED25519:
            raise Refused("another algorithm")
        following = one(next_key, 2)
        payload = block + ED25519.to_bytes(4, "little") + following
        check(signer, signature, payload)
        blocks.append(block)
        signer, last = following, payload + signature
    proof = fields(one(biscuit, 4))
    if set(proof) == {1}:
        secret = Ed25519PrivateKey.from_private_bytes(one(proof, 1))
        public = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        if public != signer:
            raise Refused("the proof is of another token")
    elif set(proof) == {2}:
        check(signer, one(proof, 2), last)
    else:
        raise Refused("no proof")
    return blocks


def check(key, signature, payload):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, payload)
    except (InvalidSignature, ValueError) as error:
        raise Refused("a signature does not hold") from error

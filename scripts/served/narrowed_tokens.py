#!/usr/bin/env python3
"""Tokens of a real server in other hands: narrowed by the Python binding, verified from the specification.

    narrowed_tokens.py CYPROB DIR

The server must honour what the binding narrowed, as far as it goes and no further.
"""

import base64
import datetime
import sys

from biscuit_auth import Algorithm, Biscuit, BlockBuilder, PublicKey

import biscuit
from server import Client, found, serving

ORG = "/api/v1/orgs/acme"
RUN = "run_01900000-0000-7000-8000-000000000000"
results = []


def holds(what, is_so):
    results.append(bool(is_so))
    print(f"{what}: {'ok' if is_so else 'FAILED'}")


def refused(call, *args):
    try:
        call(*args)
    except Exception:  # each library has its own
        return True
    return False


def main():
    cyprob, directory = sys.argv[1:]
    data = directory + "/data"
    with serving(cyprob, data) as url:
        drive(Client(url), data)
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def drive(client, data):
    _, token = found(client, data)
    known = client.json("GET", "/.well-known/cyprob", 200)["token_keys"]
    keys = {key["id"]: bytes.fromhex(key["public_key"].removeprefix("ed25519/")) for key in known}
    root = PublicKey.from_bytes(next(iter(keys.values())), Algorithm.Ed25519)

    def narrow(token, source, **values):
        narrower = Biscuit.from_base64(token, root).append(BlockBuilder(source, values or None))
        return narrower.to_base64()

    def status(token, path):
        return client.ask("GET", ORG + path, token)[0]

    binding(client, token, narrow, status)
    specification(token, keys, narrow)


def binding(client, token, narrow, status):
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    minute = datetime.timedelta(minutes=1)
    names = "check if permission($p), {names}.contains($p)"
    before = "check if time($t), $t < {end}"
    at_latest = "check if time($t), $t <= {end}"
    resource = "check if resource($r), {ids}.contains($r)"
    address = "check if address_prefix($a), {ranges}.contains($a)"
    nonce = "check if nonce($n), {words}.contains($n)"
    once = narrow(token, nonce, words={"4f1c"})
    two = narrow(token, nonce, words={"one", "two"})
    left = narrow(two, nonce, words={"two"})
    reads = narrow(token, names, names={"runs:read"})
    for what, narrower, path, want in [
        ("the token as it is", token, "/members", 200),
        ("narrowed to a permission: left", reads, "/runs", 200),
        ("narrowed to a permission: taken", reads, "/members", 403),
        ("a list of permissions: left", narrow(token, names, names=["runs:read", "org:read"]), "", 200),
        ("a list of permissions: taken", narrow(token, names, names=["runs:read"]), "", 403),
        ("narrowed to a resource: left", narrow(token, resource, ids={RUN}), "/runs/" + RUN, 404),
        ("narrowed to a resource: taken", narrow(token, resource, ids={"run_other"}), "/runs/" + RUN, 403),
        ("narrowed to a time: before", narrow(token, before, end=now + minute), "/runs", 200),
        ("narrowed to a time: after", narrow(token, before, end=now - minute), "/runs", 401),
        ("narrowed to a time, inclusive: after", narrow(token, at_latest, end=now - minute), "/runs", 401),
        ("narrowed to addresses: inside", narrow(token, address, ranges={"127.0.0.0/8"}), "/runs", 200),
        ("narrowed to addresses: outside", narrow(token, address, ranges={"192.0.2.0/24"}), "/runs", 403),
        ("narrowed twice: left", narrow(reads, address, ranges={"127.0.0.0/8"}), "/runs", 200),
        ("narrowed twice: taken", narrow(reads, names, names={"org:read"}), "/runs", 403),
        ("a check that is no template", narrow(token, "check if true"), "/runs", 401),
        ("a fact of the holder's", narrow(token, 'permission("org:write")'), "/runs", 401),
        ("a rule of the holder's", narrow(token, "administrator(true) <- user($u)"), "/runs", 401),
        ("a use without a word", narrow(token, nonce, words={""}), "/runs", 401),
        ("nine uses", narrow(token, nonce, words={str(number) for number in range(9)}), "/runs", 401),
        ("one use: refused for another reason", once, "/runs/" + RUN + "/nothing", 404),
        ("one use: the first time", once, "/runs", 200),
        ("one use: again", once, "/members", 401),
        ("one use: another of the same token", narrow(token, nonce, words={"4f1c", "b07e"}), "/runs", 200),
        ("one use: that one's other use is spent by now", narrow(token, nonce, words=["b07e"]), "/runs", 401),
        ("two uses narrowed to one of them: the first time", left, "/runs", 200),
        ("two uses narrowed to one of them: again", left, "/runs", 401),
        ("two uses narrowed to others", narrow(two, nonce, words={"other"}), "/runs", 401),
    ]:
        found_status = status(narrower, path)
        holds(f"{what}, {found_status}", found_status == want)


def specification(token, keys, narrow):
    by = "check if permission($p), {names}.contains($p)"
    holds("the token verifies from the specification", len(biscuit.verify(token, keys)) == 1)
    narrower = narrow(token, by, names={"runs:read"})
    holds("so does a narrower one", len(biscuit.verify(narrower, keys)) == 2)
    stranger = {key: bytes(32) for key in keys}
    holds("not by another key", refused(biscuit.verify, token, stranger))
    holds("nor by none", refused(biscuit.verify, token, {}))
    content = base64.urlsafe_b64decode(narrower)
    changed = 0
    for at in range(len(content)):
        other = content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
        changed += refused(biscuit.verify, base64.urlsafe_b64encode(other), keys)
    holds(f"with any byte changed it is refused, {changed} of {len(content)}", changed == len(content))


main()

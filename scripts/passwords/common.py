#!/usr/bin/env python3
"""Writes the list of common passwords that cyprob-core embeds.

    common.py FREQUENCY_LISTS_RS COMMON_PASSWORDS_TXT_GZ >cyprob-core/data/common-passwords.txt

The first is src/frequency_lists.rs of the crate zxcvbn, the second
django/contrib/auth/common-passwords.txt.gz of the Python package Django; their
licences stand beside the list. Kept are lower-case forms of at least four
printable ASCII characters, sorted by bytes.
"""

import gzip
import re
import sys

SHORTEST = 4


def main(rust: str, django: str) -> None:
    with open(rust, encoding="utf-8") as source:
        found = re.search(r'const PASSWORDS: &str = "([^"]*)"', source.read(), re.S)
    if found is None:
        sys.exit("no list of passwords in " + rust)
    words = found.group(1).split(",")
    with gzip.open(django, "rt", encoding="utf-8") as lines:
        words += [line.strip() for line in lines]
    kept = {
        word.lower()
        for word in words
        if len(word) >= SHORTEST and all("!" <= c <= "~" for c in word)
    }
    sys.stdout.write("".join(word + "\n" for word in sorted(kept)))


if __name__ == "__main__":
    main(*sys.argv[1:])

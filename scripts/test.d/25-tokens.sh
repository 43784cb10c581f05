#!/usr/bin/env bash
# Tokens of a real server in other hands: the Python binding narrows them, a reader of the specification verifies them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-tokens.XXXXXX")
trap 'rm -rf "$place"' EXIT

"$CYPROB_PYTHON" scripts/served/narrowed_tokens.py "$CYPROB_BIN" "$place"

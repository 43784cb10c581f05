#!/usr/bin/env bash
# A log of 1,000 events that a server made for its clients, judged by verifiers that are not ours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-served.XXXXXX")
trap 'rm -rf "$place"' EXIT

python3 scripts/served/thousand_events.py "$CYPROB_BIN" "$place"
scripts/verifiers/check "$place/log/" "$(cat "$place/vkey")" "$place/proof" "$place/entry"

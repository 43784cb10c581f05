#!/usr/bin/env bash
# Verifiers that are not ours, on a log of invented events.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-log.XXXXXX")
trap 'rm -rf "$place"' EXIT

"${CARGO_TARGET_DIR:-target}/debug/examples/write_log" "$place" 1000 613
scripts/verifiers/check "$place/log" "$(cat "$place/vkey")" "$place/proof" "$place/entry"

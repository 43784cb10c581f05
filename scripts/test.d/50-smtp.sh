#!/usr/bin/env bash
# Mail to real SMTP servers: in the clear to the machine itself, by TLS, and in every bad mood.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-smtp.XXXXXX")
trap 'rm -rf "$place"' EXIT

"$CYPROB_PYTHON" scripts/smtp/check.py "${CARGO_TARGET_DIR:-target}/debug/examples/send_mail" "$place"

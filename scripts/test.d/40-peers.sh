#!/usr/bin/env bash
# The benchmark beside other libraries, a workspace of its own: its form, and that it compiles without a warning.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/peers
manifest=benches/peers/Cargo.toml

if cargo fmt --check --manifest-path "$manifest" &&
    cargo clippy --quiet --locked --all-features --manifest-path "$manifest" -- -D warnings; then
    echo "1 passed, 0 failed"
else
    echo "0 passed, 1 failed"
    exit 1
fi

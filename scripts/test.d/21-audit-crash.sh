#!/usr/bin/env bash
# A log's directory, its writer killed or failed at every system call in turn.
#
# After each: what was acknowledged is there, every signed head is the one that
# the entries give, what is published is sound, and the next run goes on to the
# same log as an undisturbed one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=scripts/test.d/lib/crash.sh
. scripts/test.d/lib/crash.sh

publish=${CARGO_TARGET_DIR:-target}/debug/examples/publish_log
verify() { "$CYPROB_BIN" audit verify "$1/system" --key "$(cat "$1/vkey")"; }
field() { sed -n "s/^$1 *//p"; }

# Undisturbed: the state to begin with, and the root at every size on the way.
declare -A root_at
for size in 250 280 310 330; do
    mkdir "$work/clean-$size"
    "$publish" "$work/clean-$size" 50 250 >"$work/ignored"
    "$publish" "$work/clean-$size" 30 "$size" >"$work/ignored"
    root_at[$size]=$(verify "$work/clean-$size" | field root)
done
reference=$work/clean-330

attempt() { # directory, what the command runs behind...
    "${@:2}" "$publish" "$1" 30 330 >"$1/acknowledged"
}

judge() { # directory: after the fault, and after going on
    local told size root status=0 acknowledged
    acknowledged=$(tail -n 1 "$1/acknowledged")
    told=$(verify "$1") || status=$?
    size=$(field entries <<<"$told")
    root=$(field root <<<"$told")
    # 11: whole files stand there already whose checkpoint does not yet.
    claim "what is published is sound (status $status)" test "$status" = 0 -o "$status" = 11
    claim "integrity" test "$(field integrity <<<"$told")" = held
    claim "size $size, at least ${acknowledged:-250} acknowledged" \
        test "${size:-0}" -ge "${acknowledged:-250}"
    claim "the head of size $size" test "$root" = "${root_at[${size:-0}]:-none}"
    claim "going on" "$publish" "$1" 30 330 >"$work/ignored"
    claim "the log afterwards" verify "$1" >"$work/ignored"
    # The steps may differ, and with them the older partial files: compare the rest.
    claim "the same log" diff -r -x '*.p' "$reference/system/tile" "$1/system/tile"
    claim "the same head" cmp "$reference/system/checkpoint" "$1/system/checkpoint"
    claim "nothing left over" test -z "$(find "$1" -name '.tmp-*')"
}

begun=$work/clean-250
every_call "" "$begun" openat signal=SIGKILL
every_call "" "$begun" write signal=SIGKILL error=ENOSPC
for call in fsync renameat; do
    every_call "" "$begun" "$call" signal=SIGKILL error=EIO
done
for call in mkdirat unlinkat; do
    every_call "" "$begun" "$call" signal=SIGKILL
done
all_faults 100

#!/usr/bin/env bash
# A log's directory, its writer killed or failed at every system call in turn.
#
# After each: what was acknowledged is there, every signed head is the one that
# the entries give, what is published is sound, and the next run goes on to the
# same log as an undisturbed one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-crash.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
runs=0

publish=${CARGO_TARGET_DIR:-target}/debug/examples/publish_log
verify() { "$CYPROB_BIN" audit verify "$1/system" --key "$(cat "$1/vkey")"; }
field() { sed -n "s/^$1 *//p"; }

claim() { # what should hold, command...
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$fault: $what does not hold"
    fi
}

# Undisturbed: the state to begin with, and the root at every size on the way.
declare -A root_at
for size in 250 280 310 330; do
    mkdir "$work/clean-$size"
    "$publish" "$work/clean-$size" 50 250 >"$work/ignored"
    "$publish" "$work/clean-$size" 30 "$size" >"$work/ignored"
    root_at[$size]=$(verify "$work/clean-$size" | field root)
done
reference=$work/clean-330

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

for call in openat write fsync renameat mkdirat unlinkat; do
    case $call in
        fsync) kinds=(signal=SIGKILL error=EIO) ;;
        write) kinds=(signal=SIGKILL error=ENOSPC) ;;
        renameat) kinds=(signal=SIGKILL error=EIO) ;;
        *) kinds=(signal=SIGKILL) ;;
    esac
    for kind in "${kinds[@]}"; do
        for ((nth = 1; ; nth++)); do
            fault="$call $kind, call $nth"
            place=$work/run
            rm -rf "$place"
            cp -r "$work/clean-250" "$place"
            status=0
            # In a shell of its own, which keeps what bash says of a killed child.
            (
                timeout -s KILL 60 strace -f -qq -o "$work/trace" -e trace="$call" \
                    -e inject="$call:$kind:when=$nth" \
                    "$publish" "$place" 30 330 >"$place/acknowledged"
                exit $?
            ) 2>"$work/errors" || status=$?
            if ! grep -qE 'INJECTED|killed by' "$work/trace"; then
                claim "the undisturbed run" test "$status" = 0
                break
            fi
            runs=$((runs + 1))
            judge "$place"
        done
    done
done
fault="all faults"
claim "more than 100 of them ($runs)" test "$runs" -gt 100
echo "$runs faults"
echo "$passed passed, $failed failed"
exit $((failed > 0))

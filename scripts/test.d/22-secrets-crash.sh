#!/usr/bin/env bash
# A store of secrets, the command that rotates its keys killed or failed at every system call in turn.
#
# After each: every value is there and the store opens, the rotation runs to its
# end when it is asked for again, and then nothing is left of what was replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-crash.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
runs=0

secrets() { # data directory, arguments...
    local data=$1
    shift
    "$CYPROB_BIN" secrets "$@" --data "$data"
}

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

# What a server makes of an empty directory, and two versions of a secret.
clean=$work/clean
mkdir -m 700 "$clean"
"$CYPROB_BIN" serve --data "$clean" --listen 127.0.0.1:0 >"$work/served" 2>&1 &
server=$!
until grep -q '^listening' "$work/served"; do sleep 0.1; done
kill -INT "$server"
wait "$server"
printf one | secrets "$clean" put a >"$work/ignored"
printf two | secrets "$clean" put a --expect-version 1 >"$work/ignored"
rm -f "$clean/operator-journal"

data_keys() { # directory: how many keys its files name
    local file
    for file in "$1"/secrets/*@*; do
        head -c 14 "$file" | tail -c 8 | od -An -tx1
    done | sort -u | wc -l
}

# shellcheck disable=SC2317 # It is called by `claim`.
holds() { # directory: every value
    local one two
    one=$(secrets "$1" get 'local://a?version=1' </dev/null) || return 1
    two=$(secrets "$1" get a </dev/null) || return 1
    test "$one $two" = "one two"
}

judge() { # directory, which key
    claim "what was there" holds "$1"
    claim "the rotation afterwards" secrets "$1" rotate "$2" >"$work/ignored"
    claim "what was there, after it" holds "$1"
    claim "one data key" test "$(data_keys "$1")" = 1
    claim "nothing left over" test -z "$(find "$1/secrets" -name '.tmp-*')"
}

for key in --master-key --data-key; do
    for call in write fsync renameat linkat unlinkat; do
        case $call in
            fsync | renameat | linkat) kinds=(signal=SIGKILL error=EIO) ;;
            write) kinds=(signal=SIGKILL error=ENOSPC) ;;
            *) kinds=(signal=SIGKILL) ;;
        esac
        for kind in "${kinds[@]}"; do
            for ((nth = 1; ; nth++)); do
                fault="$key, $call $kind, call $nth"
                place=$work/run
                rm -rf "$place"
                cp -a "$clean" "$place"
                status=0
                # In a shell of its own, which keeps what bash says of a killed child.
                (
                    timeout -s KILL 60 strace -f -qq -o "$work/trace" -e trace="$call" \
                        -e inject="$call:$kind:when=$nth" \
                        "$CYPROB_BIN" secrets rotate "$key" --data "$place" >"$work/told"
                    exit $?
                ) 2>"$work/errors" || status=$?
                if ! grep -qE 'INJECTED|killed by' "$work/trace"; then
                    claim "the undisturbed run" test "$status" = 0
                    break
                fi
                runs=$((runs + 1))
                judge "$place" "$key"
            done
        done
    done
done
fault="all faults"
claim "more than 100 of them ($runs)" test "$runs" -gt 100
echo "$runs faults"
echo "$passed passed, $failed failed"
exit $((failed > 0))

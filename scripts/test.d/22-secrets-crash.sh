#!/usr/bin/env bash
# A store of secrets, the command that rotates its keys killed or failed at every system call in turn.
#
# After each: every value is there and the store opens, the rotation runs to its
# end when it is asked for again, and then nothing is left of what was replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=scripts/test.d/lib/crash.sh
. scripts/test.d/lib/crash.sh

secrets() { # data directory, arguments...
    local data=$1
    shift
    "$CYPROB_BIN" secrets "$@" --data "$data"
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

attempt() { # directory, what the command runs behind...
    "${@:2}" "$CYPROB_BIN" secrets rotate "$key" --data "$1" >"$work/told"
}

judge() { # directory
    claim "what was there" holds "$1"
    claim "the rotation afterwards" secrets "$1" rotate "$key" >"$work/ignored"
    claim "what was there, after it" holds "$1"
    claim "one data key" test "$(data_keys "$1")" = 1
    claim "nothing left over" test -z "$(find "$1/secrets" -name '.tmp-*')"
}

for key in --master-key --data-key; do
    every_call "$key, " "$clean" write signal=SIGKILL error=ENOSPC
    for call in fsync renameat linkat; do
        every_call "$key, " "$clean" "$call" signal=SIGKILL error=EIO
    done
    every_call "$key, " "$clean" unlinkat signal=SIGKILL
done
all_faults 100

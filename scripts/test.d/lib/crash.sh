# shellcheck shell=bash
# A command killed or failed at every system call in turn; sourced by the tests that do that.
#
# Who sources it defines `attempt`, which runs its command on a directory behind
# the words it is given, and `judge`, which says with `claim` what must hold of
# the directory then.

work=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-crash.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
runs=0
fault="no fault"

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

every_call() { # what is tried, directory to begin with, system call, faults...
    local what=$1 clean=$2 call=$3 kind nth status place=$work/run
    shift 3
    for kind in "$@"; do
        for ((nth = 1; ; nth++)); do
            fault="$what$call $kind, call $nth"
            rm -rf "$place"
            cp -a "$clean" "$place"
            status=0
            # In a shell of its own, which keeps what bash says of a killed child.
            (
                attempt "$place" timeout -s KILL 60 strace -f -qq -o "$work/trace" \
                    -e trace="$call" -e inject="$call:$kind:when=$nth"
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
}

all_faults() { # how many there must be more than
    fault="all faults"
    claim "more than $1 of them ($runs)" test "$runs" -gt "$1"
    echo "$runs faults"
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}

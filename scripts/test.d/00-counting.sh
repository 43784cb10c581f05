#!/usr/bin/env bash
# Does the sum of scripts/test count what it should? Each case runs stages of
# invented commands and compares the last line and the status.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

passed=0
failed=0

# Runs stages in a shell of their own: "LAST LINE, STATUS".
sum_of() {
    local place status last
    place=$(mktemp -d)
    last=$(
        bash -c '
            set -euo pipefail
            work='"$place"'
            source scripts/lib/stages.sh
            '"$1"'
            stage_summary
        ' 2>&1
    )
    status=$?
    rm -rf "$place"
    printf '%s, status %s\n' "$(tail -n 1 <<<"$last")" "$status"
}

expect() { # claim, expected, stages
    local got
    got=$(sum_of "$3")
    if [[ $got == "$2" ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s: expected "%s", got "%s"\n' "$1" "$2" "$got"
    fi
}

ok='test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out'
bad='test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'

expect "binaries are summed" "6 passed, 0 failed, status 0" \
    "stage_tests a printf '%s\n' '$ok' '$ok'"
expect "a failure is counted once and ends with a status" "5 passed, 1 failed, status 1" \
    "f() { printf '%s\n' '$ok' '$bad'; return 101; }; stage_tests a f"
expect "a stage that does not compile is a failure" "0 passed, 1 failed, status 1" \
    "stage_tests a false"
expect "a stage that dies behind good results is a failure" "3 passed, 1 failed, status 1" \
    "f() { echo '$ok'; return 1; }; stage_tests a f"
expect "a stage in which nothing ran is a failure" "0 passed, 1 failed, status 1" \
    "stage_tests a true"
expect "a failed check is a failure, and the rest still runs" "3 passed, 1 failed, status 1" \
    "stage_check a false; stage_tests b echo '$ok'"
expect "a good check counts nothing" "3 passed, 0 failed, status 0" \
    "stage_check a true; stage_tests b echo '$ok'"
expect "a missing need ends the run" "0 passed, 1 failed, status 1" \
    "stage_need a false; stage_tests b echo '$ok'"
expect "a script's own last line is added" "7 passed, 0 failed, status 0" \
    "stage_script a printf '%s\n' '9 passed, 9 failed' 'x' '4 passed, 0 failed'; stage_tests b echo '$ok'"
expect "a script without that line is a failure" "0 passed, 1 failed, status 1" \
    "stage_script a echo 'all 4 passed'"

echo "$passed passed, $failed failed"
exit $((failed > 0))

# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# Stages: each is timed; what passed and failed in them is summed.

total_passed=0
total_failed=0
failures=()
begun=$SECONDS

stage__end() { # name, seconds, text
    printf '== %s: %ss%s\n' "$1" "$2" "${3:+, $3}"
}

# A stage without counts of its own: its failure is one failure.
stage_check() { # name, command...
    local name=$1 start=$SECONDS
    shift
    echo "-- $name"
    if "$@"; then
        stage__end "$name" $((SECONDS - start)) "ok"
    else
        total_failed=$((total_failed + 1))
        failures+=("$name")
        stage__end "$name" $((SECONDS - start)) "FAILED"
    fi
}

# A stage that the rest needs: its failure ends the run.
stage_need() { # name, function
    local failed=$total_failed
    stage_check "$@"
    if ((total_failed > failed)); then
        stage_summary
    fi
}

# Sums the "test result:" lines of cargo's test binaries: "PASSED FAILED".
stage__count_cargo() { # log
    awk '/^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i == "passed;") passed += $(i - 1)
            if ($i == "failed;") failed += $(i - 1)
        }
    } END { print passed + 0, failed + 0 }' "$1"
}

# The names of the tests that failed in cargo's test binaries.
stage__failed_cargo() { # log
    sed -nE 's/^test (.+) \.\.\. FAILED$/\1/p' "$1"
}

# Reads the last line "N passed, N failed": "PASSED FAILED", or nothing.
stage__count_script() { # log
    sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$1" | tail -n 1
}

stage__run() { # name, counting function, command...
    local name=$1 count=$2 start=$SECONDS status=0 counts passed failed
    local log=$work/$name.log
    shift 2
    echo "-- $name"
    "$@" 2>&1 | tee "$log" || status=$?
    counts=$("$count" "$log")
    read -r passed failed <<<"${counts:-0 0}"
    # A stage that fails to compile or dies has not counted its failure itself,
    # and one in which nothing ran proves nothing.
    if ((failed == 0)) && { ((status != 0)) || ((passed == 0)); }; then
        echo "$name: status $status, $passed passed: counted as a failure"
        failed=1
    fi
    if ((failed > 0)); then
        failures+=("$name")
        mapfile -t -O "${#failures[@]}" failures < <(stage__failed_cargo "$log")
    fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    stage__end "$name" $((SECONDS - start)) "$passed passed, $failed failed"
}

# A stage of cargo's test binaries.
stage_tests() { # name, command...
    local name=$1
    shift
    stage__run "$name" stage__count_cargo "$@"
}

# A stage that ends with its own "N passed, N failed".
stage_script() { # name, command...
    local name=$1
    shift
    stage__run "$name" stage__count_script "$@"
}

# Prints what failed and the sum, and ends the run with its status.
stage_summary() {
    if ((${#failures[@]} > 0)); then
        printf 'FAILED: %s\n' "${failures[@]}"
    fi
    echo "== all: $((SECONDS - begun))s"
    echo "$total_passed passed, $total_failed failed"
    exit $((total_failed > 0))
}

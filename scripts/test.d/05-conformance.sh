#!/usr/bin/env bash
# The behaviours of the stores by backend, from what the tests of this run said.
set -euo pipefail

log=${CYPROB_TESTS_LOG:?scripts/test names the log of its tests}
awk '
    # "Running unittests src/lib.rs (.../cyprob_core-0123)" begins a crate,
    # "Running tests/conformance_sqlite.rs (...)" a suite.
    /^ +Running unittests src\/lib\.rs/ { crate = $NF; sub(/.*\//, "", crate); sub(/-[0-9a-f]+\)$/, "", crate) }
    /^ +(Running|Doc-tests) / {
        suite = $2 == "tests/conformance.rs" || $2 ~ /^tests\/conformance_(memory|sqlite|postgres)\.rs$/
        backend = $2
        gsub(/^tests\/conformance_?|\.rs$/, "", backend)
    }
    suite && /^test .* \.\.\. / {
        name = $2
        on = backend
        if (match(name, /^over_[a-z]+::/)) {
            on = substr(name, 6, RLENGTH - 7)
            name = substr(name, RLENGTH + 1)
        }
        row = crate " " name
        if (!(row in known)) { known[row] = 1; rows[++count] = row }
        said[row, on] = $NF
    }
    END {
        split("memory sqlite postgres", backends, " ")
        printf "%-14s %-84s %8s %8s %8s\n", "crate", "behaviour", backends[1], backends[2], backends[3]
        for (r = 1; r <= count; r++) {
            split(rows[r], part, " ")
            printf "%-14s %-84s", part[1], part[2]
            whole = 1
            for (b = 1; b <= 3; b++) {
                cell = (rows[r], backends[b]) in said ? said[rows[r], backends[b]] : "missing"
                whole = whole && cell == "ok"
                printf " %8s", cell
            }
            printf "\n"
            if (whole) passed++; else failed++
        }
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0 || passed == 0
    }
' "$log"

#!/usr/bin/env bash
# Runs the tests that the options for cargo select, all of them even when one fails, and closes with counts.
#
#   packaging/test.sh [--core] OPTIONS
#
# --core leaves out every test with `postgres` in its path: those need a PostgreSQL server.
set -euo pipefail
cd "$(dirname "$0")/.."

core=false
if [ "${1:-}" = --core ]; then
    core=true
    shift
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

run() { "$@" 2>&1 | tee -a "$log" || status=$?; }

around=()
if ! $core; then
    # Built with the tests, so that it is the same code with the same features; the tests start it from there.
    cargo build --locked "$@" --all-targets || exit
    target=$(realpath "${CARGO_TARGET_DIR:-target}")
    export TAGWARDEN_BIN=$target/debug/tagwarden
    # nextest runs each test in a process of its own: one PostgreSQL server for them all.
    around=("$target/debug/with-postgres")
fi
if cargo nextest --version >/dev/null 2>&1; then
    options=(--no-fail-fast --status-level pass --final-status-level slow --color never)
    if $core; then options+=(-E 'not test(/postgres/)'); fi
    run "${around[@]}" cargo nextest run --locked "$@" "${options[@]}"
    # It leaves out the examples in documentation.
    if ! $core; then run cargo test --locked "$@" --doc --no-fail-fast --color never; fi
else
    options=()
    if $core; then options+=(--skip postgres); fi
    run "${around[@]}" cargo test --locked "$@" --no-fail-fast --color never -- "${options[@]}"
fi

# Lines of nextest: `PASS [ 0.01s] crate::binary test`. Lines of cargo: `Running tests/tidy.rs (…)` or `Doc-tests crate`,
# then `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
awk '
    /^ *(Running|Doc-tests) / { place = $1 == "Running" ? $NF : "documentation of " $2; sub(/.*\//, "", place); sub(/-[0-9a-f]+\)$/, "", place) }
    /^test result: / {
        passed[place] += $4; failed[place] += $6; ignored += $8
        all_passed += $4; all_failed += $6; left_out += $12
    }
    /^ *(PASS|SLOW|LEAK|FLAKY) \[/ && !/SLOW \[> / { sub(/\[ */, "["); sub(/^ *[A-Z]+ \[[^]]*\] *(\([^)]*\))? */, ""); passed[$1]++; all_passed++ }
    /^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK-FAIL) \[/ { sub(/\[ */, "["); sub(/^ *[A-Z-]+ \[[^]]*\] *(\([^)]*\))? */, ""); if (!(($1 " " $2) in seen)) { seen[$1 " " $2] = 1; failed[$1]++; all_failed++ } }
    /^ *Summary \[/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^skipped/) ignored += $i }
    END {
        print ""
        for (place in passed) places[place]
        for (place in failed) places[place]
        for (place in places) if (passed[place] + failed[place] > 0) printf "%6d passed %3d failed  %s\n", passed[place], failed[place], place | "sort -k5"
        close("sort -k5")
        printf "%6d passed %3d failed  in all; %d not run", all_passed, all_failed, ignored + left_out
        if (ignored + left_out) printf " (the long ones of make soak and make bench%s)", core == "true" ? ", and those that need PostgreSQL" : ""
        print ""
        if (all_passed + all_failed == 0) { print "no test ran: the build failed, or the selection is empty"; exit 1 }
    }
' core=$core "$log" || status=1
exit "$status"

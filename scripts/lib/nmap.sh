# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# A fresh scan of the servers, in Nmap's own XML.

# Sets CYPROB_NMAP_XML, and the ports by which the tests find the services.
nmap_scan() {
    local ports=$ssh_port,$http_port,$https_port,$redis_port,$postgres_port port
    export CYPROB_NMAP_XML=$work/scan.xml
    (servers__as_user nmap -n -Pn -sT -sV -p "$ports" \
        --script ssh2-enum-algos,ssl-enum-ciphers,ssl-cert,http-headers,http-server-header,http-title,redis-info,banner \
        -oX - 127.0.0.1) >"$CYPROB_NMAP_XML" 2>"$work/nmap.log" || {
        cat "$work/nmap.log" >&2
        return 1
    }
    for port in ${ports//,/ }; do
        if ! grep -q "portid=\"$port\"><state state=\"open\"" "$CYPROB_NMAP_XML"; then
            echo "nmap did not find port $port open" >&2
            return 1
        fi
    done
    export CYPROB_NMAP_SSH_PORT=$ssh_port CYPROB_NMAP_HTTP_PORT=$http_port
    export CYPROB_NMAP_HTTPS_PORT=$https_port CYPROB_NMAP_REDIS_PORT=$redis_port
    export CYPROB_NMAP_POSTGRES_PORT=$postgres_port
}

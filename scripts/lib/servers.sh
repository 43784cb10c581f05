# shellcheck shell=bash
# shellcheck disable=SC2154 # what other parts of scripts/test set
# Servers on loopback for the full run: sshd, nginx with TLS, redis, PostgreSQL,
# and the sources of secrets of secret_servers.sh.
#
# Each runs in the foreground of its own process, as an unprivileged user, in a
# temporary directory, and is ended by its own process id.

servers_pids=()
servers_dir=
ssh_port='' http_port='' https_port='' redis_port='' postgres_port=''

# Runs a command as an unprivileged user; its process id is the command's.
servers__as_user() {
    if ((EUID == 0)); then
        exec setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all \
            env -i PATH="$PATH" HOME="$servers_dir" LC_ALL=C "$@"
    fi
    exec env -i PATH="$PATH" HOME="$servers_dir" LC_ALL=C "$@"
}

servers__answers() { # port
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets the named variable to a port on which nobody answers.
servers__free_port() { # variable
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        [[ " $ssh_port $http_port $https_port $redis_port $postgres_port " == *" $port "* ]] && continue
        servers__answers "$port" || break
    done
    printf -v "$1" '%s' "$port"
}

# Starts a server and waits until it answers on its port, at most 20 seconds.
servers__launch() { # name, port, command...
    local name=$1 port=$2 pid
    shift 2
    (servers__as_user "$@") >"$work/$name.log" 2>&1 &
    pid=$!
    servers_pids+=("$pid")
    for _ in {1..200}; do
        if ! kill -0 "$pid" 2>/dev/null; then
            break
        fi
        if servers__answers "$port"; then
            echo "$name: 127.0.0.1:$port, process $pid"
            return 0
        fi
        sleep 0.1
    done
    echo "$name did not come up on port $port:" >&2
    servers__show_log "$name"
    return 1
}

# The end of a server's log, without what opens it.
servers__show_log() { # name
    tail -n 20 "$work/$1.log" | sed -E 's/^((Unseal Key|Root Token)[^:]*):.*/\1: (not shown)/' >&2
}

servers__ssh() {
    servers__free_port ssh_port
    (servers__as_user ssh-keygen -q -t ed25519 -N '' -f "$servers_dir/ssh_host_key") || return 1
    cat >"$servers_dir/sshd_config" <<CONFIG
ListenAddress 127.0.0.1
Port $ssh_port
HostKey $servers_dir/ssh_host_key
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
CONFIG
    servers__launch sshd "$ssh_port" /usr/sbin/sshd -D -e -f "$servers_dir/sshd_config"
}

servers__nginx() {
    servers__free_port http_port
    servers__free_port https_port
    (servers__as_user openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=scan.example \
        -addext subjectAltName=DNS:scan.example,DNS:localhost,IP:127.0.0.1 \
        -keyout "$servers_dir/tls.key" -out "$servers_dir/tls.crt" 2>"$work/openssl.log") || {
        cat "$work/openssl.log" >&2
        return 1
    }
    mkdir "$servers_dir/html"
    echo '<html><head><title>cyprob scan target</title></head></html>' >"$servers_dir/html/index.html"
    chmod -R a+rX "$servers_dir/html"
    cat >"$servers_dir/nginx.conf" <<CONFIG
daemon off;
worker_processes 1;
pid $servers_dir/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $servers_dir/nginx-body;
    proxy_temp_path $servers_dir/nginx-proxy;
    fastcgi_temp_path $servers_dir/nginx-fastcgi;
    uwsgi_temp_path $servers_dir/nginx-uwsgi;
    scgi_temp_path $servers_dir/nginx-scgi;
    root $servers_dir/html;
    default_type text/html;
    server { listen 127.0.0.1:$http_port; }
    server {
        listen 127.0.0.1:$https_port ssl;
        ssl_certificate $servers_dir/tls.crt;
        ssl_certificate_key $servers_dir/tls.key;
        ssl_protocols TLSv1.2 TLSv1.3;
    }
}
CONFIG
    servers__launch nginx "$https_port" /usr/sbin/nginx -e stderr -c "$servers_dir/nginx.conf"
}

servers__redis() {
    servers__free_port redis_port
    servers__launch redis "$redis_port" /usr/bin/redis-server --bind 127.0.0.1 \
        --port "$redis_port" --save '' --appendonly no --dir "$servers_dir"
}

servers__postgres() {
    local bin
    bin=$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -n 1)
    servers__free_port postgres_port
    (servers__as_user "${bin%/*}/initdb" -D "$servers_dir/postgres" -U cyprob \
        --auth=trust --no-sync --encoding=UTF8) >"$work/initdb.log" 2>&1 || {
        tail -n 20 "$work/initdb.log" >&2
        return 1
    }
    # Users that are lent to a test sign in by their password; all others need none.
    (servers__as_user sed -i '1i host all +cyprob_lent 127.0.0.1/32 scram-sha-256' \
        "$servers_dir/postgres/pg_hba.conf") || return 1
    servers__launch postgres "$postgres_port" "$bin" -D "$servers_dir/postgres" \
        -c listen_addresses=127.0.0.1 -c port="$postgres_port" \
        -c unix_socket_directories= -c fsync=off -c max_connections=300 || return 1
    export CYPROB_POSTGRES=postgres://cyprob@127.0.0.1:$postgres_port/postgres
}

servers_start() {
    # Beside $work, which others may not enter.
    servers_dir=$(mktemp -d "${TMPDIR:-/tmp}/cyprob-servers.XXXXXX") || return 1
    if ((EUID == 0)); then
        chown nobody:nogroup "$servers_dir" || return 1
    fi
    servers__ssh && servers__nginx && servers__redis && servers__postgres && servers__secret_sources
}

# Ends every server by its process id; one that does not end within 5 s is killed.
servers_stop() {
    local pid
    for pid in "${servers_pids[@]}"; do
        # PostgreSQL's fast shutdown; for the others an orderly end too.
        kill -INT "$pid" 2>/dev/null || true
    done
    for pid in "${servers_pids[@]}"; do
        for _ in {1..50}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    servers_pids=()
    if [[ -n $servers_dir ]]; then
        rm -rf "$servers_dir"
    fi
}

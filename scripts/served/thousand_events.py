#!/usr/bin/env python3
"""Makes a log of at least 1,000 events through HTTP, by a server that is then ended.

    thousand_events.py CYPROB DIR

Leaves DIR/data (the server's), DIR/log (a link to the organization's log),
DIR/vkey, DIR/proof and DIR/entry. Uses nothing but the standard library.
"""

import base64
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

EVENTS = 1000
INDEX = 613
CLIENTS = 8
PASSWORD = "a pass phrase for this test"


class Client:
    """One kept connection."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.at, timeout=60)

    def send(self, method, path, want, token=None, body=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = "Bearer " + token
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != want:
            sys.exit(f"{method} {path}: {answer.status} {content!r}")
        return content

    def json(self, *args, **kwargs):
        return json.loads(self.send(*args, **kwargs))


def start(cyprob, data):
    server = subprocess.Popen(
        [cyprob, "serve", "--data", data, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in server.stdout:
        if line.startswith("listening on "):
            return server, line.split()[-1]
    sys.exit("the server does not start")


def main():
    cyprob, directory = sys.argv[1:]
    data = os.path.join(directory, "data")
    server, url = start(cyprob, data)
    try:
        drive(url, data, directory)
    finally:
        server.send_signal(signal.SIGINT)
        status = server.wait(timeout=60)
    if status != 0:
        sys.exit(f"the server ended with status {status}")


def drive(url, data, directory):
    client = Client(url)
    with open(os.path.join(data, "bootstrap-token"), encoding="ascii") as file:
        token = file.read().strip()
    made = client.json("POST", "/api/v1/bootstrap", 201, body={
        "token": token, "email": "ada@example.com", "password": PASSWORD, "name": "Ada",
        "org": {"slug": "acme", "name": "Acme"}})
    org = made["org"]["id"]
    login = {"email": "ada@example.com", "password": PASSWORD}
    token = client.json("POST", "/api/v1/auth/login", 200, body=login)["access_token"]
    path = "/api/v1/orgs/acme"

    def load(number):
        mine = Client(url)
        for n in range(EVENTS // CLIENTS):
            if n % 2:
                mine.send("PATCH", path, 200, token, {"name": f"Name {number}-{n}"})
            else:
                email = f"p{number}-{n}@example.com"
                mine.send("POST", path + "/invitations", 201, token, {"email": email, "role": "viewer"})

    threads = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(100):
        size = int(client.send("GET", path + "/audit/checkpoint", 200, token).split(b"\n")[1])
        if size >= EVENTS:
            break
        time.sleep(0.1)
    else:
        sys.exit(f"the log has {size} entries")
    for name in ("proof", "entry"):
        content = client.send("GET", f"{path}/audit/{INDEX}/{name}", 200, token)
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
    lines = client.send("GET", path + "/audit/export?format=jsonl", 200, token).splitlines()
    if len(lines) < EVENTS or json.loads(lines[INDEX])["index"] != INDEX:
        sys.exit(f"the export has {len(lines)} lines")

    # One key signs every log of a deployment, each under its own name.
    known = client.json("GET", "/.well-known/cyprob", 200)["audit"]
    key = base64.b64decode(known["deployment"]["vkey"].split("+", 2)[2])
    origin = known["org_origin_prefix"] + org
    digest = hashlib.sha256(origin.encode() + b"\n" + key).hexdigest()[:8]
    with open(os.path.join(directory, "vkey"), "w", encoding="ascii") as file:
        file.write(f"{origin}+{digest}+{base64.b64encode(key).decode()}")
    os.symlink(os.path.join(data, "audit", org), os.path.join(directory, "log"))
    print(f"a log of {size} events, made by {CLIENTS} clients through HTTP")


main()

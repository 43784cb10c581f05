#!/usr/bin/env python3
"""Makes a log of at least 1,000 events through HTTP, by a server that is then ended.

    thousand_events.py CYPROB DIR

Leaves DIR/data (the server's), DIR/log (a link to the organization's log),
DIR/vkey, DIR/proof and DIR/entry. Uses nothing but the standard library.
"""

import base64
import hashlib
import json
import os
import sys
import threading
import time

from server import Client, found, serving

EVENTS = 1000
INDEX = 613
CLIENTS = 8

def main():
    cyprob, directory = sys.argv[1:]
    data = os.path.join(directory, "data")
    with serving(cyprob, data) as url:
        drive(url, data, directory)


def drive(url, data, directory):
    client = Client(url)
    org, token = found(client, data)
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
        # Until its first events are published, a second or so after they were made, there is none.
        status, head = client.ask("GET", path + "/audit/checkpoint", token)
        size = int(head.split(b"\n")[1]) if status == 200 else 0
        if size >= EVENTS:
            break
        time.sleep(0.1)
    else:
        sys.exit(f"the log has {size} entries: {status} {head!r}")
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

"""A server on loopback and a client of it, with nothing but the standard library."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.parse

PASSWORD = "a pass phrase for this test"


class Client:
    """One kept connection."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.at, timeout=60)

    def ask(self, method, path, token=None, body=None):
        """The status and the content."""
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = "Bearer " + token
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def send(self, method, path, want, token=None, body=None):
        status, content = self.ask(method, path, token, body)
        if status != want:
            sys.exit(f"{method} {path}: {status} {content!r}")
        return content

    def json(self, *args, **kwargs):
        return json.loads(self.send(*args, **kwargs))


@contextlib.contextmanager
def serving(cyprob, data):
    """Serves a data directory; gives where. The server must end well."""
    server = subprocess.Popen(
        [cyprob, "serve", "--data", data, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in server.stdout:
            if line.startswith("listening on "):
                yield line.split()[-1]
                break
        else:
            sys.exit("the server does not start")
    finally:
        server.send_signal(signal.SIGINT)
        status = server.wait(timeout=60)
    if status != 0:
        sys.exit(f"the server ended with status {status}")


def found(client, data):
    """Makes the administrator, who owns acme; gives the organization's id and a token for it."""
    with open(os.path.join(data, "bootstrap-token"), encoding="ascii") as file:
        token = file.read().strip()
    made = client.json("POST", "/api/v1/bootstrap", 201, body={
        "token": token, "email": "ada@example.com", "password": PASSWORD, "name": "Ada",
        "org": {"slug": "acme", "name": "Acme"}})
    login = {"email": "ada@example.com", "password": PASSWORD}
    answer = client.json("POST", "/api/v1/auth/login", 200, body=login)
    return made["org"]["id"], answer["access_token"]

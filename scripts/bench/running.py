"""A stack that runs: its platform through the router, its key, its containers."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import urllib.parse

from bench import REPOSITORY

STATE = pathlib.Path(os.environ.get("XDG_STATE_HOME", pathlib.Path.home() / ".local/state"))
TEMPLATE = REPOSITORY / "templates/app/App/config"


def running_arguments(parser):
    parser.add_argument("--url", default="http://127.0.0.1:8800", help="where the stack's router answers (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="what was found as one JSON document")
    parser.add_argument("--user", type=int, default=1337, help="the test user that asks (default %(default)s)")


class Running:
    """The stack whose router answers at an address of this machine."""

    def __init__(self, url):
        self.port = urllib.parse.urlsplit(url).port or 80
        self.host = f"platform.altinn.localhost:{self.port}"
        home = pathlib.Path(os.environ.get("ALTINN_LOCAL_HOME", STATE / "altinn-local"))
        self.name, self.credentials = None, {}
        for ports in home.glob("stacks/*/ports.json"):
            if json.loads(ports.read_text("utf-8")).get("router") == self.port:
                self.folder, self.name = ports.parent, ports.parent.name
                self.credentials = json.loads((ports.parent / "credentials.json").read_text("utf-8"))
        if self.name is None:
            sys.exit(f"error: no stack of {home} has its router at port {self.port}\n  hint: `altinn-local status` tells the addresses; name one with --url")

    def connect(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, token=None, body=None, kind="application/json", connection=None):
        """One answer, read whole: its status and its text."""
        headers = {"Host": self.host}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = kind
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        own = connection or self.connect()
        own.request(method, path, body.encode() if isinstance(body, str) else body, headers)
        answer = own.getresponse()
        text = answer.read().decode("utf-8", "replace")
        if connection is None:
            own.close()
        return answer.status, text

    def need(self, method, path, token=None, body=None, **more):
        """The text of an answer that must be good."""
        status, text = self.ask(method, path, token, body, **more)
        if not 200 <= status < 300:
            sys.exit(f"error: {method} {path} answered {status}: {text[:300]}")
        return text

    def user(self, number):
        return self.need("GET", f"/Home/GetTestUserToken/{number}")

    def issue(self, claims):
        """A token with these claims; what Designer publishes with says `urn:altinn:app` `studio.designer`."""
        return self.need("POST", "/platform/local/tokens", self.credentials["servicesKey"], claims)

    def register(self, app, types):
        """An app that is nowhere deployed: its data types, and the policy that new apps have."""
        org, name = app.split("/")
        designer = self.issue({"urn:altinn:app": "studio.designer"})
        metadata = {"id": app, "org": org, "title": {"nb": name}, "dataTypes": types}
        self.need("POST", f"/storage/api/v1/applications?appId={app}", designer, metadata)
        policy = (TEMPLATE / "authorization/policy.xml").read_text("utf-8").replace("__ORG__", org).replace("__APP__", name)
        path = f"/authorization/api/v1/policies?org={org}&app={name}"
        self.need("POST", path, designer, policy, kind="application/xml")

    def instance(self, app, token, values, connection=None):
        """A new instance of the token's own party, in its first task: its id, `party/guid`."""
        answer = self.need("POST", f"/storage/api/v1/instances?appId={app}", token, new_instance(token, values), connection=connection)
        return json.loads(answer)["id"]

    def container(self, name):
        return f"altinn-{self.name}-{name}"

    def in_containers(self):
        """Whether the services run there, and not in the agent."""
        return self.container("storage") in docker("ps", "--format", "{{.Names}}").split()

    def inspect(self, name, form):
        return docker("inspect", "-f", form, self.container(name)).strip()

    def sql(self, database, text):
        """The rows of a statement, as text; columns apart by a tab."""
        return docker("exec", "-i", self.container("postgres"), "psql", "-U", "postgres", "-d", database, "-qAtF\t", "-v", "ON_ERROR_STOP=1", stdin=text).splitlines()


def new_instance(token, values):
    party = str(claims_of(token)["urn:altinn:partyid"])
    task = {"elementId": "Task_1", "altinnTaskType": "data", "flow": 2}
    return {"instanceOwner": {"partyId": party}, "dataValues": values, "process": {"startEvent": "StartEvent_1", "currentTask": task}}


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def docker(*arguments, stdin=None):
    done = subprocess.run(["docker", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: `docker {arguments[0]}` failed: {done.stderr.strip()[-500:]}")
    return done.stdout


class Engine(http.client.HTTPConnection):
    """The container engine's own interface, for what its command tells only slowly."""

    def __init__(self):
        super().__init__("localhost", timeout=30)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))

    def cpu_seconds(self, container):
        self.request("GET", f"/containers/{container}/stats?stream=false&one-shot=true")
        return json.loads(self.getresponse().read())["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9


def memory(pid):
    """A process's memory in MiB: resident, the part of it that is the program's file, and the highest so far."""
    with contextlib.suppress(OSError):
        found = dict(re.findall(r"^(VmRSS|RssFile|VmHWM):\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text("utf-8"), re.M))
        if found:
            return {"rss": int(found["VmRSS"]) / 1024, "file": int(found["RssFile"]) / 1024, "peak": int(found["VmHWM"]) / 1024}
    sys.exit(f"error: process {pid} is not among this machine's\n  hint: containers must run on this machine itself, not in a virtual one")


def load_average():
    return pathlib.Path("/proc/loadavg").read_text("utf-8").split()[0]

"""The pipeline of a stack that runs, as its clients have it, and apps in its Gitea."""

import base64
import http.client
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

from bench import say

HOME = pathlib.Path(os.environ.get("XDG_STATE_HOME", pathlib.Path.home() / ".local/state")) / "altinn-local"
ORG = "ttd"


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Piped:
    """A stack's pipeline, Gitea and apps; every call on a connection of its own, so that threads may share it."""

    def __init__(self, stack):
        self.stack = stack
        own = stack.environment.get("ALTINN_LOCAL_HOME")
        self.folder = (pathlib.Path(own, "state") if own else HOME) / "stacks" / stack.name
        self.lock = pathlib.Path(own or HOME, "run", f"{stack.name}.lock")
        self.credentials = json.loads((self.folder / "credentials.json").read_text("utf-8"))
        self.read_ports()
        self.token = self.gitea("POST", f"/users/{self.credentials['giteaAdmin']}/tokens", {"name": f"bench-{secrets.token_hex(4)}", "scopes": ["all"]})["sha1"]

    def read_ports(self):
        ports = json.loads((self.folder / "ports.json").read_text("utf-8"))
        self.agent, self.router = ports["agent"], ports["router"]

    @property
    def process(self):
        return int(self.lock.read_text("utf-8"))

    @staticmethod
    def send(port, method, path, body=None, headers=None, timeout=60):
        """One answer: its status, and its document or text."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text

    def ask(self, method, path, body=None):
        """Below `_apis/build`, with the pipeline's token."""
        return self.send(self.agent, method, f"/_apis/build{path}", body, {"Authorization": basic("", self.credentials["pipelineToken"])})

    def need(self, method, path, body=None):
        status, told = self.ask(method, path, body)
        if not 200 <= status < 300:
            sys.exit(f"error: {method} {path} answered {status}: {told}")
        return told

    def gitea(self, method, path, body=None):
        headers = {"Authorization": basic(self.credentials["giteaAdmin"], self.credentials["giteaAdminPassword"])}
        status, told = self.send(self.router, method, f"/repos/api/v1{path}", body, headers)
        if not 200 <= status < 300:
            sys.exit(f"error: Gitea answered {method} {path} with {status}: {told}")
        return told

    def news(self, body, signature, event="push"):
        """What Gitea tells of a push."""
        headers = {"Host": f"pipeline.studio.localhost:{self.router}", "X-Gitea-Event": event, "X-Gitea-Signature": signature}
        return self.send(self.router, "POST", "/hooks/gitea", body, headers)

    def parameters(self, app, **more):
        return {"APP_OWNER": ORG, "APP_REPO": app, "APP_DEPLOY_TOKEN": self.token, "GITEA_ENVIRONMENT": f"studio.localhost:{self.router}/repos", **more}

    def queue(self, definition, app, **more):
        """Queues a run as Designer does: status, document, and the milliseconds that it took."""
        body = {"definition": {"id": definition}, "parameters": json.dumps(self.parameters(app, **more))}
        began = time.monotonic()
        status, told = self.ask("POST", "/builds?api-version=5.1", body)
        return status, told, (time.monotonic() - began) * 1000

    def run(self, number):
        return self.need("GET", f"/builds/{number}")

    def ended(self, number, latest=300.0):
        end = time.monotonic() + latest
        while time.monotonic() < end:
            run = self.run(number)
            if run["status"] == "completed":
                return run
            time.sleep(0.05)
        sys.exit(f"error: run {number} did not end within {latest:.0f} s")

    def steps(self, number):
        """The milliseconds of each task, by name."""
        records = self.need("GET", f"/builds/{number}/timeline")["records"]
        done = [record for record in records if record["type"] == "Task" and record["startTime"]]
        return {record["name"]: (moment(record["finishTime"]) - moment(record["startTime"])) * 1000 for record in done}


def moment(text):
    """Seconds of a time with seven digits of fraction."""
    whole, fraction = text.rstrip("Z").split(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction}")


class Repository:
    """An app of Gitea: made from the template, gone afterwards."""

    def __init__(self, piped):
        self.piped = piped
        self.name = f"bench-{secrets.token_hex(2)}"
        self.folder = tempfile.TemporaryDirectory(prefix="altinn-bench-")
        self.tree = pathlib.Path(self.folder.name) / self.name
        subprocess.run([piped.stack.program, "app", "new", f"{ORG}/{self.name}", self.tree], check=True, stdout=subprocess.DEVNULL)
        piped.gitea("POST", f"/orgs/{ORG}/repos", {"name": self.name, "default_branch": "master"})
        keys = piped.credentials
        self.git("remote", "add", "gitea", f"http://{keys['giteaAdmin']}:{keys['giteaAdminPassword']}@127.0.0.1:{piped.router}/repos/{ORG}/{self.name}.git")
        self.push()

    def git(self, *words):
        own = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        done = subprocess.run([*own, *words], cwd=self.tree, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"error: `git {words[0]}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def push(self):
        self.git("push", "-q", "gitea", "HEAD:master")
        return self.git("rev-parse", "HEAD")

    def empty(self, count):
        """Commits that change nothing but their number: what they build is in the builder's cache."""
        for number in range(count):
            self.git("commit", "-q", "--allow-empty", "-m", f"app: nothing, number {number}")
        return self.git("rev-list", "-n", str(count), "HEAD").split()

    def say(self, text):
        """A commit in which `/health` says something else: it must be compiled."""
        file = self.tree / "App/Startup.cs"
        marker = 'MapGet("/health", context => context.Response.WriteAsync("'
        before, _, rest = file.read_text("utf-8").partition(marker)
        file.write_text(before + marker + text + rest[rest.index('"'):], "utf-8")
        self.git("commit", "-qam", f"app: say {text}")
        return self.git("rev-parse", "HEAD")

    @property
    def url(self):
        return f"http://{ORG}.apps.altinn.localhost:{self.piped.router}/{ORG}/{self.name}/health"

    def gone(self):
        status, told, _ = self.piped.queue(618, self.name, APP_ENVIRONMENT="local")
        if status == 200:
            self.piped.ended(told["id"])
        else:
            say(f"{self.name} stays deployed: {told}")
        self.piped.gitea("DELETE", f"/repos/{ORG}/{self.name}")
        self.folder.cleanup()

"""The official client for Python, as it comes: it finds its resources by discovery and asks for versions in `Accept`."""

import base64
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

PIPELINE, TOKEN = os.environ["PIPELINE_URL"], os.environ["PIPELINE_TOKEN"]
GITEA, USER, PASSWORD = (os.environ[f"GITEA_{name}"] for name in ("URL", "USER", "PASSWORD"))
ORG, PROJECT = "ttd", "altinn-studio"
PATIENCE = 300.0  # seconds: real builds, on a machine that others use too

# The client keeps what it discovered for a day, for another stack perhaps.
CACHE = tempfile.TemporaryDirectory(prefix="altinn-clients-")
os.environ["AZURE_DEVOPS_CACHE_DIR"] = CACHE.name

from azure.devops.connection import Connection  # noqa: E402
from azure.devops.exceptions import AzureDevOpsServiceError  # noqa: E402
from msrest.authentication import BasicAuthentication  # noqa: E402
from msrest.exceptions import ClientException  # noqa: E402


def ask_gitea(method, path, body=None):
    request = urllib.request.Request(f"{GITEA}/api/v1{path}", method=method, data=body and json.dumps(body).encode())
    request.add_header("Authorization", "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def until(what, find):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = find()
        if found is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {PATIENCE:.0f} s")


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.name = f"clients-{secrets.token_hex(2)}"
        cls.folder = tempfile.TemporaryDirectory(prefix="altinn-clients-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.tree = pathlib.Path(cls.folder.name) / cls.name
        made = [os.environ["ALTINN_LOCAL"], "app", "new", f"{ORG}/{cls.name}", cls.tree]
        subprocess.run(made, check=True, capture_output=True)
        ask_gitea("POST", f"/orgs/{ORG}/repos", {"name": cls.name, "default_branch": "master"})
        cls.addClassCleanup(ask_gitea, "DELETE", f"/repos/{ORG}/{cls.name}")
        address = urllib.parse.urlsplit(GITEA)
        cls.git("remote", "add", "gitea", f"http://{USER}:{PASSWORD}@{address.netloc}{address.path}/{ORG}/{cls.name}.git")
        cls.git("push", "-q", "gitea", "HEAD:master")
        token = {"name": f"clients-{secrets.token_hex(4)}", "scopes": ["all"]}
        cls.key = ask_gitea("POST", f"/users/{USER}/tokens", token)["sha1"]
        cls.builds = cls.connect(TOKEN)

    @classmethod
    def git(cls, *words):
        own = ["git", "-c", "user.name=clients", "-c", "user.email=clients@example.com"]
        done = subprocess.run([*own, *words], cwd=cls.tree, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    @staticmethod
    def connect(token, base=PIPELINE):
        return Connection(base_url=base, creds=BasicAuthentication("", token)).clients.get_build_client()

    @classmethod
    def say(cls, text):
        """A commit that must be compiled; tells its digits."""
        file = cls.tree / "App/Startup.cs"
        file.write_text(f"{file.read_text('utf-8')}// {text}\n", "utf-8")
        cls.git("commit", "-qam", text)
        cls.git("push", "-q", "gitea", "HEAD:master")
        return cls.git("rev-parse", "HEAD")

    def order(self, tag, **more):
        told = {"APP_OWNER": ORG, "APP_REPO": self.name, "APP_COMMIT_ID": self.git("rev-parse", "HEAD"), "TAGNAME": tag,
                "APP_DEPLOY_TOKEN": self.key, "GITEA_ENVIRONMENT": f"studio.localhost:{urllib.parse.urlsplit(GITEA).port}/repos"}
        return {"definition": {"id": 683}, "parameters": json.dumps(told | more)}

    def ended(self, number):
        def look():
            build = self.builds.get_build(PROJECT, number)
            return build if build.status == "completed" else None
        return until(f"the end of build {number}", look)

    def refused(self, key, *words):
        case = self

        class Refused:
            def __enter__(self):
                self.raised = case.assertRaises(AzureDevOpsServiceError)
                self.error = self.raised.__enter__()

            def __exit__(self, *raised):
                fine = self.raised.__exit__(*raised)
                case.assertEqual(self.error.exception.type_key, key)
                for word in words:
                    case.assertIn(word, self.error.exception.message)
                return fine

        return Refused()

    def test_a_build_of_a_commit_from_its_queue_to_its_logs(self):
        commit = self.say("by the client for Python")
        queued = self.builds.queue_build(self.order("1.0.0"), PROJECT)
        self.assertEqual((queued.definition.id, queued.source_version), (683, commit))
        build = self.ended(queued.id)
        self.assertEqual(build.result, "succeeded", [one.message for one in build.validation_results])
        self.assertTrue(build.queue_time <= build.start_time < build.finish_time)
        timeline = self.builds.get_build_timeline(PROJECT, queued.id)
        tasks = [record for record in timeline.records if record.type == "Task"]
        self.assertEqual([task.name for task in tasks], ["Clone", "Build image", "Push image"])
        self.assertEqual({(task.state, task.result) for task in tasks}, {("completed", "succeeded")})
        logs = self.builds.get_build_logs(PROJECT, queued.id)
        self.assertEqual([log.id for log in logs], [task.log.id for task in tasks])
        for log in logs:
            lines = self.builds.get_build_log_lines(PROJECT, queued.id, log.id)
            self.assertEqual(len(lines), log.line_count)
            text = b"".join(self.builds.get_build_log(PROJECT, queued.id, log.id)).decode()
            self.assertEqual(text.rstrip("\n").split("\n"), lines)
            one = self.builds.get_build_log_lines(PROJECT, queued.id, log.id, start_line=1, end_line=1)
            self.assertEqual(one, lines[:1])
        first = self.builds.get_build_log_lines(PROJECT, queued.id, logs[0].id)
        self.assertTrue(any(commit[:8] in line for line in first), first)

    def test_lists_are_filtered(self):
        done = self.ended(self.builds.queue_build(self.order("2.0.0"), PROJECT).id)

        def numbers(**filters):
            # Pushes start builds of their own meanwhile, of another definition.
            return [build.id for build in self.builds.get_builds(PROJECT, **({"definitions": [683]} | filters))]

        everything = numbers()
        self.assertEqual(everything, sorted(everything, reverse=True))
        self.assertEqual(numbers(top=1), [done.id])
        self.assertEqual(numbers(build_ids=[done.id]), [done.id])
        self.assertEqual(numbers(build_number=str(done.id)), [done.id])
        self.assertEqual(numbers(definitions=[618], build_ids=[done.id]), [])
        self.assertEqual(numbers(definitions=[683, 5], build_ids=[done.id]), [done.id])
        self.assertEqual(numbers(status_filter="inProgress", build_ids=[done.id]), [])
        self.assertEqual(numbers(status_filter="completed,inProgress", build_ids=[done.id]), [done.id])
        self.assertEqual(numbers(result_filter="succeeded", build_ids=[done.id]), [done.id])
        self.assertEqual(numbers(result_filter="failed", build_ids=[done.id]), [])
        self.assertIn(done.id, numbers(min_time=done.queue_time))
        self.assertEqual(numbers(query_order="queueTimeAscending"), everything[::-1])
        with self.refused("InvalidRequestException", "statusFilter"):
            numbers(status_filter="asleep")

    def test_a_build_that_waits_and_one_that_is_carried_out_are_cancelled_and_deleted(self):
        self.say("to be given up")
        running = self.builds.queue_build(self.order("3.0.0"), PROJECT).id
        waiting = self.builds.queue_build(self.order("3.0.1"), PROJECT).id

        def builds_now():
            records = self.builds.get_build_timeline(PROJECT, running).records
            return next((one for one in records if one.name == "Build image" and one.state == "inProgress"), None)

        until("the build task", builds_now)
        given = self.builds.update_build({"status": "cancelling"}, PROJECT, waiting)
        self.assertEqual((given.status, given.result), ("completed", "canceled"))
        with self.refused("InvalidBuildException", "cancel it first"):
            self.builds.delete_build(PROJECT, running)
        self.assertIn(self.builds.update_build({"status": "cancelling"}, PROJECT, running).status, ("cancelling", "completed"))
        self.assertEqual(self.ended(running).result, "canceled")
        for number in (running, waiting):
            self.builds.delete_build(PROJECT, number)
            with self.refused("BuildNotFoundException", str(number)):
                self.builds.get_build(PROJECT, number)

    def test_what_is_wrong_has_a_message_and_a_key(self):
        invalid = "BuildRequestValidationFailedException"
        with self.refused("BuildNotFoundException", "2000000000"):
            self.builds.get_build(PROJECT, 2_000_000_000)
        with self.refused("BuildNotFoundException"):
            self.builds.update_build({"status": "cancelling"}, PROJECT, 2_000_000_000)
        with self.refused("InvalidRequestException", "9999"):
            self.builds.queue_build({"definition": {"id": 9999}, "parameters": "{}"}, PROJECT)
        with self.refused(invalid, "APP_OWNER", "APP_DEPLOY_TOKEN", "GITEA_ENVIRONMENT"):
            self.builds.queue_build({"definition": {"id": 683}, "parameters": "{}"}, PROJECT)
        with self.refused(invalid, "APP_ENVIRONMENT", "mars", "local"):
            self.builds.queue_build(self.order("1.0.0", APP_ENVIRONMENT="mars") | {"definition": {"id": 618}}, PROJECT)
        with self.refused(invalid, "TAGNAME"):
            self.builds.queue_build(self.order("no tag"), PROJECT)

    def test_a_wrong_token_opens_nothing(self):
        with self.assertRaises(ClientException) as raised:
            self.connect(TOKEN + "x").get_builds(PROJECT)
        self.assertRegex(str(raised.exception), "401|token")

    def test_a_collection_in_front_changes_nothing(self):
        builds = self.connect(TOKEN, f"{PIPELINE}/TTD-Collection").get_builds(PROJECT, top=1)
        self.assertEqual(len(builds), 1)
        self.assertIn("/TTD-Collection/", builds[0].url)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2, warnings="ignore"))

"""What the benchmarks share: a stack of their own, and numbers as a table."""

import contextlib
import http.client
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
APP = "ttd/bench"
LATEST = 120.0  # seconds until a save counts as lost
DATA = pathlib.Path(os.environ.get("XDG_DATA_HOME", pathlib.Path.home() / ".local/share"))


def say(text):
    print(text, file=sys.stderr, flush=True)


def common_arguments(parser, times):
    parser.add_argument("-n", type=int, default=times, metavar="TIMES", help=f"how often (default {times})")
    parser.add_argument(
        "--program",
        type=pathlib.Path,
        default=REPOSITORY / "target/local/altinn-local",
        help="the altinn-local to measure (default: what `scripts/up` built in this clone)",
    )


class Stack:
    """An app's folder and the stack it runs in."""

    def __init__(self, program, folder, name, environment=None):
        self.program = program.resolve()
        self.folder = folder
        self.name = name
        self.environment = {**os.environ, **(environment or {})}

    def command(self, *arguments):
        # The stack is named last: `kube -- …` is not used here, and every other command takes it anywhere.
        return [str(self.program), *arguments, "--stack", self.name]

    def run(self, *arguments):
        """Runs a command to its end; its last line of JSON."""
        done = subprocess.run(
            self.command(*arguments, "--json"),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"error: `altinn-local {' '.join(arguments)}` failed with {done.returncode}:\n{done.stdout[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def follow(self, *arguments):
        """Starts a command whose lines of JSON are read as they come."""
        return subprocess.Popen(
            self.command(*arguments, "--json"),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )


class Prober(threading.Thread):
    """Asks one address, one request after the other on one connection, as a browser would. `read` makes marks of
    an answer; when each mark was first seen is kept."""

    def __init__(self, url, period, read):
        super().__init__(daemon=True)
        self.url = urllib.parse.urlsplit(url)
        self.path = self.url.path
        self.period = period
        self.read = read
        self.seen = {}  # mark: seconds
        self.slow = 0.0  # the longest answer, in seconds
        self.failures = []  # (seconds, status or error)
        self.answers = 0
        self.ended = threading.Event()

    def run(self):
        connection = None
        while not self.ended.is_set():
            began = time.monotonic()
            try:
                if connection is None:
                    # Not every resolver knows *.localhost, so the name goes into the header alone.
                    connection = http.client.HTTPConnection("127.0.0.1", self.url.port or 80, timeout=30)
                connection.request("GET", self.path, headers={"Host": self.url.netloc})
                answer = connection.getresponse()
                body = answer.read()
                now = time.monotonic()
                self.answers += 1
                self.slow = max(self.slow, now - began)
                if answer.status != 200:
                    self.failures.append((now, answer.status))
                for mark in self.read(answer, body):
                    self.seen.setdefault(mark, now)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append((time.monotonic(), repr(error)))
                connection = None
            time.sleep(max(0.0, self.period - (time.monotonic() - began)))

    def wait(self, mark, latest=LATEST):
        """The moment a mark was first seen."""
        end = time.monotonic() + latest
        while mark not in self.seen:
            if time.monotonic() > end:
                sys.exit(f"error: {mark} was not served within {latest:.0f} s")
            time.sleep(0.002)
        return self.seen[mark]


class Events:
    """The events of a command that is followed."""

    def __init__(self, process):
        self.queue = queue.SimpleQueue()
        threading.Thread(target=self.read, args=(process.stdout,), daemon=True).start()

    def read(self, lines):
        for line in lines:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def until(self, wanted, failing=None):
        """The next event of a type."""
        end = time.monotonic() + 10 * LATEST
        while True:
            try:
                event = self.queue.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                sys.exit(f"error: no `{wanted}` was told in time")
            if event is None or event.get("ok") is False:
                sys.exit(f"error: `altinn-local up` ended: {event}")
            if event["type"] == failing:
                sys.exit(f"error: {json.dumps(event['report'])}")
            if event["type"] == wanted:
                return event

    def so_far(self):
        """All events that came and were not asked for."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.queue.get_nowait())
        return [event for event in found if event]


def replace(path, text):
    """Writes beside the file and renames over it, as an editor does; the moment just before the rename."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text, "utf-8")
    began = time.monotonic()
    os.replace(beside, path)
    return began


@contextlib.contextmanager
def own_stack(program):
    """A new app in a stack that keeps its files apart, and is gone afterwards, with its data."""
    if not program.is_file():
        sys.exit(f"error: there is no `{program}`\n  hint: `scripts/tools/altinn-local` builds it, or name one with --program")
    with tempfile.TemporaryDirectory(prefix="altinn-bench-") as root:
        root = pathlib.Path(root)
        environment = {"ALTINN_LOCAL_HOME": str(root / "home")}
        environment["ALTINN_LOCAL_TOOLS_DIR"] = os.environ.get(
            "ALTINN_LOCAL_TOOLS_DIR", str(DATA / "altinn-local/tools")
        )
        # The name tells two runs apart that happen at once; a stack's name is short.
        stack = Stack(program, root, f"b{os.getpid() % 100000}", environment)
        subprocess.run(
            [stack.program, "app", "new", APP, root / "app"],
            check=True,
            stdout=subprocess.DEVNULL,
            env=stack.environment,
        )
        stack.folder = root / "app"
        try:
            yield stack
        finally:
            stack.run("down", "--volumes", "--yes")


def spread(values):
    """Median, p90, least and most. The p90 is a value that was measured, not one in between."""
    ranked = sorted(values)
    # Nearest rank: the smallest value that nine tenths of all do not exceed.
    p90 = ranked[max(0, -(-len(ranked) * 9 // 10) - 1)]
    return {"median": statistics.median(ranked), "p90": p90, "min": ranked[0], "max": ranked[-1]}


def row(name, values, unit="ms"):
    cells = "  ".join(f"{key} {value:>7.0f}" for key, value in spread(values).items())
    return f"{name:<46}{cells}  {unit}"

"""What the benchmarks share: a stack of their own, and numbers as a table."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
APP = "ttd/bench"
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

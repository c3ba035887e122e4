"""The real programs: a server on a Unix socket, and the client."""

import contextlib
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
# scripts/sanitize tests the programs of another preset, which map more memory than
# any limit allows.
PRESET = os.environ.get("MOEPROBE_PRESET", "release")
IS_SANITIZED = PRESET != "release"
UNLIMITED = ("--worker-memory", "0") if IS_SANITIZED else ()
BUILD = ROOT / "build" / PRESET
PROGRAMS = BUILD / "bin"
SECONDS = 120  # the longest anything here may take


def wait_until(condition, what, seconds=SECONDS, pause=0.01):
    """Polls until `condition()` is true, and returns its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds} s")


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):  # before, or while, it is read
        return False
    return state.split()[0] != "Z"


def memory_bytes(pid):
    """What a process has in memory."""
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptor_count(pid):
    """But for those of the database, which has more readers under load."""
    count = 0
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed just now
            count += "moeprobe.db" not in str(entry.readlink())
    return count


class Server:
    """moeprobe-server; a context manager that leaves nothing behind."""

    def __init__(self, data_dir, model_roots, workers=1, threads=1, options=()):
        """`threads`: of each worker; None: as many as the server chooses."""
        self.data_dir = pathlib.Path(data_dir)
        self.sockets = tempfile.mkdtemp(prefix="moeprobe-")
        self.address = f"unix:{self.sockets}/moeprobe.sock"
        self.command = [
            PROGRAMS / "moeprobe-server",
            *("--data-dir", data_dir),
            *(a for root in model_roots for a in ("--model-root", root)),
            *("--listen", self.address),
            *("--workers", str(workers)),
            *(("--threads", str(threads)) if threads else ()),
            *(options if "--worker-memory" in options else (*options, *UNLIMITED)),
        ]
        self.process = None
        self.start()

    def environment(self):
        """What the program is started with."""
        return  # what this process has

    def start(self):
        """Starts it (again) and waits for the line that says it is ready."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "stderr.txt").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline() if ready else "nothing"
        assert line == f"listening on {self.address}\n", f"{line!r}; {self.log()}"
        self.addresses = [self.address]
        for _ in range(self.command.count("--listen") - 1):
            line = self.process.stdout.readline()
            self.addresses.append(line.removeprefix("listening on ").strip())

    def admin(self, *arguments):
        """Runs `moeprobe-server user ...` or the like; returns its output."""
        command = [PROGRAMS / "moeprobe-server", *map(str, arguments)]
        command += ["--data-dir", self.data_dir]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def add_user(self, name, *options):
        """Returns the token of a new user."""
        added = self.admin("user", "add", name, *options)
        assert added.returncode == 0, added.stderr
        return added.stdout.strip()

    def log(self):
        return (self.data_dir / "stderr.txt").read_text(errors="replace")[-2000:]

    def workers(self):
        """Process ids of the workers that live."""
        pid = self.process.pid
        threads = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
        pids = []
        for path in threads:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                pids += map(int, path.read_text().split())
        return [p for p in pids if is_alive(p)]

    def memory_bytes(self):
        return memory_bytes(self.process.pid)

    def descriptor_count(self):
        return descriptor_count(self.process.pid)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            workers = self.workers()
            self.kill()
            for pid in workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.expect_no_report()

    def expect_no_report(self):
        """Of a sanitizer: a worker that ends by one is only a worker that ended."""
        log = self.data_dir / "stderr.txt"
        text = log.read_text(errors="replace") if log.exists() else ""
        report = re.search(r"(ERROR: \w+Sanitizer|runtime error): .*", text)
        assert report is None, report[0]


@contextlib.contextmanager
def worker_by_hand(server, *options):
    """A worker of a server that starts none itself."""
    command = [
        *(PROGRAMS / "moeprobe-worker", "--threads", "1"),
        *("--server", f"unix:{server.data_dir}/worker.sock", *options),
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Client:
    """moeprobe-client, talking to one server."""

    def __init__(self, address, folder):
        self.folder = pathlib.Path(folder)
        self.environment = os.environ | {
            "MOEPROBE_SERVER": address,
            "MOEPROBE_SETTINGS": str(self.folder / "no-settings.yaml"),
        }

    def start(self, *arguments, **options):
        return subprocess.Popen(
            [PROGRAMS / "moeprobe-client", *map(str, arguments)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments):
        """Returns exit status, stdout and stderr."""
        process = self.start(*arguments)
        try:
            out, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        return process.returncode, out, errors

    def ok(self, *arguments):
        """Returns stdout of a command that has to succeed."""
        status, out, errors = self.run(*arguments)
        assert status == 0, f"{arguments}: exit status {status}: {errors}"
        return out

    def write_request(self, request):
        """Returns the path of a YAML file: JSON is YAML, too."""
        path = self.folder / f"request-{len(list(self.folder.iterdir()))}.yaml"
        content = request if isinstance(request, str) else json.dumps(request)
        path.write_text(content)
        return path

    def submit(self, request, *options):
        """Returns the id of the new job."""
        out = self.ok("submit", self.write_request(request), *options)
        return out.splitlines()[0]

    def fetch(self, job):
        """Returns the folder with a job's result files."""
        out = self.folder / f"result-{len(list(self.folder.iterdir()))}"
        self.ok("fetch", job, "--out", out)
        return out

    def analyze(self, request):
        """Runs a job to its end and returns its arrays by name."""
        folder = self.fetch(self.submit(request, "--wait"))
        with np.load(folder / "arrays.npz") as arrays:
            return dict(arrays)

"""Servers that somebody starts again when they die, and calls that insist."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import grpc
from service import PROGRAMS, SECONDS, Server

# A channel waits longer each time before it connects again, and would wait out
# many lives of a server. The least backoff is none: it bounds how long a connection
# may take.
RECONNECT_SOON = [
    (f"grpc.{which}_reconnect_backoff_ms", 100) for which in ("initial", "max")
]

# All that may be in the data directory of a server that has ended.
EXPECTED_FILES = re.compile(
    r"lock|moeprobe\.db|moeprobe\.db\.schema\d+|audit\.log|stderr\.txt"
    r"|blobs/[0-9a-f]{64}"
    r"|hidden_states/(lock|[0-9a-f]{64}-\d+)"
    r"|trained/[0-9a-f]{16}/lock"
    r"|trained/[0-9a-f]{16}/step-\d+/(config\.json|(model|training)\.safetensors)"
)


class SupervisedServer(Server):
    """Is started again when it ends, as systemd does.

    `first`: what is in the environment of its first process alone, and `later`:
    its options from the second on.
    """

    def __init__(self, data_dir, model_roots, first=(), later=None, **options):
        self.first = dict(first)
        self.later = later
        self.deaths = 0
        self.is_stopping = threading.Event()
        self.is_given_up = threading.Event()
        self.is_starting = threading.Lock()  # held meanwhile
        super().__init__(data_dir, model_roots, **options)
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)
        self.supervisor.start()

    def environment(self):
        """That of the next process."""
        return os.environ | self.first

    def start(self):
        if not self.starts():
            self.start_again()

    def starts(self):
        """Whether it lived until it was ready."""
        try:
            super().start()
        except AssertionError:
            if self.process.wait(SECONDS) != -signal.SIGKILL:
                raise
            return False
        return True

    def start_again(self):
        self.first = {}
        if self.later is not None:
            self.command, self.later = self.later(self.command), None
        self.deaths += 1
        while not self.starts():
            self.deaths += 1

    def supervise(self):
        while True:
            was_killed = self.process.wait() == -signal.SIGKILL
            if self.is_given_up.is_set():
                return
            if self.is_stopping.is_set() and not was_killed:
                return
            with self.is_starting:
                self.start_again()
            if self.is_stopping.is_set():
                self.terminate()

    def terminate(self):
        """Asks it to end; it is started again unless that is over."""
        # What has not begun to catch signals would die of this one.
        with self.is_starting, contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Ends it for good, in good order, and returns its exit status."""
        self.is_stopping.set()
        self.terminate()
        self.supervisor.join(SECONDS)
        return self.process.wait(SECONDS)

    def __exit__(self, *_):
        self.is_given_up.set()
        super().__exit__()
        self.supervisor.join(SECONDS)


# What calls end with where the server ends, by itself or killed.
NOBODY_IS_THERE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def insist(call, seconds=SECONDS):
    """Calls until there is an answer other than that nobody is there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() not in NOBODY_IS_THERE:
                raise
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def run(arguments, environment=()):
    """Returns exit status and all output of a command of moeprobe-server's."""
    done = subprocess.run(
        [PROGRAMS / "moeprobe-server", *map(str, arguments)],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def run_until_it_works(arguments, environment, mend=None):
    """Runs a command again until its exit status is 0, and returns its output.

    Only the first process has `environment`. `mend` is shown what a process said
    that failed, and may return what is as good.
    """
    deadline = time.monotonic() + SECONDS
    while True:
        status, said = run(arguments, environment)
        if status == 0:
            return said
        assert time.monotonic() < deadline, f"{arguments}: {said}"
        if status > 0 and mend is not None and (other := mend(said)):
            return other
        environment = {}
        time.sleep(0.02)


def check_data_directory(folder):
    """Nothing is damaged, and nothing is left of those that died."""
    folder = pathlib.Path(folder)
    status, findings = run(("doctor", "--data-dir", folder))
    assert status == 0, findings
    # The sockets of one that was killed give way to those of the next.
    files = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.is_dir() and not path.is_socket()
    ]
    left = [path for path in files if not EXPECTED_FILES.fullmatch(path)]
    assert not left, left
    assert not list(folder.glob("scratch/*"))

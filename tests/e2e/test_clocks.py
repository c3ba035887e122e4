"""Servers and workers on a machine whose time is set while they work.

A preloaded library moves the time of day that they see, as `date -s` does, and
leaves the monotonic clock alone (tests/testing/moved_clock.cc).
"""

import contextlib
import os
import pathlib
import signal
import struct
import time
import uuid

import grpc
import pytest
from google.protobuf import json_format
from service import PROGRAMS, Client, Server, wait_until
from test_jobs import array_bytes, wait_for_first_layer, wait_for_success
from test_operations import metrics_after_jobs
from test_train_jobs import Trainer, train_spec

LIBRARY = PROGRAMS / "moved_clock.so"
HOUR = 3600
YEAR = 365 * 24 * HOUR
JUMPS = {
    "an-hour-forward": HOUR,
    "an-hour-back": -HOUR,
    "to-2100": int(4102444800 - time.time()),
    "to-1970": int(HOUR - time.time()),
}
# No job here takes so long on any machine, and every jump is longer.
LONG = 1800

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built")


class Clock:
    """The time of day of one server and its workers."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "clock"
        self.path.write_bytes(struct.pack("q", 0))

    def move(self, seconds):
        """Makes it so much later than it is."""
        with self.path.open("r+b") as file:  # in place: programs have mapped it
            file.write(struct.pack("q", seconds))


class ClockServer(Server):
    """A server that goes by a clock of its own."""

    def __init__(self, clock, *arguments, **options):
        self.clock = clock
        super().__init__(*arguments, **options)

    def environment(self):
        return os.environ | {
            "LD_PRELOAD": str(LIBRARY),
            "MOEPROBE_MOVED_CLOCK": str(self.clock.path),
        }


class Machine:
    """A server on a machine whose clock is moved, and who calls it."""

    def __init__(self, folder, model_roots, make_client, make_api):
        self.clock = Clock(folder)
        self.folder = folder
        self.model_roots = model_roots
        self.make_client = make_client
        self.make_api = make_api

    def start(self, *options, workers=1):
        self.server = ClockServer(
            self.clock,
            self.folder / "data",
            self.model_roots,
            workers=workers,
            options=options,
        )
        self.connect()

    def connect(self):
        self.client = self.make_client(self.server)
        self.api = self.make_api(self.server.address)

    def recent_seconds(self):
        """What each user had of the workers."""
        api = self.make_api(f"unix:{self.server.data_dir}/admin.sock")
        page = api.users.ListUsers(api.messages("user_service").ListUsersRequest())
        return [user.recent_seconds for user in page.users]

    def end_well(self):
        assert all(0 <= seconds < LONG for seconds in self.recent_seconds())
        assert self.server.stop() == 0
        assert self.server.admin("doctor").returncode == 0


@pytest.fixture
def machine(tmp_path, model_roots, make_client, api_stubs):
    one = Machine(tmp_path, model_roots, make_client, api_stubs)
    yield one
    one.server.__exit__()


@pytest.fixture(scope="module")
def request_of_layers(long_request):
    """A job of a second or so on a machine that is not busy."""
    return long_request | {"data": long_request["data"] | {"tokens": 50 * 128}}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, model_roots, request_of_layers):
    """The arrays of that job where nobody touches the clock."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with Server(folder / "data", model_roots) as server:
        client = Client(server.address, folder)
        return array_bytes(client, client.submit(request_of_layers, "--wait"))


def create(api, request_id, spec):
    job = api.messages("job").Job()
    json_format.ParseDict(spec, job.train)
    request = api.messages("job_service").CreateJobRequest(
        job=job, request_id=request_id
    )
    return api.jobs.CreateJob(request, timeout=30).name


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_jobs_do_not_notice(
    machine, undisturbed, request_of_layers, short_request, jump
):
    machine.start(
        *("--metrics", "127.0.0.1:0", "--log-format", "json", "--keep-results", "30m"),
        *("--max-job-time", str(LONG), "--stall-seconds", str(LONG)),
    )
    machine.server.add_user("alice", "--without-token")
    client, api = machine.client, machine.api
    running = client.submit(request_of_layers)
    waiting = client.submit(short_request | {"priority": "low"})
    wait_for_first_layer(api, running)
    machine.clock.move(jump)
    later = client.submit(short_request | {"seed": 1})
    for job in (running, waiting, later):
        wait_for_success(api, job)
        assert api.deaths(job) == 0
        assert "-" not in client.ok("show", job).split("took")[1].splitlines()[0]
    machine.clock.move(0)
    last = client.submit(short_request | {"seed": 2}, "--wait")
    assert array_bytes(client, running) == undisturbed
    # Nobody believes that an hour has passed, or a century.
    for job in (running, waiting, later, last):
        assert not api.job(job).HasField("dropped")
    found = metrics_after_jobs(machine.server, 4)
    assert found['moeprobe_attempt_seconds_sum{end="succeeded"}'] < LONG
    assert found["moeprobe_job_waiting_seconds_sum"] >= 0
    machine.end_well()


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_workers_that_die_or_hang_are_noticed(
    machine, undisturbed, request_of_layers, jump
):
    machine.start("--lease-seconds", "5")
    api = machine.api
    job = machine.client.submit(request_of_layers)
    wait_for_first_layer(api, job)
    (worker,) = machine.server.workers()
    os.kill(worker, signal.SIGSTOP)
    machine.clock.move(jump)
    wait_until(
        lambda: worker not in machine.server.workers(), "a worker that hangs is noticed"
    )
    for pid in wait_until(machine.server.workers, "another worker"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for_success(api, job)
    assert api.deaths(job) >= 1
    assert array_bytes(machine.client, job) == undisturbed


def test_training_goes_on_telling_of_itself(machine):
    machine.start()
    api = machine.api
    Trainer(api).upload()
    spec = train_spec(seeds=[0])
    spec["optimizer"]["steps"] = 1_000_000
    spec["probe"]["every"] = 0
    spec["checkpoint"] = {"every": 100_000}
    request_id = str(uuid.uuid4())
    job = create(api, request_id, spec)

    def fraction():
        return api.job(job).progress.fraction

    def wait_until_it_gets_on():
        before = fraction()
        wait_until(lambda: fraction() > before, "progress")

    wait_until_it_gets_on()
    machine.clock.move(-HOUR)
    for _ in range(3):  # the first may have been told before
        wait_until_it_gets_on()
    assert create(api, request_id, spec) == job
    api.jobs.CancelJob(api.messages("job_service").CancelJobRequest(name=job))
    wait_until(lambda: api.state(job) == "CANCELLED", "its end")


def test_who_was_let_in_for_a_while_is_let_in_again(machine):
    machine.start(workers=0)
    token = machine.server.add_user("alice", "--expires", "1d")
    api = machine.api

    def code():
        request = api.messages("job_service").ListJobsRequest()
        metadata = [("authorization", f"Bearer {token}")]
        try:
            api.jobs.ListJobs(request, metadata=metadata, timeout=10)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    assert code() is grpc.StatusCode.OK
    machine.clock.move(48 * HOUR)
    assert code() is grpc.StatusCode.UNAUTHENTICATED
    machine.clock.move(-YEAR)
    assert code() is grpc.StatusCode.OK
    machine.clock.move(0)
    assert code() is grpc.StatusCode.OK


def test_a_server_that_began_in_2100_leaves_nothing_behind(
    machine, undisturbed, request_of_layers
):
    machine.clock.move(JUMPS["to-2100"])
    machine.start()
    job = machine.client.submit(request_of_layers)
    wait_for_first_layer(machine.api, job)
    machine.server.kill()
    machine.clock.move(0)
    machine.server.start()
    machine.connect()
    wait_for_success(machine.api, job)
    assert array_bytes(machine.client, job) == undisturbed
    machine.end_well()

"""Workers are limited and walled in, and what they do costs an attempt at most."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess

import grpc
import numpy as np
import pytest
from service import PROGRAMS, wait_until, worker_by_hand

GIB = 1 << 30
TINY_WIDTH = 128  # of examples/models/tiny-mixtral
# A fast machine may be through with a job before its model is cut.
MORE_AND_MORE_TOKENS = (51_200, 204_800, 819_200, 3_276_800)


@pytest.fixture
def start(start_server, make_client, api_stubs):
    """Starts a server; returns it, a client of it, and stubs."""

    def start_all(**options):
        server = start_server(**options)
        return server, make_client(server), api_stubs(server.address)

    return start_all


@pytest.fixture
def gaps(common_server):
    """What the kernel lacks, in the words of the log."""
    return (common_server.data_dir / "stderr.txt").read_text()


def skip_without(gaps, what):
    if f"no {what}" in gaps:
        pytest.skip(f"this kernel has no {what}")


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def one_worker(server):
    """The worker of a server, once it has asked for work."""
    return wait_until(server.workers, "a worker")[0]


def idle_worker(server, api):
    """The same once it is as it will be: it asks for work last."""
    info = api.messages("server_service").GetServerInfoRequest()
    wait_until(
        lambda: api.server.GetServerInfo(info, timeout=10).idle_worker_count,
        "an idle worker",
    )
    return one_worker(server)


def test_workers_are_limited(start):
    server, _, api = start(options=("--worker-memory", "1GiB"))
    worker = idle_worker(server, api)
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: GIB,
        resource.RLIMIT_NOFILE: 4096,
        resource.RLIMIT_NPROC: 16384,
        resource.RLIMIT_FSIZE: 64 * GIB,
    }
    for kind, most in limits.items():
        assert all(0 <= x <= most for x in resource.prlimit(worker, kind)), kind
    assert status_of(worker)["NoNewPrivs"] == "1"


def test_workers_can_make_no_sockets_and_have_one(common_server, common_api, gaps):
    skip_without(gaps, "seccomp")
    worker = idle_worker(common_server, common_api)
    assert status_of(worker)["Seccomp"] == "2"
    # Beside those that it may have from whoever started the server.
    own = [x for x in pathlib.Path(f"/proc/{worker}/fd").iterdir() if int(x.name) > 2]
    sockets = [x.name for x in own if str(x.readlink()).startswith("socket:")]
    assert sockets == ["3"]


# In the tokenizer's place: it says what it was told when it connected.
REACHING = """
import errno
import socket
import sys

PATHS = {paths!r}


def attempt(path):
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "connected"


sys.exit(" ".join(attempt(path) for path in PATHS))
"""


def test_workers_reach_no_socket_of_the_server(
    start, model_roots, root, tmp_path, gaps
):
    skip_without(gaps, "seccomp")
    server, client, api = start(workers=0)
    sockets = [server.address.removeprefix("unix:")]
    sockets += [f"{server.data_dir}/{name}.sock" for name in ("admin", "worker")]
    script = tmp_path / "reaching.py"
    script.write_text(REACHING.format(paths=sockets))
    text = {"text": str(root / "examples/texts/jargon.txt"), "sequence_length": 64}
    job = client.submit({"kind": "analyze", "model": "tiny-mixtral", "data": text})
    options = ("--tokenizer-script", script, *access(server, *model_roots))
    with worker_by_hand(server, *options):
        assert client.run("watch", job)[0] != 0
    assert api.job(job).error.message.endswith(": EACCES EACCES EACCES")


def access(server, *roots):
    """Options of a worker that may use the server's folders and model roots."""
    for folder in ("scratch", "hidden_states", "trained"):
        (server.data_dir / folder).mkdir(exist_ok=True)
        yield from ("--writable", str(server.data_dir / folder))
    for folder in (server.data_dir / "blobs", *roots):
        yield from ("--readable", str(folder))


def test_workers_read_their_models_and_nothing_else(
    start, short_request, model_roots, gaps
):
    skip_without(gaps, "Landlock")
    server, client, api = start(workers=0)
    first = client.submit(short_request)
    with worker_by_hand(server, *access(server, model_roots[1])):
        assert client.run("watch", first)[0] != 0
    error = api.job(first).error
    assert error.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert "config.json" in error.message
    second = client.submit(short_request)
    with worker_by_hand(server, *access(server, *model_roots)):
        client.ok("watch", second)


def test_isolation_can_be_required(tmp_path, model_roots, gaps):
    command = [PROGRAMS / "moeprobe-server", "--require-isolation"]
    command += ["--data-dir", tmp_path / "data", "--listen", f"unix:{tmp_path}/s"]
    command += ["--model-root", model_roots[0]]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        lacking = "no Landlock" in gaps or "no seccomp" in gaps
        assert (line == "") == lacking
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert ("workers cannot be isolated" in errors) == lacking


def analysis(tmp_path, tokens):
    """A request for layers of tiny-mixtral on so many tokens."""
    path = tmp_path / f"ids-{tokens}.npy"
    ids = np.random.default_rng(0).integers(0, 1024, tokens).astype(np.int32)
    np.save(path, ids)
    return {
        "kind": "analyze",
        "model": "tiny-mixtral",
        "data": {"ids": str(path), "tokens": tokens, "sequence_length": 128},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }


def has_opened_its_model(api, job):
    """Waits for that; false where the job is through before it says so."""
    return any("layer" in event.progress.phase for event in api.watch(job))


def why_queued_again(api, job):
    """Why the job went back into the queue, each time, once it has ended."""
    queued = api.messages("job").Job.STATE_QUEUED
    events = [x for x in api.watch(job) if x.state == queued and x.HasField("error")]
    return [event.error.message for event in events]


def test_a_checkpoint_that_is_cut_costs_an_attempt(start, root, tmp_path):
    models = tmp_path / "models"
    whole = root / "examples/models/tiny-mixtral"
    shutil.copytree(whole, models / "tiny-mixtral")
    weights = models / "tiny-mixtral/model.safetensors"
    server, client, api = start(roots=[models])
    reasons = []
    for tokens in MORE_AND_MORE_TOKENS:
        job = client.submit(analysis(tmp_path, tokens))
        if not has_opened_its_model(api, job):
            continue
        worker = one_worker(server)
        os.kill(worker, signal.SIGSTOP)
        os.truncate(weights, 4096)
        os.kill(worker, signal.SIGCONT)
        reasons = why_queued_again(api, job)
        if reasons:
            break
        shutil.copy(whole / "model.safetensors", weights)
    assert reasons == [
        "worker was killed by signal 7 (a file that it read was cut short, or its "
        "disk failed)"
    ]
    # What the next attempt finds is no checkpoint.
    assert api.state(job) == "FAILED"
    shutil.copy(whole / "model.safetensors", weights)
    client.submit(analysis(tmp_path, 128), "--wait")


def test_a_job_that_takes_too_much_memory_costs_attempts(start, tmp_path):
    _, client, api = start(options=("--worker-memory", "1GiB"))
    job = client.submit(analysis(tmp_path, GIB // TINY_WIDTH // 4))
    warnings = (event.warning for event in api.watch(job) if event.warning)
    warning = next(w for w in warnings if w.startswith("tried again"))
    assert "out of memory with" in warning
    client.ok("cancel", job)
    client.submit(analysis(tmp_path, 128), "--wait")


def test_info_says_what_keeps_workers_in(start, gaps):
    _, client, _ = start(options=("--worker-memory", "1GiB"))
    told = json.loads(client.ok("info", "--json"))["isolation"]
    assert (told["landlock_version"] == 0) == ("no Landlock" in gaps)
    assert told["are_sockets_forbidden"] == ("no seccomp" not in gaps)
    assert told["max_memory_bytes"] == GIB
    assert told["max_file_bytes"] == 64 * GIB
    assert (told["max_open_file_count"], told["max_process_count"]) == (4096, 16384)
    # Each stands in the log, too.
    assert all(gap in gaps for gap in told["gaps"])
    text = client.ok("info")
    assert "each may take: 1.1 GB of memory" in text
    assert text.count("not kept in: ") == len(told["gaps"])


def test_info_promises_nothing_of_workers_started_by_hand(start):
    _, client, _ = start(workers=0)
    assert json.loads(client.ok("info", "--json"))["isolation"] is None
    assert "that of who starts the workers" in client.ok("info")


def test_limits_that_are_none_are_refused(tmp_path, model_roots):
    command = [PROGRAMS / "moeprobe-server", "--data-dir", tmp_path]
    command += ["--model-root", model_roots[0]]
    for option in (("--worker-memory", "much"), ("--stall-seconds", "0")):
        done = subprocess.run(
            [*command, *option], check=False, capture_output=True, text=True
        )
        assert done.returncode != 0
        assert option[0] in done.stderr

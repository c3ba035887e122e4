"""How soon a server answers, over plain gRPC and a Unix socket.

usage: latency.py [--repetitions N]

submit-to-running: from the CreateJob call to the arrival of the event that the
job runs, with a worker that waits and has run jobs before. cached: a CreateJob
call for a request that was answered before. Needs build/release.
"""

import argparse
import hashlib
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "bench/peers")]

import measurement  # noqa: E402
import service  # noqa: E402
import stubs  # noqa: E402

MODEL = "mixtral"  # of tests/fixtures
VOCABULARY = 128
SEQUENCE_LENGTH = 64


def upload_ids(api, count):
    """Returns the name of a data set of random ids."""
    with tempfile.TemporaryFile() as file:
        ids = np.random.default_rng(0).integers(0, VOCABULARY, count)
        np.save(file, ids.astype(np.int32))
        file.seek(0)
        data = file.read()
    messages = api.messages("dataset_service")
    dataset = messages.Dataset(
        display_name="latency.npy",
        kind=messages.Dataset.KIND_IDS,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )
    parts = [{"dataset": dataset}, {"data": data}]
    return api.datasets.UploadDataset(
        messages.UploadDatasetRequest(**part) for part in parts
    ).name


def request_for(api, ids, windows):
    """A request of its own for each number of windows."""
    job = api.messages("job").Job()
    job.analyze.model = MODEL
    job.analyze.data.add(
        ids=ids, tokens=windows * SEQUENCE_LENGTH, sequence_length=SEQUENCE_LENGTH
    )
    return api.messages("job_service").CreateJobRequest(job=job)


def wait_for_idle_worker(api):
    request = api.messages("server_service").GetServerInfoRequest()
    service.wait_until(
        lambda: api.server.GetServerInfo(request).idle_worker_count, "an idle worker"
    )


def wait_for_state(api, job, state):
    """Follows a job's events until it enters `state`."""
    wanted = api.messages("job").Job.State.Value(f"STATE_{state}")
    for event in api.watch(job):
        if event.state == wanted:
            return
    raise RuntimeError(f"{job} ended without being {state}")


def milliseconds_since(begin):
    return (time.perf_counter() - begin) * 1e3


def submit_to_running(api, request):
    wait_for_idle_worker(api)
    begin = time.perf_counter()
    job = api.jobs.CreateJob(request).name
    wait_for_state(api, job, "RUNNING")
    elapsed = milliseconds_since(begin)
    wait_for_state(api, job, "SUCCEEDED")
    return elapsed


def cached_answer(api, request):
    begin = time.perf_counter()
    job = api.jobs.CreateJob(request)
    elapsed = milliseconds_since(begin)
    if not job.cached or job.state != job.STATE_SUCCEEDED:
        raise RuntimeError(f"{job.name} was not answered from the cache: {job}")
    return elapsed


def measure(api, repetitions):
    ids = upload_ids(api, (repetitions + 1) * SEQUENCE_LENGTH)
    requests = [request_for(api, ids, n + 1) for n in range(repetitions + 1)]
    running = [submit_to_running(api, request) for request in requests]
    cached = [cached_answer(api, request) for request in requests]
    # The first of each is there to warm up.
    return {
        "benchmark": "latency",
        "submit_to_running_ms": statistics.median(running[1:]),
        "submit_to_running_max_ms": max(running[1:]),
        "cached_ms": statistics.median(cached[1:]),
        "cached_max_ms": max(cached[1:]),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=20)
    repetitions = parser.parse_args().repetitions
    with tempfile.TemporaryDirectory() as folder:
        stub_folder = pathlib.Path(folder) / "stubs"
        stub_folder.mkdir()
        stubs.generate(ROOT / "proto", stub_folder)
        with service.Server(
            pathlib.Path(folder) / "data", [ROOT / "tests/fixtures"]
        ) as server:
            figure = measure(stubs.Api(server.address), repetitions)
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()

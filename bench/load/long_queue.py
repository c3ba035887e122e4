"""What a server does that has much to keep: a long queue and many who watch.

usage: long_queue.py [--jobs N] [--watches N] [--lists N]

A real server without workers, over a Unix socket. Queues jobs; lists them, on
first pages and deep ones; holds watches that hear nothing; kills the server with
-9 and waits for its first answer. Needs build/release.
"""

import argparse
import collections
import itertools
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "bench/peers")]

import latency  # noqa: E402
import measurement  # noqa: E402
import serving  # noqa: E402
import stubs  # noqa: E402

# So many calls are on their way at once.
SUBMISSIONS_AT_ONCE = 64
# HTTP/2 allows 100 streams on a connection by default.
WATCHES_PER_CONNECTION = 50
IDLE_SECONDS = 10


def percentile_ms(durations, share):
    ordered = sorted(durations)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3


def submit(api, request, count):
    """Creates `count` jobs, and returns their names."""
    waiting = collections.deque()
    names = []
    for _ in range(count):
        if len(waiting) == SUBMISSIONS_AT_ONCE:
            names.append(waiting.popleft().result().name)
        waiting.append(api.jobs.CreateJob.future(request))
    return names + [call.result().name for call in waiting]


def list_times(api, count):
    """Seconds that `count` pages took, read one after the other from the front."""
    messages = api.messages("job_service")
    token = ""
    times = []
    for _ in range(count):
        request = messages.ListJobsRequest(page_token=token)
        begin = time.perf_counter()
        token = api.jobs.ListJobs(request).next_page_token
        times.append(time.perf_counter() - begin)
    return times


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / 100


def memory_mib(server):
    return server.memory_bytes() / 2**20


def hold_watches(server, jobs, count):
    """What `count` watches of queued jobs cost the server."""
    pid = server.process.pid
    memory, files = memory_mib(server), server.descriptor_count()
    connections = []
    watches = []
    for index, job in zip(range(count), itertools.cycle(jobs)):
        if index % WATCHES_PER_CONNECTION == 0:
            connections.append(stubs.Api(server.address, stubs.OWN_CONNECTION))
        watches.append(connections[-1].watch(job, timeout=None))
    for watch in watches:
        next(watch)  # that the job is queued
    begin = processor_seconds(pid)
    time.sleep(IDLE_SECONDS)
    cost = {
        "watches": count,
        "watches_memory_mib": memory_mib(server) - memory,
        "watches_descriptors": server.descriptor_count() - files,
        "watches_processor_percent": (processor_seconds(pid) - begin)
        / IDLE_SECONDS
        * 100,
    }
    for watch in watches:
        watch.cancel()
    for connection in connections:
        connection.channel.close()
    return cost


def seconds_to_ready(server, job_count):
    """From the start after a kill -9 to the first page of jobs."""
    server.kill()
    begin = time.perf_counter()
    server.start()
    api = stubs.Api(server.address)
    page = api.jobs.ListJobs(api.messages("job_service").ListJobsRequest())
    elapsed = time.perf_counter() - begin
    assert page.jobs[0].name == f"jobs/{job_count}", "an acknowledged job is gone"
    return elapsed


def measure(server, arguments):
    api = stubs.Api(server.address)
    request = latency.request_for(api, latency.upload_ids(api, 64), windows=1)
    begin = time.perf_counter()
    names = submit(api, request, arguments.jobs)
    submitted = time.perf_counter() - begin
    times = list_times(api, arguments.lists)
    figure = {
        "benchmark": "long-queue",
        "jobs": arguments.jobs,
        "submits_per_second": arguments.jobs / submitted,
        "list_median_ms": percentile_ms(times, 0.5),
        "list_p99_ms": percentile_ms(times, 0.99),
    }
    figure |= hold_watches(server, names, arguments.watches)
    figure["ready_seconds"] = seconds_to_ready(server, arguments.jobs)
    return figure


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--watches", type=int, default=1000)
    parser.add_argument("--lists", type=int, default=500)
    arguments = parser.parse_args()
    options = ("--max-queued", "0", "--max-queued-per-user", "0")
    with serving.served(workers=0, options=options) as server:
        figure = measure(server, arguments)
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()

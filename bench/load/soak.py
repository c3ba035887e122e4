"""What many lives of jobs leave in a server and its worker.

usage: soak.py [--seconds S]

A real server with one worker, over a Unix socket. Some clients submit, watch, list,
cancel and delete one job after the other; one has its jobs computed and reads the
results. Memory and descriptors are looked at once a second. Needs build/release.
"""

import argparse
import pathlib
import statistics
import sys
import time
from concurrent import futures

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "bench/peers")]

import latency  # noqa: E402
import lives  # noqa: E402
import measurement  # noqa: E402
import service  # noqa: E402
import serving  # noqa: E402
import stubs  # noqa: E402

# Several: what the allocator keeps for each thread is there early then.
CANCELLING_CLIENTS = 8
CLIENTS = CANCELLING_CLIENTS + 1


def mib(pid):
    return service.memory_bytes(pid) / 2**20


class Samples:
    """Of a server, while it lives."""

    def __init__(self, server):
        self.server = server
        self.worker = server.workers()[0]
        self.taken = {"memory_mib": [], "worker_memory_mib": [], "descriptors": []}

    def take(self):
        server, taken = self.server, self.taken
        taken["memory_mib"].append(mib(server.process.pid))
        taken["worker_memory_mib"].append(mib(self.worker))
        taken["descriptors"].append(server.descriptor_count())

    def summary(self):
        """The last of each, and how it grew from the second tenth of the time to the
        last: medians, since they go up and down all the time."""
        assert self.server.workers() == [self.worker], "the worker died"
        return {
            name: value
            for quantity, samples in self.taken.items()
            for name, value in (
                (f"soak_{quantity}", samples[-1]),
                (f"soak_{quantity}_growth", growth(samples)),
            )
        }


def growth(samples):
    tenth = max(len(samples) // 10, 1)
    early, late = samples[tenth : 2 * tenth] or samples, samples[-tenth:]
    return statistics.median(late) - statistics.median(early)


def soak(server, seconds):
    end = time.monotonic() + seconds

    def goes_on():
        return time.monotonic() < end

    clients = [stubs.Api(server.address, stubs.OWN_CONNECTION) for _ in range(CLIENTS)]
    first = clients[0]
    latency.wait_for_idle_worker(first)
    ids = latency.upload_ids(first, latency.SEQUENCE_LENGTH)
    request = latency.request_for(first, ids, windows=1)
    samples = Samples(server)
    with futures.ThreadPoolExecutor(CLIENTS) as threads:
        cancelled = [
            threads.submit(lives.repeat_while, goes_on, lives.live_once, api, request)
            for api in clients[:CANCELLING_CLIENTS]
        ]
        own = latency.request_for(first, ids, windows=1)
        computed = threads.submit(
            lives.repeat_while, goes_on, lives.compute_once, clients[-1], own
        )
        while goes_on():
            samples.take()
            time.sleep(1)
    for api in clients:
        api.channel.close()
    return {
        "benchmark": "soak",
        "seconds": seconds,
        "soak_jobs": sum(count.result() for count in cancelled),
        "soak_computed": computed.result(),
        **samples.summary(),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1200)
    arguments = parser.parse_args()
    with serving.served() as server:
        figure = soak(server, arguments.seconds)
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()

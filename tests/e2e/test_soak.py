"""Many lives of jobs leave a server as it was.

bench/load/soak.py has a longer run.
"""

import itertools
from concurrent import futures

import lives
import pytest
import service

THREADS = 4
LIVES_TO_WARM_UP = 200
LIVES = 1200
COMPUTED_TO_WARM_UP = 30
COMPUTED = 100
# Of an allocator that keeps what was freed; a life that left 4 kB would show, a
# computed one that left 40.
MAX_GROWTH_BYTES = 4 << 20


@pytest.fixture
def idle_server(start_server):
    return start_server(workers=0)


def request_like(api, name):
    """A request as that of a job."""
    message = api.messages("job_service").CreateJobRequest()
    message.job.analyze.CopyFrom(api.job(name).analyze)
    return message


def live(api, request, count):
    """So many lives, on all threads together."""
    turns = itertools.count()
    with futures.ThreadPoolExecutor(THREADS) as threads:
        counts = [
            threads.submit(
                lives.repeat_while,
                lambda: next(turns) < count,
                lives.live_once,
                api,
                request,
            )
            for _ in range(THREADS)
        ]
    assert sum(lived.result() for lived in counts) == count


class Held:
    """What a process holds now, to be compared with what it holds later."""

    def __init__(self, pid):
        self.pid = pid
        self.memory = service.memory_bytes(pid)
        self.descriptors = service.descriptor_count(pid)

    def check(self):
        service.wait_until(
            lambda: service.descriptor_count(self.pid) <= self.descriptors,
            "open descriptors",
        )
        assert service.memory_bytes(self.pid) - self.memory < MAX_GROWTH_BYTES


def test_lives_leave_neither_memory_nor_descriptors(
    idle_server, api_stubs, make_client, short_request
):
    api = api_stubs(idle_server.address)
    request = request_like(api, make_client(idle_server).submit(short_request))
    live(api, request, LIVES_TO_WARM_UP)
    held = Held(idle_server.process.pid)
    live(api, request, LIVES)
    held.check()


def test_computed_lives_leave_neither_in_server_nor_worker(
    server, api_stubs, make_client, short_request
):
    api = api_stubs(server.address)
    request = request_like(api, make_client(server).submit(short_request))
    request.job.analyze.data[0].tokens = short_request["data"]["sequence_length"]
    workers = server.workers()
    for _ in range(COMPUTED_TO_WARM_UP):
        lives.compute_once(api, request)
    held = [Held(pid) for pid in (server.process.pid, *workers)]
    for _ in range(COMPUTED):
        lives.compute_once(api, request)
    assert server.workers() == workers
    for process in held:
        process.check()

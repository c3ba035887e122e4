"""Many lives of jobs leave a server as it was.

bench/load/soak.py has a longer run, with jobs that are computed.
"""

import itertools
from concurrent import futures

import lives
import pytest
import service

THREADS = 4
LIVES_TO_WARM_UP = 200
LIVES = 1200
# Of an allocator that keeps what was freed; a life that left 4 kB would show.
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


def test_lives_leave_neither_memory_nor_descriptors(
    idle_server, api_stubs, make_client, short_request
):
    api = api_stubs(idle_server.address)
    request = request_like(api, make_client(idle_server).submit(short_request))
    live(api, request, LIVES_TO_WARM_UP)
    memory = idle_server.memory_bytes()
    descriptors = idle_server.descriptor_count()
    live(api, request, LIVES)
    service.wait_until(
        lambda: idle_server.descriptor_count() <= descriptors, "open descriptors"
    )
    assert idle_server.memory_bytes() - memory < MAX_GROWTH_BYTES

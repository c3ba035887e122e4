"""Somebody else at the same server, who has to notice nothing.

Each user of a socket, and each port, has threads of its own. Whoever takes all of
theirs is refused by gRPC, and so are others who use the same ones: so somebody else
comes by another way.
"""

import contextlib
import threading
import time

import grpc
import service

# What may be asked of a server that is given something bad: that it answers others
# within 2 s, on a machine that is busy, and grows by at most 64 MiB.
SECONDS = 2
BYTES = 64 << 20


class Bystander(threading.Thread):
    """Asks good questions on a connection of its own, and looks at the server."""

    def __init__(self, target):
        super().__init__()
        self.target = target
        self.over = threading.Event()
        self.longest = 0
        self.failures = []
        self.largest = self.smallest = target.server.memory_bytes()

    def run(self):
        request = self.target.message(
            "job_service", "ValidateJobRequest", {"job": self.target.analysis()}
        ).SerializeToString()
        with grpc.insecure_channel(self.target.server.addresses[-1]) as channel:
            ask = channel.unary_unary("/moeprobe.v1.JobService/ValidateJob")
            last = False
            while not last:
                last = self.over.is_set()  # one question at least, after the end
                begin = time.monotonic()
                try:
                    ask(request, timeout=10 * SECONDS)
                except grpc.RpcError as error:
                    self.failures.append(error)
                self.longest = max(self.longest, time.monotonic() - begin)
                self.over.wait(0.02)

    def look(self):
        """Notes what the server has in memory until it is over."""
        while not self.over.wait(0.005):
            self.largest = max(self.largest, self.target.server.memory_bytes())


@contextlib.contextmanager
def undisturbed(target, grown_bytes=BYTES):
    """Meanwhile others are answered in time, and the server stays as small."""
    bystander = Bystander(target)
    looker = threading.Thread(target=bystander.look)
    bystander.start()
    looker.start()
    try:
        yield bystander
    finally:
        bystander.over.set()
        bystander.join()
        looker.join()
    assert not bystander.failures, bystander.failures
    if service.IS_SANITIZED:  # which takes time and memory of its own
        return
    assert bystander.longest < SECONDS
    grown = bystander.largest - bystander.smallest
    assert grown < grown_bytes, f"grew by {grown / 2**20:.0f} MiB"

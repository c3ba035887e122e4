"""A worker that says what is wrong: it is refused, and its task goes on."""

import hashlib
import importlib
import io
import os
import pathlib

import grpc
import numpy as np
import pytest
import tables
from target import SECONDS, assert_says, outcome

RATES = {
    **dict.fromkeys(("float32_rate", "bfloat16_rate", "float64_rate"), 1e9),
    **dict.fromkeys(("eigen_rate", "memory_rate", "digest_rate"), 1e9),
    "resting_bytes": 1,
    "threads": 1,
}


class Worker:
    """A worker that holds one task of one layer, and computes nothing."""

    def __init__(self, target):
        self.target = target
        services = importlib.import_module("moeprobe.v1.worker_service_pb2_grpc")
        socket = target.server.data_dir / "worker.sock"
        self.channel = grpc.insecure_channel(f"unix:{socket}")
        self.service = services.WorkerServiceStub(self.channel)
        job = target.analysis()
        job["analyze"] |= {"layers": {"layers": [0]}, "probes": {"routing": {}}}
        target.create(job)
        claim = target.message(
            "worker_service", "ClaimTaskRequest", {"worker_pid": os.getpid()}
        )
        self.task = self.service.ClaimTask(claim, timeout=SECONDS).task
        self.held = {"job": self.task.job, "attempt": self.task.attempt}

    def say(self, method, name, fields):
        message = self.target.message("worker_service", name, fields)
        return outcome(lambda: getattr(self.service, method)(message, timeout=SECONDS))

    def claim(self, rates):
        fields = {"worker_pid": os.getpid() + 1, "rates": RATES | rates}
        return self.say("ClaimTask", "ClaimTaskRequest", fields)

    def report(self, changes):
        fields = self.held | {"progress": {"phase": "test", "fraction": 0.5}}
        return self.say(
            "ReportTask", "ReportTaskRequest", tables.change(fields, changes)
        )

    def store_tokens(self, changes, file):
        scratch = self.task.scratch_directory
        path = pathlib.Path(scratch, "ids.npy")
        path.write_bytes(file)
        fields = self.held | {
            "text_sha256": "0" * 64,
            "tokenizer_sha256": "1" * 64,
            "ids_path": str(path),
        }
        for name, value in changes.items():
            fields[name] = (
                value.replace("{scratch}", scratch) if name == "ids_path" else value
            )
        try:
            return self.say("StoreTokens", "StoreTokensRequest", fields)
        finally:
            path.unlink()

    def finish(self, changes):
        return self.say(
            "FinishTask", "FinishTaskRequest", tables.change(self.held.copy(), changes)
        )

    def publish(self, case):
        """Publishes the layer with what a case changes."""
        npy = npy_of(np.array([1.0, 2.0]))
        info = {
            "name": "layer0/routing/numbers",
            "probe": "routing",
            "data_type": "DATA_TYPE_FLOAT64",
            "shape": [2],
        }
        if "npy" in case:
            npy = tables.content(case["npy"])
        info |= {"sha256": hashlib.sha256(npy).hexdigest(), "size_bytes": len(npy)}
        info |= tables.written_out(case.get("array", {}))
        layer = self.held | {
            "weights_fingerprint": "of a test",
            "data_fingerprint": "2" * 64,
            "array_count": 1,
        }
        parts = {
            "layer": {"layer": layer | case.get("set", {})},
            "array": {"chunk": {"info": info}},
            "bytes": {"chunk": {}},
            "empty": {},
        }
        messages = []
        for part in case.get("order", ["layer", "array"]):
            message = self.target.message(
                "worker_service", "PublishLayerRequest", parts[part]
            )
            if "chunk" in parts[part]:
                message.chunk.data = npy
            messages.append(message)
        publish = self.service.PublishLayer
        return outcome(lambda: publish(iter(messages), timeout=SECONDS))


def npy_of(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.fixture(scope="module")
def worker(target):
    """Its task outlives all cases: the lease is longer than they take."""
    worker = Worker(target)
    assert worker.report({}) == ("OK", "")
    target.note_state()
    yield worker
    # What was refused left the task as it was.
    assert worker.publish({}) == ("OK", "")
    assert worker.finish({}) == ("OK", "")
    assert target.api.state(worker.task.job) == "SUCCEEDED"


def check(found, case):
    assert_says(found, case.get("code", "INVALID_ARGUMENT"), tables.words(case))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("float32_rate", value) for value in (0, -1, 0.5, "NaN", "Infinity", 1e300)),
        *((name, 0) for name in RATES if name != "resting_bytes"),
        *(("resting_bytes", value) for value in (-1, 2**63 - 1, -(2**63))),
        *(("threads", value) for value in (-1, 2**31 - 1)),
    ],
)
def test_a_machine_that_cannot_be_is_refused(worker, unharmed, name, value):
    words = ["rates", "found", "expected"]
    assert_says(worker.claim({name: value}), "INVALID_ARGUMENT", words)


@pytest.mark.parametrize("case", tables.cases("worker", "report"))
def test_a_wrong_report_is_refused(worker, unharmed, case):
    check(worker.report(case["set"]), case)
    assert worker.report({}) == ("OK", "")


@pytest.mark.parametrize("case", tables.cases("worker", "tokens"))
def test_tokens_that_are_none_are_refused(worker, unharmed, case):
    check(worker.store_tokens(case["set"], tables.content(case.get("file", "x"))), case)
    assert worker.report({}) == ("OK", "")


@pytest.mark.parametrize("case", tables.cases("worker", "publish"))
def test_a_wrong_layer_is_refused(worker, unharmed, case):
    check(worker.publish(case), case)
    assert worker.report({}) == ("OK", "")


@pytest.mark.parametrize("case", tables.cases("worker", "finish"))
def test_a_wrong_end_is_refused(worker, unharmed, case):
    check(worker.finish(case["set"]), case)
    assert worker.report({}) == ("OK", "")

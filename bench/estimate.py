"""How close the estimate before a run comes to what is measured.

usage: estimate.py MODEL TOKENS [--precision P]

MODEL is a model directory. Two jobs on different tokens run one after the other
on a server that has never seen the model: the first is estimated from the
formulas and the measured rates alone, the second also from how long the first
one took. Needs build/release.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import threading
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

import service  # noqa: E402
import stubs  # noqa: E402

SAMPLING_SECONDS = 0.005


class MemoryWatch:
    """Follows the anonymous memory of a process."""

    def __init__(self, pid):
        self.path = pathlib.Path(f"/proc/{pid}/status")
        self.peak_bytes = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._follow)

    def _follow(self):
        while not self.stop.wait(SAMPLING_SECONDS):
            line = next(
                text
                for text in self.path.read_text().splitlines()
                if text.startswith("RssAnon:")
            )
            self.peak_bytes = max(self.peak_bytes, int(line.split()[1]) * 1024)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def write_ids(folder, vocabulary, tokens, seed):
    path = folder / f"ids-{seed}.npy"
    ids = np.random.default_rng(seed).integers(0, vocabulary, tokens)
    np.save(path, ids.astype(np.int32))
    return path


def measure(client, api, worker, request):
    """Returns estimate and measurement of a job, in the same terms."""
    with MemoryWatch(worker) as memory:
        begin = time.perf_counter()
        job = api.job(client.submit(request, "--wait"))
        seconds = time.perf_counter() - begin
    return {
        "estimated_seconds": job.estimated_seconds,
        "seconds": seconds,
        "estimated_bytes": estimated_bytes(api, job),
        "peak_anonymous_bytes": memory.peak_bytes,
    }


def estimated_bytes(api, job):
    """Memory that a job like this one is estimated at which the cache lacks."""
    body = api.messages("job").Job(analyze=job.analyze)
    body.analyze.data[0].skip_first = 1
    answer = api.jobs.ValidateJob(
        api.messages("job_service").ValidateJobRequest(job=body)
    )
    return answer.estimate.peak_memory_bytes


def error(estimated, measured):
    return abs(estimated / measured - 1)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("tokens", type=int)
    parser.add_argument("--precision", default="float32")
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "stubs").mkdir()
        stubs.generate(ROOT / "proto", folder / "stubs")
        with service.Server(folder / "data", [model.parent], threads=2) as server:
            client = service.Client(server.address, folder)
            api = stubs.Api(server.address)
            [worker] = server.workers()
            runs = []
            for seed in range(2):
                ids = write_ids(folder, vocabulary, arguments.tokens, seed)
                request = {
                    "kind": "analyze",
                    "model": model.name,
                    "precision": arguments.precision,
                    "data": {"ids": str(ids), "tokens": arguments.tokens},
                }
                runs.append(measure(client, api, worker, request))
    first, second = runs
    figure = second | {
        "benchmark": "estimate",
        "first": first,
        "first_error": error(first["estimated_seconds"], first["seconds"]),
        "seconds_error": error(second["estimated_seconds"], second["seconds"]),
        "memory_error": error(first["estimated_bytes"], first["peak_anonymous_bytes"]),
    }
    print(json.dumps(figure))


if __name__ == "__main__":
    main()

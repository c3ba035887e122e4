"""How soon a finished job is a page that a reader sees, by the Python package.

usage: report_time.py MODEL [--repetitions N]

The job: every expert and layer of MODEL, a checkpoint with 60 experts in 24
layers. fetch: every array, verified, in a process that is running. write: the
report of what was fetched. draw: from opening the page in headless Chromium until
the figures in its first window are there. Needs build/release, the package in
.venv, and chromium.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

import moeprobe
import numpy as np
from moeprobe.report import write_report

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDERS = ("tests/e2e", "tests/python", "bench/peers")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

import browser  # noqa: E402
import measurement  # noqa: E402
import service  # noqa: E402

VOCABULARY = 32000
TOKENS = 2048
# Whether all figures near the first window are drawn.
DRAWN = """plots.filter((p) => p.getBoundingClientRect().top < innerHeight + 600)
.every((p) => p.querySelector(".main-svg"))"""


def request_for(model):
    ids = np.random.default_rng(0).integers(0, VOCABULARY, TOKENS).astype(np.int32)
    return {
        "model": model,
        "data": {"ids": ids, "sequence_length": 128},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }


def median_seconds(work, repetitions):
    """Median of calls after one to warm up, and what the last one returned."""
    work()
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        made = work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times), made


def draw_seconds(page):
    """What the page itself says, in a browser that just started."""
    milliseconds, _ = browser.ask(page, DRAWN, "performance.now()", height=900)
    return milliseconds / 1e3


def measure(job, folder, repetitions):
    fetch, result = median_seconds(lambda: job.result(wait=False), repetitions)
    page = folder / "report.html"
    write, _ = median_seconds(lambda: write_report([result], page), repetitions)
    draw = statistics.median(draw_seconds(page) for _ in range(repetitions))
    return {
        "benchmark": "report",
        "arrays": len(result.arrays),
        "array_bytes": sum(array.nbytes for array in result.arrays.values()),
        "page_bytes": page.stat().st_size,
        "fetch_seconds": fetch,
        "write_seconds": write,
        "draw_seconds": draw,
        "total_seconds": fetch + write + draw,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    model = arguments.model.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with (
            service.Server(folder / "data", [model.parent], threads=None) as server,
            moeprobe.Client(server.address) as client,
        ):
            job = client.submit(request_for(model.name)).wait()
            figure = measure(job, folder, arguments.repetitions)
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()

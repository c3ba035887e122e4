"""How soon a finished job is a page that a reader sees, by the Python package.

usage: report_time.py MODEL [--repetitions N]

The job: every expert and layer of MODEL, a checkpoint with 60 experts in 24
layers. fetch: every array, verified, in a process that is running. write: the
report of what was fetched. draw: from opening the page in headless Chromium until
the figures in its first window are there. Needs build/release, the package in
.venv, and chromium.
"""

import argparse
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import moeprobe
import numpy as np
from moeprobe.report import write_report

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "bench/peers")]

import measurement  # noqa: E402
import service  # noqa: E402

VOCABULARY = 32000
TOKENS = 2048
# Says, on the console, when the figures near the window are drawn.
STOPWATCH = """
<script>
const near = plots.filter((p) => p.getBoundingClientRect().top < innerHeight + 600);
const wait = () => {
  if (near.every((p) => p.querySelector(".main-svg"))) {
    console.log(`drawn after ${performance.now()} ms`);
  } else {
    setTimeout(wait, 1);
  }
};
wait();
</script>
"""


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
    timed = page.with_name("timed.html")
    timed.write_text(page.read_text().replace("</body>", f"{STOPWATCH}</body>"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                   "--window-size=1200,900", "--remote-debugging-port=0",
                   "--enable-logging=stderr", f"--user-data-dir={profile}",
                   timed.as_uri()]  # fmt: skip
        browser = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        found = (re.search(r"drawn after ([\d.]+) ms", line) for line in browser.stderr)
        milliseconds = next(float(match[1]) for match in found if match)
        os.killpg(browser.pid, signal.SIGKILL)
        browser.communicate()
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

"""How peers measure: as moeprobe-bench does, and in the same words."""

import contextlib
import json
import os
import pathlib
import statistics
import threading
import time

SAMPLING_PERIOD_SECONDS = 0.005


def seconds(work):
    """How long one call of `work` takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median_seconds(repetitions, work):
    """Median time of calls of `work`, after one to warm up."""
    work()
    return statistics.median(seconds(work) for _ in range(repetitions))


def number_after(key, path):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0


def drop_page_cache():
    """Empties the kernel's page cache; needs root."""
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


@contextlib.contextmanager
def watch_memory(figure):
    """Adds peaks of memory, and bytes read from disk, to `figure`."""
    stop = threading.Event()
    peak = 0
    read_before = number_after("read_bytes", "/proc/self/io")

    def sample():
        nonlocal peak
        while True:
            peak = max(peak, number_after("RssAnon", "/proc/self/status"))
            if stop.wait(SAMPLING_PERIOD_SECONDS):
                return

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    read_after = number_after("read_bytes", "/proc/self/io")
    figure["peak_anonymous_bytes"] = peak * 1024
    figure["peak_resident_bytes"] = number_after("VmHWM", "/proc/self/status") * 1024
    figure["disk_bytes_read"] = read_after - read_before


def print_figure(figure):
    print(json.dumps(figure), flush=True)

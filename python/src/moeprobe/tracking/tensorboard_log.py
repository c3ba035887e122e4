"""Logs results for TensorBoard."""

from __future__ import annotations

import os
import pathlib
import re
from typing import Any

from moeprobe.job import Job
from moeprobe.result.result import Result
from moeprobe.tracking.snapshots import NewPoints, snapshots


def to_tensorboard(source: Job | Result, directory: str | os.PathLike[str]) -> None:
    """Write event files below `directory`, in a folder for each run.

    Folders are "job17", and below it "variant top-2, seed 0" and the like where a
    job is several runs. A job is followed to its end. Needs the extra `tensorboard`.
    """
    from tensorboard.summary import Writer  # noqa: PLC0415 (an extra)

    writers: dict[str, Any] = {}
    new = NewPoints()
    try:
        for result in snapshots(source):
            folder = pathlib.Path(directory) / result.job.replace("jobs/", "job")
            for run, points in new.of(result).items():
                if run not in writers:
                    writers[run] = Writer(str(folder / _folder_name(run)))
                for point in points:
                    writers[run].add_scalar(point.name, point.value, point.step)
                writers[run].flush()
    finally:
        for writer in writers.values():
            writer.close()


def _folder_name(run: str) -> str:
    return re.sub(r"[^\w .,+-]", "_", run)

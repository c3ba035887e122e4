"""A result as it comes in."""

from __future__ import annotations

import time
from collections.abc import Iterator

from moeprobe.events import LayerEvent
from moeprobe.job import Job
from moeprobe.result.result import Result
from moeprobe.tracking.points import Point, is_curve, points_of

# Between two looks at a job that runs.
_SECONDS = 2.0


def snapshots(source: Job | Result) -> Iterator[Result]:
    """Yield a result; of a job, what there is as its layers come in, and at its end.

    A job that fails or is cancelled raises nothing: what it has found is there.
    """
    if isinstance(source, Result):
        yield source
        return
    shown = 0.0
    for event in source.events():
        due = time.monotonic() - shown >= _SECONDS
        if isinstance(event, LayerEvent) and due:
            yield source.result(wait=False, choose=is_curve)
            shown = time.monotonic()
    yield source.result(wait=False, choose=is_curve)


class NewPoints:
    """Of each snapshot, the points that those before it did not have."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, int]] = set()

    def of(self, result: Result) -> dict[str, list[Point]]:
        """Return them by run."""
        found: dict[str, list[Point]] = {}
        for point in points_of(result):
            if point[:3] not in self._seen:
                self._seen.add(point[:3])
                found.setdefault(point.run, []).append(point)
        return found

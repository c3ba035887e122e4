"""Results that pages show, fetched in the parts that a page needs."""

from __future__ import annotations

import dataclasses
import fnmatch
import threading
from collections import OrderedDict
from collections.abc import Callable

from moeprobe.client import Client
from moeprobe.figures.spectra import baseline_layer
from moeprobe.job_status import JobStatus
from moeprobe.result.names import Place, place_of
from moeprobe.result.result import Result

_MOST = 24
# Over pairs or experts, small, and shown for all layers with the same limits.
_MATRICES = (
    "coactivation",
    "expert_count",
    "grassmann/*",
    "jacobian_cosine/*",
    "jacobian_cosine_corrected/*",
    "output_similarity",
    "weight_overlap/*",
)
# Large, and drawn nowhere.
_NEVER = ("*_draws", "*/basis", "jacobian_cosine_projected/*")


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a job: one cell of a sweep on one data set."""

    cell: int = 0
    data: int = 0

    def has(self, place: Place) -> bool:
        """Tell whether an array belongs to it."""
        return (place.cell, place.data) == (self.cell, self.data)


def _matches(quantity: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(quantity, pattern) for pattern in patterns)


def is_matrix(name: str, part: Part) -> bool:
    """Tell whether an array is shown for all layers at once."""
    place = place_of(name)
    shown = part.has(place) and not place.is_baseline
    wanted = _matches(place.quantity, _MATRICES)
    return shown and wanted and not _matches(place.quantity, _NEVER)


def is_of_layer(name: str, part: Part, layer: int, baseline: int) -> bool:
    """Tell whether an array says more of a layer, or of the baseline's there."""
    place = place_of(name)
    at = baseline if place.is_baseline else layer
    is_there = part.has(place) and place.layer == at
    return is_there and not _matches(place.quantity, _NEVER)


class Results:
    """Results by job and part, the last ones kept. Thread-safe.

    What is kept belongs to one client: nobody is shown what another may see.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], Result] = OrderedDict()

    def overview(self, client: Client, status: JobStatus) -> Result:
        """Return a result without arrays: means, warnings, provenance."""
        return self._get(client, status, "overview", lambda _: False)

    def matrices(self, client: Client, status: JobStatus, part: Part) -> Result:
        """Return what is shown for all layers at once, of one part."""
        found = self._get(
            client, status, ("matrices", part), lambda name: is_matrix(name, part)
        )
        return found.select(part.cell, part.data)

    def layer(
        self, client: Client, status: JobStatus, part: Part, layer: int
    ) -> Result:
        """Return everything about a layer of one part."""
        overview = self.overview(client, status).select(part.cell, part.data)
        baseline = baseline_layer(overview, layer)
        found = self._get(
            client,
            status,
            ("layer", part, layer),
            lambda name: is_of_layer(name, part, layer, baseline),
        )
        return found.select(part.cell, part.data)

    def _get(
        self,
        client: Client,
        status: JobStatus,
        what: object,
        choose: Callable[[str], bool],
    ) -> Result:
        version = (status.state, status.layers_done_count, status.end_time)
        key = (client, status.name, version, what)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = client.job(status.name).result(wait=False, choose=choose)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return found

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
from moeprobe.result.cells import CellIndex
from moeprobe.result.names import Place
from moeprobe.result.result import Result
from moeprobe.tracking.points import is_curve

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


def is_matrix(place: Place, part: Part) -> bool:
    """Tell whether an array is shown for all layers at once."""
    shown = part.has(place) and not place.is_baseline
    wanted = _matches(place.quantity, _MATRICES)
    return shown and wanted and not _matches(place.quantity, _NEVER)


def is_of_layer(place: Place, part: Part, layer: int, baseline: int) -> bool:
    """Tell whether an array says more of a layer, or of the baseline's there."""
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

    def curves(self, client: Client, status: JobStatus) -> Result:
        """Return means, and the curves of an experiment."""
        return self._get(client, status, "curves", is_curve)

    def matrices(self, client: Client, status: JobStatus, part: Part) -> Result:
        """Return what is shown for all layers at once, of one part."""
        index = CellIndex(self.overview(client, status).cells)
        found = self._get(
            client,
            status,
            ("matrices", part),
            lambda name: is_matrix(index.place_of(name), part),
        )
        return found.select(part.cell, part.data)

    def layer(
        self, client: Client, status: JobStatus, part: Part, layer: int
    ) -> Result:
        """Return everything about a layer of one part."""
        overview = self.overview(client, status)
        index = CellIndex(overview.cells)
        baseline = baseline_layer(overview.select(part.cell, part.data), layer)
        found = self._get(
            client,
            status,
            ("layer", part, layer),
            lambda name: is_of_layer(index.place_of(name), part, layer, baseline),
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

"""Where streams stand, so that one that breaks goes on where it was."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from moeprobe.errors import DataLossError
from moeprobe.events import Event, StateEvent, event_of
from moeprobe.v1 import job_pb2, job_service_pb2, result_pb2, result_service_pb2

_TYPES: Mapping[int, str] = {
    result_pb2.DATA_TYPE_FLOAT64: "<f8",
    result_pb2.DATA_TYPE_FLOAT32: "<f4",
    result_pb2.DATA_TYPE_INT64: "<i8",
}


class Watch:
    """The events of a job: each once, in order, until its final state."""

    def __init__(
        self, name: str, after_sequence: int = 0, *, passing: bool = False
    ) -> None:
        """Begin after an event; `passing`: with those that no history keeps."""
        self._passing = passing
        self._request = job_service_pb2.WatchJobRequest(
            name=name, after_sequence=after_sequence
        )
        self.ended = False

    @property
    def request(self) -> job_service_pb2.WatchJobRequest:
        """What asks for the events that are still to come."""
        return self._request

    def take(self, message: job_pb2.JobEvent) -> Event | None:
        """Return the event, if it is new."""
        if message.sequence == 0:
            return event_of(message) if self._passing else None
        if message.sequence <= self._request.after_sequence:
            return None
        self._request.after_sequence = message.sequence
        event = event_of(message)
        self.ended = isinstance(event, StateEvent) and event.state.is_final
        return event


class Arrays:
    """The arrays of a result, as their chunks come in; each is verified.

    Arrays that are whole are in `found`; they cannot be written to.
    """

    def __init__(
        self,
        job: str,
        infos: Iterable[result_pb2.ArrayInfo],
        choose: Callable[[str], bool] | None = None,
    ) -> None:
        """`choose`: tells by their names which of `infos` to expect."""
        self._job = job
        self._infos = {i.name: i for i in infos if choose is None or choose(i.name)}
        self._name = ""
        self._pieces: list[bytes] = []
        self._received = 0
        self.found: dict[str, npt.NDArray[np.generic]] = {}

    @property
    def ended(self) -> bool:
        """Whether all are there."""
        return len(self.found) == len(self._infos)

    @property
    def request(self) -> result_service_pb2.ReadArraysRequest:
        """What asks for those that are still to come, the broken one anew."""
        self._start("")
        missing = [name for name in self._infos if name not in self.found]
        return result_service_pb2.ReadArraysRequest(name=self._job, arrays=missing)

    def take(self, chunk: result_pb2.ArrayChunk) -> None:
        """Add a chunk. Raises DataLossError where it does not fit."""
        if chunk.HasField("info"):
            if self._name or chunk.info.name not in self._infos:
                raise DataLossError(f"array {chunk.info.name!r} was not expected")
            self._start(chunk.info.name)
        if not self._name:
            raise DataLossError("the stream of arrays has bytes of none")
        self._pieces.append(chunk.data)
        self._received += len(chunk.data)
        info = self._infos[self._name]
        if self._received >= info.size_bytes:
            self.found[self._name] = _array(info, b"".join(self._pieces))
            self._start("")

    def _start(self, name: str) -> None:
        self._name, self._pieces, self._received = name, [], 0


def _array(info: result_pb2.ArrayInfo, npy: bytes) -> npt.NDArray[np.generic]:
    digest = hashlib.sha256(npy).hexdigest()
    if digest != info.sha256:
        raise DataLossError(
            f"array {info.name!r}: found SHA-256 {digest}, expected {info.sha256}"
        )
    dtype = np.dtype(_TYPES[info.data_type])
    size = math.prod(info.shape) * dtype.itemsize
    shape = tuple(info.shape)
    array: npt.NDArray[np.generic]
    array = np.ndarray(shape, dtype, buffer=npy, offset=len(npy) - size)
    return array

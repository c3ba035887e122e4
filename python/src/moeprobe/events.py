"""What happens to a job, as it happens."""

from __future__ import annotations

import dataclasses
import datetime
import enum

from moeprobe.v1 import job_pb2


class JobState(str, enum.Enum):
    """Place of a job in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # to this version

    @property
    def is_final(self) -> bool:
        """Whether the job will not change any more."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


def state_of(state: int) -> JobState:
    """Return the state that a message has."""
    try:
        name = job_pb2.Job.State.Name(state)
        return JobState(name.removeprefix("STATE_").lower())
    except ValueError:
        return JobState.UNKNOWN


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened; `sequence` counts a job's events from 1.

    What is not in the job's history, some progress and places, has 0.
    """

    sequence: int
    time: datetime.datetime


@dataclasses.dataclass(frozen=True)
class StateEvent(Event):
    """The job entered a state; `error` says why where that is not to its plan."""

    state: JobState
    error: str


@dataclasses.dataclass(frozen=True)
class ProgressEvent(Event):
    """The job got so far: a share of its work from 0 to 1."""

    phase: str
    fraction: float
    layers_done_count: int
    layer_count: int


@dataclasses.dataclass(frozen=True)
class PlaceEvent(Event):
    """So many others go before the job, if nothing else comes."""

    queue_position: int
    estimated_start_time: datetime.datetime | None  # None: nobody can tell


@dataclasses.dataclass(frozen=True)
class LayerEvent(Event):
    """A layer can be fetched; its names start with `prefix`."""

    prefix: str


@dataclasses.dataclass(frozen=True)
class WarningEvent(Event):
    """Something a reader should know."""

    text: str


def event_of(event: job_pb2.JobEvent) -> Event:
    """Return what a message says."""
    when = event.time.ToDatetime(datetime.timezone.utc)
    base = (event.sequence, when)
    match event.WhichOneof("event"):
        case "state":
            return StateEvent(*base, state_of(event.state), event.error.message)
        case "progress":
            got = event.progress
            return ProgressEvent(
                *base, got.phase, got.fraction, got.layers_done_count, got.layer_count
            )
        case "layer":
            return LayerEvent(*base, event.layer)
        case "place":
            place = event.place
            start = place.estimated_start_time.ToDatetime(datetime.timezone.utc)
            is_known = place.HasField("estimated_start_time")
            return PlaceEvent(*base, place.queue_position, start if is_known else None)
        case "warning":
            return WarningEvent(*base, event.warning)
        case _:  # news to this version
            return Event(*base)

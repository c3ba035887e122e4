"""How a job is doing."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from moeprobe.catalog import visibility_of
from moeprobe.errors import JobCancelledError, JobFailedError
from moeprobe.events import JobState, state_of
from moeprobe.request.described import subject_of
from moeprobe.request.writer import request_dict
from moeprobe.v1 import job_pb2


@dataclasses.dataclass(frozen=True)
class MemoryWait:
    """What a job waits for that does not fit beside what runs, in bytes."""

    needed_bytes: int
    budget_bytes: int  # that running jobs may take together
    held_bytes: int  # that they are expected to take
    holders: list[str]  # running jobs, those that one may see
    kept_bytes: int  # for a job that goes first and waits as well
    kept_for: str  # that job; "" where there is none, or one may not see it


@dataclasses.dataclass(frozen=True)
class JobStatus:
    """A job at one moment. Times are None where they have not come."""

    name: str
    label: str  # the name that its request gives it
    subject: str  # the model, or "3 variants x 5 seeds"
    state: JobState
    error: str
    phase: str
    fraction: float
    layers_done_count: int
    layer_count: int
    queue_position: int  # jobs ahead of it, while it is queued
    estimated_start_time: datetime.datetime | None  # while it is queued, if known
    crash_count: int  # by workers that died since it last got a layer
    cached: bool  # whether every matrix came from the cache
    warnings: list[str]
    create_time: datetime.datetime | None
    start_time: datetime.datetime | None
    end_time: datetime.datetime | None
    estimated_seconds: float | None
    estimated_memory_bytes: int | None
    memory_wait: MemoryWait | None  # while it is queued and there is no room
    request: dict[str, Any]
    owner: str
    visibility: str  # "lab" or "private"
    shared_with: list[str]
    priority: str  # "low", "normal" or "high"
    kept: bool  # whether its results stay although old ones are dropped
    drop_time: datetime.datetime | None  # since when they are stored no longer
    drop_reason: str


def _time(
    message: job_pb2.Job | job_pb2.DroppedResults, field: str
) -> datetime.datetime | None:
    if not message.HasField(field):
        return None
    time: Timestamp = getattr(message, field)
    return time.ToDatetime(datetime.timezone.utc)


def _memory_wait(job: job_pb2.Job) -> MemoryWait | None:
    if not job.HasField("memory_wait"):
        return None
    wait = job.memory_wait
    return MemoryWait(
        needed_bytes=wait.needed_bytes,
        budget_bytes=wait.budget_bytes,
        held_bytes=wait.held_bytes,
        holders=list(wait.holders),
        kept_bytes=wait.kept_bytes,
        kept_for=wait.kept_for,
    )


def status_of(job: job_pb2.Job) -> JobStatus:
    """Return what a message says."""
    request = request_dict(job)
    has_estimate = job.HasField("estimated_seconds")
    has_memory = job.HasField("estimated_memory_bytes")
    return JobStatus(
        name=job.name,
        label=str(request.get("name", "")),
        subject=subject_of(request),
        state=state_of(job.state),
        error=job.error.message,
        phase=job.progress.phase,
        fraction=job.progress.fraction,
        layers_done_count=job.progress.layers_done_count,
        layer_count=job.progress.layer_count,
        queue_position=job.queue_position,
        estimated_start_time=_time(job, "estimated_start_time"),
        crash_count=job.crash_count,
        cached=job.cached,
        warnings=list(job.warnings),
        create_time=_time(job, "create_time"),
        start_time=_time(job, "start_time"),
        end_time=_time(job, "end_time"),
        estimated_seconds=job.estimated_seconds if has_estimate else None,
        estimated_memory_bytes=job.estimated_memory_bytes if has_memory else None,
        memory_wait=_memory_wait(job),
        request=request,
        owner=job.owner,
        visibility=visibility_of(job),
        shared_with=list(job.shared_with),
        priority=str(request.get("priority", "normal")),
        kept=job.kept,
        drop_time=_time(job.dropped, "time"),
        drop_reason=job.dropped.reason,
    )


def job_name(job: int | str) -> str:
    """Return "jobs/17" for 17, "17" or "jobs/17"."""
    return f"jobs/{str(job).removeprefix('jobs/')}"


def raise_unless_succeeded(name: str, state: JobState, error: str) -> None:
    """Raise what a job's final state means; nothing where it succeeded."""
    if state is JobState.FAILED:
        raise JobFailedError(f"{name} failed: {error}")
    if state is JobState.CANCELLED:
        raise JobCancelledError(f"{name} was cancelled: {error}")

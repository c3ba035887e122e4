"""What the server says of a request before it is a job."""

from __future__ import annotations

import dataclasses
from typing import Any

from moeprobe.request.writer import request_dict
from moeprobe.v1 import job_pb2, job_service_pb2


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What a job would take now."""

    seconds: float
    peak_memory_bytes: int
    disk_read_bytes: int
    disk_write_bytes: int
    group_count: int  # probe groups of layers that the request needs
    cached_group_count: int  # those that are there already


@dataclasses.dataclass(frozen=True)
class Validation:
    """A request that is right: with every default, and what it would take.

    `estimate` is None where it cannot be told: no worker has said yet how fast
    it is, or data are not uploaded.
    """

    request: dict[str, Any]
    warnings: list[str]
    estimate: Estimate | None


def validation_of(
    response: job_service_pb2.ValidateJobResponse, job: job_pb2.Job
) -> Validation:
    """Return what a response says; of `job`, where the server could not resolve it."""
    resolved = response.job if response.HasField("job") else job
    estimate = None
    if response.HasField("estimate"):
        values = {field.name: value for field, value in response.estimate.ListFields()}
        names = [field.name for field in dataclasses.fields(Estimate)]
        estimate = Estimate(**{name: values.get(name, 0) for name in names})
    return Validation(request_dict(resolved), list(response.warnings), estimate)

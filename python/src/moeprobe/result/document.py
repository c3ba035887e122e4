"""A result without its arrays, as `result.json` has it."""

from __future__ import annotations

import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from moeprobe.events import state_of
from moeprobe.request.writer import request_dict, setting_value
from moeprobe.result.names import part_name
from moeprobe.result.nulls import NULLS
from moeprobe.v1 import job_pb2, result_pb2, result_service_pb2

Document = dict[str, Any]
# Settings that are names, which stay text where they look like numbers.
_NAMES = ("variant", "gates")


def _time(time: Timestamp) -> str:
    seconds = datetime.datetime.fromtimestamp(time.seconds, datetime.timezone.utc)
    return f"{seconds:%Y-%m-%dT%H:%M:%S}.{time.nanos // 1_000_000:03d}Z"


def _times(job: job_pb2.Job) -> Document:
    times: Document = {}
    for name in ("create", "start", "end"):
        if job.HasField(f"{name}_time"):
            times[name] = _time(getattr(job, f"{name}_time"))
    if job.HasField("estimated_seconds"):
        times["estimated_seconds"] = job.estimated_seconds
    return times


def _status(job: job_pb2.Job) -> Document:
    status: Document = {
        "name": job.name,
        "owner": job.owner,
        "state": state_of(job.state).value,
    }
    if job.HasField("error"):
        status["error"] = {"code": job.error.code, "message": job.error.message}
    if job.HasField("progress"):
        names = [field.name for field in job.progress.DESCRIPTOR.fields]
        status["progress"] = {name: getattr(job.progress, name) for name in names}
    status["crash_count"] = job.crash_count
    status["cached"] = job.cached
    if job.kept:
        status["kept"] = True
    if job.HasField("dropped"):
        time, reason = _time(job.dropped.time), job.dropped.reason
        status["dropped"] = {"time": time, "reason": reason}
    if job.state == job_pb2.Job.STATE_QUEUED:
        status["queue_position"] = job.queue_position
        if job.HasField("estimated_start_time"):
            status["estimated_start"] = _time(job.estimated_start_time)
    if job.HasField("estimated_memory_bytes"):
        status["estimated_memory_bytes"] = job.estimated_memory_bytes
    if job.HasField("memory_wait"):
        status["memory_wait"] = _memory_wait(job.memory_wait)
    return status


def _memory_wait(wait: job_pb2.MemoryWait) -> Document:
    return {
        "needed_bytes": wait.needed_bytes,
        "budget_bytes": wait.budget_bytes,
        "held_bytes": wait.held_bytes,
        "holders": list(wait.holders),
        "kept_bytes": wait.kept_bytes,
        "kept_for": wait.kept_for,
    }


def _null(row: result_pb2.SummaryRow, prefix: str) -> Document:
    return {
        "mean": getattr(row, f"{prefix}null_mean"),
        "std": getattr(row, f"{prefix}null_standard_deviation"),
        "p": getattr(row, f"{prefix}p_value"),
    }


def _quantity(row: result_pb2.SummaryRow) -> Document:
    quantity: Document = {
        "mean": row.mean,
        "std": row.standard_deviation,
        "count": row.count,
    }
    if row.HasField("standard_error"):
        quantity["se"] = row.standard_error
    if row.HasField("interval_low") and row.HasField("interval_high"):
        quantity["interval"] = [row.interval_low, row.interval_high]
    for null in NULLS:
        if row.HasField(f"{null.prefix}null_mean"):
            quantity[null.key] = _null(row, null.prefix)
    return quantity


def _prefix(row: result_pb2.SummaryRow) -> str:
    if row.layer < 0:
        return row.name.removesuffix(row.quantity)
    # A prefix may hold the like: of a variant by such a name.
    return row.name[: row.name.rindex(f"layer{row.layer}/")]


def _summary(rows: list[result_pb2.SummaryRow]) -> list[Document]:
    layers: list[Document] = []
    for row in rows:
        place = {"part": part_name(_prefix(row)), "layer": row.layer}
        if not layers or {k: layers[-1][k] for k in place} != place:
            layers.append({**place, "quantities": {}})
        layers[-1]["quantities"][row.quantity] = _quantity(row)
    return layers


def _cell(cell: result_pb2.SweepCell) -> Document:
    settings = {
        s.field: s.value if s.field in _NAMES else setting_value(s.value)
        for s in cell.settings
    }
    return {"prefix": cell.prefix, "settings": settings}


def _provenance(part: result_pb2.Provenance) -> Document:
    provenance: Document = {
        "part": part_name(part.prefix),
        "model": part.model,
        "model_fingerprint": part.model_fingerprint,
        "data_fingerprint": part.data_fingerprint,
        "token_count": part.token_count,
        "layer_count": part.layer_count,
        "first_token_ids": list(part.first_token_ids),
    }
    if part.HasField("nll"):
        provenance["nll"] = part.nll
    provenance["environment"] = dict(sorted(part.environment.items()))
    return provenance


def result_document(result: result_service_pb2.Result) -> Document:
    """Return what a result says beside its arrays."""
    job = result.job
    document: Document = {
        "job": _status(job),
        "request": request_dict(job),
        "warnings": list(job.warnings),
        "times": _times(job),
        "complete": job.state == job_pb2.Job.STATE_SUCCEEDED,
    }
    if result.cells:
        document["cells"] = [_cell(cell) for cell in result.cells]
    document["summary"] = _summary(list(result.summary))
    document["provenance"] = [_provenance(part) for part in result.provenance]
    return document

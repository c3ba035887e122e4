"""What a server is, and what it has."""

from __future__ import annotations

import dataclasses
import datetime

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from moeprobe.request.choices import choice_name
from moeprobe.v1 import (
    access_pb2,
    dataset_service_pb2,
    job_pb2,
    server_service_pb2,
    user_service_pb2,
)


@dataclasses.dataclass(frozen=True)
class Isolation:
    """What keeps in the workers that a server starts."""

    landlock_version: int  # keeps them to their files; 0: nothing does
    are_sockets_forbidden: bool
    max_memory_bytes: int  # of each; 0: any
    max_file_bytes: int
    max_open_file_count: int
    max_process_count: int  # of their account
    gaps: list[str]  # what does not hold, why, and what to do


@dataclasses.dataclass(frozen=True)
class ServerInfo:
    """What a server is."""

    version: str
    numerics_version: int
    families: list[str]
    worker_count: int
    idle_worker_count: int
    threads_per_worker: int
    max_dataset_bytes: int
    default_visibility: str  # of what a request makes: "lab" or "private"
    audit_failure_count: int  # lines that the audit log lacks
    memory_budget_bytes: int  # that running jobs may take together; 0: any amount
    memory_budget_origin: str  # why so much
    memory_held_bytes: int  # that running jobs are expected to take
    pinned_bytes: int  # of pinned models, which jobs do not get
    isolation: Isolation | None = None  # None: workers are started by hand


@dataclasses.dataclass(frozen=True)
class Caller:
    """Who somebody is to the server."""

    user: str
    role: str  # "user" or "admin"
    proof: str  # how it knows: "token", "certificate", "peer" or "loopback"


@dataclasses.dataclass(frozen=True)
class ModelHolder:
    """A running job that uses a model."""

    job: str  # "" of a job that one may not see
    owner: str  # the same
    worker_pid: int
    since: datetime.datetime


@dataclasses.dataclass(frozen=True)
class ModelMemory:
    """What of a model is in the memory of the server's machine."""

    # "not_loaded", "partly_loaded", "loading", "loaded" or "unknown"
    state: str
    size_bytes: int  # of its files
    resident_bytes: int  # of these, in memory
    holders: list[ModelHolder]
    pinned: bool
    user: str  # who pinned it, or else loaded it last
    request_time: datetime.datetime | None  # when that was
    problem: str  # why it is not in memory although it was asked for


@dataclasses.dataclass(frozen=True)
class Model:
    """A model that requests can name; `problem` says why one cannot be analysed."""

    name: str
    family: str
    layer_count: int
    expert_count: int  # 0: a dense model
    experts_per_token: int
    width: int
    size_bytes: int
    problem: str
    memory: ModelMemory | None = None  # of one that can be analysed or is pinned


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A text or token ids that requests can name."""

    name: str
    display_name: str
    kind: str  # "text" or "ids"
    sha256: str
    size_bytes: int
    create_time: datetime.datetime
    owner: str
    visibility: str  # "lab" or "private"
    shared_with: list[str]


def _choice(kind: EnumTypeWrapper, number: int) -> str:
    value = kind.DESCRIPTOR.values_by_number.get(number)
    return choice_name(value) if value else ""


def visibility_of(message: job_pb2.Job | dataset_service_pb2.Dataset) -> str:
    """Return who may see something: "lab" or "private"; "" if that is not said."""
    unsaid = access_pb2.VISIBILITY_UNSPECIFIED
    if message.visibility == unsaid:
        return ""
    return _choice(access_pb2.Visibility, message.visibility)


def caller_of(caller: user_service_pb2.Caller) -> Caller:
    """Return what a message says."""
    return Caller(
        user=caller.user,
        role=_choice(access_pb2.Role, caller.role),
        proof=_choice(user_service_pb2.Caller.Proof, caller.proof),
    )


def _isolation_of(isolation: server_service_pb2.Isolation) -> Isolation:
    return Isolation(
        landlock_version=isolation.landlock_version,
        are_sockets_forbidden=isolation.are_sockets_forbidden,
        max_memory_bytes=isolation.max_memory_bytes,
        max_file_bytes=isolation.max_file_bytes,
        max_open_file_count=isolation.max_open_file_count,
        max_process_count=isolation.max_process_count,
        gaps=list(isolation.gaps),
    )


def server_info_of(info: server_service_pb2.ServerInfo) -> ServerInfo:
    """Return what a message says."""
    return ServerInfo(
        version=info.version,
        numerics_version=info.numerics_version,
        families=list(info.families),
        worker_count=info.worker_count,
        idle_worker_count=info.idle_worker_count,
        threads_per_worker=info.threads_per_worker,
        max_dataset_bytes=info.max_dataset_bytes,
        default_visibility=_choice(access_pb2.Visibility, info.default_visibility),
        audit_failure_count=info.audit_failure_count,
        memory_budget_bytes=info.memory_budget_bytes,
        memory_budget_origin=info.memory_budget_origin,
        memory_held_bytes=info.memory_held_bytes,
        pinned_bytes=info.pinned_bytes,
        isolation=_isolation_of(info.isolation) if info.HasField("isolation") else None,
    )


def _memory_of(memory: server_service_pb2.ModelMemory) -> ModelMemory:
    utc = datetime.timezone.utc
    asked = memory.HasField("request_time")
    return ModelMemory(
        state=_choice(server_service_pb2.ModelMemory.State, memory.state),
        size_bytes=memory.size_bytes,
        resident_bytes=memory.resident_bytes,
        holders=[
            ModelHolder(
                job=holder.job,
                owner=holder.owner,
                worker_pid=holder.worker_pid,
                since=holder.since_time.ToDatetime(utc),
            )
            for holder in memory.holders
        ],
        pinned=memory.pinned,
        user=memory.user,
        request_time=memory.request_time.ToDatetime(utc) if asked else None,
        problem=memory.problem,
    )


def model_of(model: server_service_pb2.Model) -> Model:
    """Return what a message says."""
    return Model(
        name=model.name,
        family=model.family,
        layer_count=model.layer_count,
        expert_count=model.expert_count,
        experts_per_token=model.experts_per_token,
        width=model.width,
        size_bytes=model.size_bytes,
        problem=model.problem,
        memory=_memory_of(model.memory) if model.HasField("memory") else None,
    )


def dataset_of(dataset: dataset_service_pb2.Dataset) -> Dataset:
    """Return what a message says."""
    is_text = dataset.kind == dataset_service_pb2.Dataset.KIND_TEXT
    return Dataset(
        name=dataset.name,
        display_name=dataset.display_name,
        kind="text" if is_text else "ids",
        sha256=dataset.sha256,
        size_bytes=dataset.size_bytes,
        create_time=dataset.create_time.ToDatetime(datetime.timezone.utc),
        owner=dataset.owner,
        visibility=visibility_of(dataset),
        shared_with=list(dataset.shared_with),
    )

"""What a client does, as steps that leave it open how calls are made.

A flow is a generator that yields calls and is sent their responses, so that
waiting and awaiting clients share it.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

from google.protobuf.message import Message

from moeprobe import methods
from moeprobe.errors import NotFoundError, RequestError
from moeprobe.estimate import Validation, validation_of
from moeprobe.local_data import (
    LocalData,
    data_sets,
    find_files,
    take_content,
    with_sharing,
)
from moeprobe.methods import Method, RequestT, ResponseT
from moeprobe.request.request import Request, YamlText, read_request
from moeprobe.v1 import (
    dataset_service_pb2,
    job_pb2,
    job_service_pb2,
)

_PAGE_SIZE = 100
T = TypeVar("T")

RequestLike = Mapping[str, Any] | str | os.PathLike[str] | YamlText


@dataclasses.dataclass(frozen=True)
class Call:
    """A call that answers once; `request` is a message, or those of an upload."""

    method: Method[Any, Any]
    request: Message | Iterator[Message]


Flow = Generator[Call, Any, T]


def call(method: Method[RequestT, ResponseT], request: RequestT) -> Flow[ResponseT]:
    """Make one call."""
    return cast("ResponseT", (yield Call(method, request)))


def list_all(
    method: Method[Any, ResponseT],
    items: Callable[[ResponseT], Iterable[T]],
    limit: int | None = None,
) -> Flow[list[T]]:
    """Collect the pages of a list, all of them or until there are `limit` entries.

    `items` takes what it lists out of a page.
    """
    found: list[T] = []
    size = _PAGE_SIZE if limit is None else min(limit, _PAGE_SIZE)
    request = method.request(page_size=size)
    while True:
        page = yield from call(method, request)
        found += items(page)
        request.page_token = cast("Any", page).next_page_token
        if not request.page_token or (limit is not None and len(found) >= limit):
            return found[:limit]


def _read(request: RequestLike) -> tuple[Request, list[LocalData]]:
    if isinstance(request, Mapping):
        plain, contents = take_content(request)
        read = read_request(plain)
        return read, contents + find_files(read, pathlib.Path())
    if isinstance(request, YamlText):
        return read_request(request), []
    read = read_request(request)
    return read, find_files(read, pathlib.Path(request).parent)


def upload(data: LocalData) -> Flow[dataset_service_pb2.Dataset]:
    """Upload a data set unless the server has it."""
    known = dataset_service_pb2.GetDatasetRequest(name=data.dataset.name)
    try:
        return (yield from call(methods.GET_DATASET, known))
    except NotFoundError:
        response = yield Call(methods.UPLOAD_DATASET, data.pieces())
        return cast("dataset_service_pb2.Dataset", response)


def submit(request: RequestLike, request_id: str | None = None) -> Flow[job_pb2.Job]:
    """Upload what a request names, and create its job."""
    read, local = _read(request)
    for data in local:
        yield from upload(with_sharing(data, read.job))
    create = job_service_pb2.CreateJobRequest(
        job=read.job, request_id=request_id or str(uuid.uuid4())
    )
    try:
        return (yield from call(methods.CREATE_JOB, create))
    except RequestError as error:
        # It lists the violations without their places.
        check = job_service_pb2.ValidateJobRequest(job=read.job)
        found = (yield from call(methods.VALIDATE_JOB, check)).violations
        if not found:
            raise
        raise located(read, found) from error


def located(
    request: Request, violations: Iterable[job_service_pb2.FieldViolation]
) -> RequestError:
    """Return an error of a line for each violation, with its place."""
    errors = [request.error_at(v.field, v.description) for v in violations]
    problems = [problem for error in errors for problem in error.problems]
    return RequestError("\n".join(map(str, errors)), problems)


def validate(request: RequestLike) -> Flow[Validation]:
    """Check a request as submitting it would, and change nothing."""
    read, local = _read(request)
    check = job_service_pb2.ValidateJobRequest(job=read.job)
    response = yield from call(methods.VALIDATE_JOB, check)
    absent = _fields_of(local, read.job)
    found = [v for v in response.violations if v.field not in absent]
    if found:
        raise located(read, found)
    return validation_of(response, read.job)


def _fields_of(local: list[LocalData], job: job_pb2.Job) -> set[str]:
    """Return the fields that may be wrong only because nothing is uploaded yet."""
    names = {data.dataset.name for data in local}
    return {
        f"{field}.{data.WhichOneof('source')}"
        for field, data in data_sets(job)
        if names & {data.text, data.ids}
    }

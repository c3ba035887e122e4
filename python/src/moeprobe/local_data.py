"""Data sets of a request that are here, and what uploads them once."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from moeprobe.errors import RequestError
from moeprobe.request.request import Request
from moeprobe.v1 import (
    analysis_pb2,
    dataset_service_pb2,
    job_pb2,
    training_pb2,
)

_PIECE_BYTES = 1 << 20
_PATHS_ONLY = ("/", "./", "../")
_DIGEST = "sha256"

_KINDS = ("text", "ids")

_Data = analysis_pb2.DataSpec | training_pb2.TrainingData


@dataclasses.dataclass(frozen=True)
class Text:
    """A text that is no file: `data={"text": moeprobe.Text("...")}`."""

    content: str
    name: str = "text.txt"


@dataclasses.dataclass(frozen=True)
class LocalData:
    """A data set, named by its digest, and its bytes or the file that has them."""

    dataset: dataset_service_pb2.Dataset
    content: bytes | pathlib.Path

    def pieces(self) -> Iterator[dataset_service_pb2.UploadDatasetRequest]:
        """Return the messages of an upload."""
        yield dataset_service_pb2.UploadDatasetRequest(dataset=self.dataset)
        with _open(self.content) as file:
            while piece := file.read(_PIECE_BYTES):
                yield dataset_service_pb2.UploadDatasetRequest(data=piece)


def _open(content: bytes | pathlib.Path) -> io.BufferedIOBase:
    if isinstance(content, bytes):
        return io.BytesIO(content)
    return content.open("rb")


def _describe(content: bytes | pathlib.Path, name: str, kind: str) -> LocalData:
    digest = hashlib.new(_DIGEST)
    size = 0
    with _open(content) as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    if size == 0:
        raise ValueError(f"{name} is empty, expected data")
    is_text = kind == "text"
    kinds = dataset_service_pb2.Dataset
    dataset = dataset_service_pb2.Dataset(
        name=f"datasets/{digest.hexdigest()}",
        display_name=name,
        kind=kinds.KIND_TEXT if is_text else kinds.KIND_IDS,
        sha256=digest.hexdigest(),
        size_bytes=size,
    )
    return LocalData(dataset, content)


def _array(ids: npt.NDArray[Any]) -> LocalData:
    buffer = io.BytesIO()
    np.save(buffer, ids, allow_pickle=False)
    return _describe(buffer.getvalue(), "ids.npy", "ids")


def _without_content(data: Any, found: list[LocalData]) -> Any:
    if not isinstance(data, Mapping):
        return data
    plain = dict(data)
    text, ids = data.get("text"), data.get("ids")
    try:
        if isinstance(text, Text):
            found.append(_describe(text.content.encode(), text.name, "text"))
            plain["text"] = found[-1].dataset.name
        if isinstance(ids, np.ndarray):
            found.append(_array(ids))
            plain["ids"] = found[-1].dataset.name
    except ValueError as error:
        raise RequestError(f"request: data: {error}") from None
    for key in _KINDS:
        if isinstance(plain.get(key), os.PathLike):
            plain[key] = os.path.abspath(os.fspath(plain[key]))  # noqa: PTH100
    return plain


def take_content(request: Mapping[str, Any]) -> tuple[dict[str, Any], list[LocalData]]:
    """Take texts and arrays out of a request that is a dictionary.

    Returns the request with their names by digest in their places, and with
    paths as text; and the data sets.
    """
    plain, found = dict(request), list[LocalData]()
    data = plain.get("data")
    if isinstance(data, (list, tuple)):
        plain["data"] = [_without_content(item, found) for item in data]
    elif data is not None:
        plain["data"] = _without_content(data, found)
    return plain, found


def data_sets(job: job_pb2.Job) -> list[tuple[str, _Data]]:
    """Return the data sets of a request, and the fields at which they stand."""
    if job.HasField("train"):
        data = job.train.data
        return [("data", data)] if data.WhichOneof("source") in _KINDS else []
    return [(f"data[{i}]", data) for i, data in enumerate(job.analyze.data)]


def with_sharing(data: LocalData, job: job_pb2.Job) -> LocalData:
    """Return a data set for those who may see the job."""
    dataset = dataset_service_pb2.Dataset()
    dataset.CopyFrom(data.dataset)
    dataset.visibility = job.visibility
    dataset.shared_with.extend(job.shared_with)
    return LocalData(dataset, data.content)


def find_files(request: Request, folder: pathlib.Path) -> list[LocalData]:
    """Find the data sets that are files, absolute or relative to `folder`.

    Puts their names by digest into the request's spec; all others are left to
    the server to know. Raises RequestError, with the place, for a file that
    cannot be read or is empty, and for an absolute path where there is none.
    """
    found = []
    for data_field, data in data_sets(request.job):
        kind = data.WhichOneof("source") or "text"
        name = getattr(data, kind)
        field = f"{data_field}.{kind}"
        path = folder / name
        if not path.exists():
            if name.startswith(_PATHS_ONLY):
                raise request.error_at(field, f"there is no file {path}")
            continue
        try:
            found.append(_describe(path, path.name, kind))
        except (OSError, ValueError) as error:
            raise request.error_at(field, str(error)) from None
        setattr(data, kind, found[-1].dataset.name)
    return found

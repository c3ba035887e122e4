"""A request: what to compute, and where each part of it was written."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

from moeprobe.errors import RequestError
from moeprobe.request.dict_tree import read_dict
from moeprobe.request.message_reader import (
    JOB_KEYS,
    read_job_keys,
    read_message,
)
from moeprobe.request.source import DictSource, Source, TextSource
from moeprobe.request.tree import Kind, Node
from moeprobe.request.value import Value
from moeprobe.request.yaml_tree import read_yaml
from moeprobe.v1 import job_pb2

_KIND = "kind"
_DEFAULT_KIND = "analyze"
_INDEX = re.compile(r"\[(\d+)\]")


@dataclasses.dataclass(frozen=True)
class YamlText:
    """A request as the text of a request file that is no file.

    Its data sets are the server's: names of files mean nothing in it.
    """

    content: str


class Request:
    """A request that was read, and translated to the API's messages.

    `job` has its spec and sharing set, and nothing else. Names of data sets are as
    written.
    """

    def __init__(self, source: Source, tree: Node) -> None:
        self._source = source
        self._tree = tree
        self.job = job_pb2.Job()
        self._read(Value(tree, "", source))

    def error_at(self, path: str, what: str) -> RequestError:
        """Return an error about the field at `path`, as near as it was written."""
        nearest: Node | None = self._tree
        place, rest = self._tree.place, path
        while rest and nearest:
            nearest, rest = _child(nearest, rest)
            place = nearest.place if nearest else place
        return self._source.error(place, f"{path}: {what}")

    def _read(self, root: Value) -> None:
        kinds = [field.name for field in job_pb2.Job.DESCRIPTOR.oneofs[0].fields]
        kind = _DEFAULT_KIND
        if root.node.kind is Kind.MAPPING and (written := root.find(_KIND)):
            kind = written.node.text
            if not any(written.is_word(known) for known in kinds):
                raise written.expected(" or ".join(kinds))
        spec = getattr(self.job, kind)
        spec.SetInParent()
        if root.node.kind is Kind.MAPPING:
            read_job_keys(root, self.job)
        rest = [c for c in root.node.children if c.key not in (_KIND, *JOB_KEYS)]
        body = Node(root.node.kind, root.node.place, children=rest)
        read_message(Value(body, "", self._source), spec)


def _child(node: Node, path: str) -> tuple[Node | None, str]:
    """Take the first step of `path`: an index, or a key that may hold dots."""
    if index := _INDEX.match(path):
        rest = path[index.end() :]
        if node.kind is not Kind.LIST:  # one data set may stand without a list
            return (node if index[1] == "0" else None), rest
        place = int(index[1])
        return (node.children[place] if place < len(node.children) else None), rest
    path = path.removeprefix(".")
    for child in node.children:
        rest = path.removeprefix(child.key)
        if path.startswith(child.key) and rest[:1] in ("", ".", "["):
            return child, rest
    return None, path


def read_request(
    request: Mapping[str, Any] | str | os.PathLike[str] | YamlText,
) -> Request:
    """Read a request that is a dictionary, YAML, or the path of a YAML file.

    Raises RequestError naming file, line, column and key of what is wrong: keys
    that are unknown or there twice, other types, and all that docs/request.md
    refuses.
    """
    if isinstance(request, Mapping):
        return Request(DictSource(), read_dict(request))
    if isinstance(request, YamlText):
        text = request.content.encode("utf-8", errors="surrogatepass")
        source = TextSource(text, "request")
        return Request(source, read_yaml(source, "a request"))
    try:
        data = pathlib.Path(request).read_bytes()
    except OSError as error:
        reason = f"cannot read {os.fspath(request)}: {error.strerror}"
        raise RequestError(f"{reason}, expected a request file") from None
    source = TextSource(data, os.fspath(request))
    return Request(source, read_yaml(source, "a request"))

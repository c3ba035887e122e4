"""Reads a request that is a dictionary, as strictly as one in a file."""

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from moeprobe.request.source import DictSource
from moeprobe.request.tree import Kind, Node

_SOURCE = DictSource()


def _scalar(value: Any, path: str) -> Node:
    if value is None:
        return Node(Kind.NULL)
    if isinstance(value, str):
        return Node(Kind.QUOTED, text=value)
    if isinstance(value, bool):
        return Node(Kind.PLAIN, text="true" if value else "false")
    if isinstance(value, numbers.Integral):
        return Node(Kind.PLAIN, text=str(int(value)))
    if isinstance(value, numbers.Real):
        return Node(Kind.PLAIN, text=repr(float(value)))
    kind = type(value).__name__
    raise _SOURCE.error(0, f"{path}: found {kind}, expected what YAML can hold")


def _entry(key: Any, value: Any, path: str) -> Node:
    if not isinstance(key, str) or not key:
        raise _SOURCE.error(
            0, f"{path or 'root'}: found the key {key!r}, expected text"
        )
    node = read_dict(value, f"{path}.{key}" if path else key)
    node.key = key
    return node


def read_dict(value: Any, path: str = "") -> Node:
    """Return the tree of a request made of mappings, sequences and scalars.

    Raises RequestError, with the path, for anything else.
    """
    if isinstance(value, Mapping):
        children = [_entry(key, entry, path) for key, entry in value.items()]
        return Node(Kind.MAPPING, children=children)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        items = [read_dict(item, f"{path}[{i}]") for i, item in enumerate(value)]
        return Node(Kind.LIST, children=items)
    return _scalar(value, path)

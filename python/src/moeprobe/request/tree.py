"""A request as a tree of values that know their places."""

from __future__ import annotations

import dataclasses
import enum


class Kind(enum.Enum):
    """What was written."""

    NULL = "null"
    PLAIN = "plain"  # a scalar without quotes
    QUOTED = "quoted"
    LIST = "list"
    MAPPING = "mapping"


@dataclasses.dataclass(slots=True)
class Node:
    """A value, the key it stands at, and where both are in the source."""

    kind: Kind
    place: int = 0
    text: str = ""  # of a scalar
    key: str = ""  # "" in a list and at the root
    key_place: int = 0
    children: list[Node] = dataclasses.field(default_factory=list)

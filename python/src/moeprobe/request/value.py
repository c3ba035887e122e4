"""A value of a request that is read as what it should be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from moeprobe.errors import RequestError
from moeprobe.request.nearest_name import nearest_name
from moeprobe.request.quoted import quoted
from moeprobe.request.source import Source
from moeprobe.request.tree import Kind, Node

# As we write integers: no plus, no leading zeros, no underscores, no exponent.
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)")
# As JSON writes numbers.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}
# What other readers of YAML take for booleans.
_MEANINGS = dict.fromkeys(("true", "yes", "on", "y"), "true") | dict.fromkeys(
    ("false", "no", "off", "n"), "false"
)

Reader = Callable[["Value"], None]


class Value:
    """A node, its path such as "data[0].tokens", and where it was written.

    Everything that reads raises RequestError where it finds something else.
    """

    def __init__(self, node: Node, path: str, source: Source) -> None:
        self.node = node
        self.path = path
        self._source = source

    def text(self) -> str:
        """Return a text of one line, not empty."""
        if self.node.kind not in (Kind.PLAIN, Kind.QUOTED) or not self.node.text:
            raise self.expected("text")
        if not self.node.text.isprintable():
            raise self.expected("text of one line without control characters")
        return self.node.text

    def integer(self, most: int, or_else: str = "") -> int:
        """Return an integer from 0 to `most`; `or_else` names what else may be."""
        what = f"an integer{or_else}"
        if self.node.kind is not Kind.PLAIN:
            raise self.expected(what)
        if not _DECIMAL.fullmatch(self.node.text):
            numeric = re.match(r"[-+.0-9]", self.node.text)
            raise self.expected(
                f"an integer in plain decimal digits{or_else}" if numeric else what
            )
        number = int(self.node.text)
        if not 0 <= number <= most:
            raise self.expected(f"an integer from 0 to {most}{or_else}")
        return number

    def number(self) -> float:
        """Return a finite number in decimal digits."""
        written = self.node.kind is Kind.PLAIN and _NUMBER.fullmatch(self.node.text)
        if not written or not math.isfinite(number := float(self.node.text)):
            raise self.expected("a number in decimal digits")
        return number

    def boolean(self) -> bool:
        """Return true or false, which other words do not mean."""
        if self.node.kind is Kind.PLAIN and self.node.text in _BOOLEANS:
            return _BOOLEANS[self.node.text]
        meaning = _MEANINGS.get(self.node.text.lower())
        advice = f"; write {meaning} without quotes" if meaning else ""
        raise self.expected(f"true or false{advice}")

    def items(self) -> list[Value]:
        """Return the entries of a list that has any."""
        if self.node.kind is not Kind.LIST:
            raise self.expected("a list")
        if not self.node.children:
            raise self.error("found an empty list, expected at least one entry")
        return [
            Value(child, f"{self.path}[{i}]", self._source)
            for i, child in enumerate(self.node.children)
        ]

    def entries(self) -> list[tuple[str, Value]]:
        """Return the keys and values of a mapping, as they were written."""
        if self.node.kind is Kind.NULL:
            raise self.expected("a mapping; write {} for its defaults")
        if self.node.kind is not Kind.MAPPING:
            raise self.expected("a mapping")
        return [(child.key, self._at(child)) for child in self.node.children]

    def read_fields(self, readers: Mapping[str, Reader]) -> None:
        """Read the entries of a mapping, each by the reader of its key."""
        for key, value in self.entries():
            if key not in readers:
                raise self._unknown_key(value.node, readers)
            readers[key](value)

    def find(self, key: str) -> Value | None:
        """Return the entry of a mapping, if it has it."""
        for child in self.node.children:
            if child.key == key:
                return self._at(child)
        return None

    def is_word(self, word: str) -> bool:
        """Tell whether the value is `word`, in quotes or not."""
        return self.node.kind in (Kind.PLAIN, Kind.QUOTED) and self.node.text == word

    def expected(self, what: str) -> RequestError:
        """Return an error that says what was found, and what was expected."""
        return self.error(f"found {self._found()}, expected {what}")

    def error(self, what: str) -> RequestError:
        """Return an error about this value."""
        prefix = f"{self.path}: " if self.path else ""
        return self._source.error(self.node.place, f"{prefix}{what}")

    def _at(self, child: Node) -> Value:
        path = f"{self.path}.{child.key}" if self.path else child.key
        return Value(child, path, self._source)

    def _unknown_key(self, child: Node, known: Mapping[str, Reader]) -> RequestError:
        meant = nearest_name(child.key, known)
        place = f" in {self.path}" if self.path else ""
        advice = f'; did you mean "{meant}"?' if meant else ""
        return self._source.error(
            child.key_place, f"unknown key {quoted(child.key)}{place}{advice}"
        )

    def _found(self) -> str:
        match self.node.kind:
            case Kind.NULL:
                return "null"
            case Kind.PLAIN:
                return quoted(self.node.text)
            case Kind.QUOTED:
                return f"the text {quoted(self.node.text)}"
            case Kind.LIST:
                return "a list"
            case Kind.MAPPING:
                return "a mapping"

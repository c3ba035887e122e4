"""Reads the little of YAML that a request may use."""

from collections.abc import Iterator

import yaml

from moeprobe.errors import RequestError
from moeprobe.request.quoted import quoted
from moeprobe.request.source import TextSource
from moeprobe.request.tree import Kind, Node

_DEEPEST_LEVEL = 16
_MOST_NODES = 65536
_NULLS = ("", "~", "null", "Null", "NULL")
_KEY_EXPECTED = "expected a key that is text"


def _place(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


class _Builder:
    """Builds the tree from PyYAML's events, whose marks count characters."""

    def __init__(self, source: TextSource, expected: str) -> None:
        self._source = source
        self._expected = expected
        self._events = self._read()
        self._node_count = 0

    def build(self) -> Node:
        """Return the one document there is."""
        next(self._events)  # the start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise self._source.error(0, f"found nothing, expected {self._expected}")
        root = self._node(next(self._events), level=0)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document is not allowed")
        return root

    def _read(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self._source.text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = f"not YAML: {error.problem or error.context}"
            raise self._source.error(mark.index if mark else 0, what) from None
        except yaml.YAMLError as error:
            raise self._source.error(0, f"not YAML: {error}") from None

    def _node(self, event: yaml.Event, level: int) -> Node:
        self._check(event, level)
        node = Node(Kind.NULL, _place(event))
        if isinstance(event, yaml.ScalarEvent):
            node.text = event.value
            is_null = event.style is None and event.value in _NULLS
            if not is_null:
                node.kind = Kind.PLAIN if event.style is None else Kind.QUOTED
        elif isinstance(event, yaml.SequenceStartEvent):
            node.kind = Kind.LIST
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                node.children.append(self._node(event, level + 1))
        else:
            node.kind = Kind.MAPPING
            while not isinstance(event := next(self._events), yaml.MappingEndEvent):
                self._add_entry(node, event, level)
        return node

    def _add_entry(self, mapping: Node, key: yaml.Event, level: int) -> None:
        self._check(key, level)
        if not isinstance(key, yaml.ScalarEvent) or not key.value:
            raise self._error(key, _KEY_EXPECTED)
        if key.value == "<<" and key.style is None:
            raise self._error(key, "merge keys (<<) are not allowed")
        if any(child.key == key.value for child in mapping.children):
            raise self._error(key, f"duplicate key {quoted(key.value)}")
        child = self._node(next(self._events), level + 1)
        child.key = key.value
        child.key_place = _place(key)
        if child.kind is Kind.NULL:  # one that is missing has no place
            child.place = child.key_place
        mapping.children.append(child)

    def _check(self, event: yaml.Event, level: int) -> None:
        self._node_count += 1
        if isinstance(event, yaml.AliasEvent):
            raise self._error(event, "aliases (*) are not allowed")
        if getattr(event, "anchor", None) is not None:
            raise self._error(event, "anchors (&) are not allowed")
        if getattr(event, "tag", None) is not None:
            raise self._error(event, "tags (!) are not allowed")
        is_collection = isinstance(event, yaml.CollectionStartEvent)
        if is_collection and level >= _DEEPEST_LEVEL:
            raise self._error(
                event, f"more than {_DEEPEST_LEVEL} levels are not allowed"
            )
        if self._node_count > _MOST_NODES:
            raise self._error(event, f"more than {_MOST_NODES} values are not allowed")

    def _error(self, event: yaml.Event, what: str) -> RequestError:
        return self._source.error(_place(event), what)


def read_yaml(source: TextSource, expected: str) -> Node:
    """Return the tree of a file of which is `expected`: "a request".

    Raises RequestError, with line and column, where it is empty, no YAML or uses
    more of it than a request may: several documents, anchors, aliases, tags,
    merge keys, or a key twice.
    """
    return _Builder(source, expected).build()

"""Where a request was written: a file of text, or a dictionary."""

import bisect
import re
from typing import Protocol

from moeprobe.errors import Problem, RequestError

_LARGEST_FILE = 1 << 20
_WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
# C0, DEL and C1; not tabs and line breaks.
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INDENTED_BY_TAB = re.compile(r"^ *(\t)[ \t]*[^\s]", re.MULTILINE)
_DIRECTIVE = re.compile(r"^(%)", re.MULTILINE)


class Source(Protocol):
    """What a request was read from."""

    def error(self, place: int, what: str) -> RequestError:
        """Return an error that says where `place` is, and `what` is wrong."""


class DictSource:
    """A request that was made in Python: only paths of keys say where."""

    def error(self, place: int, what: str) -> RequestError:
        """Return an error; `place` means nothing here."""
        del place
        return RequestError(f"request: {what}", [Problem(what)])


class TextSource:
    """The text of a request file, checked for what no request may contain.

    Places are counts of characters in `text`.
    """

    def __init__(self, data: bytes, file: str) -> None:
        self._file = file
        self.text = ""
        self._line_starts = [0]
        if len(data) > _LARGEST_FILE:
            raise self.error(0, "the file is larger than 1 MiB")
        if data.startswith(_WIDE_ENCODINGS):
            raise self.error(0, "found UTF-16 or UTF-32, expected UTF-8")
        self._set_text(data)
        self._refuse(_INDENTED_BY_TAB, "found a tab, expected spaces to indent")
        self._refuse(_DIRECTIVE, "directives (%) are not allowed")

    def error(self, place: int, what: str) -> RequestError:
        """Return an error that starts with file, line and column."""
        line = bisect.bisect(self._line_starts, place)
        column = place - self._line_starts[line - 1] + 1
        text = f"{self._file}:{line}:{column}: {what}"
        return RequestError(text, [Problem(what, line, column)])

    def _set_text(self, data: bytes) -> None:
        text = data.decode("utf-8-sig", errors="surrogateescape")
        self._line_starts += [m.end() for m in re.finditer("\n", text)]
        if found := re.search("[\ud800-\udfff]", text):
            byte = ord(found[0]) & 0xFF
            raise self.error(
                found.start(), f"found the byte 0x{byte:02X}, expected UTF-8"
            )
        if found := _CONTROL.search(text):
            raise self.error(
                found.start(),
                f"control character U+{ord(found[0]):04X} is not allowed",
            )
        self.text = text

    def _refuse(self, pattern: re.Pattern[str], what: str) -> None:
        if found := pattern.search(self.text):
            raise self.error(found.start(1), what)

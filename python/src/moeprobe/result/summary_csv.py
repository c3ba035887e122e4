"""The means of a result as the text of summary.csv."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from moeprobe.result.document import Document
from moeprobe.result.exact_number import exact_number
from moeprobe.result.table import columns_of, rows_of

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_NEVER_EMPTY = ("mean", "std")


def _text_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP)."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _cell(column: str, value: Any, settings: frozenset[str]) -> str:
    if isinstance(value, str):
        return _text_cell(value)
    if column in settings:
        return "" if value is None else repr(value)
    if value is None and column in _NEVER_EMPTY:
        value = math.nan  # which JSON cannot hold
    if isinstance(value, float):
        return exact_number(value)
    return "" if value is None else str(value)


def summary_csv(document: Document) -> str:
    """Return a header and a row for each part, layer and quantity.

    Text that a spreadsheet would take for a formula starts with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns, settings = columns_of(document)
    names = frozenset(settings)
    writer.writerow([*columns, *map(_text_cell, settings)])
    for row in rows_of(document):
        writer.writerow(
            [_cell(column, row[column], names) for column in (*columns, *settings)]
        )
    return out.getvalue()

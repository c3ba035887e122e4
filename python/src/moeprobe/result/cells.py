"""Cells of a result: of a sweep, or of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moeprobe.result.names import Place, place_of

Cell = Mapping[str, Any]
# A setting that only some cells have, of the others: a model under its own gates.
OWN = "own"


class CellIndex:
    """Tells by names which cells arrays and parts belong to."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._places = {cell["prefix"]: i for i, cell in enumerate(cells)}

    def split(self, name: str) -> tuple[int, str]:
        """Return the cell with the longest prefix of a name, and the rest of it.

        The cell is -1 where there is none.
        """
        end = len(name)
        while (end := name.rfind("/", 0, end)) >= 0:
            if (cell := self._places.get(name[: end + 1])) is not None:
                return cell, name[end + 1 :]
        return -1, name

    def place_of(self, name: str) -> Place:
        """Return the place of an array; a cell of 0 where there is none."""
        cell, rest = self.split(name)
        return place_of(rest)._replace(cell=max(cell, 0))


def settings_of(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return the settings of cells, all with the same fields; OWN where one lacks it.

    Fields are in the order in which cells name them.
    """
    fields = dict.fromkeys(field for cell in cells for field in cell["settings"])
    return [{f: cell["settings"].get(f, OWN) for f in fields} for cell in cells]

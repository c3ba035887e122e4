"""The quantities of one model of a result, each as a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy.typing as npt
import xarray as xr

from moeprobe.errors import NotFoundError
from moeprobe.request.nearest_name import nearest_name
from moeprobe.result.cells import OWN, CellIndex, settings_of
from moeprobe.result.dataset import Index, Outer, make_dataset
from moeprobe.result.names import Place

Array = npt.NDArray[Any]


def _axes(settings: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the fields of cells with their values, in order."""
    axes: dict[str, list[Any]] = {}
    for cell in settings:
        for field, value in cell.items():
            values = axes.setdefault(field, [])
            if value not in values:
                values.append(value)
    return axes


class Quantities(Mapping[str, xr.Dataset]):
    """Datasets by quantity, such as "jacobian_cosine/routed".

    Dimensions are those of a sweep (by its fields) or of an experiment ("variant",
    "seed", "step", and "gates" where some are under the gates of others), "data"
    where there are several data sets, "layer" where the quantity is a layer's, and
    those of the quantity itself. Variables are `value` and what is known of its
    mean.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        cells: list[dict[str, Any]],
        *,
        baseline: bool,
    ) -> None:
        self._cells = settings_of(cells) or [{}]
        self._axes = _axes(self._cells)
        index = CellIndex(cells)
        self._made: dict[str, xr.Dataset] = {}
        self._places: dict[str, list[tuple[Place, Array]]] = {}
        for name, array in arrays.items():
            place = index.place_of(name)
            if place.is_baseline == baseline:
                of_base = self._places.setdefault(self._base(place, arrays, name), [])
                of_base.append((place, array))

    def __getitem__(self, quantity: str) -> xr.Dataset:
        if quantity not in self._places:
            meant = nearest_name(quantity, self._places)
            advice = f"; did you mean {meant!r}?" if meant else ""
            raise NotFoundError(f"the result has no {quantity!r}{advice}")
        if quantity not in self._made:
            self._made[quantity] = self._make(quantity)
        return self._made[quantity]

    def __contains__(self, quantity: object) -> bool:
        return quantity in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._places))

    def __len__(self) -> int:
        return len(self._places)

    @staticmethod
    def _base(place: Place, arrays: Mapping[str, Array], name: str) -> str:
        base = place.base
        return base if name[: -len(place.quantity)] + base in arrays else place.quantity

    def _make(self, quantity: str) -> xr.Dataset:
        found = self._places[quantity]
        cells = {place.cell for place, _ in found}
        outer = {
            field: values
            for field, values in self._axes.items()
            if any(self._cells[cell][field] != OWN for cell in cells)
        }
        data = sorted({place.data for place, _ in found})
        if data != [0]:
            outer["data"] = data
        layers = sorted({place.layer for place, _ in found})
        if layers != [-1]:
            outer["layer"] = layers
        variables: dict[str, dict[Index, Array]] = {}
        for place, array in found:
            index = self._index(place, outer)
            variables.setdefault(place.quantity, {})[index] = array
        return make_dataset(quantity, variables, outer)

    def _index(self, place: Place, outer: Outer) -> Index:
        settings = {**self._cells[place.cell], "data": place.data, "layer": place.layer}
        return tuple(list(values).index(settings[n]) for n, values in outer.items())

"""Stacks the arrays of one quantity, over layers, data sets and cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from moeprobe.result.dimensions import COORDINATES, COUNTED_FROM_1, dimensions_of

Array = npt.NDArray[Any]
# The outer dimensions of a dataset by name, and their coordinates.
Outer = Mapping[str, Sequence[Any]]
Index = tuple[int, ...]


def _stack(arrays: Mapping[Index, Array], outer: Index) -> Array:
    """Return one array; NaN where an inner shape is smaller, or one is missing."""
    shapes = {array.shape for array in arrays.values()}
    inner = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    dtype = np.result_type(*(array.dtype for array in arrays.values()))
    whole = len(shapes) == 1 and len(arrays) == np.prod(outer, dtype=int)
    if whole:
        stacked = np.empty(outer + inner, dtype)
    else:
        stacked = np.full(outer + inner, np.nan, np.result_type(dtype, np.float32))
    for index, array in arrays.items():
        stacked[index + tuple(slice(size) for size in array.shape)] = array
    return stacked


def _coordinates(name: str, size: int) -> Sequence[Any]:
    known = COORDINATES.get(name, [])
    if len(known) == size:
        return known
    return range(1, size + 1) if name in COUNTED_FROM_1 else range(size)


def _variable(
    quantity: str, arrays: Mapping[Index, Array], outer: Outer
) -> xr.Variable:
    rank = next(iter(arrays.values())).ndim
    stacked = _stack(arrays, tuple(len(values) for values in outer.values()))
    return xr.Variable((*outer, *dimensions_of(quantity, rank)), stacked)


def make_dataset(
    quantity: str, variables: Mapping[str, Mapping[Index, Array]], outer: Outer
) -> xr.Dataset:
    """Return a dataset of `quantity`, whose numbers are its `value`.

    `variables` holds, by the names of arrays without what stands in front, the
    arrays by their places in `outer`; what stands after the quantity's name
    ("interval", "null_mean") becomes a variable beside `value`.
    """
    made = {
        name.removeprefix(quantity).removeprefix("/") or "value": _variable(
            name, arrays, outer
        )
        for name, arrays in variables.items()
    }
    coordinates: dict[str, Any] = dict(outer)
    for variable in made.values():
        for name, size in variable.sizes.items():
            coordinates.setdefault(str(name), _coordinates(str(name), size))
    named = {n: xr.Variable((n,), np.asarray(v)) for n, v in coordinates.items()}
    return xr.Dataset(made, named, attrs={"quantity": quantity})

"""Results in the formats of others."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from moeprobe.result.result_json import result_json
from moeprobe.result.summary_csv import summary_csv

if TYPE_CHECKING:
    from moeprobe.result.quantities import Quantities
    from moeprobe.result.result import Result


def _groups(part: str, quantities: Quantities) -> dict[str, xr.Dataset]:
    """Return datasets by names of groups, which have no slash inside."""
    return {f"{part}/{q.replace('/', '.')}": data for q, data in quantities.items()}


def make_tree(result: Result) -> xr.DataTree:
    """Return a tree with a group for each quantity, and result.json beside them.

    Groups are "model/grassmann.routed" and "baseline/nll"; the root's attribute
    "result" is the text of result.json.
    """
    root = xr.Dataset(attrs={"result": result_json(result.document)})
    groups = {"/": root}
    groups |= _groups("model", result.model)
    groups |= _groups("baseline", result.baseline)
    tree: xr.DataTree = xr.DataTree.from_dict(groups)
    return tree


def _write_npz(result: Result, path: pathlib.Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **dict(result.arrays))  # type: ignore[arg-type]


def _write_netcdf(result: Result, path: pathlib.Path) -> None:
    make_tree(result).to_netcdf(path, engine="h5netcdf")


def _write_zarr(result: Result, path: pathlib.Path) -> None:
    make_tree(result).to_zarr(path, mode="w", zarr_format=2, consolidated=True)


def _write_csv(result: Result, path: pathlib.Path) -> None:
    path.write_text(summary_csv(result.document))


def _write_json(result: Result, path: pathlib.Path) -> None:
    path.write_text(result_json(result.document))


_WRITERS: dict[str, Callable[[Result, pathlib.Path], None]] = {
    ".npz": _write_npz,
    ".nc": _write_netcdf,
    ".zarr": _write_zarr,
    ".csv": _write_csv,
    ".json": _write_json,
}


def export(result: Result, path: str | os.PathLike[str]) -> None:
    """Write a result in the format that the name of `path` ends with.

    .npz: all arrays; .nc and .zarr: a group for each quantity, with its
    dimensions, see `make_tree` (need the extra `export`); .csv: the table of
    means; .json: everything but the arrays. Raises ValueError for any other name.
    """
    target = pathlib.Path(path)
    if target.suffix not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise ValueError(f"{target.name!r} ends with none of {known}")
    _WRITERS[target.suffix](result, target)

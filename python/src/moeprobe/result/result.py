"""A result: arrays by name, quantities with named dimensions, means."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import tempfile
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from moeprobe.request.writer import request_yaml
from moeprobe.result.cells import CellIndex
from moeprobe.result.document import Document
from moeprobe.result.experiment import make_curves, make_variants
from moeprobe.result.export import export, make_tree
from moeprobe.result.names import part_name
from moeprobe.result.quantities import Quantities
from moeprobe.result.result_json import result_json
from moeprobe.result.summary_csv import summary_csv
from moeprobe.result.table import make_table

_ARRAYS = "arrays.npz"
_SUMMARY = "summary.csv"
_RESULT = "result.json"


class Result:
    """What a job computed.

    `result["jacobian_cosine/routed"]` is a dataset over layers and experts, and
    over data sets and the fields of a sweep where the job has several;
    `result.baseline[...]` is the same of the dense counterpart. Of an experiment
    it is one over variants, seeds and steps; see `curves` and `variants`. `arrays`
    holds everything by the names of arrays.npz.
    """

    def __init__(
        self, document: Document, arrays: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """`document`: as result.json has it."""
        self.document = document
        self.arrays = dict(sorted(arrays.items()))
        self.model = Quantities(self.arrays, self.cells, baseline=False)
        self.baseline = Quantities(self.arrays, self.cells, baseline=True)

    def __repr__(self) -> str:
        counts = f"{len(self.model)} quantities, {len(self.arrays)} arrays"
        return f"moeprobe.Result({self.job!r}, {counts})"

    def __getitem__(self, quantity: str) -> xr.Dataset:
        return self.model[quantity]

    def __contains__(self, quantity: object) -> bool:
        return quantity in self.model

    @property
    def job(self) -> str:
        """Name of the job, such as "jobs/17"."""
        return str(self.document["job"]["name"])

    @property
    def complete(self) -> bool:
        """Whether the job had succeeded when this was fetched."""
        return bool(self.document["complete"])

    @property
    def request(self) -> dict[str, Any]:
        """The request with every default filled in."""
        return dict(self.document["request"])

    @property
    def request_yaml(self) -> str:
        """The same as a request file."""
        return request_yaml(self.request)

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting a number."""
        return list(self.document["warnings"])

    @property
    def provenance(self) -> list[dict[str, Any]]:
        """Where the numbers come from, for each model on each data set."""
        return list(self.document["provenance"])

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The cells of a sweep or an experiment, with their settings."""
        return list(self.document.get("cells", []))

    def table(self) -> pd.DataFrame:
        """Return the means by part, layer and quantity.

        With mean, std, count, se, interval, nulls and p: see docs/quantities.md.
        """
        return make_table(self.document)

    def curves(self, quantity: str = "") -> pd.DataFrame:
        """Return how training went, a row for each number; of one quantity or all.

        Columns are variant, gates ("own", or whose they are), seed, step, quantity,
        layer (-1: the whole model), expert (-1: all) and value. Quantities are
        those of `table`, at the steps where models were probed ("loss" and
        "held_out_loss" among them), and "training/loss", "training/balance_loss",
        "training/gradient_norm" and "training/learning_rate" of every step, and
        "training/held_out_loss", "training/expert_tokens" and
        "training/expert_gates" of every evaluation. Of a job that runs, so far.
        Raises NotFoundError for a job that trained nothing.
        """
        if not quantity:
            return cast("pd.DataFrame", self._curves.copy())
        of_quantity = self._curves[self._curves["quantity"] == quantity]
        return cast("pd.DataFrame", of_quantity.reset_index(drop=True))

    def variants(self) -> pd.DataFrame:
        """Return the variants of an experiment side by side, a row for each mean.

        Columns are quantity, layer, variant, gates, step (the last one there is),
        seeds (how many), mean, std and the means of the nulls. Means are over
        seeds; std is the sample deviation over seeds (n - 1), or over pairs of
        experts where there is one seed. Raises NotFoundError for a job that
        trained nothing.
        """
        return cast("pd.DataFrame", self._variants.copy())

    @functools.cached_property
    def _curves(self) -> pd.DataFrame:
        return make_curves(self.document, self.arrays)

    @functools.cached_property
    def _variants(self) -> pd.DataFrame:
        return make_variants(self.document)

    def select(self, cell: int = 0, data: int = 0) -> Result:
        """Return one cell of several on one data set as a result of its own."""
        index = CellIndex(self.cells)
        prefix = self.cells[cell]["prefix"] if self.cells else ""
        if self._has_data_sets(prefix):
            prefix += f"data{data}/"
        size = len(prefix)
        arrays = {
            name[size:]: array
            for name, array in self.arrays.items()
            if name.startswith(prefix) and index.split(name)[0] in (cell, -1)
        }
        document = {k: v for k, v in self.document.items() if k != "cells"}
        parts = {part_name(prefix), part_name(f"{prefix}baseline/")}
        for key in ("summary", "provenance"):
            document[key] = [
                {**entry, "part": entry["part"][size:]}
                for entry in document[key]
                if entry["part"] in parts
            ]
        return Result(document, arrays)

    def _has_data_sets(self, prefix: str) -> bool:
        """Tell whether names behind `prefix` say which data set they are of."""
        parts = (entry["part"] for entry in self.document["summary"])
        numbered = re.compile(rf"{re.escape(prefix)}data\d+/")
        return any(numbered.match(name) for name in (*self.arrays, *parts))

    def tree(self) -> xr.DataTree:
        """Return all quantities as one tree of datasets: "model/grassmann.routed"."""
        return make_tree(self)

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write it as .npz, .nc (netCDF), .zarr, .csv or .json, by its name."""
        export(self, path)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write the files that `moeprobe-client fetch` writes.

        They are arrays.npz, summary.csv and result.json in `directory`, which is
        made where it is missing; they replace what has these names, whole.
        """
        target = pathlib.Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".moeprobe-", dir=target) as name:
            staging = pathlib.Path(name)
            np.savez(staging / _ARRAYS, **cast("Any", self.arrays))
            (staging / _SUMMARY).write_text(summary_csv(self.document))
            (staging / _RESULT).write_text(result_json(self.document))
            for file in (_ARRAYS, _SUMMARY, _RESULT):
                (staging / file).replace(target / file)


def load(directory: str | os.PathLike[str]) -> Result:
    """Return the result that `Result.save` or `moeprobe-client fetch` wrote."""
    folder = pathlib.Path(directory)
    document = json.loads((folder / _RESULT).read_text())
    with np.load(folder / _ARRAYS, allow_pickle=False) as arrays:
        return Result(document, dict(arrays))

"""What an experiment says: curves over training, and variants side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from moeprobe.errors import NotFoundError
from moeprobe.request.described import is_experiment
from moeprobe.result.cells import OWN, CellIndex, settings_of
from moeprobe.result.document import Document
from moeprobe.result.nulls import NULLS
from moeprobe.result.table import make_table

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]

_CURVES = (
    "variant",
    "gates",
    "seed",
    "step",
    "quantity",
    "layer",
    "expert",
    "value",
)
_OF_STEPS = ("loss", "balance_loss", "gradient_norm", "learning_rate")
_OF_USE = ("expert_tokens", "expert_gates")
_KEYS = ["quantity", "layer", "variant", "gates"]
_NUMBERS = ["mean", "std", *(f"{n.prefix}null_{x}" for n in NULLS for x in ("mean",))]


def check_is_experiment(document: Document) -> None:
    """Raise NotFoundError unless a job trained something."""
    if not is_experiment(document["request"]):
        name = document["job"]["name"]
        raise NotFoundError(f"{name} trained nothing: only kind: train has steps")


def _last_cells(document: Document, names: Iterable[str]) -> dict[tuple[str, int], int]:
    """Return, by variant and seed, the last step that any of `names` is of.

    All cells of a job are there from its beginning on, what they hold is not.
    """
    cells = document.get("cells", [])
    index, settings = CellIndex(cells), settings_of(cells)
    last: dict[tuple[str, int], int] = {}
    for cell in sorted({index.split(name)[0] for name in names} - {-1}):
        at = settings[cell]
        if at.get("gates", OWN) != OWN:
            continue
        key = (at["variant"], at["seed"])
        if key not in last or settings[last[key]]["step"] < at["step"]:
            last[key] = cell
    return last


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.DataFrame(columns)
    return frame


def _run_frame(steps: Array, quantity: str, values: Array) -> pd.DataFrame:
    """Return a frame of numbers by step, layer and expert; -1 where there is none."""
    if values.ndim == 1:
        return _frame(
            {"step": steps, "quantity": quantity, "layer": -1, "expert": -1,
             "value": values.astype(float)}
        )  # fmt: skip
    _, layers, experts = values.shape
    step, layer, expert = np.meshgrid(
        steps, np.arange(layers), np.arange(experts), indexing="ij"
    )
    return _frame(
        {"step": step.ravel(), "quantity": quantity, "layer": layer.ravel(),
         "expert": expert.ravel(), "value": values.ravel().astype(float)}
    )  # fmt: skip


def _run_frames(arrays: Arrays, prefix: str) -> Iterator[pd.DataFrame]:
    """Yield what a run found on its way."""
    for name in _OF_STEPS:
        values = arrays.get(f"{prefix}training/{name}")
        if values is not None:
            every = np.arange(1, len(values) + 1)
            yield _run_frame(every, f"training/{name}", values)
    steps = arrays.get(f"{prefix}training/evaluation_step")
    for name in ("held_out_loss", *_OF_USE):
        values = arrays.get(f"{prefix}training/{name}")
        if steps is not None and values is not None:
            yield _run_frame(steps, f"training/{name}", values)


def _with_gates(table: pd.DataFrame) -> pd.DataFrame:
    found: pd.DataFrame = table if "gates" in table else table.assign(gates=OWN)
    return found


def _means(document: Document) -> pd.DataFrame:
    """Return the means of every step of every run."""
    table = _with_gates(make_table(document))
    table = table[table["variant"].notna() & table["mean"].notna()]
    whole = {"seed": "int64", "step": "int64"}
    found: pd.DataFrame = table.astype(whole)
    return found


def make_curves(document: Document, arrays: Arrays) -> pd.DataFrame:
    """Return a row for each variant, gates, seed, step, quantity, layer and expert.

    See `Result.curves`.
    """
    check_is_experiment(document)
    if not document.get("cells"):
        return _frame({name: [] for name in _CURVES})
    means = _means(document).rename(columns={"mean": "value"}).assign(expert=-1)
    frames = [means[list(_CURVES)]]
    for (variant, seed), cell in _last_cells(document, arrays).items():
        prefix = document["cells"][cell]["prefix"]
        frames += [
            frame.assign(variant=variant, gates=OWN, seed=seed)[list(_CURVES)]
            for frame in _run_frames(arrays, prefix)
        ]
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    found: pd.DataFrame = pd.concat(filled, ignore_index=True)
    return found


def make_variants(document: Document) -> pd.DataFrame:
    """Return the means of each variant at its last step; see `Result.variants`."""
    check_is_experiment(document)
    columns = ["step", "seeds", *_NUMBERS]
    means = _means(document) if document.get("cells") else pd.DataFrame()
    if means.empty:
        return _frame({name: [] for name in (*_KEYS, *columns)})
    last = means.groupby(_KEYS, sort=False)["step"].transform("max")
    groups = means[means["step"] == last].groupby(_KEYS, sort=False)
    frame = (
        groups[_NUMBERS].mean().assign(step=groups["step"].first(), seeds=groups.size())
    )
    spread = groups["mean"].std(ddof=1)
    frame["std"] = spread.where(frame["seeds"] > 1, groups["std"].first())
    found: pd.DataFrame = frame.reset_index()[[*_KEYS, *columns]]
    return found


def cells_at_the_end(document: Document) -> list[int]:
    """Return, for each variant, the cell of the last step of its first seed."""
    parts = (layer["part"] for layer in document["summary"])
    first: dict[str, int] = {}
    for (variant, _), cell in _last_cells(document, parts).items():
        first.setdefault(variant, cell)
    return list(first.values())

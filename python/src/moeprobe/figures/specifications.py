"""What a claim comes to under every reading of it (Simonsohn et al. 2020)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from moeprobe.figures.colours import COLOURS, GREY
from moeprobe.figures.figure import (
    Axis,
    ColourScale,
    Figure,
    Heat,
    Level,
    Mark,
    Panel,
    Points,
)
from moeprobe.result.nulls import NULLS
from moeprobe.result.result import Result
from moeprobe.result.table import rows_of

_SYMBOLS = ("circle", "square", "triangle")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One mean against one null; z is its distance in the null's deviations."""

    part: str
    layer: int
    reading: str
    null: str
    z: float


def claim_of(quantity: str) -> tuple[str, str]:
    """Return claim and reading: "effective_rank" and "routed" of "pca/routed/..."."""
    first, _, rest = quantity.partition("/")
    if first != "pca":
        return first, rest
    reading, _, claim = rest.partition("/")
    return claim, reading


def _outcomes_of(row: dict[str, Any], reading: str) -> list[Outcome]:
    found = []
    for null in NULLS:
        mean, std = row[f"{null.prefix}null_mean"], row[f"{null.prefix}null_std"]
        if mean is not None and row["mean"] is not None and (std or 0) > 0:
            z = (row["mean"] - mean) / std
            outcome = Outcome(row["part"], row["layer"], reading, null.title, z)
            found.append(outcome)
    return found


def outcomes_of(result: Result, claim: str) -> list[Outcome]:
    """Return every mean of a claim against every null, the least first."""
    found = []
    for row in rows_of(result.document):
        of, reading = claim_of(row["quantity"])
        if of == claim:
            found += _outcomes_of(row, reading)
    return sorted(found, key=lambda outcome: outcome.z)


def _curve(outcomes: list[Outcome]) -> Panel:
    z = np.array([outcome.z for outcome in outcomes])
    marks: list[Mark] = [Level(0.0, "as the null", GREY)]
    for null, colour, symbol in zip(NULLS, COLOURS, _SYMBOLS, strict=False):
        at = np.array([i for i, o in enumerate(outcomes) if o.null == null.title], int)
        if len(at):
            marks.append(Points(at, z[at], null.title, colour, symbol=symbol))
    label = "distance from the null, in its deviations"
    return Panel("outcomes", Axis("reading, by outcome"), Axis(label), marks)


def _by_reading(outcomes: list[Outcome]) -> Panel:
    """Return the mean z of each reading in each layer."""
    readings = sorted({outcome.reading for outcome in outcomes})
    layers = sorted({outcome.layer for outcome in outcomes})
    cells: dict[tuple[str, int], list[float]] = {}
    for outcome in outcomes:
        cells.setdefault((outcome.reading, outcome.layer), []).append(outcome.z)
    matrix = np.array(
        [[np.mean(cells.get((r, at), [np.nan])) for at in layers] for r in readings]
    )
    heat = Heat(matrix, readings, [str(layer) for layer in layers])
    return Panel("mean over nulls", Axis("layer"), Axis("reading"), [heat])


def specification_curve(result: Result, claim: str = "grassmann") -> Figure:
    """Draw what a claim comes to in every reading, layer, part and null.

    Claims are quantities without their reading: "jacobian_cosine", "grassmann",
    "effective_rank". `examples/specification.yaml` asks for all readings.
    """
    outcomes = outcomes_of(result, claim)
    panels = [_curve(outcomes), _by_reading(outcomes)] if outcomes else []
    most = max((abs(outcome.z) for outcome in outcomes), default=1.0)
    return Figure(
        f"specification-{claim}",
        f"{claim} in every reading",
        "Each point is a mean of one weighting or convention in one layer against one "
        "null. A claim holds where all of them are on one side, far from 0.",
        panels,
        columns=2,
        colours=ColourScale("mean distance", (-most, most), is_diverging=True),
    )

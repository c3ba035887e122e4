"""Jobs beside each other, with the same limits."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from moeprobe.dashboard.views.explorer import choices_of, matrix_of, title_of
from moeprobe.figures.colours import COLOURS
from moeprobe.figures.figure import (
    Axis,
    Figure,
    Histogram,
    Mark,
    Panel,
    Points,
    finite_limits,
)
from moeprobe.figures.layers import MEANS
from moeprobe.figures.panels import distribution_panel, pairs_of
from moeprobe.request.described import subject_of
from moeprobe.result.result import Result

MOST_JOBS = 6
_SYMBOLS = ("circle", "square", "triangle")
_APART = 0.12  # between jobs at one layer


@dataclasses.dataclass(frozen=True)
class Common:
    """What several results have to show: layers and matrices that any has."""

    layers: list[int]
    quantities: list[str]


def asked_jobs(text: str) -> list[int]:
    """Return the numbers in "17,18"; each once, at most six."""
    numbers = [int(n) for n in re.findall(r"\d{1,15}", text)]
    return list(dict.fromkeys(numbers))[:MOST_JOBS]


def common_choices(results: Sequence[Result]) -> Common:
    """Return what there is to compare."""
    found = [choices_of(result) for result in results]
    layers = sorted({layer for choices in found for layer in choices.layers})
    quantities = [q for choices in found for q in (*choices.left, *choices.right)]
    return Common(layers, list(dict.fromkeys(quantities)))


def title_of_job(result: Result) -> str:
    """Return "17: its name"."""
    label = result.request.get("name") or subject_of(result.request)
    return f"{result.job.removeprefix('jobs/')}: {label}"


def distributions(results: Sequence[Result], quantity: str, layer: int) -> Figure:
    """Draw how the pairs of a layer are spread in each job, with the same limits."""
    found = [(r, matrix_of(r, quantity, layer)) for r in results]
    known = [(r, matrix) for r, matrix in found if matrix is not None]
    low, high = finite_limits(*(pairs_of(matrix) for _, matrix in known))
    margin = 0.05 * (high - low)
    limits = (low - margin, high + margin)
    panels = [
        distribution_panel(
            title_of_job(r), title_of(quantity), r[quantity].sel(layer=layer), limits
        )
        for r, _ in known
    ]
    return Figure(
        "compared-distributions",
        f"Pairs of layer {layer}: {title_of(quantity)}",
        "All pairs of experts; the means' intervals and random routers where the jobs "
        "have them.",
        _with_same_heights(panels),
        columns=max(min(len(panels), 3), 1),
    )


def _with_same_heights(panels: list[Panel]) -> list[Panel]:
    marks = [mark for panel in panels for mark in panel.marks]
    counts = [int(m.counts.max()) for m in marks if isinstance(m, Histogram)]
    top = (0.0, 1.05 * max([1, *counts]))
    return [
        dataclasses.replace(panel, y=dataclasses.replace(panel.y, limits=top))
        for panel in panels
    ]


def means_over_layers(results: Sequence[Result]) -> Figure:
    """Draw the means of all jobs by layer, a panel for each quantity."""
    panels = [
        panel
        for quantity, label in MEANS
        if (panel := _means(results, quantity, label)).marks
    ]
    return Figure(
        "compared-means",
        "Means by layer",
        "Bars are 95 % intervals. Intervals of differences: moeprobe-client compare.",
        panels,
        columns=max(min(len(panels), 3), 1),
    )


def _means(results: Sequence[Result], quantity: str, label: str) -> Panel:
    marks: list[Mark] = []
    for place, result in enumerate(results):
        table = result.table()
        rows = table[(table.quantity == quantity) & (table.part == "model")]
        rows = rows[(rows.layer >= 0) & rows["mean"].notna()].sort_values("layer")
        if len(rows):
            low = rows.interval_low.to_numpy(float)
            has_interval = bool(np.isfinite(low).any())
            marks.append(
                Points(
                    rows.layer.to_numpy(float) + _APART * place,
                    rows["mean"].to_numpy(float),
                    title_of_job(result),
                    COLOURS[place % len(COLOURS)],
                    low if has_interval else None,
                    rows.interval_high.to_numpy(float) if has_interval else None,
                    _SYMBOLS[place % len(_SYMBOLS)],
                )
            )
    return Panel(label, Axis("layer", is_count=True), Axis(label), marks)

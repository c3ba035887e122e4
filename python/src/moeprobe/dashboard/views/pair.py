"""Everything that a result says of two experts of a layer."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from moeprobe.dashboard.views.explorer import matrix_of, pair_quantities, title_of
from moeprobe.dashboard.views.pair_figure import pair_figure
from moeprobe.figures.figure import Array, Figure
from moeprobe.figures.panels import pairs_of
from moeprobe.figures.spectra import at_layer
from moeprobe.report.numbers import ABSENT, decimals, number, share
from moeprobe.report.tables import Table
from moeprobe.result.nulls import NULLS
from moeprobe.result.result import Result

_RANK = "rank among pairs"


@dataclasses.dataclass(frozen=True)
class PairDetail:
    """Two experts: facts of each, numbers of the pair, and their spectra."""

    first: int
    second: int
    facts: list[tuple[str, str]]
    table: Table
    figure: Figure


def pair_detail(
    result: Result, layer: int, first: int, second: int
) -> PairDetail | None:
    """Return what there is of a pair; None where the layer has no such experts.

    `result`: everything of a layer, of one cell and data set.
    """
    count = _expert_count(result, layer)
    if not (0 <= first < count and 0 <= second < count and first != second):
        return None
    pair = (first, second)
    return PairDetail(
        first,
        second,
        _facts(result, layer, pair),
        _table(result, layer, pair),
        pair_figure(result, layer, pair),
    )


def _expert_count(result: Result, layer: int) -> int:
    found = (matrix_of(result, q, layer) for q in pair_quantities(result))
    return next((len(matrix) for matrix in found if matrix is not None), 0)


def _facts(result: Result, layer: int, pair: tuple[int, int]) -> list[tuple[str, str]]:
    facts = []
    counts = at_layer(result.model, "expert_count", layer)
    gates = at_layer(result.model, "gate_mean", layer)
    for expert in pair:
        if counts is not None:
            even = counts[expert] / np.nanmean(counts)
            load = f"{int(counts[expert]):,} tokens, {even:.2f} \N{MULTIPLICATION SIGN}"
            facts.append((f"load of {expert}", f"{load} an even share"))
        if gates is not None:
            facts.append((f"mean gate of {expert}", number(float(gates[expert]), 3)))
    together = matrix_of(result, "coactivation", layer)
    if together is not None and counts is not None:
        facts.append(("together", _together(result, together, counts, pair)))
    return facts


def _together(
    result: Result, together: Array, counts: Array, pair: tuple[int, int]
) -> str:
    shared = together[pair]
    tokens = {p["part"]: p["token_count"] for p in result.provenance}.get("model", 0)
    text = f"{int(shared):,} tokens"
    expected = counts[pair[0]] * counts[pair[1]] / tokens if tokens else 0.0
    if expected:
        times = f"{shared / expected:.2f} \N{MULTIPLICATION SIGN}"
        text += f", {times} what independent choices give"
    return text


def _table(result: Result, layer: int, pair: tuple[int, int]) -> Table:
    rows = [
        row
        for quantity in pair_quantities(result)
        if quantity != "coactivation"  # a fact
        for row in _row(result, layer, quantity, pair)
    ]
    nulls = [n for n in NULLS if any(n.title in row for row in rows)]
    titles = ["", "this pair", _RANK, "mean of all pairs"]
    titles += [t for n in nulls for t in (n.title, f"p, {n.title}")]
    keys = ["name", *titles[1:]]
    return Table(titles, [[row.get(key, ABSENT) for key in keys] for row in rows])


def _row(
    result: Result, layer: int, quantity: str, pair: tuple[int, int]
) -> list[dict[str, str]]:
    """Return a line of the table, or none where the pair has no such number."""
    matrix = matrix_of(result, quantity, layer)
    pairs = np.empty(0) if matrix is None else pairs_of(matrix)
    if matrix is None or not len(pairs):
        return []
    value = float(matrix[pair])
    nulls = {n.title: _null(result, layer, quantity, n.prefix) for n in NULLS}
    known = {title: null for title, null in nulls.items() if null is not None}
    places = decimals(pairs, [float(pairs.std()), *(n[1] for n in known.values())])
    spread = f"{number(pairs.mean(), places)} \N{PLUS-MINUS SIGN} "
    row = {
        "name": title_of(quantity),
        "this pair": number(value, places),
        _RANK: _rank(value, pairs),
        "mean of all pairs": spread + number(pairs.std(), places),
    }
    for title, (mean, std, p) in known.items():
        row[title] = f"{number(mean, places)} \N{PLUS-MINUS SIGN} {number(std, places)}"
        row[f"p, {title}"] = share(p)
    return [row]


def _rank(value: float, pairs: Array) -> str:
    if not math.isfinite(value):
        return ABSENT
    return f"{int((pairs > value).sum()) + 1} of {len(pairs)}"


def _null(
    result: Result, layer: int, quantity: str, prefix: str
) -> tuple[float, float, float] | None:
    """Return mean, deviation and p of the layer's mean under a null."""
    data = result[quantity].sel(layer=layer)
    names = [f"{prefix}{name}" for name in ("null_mean", "null_std", "p")]
    if any(name not in data for name in names):
        return None
    mean, std, p = (float(data[name].item()) for name in names)
    return (mean, std, p) if math.isfinite(mean) else None

"""Everything that a result says of two experts of a layer."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from moeprobe.dashboard.views.explorer import matrix_of, pair_quantities, title_of
from moeprobe.figures.colours import BLUE, GREY, ORANGE
from moeprobe.figures.figure import (
    Array,
    Axis,
    Bars,
    Figure,
    Level,
    Line,
    Mark,
    Panel,
    Points,
)
from moeprobe.figures.panels import pairs_of, shares_of, shown_ranks
from moeprobe.figures.spectra import at_layer
from moeprobe.report.numbers import ABSENT, decimals, number, share
from moeprobe.report.tables import Table
from moeprobe.result.nulls import NULLS
from moeprobe.result.quantities import Quantities
from moeprobe.result.result import Result

_COLOURS = (BLUE, ORANGE)
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
        _figure(result, layer, pair),
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


def _figure(result: Result, layer: int, pair: tuple[int, int]) -> Figure:
    panels = [
        *_jacobian_panels(result.model, layer, pair),
        *_variance_panels(result.model, layer, pair),
        *_angle_panels(result.model, layer, pair),
        *_load_panels(result.model, layer, pair),
    ]
    return Figure(
        "pair",
        f"Experts {pair[0]} and {pair[1]} of layer {layer}",
        "Bands of singular values are deviations from token to token; dashed: of "
        "averaged Jacobians.",
        panels,
        columns=2,
    )


def _named(pair: tuple[int, int]) -> list[tuple[int, str, str]]:
    return [(e, f"expert {e}", c) for e, c in zip(pair, _COLOURS, strict=True)]


def _jacobian_panels(
    part: Quantities, layer: int, pair: tuple[int, int]
) -> list[Panel]:
    marks: list[Mark] = []
    mean = at_layer(part, "singular_values_mean", layer)
    std = at_layer(part, "singular_values_std", layer)
    for expert, name, colour in _named(pair):
        if mean is not None and std is not None:
            low = np.maximum(mean[expert] - std[expert], 1e-3 * mean[expert])
            high = mean[expert] + std[expert]
            ranks = np.arange(1, len(high) + 1)
            marks.append(Line(ranks, mean[expert], name, colour, low, high))
    marks += _averaged(part, layer, pair)
    if not marks:
        return []
    axis = Axis("singular value \N{GREEK SMALL LETTER SIGMA}\u1d62", is_log=True)
    title = "Jacobians at single tokens" if mean is not None else "averaged Jacobians"
    return [Panel(title, Axis("rank i", is_log=True), axis, marks)]


def _averaged(part: Quantities, layer: int, pair: tuple[int, int]) -> list[Mark]:
    for weighting in ("routed", "gate", "all"):
        quantity = f"jacobian_mean_singular_values/{weighting}"
        values = at_layer(part, quantity, layer)
        if values is not None:
            ranks = np.arange(1, values.shape[1] + 1)
            return [
                Line(ranks, values[e], f"{name}, averaged", colour, is_dashed=True)
                for e, name, colour in _named(pair)
            ]
    return []


def _variance_panels(
    part: Quantities, layer: int, pair: tuple[int, int]
) -> list[Panel]:
    for convention in ("routed", "sample_weighted", "all_tokens"):
        values = at_layer(part, f"pca/{convention}/eigenvalues", layer)
        if values is not None:
            shares = shares_of(values).cumsum(axis=1)
            ranks = shown_ranks(shares.shape[1])
            marks: list[Mark] = [
                Line(ranks, shares[e, ranks - 1], name, colour)
                for e, name, colour in _named(pair)
            ]
            title = f"variance of inputs, {convention}"
            x = Axis("component", is_log=True)
            return [Panel(title, x, Axis("cumulative variance", (0, 1.02)), marks)]
    return []


def _angle_panels(part: Quantities, layer: int, pair: tuple[int, int]) -> list[Panel]:
    for convention in ("routed", "sample_weighted", "all_tokens"):
        angles = at_layer(part, f"principal_angles/{convention}", layer)
        if angles is not None:
            found = angles[pair]
            ranks = np.arange(1, len(found) + 1)
            marks: list[Mark] = [
                Points(ranks, found, "principal angles", BLUE),
                Level(math.pi / 2, "orthogonal", GREY),
            ]
            x = Axis("angle", (0.5, len(found) + 0.5), is_count=True)
            title = f"principal angles, {convention}"
            return [Panel(title, x, Axis("radians", (0, 1.65)), marks)]
    return []


def _load_panels(part: Quantities, layer: int, pair: tuple[int, int]) -> list[Panel]:
    counts = at_layer(part, "expert_count", layer)
    if counts is None:
        return []
    share = counts / np.nanmean(counts)
    experts = np.arange(len(share))
    others = np.setdiff1d(experts, pair)
    marks: list[Mark] = [Bars(others, share[others], "other experts", GREY)]
    marks += [
        Bars(np.array([e]), share[[e]], name, colour)
        for e, name, colour in _named(pair)
    ]
    marks.append(Level(1.0, "even", GREY))
    y = Axis("load / even load")
    return [Panel("load", Axis("expert", is_count=True), y, marks)]

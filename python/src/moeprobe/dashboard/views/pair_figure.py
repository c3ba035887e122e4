"""Two experts of a layer in one figure: spectra, angles, loads."""

from __future__ import annotations

import math

import numpy as np

from moeprobe.figures.colours import BLUE, GREY, ORANGE
from moeprobe.figures.figure import (
    Axis,
    Bars,
    Figure,
    Level,
    Line,
    Mark,
    Panel,
    Points,
)
from moeprobe.figures.panels import shares_of, shown_ranks
from moeprobe.figures.spectra import at_layer
from moeprobe.result.quantities import Quantities
from moeprobe.result.result import Result

_COLOURS = (BLUE, ORANGE)
_CONVENTIONS = ("routed", "sample_weighted", "all_tokens")


def pair_figure(result: Result, layer: int, pair: tuple[int, int]) -> Figure:
    """Return what can be drawn of a pair; a figure without panels if nothing can."""
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
    for convention in _CONVENTIONS:
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
    for convention in _CONVENTIONS:
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

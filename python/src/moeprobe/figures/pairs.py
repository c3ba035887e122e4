"""Pairs of experts: how aligned, how far apart, in heat and as distributions."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from moeprobe.figures.figure import (
    ColourScale,
    Figure,
    Panel,
    finite_limits,
    symmetric_limits,
)
from moeprobe.figures.panels import (
    distribution_panel,
    heat_panel,
    order_of,
    pairs_of,
    without_diagonal,
)
from moeprobe.request.described import probes_of
from moeprobe.result.result import Result

COSINE = "cosine of averaged Jacobians"
DISTANCE = "Grassmann distance"
_ORDER = "Experts that are alike are neighbours (average linkage in each layer)."


def by_layer(quantity: xr.Dataset) -> list[tuple[int, xr.Dataset]]:
    """Return the layers of a quantity that have pairs of experts."""
    numbers = quantity.layer.values.tolist()
    layers = ((layer, quantity.isel(layer=i)) for i, layer in enumerate(numbers))
    return [(layer, at) for layer, at in layers if len(pairs_of(at.value.values)) > 0]


def _columns(count: int) -> int:
    """Return how many of `count` panels stand in a row."""
    return min(count, 4) if count <= 12 else 6  # noqa: PLR2004


def _heat(
    result: Result, quantity: str, *, title: str, label: str, is_distance: bool
) -> Figure:
    layers = by_layer(result[quantity])
    matrices = [at.value.values for _, at in layers]
    shown = [without_diagonal(matrix) for matrix in matrices]
    panels = [
        heat_panel(f"layer {layer}", matrix, order_of(matrix, is_distance=is_distance))
        for (layer, _), matrix in zip(layers, matrices, strict=True)
    ]
    limits = finite_limits(*shown) if is_distance else symmetric_limits(*shown)
    scale = ColourScale(label, limits, is_diverging=not is_distance)
    name = quantity.replace("/", "-")
    return Figure(name, title, _ORDER, panels, _columns(len(panels)), scale)


def alignment(result: Result, weighting: str = "routed") -> Figure:
    """Draw cosines of averaged Jacobians (`jacobian_cosine/{weighting}`)."""
    return _heat(
        result,
        f"jacobian_cosine/{weighting}",
        title=f"Alignment of experts' Jacobians, {weighting}",
        label=COSINE,
        is_distance=False,
    )


def distance(result: Result, convention: str = "routed") -> Figure:
    """Draw distances between routed subspaces (`grassmann/{convention}`)."""
    return _heat(
        result,
        f"grassmann/{convention}",
        title=f"Distance of experts' subspaces, {convention}",
        label=DISTANCE,
        is_distance=True,
    )


def output_similarity(result: Result) -> Figure:
    """Draw cosines of experts' outputs on the same tokens."""
    return _heat(
        result,
        "output_similarity",
        title="Similarity of experts' outputs",
        label="mean cosine of outputs",
        is_distance=False,
    )


def coactivation(result: Result) -> Figure:
    """Draw how often two experts are chosen for the same token."""
    tokens = _tokens(result)
    layers = by_layer(result["coactivation"])
    shares = [at.value.values / (tokens or 1) for _, at in layers]
    panels = [
        heat_panel(f"layer {layer}", share)
        for (layer, _), share in zip(layers, shares, strict=True)
    ]
    limits = (0.0, finite_limits(*map(without_diagonal, shares))[1])
    return Figure(
        "coactivation",
        "Experts that work together",
        "Tokens that are routed to both experts.",
        panels,
        _columns(len(panels)),
        ColourScale("share of tokens" if tokens else "tokens", limits),
    )


def _tokens(result: Result) -> int:
    """Return how many tokens there were; 0 of a job that has not said it yet."""
    parts = {p["part"]: p["token_count"] for p in result.provenance}
    return int(parts.get("model", 0))


def _distribution(result: Result, quantity: str, *, title: str, label: str) -> Figure:
    layers = by_layer(result[quantity])
    extras = [np.array([at.null_mean.item()]) for _, at in layers if "null_mean" in at]
    limits = finite_limits(*(pairs_of(at.value.values) for _, at in layers), *extras)
    margin = 0.05 * (limits[1] - limits[0])
    limits = (limits[0] - margin, limits[1] + margin)
    panels: list[Panel] = [
        distribution_panel(f"layer {layer}", label, at, limits) for layer, at in layers
    ]
    return Figure(
        f"{quantity.replace('/', '-')}-distribution",
        title,
        "All pairs of experts. A mean says something of the routing only where it is "
        "apart from what random routers of the same loads give.",
        panels,
        _columns(len(panels)),
    )


def alignment_distribution(result: Result, weighting: str = "routed") -> Figure:
    """Draw the distribution of alignments, with mean, interval and null."""
    return _distribution(
        result,
        f"jacobian_cosine/{weighting}",
        title=f"Distribution of alignments, {weighting}",
        label=COSINE,
    )


def distance_distribution(result: Result, convention: str = "routed") -> Figure:
    """Draw the distribution of distances, with mean, interval and null."""
    most = largest_distance(result)
    limit = f" (at most {most:.2f})" if most else ""
    return _distribution(
        result,
        f"grassmann/{convention}",
        title=f"Distribution of distances, {convention}{limit}",
        label=DISTANCE,
    )


def largest_distance(result: Result) -> float:
    """Return the distance of orthogonal subspaces; 0 where none were compared."""
    components = probes_of(result.request).get("pca", {}).get("components", 0)
    return math.pi / 2 * math.sqrt(components)

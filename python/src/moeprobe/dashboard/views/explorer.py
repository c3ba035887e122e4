"""A layer's pairs of experts as two matrices in one order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from moeprobe.figures.cluster_order import cluster_order
from moeprobe.figures.figure import (
    Array,
    ColourScale,
    Figure,
    finite_limits,
    symmetric_limits,
)
from moeprobe.figures.panels import heat_panel, pairs_of, without_diagonal
from moeprobe.figures.spectra import at_layer
from moeprobe.result.result import Result

# Matrices over pairs by their side, and what they are called.
_ALIGNMENTS = ("jacobian_cosine/", "jacobian_cosine_corrected/", "output_similarity")
_DISTANCES = ("grassmann/", "coactivation", "weight_overlap/")
_TITLES = {
    "jacobian_cosine/": "cosine, {}",
    "jacobian_cosine_corrected/": "corrected cosine, {}",
    "output_similarity": "cosine of outputs",
    "grassmann/": "distance, {}",
    "coactivation": "co-activation",
    "weight_overlap/": "overlap of weights, {}",
}
_ASIDES = ("_error", "/split_half_between", "/split_half_within")
_PAIRS = ("expert", "other_expert")
ORDERS = (
    ("number", "by number"),
    ("left", "alike on the left"),
    ("right", "alike on the right"),
)


@dataclasses.dataclass(frozen=True)
class Choices:
    """What there is to look at: layers, and quantities for both sides."""

    layers: list[int]
    left: list[str]
    right: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether there are no pairs of experts at all."""
        return not self.layers or not (self.left or self.right)


def title_of(quantity: str) -> str:
    """Return what a matrix over pairs is called."""
    for start, title in _TITLES.items():
        if quantity.startswith(start):
            return title.format(quantity.removeprefix(start))
    return quantity


def _of(result: Result, starts: tuple[str, ...]) -> list[str]:
    found = [q for q in result.model if q.startswith(starts) and _has_pairs(result, q)]
    places = {start: place for place, start in enumerate(starts)}

    def rank(quantity: str) -> tuple[int, bool, str]:
        start = next(s for s in starts if quantity.startswith(s))
        return places[start], not quantity.endswith("/routed"), quantity

    return sorted(found, key=rank)


def _has_pairs(result: Result, quantity: str) -> bool:
    says_of_another = quantity.endswith(_ASIDES)
    return not says_of_another and result[quantity].value.dims[-2:] == _PAIRS


def choices_of(result: Result) -> Choices:
    """Return what the matrices of a result have to show."""
    left, right = _of(result, _ALIGNMENTS), _of(result, _DISTANCES)
    layers = {
        layer for q in (*left, *right) for layer in result[q].layer.values.tolist()
    }
    return Choices(sorted(layers), left, right)


def pair_quantities(result: Result) -> list[str]:
    """Return every quantity of pairs of experts, alignments first."""
    return _of(result, (*_ALIGNMENTS, *_DISTANCES))


def matrix_of(result: Result, quantity: str, layer: int) -> Array | None:
    """Return a layer's matrix [E, E], if it has one with any number."""
    return at_layer(result.model, quantity, layer)


def order_of(
    result: Result, layer: int, left: str, right: str, order: str
) -> Array | None:
    """Return the order of experts that a reader chose, for both sides."""
    if order == "number":
        return None
    quantity = left if order == "left" else right
    matrix = matrix_of(result, quantity, layer)
    if matrix is None:
        return None
    return cluster_order(matrix if _is_distance(quantity) else -matrix)


def _is_distance(quantity: str) -> bool:
    return quantity.startswith("grassmann/")


def _is_diverging(quantity: str) -> bool:
    return quantity.startswith(("jacobian_cosine", "output_similarity"))


def _scale(results: Sequence[Result], quantity: str) -> ColourScale:
    """Return colours with the same limits for all layers of all results."""
    shown = [
        without_diagonal(matrix)
        for result in results
        if quantity in result
        for matrix in result[quantity].value.values
    ]
    if _is_diverging(quantity):
        return ColourScale(title_of(quantity), symmetric_limits(*shown), True)  # noqa: FBT003
    limits = finite_limits(*shown)
    low = limits[0] if _is_distance(quantity) else 0.0
    return ColourScale(title_of(quantity), (low, limits[1]))


def matrix_figure(
    results: Sequence[tuple[str, Result]],
    quantity: str,
    layer: int,
    order: Array | None = None,
) -> Figure:
    """Return a layer's matrices of results beside each other, with titles.

    Limits of colours hold all layers of all of them: what looks the same is.
    """
    panels = []
    for title, result in results:
        matrix = matrix_of(result, quantity, layer)
        if matrix is not None:
            panels.append(heat_panel(title, matrix, order))
    scale = _scale([result for _, result in results], quantity)
    return Figure(
        "matrix",
        title_of(quantity),
        "",
        panels,
        columns=max(min(len(panels), 3), 1),
        colours=scale,
    )


def first_pair(result: Result, quantity: str, layer: int) -> tuple[int, int]:
    """Return the pair that stands out most: largest in size, or smallest distance."""
    matrix = matrix_of(result, quantity, layer)
    if matrix is None or len(matrix) < 2 or not len(pairs_of(matrix)):  # noqa: PLR2004
        return 0, 1
    upper = np.triu(np.ones(matrix.shape, dtype=bool), 1)
    weight = -matrix if _is_distance(quantity) else np.abs(matrix)
    weight = np.where(upper & np.isfinite(matrix), weight, -np.inf)
    first, second = np.unravel_index(int(np.argmax(weight)), matrix.shape)
    return int(first), int(second)

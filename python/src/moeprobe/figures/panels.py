"""Panels that several figures are made of."""

from __future__ import annotations

import numpy as np
import xarray as xr

from moeprobe.figures.cluster_order import cluster_order
from moeprobe.figures.colours import BLUE, GREY, ORANGE
from moeprobe.figures.figure import (
    Array,
    Axis,
    Heat,
    Histogram,
    Level,
    Limits,
    Line,
    Mark,
    Panel,
)

_BINS = 24
_MOST_RANKS = 200


def pairs_of(matrix: Array) -> Array:
    """Return the finite numbers of the pairs i < j of a matrix [E, E]."""
    pairs: Array = matrix[np.triu_indices(len(matrix), 1)]
    return pairs[np.isfinite(pairs)]


def without_diagonal(matrix: Array) -> Array:
    """Return a copy that is NaN on the diagonal."""
    return np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)


def heat_panel(title: str, matrix: Array, order: Array | None = None) -> Panel:
    """Return a matrix over pairs of experts, in `order`."""
    order = np.arange(len(matrix)) if order is None else order
    names = [str(e) for e in order]
    shown = without_diagonal(matrix)[np.ix_(order, order)]
    marks: list[Mark] = [Heat(shown, names, names)]
    return Panel(title, Axis("expert e\N{PRIME}"), Axis("expert e"), marks)


def order_of(matrix: Array, *, is_distance: bool) -> Array:
    """Return an order in which experts that are alike are neighbours."""
    return cluster_order(matrix if is_distance else -matrix)


def distribution_panel(
    title: str, label: str, quantity: xr.Dataset, limits: Limits
) -> Panel:
    """Return a histogram of the pairs of one layer, with what its mean is worth.

    `quantity` is the dataset of a matrix over pairs at a layer.
    """
    pairs = pairs_of(quantity.value.values)
    edges = np.linspace(*limits, _BINS + 1)
    counts = np.histogram(pairs, edges)[0]
    marks: list[Mark] = [Histogram(edges, counts, "pairs of experts", BLUE)]
    if len(pairs):
        marks.append(_mean_level(float(pairs.mean()), quantity))
    if (null := _null_level(quantity)) is not None:
        marks.append(null)
    return Panel(title, Axis(label, limits), Axis("pairs", is_count=True), marks)


def _number(quantity: xr.Dataset, name: str) -> float:
    """Return what is known of a layer's mean; NaN where it is not."""
    return float(quantity[name].item()) if name in quantity else np.nan


def _null_level(quantity: xr.Dataset) -> Level | None:
    null, std = _number(quantity, "null_mean"), _number(quantity, "null_std")
    if not np.isfinite(null + std):
        return None
    band = (null - 2 * std, null + 2 * std)
    name = "random router, \N{PLUS-MINUS SIGN} 2 std"
    return Level(null, name, ORANGE, is_vertical=True, band=band)


def _mean_level(mean: float, quantity: xr.Dataset) -> Level:
    band = None
    if "interval" in quantity and np.isfinite(quantity.interval.values).all():
        low, high = quantity.interval.values.tolist()
        band = (low, high)
    name = "mean, 95 % interval" if band else "mean"
    return Level(mean, name, GREY, is_vertical=True, is_dashed=False, band=band)


def shares_of(eigenvalues: Array) -> Array:
    """Return explained variances of spectra [..., d]: they sum to 1."""
    total = eigenvalues.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(eigenvalues / total)


def shown_ranks(count: int) -> Array:
    """Return ranks of 1 to `count`: all, or as many as a log axis can show."""
    if count <= _MOST_RANKS:
        return np.arange(1, count + 1)
    return np.unique(np.geomspace(1, count, _MOST_RANKS).round().astype(int))


def spectrum_line(values: Array, name: str, colour: str) -> Line:
    """Return the mean of spectra [n, r] by rank, with the band they lie in."""
    ranks = shown_ranks(values.shape[1])
    known = values[np.isfinite(values).all(axis=1)][:, ranks - 1]
    if not len(known):
        nothing = np.full(len(ranks), np.nan)
        return Line(ranks, nothing, name, colour)
    mean = known.mean(axis=0)
    if len(known) == 1:
        return Line(ranks, mean, name, colour)
    return Line(ranks, mean, name, colour, known.min(axis=0), known.max(axis=0))

"""What changes from layer to layer."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd

from moeprobe.figures.colours import BLUE, COLOURS, GREEN, ORANGE, PINK
from moeprobe.figures.figure import (
    Array,
    Axis,
    ColourScale,
    Figure,
    Heat,
    Level,
    Line,
    Mark,
    Panel,
    Points,
    finite_limits,
)
from moeprobe.figures.spectra import baseline_layer
from moeprobe.result.result import Result

# Quantities whose means a reader compares with their nulls, and their labels.
MEANS = (
    ("jacobian_cosine/routed", "Jacobian cosine, routed"),
    ("jacobian_cosine_corrected/routed", "corrected cosine, routed"),
    ("grassmann/routed", "Grassmann distance, routed"),
    ("pca/routed/effective_rank", "effective rank, routed"),
    ("leading_singular_value", "leading singular value"),
    ("stable_rank", "stable rank"),
    ("router_term_ratio", "router term, share"),
)


def _rows(table: pd.DataFrame, part: str, quantity: str) -> pd.DataFrame:
    chosen = (table.part == part) & (table.quantity == quantity) & (table.layer >= 0)
    rows = table[chosen & table["mean"].notna()].sort_values("layer")
    return cast("pd.DataFrame", rows)


def _numbers(rows: pd.DataFrame, column: str) -> Array:
    return np.asarray(rows[column].to_numpy(float))


def _with_interval(rows: pd.DataFrame, x: Array, name: str, colour: str) -> Points:
    low, high = _numbers(rows, "interval_low"), _numbers(rows, "interval_high")
    mean = _numbers(rows, "mean")
    if np.isnan(low).all():
        return Points(x, mean, name, colour)
    return Points(x, mean, name, colour, low, high)


def _mean_panel(table: pd.DataFrame, quantity: str, label: str) -> Panel:
    rows = _rows(table, "model", quantity)
    layers = _numbers(rows, "layer")
    marks: list[Mark] = [_with_interval(rows, layers, "mean, 95 % interval", BLUE)]
    if rows.null_mean.notna().any():
        null, spread = _numbers(rows, "null_mean"), 2 * _numbers(rows, "null_std")
        name = "random router, \N{PLUS-MINUS SIGN} 2 std"
        x = layers + 0.15
        marks.append(
            Points(x, null, name, ORANGE, null - spread, null + spread, "square")
        )
    return Panel(label, Axis("layer", is_count=True), Axis(label), marks)


def means(result: Result) -> Figure:
    """Draw means by layer with their intervals, beside what chance would give."""
    table = result.table()
    present = [
        (quantity, label)
        for quantity, label in MEANS
        if len(_rows(table, "model", quantity))
    ]
    return Figure(
        "means",
        "Means by layer, beside random routers",
        "Intervals are of draws of whole windows; random routers have the model's "
        "loads, tokens and experts.",
        [_mean_panel(table, quantity, label) for quantity, label in present],
        columns=4 if len(present) == 4 else 3,  # noqa: PLR2004
    )


def effective_rank(result: Result, convention: str = "routed") -> Figure:
    """Draw effective ranks by layer: of experts, of samples of the same size."""
    table = result.table()
    marks: list[Mark] = []
    for quantity, name, colour, symbol in (
        (f"pca/{convention}/effective_rank", f"experts, {convention}", BLUE, "circle"),
        ("pca/matched/effective_rank", "as many tokens of all", GREEN, "square"),
        ("pca/all/effective_rank", "all tokens", PINK, "triangle"),
    ):
        rows = _rows(table, "model", quantity)
        if len(rows):
            points = _with_interval(rows, _numbers(rows, "layer"), name, colour)
            marks.append(_as_symbol(points, symbol))
    if (dense := _dense_line(result, table)) is not None:
        marks.append(dense)
    panel = Panel(
        "",
        Axis("layer", is_count=True),
        Axis("effective rank (mean of experts)"),
        marks,
    )
    return Figure(
        f"effective-rank-{convention}",
        f"In how many directions experts work, {convention}",
        "Effective rank grows with the number of tokens: compare experts with samples "
        "of their size.",
        [panel],
        columns=1,
    )


def _as_symbol(points: Points, symbol: str) -> Points:
    return Points(
        points.x, points.y, points.name, points.colour, points.low, points.high, symbol
    )


def _dense_line(result: Result, table: pd.DataFrame) -> Line | None:
    """Return the baseline's effective rank at the model's layers."""
    rows = _rows(table, "baseline", "pca/all/effective_rank").set_index("layer")
    layers = _rows(table, "model", "pca/all/effective_rank").layer.to_numpy()
    at = {layer: baseline_layer(result, int(layer)) for layer in layers}
    shown = [layer for layer in layers if at[layer] in rows.index]
    if not shown:
        return None
    values = np.array([rows.loc[at[layer], "mean"] for layer in shown], float)
    return Line(
        np.array(shown),
        values,
        "dense baseline",
        ORANGE,
        is_dashed=True,
        has_points=True,
    )


def routing_load(result: Result) -> Figure:
    """Draw which experts have how many tokens, and how decided the router is."""
    counts = result["expert_count"].value
    share = counts.values / np.nanmean(counts.values, axis=1, keepdims=True)
    layers = [str(layer) for layer in counts.layer.values]
    experts = [str(expert) for expert in counts.expert.values]
    heat = Panel("load", Axis("expert"), Axis("layer"), [Heat(share, layers, experts)])
    panels = [heat]
    if "routing_entropy" in result:
        panels.append(_entropy_panel(result, len(experts)))
    return Figure(
        "routing-load",
        "How the router spreads tokens",
        "Load: tokens of an expert beside an even share, 1. Entropy: 0 where the "
        "router is sure, ln E where all experts are alike to it.",
        panels,
        columns=2,
        colours=ColourScale("load / even load", (0.0, finite_limits(share)[1])),
    )


def _entropy_panel(result: Result, expert_count: int) -> Panel:
    entropy = result["routing_entropy"].value
    uniform = float(np.log(expert_count))
    marks: list[Mark] = [
        Line(entropy.layer.values, entropy.values, "entropy", BLUE, has_points=True),
        Level(uniform, "uniform: ln E", ORANGE),
    ]
    limits = (0.0, 1.05 * max(uniform, float(np.nanmax(entropy.values))))
    return Panel(
        "entropy", Axis("layer", is_count=True), Axis("entropy in nats", limits), marks
    )


def interventions(result: Result) -> Figure:
    """Draw what the model loses where pairs become one, by their similarity."""
    scores = result["intervention_scores"].value
    kinds = [q for q in result.model if q.startswith("intervention_delta_nll/")]
    panels = []
    for score, label in (("alignment", "alignment"), ("outputs", "output similarity")):
        x = scores.sel(score=score).values.ravel()
        marks: list[Mark] = [
            Points(
                x,
                result[kind].value.values.ravel(),
                kind.rpartition("/")[2],
                colour,
                symbol=symbol,
            )
            for kind, colour, symbol in zip(
                kinds, COLOURS, ("circle", "square", "triangle"), strict=False
            )
        ]
        panels.append(Panel(label, Axis(label), Axis("added loss in nats"), marks))
    return Figure(
        "interventions",
        "What the model loses where two experts become one",
        "A point for each pair that was edited, of all layers. Similarity is not "
        "importance: see docs/quantities.md.",
        panels,
        columns=2,
    )

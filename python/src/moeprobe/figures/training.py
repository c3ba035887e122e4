"""Curves over training: a line for each variant, a band over its seeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from moeprobe.errors import NotFoundError
from moeprobe.figures.colours import COLOURS
from moeprobe.figures.figure import (
    Axis,
    Figure,
    Line,
    Mark,
    Panel,
    Points,
    share_limits,
)
from moeprobe.request.described import loss_unit
from moeprobe.result.cells import OWN
from moeprobe.result.result import Result

_MOST_POINTS = 100
_BANDS = "Bands are \N{PLUS-MINUS SIGN} one standard deviation over seeds."
_STEPS = Axis("step")


def _over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and sample deviation over seeds by step; 0 with one seed."""
    by_step = rows.groupby("step")["value"]
    spread = by_step.std(ddof=1).fillna(0)
    found: pd.DataFrame = pd.DataFrame({"mean": by_step.mean(), "std": spread})
    return found


def _thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over neighbouring steps where there are many."""
    width = -(-int(rows["step"].max()) // _MOST_POINTS)
    if width <= 1:
        return rows
    middle = (rows["step"] - 1) // width * width + (width + 1) / 2
    keys = [rows["seed"], middle.rename("step")]
    thinned: pd.DataFrame = rows.groupby(keys)["value"].mean().reset_index()
    return thinned


def _mark(rows: pd.DataFrame, name: str, colour: str, *, is_swapped: bool) -> Mark:
    found = _over_seeds(rows)
    x, y = found.index.to_numpy(float), found["mean"].to_numpy(float)
    low, high = y - found["std"].to_numpy(float), y + found["std"].to_numpy(float)
    if is_swapped:
        return Points(x, y, name, colour, low, high, "square")
    return Line(x, y, name, colour, low, high, has_points=len(x) <= _MOST_POINTS // 2)


def _marks(rows: pd.DataFrame, variants: list[str]) -> Iterator[Mark]:
    for (variant, gates), group in _groups(rows, ["variant", "gates"]):
        is_swapped = gates != OWN
        # What swapped gates do has the colour of the gates.
        colour = COLOURS[
            variants.index(gates if is_swapped else variant) % len(COLOURS)
        ]
        name = f"{variant} as {gates}" if is_swapped else variant
        yield _mark(group, name, colour, is_swapped=is_swapped)


def _groups(
    rows: pd.DataFrame, keys: list[str]
) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    for key, group in rows.groupby(keys, sort=False):
        yield (key if isinstance(key, tuple) else (key,)), group


def _panel(rows: pd.DataFrame, variants: list[str], title: str, label: str) -> Panel:
    return Panel(title, _STEPS, Axis(label), list(_marks(rows, variants)))


def _curves(result: Result, quantity: str) -> pd.DataFrame:
    found = result.curves(quantity)
    if found.empty:
        raise NotFoundError(f"{result.job} has no {quantity!r} over steps")
    return found


def _variants(result: Result) -> list[str]:
    return list(result.request["variants"])


def loss_curves(result: Result) -> Figure:
    """Draw training loss, thinned to a hundred points, and held-out loss."""
    variants = _variants(result)
    training = _curves(result, "training/loss")
    parts = [_thinned(rows).assign(variant=key[0], gates=OWN)
             for key, rows in _groups(training, ["variant"])]  # fmt: skip
    label = f"loss, {loss_unit(result.request)}"
    panels = [_panel(pd.concat(parts), variants, "training", label)]
    held_out = result.curves("training/held_out_loss")
    if len(held_out):
        panels.append(_panel(held_out, variants, "held out", label))
    return Figure("loss-curves", "Loss over training", _BANDS,
                  share_limits(panels), columns=2)  # fmt: skip


def training_curves(
    result: Result, quantity: str = "grassmann/routed", label: str = ""
) -> Figure:
    """Draw a mean over the steps of training, a panel for each layer.

    Squares at the end are of models under the gates of another variant.
    """
    found, variants = _curves(result, quantity), _variants(result)
    label = label or quantity
    panels = [
        _panel(rows, variants, "whole model" if layer < 0 else f"layer {layer}", label)
        for layer, rows in sorted(
            ((int(key[0]), rows) for key, rows in _groups(found, ["layer"])),
            key=lambda pair: pair[0],
        )
    ]
    return Figure(f"training-{quantity.replace('/', '-')}", f"{label} over training",
                  _BANDS, share_limits(panels))  # fmt: skip


def usage_curves(result: Result) -> Figure:
    """Draw how unevenly experts are used: the busiest one's tokens over their mean.

    1 where all experts have as many; a panel for each layer.
    """
    found, variants = _curves(result, "training/expert_tokens"), _variants(result)
    found = found[found["step"] > 0]  # no token was seen before the first
    keys = ["variant", "gates", "seed", "step", "layer"]
    groups = found.groupby(keys, sort=False)["value"]
    loads = (groups.max() / groups.mean().replace(0, np.nan)).reset_index()
    panels = [
        _panel(rows, variants, f"layer {key[0]}", "busiest expert's load / mean load")
        for key, rows in _groups(loads, ["layer"])
    ]
    return Figure("usage-curves", "Use of experts over training",
                  f"1: all experts have as many tokens. {_BANDS}",
                  share_limits(panels))  # fmt: skip

"""Spectra: of the hidden states that experts see, and of their Jacobians."""

from __future__ import annotations

import numpy as np
import xarray as xr

from moeprobe.figures.colours import BLUE, GREEN, ORANGE
from moeprobe.figures.figure import (
    Array,
    Axis,
    Figure,
    Line,
    Mark,
    Panel,
    share_limits,
)
from moeprobe.figures.panels import shares_of, spectrum_line
from moeprobe.result.quantities import Quantities
from moeprobe.result.result import Result

_SMALLEST_SHARE = 1e-5


def some_layers(layers: list[int]) -> list[int]:
    """Return the first, the middle and the last of them."""
    places = {0, len(layers) // 2, len(layers) - 1}
    return [layers[place] for place in sorted(places)]


def baseline_layer(result: Result, layer: int) -> int:
    """Return the baseline's layer at equal depth."""
    counts = {p["part"]: p["layer_count"] for p in result.provenance}
    model, baseline = counts.get("model", 0), counts.get("baseline", 0)
    if model < 2 or baseline < 1 or model == baseline:  # noqa: PLR2004
        return layer
    # Halves are rounded up, as the server does.
    return int(layer * (baseline - 1) / (model - 1) + 0.5)


def at_layer(part: Quantities, quantity: str, layer: int) -> Array | None:
    """Return the values of a layer, if it has any."""
    if quantity not in part:
        return None
    value: xr.DataArray = part[quantity].value
    if layer not in value.layer:
        return None
    found: Array = value.sel(layer=layer).values
    return found if np.isfinite(found).any() else None


def spectrum_panels(result: Result, layer: int, convention: str) -> tuple[Panel, Panel]:
    """Return explained and cumulative variance of a layer, dense beside MoE."""
    quantity = "pca/all/eigenvalues"
    spectra = [
        (f"experts, {convention}", BLUE,
         at_layer(result.model, f"pca/{convention}/eigenvalues", layer)),
        ("all tokens", GREEN, at_layer(result.model, quantity, layer)),
        ("dense baseline", ORANGE,
         at_layer(result.baseline, quantity, baseline_layer(result, layer))),
    ]  # fmt: skip
    found = [
        (n, c, shares_of(values)) for n, c, values in spectra if values is not None
    ]
    explained: list[Mark] = [spectrum_line(share, n, c) for n, c, share in found]
    cumulative: list[Mark] = [
        spectrum_line(share.cumsum(axis=1), n, c) for n, c, share in found
    ]
    rank = Axis("component", is_log=True)
    return (
        Panel(
            f"layer {layer}",
            rank,
            Axis("explained variance", (_SMALLEST_SHARE, 1), is_log=True),
            explained,
        ),
        Panel(
            f"layer {layer}", rank, Axis("cumulative variance", (0, 1.02)), cumulative
        ),
    )


def variance_spectra(
    result: Result, convention: str = "routed", layers: list[int] | None = None
) -> Figure:
    """Draw PCA spectra of experts, of all tokens and of the dense baseline."""
    known = result[f"pca/{convention}/eigenvalues"].layer.values.tolist()
    chosen = some_layers(known) if layers is None else layers
    panels = [p for layer in chosen for p in spectrum_panels(result, layer, convention)]
    return Figure(
        f"variance-{convention}",
        f"How the variance of experts' inputs is spread, {convention}",
        "Mean over experts and the band that they lie in. An expert sees fewer tokens "
        "than the layer: steeper spectra come with that alone.",
        panels,
        columns=2,
    )


def _banded(mean: Array, std: Array, name: str, colour: str) -> Line:
    """Return the mean over experts with the mean deviation from token to token."""
    ranks = np.arange(1, mean.shape[-1] + 1)
    centre, spread = np.nanmean(mean, axis=0), np.nanmean(std, axis=0)
    low = np.maximum(centre - spread, centre * 1e-3)  # a logarithm has no 0
    return Line(ranks, centre, name, colour, low, centre + spread)


def _jacobian_panel(result: Result, layer: int) -> Panel:
    marks: list[Mark] = []
    parts = (
        (result.model, "experts", BLUE, layer),
        (result.baseline, "dense baseline", ORANGE, baseline_layer(result, layer)),
    )
    for part, name, colour, at in parts:
        mean = at_layer(part, "singular_values_mean", at)
        std = at_layer(part, "singular_values_std", at)
        if mean is not None and std is not None:
            marks.append(_banded(mean, std, name, colour))
    average = at_layer(result.model, "jacobian_mean_singular_values/routed", layer)
    if average is not None:
        line = spectrum_line(average, "averaged Jacobian, routed", GREEN)
        marks.append(Line(line.x, line.y, line.name, line.colour, is_dashed=True))
    return Panel(
        f"layer {layer}",
        Axis("rank i", is_log=True),
        Axis("singular value \N{GREEK SMALL LETTER SIGMA}\u1d62", is_log=True),
        marks,
    )


def jacobian_spectra(result: Result, layers: list[int] | None = None) -> Figure:
    """Draw singular values of Jacobians at single tokens, with their deviation."""
    known = result["singular_values_mean"].layer.values.tolist()
    chosen = some_layers(known) if layers is None else layers
    return Figure(
        "jacobian-spectra",
        "Singular values of Jacobians",
        "Mean over tokens and experts, and the mean deviation from token to token.",
        share_limits([_jacobian_panel(result, layer) for layer in chosen]),
    )

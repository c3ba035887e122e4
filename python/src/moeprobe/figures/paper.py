"""The figures of Liu, 2026 (arXiv:2605.16349), laid out as they are there."""

from __future__ import annotations

import numpy as np
import xarray as xr

from moeprobe.figures.figure import (
    ColourScale,
    Figure,
    Limits,
    Panel,
    finite_limits,
    symmetric_limits,
)
from moeprobe.figures.pairs import COSINE, DISTANCE, largest_distance
from moeprobe.figures.panels import (
    distribution_panel,
    heat_panel,
    pairs_of,
    without_diagonal,
)
from moeprobe.figures.spectra import spectrum_panels
from moeprobe.request.described import subject_of
from moeprobe.result.result import Result


def _titled(panel: Panel, title: str) -> Panel:
    return Panel(title, panel.x, panel.y, panel.marks)


def _wide(limits: Limits) -> Limits:
    margin = 0.05 * (limits[1] - limits[0])
    return limits[0] - margin, limits[1] + margin


def layer_geometry(result: Result, layer: int, experts: int | None = None) -> Figure:
    """Draw figures 1 and 2: a layer's alignments, spectra and distances.

    The matrix shows the first `experts` experts, all of them by default.
    """
    cosine = result["jacobian_cosine/routed"].sel(layer=layer)
    grassmann = result["grassmann/routed"].sel(layer=layer)
    shown = cosine.value.values[:experts, :experts]
    scale = ColourScale(
        COSINE, symmetric_limits(without_diagonal(shown)), is_diverging=True
    )
    cosines = _wide(finite_limits(pairs_of(cosine.value.values)))
    distances = (0.0, largest_distance(result))
    explained, _ = spectrum_panels(result, layer, "routed")
    model = subject_of(result.request)
    return Figure(
        f"layer-{layer}-geometry",
        f"Geometric structure of specialization in {model}, layer {layer}",
        "(a) Alignment of experts' Jacobians and (b) its distribution; (c) PCA "
        "spectra, dense and MoE; (d) distances of experts' subspaces, at most "
        f"{largest_distance(result):.2f}.",
        [
            heat_panel("(a) Jacobian similarity", shown),
            distribution_panel("(b) its distribution", COSINE, cosine, cosines),
            _titled(explained, "(c) PCA spectra"),
            distribution_panel("(d) distances", DISTANCE, grassmann, distances),
        ],
        columns=2,
        colours=scale,
    )


def _compared(
    datasets: tuple[xr.Dataset, xr.Dataset], label: str, limits: Limits, what: str
) -> list[Panel]:
    names = ("soft routing", "top-k routing")
    heats = [
        heat_panel(f"({letter}) {what}, {name}", dataset.value.values)
        for letter, name, dataset in zip("ab", names, datasets, strict=True)
    ]
    distributions = [
        distribution_panel(f"({letter}) distribution, {name}", label, dataset, limits)
        for letter, name, dataset in zip("cd", names, datasets, strict=True)
    ]
    return heats + distributions


def sharpness_alignment(soft: Result, top_k: Result, layer: int) -> Figure:
    """Draw figure 3: alignments of a layer under soft and under top-k routing."""
    quantity = "jacobian_cosine/routed"
    soft_at, top_k_at = (r[quantity].sel(layer=layer) for r in (soft, top_k))
    pairs = [pairs_of(at.value.values) for at in (soft_at, top_k_at)]
    return Figure(
        "sharpness-alignment",
        f"Effect of routing sharpness on alignment, layer {layer}",
        "(a-b) Similarity of Jacobians, (c-d) its distribution.",
        _compared(
            (soft_at, top_k_at), COSINE, _wide(finite_limits(*pairs)), "Jacobians"
        ),
        columns=2,
        colours=ColourScale(COSINE, symmetric_limits(*pairs), is_diverging=True),
    )


def sharpness_distance(soft: Result, top_k: Result, layer: int) -> Figure:
    """Draw figure 4: distances of a layer under soft and under top-k routing."""
    quantity = "grassmann/routed"
    soft_at, top_k_at = (r[quantity].sel(layer=layer) for r in (soft, top_k))
    most = largest_distance(top_k)
    shown = [pairs_of(at.value.values) for at in (soft_at, top_k_at)]
    return Figure(
        "sharpness-distance",
        f"Effect of routing sharpness on distances, layer {layer}",
        f"(a-b) Grassmann distances, (c-d) their distribution; at most {most:.2f}.",
        _compared((soft_at, top_k_at), DISTANCE, (0.0, most), "distances"),
        columns=2,
        colours=ColourScale(DISTANCE, (0.0, float(np.max(np.concatenate(shown))))),
    )

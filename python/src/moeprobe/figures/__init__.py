"""Figures of results: Plotly for the screen, matplotlib for paper.

    from moeprobe import figures

    figures.alignment(result)                   # shows itself in a notebook
    figures.distance(result).save("distance.svg")
    figures.layer_geometry(result, layer=16).matplotlib()

Colours are told apart by every kind of eye; panels of a figure share limits.
Results with several data sets, a sweep or an experiment are drawn one at a time,
see `Result.select`; `training_curves` and its like draw a whole experiment. Needs
the extra `figures` for the screen, `paper` for paper: pip install './python[all]'.
"""

from moeprobe.figures.figure import Figure
from moeprobe.figures.gallery import (
    figures_of,
    sweep_figures_of,
    training_figures_of,
)
from moeprobe.figures.layers import effective_rank, interventions, means, routing_load
from moeprobe.figures.pairs import (
    alignment,
    alignment_distribution,
    coactivation,
    distance,
    distance_distribution,
    output_similarity,
)
from moeprobe.figures.paper import (
    layer_geometry,
    sharpness_alignment,
    sharpness_distance,
)
from moeprobe.figures.specifications import specification_curve
from moeprobe.figures.spectra import jacobian_spectra, variance_spectra
from moeprobe.figures.sweeps import sweep_curves
from moeprobe.figures.training import loss_curves, training_curves, usage_curves

__all__ = [
    "Figure",
    "alignment",
    "alignment_distribution",
    "coactivation",
    "distance",
    "distance_distribution",
    "effective_rank",
    "figures_of",
    "interventions",
    "jacobian_spectra",
    "layer_geometry",
    "loss_curves",
    "means",
    "output_similarity",
    "routing_load",
    "sharpness_alignment",
    "sharpness_distance",
    "specification_curve",
    "sweep_curves",
    "sweep_figures_of",
    "training_curves",
    "training_figures_of",
    "usage_curves",
    "variance_spectra",
]

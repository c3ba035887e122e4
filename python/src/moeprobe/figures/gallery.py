"""Every figure that a result can give."""

from __future__ import annotations

from collections.abc import Callable

from moeprobe.figures import layers, pairs, spectra, sweeps, training
from moeprobe.figures.figure import Figure
from moeprobe.figures.specifications import specification_curve
from moeprobe.request.described import is_experiment
from moeprobe.result.result import Result

# What a figure needs, and what draws it.
_FIGURES: tuple[tuple[str, Callable[[Result], Figure]], ...] = (
    ("jacobian_cosine/routed", pairs.alignment),
    ("jacobian_cosine/routed", pairs.alignment_distribution),
    ("grassmann/routed", pairs.distance),
    ("grassmann/routed", pairs.distance_distribution),
    ("pca/routed/eigenvalues", spectra.variance_spectra),
    ("pca/routed/effective_rank", layers.effective_rank),
    ("singular_values_mean", spectra.jacobian_spectra),
    ("expert_count", layers.routing_load),
    ("coactivation", pairs.coactivation),
    ("output_similarity", pairs.output_similarity),
    ("intervention_scores", layers.interventions),
)
# Claims that are shown in every reading.
_CLAIMS = ("jacobian_cosine", "grassmann", "effective_rank")


def figures_of(result: Result) -> list[Figure]:
    """Return the figures of one cell on one data set; see `Result.select`."""
    made = [draw(result) for needed, draw in _FIGURES if needed in result]
    curves = [specification_curve(result, claim) for claim in _CLAIMS]
    means = layers.means(result)
    return [figure for figure in [means, *made, *curves] if figure.panels]


def training_figures_of(result: Result) -> list[Figure]:
    """Return the curves of an experiment, as far as it is; none of other jobs."""
    if not is_experiment(result.request):
        return []
    present = set(result.curves()["quantity"])
    draw: list[tuple[str, Callable[[Result], Figure]]] = [
        ("training/loss", training.loss_curves),
        *((quantity, _training_curves(quantity, label))
          for quantity, label in layers.MEANS),
        ("training/expert_tokens", training.usage_curves),
    ]  # fmt: skip
    return [figure(result) for needed, figure in draw if needed in present]


def _training_curves(quantity: str, label: str) -> Callable[[Result], Figure]:
    return lambda result: training.training_curves(result, quantity, label)


def sweep_figures_of(result: Result) -> list[Figure]:
    """Return the curves of a sweep; none without one."""
    if not result.cells or is_experiment(result.request):
        return []
    return [
        sweeps.sweep_curves(result, quantity, label)
        for quantity, label in layers.MEANS
        if sweeps.has_means(result, quantity)
    ]

"""Names of the dimensions of every quantity, and their coordinates."""

from __future__ import annotations

import fnmatch
import functools

from moeprobe.result.names import SUFFIXES
from moeprobe.result.nulls import NULLS

Dimensions = tuple[str, ...]

_PAIRS: Dimensions = ("expert", "other_expert")
# In front of what is of the expert that every token goes to.
_SHARED = "shared/"
# The first pattern that a quantity's name matches counts.
_PATTERNS: tuple[tuple[str, Dimensions], ...] = (
    ("expert_count", ("expert",)),
    ("gate_mean", ("expert",)),
    ("routing_entropy", ()),
    ("coactivation", _PAIRS),
    ("repeat_rate", ("choice",)),
    ("margin_histogram", ("bin",)),
    ("margin_edges", ("edge",)),
    ("jacobian_cosine/*", _PAIRS),
    ("jacobian_cosine_corrected/*", _PAIRS),
    ("jacobian_cosine_projected/*", ("direction", *_PAIRS)),
    ("jacobian_norm/*", ("expert",)),
    ("jacobian_mean_singular_values/*", ("expert", "rank")),
    ("jacobian_variance_shares", ("source",)),
    ("singular_values_mean", ("expert", "rank")),
    ("singular_values_std", ("expert", "rank")),
    ("router_term_ratio", ("token",)),
    ("pca/*/eigenvalues", ("expert", "component")),
    ("pca/*/components", ("expert", "share")),
    ("pca/*/basis", ("expert", "feature", "component")),
    ("pca/*", ("expert",)),
    ("principal_angles/*", (*_PAIRS, "angle")),
    ("grassmann/random_subspaces", ("statistic",)),
    ("grassmann/*/split_half_within", ("expert",)),
    ("grassmann/*", _PAIRS),
    ("output_similarity", _PAIRS),
    ("weight_overlap/floor", ()),
    ("weight_overlap/*_energy", ("expert",)),
    ("weight_overlap/*", _PAIRS),
    ("redundancy_pairs", ("pair", "member")),
    ("redundancy_scores", ("pair", "score")),
    ("intervention_pairs", ("edit", "member")),
    ("intervention_scores", ("edit", "score")),
    ("intervention_delta_nll/*", ("edit",)),
    ("intervention_rank_correlation/*", ("score",)),
    ("intervention_nll", ()),
    ("nll", ()),
    ("loss", ()),
    ("held_out_loss", ()),
    ("training/evaluation_step", ("evaluation",)),
    ("training/held_out_loss", ("evaluation",)),
    ("training/expert_*", ("evaluation", "model_layer", "expert")),
    ("training/*", ("training_step",)),
)
_OF_SUFFIXES: dict[str, Dimensions] = {
    "interval": ("bound",),
    "bootstrap_draws": ("bootstrap_draw",),
    **{f"{n.prefix}null_draws": (f"{n.prefix}null_draw",) for n in NULLS},
}
COORDINATES: dict[str, list[str] | list[int]] = {
    "bound": ["low", "high"],
    "choice": ["first", "one of two"],
    "member": ["kept", "other"],
    "score": ["alignment", "outputs", "grassmann", "weights"],
    "share": [50, 80, 90, 95],
    "source": ["experts", "tokens", "both"],
    "statistic": ["mean", "std"],
}
# Counted from 1, as in their formulas.
COUNTED_FROM_1 = ("rank", "component", "angle", "training_step")


@functools.lru_cache(maxsize=4096)
def dimensions_of(quantity: str, rank: int) -> Dimensions:
    """Return names for the `rank` dimensions of a layer's quantity.

    A quantity unknown to this version, or of another rank than is known, has
    "expert" alone, or "axis0", "axis1", ...
    """
    names = _names_of(quantity.removeprefix(_SHARED))
    if quantity.startswith(_SHARED):
        names = _of_one_expert(names)
    if len(names) == rank:
        return names
    return tuple(f"axis{i}" for i in range(rank))


def _names_of(quantity: str) -> Dimensions:
    stem, _, suffix = quantity.rpartition("/")
    if stem and suffix in SUFFIXES and suffix != "error":
        return _OF_SUFFIXES.get(suffix, ())
    known = stem if stem and suffix == "error" else quantity
    matches = (n for pattern, n in _PATTERNS if fnmatch.fnmatch(known, pattern))
    return next(matches, ("expert",))


def _of_one_expert(names: Dimensions) -> Dimensions:
    """Return what is left of them: of pairs, those with each routed expert."""
    others = tuple(name for name in names if name != "expert")
    return tuple("expert" if name == "other_expert" else name for name in others)

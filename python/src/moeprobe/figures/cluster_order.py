"""An order of experts in which those that are alike are neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.cluster.hierarchy
import scipy.spatial.distance

from moeprobe.figures.figure import Array

# Beyond that, the best of all orders of a tree takes too long for a screen.
_MOST_FOR_BEST = 64


def cluster_order(distances: Array) -> npt.NDArray[np.intp]:
    """Return the leaves of the average-linkage tree of `distances` [E, E].

    Rows that are NaN come last.
    """
    off_diagonal = distances + np.where(np.eye(len(distances)), np.nan, 0)
    known = np.flatnonzero(np.isfinite(off_diagonal).sum(axis=1) > 0)
    inner = distances[np.ix_(known, known)]
    if len(known) < 3 or not np.isfinite(inner).all():  # noqa: PLR2004
        return np.arange(len(distances))
    inner = inner - inner.min()
    np.fill_diagonal(inner, 0)
    condensed = scipy.spatial.distance.squareform(inner, checks=False)
    tree = scipy.cluster.hierarchy.linkage(
        condensed, "average", optimal_ordering=len(known) <= _MOST_FOR_BEST
    )
    leaves = known[scipy.cluster.hierarchy.leaves_list(tree)]
    return np.concatenate([leaves, np.setdiff1d(np.arange(len(distances)), known)])

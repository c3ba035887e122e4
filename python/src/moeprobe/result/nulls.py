"""The nulls that means are held against, by the names they have."""

from __future__ import annotations

from typing import NamedTuple


class Null(NamedTuple):
    """A null."""

    title: str  # in tables and figures
    key: str  # in requests and result.json
    prefix: str  # of columns and arrays: "permutation_"


NULLS = (
    Null("random router", "random_router", ""),
    Null("shuffled gates", "permutations", "permutation_"),
    Null("random weights", "random_weights", "random_weights_"),
)

"""Names of arrays: which cell, data set, model, layer and quantity."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from moeprobe.result.nulls import NULLS

_NAME = re.compile(
    r"(?P<prefix>(?:sweep(?P<cell>\d+)/)?(?:data(?P<data>\d+)/)?(?P<baseline>baseline/)?)"
    r"(?:layer(?P<layer>\d+)/)?(?P<quantity>.+)"
)
# What is said of a quantity stands after its name.
SUFFIXES = (
    "se",
    "interval",
    "bootstrap_draws",
    "error",
    *(
        f"{null.prefix}{name}"
        for null in NULLS
        for name in ("null_mean", "null_std", "p", "null_draws")
    ),
)


class Place(NamedTuple):
    """Where an array belongs; a cell or data set of 0 where there is but one."""

    cell: int
    data: int
    is_baseline: bool
    layer: int  # -1: the whole model
    quantity: str

    @property
    def base(self) -> str:
        """The quantity that this one says something of, or itself."""
        stem, _, suffix = self.quantity.rpartition("/")
        return stem if stem and suffix in SUFFIXES else self.quantity


@functools.lru_cache(maxsize=1 << 16)
def place_of(name: str) -> Place:
    """Return the place of "sweep3/data1/baseline/layer2/grassmann/routed"."""
    found = _NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} is no name of an array")
    return Place(
        cell=int(found["cell"] or 0),
        data=int(found["data"] or 0),
        is_baseline=found["baseline"] is not None,
        layer=int(found["layer"]) if found["layer"] else -1,
        quantity=found["quantity"],
    )


def part_name(prefix: str) -> str:
    """Return "data1/model" for "data1/", "baseline" for "baseline/"."""
    if prefix.endswith("baseline/"):
        return prefix.removesuffix("/")
    return f"{prefix}model"

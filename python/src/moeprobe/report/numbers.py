"""Numbers as a reader wants them: no more digits than mean anything."""

from __future__ import annotations

import math
from collections.abc import Iterable

ABSENT = "\N{EN DASH}"
_MOST_DECIMALS = 9


def _decimals_for(number: float, digits: int) -> int:
    exponent = math.floor(math.log10(number))
    return min(max(digits - 1 - exponent, 0), _MOST_DECIMALS)


def decimals(numbers: Iterable[float], errors: Iterable[float] = ()) -> int:
    """Return how many decimals a column needs: two digits of its widest error."""
    largest = max((abs(n) for n in numbers if math.isfinite(n)), default=0.0)
    error = max((e for e in errors if math.isfinite(e)), default=0.0)
    needed = 1 if largest >= 10 else 3  # noqa: PLR2004
    if 0 < largest < 0.01:  # noqa: PLR2004
        needed = _decimals_for(largest, 3)
    return max(needed, _decimals_for(error, 2)) if error > 0 else needed


def number(value: float, places: int) -> str:
    """Return a number with so many decimals; a dash if it is none."""
    return f"{value:.{places}f}" if math.isfinite(value) else ABSENT


def signed(value: float, places: int) -> str:
    """Return the same with its sign."""
    return f"{value:+.{places}f}" if math.isfinite(value) else ABSENT


def share(p: float) -> str:
    """Return a p value: three decimals, four below the thousandth."""
    return number(p, 4 if p < 0.001 else 3)  # noqa: PLR2004


def size(count: float) -> str:
    """Return bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"

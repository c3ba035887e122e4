"""Which name was probably meant."""

from collections.abc import Iterable

_LONGEST = 64  # longer words are not typing errors


def _distance(a: str, b: str) -> int:
    """Return the edit distance with swaps of neighbours."""
    rows = [list(range(len(b) + 1))]
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


def nearest_name(word: str, names: Iterable[str]) -> str:
    """Return the name closest to `word`; "" if none is close."""
    if len(word) > _LONGEST:
        return ""
    near = [
        (distance, name)
        for name in names
        if 3 * (distance := _distance(word.lower(), name)) <= max(len(word), len(name))
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else ""

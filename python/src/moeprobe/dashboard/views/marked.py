"""Matrices with the pair that is looked at in a frame."""

from __future__ import annotations

from typing import Any

from moeprobe.figures.colours import ORANGE

_FRAME = {"type": "rect", "line": {"color": ORANGE, "width": 2}, "layer": "above"}


def marked(figure: dict[str, Any], pair: tuple[int, int]) -> dict[str, Any]:
    """Return the JSON of matrices with frames around both cells of a pair.

    The figure fills its place, and stays as a reader has turned it.
    """
    for trace in figure["data"]:
        if trace["type"] != "heatmap":
            continue
        places = {name: place for place, name in enumerate(trace["y"])}
        row, column = (places.get(str(expert)) for expert in pair)
        if row is None or column is None:
            continue
        for x, y in ((column, row), (row, column)):
            frame = {"xref": trace["xaxis"], "yref": trace["yaxis"]} | _FRAME
            frame |= {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
            figure["layout"]["shapes"].append(frame)
    # As high as its place, and as it was turned to.
    del figure["layout"]["height"]
    figure["layout"]["margin"] |= {"t": 10, "b": 50}
    figure["layout"]["uirevision"] = "kept"
    return figure

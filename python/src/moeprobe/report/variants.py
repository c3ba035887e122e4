"""Tables of an experiment: variants side by side, with what nulls come to."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from moeprobe.figures.layers import MEANS
from moeprobe.report.numbers import ABSENT, decimals, number
from moeprobe.report.tables import QuantityTable, Table
from moeprobe.request.described import counted, loss_unit
from moeprobe.result.cells import OWN
from moeprobe.result.nulls import NULLS
from moeprobe.result.result import Result


def _quantities(result: Result) -> tuple[tuple[str, str], ...]:
    unit = loss_unit(result.request)
    return (
        ("loss", f"training loss, {unit}"),
        ("held_out_loss", f"held-out loss, {unit}"),
        *MEANS,
    )


def _columns(means: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return variants and gates, and what a table calls them; swapped ones last."""
    pairs = list(dict.fromkeys(zip(means["variant"], means["gates"], strict=True)))
    pairs.sort(key=lambda pair: pair[1] != OWN)
    return {(v, g): v if g == OWN else f"{v} as {g}" for v, g in pairs}


def _cell(row: pd.Series | None, places: int) -> str:
    if row is None:
        return ABSENT
    mean = number(row["mean"], places)
    spread = number(row["std"], places)
    return mean if spread == ABSENT else f"{mean} \N{PLUS-MINUS SIGN} {spread}"


def _rows(
    rows: pd.DataFrame, columns: dict[tuple[str, str], str], places: int
) -> Iterator[list[str]]:
    for layer, of_layer in rows.groupby("layer"):
        title = "whole model" if int(str(layer)) < 0 else str(layer)
        found = {(r["variant"], r["gates"]): r for _, r in of_layer.iterrows()}
        yield [title, *(_cell(found.get(key), places) for key in columns)]
        for null in NULLS:
            column = f"{null.prefix}null_mean"
            if of_layer[column].notna().any():
                cells = [
                    number(found[key][column], places) if key in found else ABSENT
                    for key in columns
                ]
                yield [f"{title}, {null.title}", *cells]


def variant_tables(result: Result) -> list[QuantityTable]:
    """Return a table for each quantity most asked for: layers by variants.

    Mean ± sample deviation over seeds, at the last step that there is.
    """
    means = result.variants()
    columns = _columns(means)
    tables = []
    for quantity, label in _quantities(result):
        rows = means[means["quantity"] == quantity]
        if rows.empty:
            continue
        places = decimals(rows["mean"], rows["std"])
        table = Table(["layer", *columns.values()], list(_rows(rows, columns, places)))
        tables.append(QuantityTable(quantity, label, "variants", table))
    return tables


def seeds_text(result: Result) -> str:
    """Return over how many seeds, at which step, the tables are: for a reader."""
    means = result.variants()
    if means.empty:
        return "Nothing was probed yet."
    counts = sorted(set(means["seeds"]))
    steps = sorted(set(means["step"]))
    words = [" to ".join(map(str, sorted({found[0], found[-1]})))
             for found in (counts, steps)]  # fmt: skip
    return f"Over {counted(words[0], 'seed')}, at step {words[1]}."

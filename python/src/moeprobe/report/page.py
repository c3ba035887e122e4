"""The page of a report: self-contained, and safe whatever names are in it."""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jinja2
import markupsafe

from moeprobe.events import JobState
from moeprobe.figures.figure import Figure
from moeprobe.figures.gallery import (
    figures_of,
    sweep_figures_of,
    training_figures_of,
)
from moeprobe.figures.plotly_figure import plotly_figure
from moeprobe.report.tables import (
    QuantityTable,
    quantity_tables,
    side_by_side,
)
from moeprobe.report.variants import seeds_text, variant_tables
from moeprobe.request.described import is_experiment, subject_of
from moeprobe.result.cells import CellIndex
from moeprobe.result.experiment import cells_at_the_end
from moeprobe.result.result import Result

# Of npm's plotly.js-cartesian-dist-min, the version that the plotly of PyPI holds:
# a third of all of plotly.js, and as much sooner ready.
_PLOTLY = "plotly-cartesian.min.js"
_MEANS = (
    "Means are over pairs of experts or over experts; intervals are from draws of "
    "whole windows. A random router has the model's loads, tokens and experts: p is "
    "how often one does as well."
)
_VARIANTS = (
    "Means over pairs of experts or over experts, \N{PLUS-MINUS SIGN} their sample "
    "deviation over seeds; with one seed, over pairs. Below them what nulls come to: "
    "routers with the model's loads drawn at random, models before training."
)
# How jobs end that do not succeed.
_ENDED = (JobState.FAILED.value, JobState.CANCELLED.value)
# Characters that would end a script.
_ESCAPED = ("<", ">", "&")


@dataclasses.dataclass(frozen=True)
class _Drawing:
    """A figure as the page has it."""

    title: str
    caption: str
    height: int
    json: markupsafe.Markup


@dataclasses.dataclass(frozen=True)
class _Part:
    """The figures of one cell on one data set."""

    title: str
    drawings: list[_Drawing]


@dataclasses.dataclass(frozen=True)
class _Section:
    """A job."""

    result: Result
    label: str
    facts: list[tuple[str, str]]
    incomplete_text: str
    overview: _Drawing | None
    means_text: str
    main_tables: list[QuantityTable]
    other_tables: list[QuantityTable]
    parts: list[_Part]
    provenance: list[dict[str, Any]]


def script_json(value: Any) -> markupsafe.Markup:
    """Return JSON that can stand inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in _ESCAPED:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return markupsafe.Markup(text)  # noqa: S704 (escaped)


def _drawing(figure: Figure) -> _Drawing:
    made = plotly_figure(figure)
    del made["layout"]["title"]  # the page has it
    made["layout"]["margin"]["t"] = 50
    height = made["layout"]["height"]
    return _Drawing(figure.title, figure.caption, height, script_json(made))


def _cells(result: Result) -> list[int]:
    """Return cells to draw: the ends of a sweep or of a run of each variant."""
    if is_experiment(result.request):
        return cells_at_the_end(result.document)
    return sorted({0, len(result.cells) - 1}) if result.cells else [0]


def _places(result: Result) -> list[tuple[int, int]]:
    """Return cells and data sets to draw."""
    cells, index = _cells(result), CellIndex(result.cells)
    data = sorted({index.place_of(name).data for name in result.arrays})
    return [(cell, number) for cell in cells for number in data or [0]]


def _part_title(result: Result, cell: int, data: int) -> str:
    words = []
    if result.cells:
        settings = result.cells[cell]["settings"].items()
        words += [f"{field} {value}" for field, value in settings]
    if isinstance(result.request.get("data"), list):
        words.append(f"data set {data}")
    return ", ".join(words)


def _parts(result: Result) -> list[_Part]:
    over = "training" if is_experiment(result.request) else "the sweep"
    figures = training_figures_of(result) + sweep_figures_of(result)
    curves = [_drawing(figure) for figure in figures]
    parts = [_Part(f"Over {over}", curves)] if curves else []
    for cell, data in _places(result):
        figures = figures_of(result.select(cell, data))
        title = _part_title(result, cell, data)
        parts.append(_Part(title, [_drawing(figure) for figure in figures]))
    return parts


def _facts(result: Result) -> list[tuple[str, str]]:
    request = result.request
    if is_experiment(result.request):
        facts = [("variants", ", ".join(request["variants"])),
                 ("seeds", ", ".join(map(str, request.get("seeds", []))))]  # fmt: skip
    else:
        facts = [("model", request.get("model", "")),
                 ("baseline", request.get("baseline", ""))]  # fmt: skip
    for part in [] if is_experiment(result.request) else result.provenance:
        if "nll" in part:
            nll = f"{part['nll']:.4f} nats"
            facts.append((f"next-token loss, {part['part']}", nll))
    times = result.document.get("times", {})
    facts += [("finished", times.get("end", "")), ("state", _state(result))]
    return [(name, str(value)) for name, value in facts if value]


def _state(result: Result) -> str:
    job = result.document["job"]
    error = job.get("error", {}).get("message", "")
    return f"{job['state']}: {error}" if error else str(job["state"])


def _incomplete_text(result: Result) -> str:
    if result.document["job"]["state"] in _ENDED:
        return "This job did not succeed: what is missing here was not computed."
    return (
        "This job was not done when the report was made: what is missing here was "
        "not there yet."
    )


def _provenance(result: Result) -> list[dict[str, Any]]:
    """Return where numbers come from: of an experiment, those that are drawn."""
    if not is_experiment(result.request):
        return result.provenance
    index, shown = CellIndex(result.cells), _cells(result)
    return [p for p in result.provenance if index.split(p["part"])[0] in shown]


def _section(result: Result) -> _Section:
    if is_experiment(result.request):
        main, other = variant_tables(result), []
        text = f"{_VARIANTS} {seeds_text(result)}"
    else:
        tables, text = quantity_tables(result), _MEANS
        main = [t for t in tables if t.is_asked_for and t.part == tables[0].part]
        other = [table for table in tables if table not in main]
    overview, *parts = _parts(result) or [_Part("", [])]
    first = overview.drawings.pop(0) if overview.drawings else None
    return _Section(
        result=result,
        label=str(result.request.get("name") or subject_of(result.request)),
        facts=_facts(result),
        incomplete_text=_incomplete_text(result),
        overview=first,
        means_text=text,
        main_tables=main,
        other_tables=other,
        parts=[part for part in (overview, *parts) if part.drawings],
        provenance=_provenance(result),
    )


def _resource(name: str) -> str:
    return (importlib.resources.files("moeprobe.report") / name).read_text("utf-8")


def _style() -> str:
    return _resource("look.css") + _resource("report.css")


def make_page(results: Sequence[Result]) -> str:
    """Return a page of HTML with everything that `results` say.

    Tables with intervals and nulls, figures, warnings, provenance, and requests to
    run them again. It needs no network, and refuses to use one; every text of a
    result is escaped.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_resource("report.html"))
    sections = [_section(result) for result in results]
    return template.render(
        title=", ".join(section.label for section in sections),
        sections=sections,
        comparison=side_by_side(results) if len(results) > 1 else [],
        style=markupsafe.Markup(_style()),  # noqa: S704 (ours)
        script=markupsafe.Markup(_resource("report.js")),  # noqa: S704 (ours)
        plotly=markupsafe.Markup(_resource(_PLOTLY)),  # noqa: S704 (Plotly's)
    )


def write_report(results: Sequence[Result], path: str | os.PathLike[str]) -> None:
    """Write the page of `results` to a file, whole or not at all."""
    target = pathlib.Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.new")
    staging.write_text(make_page(results), encoding="utf-8")
    staging.replace(target)

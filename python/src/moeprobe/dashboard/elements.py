"""Small things that pages are made of. All texts are children, which are text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from moeprobe.dashboard.views.job_row import JobRow
from moeprobe.figures.figure import Figure
from moeprobe.figures.plotly_figure import plotly_figure
from moeprobe.report.tables import Table

# More choices than that, with names longer than numbers, are a list to open.
_MOST_IN_A_ROW = 12
_SHORT = 4
_GRAPH_CONFIG: Any = {"displaylogo": False, "responsive": True}


def aria(label: str) -> dict[str, Any]:
    """Return what says aloud what an element is."""
    return {"aria-label": label}


def badge(row: JobRow) -> Component:
    """Return a job's state: mark, word and colour."""
    return html.Span([f"{row.mark} ", row.state], className=f"state {row.state}")


def facts(pairs: Iterable[tuple[str, Any]], style: str = "") -> Component:
    """Return names with what they are; pairs without a value are left out."""
    shown = [(name, value) for name, value in pairs if value not in ("", None)]
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in shown],
        className=style,
    )


def plain_table(table: Table) -> Component:
    """Return a table whose first column names the rows."""
    head = html.Tr([html.Th(title, scope="col") for title in table.titles])
    rows = [
        html.Tr(
            [html.Th(row[0], scope="row", className="text"), *map(html.Td, row[1:])]
        )
        for row in table.rows
    ]
    return html.Div(
        html.Table([html.Thead(head), html.Tbody(rows)]), className="scroll"
    )


def picker(
    name: str,
    label: str,
    options: Sequence[tuple[Any, str]],
    value: Any,
    key: str = "",
) -> Component:
    """Return a row of choices, one of which holds; `key` keeps it by its name."""
    kept: dict[str, Any] = {"id": name, "value": value}
    kept["options"] = [{"value": v, "label": text} for v, text in options]
    if key:
        kept |= {"persistence": key, "persistence_type": "memory"}
    is_long = len(options) > _MOST_IN_A_ROW and len(options[-1][1]) > _SHORT
    return html.Fieldset(
        [
            html.Legend(label),
            dcc.Dropdown(clearable=False, **kept)
            if is_long
            else dcc.RadioItems(className="strip", **kept),
        ],
        hidden=len(options) < 2,  # noqa: PLR2004
    )


def labelled(text: str, field: Component) -> Component:
    """Return a field with its label in front."""
    return html.Label([text, field])


def drawn(figure: Figure) -> dict[str, Any]:
    """Return a figure for a graph; the page has its title."""
    made = plotly_figure(figure)
    del made["layout"]["title"]
    made["layout"]["margin"]["t"] = 40
    return made


def graph(name: str, figure: Figure | None = None) -> Component:
    """Return a place for a figure, or one with it."""
    made = drawn(figure) if figure else {"data": [], "layout": {}}
    height = made["layout"].get("height", 420)
    return dcc.Graph(
        id=name, figure=made, config=_GRAPH_CONFIG, style={"height": f"{height}px"}
    )


def captioned(figure: Figure, name: str) -> Component:
    """Return a figure with its title and caption."""
    return html.Figure(
        [
            html.H3(figure.title),
            graph(name, figure),
            html.Figcaption(figure.caption),
        ]
    )
